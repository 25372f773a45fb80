//! A log gives the same events, whatever it is stored as and read with.

use leastrole::pipeline::ReadOptions;
use leastrole::source::Inputs;
use serde_json::{Value, json};

use super::collect::{Collected, cluster_log, gzip, options, read, read_bytes, streams, testdata};

const LOGS: [&str; 2] = ["eks-policy.ndjson.gz", "metadata.ndjson.gz"];

/// Reads `inputs` in several ways and checks that each gives `expected`.
fn check(what: &str, expected: &Collected, inputs: impl Fn() -> Inputs) {
    for (threads, block_size) in [(1, 1 << 20), (2, 1 << 20), (8, 64 << 10), (2, 300)] {
        let options = ReadOptions { threads, block_size, ..ReadOptions::default() };
        let (collected, tally) = read(inputs(), &options);
        assert!(
            collected == *expected,
            "{what}: {threads} threads, blocks of {block_size}: {tally:?}"
        );
        assert_eq!(
            (tally.not_audit, tally.malformed, tally.salvaged),
            (0, 0, 0),
            "{what}: {tally:?}"
        );
        assert!(tally.problems().is_empty(), "{what}: {tally:?}");
    }
}

fn values(log: &str) -> Vec<Value> {
    log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn first_lines(log: &str, count: usize) -> String {
    log.split_inclusive('\n').take(count).collect()
}

#[test]
fn the_log_is_read_whole_on_any_number_of_threads() {
    for (log, events) in LOGS.into_iter().zip([2304, 5069]) {
        let text = cluster_log(log);
        let (expected, tally) = read_bytes(&text, &options(1));
        assert_eq!(expected.events.len(), events);
        assert_eq!((tally.inflated, tally.bytes), (text.len() as u64, text.len() as u64));
        let path = testdata("logs/cluster-shop").join(log);
        check(log, &expected, || Inputs::find(&[path.clone().into()]));
    }
}

#[test]
fn however_it_was_compressed() {
    let text = cluster_log(LOGS[0]);
    let (expected, _) = read_bytes(&text, &options(1));
    let once = gzip(text.as_bytes());
    let (first, second) = text.split_at(text.len() / 3);
    let members = [gzip(first.as_bytes()), gzip(b""), gzip(second.as_bytes())].concat();
    check("gzip", &expected, || streams(&[&once]));
    check("gzip in gzip", &expected, || streams(&[gzip(&once)]));
    check("members cut within a line", &expected, || streams(&[&members]));
    check("members in gzip", &expected, || streams(&[gzip(&members)]));
}

#[test]
fn however_it_was_cut_into_files() {
    let text = cluster_log(LOGS[0]);
    let (expected, _) = read_bytes(&text, &options(1));
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let mut parts: Vec<String> = lines.chunks(lines.len() / 7 + 1).map(<[&str]>::concat).collect();
    assert_eq!(parts.len(), 7);
    check("seven files", &expected, || streams(&parts));
    parts.reverse();
    parts.swap(1, 4);
    check("seven files in another order", &expected, || streams(&parts));
    let stored: Vec<_> = parts.iter().map(|part| gzip(part.as_bytes())).collect();
    check("seven gzip files", &expected, || streams(&stored));
}

#[test]
fn however_its_lines_are_written() {
    let text = first_lines(&cluster_log(LOGS[0]), 800);
    let (expected, _) = read_bytes(&text, &options(1));
    let events = values(&text);
    let pretty = |value: &Value| serde_json::to_string_pretty(value).expect("JSON");
    let printed: Vec<_> = events.iter().map(pretty).collect();
    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": events});
    let after = |prefix: &str| {
        let lines: Vec<_> = text.lines().map(|line| [prefix, line, "\n"].concat()).collect();
        lines.concat()
    };

    let array = format!("[\n{}\n]\n", text.trim_end().replace('\n', ",\n"));
    for (what, bytes) in [
        ("glued", text.replace('\n', "")),
        ("separated by tabs", text.replace('\n', "\t")),
        ("Windows lines", format!("\u{feff}{}", text.replace('\n', "\r\n"))),
        ("blank lines between", text.replace('\n', "\n\n")),
        ("no newline at the end", text.trim_end().to_owned()),
        ("indented lines", after("  ")),
        ("S3 export lines", after("2026-11-20T09:15:02.113Z ")),
        ("printed", printed.join("\n")),
        ("printed and glued", printed.concat()),
        ("one list on one line", list.to_string()),
        ("one list, printed", pretty(&list)),
        ("two lists, glued", format!("{list}{}", json!({"kind": "EventList", "items": []}))),
        ("an array with an event on each line", array),
    ] {
        let not_audit = u64::from(what.starts_with("two"));
        let (collected, tally) = read_bytes(&bytes, &options(2));
        assert!(collected == expected, "{what}: {tally:?}");
        assert_eq!((tally.not_audit, tally.malformed), (not_audit, 0), "{what}: {tally:?}");
        if not_audit == 0 {
            check(what, &expected, || streams(&[&bytes]));
        }
    }
}

/// Every record fits the limit; the value around them does not by far.
#[test]
fn a_value_of_any_size_is_a_stream() {
    let text = first_lines(&cluster_log(LOGS[0]), 1200);
    let (expected, _) = read_bytes(&text, &options(1));
    let records: Vec<_> = text
        .lines()
        .map(|line| json!({"timestamp": 1_795_166_102_113_u64, "message": line, "eventId": "3"}))
        .collect();
    let export = json!({"events": records, "searchedLogStreams": []});
    let list = json!({"kind": "EventList", "items": values(&text)});
    let deep =
        json!({"data": [{"result": [{"x": {"events": values(&text)}}]}], "status": "success"});
    for (what, value) in [("export", &export), ("list", &list), ("deep", &deep)] {
        for bytes in [value.to_string(), serde_json::to_string_pretty(value).expect("JSON")] {
            for (threads, block_size) in [(1, 1 << 20), (2, 4 << 10), (8, 32 << 10)] {
                let record_limit = 64 << 10;
                let options =
                    ReadOptions { threads, block_size, record_limit, ..ReadOptions::default() };
                let (collected, tally) = read_bytes(&bytes, &options);
                assert!(collected == expected, "{what}: {threads}, {block_size}: {tally:?}");
                assert_eq!((tally.not_audit, tally.malformed), (0, 0), "{what}: {tally:?}");
            }
        }
    }
}
