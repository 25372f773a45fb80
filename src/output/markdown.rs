//! The report of `check` in GitHub-flavoured Markdown, for a job summary or a comment.
//!
//! What comes from logs and manifests is written so that it is text whatever it holds: no
//! markup, no HTML, no mention of anybody.

use std::fmt::{self, Write};

use super::escape::visible;
use super::findings_text::{counted, evidence, fix_title, observed, place, rules_yaml};
use super::report::{CheckReport, FindingSummary};

/// Findings that are shown; GitHub cuts a job summary at a mebibyte.
const SHOWN: usize = 200;
/// Lines of one finding.
const LISTED: usize = 50;

/// The report as Markdown.
pub fn markdown(report: &CheckReport) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_report(report, &mut text);
    text
}

fn write_report(report: &CheckReport, out: &mut String) -> fmt::Result {
    writeln!(out, "## RBAC check\n")?;
    writeln!(out, "**{}**\n", escaped(&counted(report)))?;
    writeln!(out, "{}.", escaped(&observed(report)))?;
    if report.findings.is_empty() {
        return writeln!(out, "\nNothing to report.");
    }
    writeln!(out, "\n| severity | code | where | finding |\n| --- | --- | --- | --- |")?;
    for finding in report.findings.iter().take(SHOWN) {
        writeln!(
            out,
            "| {} | `{}` | {} | {} |",
            finding.severity,
            finding.code,
            escaped(&place(finding)),
            escaped(&finding.sentence)
        )?;
    }
    let more = report.findings.len().saturating_sub(SHOWN);
    if more > 0 {
        writeln!(out, "\nAnd {more} more: see the JSON report.")?;
    }
    for finding in report.findings.iter().take(SHOWN) {
        details(finding, out)?;
    }
    Ok(())
}

/// What does not fit into the table, folded away.
fn details(finding: &FindingSummary, out: &mut String) -> fmt::Result {
    let mut lines = Vec::new();
    for item in finding.items.iter().filter(|item| item.evidence.is_some()) {
        let evidence = item.evidence.as_ref().map(evidence).unwrap_or_default();
        lines.push(format!("{}: {evidence}", item.text));
    }
    lines.extend(finding.used.iter().map(|used| format!("used: {used}")));
    lines.extend(finding.details.iter().cloned());
    if lines.is_empty() && finding.fix.is_none() {
        return Ok(());
    }
    let title = html(&finding.message);
    writeln!(out, "\n<details><summary><code>{}</code>: {title}</summary>\n", finding.code)?;
    for line in lines.iter().take(LISTED) {
        writeln!(out, "- {}", escaped(line))?;
    }
    let more = lines.len().saturating_sub(LISTED);
    if more > 0 {
        writeln!(out, "- and {more} more: see the JSON report")?;
    }
    if let Some((fix, yaml)) = finding.fix.as_ref().and_then(|fix| Some((fix, rules_yaml(fix)?))) {
        let fence = fence(&yaml);
        writeln!(out, "\n{}:\n\n{fence}yaml\n{yaml}{fence}", escaped(&fix_title(fix)))?;
    }
    writeln!(out, "\n</details>")
}

/// Longer than any run of backticks in the text.
fn fence(text: &str) -> String {
    let runs = text.split(|character| character != '`').map(str::len);
    "`".repeat(runs.max().unwrap_or_default().max(2) + 1)
}

/// The text on one line, with nothing in it that Markdown, HTML or GitHub would act on.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let visible = visible(text);
    let mut characters = visible.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // Not followed by a word, these mention nobody and link to nothing.
            '@' | '#' => {
                escaped.push(character);
                escaped.push_str("<!-- -->");
            }
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '+' | '!' | '|' | '~' => {
                escaped.push('\\');
                escaped.push(character);
            }
            // Bare links are links.
            ':' if characters.peek() == Some(&'/') => escaped.push_str("&#58;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The text inside of an HTML element, where Markdown is not read.
fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in visible(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '@' => escaped.push_str("@<!-- -->"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_acted_on() {
        assert_eq!(escaped("a|b"), "a\\|b");
        assert_eq!(escaped("<img src=x>&amp;"), "&lt;img src=x&gt;&amp;amp;");
        assert_eq!(escaped("@org/team #12"), "@<!-- -->org/team #<!-- -->12");
        assert_eq!(escaped("[x](y) `z` **b**"), "\\[x\\]\\(y\\) \\`z\\` \\*\\*b\\*\\*");
        assert_eq!(escaped("https://x"), "https&#58;//x");
        assert_eq!(escaped("a\nb"), "a\\\\u\\{a\\}b");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fence("plain"), "```");
        assert_eq!(fence("a ```` b"), "`````");
    }
}
