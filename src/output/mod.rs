//! What people and programs read: manifests as YAML or JSON, the summary, escaping.
//! Prints what others found; computes nothing.

pub mod escape;
mod explain;
#[cfg(feature = "cloudwatch")]
mod live;
mod manifest;
mod scalars;
mod summary;
mod summary_text;
mod units;
mod write;

#[cfg(feature = "cloudwatch")]
pub use live::{print_estimate, print_streams, progress_line};
pub use manifest::{Format, Manifest, manifests};
pub use scalars::json;
pub use summary::Summary;
pub use summary_text::{nothing_read, print_summary};
pub use write::{Target, Text, rendered, replace, write};
