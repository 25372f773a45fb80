//! What is there before the workloads, and the broad rights of the first run.

use anyhow::Result;
use serde_json::{Value, json};

use super::workloads::{cast, csr, pod};
use crate::checks::custom_resources::CustomResource;
use crate::checks::grant::Grant;
use crate::checks::rights::Rights;
use crate::harness::Client;

const NAMESPACES: [&str; 3] = ["shop", "data", "ci"];

/// The custom resource of the workloads.
pub(in crate::checks) const WIDGETS: CustomResource = CustomResource {
    group: "e2e.example.com",
    plural: "widgets",
    kind: "Widget",
    scope: "Namespaced",
};

/// What both runs start from.
pub(super) fn create_objects(admin: &Client) -> Result<()> {
    for namespace in NAMESPACES {
        let create = |target: &str, object: Value| admin.post(target, &object)?.ok();
        create("/api/v1/namespaces", json!({ "metadata": { "name": namespace } }))?;
        let core = format!("/api/v1/namespaces/{namespace}");
        create(&format!("{core}/serviceaccounts"), json!({ "metadata": { "name": "default" } }))?;
        for name in ["web-0", "web-1"] {
            create(&format!("{core}/pods"), pod(name))?;
        }
        create(
            &format!("{core}/secrets"),
            json!({ "metadata": { "name": "password" }, "stringData": { "a": "b" } }),
        )?;
    }
    let rule = json!({ "verbs": ["get", "list"], "apiGroups": [""], "resources": ["configmaps"] });
    let reader = json!({ "metadata": { "name": "config-reader" }, "rules": [rule] });
    admin.post("/apis/rbac.authorization.k8s.io/v1/clusterroles", &reader)?.ok()?;
    for name in ["to-approve", "to-deny", "to-refuse", "to-sign"] {
        let target = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
        admin.post(target, &csr(name)?)?.ok()?;
    }
    WIDGETS.define(admin)
}

/// The rights under which the first run is recorded.
pub(super) fn give_broad_rights(admin: &Client) -> Result<()> {
    for (number, (identity, grants)) in cast().into_iter().enumerate() {
        let rights = Rights::new(admin, &format!("broad-{number}"));
        for grant in grants {
            rights.give(&identity, &Grant::parse(grant, "shop")?)?;
        }
    }
    Ok(())
}
