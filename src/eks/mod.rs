//! What is particular to EKS: the identities that are its own, its audit policy, IAM
//! roles and users, access entries and `aws-auth`. Other stages ask here; nothing of
//! it may leak into them.

mod access;
mod audit_policy;
mod control_plane;
mod iam;
mod mapping;

pub use access::RoleAccess;
pub use audit_policy::{AuditPolicy, AuditPolicyError, AuditRuleError, Concerning, Level};
pub use control_plane::is_control_plane;
pub use iam::{IamArn, IamKind, username_template};
pub use mapping::{MappingError, Principal, principals};
