//! The server's side: stores the objects, and says when it has seen them all.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use leastrole::rbac::{Atom, ResourceAtom};
use serde_json::{Value, json};

use super::sets::Set;
use crate::checks::review::ask;
use crate::harness::{Client, Identity, Reply};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// How long nothing may change before the aggregation controller is taken to be done.
const QUIET: Duration = Duration::from_secs(3);

/// By when it must be.
const PATIENCE: Duration = Duration::from_mins(2);

/// All RBAC objects of the cluster, settled.
pub(super) fn stored_objects(admin: &Client) -> Result<Vec<Value>> {
    wait_until_settled(admin)?;
    let kinds = ["roles", "clusterroles", "rolebindings", "clusterrolebindings"];
    kinds.iter().map(|plural| admin.get(&format!("{RBAC}/{plural}"))?.ok()).collect()
}

pub(super) fn create_namespaces(admin: &Client, set: &Set) -> Result<()> {
    for name in set.namespaces() {
        admin.post("/api/v1/namespaces", &json!({ "metadata": { "name": name } }))?.ok()?;
    }
    Ok(())
}

/// Creates an RBAC object.
pub(super) fn create(admin: &Client, manifest: &Value) -> Result<Reply> {
    let kind = manifest["kind"].as_str().unwrap_or_default().to_lowercase();
    let target = match manifest["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{RBAC}/namespaces/{namespace}/{kind}s"),
        None => format!("{RBAC}/{kind}s"),
    };
    admin.post(&target, manifest)
}

/// Waits until aggregated roles no longer change and the authorizer has seen every object.
pub(super) fn wait_until_settled(admin: &Client) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let (mut seen, mut since) = (BTreeMap::new(), Instant::now());
    while since.elapsed() < QUIET {
        ensure!(Instant::now() < deadline, "aggregated roles keep changing");
        let now = role_versions(admin)?;
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    wait_for_caches(admin, deadline)
}

fn role_versions(admin: &Client) -> Result<BTreeMap<String, String>> {
    let list = admin.get(&format!("{RBAC}/clusterroles"))?.ok()?;
    let items = list["items"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(items
        .map(|item| &item["metadata"])
        .map(|metadata| (text(&metadata["name"]), text(&metadata["resourceVersion"])))
        .collect())
}

/// The authorizer watches each of the four kinds in order: once it has seen the newest
/// object of each, it has seen all.
fn wait_for_caches(admin: &Client, deadline: Instant) -> Result<()> {
    let rules = json!([{ "verbs": ["get"], "apiGroups": ["sentinel"], "resources": ["all"] }]);
    for (kind, namespace) in [("Role", Some("default")), ("ClusterRole", None)] {
        let mut metadata = json!({ "generateName": "sentinel-" });
        if let Some(namespace) = namespace {
            metadata["namespace"] = namespace.into();
        }
        let role = json!({ "kind": kind, "metadata": metadata, "rules": rules });
        let role = create(admin, &role)?.ok()?;
        // The user is called like the role, so that no earlier sentinel is about the same one.
        let name = role["metadata"]["name"].as_str().unwrap_or_default();
        let binding = json!({
            "kind": format!("{kind}Binding"), "metadata": metadata,
            "roleRef": { "kind": kind, "name": name },
            "subjects": [{ "kind": "User", "name": name }],
        });
        create(admin, &binding)?.ok()?;
        wait_until_allowed(admin, name, namespace.unwrap_or_default(), deadline)?;
    }
    Ok(())
}

fn wait_until_allowed(
    admin: &Client,
    user: &str,
    namespace: &str,
    deadline: Instant,
) -> Result<()> {
    let atom = Atom::Resource(ResourceAtom {
        namespace: namespace.into(),
        group: "sentinel".into(),
        resource: "all".into(),
        name: "".into(),
        verb: "get".into(),
    });
    while !ask(admin, &Identity::user(user), &atom)?.allowed {
        if Instant::now() > deadline {
            bail!("the authorizer does not see new objects");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
