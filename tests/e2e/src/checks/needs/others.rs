//! Websockets (S7), certificates (S8 to S10), and what later releases added (S14 to S18).

use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::{Value, json};

use super::case::{Call, Case};

const REQUESTS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const APPROVAL: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests/{ns}/approval";
const STATUS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests/{ns}/status";
const SIGNER: &str = "kubernetes.io/kube-apiserver-client";

pub(super) fn cases() -> Result<Vec<Case>> {
    Ok([websockets(), certificates()?, unsafe_deletes(), admission_policies(), resource_claims()]
        .into_iter()
        .flatten()
        .collect())
}

/// The pod runs on no node, so what is authorized then fails with 400.
fn websockets() -> Vec<Case> {
    let channel = "v5.channel.k8s.io";
    let on_pod = |case: Case| {
        let spec = json!({ "containers": [{ "name": "c", "image": "example.com/image" }] });
        case.given(
            "/api/v1/namespaces/{ns}/pods",
            json!({ "metadata": { "name": "p" }, "spec": spec }),
        )
        // The server says no more than this: the reason is empty.
        .refused(r#"pods "p" is forbidden: "#)
        .accepted(400)
    };
    vec![
        on_pod(Case::new(
            "S7-exec",
            Call::websocket("/api/v1/namespaces/{ns}/pods/p/exec?command=ls&stdout=true", channel),
        ))
        .holding("get;core;pods/exec;[p];ns")
        .until("create;core;pods/exec;[p];ns"),
        on_pod(Case::new(
            "S7-attach",
            Call::websocket("/api/v1/namespaces/{ns}/pods/p/attach?stdout=true", channel),
        ))
        .holding("get;core;pods/attach;[p];ns")
        .until("create;core;pods/attach;[p];ns"),
        on_pod(Case::new(
            "S7-portforward",
            Call::websocket(
                "/api/v1/namespaces/{ns}/pods/p/portforward?ports=80",
                "SPDY/3.1+portforward.k8s.io",
            ),
        ))
        .holding("get;core;pods/portforward;[p];ns")
        .until("create;core;pods/portforward;[p];ns"),
    ]
}

fn certificates() -> Result<Vec<Case>> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "somebody");
    let request = BASE64_STANDARD.encode(params.serialize_request(&key)?.pem()?);
    let certificate = BASE64_STANDARD.encode(params.self_signed(&key)?.pem());
    let request = json!({
        "metadata": { "name": "{ns}" },
        "spec": { "request": request, "signerName": SIGNER, "usages": ["client auth"] },
    });
    let condition = |kind: &str| {
        json!({ "status": { "conditions":
            [{ "type": kind, "status": "True", "reason": "Test", "message": "a test" }] } })
    };
    let mut approved = request.clone();
    approved["status"] = condition("Approved")["status"].clone();
    let approve = |name: &'static str, call: Call, verb: &'static str| {
        Case::new(name, call)
            .given(REQUESTS, request.clone())
            .holding(verb)
            .refused("user not permitted to approve requests with signerName")
    };
    let update = "update;certificates.k8s.io;certificatesigningrequests/approval;[{ns}];cl";
    let patch = "patch;certificates.k8s.io;certificatesigningrequests/approval;[{ns}];cl";
    let sign = |name: &'static str, status: Value| {
        Case::new(name, Call::merge(STATUS, status))
            .given(REQUESTS, request.clone())
            .holding("patch;certificates.k8s.io;certificatesigningrequests/status;[{ns}];cl")
            .refused("user not permitted to sign requests with signerName")
            .until("sign;certificates.k8s.io;signers;[kubernetes.io/kube-apiserver-client];cl")
    };
    let bundle = json!({
        "metadata": { "name": "example.com:signer:{ns}" },
        "spec": { "signerName": "example.com/signer", "trustBundle": ca_pem()? },
    });
    Ok(vec![
        approve("S8-update-approval", Call::put(APPROVAL, approved), update)
            .until("approve;certificates.k8s.io;signers;[kubernetes.io/kube-apiserver-client];cl"),
        approve("S8-patch-approval", Call::merge(APPROVAL, condition("Approved")), patch)
            .until("approve;certificates.k8s.io;signers;[kubernetes.io/*];cl"),
        sign("S9-certificate", json!({ "status": { "certificate": certificate } })),
        sign("S9-condition", condition("Failed")),
        Case::new(
            "S10-attest",
            Call::post("/apis/certificates.k8s.io/v1beta1/clustertrustbundles", bundle),
        )
        .holding("create;certificates.k8s.io;clustertrustbundles;-;cl")
        .refused("user not permitted to attest for signerName")
        .until("attest;certificates.k8s.io;signers;[example.com/signer];cl")
        .accepted(201),
    ])
}

