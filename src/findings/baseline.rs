//! Findings that were accepted in an earlier run.
//!
//! The JSON that `check --format json` prints comes in. What it holds is taken out of the
//! findings, item by item, so that one more unused verb is still news; and what it holds
//! and no longer occurs becomes a finding, so that it does not cover for the next one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thiserror::Error;

use super::{Code, Finding, Item, Key};

/// What is accepted: the items of each finding.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    accepted: BTreeMap<Key, BTreeSet<String>>,
}

/// Why a baseline cannot be used.
#[derive(Debug, Error)]
pub enum BaselineError {
    /// It is not the JSON of `check`.
    #[error("not a report of `check --format json`: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is of a later program.
    #[error("it has a finding of the unknown code `{0}`")]
    UnknownCode(String),
}

/// Findings, sorted out by a baseline.
#[derive(Debug, Default)]
pub struct Accepted {
    /// Those that are not accepted, and what became stale.
    pub open: Vec<Finding>,
    /// Those that are.
    pub accepted: Vec<Finding>,
}

#[derive(Deserialize)]
struct Report {
    findings: Vec<Entry>,
    #[serde(default)]
    accepted: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    code: String,
    #[serde(default)]
    object: Option<String>,
    #[serde(default)]
    about: String,
    #[serde(default)]
    items: Vec<EntryItem>,
}

#[derive(Deserialize)]
struct EntryItem {
    text: String,
}

impl Baseline {
    /// Reads the report of an earlier run: its findings, and those that it had accepted.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &[u8]) -> Result<Self, BaselineError> {
        let report: Report = serde_json::from_slice(text)?;
        let mut accepted: BTreeMap<Key, BTreeSet<String>> = BTreeMap::new();
        for entry in report.findings.into_iter().chain(report.accepted) {
            let Some(code) = Code::from_label(&entry.code) else {
                return Err(BaselineError::UnknownCode(entry.code));
            };
            // Staleness is told anew in every run.
            if code != Code::BaselineStale {
                let object = entry.object.unwrap_or_default();
                let items = accepted.entry(Key { code, object, about: entry.about }).or_default();
                items.extend(entry.items.into_iter().map(|item| item.text));
            }
        }
        Ok(Self { accepted })
    }

    /// Sorts out findings.
    pub fn apply(&self, findings: Vec<Finding>) -> Accepted {
        let mut sorted = Accepted::default();
        let mut left = self.accepted.clone();
        for finding in findings {
            let key = finding.key();
            let Some(known) = self.accepted.get(&key) else {
                sorted.open.push(finding);
                continue;
            };
            if let Some(left) = left.get_mut(&key) {
                finding.items.iter().for_each(|item| {
                    left.remove(&item.text);
                });
            }
            if known.is_empty() || finding.items.is_empty() {
                left.remove(&key);
            }
            let is_known = |item: &Item| known.contains(&item.text);
            let (old, new): (Vec<Item>, Vec<Item>) =
                finding.items.iter().cloned().partition(is_known);
            if new.is_empty() {
                sorted.accepted.push(finding);
                continue;
            }
            if !old.is_empty() {
                sorted.accepted.push(Finding { items: old, ..finding.clone() });
            }
            sorted.open.push(Finding { items: new, ..finding });
        }
        sorted.open.extend(left.into_iter().filter_map(|(key, items)| stale(&key, &items, self)));
        sorted
    }
}

/// The finding that an accepted one, or some of its items, no longer occurs.
fn stale(key: &Key, items: &BTreeSet<String>, baseline: &Baseline) -> Option<Finding> {
    let had_items = baseline.accepted.get(key).is_some_and(|items| !items.is_empty());
    if had_items && items.is_empty() {
        return None;
    }
    let place = [key.object.as_str(), key.about.as_str()];
    let place = place.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    let message = format!("the baseline accepts {} for {place}, which no longer occurs", key.code);
    let about = format!("{}: {place}", key.code);
    let items = items.iter().cloned().map(Item::from);
    Some(Finding::new(Code::BaselineStale, None, message).about(about).with(items))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(about: &str, items: &[&str]) -> Finding {
        let items = items.iter().map(|&item| Item::from(item.to_owned()));
        Finding::new(Code::UnusedVerb, None, "m").about(about).with(items)
    }

    fn baseline(text: &str) -> Baseline {
        Baseline::parse(text.as_bytes()).unwrap()
    }

    fn shown(findings: &[Finding]) -> Vec<String> {
        let texts = |finding: &Finding| -> Vec<String> {
            finding.items.iter().map(|item| item.text.clone()).collect()
        };
        findings.iter().map(|it| format!("{} {} {:?}", it.code, it.about, texts(it))).collect()
    }

    #[test]
    fn items_are_accepted_one_by_one() {
        let baseline = baseline(
            r#"{"findings": [
                {"code": "unused-verb", "about": "a", "items": [{"text": "x"}, {"text": "gone"}]},
                {"code": "unused-verb", "about": "b", "items": [{"text": "x"}]},
                {"code": "unused-binding", "about": "c"}
            ]}"#,
        );
        let sorted = baseline.apply(vec![
            finding("a", &["x", "new"]),
            finding("b", &["x"]),
            finding("d", &["x"]),
        ]);
        assert_eq!(shown(&sorted.accepted), ["unused-verb a [\"x\"]", "unused-verb b [\"x\"]"]);
        assert_eq!(
            shown(&sorted.open),
            [
                "unused-verb a [\"new\"]",
                "unused-verb d [\"x\"]",
                "baseline-stale unused-binding: c []",
                "baseline-stale unused-verb: a [\"gone\"]",
            ]
        );
    }

    #[test]
    fn what_is_no_report_is_refused() {
        assert!(Baseline::parse(b"[]").is_err());
        let unknown = br#"{"findings": [{"code": "no-such-code"}]}"#;
        assert!(Baseline::parse(unknown).unwrap_err().to_string().contains("no-such-code"));
    }
}
