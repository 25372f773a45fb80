//! Every event comes through, and comes through once.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::events::{MINUTE, Record, TEN, name, padded_record, record, spread, stamped_record};
use super::run::{Found, Run};
use super::server::{Call, Server};
use super::service::{Habits, Service, Stream};

const A: &str = "kube-apiserver-audit-0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const B: &str = "kube-apiserver-audit-f9e8d7c6b5a493827160f5e4d3c2b1a0";
/// The API server's own log.
const OTHER: &str = "kube-apiserver-0a1b2c3d4e5f60718293a4b5c6d7e8f9";
/// A Region where `GetLogEvents` is allowed thrice as often as `FilterLogEvents`.
const GET_IS_FASTER: &str = "eu-west-3";

fn serve(streams: Vec<(&str, Vec<Record>)>, habits: Habits) -> Server {
    let service = Service::new(streams, habits);
    Server::start(move |call| service.reply(call))
}

fn names(numbers: std::ops::Range<usize>) -> BTreeSet<String> {
    numbers.map(name).collect()
}

/// Each of the events from 0 to `count`, once.
fn assert_whole(found: &Found, count: usize) {
    assert_eq!(found.events, count as u64);
    assert_eq!(found.names, names(0..count));
}

fn uses(server: &Server, operation: &str) -> usize {
    server.calls().iter().filter(|call| call.operation == operation).count()
}

#[test]
fn every_stream_is_read_and_accounted_for() {
    let server = serve(vec![(A, spread(0, 400)), (B, spread(400, 300))], Habits::default());
    let outcome = Run::new(&server.url).go();
    for (stream, events) in [(A, 400), (B, 300)] {
        let line = format!("\n  {events} events from {stream}\n");
        assert!(outcome.stderr.contains(&line), "{}", outcome.stderr);
    }
    let found = outcome.result.unwrap();
    assert_whole(&found, 700);
    assert_eq!(found.streams.into_iter().collect::<Vec<_>>(), [(A.into(), 400), (B.into(), 300)]);
}

#[test]
fn what_is_read_live_gives_the_roles_of_the_same_events_in_a_file() {
    let records = spread(0, 300);
    let lines: Vec<String> = records.iter().map(|record| format!("{}\n", record.message)).collect();
    let server = serve(vec![(A, records)], Habits::default());
    let run = Run::new(&server.url);
    let outcome = run.go();
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    assert!(outcome.stdout.contains(&name(299)), "{}", outcome.stdout);
    let file = run.home_file("audit.ndjson", &lines.concat());
    assert_eq!(outcome.stdout, run.generate_offline(&file));
}

#[test]
fn a_log_group_of_another_name_is_read_and_its_streams_by_their_prefix() {
    let mut service =
        Service::new(vec![("audit/a", spread(0, 40)), (A, spread(40, 9))], Habits::default());
    service.group = "/shared/logs";
    let server = Server::start(move |call| service.reply(call));
    let run = Run::new(&server.url).without_arg("--cluster").arg("--log-group", "/shared/logs");
    let found = run.good();
    assert_eq!((found.names, found.streams.len()), (names(40..49), 1), "by default EKS's own");
    let found = run.arg("--log-stream-prefix", "audit/").good();
    assert_eq!(
        (found.names, found.streams.keys().cloned().collect()),
        (names(0..40), vec!["audit/a".to_owned()])
    );
}

#[test]
fn events_on_the_edges_of_the_range_are_in_one_run_of_two() {
    const EDGE: &str = "2024-03-01T11:00:00Z";
    let edge = TEN + 60 * MINUTE;
    // CloudWatch got each some time after it happened, or a little before.
    let records = [(-1, 0), (-1, 500), (0, -800), (0, 0), (0, 599_000), (1, -1_500), (1, 400)];
    let records: Vec<Record> = records
        .into_iter()
        .enumerate()
        .map(|(i, (own, late))| {
            let own = jiff::Timestamp::from_millisecond(edge + own).unwrap();
            stamped_record(i, own.as_millisecond() + late, own, 0)
        })
        .collect();
    for region in ["us-east-1", GET_IS_FASTER] {
        let server = serve(vec![(A, records.clone())], Habits::default());
        let first = Run::new(&server.url).region(region).arg("--until", EDGE).good();
        let second = Run::new(&server.url).region(region).arg("--since", EDGE).good();
        assert_eq!((first.events, first.names), (2, names(0..2)), "{region}");
        assert_eq!((second.events, second.names), (5, names(2..7)), "{region}");
    }
}

