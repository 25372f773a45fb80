//! What the program cannot show, for it always reads: nobody reads, and the calls wait.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use leastrole::source::cloudwatch::{Fetch, Query};

use super::events::{SINCE, UNTIL, spread};
use super::server::Server;
use super::service::{Habits, Service};

const A: &str = "kube-apiserver-audit-0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const PAGES: usize = 4_000;
/// The server's address, and a file to wait for before anything is read.
const URL: &str = "LEASTROLE_TEST_URL";
const GO: &str = "LEASTROLE_TEST_GO";

/// What may be on its way when nobody reads: windows of the sample, batches in the
/// channel, and one page in each lane.
#[test]
fn calls_wait_for_the_reader() {
    let habits = Habits { page_events: 1, ..Habits::default() };
    let service = Service::new(vec![(A, spread(0, PAGES))], habits);
    let server = Server::start(move |call| service.reply(call));
    let home = tempfile::tempdir().unwrap();
    let go = home.path().join("go");
    // The keys come from the environment, which a test cannot set for itself.
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "cloudwatch::stalled::slow_reader", "--ignored"])
        .env_clear()
        .envs([("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")])
        .envs([(URL, &*server.url), (GO, go.to_str().unwrap())])
        .env("HOME", home.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while server.pages().len() < 16 {
        sleep(Duration::from_millis(20));
    }
    sleep(Duration::from_secs(1));
    let calls = server.pages().len();
    fs::write(go, "").unwrap();
    assert!(child.wait().unwrap().success());
    assert!(calls <= 8 + 8 + 64, "{calls} calls though nobody reads");
}

#[test]
#[ignore = "what `calls_wait_for_the_reader` starts, no test of its own"]
fn slow_reader() {
    let variable = |name: &str| std::env::var(name).expect("started by another test");
    let query = Query {
        region: Some("us-east-1".into()),
        endpoint_url: Some(variable(URL)),
        max_tps: Some(1_000.0),
        ..Query::cluster("prod", SINCE.parse().unwrap(), UNTIL.parse().unwrap())
    };
    let mut fetch = Fetch::start(query, || ()).unwrap();
    while fs::metadata(variable(GO)).is_err() {
        sleep(Duration::from_millis(20));
    }
    let mut text = String::new();
    fetch.reader().read_to_string(&mut text).unwrap();
    let progress = fetch.progress();
    assert_eq!(fetch.finish().unwrap().events(), PAGES as u64);
    assert_eq!(text.lines().count(), PAGES);
    assert!(progress.covered() > 0.999_999, "{progress:?}");
}
