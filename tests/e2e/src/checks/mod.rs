//! The checks, each against a server of its own.

mod advice;
pub mod attributes;
pub mod closed_loop;
pub mod controllers;
mod custom_resources;
pub mod evaluator;
mod generated;
mod grant;
pub mod needs;
pub mod objects;
pub mod operator;
mod outcome;
mod refusals;
mod review;
mod rights;
mod two_runs;

use std::path::PathBuf;
use std::time::Duration;

pub use outcome::Outcome;

/// What a check can be told.
#[derive(Clone, Debug)]
pub struct Options {
    /// What everything made up is made up from.
    pub seed: u64,
    /// A folder for what was observed, for a look by hand.
    pub dump: Option<PathBuf>,
    /// How long the soak takes.
    pub soak: Duration,
}
