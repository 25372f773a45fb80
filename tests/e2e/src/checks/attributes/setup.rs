//! The objects that the odd requests are about.

use anyhow::Result;
use serde_json::{Value, json};

use crate::checks::custom_resources::CustomResource;
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
        CustomResource { group, plural, kind, scope }.define(&admin)?;
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
