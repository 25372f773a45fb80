//! Owner references that block deletion (S13), where the cluster enforces them.

use serde::Deserialize;

use super::body;
use crate::audit::conclude::Conclusions;
use crate::audit::{AdviceCode, Basis, Event, Who};
use crate::rbac::ResourceAtom;

/// Groups and kinds of Kubernetes whose objects live in no namespace and are seen as
/// owners. What custom kinds do is not in the log; most live in namespaces.
const CLUSTER_SCOPED: [(&str, &str); 13] = [
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("networking.k8s.io", "IngressClass"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("storage.k8s.io", "StorageClass"),
];

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
    if event.request_object.is_none() {
        return out.advise(AdviceCode::OwnerReferences, &request.clone().into(), vec![]);
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
        out.need(Who::Subject, finalizers(owner, request), Basis::OwnerReference);
    }
}

/// The right to the finalizers of an owner: in the namespace of the owned object, unless
/// the owner lives in none.
fn finalizers(owner: &Owner, request: &ResourceAtom) -> ResourceAtom {
    let group = body::group_of(&owner.api_version);
    let has_namespace = !CLUSTER_SCOPED.contains(&(group, &owner.kind));
    ResourceAtom {
        namespace: if has_namespace { request.namespace.clone() } else { "".into() },
        group: group.into(),
        resource: format!("{}/finalizers", body::resource_of(&owner.kind)).into(),
        name: owner.name.as_str().into(),
        verb: "update".into(),
    }
}
