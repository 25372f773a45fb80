//! Sufficient, minimal, and wider only by a named policy.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::rbac::v1::PolicyRule;
use leastrole::policy::{Cause, IdentityPlan, Names, Options, Plan, Scope, Verbs, plan, rules};
use leastrole::rbac::{self, Atom, ResourceAtom, UrlAtom, covers};
use proptest::prelude::*;
use proptest::sample::select;

use super::events::events;
use super::{defaults, folded, planned, proven};
use crate::support::objects::{atoms, who};

fn options() -> impl Strategy<Value = Options> {
    let policies = (
        select(vec![Names::Exact, Names::Auto, Names::Any]),
        select(vec![Scope::Exact, Scope::Cluster]),
        select(vec![Verbs::Exact, Verbs::Informer]),
    );
    let choices = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let assumed =
        select(vec!["events-write", "events-repeat", "events-read", "probes", "events-write=ci"]);
    (policies, choices, assumed).prop_map(|((names, scope, verbs), choices, assumed)| {
        let (include_denied, succeeded_only, keep_default_grants, takes_class) = choices;
        let assume = takes_class.then(|| assumed.parse().expect("an assumption"));
        let assume = assume.into_iter().collect();
        Options {
            names,
            scope,
            verbs,
            include_denied,
            succeeded_only,
            keep_default_grants,
            assume,
            ..defaults()
        }
    })
}

fn exact() -> Options {
    Options { names: Names::Exact, ..defaults() }
}

/// What RBAC makes of one granted permission and one request, where no wildcard is about.
fn allows(granted: &Atom, asked: &Atom) -> bool {
    match (granted, asked) {
        (Atom::Resource(granted), Atom::Resource(asked)) => {
            (granted.namespace.is_empty() || granted.namespace == asked.namespace)
                && (granted.name.is_empty() || granted.name == asked.name)
                && (&granted.group, &granted.resource, &granted.verb)
                    == (&asked.group, &asked.resource, &asked.verb)
        }
        (Atom::Url(granted), Atom::Url(asked)) => granted == asked,
        _ => false,
    }
}

/// The request that a grant is for. A namespace is named by the place of its Role.
fn asked(grant: &Atom) -> Atom {
    match grant {
        Atom::Resource(atom)
            if atom.resource.starts_with("namespaces") && !atom.namespace.is_empty() =>
        {
            ResourceAtom { name: atom.namespace.clone(), ..atom.clone() }.into()
        }
        _ => grant.clone(),
    }
}

/// The needs of everyone who is bound as one subject: two IAM users may have one username.
fn needs(plan: &Plan) -> BTreeMap<String, BTreeSet<Atom>> {
    let mut needs: BTreeMap<_, BTreeSet<Atom>> = BTreeMap::new();
    for identity in &plan.identities {
        let asked = identity.needs.keys().chain(identity.assumed());
        needs.entry(who(&identity.subject)).or_default().extend(asked.cloned());
    }
    needs
}

