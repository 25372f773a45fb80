//! Given RBAC beside what was used: whom each binding reaches, what they used of its
//! rules, what is left when the rest is cut away, and what the log cannot judge. Objects,
//! a plan of needs and a selection come in; nothing is changed and nothing printed.

mod attribution;
mod cover;
mod need_index;
mod parties;
mod roles;
mod rule_use;

pub use attribution::{Holding, Review, Use, in_namespace, is_allowed};
pub use cover::Cover;
pub use parties::{Doubt, Need, Parties, Party};
pub use roles::{RoleDoubt, RoleUse, is_kept_by_kubernetes};
pub use rule_use::{Cell, RuleUse, Share, is_wild};
