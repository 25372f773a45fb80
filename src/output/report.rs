//! The report of `check`, as data. The table, the JSON, SARIF and Markdown are all made
//! from it; its keys are stable and documented in `docs/findings.md`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::rbac::v1::PolicyRule;
use serde::Serialize;

use super::read_summary::ReadSummary;
use super::summary::{EvidenceSummary, Permission};
use crate::findings::{Accepted, Finding, Item, Severity, is_concerned};
use crate::policy::Plan;
use crate::rbac::manifests::Loaded;
use crate::rbac::rule_text;
use crate::review::Review;

/// How the report of `check` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    /// For people.
    #[default]
    Table,
    /// For programs, and for --baseline.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// GitHub-flavoured Markdown, for a job summary.
    Markdown,
}

/// All that one run of `check` found.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// The version of this layout.
    pub schema: u32,
    /// The version of the program.
    pub leastrole: &'static str,
    /// What was read, and what of.
    #[serde(flatten)]
    pub read: ReadSummary,
    /// Needs over all identities.
    pub needs: Coverage,
    /// The given objects.
    pub manifests: ManifestSummary,
    /// Subjects whose use the log cannot judge.
    pub not_judged: Vec<NotJudged>,
    /// Groups that IAM identities are taken to be in.
    pub assumed_groups: Vec<AssumedGroup>,
    /// What the audit policy never logs, in words.
    pub unlogged: Vec<String>,
    /// How many findings there are.
    pub counts: Counts,
    /// What was found, the worst first.
    pub findings: Vec<FindingSummary>,
    /// What the baseline accepts.
    pub accepted: Vec<FindingSummary>,
}

/// Needs and whether they are covered.
#[derive(Debug, Serialize)]
pub struct Coverage {
    /// All.
    pub total: usize,
    /// Those that the manifests grant, or that every caller holds.
    pub covered: usize,
    /// Those of identities that the manifests are not meant to cover; not among the others.
    pub elsewhere: usize,
}

/// What the manifests hold.
#[derive(Debug, Serialize)]
pub struct ManifestSummary {
    /// RBAC objects.
    pub objects: usize,
    /// Objects of other kinds, by kind as in `Deployment.apps`.
    pub skipped: BTreeMap<String, usize>,
}

/// A subject whose use the log cannot judge.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NotJudged {
    /// Who.
    pub subject: String,
    /// Why.
    pub why: &'static str,
}

/// A group that an IAM identity is taken to be in.
#[derive(Debug, Serialize)]
pub struct AssumedGroup {
    /// Who.
    pub identity: String,
    /// The group.
    pub group: String,
}

/// Findings by severity, those that are not accepted.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counts {
    /// See `docs/findings.md`.
    pub error: usize,
    /// See `docs/findings.md`.
    pub warning: usize,
    /// See `docs/findings.md`.
    pub note: usize,
    /// What the baseline accepts.
    pub accepted: usize,
}

/// One finding.
#[derive(Debug, Serialize)]
pub struct FindingSummary {
    /// The stable code.
    pub code: &'static str,
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// The object, as `Role "name" in namespace "ns"`.
    pub object: Option<String>,
    /// Where it stands.
    pub place: Option<PlaceSummary>,
    /// Who or which part of the object it is about.
    pub about: String,
    /// The finding in a sentence, without its items.
    pub message: String,
    /// The finding in a sentence, with the first few items.
    pub sentence: String,
    /// What exactly.
    pub items: Vec<ItemSummary>,
    /// What was used of it.
    pub used: Vec<Permission>,
    /// What else there is to know.
    pub details: Vec<String>,
    /// The rules that would settle it.
    pub fix: Option<Fix>,
}

/// Where an object stands.
#[derive(Debug, Serialize)]
pub struct PlaceSummary {
    /// The file as it was named, or `-`.
    pub file: String,
    /// The line on which its document starts, from 1.
    pub line: usize,
    /// Its place in the document's list, from 1.
    pub item: Option<usize>,
}

/// One part of a finding.
#[derive(Debug, Serialize)]
pub struct ItemSummary {
    /// What it says.
    pub text: String,
    /// What the log says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceSummary>,
}

