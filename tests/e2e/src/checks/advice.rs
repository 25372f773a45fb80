//! The advice that `generate` gave: what it knew that it could not grant.

use std::collections::BTreeMap;

use leastrole::audit::{Event, request};
use serde_json::Value;

use super::generated::{Generated, items};

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
    pub(super) fn take(&mut self, line: &str) -> Option<String> {
        let event = Event::parse(line).ok()?;
        let about = request(&event).ok()?.to_string();
        let user = event.impersonated_user.as_ref().unwrap_or(&event.user);
        // A policy that is not in the log has only its name to be told by.
        let of_binding = about.contains("policybindings");
        let fits = |known: &str| known == about || (of_binding && known.starts_with("binding of "));
        let of_user =
            self.0.iter_mut().filter(|((name, known), _)| *name == *user.username && fits(known));
        let mut open = of_user.flat_map(|(_, advice)| advice);
        let (code, left) = open.find(|(code, left)| *left > 0 && is_unseen(code))?;
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
            | "owner-references"
    )
}
