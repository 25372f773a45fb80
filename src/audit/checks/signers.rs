//! Certificates and trust bundles: `approve`, `sign` and `attest` on a signer
//! (S8, S9, S10), checked by admission with the signer's name as resource name.

use serde::Deserialize;

use super::body::{self, WithSpec};
use crate::audit::conclude::Conclusions;
use crate::audit::{AdviceCode, Basis, Event, Who};
use crate::rbac::ResourceAtom;

pub(super) const CERTIFICATES: &str = "certificates.k8s.io";

pub(in crate::audit) fn conclude(
    event: &Event<'_>,
    request: &ResourceAtom,
    out: &mut Conclusions<'_>,
) {
    if *request.group != *CERTIFICATES || !body::writes_body(&request.verb) {
        return;
    }
    let (verb, unknown) = match &*request.resource {
        "certificatesigningrequests/approval" => ("approve", AdviceCode::ApproveSigner),
        "certificatesigningrequests/status" | "podcertificaterequests/status" => {
            ("sign", AdviceCode::SignSigner)
        }
        "clustertrustbundles" => ("attest", AdviceCode::AttestSigner),
        _ => return,
    };
    let signer = signer(event);
    match event.code() {
        200..=299 => {}
        403 | 422 => return refused(event, request, verb, signer, out),
        _ => return,
    }
    if verb == "sign" && matches!(certifies(event), Some(false)) {
        return;
    }
    match signer {
        // A trust bundle without a signer is checked by no one.
        Some(signer) if signer.is_empty() && verb == "attest" => {}
        Some(signer) if verb != "sign" || certifies(event).is_some() => {
            out.need(Who::Subject, on(&signer, verb), Basis::Signer);
        }
        known => {
            let wanted = known.map(|signer| on(&signer, verb).into()).into_iter().collect();
            out.advise(unknown, &request.clone().into(), wanted);
        }
    }
}

fn on(signer: &str, verb: &str) -> ResourceAtom {
    ResourceAtom {
        namespace: "".into(),
        group: CERTIFICATES.into(),
        resource: "signers".into(),
        name: signer.into(),
        verb: verb.into(),
    }
}

fn refused(
    event: &Event<'_>,
    request: &ResourceAtom,
    verb: &str,
    signer: Option<String>,
    out: &mut Conclusions<'_>,
) {
    let message = event.response_status.as_ref().map_or("", |status| &*status.message);
    if message.contains("user not permitted to ") && message.contains("signerName") {
        let wanted = signer.map(|signer| on(&signer, verb).into()).into_iter().collect();
        out.advise(AdviceCode::SignerRefused, &request.clone().into(), wanted);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default)]
    signer_name: String,
}

/// The signer of the object: immutable, so any body that shows it will do.
fn signer(event: &Event<'_>) -> Option<String> {
    let object = body::stored::<WithSpec<Spec>>(event).or_else(|| body::sent(event))?;
    Some(object.spec.signer_name)
}

#[derive(Deserialize)]
struct Signing {
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    certificate: Option<String>,
    certificate_chain: Option<String>,
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
}

/// Whether a status write sets what only a signer may set: a certificate or a
/// condition of its own. Nothing where the body was not logged.
fn certifies(event: &Event<'_>) -> Option<bool> {
    let Status { certificate, certificate_chain, conditions } =
        body::sent::<Signing>(event)?.status;
    let filled = |text: Option<String>| text.is_some_and(|text| !text.is_empty());
    let own = conditions.iter().any(|condition| matches!(&*condition.kind, "Failed" | "Issued"));
    Some(filled(certificate) || filled(certificate_chain) || own)
}
