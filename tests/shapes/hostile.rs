//! Bad input: named, counted, and never in the way of what is good.

use std::fs;

use leastrole::decode::{Problem, Tally, Warning};
use leastrole::pipeline::ReadOptions;
use leastrole::source::{Inputs, LogPath};

use super::collect::{cluster_log, gzip, options, read, read_bytes};

/// An event with a request URI of its own, and a body of `size` bytes.
fn event(uri: &str, size: usize) -> String {
    let body = "x".repeat(size);
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a","stage":"ResponseComplete","requestURI":"{uri}","verb":"get","user":{{"username":"u","groups":[]}},"responseStatus":{{"code":200}},"requestObject":{{"data":"{body}"}},"requestReceivedTimestamp":"2026-11-20T09:15:02.000000Z","stageTimestamp":"2026-11-20T09:15:02.000000Z"}}"#
    )
}

fn uris(log: impl AsRef<[u8]>, options: &ReadOptions) -> (Vec<String>, Tally) {
    let (collected, tally) = read_bytes(log, options);
    let uri = |event: &String| event.split(' ').nth(3).expect("a URI").to_owned();
    (collected.events.iter().map(uri).collect(), tally)
}

fn only_problem(tally: &Tally) -> &Problem {
    let kinds: Vec<_> = tally.problems().values().collect();
    assert_eq!((kinds.len(), kinds[0].count), (1, 1), "{tally:?}");
    &kinds[0].examples[0]
}

#[test]
fn a_bad_line_is_named_and_its_neighbours_are_used() {
    let (good, also_good) = (event("/good", 10), event("/also-good", 10));
    let cut = &good[..150];
    for (bad, code) in [
        ("{\"kind\":\"Event\",]}".as_bytes(), "not-json"),
        (b"{\"kind\":\"Event\",\"auditID\":12", "cut-record"),
        (cut.as_bytes(), "cut-record"),
        (&good.as_bytes()[..40], "cut-record"),
        (b"{\"log\":\"{\\\"auditID\\\":\\\"", "cut-record"),
        (b"\xff\xfe not text", "invalid-utf8"),
        (b"{\"kind\":\"Event\",\"user\":\"\xc3\x28\"}", "invalid-utf8"),
    ] {
        let log = [good.as_bytes(), b"\n", bad, b"\n", also_good.as_bytes(), b"\n"].concat();
        for threads in [1, 2] {
            let (found, tally) = uris(&log, &options(threads));
            let bad = String::from_utf8_lossy(bad);
            assert_eq!(found, ["/also-good", "/good"], "{bad}");
            assert_eq!((tally.malformed, tally.not_audit), (1, 0), "{bad}: {tally:?}");
            let problem = only_problem(&tally);
            assert_eq!(problem.cause.code(), code, "{bad}");
            assert_eq!(problem.line(), 2, "{bad}");
            let at = usize::try_from(problem.offset).expect("an offset");
            assert!((good.len() + 1..good.len() + 1 + bad.len()).contains(&at), "{bad}");
        }
    }
}

#[test]
fn an_event_cut_in_its_body_is_salvaged_wherever_it_stands() {
    let whole = event("/whole", 10);
    let cut = event("/cut", 5000);
    let cut = format!("{}[Truncated...]", &cut[..3000]);
    let quoted = serde_json::to_string(&cut).expect("JSON");
    let csv = cut.replace('"', "\"\"");
    for log in [
        format!("{cut}\n{whole}\n"),
        format!("{whole}\n{cut}"),
        format!("2026-11-20T09:15:02.113Z {cut}\n2026-11-20T09:15:03.113Z {whole}\n"),
        format!("{{\"timestamp\":1795166102113,\"message\":{quoted}}}\n{whole}\n"),
        format!("{{\"events\":[{{\"timestamp\":1795166102113,\"message\":{quoted}}}]}}{whole}"),
        format!("@timestamp,@message\n2026-11-20 09:15:02.113,\"{csv}\"\n{whole}\n"),
        format!("EVENTS\t1795166104413\t{cut}\t1795166102113\n{whole}\n"),
    ] {
        let (collected, tally) = read_bytes(&log, &options(2));
        let shown: String = log.chars().take(60).collect();
        assert_eq!((tally.audit_events, tally.salvaged, tally.malformed), (2, 1, 0), "{shown}");
        let salvaged = collected.events.iter().find(|event| event.contains("/cut ")).expect("it");
        if !log.starts_with('{') || log.contains("\"timestamp\"") {
            assert!(salvaged.contains(" 2026-11-20T09:15:02.113000Z"), "{shown}: {salvaged}");
        }
    }
}

