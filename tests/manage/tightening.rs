//! What `tighten` keeps, cuts, drops and splits.

use super::{READER, READER_USER, cluster_role, given, load, role, run};
use crate::support::events::{Event, event, log};
use crate::support::objects::atoms;
use crate::support::program::leastrole;

fn get(user: &str, uri: &str) -> Event {
    event(user, "get", uri)
}

/// The account `reader` gets a chosen and a generated name, and lists.
fn reads() -> String {
    log([
        get(READER_USER, "/api/v1/namespaces/shop/configmaps/app"),
        get(READER_USER, "/api/v1/namespaces/shop/pods/web-6d4cf56db6-x2x9k"),
        event(READER_USER, "list", "/api/v1/namespaces/shop/pods"),
    ])
}

fn words(manifests: &str, who: &str) -> Vec<String> {
    let granted = atoms(&load(manifests)).remove(who).unwrap_or_default();
    granted.iter().map(ToString::to_string).collect()
}

#[test]
fn metadata_and_the_order_of_lists_survive_and_server_fields_do_not() {
    let manifests = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: reader
  namespace: shop
  uid: 4d4d4d4d-0b7c-4a4a-8f8f-000000000001
  resourceVersion: '7'
  creationTimestamp: '2026-11-20T09:00:00Z'
  labels: {team: shop}
  annotations:
    note: 'mine'
    kubectl.kubernetes.io/last-applied-configuration: '{}'
rules:
- verbs: [watch, list, delete]
  apiGroups: ['']
  resources: [services, pods]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: shop}]
";
    let log = log([
        event(READER_USER, "list", "/api/v1/namespaces/shop/pods"),
        event(READER_USER, "watch", "/api/v1/namespaces/shop/pods?watch=1"),
    ]);
    let ran = run("tighten", manifests, &[], &log).clean();
    assert_eq!(
        ran.stdout,
        "---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  annotations:
    note: mine
  labels:
    team: shop
  name: reader
  namespace: shop
rules:
- apiGroups:
  - \"\"
  resources:
  - pods
  verbs:
  - watch
  - list
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: reader
  namespace: shop
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: reader
subjects:
- kind: ServiceAccount
  name: reader
  namespace: shop
"
    );
}

#[test]
fn names_follow_the_policy() {
    let rules = "[{apiGroups: [''], resources: [configmaps, pods], verbs: [get]}]";
    let manifests = role("shop", "r", rules, READER);
    let who = "ServiceAccount shop/reader";
    for (names, expected) in [
        (
            "exact",
            &[
                "get configmaps \"app\" in namespace shop",
                "get pods \"web-6d4cf56db6-x2x9k\" in namespace shop",
            ][..],
        ),
        ("auto", &["get configmaps \"app\" in namespace shop", "get pods in namespace shop"]),
        ("any", &["get configmaps in namespace shop", "get pods in namespace shop"]),
    ] {
        let ran = run("tighten", &manifests, &["--names", names], &reads()).clean();
        assert_eq!(words(&ran.stdout, who), expected, "{names}");
    }
    // A name that the role has stays a name, also where the policy would drop it.
    let rules = "[{apiGroups: [''], resources: [pods], resourceNames: [web-6d4cf56db6-x2x9k, x], \
                 verbs: [get]}]";
    let ran = run("tighten", &role("shop", "r", rules, READER), &[], &reads()).clean();
    assert_eq!(words(&ran.stdout, who), ["get pods \"web-6d4cf56db6-x2x9k\" in namespace shop"]);
}

#[test]
fn a_shared_role_keeps_the_union_and_splitting_gives_each_its_own() {
    let rules = "[{apiGroups: [''], resources: [pods], verbs: [get, list, delete]}]";
    let subjects = "{kind: User, name: ann}, {kind: User, name: bob}, {kind: User, name: carl}";
    let manifests = role("shop", "devs", rules, subjects);
    let log = log([
        get("ann", "/api/v1/namespaces/shop/pods/web-6d4cf56db6-x2x9k"),
        event("bob", "list", "/api/v1/namespaces/shop/pods"),
    ]);
    let union = ["get pods in namespace shop", "list pods in namespace shop"];
    let ran = run("tighten", &manifests, &[], &log).clean();
    for who in ["User ann", "User bob", "User carl"] {
        assert_eq!(words(&ran.stdout, who), union, "{who}");
    }
    let ran = run("tighten", &manifests, &["--drop-unused-bindings"], &log).clean();
    assert_eq!(words(&ran.stdout, "User ann"), union);
    assert_eq!(words(&ran.stdout, "User carl"), [""; 0]);
    let ran = run("tighten", &manifests, &["--split"], &log).clean();
    assert_eq!(words(&ran.stdout, "User ann"), union[..1]);
    assert_eq!(words(&ran.stdout, "User bob"), union[1..]);
    // Nothing is left in the role that carl keeps.
    assert_eq!(words(&ran.stdout, "User carl"), [""; 0]);
    assert!(ran.stdout.contains("subjects:\n- kind: User\n  name: carl\n"), "{}", ran.stdout);
    let ran = run("tighten", &manifests, &["--split", "--drop-unused-bindings"], &log).clean();
    assert!(!ran.stdout.contains("carl") && !ran.stdout.contains("name: devs"), "{}", ran.stdout);
}

