//! What the log cannot tell is said, and nothing is concluded from it.

use super::{READER, READER_USER, codes, report, role, run, sentences};
use crate::support::events::{event, log};

const LIST_AND_DELETE: &str = "[{apiGroups: [''], resources: [pods], verbs: [list, delete]}]";

fn reads() -> String {
    log([event(READER_USER, "list", "/api/v1/namespaces/shop/pods")])
}

#[test]
fn nothing_is_unused_for_a_group_without_members() {
    let manifests = role("shop", "ops", LIST_AND_DELETE, "{kind: Group, name: ops}");
    let report = report(&manifests, &[], &reads());
    assert_eq!(
        sentences(&report),
        [
            "missing-binding: service account shop:reader used 1 permission, and nothing here \
             binds it",
            "unseen-subject: no member of group ops made a request, bound by: \
             RoleBinding \"ops\" in namespace \"shop\"",
        ]
    );
    assert_eq!(report["not_judged"][0]["subject"], "group ops");
}

#[test]
fn selecting_identities_leaves_the_others_unjudged() {
    let manifests = role("shop", "r", LIST_AND_DELETE, READER)
        + &role("shop", "s", LIST_AND_DELETE, "{kind: User, name: ann}");
    let report = report(&manifests, &["--serviceaccount", "shop:*"], &reads());
    assert_eq!(sentences(&report), ["unused-verb: verbs that were not used: delete pods"]);
    let subjects: Vec<&str> = report["not_judged"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["subject"].as_str().unwrap())
        .collect();
    assert_eq!(subjects, ["user ann"]);
}

#[test]
fn an_iam_role_is_in_the_group_that_it_is_to_be_put_into() {
    let arn = "arn:aws:iam::111122223333:role/ci";
    let log = log([event("x", "list", "/api/v1/namespaces/shop/pods").by_iam("ci-1", arn, "1")]);
    let manifests = role("shop", "r", LIST_AND_DELETE, "{kind: Group, name: 'leastrole:ci'}");
    let of_template = report(&manifests, &[], &log);
    assert_eq!(sentences(&of_template), ["unused-verb: verbs that were not used: delete pods"]);
    assert_eq!(of_template["assumed_groups"][0]["group"], "leastrole:ci");
    let other = report(&manifests, &["--iam-group-template", "other:{role}"], &log);
    assert!(codes(&other).contains(&"missing-binding".to_owned()), "{other:#}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("aws-auth.yaml");
    let mapped = format!(
        "kind: ConfigMap\ndata:\n  mapRoles: |\n    - rolearn: {arn}\n      groups: [deployers]\n"
    );
    std::fs::write(&path, mapped).unwrap();
    let manifests = role("shop", "r", LIST_AND_DELETE, "{kind: Group, name: deployers}");
    let report = report(&manifests, &["--aws-auth", path.to_str().unwrap()], &log);
    assert_eq!(sentences(&report), ["unused-verb: verbs that were not used: delete pods"]);
    assert_eq!(report["assumed_groups"].as_array().unwrap().len(), 0);
}

#[test]
fn a_session_that_is_bound_by_its_own_name_covers_no_other() {
    let arn = "arn:aws:iam::111122223333:role/ci";
    let list = |name: &str, session: &str| {
        event("x", "list", "/api/v1/namespaces/shop/pods").by_iam(name, arn, session)
    };
    let log = log([list("ci-1", "1"), list("ci-2", "2")]);
    let manifests = role("shop", "r", LIST_AND_DELETE, "{kind: User, name: ci-1}");
    let found = codes(&report(&manifests, &[], &log));
    assert!(found.contains(&"missing-need".to_owned()), "{found:?}");
}

#[test]
fn a_rule_for_the_empty_name_is_left_alone() {
    let rules =
        "[{apiGroups: [''], resources: [pods], resourceNames: [''], verbs: [create, list]}]";
    let log = log([event(READER_USER, "create", "/api/v1/namespaces/shop/pods")]);
    let manifests = role("shop", "r", rules, READER);
    assert_eq!(sentences(&report(&manifests, &[], &log)), [""; 0]);
    let ran = run("tighten", &manifests, &["--diff", "--split"], &log).clean();
    assert_eq!(ran.stdout, "");
}

#[test]
fn what_something_else_allowed_is_named() {
    let rules = "[{apiGroups: [''], resources: [pods], verbs: [list]}]";
    let with_reason = |reason: &str| {
        event(READER_USER, "list", "/api/v1/namespaces/shop/pods").with(
            "annotations",
            serde_json::json!({
                "authorization.k8s.io/decision": "allow",
                "authorization.k8s.io/reason": reason,
            }),
        )
    };
    let own =
        "RBAC: allowed by RoleBinding \"r/shop\" of Role \"r\" to ServiceAccount \"reader/shop\"";
    let other =
        "RBAC: allowed by RoleBinding \"r/pay\" of Role \"r\" to ServiceAccount \"reader/shop\"";
    let policy = "EKS Access Policy: allowed by ClusterRoleBinding \"a+b\" of ClusterRole \"c\" to \
                  User \"d\"";
    let found = |reason: &str| {
        let log = log([with_reason(reason)]);
        let report = report(&role("shop", "r", rules, READER), &[], &log);
        codes(&report).into_iter().filter(|code| code.starts_with("outside")).collect::<Vec<_>>()
    };
    assert_eq!(found(own), [""; 0]);
    assert_eq!(found(other), ["outside-binding"]);
    assert_eq!(found(policy), ["outside-access-policy"]);
    assert_eq!(found("webhook says so"), ["outside-authorizer"]);
}
