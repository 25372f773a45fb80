//! What other tools get wrong about RBAC that is there, each as a case that must come out
//! right here.

use super::questions::{lookup, who_can};
use super::{READER, READER_USER, cluster_role, codes, report, role, run, sentences};
use crate::support::events::{event, log};
use crate::support::objects::granted;

fn get(uri: &str) -> crate::support::events::Event {
    event(READER_USER, "get", uri)
}

/// audit2rbac and rbac-tool: two API versions of one resource lose a permission.
#[test]
fn two_api_versions_are_one_resource() {
    let hpas = |version: &str, name: &str| {
        get(&format!("/apis/autoscaling/{version}/namespaces/shop/horizontalpodautoscalers/{name}"))
    };
    let log = log([hpas("v2", "a"), hpas("v1", "b"), hpas("v1", "c")]);
    let rules = "[{apiGroups: [autoscaling], resources: [horizontalpodautoscalers], \
                 resourceNames: [a, b, c, d], verbs: [get, list]}]";
    let manifests = role("shop", "reader", rules, READER);
    assert_eq!(
        sentences(&report(&manifests, &[], &log)),
        [
            "unused-verb: verbs that were not used: list horizontalpodautoscalers.autoscaling",
            "unused-name: granted on names that were not used: \
             horizontalpodautoscalers.autoscaling \"d\"",
        ]
    );
    let tightened = run("tighten", &manifests, &[], &log).clean();
    let granted = granted(&tightened.stdout);
    let names: Vec<&str> = granted["ServiceAccount shop/reader"]
        .iter()
        .map(|it| it.split('"').nth(1).unwrap())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
}

