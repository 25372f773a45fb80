//! Requests beside those of the table that need no more than their logged verb.

use serde_json::{Value, json};

use super::case::{Call, Case};

const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles";
const ROLE: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles/r";

pub(super) fn cases() -> Vec<Case> {
    let pods = "/api/v1/namespaces/{ns}/pods";
    vec![
        Case::new(
            "S2-merge-patch-never-creates",
            Call::merge("/api/v1/namespaces/{ns}/configmaps/c", json!({ "data": { "a": "b" } })),
        )
        .holding("patch;core;configmaps;[c];ns")
        .accepted(404),
        Case::new("S3-patch-that-changes-nothing", Call::merge(ROLE, json!({})))
            .given(ROLES, role())
            .holding("patch;rbac.authorization.k8s.io;roles;[r];ns"),
        Case::new(
            "S3-patch-of-finalizers",
            Call::merge(ROLE, json!({ "metadata": { "finalizers": ["example.com/keep"] } })),
        )
        .given(ROLES, role())
        .holding("patch;rbac.authorization.k8s.io;roles;[r];ns"),
        Case::new("S3-delete", Call::delete(ROLE))
            .given(ROLES, role())
            .holding("delete;rbac.authorization.k8s.io;roles;[r];ns"),
        // SPDY: without its upgrade headers it ends in an error, but it is authorized.
        Case::new(
            "S7-post-exec",
            Call::post("/api/v1/namespaces/{ns}/pods/p/exec?command=ls&stdout=true", json!({})),
        )
        .given(pods, pod())
        .holding("create;core;pods/exec;[p];ns")
        .accepted(400),
        Case::new(
            "S12-token",
            Call::post(
                "/api/v1/namespaces/{ns}/serviceaccounts/default/token",
                json!({ "spec": { "audiences": ["example.com"] } }),
            ),
        )
        .holding("create;core;serviceaccounts/token;[default];ns")
        .accepted(201),
        Case::new("scale", Call::merge(SCALE, json!({ "spec": { "replicas": 0 } })))
            .given("/apis/apps/v1/namespaces/{ns}/deployments", deployment())
            .holding("patch;apps;deployments/scale;[d];ns"),
        Case::new("eviction", Call::post("/api/v1/namespaces/{ns}/pods/p/eviction", eviction()))
            .given(pods, pod())
            .holding("create;core;pods/eviction;[p];ns")
            .accepted(201),
        Case::new("deletecollection", Call::delete(pods))
            .given(pods, pod())
            .holding("deletecollection;core;pods;-;ns"),
        Case::new("namespace-by-role", Call::get("/api/v1/namespaces/{ns}"))
            .holding("get;core;namespaces;-;ns"),
    ]
}

const SCALE: &str = "/apis/apps/v1/namespaces/{ns}/deployments/d/scale";

fn role() -> Value {
    let rule = json!({ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] });
    json!({ "metadata": { "name": "r" }, "rules": [rule] })
}

fn pod() -> Value {
    json!({ "metadata": { "name": "p" }, "spec": pod_spec() })
}

fn pod_spec() -> Value {
    json!({ "containers": [{ "name": "c", "image": "example.com/image" }] })
}

fn deployment() -> Value {
    let labels = json!({ "app": "d" });
    json!({
        "metadata": { "name": "d" },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": pod_spec() },
        },
    })
}

fn eviction() -> Value {
    json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": "p" } })
}
