//! Asks the server's authorizer, by a `SubjectAccessReview`.

use anyhow::Result;
use leastrole::rbac::{Atom, UrlAtom};
use serde_json::{Value, json};

use crate::harness::{Client, Identity};

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

/// What the server said.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) allowed: bool,
    pub(super) reason: String,
}

/// Whether `identity` may do `atom`.
pub(super) fn ask(admin: &Client, identity: &Identity, atom: &Atom) -> Result<Answer> {
    let review = admin.post(REVIEWS, &review(identity, atom))?.ok()?;
    let status = &review["status"];
    let reason = status["reason"].as_str().unwrap_or_default().to_owned();
    Ok(Answer { allowed: status["allowed"] == true, reason })
}

fn review(identity: &Identity, atom: &Atom) -> Value {
    let mut spec = json!({ "user": identity.username, "groups": identity.groups });
    match atom {
        Atom::Url(UrlAtom { path, verb }) => {
            spec["nonResourceAttributes"] = json!({ "path": path, "verb": verb });
        }
        Atom::Resource(atom) => {
            let (resource, subresource) =
                atom.resource.split_once('/').unwrap_or((&atom.resource, ""));
            spec["resourceAttributes"] = json!({
                "namespace": atom.namespace, "verb": atom.verb, "group": atom.group,
                "resource": resource, "subresource": subresource, "name": atom.name,
            });
        }
    }
    json!({ "spec": spec })
}
