//! What holds for every log and every RBAC: tightening never takes what is needed, never
//! gives anything, and has nothing left to do the second time; and what `generate` makes
//! is neither too little nor too much for `check`.

use std::collections::BTreeSet;

use leastrole::findings::{Code, findings};
use leastrole::output::object_yaml;
use leastrole::policy::{Names, Options, Plan, plan};
use leastrole::rbac::manifests::{Loaded, Manifests};
use leastrole::rbac::{Atom, Evaluator, Requester, ResourceAtom, UrlAtom, held_by_default};
use leastrole::review::{Parties, Review};
use leastrole::tighten::{Choices, prove, tighten};
use leastrole::usage::{Selection, Usage};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::properties::events::events;
use crate::properties::{defaults, folded, planned, proven, selection};

const RBAC: &str = "rbac.authorization.k8s.io";

fn loaded(manifests: &str) -> Loaded {
    let mut reader = Manifests::default();
    reader.read("given", manifests.as_bytes()).expect("the manifests can be read");
    reader.finish()
}

/// Does something with the review of given manifests.
fn reviewed<T>(
    given: &Loaded,
    usage: &Usage,
    plan: &Plan,
    options: &Options,
    selection: &Selection,
    work: impl FnOnce(&Review<'_>, &leastrole::rbac::Objects) -> T,
) -> T {
    let all = given.with_builtin_roles();
    let evaluator = Evaluator::new(&all);
    let parties = Parties::new(plan, selection, &[]);
    let review = Review::new(&given.objects, &evaluator, parties, usage, options.audit_policy());
    work(&review, &all)
}

/// The manifests as `tighten` prints them, proved.
fn tightened(manifests: &str, usage: &Usage, options: &Options, choices: Choices) -> String {
    let given = loaded(manifests);
    let plan = plan(usage, options);
    reviewed(&given, usage, &plan, options, &selection(), |review, all| {
        let tightened = tighten(review, &given, all, choices);
        let text = object_yaml(tightened.objects.iter()).expect("objects can be written");
        let after = loaded(&text);
        assert_eq!(after.objects.len(), tightened.objects.len());
        let all = after.with_builtin_roles();
        let evaluator = Evaluator::new(&all);
        if let Err(mismatches) = prove(review, &given.objects, &after.objects, &evaluator) {
            panic!("{mismatches:#?}\n{manifests}\n{text}");
        }
        text
    })
}

fn some(words: &'static [&'static str], least: usize) -> impl Strategy<Value = Vec<&'static str>> {
    proptest::sample::subsequence(words, least..=words.len().min(4))
}

fn rule() -> impl Strategy<Value = Value> {
    let resources = (
        some(&["get", "list", "watch", "create", "update", "patch", "delete", "*"], 1),
        some(&["", "apps", "batch", "*"], 1),
        some(
            &[
                "pods",
                "pods/exec",
                "*/scale",
                "configmaps",
                "secrets",
                "namespaces",
                "jobs",
                "events",
                "*",
            ],
            1,
        ),
        prop_oneof![
            3 => Just(vec![]),
            1 => some(&["web", "shop", "*", "web-6d4cf56db6-x2x9k", ""], 1)
        ],
    );
    let resources = resources.prop_map(|(verbs, groups, resources, names)| {
        json!({"verbs": verbs, "apiGroups": groups, "resources": resources, "resourceNames": names})
    });
    let urls = (
        some(&["get", "post", "*"], 1),
        some(&["/metrics", "/metrics/*", "/healthz*", "/version", "*"], 1),
    );
    let urls = urls.prop_map(|(verbs, urls)| json!({"verbs": verbs, "nonResourceURLs": urls}));
    prop_oneof![5 => resources, 1 => urls]
}

