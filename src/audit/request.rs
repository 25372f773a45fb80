//! From an event to the question that the authorizer was asked.

use smol_str::SmolStr;

use super::Event;
use super::uri::{self, Target};
use crate::rbac::{Atom, ResourceAtom, UrlAtom};

pub use super::uri::MalformedUri;

/// What the authorizer was asked about this event's request, recomputed from its
/// URI and verb.
///
/// The HTTP method is not in the event, but the verb fixes what depends on it.
///
/// # Errors
/// Where the URI names nothing that a rule could grant.
pub fn request(event: &Event<'_>) -> Result<Atom, MalformedUri> {
    let (target, query) = uri::split(&event.request_uri)?;
    let resource = match target {
        Target::Url(path) => {
            return Ok(UrlAtom { path, verb: (&*event.verb).into() }.into());
        }
        Target::Resource(resource) => resource,
    };
    let name = match &*event.verb {
        "list" | "watch" if resource.name.is_empty() && !resource.watch_prefix => {
            selected_name(event, query).into()
        }
        _ => resource.name,
    };
    Ok(ResourceAtom {
        namespace: resource.namespace,
        group: resource.group,
        resource: joined(&resource.plural, &resource.subresource),
        name,
        verb: (&*event.verb).into(),
    }
    .into())
}

/// `pods` and `log` as RBAC writes them: `pods/log`.
pub(super) fn joined(resource: &str, subresource: &str) -> SmolStr {
    if subresource.is_empty() {
        resource.into()
    } else {
        format!("{resource}/{subresource}").into()
    }
}

/// The selected name of a list or watch. Where the event has an object reference,
/// its name is the API server's own reading of the selector: an empty one says
/// that some list option did not decode and no name was taken.
fn selected_name(event: &Event<'_>, query: &str) -> String {
    let name = uri::selected_name(query);
    match &event.object_ref {
        Some(object) if object.name.is_empty() => String::new(),
        _ => name,
    }
}
