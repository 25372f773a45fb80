//! What `check` and `tighten` say on stderr beside their output: what was read, what could
//! not be judged, and the proof.

use std::fmt::{self, Write};
use std::io;

use super::escape::short;
use super::read_summary::ReadSummary;
use super::report::{AssumedGroup, CheckReport, NotJudged, assumed_groups, not_judged};
use super::summary_text::{BOLD, RESET, count, problems, read};
use crate::policy::Plan;
use crate::rbac::ObjectId;
use crate::review::{Review, RoleDoubt};
use crate::tighten::{Kept, Proof, Tightened};

/// Lines of one section; the rest is counted.
const LISTED: usize = 12;
/// Characters of one line.
const WIDTH: usize = 160;

/// Prints the summary of `check` on stderr.
pub fn print_check_summary(report: &CheckReport, plan: &Plan) -> io::Result<()> {
    let mut text = String::new();
    check_summary(report, plan, &mut text).map_err(io::Error::other)?;
    io::Write::write_all(&mut anstream::stderr().lock(), text.as_bytes())
}

fn check_summary(report: &CheckReport, plan: &Plan, out: &mut String) -> fmt::Result {
    read(&report.read, out)?;
    problems(&report.read.input, out)?;
    let manifests = &report.manifests;
    let skipped: usize = manifests.skipped.values().sum();
    write!(out, "Manifests: {}", count(manifests.objects as u64, "RBAC object"))?;
    match skipped {
        0 => writeln!(out)?,
        skipped => writeln!(out, ", {} of other kinds skipped", count(skipped as u64, "object"))?,
    }
    doubts(&report.not_judged, &report.assumed_groups, plan, out)
}

fn doubts(
    not_judged: &[NotJudged],
    assumed: &[AssumedGroup],
    plan: &Plan,
    out: &mut String,
) -> fmt::Result {
    let lines: Vec<String> =
        not_judged.iter().map(|it| format!("{}: {}", short(&it.subject, 80), it.why)).collect();
    section(out, "Not judged by this log", &lines)?;
    let lines: Vec<String> = assumed
        .iter()
        .map(|it| format!("{} in {}", short(&it.identity, 80), short(&it.group, 60)))
        .collect();
    section(out, "Taken to be in a group (--iam-group-template, --aws-auth)", &lines)?;
    section(out, &unlogged(plan), &blind_spots(plan))
}

fn unlogged(plan: &Plan) -> String {
    match plan.hidden.join("; ") {
        hidden if hidden.is_empty() => "Never in the log".to_owned(),
        hidden => format!("Never in the log (the audit policy hides {})", short(&hidden, 100)),
    }
}

fn blind_spots(plan: &Plan) -> Vec<String> {
    let spots = plan.identities.iter().flat_map(|identity| {
        identity.blind_spots.iter().map(move |spot| {
            let state = if spot.assumed { "counted as used" } else { spot.why };
            let who = short(&identity.identity.to_string(), 80);
            format!("{who}: {state} (--assume {})", spot.class.label())
        })
    });
    spots.collect()
}

/// Prints the summary of `tighten` on stderr.
pub fn print_tighten_summary(
    read_summary: &ReadSummary,
    plan: &Plan,
    review: &Review<'_>,
    tightened: &Tightened,
    proof: Proof,
) -> io::Result<()> {
    let mut text = String::new();
    tighten_summary(read_summary, plan, review, tightened, proof, &mut text)
        .map_err(io::Error::other)?;
    io::Write::write_all(&mut anstream::stderr().lock(), text.as_bytes())
}

fn tighten_summary(
    read_summary: &ReadSummary,
    plan: &Plan,
    review: &Review<'_>,
    tightened: &Tightened,
    proof: Proof,
    out: &mut String,
) -> fmt::Result {
    read(read_summary, out)?;
    problems(&read_summary.input, out)?;
    doubts(&not_judged(review), &assumed_groups(review), plan, out)?;
    section(out, "Kept as they are", &kept(&tightened.kept))?;
    section(out, "Dropped", &names(tightened.dropped.iter()))?;
    section(out, "Added", &names(tightened.added.iter()))?;
    let (before, after) = tightened.permissions;
    write!(out, "\n{} changed", count(tightened.changed.len() as u64, "object"))?;
    write!(out, ", {} dropped, {} added", tightened.dropped.len(), tightened.added.len())?;
    if before > 0 {
        write!(out, "; {before} permissions cut down to {after}")?;
    }
    if tightened.unlogged > 0 {
        write!(out, "; {} kept because the log could not show them", tightened.unlogged)?;
    }
    writeln!(out)?;
    let needs = count(proof.covered as u64, "need");
    write!(out, "{BOLD}Proved{RESET}: still covers {needs}")?;
    if proof.uncovered > 0 {
        write!(out, ", {} were not covered before", proof.uncovered)?;
    }
    let rules = count(proof.rules as u64, "rule");
    writeln!(out, "; nothing was added ({rules} compared)")
}

fn section(out: &mut String, title: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}{title}{RESET}")?;
    lines.iter().take(LISTED).try_for_each(|line| writeln!(out, "  {line}"))?;
    match lines.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more"),
    }
}

/// Those that somebody might expect to be cut.
fn kept(kept: &[Kept]) -> Vec<String> {
    let is_told = |kept: &&Kept| !matches!(kept.why, RoleDoubt::BuiltIn | RoleDoubt::Aggregated);
    let lines = kept.iter().filter(is_told);
    lines.map(|kept| short(&format!("{}: {}", kept.role, kept.why.why()), WIDTH)).collect()
}

fn names<'a>(ids: impl Iterator<Item = &'a ObjectId>) -> Vec<String> {
    ids.map(|id| short(&id.to_string(), WIDTH)).collect()
}
