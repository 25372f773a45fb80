//! The calls that AWS allows are used, and not many more than the events need.

use std::fs;
use std::sync::{Condvar, Mutex};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use super::events::{MINUTE, Record, TEN, padded_record, record, spread};
use super::run::Run;
use super::server::{Call, Server, throttled};
use super::service::{Habits, Service};

const A: &str = "kube-apiserver-audit-0a1b2c3d4e5f60718293a4b5c6d7e8f9";

/// Lets nobody pass until a number of threads wait at it, then everybody.
struct Gate {
    waiting: Mutex<usize>,
    opened: Condvar,
    wanted: usize,
}

impl Gate {
    fn new(wanted: usize) -> Self {
        Self { waiting: Mutex::new(0), opened: Condvar::new(), wanted }
    }

    /// Whether it opened. Gives up after a minute.
    fn pass(&self) -> bool {
        let mut waiting = self.waiting.lock().unwrap();
        *waiting += 1;
        self.opened.notify_all();
        let patience = Duration::from_mins(1);
        let short = |waiting: &mut usize| *waiting < self.wanted;
        !self.opened.wait_timeout_while(waiting, patience, short).unwrap().1.timed_out()
    }
}

#[test]
fn windows_are_read_side_by_side() {
    let gate = Gate::new(5);
    let service = Service::new(vec![(A, spread(0, 2_000))], Habits::default());
    let server = Server::start(move |call: &Call| {
        if call.is_page() && call.nth >= 8 {
            assert!(gate.pass(), "five calls were never under way together");
        } else {
            // The latency of the first calls says how many are worth while.
            sleep(Duration::from_millis(300));
        }
        service.reply(call)
    });
    assert_eq!(Run::new(&server.url).region("us-east-1").good().events, 2_000);
}

#[test]
fn a_short_read_takes_few_calls() {
    let service = Service::new(vec![(A, vec![record(0, TEN + MINUTE)])], Habits::default());
    let server = Server::start(move |call| service.reply(call));
    let run = Run::new(&server.url).arg("--until", "2024-03-01T10:05:00Z");
    assert_eq!(run.good().events, 1);
    assert_eq!(server.pages().len(), 1);
    assert_eq!(server.calls().len(), 3, "the streams are listed before and after");
}

#[test]
fn windows_cost_few_calls_more_than_there_are_pages() {
    let habits = Habits { page_events: 10, ..Habits::default() };
    let service = Service::new(vec![(A, spread(0, 3_000))], habits);
    let server = Server::start(move |call| service.reply(call));
    assert_eq!(Run::new(&server.url).good().events, 3_000);
    let calls = server.pages().len();
    assert!((300..400).contains(&calls), "{calls} calls for 300 pages");
}

#[test]
fn no_more_calls_are_made_than_the_user_allows() {
    let habits = Habits { page_events: 10, ..Habits::default() };
    let service = Service::new(vec![(A, spread(0, 400))], habits);
    let server = Server::start(move |call| service.reply(call));
    let start = Instant::now();
    let run = Run::new(&server.url).arg("--max-tps", "20");
    assert_eq!(run.good().events, 400);
    let (calls, seconds) = (server.pages().len(), start.elapsed().as_secs());
    assert!(calls <= 20 * (usize::try_from(seconds).unwrap() + 1) + 1, "{calls} in {seconds} s");
}

/// The service allows 25 calls in any second and takes 300 ms for each.
///
/// `cargo test --test cloudwatch four_fifths -- --ignored --nocapture`
#[test]
#[ignore = "measures: takes a minute, and a machine with nothing else to do"]
#[expect(clippy::print_stdout, reason = "the figure is what it is for")]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn at_least_four_fifths_of_the_allowed_calls_are_made() {
    const ALLOWED: usize = 25;
    let records: Vec<Record> = (0..260_000_i32)
        .map(|i| padded_record(usize::try_from(i % 1_000).unwrap(), TEN + i64::from(i) * 27, 700))
        .collect();
    let habits = Habits { page_events: 200, ..Habits::default() };
    let service = Service::new(vec![(A, records)], habits);
    let recent: Mutex<Vec<Instant>> = Mutex::default();
    let answered: &'static Mutex<Vec<Instant>> = Box::leak(Box::default());
    let server = Server::start(move |call| {
        let now = Instant::now();
        if call.is_page() {
            let mut recent = recent.lock().unwrap();
            recent.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
            if recent.len() >= ALLOWED {
                return throttled();
            }
            recent.push(now);
            drop(recent);
            answered.lock().unwrap().push(now);
        }
        let reply = service.reply(call);
        sleep(Duration::from_millis(300).saturating_sub(now.elapsed()));
        reply
    });
    let run = Run::new(&server.url).region("us-east-1");
    let child = run.spawn();
    let process = child.id();
    let watching = spawn(move || watch_memory(process));
    let found = run.outcome(child.wait_with_output().unwrap()).result.unwrap();
    let peak = watching.join().unwrap();
    let answered = answered.lock().unwrap();
    let after = answered[answered.len() - 1].elapsed().as_secs_f64() - 0.3;
    let seconds = (answered[answered.len() - 1] - answered[0]).as_secs_f64() + 0.3;
    let share = answered.len() as f64 / (seconds * ALLOWED as f64);
    println!(
        "{} events, {} calls in {seconds:.1} s: {:.1} a second, {:.1} % of {ALLOWED}; \
         {} at once, {} throttled; ended {after:.1} s after the last answer; peak memory {peak}",
        found.events,
        answered.len(),
        answered.len() as f64 / seconds,
        share * 100.0,
        server.most_running(),
        server.pages().len() - answered.len(),
    );
    assert_eq!(found.events, 260_000);
    assert!(share >= 0.8, "{share}");
}

/// The most memory that a process had until it ended, as Linux tells it.
fn watch_memory(process: u32) -> String {
    let mut peak = "unknown".to_owned();
    while let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) {
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let Some(line) = line else { break };
        line.trim().clone_into(&mut peak);
        sleep(Duration::from_millis(50));
    }
    peak
}
