//! What goes wrong on the way is borne, within bounds; what stays wrong ends the run.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::events::{MINUTE, Record, TEN, record, spread};
use super::run::Run;
use super::server::{Call, Reply, Server, throttled};
use super::service::{Habits, Service, bad_token};

const A: &str = "kube-apiserver-audit-0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const B: &str = "kube-apiserver-audit-f9e8d7c6b5a493827160f5e4d3c2b1a0";
const GET_IS_FASTER: &str = "eu-west-3";
const EVENTS: usize = 1_000;

/// A log group of 1,000 events where some calls go as `script` says.
fn serve(script: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static) -> Server {
    let service = Service::new(vec![(A, spread(0, EVENTS))], Habits::default());
    Server::start(move |call| script(call).unwrap_or_else(|| service.reply(call)))
}

fn assert_whole(server: &Server) {
    let found = Run::new(&server.url).good();
    assert_eq!((found.events, found.names.len()), (EVENTS as u64, EVENTS));
}

#[test]
fn throttled_calls_are_made_again() {
    // As a code that is in no operation's model.
    let server = serve(|call| (call.is_page() && (10..13).contains(&call.nth)).then(throttled));
    assert_whole(&server);
    let server = serve(|call| (!call.is_page() && call.nth == 0).then(throttled));
    assert_whole(&server);
}

#[test]
fn lost_connections_and_broken_answers_are_borne() {
    let server = serve(|call| match call.nth {
        3 | 12 if call.is_page() => Some(Reply::Reset),
        5 | 17 if call.is_page() => Some(Reply::Half),
        0 => Some(Reply::Reset),
        _ => None,
    });
    assert_whole(&server);
}

#[test]
fn failures_of_the_service_are_borne() {
    let server = serve(|call| match call.nth {
        4 => Some(Reply::Error(503, "ServiceUnavailableException", "try again")),
        9 => Some(Reply::Error(500, "InternalFailure", "")),
        14 => Some(Reply::Error(400, "ServiceUnavailableException", "try again")),
        _ => None,
    });
    assert_whole(&server);
}

#[test]
fn a_window_whose_token_is_forgotten_starts_again_and_gives_nothing_twice() {
    let forgotten = AtomicUsize::new(0);
    let server = serve(move |call| {
        let late = call.is_page() && call.text("nextToken").is_some() && call.nth % 5 == 4;
        (late && forgotten.fetch_add(1, Ordering::SeqCst) < 3).then(bad_token)
    });
    assert_whole(&server);
}

/// More events in one millisecond than a page holds: the window cannot be cut any more.
fn crowd() -> Vec<Record> {
    (0..120).map(|i| record(i, TEN + MINUTE)).collect()
}

#[test]
fn a_token_that_is_never_good_ends_the_run() {
    let service = Service::new(vec![(A, crowd())], Habits::default());
    let server = Server::start(move |call| match call.text("nextToken") {
        Some(_) => bad_token(),
        None => service.reply(call),
    });
    let stderr = Run::new(&server.url).bad();
    assert!(stderr.contains("does not come to the end of a range"), "{stderr}");
}

#[test]
fn a_page_that_leads_to_itself_ends_the_run() {
    let service = Service::new(vec![(A, crowd())], Habits::default());
    let server = Server::start(move |call| {
        let mut first = call.clone();
        first.body.as_object_mut().unwrap().remove("nextToken");
        match service.reply(&first) {
            Reply::Ok(mut page) if call.is_page() => {
                page["nextToken"] = "always".into();
                Reply::Ok(page)
            }
            reply => reply,
        }
    });
    let stderr = Run::new(&server.url).bad();
    assert!(stderr.contains("a page leads to itself"), "{stderr}");
}