fn subject() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"kind": "User", "name": "alice"}),
        json!({"kind": "User", "name": "bob"}),
        json!({"kind": "User", "name": "nobody"}),
        json!({"kind": "User", "name": "ci-1"}),
        json!({"kind": "Group", "name": "devs"}),
        json!({"kind": "Group", "name": "system:authenticated"}),
        json!({"kind": "Group", "name": "system:serviceaccounts:shop"}),
        json!({"kind": "Group", "name": "leastrole:ci"}),
        json!({"kind": "Group", "name": "empty"}),
        json!({"kind": "ServiceAccount", "name": "web", "namespace": "shop"}),
        json!({"kind": "ServiceAccount", "name": "web", "namespace": "pay"}),
        json!({"kind": "ServiceAccount", "name": "idle", "namespace": "pay"}),
    ])
}

/// Up to three ClusterRoles, three Roles and six bindings, some to what is not there and
/// some to what Kubernetes has.
fn manifests() -> impl Strategy<Value = String> {
    let of_role = || proptest::collection::vec(rule(), 0..4);
    let cluster_roles = proptest::collection::vec((of_role(), any::<bool>()), 0..4);
    let roles = proptest::collection::vec((of_role(), select(vec!["shop", "pay"])), 0..4);
    let binding = (
        select(vec!["", "shop", "pay"]),
        select(vec!["c0", "c1", "c2", "sum", "r0", "r1", "r2", "cluster-admin", "view", "gone"]),
        proptest::collection::vec(subject(), 0..4),
    );
    let bindings = proptest::collection::vec(binding, 1..7);
    (cluster_roles, roles, bindings).prop_map(|(cluster_roles, roles, bindings)| {
        let mut objects = vec![json!({
            "apiVersion": format!("{RBAC}/v1"),
            "kind": "ClusterRole",
            "metadata": {"name": "sum"},
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"to": "sum"}}]},
        })];
        for (index, (rules, feeds)) in cluster_roles.into_iter().enumerate() {
            let labels = if feeds { json!({"to": "sum"}) } else { json!({}) };
            objects.push(json!({
                "apiVersion": format!("{RBAC}/v1"),
                "kind": "ClusterRole",
                "metadata": {"name": format!("c{index}"), "labels": labels},
                "rules": rules,
            }));
        }
        for (index, (rules, namespace)) in roles.into_iter().enumerate() {
            objects.push(json!({
                "apiVersion": format!("{RBAC}/v1"),
                "kind": "Role",
                "metadata": {"name": format!("r{index}"), "namespace": namespace},
                "rules": rules,
            }));
        }
        for (index, (namespace, role, subjects)) in bindings.into_iter().enumerate() {
            let is_local = role.starts_with('r');
            let kind = if namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
            let role_kind = if is_local && !namespace.is_empty() { "Role" } else { "ClusterRole" };
            objects.push(json!({
                "apiVersion": format!("{RBAC}/v1"),
                "kind": kind,
                "metadata": {"name": format!("b{index}"), "namespace": namespace},
                "roleRef": {"apiGroup": RBAC, "kind": role_kind, "name": role},
                "subjects": subjects,
            }));
        }
        objects.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
    })
}

fn choices() -> impl Strategy<Value = Choices> {
    (any::<bool>(), any::<bool>()).prop_map(|(split, drop_unused)| Choices { split, drop_unused })
}

fn options() -> impl Strategy<Value = Options> {
    select(vec![Names::Exact, Names::Auto, Names::Any]).prop_map(|names| Options {
        names,
        keep_default_grants: true,
        ..defaults()
    })
}

