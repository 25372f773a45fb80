//! Kubernetes RBAC: permission atoms, objects, manifests, the evaluator and what
//! every caller holds by default. Knows nothing of audit logs.

mod atom;

pub use atom::{Atom, ResourceAtom, UrlAtom};