#[test]
fn the_range_can_be_a_duration_before_now() {
    let now = jiff::Timestamp::now();
    let records = [(26, 0), (23, 1), (2, 2), (1, 3)].map(|(hours, number)| {
        let own = now - jiff::SignedDuration::from_hours(hours);
        stamped_record(number, own.as_millisecond(), own, 0)
    });
    let server = serve(vec![(A, records.to_vec())], Habits::default());
    let run = Run::new(&server.url).arg("--since", "24h");
    assert_eq!(run.arg("--until", "90m").good().names, names(1..3));
    assert_eq!(
        Run::new(&server.url).arg("--since", "1d").without_arg("--until").good().names,
        names(1..4)
    );
}

#[test]
fn empty_pages_with_a_token_are_no_end() {
    let habits = Habits { empty_pages: 3, ..Habits::default() };
    for region in ["us-east-1", GET_IS_FASTER] {
        let server = serve(vec![(A, spread(0, 500))], habits);
        assert_whole(&Run::new(&server.url).region(region).good(), 500);
    }
}

#[test]
fn events_that_pages_repeat_count_once() {
    let same_time: Vec<Record> = (0..200).map(|i| record(i, TEN + 30 * MINUTE)).collect();
    let habits = Habits { overlap: 7, ..Habits::default() };
    for region in ["us-east-1", GET_IS_FASTER] {
        let server = serve(vec![(A, same_time.clone())], habits);
        assert_whole(&Run::new(&server.url).region(region).good(), 200);
    }
}

#[test]
fn events_out_of_order_come_through() {
    let habits = Habits { shuffled: true, ..Habits::default() };
    for region in ["us-east-1", GET_IS_FASTER] {
        let server = serve(vec![(A, spread(0, 900)), (B, spread(900, 100))], habits);
        assert_whole(&Run::new(&server.url).region(region).good(), 1_000);
    }
}

#[test]
fn pages_of_a_megabyte_come_through() {
    let records = (0..2_000)
        .map(|i| padded_record(i, TEN + i64::try_from(i).unwrap() * 3_000, 1_000))
        .collect();
    let habits = Habits { page_events: 10_000, ..Habits::default() };
    let server = serve(vec![(A, records)], habits);
    assert_whole(&Run::new(&server.url).good(), 2_000);
}

#[test]
fn events_on_the_edges_of_windows_count_once() {
    let edges = (1..8).map(|quarter| TEN + quarter * 15 * MINUTE);
    let times = edges.flat_map(|edge| [edge - 1, edge, edge, edge + 1]);
    let records: Vec<Record> = times.enumerate().map(|(i, time)| record(i, time)).collect();
    let count = records.len();
    for region in ["us-east-1", GET_IS_FASTER] {
        let server =
            serve(vec![(A, records.clone())], Habits { page_events: 3, ..Habits::default() });
        assert_whole(&Run::new(&server.url).region(region).good(), count);
        let starts: BTreeSet<_> =
            server.pages().iter().map(|call| call.number("startTime")).collect();
        assert!(starts.contains(&Some(TEN + 15 * MINUTE)), "the edges are where they are thought");
    }
}

#[test]
fn events_that_came_a_little_early_or_late_are_read_too() {
    // Two seconds before the range, and ten minutes after it.
    let records = vec![record(0, TEN), record(1, TEN + 120 * MINUTE - 1)];
    let outside = [record(2, TEN - 1), record(3, TEN + 120 * MINUTE)];
    let server = serve(vec![(A, [records, outside.into()].concat())], Habits::default());
    assert_whole(&Run::new(&server.url).good(), 2);
}

