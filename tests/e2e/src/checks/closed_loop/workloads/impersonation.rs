//! Impersonation both ways: constrained where the rights allow it, legacy where they do not.

use anyhow::Result;

use super::super::actor::{Actor, Stage};
use super::{EVERYTHING, KUBECTL, service_account};
use crate::harness::Identity;

const POD: &str = "/api/v1/namespaces/shop/pods/web-0";

/// An administrator may do anything, so the constrained modes are taken; the gateway holds
/// nothing but the verb of old.
pub(super) fn cast() -> Vec<(Identity, Vec<&'static str>)> {
    let reads = vec!["get,list;core;pods;-;ns"];
    vec![
        (admin(), EVERYTHING.to_vec()),
        (
            gateway(),
            vec![
                "impersonate;core;users,groups,serviceaccounts;-;cl",
                "impersonate;authentication.k8s.io;uids,userextras/scopes;-;cl",
            ],
        ),
        (Identity::user("carol@example.com"), reads.clone()),
        (service_account("data", "robot"), reads),
    ]
}

fn admin() -> Identity {
    Identity::iam_role("platform-admin", "dave@example.com")
}

fn gateway() -> Identity {
    service_account("ci", "gateway")
}

pub(super) fn run(stage: &Stage<'_>) -> Result<()> {
    for (label, who) in [("constrained", admin()), ("legacy", gateway())] {
        let acting = |part: &str, user: &str| {
            stage.actor(&format!("{label}-{part}"), &who, KUBECTL).with("Impersonate-User", user)
        };
        read(&acting("user", "carol@example.com"))?;
        let groups = acting("groups", "carol@example.com")
            .with("Impersonate-Group", "developers")
            .with("Impersonate-Group", "on-call");
        read(&groups)?;
        let extra = acting("extra", "carol@example.com")
            .with("Impersonate-Uid", "u-1")
            .with("Impersonate-Extra-Scopes", "view");
        read(&extra)?;
        read(&acting("serviceaccount", "system:serviceaccount:data:robot"))?;
    }
    Ok(())
}

/// What the target may do, and what it may not.
fn read(actor: &Actor<'_>) -> Result<()> {
    actor.get(POD)?;
    actor.get("/api/v1/namespaces/shop/pods?limit=10")?;
    actor.get("/api/v1/namespaces/shop/secrets/password")?;
    actor.delete(POD)?;
    Ok(())
}
