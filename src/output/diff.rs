//! What changes, as a unified diff of manifests.

use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

use super::escape::visible;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;
const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const CYAN: &str = "\u{1b}[36m";
const RESET: &str = "\u{1b}[0m";

/// The change from `before` to `after`, with ANSI colours; empty where there is none.
/// Lines are shown as they are but for characters that would act on a terminal.
pub fn unified_diff(before: &str, after: &str) -> String {
    let mut text = String::new();
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    unified.context_radius(CONTEXT);
    for (index, hunk) in unified.iter_hunks().enumerate() {
        if index == 0 {
            text.push_str("--- given\n+++ tightened\n");
        }
        // Writing to a string does not fail.
        let _ = writeln!(text, "{CYAN}{}{RESET}", hunk.header());
        for change in hunk.iter_changes() {
            let line = visible(change.value().trim_end_matches('\n'));
            let _ = match change.tag() {
                ChangeTag::Delete => writeln!(text, "{RED}-{line}{RESET}"),
                ChangeTag::Insert => writeln!(text, "{GREEN}+{line}{RESET}"),
                ChangeTag::Equal => writeln!(text, " {line}"),
            };
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_go_and_come_are_marked_and_the_rest_is_left_out() {
        let lines: Vec<String> = (1..=20).map(|line| line.to_string()).collect();
        let before = lines.join("\n") + "\n";
        let after = before.replace("10\n", "ten\n");
        let diff = unified_diff(&before, &after);
        assert!(diff.starts_with("--- given\n+++ tightened\n"), "{diff}");
        assert!(diff.contains("\u{1b}[31m-10\u{1b}[0m\n\u{1b}[32m+ten\u{1b}[0m\n"), "{diff}");
        assert_eq!(diff.lines().count(), 3 + 8, "{diff}");
        assert_eq!(unified_diff(&before, &before), "");
    }
}
