//! What a rule grants, one atom at a time, and whether one set of rules covers another.
//!
//! Rules come in, atoms or yes and no go out. Covering is not matching: it asks whether
//! every single (group, resource, verb, name) of one set is within one rule of the other,
//! as the escalation check of the API server does
//! (`component-helpers/auth/rbac/validation/policy_comparator.go`). Never evaluates bindings.

use k8s_openapi::api::rbac::v1::PolicyRule;

use super::rules::{ALL, holds, items, resource_covers, url_covers};
use super::{Atom, ResourceAtom, UrlAtom};

/// Whether the holder of `owner` may hand out everything in `servant`.
///
/// Takes time in proportion to the grants of `servant`: see [`grant_count`].
pub fn covers(owner: &[PolicyRule], servant: &[PolicyRule]) -> bool {
    servant.iter().flat_map(tuples).all(|tuple| owner.iter().any(|rule| tuple.is_within(rule)))
}

/// Whether `rule` alone grants all of `grant`, in which an empty name means any name. The
/// namespace is the binding's business and is not looked at.
pub fn rule_covers(rule: &PolicyRule, grant: &Atom) -> bool {
    let tuple = match grant {
        Atom::Url(UrlAtom { path, verb }) => Tuple::Url { path, verb },
        Atom::Resource(ResourceAtom { group, resource, name, verb, .. }) => {
            let name = Some(&**name).filter(|name| !name.is_empty());
            Tuple::Resource { group, resource, name, verb }
        }
    };
    tuple.is_within(rule)
}

/// Whether one granted atom says all that another does. Wildcards and "any name" are meant;
/// namespaces are not looked at.
pub fn grant_covers(wide: &Atom, narrow: &Atom) -> bool {
    let same_or_all = |wide: &str, narrow: &str| wide == narrow || wide == ALL;
    same_or_all(wide.verb(), narrow.verb())
        && match (wide, narrow) {
            (Atom::Url(wide), Atom::Url(narrow)) => url_covers(&wide.path, &narrow.path),
            (Atom::Resource(wide), Atom::Resource(narrow)) => {
                same_or_all(&wide.group, &narrow.group)
                    && resource_covers(&wide.resource, &narrow.resource)
                    && (wide.name.is_empty() || wide.name == narrow.name)
            }
            (Atom::Url(_), Atom::Resource(_)) | (Atom::Resource(_), Atom::Url(_)) => false,
        }
}

/// Every grant that `rule` gives in `namespace`, in the order of the rule's own lists.
///
/// Wildcards come out as they stand: `*`, `*/scale`, `/healthz/*`. An empty name means any
/// name. Lazy, because a short rule can multiply into many grants: see [`grant_count`].
pub fn atoms<'a>(rule: &'a PolicyRule, namespace: &'a str) -> impl Iterator<Item = Atom> + 'a {
    tuples(rule).map(move |tuple| tuple.into_atom(namespace))
}

/// How many atoms [`atoms`] yields for `rule`; saturates.
pub fn grant_count(rule: &PolicyRule) -> usize {
    let names = items(rule.resource_names.as_ref()).len().max(1);
    let resources = [
        items(rule.api_groups.as_ref()).len(),
        items(rule.resources.as_ref()).len(),
        names,
        rule.verbs.len(),
    ];
    let urls = items(rule.non_resource_urls.as_ref()).len();
    resources
        .into_iter()
        .fold(1, usize::saturating_mul)
        .saturating_add(urls.saturating_mul(rule.verbs.len()))
}

/// One grant of a rule. Unlike an [`Atom`] it tells "any name" from the name `""`.
#[derive(Clone, Copy)]
enum Tuple<'a> {
    Resource { group: &'a str, resource: &'a str, name: Option<&'a str>, verb: &'a str },
    Url { path: &'a str, verb: &'a str },
}

