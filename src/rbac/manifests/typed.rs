//! From a tree to an object of its kind.
//!
//! The fields of a manifest come in, the object or the field that does not fit goes out.
//! Fields that the API does not know are dropped, as the API server drops them.

use k8s_openapi::api::rbac::v1::{
    AggregationRule, ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef,
    Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::{Error, Map, Value};

use super::super::objects::{Kind, Object};

/// A field of the wrong type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// The field, as `rules[2]`; as deep as is known.
    pub(super) field: String,
    pub(super) message: String,
}

/// The object of that kind in `fields`, whatever version they name.
pub(super) fn object(kind: Kind, mut fields: Map<String, Value>) -> Result<Object, Misfit> {
    // The types insist on their own version.
    fields.remove("apiVersion");
    fields.remove("kind");
    fill_null_labels(&mut fields);
    let fields = Value::Object(fields);
    match kind {
        Kind::ClusterRole => ClusterRole::deserialize(&fields).map(Object::from),
        Kind::Role => Role::deserialize(&fields).map(Object::from),
        Kind::ClusterRoleBinding => ClusterRoleBinding::deserialize(&fields).map(Object::from),
        Kind::RoleBinding => RoleBinding::deserialize(&fields).map(Object::from),
    }
    .map_err(|error| misfit(&fields, &error))
}

/// A label or annotation without a value is the empty string to Kubernetes.
fn fill_null_labels(fields: &mut Map<String, Value>) {
    for field in ["labels", "annotations"] {
        let map = fields.get_mut("metadata").and_then(|metadata| metadata.get_mut(field));
        let values = map.and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut);
        for value in values.filter(|value| value.is_null()) {
            *value = Value::String(String::new());
        }
    }
}

/// Finds the part of the object that does not fit.
fn misfit(fields: &Value, whole: &Error) -> Misfit {
    let found = part::<ObjectMeta>(fields, "metadata")
        .or_else(|| part::<RoleRef>(fields, "roleRef"))
        .or_else(|| part::<AggregationRule>(fields, "aggregationRule"))
        .or_else(|| parts::<PolicyRule>(fields, "rules"))
        .or_else(|| parts::<Subject>(fields, "subjects"));
    let (field, error) = found.unwrap_or_else(|| ("the object".to_owned(), whole.to_string()));
    Misfit { field, message: error }
}

fn part<'v, T: Deserialize<'v>>(fields: &'v Value, field: &str) -> Option<(String, String)> {
    let error = T::deserialize(fields.get(field)?).err()?;
    Some((field.to_owned(), error.to_string()))
}

fn parts<'v, T: Deserialize<'v>>(fields: &'v Value, field: &str) -> Option<(String, String)> {
    let Some(items) = fields.get(field)?.as_array() else {
        return part::<Option<Vec<T>>>(fields, field);
    };
    items.iter().enumerate().find_map(|(index, item)| {
        let error = T::deserialize(item).err()?;
        Some((format!("{field}[{index}]"), error.to_string()))
    })
}
