//! The closed loop for a real kube-rs controller: watches, finalizers, status, owned
//! objects, Events and a lease, under a service account of its own.

mod reconcile;

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use futures::channel::oneshot;
use kube::Config;
use kube::config::AuthInfo;
use serde_json::{Value, json};

use super::closed_loop::WIDGETS;
use super::generated::Generated;
use super::grant::Grant;
use super::refusals::{Missed, compare};
use super::rights::Rights;
use super::two_runs::{Run, TwoRuns};
use super::{Options, Outcome};
use crate::harness::{Assets, Client, Cluster, Identity, Settings};

const OBJECTS: &str = "/apis/e2e.example.com/v1/namespaces/shop/widgets";

/// Longer than any step takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the check.
pub fn run(assets: &Assets, options: &Options) -> Result<Outcome> {
    TwoRuns { name: "operator", flags: &[], options }.play(
        |settings, generated| rehearse(assets, settings, generated),
        |first, second, advice, outcome| compare(first, second, &[], advice, outcome),
    )
}

fn rehearse(
    assets: &Assets,
    settings: &Settings,
    generated: Option<&Generated>,
) -> Result<Run<Missed>> {
    let cluster = Cluster::start(assets, settings)?;
    let admin = cluster.admin();
    let who = Identity::user("system:serviceaccount:shop:operator")
        .in_group("system:serviceaccounts")
        .in_group("system:serviceaccounts:shop");
    admin.post("/api/v1/namespaces", &json!({ "metadata": { "name": "shop" } }))?.ok()?;
    WIDGETS.define(&admin)?;
    match generated {
        None => Rights::new(&admin, "broad").give(&who, &Grant::parse("*;*;*;-;cl", "shop")?)?,
        Some(generated) => generated.take_effect(&admin)?,
    }
    let mut log = cluster.audit_log();
    log.skip_to_end()?;
    let config = config(&cluster, &cluster.identities().token(&who))?;
    let (stop, stopped) = oneshot::channel();
    let operator = std::thread::spawn(move || reconcile::run(config, stopped));
    let missed = play(&admin)?;
    // It may have ended by itself, which its result tells.
    let _ = stop.send(());
    operator.join().map_err(|_| anyhow!("the operator panicked"))??;
    Ok(Run { log: log.lines()?.to_vec(), seen: missed })
}

fn config(cluster: &Cluster, token: &str) -> Result<Config> {
    let mut config = Config::new(format!("https://{}", cluster.endpoint().address).parse()?);
    config.root_cert_file = Some(cluster.certificate());
    config.auth_info = serde_json::from_value::<AuthInfo>(json!({ "token": token }))?;
    Ok(config)
}

/// A widget's life, three times over; what did not come to pass in time.
fn play(admin: &Client) -> Result<Missed> {
    let mut missed = Vec::new();
    for name in ["blue", "green", "red"] {
        let widget = json!({ "apiVersion": "e2e.example.com/v1", "kind": "Widget",
                             "metadata": { "name": name }, "spec": { "size": 1 } });
        // The definition may not be served yet.
        let created = expect(|| Ok(admin.post(OBJECTS, &widget)?.status == 201))?;
        let target = format!("{OBJECTS}/{name}");
        let is_ready = |widget: &Value| widget["status"]["ready"] == true;
        if !created || !expect(|| Ok(is_ready(&admin.get(&target)?.body)))? {
            missed.push("status of a widget");
        }
        let child = format!("/api/v1/namespaces/shop/configmaps/{name}");
        if !expect(|| Ok(admin.get(&child)?.status == 200))? {
            missed.push("object of a widget");
        }
        admin.delete(&target)?;
        if !expect(|| Ok(admin.get(&target)?.status == 404))? {
            missed.push("removal of a widget");
        }
    }
    Ok(missed)
}

fn expect(is_done: impl Fn() -> Result<bool>) -> Result<bool> {
    let deadline = Instant::now() + PATIENCE;
    while !is_done()? {
        if Instant::now() > deadline {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(true)
}
