//! What is kept of each object, what goes, and why something that was not used stays.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashSet;
use k8s_openapi::api::rbac::v1::{PolicyRule, Subject};

use super::clean::clean;
use super::split::{self, Split};
use crate::rbac::manifests::Loaded;
use crate::rbac::{Object, ObjectId, Objects, grant_count, lists};
use crate::review::{Holding, Review, RoleDoubt, RoleUse, Share};

/// How far to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// Give each subject roles of its own where a role is shared, not to be cut, or bound
    /// more widely than it was used.
    pub split: bool,
    /// Drop subjects and bindings of which nothing was used.
    pub drop_unused: bool,
}

/// The outcome.
#[derive(Debug, Default)]
pub struct Tightened {
    /// What is left and what is new: roles first, in the order of their names.
    pub objects: Objects,
    /// Objects with other rules or subjects than before.
    pub changed: BTreeSet<ObjectId>,
    /// Objects that are gone.
    pub dropped: BTreeSet<ObjectId>,
    /// Objects that were not there.
    pub added: BTreeSet<ObjectId>,
    /// Roles that keep what was not used.
    pub kept: Vec<Kept>,
    /// Permissions of the roles that were cut down, before and after; a wildcard counts as
    /// one.
    pub permissions: (usize, usize),
    /// How many of them are kept only because the log could not show their use.
    pub unlogged: usize,
}

/// A role that was left as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    /// Which.
    pub role: ObjectId,
    /// Why.
    pub why: RoleDoubt,
}

/// Cuts the objects down. `all` are the given objects together with the built-in roles.
pub fn tighten(review: &Review<'_>, loaded: &Loaded, all: &Objects, choices: Choices) -> Tightened {
    let split = if choices.split { Split::new(review, loaded, all) } else { Split::default() };
    let roles = review.roles(&loaded.objects, all, &split.holdings);
    let unused = if choices.drop_unused { unused(review, loaded) } else { BTreeSet::new() };
    let mut cutting = Cutting { review, loaded, choices, split, unused, out: Tightened::default() };
    cutting.bindings();
    for role in &roles {
        cutting.role(role);
    }
    cutting.drop_unbound(&roles);
    cutting.keep_what_is_not_given(all);
    cutting.count();
    cutting.add();
    cutting.out
}

struct Cutting<'r, 'a> {
    review: &'r Review<'a>,
    loaded: &'r Loaded,
    choices: Choices,
    split: Split,
    /// The holdings that end because nothing was used of them, by index.
    unused: BTreeSet<usize>,
    out: Tightened,
}

impl Cutting<'_, '_> {
    /// Takes out the subjects that got roles of their own or, where that is asked for, used
    /// nothing; and the bindings that this leaves without subjects.
    fn bindings(&mut self) {
        let given = &self.loaded.objects;
        let bindings = given.iter().filter(|it| it.role_ref_and_subjects().is_some());
        for object in bindings {
            let id = object.id();
            let range = self.review.range_of(&id);
            let left: Vec<Subject> = range
                .clone()
                .filter(|index| !self.is_to_go(*index))
                .map(|index| self.review.holdings[index].subject.clone())
                .collect();
            if left.len() == range.len() {
                self.out.objects.insert(clean(object.clone()));
            } else if left.is_empty() {
                self.out.dropped.insert(id);
            } else {
                self.out.changed.insert(id);
                self.out.objects.insert(with_subjects(clean(object.clone()), left));
            }
        }
    }

    fn is_to_go(&self, index: usize) -> bool {
        self.split.holdings.contains(&index) || self.unused.contains(&index)
    }

    fn role(&mut self, role: &RoleUse<'_>) {
        let before = role.role.rules();
        let rules = match &role.doubt {
            Some(why) => {
                self.out.kept.push(Kept { role: role.id.clone(), why: why.clone() });
                before.to_vec()
            }
            None => cut(role),
        };
        if role.doubt.is_none() {
            let cells = role.rules.iter().flat_map(|rule| &rule.cells);
            let unlogged = cells.filter(|cell| cell.share == Share::Unlogged);
            self.out.unlogged += unlogged.count();
        }
        if rules != before {
            self.out.changed.insert(role.id.clone());
        }
        self.out.objects.insert(with_rules(clean(role.role.clone()), rules));
    }

