//! The summary as a person reads it on stderr: what was read, what each identity gets,
//! the proof, and then only what asks for attention.

use std::fmt::{self, Display, Write};
use std::io;

use super::escape::short;
use super::read_summary::{InputSummary, ProblemSummary, ReadSummary, StreamSummary};
use super::summary::{AdviceSummary, IdentitySummary, Permission, Summary};
use super::units::{Bytes, Thousands};
use crate::decode::Tally;

/// Lines of one section; the rest is counted.
const LISTED: usize = 8;
/// Streams that are named; rotated daily, that is some weeks.
const STREAMS: usize = 50;
/// Characters of one log-written string.
const WIDTH: usize = 100;

pub(super) const BOLD: &str = "\u{1b}[1m";
pub(super) const RESET: &str = "\u{1b}[0m";

/// Prints the summary on stderr, bold only where the terminal takes it.
pub fn print_summary(summary: &Summary) -> io::Result<()> {
    let mut text = String::new();
    write_text(summary, &mut text).map_err(io::Error::other)?;
    io::Write::write_all(&mut anstream::stderr().lock(), text.as_bytes())
}

/// Why there is nothing to work on, and what to do about it.
pub fn nothing_read(tally: &Tally) -> String {
    let mut text = "no audit event was found\n".to_owned();
    let _ = problems(&InputSummary::new(tally), &mut text);
    text.push_str(
        "hint: EKS writes audit events to log streams called kube-apiserver-audit-*, and only \
         while audit logging is on",
    );
    text
}

/// Prints on stderr what was wrong with the input.
pub fn print_problems(tally: &Tally) -> io::Result<()> {
    let mut text = String::new();
    problems(&InputSummary::new(tally), &mut text).map_err(io::Error::other)?;
    io::Write::write_all(&mut anstream::stderr().lock(), text.as_bytes())
}

/// Prints a hint on stderr.
pub fn print_hint(hint: &str) {
    print_line("hint", hint);
}

/// Prints a warning on stderr.
pub fn print_warning(warning: &str) {
    print_line("warning", warning);
}

fn print_line(word: &str, text: &str) {
    let line = format!("{word}: {}\n", short(text, 200));
    // Nobody may be listening.
    let _ = io::Write::write_all(&mut anstream::stderr().lock(), line.as_bytes());
}

/// Writes the summary as text, with ANSI bold for headings.
fn write_text(summary: &Summary, out: &mut impl Write) -> fmt::Result {
    read(&summary.read, out)?;
    problems(&summary.read.input, out)?;
    table(summary, out)?;
    section(out, "Wider than used", &widenings(summary))?;
    section(out, &unlogged(summary), &blind_spots(summary))?;
    section(out, "For you to decide", &advice(summary))?;
    section(
        out,
        "Allowed by more than RBAC (these roles bound them once that is taken away)",
        &outside(summary),
    )?;
    section(
        out,
        "IAM roles to put into their groups (commands: in the YAML's comments)",
        &groups(summary),
    )?;
    proof(summary, out)
}

