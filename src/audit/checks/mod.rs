//! The authorizations that a request needs beyond its logged verb (semantics
//! section 4), one family a file. Each reads one allowed event and says what it
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

use crate::rbac::{RBAC_GROUP, ResourceAtom};

/// Whether any of the checks reads the body of such a request. Owner references, which
/// every body may hold, are not among them.
pub(super) fn read_body(request: &ResourceAtom) -> bool {
    body::writes_body(&request.verb)
        && matches!(
            &*request.group,
            RBAC_GROUP
                | signers::CERTIFICATES
                | "admissionregistration.k8s.io"
                | "resource.k8s.io"
                | "authorization.k8s.io"
        )
}
