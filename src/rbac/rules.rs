//! Whether one rule allows one request.
//!
//! A `PolicyRule` and a request come in, yes or no goes out. All matching is literal and
//! case-sensitive, as in Kubernetes (`pkg/apis/rbac/v1/evaluation_helpers.go`): a `*`
//! counts only where RBAC gives it a meaning. Never looks at bindings or namespaces.

use k8s_openapi::api::rbac::v1::PolicyRule;

use super::{Atom, ResourceAtom, UrlAtom};

/// What stands for every verb, group, resource or non-resource URL.
pub(super) const ALL: &str = "*";

/// Whether `rule` allows `request`. The namespace is the binding's business and is not looked at.
pub fn rule_allows(rule: &PolicyRule, request: &Atom) -> bool {
    let names = items(rule.resource_names.as_ref());
    allows_where(rule, request, |name| names.is_empty() || names.iter().any(|it| it == name))
}

/// As [`rule_allows`], where `is_named` tells whether the rule holds for an object's name.
pub(super) fn allows_where(
    rule: &PolicyRule,
    request: &Atom,
    is_named: impl FnOnce(&str) -> bool,
) -> bool {
    let is_covered = match request {
        Atom::Resource(request) => is_named(&request.name) && allows_resource(rule, request),
        Atom::Url(UrlAtom { path, .. }) => {
            items(rule.non_resource_urls.as_ref()).iter().any(|url| url_covers(url, path))
        }
    };
    is_covered && holds(&rule.verbs, request.verb())
}

/// The lists of a rule: rules with the same lists are the same rule.
pub type Lists<'a> = (&'a [String], [&'a Option<Vec<String>>; 4]);

/// What makes `rule` the same as another, for look-ups.
pub fn lists(rule: &PolicyRule) -> Lists<'_> {
    let PolicyRule { api_groups, non_resource_urls, resource_names, resources, verbs } = rule;
    (verbs, [api_groups, resources, resource_names, non_resource_urls])
}

/// An optional list of an object; absent and empty are the same to RBAC.
pub(super) fn items<T>(list: Option<&Vec<T>>) -> &[T] {
    list.map_or(&[], Vec::as_slice)
}

/// Whether `list` has `wanted` or `*`.
pub(super) fn holds(list: &[String], wanted: &str) -> bool {
    list.iter().any(|item| item == wanted || item == ALL)
}

/// Whether an entry of `resources` covers `resource`, which may carry a subresource.
///
/// `*` covers everything, `*/scale` that subresource of everything. `pods` does not cover
/// `pods/log`, and `pods/*` is no wildcard.
pub(super) fn resource_covers(entry: &str, resource: &str) -> bool {
    if entry == ALL || entry == resource {
        return true;
    }
    let subresource = resource.split_once('/').map(|(_, subresource)| subresource);
    entry.strip_prefix("*/").is_some_and(|covered| subresource == Some(covered))
}

/// Whether an entry of `nonResourceURLs` covers `path`.
///
/// All stars at the end are stripped and what is left is a prefix; a star elsewhere is literal.
pub(super) fn url_covers(entry: &str, path: &str) -> bool {
    entry == path || (entry.ends_with(ALL) && path.starts_with(entry.trim_end_matches(ALL)))
}

fn allows_resource(rule: &PolicyRule, request: &ResourceAtom) -> bool {
    holds(items(rule.api_groups.as_ref()), &request.group)
        && items(rule.resources.as_ref())
            .iter()
            .any(|entry| resource_covers(entry, &request.resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subresource_wildcard_needs_the_whole_subresource() {
        assert!(resource_covers("*/acme.com/proj", "userextras/acme.com/proj"));
        assert!(!resource_covers("*/proj", "userextras/acme.com/proj"));
        assert!(!resource_covers("*/", "pods"));
        assert!(!resource_covers("*/log", "log"));
    }

    #[test]
    fn stars_alone_cover_every_path_and_other_stars_none() {
        assert!(url_covers("*", ""));
        assert!(url_covers("**", "/x"));
        assert!(!url_covers("/a/*/c", "/a/b/c"));
        assert!(url_covers("/a/*/c", "/a/*/c"));
    }

    #[test]
    fn a_rule_without_resources_or_urls_allows_nothing() {
        let rule = PolicyRule { verbs: vec!["*".to_owned()], ..PolicyRule::default() };
        let pods =
            ResourceAtom { resource: "pods".into(), verb: "get".into(), ..ResourceAtom::default() };
        assert!(!rule_allows(&rule, &pods.into()));
        assert!(!rule_allows(&rule, &UrlAtom { path: "/x".into(), verb: "get".into() }.into()));
    }
}
