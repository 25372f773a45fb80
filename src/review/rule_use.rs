//! One rule beside what was used of it: which of its cells were used, which in part, and
//! the permissions that are left when the rest is cut away.

use std::collections::BTreeSet;

use foldhash::HashSet;
use k8s_openapi::api::rbac::v1::PolicyRule;

use super::cover::Cover;
use crate::policy::rules;
use crate::rbac::{Atom, ResourceAtom, UrlAtom, atoms, grant_count};

/// A rule with more cells than this is not looked into; it would not fit on any page.
pub(super) const MOST_CELLS: usize = 20_000;

/// How much of a cell was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Share {
    /// All of it.
    Whole,
    /// Something narrower: a wildcard, or any name, where these would do.
    Part,
    /// Nothing.
    Unused,
    /// Nothing, but the cluster's audit policy never logs it.
    Unlogged,
}

/// One (group, resource, name, verb) or (URL, verb) of a rule, wildcards as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The permission, without namespace.
    pub atom: Atom,
    /// How much of it was used.
    pub share: Share,
}

/// What a rule looks like beside its use.
#[derive(Clone, Debug)]
pub struct RuleUse {
    /// Its cells, in the order of its lists; none where it cannot be looked into.
    pub cells: Vec<Cell>,
    /// What must be kept, without namespaces.
    pub kept: BTreeSet<Atom>,
    /// It has too many cells, or one that only an empty name matches: it is kept as it is.
    pub is_opaque: bool,
}

impl RuleUse {
    /// Holds `rule` against the grants used of it.
    ///
    /// `used` are permissions that `rule` covers and that stand for something used;
    /// `by_default` are those that every caller has anyway. A cell that says exactly what
    /// is needed of the latter is kept, but no wildcard is filled with it.
    pub fn new(
        rule: &PolicyRule,
        used: &BTreeSet<Atom>,
        by_default: &BTreeSet<Atom>,
        is_unlogged: impl Fn(&Atom) -> bool,
    ) -> Self {
        if is_opaque(rule) {
            return Self { cells: Vec::new(), kept: BTreeSet::new(), is_opaque: true };
        }
        let mut kept = used.clone();
        let mut unlogged = BTreeSet::new();
        let by_default = Cover::new(by_default);
        for cell in atoms(rule, "") {
            if is_unlogged(&cell) {
                unlogged.insert(cell);
            } else if !is_wild(&cell) && by_default.is_met_by(&cell) {
                kept.insert(cell);
            }
        }
        let cover = Cover::new(&kept);
        let cells = atoms(rule, "")
            .map(|atom| Cell { share: share(&atom, &cover, &unlogged), atom })
            .collect();
        kept.extend(unlogged);
        Self { cells, kept, is_opaque: false }
    }

    /// Whether nothing of it was used, as far as the log can tell.
    pub fn is_unused(&self) -> bool {
        !self.is_opaque && self.cells.iter().all(|cell| cell.share == Share::Unused)
    }

    /// The rule without what was not used; several rules where one cannot say it, none
    /// where nothing is left, and the rule itself where all of it was used.
    pub fn cut(&self, rule: &PolicyRule) -> Vec<PolicyRule> {
        let is_kept = |cell: &Cell| matches!(cell.share, Share::Whole | Share::Unlogged);
        if self.is_opaque || self.cells.iter().all(is_kept) {
            return vec![rule.clone()];
        }
        match self.filtered(rule) {
            Some(rule) => vec![rule],
            None => rules(&self.kept),
        }
    }

    /// The rule with entries of its lists left out, where that says exactly what is kept.
    fn filtered(&self, rule: &PolicyRule) -> Option<PolicyRule> {
        if self.kept.is_empty() {
            return None;
        }
        let of_resources = |part: fn(&ResourceAtom) -> &str| -> HashSet<&str> {
            let resources = self.kept.iter().filter_map(|atom| match atom {
                Atom::Resource(atom) => Some(part(atom)),
                Atom::Url(_) => None,
            });
            resources.collect()
        };
        let list = |list: Option<&Vec<String>>, part: fn(&ResourceAtom) -> &str| {
            list.map(|list| left(list, &of_resources(part)))
        };
        let verbs = self.kept.iter().map(Atom::verb).collect();
        let urls = self.kept.iter().filter_map(|atom| match atom {
            Atom::Url(atom) => Some(&*atom.path),
            Atom::Resource(_) => None,
        });
        let urls = urls.collect();
        let filtered = PolicyRule {
            api_groups: list(rule.api_groups.as_ref(), |atom| &atom.group),
            resources: list(rule.resources.as_ref(), |atom| &atom.resource),
            resource_names: list(rule.resource_names.as_ref(), |atom| &atom.name),
            non_resource_urls: rule.non_resource_urls.as_ref().map(|list| left(list, &urls)),
            verbs: left(&rule.verbs, &verbs),
        };
        let says: BTreeSet<Atom> = atoms(&filtered, "").collect();
        (says == self.kept).then_some(filtered)
    }
}

/// The entries of a list that are among `kept`.
fn left(list: &[String], kept: &HashSet<&str>) -> Vec<String> {
    list.iter().filter(|entry| kept.contains(entry.as_str())).cloned().collect()
}

fn share(atom: &Atom, kept: &Cover<'_>, unlogged: &BTreeSet<Atom>) -> Share {
    if kept.includes(atom) {
        Share::Whole
    } else if unlogged.contains(atom) {
        Share::Unlogged
    } else if kept.is_met_by(atom) {
        Share::Part
    } else {
        Share::Unused
    }
}

/// Such a rule is kept as it stands: an atom cannot tell "any name" from the name `""`.
fn is_opaque(rule: &PolicyRule) -> bool {
    let names_nothing = rule.resource_names.iter().flatten().any(String::is_empty);
    names_nothing || grant_count(rule) > MOST_CELLS
}

/// Whether a cell stands for more than one group, resource, verb or URL.
pub fn is_wild(cell: &Atom) -> bool {
    match cell {
        Atom::Url(UrlAtom { path, verb }) => path.ends_with('*') || &**verb == "*",
        Atom::Resource(ResourceAtom { group, resource, verb, .. }) => {
            [&**group, &**verb].contains(&"*") || &**resource == "*" || resource.starts_with("*/")
        }
    }
}