#[test]
fn a_line_like_a_part_of_a_record_takes_no_rows_with_it() {
    let header = "user.username,verb,objectRef.resource,responseStatus.code,calls";
    let row = "system:serviceaccount:shop:reader,get,pods,200,1";
    let part = "2026-11-20T09:15:02Z stdout P {\"kind\"";
    let (collected, tally) = read_bytes([header, row, part, row, row].join("\n"), &options(1));
    assert_eq!((collected.rows.len(), tally.not_audit), (3, 1), "{tally:?}");
}

#[test]
fn a_record_behind_a_value_and_text_is_named() {
    let behind = event("/behind", 1);
    for (behind, malformed) in [("more", 0), ("a part of \"auditID\": \"", 1), (&behind, 1)] {
        let log = format!("{}\n{{\"a\": 1}} and {behind}\n{}", event("/a", 1), event("/b", 1));
        let (found, tally) = uris(&log, &options(1));
        assert_eq!(found, ["/a", "/b"]);
        assert_eq!((tally.not_audit, tally.malformed), (1, malformed), "{behind}");
    }
}

#[test]
fn long_records_are_read_up_to_the_limit_and_named_beyond_it() {
    let limit = 1 << 20;
    let options = ReadOptions { record_limit: limit, ..options(2) };
    for size in [65 << 10, 300 << 10] {
        let log = format!("{}\n{}\n", event("/long", size), event("/after", 1));
        let (found, tally) = uris(&log, &options);
        assert_eq!(found, ["/after", "/long"]);
        assert!(tally.problems().is_empty());
    }
    let (before, too_long, after) =
        (event("/before", 1), event("/long", limit), event("/after", 1));
    let text = "x".repeat(2 * limit);
    let export = format!("2026-11-20T09:15:02.113Z {too_long}");
    let wrapped = serde_json::json!({"timestamp": 1, "message": too_long}).to_string();
    for long in [&too_long, &text, &export, &wrapped] {
        let log = format!("{before}\n{long}\n{after}\n");
        let (found, tally) = uris(&log, &options);
        assert_eq!(found, ["/after", "/before"], "{}", &long[..60]);
        let problem = only_problem(&tally);
        assert_eq!(problem.to_string().split(" (").next(), Some("part-0:2: longer than 1 MiB"));
        assert!(problem.offset > before.len() as u64);
    }
    let (found, tally) = uris(format!("[{before},{too_long},{after}]"), &options);
    assert_eq!((found.len(), tally.malformed), (2, 1), "{tally:?}");
    let (found, tally) = uris("x".repeat(5 * limit), &options);
    assert_eq!((found.len(), tally.malformed), (0, 1), "{tally:?}");
    assert!(!tally.is_readable());
}

#[test]
fn nesting_without_end_is_survived() {
    let after = event("/after", 1);
    for bomb in ["[".repeat(1 << 20), "{\"a\":".repeat(1 << 18), "[{\"auditID\":".repeat(1 << 16)] {
        let closed = format!(
            "{bomb}1{}",
            bomb.chars()
                .rev()
                .filter_map(|c| match c {
                    '[' => Some(']'),
                    '{' => Some('}'),
                    _ => None,
                })
                .collect::<String>()
        );
        for record_limit in [16 << 20, 64 << 10] {
            let options = ReadOptions { record_limit, ..options(1) };
            let (found, tally) = uris(format!("{bomb}\n{after}\n"), &options);
            assert_eq!(found, ["/after"], "{tally:?}");
            assert_eq!(tally.malformed, 1, "{tally:?}");
            let (found, _) = uris(format!("{closed}\n{after}\n"), &options);
            assert_eq!(found, ["/after"]);
        }
    }
    let mut deep = event("/deep", 1);
    for _ in 0..14 {
        deep = format!("[{deep}]");
    }
    let (_, tally) = uris(format!("{deep}\n"), &options(1));
    assert_eq!(only_problem(&tally).cause.code(), "too-deep");
}

#[test]
fn strings_within_strings_end_somewhere() {
    let mut record = event("/deep", 1);
    for _ in 0..9 {
        record = serde_json::json!({"m": record}).to_string();
    }
    let after = event("/after", 1);
    let (found, tally) = uris(format!("{record}\n{after}\n"), &options(1));
    assert_eq!((found.len(), tally.malformed), (1, 1), "{tally:?}");
    let prefixes = "2026-11-20T09:15:02Z stdout F ".repeat(10_000);
    let (found, tally) = uris(format!("{prefixes}{{}}\n{after}\n"), &options(1));
    assert_eq!((found.len(), tally.malformed), (1, 1), "{tally:?}");
}

