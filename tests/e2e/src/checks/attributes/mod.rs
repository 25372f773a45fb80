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
use leastrole::audit::{Event, MalformedUri, request};
use leastrole::rbac::{Atom, ResourceAtom};
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
    for observation in observations {
        match (observation.asked.first(), observation.events.last()) {
            (Some(asked), Some(event)) => {
                outcome.add("asked and logged", 1);
                compare_one(observation, asked, event, &mut outcome);
            }
            (Some(asked), None) => {
                outcome
                    .disagree(format!("{}: {asked} was asked but not logged", observation.probe));
            }
            // Refused before it is authorized: a malformed timeout.
            (None, Some(_)) => outcome.add("logged but not asked", 1),
            // Refused before it is anything.
            (None, None) => outcome.add("neither", 1),
        }
    }
    outcome
}

fn compare_one(observation: &Observation, asked: &Atom, line: &str, outcome: &mut Outcome) {
    let Observation { probe, .. } = observation;
    let event = match Event::parse(line) {
        Ok(event) => event,
        Err(error) => return outcome.disagree(format!("{probe}: {error}: {line}")),
    };
    match request(&event) {
        Ok(atom) if atom == *asked => outcome.add("of them read as the server did", 1),
        Ok(atom) => outcome.disagree(format!(
            "{probe}: ours {atom:?}, server {asked:?}; event {} {:?}",
            &*event.verb, &*event.request_uri
        )),
        Err(cause) if is_unspeakable(asked, cause) => outcome.add("of them read as malformed", 1),
        Err(cause) => {
            outcome.disagree(format!("{probe}: ours {cause:?}, server {asked:?}"));
        }
    }
}

/// Whether no rule that anyone writes names what was asked, so that reading it as malformed loses nothing.
fn is_unspeakable(asked: &Atom, cause: MalformedUri) -> bool {
    match (asked, cause) {
        (Atom::Resource(atom), MalformedUri::NoResource) => {
            atom.resource.is_empty() || atom.resource.starts_with('/')
        }
        // The webhook got the replacement character for what is not UTF-8.
        (Atom::Resource(ResourceAtom { namespace, group, resource, name, .. }), _) => {
            [namespace, group, resource, name]
                .iter()
                .any(|part| part.contains(char::REPLACEMENT_CHARACTER))
        }
        // Only a rule for the literal empty path could name it, and nobody writes one.
        (Atom::Url(url), MalformedUri::NoPath) => url.path.is_empty(),
        (Atom::Url(url), cause) => {
            cause == MalformedUri::NotUtf8 && url.path.contains(char::REPLACEMENT_CHARACTER)
        }
    }
}
