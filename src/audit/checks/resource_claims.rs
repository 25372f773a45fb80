//! Status writes of resource claims (S17 allocation and reservation, S18 devices),
//! checked apart from Kubernetes 1.36.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::body;
use crate::audit::conclude::Conclusions;
use crate::audit::{AdviceCode, Basis, Event, Who};
use crate::rbac::ResourceAtom;

const NODE_NAME: &str = "authentication.kubernetes.io/node-name";

#[derive(Deserialize)]
struct Claim {
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    allocation: Option<Value>,
    reserved_for: Vec<Value>,
    devices: Vec<Device>,
}

#[derive(Deserialize)]
struct Device {
    driver: String,
}

pub(in crate::audit) fn conclude(
    event: &Event<'_>,
    request: &ResourceAtom,
    out: &mut Conclusions<'_>,
) {
    let claim_status =
        &*request.group == "resource.k8s.io" && &*request.resource == "resourceclaims/status";
    if !claim_status || !body::writes_body(&request.verb) || !matches!(event.code(), 200..=299) {
        return;
    }
    let Some(Claim { status }) = body::sent::<Claim>(event) else {
        return out.advise(AdviceCode::ClaimStatus, &request.clone().into(), vec![]);
    };
    let drivers: BTreeSet<&str> =
        status.devices.iter().map(|device| device.driver.as_str()).collect();
    if sets_allocation(&status, &request.verb) {
        out.need(Who::Subject, part("binding", &request.verb), Basis::ResourceClaim);
    }
    for driver in drivers {
        let verb = format!("{}:{}", node_verb(event, &status), request.verb);
        let needed = ResourceAtom {
            namespace: request.namespace.clone(),
            name: driver.into(),
            ..part("driver", &verb)
        };
        out.need(Who::Subject, needed, Basis::ResourceClaim);
    }
}

/// S17, asked cluster-wide and without a name. A patch sets what it names. An update
/// repeats the whole status: next to devices, which drivers write, the allocation is the
/// one that the scheduler made.
fn sets_allocation(status: &Status, verb: &str) -> bool {
    let has_allocation = status.allocation.is_some() || !status.reserved_for.is_empty();
    has_allocation && (verb == "patch" || status.devices.is_empty())
}

fn part(subresource: &str, verb: &str) -> ResourceAtom {
    ResourceAtom {
        group: "resource.k8s.io".into(),
        resource: format!("resourceclaims/{subresource}").into(),
        verb: verb.into(),
        ..ResourceAtom::default()
    }
}

/// A service account that runs on the allocated node passes as `associated-node`, any
/// other caller as `arbitrary-node`. Where the allocation is not shown, a caller that
/// is bound to a node is taken to write about its own.
fn node_verb(event: &Event<'_>, status: &Status) -> &'static str {
    let own_node = event.user.extra.first(NODE_NAME);
    let is_allocated = |node: &str| match &status.allocation {
        Some(allocation) => mentions(allocation, node, 0),
        None => true,
    };
    match own_node {
        Some(node) if is_allocated(node) => "associated-node",
        _ => "arbitrary-node",
    }
}

fn mentions(value: &Value, node: &str, depth: usize) -> bool {
    match value {
        Value::String(text) => text == node,
        Value::Array(items) if depth < 16 => {
            items.iter().any(|item| mentions(item, node, depth + 1))
        }
        Value::Object(fields) if depth < 16 => {
            fields.values().any(|field| mentions(field, node, depth + 1))
        }
        _ => false,
    }
}
