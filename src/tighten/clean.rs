//! An object as its author would write it: without what the API server adds.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::rbac::Object;

/// Holds the object as it was applied before, with the rules that are being taken away.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The object without the fields that the API server fills in, which stand in the way of
/// applying it again.
pub fn clean(mut object: Object) -> Object {
    let metadata = match &mut object {
        Object::ClusterRole(object) => &mut object.metadata,
        Object::Role(object) => &mut object.metadata,
        Object::ClusterRoleBinding(object) => &mut object.metadata,
        Object::RoleBinding(object) => &mut object.metadata,
    };
    let ObjectMeta { name, namespace, labels, annotations, finalizers, owner_references, .. } =
        std::mem::take(metadata);
    let mut annotations = annotations;
    if let Some(annotations) = &mut annotations {
        annotations.remove(LAST_APPLIED);
    }
    *metadata = ObjectMeta {
        name,
        namespace,
        labels,
        annotations: annotations.filter(|annotations| !annotations.is_empty()),
        finalizers,
        owner_references,
        ..ObjectMeta::default()
    };
    object
}
