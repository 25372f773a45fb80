//! Kubernetes RBAC: permission atoms, objects, manifests, the evaluator and what
//! every caller holds by default. Knows nothing of audit logs.

mod atom;
mod covers;
mod names;
mod objects;
mod rules;
mod validation;

pub use atom::{Atom, ResourceAtom, UrlAtom};
pub use covers::{atoms, covers, grant_count};
pub use names::{
    is_annotation_key, is_dns_label, is_dns_subdomain, is_label_key, is_label_value, is_rbac_name,
    parse_service_account_username, service_account_username,
};
pub use objects::{Binding, Kind, Object, ObjectId, Objects, RBAC_GROUP};
pub use rules::rule_allows;
pub use validation::{Fault, Form, Invalid, MAX_ANNOTATION_BYTES, validate};
