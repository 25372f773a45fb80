//! The requests again, with nothing but what `generate` derives from their log.

use anyhow::{Context, Result};

use super::{Attempt, ORDERS, Trial, attempt, caller, cases, prepare};
use crate::checks::Outcome;
use crate::checks::advice::Advice;
use crate::checks::generated::Generated;
use crate::harness::{Assets, AuditPolicy, Cluster, Settings};

/// The server runs the admission plugin that this is about. Nodes are impersonated, and
/// skipped unless asked for.
const FLAGS: &[&str] = &["--include-system", "--enforce-owner-references"];

/// What was accepted is accepted again, and what was refused is refused again.
pub(super) fn run(
    assets: &Assets,
    settings: &Settings,
    trials: &[Trial],
    outcome: &mut Outcome,
) -> Result<()> {
    let accepted = trials.iter().filter_map(|trial| trial.attempts.last());
    let stage = Stage::new(assets, settings, accepted)?;
    stage.accept(settings, outcome)?;
    let refused = trials.iter().filter_map(|trial| match &*trial.attempts {
        [refused, .., _] => Some(refused),
        _ => None,
    });
    Stage::new(assets, settings, refused)?.refuse(settings, outcome)
}

/// A new server, with nothing but what `generate` derives from some attempts.
struct Stage {
    cluster: Cluster,
    generated: Generated,
}

impl Stage {
    fn new<'a>(
        assets: &Assets,
        settings: &Settings,
        attempts: impl Iterator<Item = &'a Attempt>,
    ) -> Result<Self> {
        let log: Vec<String> = attempts.flat_map(|attempt| attempt.events.clone()).collect();
        let generated = Generated::from_lines(&log, FLAGS)?;
        let cluster =
            Cluster::start(assets, &Settings { audit: AuditPolicy::Metadata, ..settings.clone() })?;
        let admin = cluster.admin();
        ORDERS.define(&admin)?;
        for case in cases()? {
            prepare(&admin, &case).with_context(|| format!("in {} again", case.name))?;
        }
        generated.take_effect(&admin)?;
        Ok(Self { cluster, generated })
    }

    /// Every request passes, or there was advice on it.
    fn accept(&self, settings: &Settings, outcome: &mut Outcome) -> Result<()> {
        let mut advice = Advice::of(&self.generated);
        let mut log = self.cluster.audit_log();
        for case in cases()? {
            let attempt = attempt(&self.cluster, &mut log, &case, &caller(&case), 0)?;
            let mut advised = || advice.take(attempt.events.last()?);
            if attempt.reply.status == case.accepted {
                outcome.add("accepted with what generate derived alone", 1);
            } else if let Some(code) = advised() {
                outcome.add(&format!("refused, as advised ({code})"), 1);
            } else {
                outcome.disagree(format!(
                    "{} with what generate derived from {:?}: {:?}",
                    case.name, settings.audit, attempt.reply
                ));
            }
        }
        Ok(())
    }

    /// No request passes that is refused for want of rights.
    fn refuse(&self, settings: &Settings, outcome: &mut Outcome) -> Result<()> {
        let mut log = self.cluster.audit_log();
        for case in cases()?.filter(|case| !case.missing.is_empty()) {
            let attempt = attempt(&self.cluster, &mut log, &case, &caller(&case), 0)?;
            if attempt.reply.status == case.accepted {
                outcome.disagree(format!(
                    "{} passes with what generate derived from its refusal under {:?}",
                    case.name, settings.audit
                ));
            } else {
                outcome.add("refused with what generate derived from the refusal", 1);
            }
        }
        Ok(())
    }
}
