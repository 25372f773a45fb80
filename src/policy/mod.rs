//! From usage to objects: what each identity is granted, why anything is wider than
//! what was used, what the log could not show, and the proof. Pure and deterministic:
//! no I/O, no clocks, no hash-map order.

mod blind_spots;
mod generated_names;
mod names;
mod needs;
mod objects;
mod options;
mod plan;
mod proof;
mod rules;
mod subjects;
mod widen;

pub use blind_spots::{Assumption, BlindSpot, Class, is_unlogged};
pub use generated_names::{Pattern, generated};
pub use objects::{Owner, object_name_of, objects, objects_of};
pub use options::{Names, Options, Scope, Verbs};
pub use plan::{IdentityPlan, Outside, Plan, VersionSource, plan};
pub use proof::{Mismatch, Proof, prove};
pub use rules::rules;
pub use subjects::{GroupTemplate, subject};
pub use widen::{Cause, Grant, Grants, exact, is_namespace_itself};