/// Requests that the rules and the log are about.
fn request() -> impl Strategy<Value = Atom> {
    let resource = (
        select(vec!["", "shop", "pay", "stage"]),
        select(vec!["", "apps", "batch"]),
        select(vec![
            "pods",
            "pods/exec",
            "deployments/scale",
            "configmaps",
            "secrets",
            "namespaces",
        ]),
        select(vec!["", "web", "shop", "other", "web-6d4cf56db6-x2x9k"]),
        select(vec!["get", "list", "watch", "create", "update", "delete"]),
    );
    let resource = resource.prop_map(|(namespace, group, resource, name, verb)| {
        Atom::from(ResourceAtom {
            namespace: namespace.into(),
            group: group.into(),
            resource: resource.into(),
            name: name.into(),
            verb: verb.into(),
        })
    });
    let url =
        (select(vec!["/metrics", "/metrics/a", "/version", "/x"]), select(vec!["get", "post"]));
    let url =
        url.prop_map(|(path, verb)| Atom::from(UrlAtom { path: path.into(), verb: verb.into() }));
    prop_oneof![5 => resource, 1 => url]
}

fn requester() -> impl Strategy<Value = Requester> {
    select(vec![
        Requester::new("alice", ["system:authenticated"]),
        Requester::new("nobody", ["empty", "system:authenticated"]),
        Requester::new("dev", ["devs", "leastrole:ci", "system:authenticated"]),
        Requester::service_account("shop", "web"),
        Requester::service_account("pay", "idle"),
    ])
}

proptest! {
    #[test]
    fn tightening_never_uncovers_and_never_adds(
        events in events(),
        manifests in manifests(),
        choices in choices(),
        options in options(),
        asked in proptest::collection::vec((requester(), request()), 40),
    ) {
        let mut usage = folded(&events);
        usage.settle();
        let after = tightened(&manifests, &usage, &options, choices);
        let (before, after) = (loaded(&manifests), loaded(&after));
        let (before, after) = (before.with_builtin_roles(), after.with_builtin_roles());
        let (before, after) = (Evaluator::new(&before), Evaluator::new(&after));
        for (requester, request) in asked {
            let now = after.authorize(&requester, &request).is_allowed();
            prop_assert!(!now || before.authorize(&requester, &request).is_allowed(), "{request}");
        }
        let plan = plan(&usage, &options);
        let selection = selection();
        for party in Parties::new(&plan, &selection, &[]).all() {
            for (need, requester) in
                party.needs.iter().flat_map(|need| party.requesters.iter().map(move |it| (need, it)))
            {
                // A session's own username says nothing about the others' sessions.
                if party.requesters.len() > 1 {
                    continue;
                }
                let was = before.authorize(requester, need.atom).is_allowed();
                let is = after.authorize(requester, need.atom).is_allowed()
                    || held_by_default(requester, need.atom)
                    || need.by_default;
                prop_assert!(!was || is, "{} by {}", need.atom, requester.username);
            }
        }
    }

    #[test]
    fn tightening_twice_is_tightening_once(
        events in events(),
        manifests in manifests(),
        choices in choices(),
        options in options(),
    ) {
        let mut usage = folded(&events);
        usage.settle();
        let once = tightened(&manifests, &usage, &options, choices);
        let twice = tightened(&once, &usage, &options, choices);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn what_generate_makes_is_neither_missing_nor_unused_nor_wide(events in events()) {
        let exact = Options { names: Names::Exact, ..defaults() };
        let (usage, plan) = planned(folded(&events), &exact);
        let generated = object_yaml(proven(&plan).iter()).unwrap();
        let given = loaded(&generated);
        prop_assert_eq!(given.problems.len(), 0);
        let options = Options { keep_default_grants: true, ..exact };
        let plan = leastrole::policy::plan(&usage, &options);
        let found: BTreeSet<Code> =
            reviewed(&given, &usage, &plan, &options, &selection(), |review, all| {
                findings(review, &given, all).into_iter().map(|finding| finding.code).collect()
            });
        let wrong: Vec<&str> = found
            .iter()
            .map(|code| code.label())
            .filter(|code| !code.starts_with("risk-") && !code.starts_with("outside-"))
            .collect();
        prop_assert!(wrong.is_empty(), "{:?}\n{}", wrong, generated);
    }
}
