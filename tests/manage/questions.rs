//! `who-can` and `lookup`: what other tools get wrong, and what none of them knows.

use super::{cluster_role, given, role, run};
use crate::support::events::{event, log};
use crate::support::program::{Ran, leastrole};

pub(super) fn who_can(manifests: &str, args: &[&str]) -> Ran {
    let given = given(manifests);
    leastrole([&["who-can"], args, &["--rbac", given.path()]].concat()).run()
}

pub(super) fn lookup(manifests: &str, args: &[&str]) -> Ran {
    let given = given(manifests);
    leastrole([&["lookup"], args, &["--rbac", given.path()]].concat()).run()
}

/// rbac-tool who-can: `pods/exec` is read as the pod called exec.
#[test]
fn a_subresource_is_not_a_name() {
    let pods = "[{apiGroups: [''], resources: [pods], verbs: ['*']}]";
    let exec = "[{apiGroups: [''], resources: [pods/exec], verbs: [create]}]";
    let manifests = role("shop", "pods", pods, "{kind: User, name: alice}")
        + &role("shop", "exec", exec, "{kind: User, name: bob}");
    let ran = who_can(&manifests, &["create", "pods/exec"]).clean();
    assert!(ran.stdout.contains("User bob") && !ran.stdout.contains("alice"), "{}", ran.stdout);
    let ran = who_can(&manifests, &["create", "pods", "--name", "exec"]).clean();
    assert!(ran.stdout.contains("User alice") && !ran.stdout.contains("bob"), "{}", ran.stdout);
    let ran = who_can(&manifests, &["create", "pods/exec/web"]).clean();
    assert!(ran.stdout.contains("User bob"), "{}", ran.stdout);
}

/// kubectl-who-can, rbac-tool: URLs match literally only.
#[test]
fn url_prefixes_and_the_star_are_found() {
    let manifests = cluster_role(
        "prefix",
        "[{nonResourceURLs: ['/healthz/*'], verbs: [get]}]",
        "{kind: User, name: alice}",
    ) + &cluster_role(
        "star",
        "[{nonResourceURLs: ['*'], verbs: ['*']}]",
        "{kind: User, name: bob}",
    );
    let ran = who_can(&manifests, &["get", "/healthz/etcd"]).clean();
    assert!(ran.stdout.contains("alice") && ran.stdout.contains("bob"), "{}", ran.stdout);
    let ran = who_can(&manifests, &["get", "/healthz"]).clean();
    assert!(!ran.stdout.contains("alice") && ran.stdout.contains("bob"), "{}", ran.stdout);
}

/// kubectl-who-can: `-A` leaves out every RoleBinding.
#[test]
fn all_namespaces_include_those_of_role_bindings() {
    let pods = "[{apiGroups: [''], resources: [pods], verbs: [list]}]";
    let manifests = role("shop", "r", pods, "{kind: User, name: alice}");
    for args in [&["list", "pods", "-A"][..], &["list", "pods"], &["list", "pods", "-n", "shop"]] {
        let ran = who_can(&manifests, args).clean();
        assert!(ran.stdout.contains("User alice  shop"), "{args:?}: {}", ran.stdout);
    }
    for args in [&["list", "pods", "-n", "other"][..], &["list", "pods", "--cluster-wide"]] {
        let ran = who_can(&manifests, args);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), "nobody\n"), "{args:?}");
    }
}

