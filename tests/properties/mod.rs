//! What holds for every log: whatever was used is granted and nothing else, every
//! widening is listed, and no order or distribution of the events shows.

pub(crate) mod events;
mod grants;
mod order;

use std::sync::{Arc, LazyLock};

use leastrole::audit::{Event as Parsed, Settings};
use leastrole::decode::{Consumer, Tally};
use leastrole::output::{Format, Summary, manifests};
use leastrole::policy::{Options, Plan, plan, prove};
use leastrole::rbac::Objects;
use leastrole::usage::{Fold, Selection, Usage};

use crate::support::events::Event;
use crate::support::objects::objects;

/// The defaults of the command line.
pub(crate) fn defaults() -> Options {
    static DEFAULTS: LazyLock<Options> = LazyLock::new(Options::default);
    DEFAULTS.clone()
}

fn settings() -> Settings {
    Settings { enforce_owner_references: false }
}

pub(crate) fn selection() -> Arc<Selection> {
    Arc::new(Selection { include_system: true, ..Selection::default() })
}

/// One worker's ledger of these events.
pub(crate) fn folded(events: &[Event]) -> Usage {
    let mut fold = Fold::new(selection(), settings());
    for event in events {
        let line = event.to_string();
        fold.event(&Parsed::parse(&line).expect("the line is an event"));
    }
    fold.into_usage()
}

pub(crate) fn planned(mut usage: Usage, options: &Options) -> (Usage, Plan) {
    usage.settle();
    let plan = plan(&usage, options);
    (usage, plan)
}

/// The objects of a plan as they are printed, read back, with the proof that they fit.
pub(crate) fn proven(plan: &Plan) -> Objects {
    let manifests = manifests(plan, Format::Yaml, true).expect("a plan can be written");
    let text: String = manifests.into_iter().map(|manifest| manifest.text).collect();
    let objects = objects(&text);
    if let Err(mismatches) = prove(plan, &objects) {
        panic!("{mismatches:#?}");
    }
    objects
}

/// Everything that a run prints, but for what it says of its input.
fn printed(usage: Usage, options: &Options) -> String {
    let (usage, plan) = planned(usage, options);
    let manifests = manifests(&plan, Format::Yaml, true).expect("a plan can be written");
    let mut text: String = manifests.iter().map(|manifest| manifest.text.as_str()).collect();
    let proof = prove(&plan, &objects(&text)).expect("the objects fit");
    let summary = Summary::new(&Tally::default(), &usage, &plan, proof, &manifests);
    text.push_str(&leastrole::output::json(&summary).expect("a summary can be written"));
    text
}
