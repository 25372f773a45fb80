//! The authorizer: who may do what, and which binding says so.
//!
//! A set of objects comes in once; requesters and requests then come in, verdicts and grants
//! go out. It answers as the RBAC authorizer of Kubernetes does (`plugin/pkg/auth/authorizer/rbac`,
//! `pkg/registry/rbac/validation/rule.go`) and never knows `system:masters`: that group is
//! allowed by another authorizer. Where Kubernetes tries bindings in no fixed order, this one
//! takes them by name, so that the same objects always give the same verdict.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::iter::once;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use k8s_openapi::api::rbac::v1::PolicyRule;

use super::aggregation::aggregate;
use super::objects::{Binding, ObjectId, Objects};
use super::rules::{allows_where, items};
use super::verdict::{Grant, Held, Unresolved, Verdict};
use super::{Atom, Requester};

/// A set of objects prepared for questions.
///
/// Bindings are found by namespace and subject: a question costs the bindings that reach its
/// requester, not all there are.
#[derive(Debug)]
pub struct Evaluator<'a> {
    bound: Vec<Bound<'a>>,
    cluster: Subjects<'a>,
    by_namespace: BTreeMap<&'a str, Subjects<'a>>,
}

impl<'a> Evaluator<'a> {
    /// Prepares `objects`: resolves roles, computes aggregated ones, indexes subjects.
    pub fn new(objects: &'a Objects) -> Self {
        let mut roles = Roles { objects, aggregated: aggregate(objects), known: BTreeMap::new() };
        let mut evaluator =
            Self { bound: Vec::new(), cluster: Subjects::default(), by_namespace: BTreeMap::new() };
        for binding in objects.bindings() {
            evaluator.add(Bound { binding, role: roles.resolve(&binding) });
        }
        evaluator
    }

    /// Whether `requester` may do `request`.
    pub fn authorize(&self, requester: &Requester, request: &Atom) -> Verdict<'_> {
        let mut unresolved = Vec::new();
        let namespaced = self.by_namespace.get(request.namespace());
        for subjects in once(&self.cluster).chain(namespaced) {
            for entry in subjects.reaching(requester) {
                let bound = &self.bound[entry.bound];
                unresolved.extend(bound.role.as_ref().err());
                if let Some(grant) = bound.allowing(request) {
                    return Verdict::Allowed(bound.held(grant, entry));
                }
            }
        }
        Verdict::Denied(unresolved)
    }

    /// Everything granted to anybody, by binding and rule. Who can do something is asked of
    /// each with [`Grant::allows`].
    pub fn grants(&self) -> impl Iterator<Item = Grant<'_>> {
        self.bound.iter().flat_map(Bound::grants)
    }

    /// Everything granted to `requester`: what holds everywhere first, then by namespace.
    pub fn grants_of(&self, requester: &Requester) -> impl Iterator<Item = Held<'_>> {
        once(&self.cluster).chain(self.by_namespace.values()).flat_map(move |subjects| {
            subjects.reaching(requester).flat_map(move |entry| {
                let bound = &self.bound[entry.bound];
                bound.grants().map(move |grant| bound.held(grant, entry))
            })
        })
    }

    /// The bindings that grant nothing because their role cannot be looked into.
    pub fn unresolved(&self) -> impl Iterator<Item = (Binding<'_>, &Unresolved)> {
        self.bound.iter().filter_map(|bound| Some((bound.binding, bound.role.as_ref().err()?)))
    }

    fn add(&mut self, bound: Bound<'a>) {
        let id = bound.binding.id;
        let subjects = match id.namespace.as_str() {
            // A RoleBinding in no namespace grants nothing, and must not pass for a wide one.
            "" if id.kind.is_namespaced() => return,
            "" => &mut self.cluster,
            namespace => self.by_namespace.entry(namespace).or_default(),
        };
        subjects.add(self.bound.len(), &bound.binding);
        self.bound.push(bound);
    }
}

/// A binding and what its role turned out to hold.
#[derive(Debug)]
struct Bound<'a> {
    binding: Binding<'a>,
    role: Result<Arc<[Part<'a>]>, Unresolved>,
}