#[test]
fn a_role_that_kubernetes_brings_along_is_said_to_be_kept() {
    let binding =
        cluster_role("admin", "[]", READER).replace("name: admin}", "name: cluster-admin}");
    let binding = binding.rsplit_once("---\n").unwrap().1;
    let ran = run("tighten", binding, &[], &reads()).clean();
    assert!(
        ran.stderr.contains("ClusterRole \"cluster-admin\": it is not among"),
        "{}",
        ran.stderr
    );
    let ran = run("tighten", binding, &["--split"], &reads()).clean();
    assert!(!ran.stderr.contains("Kept as they are"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("cluster-admin"), "{}", ran.stdout);
}

#[test]
fn what_is_bound_too_widely_is_cut_in_place_and_split_by_namespace() {
    let rules = "[{apiGroups: [''], resources: [pods, nodes], verbs: ['*']}]";
    let manifests = cluster_role("wide", rules, READER);
    let log = log([event(READER_USER, "list", "/api/v1/namespaces/shop/pods")]);
    let ran = run("tighten", &manifests, &[], &log).clean();
    assert_eq!(words(&ran.stdout, "ServiceAccount shop/reader"), ["list pods"]);
    let ran = run("tighten", &manifests, &["--split"], &log).clean();
    assert_eq!(words(&ran.stdout, "ServiceAccount shop/reader"), ["list pods in namespace shop"]);
    assert!(ran.stdout.contains("name: leastrole:sa:shop:reader\n  namespace: shop"));
    assert!(!ran.stdout.contains("kind: ClusterRole\n"), "{}", ran.stdout);
}

#[test]
fn what_is_used_in_the_whole_cluster_too_is_not_split_by_namespace() {
    let rules = "[{apiGroups: [''], resources: [pods], verbs: [list]}]";
    let manifests = cluster_role("lister", rules, READER);
    let list = |uri: &str| event(READER_USER, "list", uri);
    let log = log([list("/api/v1/pods"), list("/api/v1/namespaces/shop/pods")]);
    let ran = run("tighten", &manifests, &["--split", "--diff"], &log).clean();
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_namespace_itself_stays_that_namespace() {
    let rules = "[{apiGroups: ['*'], resources: ['*'], verbs: [get]}]";
    let manifests = cluster_role("wide", rules, READER);
    let log = log([get(READER_USER, "/api/v1/namespaces/shop")]);
    let who = "ServiceAccount shop/reader";
    let ran = run("tighten", &manifests, &[], &log).clean();
    assert_eq!(words(&ran.stdout, who), ["get namespaces \"shop\""]);
    let ran = run("tighten", &manifests, &["--split"], &log).clean();
    assert_eq!(words(&ran.stdout, who), ["get namespaces in namespace shop"]);
    // Also for whoever would be granted it by name, beside other namespaces.
    let log = log
        + &event(READER_USER, "create", "/api/v1/namespaces")
            .with("objectRef", serde_json::json!({"resource": "namespaces", "name": "shop"}))
            .to_string();
    let manifests =
        role("shop", "r", "[{apiGroups: [''], resources: [namespaces], verbs: [get]}]", READER);
    let ran = run("tighten", &manifests, &["--names", "exact", "--diff"], &log).clean();
    assert_eq!(ran.stdout, "");
}

#[test]
fn an_object_that_is_already_called_so_is_not_overwritten() {
    let rules = "[{apiGroups: [''], resources: [secrets], verbs: [list]}]";
    let manifests = role("shop", "'leastrole:sa:shop:reader'", rules, "{kind: Group, name: ops}")
        + &cluster_role("wide", "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]", READER);
    let ran = run("tighten", &manifests, &["--split"], &reads()).clean();
    assert_eq!(words(&ran.stdout, "Group ops"), ["list secrets in namespace shop"]);
    assert!(ran.stdout.contains("name: leastrole:sa:shop:reader:split\n"), "{}", ran.stdout);
}

#[test]
fn aggregated_roles_are_cut_where_their_rules_stand() {
    let manifests = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {to: sum}}
rules: [{apiGroups: [''], resources: [pods], verbs: [list, delete]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: sum}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: sum}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: sum}
subjects: [{kind: ServiceAccount, name: reader}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: for-view, labels: {rbac.authorization.k8s.io/aggregate-to-view: 'true'}}
rules: [{apiGroups: [example.com], resources: [orders], verbs: [list]}]
";
    let ran = run("tighten", manifests, &[], &reads()).clean();
    assert_eq!(words(&ran.stdout, "ServiceAccount reader"), ["list pods in namespace shop"]);
    // Whoever holds view holds this too, whether bound here or elsewhere.
    assert!(ran.stdout.contains("- example.com\n"), "{}", ran.stdout);
    assert!(ran.stderr.contains("takes its rules over"), "{}", ran.stderr);
}

