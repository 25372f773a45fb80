//! A second verb on the same object: `create` behind an update or apply that
//! created (S1, S2), `create` behind a websocket (S7), unsafe deletes (S14).

use crate::audit::conclude::Conclusions;
use crate::audit::{AdviceCode, Basis, Event, Who};
use crate::rbac::{Atom, ResourceAtom};

pub(in crate::audit) fn conclude(
    event: &Event<'_>,
    request: &ResourceAtom,
    out: &mut Conclusions<'_>,
) {
    match &*request.verb {
        "update" | "patch" => create_on_update(event, request, out),
        "get" => websocket(event, request, out),
        "delete" => unsafe_delete(event, request, out),
        _ => {}
    }
}

fn with_verb(request: &ResourceAtom, verb: &str) -> Atom {
    ResourceAtom { verb: verb.into(), ..request.clone() }.into()
}

/// S1 and S2: 201 to a PUT or PATCH means that the object was created. Not so for
/// proxies, where the code is whatever the proxied server says.
fn create_on_update(event: &Event<'_>, request: &ResourceAtom, out: &mut Conclusions<'_>) {
    let create = with_verb(request, "create");
    match event.code() {
        201 if !request.resource.ends_with("/proxy") => {
            out.need(Who::Subject, create, Basis::CreateOnUpdate);
        }
        403 if create_was_refused(event, request) => {
            let about = Atom::from(request.clone());
            out.advise(AdviceCode::CreateOnUpdateRefused, &about, vec![create]);
        }
        _ => {}
    }
}

/// The refusal has a fixed beginning, and everything else in a message is written by
/// third parties: the whole beginning must match.
fn create_was_refused(event: &Event<'_>, request: &ResourceAtom) -> bool {
    let message = event.response_status.as_ref().map_or("", |status| &status.message);
    let (resource, _) = request.resource.split_once('/').unwrap_or((&request.resource, ""));
    let group =
        if request.group.is_empty() { String::new() } else { format!(".{}", request.group) };
    let object = format!("{resource}{group} {:?} is forbidden: ", request.name);
    message
        .strip_prefix(object.as_str())
        .and_then(|rest| rest.strip_prefix("User "))
        .and_then(|rest| rest.split_once(" cannot "))
        .is_some_and(|(_, refusal)| refusal.starts_with("create resource "))
}

/// S14: the annotation says that the check was made, not how it ended.
fn unsafe_delete(event: &Event<'_>, request: &ResourceAtom, out: &mut Conclusions<'_>) {
    if event.annotations.unsafe_delete.is_some() && event.code() != 403 {
        let verb = "unsafe-delete-ignore-read-errors";
        out.need(Who::Subject, with_verb(request, verb), Basis::UnsafeDelete);
    }
}

/// S7: from Kubernetes 1.35 a GET to these subresources also checks `create`, before
/// anything else is done, so any answer but 403 says that it was held.
fn websocket(event: &Event<'_>, request: &ResourceAtom, out: &mut Conclusions<'_>) {
    let upgrades = matches!(&*request.resource, "pods/exec" | "pods/attach" | "pods/portforward");
    if !upgrades || !request.group.is_empty() {
        return;
    }
    let create = with_verb(request, "create");
    if event.code() != 403 {
        return out.need(Who::Subject, create, Basis::WebsocketUpgrade);
    }
    let message = event.response_status.as_ref().map_or("", |status| &status.message);
    if *message == format!("pods {:?} is forbidden: ", request.name) {
        out.advise(AdviceCode::WebsocketCreateRefused, &request.clone().into(), vec![create]);
    }
}
