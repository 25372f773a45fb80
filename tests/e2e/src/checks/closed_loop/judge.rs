//! Compares the two runs, request by request.

use super::actor::{Answer, Answers};
use crate::checks::Outcome;
use crate::checks::advice::Advice;
use crate::checks::outcome::{NEWLY_ALLOWED, NEWLY_REFUSED};

/// `log` is that of the second run.
pub(super) fn compare(
    first: &Answers,
    second: &Answers,
    log: &[String],
    mut advice: Advice,
    outcome: &mut Outcome,
) {
    outcome.add(NEWLY_REFUSED, 0);
    outcome.add(NEWLY_ALLOWED, 0);
    for (label, before) in first {
        let Some(after) = second.get(label) else {
            outcome.disagree(format!("{label}: {} was not sent again", before.request));
            continue;
        };
        match (before.is_refused(), after.is_refused()) {
            (false, false) => outcome.add("requests allowed in both runs", 1),
            (true, true) => outcome.add("requests refused in both runs", 1),
            (true, false) => outcome.disagree_in(NEWLY_ALLOWED, &shown(label, after)),
            (false, true) => match logged(log, label).and_then(|line| advice.take(line)) {
                Some(code) => outcome.add(&format!("newly refused as advised ({code})"), 1),
                None => outcome.disagree_in(NEWLY_REFUSED, &shown(label, after)),
            },
        }
        if before.status != after.status && before.is_refused() == after.is_refused() {
            outcome.add("of them answered otherwise, as other state was met", 1);
        }
    }
}

fn shown(label: &str, answer: &Answer) -> String {
    format!("{label}: {}: {} {}", answer.request, answer.status, answer.message)
}

/// The last event of the request with this label.
fn logged<'a>(log: &'a [String], label: &str) -> Option<&'a str> {
    let mark = format!(r#""auditID":"{label}""#);
    log.iter().rev().find(|line| line.contains(&mark)).map(String::as_str)
}
