//! The report of `check` as people read it: a table of findings, each with what there is
//! to know beneath it.

use std::fmt::{self, Write};

use super::escape::{short, visible};
use super::report::{CheckReport, FindingSummary, Fix};
use super::scalars;
use super::summary::EvidenceSummary;
use super::summary_text::{BOLD, RESET, count, second};

/// Lines beneath one finding; the rest is counted.
const LISTED: usize = 8;
/// Characters of a line.
const WIDTH: usize = 240;
/// Where the text of a finding begins.
const INDENT: &str = "         ";

/// The report as a table, with ANSI colours: see [`plain`](super::plain).
pub fn table(report: &CheckReport) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_table(report, &mut text);
    text
}

fn write_table(report: &CheckReport, out: &mut String) -> fmt::Result {
    writeln!(out, "{}", observed(report))?;
    let width = report.findings.iter().map(|finding| finding.code.len()).max().unwrap_or_default();
    if width > 0 {
        writeln!(out, "\n{BOLD}{:8} {:width$}  WHERE{RESET}", "SEVERITY", "CODE")?;
    }
    for finding in &report.findings {
        let (colour, severity) = (colour(finding.severity), finding.severity);
        let (code, place) = (finding.code, place(finding));
        writeln!(out, "{colour}{severity:8}{RESET} {code:width$}  {}", short(&place, WIDTH))?;
        for line in body(finding) {
            writeln!(out, "{INDENT}{}", short(&line, WIDTH))?;
        }
    }
    writeln!(out, "{}{}", if width > 0 { "\n" } else { "" }, counted(report))
}

/// What "used" means in the report.
pub(super) fn observed(report: &CheckReport) -> String {
    let window = &report.read.window;
    match (&window.first, &window.last) {
        (Some(first), Some(last)) => format!(
            "Observed from {} to {}: unused means unused in this window",
            second(first),
            second(last)
        ),
        _ => "The log tells no times: unused means unused in this log".to_owned(),
    }
}

/// The last line: how many there are.
pub(super) fn counted(report: &CheckReport) -> String {
    let counts = report.counts;
    let accepted = match counts.accepted {
        0 => String::new(),
        accepted => format!(", {accepted} accepted by the baseline"),
    };
    let needs = &report.needs;
    let elsewhere = match needs.elsewhere {
        0 => String::new(),
        elsewhere => format!("; {elsewhere} more of identities that nothing here binds"),
    };
    format!(
        "{}, {}, {}{accepted}; {} of {} covered{elsewhere}",
        count(counts.error as u64, "error"),
        count(counts.warning as u64, "warning"),
        count(counts.note as u64, "note"),
        needs.covered,
        count(needs.total as u64, "need"),
    )
}

/// The object and where it stands.
pub(super) fn place(finding: &FindingSummary) -> String {
    let Some(object) = finding.object.as_deref() else {
        return visible(&finding.about).into_owned();
    };
    match &finding.place {
        Some(place) => {
            format!("{} ({}:{})", visible(object), visible(&place.file), place.line)
        }
        None => visible(object).into_owned(),
    }
}

/// The sentence, and then what exactly.
fn body(finding: &FindingSummary) -> Vec<String> {
    let mut lines = vec![finding.sentence.clone()];
    let mut listed: Vec<String> = Vec::new();
    for item in finding.items.iter().filter(|item| item.evidence.is_some()) {
        let evidence = item.evidence.as_ref().map(evidence).unwrap_or_default();
        listed.push(format!("- {}: {evidence}", item.text));
    }
    listed.extend(finding.used.iter().map(|used| format!("- used: {used}")));
    let more = listed.len().saturating_sub(LISTED);
    lines.extend(listed.into_iter().take(LISTED));
    if more > 0 {
        lines.push(format!("- and {more} more: see --format json"));
    }
    lines.extend(finding.details.iter().map(|detail| format!("({detail})")));
    lines.extend(
        finding.fix.iter().map(|fix| format!("{}: {}", fix_title(fix), fix.words.join("; "))),
    );
    lines
}

/// `3 requests, last 2026-11-23 15:40:12, 200 by kubectl, audit ID ...`.
pub(super) fn evidence(evidence: &EvidenceSummary) -> String {
    let mut parts = vec![count(evidence.requests, "request")];
    parts.extend(evidence.last.as_ref().map(|last| format!("last {}", second(last))));
    parts.extend(evidence.tags.iter().map(|&tag| tag.to_owned()));
    if let Some(sample) = &evidence.sample {
        parts.push(format!("{} by {}", sample.code, short(&sample.user_agent, 32)));
        parts.push(format!("audit ID {}", short(&sample.audit_id, 40)));
    }
    parts.join(", ")
}

/// Where the rules go.
pub(super) fn fix_title(fix: &Fix) -> String {
    match fix.namespace.as_str() {
        "" => "covered by a ClusterRole with".to_owned(),
        namespace => format!("covered by a Role in namespace {namespace} with"),
    }
}

/// The rules as they stand in a role.
pub(super) fn rules_yaml(fix: &Fix) -> Option<String> {
    scalars::yaml(&fix.rules).ok()
}

fn colour(severity: &str) -> &'static str {
    match severity {
        "error" => "\u{1b}[31m",
        "warning" => "\u{1b}[33m",
        _ => "\u{1b}[36m",
    }
}
