//! Grants of one scope into rules: few, readable, and not an atom more.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::rbac::v1::PolicyRule;

use crate::rbac::Atom;

/// The order in which people read verbs; others follow by name.
const VERBS: [&str; 8] =
    ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// Rules that grant exactly these atoms, whose namespaces are left to the caller.
///
/// Each (group, resource, names) stands in one rule, resources of one group with the
/// same verbs and names share one, and the rules are sorted by group, resource, name;
/// those for URLs come last.
pub fn rules<'a>(grants: impl IntoIterator<Item = &'a Atom>) -> Vec<PolicyRule> {
    let mut verbs: BTreeMap<(&str, &str, &str), BTreeSet<&str>> = BTreeMap::new();
    let mut url_verbs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for grant in grants {
        match grant {
            Atom::Resource(atom) => {
                let place = (&*atom.group, &*atom.resource, &*atom.name);
                verbs.entry(place).or_default().insert(&atom.verb);
            }
            Atom::Url(atom) => {
                url_verbs.entry(&atom.path).or_default().insert(&atom.verb);
            }
        }
    }
    let mut rules: Vec<_> = resource_rules(verbs).into_iter().map(Rule::into_policy).collect();
    rules.extend(url_rules(url_verbs));
    rules
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rule<'a> {
    group: &'a str,
    resources: BTreeSet<&'a str>,
    names: BTreeSet<&'a str>,
    verbs: BTreeSet<&'a str>,
}

/// What resources must have in common to share a rule.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Shared<'a> {
    group: &'a str,
    names: BTreeSet<&'a str>,
    verbs: BTreeSet<&'a str>,
}

/// Names with the same verbs are put together first, then resources with the same
/// names and verbs; either product is full, so nothing is added.
fn resource_rules<'a>(
    verbs: BTreeMap<(&'a str, &'a str, &'a str), BTreeSet<&'a str>>,
) -> BTreeSet<Rule<'a>> {
    let mut names: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for ((group, resource, name), verbs) in verbs {
        names.entry((group, resource, name.is_empty(), verbs)).or_default().insert(name);
    }
    let mut resources: BTreeMap<Shared<'_>, BTreeSet<&str>> = BTreeMap::new();
    for ((group, resource, _, verbs), names) in names {
        resources.entry(Shared { group, names, verbs }).or_default().insert(resource);
    }
    resources
        .into_iter()
        .map(|(Shared { group, names, verbs }, resources)| Rule { group, resources, names, verbs })
        .collect()
}

impl Rule<'_> {
    fn into_policy(self) -> PolicyRule {
        let names = strings(self.names.into_iter().filter(|name| !name.is_empty()));
        PolicyRule {
            api_groups: Some(vec![self.group.to_owned()]),
            resources: Some(strings(self.resources)),
            resource_names: Some(names).filter(|names| !names.is_empty()),
            verbs: conventional(self.verbs),
            non_resource_urls: None,
        }
    }
}

fn url_rules(verbs: BTreeMap<&str, BTreeSet<&str>>) -> Vec<PolicyRule> {
    let mut paths: BTreeMap<BTreeSet<&str>, BTreeSet<&str>> = BTreeMap::new();
    for (path, verbs) in verbs {
        paths.entry(verbs).or_default().insert(path);
    }
    let mut rules: Vec<_> = paths.into_iter().map(|(verbs, paths)| (paths, verbs)).collect();
    rules.sort();
    let rule = |(paths, verbs)| PolicyRule {
        non_resource_urls: Some(strings(paths)),
        verbs: conventional(verbs),
        ..PolicyRule::default()
    };
    rules.into_iter().map(rule).collect()
}

fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

fn conventional(verbs: BTreeSet<&str>) -> Vec<String> {
    let mut verbs = strings(verbs);
    verbs.sort_by_key(|verb| VERBS.iter().position(|known| known == verb).unwrap_or(VERBS.len()));
    verbs
}
