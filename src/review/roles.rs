//! Every given role beside the use of all who hold it, and why some cannot be judged.

use std::collections::{BTreeMap, BTreeSet};

use crate::eks::Concerning;
use crate::rbac::{Atom, Object, ObjectId, Objects, aggregate, atoms, grant_count};

use super::attribution::{Holding, Review, Use, in_namespace};
use super::parties::Doubt;
use super::rule_use::{MOST_CELLS, RuleUse};

/// What marks the roles and bindings that the API server makes and keeps up to date.
const BOOTSTRAPPING: (&str, &str) = ("kubernetes.io/bootstrapping", "rbac-defaults");
/// With the value `false` the API server leaves such an object alone.
const AUTO_UPDATE: &str = "rbac.authorization.kubernetes.io/autoupdate";

/// A role and what was used of it.
#[derive(Debug)]
pub struct RoleUse<'a> {
    /// Which role.
    pub id: &'a ObjectId,
    /// The role.
    pub role: &'a Object,
    /// Who holds it, by index into the review's holdings; over aggregated roles too.
    pub holdings: Vec<usize>,
    /// Why it cannot be judged, if it cannot.
    pub doubt: Option<RoleDoubt>,
    /// Its rules, where it can be judged.
    pub rules: Vec<RuleUse>,
}

/// Why the use of a role cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoleDoubt {
    /// Its rules are computed from other roles.
    Aggregated,
    /// Kubernetes makes it and would restore it.
    BuiltIn,
    /// It is bound here and not among the manifests: Kubernetes brings it along.
    NotGiven,
    /// The same, and this subject used nothing of it.
    Unused(String),
    /// The same, and what this subject used of it cannot be written as rules of its own.
    Opaque(String),
    /// A role of Kubernetes, such as `view`, takes its rules over, for whomever.
    Feeds(String),
    /// Nobody holds it here; somebody may elsewhere.
    Unbound,
    /// A subject that holds it cannot be judged.
    Subject(String, Doubt),
}

impl RoleDoubt {
    /// Reads on after the name of the role and "is kept:".
    pub fn why(&self) -> String {
        match self {
            Self::Aggregated => "its rules are computed from other roles".to_owned(),
            Self::BuiltIn => "Kubernetes keeps it as it is".to_owned(),
            Self::NotGiven => {
                "it is not among the manifests (--split gives those who hold it roles of their own)"
                    .to_owned()
            }
            Self::Unused(subject) => {
                format!("{subject} holds it unused (--drop-unused-bindings takes it away)")
            }
            Self::Opaque(subject) => {
                format!("{subject} used what cannot be written as rules of its own")
            }
            Self::Feeds(role) => format!("ClusterRole {role:?} takes its rules over"),
            Self::Unbound => "nobody holds it here".to_owned(),
            Self::Subject(subject, doubt) => format!("{subject} holds it; {}", doubt.why()),
        }
    }
}

/// Whether Kubernetes made the object and keeps it up to date.
pub fn is_kept_by_kubernetes(object: &Object) -> bool {
    let metadata = object.metadata();
    let (label, value) = BOOTSTRAPPING;
    let has_label =
        metadata.labels.as_ref().and_then(|labels| labels.get(label)).is_some_and(|it| it == value);
    let update = metadata.annotations.as_ref().and_then(|notes| notes.get(AUTO_UPDATE));
    has_label && update.is_none_or(|update| update != "false")
}

