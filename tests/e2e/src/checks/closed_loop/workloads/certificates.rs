//! Certificates: requested, approved, denied, signed.

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::{Value, json};

use super::super::actor::Stage;
use super::{CLIENT_GO, service_account};
use crate::harness::Identity;

const REQUESTS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";

pub(super) fn who() -> Identity {
    service_account("ci", "approver")
}

/// A request for a client certificate.
pub(in crate::checks) fn csr(name: &str) -> Result<Value> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "somebody");
    let request = BASE64_STANDARD.encode(params.serialize_request(&key)?.pem()?);
    Ok(json!({
        "metadata": { "name": name },
        "spec": { "request": request, "usages": ["client auth"],
                  "signerName": "kubernetes.io/kube-apiserver-client" },
    }))
}

pub(super) fn run(stage: &Stage<'_>) -> Result<()> {
    let actor = stage.actor("certificates", &who(), CLIENT_GO);
    actor.get(&format!("{REQUESTS}?limit=500"))?;
    actor.post(REQUESTS, &csr("own")?)?;
    let condition = |kind: &str| {
        json!({ "status": { "conditions":
            [{ "type": kind, "status": "True", "reason": "Test", "message": "a test" }] } })
    };
    let mut whole = actor.get(&format!("{REQUESTS}/to-approve"))?.body;
    whole["status"] = condition("Approved")["status"].clone();
    actor.put(&format!("{REQUESTS}/to-approve/approval"), &whole)?;
    actor.merge(&format!("{REQUESTS}/to-deny/approval"), &condition("Denied"))?;
    actor.merge(&format!("{REQUESTS}/to-sign/status"), &condition("Failed"))?;
    actor.delete(&format!("{REQUESTS}/own"))?;
    Ok(())
}
