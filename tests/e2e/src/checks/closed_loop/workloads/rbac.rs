//! An operator that writes RBAC: roles whose rules it must hold, bindings of roles it must
//! be able to bind.

use anyhow::Result;
use serde_json::{Value, json};

use super::super::actor::Stage;
use super::{CLIENT_GO, service_account};
use crate::harness::Identity;

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

pub(super) fn who() -> Identity {
    service_account("ci", "rbac-operator")
}

pub(super) fn run(stage: &Stage<'_>) -> Result<()> {
    let actor = stage.actor("rbac", &who(), CLIENT_GO);
    let space = format!("{RBAC}/namespaces/data");
    let label = json!({ "metadata": { "labels": { "a": "b" } } });
    actor.get(&format!("{space}/roles/tenant"))?;
    actor.post(&format!("{space}/roles"), &role("tenant", &["get", "list"], "pods"))?;
    actor.put(&format!("{space}/roles/tenant"), &role("tenant", &["get"], "services"))?;
    actor.merge(&format!("{space}/roles/tenant"), &label)?;
    actor.post(&format!("{space}/rolebindings"), &binding("tenant", "Role", "tenant"))?;
    actor.merge(&format!("{space}/rolebindings/tenant"), &label)?;
    let reader = binding("reader", "ClusterRole", "config-reader");
    actor.post(&format!("{space}/rolebindings"), &reader)?;
    // Updates create, of all things RBAC.
    actor.put(
        &format!("{RBAC}/clusterroles/made-by-put"),
        &role("made-by-put", &["get"], "nodes"),
    )?;
    let bound = binding("made-by-put", "ClusterRole", "made-by-put");
    actor.put(&format!("{RBAC}/clusterrolebindings/made-by-put"), &bound)?;
    // Rules too broad to be granted unasked.
    actor.post(&format!("{RBAC}/clusterroles"), &role("too-broad", &["*"], "configmaps"))?;
    actor.post(&format!("{RBAC}/clusterroles"), &role("escalating", &["escalate"], "roles"))?;
    actor.delete(&format!("{space}/rolebindings/reader"))?;
    actor.delete(&format!("{space}/roles/tenant"))?;
    Ok(())
}

fn role(name: &str, verbs: &[&str], resource: &str) -> Value {
    json!({
        "metadata": { "name": name },
        "rules": [{ "verbs": verbs, "apiGroups": [""], "resources": [resource] }],
    })
}

fn binding(name: &str, kind: &str, role: &str) -> Value {
    let group = "rbac.authorization.k8s.io";
    json!({
        "metadata": { "name": name },
        "roleRef": { "apiGroup": group, "kind": kind, "name": role },
        "subjects": [{ "apiGroup": group, "kind": "User", "name": "tenant" }],
    })
}
