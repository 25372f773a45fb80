//! All integration tests. They read `testdata/`, run the real binary where they can,
//! and need no network.

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod cluster_shop;
#[cfg(test)]
mod conformance_events;
#[cfg(test)]
mod conformance_rbac;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod exits;
#[cfg(test)]
mod flags;
#[cfg(test)]
mod fuzz_corpus;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod manage;
#[cfg(test)]
mod memo;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod regressions;
#[cfg(test)]
mod repeatable;
#[cfg(test)]
mod shapes;
#[cfg(test)]
mod support;
#[cfg(test)]
mod yaml_names;
