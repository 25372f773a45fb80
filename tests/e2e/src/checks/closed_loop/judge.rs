//! Compares the two runs, request by request.

use std::collections::BTreeMap;

use leastrole::audit::{Event, request};
use serde_json::Value;

use super::actor::{Answer, Answers};
use crate::checks::Outcome;
use crate::checks::generated::{Generated, items};

/// The advice of the first run that has not been used up: by username, request and code.
pub(super) struct Advice(BTreeMap<(String, String), Vec<(String, u64)>>);

impl Advice {
    pub(super) fn of(generated: &Generated) -> Self {
        let mut advice: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for identity in generated.identities() {
            for item in items(&identity["advice"]) {
                let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
                for username in items(&identity["usernames"]).filter_map(Value::as_str) {
                    let known = advice.entry((username.to_owned(), text("about"))).or_default();
                    known.push((text("code"), item["requests"].as_u64().unwrap_or_default()));
                }
            }
        }
        Self(advice)
    }

    /// Takes one piece of advice on the request that this event logs.
    fn take(&mut self, line: &str) -> Option<String> {
        let event = Event::parse(line).ok()?;
        let about = request(&event).ok()?.to_string();
        let user = event.impersonated_user.as_ref().unwrap_or(&event.user);
        let advice = self.0.get_mut(&(user.username.to_string(), about))?;
        let (code, left) = advice.iter_mut().find(|(code, left)| *left > 0 && is_unseen(code))?;
        *left -= 1;
        Some(code.clone())
    }
}

/// Whether the advice is about what the log could not show, or was too broad to grant.
fn is_unseen(code: &str) -> bool {
    matches!(
        code,
        "hold-or-escalate"
            | "bind-role"
            | "approve-signer"
            | "sign-signer"
            | "attest-signer"
            | "param-kind"
            | "param-ref"
            | "claim-status"
    )
}

/// `log` is that of the second run.
pub(super) fn compare(
    first: &Answers,
    second: &Answers,
    log: &[String],
    mut advice: Advice,
    outcome: &mut Outcome,
) {
    for (label, before) in first {
        let Some(after) = second.get(label) else {
            outcome.disagree(format!("{label}: {} was not sent again", before.request));
            continue;
        };
        match (before.is_refused(), after.is_refused()) {
            (false, false) => outcome.add("requests allowed in both runs", 1),
            (true, true) => outcome.add("requests refused in both runs", 1),
            (true, false) => outcome.disagree(format!("newly allowed: {}", shown(label, after))),
            (false, true) => match logged(log, label).and_then(|line| advice.take(line)) {
                Some(code) => outcome.add(&format!("newly refused as advised ({code})"), 1),
                None => outcome.disagree(format!("newly refused: {}", shown(label, after))),
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
