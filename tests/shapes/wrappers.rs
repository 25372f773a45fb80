//! What the table of shapes does not show: aggregated rows, records in parts,
//! copies, and what must not be taken for an event.

use leastrole::pipeline::ReadOptions;
use serde_json::{Value, json};

use super::collect::{options, read_bytes};

fn event(number: u32) -> Value {
    json!({
        "auditID": format!("id-{number}"), "stage": "ResponseComplete", "requestURI": "/api/v1/pods",
        "verb": "list", "user": {"username": "alice"}, "responseStatus": {"code": 200},
        "stageTimestamp": "2026-11-20T09:15:02.000000Z",
    })
}

fn counts(log: impl AsRef<[u8]>) -> (u64, u64, u64, u64) {
    let (_, tally) = read_bytes(log, &options(2));
    (tally.audit_events, tally.usage_rows, tally.not_audit, tally.malformed)
}

#[test]
fn aggregated_rows_read_the_same_from_every_export() {
    let columns =
        ["user.username", "verb", "objectRef.resource", "objectRef.name", "first", "calls"];
    let values = ["system:serviceaccount:a:b", "get", "pods", "", "2026-11-20 09:15:02.113", "17"];
    let filled = || columns.iter().zip(&values).filter(|(_, value)| !value.is_empty());
    let csv = format!("{}\n{}\n", columns.join(","), values.join(","));
    let quoted = format!("\"{}\"\r\n\"{}\"\r\n", columns.join("\",\""), values.join("\",\""));
    let cells: Vec<_> =
        filled().map(|(field, value)| json!({"field": field, "value": value})).collect();
    let api =
        json!({"results": [cells], "statistics": {"recordsMatched": 17.0}, "status": "Complete"});
    let console: serde_json::Map<_, _> =
        filled().map(|(column, value)| ((*column).to_owned(), json!(value))).collect();
    let console = json!([console]);
    let (expected, _) = read_bytes(&csv, &options(1));
    assert_eq!(expected.rows.len(), 1);
    for part in [
        "who: Some(Text(\"system:serviceaccount:a:b\"))",
        "name: None",
        "2026-11-20T09:15:02.113000Z",
        "\"17\"",
    ] {
        assert!(expected.rows[0].contains(part), "{part}: {}", expected.rows[0]);
    }
    for log in [
        quoted,
        api.to_string(),
        console.to_string(),
        serde_json::to_string_pretty(&api).expect("JSON"),
    ] {
        let (collected, tally) = read_bytes(&log, &options(1));
        assert_eq!(collected, expected, "{log}");
        assert_eq!((tally.not_audit, tally.malformed), (0, 0), "{log}");
    }
}

#[test]
fn a_record_in_parts_is_joined_across_blocks_and_streams() {
    let mut record = event(1);
    record["userAgent"] = json!("x".repeat(8000));
    let line = record.to_string();
    let (head, tail) = line.split_at(4000);
    let (middle, tail) = tail.split_at(4000);
    let part = |stream: &str, tag: &str, text: &str| {
        format!("2026-11-20T09:15:02Z {stream} {tag} {text}\n")
    };
    let log = [
        part("stdout", "F", &event(0).to_string()),
        part("stdout", "P", head),
        part("stderr", "F", "in between"),
        part("stdout", "P", middle),
        part("stderr", "F", &event(2).to_string()),
        part("stdout", "F", tail),
        part("stdout", "F", &event(3).to_string()),
    ]
    .concat();
    let whole = read_bytes(&log, &options(1));
    let tally = &whole.1;
    assert_eq!((tally.audit_events, tally.not_audit, tally.malformed), (4, 1, 0), "{tally:?}");
    for block_size in (1..log.len()).step_by(61) {
        let read = read_bytes(&log, &ReadOptions { block_size, ..options(2) });
        assert_eq!(read, whole, "blocks of {block_size}");
    }
}

/// What Docker's `json-file` driver makes of a printed line: 16 KiB at a time.
fn docker_lines(printed: &str) -> String {
    let bytes = format!("{printed}\n").into_bytes();
    let line = |part: &[u8]| {
        let text = std::str::from_utf8(part).expect("ASCII");
        json!({"log": text, "stream": "stdout", "time": "2026-11-20T09:15:02Z"})
    };
    // In Docker's order of keys, which is not that of a map.
    let written = |line: Value| {
        let Value::String(log) = &line["log"] else { panic!() };
        let log = serde_json::to_string(log).expect("JSON");
        format!("{{\"log\":{log},\"stream\":\"stdout\",\"time\":{}}}\n", line["time"])
    };
    bytes.chunks(16 << 10).map(|part| written(line(part))).collect()
}

