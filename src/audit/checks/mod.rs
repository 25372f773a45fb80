//! The authorizations that a request needs beyond its logged verb (S1 to S21 of
//! `docs/design.md`), one family a file. Each reads one allowed event and says what it
//! proves, or what its missing body leaves open.

pub(super) mod access_reviews;
pub(super) mod admission_policies;
mod body;
pub(super) mod hidden_verbs;
pub(super) mod impersonation;
pub(super) mod owner_references;
pub(super) mod rbac_writes;
pub(super) mod resource_claims;
pub(super) mod signers;

use crate::audit::conclude::BodyUse;
use crate::rbac::{RBAC_GROUP, ResourceAtom};

/// What the checks read the body of such a request for.
pub(super) fn body_use(request: &ResourceAtom, owner_references: bool) -> BodyUse {
    if !body::writes_body(&request.verb) {
        return BodyUse::None;
    }
    match &*request.group {
        // Whom a review is about, and which parameters a policy takes, concerns others.
        "admissionregistration.k8s.io" | "authorization.k8s.io" => BodyUse::Others,
        RBAC_GROUP | signers::CERTIFICATES | "resource.k8s.io" => BodyUse::Subject,
        _ if owner_references => BodyUse::Subject,
        _ => BodyUse::None,
    }
}
