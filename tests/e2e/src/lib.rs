//! Lets a real kube-apiserver judge what `leastrole` believes about Kubernetes.
//!
//! In: the server's binaries, a seed. Out: counts, and an error with the first
//! disagreements where there are any. It must never leave a process behind,
//! and never decide by itself what is right: the server does.

pub mod checks;
pub mod harness;
