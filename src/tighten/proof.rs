//! The proof: the objects as printed against those that were given. What was covered still
//! is, nobody has more, and whom the log cannot judge has what it had.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashSet;
use k8s_openapi::api::rbac::v1::{PolicyRule, Subject};
use thiserror::Error;

use crate::policy::is_namespace_itself;
use crate::rbac::{
    Atom, Binding, Evaluator, Form, Grant, Invalid, Lists, ObjectId, Objects, ResourceAtom, atoms,
    lists, rule_covers, validate,
};
use crate::review::{Review, is_allowed};

/// What was proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Needs that the given objects cover.
    pub covered: usize,
    /// Needs that they do not cover, and that are no business of tightening.
    pub uncovered: usize,
    /// Rules that were compared with what their subjects held.
    pub rules: usize,
}

/// Where the outcome is not what it must be: a bug, and nothing may be applied.
#[derive(Debug, Error)]
pub enum Mismatch {
    /// A need that is no longer covered.
    #[error(
        "{identity} needs `{need}`, which the given objects grant and the tightened ones do not"
    )]
    Uncovered {
        /// Who.
        identity: String,
        /// What.
        need: Atom,
    },
    /// A permission that was not there.
    #[error("{subject} would be granted `{grant}`, which the given objects do not grant")]
    Added {
        /// Who.
        subject: String,
        /// What.
        grant: Atom,
    },
    /// A subject that the log cannot judge lost something.
    #[error("{subject} would lose a rule of {binding}, and the log cannot judge it")]
    Lost {
        /// Who.
        subject: String,
        /// By which binding.
        binding: ObjectId,
    },
    /// An object that the API server would refuse, and did not before.
    #[error("the API server would refuse a tightened object: {0}")]
    Invalid(#[from] Invalid),
}

/// Proves `after`, without built-in roles, against the review of what was given. Both
/// evaluators know the built-in roles.
///
/// # Errors
/// Every mismatch, in order.
pub fn prove(
    review: &Review<'_>,
    given: &Objects,
    after: &Objects,
    evaluator: &Evaluator<'_>,
) -> Result<Proof, Vec<Mismatch>> {
    let mut proof = Proof::default();
    let mut mismatches = Vec::new();
    validity(given, after, &mut mismatches);
    coverage(review, evaluator, &mut proof, &mut mismatches);
    bound(review, evaluator, &mut proof, &mut mismatches);
    unjudged(review, evaluator, &mut mismatches);
    if mismatches.is_empty() { Ok(proof) } else { Err(mismatches) }
}

fn validity(given: &Objects, after: &Objects, mismatches: &mut Vec<Mismatch>) {
    for object in after.iter() {
        let before = given.find(&object.id()).map(|(_, it)| validate(it, Form::Submitted));
        let before = before.unwrap_or_default();
        let now = validate(object, Form::Submitted).into_iter();
        // The place of a rule may have changed.
        let is_new = |it: &Invalid| !before.iter().any(|old| old.fault == it.fault);
        mismatches.extend(now.filter(is_new).map(Mismatch::from));
    }
}

fn coverage(
    review: &Review<'_>,
    evaluator: &Evaluator<'_>,
    proof: &mut Proof,
    mismatches: &mut Vec<Mismatch>,
) {
    for party in review.parties.all() {
        // What every caller holds anyway needs nothing here, and is not copied out of a wildcard.
        for need in party.needs.iter().filter(|need| !need.by_default) {
            if !is_allowed(review.evaluator(), party, need.atom) {
                proof.uncovered += 1;
            } else if is_allowed(evaluator, party, need.atom) {
                proof.covered += 1;
            } else {
                mismatches.push(Mismatch::Uncovered {
                    identity: party.plan.identity.to_string(),
                    need: need.atom.clone(),
                });
            }
        }
    }
}

/// Rules that somebody holds, each once for a namespace, or for the whole cluster.
#[derive(Default)]
struct Held<'a> {
    rules: Vec<(&'a str, &'a PolicyRule)>,
    known: HashSet<(&'a str, Lists<'a>)>,
}

impl<'a> Held<'a> {
    fn new(grants: impl Iterator<Item = &'a Grant<'a>>) -> Self {
        let mut held = Self::default();
        for grant in grants {
            let scope = grant.binding.id.namespace.as_str();
            if held.known.insert((scope, lists(grant.rule))) {
                held.rules.push((scope, grant.rule));
            }
        }
        held
    }

    fn has(&self, scope: &str, rule: &PolicyRule) -> bool {
        ["", scope].into_iter().any(|scope| self.known.contains(&(scope, lists(rule))))
    }
}

