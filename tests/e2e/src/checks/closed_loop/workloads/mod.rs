//! What the actors do: fixed scripts, so that each request has its like in the other run.

mod batch;
mod certificates;
mod deploy;
mod impersonation;
mod informers;
mod pods;
mod prober;
mod rbac;

use anyhow::Result;
use serde_json::{Value, json};

use super::actor::Stage;
use crate::harness::Identity;

pub(in crate::checks) use certificates::csr;

const EVERYTHING: [&str; 2] = ["*;*;*;-;cl", "url:* *"];
const KUBECTL: &str = "kubectl/v1.36.3 (linux/amd64) kubernetes/0000000";
const CLIENT_GO: &str = "workload/v1.0.0 (linux/amd64) client-go/v0.36.0";

/// All actors with the rights of the first run, in the notation of `Grant`.
pub(super) fn cast() -> Vec<(Identity, Vec<&'static str>)> {
    let mut cast = Vec::new();
    cast.extend(deploy::sessions().map(|session| (session, EVERYTHING.to_vec())));
    for who in [informers::who(), batch::who(), pods::who(), certificates::who(), rbac::who()] {
        cast.push((who, EVERYTHING.to_vec()));
    }
    cast.extend(impersonation::cast());
    cast.extend(prober::cast());
    cast
}

/// Runs them one after the other.
pub(super) fn run(stage: &Stage<'_>) -> Result<()> {
    deploy::run(stage)?;
    informers::run(stage)?;
    batch::run(stage)?;
    pods::run(stage)?;
    impersonation::run(stage)?;
    certificates::run(stage)?;
    rbac::run(stage)?;
    prober::run(stage)
}

/// A pod that no node will ever run.
pub(super) fn pod(name: &str) -> Value {
    json!({ "metadata": { "name": name, "labels": { "app": "web" } }, "spec": pod_spec() })
}

fn pod_spec() -> Value {
    json!({ "containers": [{ "name": "c", "image": "example.com/image" }] })
}

fn service_account(namespace: &str, name: &str) -> Identity {
    Identity::user(&format!("system:serviceaccount:{namespace}:{name}"))
        .in_group("system:serviceaccounts")
        .in_group(&format!("system:serviceaccounts:{namespace}"))
}