impl Bound<'_> {
    fn grants(&self) -> impl Iterator<Item = Grant<'_>> {
        self.rules().map(|(grant, _)| grant)
    }

    fn allowing(&self, request: &Atom) -> Option<Grant<'_>> {
        self.rules().find(|(_, rule)| rule.allows(request)).map(|(grant, _)| grant)
    }

    fn rules(&self) -> impl Iterator<Item = (Grant<'_>, &Rule<'_>)> {
        self.role.iter().flat_map(|parts| parts.iter()).flat_map(move |part| {
            part.rules.iter().enumerate().map(move |(rule_index, rule)| {
                let Rule { rule: given, .. } = rule;
                let Part { holder, .. } = part;
                (Grant { binding: self.binding, holder, rule_index, rule: given }, rule)
            })
        })
    }

    fn held<'s>(&'s self, grant: Grant<'s>, entry: Entry) -> Held<'s> {
        Held { grant, subject: &self.binding.subjects[entry.subject] }
    }
}

/// Rules of a role as they stand in one object.
#[derive(Clone, Debug)]
struct Part<'a> {
    holder: &'a ObjectId,
    rules: Arc<[Rule<'a>]>,
}

/// A rule, and the names that it is restricted to: there may be as many as objects in the
/// cluster, and as many questions.
#[derive(Debug)]
struct Rule<'a> {
    rule: &'a PolicyRule,
    names: HashSet<&'a str>,
}

impl<'a> Rule<'a> {
    fn new(rule: &'a PolicyRule) -> Self {
        Self { rule, names: items(rule.resource_names.as_ref()).iter().map(|it| &**it).collect() }
    }

    /// As [`rule_allows`](super::rule_allows).
    fn allows(&self, request: &Atom) -> bool {
        allows_where(self.rule, request, |name| self.names.is_empty() || self.names.contains(name))
    }
}

/// Looks roles up, each once.
struct Roles<'a> {
    objects: &'a Objects,
    aggregated: BTreeMap<&'a ObjectId, Option<Vec<&'a ObjectId>>>,
    known: BTreeMap<ObjectId, Result<Arc<[Part<'a>]>, Unresolved>>,
}

impl<'a> Roles<'a> {
    fn resolve(&mut self, binding: &Binding<'_>) -> Result<Arc<[Part<'a>]>, Unresolved> {
        let Some(id) = binding.role_id() else {
            return Err(Unresolved::UnsupportedKind(binding.role_ref.kind.clone()));
        };
        if let Some(known) = self.known.get(&id) {
            return known.clone();
        }
        let parts = self.parts(&id);
        self.known.insert(id, parts.clone());
        parts
    }

    fn parts(&self, id: &ObjectId) -> Result<Arc<[Part<'a>]>, Unresolved> {
        match self.aggregated.get(id) {
            Some(Some(sources)) => sources.iter().map(|source| self.part(source)).collect(),
            Some(None) => Err(Unresolved::AggregationLimit(id.clone())),
            None => Ok([self.part(id)?].into()),
        }
    }

    fn part(&self, id: &ObjectId) -> Result<Part<'a>, Unresolved> {
        let not_found = || Unresolved::RoleNotFound(id.clone());
        let (holder, role) = self.objects.find(id).ok_or_else(not_found)?;
        Ok(Part { holder, rules: role.rules().iter().map(Rule::new).collect() })
    }
}

/// The bindings of one scope, by whom they reach.
#[derive(Debug, Default)]
struct Subjects<'a> {
    users: HashMap<Cow<'a, str>, Vec<Entry>>,
    groups: HashMap<&'a str, Vec<Entry>>,
}

/// One subject of one binding; ordered as the bindings are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    bound: usize,
    subject: usize,
}

impl<'a> Subjects<'a> {
    /// Bindings must be added in order.
    fn add(&mut self, bound: usize, binding: &Binding<'a>) {
        for (index, subject) in binding.subjects.iter().enumerate() {
            let entry = Entry { bound, subject: index };
            if subject.kind == "Group" {
                self.groups.entry(&subject.name).or_default().push(entry);
            } else if let Some(username) = binding.username(subject) {
                self.users.entry(username).or_default().push(entry);
            }
        }
    }

    /// The bindings that reach `requester`, in order, each once with its first such subject.
    fn reaching(&self, requester: &Requester) -> impl Iterator<Item = Entry> {
        let groups = requester.groups.iter().filter_map(|group| self.groups.get(group.as_str()));
        let mut lists: Vec<&[Entry]> = self
            .users
            .get(requester.username.as_str())
            .into_iter()
            .chain(groups)
            .map(Vec::as_slice)
            .collect();
        std::iter::from_fn(move || {
            let next = *lists.iter().filter_map(|list| list.first()).min()?;
            for list in &mut lists {
                let done = list.iter().take_while(|entry| entry.bound == next.bound).count();
                *list = &list[done..];
            }
            Some(next)
        })
    }
}

#[cfg(test)]
mod tests;
