//! Defines custom resources that take any content.

use anyhow::Result;
use serde_json::json;

use crate::harness::Client;

/// A custom resource with a status subresource; `scope` is `Namespaced` or `Cluster`.
pub(super) struct CustomResource {
    pub(super) group: &'static str,
    pub(super) plural: &'static str,
    pub(super) kind: &'static str,
    pub(super) scope: &'static str,
}

impl CustomResource {
    /// Creates its definition. It is served a moment later.
    pub(super) fn define(&self, admin: &Client) -> Result<()> {
        let Self { group, plural, kind, scope } = self;
        let schema = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
        let definition = json!({
            "metadata": { "name": format!("{plural}.{group}") },
            "spec": {
                "group": group,
                "scope": scope,
                "names": { "plural": plural, "kind": kind },
                "versions": [{
                    "name": "v1",
                    "served": true,
                    "storage": true,
                    "schema": { "openAPIV3Schema": schema },
                    "subresources": { "status": {} },
                }],
            },
        });
        let target = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        admin.post(target, &definition)?.ok()?;
        Ok(())
    }
}
