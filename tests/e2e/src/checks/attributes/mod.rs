//! Attributes: what we recompute from an audit event is what the authorizer was asked.
//!
//! Each request is sent under a username of its own, by which its questions to
//! the authorizer are found, and a user agent of its own, by which its events are.

mod setup;
mod targets;

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use fastrand::Rng;
use leastrole::audit::Event;
use leastrole::rbac::Atom;
use serde_json::json;

use crate::checks::{Options, Outcome};
use crate::harness::{Assets, Authorizers, Cluster, Connection, Identity, Request, Settings};

use targets::Probe;

/// How many requests are made up, on top of the fixed ones.
const MADE_UP: usize = 4_000;

/// A request with all that is known about it afterwards.
struct Observation {
    probe: Probe,
    status: u16,
    /// The first is the request itself; the others are what its handler asked.
    asked: Vec<Atom>,
    /// Its events as logged.
    events: Vec<String>,
}

/// Runs the check.
pub fn run(assets: &Assets, options: &Options) -> Result<Outcome> {
    let settings = Settings { authorizers: Authorizers::RecorderThenRbac, ..Settings::default() };
    let cluster = Cluster::start(assets, &settings)?;
    setup::create_objects(&cluster)?;
    let probes = targets::probes(&mut Rng::with_seed(options.seed), MADE_UP);
    let observations = observe(&cluster, probes)?;
    if let Some(folder) = &options.dump {
        dump(&observations, &folder.join("attributes.ndjson"))?;
    }
    Ok(compare(&observations))
}

fn observe(cluster: &Cluster, probes: Vec<Probe>) -> Result<Vec<Observation>> {
    let mut log = cluster.audit_log();
    log.skip_to_end()?;
    let mut connection = cluster.endpoint().connection();
    let mut observations = Vec::with_capacity(probes.len());
    for (number, probe) in probes.into_iter().enumerate() {
        let headers = identify(cluster, number, &probe);
        let status = send(&mut connection, &probe, &headers)?;
        let asked = cluster.recorder().asked_about(&name(number));
        let asked = asked.into_iter().map(|asked| asked.atom).collect();
        observations.push(Observation { probe, status, asked, events: Vec::new() });
    }
    // Some requests never get an event, so the wait may well run out.
    let complete = |lines: &[String]| {
        let done = lines.iter().filter(|line| line.contains("\"stage\":\"ResponseComplete\""));
        done.count() >= observations.len()
    };
    log.wait_until(complete)?;
    let mut events = events_by_agent(log.lines()?)?;
    for (number, observation) in observations.iter_mut().enumerate() {
        observation.events = events.remove(&name(number)).unwrap_or_default();
    }
    Ok(observations)
}

/// The username and user agent of a request.
fn name(number: usize) -> String {
    format!("probe-{number:05}")
}

/// The headers that set a request apart from all others.
fn identify(cluster: &Cluster, number: usize, probe: &Probe) -> [String; 2] {
    let group = if probe.allowed { setup::ALLOWED_GROUP } else { "probers" };
    let identity = Identity::user(&name(number)).in_group(group);
    let token = cluster.identities().token(&identity);
    [format!("Authorization: Bearer {token}"), format!("User-Agent: {}", name(number))]
}

fn send(connection: &mut Connection, probe: &Probe, headers: &[String; 2]) -> Result<u16> {
    let [token, agent] = headers.clone();
    let request = Request {
        method: &probe.method,
        target: &probe.target,
        headers: &[token, agent, format!("Content-Type: {}", probe.content_type)],
        body: probe.body.as_bytes(),
        skip_streams: true,
    };
    Ok(connection.send(&request)?.status)
}

fn events_by_agent(lines: &[String]) -> Result<HashMap<String, Vec<String>>> {
    let mut events: HashMap<String, Vec<String>> = HashMap::new();
    for line in lines {
        let event = Event::parse(line).with_context(|| format!("cannot parse {line}"))?;
        if &*event.stage != "RequestReceived" {
            events.entry(event.user_agent.to_string()).or_default().push(line.clone());
        }
    }
    Ok(events)
}

/// One JSON object a request, for a look by hand.
fn dump(observations: &[Observation], file: &Path) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    for Observation { probe, status, asked, events } in observations {
        let asked: Vec<_> = asked.iter().map(atom_json).collect();
        let line = json!({
            "method": probe.method, "target": probe.target, "allowed": probe.allowed,
            "status": status, "asked": asked, "events": events,
        });
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}

fn atom_json(atom: &Atom) -> serde_json::Value {
    match atom {
        Atom::Url(url) => json!({ "path": url.path, "verb": url.verb }),
        Atom::Resource(atom) => json!({
            "namespace": atom.namespace, "group": atom.group, "resource": atom.resource,
            "name": atom.name, "verb": atom.verb,
        }),
    }
}

fn compare(observations: &[Observation]) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.count("requests", observations.len());
    let count = |test: fn(&Observation) -> bool| observations.iter().filter(|o| test(o)).count();
    outcome.count("asked and logged", count(|o| !o.asked.is_empty() && !o.events.is_empty()));
    outcome.count("asked, not logged", count(|o| !o.asked.is_empty() && o.events.is_empty()));
    outcome.count("logged, not asked", count(|o| o.asked.is_empty() && !o.events.is_empty()));
    outcome.count("neither", count(|o| o.asked.is_empty() && o.events.is_empty()));
    outcome
}
