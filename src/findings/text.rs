//! How rules and permissions read in a finding.

use k8s_openapi::api::rbac::v1::PolicyRule;

use crate::rbac::{Atom, ResourceAtom, UrlAtom};

/// `get, list deployments.apps, pods/log "web"`.
pub(super) fn rule_text(rule: &PolicyRule) -> String {
    let groups = rule.api_groups.iter().flatten();
    let resources = groups.flat_map(|group| {
        rule.resources.iter().flatten().map(|resource| resource_text(group, resource))
    });
    let targets: Vec<String> =
        resources.chain(rule.non_resource_urls.iter().flatten().cloned()).collect();
    let names: Vec<String> =
        rule.resource_names.iter().flatten().map(|name| format!(" {name:?}")).collect();
    format!("{} {}{}", rule.verbs.join(", "), targets.join(", "), names.concat())
}

/// `deployments.apps/scale`.
pub(super) fn resource_text(group: &str, resource: &str) -> String {
    let (parent, subresource) = match resource.split_once('/') {
        Some((parent, subresource)) => (parent, format!("/{subresource}")),
        None => (resource, String::new()),
    };
    match group {
        "" => format!("{parent}{subresource}"),
        group => format!("{parent}.{group}{subresource}"),
    }
}

/// What a permission is on: a resource, or a URL.
pub(super) fn target_text(atom: &Atom) -> String {
    match atom {
        Atom::Resource(ResourceAtom { group, resource, .. }) => resource_text(group, resource),
        Atom::Url(UrlAtom { path, .. }) => path.to_string(),
    }
}

/// The first few, and how many more.
pub(super) fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let texts: Vec<&str> = texts.collect();
    let shown = texts[..texts.len().min(SHOWN)].join("; ");
    match texts.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

/// The name in a permission, or nothing.
pub(super) fn name_of(atom: &Atom) -> &str {
    match atom {
        Atom::Resource(atom) => &atom.name,
        Atom::Url(_) => "",
    }
}
