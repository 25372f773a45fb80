//! The frame of the closed loops: a run is recorded, and played again under what `generate`
//! makes of its log.
//!
//! Each run has a server of its own, set up alike. The second knows the generated objects,
//! and whatever the first was allowed by is not there.

use anyhow::{Context, Result};

use super::advice::Advice;
use super::generated::Generated;
use super::{Options, Outcome};
use crate::harness::{AuditPolicy, Settings};

/// What one run left: its audit log, and what was seen of it otherwise.
pub(super) struct Run<T> {
    pub(super) log: Vec<String>,
    pub(super) seen: T,
}

/// A run that can be played again.
pub(super) struct TwoRuns<'a> {
    /// The start of the names of what is dumped.
    pub(super) name: &'a str,
    /// Flags for `generate`.
    pub(super) flags: &'a [&'a str],
    pub(super) options: &'a Options,
}

impl TwoRuns<'_> {
    /// Plays both runs under each audit policy; counts stand under the policy's name.
    ///
    /// `rehearse` plays one run, under what was generated if that is given; `compare` is handed
    /// the first and the second.
    pub(super) fn play<T>(
        &self,
        rehearse: impl Fn(&Settings, Option<&Generated>) -> Result<Run<T>>,
        compare: impl Fn(&Run<T>, &Run<T>, Advice, &mut Outcome),
    ) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        for audit in [AuditPolicy::Metadata, AuditPolicy::Eks] {
            let mut turn = Outcome::default();
            self.play_under(audit, &rehearse, &compare, &mut turn)
                .with_context(|| format!("under {audit:?}"))?;
            outcome.append(&format!("{audit:?}: "), turn);
        }
        Ok(outcome)
    }

    fn play_under<T>(
        &self,
        audit: AuditPolicy,
        rehearse: impl Fn(&Settings, Option<&Generated>) -> Result<Run<T>>,
        compare: impl Fn(&Run<T>, &Run<T>, Advice, &mut Outcome),
        outcome: &mut Outcome,
    ) -> Result<()> {
        let first = rehearse(&Settings { audit, ..Settings::default() }, None)?;
        self.dump(&first.log, audit, "")?;
        let generated = Generated::with_assumptions(&first.log, self.flags, audit, outcome)?;
        // The second is for us to look at, so all of it is logged.
        let second = rehearse(&Settings::default(), Some(&generated))?;
        self.dump(&second.log, audit, "-again")?;
        compare(&first, &second, Advice::of(&generated), outcome);
        Ok(())
    }

    fn dump(&self, log: &[String], audit: AuditPolicy, suffix: &str) -> Result<()> {
        if let Some(folder) = &self.options.dump {
            let file = format!("{}-{audit:?}{suffix}.ndjson", self.name);
            std::fs::write(folder.join(file), log.join("\n"))?;
        }
        Ok(())
    }
}