/// rbac-lookup, Audicia: what an account holds by its groups is not shown.
#[test]
fn an_account_holds_what_its_groups_hold() {
    let pods = "[{apiGroups: [''], resources: [pods], verbs: [list]}]";
    let group = "{kind: Group, name: 'system:serviceaccounts:shop'}";
    let manifests = role("shop", "all", pods, group);
    let ran = lookup(&manifests, &["shop:reader"]).clean();
    assert!(
        ran.stdout.contains("to Group system:serviceaccounts:shop\n    list pods\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(lookup(&manifests, &["other:reader"]).code, Some(1));
    // And so does the log.
    let log = log([event(READER_USER, "list", "/api/v1/namespaces/shop/pods")]);
    assert_eq!(sentences(&report(&manifests, &[], &log)), [""; 0]);
}

/// Audicia: groups of people are left out when usage is compared.
#[test]
fn members_of_a_group_use_what_the_group_holds() {
    let rules = "[{apiGroups: [''], resources: [pods], verbs: [list, delete]}]";
    let manifests = role("shop", "devs", rules, "{kind: Group, name: devs}");
    let user = serde_json::json!({"username": "ann", "groups": ["devs", "system:authenticated"]});
    let log = log([event("ann", "list", "/api/v1/namespaces/shop/pods").with("user", user)]);
    assert_eq!(
        sentences(&report(&manifests, &[], &log)),
        ["unused-verb: verbs that were not used: delete pods"]
    );
    let ran = lookup(&manifests, &["ann", "--as-group", "devs"]).clean();
    assert!(ran.stdout.contains("delete pods"), "{}", ran.stdout);
}

/// Audicia: two calls make a cluster-admin perfect, and an exact role useless.
#[test]
fn a_cluster_admin_is_not_perfect_and_an_exact_role_is() {
    let log = log([get("/api/v1/namespaces/shop/pods/web")]);
    let admin = "---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: admin}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: reader, namespace: shop}]
";
    let found = codes(&report(admin, &[], &log));
    assert!(found.contains(&"wide-wildcard".to_owned()), "{found:?}");
    assert!(found.contains(&"risk-cluster-admin".to_owned()), "{found:?}");
    let exact = "[{apiGroups: [''], resources: [pods], resourceNames: [web], verbs: [get]}]";
    let report = report(&role("shop", "reader", exact, READER), &[], &log);
    assert_eq!(sentences(&report), [""; 0]);
}

/// kubesplaining, `KIEMPossible`: an authorised 404 or 409 counts as unused.
#[test]
fn what_was_authorised_was_used_whatever_became_of_it() {
    let rules = "[{apiGroups: [''], resources: [configmaps], verbs: [get, create]}]";
    let log = log([
        get("/api/v1/namespaces/shop/configmaps/x").failure(404, "NotFound"),
        event(READER_USER, "create", "/api/v1/namespaces/shop/configmaps")
            .failure(409, "AlreadyExists"),
    ]);
    let report = report(&role("shop", "r", rules, READER), &["--names", "any"], &log);
    assert_eq!(sentences(&report), [""; 0]);
}

/// audit2rbac, Audicia: what was refused counts as used.
#[test]
fn what_was_refused_was_not_used() {
    let rules = "[{apiGroups: [''], resources: [secrets, pods], verbs: [list]}]";
    let log = log([
        event(READER_USER, "list", "/api/v1/namespaces/shop/pods"),
        event(READER_USER, "list", "/api/v1/namespaces/shop/secrets").denied(),
    ]);
    assert_eq!(
        sentences(&report(&role("shop", "r", rules, READER), &[], &log)),
        ["unused-resource: granted on resources that were not used: list secrets"]
    );
}

/// kubesplaining: namespace and name play no part in the comparison.
#[test]
fn a_right_in_one_namespace_is_none_in_another() {
    let rules = "[{apiGroups: [''], resources: [pods], verbs: [list]}]";
    let log = log([event(READER_USER, "list", "/api/v1/namespaces/other/pods")]);
    assert_eq!(
        sentences(&report(&role("shop", "r", rules, READER), &[], &log)),
        [
            "missing-need: service account shop:reader used what nothing here grants: \
             list pods in namespace other",
            "unused-binding: nothing that Role \"r\" gives was used through it",
            "unused-role: nothing in the role was used by anybody who holds it",
        ]
    );
}

/// rbac-tool analysis: creators of Deployments are no creators of workloads, and whoever
/// lists secrets does not read them.
#[test]
fn every_kind_that_makes_pods_and_every_way_to_read_secrets_is_a_risk() {
    let log = log([get("/api/v1/namespaces/shop/pods/web")]);
    for (rule, code) in [
        ("{apiGroups: [apps], resources: [deployments], verbs: [create]}", "risk-workload-create"),
        ("{apiGroups: [apps], resources: [statefulsets], verbs: [patch]}", "risk-workload-create"),
        ("{apiGroups: [batch], resources: [cronjobs], verbs: [update]}", "risk-workload-create"),
        ("{apiGroups: [''], resources: [secrets], verbs: [list]}", "risk-secrets-read"),
        ("{apiGroups: [''], resources: [secrets], verbs: [watch]}", "risk-secrets-read"),
        ("{apiGroups: [''], resources: [pods/exec], verbs: [get]}", "risk-pod-exec"),
        (
            "{apiGroups: [''], resources: [serviceaccounts/token], verbs: [create]}",
            "risk-token-create",
        ),
        (
            "{apiGroups: [''], resources: [serviceaccounts], verbs: [impersonate]}",
            "risk-impersonate",
        ),
        (
            "{apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [bind]}",
            "risk-escalate",
        ),
        (
            "{apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [patch]}",
            "risk-rbac-write",
        ),
        ("{apiGroups: [''], resources: ['*'], verbs: [get]}", "risk-wildcard"),
    ] {
        let found = codes(&report(&role("shop", "r", &format!("[{rule}]"), READER), &[], &log));
        assert!(found.iter().any(|it| it == code), "{rule}: {found:?}");
    }
    for (rule, code) in [
        ("{apiGroups: [''], resources: [nodes/proxy], verbs: [get]}", "risk-nodes-proxy"),
        ("{apiGroups: [''], resources: [nodes], verbs: [patch]}", "risk-node-write"),
        ("{apiGroups: [''], resources: [groups], verbs: [impersonate]}", "risk-impersonate"),
        (
            "{apiGroups: [certificates.k8s.io], resources: [signers], verbs: [approve]}",
            "risk-certificate-approve",
        ),
        (
            "{apiGroups: [admissionregistration.k8s.io], \
              resources: [validatingwebhookconfigurations], verbs: [patch]}",
            "risk-admission-write",
        ),
        (
            "{apiGroups: [''], resources: [persistentvolumes], verbs: [create]}",
            "risk-persistent-volume-create",
        ),
        ("{apiGroups: [''], resources: [namespaces], verbs: [patch]}", "risk-namespace-write"),
        ("{apiGroups: [''], resources: [configmaps], verbs: [update]}", "risk-aws-auth-write"),
        ("{apiGroups: ['*'], resources: ['*'], verbs: ['*']}", "risk-cluster-admin"),
    ] {
        let found = codes(&report(&cluster_role("r", &format!("[{rule}]"), READER), &[], &log));
        assert!(found.iter().any(|it| it == code), "{rule}: {found:?}");
        // In a namespace, the kubelet, nodes and the like are out of reach.
        let local = codes(&report(&role("shop", "r", &format!("[{rule}]"), READER), &[], &log));
        let is_everywhere = code == "risk-cluster-admin";
        assert!(!local.iter().any(|it| it == code) || is_everywhere, "{rule}: {local:?}");
    }
    for (subject, code) in [
        ("{kind: Group, name: 'system:unauthenticated'}", "risk-anonymous"),
        ("{kind: Group, name: 'system:authenticated'}", "risk-everybody"),
        ("{kind: ServiceAccount, name: default, namespace: shop}", "risk-default-account"),
    ] {
        let rules = "[{apiGroups: [''], resources: [pods], verbs: [get]}]";
        let found = codes(&report(&role("shop", "r", rules, subject), &[], &log));
        assert!(found.iter().any(|it| it == code), "{subject}: {found:?}");
    }
}

/// kubectl-who-can, Audicia: `*/scale` is unknown.
#[test]
fn a_subresource_of_everything_is_found() {
    let rules = "[{apiGroups: ['*'], resources: ['*/scale'], verbs: [update]}]";
    let manifests = cluster_role("scaler", rules, READER);
    assert_eq!(who_can(&manifests, &["update", "deployments/scale"]).code, Some(0));
    assert_eq!(who_can(&manifests, &["update", "deployments"]).code, Some(1));
    let log =
        log([event(READER_USER, "update", "/apis/apps/v1/namespaces/shop/deployments/web/scale")]);
    let granted = granted(&run("tighten", &manifests, &[], &log).clean().stdout);
    let only: Vec<&String> = granted["ServiceAccount shop/reader"].iter().collect();
    assert_eq!(only, ["update deployments.apps/scale \"web\""]);
}

/// audit2rbac and others: the impersonated user and the impersonator are mixed up.
#[test]
fn impersonation_uses_the_rights_of_both() {
    let pods = "[{apiGroups: [''], resources: [pods], verbs: [get]}]";
    let users = "[{apiGroups: [''], resources: [users], verbs: [impersonate]}]";
    let manifests = role("shop", "pods", pods, "{kind: User, name: bob}")
        + &cluster_role("imp", users, "{kind: User, name: ann}");
    let log = log([event("ann", "get", "/api/v1/namespaces/shop/pods/web")
        .impersonating("bob", &["system:authenticated"])]);
    let report = report(&manifests, &["--names", "any"], &log);
    assert_eq!(
        sentences(&report),
        ["wide-names: granted on every name, and used on a few: impersonate users"]
    );
}