#[test]
fn a_cut_gzip_file_gives_what_came_before_the_cut() {
    let log = cluster_log("eks-policy.ndjson.gz");
    let stored = gzip(log.as_bytes());
    let (collected, tally) = read_bytes(&stored[..stored.len() / 2], &options(2));
    assert!((100..2304).contains(&collected.events.len()), "{}", collected.events.len());
    assert_eq!(tally.problems()["gzip-cut"].count, 1);
    assert_eq!(tally.problems()["gzip-cut"].examples[0].offset, stored.len() as u64 / 2);
    assert!(tally.malformed <= 1, "{tally:?}");
    let (collected, tally) = read_bytes([&stored[..], b"trailing"].concat(), &options(2));
    assert_eq!((collected.events.len(), tally.malformed), (2304, 0));
    assert_eq!(tally.problems()["trailing-garbage"].examples[0].offset, stored.len() as u64);
}

#[test]
fn an_unreadable_file_does_not_stop_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.log"), format!("{}\n", event("/good", 1))).expect("a file");
    fs::write(path("empty.log"), "").expect("a file");
    fs::write(path("garbage.bin"), [0x80, 0xff, 0, 1, b'\n', 0xfe]).expect("a file");
    fs::write(path("rows.parquet"), b"PAR1.....").expect("a file");
    std::os::unix::fs::symlink("/nowhere", path("gone.log")).expect("a link");
    let found = Inputs::find(&[LogPath::from(folder.path().to_path_buf())]);
    let (collected, tally) = read(found, &options(2));
    assert_eq!((collected.events.len(), tally.files), (1, 3), "{tally:?}");
    assert_eq!(tally.problems()["unreadable-file"].count, 1);
    assert_eq!(tally.problems()["invalid-utf8"].count, 2);
    let refused = tally.problems()["unsupported-format"].examples[0].to_string();
    assert!(refused.contains("rows.parquet: Parquet is not read: have Athena"), "{refused}");
    assert!(tally.is_readable());
}

#[test]
fn nothing_at_all_is_nothing_wrong() {
    for log in [&b""[..], b"\n\n\r\n", b"\xef\xbb\xbf", &gzip(b"")] {
        let (collected, tally) = read_bytes(log, &options(2));
        assert!(collected.events.is_empty() && tally.is_readable(), "{log:?}");
        assert_eq!(tally.records(), 0, "{log:?}");
    }
}

#[test]
fn what_is_known_to_be_incomplete_is_warned_of() {
    let message = serde_json::to_string(&event("/good", 1)).expect("JSON");
    let rows = |count: usize| {
        format!(
            "[[{{\"field\":\"@message\",\"value\":{message}}}]{}]",
            format!(",[{{\"field\":\"@message\",\"value\":{message}}}]").repeat(count - 1)
        )
    };
    for (log, expected) in [
        (
            format!("{{\"events\":[{{\"message\":{message}}}],\"nextForwardToken\":\"f/1\"}}"),
            Some(Warning::OnePage),
        ),
        (
            format!("{{\"events\":[{{\"message\":{message}}}],\"NextToken\":\"x\"}}"),
            Some(Warning::MorePages),
        ),
        (format!("{{\"events\":[{{\"message\":{message}}}],\"nextToken\":null}}"), None),
        (
            format!("{{\"results\":{},\"status\":\"Running\"}}", rows(1)),
            Some(Warning::QueryIncomplete("Running".to_owned())),
        ),
        (format!("{{\"results\":{},\"status\":\"Complete\"}}", rows(1)), None),
        (
            format!("{{\"results\":{},\"status\":\"Complete\"}}", rows(10_000)),
            Some(Warning::QueryTruncated),
        ),
        (format!("{{\"results\":{},\"status\":\"Complete\"}}", rows(9_999)), None),
        (
            "Complete\nRESULTS\tverb\tget\nRESULTS\tcalls\t1\n".to_owned(),
            Some(Warning::AggregatedText),
        ),
        ("EVENTS\t1\t{}\nNEXTTOKEN\tx\n".to_owned(), Some(Warning::MorePages)),
        ("{\"class_uid\":6003,\"activity_id\":1}".to_owned(), Some(Warning::Ocsf)),
        ("{\"protoPayload\":{\"@type\":\"x\"}}".to_owned(), Some(Warning::CloudAudit)),
    ] {
        for record_limit in [16 << 20, 64 << 10] {
            let options = ReadOptions { record_limit, ..options(2) };
            let (_, tally) = read_bytes(&log, &options);
            let warnings: Vec<_> = tally.warnings().map(|(_, warning)| warning.clone()).collect();
            assert_eq!(
                warnings,
                Vec::from_iter(expected.clone()),
                "{}",
                &log[..log.len().min(200)]
            );
            assert_eq!(tally.malformed, 0, "{tally:?}");
        }
    }
}