/// Rules to add.
#[derive(Debug, Serialize)]
pub struct Fix {
    /// The namespace of the role to add them to; empty for a `ClusterRole`.
    pub namespace: String,
    /// The rules.
    pub rules: Vec<PolicyRule>,
    /// The same in words.
    pub words: Vec<String>,
}

impl CheckReport {
    /// Puts a run's results together.
    pub fn new(
        read: ReadSummary,
        plan: &Plan,
        review: &Review<'_>,
        loaded: &Loaded,
        sorted: &Accepted,
    ) -> Self {
        Self {
            schema: 1,
            leastrole: env!("CARGO_PKG_VERSION"),
            read,
            needs: coverage(review, loaded),
            manifests: ManifestSummary {
                objects: loaded.objects.len(),
                skipped: loaded.skipped.clone(),
            },
            not_judged: not_judged(review),
            assumed_groups: assumed_groups(review),
            unlogged: plan.hidden.clone(),
            counts: counts(sorted),
            findings: summaries(&sorted.open),
            accepted: summaries(&sorted.accepted),
        }
    }
}

fn coverage(review: &Review<'_>, loaded: &Loaded) -> Coverage {
    let mut coverage = Coverage { total: 0, covered: 0, elsewhere: 0 };
    for (index, party) in review.parties.all().iter().enumerate() {
        if !is_concerned(review, loaded, index) {
            coverage.elsewhere += party.needs.len();
            continue;
        }
        coverage.total += party.needs.len();
        coverage.covered += party.needs.iter().filter(|need| review.covers(party, need)).count();
    }
    coverage
}

/// The subjects that cannot be judged, each once.
pub(super) fn not_judged(review: &Review<'_>) -> Vec<NotJudged> {
    let holdings = review.holdings.iter().filter(|holding| !holding.is_default);
    let doubtful = holdings.filter_map(|holding| {
        let why = holding.doubt?.why();
        Some(NotJudged { subject: holding.who(), why })
    });
    doubtful.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Groups that make a difference: some binding names them.
pub(super) fn assumed_groups(review: &Review<'_>) -> Vec<AssumedGroup> {
    let is_bound = |group: &str| {
        let mut subjects = review.holdings.iter().map(|holding| holding.subject);
        subjects.any(|subject| subject.kind == "Group" && subject.name == group)
    };
    let assumed = review.parties.all().iter().filter_map(|party| {
        let group = party.assumed_group.filter(|group| is_bound(group))?;
        let identity = party.plan.identity.to_string();
        Some(AssumedGroup { identity, group: group.to_owned() })
    });
    assumed.collect()
}

fn counts(sorted: &Accepted) -> Counts {
    let of =
        |severity| sorted.open.iter().filter(|finding| finding.code.severity() == severity).count();
    Counts {
        error: of(Severity::Error),
        warning: of(Severity::Warning),
        note: of(Severity::Note),
        accepted: sorted.accepted.len(),
    }
}

/// The worst first, and otherwise as they come.
fn summaries(findings: &[Finding]) -> Vec<FindingSummary> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.code.severity()));
    sorted.into_iter().map(summary).collect()
}

fn summary(finding: &Finding) -> FindingSummary {
    FindingSummary {
        code: finding.code.label(),
        severity: finding.code.severity().label(),
        object: finding.object.as_ref().map(ToString::to_string),
        place: finding.place.as_ref().map(|place| PlaceSummary {
            file: place.source.to_string(),
            line: place.line,
            item: place.item,
        }),
        about: finding.about.clone(),
        message: finding.message.clone(),
        sentence: finding.sentence(),
        items: finding.items.iter().map(item).collect(),
        used: finding.used.iter().map(Permission::of).collect(),
        details: finding.details.clone(),
        fix: finding.fix.as_ref().map(|(namespace, rules)| Fix {
            namespace: namespace.clone(),
            rules: rules.clone(),
            words: rules.iter().map(rule_text).collect(),
        }),
    }
}

fn item(item: &Item) -> ItemSummary {
    let evidence = item.atom.as_ref().zip(item.evidence.as_ref());
    ItemSummary { text: item.text.clone(), evidence: evidence.map(EvidenceSummary::new) }
}
