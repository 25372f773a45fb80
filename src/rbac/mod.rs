//! Kubernetes RBAC: permission atoms, objects, manifests, the evaluator and what
//! every caller holds by default. Knows nothing of audit logs.

mod atom;
mod covers;
mod rules;

pub use atom::{Atom, ResourceAtom, UrlAtom};
pub use covers::{atoms, covers, grant_count};
pub use rules::rule_allows;
