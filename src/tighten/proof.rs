//! The proof: the objects as printed against those that were given. What was covered still
//! is, nobody has more, and whom the log cannot judge has what it had.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::PolicyRule;
use thiserror::Error;

use crate::policy::is_namespace_itself;
use crate::rbac::{
    Atom, Binding, Evaluator, Form, Grant, Invalid, ObjectId, Objects, ResourceAtom, atoms,
    rule_covers, validate,
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

/// What each subject held, by the subject.
type Held<'a> = BTreeMap<String, Vec<(&'a str, &'a PolicyRule)>>;

/// Nobody may hold more than before.
fn bound(
    review: &Review<'_>,
    evaluator: &Evaluator<'_>,
    proof: &mut Proof,
    mismatches: &mut Vec<Mismatch>,
) {
    let mut held = Held::new();
    for grant in review.grants() {
        for subject in subjects(&grant.binding) {
            held.entry(subject).or_default().push((grant.namespace(), grant.rule));
        }
    }
    for grant in evaluator.grants() {
        for subject in subjects(&grant.binding) {
            proof.rules += 1;
            let before = held.get(&subject).map_or(&[][..], Vec::as_slice);
            let added = added(&grant, before).into_iter();
            mismatches
                .extend(added.map(|grant| Mismatch::Added { subject: subject.clone(), grant }));
        }
    }
}

/// The permissions of a grant that none of these rules gives.
fn added(grant: &Grant<'_>, before: &[(&str, &PolicyRule)]) -> Vec<Atom> {
    let scope = grant.namespace();
    let in_scope = || before.iter().filter(|(held, _)| held.is_empty() || *held == scope);
    if in_scope().any(|(_, rule)| *rule == grant.rule) {
        return Vec::new();
    }
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
    let mut after: BTreeMap<&ObjectId, Vec<Grant<'_>>> = BTreeMap::new();
    for grant in evaluator.grants() {
        after.entry(grant.binding.id).or_default().push(grant);
    }
    for holding in review.holdings.iter().filter(|holding| holding.doubt.is_some()) {
        let left = after.get(holding.binding.id).map_or(&[][..], Vec::as_slice);
        let is_bound = |grant: &Grant<'_>| {
            grant.binding.subjects.iter().any(|subject| subject == holding.subject)
        };
        let is_left = |before: &Grant<'_>| {
            left.iter().any(|grant| grant.rule == before.rule && is_bound(grant))
        };
        if !review.grants_of(holding.binding.id).iter().all(is_left) {
            let binding = holding.binding.id.clone();
            mismatches.push(Mismatch::Lost { subject: holding.who(), binding });
        }
    }
}

/// The subjects of a binding, each by what identifies it.
fn subjects(binding: &Binding<'_>) -> Vec<String> {
    let key = |subject| match binding.username(subject) {
        Some(username) => format!("user {username}"),
        None => format!("{} {}", subject.kind, subject.name),
    };
    binding.subjects.iter().map(key).collect()
}
