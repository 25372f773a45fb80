//! A runner that creates its jobs by `generateName` and follows each by the name it got.

use anyhow::Result;
use serde_json::json;

use super::super::actor::Stage;
use super::{CLIENT_GO, pod_spec, service_account};
use crate::harness::Identity;

const JOBS: &str = "/apis/batch/v1/namespaces/ci/jobs";
const PODS: &str = "/api/v1/namespaces/ci/pods";

pub(super) fn who() -> Identity {
    service_account("ci", "runner")
}

pub(super) fn run(stage: &Stage<'_>) -> Result<()> {
    let actor = stage.actor("batch", &who(), CLIENT_GO);
    let mut spec = pod_spec();
    spec["restartPolicy"] = "Never".into();
    for _ in 0..3 {
        let job = json!({ "metadata": { "generateName": "import-" },
            "spec": { "template": { "spec": spec } } });
        let job = actor.post(JOBS, &job)?;
        let name = job.body["metadata"]["name"].as_str().unwrap_or("import-x7k2p");
        actor.get(&format!("{JOBS}/{name}"))?;
        actor.get(&format!(
            "{JOBS}?fieldSelector=metadata.name%3D{name}&watch=true&timeoutSeconds=1"
        ))?;
        actor.merge(&format!("{JOBS}/{name}"), &json!({ "spec": { "suspend": true } }))?;
        let pod = actor.post(
            PODS,
            &json!({ "metadata": { "generateName": format!("{name}-") }, "spec": spec }),
        )?;
        let pod = pod.body["metadata"]["name"].as_str().unwrap_or("import-x7k2p-9qwzv");
        actor.get(&format!("{PODS}/{pod}"))?;
        actor.get(&format!("{PODS}/{pod}/log?follow=true"))?;
        actor.delete(&format!("{PODS}/{pod}?gracePeriodSeconds=0"))?;
        actor.delete(&format!("{JOBS}/{name}?propagationPolicy=Background"))?;
    }
    actor.delete(&format!("{PODS}?labelSelector=job-name"))?;
    Ok(())
}
