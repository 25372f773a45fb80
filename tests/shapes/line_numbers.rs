//! The line of a problem is the line that its record starts on, whichever thread met it
//! and however the log was cut into blocks.

use leastrole::audit::{Event, Frame};
use leastrole::decode::{Consumer, Problem, Tally, UsageRow};
use leastrole::pipeline::{self, ReadOptions};

use super::collect::{cluster_log, gzip, options, streams};

/// The longest record: more than any in the logs below that is meant to be read.
const LIMIT: usize = 16 << 10;
/// How often each kind of bad record stands in a log: no more often than is kept.
const ROUNDS: usize = 9;

/// Takes lines unparsed where it can, as a run does, and counts them.
#[derive(Default)]
struct Taker(u64);

impl Consumer for Taker {
    fn line(&mut self, bytes: &[u8]) -> Option<usize> {
        let (_, len) = Frame::split(bytes)?;
        self.0 += 1;
        Some(len)
    }

    fn event(&mut self, _: &Event<'_>) {}

    fn usage_row(&mut self, _: &UsageRow<'_>) {}
}

/// The problems with records of `text` that name another line than their record's.
pub(super) fn wrong_lines(tally: &Tally, text: &[u8]) -> Vec<String> {
    let problems = tally.problems().values().flat_map(|kind| &kind.examples);
    let records = problems.filter(|problem| !problem.cause.is_of_input());
    let wrong = records.filter(|problem| {
        let before = &text[..usize::try_from(problem.offset).expect("an offset in memory")];
        problem.line() != last_line(before)
    });
    wrong.map(|problem| format!("{problem:?}")).collect()
}

/// The number of the line that `bytes` end on.
fn last_line(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').count() as u64
}

/// Records that cannot be used, each of another kind.
fn bad(event: &str) -> Vec<Vec<u8>> {
    let newer = event.replace("audit.k8s.io/v1", "audit.k8s.io/v9");
    let deep = format!("{}{event}{}", "[".repeat(14), "]".repeat(14));
    let long = format!("{{\"auditID\":\"{}\",\"requestURI\":\"/\"}}", "x".repeat(2 * LIMIT));
    vec![
        b"{\"kind\":\"Event\",]}".to_vec(),
        event.as_bytes()[..150].to_vec(),
        b"\xff\xfe no text".to_vec(),
        newer.into_bytes(),
        deep.into_bytes(),
        b"H4sIAAAAAAAAA2NgYGBgYGBg".to_vec(),
        long.into_bytes(),
    ]
}

/// A log of whole events, between which there are bad records, text, and values that share
/// a line or go on over many; its last line has no line break.
fn lines(events: &[&str]) -> Vec<u8> {
    let bad = bad(events[0]);
    let value: serde_json::Value = serde_json::from_str(events[0]).expect("an event");
    let printed = serde_json::to_string_pretty(&value).expect("JSON");
    let others = ["", "\r", "I1120 09:15:02 no audit", &printed, "{} [\n\n] {}"];
    let mut log = Vec::new();
    for (number, part) in events.chunks(events.len().div_ceil(ROUNDS * bad.len())).enumerate() {
        for event in part {
            log.extend_from_slice(event.as_bytes());
            log.extend_from_slice(if number % 3 == 0 { b"\r\n" } else { b"\n" });
        }
        log.extend_from_slice(&bad[number % bad.len()]);
        log.extend_from_slice(format!("\n{}\n", others[number % others.len()]).as_bytes());
    }
    log.extend_from_slice(b"{\"the last line\":");
    log
}

/// The same events as one value that is far too long, some of them followed by what is
/// none or too long itself.
fn opened(events: &[&str]) -> Vec<u8> {
    let too_long = format!("\n\"{}\"", "x".repeat(2 * LIMIT));
    let mut log = String::from("\n\n{\"kind\":\"EventList\",\n\n\"items\":[\n");
    for (number, event) in events.iter().enumerate() {
        let after = match number % 50 {
            10 => ",\n?!",
            20 => ",\n\n\"line\nbreak\"",
            30 => &too_long,
            number if number % 2 == 0 => "\n",
            _ => "",
        };
        log.extend([event, after, ","]);
    }
    log.push_str("{}\n]}\n{\"the last line\":]");
    log.into_bytes()
}

/// The tally of several inputs that all hold `log`, and how many lines were not parsed.
fn read(log: &[u8], inputs: usize, options: &ReadOptions) -> (Tally, u64) {
    let inputs = streams(&vec![gzip(log); inputs]);
    let (takers, tally) = pipeline::read(inputs, options, Taker::default).expect("threads");
    (tally, takers.iter().map(|taker| taker.0).sum())
}

#[test]
fn every_problem_names_its_line() {
    let text = cluster_log("eks-policy.ndjson.gz");
    let events: Vec<&str> = text.lines().take(1000).collect();
    for (log, kinds, taken) in [(lines(&events), 7, 500), (opened(&events), 3, 0)] {
        let last = last_line(&log);
        for (threads, block_size, inputs) in
            [(1, 700, 1), (1, 20_000, 2), (2, 700, 1), (2, 20_000, 3), (4, 700, 4), (4, 20_000, 1)]
        {
            let options = ReadOptions { block_size, record_limit: LIMIT, ..options(threads) };
            let (tally, unparsed) = read(&log, inputs, &options);
            let problems = tally.problems();
            assert!(unparsed >= taken, "{unparsed} lines were not parsed");
            assert_eq!(wrong_lines(&tally, &log), [""; 0]);
            let named = problems.values().flat_map(|kind| &kind.examples).map(Problem::line);
            assert_eq!((problems.len(), named.max()), (kinds, Some(last)), "{problems:?}");
        }
    }
}
