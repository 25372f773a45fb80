//! Gives rights, and waits until the authorizer knows of them.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::json;

use super::grant::Grant;
use super::review::ask;
use crate::harness::{Client, Identity};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// The authorizer's caches take some milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Gives rights in the name of one case.
pub(super) struct Rights<'a> {
    admin: &'a Client,
    prefix: String,
}

impl<'a> Rights<'a> {
    pub(super) fn new(admin: &'a Client, case: &str) -> Self {
        Self { admin, prefix: format!("{case}-") }
    }

    /// Gives `grant` to `identity` by a role and a binding of its own.
    pub(super) fn give(&self, identity: &Identity, grant: &Grant) -> Result<()> {
        let (kind, place) = match &grant.namespace {
            Some(namespace) => ("Role", format!("{RBAC}/namespaces/{namespace}/role")),
            None => ("ClusterRole", format!("{RBAC}/clusterrole")),
        };
        let metadata = json!({ "generateName": self.prefix });
        let role = json!({ "metadata": metadata, "rules": [grant.rule] });
        let role = self.admin.post(&format!("{place}s"), &role)?.ok()?;
        let group = "rbac.authorization.k8s.io";
        let binding = json!({
            "metadata": metadata,
            "roleRef": { "apiGroup": group, "kind": kind, "name": role["metadata"]["name"] },
            "subjects": [{ "apiGroup": group, "kind": "User", "name": identity.username }],
        });
        self.admin.post(&format!("{place}bindings"), &binding)?.ok()?;
        let deadline = Instant::now() + PATIENCE;
        for atom in grant.atoms() {
            while !ask(self.admin, identity, &atom)?.allowed {
                if Instant::now() > deadline {
                    bail!("{} still may not {atom}", identity.username);
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Ok(())
    }
}

/// Waits until rights given now are known, and so all that were given before.
pub(super) fn wait_for_authorizer(admin: &Client) -> Result<()> {
    let rights = Rights::new(admin, "last");
    for (who, grant) in [("e2e-1", "get;core;pods;-;ns"), ("e2e-2", "get;core;pods;-;cl")] {
        rights.give(&Identity::user(who), &Grant::parse(grant, "default")?)?;
    }
    Ok(())
}