pub(super) fn read(summary: &ReadSummary, out: &mut impl Write) -> fmt::Result {
    let input = &summary.input;
    write!(out, "Read {}, {}: ", count(input.files, "input"), Bytes(input.bytes))?;
    write!(out, "{}", count(input.audit_events, "audit event"))?;
    if let (Some(first), Some(last)) = (&summary.window.first, &summary.window.last) {
        write!(out, " from {} to {}", second(first), second(last))?;
    }
    let kubernetes = &summary.kubernetes;
    let doubt =
        if kubernetes.source == "assumed" { " (assumed: --kubernetes-version)" } else { "" };
    writeln!(out, ", Kubernetes {}{doubt}", kubernetes.version)?;
    let events = &summary.events;
    let parts = [
        (events.used, "used"),
        (events.denied, "refused"),
        (events.control_plane, "of the control plane"),
        (events.node_authorizer, "of nodes"),
        (events.uncounted_stage, "before authorization"),
        (events.undecided, "undecided"),
        (events.inexpressible, "beyond RBAC"),
        (events.not_selected, "not selected"),
        (events.outside_window, "outside the time asked for"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", Thousands(number)))
        .collect();
    if !parts.is_empty() {
        writeln!(out, "  {}", parts.join(", "))?;
    }
    Ok(())
}

pub(super) fn problems(input: &InputSummary, out: &mut impl Write) -> fmt::Result {
    streams(&input.streams, out)?;
    let other = [
        (input.salvaged, "cut record", "salvaged"),
        (input.not_audit, "record", "of another kind"),
        (input.usage_rows, "row", "of aggregated usage"),
    ];
    for (number, what, said) in other.into_iter().filter(|(number, ..)| *number > 0) {
        writeln!(out, "  {} {said}", count(number, what))?;
    }
    input.problems.iter().try_for_each(|problem| write_problem(problem, out))?;
    for warning in &input.warnings {
        writeln!(
            out,
            "warning: {}: {}",
            short(&warning.file, WIDTH),
            short(&warning.message, 200)
        )?;
    }
    Ok(())
}

fn streams(streams: &[StreamSummary], out: &mut impl Write) -> fmt::Result {
    for StreamSummary { name, events } in streams.iter().take(STREAMS) {
        writeln!(out, "  {} from {}", count(*events, "event"), short(name, WIDTH))?;
    }
    if let Some(rest) = streams.get(STREAMS..).filter(|rest| !rest.is_empty()) {
        let events = rest.iter().map(|stream| stream.events).sum();
        let (events, streams) = (count(events, "event"), count(rest.len() as u64, "more stream"));
        writeln!(out, "  {events} from {streams}: see --summary-json")?;
    }
    Ok(())
}

fn write_problem(problem: &ProblemSummary, out: &mut impl Write) -> fmt::Result {
    for example in problem.examples.iter().take(3) {
        let file = short(&example.file, WIDTH);
        write!(out, "warning: {file}")?;
        if example.line > 0 {
            write!(out, ":{}", example.line)?;
        }
        write!(out, ": {}", short(&example.cause, WIDTH))?;
        if example.line > 0 || example.offset > 0 {
            write!(out, ", at byte {}", Thousands(example.offset))?;
        }
        if !example.excerpt.is_empty() {
            write!(out, ": {}", short(&example.excerpt, 60))?;
        }
        writeln!(out)?;
    }
    let shown = problem.examples.len().min(3) as u64;
    if problem.count > shown {
        writeln!(out, "warning: and {} more of this kind", Thousands(problem.count - shown))?;
    }
    Ok(())
}

fn table(summary: &Summary, out: &mut impl Write) -> fmt::Result {
    if summary.identities.is_empty() {
        return Ok(());
    }
    let names: Vec<String> =
        summary.identities.iter().map(|identity| short(&display_name(identity), 60)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or_default().max(8);
    writeln!(out, "\n{BOLD}{:width$}  needs  grants  wider  refused  unseen{RESET}", "Identity")?;
    for (identity, name) in summary.identities.iter().zip(names) {
        let refused: u64 = identity.denied.iter().map(|denied| denied.requests).sum();
        writeln!(
            out,
            "{name:width$}  {:>5}  {:>6}  {:>5}  {:>7}  {:>6}",
            identity.needs.len(),
            identity.grants,
            Dash(identity.widenings.len() as u64),
            Dash(refused),
            Dash(identity.blind_spots.iter().filter(|spot| !spot.assumed).count() as u64),
        )?;
    }
    let left_out: usize = summary.identities.iter().map(|identity| identity.left_out).sum();
    if left_out > 0 {
        let needs = count(left_out as u64, "need");
        writeln!(out, "{needs} left out, as --namespace or --succeeded-only asks for")?;
    }
    Ok(())
}

fn section(out: &mut impl Write, title: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}{title}{RESET}")?;
    for line in lines.iter().take(LISTED) {
        writeln!(out, "  {line}")?;
    }
    if lines.len() > LISTED {
        writeln!(out, "  and {} more: see --summary-json", lines.len() - LISTED)?;
    }
    Ok(())
}

fn widenings(summary: &Summary) -> Vec<String> {
    each(summary, |identity| {
        let line = |widening: &super::summary::WideningSummary| {
            let example = widening.needs.first().map(|need| dropped(&widening.grant, need));
            format!(
                "{}: {} instead of {}, such as {} ({})",
                short(&display_name(identity), 60),
                short(&widening.grant.to_string(), WIDTH),
                count(widening.needs.len() as u64, "need"),
                short(&example.unwrap_or_default(), WIDTH),
                widening.causes.join(", "),
            )
        };
        identity.widenings.iter().map(line).collect()
    })
}

fn unlogged(summary: &Summary) -> String {
    match summary.unlogged.join("; ") {
        hidden if hidden.is_empty() => "Never in the log".to_owned(),
        hidden => format!("Never in the log (the audit policy hides {})", short(&hidden, WIDTH)),
    }
}

fn blind_spots(summary: &Summary) -> Vec<String> {
    each(summary, |identity| {
        let line = |spot: &super::summary::BlindSpotSummary| {
            let who = short(&display_name(identity), 60);
            let first = spot.permissions.first().map(ToString::to_string).unwrap_or_default();
            let more = spot.permissions.len().saturating_sub(1);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let what = short(&first, WIDTH);
            if spot.assumed {
                return format!("{who}: {what}{more}, granted (--assume {})", spot.class);
            }
            format!("{who}: {what}{more}; {} (--assume {})", spot.why, spot.class)
        };
        identity.blind_spots.iter().map(line).collect()
    })
}

fn advice(summary: &Summary) -> Vec<String> {
    each(summary, |identity| {
        let line = |advice: &AdviceSummary| {
            let who = short(&display_name(identity), 60);
            format!("{who}: {} ({})", short(&advice.about, WIDTH), advice.code)
        };
        identity.advice.iter().map(line).collect()
    })
}

fn groups(summary: &Summary) -> Vec<String> {
    each(summary, |identity| {
        let line = |access: &super::summary::AccessSummary| {
            format!("{} -> {}", short(&identity.name, 80), short(&access.group, 80))
        };
        identity.access.iter().filter(|_| identity.grants > 0).map(line).collect()
    })
}

fn outside(summary: &Summary) -> Vec<String> {
    each(summary, |identity| {
        let by = identity.outside_rbac.join(", ");
        let line = format!("{}: {by}", short(&display_name(identity), 60));
        (!by.is_empty()).then_some(line).into_iter().collect()
    })
}

fn each(summary: &Summary, lines: impl Fn(&IdentitySummary) -> Vec<String>) -> Vec<String> {
    summary.identities.iter().flat_map(lines).collect()
}

fn proof(summary: &Summary, out: &mut impl Write) -> fmt::Result {
    let (needs, grants) = (&summary.needs, &summary.grants);
    write!(out, "\n{BOLD}Proved{RESET}: covers {} of {} needs", needs.covered, needs.total)?;
    write!(out, ", {} grants beyond them", grants.beyond_needs)?;
    if grants.widened > 0 {
        write!(out, ", {} wider than used", grants.widened)?;
    }
    if grants.assumed > 0 {
        write!(out, ", {} assumed", grants.assumed)?;
    }
    let denied = &summary.denied;
    write!(out, ", {} left out", count(denied.requests - denied.granted, "denied request"))?;
    if denied.granted > 0 {
        write!(out, ", {} granted", Thousands(denied.granted))?;
    }
    writeln!(out)
}

fn display_name(identity: &IdentitySummary) -> String {
    let kind = match identity.kind {
        "ServiceAccount" => "service account",
        "IAMRole" => "IAM role",
        "IAMUser" => "IAM user",
        _ => "user",
    };
    let name = match identity.kind {
        "IAMRole" | "IAMUser" => identity.name.rsplit('/').next().unwrap_or_default(),
        _ => &identity.name,
    };
    format!("{kind} {name}")
}

/// What is lost from a need on the way to a wider grant: its name where that is all,
/// else the need is to be shown whole.
fn dropped(grant: &Permission, need: &Permission) -> String {
    match (grant, need) {
        (
            Permission::Resource { namespace: everywhere, name: any, .. },
            Permission::Resource { namespace, name, .. },
        ) if everywhere == namespace && any.is_empty() && !name.is_empty() => name.clone(),
        _ => need.to_string(),
    }
}

impl Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::rbac::Atom::from(self).fmt(f)
    }
}

/// To the second and without a zone: UTC goes without saying in an audit log.
pub(super) fn second(moment: &str) -> String {
    moment.split('.').next().unwrap_or(moment).replace('T', " ")
}

pub(super) fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", Thousands(number))
}

/// A number, or a dash for none.
struct Dash(u64);

impl Display for Dash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.pad("-") } else { f.pad(&self.0.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(format!("{:>4}|{:>4}", Dash(0), Dash(12)), "   -|  12");
    }
}
