//! From usage to RBAC objects. Pure: same usage and settings, same objects.

mod generated_names;

pub use generated_names::{Pattern, generated};
