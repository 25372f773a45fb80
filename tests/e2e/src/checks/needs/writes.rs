//! Writes that create (S1, S2), and writes to RBAC itself (S3, S4).

use serde_json::{Value, json};

use super::case::{Call, Case};

const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles";
const ROLE: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles/r";
const CLUSTER_ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
const CLUSTER_ROLE: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles/{ns}";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings";
const BINDING: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings/rb";
const CLUSTER_BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
const CLUSTER_BINDING: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{ns}";

const NOT_HELD: &str = "is attempting to grant RBAC permissions not currently held";

pub(super) fn cases() -> Vec<Case> {
    [creating(), role_writes(), aggregated_roles(), binding_writes()]
        .into_iter()
        .flatten()
        .collect()
}

fn creating() -> Vec<Case> {
    let lease = json!({ "metadata": { "name": "l" }, "spec": { "holderIdentity": "me" } });
    let config = json!({ "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "c" }, "data": { "key": "value" } });
    let order = json!({ "apiVersion": "shop.example.com/v1", "kind": "Order",
        "metadata": { "name": "o" } });
    let service = json!({ "metadata": { "name": "web" }, "spec": { "ports": [{ "port": 80 }] } });
    vec![
        Case::new(
            "S1-put-lease",
            Call::put("/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/l", lease),
        )
        .holding("update;coordination.k8s.io;leases;[l];ns")
        .refused(r#"cannot create resource "leases" in API group "coordination.k8s.io""#)
        .until("create;coordination.k8s.io;leases;[l];ns")
        .accepted(201),
        Case::new("S1-put-service", Call::put("/api/v1/namespaces/{ns}/services/web", service))
            .holding("update;core;services;[web];ns")
            .refused(r#"cannot create resource "services" in API group """#)
            .until("create;core;services;[web];ns")
            .accepted(201),
        Case::new(
            "S1-put-clusterrolebinding",
            Call::put(CLUSTER_BINDING, binding("{ns}", "ClusterRole", "{ns}")),
        )
        .given(CLUSTER_ROLES, role("{ns}"))
        .holding("update;rbac.authorization.k8s.io;clusterrolebindings;[{ns}];cl")
        .holding("bind;rbac.authorization.k8s.io;clusterroles;[{ns}];cl")
        .refused(r#"cannot create resource "clusterrolebindings""#)
        .until("create;rbac.authorization.k8s.io;clusterrolebindings;[{ns}];cl")
        .accepted(201),
        Case::new(
            "S2-apply-configmap",
            Call::apply("/api/v1/namespaces/{ns}/configmaps/c?fieldManager=e2e", config),
        )
        .holding("patch;core;configmaps;[c];ns")
        .refused(r#"cannot create resource "configmaps" in API group "" in the namespace"#)
        .until("create;core;configmaps;[c];ns")
        .accepted(201),
        Case::new(
            "S2-apply-custom-resource",
            Call::apply(
                "/apis/shop.example.com/v1/namespaces/{ns}/orders/o?fieldManager=e2e&force=true",
                order,
            ),
        )
        .holding("patch;shop.example.com;orders;[o];ns")
        .refused(r#"cannot create resource "orders" in API group "shop.example.com""#)
        .until("create;shop.example.com;orders;[o];ns")
        .accepted(201),
    ]
}

fn role_writes() -> Vec<Case> {
    vec![
        Case::new("S3-create-role-escalate", Call::post(ROLES, role("r")))
            .holding("create;rbac.authorization.k8s.io;roles;-;ns")
            .refused(NOT_HELD)
            .until("escalate;rbac.authorization.k8s.io;roles;-;ns")
            .accepted(201),
        Case::new("S3-create-role-held", Call::post(ROLES, role("r")))
            .holding("create;rbac.authorization.k8s.io;roles;-;ns")
            .refused(NOT_HELD)
            .until("get,list;core;pods;-;ns")
            .accepted(201),
        Case::new("S3-update-role-escalate", Call::put(ROLE, role("r")))
            .given(ROLES, json!({ "metadata": { "name": "r" } }))
            .holding("update;rbac.authorization.k8s.io;roles;[r];ns")
            .refused(NOT_HELD)
            .until("escalate;rbac.authorization.k8s.io;roles;[r];ns"),
        Case::new(
            "S3-label-role",
            Call::merge(ROLE, json!({ "metadata": { "labels": { "a": "b" } } })),
        )
        .given(ROLES, role("r"))
        .holding("patch;rbac.authorization.k8s.io;roles;[r];ns")
        .refused(NOT_HELD)
        .until("get,list;core;pods;-;ns"),
        Case::new("S3-create-clusterrole-held", Call::post(CLUSTER_ROLES, role("{ns}")))
            .holding("create;rbac.authorization.k8s.io;clusterroles;-;cl")
            .refused(NOT_HELD)
            .until("get,list;core;pods;-;cl")
            .accepted(201),
        Case::new(
            "S3-apply-clusterrole",
            Call::apply(
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/{ns}?fieldManager=e2e",
                typed("ClusterRole", role("{ns}")),
            ),
        )
        .holding("patch,create;rbac.authorization.k8s.io;clusterroles;[{ns}];cl")
        .refused(NOT_HELD)
        .until("escalate;rbac.authorization.k8s.io;clusterroles;[{ns}];cl")
        .accepted(201),
    ]
}

fn aggregated_roles() -> Vec<Case> {
    let mut sum = role("{ns}");
    sum["aggregationRule"] =
        json!({ "clusterRoleSelectors": [{ "matchLabels": { "part-of": "{ns}" } }] });
    sum["rules"] = json!([]);
    let message = "must have cluster-admin privileges to use the aggregationRule";
    let label = json!({ "metadata": { "labels": { "a": "b" } } });
    vec![
        Case::new("S3-aggregated-escalate", Call::post(CLUSTER_ROLES, sum.clone()))
            .holding("create;rbac.authorization.k8s.io;clusterroles;-;cl")
            .refused(message)
            .until("escalate;rbac.authorization.k8s.io;clusterroles;-;cl")
            .accepted(201),
        Case::new("S3-aggregated-star", Call::post(CLUSTER_ROLES, sum.clone()))
            .holding("create;rbac.authorization.k8s.io;clusterroles;-;cl")
            .refused(message)
            .until("*;*;*;-;cl")
            .accepted(201),
        Case::new("S3-aggregated-label", Call::merge(CLUSTER_ROLE, label))
            .given(CLUSTER_ROLES, sum)
            .holding("patch;rbac.authorization.k8s.io;clusterroles;[{ns}];cl")
            .refused(message)
            .until("escalate;rbac.authorization.k8s.io;clusterroles;[{ns}];cl"),
    ]
}

fn binding_writes() -> Vec<Case> {
    let create = "create;rbac.authorization.k8s.io;rolebindings;-;ns";
    let subjects = json!({ "subjects": [
        { "kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "someone-else" }] });
    vec![
        Case::new(
            "S4-create-rolebinding-bind",
            Call::post(BINDINGS, binding("rb", "ClusterRole", "{ns}")),
        )
        .given(CLUSTER_ROLES, role("{ns}"))
        .holding(create)
        .refused(NOT_HELD)
        .until("bind;rbac.authorization.k8s.io;clusterroles;[{ns}];ns")
        .accepted(201),
        Case::new("S4-create-rolebinding-held", Call::post(BINDINGS, binding("rb", "Role", "r")))
            .given(ROLES, role("r"))
            .holding(create)
            .refused(NOT_HELD)
            .until("get,list;core;pods;-;ns")
            .accepted(201),
        Case::new("S4-create-rolebinding-role", Call::post(BINDINGS, binding("rb", "Role", "r")))
            .given(ROLES, role("r"))
            .holding(create)
            .refused(NOT_HELD)
            .until("bind;rbac.authorization.k8s.io;roles;[r];ns")
            .accepted(201),
        Case::new(
            "S4-create-rolebinding-missing-role",
            Call::post(BINDINGS, binding("rb", "Role", "nowhere")),
        )
        .holding(create)
        .refused(r#"rolebindings.rbac.authorization.k8s.io "nowhere" not found"#)
        .until("bind;rbac.authorization.k8s.io;roles;[nowhere];ns")
        .accepted(201),
        Case::new("S4-patch-rolebinding", Call::merge(BINDING, subjects))
            .given(CLUSTER_ROLES, role("{ns}"))
            .given(BINDINGS, binding("rb", "ClusterRole", "{ns}"))
            .holding("patch;rbac.authorization.k8s.io;rolebindings;[rb];ns")
            .refused(NOT_HELD)
            .until("bind;rbac.authorization.k8s.io;clusterroles;[{ns}];ns"),
        Case::new(
            "S4-create-clusterrolebinding",
            Call::post(CLUSTER_BINDINGS, binding("{ns}", "ClusterRole", "{ns}")),
        )
        .given(CLUSTER_ROLES, role("{ns}"))
        .holding("create;rbac.authorization.k8s.io;clusterrolebindings;-;cl")
        .refused(NOT_HELD)
        .until("bind;rbac.authorization.k8s.io;clusterroles;[{ns}];cl")
        .accepted(201),
    ]
}

fn role(name: &str) -> Value {
    json!({
        "metadata": { "name": name },
        "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"] }],
    })
}

fn binding(name: &str, kind: &str, role: &str) -> Value {
    let group = "rbac.authorization.k8s.io";
    json!({
        "metadata": { "name": name },
        "roleRef": { "apiGroup": group, "kind": kind, "name": role },
        "subjects": [{ "apiGroup": group, "kind": "User", "name": "someone" }],
    })
}

/// As server-side apply wants it.
fn typed(kind: &str, mut object: Value) -> Value {
    object["apiVersion"] = "rbac.authorization.k8s.io/v1".into();
    object["kind"] = kind.into();
    object
}
