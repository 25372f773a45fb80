//! A controller's caches: list and watch in each form that client-go has.

use anyhow::Result;

use super::super::actor::Stage;
use super::{CLIENT_GO, service_account};
use crate::harness::Identity;

pub(super) fn who() -> Identity {
    service_account("shop", "informers")
}

pub(super) fn run(stage: &Stage<'_>) -> Result<()> {
    let actor = stage.actor("informers", &who(), CLIENT_GO);
    for place in [
        "/api/v1/pods",
        "/api/v1/namespaces/data/configmaps",
        "/apis/apps/v1/namespaces/shop/deployments",
        "/apis/e2e.example.com/v1/widgets",
        "/api/v1/nodes",
    ] {
        let list = actor.get(&format!("{place}?limit=500&resourceVersion=0"))?;
        let version = list.body["metadata"]["resourceVersion"].as_str().unwrap_or("0").to_owned();
        let watch = "allowWatchBookmarks=true&timeoutSeconds=1&watch=true";
        actor.get(&format!("{place}?{watch}&resourceVersion={version}"))?;
    }
    // A streaming list needs no list.
    let streaming = "allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan\
                     &sendInitialEvents=true&timeoutSeconds=1&watch=true";
    actor.get(&format!("/api/v1/services?{streaming}"))?;
    actor.get(&format!(
        "/api/v1/namespaces/data/secrets?{streaming}&fieldSelector=metadata.name%3Dpassword"
    ))?;
    actor.get("/api/v1/watch/namespaces/data/endpoints?timeoutSeconds=1")?;
    actor.get("/metrics/slis")?;
    Ok(())
}
