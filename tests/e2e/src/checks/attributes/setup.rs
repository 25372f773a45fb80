//! The objects that the odd requests are about.

use anyhow::Result;
use serde_json::{Value, json};

use crate::harness::Cluster;

/// May do everything.
pub(super) const ALLOWED_GROUP: &str = "probers-allowed";

/// Creates a namespace, a pod, and custom resources, one of them called `namespaces`.
pub(super) fn create_objects(cluster: &Cluster) -> Result<()> {
    let admin = cluster.admin();
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    admin.post(&format!("{rbac}/clusterrolebindings"), &binding())?.ok()?;
    admin.post("/api/v1/namespaces", &json!({ "metadata": { "name": "sandbox" } }))?.ok()?;
    for (group, plural, kind, scope) in [
        ("shop.example.com", "orders", "Order", "Namespaced"),
        ("shop.example.com", "regions", "Region", "Cluster"),
        ("odd.example.com", "namespaces", "Namespace", "Namespaced"),
    ] {
        let target = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        admin.post(target, &resource_definition(group, plural, kind, scope))?.ok()?;
    }
    let account = json!({ "metadata": { "name": "default" } });
    admin.post("/api/v1/namespaces/sandbox/serviceaccounts", &account)?.ok()?;
    let spec = json!({ "containers": [{ "name": "c", "image": "example.com/image" }] });
    let pod = json!({ "metadata": { "name": "p" }, "spec": spec });
    admin.post("/api/v1/namespaces/sandbox/pods", &pod)?.ok()?;
    Ok(())
}

fn binding() -> Value {
    let group = "rbac.authorization.k8s.io";
    json!({
        "metadata": { "name": ALLOWED_GROUP },
        "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "apiGroup": group, "kind": "Group", "name": ALLOWED_GROUP }],
    })
}

fn resource_definition(group: &str, plural: &str, kind: &str, scope: &str) -> Value {
    let schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    json!({
        "metadata": { "name": format!("{plural}.{group}") },
        "spec": {
            "group": group,
            "scope": scope,
            "names": { "plural": plural, "kind": kind },
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": { "openAPIV3Schema": schema },
                "subresources": { "status": {} },
            }],
        },
    })
}
