//! Needs: what a request needs beside its logged verb is what the product's table says.
//!
//! Each case is refused, step by step, until its sender holds all that is
//! missing, and passes then. Once with each audit policy, so that the events
//! of both can be looked at.

mod again;
mod case;
mod impersonation;
mod others;
mod owners;
mod plain;
mod writes;

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::checks::custom_resources::CustomResource;
use crate::checks::{Options, Outcome};
use crate::harness::{
    Assets, AuditLog, AuditPolicy, Authorizers, Client, Cluster, Identity, Reply, Settings,
};

use crate::checks::grant::Grant;
use crate::checks::rights::Rights;
use case::Case;

/// The custom resource that one of the cases is about.
const ORDERS: CustomResource = CustomResource {
    group: "shop.example.com",
    plural: "orders",
    kind: "Order",
    scope: "Namespaced",
};

/// One attempt at the request of a case.
struct Attempt {
    reply: Reply,
    /// What the authorizer was asked meanwhile.
    asked: Vec<String>,
    /// Its events as logged.
    events: Vec<String>,
}

/// All attempts of a case; the last should pass.
struct Trial {
    name: &'static str,
    attempts: Vec<Attempt>,
}

/// Runs the check.
pub fn run(assets: &Assets, options: &Options) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for (audit, name) in [(AuditPolicy::Metadata, "metadata"), (AuditPolicy::Eks, "eks")] {
        let trials = run_all(assets, audit, &mut outcome)?;
        again::run(assets, &settings(audit), &trials, &mut outcome)?;
        if let Some(folder) = &options.dump {
            dump(&trials, &folder.join(name))?;
        }
    }
    Ok(outcome)
}

fn settings(audit: AuditPolicy) -> Settings {
    Settings {
        audit,
        authorizers: Authorizers::RecorderThenRbac,
        // S10 is about a type, S13 about an admission plugin, and S14 about a parameter
        // that are off by default.
        flags: vec![
            "--feature-gates=ClusterTrustBundle=true,AllowUnsafeMalformedObjectDeletion=true"
                .into(),
            "--runtime-config=certificates.k8s.io/v1beta1/clustertrustbundles=true".into(),
            "--enable-admission-plugins=OwnerReferencesPermissionEnforcement".into(),
        ],
    }
}

fn cases() -> Result<impl Iterator<Item = Case>> {
    let cases = [
        writes::cases(),
        impersonation::cases(),
        others::cases()?,
        owners::cases(),
        plain::cases(),
    ];
    Ok(cases.into_iter().flatten())
}

fn run_all(assets: &Assets, audit: AuditPolicy, outcome: &mut Outcome) -> Result<Vec<Trial>> {
    let cluster = Cluster::start(assets, &settings(audit))?;
    ORDERS.define(&cluster.admin())?;
    let mut log = cluster.audit_log();
    let mut trials = Vec::new();
    for case in cases()? {
        let trial =
            try_case(&cluster, &mut log, &case).with_context(|| format!("in {}", case.name))?;
        judge(&case, &trial, outcome);
        trials.push(trial);
    }
    Ok(trials)
}

fn try_case(cluster: &Cluster, log: &mut AuditLog, case: &Case) -> Result<Trial> {
    let admin = cluster.admin();
    prepare(&admin, case)?;
    let caller = caller(case);
    let rights = Rights::new(&admin, &case.namespace());
    for (user, grant) in &case.others {
        rights.give(&Identity::user(&case.fill(user)), &parse(case, grant)?)?;
    }
    for grant in &case.holds {
        rights.give(&caller, &parse(case, grant)?)?;
    }
    let mut attempts = vec![attempt(cluster, log, case, &caller, 0)?];
    for (step, grant) in case.missing.iter().enumerate() {
        rights.give(&caller, &parse(case, grant)?)?;
        attempts.push(attempt(cluster, log, case, &caller, step + 1)?);
    }
    Ok(Trial { name: case.name, attempts })
}

