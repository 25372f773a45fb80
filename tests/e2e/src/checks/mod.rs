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
mod review;
mod rights;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::harness::AuditPolicy;
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

/// Runs a check once under each audit policy; its counts stand under the policy's name.
fn under_each_policy(check: impl Fn(AuditPolicy, &mut Outcome) -> Result<()>) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for audit in [AuditPolicy::Metadata, AuditPolicy::Eks] {
        let mut turn = Outcome::default();
        check(audit, &mut turn).with_context(|| format!("under {audit:?}"))?;
        outcome.append(&format!("{audit:?}: "), turn);
    }
    Ok(outcome)
}
