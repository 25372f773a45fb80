//! From blocks of bytes to audit events, whatever was put around them.
//!
//! A [`Block`](crate::source::Block) comes in; events and aggregated rows go to
//! a [`Consumer`], and everything that is neither goes into a [`Tally`]. Nothing
//! here knows files or RBAC, and nothing is held longer than its block.

mod base64;
mod block;
mod container;
mod csv;
mod dialect;
mod framing;
mod json;
mod line_numbers;
mod lines;
mod prefix;
mod problem;
mod scan;
mod tally;
mod timestamp;
mod usage_row;
mod values;
mod walker;

use crate::audit::Event;

pub use block::{Origin, decode};
pub use dialect::Dialect;
pub use framing::Framing;
pub use line_numbers::LineLedger;
pub use problem::{Cause, Problem, Warning};
pub use tally::{Problems, Tally};
pub use usage_row::UsageRow;

/// Takes what was found, in no particular order.
pub trait Consumer: Send {
    /// The line that `bytes` begin with, before anything of it is parsed. A consumer that can
    /// do with what an event line in the API server's own layout shows takes it, and answers
    /// how long it is without its line break; else the line is parsed whole.
    fn line(&mut self, bytes: &[u8]) -> Option<usize> {
        let _ = bytes;
        None
    }

    /// One audit event, of any stage.
    fn event(&mut self, event: &Event<'_>);

    /// One row of an aggregated query result, which stands for many events.
    fn usage_row(&mut self, row: &UsageRow<'_>);
}