/// The needs that remain uncovered by these grants.
fn uncovered<'n>(needs: &'n BTreeSet<Atom>, granted: &BTreeSet<Atom>) -> Vec<&'n Atom> {
    needs.iter().filter(|need| !granted.iter().any(|atom| allows(atom, need))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_options_every_need_is_covered_and_every_grant_is_called_for(
        events in events(),
        options in options(),
    ) {
        let (_, plan) = planned(folded(&events), &options);
        let granted = atoms(&proven(&plan));
        for (subject, needs) in needs(&plan) {
            let granted = granted.get(&subject).cloned().unwrap_or_default();
            prop_assert_eq!(uncovered(&needs, &granted), Vec::<&Atom>::new(), "{}", subject);
        }
    }

    #[test]
    fn with_exact_policies_each_grant_is_the_only_one_for_some_need(events in events()) {
        let (_, plan) = planned(folded(&events), &exact());
        let needs = needs(&plan);
        for (subject, granted) in atoms(&proven(&plan)) {
            for atom in &granted {
                let mut fewer = granted.clone();
                fewer.remove(atom);
                let missed = uncovered(&needs[&subject], &fewer);
                prop_assert!(!missed.is_empty(), "{} can do without {}", subject, atom);
            }
        }
        for identity in &plan.identities {
            prop_assert_eq!(identity.widenings().count(), 0);
        }
    }

    #[test]
    fn no_grant_says_what_another_says_as_well(events in events(), options in options()) {
        let (_, plan) = planned(folded(&events), &options);
        for identity in &plan.identities {
            for atom in identity.grants.keys() {
                let others = identity.grants.keys().filter(|other| *other != atom);
                let twice = others.filter(|other| allows(other, atom)).count();
                prop_assert_eq!(twice, 0, "{} for {}", atom, identity.identity);
            }
        }
    }

    #[test]
    fn policies_only_ever_widen_and_each_widening_is_listed(
        events in events(),
        options in options(),
    ) {
        let (usage, wide) = planned(folded(&events), &options);
        let narrow = Options {
            names: Names::Exact, scope: Scope::Exact, verbs: Verbs::Exact, ..options.clone()
        };
        let narrow = plan(&usage, &narrow);
        for (narrow, wide) in narrow.identities.iter().zip(&wide.identities) {
            prop_assert_eq!(&narrow.needs, &wide.needs);
            for atom in narrow.grants.keys() {
                let asked = asked(atom);
                prop_assert!(wide.grants.keys().any(|grant| allows(grant, &asked)), "{}", atom);
            }
            let is_new = |atom: &&Atom| {
                !narrow.grants.contains_key(*atom) && !narrow.grants.contains_key(&in_place(atom))
            };
            for atom in wide.grants.keys().filter(is_new) {
                let listed = wide.widenings().find(|(widened, _)| *widened == atom);
                let Some((_, grant)) = listed else {
                    return Err(TestCaseError::fail(format!("{atom} is not listed")));
                };
                prop_assert!(!grant.causes.is_empty() && !grant.needs.is_empty(), "{}", atom);
                for cause in &grant.causes {
                    prop_assert!(is_asked_for(*cause, &options), "{}: {}", atom, cause);
                }
            }
        }
    }

    #[test]
    fn a_name_that_bounds_an_escalation_is_never_dropped(events in events()) {
        let options = Options {
            names: Names::Any, scope: Scope::Cluster, verbs: Verbs::Informer, ..defaults()
        };
        let (_, plan) = planned(folded(&events), &options);
        let grants = plan.identities.iter().flat_map(|identity: &IdentityPlan| identity.grants.keys());
        for grant in grants {
            let Atom::Resource(atom) = grant else { continue };
            let bounds = matches!(&*atom.verb, "bind" | "approve" | "impersonate");
            prop_assert!(!bounds || !atom.name.is_empty(), "{}", grant);
        }
    }

    #[test]
    fn rules_grant_exactly_what_they_are_made_of(atoms in local_atoms()) {
        let rules = rules(&atoms);
        let said: Vec<Atom> = rules.iter().flat_map(|rule| rbac::atoms(rule, "")).collect();
        let distinct: BTreeSet<Atom> = said.iter().cloned().collect();
        prop_assert_eq!(said.len(), distinct.len(), "said twice: {:?}", rules);
        prop_assert_eq!(&distinct, &atoms);

        let single: Vec<PolicyRule> = atoms.iter().map(alone).collect();
        prop_assert!(covers(&rules, &single) && covers(&single, &rules));
        for gone in &atoms {
            let fewer: BTreeSet<Atom> = atoms.iter().filter(|atom| *atom != gone).cloned().collect();
            let is_named = matches!(gone, Atom::Resource(atom) if !atom.name.is_empty());
            let fewer = leastrole::policy::rules(&fewer);
            prop_assert!(is_named || !covers(&fewer, &[alone(gone)]), "{} is still there", gone);
        }
    }
}

/// Whether the user's options allow anything to be widened for this cause.
fn is_asked_for(cause: Cause, options: &Options) -> bool {
    match cause {
        Cause::GeneratedName(_) | Cause::ManyNames => options.names == Names::Auto,
        Cause::AnyName => options.names == Names::Any,
        Cause::ClusterScope => options.scope == Scope::Cluster,
        Cause::InformerVerb => options.verbs == Verbs::Informer,
    }
}

/// Permissions of one scope.
fn local_atoms() -> impl Strategy<Value = BTreeSet<Atom>> {
    let resource = (
        select(vec!["", "apps", "batch"]),
        select(vec!["pods", "pods/log", "deployments", "jobs"]),
        select(vec!["", "", "web", "db", "*"]),
        select(vec!["get", "list", "create", "impersonate:user-info"]),
    );
    let resource = resource.prop_map(|(group, resource, name, verb)| {
        Atom::from(ResourceAtom {
            namespace: "".into(),
            group: group.into(),
            resource: resource.into(),
            name: name.into(),
            verb: verb.into(),
        })
    });
    let url = (select(vec!["/metrics", "/a", "/b"]), select(vec!["get", "post"]));
    let url = url.prop_map(|(path, verb)| UrlAtom { path: path.into(), verb: verb.into() }.into());
    proptest::collection::btree_set(prop_oneof![5 => resource, 1 => url], 0..24)
}

/// The rule that says this permission and no other.
fn alone(atom: &Atom) -> PolicyRule {
    let one = |text: &str| Some(vec![text.to_owned()]);
    let verbs = vec![atom.verb().to_owned()];
    match atom {
        Atom::Resource(atom) => PolicyRule {
            api_groups: one(&atom.group),
            resources: one(&atom.resource),
            resource_names: one(&atom.name).filter(|_| !atom.name.is_empty()),
            verbs,
            non_resource_urls: None,
        },
        Atom::Url(atom) => {
            PolicyRule { non_resource_urls: one(&atom.path), verbs, ..PolicyRule::default() }
        }
    }
}

/// A grant that names a namespace for the whole cluster, as the one in that namespace:
/// they say the same.
fn in_place(atom: &Atom) -> Atom {
    match atom {
        Atom::Resource(it) if it.group.is_empty() && it.resource.starts_with("namespaces") => {
            ResourceAtom { namespace: it.name.clone(), name: "".into(), ..it.clone() }.into()
        }
        _ => atom.clone(),
    }
}