/// Nobody may hold more than before. Those who had the same bindings held the same.
fn bound(
    review: &Review<'_>,
    evaluator: &Evaluator<'_>,
    proof: &mut Proof,
    mismatches: &mut Vec<Mismatch>,
) {
    let mut bindings: BTreeMap<String, BTreeSet<&ObjectId>> = BTreeMap::new();
    for holding in &review.holdings {
        let subject = subject(&holding.binding, holding.subject);
        bindings.entry(subject).or_default().insert(holding.binding.id);
    }
    let none = BTreeSet::new();
    let mut known: BTreeMap<&BTreeSet<&ObjectId>, Held<'_>> = BTreeMap::new();
    for grants in by_binding(evaluator).values() {
        let Some(first) = grants.first() else { continue };
        let mut alike: BTreeMap<&BTreeSet<&ObjectId>, Vec<String>> = BTreeMap::new();
        for it in first.binding.subjects {
            let subject = subject(&first.binding, it);
            let before = bindings.get(&subject).unwrap_or(&none);
            alike.entry(before).or_default().push(subject);
        }
        for (before, subjects) in alike {
            proof.rules += grants.len() * subjects.len();
            let held = known.entry(before).or_insert_with(|| {
                Held::new(before.iter().flat_map(|binding| review.grants_of(binding)))
            });
            for grant in grants.iter().flat_map(|grant| added(grant, held)) {
                let of_all = subjects.iter().cloned();
                mismatches.extend(
                    of_all.map(|subject| Mismatch::Added { subject, grant: grant.clone() }),
                );
            }
        }
    }
}

fn by_binding<'a>(evaluator: &'a Evaluator<'_>) -> BTreeMap<&'a ObjectId, Vec<Grant<'a>>> {
    let mut grants: BTreeMap<&ObjectId, Vec<Grant<'_>>> = BTreeMap::new();
    for grant in evaluator.grants() {
        grants.entry(grant.binding.id).or_default().push(grant);
    }
    grants
}

/// The permissions of a grant that none of these rules gives.
fn added(grant: &Grant<'_>, before: &Held<'_>) -> Vec<Atom> {
    let scope = grant.namespace();
    if before.has(scope, grant.rule) {
        return Vec::new();
    }
    let in_scope = || before.rules.iter().filter(|(held, _)| held.is_empty() || *held == scope);
    let is_given = |atom: &Atom| in_scope().any(|(_, rule)| rule_covers(rule, atom));
    let is_given_by_name =
        |atom: &Atom| is_given(atom) || by_name(atom).is_some_and(|it| is_given(&it));
    atoms(grant.rule, scope).filter(|atom| !is_given_by_name(atom)).collect()
}

/// In namespace x, every namespace is the one called x.
fn by_name(atom: &Atom) -> Option<Atom> {
    let Atom::Resource(atom) = atom else { return None };
    let named = ResourceAtom { name: atom.namespace.clone(), ..atom.clone() };
    (atom.name.is_empty() && is_namespace_itself(&named)).then(|| named.into())
}

/// Whoever the log cannot judge must have what it had.
fn unjudged(review: &Review<'_>, evaluator: &Evaluator<'_>, mismatches: &mut Vec<Mismatch>) {
    let after = by_binding(evaluator);
    let mut known: BTreeMap<&ObjectId, (bool, HashSet<Identified<'_>>)> = BTreeMap::new();
    for holding in review.holdings.iter().filter(|holding| holding.doubt.is_some()) {
        let id = holding.binding.id;
        let (keeps_rules, subjects) = known.entry(id).or_insert_with(|| {
            let left = after.get(id).map_or(&[][..], Vec::as_slice);
            let rules: HashSet<Lists<'_>> = left.iter().map(|grant| lists(grant.rule)).collect();
            let mut before = review.grants_of(id).iter();
            let subjects = left.first().map_or(&[][..], |grant| grant.binding.subjects);
            let keeps_rules = before.all(|grant| rules.contains(&lists(grant.rule)));
            (keeps_rules, subjects.iter().map(identified).collect())
        });
        let is_left = *keeps_rules && subjects.contains(&identified(holding.subject));
        if !is_left && !review.grants_of(id).is_empty() {
            mismatches.push(Mismatch::Lost { subject: holding.who(), binding: id.clone() });
        }
    }
}

/// All fields of a subject.
type Identified<'a> = (&'a str, &'a str, Option<&'a str>, Option<&'a str>);

fn identified(subject: &Subject) -> Identified<'_> {
    let Subject { api_group, kind, name, namespace } = subject;
    (kind, name, namespace.as_deref(), api_group.as_deref())
}

/// What identifies a subject of a binding.
fn subject(binding: &Binding<'_>, subject: &Subject) -> String {
    match binding.username(subject) {
        Some(username) => format!("user {username}"),
        None => format!("{} {}", subject.kind, subject.name),
    }
}
