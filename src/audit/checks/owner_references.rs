//! Owner references that block deletion (S13), where the cluster enforces them.

use serde::Deserialize;

use super::body;
use crate::audit::conclude::Conclusions;
use crate::audit::{Basis, Event, Who};
use crate::rbac::ResourceAtom;

#[derive(Deserialize)]
struct Owned {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    owner_references: Vec<Owner>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    api_version: String,
    kind: String,
    name: String,
    #[serde(default)]
    block_owner_deletion: bool,
}

/// `update` on the finalizers of each blocking owner and, where the object existed
/// before, `delete` on the object itself.
pub(in crate::audit) fn conclude(
    event: &Event<'_>,
    request: &ResourceAtom,
    out: &mut Conclusions<'_>,
) {
    if !body::writes_body(&request.verb) || !matches!(event.code(), 200..=299) {
        return;
    }
    let Some(Owned { metadata }) = body::sent::<Owned>(event) else { return };
    if metadata.owner_references.is_empty() {
        return;
    }
    if &*request.verb != "create" {
        let delete = ResourceAtom { verb: "delete".into(), ..request.clone() };
        out.need(Who::Subject, delete, Basis::OwnerReference);
    }
    for owner in metadata.owner_references.iter().filter(|owner| owner.block_owner_deletion) {
        let finalizers = ResourceAtom {
            namespace: request.namespace.clone(),
            group: body::group_of(&owner.api_version).into(),
            resource: format!("{}/finalizers", body::resource_of(&owner.kind)).into(),
            name: owner.name.as_str().into(),
            verb: "update".into(),
        };
        out.need(Who::Subject, finalizers, Basis::OwnerReference);
    }
}
