//! Bytes as a log: whatever they are, every way of reading comes to the same, and what is
//! printed for them is proved.

use std::io::Cursor;
use std::sync::Arc;

use leastrole::audit::{Event, Settings};
use leastrole::decode::{Consumer, Tally, UsageRow};
use leastrole::output::{Format, Summary, manifests};
use leastrole::pipeline::{ReadOptions, read};
use leastrole::policy::{Options, Plan, Proof, plan, prove};
use leastrole::rbac::manifests::Manifests;
use leastrole::source::{Input, Inputs};
use leastrole::usage::{Fold, Selection, Usage};

/// A log, read with and without memory of what was seen, and by one who only counts.
///
/// Lines in the API server's own layout are events to a [`Fold`] also where bytes that
/// decide nothing are broken; who parses them whole may find fewer, and take them for rows.
pub(crate) fn check(bytes: &[u8]) {
    let options = ReadOptions { threads: 1, block_size: 16 << 10, ..ReadOptions::default() };
    let selection = Arc::new(Selection { include_system: true, ..Selection::default() });
    let folded = assert_same_within(|| log(bytes), "a log", &selection, &options);
    let counted = count(bytes, &options);
    assert!(counted.audit_events <= folded.audit_events, "{counted:?} {folded:?}");
    if counted.audit_events == folded.audit_events {
        assert_eq!(counted.usage_rows, folded.usage_rows);
    }
    // A broken record reaches to the next line, or to the end of its block. Of text that is
    // no log it is not said how many records it is.
    if counted.problems().is_empty() && counted.salvaged == 0 {
        let cut = ReadOptions { block_size: bytes.len() / 3 + 1, ..options };
        let of_logs = |mut tally: Tally| {
            tally.not_audit = 0;
            tally
        };
        let found = of_logs(count(bytes, &cut));
        assert_eq!(found, of_logs(counted), "where blocks are cut changes what is found");
    }
}

fn count(bytes: &[u8], options: &ReadOptions) -> Tally {
    let (counters, tally) = read(log(bytes), options, Counter::default).expect("threads");
    let counter = counters.first().expect("one thread");
    assert_eq!((counter.events, counter.rows), (tally.audit_events, tally.usage_rows));
    tally
}

/// Reads the inputs with and without memory of what was seen; both must come to the same,
/// byte for byte.
pub(crate) fn assert_same_within(
    inputs: impl Fn() -> Inputs,
    what: &str,
    selection: &Arc<Selection>,
    options: &ReadOptions,
) -> Tally {
    let (remembered, forgotten) =
        (printed(inputs(), false, selection, options), printed(inputs(), true, selection, options));
    assert_eq!(remembered.0, forgotten.0, "{what}");
    assert!(remembered.1 == forgotten.1, "{what}: remembering changes what is printed");
    remembered.0
}

/// A log of these bytes.
pub(crate) fn log(bytes: &[u8]) -> Inputs {
    let stream = Cursor::new(bytes.to_owned());
    Inputs { found: vec![Input::stream("bytes", Box::new(stream))], unreachable: vec![] }
}

/// Everything a run would print about these events, once it is proved.
fn printed(
    inputs: Inputs,
    forgetful: bool,
    selection: &Arc<Selection>,
    options: &ReadOptions,
) -> (Tally, String) {
    let fold = || {
        let fold = Fold::new(Arc::clone(selection), Settings::default());
        if forgetful { fold.forgetful() } else { fold }
    };
    let (folds, tally) = read(inputs, options, fold).expect("threads");
    let mut usage = Usage::default();
    for fold in folds {
        usage.merge(fold.into_usage());
    }
    usage.settle();
    let plan = plan(&usage, &Options::default());
    let manifests = manifests(&plan, Format::Yaml, true).expect("YAML");
    let text: String = manifests.iter().map(|manifest| manifest.text.as_str()).collect();
    let proof = proof(&plan, &text);
    let summary = Summary::new(&tally, &usage, &plan, proof, &manifests);
    let summary = serde_json::to_string_pretty(&summary).expect("JSON");
    (tally, summary + &text)
}

fn proof(plan: &Plan, text: &str) -> Proof {
    let mut manifests = Manifests::default();
    manifests.read("output", text.as_bytes()).expect("what was printed");
    match prove(plan, &manifests.finish().objects) {
        Ok(proof) => proof,
        Err(mismatches) => panic!("not proved: {mismatches:?}"),
    }
}

/// Takes events parsed, never framed.
#[derive(Default)]
struct Counter {
    events: u64,
    rows: u64,
}

impl Consumer for Counter {
    fn event(&mut self, _: &Event<'_>) {
        self.events += 1;
    }

    fn usage_row(&mut self, _: &UsageRow<'_>) {
        self.rows += 1;
    }
}
