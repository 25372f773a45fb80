//! Roles of their own for subjects whose role cannot be cut down to them alone: others
//! hold it too, Kubernetes keeps it, or its binding reaches further than its use.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::rbac::v1::Subject;

use crate::policy::{Owner, exact, object_name_of, objects_of};
use crate::rbac::manifests::Loaded;
use crate::rbac::{Atom, Object, ObjectId, Objects, atoms, grant_covers};
use crate::review::{Cover, Holding, Review, RuleUse, in_namespace, is_wild};

/// Who gets roles of their own.
#[derive(Debug, Default)]
pub(super) struct Split {
    /// The holdings that end, by index.
    pub(super) holdings: BTreeSet<usize>,
    /// What their subjects get instead, by subject.
    subjects: BTreeMap<String, Own>,
}

/// One subject and what it gets.
#[derive(Debug)]
struct Own {
    subject: Subject,
    who: String,
    object_name: String,
    grants: BTreeSet<Atom>,
}

impl Split {
    /// Finds the holdings to split.
    pub(super) fn new(review: &Review<'_>, loaded: &Loaded, all: &Objects) -> Self {
        let cuttable: BTreeSet<ObjectId> = review
            .roles(&loaded.objects, all, &BTreeSet::new())
            .into_iter()
            .filter(|role| role.doubt.is_none())
            .map(|role| role.id.clone())
            .collect();
        let mut by_role: BTreeMap<ObjectId, Vec<usize>> = BTreeMap::new();
        for (index, holding) in review.holdings.iter().enumerate() {
            if let Some(role) = holding.binding.role_id() {
                by_role.entry(role).or_default().push(index);
            }
        }
        let mut split = Self::default();
        for (role, holdings) in by_role {
            let is_shared = !is_one_use(review, &holdings);
            for index in holdings {
                let holding = &review.holdings[index];
                let is_wider = is_wider_than_used(review, holding);
                if (is_shared || is_wider || !cuttable.contains(&role))
                    && !holding.is_default
                    && let Some(grants) = own_grants(review, holding)
                {
                    split.add(review, index, grants);
                }
            }
        }
        split
    }

    fn add(&mut self, review: &Review<'_>, index: usize, grants: BTreeSet<Atom>) {
        let holding = &review.holdings[index];
        self.holdings.insert(index);
        let who = holding.who();
        let own = self.subjects.entry(who.clone()).or_insert_with(|| {
            let subject = subject(holding);
            let object_name = object_name(review, holding, &subject);
            Own { subject, who, object_name, grants: BTreeSet::new() }
        });
        own.grants.extend(grants);
    }
}

/// The objects of everybody who gets their own, named so that they are none of `others`.
pub(super) fn objects(split: &Split, others: &Objects) -> Vec<Object> {
    let taken = |name: &str| {
        let mut named = others.iter().filter(|object| is_of(&object.id().name, name));
        named.next().is_some()
    };
    let mut found = Vec::new();
    for own in split.subjects.values() {
        let mut name = own.object_name.clone();
        while taken(&name) {
            name.push_str(":split");
        }
        let owner = Owner { object_name: &name, identity: &own.who, subject: &own.subject };
        found.extend(objects_of(owner, &own.grants));
    }
    found
}

/// Whether an object of that name is one of those made under `name`.
fn is_of(object: &str, name: &str) -> bool {
    object == name || object.strip_prefix(name).is_some_and(|rest| rest.starts_with(":shared"))
}

/// Whether one subject holds the role, and used the same wherever it is bound.
fn is_one_use(review: &Review<'_>, holdings: &[usize]) -> bool {
    let mut subjects = BTreeSet::new();
    let mut different = BTreeSet::new();
    for holding in holdings.iter().map(|&index| &review.holdings[index]) {
        subjects.insert(holding.who());
        let used: BTreeSet<Atom> =
            used(review, holding).into_iter().map(|atom| in_namespace(&atom, "")).collect();
        different.insert(used);
    }
    subjects.len() <= 1 && different.len() <= 1
}

