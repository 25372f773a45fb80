//! What every identity used: identity -> need -> evidence, folded from events and
//! merged over workers and runs. Never knows where events came from.

mod aggregate;
mod entry;
mod evidence;
mod few;
mod fold;
mod identity;
mod known;
mod ledger;
mod memo;
mod moment;
mod selection;

pub use evidence::{Bases, Evidence, Sample};
pub use few::Few;
pub use fold::Fold;
pub use identity::{Facts, Identity};
pub use ledger::{IdentityUsage, Outcomes, Place, Table, Usage, Version};
pub use moment::Moment;
pub use selection::{Choice, Selection};
