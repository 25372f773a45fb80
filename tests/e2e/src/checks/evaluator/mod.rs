//! Evaluator: on random RBAC objects and random requests, ours says what the server says.
//!
//! Also on the way: which objects are valid, what aggregated roles end up with,
//! and what every caller has by default.

mod pools;
mod questions;
mod server;
mod sets;

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use fastrand::Rng;
use leastrole::rbac::manifests::Manifests;
use leastrole::rbac::{Evaluator, Form, Object, Objects, Requester, default_objects, validate};
use serde_json::Value;

use crate::checks::review::{Answer, ask};
use crate::checks::{Options, Outcome};
use crate::harness::{Assets, Client, Cluster, Settings};

use questions::Question;
use sets::Set;

const SETS: usize = 250;
const QUESTIONS_PER_SET: usize = 60;

/// Runs the check.
pub fn run(assets: &Assets, options: &Options) -> Result<Outcome> {
    let mut cluster = Cluster::start(assets, &Settings::default())?;
    cluster.start_controllers("clusterrole-aggregation-controller")?;
    let admin = cluster.admin();
    let built_in = server::stored_objects(&admin)?;

    let mut rng = Rng::with_seed(options.seed);
    let mut sets: Vec<Set> = (0..SETS).map(|number| Set::random(&mut rng, number)).collect();
    let mut outcome = Outcome::default();
    let mut objects = load(&built_in)?;
    compare_defaults(&objects, &mut outcome);
    for set in &mut sets {
        objects.extend(create(&admin, set, &mut outcome)?);
    }
    outcome.count("sets of objects", sets.len());
    outcome.count("objects, with the built-in ones", objects.len());
    server::wait_until_settled(&admin)?;
    compare_answers(&admin, &mut rng, &sets, &objects, &mut outcome)?;
    cluster.check_running()?;
    Ok(outcome)
}

/// Objects as the product reads them from manifests.
fn load<'a>(manifests: impl IntoIterator<Item = &'a Value>) -> Result<Objects> {
    let mut reader = Manifests::default();
    for manifest in manifests {
        reader.read("the server", manifest.to_string().as_bytes())?;
    }
    Ok(reader.finish().objects)
}

/// What every caller has by default is what the server itself has set up.
fn compare_defaults(built_in: &Objects, outcome: &mut Outcome) {
    for ours in default_objects().iter() {
        let theirs = built_in.find(&ours.id()).map(|(_, object)| content(object));
        if theirs.as_ref() != Some(&content(ours)) {
            outcome.disagree(format!("{} is {theirs:?}, not {:?}", ours.id(), content(ours)));
        }
    }
    outcome.count("default objects", default_objects().len());
}

/// All that an object grants: not its labels and dates.
fn content(object: &Object) -> String {
    format!("{:?} {:?}", object.rules(), object.role_ref_and_subjects())
}

/// Creates the objects of a set; keeps and returns those that were accepted.
fn create(admin: &Client, set: &mut Set, outcome: &mut Outcome) -> Result<Vec<Object>> {
    server::create_namespaces(admin, set)?;
    let mut accepted = Vec::new();
    for manifest in std::mem::take(&mut set.objects) {
        let reply = server::create(admin, &manifest)?;
        ensure!(matches!(reply.status, 201 | 409 | 422), "{} {manifest}", reply.message());
        let Some(object) = load([&manifest])?.iter().next().cloned() else {
            outcome.disagree(format!("{manifest} cannot be read"));
            continue;
        };
        let faults = validate(&object, Form::Submitted);
        outcome.add("objects sent", 1);
        outcome.add("of them invalid", usize::from(reply.status == 422));
        if faults.is_empty() != (reply.status != 422) {
            outcome.disagree(format!("{manifest}: {} {:?}; {faults:?}", reply.status, reply.body));
        }
        // A name that is taken (409) stays with the first.
        if reply.status == 201 {
            accepted.push(object);
            set.objects.push(manifest);
        }
    }
    Ok(accepted)
}

fn compare_answers(
    admin: &Client,
    rng: &mut Rng,
    sets: &[Set],
    objects: &Objects,
    outcome: &mut Outcome,
) -> Result<()> {
    let evaluator = Evaluator::new(objects);
    for set in sets {
        for _ in 0..QUESTIONS_PER_SET {
            let question = Question::random(rng, set);
            let answer = ask(admin, &question.identity, &question.atom)?;
            outcome.add("requests", 1);
            outcome.add("of them allowed", usize::from(answer.allowed));
            if let Some(difference) = difference(&evaluator, &question, &answer) {
                outcome.disagree(difference);
            }
        }
    }
    Ok(())
}

/// How our verdict differs from the server's, reasons for a denial included.
fn difference(evaluator: &Evaluator<'_>, question: &Question, answer: &Answer) -> Option<String> {
    let Question { identity, atom } = question;
    let requester = Requester::new(identity.username.clone(), identity.groups.clone());
    let verdict = evaluator.authorize(&requester, atom);
    let same_verdict = verdict.is_allowed() == answer.allowed;
    // Which of several bindings allowed it is a matter of chance on the server.
    let same_reason = answer.allowed || words(&verdict.reason()) == words(&answer.reason);
    if same_verdict && same_reason {
        return None;
    }
    let ours = if verdict.is_allowed() { "allowed" } else { "denied" };
    Some(format!(
        "{} {:?}: {atom}: ours {ours} {:?}, server {answer:?}",
        identity.username,
        identity.groups,
        verdict.reason()
    ))
}

/// The parts of a reason: several errors are listed in no fixed order.
fn words(reason: &str) -> BTreeSet<&str> {
    let list = reason.trim_start_matches("RBAC: ");
    list.trim_start_matches('[').trim_end_matches(']').split(", ").collect()
}
