//! The closed loop for kube-controller-manager: each of its controllers under its own
//! service account, first with the default bindings, then with what `generate
//! --include-system` derives and without any of them.

mod scenario;

use anyhow::Result;

use super::generated::{Generated, items};
use super::refusals::{Missed, compare};
use super::two_runs::{Run, TwoRuns};
use super::{Options, Outcome};
use crate::harness::{Assets, Client, Cluster, Settings};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// All default ones but those that need a cloud, a kubelet, or more patience than we have.
const CONTROLLERS: &str = "*,-cronjob-controller";

/// Roles inside a namespace go with it, so whoever empties it cannot live by them.
const KEPT: &str = "system:controller:namespace-controller";

/// What the controllers do no longer where that code advises that they cannot.
const ADVISED: [(&str, &str); 2] =
    [(scenario::AGGREGATED, "hold-or-escalate"), (scenario::SIGNED, "sign-signer")];

/// Runs the check.
pub fn run(assets: &Assets, options: &Options) -> Result<Outcome> {
    TwoRuns { name: "controllers", flags: &["--include-system"], options }.play(
        |settings, generated| rehearse(assets, settings, generated),
        |first, second, advice, outcome| compare(first, second, &ADVISED, advice, outcome),
    )
}

fn rehearse(
    assets: &Assets,
    settings: &Settings,
    generated: Option<&Generated>,
) -> Result<Run<Missed>> {
    let mut cluster = Cluster::start(assets, settings)?;
    let admin = cluster.admin();
    scenario::create_namespaces(&admin)?;
    if let Some(generated) = generated {
        remove_default_bindings(&admin)?;
        generated.take_effect(&admin)?;
    }
    let mut log = cluster.audit_log();
    log.skip_to_end()?;
    cluster.start_controllers(CONTROLLERS)?;
    let missed = scenario::play(&admin)?;
    cluster.check_running()?;
    Ok(Run { log: log.lines()?.to_vec(), seen: missed })
}

/// Those that give kube-controller-manager or one of its controllers anything.
fn remove_default_bindings(admin: &Client) -> Result<()> {
    for place in [
        format!("{RBAC}/clusterrolebindings"),
        format!("{RBAC}/namespaces/kube-system/rolebindings"),
        format!("{RBAC}/namespaces/kube-public/rolebindings"),
    ] {
        let list = admin.get(&place)?.ok()?;
        for binding in items(&list["items"]) {
            let ours = items(&binding["subjects"]).any(|subject| {
                subject["namespace"] == "kube-system"
                    || subject["name"] == "system:kube-controller-manager"
            }) && binding["roleRef"]["name"] != KEPT;
            if let Some(name) = binding["metadata"]["name"].as_str().filter(|_| ours) {
                admin.delete(&format!("{place}/{name}"))?.ok()?;
            }
        }
    }
    Ok(())
}
