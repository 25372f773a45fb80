//! What an administrator does, and what the controllers should make of it.
//!
//! There is no kubelet: pods are marked as running or done by hand.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::super::generated::items;
use super::super::refusals::Missed;
use crate::harness::Client;

const CORE: &str = "/api/v1/namespaces/shop";
const APPS: &str = "/apis/apps/v1/namespaces/shop";
const BUDGETS: &str = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets";

/// Longer would show what controllers do only after a while, in one of the runs alone.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) const AGGREGATED: &str = "aggregated role";
pub(super) const SIGNED: &str = "signed certificate";

/// Time for what the controllers do afterwards and nobody waits for.
const AFTERWARDS: Duration = Duration::from_secs(3);

/// Namespaces are there before any right is given in them.
pub(super) fn create_namespaces(admin: &Client) -> Result<()> {
    for name in ["shop", "doomed"] {
        admin.post("/api/v1/namespaces", &json!({ "metadata": { "name": name } }))?.ok()?;
    }
    Ok(())
}

/// Plays all of it; returns what was not done in time.
pub(super) fn play(admin: &Client) -> Result<Missed> {
    let mut play = Play { admin, missed: Vec::new() };
    play.basics()?;
    play.workloads()?;
    play.jobs()?;
    play.storage()?;
    play.policies()?;
    play.cluster()?;
    play.removal()?;
    std::thread::sleep(AFTERWARDS);
    Ok(play.missed)
}

struct Play<'a> {
    admin: &'a Client,
    missed: Missed,
}