#[test]
fn credentials_that_expire_are_read_again() {
    let service = Service::new(vec![(A, spread(0, EVENTS))], Habits::default());
    let file = tempfile::NamedTempFile::new().unwrap();
    let write = |path: &std::path::Path, key: &str| {
        let text = format!("[default]\naws_access_key_id={key}\naws_secret_access_key=secret\n");
        fs::write(path, text).unwrap();
    };
    write(file.path(), "AKIAOLD");
    let path = file.path().to_owned();
    let server = Server::start(move |call| {
        if call.is_page() && call.nth >= 10 && call.access_key == "AKIAOLD" {
            write(&path, "AKIANEW");
            return Reply::Error(400, "ExpiredTokenException", "The security token is expired");
        }
        service.reply(call)
    });
    let run = Run::new(&server.url)
        .without_credentials()
        .env("AWS_SHARED_CREDENTIALS_FILE", file.path().to_str().unwrap());
    let found = run.good();
    assert_eq!(found.names.len(), EVENTS);
    assert_eq!(server.calls().last().unwrap().access_key, "AKIANEW");
}

#[test]
fn credentials_that_stay_expired_end_the_run() {
    let server = serve(|call| {
        let late = call.is_page() && call.nth >= 10;
        late.then_some(Reply::Error(400, "ExpiredTokenException", "The security token is expired"))
    });
    let stderr = Run::new(&server.url).bad();
    assert!(stderr.contains("error: the AWS credentials have expired"), "{stderr}");
    assert!(stderr.contains("aws sso login"), "{stderr}");
}

#[test]
fn a_slow_page_holds_up_no_other() {
    let others = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&others);
    let service = Service::new(vec![(A, spread(0, EVENTS))], Habits::default());
    let server = Server::start(move |call| {
        if call.is_page() && call.nth == 10 {
            // Answers when ten others have been answered.
            while counted.load(Ordering::SeqCst) < 10 {
                sleep(Duration::from_millis(10));
            }
        } else if call.is_page() && call.nth > 10 {
            counted.fetch_add(1, Ordering::SeqCst);
        } else {
            sleep(Duration::from_millis(200));
        }
        service.reply(call)
    });
    assert_whole(&server);
    assert!(others.load(Ordering::SeqCst) >= 10);
}

#[test]
fn a_stream_that_fails_fails_the_run() {
    let service = Service::new(vec![(A, spread(0, 800)), (B, spread(800, 200))], Habits::default());
    let server = Server::start(move |call| {
        if call.operation == "GetLogEvents" && call.nth == 8 {
            service.streams.lock().unwrap().retain(|stream| stream.name != B);
        }
        service.reply(call)
    });
    let stderr = Run::new(&server.url).region(GET_IS_FASTER).bad();
    assert!(stderr.contains(&format!("the log stream {B} vanished")), "{stderr}");
}

#[test]
fn a_stream_that_vanishes_from_a_common_read_fails_the_run() {
    let service = Service::new(vec![(A, spread(0, 800)), (B, spread(800, 200))], Habits::default());
    let server = Server::start(move |call| {
        if call.operation == "FilterLogEvents" && call.nth == 8 {
            service.streams.lock().unwrap().retain(|stream| stream.name != B);
        }
        service.reply(call)
    });
    let stderr = Run::new(&server.url).bad();
    assert!(stderr.contains(&format!("the log stream {B} vanished")), "{stderr}");
}

#[test]
fn a_service_that_stays_away_ends_the_run() {
    let server = serve(|_| Some(Reply::Error(503, "ServiceUnavailableException", "down")));
    let stderr = Run::new(&server.url).bad();
    assert!(stderr.contains("CloudWatch Logs does not answer: status 503"), "{stderr}");
    let stderr = Run::new("http://127.0.0.1:1").bad();
    assert!(stderr.contains("CloudWatch Logs does not answer"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_run_at_once_and_leaves_nothing() {
    let server = serve(|call| {
        if call.is_page() && call.nth >= 12 {
            sleep(Duration::from_mins(10));
        }
        None
    });
    let run = Run::new(&server.url);
    let saved = run.home().join("saved");
    let run = run.arg("--save", saved.to_str().unwrap());
    let child = run.spawn();
    while server.pages().len() <= 12 {
        sleep(Duration::from_millis(20));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let outcome = run.outcome(child.wait_with_output().unwrap());
    assert_eq!((outcome.status, &*outcome.stderr), (130, ""));
    outcome.assert_gave_nothing();
    assert_eq!(fs::read_dir(saved).unwrap().count(), 0);
}