/// What is there before the request.
fn prepare(admin: &Client, case: &Case) -> Result<()> {
    let namespace = case.namespace();
    admin.post("/api/v1/namespaces", &json!({ "metadata": { "name": namespace } }))?.ok()?;
    let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
    admin.post(&accounts, &json!({ "metadata": { "name": "default" } }))?.ok()?;
    for (target, object) in &case.setup {
        admin.post(&case.fill(target), &fill(case, object)?)?.ok()?;
    }
    Ok(())
}

fn parse(case: &Case, grant: &str) -> Result<Grant> {
    Grant::parse(&case.fill(grant), &case.namespace())
}

fn fill(case: &Case, object: &Value) -> Result<Value> {
    Ok(serde_json::from_str(&case.fill(&object.to_string()))?)
}

fn caller(case: &Case) -> Identity {
    let mut caller = case.caller.clone();
    caller.username = case.fill(&caller.username);
    if caller.username.is_empty() {
        caller.username = case.namespace();
    }
    caller
}

fn attempt(
    cluster: &Cluster,
    log: &mut AuditLog,
    case: &Case,
    caller: &Identity,
    step: usize,
) -> Result<Attempt> {
    let asked_before = cluster.recorder().asked_about(&caller.username).len();
    let agent = format!("e2e/{}/{step}", case.name);
    log.skip_to_end()?;
    let reply = send(cluster, case, caller, &agent)?;
    let asked = cluster.recorder().asked_about(&caller.username);
    let asked = asked[asked_before..].iter().map(|asked| asked.atom.to_string()).collect();
    let mark = format!(r#""userAgent":"{agent}""#);
    let complete =
        |line: &String| line.contains(&mark) && line.contains(r#""stage":"ResponseComplete""#);
    log.wait_until(|lines| lines.iter().any(complete))?;
    let lines = log.lines()?.iter().filter(|line| line.contains(&mark));
    Ok(Attempt { reply, asked, events: lines.cloned().collect() })
}

fn send(cluster: &Cluster, case: &Case, caller: &Identity, agent: &str) -> Result<Reply> {
    let mut client = cluster.client(caller).with_header("User-Agent", agent);
    for (name, value) in &case.call.headers {
        client = client.with_header(name, &case.fill(value));
    }
    let target = case.fill(case.call.target);
    if let Some(protocol) = case.call.websocket {
        return client.websocket(&target, protocol);
    }
    let body = match &case.call.body {
        Some((media_type, body)) => Some((*media_type, fill(case, body)?.to_string())),
        None => None,
    };
    client.send(case.call.method, &target, body)
}

/// Refused with the expected words, refused while anything is missing, accepted at last.
fn judge(case: &Case, trial: &Trial, outcome: &mut Outcome) {
    let Some((last, refused)) = trial.attempts.split_last() else { return };
    outcome.add("cases", 1);
    for (step, Attempt { reply, .. }) in refused.iter().enumerate() {
        let as_expected = step > 0 || reply.message().contains(&case.fill(case.refusal));
        if reply.succeeded() || !as_expected {
            outcome.disagree(format!("{} at step {step}: {reply:?}", case.name));
        } else {
            outcome.add("refused attempts", 1);
        }
    }
    if last.reply.status == case.accepted {
        outcome.add("accepted attempts", 1);
    } else {
        outcome.disagree(format!("{} with all rights: {:?}", case.name, last.reply));
    }
}

/// The events of the refused and of the accepted attempts, and what was asked in each.
fn dump(trials: &[Trial], folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let create = |name: &str| std::fs::File::create(folder.join(name));
    let (mut refused, mut accepted) = (create("refused.ndjson")?, create("accepted.ndjson")?);
    let mut attempts = create("attempts.ndjson")?;
    for trial in trials {
        for (step, attempt) in trial.attempts.iter().enumerate() {
            let last = step + 1 == trial.attempts.len();
            for event in &attempt.events {
                writeln!(if last { &mut accepted } else { &mut refused }, "{event}")?;
            }
            let line = json!({
                "case": trial.name, "step": step, "last": last, "status": attempt.reply.status,
                "message": attempt.reply.message(), "asked": attempt.asked,
                "events": attempt.events.len(),
            });
            writeln!(attempts, "{line}")?;
        }
    }
    ensure!(!trials.is_empty(), "no cases");
    Ok(())
}
