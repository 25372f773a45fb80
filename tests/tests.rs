//! All integration tests. They read `testdata/`, run the real binary where they can,
//! and need no network.

#[cfg(test)]
mod conformance_events;
#[cfg(test)]
mod conformance_rbac;
#[cfg(test)]
mod memo;
#[cfg(test)]
mod shapes;
