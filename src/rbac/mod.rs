//! Kubernetes RBAC: permission atoms, objects, manifests, the evaluator and what
//! every caller holds by default. Knows nothing of audit logs.

mod aggregation;
mod atom;
mod covers;
mod defaults;
mod evaluator;
pub mod manifests;
mod names;
mod objects;
mod requester;
mod resources;
mod rules;
mod validation;
mod verdict;
mod words;

pub use aggregation::{MAX_AGGREGATION_STEPS, aggregate};
pub use atom::{Atom, ResourceAtom, Unsayable, UrlAtom};
pub use covers::{atoms, covers, grant_count, grant_covers, rule_covers};
pub use defaults::{builtin_objects, default_objects, held_by_default};
pub use evaluator::Evaluator;
pub use names::{
    is_annotation_key, is_dns_label, is_dns_subdomain, is_label_key, is_label_value, is_rbac_name,
    parse_service_account_username, service_account_username,
};
pub use objects::{Binding, Kind, Object, ObjectId, Objects, RBAC_GROUP};
pub use requester::Requester;
pub use resources::ApiResource;
pub use rules::{Lists, lists, rule_allows};
pub use validation::{Fault, Form, Invalid, MAX_ANNOTATION_BYTES, validate};
pub use verdict::{Grant, Held, Unresolved, Verdict};
pub use words::{resource_text, rule_text};
