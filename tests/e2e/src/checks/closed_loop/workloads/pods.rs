//! Everything below a pod and a service: exec over websockets, logs, proxies, eviction, tokens.

use anyhow::Result;
use serde_json::json;

use super::super::actor::Stage;
use super::{KUBECTL, pod};
use crate::harness::Identity;

const POD: &str = "/api/v1/namespaces/shop/pods/web-0";

pub(super) fn who() -> Identity {
    Identity::iam_user("debugger")
}

pub(super) fn run(stage: &Stage<'_>) -> Result<()> {
    let actor = stage.actor("pods", &who(), KUBECTL);
    let channel = "v5.channel.k8s.io";
    actor.websocket(&format!("{POD}/exec?command=ls&stdout=true"), channel)?;
    actor.websocket(&format!("{POD}/attach?stdout=true"), channel)?;
    actor.websocket(&format!("{POD}/portforward?ports=80"), "SPDY/3.1+portforward.k8s.io")?;
    let other = "/api/v1/namespaces/data/pods/web-1";
    actor.post(&format!("{other}/exec?command=ls&stdout=true"), &json!({}))?;
    actor.get(&format!("{POD}/log?tailLines=5"))?;
    actor.get("/api/v1/namespaces/shop/services/https:web:8443/proxy/a//b?c=d")?;
    actor.get("/api/v1/namespaces/shop/pods/web-1:9090/proxy/metrics")?;
    actor.get("/api/v1/nodes/n1/proxy/healthz")?;
    let debugger = json!({ "spec": { "ephemeralContainers": [
        { "name": "debug", "image": "example.com/image" }] } });
    actor.merge(&format!("{POD}/ephemeralcontainers"), &debugger)?;
    actor.merge(&format!("{POD}/resize"), &json!({}))?;
    actor.merge(&format!("{POD}/status"), &json!({ "status": { "message": "seen" } }))?;
    let token = json!({ "spec": { "audiences": ["example.com"] } });
    actor.post("/api/v1/namespaces/shop/serviceaccounts/default/token", &token)?;
    actor.post("/api/v1/namespaces/shop/pods", &pod("web-2"))?;
    let eviction =
        json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": "web-2" } });
    actor.post("/api/v1/namespaces/shop/pods/web-2/eviction", &eviction)?;
    let binding = json!({ "metadata": { "name": "web-1" }, "target": { "name": "n1" } });
    actor.post("/api/v1/namespaces/data/pods/web-1/binding", &binding)?;
    actor.delete("/api/v1/namespaces/ci/pods?fieldSelector=metadata.name%3Dweb-0")?;
    Ok(())
}