#[test]
fn other_streams_are_left_alone() {
    let other = vec![Record { time: TEN, message: "I0301 apiserver is well".into() }];
    let habits = Habits { ignores_prefix: true, ..Habits::default() };
    let server = serve(vec![(OTHER, other), (A, spread(0, 100))], habits);
    let found = Run::new(&server.url).good();
    assert_whole(&found, 100);
    assert_eq!(found.streams.keys().collect::<Vec<_>>(), [A]);
}

#[test]
fn the_call_is_the_one_that_is_faster_in_the_region() {
    for (region, expected, other) in [
        ("us-east-1", "FilterLogEvents", "GetLogEvents"),
        ("us-west-2", "FilterLogEvents", "GetLogEvents"),
        (GET_IS_FASTER, "GetLogEvents", "FilterLogEvents"),
    ] {
        let server = serve(vec![(A, spread(0, 2_000)), (B, spread(2_000, 500))], Habits::default());
        let found = Run::new(&server.url).region(region).good();
        assert_whole(&found, 2_500);
        assert_eq!(found.streams[A], 2_000);
        assert!(uses(&server, expected) >= 50, "{region}");
        // The range is sampled with the one that needs no stream.
        assert!(uses(&server, other) <= 8, "{region}");
    }
}

#[test]
fn a_filter_pattern_is_applied_by_the_service() {
    let server = serve(vec![(A, spread(0, 2_000))], Habits::default());
    let pattern = r#"{ $.stage = "ResponseComplete" }"#;
    let run = Run::new(&server.url).region(GET_IS_FASTER).arg("--filter-pattern", pattern);
    assert_whole(&run.good(), 2_000);
    assert_eq!(uses(&server, "GetLogEvents"), 0);
    assert!(server.pages().iter().all(|call| call.text("filterPattern") == Some(pattern)));
}

#[test]
fn a_window_with_a_burst_is_cut_and_still_whole() {
    // A thousand events in one minute of two hours, and after a first quiet page.
    let quiet = (0..60).map(|i| record(i, TEN + i64::try_from(i).unwrap()));
    let burst = (60..1_060).map(|i| record(i, TEN + 5 * MINUTE + i64::try_from(i).unwrap() * 60));
    let server = serve(vec![(A, quiet.chain(burst).collect())], Habits::default());
    assert_whole(&Run::new(&server.url).good(), 1_060);
    let starts: BTreeSet<_> = server.pages().iter().map(|call| call.number("startTime")).collect();
    assert!(starts.len() > 8, "the eight windows were cut: {starts:?}");
    assert!(server.pages().len() < 300, "{} calls", server.pages().len());
}

#[test]
fn a_stream_that_comes_up_during_the_read_is_read() {
    let service = Arc::new(Service::new(vec![(A, spread(0, 2_000))], Habits::default()));
    let behind = Arc::clone(&service);
    let server = Server::start(move |call: &Call| {
        if call.operation == "GetLogEvents" && !behind.is_raised() {
            behind.raise();
            let new = Stream { name: B.into(), records: spread(2_000, 20) };
            behind.streams.lock().unwrap().push(new);
        }
        behind.reply(call)
    });
    let found = Run::new(&server.url).region(GET_IS_FASTER).good();
    assert_whole(&found, 2_020);
    assert_eq!(found.streams[B], 20);
}

#[test]
fn more_streams_than_one_listing_holds_are_found() {
    let names: Vec<String> = (0..120).map(|i| format!("kube-apiserver-audit-{i:032x}")).collect();
    let streams = names
        .iter()
        .enumerate()
        .map(|(i, name)| (&**name, vec![record(i, TEN + MINUTE)]))
        .collect();
    let server = serve(streams, Habits::default());
    let found = Run::new(&server.url).good();
    assert_whole(&found, 120);
    assert_eq!(found.streams.len(), 120);
}