impl<'a> Review<'a> {
    /// The roles among `given`, each with its use. `all` are the given objects together
    /// with the built-in roles; `without` are holdings to pass over, by index.
    pub fn roles(
        &self,
        given: &'a Objects,
        all: &Objects,
        without: &BTreeSet<usize>,
    ) -> Vec<RoleUse<'a>> {
        let holders = self.holders(without);
        let fed = feeds(all);
        let roles = given.iter().filter(|object| object.role_ref_and_subjects().is_none());
        roles
            .filter_map(|object| {
                let (id, role) = given.find(&object.id())?;
                let holdings = holders.get(id).cloned().unwrap_or_default();
                Some(self.role(id, role, holdings, fed.get(id)))
            })
            .collect()
    }

    fn role(
        &self,
        id: &'a ObjectId,
        role: &'a Object,
        holdings: Vec<usize>,
        feeds: Option<&String>,
    ) -> RoleUse<'a> {
        let doubt = self.doubt(role, &holdings, feeds);
        let rules = match doubt {
            None => self.rules(id, role, &holdings),
            Some(_) => Vec::new(),
        };
        RoleUse { id, role, holdings, doubt, rules }
    }

    /// Who gets the rules that stand in a role, by index into the holdings.
    fn holders(&self, without: &BTreeSet<usize>) -> BTreeMap<&ObjectId, Vec<usize>> {
        let mut holders: BTreeMap<&ObjectId, BTreeSet<usize>> = BTreeMap::new();
        let parts = self
            .grants()
            .chunk_by(|one, next| one.binding.id == next.binding.id && one.holder == next.holder);
        for grant in parts.filter_map(<[_]>::first) {
            let range = self.range_of(grant.binding.id);
            let range = range.filter(|index| !without.contains(index));
            holders.entry(grant.holder).or_default().extend(range);
        }
        holders.into_iter().map(|(id, held)| (id, held.into_iter().collect())).collect()
    }

    fn doubt(
        &self,
        role: &Object,
        holdings: &[usize],
        feeds: Option<&String>,
    ) -> Option<RoleDoubt> {
        if let Object::ClusterRole(role) = role
            && role.aggregation_rule.is_some()
        {
            return Some(RoleDoubt::Aggregated);
        }
        if is_kept_by_kubernetes(role) {
            return Some(RoleDoubt::BuiltIn);
        }
        if let Some(fed) = feeds {
            return Some(RoleDoubt::Feeds(fed.clone()));
        }
        if holdings.is_empty() {
            return Some(RoleDoubt::Unbound);
        }
        let mut held = holdings.iter().map(|&index| &self.holdings[index]);
        held.find_map(|holding| Some(RoleDoubt::Subject(holding.who(), holding.doubt?)))
    }

    fn rules(&self, id: &ObjectId, role: &Object, holdings: &[usize]) -> Vec<RuleUse> {
        let held = holdings.iter().map(|&index| &self.holdings[index]);
        let audited: BTreeSet<&Concerning> = held.flat_map(|holding| &holding.audited).collect();
        let rules = role.rules().iter().enumerate();
        rules
            .map(|(index, rule)| {
                let (used, by_default) = self.used_of(id, index, holdings);
                RuleUse::new(rule, &used, &by_default, |cell| {
                    audited.iter().any(|rules| self.leaves_out(rules, cell))
                })
            })
            .collect()
    }

    /// What was used of one rule through these holdings, without namespaces: beyond what
    /// every caller has, and of that.
    fn used_of(
        &self,
        holder: &ObjectId,
        rule_index: usize,
        holdings: &[usize],
    ) -> (BTreeSet<Atom>, BTreeSet<Atom>) {
        let (mut needed, mut by_default) = (BTreeSet::new(), BTreeSet::new());
        for holding in holdings.iter().map(|&index| &self.holdings[index]) {
            for used in holding.uses_of(holder, rule_index) {
                let (_, need) = self.need(used);
                let set = if need.by_default { &mut by_default } else { &mut needed };
                set.insert(in_namespace(&used.granted, ""));
            }
        }
        (needed, by_default)
    }

    /// Whose binding gives them something that the log could not show in use, by index into
    /// `holdings`, which are of one binding. Told once for all who are alike to the policy.
    pub fn given_unlogged(&self, holdings: &[Holding<'_>]) -> Vec<bool> {
        let mut known: BTreeMap<&BTreeSet<Concerning>, bool> = BTreeMap::new();
        let given = holdings.iter().map(|holding| {
            *known.entry(&holding.audited).or_insert_with(|| self.gives_unlogged(holding))
        });
        given.collect()
    }

    fn gives_unlogged(&self, holding: &Holding<'_>) -> bool {
        let grants = self.grants_of(holding.binding.id).iter();
        grants
            .filter(|grant| grant_count(grant.rule) <= MOST_CELLS)
            .any(|grant| atoms(grant.rule, "").any(|cell| self.is_unlogged(holding, &cell)))
    }
}

impl Holding<'_> {
    /// The subject as in a sentence: `service account shop:reader`, `group "devs"`.
    pub fn who(&self) -> String {
        let name = &self.subject.name;
        match self.subject.kind.as_str() {
            "ServiceAccount" => {
                format!(
                    "service account {}:{name}",
                    self.binding.service_account_namespace(self.subject)
                )
            }
            kind => format!("{} {name}", kind.to_lowercase()),
        }
    }

    /// Whether the log can judge it and shows no use of anything it gives.
    pub fn is_unused(&self) -> bool {
        self.doubt.is_none() && self.uses.is_empty()
    }

    /// What was used of one rule of one role.
    pub fn uses_of(&self, holder: &ObjectId, rule_index: usize) -> &[Use] {
        let range = self.by_rule.get(&(holder, rule_index)).cloned().unwrap_or_default();
        &self.uses[range]
    }
}

/// The roles whose rules a role of Kubernetes takes over, with the name of that role.
fn feeds(all: &Objects) -> BTreeMap<ObjectId, String> {
    let mut fed = BTreeMap::new();
    for (id, sources) in aggregate(all) {
        let is_kubernetes_own = all.find(id).is_some_and(|(_, role)| is_kept_by_kubernetes(role));
        if is_kubernetes_own {
            for source in sources.into_iter().flatten() {
                fed.entry(source.clone()).or_insert_with(|| id.name.clone());
            }
        }
    }
    fed
}
