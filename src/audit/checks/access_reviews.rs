//! Access reviews (S21): evidence of what the reviewed user does elsewhere.

use serde::Deserialize;

use super::body::{self, WithSpec};
use crate::audit::conclude::Conclusions;
use crate::audit::request::joined;
use crate::audit::{AdviceCode, Basis, Event, Who};
use crate::rbac::{Atom, ResourceAtom, UrlAtom, parse_service_account_username};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    #[serde(default)]
    user: String,
    resource_attributes: Option<Attributes>,
    non_resource_attributes: Option<UrlAttributes>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    namespace: String,
    verb: String,
    group: String,
    resource: String,
    subresource: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UrlAttributes {
    path: String,
    verb: String,
}

#[derive(Deserialize)]
struct Answer {
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    allowed: bool,
}

/// The kubelet authorizes its own API this way, so its reviews are requests of the
/// reviewed user. Other workloads may do the same or merely ask "could they": that makes
/// advice, where the answer was yes. People only ask.
pub(in crate::audit) fn conclude(
    event: &Event<'_>,
    request: &ResourceAtom,
    out: &mut Conclusions<'_>,
) {
    let is_review = &*request.group == "authorization.k8s.io"
        && matches!(&*request.resource, "subjectaccessreviews" | "localsubjectaccessreviews");
    if !is_review || &*request.verb != "create" {
        return;
    }
    let answered = body::stored::<Answer>(event).is_some_and(|answer| answer.status.allowed);
    let review = body::stored::<WithSpec<Review>>(event).or_else(|| body::sent(event));
    let Some(WithSpec { spec }) = review.filter(|_| answered) else { return };
    // Groups alone can be reviewed as well; they are no identity.
    let Some(atom) = reviewed(&spec).filter(|_| !spec.user.is_empty()) else { return };
    let who = Who::Reviewed { username: spec.user };
    if event.user.username.starts_with("system:node:") {
        out.need(who, atom, Basis::Delegated);
    } else if parse_service_account_username(&event.user.username).is_some() {
        let about = format!("{atom}, asked by {}", &*event.user.username);
        out.advise_on(who, AdviceCode::ReviewedElsewhere, &about, vec![atom]);
    }
}

fn reviewed(review: &Review) -> Option<Atom> {
    let atom = asked(review)?;
    (!review.user.is_empty() && atom.unsayable().is_none()).then_some(atom)
}

fn asked(review: &Review) -> Option<Atom> {
    match (&review.resource_attributes, &review.non_resource_attributes) {
        (Some(it), None) => Some(
            ResourceAtom {
                namespace: it.namespace.as_str().into(),
                group: it.group.as_str().into(),
                resource: joined(&it.resource, &it.subresource),
                name: it.name.as_str().into(),
                verb: it.verb.as_str().into(),
            }
            .into(),
        ),
        (None, Some(it)) => {
            Some(UrlAtom { path: it.path.as_str().into(), verb: it.verb.as_str().into() }.into())
        }
        _ => None,
    }
}
