//! The closed loop: what `generate` derives from a run under broad rights is enough for
//! the same run again, and allows nothing that was refused.
//!
//! Each run has a server of its own, set up alike. The first knows the broad rights and
//! nothing of ours; the second the generated objects and nothing else.

mod actor;
mod judge;
mod setup;
pub mod soak;
mod workloads;

use anyhow::Result;

use super::advice::Advice;
use super::generated::Generated;
use super::rights::wait_for_authorizer;
use super::{Options, Outcome, under_each_policy};
use crate::harness::{Assets, AuditPolicy, Cluster, Settings};
use actor::{Answers, Stage};
pub(super) use setup::WIDGETS;
pub(super) use workloads::csr;

/// Runs the check.
pub fn run(assets: &Assets, options: &Options) -> Result<Outcome> {
    under_each_policy(|audit, outcome| close(assets, options, audit, outcome))
}

fn close(
    assets: &Assets,
    options: &Options,
    audit: AuditPolicy,
    outcome: &mut Outcome,
) -> Result<()> {
    let settings = Settings { audit, ..Settings::default() };
    let (first, log) = rehearse(assets, &settings, None)?;
    if let Some(folder) = &options.dump {
        std::fs::write(folder.join(format!("loop-{audit:?}.ndjson")), log.join("\n"))?;
    }
    let generated = Generated::with_assumptions(&log, &[], audit, outcome)?;
    // The second run is for us to look at, so all of it is logged.
    let (second, log) = rehearse(assets, &Settings::default(), Some(&generated))?;
    if let Some(folder) = &options.dump {
        std::fs::write(folder.join(format!("loop-{audit:?}-again.ndjson")), log.join("\n"))?;
    }
    outcome.count("requests", first.len());
    judge::compare(&first, &second, &log, Advice::of(&generated), outcome);
    Ok(())
}

/// All workloads, under broad rights or under the generated ones.
fn rehearse(
    assets: &Assets,
    settings: &Settings,
    generated: Option<&Generated>,
) -> Result<(Answers, Vec<String>)> {
    let cluster = Cluster::start(assets, settings)?;
    let admin = cluster.admin();
    setup::create_objects(&admin)?;
    match generated {
        None => setup::give_broad_rights(&admin)?,
        Some(generated) => {
            generated.apply(&admin)?;
            wait_for_authorizer(&admin)?;
        }
    }
    let mut log = cluster.audit_log();
    log.skip_to_end()?;
    let stage = Stage::new(&cluster, generated);
    workloads::run(&stage)?;
    let answers = stage.into_answers();
    log.wait_until(|lines| is_complete(lines, &answers))?;
    Ok((answers, log.lines()?.to_vec()))
}

/// Whether the last request is in the log; they are sent one after the other.
fn is_complete(lines: &[String], answers: &Answers) -> bool {
    let done = lines.iter().filter(|line| line.contains(r#""stage":"ResponseComplete""#));
    done.count() >= answers.len()
}
