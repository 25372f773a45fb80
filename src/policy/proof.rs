//! The proof: every need against the objects as printed, every grant against the needs.
//!
//! It works on objects read back from the output, with an evaluator that knows nothing
//! of how they were made.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::rbac::v1::Subject;
use thiserror::Error;

use super::subjects::requester;
use super::widen::exact;
use super::{IdentityPlan, Plan};
use crate::rbac::{Atom, Evaluator, Form, Grant, Invalid, Objects, Verdict, validate};

/// What was proved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Needs of all identities.
    pub needs: usize,
    /// Needs that the objects cover: all of them, or there is no proof.
    pub covered: usize,
    /// Atoms that the objects grant.
    pub grants: usize,
    /// Those that nothing calls for: none of them, or there is no proof.
    pub beyond: usize,
    /// Those wider than any need, by a named policy.
    pub widened: usize,
    /// Those granted on the user's word for a blind spot.
    pub assumed: usize,
}

/// Where output and needs do not agree: a bug, and nothing may be applied.
#[derive(Debug, Error)]
pub enum Mismatch {
    /// A need that the objects refuse.
    #[error("{identity} needs `{need}`, which the generated objects refuse")]
    Uncovered {
        /// Who.
        identity: String,
        /// What.
        need: Atom,
    },
    /// A grant that nothing calls for.
    #[error("{subject} is granted `{grant}`, which nothing in the log calls for")]
    Beyond {
        /// Who.
        subject: String,
        /// What.
        grant: Atom,
    },
    /// An object that the API server would refuse.
    #[error("the API server would refuse a generated object: {0}")]
    Invalid(#[from] Invalid),
}

/// Proves the plan against the objects.
///
/// # Errors
/// Every mismatch, in order.
pub fn prove(plan: &Plan, objects: &Objects) -> Result<Proof, Vec<Mismatch>> {
    let evaluator = Evaluator::new(objects);
    let mut proof = Proof::default();
    let mut mismatches: Vec<Mismatch> = objects
        .iter()
        .flat_map(|object| validate(object, Form::Stored))
        .map(Mismatch::from)
        .collect();
    for identity in &plan.identities {
        cover(identity, &evaluator, &mut proof, &mut mismatches);
    }
    bound(plan, &evaluator, &mut proof, &mut mismatches);
    if mismatches.is_empty() { Ok(proof) } else { Err(mismatches) }
}

/// Every need of the identity must be allowed.
fn cover(
    plan: &IdentityPlan,
    evaluator: &Evaluator<'_>,
    proof: &mut Proof,
    mismatches: &mut Vec<Mismatch>,
) {
    let requester = requester(&plan.identity, &plan.subject);
    for need in plan.needs.keys().chain(plan.assumed()) {
        proof.needs += usize::from(plan.needs.contains_key(need));
        match evaluator.authorize(&requester, need) {
            Verdict::Allowed(_) => proof.covered += usize::from(plan.needs.contains_key(need)),
            Verdict::Denied(_) => mismatches.push(Mismatch::Uncovered {
                identity: plan.identity.to_string(),
                need: need.clone(),
            }),
        }
    }
}

/// Every grant must be a need, a listed widening or an assumption of its subject.
fn bound(
    plan: &Plan,
    evaluator: &Evaluator<'_>,
    proof: &mut Proof,
    mismatches: &mut Vec<Mismatch>,
) {
    let mut plans: BTreeMap<String, Vec<&IdentityPlan>> = BTreeMap::new();
    for identity in &plan.identities {
        plans.entry(key(&identity.subject)).or_default().push(identity);
    }
    let mut granted: BTreeMap<String, Vec<Grant<'_>>> = BTreeMap::new();
    for grant in evaluator.grants() {
        for subject in grant.binding.subjects {
            granted.entry(key(subject)).or_default().push(grant);
        }
    }
    for (subject, grants) in granted {
        let expected = expected(plans.get(&subject).map_or(&[], Vec::as_slice));
        let atoms: BTreeSet<Atom> = grants.iter().flat_map(Grant::atoms).collect();
        proof.grants += atoms.len();
        for grant in atoms {
            match expected.get(&grant) {
                Some(Place::Need) => {}
                Some(Place::Assumption) => proof.assumed += 1,
                Some(Place::Widening) => proof.widened += 1,
                None => mismatches.push(Mismatch::Beyond { subject: subject.clone(), grant }),
            }
        }
    }
}

/// Why a subject may be granted an atom; the first that applies.
#[derive(Clone, Copy)]
enum Place {
    Need,
    Assumption,
    Widening,
}

/// All that may be granted to the one subject of these identities.
fn expected<'p>(identities: &[&'p IdentityPlan]) -> BTreeMap<Cow<'p, Atom>, Place> {
    let mut expected = BTreeMap::new();
    for identity in identities {
        let needs = identity.needs.keys().map(|need| (exact(need), Place::Need));
        let assumed = identity.assumed().map(|atom| (exact(atom), Place::Assumption));
        let widened = identity.widenings().map(|(atom, _)| (Cow::Borrowed(atom), Place::Widening));
        for (atom, place) in needs.chain(assumed).chain(widened) {
            expected.entry(atom).or_insert(place);
        }
    }
    expected
}

fn key(subject: &Subject) -> String {
    let namespace = subject.namespace.as_deref().unwrap_or_default();
    format!("{} {}/{}", subject.kind, namespace, subject.name)
}
