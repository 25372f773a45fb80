//! The closed loop over and over with made-up workloads, for as long as asked.
//!
//! One server serves all rounds. Each round has a seed of its own, callers of its own,
//! and namespaces that are emptied between its two runs.

use std::time::Instant;

use anyhow::{Context, Result};
use fastrand::Rng;
use serde_json::{Value, json};

use super::actor::{Actor, Answers, Stage};
use super::judge;
use crate::checks::advice::Advice;
use crate::checks::generated::Generated;
use crate::checks::grant::Grant;
use crate::checks::rights::Rights;
use crate::checks::{Options, Outcome};
use crate::harness::{Assets, AuditLog, Client, Cluster, Identity, Settings};

const NAMESPACES: [&str; 3] = ["soak-a", "soak-b", "soak-c"];
const NAMES: [&str; 5] = ["web", "db", "settings", "job-x7k2p", "cache.v1"];
const CALLERS: usize = 4;
const REQUESTS: usize = 25;

/// Where objects are made: the API, the resource, its kind, and what it has to say.
const RESOURCES: [(&str, &str, &str, &str); 4] = [
    ("/api/v1", "configmaps", "ConfigMap", r#"{"data":{"a":"b"}}"#),
    ("/api/v1", "services", "Service", r#"{"spec":{"ports":[{"port":80}]}}"#),
    ("/apis/coordination.k8s.io/v1", "leases", "Lease", r#"{"spec":{"holderIdentity":"me"}}"#),
    (
        "/apis/networking.k8s.io/v1",
        "networkpolicies",
        "NetworkPolicy",
        r#"{"spec":{"podSelector":{}}}"#,
    ),
];

/// What the first run may be allowed: everything, or too little.
const RIGHTS: [&str; 6] = [
    "*;*;*;-;cl",
    "*;*;*;-;ns",
    "get,list,watch;*;*;-;cl",
    "get,update,patch;*;*;-;ns",
    "*;core;configmaps;-;cl",
    "get,create,delete;*;*;[web,db];ns",
];

/// One request, made up once and sent in both runs.
struct Step {
    method: &'static str,
    target: String,
    body: Value,
}

/// One caller with what it does.
struct Part {
    identity: Identity,
    rights: Vec<&'static str>,
    steps: Vec<Step>,
}

/// Runs the check.
pub fn run(assets: &Assets, options: &Options) -> Result<Outcome> {
    let cluster = Cluster::start(assets, &Settings::default())?;
    let admin = cluster.admin();
    for name in NAMESPACES {
        admin.post("/api/v1/namespaces", &json!({ "metadata": { "name": name } }))?.ok()?;
    }
    let mut log = cluster.audit_log();
    let mut outcome = Outcome::default();
    let started = Instant::now();
    let mut seed = options.seed;
    while started.elapsed() < options.soak {
        let mut turn = Outcome::default();
        round(&cluster, &admin, &mut log, seed, &mut turn)
            .with_context(|| format!("in the round with --seed {seed}"))?;
        outcome.add("rounds", 1);
        outcome.absorb(&format!("--seed {seed}: "), turn);
        seed = seed.wrapping_add(1);
    }
    Ok(outcome)
}

fn round(
    cluster: &Cluster,
    admin: &Client,
    log: &mut AuditLog,
    seed: u64,
    outcome: &mut Outcome,
) -> Result<()> {
    let mut rng = Rng::with_seed(seed);
    let parts: Vec<Part> = (0..CALLERS).map(|number| part(&mut rng, seed, number)).collect();
    empty(admin)?;
    let prefix = format!("soak-{seed}");
    for part in &parts {
        let rights = Rights::new(admin, &prefix);
        for right in &part.rights {
            rights.give(&part.identity, &Grant::parse(right, NAMESPACES[0])?)?;
        }
    }
    log.skip_to_end()?;
    let first = play(cluster, &parts, seed, None)?;
    log.wait_until(|lines| super::is_complete(lines, &first))?;
    let generated = Generated::from_lines(log.lines()?, &[])?;
    take_back(admin, &prefix)?;
    empty(admin)?;
    generated.take_effect(admin)?;
    log.skip_to_end()?;
    let second = play(cluster, &parts, seed, Some(&generated))?;
    log.wait_until(|lines| super::is_complete(lines, &second))?;
    judge::compare(&first, &second, log.lines()?, Advice::of(&generated), outcome);
    for document in &generated.documents {
        admin.delete(&document.target()?)?;
    }
    Ok(())
}

fn part(rng: &mut Rng, seed: u64, number: usize) -> Part {
    let name = format!("soak-{seed}-{number}");
    let identity = match rng.u8(..4) {
        0 => Identity::iam_role(&name, "session"),
        1 => Identity::iam_user(&name),
        2 => Identity::user(&format!("system:serviceaccount:soak-a:{name}"))
            .in_group("system:serviceaccounts"),
        _ => Identity::user(&name),
    };
    let rights = (0..=rng.usize(..2)).map(|_| RIGHTS[rng.usize(..RIGHTS.len())]).collect();
    Part { identity, rights, steps: (0..REQUESTS).map(|_| step(rng)).collect() }
}

fn step(rng: &mut Rng) -> Step {
    let (api, resource, kind, content) = RESOURCES[rng.usize(..RESOURCES.len())];
    let namespace = NAMESPACES[rng.usize(..NAMESPACES.len())];
    let name = NAMES[rng.usize(..NAMES.len())].replace('.', "-");
    let collection = format!("{api}/namespaces/{namespace}/{resource}");
    let object = format!("{collection}/{name}");
    let mut body: Value = serde_json::from_str(content).unwrap_or_default();
    body["apiVersion"] = api.trim_start_matches("/apis/").trim_start_matches("/api/").into();
    body["kind"] = kind.into();
    body["metadata"]["name"] = name.clone().into();
    let label = json!({ "metadata": { "labels": { "turn": rng.u8(..).to_string() } } });
    let (method, target, body) = match rng.u8(..10) {
        0 => ("GET", object, Value::Null),
        1 => ("GET", format!("{collection}?limit=5"), Value::Null),
        2 => ("GET", format!("{api}/{resource}"), Value::Null),
        3 => ("GET", format!("{collection}?fieldSelector=metadata.name%3D{name}"), Value::Null),
        4 => ("POST", collection, body),
        5 => ("PUT", object, body),
        6 => ("PATCH", object, label),
        7 => ("APPLY", format!("{object}?fieldManager=soak&force=true"), body),
        8 => ("DELETE", object, Value::Null),
        _ => ("DELETE", collection, Value::Null),
    };
    Step { method, target, body }
}

fn play(
    cluster: &Cluster,
    parts: &[Part],
    seed: u64,
    generated: Option<&Generated>,
) -> Result<Answers> {
    let stage = Stage::new(cluster, generated);
    for (number, part) in parts.iter().enumerate() {
        let actor = stage.actor(&format!("soak-{seed}-{number}"), &part.identity, "soak");
        part.steps.iter().try_for_each(|step| send(&actor, step))?;
    }
    Ok(stage.into_answers())
}

fn send(actor: &Actor<'_>, Step { method, target, body }: &Step) -> Result<()> {
    match *method {
        "POST" => actor.post(target, body),
        "PUT" => actor.put(target, body),
        "PATCH" => actor.merge(target, body),
        "APPLY" => actor.apply(target, body),
        "DELETE" => actor.delete(target),
        _ => actor.get(target),
    }?;
    Ok(())
}

/// Both runs start from nothing.
fn empty(admin: &Client) -> Result<()> {
    for namespace in NAMESPACES {
        for (api, resource, ..) in RESOURCES {
            admin.delete(&format!("{api}/namespaces/{namespace}/{resource}"))?.ok()?;
        }
    }
    Ok(())
}

/// Deletes the broad rights of a round; what is generated has other names.
fn take_back(admin: &Client, prefix: &str) -> Result<()> {
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    for place in [
        format!("{rbac}/clusterrolebindings"),
        format!("{rbac}/namespaces/{}/rolebindings", NAMESPACES[0]),
    ] {
        let list = admin.get(&place)?.ok()?;
        for binding in crate::checks::generated::items(&list["items"]) {
            let name = binding["metadata"]["name"].as_str().unwrap_or_default();
            if name.starts_with(prefix) {
                admin.delete(&format!("{place}/{name}"))?.ok()?;
            }
        }
    }
    Ok(())
}
