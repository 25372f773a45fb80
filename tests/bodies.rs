//! What the bodies in events prove beyond the logged verb, and what they leave open: the
//! cases next to those of the conformance table, where one word decides.

use std::collections::BTreeSet;

use leastrole::rbac::{Atom, ResourceAtom, UrlAtom};
use serde_json::{Value, json};

use crate::support::events::{Event, event, log};
use crate::support::objects::granted;
use crate::support::program::{identity, summarized};

/// What `U` needs besides the logged request itself, and the codes of its advice.
#[track_caller]
fn concluded(event: Event) -> (BTreeSet<String>, Vec<String>) {
    let (summary, ran) = summarized(&["--names", "exact"], log([event]));
    let user = identity(&summary, "U");
    let needs = user["needs"].as_array().expect("a list").iter();
    let (logged, others): (Vec<_>, Vec<_>) = needs.partition(|it| it["bases"] == json!(["logged"]));
    assert_eq!(logged.len(), 1, "the logged request is one of the needs");
    let others: BTreeSet<String> = others.into_iter().map(words).collect();
    let granted = granted(&ran.stdout).remove("User U").unwrap_or_default();
    assert!(granted.is_superset(&others), "{granted:#?}");
    let advice = user["advice"].as_array().expect("a list").iter();
    let codes = advice.map(|it| it["code"].as_str().expect("a code").to_owned());
    (others, codes.collect())
}

/// A permission of the summary as a sentence.
fn words(permission: &Value) -> String {
    let field = |key: &str| permission[key].as_str().unwrap_or_default().into();
    let atom: Atom = if permission["path"].is_string() {
        UrlAtom { path: field("path"), verb: field("verb") }.into()
    } else {
        ResourceAtom {
            namespace: field("namespace"),
            group: field("group"),
            resource: field("resource"),
            name: field("name"),
            verb: field("verb"),
        }
        .into()
    };
    atom.to_string()
}

#[track_caller]
fn assert_concludes<const N: usize, const M: usize>(
    event: Event,
    grants: [&str; N],
    advice: [&str; M],
) {
    let line = event.to_string();
    let (found, codes) = concluded(event);
    assert_eq!(found, grants.map(str::to_owned).into(), "{line}");
    assert_eq!(codes, advice, "{line}");
}

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// A ClusterRole with these rules, written and stored.
fn role(rules: &Value) -> Event {
    event("U", "create", &format!("{RBAC}/clusterroles"))
        .code(201)
        .with("responseObject", json!({"rules": rules}))
}

fn rule(verbs: &[&str], groups: &[&str], resources: &[&str]) -> Value {
    json!({"verbs": verbs, "apiGroups": groups, "resources": resources})
}

#[test]
fn plain_rules_are_held_by_who_writes_them() {
    let rules = json!([rule(&["get", "list"], &[""], &["pods"]), {"verbs": ["get"], "nonResourceURLs": ["/x"]}]);
    assert_concludes(role(&rules), ["get /x", "get pods", "list pods"], []);
    assert_concludes(role(&json!([])), [], []);
    assert_concludes(role(&Value::Null), [], []);
}

/// One word is enough to make a role a way to more, wherever it stands.
#[test]
fn a_role_that_leads_to_more_is_for_a_person_to_decide_on() {
    let plain = rule(&["get"], &[""], &["pods"]);
    let broad = [
        rule(&["get", "*"], &[""], &["pods"]),
        rule(&["get", "bind"], &[""], &["pods"]),
        rule(&["get", "escalate"], &[""], &["pods"]),
        rule(&["get", "impersonate"], &[""], &["users"]),
        rule(&["get", "impersonate-on:user-info:list"], &[""], &["pods"]),
        rule(&["get"], &["", "*"], &["pods"]),
        rule(&["get"], &[""], &["pods", "*"]),
        rule(&["get"], &[""], &["pods", "*/scale"]),
        json!({"verbs": ["get"], "nonResourceURLs": ["/x", "/y*"]}),
    ];
    for broad in broad {
        for rules in [json!([broad]), json!([plain, broad]), json!([broad, plain])] {
            assert_concludes(role(&rules), [], ["hold-or-escalate"]);
        }
    }
    let aggregated = json!({"rules": [plain], "aggregationRule": {"clusterRoleSelectors": [{}]}});
    let aggregated = role(&json!([])).with("responseObject", aggregated);
    assert_concludes(aggregated, [], ["hold-or-escalate"]);
}

