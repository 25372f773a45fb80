//! Owner references that block deletion (S13), where the server enforces rights on them.

use serde_json::{Value, json};

use super::case::{Call, Case};

const CONFIG_MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const CONFIG_MAP: &str = "/api/v1/namespaces/{ns}/configmaps/c";

pub(super) fn cases() -> Vec<Case> {
    let blocks = "a resource you can't set finalizers on";
    vec![
        Case::new("S13-create", Call::post(CONFIG_MAPS, owned(&[("v1", "ConfigMap", true)])))
            .holding("create;core;configmaps;-;ns")
            .refused(blocks)
            .until("update;core;configmaps/finalizers;[owner];ns")
            .accepted(201),
        on_object("S13-patch", &[("apps/v1", "Deployment", true)])
            .refused("cannot set an ownerRef on a resource you can't delete")
            .until("delete;core;configmaps;[c];ns")
            .until("update;apps;deployments/finalizers;[owner];ns"),
        on_object("S13-owner-that-does-not-block", &[("apps/v1", "Deployment", false)])
            .refused("cannot set an ownerRef on a resource you can't delete")
            .until("delete;core;configmaps;[c];ns"),
        // An owner without a namespace: so is the right to its finalizers.
        on_object("S13-cluster-scoped-owner", &[("v1", "Node", true)])
            .holding("delete;core;configmaps;[c];ns")
            .refused(blocks)
            .until("update;core;nodes/finalizers;[owner];cl"),
    ]
}

fn on_object(name: &'static str, owners: &[(&str, &str, bool)]) -> Case {
    Case::new(name, Call::merge(CONFIG_MAP, owned(owners)))
        .given(CONFIG_MAPS, json!({ "metadata": { "name": "c" } }))
        .holding("patch;core;configmaps;[c];ns")
}

/// Owners need not be there.
fn owned(owners: &[(&str, &str, bool)]) -> Value {
    let owner = |(api_version, kind, blocks): &(&str, &str, bool)| {
        json!({
            "apiVersion": api_version, "kind": kind, "name": "owner",
            "uid": "00000000-0000-0000-0000-000000000001", "blockOwnerDeletion": blocks,
        })
    };
    let owners: Vec<Value> = owners.iter().map(owner).collect();
    json!({ "metadata": { "name": "c", "ownerReferences": owners } })
}
