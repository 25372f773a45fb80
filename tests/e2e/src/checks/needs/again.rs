//! The accepted requests again, with nothing but what `generate` derives from their log.

use anyhow::{Context, Result};

use super::{ORDERS, Trial, attempt, caller, cases, prepare};
use crate::checks::Outcome;
use crate::checks::advice::Advice;
use crate::checks::generated::Generated;
use crate::checks::rights::wait_for_authorizer;
use crate::harness::{Assets, AuditPolicy, Cluster, Settings};

pub(super) fn run(
    assets: &Assets,
    settings: &Settings,
    trials: &[Trial],
    outcome: &mut Outcome,
) -> Result<()> {
    let accepted = trials.iter().filter_map(|trial| trial.attempts.last());
    let log: Vec<String> = accepted.flat_map(|attempt| attempt.events.clone()).collect();
    // Nodes are impersonated, and skipped unless asked for.
    let generated = Generated::from_lines(&log, &["--include-system"])?;
    let mut advice = Advice::of(&generated);

    let cluster =
        Cluster::start(assets, &Settings { audit: AuditPolicy::Metadata, ..settings.clone() })?;
    let admin = cluster.admin();
    ORDERS.define(&admin)?;
    for case in cases()? {
        prepare(&admin, &case).with_context(|| format!("in {} again", case.name))?;
    }
    generated.apply(&admin)?;
    wait_for_authorizer(&admin)?;
    let mut log = cluster.audit_log();
    for case in cases()? {
        let attempt = attempt(&cluster, &mut log, &case, &caller(&case), 0)?;
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
