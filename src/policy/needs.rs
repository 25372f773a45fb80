//! Which needs of an identity are to be granted: all but what every caller holds,
//! what its cluster's version does not check, and what the user left out.

use std::collections::BTreeMap;

use super::Options;
use crate::audit::{Advice, AdviceCode, Basis, ParamKind, ParamRef};
use crate::rbac::{Atom, Requester, ResourceAtom, held_by_default};
use crate::usage::{Evidence, Facts, Identity, IdentityUsage, Usage, Version};

/// The needs of one identity, sorted out.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// To be granted.
    pub(super) needs: BTreeMap<Atom, Evidence>,
    /// Refused; granted too where the user asks for it.
    pub(super) denied: BTreeMap<Atom, Evidence>,
    /// For a person to decide on.
    pub(super) advice: BTreeMap<Advice, Evidence>,
    /// Held by every caller.
    pub(super) defaults: usize,
    /// Left out by the user's choice of namespaces or of what succeeded.
    pub(super) left_out: usize,
}

/// Sorts out one identity's needs.
pub(super) fn sort(
    identity: &Identity,
    used: &IdentityUsage,
    usage: &Usage,
    version: Version,
    options: &Options,
) -> Sorted {
    let mut sorted = Sorted {
        denied: used.denied.iter().map(|(atom, it)| (atom.clone(), it.clone())).collect(),
        advice: used.advice.iter().map(|(advice, it)| (advice.clone(), it.clone())).collect(),
        ..Sorted::default()
    };
    let parameters = parameters(used, usage, &mut sorted.advice);
    let holder = holder(identity, &used.facts);
    let proved = used.needs.iter().map(|(atom, evidence)| (atom.clone(), evidence.clone()));
    for (atom, evidence) in proved.chain(parameters) {
        if !evidence.bases.iter().any(|basis| basis.since_minor() <= version.minor) {
            continue;
        }
        let by_default = evidence.by_default || held_by_default(&holder, &atom);
        if by_default && !options.keep_default_grants {
            sorted.defaults += 1;
        } else if is_left_out(&atom, &evidence, options) {
            sorted.left_out += 1;
        } else {
            sorted.needs.entry(atom).or_default().merge(evidence);
        }
    }
    sorted.advice.retain(|advice, _| !is_settled(advice, &sorted.needs));
    sorted.denied.retain(|atom, _| in_namespaces(atom, options));
    if options.include_denied {
        for (atom, evidence) in sorted.denied.iter().filter(|(atom, _)| atom.unsayable().is_none())
        {
            sorted.needs.entry(atom.clone()).or_insert_with(|| evidence.clone());
        }
    }
    sorted
}

/// Another server's question about what the identity is seen to do itself.
fn is_settled(advice: &Advice, needs: &BTreeMap<Atom, Evidence>) -> bool {
    advice.code == AdviceCode::ReviewedElsewhere
        && advice.wanted.iter().all(|atom| needs.contains_key(atom))
}

/// The identity as the default bindings see it: with the groups it was seen with.
fn holder(identity: &Identity, facts: &Facts) -> Requester {
    match identity {
        Identity::ServiceAccount { namespace, name } => Requester::service_account(namespace, name),
        _ => Requester::new(identity.name(), facts.groups.iter()),
    }
}

fn is_left_out(atom: &Atom, evidence: &Evidence, options: &Options) -> bool {
    (options.succeeded_only && !evidence.worked) || !in_namespaces(atom, options)
}

fn in_namespaces(atom: &Atom, options: &Options) -> bool {
    options.namespaces.is_empty()
        || options.namespaces.iter().any(|glob| glob.matches(atom.namespace()))
}

/// The parameters of admission policies that the identity bound: needs where the log
/// shows their kind, advice where it does not.
fn parameters(
    used: &IdentityUsage,
    usage: &Usage,
    advice: &mut BTreeMap<Advice, Evidence>,
) -> Vec<(Atom, Evidence)> {
    let mut needs = Vec::new();
    for (reference, evidence) in &used.param_refs {
        let kinds = usage.param_kinds.iter().filter(|kind| kind.policy == reference.policy);
        let atoms: Vec<Atom> = kinds.map(|kind| parameter(reference, kind)).collect();
        if atoms.is_empty() {
            let about = format!("binding of {}", reference.policy).into();
            let unknown = Advice { code: AdviceCode::ParamRef, about, wanted: vec![] };
            advice.entry(unknown).or_default().merge(evidence.clone());
        }
        for atom in atoms {
            let mut evidence = evidence.clone();
            evidence.bases.add(Basis::PolicyParameter);
            needs.push((atom, evidence));
        }
    }
    needs
}

fn parameter(reference: &ParamRef, kind: &ParamKind) -> Atom {
    let verb = if reference.name.is_empty() { "list" } else { "get" };
    ResourceAtom {
        namespace: reference.namespace.clone(),
        group: kind.group.clone(),
        resource: kind.resource.clone(),
        name: reference.name.clone(),
        verb: verb.into(),
    }
    .into()
}