/// Whether it is bound in the whole cluster, and something was used in namespaces only.
fn is_wider_than_used(review: &Review<'_>, holding: &Holding<'_>) -> bool {
    holding.binding.id.namespace.is_empty()
        && without_covered(used(review, holding)).iter().any(|atom| !atom.namespace().is_empty())
}

/// What was used beyond what everybody has, where it was used.
fn used(review: &Review<'_>, holding: &Holding<'_>) -> BTreeSet<Atom> {
    let own = holding.uses.iter().filter(|used| !review.need(used).1.by_default);
    own.map(|used| exact(&used.granted).into_owned()).collect()
}

/// What the subject gets instead of the holding; nothing where the log cannot judge it,
/// it used nothing, or a rule that it used cannot be looked into.
fn own_grants(review: &Review<'_>, holding: &Holding<'_>) -> Option<BTreeSet<Atom>> {
    if holding.doubt.is_some() {
        return None;
    }
    let mut grants = used(review, holding);
    if grants.is_empty() {
        return None;
    }
    let scope = holding.binding.id.namespace.as_str();
    for grant in review.grants_of(holding.binding.id) {
        let rule_use = RuleUse::new(grant.rule, &BTreeSet::new(), &BTreeSet::new(), |_| false);
        if rule_use.is_opaque {
            return None;
        }
        let by_default: Vec<Atom> = holding
            .uses_of(grant.holder, grant.rule_index)
            .iter()
            .filter(|used| review.need(used).1.by_default)
            .map(|used| in_namespace(&used.granted, ""))
            .collect();
        let by_default = Cover::new(&by_default);
        for cell in atoms(grant.rule, "") {
            let is_url_in_a_namespace = !scope.is_empty() && matches!(cell, Atom::Url(_));
            let is_default = !is_wild(&cell) && by_default.is_met_by(&cell);
            if !is_url_in_a_namespace && (is_default || review.is_unlogged(holding, &cell)) {
                grants.insert(in_namespace(&cell, scope));
            }
        }
    }
    Some(without_covered(grants))
}

/// Leaves out what another of the grants says as well.
fn without_covered(grants: BTreeSet<Atom>) -> BTreeSet<Atom> {
    let covers = |wide: &Atom, narrow: &Atom| {
        wide != narrow
            && (wide.namespace().is_empty() || wide.namespace() == narrow.namespace())
            && grant_covers(wide, narrow)
    };
    let all = grants.clone();
    grants.into_iter().filter(|narrow| !all.iter().any(|wide| covers(wide, narrow))).collect()
}

/// The subject, saying itself what its binding said for it.
fn subject(holding: &Holding<'_>) -> Subject {
    let mut subject = holding.subject.clone();
    if subject.kind == "ServiceAccount" {
        let namespace = holding.binding.service_account_namespace(holding.subject);
        subject.namespace = Some(namespace.to_owned());
    }
    subject
}

/// As `generate` would call them, where it would bind the same subject.
fn object_name(review: &Review<'_>, holding: &Holding<'_>, subject: &Subject) -> String {
    let of_member = holding.members.iter().map(|&member| review.parties.all()[member].plan);
    let mut own = of_member.filter(|plan| {
        let theirs = &plan.subject;
        (&theirs.kind, &theirs.name, &theirs.namespace)
            == (&subject.kind, &subject.name, &subject.namespace)
    });
    if let Some(plan) = own.next() {
        return plan.object_name.clone();
    }
    match subject.kind.as_str() {
        "ServiceAccount" => {
            let namespace = subject.namespace.as_deref().unwrap_or_default();
            object_name_of("sa", &format!("{namespace}:{}", subject.name))
        }
        kind => object_name_of(&kind.to_lowercase(), &subject.name),
    }
}
