//! What people and programs read: manifests as YAML or JSON, the summary, escaping.
//! Prints what others found; computes nothing.

mod diff;
pub mod escape;
mod explain;
mod findings_text;
#[cfg(feature = "cloudwatch")]
mod live;
mod manifest;
mod markdown;
mod query;
mod read_summary;
mod report;
mod review_text;
mod sarif;
mod scalars;
mod summary;
mod summary_text;
mod tables;
mod units;
mod write;

pub use diff::unified_diff;
pub use findings_text::table;
#[cfg(feature = "cloudwatch")]
pub use live::{print_estimate, progress_line};
pub use manifest::{Format, Manifest, manifests, object_list, object_yaml};
pub use markdown::markdown;
pub use query::{QueryFormat, lookup_text, who_can_text};
pub use read_summary::ReadSummary;
pub use report::{CheckReport, ReportFormat};
pub use review_text::{print_check_summary, print_tighten_summary};
pub use sarif::sarif;
pub use scalars::json;
pub use summary::Summary;
pub use summary_text::{nothing_read, print_hint, print_problems, print_summary, print_warning};
pub use write::{Target, Text, plain, print, print_styled, rendered, replace, write};
