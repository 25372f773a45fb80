//! CloudWatch Logs, read from a scripted server that speaks its protocol.
//!
//! Nothing here leaves the machine: every run has an endpoint on loopback, made-up
//! keys, and no access to instance metadata.

#[cfg(test)]
mod cloudwatch {
    mod complete;
    mod events;
    mod fast;
    mod kind;
    mod moto;
    mod run;
    mod saving;
    mod server;
    mod service;
    mod stalled;
    mod steady;
}