    /// Drops roles that were bound and no longer are: all who held them have their own, or
    /// used nothing.
    fn drop_unbound(&mut self, roles: &[RoleUse<'_>]) {
        let referenced = |objects: &Objects| -> BTreeSet<ObjectId> {
            objects.bindings().filter_map(|binding| binding.role_id()).collect()
        };
        let (before, after) = (referenced(&self.loaded.objects), referenced(&self.out.objects));
        let is_free = |doubt: &Option<RoleDoubt>| matches!(doubt, None | Some(RoleDoubt::Unbound));
        let gone: BTreeSet<ObjectId> = roles
            .iter()
            .filter(|role| before.contains(role.id) && !after.contains(role.id))
            .filter(|role| role.holdings.is_empty() || self.holds_nothing(role))
            .filter(|role| is_free(&role.doubt))
            .map(|role| role.id.clone())
            .collect();
        if gone.is_empty() {
            return;
        }
        let objects = std::mem::take(&mut self.out.objects);
        let is_left = |object: &&Object| !gone.contains(&object.id());
        self.out.objects = objects.iter().filter(is_left).cloned().collect();
        self.out.kept.retain(|kept| !gone.contains(&kept.role));
        for id in gone {
            self.out.changed.remove(&id);
            self.out.dropped.insert(id);
        }
    }

    /// Names the roles of Kubernetes that somebody still holds through a binding among the
    /// manifests: a wide binding must not pass for tightened.
    fn keep_what_is_not_given(&mut self, all: &Objects) {
        let is_given = |role: &ObjectId| self.loaded.objects.find(role).is_some();
        let kept = |(index, holding): (usize, &Holding<'_>)| {
            let is_judged = holding.doubt.is_none() && !holding.is_default;
            let is_left = !self.is_to_go(index);
            self.out.objects.find(holding.binding.id).filter(|_| is_judged && is_left)?;
            let role = holding.binding.role_id()?;
            let is_known = !is_given(&role) && all.find(&role).is_some();
            let why = match (self.choices.split, holding.is_unused()) {
                (false, _) => RoleDoubt::NotGiven,
                (true, true) => RoleDoubt::Unused(holding.who()),
                (true, false) => RoleDoubt::Opaque(holding.who()),
            };
            is_known.then_some(Kept { role, why })
        };
        let kept: BTreeSet<Kept> =
            self.review.holdings.iter().enumerate().filter_map(kept).collect();
        self.out.kept.extend(kept);
    }

    /// Whether everybody who held the role is gone from its bindings.
    fn holds_nothing(&self, role: &RoleUse<'_>) -> bool {
        role.holdings.iter().all(|&index| self.is_to_go(index))
    }

    fn count(&mut self) {
        let rules = |objects: &Objects, id| {
            objects.find(id).map(|(_, object)| count(object.rules())).unwrap_or_default()
        };
        for id in &self.out.changed {
            self.out.permissions.0 += rules(&self.loaded.objects, id);
            self.out.permissions.1 += rules(&self.out.objects, id);
        }
    }

    fn add(&mut self) {
        let mut by_id: BTreeMap<ObjectId, Object> = BTreeMap::new();
        for object in split::objects(&self.split, &self.out.objects) {
            by_id.insert(object.id(), object);
        }
        for (id, object) in by_id {
            self.out.added.insert(id);
            self.out.objects.insert(object);
        }
    }
}

/// The holdings of which the log shows no use and would show it, by index.
fn unused(review: &Review<'_>, loaded: &Loaded) -> BTreeSet<usize> {
    let mut unused = BTreeSet::new();
    for binding in loaded.objects.bindings() {
        let range = review.range_of(binding.id);
        let given = review.given_unlogged(&review.holdings[range.clone()]);
        for (index, is_unlogged) in range.zip(given) {
            let holding = &review.holdings[index];
            if holding.is_unused() && !holding.is_default && !is_unlogged {
                unused.insert(index);
            }
        }
    }
    unused
}

/// What is left of the rules of a role; what two rules come to the same is said once.
fn cut(role: &RoleUse<'_>) -> Vec<PolicyRule> {
    let mut rules: Vec<(bool, PolicyRule)> = Vec::new();
    for (rule, used) in role.role.rules().iter().zip(&role.rules) {
        let left = used.cut(rule);
        let is_whole = left.len() == 1 && left[0] == *rule;
        rules.extend(left.into_iter().map(|rule| (is_whole, rule)));
    }
    let mut said = HashSet::default();
    let is_new: Vec<bool> =
        rules.iter().map(|(is_whole, rule)| said.insert(lists(rule)) || *is_whole).collect();
    let left = rules.into_iter().zip(is_new).filter(|(_, is_new)| *is_new);
    left.map(|((_, rule), _)| rule).collect()
}

fn count(rules: &[PolicyRule]) -> usize {
    rules.iter().map(grant_count).fold(0, usize::saturating_add)
}

fn with_rules(mut object: Object, rules: Vec<PolicyRule>) -> Object {
    match &mut object {
        Object::ClusterRole(role) if *role.rules.as_deref().unwrap_or_default() != rules => {
            role.rules = Some(rules);
        }
        Object::Role(role) if *role.rules.as_deref().unwrap_or_default() != rules => {
            role.rules = Some(rules);
        }
        _ => {}
    }
    object
}

fn with_subjects(mut object: Object, subjects: Vec<Subject>) -> Object {
    match &mut object {
        Object::ClusterRoleBinding(binding) => binding.subjects = Some(subjects),
        Object::RoleBinding(binding) => binding.subjects = Some(subjects),
        Object::ClusterRole(_) | Object::Role(_) => {}
    }
    object
}