fn ca_pem() -> Result<String> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    Ok(params.self_signed(&KeyPair::generate()?)?.pem())
}

/// The object can be read, so what is authorized then fails with 422.
fn unsafe_deletes() -> Vec<Case> {
    let target = "/api/v1/namespaces/{ns}/configmaps/c?ignoreStoreReadErrorWithClusterBreakingPotential=true";
    vec![
        Case::new("S14-unsafe-delete", Call::delete(target))
            .given("/api/v1/namespaces/{ns}/configmaps", json!({ "metadata": { "name": "c" } }))
            .holding("delete;core;configmaps;[c];ns")
            .refused(r#"not permitted to do "unsafe-delete-ignore-read-errors""#)
            .until("unsafe-delete-ignore-read-errors;core;configmaps;[c];ns")
            .accepted(422),
    ]
}

fn admission_policies() -> Vec<Case> {
    let policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    let bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";
    // Matches nothing that any other case touches.
    let policy = json!({
        "metadata": { "name": "{ns}" },
        "spec": {
            "paramKind": { "apiVersion": "v1", "kind": "ConfigMap" },
            "matchConstraints": { "resourceRules": [{ "apiGroups": ["nowhere.example.com"],
                "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["nothings"] }] },
            "validations": [{ "expression": "true" }],
        },
    });
    let binding = |reference: Value| {
        json!({ "metadata": { "name": "{ns}" }, "spec": {
            "policyName": "{ns}", "paramRef": reference, "validationActions": ["Deny"] } })
    };
    let named =
        binding(json!({ "name": "c", "namespace": "{ns}", "parameterNotFoundAction": "Allow" }));
    let selected =
        binding(json!({ "selector": {}, "namespace": "{ns}", "parameterNotFoundAction": "Allow" }));
    let create = "create;admissionregistration.k8s.io;validatingadmissionpolicybindings;-;cl";
    vec![
        Case::new("S15-policy", Call::post(policies, policy.clone()))
            .holding("create;admissionregistration.k8s.io;validatingadmissionpolicies;-;cl")
            .refused(r#"must have "get" permission on all objects of the referenced paramKind"#)
            .until("get;core;configmaps;-;cl")
            .accepted(201),
        Case::new("S16-binding-by-name", Call::post(bindings, named))
            .given(policies, policy.clone())
            .holding(create)
            .refused(r#"does not have "get" permission on the object referenced by paramRef"#)
            .until("get;core;configmaps;[c];ns")
            .accepted(201),
        Case::new("S16-binding-by-selector", Call::post(bindings, selected))
            .given(policies, policy)
            .holding(create)
            .refused(r#"does not have "list" permission on the object referenced by paramRef"#)
            .until("list;core;configmaps;-;ns")
            .accepted(201),
    ]
}

fn resource_claims() -> Vec<Case> {
    let claims = "/apis/resource.k8s.io/v1/namespaces/{ns}/resourceclaims";
    let status = "/apis/resource.k8s.io/v1/namespaces/{ns}/resourceclaims/claim/status";
    let claim = json!({
        "metadata": { "name": "claim" },
        "spec": { "devices": { "requests":
            [{ "name": "gpu", "exactly": { "deviceClassName": "example.com" } }] } },
    });
    let allocation = json!({ "status": { "allocation": { "devices": { "results": [{
        "request": "gpu", "driver": "driver.example.com", "pool": "pool", "device": "d" }] } } } });
    let mut with_devices = allocation.clone();
    with_devices["status"]["devices"] = json!([
        { "driver": "driver.example.com", "pool": "pool", "device": "d", "data": { "a": "b" } }]);
    vec![
        Case::new("S18-devices", Call::merge(status, with_devices))
            .given(claims, claim.clone())
            .holding("patch;resource.k8s.io;resourceclaims/status;[claim];ns")
            .holding("patch;resource.k8s.io;resourceclaims/binding;-;cl")
            .refused("changing status.devices")
            .until("arbitrary-node:patch;resource.k8s.io;resourceclaims/driver;[driver.example.com];ns"),
        Case::new("S17-allocation", Call::merge(status, allocation))
            .given(claims, claim)
            .holding("patch;resource.k8s.io;resourceclaims/status;[claim];ns")
            .refused("changing status.allocation")
            .until("patch;resource.k8s.io;resourceclaims/binding;-;cl"),
    ]
}
