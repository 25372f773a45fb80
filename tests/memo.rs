//! Recognised and parsed events come to the same, byte for byte.

use std::sync::Arc;

use leastrole::audit::{BodyUse, Conclusion, Event, Frame, Reading, Recent, Settings, conclude};
use leastrole::pipeline::ReadOptions;
use leastrole::source::{Inputs, LogPath};
use leastrole::usage::{Moment, Selection};
use proptest::prelude::*;

use crate::fuzz_corpus::events::{assert_same_within, log};
use crate::shapes::collect::{cluster_log, testdata};

fn options() -> ReadOptions {
    ReadOptions { threads: 2, block_size: 64 << 10, ..ReadOptions::default() }
}

fn assert_same(inputs: impl Fn() -> Inputs, what: &str) {
    assert_same_within(inputs, what, &Arc::default(), &options());
}

#[test]
fn remembering_changes_nothing_on_real_logs_and_every_shape() {
    for folder in ["logs/cluster-shop", "shapes"] {
        assert_same(|| Inputs::find(&[LogPath::from(testdata(folder))]), folder);
    }
    for name in ["metadata", "eks-policy"] {
        let twice = cluster_log(&format!("{name}.ndjson.gz")).repeat(2);
        assert_same(|| log(twice.as_bytes()), "the same events twice");
    }
}

#[test]
fn remembering_changes_nothing_in_a_window_of_time() {
    let moment = |text| Moment::parse(text);
    let selection = Arc::new(Selection {
        since: moment("2026-11-23T15:40:10Z"),
        until: moment("2026-11-23T15:40:16.5Z"),
        ..Selection::default()
    });
    let text = cluster_log("eks-policy.ndjson.gz").repeat(2);
    assert_same_within(|| log(text.as_bytes()), "a window", &selection, &options());
}

#[test]
fn a_framed_event_says_what_the_parsed_one_says() {
    let mut framed_lines = 0;
    for log in ["metadata", "eks-policy"] {
        for line in cluster_log(&format!("{log}.ndjson.gz")).lines() {
            let parsed = Event::parse(line).unwrap();
            let Some((frame, len)) = Frame::split(line.as_bytes(), &Recent::default()) else {
                continue;
            };
            assert_eq!(len, line.len());
            framed_lines += 1;
            let is_received = frame.is_request_received();
            assert_eq!(is_received, &*parsed.stage == "RequestReceived", "{line}");
            if !is_received {
                assert_eq!(said(&frame.event().unwrap()), said(&parsed), "{line}");
            }
        }
    }
    assert_eq!(framed_lines, 7_373, "every line of both logs is framed");
}

/// Conclusions and everything that goes into evidence. A framed event has no bodies.
fn said(event: &Event<'_>) -> (Vec<Conclusion>, String) {
    let reading = Reading::of(event);
    let mut conclusions = Vec::new();
    if reading.body_use(Settings::default()) == BodyUse::None {
        conclude(event, &reading, Settings::default(), &mut |it| conclusions.push(it));
    }
    let facts = [
        &event.audit_id,
        &event.request_uri,
        &event.user_agent,
        &event.user.username,
        &event.stage_timestamp,
        &event.annotations.reason,
    ];
    let groups = &event.user.groups;
    let arn = event.user.extra.first("canonicalArn");
    (conclusions, format!("{facts:?} {groups:?} {arn:?} {} {reading:?}", event.code()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn remembering_changes_nothing_on_damaged_logs(
        start in 0_usize..2_000,
        damage in prop::collection::vec((0_usize..60_000, any::<u8>(), 0_u8..4), 0..60),
    ) {
        let whole = cluster_log("eks-policy.ndjson.gz");
        let lines: Vec<&str> = whole.lines().skip(start).take(20).collect();
        // Three times, so that damaged lines meet remembered ones.
        let mut text = format!("{}\n", lines.join("\n")).repeat(3).into_bytes();
        for (at, byte, how) in damage {
            let at = at * 7 % text.len();
            match how {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                2 => { text.remove(at); }
                _ => text[at] = b"{}[]\",:\\ \n"[usize::from(byte) % 10],
            }
        }
        assert_same(|| log(&text), "damaged");
    }

    #[test]
    fn remembering_changes_nothing_whatever_the_query(
        queries in prop::collection::vec(prop::collection::vec(0_usize..OPTIONS.len(), 0..5), 1..20),
        joints in prop::collection::vec(0_usize..3, 1..4),
    ) {
        let joint = |at: usize| ["&", r"\u0026", r"\\u0026"][joints[at % joints.len()]];
        let lines = queries.iter().map(|options| {
            let parts = options.iter().enumerate();
            let query: String = parts.map(|(at, &it)| [joint(at), OPTIONS[it]].concat()).collect();
            WATCH.replace("OPTIONS", &query)
        });
        let text = lines.collect::<String>().repeat(2);
        assert_same(|| log(text.as_bytes()), "queries");
    }
}

/// Options that select a name, that spoil the selection, and that do neither.
const OPTIONS: [&str; 12] = [
    "fieldSelector=metadata.name%3Dx",
    "fieldSelector=metadata.name=y",
    "fieldSelector=metadata.name%3Dx,metadata.name!=z",
    "fieldSelecto%72=metadata.name=w",
    "fieldSelector=metadata.name=v;limit=1",
    "timeoutSeconds=300",
    "timeoutSeconds=5m",
    "limit=x",
    "limit=99999999999999999999",
    "resourceVersion=12",
    "watch=true",
    "x",
];

const WATCH: &str = concat!(
    r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","#,
    r#""stage":"ResponseStarted","requestURI":"/api/v1/namespaces/n/pods?OPTIONS","#,
    r#""verb":"watch","user":{"username":"u"},"sourceIPs":["10.0.0.1"],"userAgent":"p","#,
    r#""objectRef":{"resource":"pods","namespace":"n","name":"x"},"#,
    r#""responseStatus":{"metadata":{},"code":200},"#,
    r#""requestReceivedTimestamp":"2026-11-20T09:15:03.000001Z","#,
    r#""stageTimestamp":"2026-11-20T09:15:03.000001Z","#,
    r#""annotations":{"authorization.k8s.io/decision":"allow"}}"#,
    "\n"
);