#[test]
fn a_short_log_removes_nothing_that_a_long_one_is_asked_for() {
    let manifests =
        role("shop", "r", "[{apiGroups: [''], resources: ['*'], verbs: ['*']}]", READER);
    let ran = run("tighten", &manifests, &["--unused-for", "30d"], &reads());
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("nothing is removed"), "{}", ran.stderr);
    run("tighten", &manifests, &["--unused-for", "1s"], &reads()).clean();
}

#[test]
fn a_diff_shows_only_what_changes() {
    let rules = "[{apiGroups: [''], resources: [pods, services], verbs: [list]}]";
    let manifests = role("shop", "r", rules, READER);
    let given = given(&manifests);
    let args = ["tighten", "--diff", "--quiet", "--rbac", given.path(), "-"];
    let ran = leastrole(args).input(reads()).run().clean();
    let changed: Vec<&str> =
        ran.stdout.lines().filter(|line| line.starts_with(['-', '+'])).collect();
    assert_eq!(changed, ["--- given", "+++ tightened", "-  - services"]);
    let ran = leastrole(args).env("CLICOLOR_FORCE", "1").input(reads()).run().clean();
    assert!(ran.stdout.contains("\u{1b}[31m-  - services\u{1b}[0m"), "{:?}", ran.stdout);
}

#[test]
fn what_the_log_cannot_show_is_kept_where_it_is_granted_by_name() {
    let rules = "[{apiGroups: [''], resources: [events, pods], verbs: [create, patch]}]";
    let manifests = role("shop", "r", rules, READER);
    // Nothing says that core events are logged: EKS never does.
    let log = log([event(READER_USER, "create", "/api/v1/namespaces/shop/pods")]);
    let ran = run("tighten", &manifests, &[], &log).clean();
    assert_eq!(
        words(&ran.stdout, "ServiceAccount shop/reader"),
        [
            "create events in namespace shop",
            "patch events in namespace shop",
            "create pods in namespace shop",
        ]
    );
    assert!(ran.stderr.contains("2 kept because the log could not show them"), "{}", ran.stderr);
    // A wildcard is filled with what was used, and with what is assumed.
    let everything = "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]";
    let manifests = role("shop", "r", everything, READER);
    let ran = run("tighten", &manifests, &[], &log).clean();
    assert_eq!(words(&ran.stdout, "ServiceAccount shop/reader"), ["create pods in namespace shop"]);
    let assume = ["--assume", "events-write=shop:reader"];
    let ran = run("tighten", &manifests, &assume, &log).clean();
    assert_eq!(words(&ran.stdout, "ServiceAccount shop/reader").len(), 3, "{}", ran.stdout);
}

#[test]
fn objects_that_could_not_be_judged_come_out_as_they_went_in() {
    let rules = "[{apiGroups: [''], resources: [pods], verbs: [list, delete]}]";
    let manifests = role("shop", "r", rules, "{kind: Group, name: ops}")
        + &role("shop", "s", rules, "{kind: User, name: 'eks:node-manager'}")
        + &cluster_role("t", rules, "{kind: Group, name: 'system:authenticated'}");
    let ran = run("tighten", &manifests, &["--drop-unused-bindings", "--split"], &reads()).clean();
    assert_eq!(load(&ran.stdout), load(&manifests));
    for why in [
        "no member of the group is in the log",
        "it is the control plane's own",
        "the group has members that are not looked at",
    ] {
        assert!(ran.stderr.contains(why), "{why}: {}", ran.stderr);
    }
}
