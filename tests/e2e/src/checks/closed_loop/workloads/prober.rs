//! Somebody who may read one thing and tries the rest, and nobody at all.

use anyhow::Result;
use serde_json::json;

use super::super::actor::Stage;
use super::{KUBECTL, pod};
use crate::harness::Identity;

pub(super) fn cast() -> Vec<(Identity, Vec<&'static str>)> {
    vec![
        (prober(), vec!["get,list;core;pods,configmaps;-;ns", "get;core;nodes;-;cl"]),
        // Who may get but not create is refused a websocket; who may update, a creation.
        (
            half(),
            vec![
                "get;core;pods/exec;-;ns",
                "update,patch;coordination.k8s.io;leases;-;ns",
                "patch;core;configmaps;-;ns",
                "create,update;rbac.authorization.k8s.io;roles,rolebindings;-;ns",
                "update;certificates.k8s.io;certificatesigningrequests/approval;-;cl",
                "impersonate;core;users;[carol@example.com];cl",
            ],
        ),
    ]
}

fn prober() -> Identity {
    Identity::iam_role("auditor", "mallory")
}

fn half() -> Identity {
    Identity::user("half")
}

pub(super) fn run(stage: &Stage<'_>) -> Result<()> {
    probe(stage)?;
    try_more(stage)
}

fn probe(stage: &Stage<'_>) -> Result<()> {
    let actor = stage.actor("prober", &prober(), KUBECTL);
    let shop = "/api/v1/namespaces/shop";
    for target in
        ["pods", "pods/web-0", "configmaps", "secrets", "secrets/password", "pods/web-0/log"]
    {
        actor.get(&format!("{shop}/{target}"))?;
    }
    for target in ["/api/v1/pods", "/api/v1/nodes", "/api/v1/nodes/n1", "/metrics", "/logs", "/"] {
        actor.get(target)?;
    }
    actor.post(&format!("{shop}/pods"), &pod("mine"))?;
    actor.delete(&format!("{shop}/pods/web-0"))?;
    actor.merge(&format!("{shop}/configmaps/settings"), &json!({ "data": { "a": "c" } }))?;
    let channel = "v5.channel.k8s.io";
    actor.websocket(&format!("{shop}/pods/web-0/exec?command=sh&stdin=true"), channel)?;
    let other = stage.actor("prober-as", &prober(), KUBECTL).with("Impersonate-User", "root");
    other.get(&format!("{shop}/secrets"))?;
    stage.actor("nobody", &Identity::user("nobody"), KUBECTL).get(&format!("{shop}/pods"))?;
    Ok(())
}

fn try_more(stage: &Stage<'_>) -> Result<()> {
    let actor = stage.actor("half", &half(), KUBECTL);
    let shop = "/api/v1/namespaces/shop";
    let channel = "v5.channel.k8s.io";
    actor.websocket(&format!("{shop}/pods/web-0/exec?command=sh&stdout=true"), channel)?;
    let lease = json!({ "metadata": { "name": "mine" }, "spec": { "holderIdentity": "me" } });
    actor.put("/apis/coordination.k8s.io/v1/namespaces/shop/leases/mine", &lease)?;
    let config = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "mine" } });
    actor.apply(&format!("{shop}/configmaps/mine?fieldManager=half"), &config)?;
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop";
    let rule = json!({ "verbs": ["get"], "apiGroups": [""], "resources": ["secrets"] });
    actor
        .post(&format!("{rbac}/roles"), &json!({ "metadata": { "name": "r" }, "rules": [rule] }))?;
    let group = "rbac.authorization.k8s.io";
    let admin = json!({
        "metadata": { "name": "rb" },
        "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "apiGroup": group, "kind": "User", "name": "half" }],
    });
    actor.post(&format!("{rbac}/rolebindings"), &admin)?;
    let requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    let mut request = stage.cluster.admin().get(&format!("{requests}/to-refuse"))?.body;
    request["status"]["conditions"] =
        json!([{ "type": "Approved", "status": "True", "reason": "Test", "message": "a test" }]);
    actor.put(&format!("{requests}/to-refuse/approval"), &request)?;
    Ok(())
}
