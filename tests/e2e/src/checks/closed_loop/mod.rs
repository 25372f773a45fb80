//! The closed loop: what `generate` derives from a run under broad rights is enough for
//! the same run again, and allows nothing that was refused.

mod actor;
mod judge;
mod setup;
pub mod soak;
mod workloads;

use anyhow::Result;

use super::generated::Generated;
use super::two_runs::{Run, TwoRuns};
use super::{Options, Outcome};
use crate::harness::{Assets, Cluster, Settings};
use actor::{Answers, Stage};
pub(super) use setup::WIDGETS;
pub(super) use workloads::csr;

/// Runs the check.
pub fn run(assets: &Assets, options: &Options) -> Result<Outcome> {
    TwoRuns { name: "loop", flags: &[], options }.play(
        |settings, generated| rehearse(assets, settings, generated),
        |first, second, advice, outcome| {
            outcome.count("requests", first.seen.len());
            judge::compare(&first.seen, &second.seen, &second.log, advice, outcome);
        },
    )
}

/// All workloads, under broad rights or under the generated ones.
fn rehearse(
    assets: &Assets,
    settings: &Settings,
    generated: Option<&Generated>,
) -> Result<Run<Answers>> {
    let cluster = Cluster::start(assets, settings)?;
    let admin = cluster.admin();
    setup::create_objects(&admin)?;
    match generated {
        None => setup::give_broad_rights(&admin)?,
        Some(generated) => generated.take_effect(&admin)?,
    }
    let mut log = cluster.audit_log();
    log.skip_to_end()?;
    let stage = Stage::new(&cluster, generated);
    workloads::run(&stage)?;
    let answers = stage.into_answers();
    log.wait_until(|lines| is_complete(lines, &answers))?;
    Ok(Run { log: log.lines()?.to_vec(), seen: answers })
}

/// Whether the last request is in the log; they are sent one after the other.
fn is_complete(lines: &[String], answers: &Answers) -> bool {
    let done = lines.iter().filter(|line| line.contains(r#""stage":"ResponseComplete""#));
    done.count() >= answers.len()
}