/// rbac-tool who-can: a rule for some names counts when none is asked for.
#[test]
fn rules_for_some_names_count_only_for_these() {
    let rules = "[{apiGroups: [''], resources: [secrets], resourceNames: [db], verbs: [get]}]";
    let manifests = role("shop", "r", rules, "{kind: User, name: alice}");
    let ran = who_can(&manifests, &["get", "secrets"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("1 more may for some names only"), "{}", ran.stderr);
    assert_eq!(who_can(&manifests, &["get", "secrets/db"]).code, Some(0));
    assert_eq!(who_can(&manifests, &["get", "secrets/other"]).code, Some(1));
}

/// rbac-lookup: a User and a Group of one name are one entry, of the first kind.
#[test]
fn a_user_and_a_group_of_one_name_are_two() {
    let pods = "[{apiGroups: [''], resources: [pods], verbs: [get]}]";
    let logs = "[{apiGroups: [''], resources: [pods/log], verbs: [get]}]";
    let manifests = role("shop", "pods", pods, "{kind: User, name: ops}")
        + &role("shop", "logs", logs, "{kind: Group, name: ops}");
    let ran = lookup(&manifests, &["ops"]).clean();
    assert_eq!(
        ran.stdout,
        "user ops\n  in namespace shop: Role pods by RoleBinding pods to User ops\n    get pods\n\n\
         group ops\n  in namespace shop: Role logs by RoleBinding logs to Group ops\n    \
         get pods/log\n"
    );
    let ran = lookup(&manifests, &["ops", "--kind", "group"]).clean();
    assert!(!ran.stdout.contains("user ops"), "{}", ran.stdout);
}

/// rbac-lookup and rbac-tool lookup: bindings to ClusterRoles in a namespace without Roles.
#[test]
fn a_role_binding_to_a_cluster_role_counts_in_its_namespace() {
    let manifests = "---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: viewers, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: Group, name: devs}]
";
    let ran = lookup(manifests, &["devs"]).clean();
    assert!(
        ran.stdout.contains("in namespace shop: ClusterRole view by RoleBinding viewers"),
        "{}",
        ran.stdout
    );
    let ran = who_can(manifests, &["list", "deploy", "-n", "shop"]).clean();
    assert!(ran.stdout.contains("Group devs"), "{}", ran.stdout);
    assert_eq!(who_can(manifests, &["get", "secrets", "-n", "shop"]).code, Some(1));
    assert_eq!(who_can(manifests, &["list", "nodes"]).code, Some(1), "inert in a namespace");
}

/// amartinawi/eks-rbac-audit: IAM roles are found by aws-auth and by access entries.
#[test]
fn iam_roles_hold_what_the_groups_that_they_are_mapped_to_hold() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).to_str().unwrap().to_owned()
    };
    let entry = file(
        "entry.json",
        r#"{"accessEntry": {"principalArn": "arn:aws:iam::111122223333:role/team/ci",
            "kubernetesGroups": ["deployers"], "type": "STANDARD",
            "username": "arn:aws:sts::111122223333:assumed-role/ci/{{SessionName}}"}}"#,
    );
    let aws_auth = file(
        "aws-auth.yaml",
        "kind: ConfigMap\ndata:\n  mapRoles: |\n    \
         - {rolearn: 'arn:aws:iam::111122223333:role/dev', username: dev, groups: [devs]}\n    \
         - {rolearn: 'arn:aws:iam::111122223333:role/admin', groups: ['system:masters']}\n",
    );
    let rules = "[{apiGroups: [''], resources: [pods], verbs: [list]}]";
    let manifests =
        role("shop", "r", rules, "{kind: Group, name: deployers}, {kind: Group, name: devs}");
    let mapped = ["--aws-auth", &entry, "--aws-auth", &aws_auth];
    let lookup = |who: &str| lookup(&manifests, &[&[who], &mapped[..]].concat());
    for who in [
        "ci",
        "*/ci",
        "arn:aws:iam::111122223333:role/ci",
        "arn:aws:iam::111122223333:role/team/ci",
        "arn:aws:sts::111122223333:assumed-role/ci/session-1",
    ] {
        let ran = lookup(who).clean();
        assert_eq!(
            ran.stdout,
            "IAM identity arn:aws:iam::111122223333:role/ci\n  in namespace shop: Role r by \
             RoleBinding r to Group deployers\n    list pods\n",
            "{who}"
        );
    }
    let everybody = lookup("arn:aws:iam::*").clean();
    assert_eq!(everybody.stdout.matches("IAM identity").count(), 3, "{}", everybody.stdout);
    // No manifest says so, and still it may do everything.
    let ran = lookup("admin").clean();
    assert!(ran.stdout.contains("ClusterRole cluster-admin by"), "{}", ran.stdout);

    let ran = who_can(&manifests, &[&["list", "pods"], &mapped[..]].concat()).clean();
    for who in [
        "Group deployers (arn:aws:iam::111122223333:role/ci)",
        "Group devs (arn:aws:iam::111122223333:role/dev)",
        "Group system:masters (arn:aws:iam::111122223333:role/admin)",
    ] {
        assert!(ran.stdout.contains(who), "{who}: {}", ran.stdout);
    }
    // Unless asked about, it stays what the manifests say.
    assert_eq!(who_can(&manifests, &["get", "secrets"]).code, Some(1));
    assert_eq!(
        who_can(&manifests, &["get", "secrets", "--as-group", "system:masters"]).code,
        Some(0)
    );
}

/// Whoever is in a group by the log alone holds what the group holds.
#[test]
fn a_log_tells_groups_and_last_use() {
    let rules = "[{apiGroups: [''], resources: [pods], verbs: [list, delete]}]";
    let manifests = role("shop", "devs", rules, "{kind: Group, name: devs}");
    let user = serde_json::json!({"username": "ann", "groups": ["devs", "system:authenticated"]});
    let time = serde_json::json!("2026-11-20T09:00:00.000000Z");
    let log = log([event("ann", "list", "/api/v1/namespaces/shop/pods")
        .with("user", user)
        .with("requestReceivedTimestamp", time.clone())
        .with("stageTimestamp", time)]);
    assert_eq!(lookup(&manifests, &["ann"]).code, Some(1));
    let given = given(&manifests);
    let ask = |args: &[&str]| {
        let args = [args, &["--rbac", given.path(), "-"]].concat();
        leastrole(args).input(log.clone()).run().clean().stdout
    };
    let said = ask(&["lookup", "ann"]);
    assert!(said.contains("to Group devs, last used 2026-11-20 09:00:00"), "{said}");
    let said = ask(&["who-can", "list", "pods", "-n", "shop"]);
    assert!(said.contains("RoleBinding devs  2026-11-20 09:00:00"), "{said}");
    let said = ask(&["who-can", "delete", "pods"]);
    assert!(said.contains("RoleBinding devs  not in this log"), "{said}");
}

#[test]
fn objects_that_no_answer_takes_into_account_are_named() {
    let rules = "[{apiGroups: [''], resources: [pods], verbs: [list]}]";
    let good = role("shop", "r", rules, "{kind: User, name: ann}");
    let bad = role("shop", "bad", "no list", "{kind: User, name: bob}");
    let manifests = good + &bad;
    let named = "left out: ";
    let ran = who_can(&manifests, &["list", "pods"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stderr.contains(named) && ran.stderr.contains("Role \"bad\""), "{}", ran.stderr);
    assert!(lookup(&manifests, &["bob"]).stderr.contains(named));
    assert_eq!(lookup(&manifests, &["bob", "--quiet"]).stderr, "");
    let log = log([event("ann", "list", "/api/v1/namespaces/shop/pods")]);
    assert!(run("tighten", &manifests, &[], &log).stderr.contains(named));
}
