//! Bodies in events, and the little of Kubernetes objects that the checks read.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::audit::Event;

/// The object as stored: the response of a write that went through.
pub(super) fn stored<T: DeserializeOwned>(event: &Event<'_>) -> Option<T> {
    matches!(event.code(), 200..=299).then(|| read(event.response_object)).flatten()
}

/// The body as sent. Of a patch it is only what the patch names.
pub(super) fn sent<T: DeserializeOwned>(event: &Event<'_>) -> Option<T> {
    read(event.request_object)
}

/// The whole object: as stored, else as sent in full.
pub(super) fn whole<T: DeserializeOwned>(event: &Event<'_>) -> Option<T> {
    stored(event).or_else(|| if event.verb.as_bytes() == b"patch" { None } else { sent(event) })
}

fn read<T: DeserializeOwned>(body: Option<&RawValue>) -> Option<T> {
    serde_json::from_str(body?.get()).ok()
}

/// Whether a write got past the checks that come before validation: it went through,
/// or failed in a way that only comes later (invalid, already exists).
pub(super) fn reached_validation(event: &Event<'_>) -> bool {
    passed_validation(event) || (event.code() == 422 && is_refused_by_storage(event))
}

/// Whether a write got past the checks that are part of validation, which refuse as
/// invalid what the caller may not write.
pub(super) fn passed_validation(event: &Event<'_>) -> bool {
    match event.code() {
        200..=299 => true,
        409 => is_refused_by_storage(event),
        _ => false,
    }
}

/// A refusal of a create that is not that of a webhook, which answers with any code and
/// may be asked before everything else.
fn is_refused_by_storage(event: &Event<'_>) -> bool {
    let message = event.response_status.as_ref().map_or("", |status| &status.message);
    &*event.verb == "create" && !message.starts_with("admission webhook ")
}

/// `create`, `update` and `patch`: the verbs that write a body.
pub(super) fn writes_body(verb: &str) -> bool {
    matches!(verb, "create" | "update" | "patch")
}

/// An object that carries a `spec`.
#[derive(Deserialize)]
pub(super) struct WithSpec<T> {
    pub(super) spec: T,
}

/// The API group of an `apiVersion`: `apps` of `apps/v1`, the empty string of `v1`.
pub(super) fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// The resource of a kind, as `meta.UnsafeGuessKindToResource` of k8s.io/apimachinery
/// guesses it: lower case, plural by English rules.
pub(super) fn resource_of(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.as_str() {
        "endpoints" => kind,
        _ if kind.ends_with('s') => format!("{kind}es"),
        _ if kind.ends_with('y') => format!("{}ies", &kind[..kind.len() - 1]),
        _ => format!("{kind}s"),
    }
}
