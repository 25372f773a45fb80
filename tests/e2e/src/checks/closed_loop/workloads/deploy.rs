//! Three sessions of one IAM role deploy: with client-side apply, with server-side apply,
//! and looking after both.

use anyhow::Result;
use serde_json::{Value, json};

use super::super::actor::{Actor, Stage};
use super::{KUBECTL, pod_spec};
use crate::harness::Identity;

const APPS: &str = "/apis/apps/v1/namespaces/shop/deployments";
const CORE: &str = "/api/v1/namespaces/shop";
const WIDGETS: &str = "/apis/e2e.example.com/v1/namespaces/shop/widgets";

pub(super) fn sessions() -> [Identity; 3] {
    ["build-101", "build-102", "alice@example.com"]
        .map(|session| Identity::iam_role("ci-deployer", session))
}

pub(super) fn run(stage: &Stage<'_>) -> Result<()> {
    let [first, second, third] = sessions();
    client_side(&stage.actor("deploy-client-side", &first, KUBECTL))?;
    server_side(&stage.actor("deploy-server-side", &second, KUBECTL))?;
    look_after(&stage.actor("deploy-look-after", &third, KUBECTL))
}

fn discover(actor: &Actor<'_>) -> Result<()> {
    for target in ["/api", "/apis", "/openapi/v3", "/apis/apps/v1", "/version", "/healthz"] {
        actor.get(target)?;
    }
    Ok(())
}

/// Get, then create or patch.
fn client_side(actor: &Actor<'_>) -> Result<()> {
    discover(actor)?;
    for (place, name, object) in [
        (APPS, "web", deployment("web")),
        (&format!("{CORE}/configmaps"), "settings", json!({ "data": { "a": "b" } })),
        (&format!("{CORE}/services"), "web", json!({ "spec": { "ports": [{ "port": 80 }] } })),
        (WIDGETS, "blue", json!({ "apiVersion": "e2e.example.com/v1", "kind": "Widget" })),
    ] {
        let mut object = object;
        object["metadata"]["name"] = name.into();
        actor.get(&format!("{place}/{name}"))?;
        actor.post(&format!("{place}?fieldManager=kubectl-client-side-apply"), &object)?;
        actor.get(&format!("{place}/{name}"))?;
        let label = json!({ "metadata": { "labels": { "stage": "test" } } });
        actor.merge(&format!("{place}/{name}"), &label)?;
    }
    actor.get(&format!("{APPS}?fieldSelector=metadata.name%3Dweb"))?;
    actor.get(&format!("{APPS}?fieldSelector=metadata.name%3Dweb&watch=true&timeoutSeconds=1"))?;
    actor.delete(&format!("{CORE}/configmaps/settings"))?;
    Ok(())
}

fn server_side(actor: &Actor<'_>) -> Result<()> {
    discover(actor)?;
    let query = "fieldManager=kubectl&force=true&fieldValidation=Strict";
    let mut api = deployment("api");
    api["apiVersion"] = "apps/v1".into();
    api["kind"] = "Deployment".into();
    let named = |kind: &str, version: &str, name: &str| json!({ "apiVersion": version, "kind": kind, "metadata": { "name": name } });
    for (target, object) in [
        (format!("{APPS}/api"), api),
        (format!("{CORE}/configmaps/api"), named("ConfigMap", "v1", "api")),
        (format!("{WIDGETS}/green"), named("Widget", "e2e.example.com/v1", "green")),
        ("/api/v1/namespaces/preview".into(), named("Namespace", "v1", "preview")),
    ] {
        // The first creates, the second changes.
        actor.apply(&format!("{target}?{query}&dryRun=All"), &object)?;
        actor.apply(&format!("{target}?{query}"), &object)?;
        let mut changed = object.clone();
        changed["metadata"]["annotations"]["example.com/turn"] = "2".into();
        actor.apply(&format!("{target}?{query}"), &changed)?;
    }
    let lease = json!({ "metadata": { "name": "deploy" }, "spec": { "holderIdentity": "me" } });
    let target = "/apis/coordination.k8s.io/v1/namespaces/shop/leases/deploy";
    actor.get(target)?;
    actor.put(target, &lease)?;
    actor.put(target, &lease)?;
    Ok(())
}

fn look_after(actor: &Actor<'_>) -> Result<()> {
    let scale = json!({ "spec": { "replicas": 0 } });
    actor.get(&format!("{APPS}/web/scale"))?;
    actor.merge(&format!("{APPS}/web/scale"), &scale)?;
    actor.merge(&format!("{APPS}/web/status"), &json!({ "status": { "replicas": 0 } }))?;
    // `kubectl describe` and `kubectl logs`.
    actor.get(&format!("{CORE}/pods/web-0"))?;
    actor.get(&format!("{CORE}/events?fieldSelector=involvedObject.name%3Dweb-0&limit=500"))?;
    actor.get(&format!("{CORE}/pods/web-0/log?container=c"))?;
    actor.get(&format!("{CORE}/pods?limit=500"))?;
    actor.get("/api/v1/namespaces/shop")?;
    actor.get("/api/v1/namespaces?limit=500")?;
    actor.get("/api/v1/nodes?limit=500")?;
    let review = json!({ "spec": { "resourceAttributes": { "verb": "get", "resource": "pods" } } });
    actor.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review)?;
    actor.delete(&format!("{WIDGETS}/blue?propagationPolicy=Foreground"))?;
    actor.delete(&format!("{APPS}?labelSelector=app%3Dnone"))?;
    Ok(())
}

fn deployment(name: &str) -> Value {
    let labels = json!({ "app": name });
    json!({
        "metadata": { "name": name },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": pod_spec() },
        },
    })
}