impl Play<'_> {
    fn create(&self, target: &str, object: &Value) -> Result<()> {
        self.admin.post(target, object)?.ok()?;
        Ok(())
    }

    /// Waits until the object at `target` is as it should be.
    fn expect(
        &mut self,
        what: &'static str,
        target: &str,
        is_done: impl Fn(u16, &Value) -> bool,
    ) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reply = self.admin.get(target)?;
            if is_done(reply.status, &reply.body) {
                return Ok(());
            }
            if Instant::now() > deadline {
                self.missed.push(what);
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until an Event on the object was reported so many times. The first time it is
    /// created, the second time it is patched, and which comes to pass must not be a matter of
    /// time.
    fn expect_event(
        &mut self,
        what: &'static str,
        object: &str,
        reason: &str,
        times: u64,
    ) -> Result<()> {
        let events = format!(
            "{CORE}/events?fieldSelector=involvedObject.name%3D{object}%2Creason%3D{reason}"
        );
        self.expect(what, &events, |_, list| {
            items(&list["items"]).any(|event| event["count"].as_u64() >= Some(times))
        })
    }

    fn basics(&mut self) -> Result<()> {
        self.expect("default service account", &format!("{CORE}/serviceaccounts/default"), found)?;
        self.expect("root CA", &format!("{CORE}/configmaps/kube-root-ca.crt"), found)?;
        self.create("/api/v1/nodes", &json!({ "metadata": { "name": "n1" } }))
    }

    fn workloads(&mut self) -> Result<()> {
        let labels = json!({ "app": "web" });
        let template = json!({ "metadata": { "labels": labels }, "spec": pod_spec() });
        let spec = json!({ "selector": { "matchLabels": labels }, "template": template });
        for (kind, name) in
            [("deployments", "web"), ("statefulsets", "db"), ("daemonsets", "agent")]
        {
            let mut spec = spec.clone();
            spec["selector"]["matchLabels"]["app"] = name.into();
            spec["template"]["metadata"]["labels"]["app"] = name.into();
            if kind == "statefulsets" {
                spec["serviceName"] = "db".into();
            }
            let object = json!({ "metadata": { "name": name }, "spec": spec });
            self.create(&format!("{APPS}/{kind}"), &object)?;
        }
        let service = json!({ "metadata": { "name": "web" },
            "spec": { "selector": labels, "ports": [{ "port": 80 }] } });
        self.create(&format!("{CORE}/services"), &service)?;
        self.expect("pod of a deployment", &pods("web"), any)?;
        self.expect("pod of a stateful set", &pods("db"), any)?;
        self.expect("pod of a daemon set", &pods("agent"), any)?;
        for app in ["web", "db"] {
            self.mark(app, &running())?;
        }
        let deployment = format!("{APPS}/deployments/web");
        self.expect("available deployment", &deployment, |_, it| {
            it["status"]["availableReplicas"] == 1
        })?;
        let slices = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices\
                      ?labelSelector=kubernetes.io/service-name%3Dweb";
        self.expect("endpoint slice", slices, |_, list| {
            list["items"][0]["endpoints"][0]["addresses"][0] == "10.0.0.1"
        })?;
        self.expect("endpoints", &format!("{CORE}/endpoints/web"), |_, it| {
            it["subsets"][0]["addresses"][0]["ip"] == "10.0.0.1"
        })?;
        let again =
            json!({ "spec": { "template": { "metadata": { "annotations": { "turn": "2" } } } } });
        self.admin.merge(&deployment, &again)?.ok()?;
        self.expect("second pod of a rollout", &pods("web"), |_, list| {
            items(&list["items"]).count() > 1
        })?;
        self.mark("web", &running())?;
        self.expect("end of a rollout", &pods("web"), |_, list| items(&list["items"]).count() == 1)
    }

    fn mark(&self, app: &str, status: &Value) -> Result<()> {
        let list = self.admin.get(&pods(app))?.ok()?;
        for pod in items(&list["items"]) {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            let node = json!({ "metadata": { "name": name }, "target": { "name": "n1" } });
            self.admin.post(&format!("{CORE}/pods/{name}/binding"), &node)?;
            let target = format!("{CORE}/pods/{name}/status");
            // One that is gone meanwhile needs no mark.
            self.admin.merge(&target, &json!({ "status": status }))?;
        }
        Ok(())
    }

    fn jobs(&mut self) -> Result<()> {
        let mut spec = pod_spec();
        spec["restartPolicy"] = "Never".into();
        let template = json!({ "metadata": { "labels": { "app": "once" } }, "spec": spec });
        let job = json!({ "metadata": { "name": "once" },
            "spec": { "ttlSecondsAfterFinished": 1, "template": template } });
        self.create("/apis/batch/v1/namespaces/shop/jobs", &job)?;
        self.expect("pod of a job", &pods("once"), any)?;
        self.mark("once", &json!({ "phase": "Succeeded" }))?;
        let job = "/apis/batch/v1/namespaces/shop/jobs/once";
        self.expect("removal of a finished job", job, |status, _| status == 404)
    }

    fn storage(&mut self) -> Result<()> {
        let claim = json!({ "metadata": { "name": "data" }, "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "",
            "resources": { "requests": { "storage": "1Gi" } } } });
        self.create(&format!("{CORE}/persistentvolumeclaims"), &claim)?;
        self.expect_event("repeated event of a claim", "data", "FailedBinding", 2)?;
        let volume = json!({ "metadata": { "name": "disk" }, "spec": {
            "capacity": { "storage": "1Gi" }, "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain", "hostPath": { "path": "/nowhere" } } });
        self.create("/api/v1/persistentvolumes", &volume)?;
        let target = format!("{CORE}/persistentvolumeclaims/data");
        self.expect("bound claim", &target, |_, it| it["status"]["phase"] == "Bound")?;
        self.admin.delete(&target)?.ok()?;
        self.expect("removal of a claim", &target, |status, _| status == 404)
    }

    fn policies(&mut self) -> Result<()> {
        let quota = json!({ "metadata": { "name": "q" }, "spec": { "hard": { "pods": "50" } } });
        self.create(&format!("{CORE}/resourcequotas"), &quota)?;
        self.expect("counted quota", &format!("{CORE}/resourcequotas/q"), |_, it| {
            it["status"]["used"]["pods"].is_string()
        })?;
        let budget = json!({ "metadata": { "name": "b" }, "spec": {
            "minAvailable": 1, "selector": { "matchLabels": { "app": "web" } } } });
        self.create(BUDGETS, &budget)?;
        self.expect("counted budget", &format!("{BUDGETS}/b"), |_, it| {
            it["status"]["expectedPods"] == 1
        })?;
        let scalers = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers";
        let scaler = json!({ "metadata": { "name": "h" }, "spec": { "maxReplicas": 2,
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" } } });
        self.create(scalers, &scaler)?;
        self.expect("looked-at autoscaler", &format!("{scalers}/h"), |_, it| {
            it["status"]["conditions"].is_array()
        })
    }

    fn cluster(&mut self) -> Result<()> {
        let roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
        let rule = json!({ "verbs": ["get"], "apiGroups": [""], "resources": ["pods"] });
        let part =
            json!({ "metadata": { "name": "part", "labels": { "of": "sum" } }, "rules": [rule] });
        self.create(roles, &part)?;
        let sum = json!({ "metadata": { "name": "sum" }, "aggregationRule": {
            "clusterRoleSelectors": [{ "matchLabels": { "of": "sum" } }] } });
        self.create(roles, &sum)?;
        self.expect(AGGREGATED, &format!("{roles}/sum"), |_, it| it["rules"].is_array())?;
        let requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
        self.create(requests, &super::super::closed_loop::csr("signed")?)?;
        let mut request = self.admin.get(&format!("{requests}/signed"))?.ok()?;
        request["status"]["conditions"] = json!([{ "type": "Approved", "status": "True", "reason": "Test", "message": "a test" }]);
        self.admin.put(&format!("{requests}/signed/approval"), &request)?.ok()?;
        self.expect(SIGNED, &format!("{requests}/signed"), |_, it| {
            it["status"]["certificate"].is_string()
        })
    }

    fn removal(&mut self) -> Result<()> {
        self.admin.delete(&format!("{APPS}/deployments/web?propagationPolicy=Foreground"))?.ok()?;
        self.expect("removal of dependents", &pods("web"), |_, list| !any(200, list))?;
        self.expect_event("event of a budget", "b", "NoPods", 1)?;
        let again = json!({ "metadata": { "annotations": { "turn": "2" } } });
        self.admin.merge(&format!("{BUDGETS}/b"), &again)?.ok()?;
        self.expect_event("repeated event of a budget", "b", "NoPods", 2)?;
        let config = json!({ "metadata": { "name": "c" } });
        self.create("/api/v1/namespaces/doomed/configmaps", &config)?;
        self.admin.delete("/api/v1/namespaces/doomed")?.ok()?;
        self.expect("removal of a namespace", "/api/v1/namespaces/doomed", |status, _| {
            status == 404
        })
    }
}

fn found(status: u16, _: &Value) -> bool {
    status == 200
}

fn any(_: u16, list: &Value) -> bool {
    items(&list["items"]).next().is_some()
}

fn pods(app: &str) -> String {
    format!("{CORE}/pods?labelSelector=app%3D{app}")
}

fn pod_spec() -> Value {
    json!({ "terminationGracePeriodSeconds": 0,
            "containers": [{ "name": "c", "image": "example.com/image" }] })
}

fn running() -> Value {
    json!({ "phase": "Running", "podIP": "10.0.0.1", "podIPs": [{ "ip": "10.0.0.1" }],
            "conditions": [{ "type": "Ready", "status": "True",
                             "lastTransitionTime": "2026-11-20T09:00:00Z" }] })
}