#[test]
fn a_line_that_docker_cut_is_joined_and_no_part_of_it_is_an_event() {
    let mut real = event(1).to_string();
    // An object of a caller's, with what looks like an event where a part begins.
    let forged = event(6).to_string();
    let body = real.len() - 1 + ",\"requestObject\":{\"x\":\"\",\"y\":".len();
    let padding = "x".repeat((32 << 10) - body);
    real.pop();
    let real = format!("{real},\"requestObject\":{{\"x\":\"{padding}\",\"y\":{forged}}}}}");
    assert!(real[32 << 10..].starts_with(&forged));
    let log = [docker_lines(&event(0).to_string()), docker_lines(&real)].concat();
    assert_eq!(log.lines().count(), 4);
    assert_eq!(counts(&log), (2, 0, 0, 0));
    // The rest of a line, of which the beginning was rotated away, is none either.
    let rest: String = log.lines().skip(3).collect();
    assert_eq!(counts(rest), (0, 0, 0, 1));
    let part = |tag: &str, text: &str| format!("2026-11-20T09:15:02Z stdout {tag} {text}\n");
    let rest = [part("P", &forged), part("F", "}}"), part("F", &event(2).to_string())].concat();
    assert_eq!(counts(rest), (1, 0, 0, 1));
    let cut: String = log.lines().take(2).collect();
    assert_eq!(counts(cut), (1, 0, 0, 1));
}

#[test]
fn wrappers_are_looked_through_to_a_depth_of_twelve() {
    for depth in 0..16 {
        let bare = |inner: Value| json!({"wrapper": inner});
        let listed = |inner: Value| json!([inner]);
        for wrap in [&bare as &dyn Fn(Value) -> Value, &listed] {
            let wrapped = (0..depth).fold(event(1), |inner, _| wrap(inner));
            let expected = if depth <= 12 { (1, 0, 0, 0) } else { (0, 0, 0, 1) };
            assert_eq!(counts(wrapped.to_string()), expected, "{depth}: {wrapped}");
        }
    }
}

#[test]
fn copies_in_one_wrapper_count_once_and_equals_in_a_list_each() {
    let (one, other) = (event(1), event(2));
    let text = one.to_string();
    let list = json!({"kind": "EventList", "items": [one, one, other]});
    for (record, events) in [
        (json!({"message": text, "original": text}), 1),
        (json!({"message": text, "event": {"original": text}}), 1),
        (json!({"a": one, "b": {"c": one}, "message": text}), 1),
        (json!({"a": one, "message": other.to_string()}), 2),
        (json!({"properties": {"log": one}}), 1),
        (list, 3),
        (json!({"records": [{"properties": {"log": text}}, {"properties": {"log": text}}]}), 2),
    ] {
        assert_eq!(counts(record.to_string()), (events, 0, 0, 0), "{record}");
    }
}

#[test]
fn every_record_of_a_wrapper_is_counted() {
    let message =
        |text: &str| json!({"id": "1", "timestamp": 1_795_166_102_113_u64, "message": text});
    let (audit, other) = (message(&event(1).to_string()), message("I1120 a component's line"));
    for (record, expected) in [
        (
            json!({"messageType": "DATA_MESSAGE", "logEvents": [audit, other, audit, other]}),
            (2, 0, 2, 0),
        ),
        (json!({"messageType": "CONTROL_MESSAGE", "logEvents": [other]}), (0, 0, 1, 0)),
        (json!({"events": [other, other], "searchedLogStreams": [{"a": 1}]}), (0, 0, 2, 0)),
        (json!({"events": []}), (0, 0, 1, 0)),
        (json!([]), (0, 0, 1, 0)),
        (json!({"kind": "Event", "apiVersion": "v1", "reason": "Started"}), (0, 0, 1, 0)),
        (json!({"apiVersion": "audit.k8s.io/v7", "auditID": "x", "stage": "y"}), (0, 0, 0, 1)),
        (json!({"level": "info", "msg": "no auditID here: {"}), (0, 0, 1, 0)),
    ] {
        assert_eq!(counts(record.to_string()), expected, "{record}");
    }
}

/// Bodies, user agents and other logs hold what callers choose.
#[test]
fn an_event_that_a_caller_wrote_is_no_event() {
    let forged = event(6).to_string();
    let mut real = event(1);
    real["requestObject"] = json!({"data": {"x": forged}, "items": [event(7)]});
    real["userAgent"] = json!(forged);
    assert_eq!(counts(real.to_string()), (1, 0, 0, 0));
    let cut = real.to_string();
    let cut = &cut[..cut.len() - 30];
    assert_eq!(counts(format!("{cut}\n")), (0, 0, 0, 1));
    for line in [
        format!("I1120 09:15:02.113406       9 request.go:1154] Request Body: {forged}"),
        format!("time=\"2026-11-20T09:15:02Z\" level=info msg={forged}"),
        format!("10.0.0.1 - - [20/Nov/2026] \"GET /?x={forged} HTTP/1.1\" 404"),
    ] {
        assert_eq!(counts(format!("{line}\n")), (0, 0, 1, 0), "{line}");
    }
}
