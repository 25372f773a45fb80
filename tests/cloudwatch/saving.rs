//! `--save`: what was read is there for the next run, whole or not at all.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use super::events::{record, spread};
use super::run::Run;
use super::server::{Reply, Server};
use super::service::{Habits, Service};

const A: &str = "kube-apiserver-audit-0a1b2c3d4e5f60718293a4b5c6d7e8f9";

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_saved_is_every_event_once_and_a_log_for_the_next_run() {
    let mut records = spread(0, 500);
    let mut cut = record(500, records[7].time);
    cut.message.truncate(cut.message.find(",\"requestReceivedTimestamp\"").unwrap());
    cut.message.push_str("[Truncated...]");
    records.push(cut);
    let service = Service::new(vec![(A, records.clone())], Habits::default());
    let server = Server::start(move |call| service.reply(call));
    let run = Run::new(&server.url);
    let folder = run.home().join("saved");
    let run = run.arg("--save", folder.to_str().unwrap());
    let outcome = run.go();
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    assert_eq!(outcome.result.unwrap().events, 501);
    assert_eq!(
        files(&folder),
        ["aws-eks-prod-cluster_20240301T100002Z_20240301T115000Z_0001.ndjson.gz"]
    );
    let mut text = String::new();
    let file = fs::File::open(folder.join(&files(&folder)[0])).unwrap();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    let mut expected: Vec<String> = records.into_iter().map(|record| record.message).collect();
    let cut = expected.pop().unwrap();
    expected.push(format!("2024-03-01T10:01:40.800Z {cut}"));
    expected.sort_unstable();
    assert_eq!(lines, expected);
    assert_eq!(run.generate_offline(&folder), outcome.stdout, "the next run gives the same");
}

#[test]
fn a_read_that_fails_leaves_no_files() {
    let service = Service::new(vec![(A, spread(0, 500))], Habits::default());
    let server = Server::start(move |call| {
        if call.is_page() && call.nth == 15 {
            return Reply::Error(400, "AccessDeniedException", "no more");
        }
        service.reply(call)
    });
    let run = Run::new(&server.url);
    let folder = run.home().join("saved");
    let run = run.arg("--save", folder.to_str().unwrap());
    run.bad();
    assert!(files(&folder).is_empty());
}

#[test]
fn a_folder_that_cannot_be_written_ends_the_run_before_it_begins() {
    let service = Service::new(vec![(A, spread(0, 10))], Habits::default());
    let server = Server::start(move |call| service.reply(call));
    let run = Run::new(&server.url);
    let file = run.home_file("a-file", "");
    let stderr = run.arg("--save", file.join("folder").to_str().unwrap()).bad();
    assert!(stderr.contains("error: cannot save to"), "{stderr}");
    assert!(server.calls().is_empty());
}

#[test]
fn a_folder_that_goes_away_meanwhile_ends_the_run() {
    let service = Service::new(vec![(A, spread(0, 500))], Habits::default());
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("saved");
    let doomed = folder.clone();
    let server = Server::start(move |call| {
        // The streams are listed again when everything is read.
        if !call.is_page() && call.nth == 1 {
            fs::remove_dir_all(&doomed).unwrap();
        }
        service.reply(call)
    });
    let run = Run::new(&server.url).arg("--save", folder.to_str().unwrap());
    let stderr = run.bad();
    assert!(stderr.contains("error: cannot save to"), "{stderr}");
}