impl Tuple<'_> {
    /// Whether `rule` alone grants all of this; a wildcard is within a wildcard only.
    fn is_within(self, rule: &PolicyRule) -> bool {
        match self {
            Self::Url { path, verb } => {
                let urls = items(rule.non_resource_urls.as_ref());
                holds(&rule.verbs, verb) && urls.iter().any(|url| url_covers(url, path))
            }
            Self::Resource { group, resource, name, verb } => {
                let names = items(rule.resource_names.as_ref());
                holds(&rule.verbs, verb)
                    && holds(items(rule.api_groups.as_ref()), group)
                    && items(rule.resources.as_ref())
                        .iter()
                        .any(|entry| resource_covers(entry, resource))
                    && (names.is_empty()
                        || name.is_some_and(|name| names.iter().any(|named| named == name)))
            }
        }
    }

    fn into_atom(self, namespace: &str) -> Atom {
        match self {
            Self::Url { path, verb } => UrlAtom { path: path.into(), verb: verb.into() }.into(),
            Self::Resource { group, resource, name, verb } => ResourceAtom {
                namespace: namespace.into(),
                group: group.into(),
                resource: resource.into(),
                name: name.unwrap_or_default().into(),
                verb: verb.into(),
            }
            .into(),
        }
    }
}

fn tuples(rule: &PolicyRule) -> impl Iterator<Item = Tuple<'_>> {
    resource_tuples(rule).chain(url_tuples(rule))
}

fn resource_tuples(rule: &PolicyRule) -> impl Iterator<Item = Tuple<'_>> {
    let resources = items(rule.resources.as_ref());
    let names = items(rule.resource_names.as_ref());
    let any_name = names.is_empty().then_some(None);
    // A list that is empty further in must not leave the outer loops spinning.
    let nothing = rule.verbs.is_empty() || resources.is_empty();
    let groups = if nothing { &[] } else { items(rule.api_groups.as_ref()) };
    groups.iter().flat_map(move |group| {
        resources.iter().flat_map(move |resource| {
            let names = any_name.into_iter().chain(names.iter().map(|name| Some(name.as_str())));
            names.flat_map(move |name| {
                rule.verbs.iter().map(move |verb| Tuple::Resource { group, resource, name, verb })
            })
        })
    })
}

