//! What people and programs read: manifests as YAML or JSON, the summary, escaping.
//! Prints what others found; computes nothing.

pub mod escape;
mod explain;
mod manifest;
mod summary;
mod summary_text;
mod write;

pub use manifest::{Format, Manifest, manifests};
pub use summary::Summary;
pub use summary_text::{nothing_read, print_summary};
pub use write::{Target, Text, rendered, replace, write};