/// A role of a few lines can multiply into millions of permissions.
#[test]
fn a_role_too_large_to_list_is_for_a_person_to_decide_on() {
    let many = |what: &str, count: usize| -> Vec<String> {
        (0..count).map(|number| format!("{what}{number}")).collect()
    };
    let rules = |verbs: usize| json!([{"verbs": many("v", verbs), "apiGroups": many("g", 10), "resources": many("r", 10), "resourceNames": many("n", 10)}]);
    let (granted, advice) = concluded(role(&rules(10)));
    assert_eq!((granted.len(), advice.len()), (10_000, 0));
    assert_concludes(role(&rules(11)), [], ["hold-or-escalate"]);
    let huge = json!([{"verbs": many("v", 2000), "apiGroups": many("g", 2000), "resources": many("r", 2000), "resourceNames": many("n", 2000)}]);
    assert_concludes(role(&huge), [], ["hold-or-escalate"]);
}

/// A patch names rules only where it sets them, and then all of them.
#[test]
fn a_patch_proves_what_it_sets() {
    let patch = |body: Value| {
        event("U", "patch", &format!("{RBAC}/namespaces/shop/roles/r")).with("requestObject", body)
    };
    let rules = json!([rule(&["get"], &[""], &["pods"])]);
    assert_concludes(patch(json!({"rules": rules})), ["get pods in namespace shop"], []);
    assert_concludes(patch(json!({"metadata": {"labels": {}}})), [], ["hold-or-escalate"]);
}

#[test]
fn who_binds_a_role_needs_bind_on_that_role() {
    const ROLES: &str = "bind roles.rbac.authorization.k8s.io \"reader\" in namespace shop";
    const CLUSTER_ROLES: &str = "bind clusterroles.rbac.authorization.k8s.io \"reader\"";
    let bind = |scope: &str, verb: &str, kind: &str| {
        let body = json!({"roleRef": {"kind": kind, "name": "reader"}});
        event("U", verb, &format!("{RBAC}/{scope}")).with("responseObject", body)
    };
    let local = format!("{CLUSTER_ROLES} in namespace shop");
    assert_concludes(bind("namespaces/shop/rolebindings", "create", "Role"), [ROLES], []);
    assert_concludes(bind("namespaces/shop/rolebindings/b", "update", "ClusterRole"), [&local], []);
    assert_concludes(bind("clusterrolebindings/b", "patch", "ClusterRole"), [CLUSTER_ROLES], []);
    assert_concludes(bind("clusterrolebindings", "create", "Widget"), [], ["bind-role"]);

    // Refused after the check, or before it.
    let failed = |code: u16, reason: &str| {
        bind("clusterrolebindings", "create", "ClusterRole")
            .with("requestObject", json!({"roleRef": {"kind": "ClusterRole", "name": "reader"}}))
            .failure(code, reason)
    };
    assert_concludes(failed(409, "AlreadyExists"), [CLUSTER_ROLES], []);
    assert_concludes(failed(400, "BadRequest"), [], []);
    assert_concludes(failed(404, "NotFound"), [], []);
}

#[test]
fn a_signer_is_needed_for_what_only_a_signer_may_set() {
    const REQUEST: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests/c";
    const SIGN: &str = "sign signers.certificates.k8s.io \"example.com/client\"";
    let stored = json!({"spec": {"signerName": "example.com/client"}});
    let sign = |status: Value| {
        event("U", "patch", &format!("{REQUEST}/status"))
            .with("requestObject", json!({"status": status}))
            .with("responseObject", stored.clone())
    };
    assert_concludes(sign(json!({"certificate": "LS0="})), [SIGN], []);
    assert_concludes(sign(json!({"certificateChain": "LS0="})), [SIGN], []);
    assert_concludes(
        sign(json!({"conditions": [{"type": "Approved"}, {"type": "Failed"}]})),
        [SIGN],
        [],
    );
    assert_concludes(sign(json!({"conditions": [{"type": "Issued"}]})), [SIGN], []);
    assert_concludes(sign(json!({"conditions": [{"type": "Approved"}]})), [], []);
    assert_concludes(sign(json!({"certificate": ""})), [], []);
    assert_concludes(sign(json!({})), [], []);

    let unknown = event("U", "patch", &format!("{REQUEST}/status"));
    assert_concludes(unknown, [], ["sign-signer"]);
    let elsewhere = event("U", "update", REQUEST).with("responseObject", stored.clone());
    assert_concludes(elsewhere, [], []);
    let failed = event("U", "update", &format!("{REQUEST}/approval")).with("requestObject", stored);
    assert_concludes(failed.clone().failure(409, "Conflict"), [], []);
    let forbidden = json!({"code": 403, "message": "certificatesigningrequests.certificates.k8s.io \"c\" is \
        forbidden: user not permitted to approve requests with signerName \"example.com/client\""});
    assert_concludes(failed.with("responseStatus", forbidden), [], ["signer-refused"]);
}