fn url_tuples(rule: &PolicyRule) -> impl Iterator<Item = Tuple<'_>> {
    let urls = items(rule.non_resource_urls.as_ref());
    urls.iter().flat_map(|path| rule.verbs.iter().map(move |verb| Tuple::Url { path, verb }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rule_allows;
    use super::*;

    fn words(choices: &'static [&'static str], least: usize) -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec(proptest::sample::select(choices), least..4)
            .prop_map(|words| words.into_iter().map(str::to_owned).collect())
    }

    prop_compose! {
        fn resource_rule()(
            verbs in words(&["get", "list", "create", "*", ""], 1),
            groups in words(&["", "apps", "*"], 1),
            resources in words(&["pods", "pods/log", "*/scale", "deployments/scale", "*"], 1),
            names in words(&["web", "db", "*", ""], 0),
        ) -> PolicyRule {
            PolicyRule {
                verbs,
                api_groups: Some(groups),
                resources: Some(resources),
                resource_names: Some(names),
                ..PolicyRule::default()
            }
        }
    }

    prop_compose! {
        fn url_rule()(
            verbs in words(&["get", "post", "*"], 1),
            urls in words(&["/metrics", "/metrics/*", "/a/*/c", "*", "metrics"], 1),
        ) -> PolicyRule {
            PolicyRule { verbs, non_resource_urls: Some(urls), ..PolicyRule::default() }
        }
    }

    /// The rule with a star or no names on every axis whose bit is set.
    fn widened(rule: &PolicyRule, axes: u8) -> PolicyRule {
        let mut wider = rule.clone();
        let lists = [
            Some(&mut wider.verbs),
            wider.api_groups.as_mut(),
            wider.resources.as_mut(),
            wider.non_resource_urls.as_mut(),
        ];
        for (axis, list) in lists.into_iter().enumerate() {
            if let Some(list) = list.filter(|_| axes & (1 << axis) != 0) {
                *list = vec!["*".to_owned()];
            }
        }
        if axes & 0b1_0000 != 0 {
            wider.resource_names = None;
        }
        wider
    }

    fn rules() -> impl Strategy<Value = Vec<PolicyRule>> {
        proptest::collection::vec(prop_oneof![resource_rule(), url_rule()], 0..4)
    }

    proptest! {
        #[test]
        fn covering_is_reflexive(rules in rules()) {
            prop_assert!(covers(&rules, &rules));
        }

        #[test]
        fn every_atom_of_a_rule_is_allowed_by_it(rule in prop_oneof![resource_rule(), url_rule()]) {
            for atom in atoms(&rule, "shop") {
                prop_assert!(rule_allows(&rule, &atom), "{atom} by {rule:?}");
            }
        }

        #[test]
        fn covering_an_atom_is_covering_its_rule(
            wide in prop_oneof![resource_rule(), url_rule()],
            narrow in prop_oneof![resource_rule(), url_rule()],
        ) {
            let is_plain = |rule: &PolicyRule| !rule.resource_names.iter().flatten().any(String::is_empty);
            prop_assume!(is_plain(&wide) && is_plain(&narrow));
            for atom in atoms(&narrow, "shop") {
                let by_atom = atoms(&wide, "").any(|grant| grant_covers(&grant, &atom));
                prop_assert_eq!(rule_covers(&wide, &atom), by_atom, "{} by {:?}", atom, wide);
            }
            let all = atoms(&narrow, "").all(|atom| rule_covers(&wide, &atom));
            prop_assert_eq!(covers(&[wide], &[narrow]), all);
        }

        #[test]
        fn a_wider_rule_covers_and_allows_what_the_narrow_one_does(
            rule in prop_oneof![resource_rule(), url_rule()],
            axes in proptest::bits::u8::masked(0b1_1111),
        ) {
            let wider = widened(&rule, axes);
            prop_assert!(covers(std::slice::from_ref(&wider), std::slice::from_ref(&rule)));
            for atom in atoms(&rule, "shop") {
                prop_assert!(rule_allows(&wider, &atom), "{atom} by {wider:?}");
            }
        }

        #[test]
        fn a_rule_less_one_of_its_verbs_no_longer_covers_it(rule in resource_rule()) {
            prop_assume!(!rule.verbs.iter().any(|verb| verb == "*"));
            let mut narrow = rule.clone();
            narrow.verbs.retain(|verb| *verb != rule.verbs[0]);
            prop_assert!(!covers(&[narrow], &[rule]));
        }

        #[test]
        fn the_count_is_the_number_of_atoms(rule in prop_oneof![resource_rule(), url_rule()]) {
            prop_assert_eq!(atoms(&rule, "").count(), grant_count(&rule));
        }
    }

    #[test]
    fn atoms_follow_the_lists_of_the_rule_and_carry_the_namespace() {
        let rule = PolicyRule {
            verbs: vec!["get".to_owned(), "list".to_owned()],
            api_groups: Some(vec![String::new()]),
            resources: Some(vec!["pods".to_owned(), "pods/log".to_owned()]),
            resource_names: Some(vec!["web".to_owned()]),
            ..PolicyRule::default()
        };
        let shown: Vec<String> = atoms(&rule, "shop").map(|atom| atom.to_string()).collect();
        let expected = [
            "get pods \"web\" in namespace shop",
            "list pods \"web\" in namespace shop",
            "get pods/log \"web\" in namespace shop",
            "list pods/log \"web\" in namespace shop",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn wide_lists_around_an_empty_one_end_at_once() {
        let many = vec!["x".to_owned(); 1_000_000];
        let rule = PolicyRule {
            api_groups: Some(many.clone()),
            resources: Some(many),
            ..PolicyRule::default()
        };
        assert_eq!(atoms(&rule, "").count(), 0);
        assert_eq!(grant_count(&rule), 0);
    }
}