#[test]
fn a_trust_bundle_needs_its_signer_if_it_has_one() {
    const ATTEST: &str = "attest signers.certificates.k8s.io \"example.com/ca\"";
    let bundle = |spec: Value| {
        event("U", "create", "/apis/certificates.k8s.io/v1beta1/clustertrustbundles")
            .code(201)
            .with("requestObject", json!({"spec": spec}))
    };
    assert_concludes(bundle(json!({"signerName": "example.com/ca"})), [ATTEST], []);
    assert_concludes(bundle(json!({"trustBundle": "x"})), [], []);
}

/// From Kubernetes 1.36 the parts of a claim's status are checked apart.
#[test]
fn a_claim_status_is_checked_by_what_it_changes() {
    const CLAIM: &str = "/apis/resource.k8s.io/v1/namespaces/shop/resourceclaims/c";
    const BINDING: &str = "patch resourceclaims.resource.k8s.io/binding";
    const DRIVER: &str =
        "resourceclaims.resource.k8s.io/driver \"gpu.example.com\" in namespace shop";
    let write = |verb: &str, status: Value| {
        event("U", verb, &format!("{CLAIM}/status"))
            .with("requestObject", json!({"status": status}))
    };
    let allocation = json!({"nodeSelector": {"terms": [{"values": ["n1"]}]}});
    let device = json!({"driver": "gpu.example.com"});
    let arbitrary = |verb: &str| format!("arbitrary-node:{verb} {DRIVER}");

    assert_concludes(write("patch", json!({"allocation": allocation})), [BINDING], []);
    assert_concludes(write("patch", json!({"reservedFor": [{}]})), [BINDING], []);
    assert_concludes(write("patch", json!({"devices": [device]})), [&arbitrary("patch")], []);
    let both = json!({"allocation": allocation, "devices": [device]});
    assert_concludes(write("patch", both.clone()), [BINDING, &arbitrary("patch")], []);
    // An update repeats the allocation that the scheduler made.
    assert_concludes(write("update", both.clone()), [&arbitrary("update")], []);
    let on_update = "update resourceclaims.resource.k8s.io/binding";
    assert_concludes(write("update", json!({"allocation": allocation})), [on_update], []);
    assert_concludes(write("patch", json!({})), [], []);

    assert_concludes(event("U", "patch", &format!("{CLAIM}/status")), [], ["claim-status"]);
    assert_concludes(write("patch", both.clone()).failure(422, "Invalid"), [], []);
    let elsewhere = event("U", "patch", CLAIM).with("requestObject", json!({"status": both}));
    assert_concludes(elsewhere, [], []);
    let other_group =
        event("U", "patch", "/apis/example.com/v1/namespaces/shop/resourceclaims/c/status");
    assert_concludes(
        other_group.with("requestObject", json!({"status": {"allocation": {}}})),
        [],
        [],
    );

    let on_node = |node: &str, status: Value| {
        let extra = json!({"authentication.kubernetes.io/node-name": [node]});
        write("patch", status).with("user", json!({"username": "U", "extra": extra}))
    };
    let associated = format!("associated-node:patch {DRIVER}");
    assert_concludes(on_node("n1", json!({"devices": [device]})), [&associated], []);
    assert_concludes(on_node("n1", both.clone()), [BINDING, &associated], []);
    assert_concludes(on_node("n2", both), [BINDING, &arbitrary("patch")], []);
}
