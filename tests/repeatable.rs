//! The same bytes out, however the log is stored, cut or shared out between threads.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::support::program::leastrole;
use crate::support::testdata;

const LOGS: [&str; 2] =
    ["logs/cluster-shop/eks-policy.ndjson.gz", "logs/cluster-shop/metadata.ndjson.gz"];

/// Manifests with all evidence, and the summary without what it says of the input.
type Output = (String, Value);

fn run(logs: &[PathBuf], threads: &str) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let summary = folder.path().join("summary.json");
    let mut args =
        ["generate", "--explain", "--threads", threads, "--summary-json"].map(Into::into).to_vec();
    args.push(summary.clone().into_os_string());
    args.extend(logs.iter().map(|log| log.clone().into_os_string()));
    let ran = leastrole(args).run().clean();
    let json = fs::read(summary).expect("the summary was written");
    let mut summary: Value = serde_json::from_slice(&json).expect("the summary is JSON");
    let input = summary.as_object_mut().and_then(|fields| fields.remove("input"));
    let malformed = input.as_ref().map(|input| &input["malformed"]);
    assert_eq!(malformed, Some(&Value::from(0)), "{input:?}");
    (ran.stdout, summary)
}

#[track_caller]
fn assert_same(what: &str, expected: &Output, found: &Output) {
    assert!(expected.0 == found.0, "{what}: other manifests");
    assert_eq!(expected.1, found.1, "{what}: another summary");
}

fn inflated(log: &str) -> Vec<u8> {
    let file = fs::File::open(testdata(log)).expect("the log is there");
    let mut bytes = Vec::new();
    MultiGzDecoder::new(file).read_to_end(&mut bytes).expect("the log inflates");
    bytes
}

fn write(path: PathBuf, bytes: &[u8]) -> PathBuf {
    fs::write(&path, bytes).expect("the file can be written");
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

/// As the API server's own `EventList`: on one line, items without kind and version.
fn event_list(ndjson: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(ndjson).expect("the log is UTF-8");
    let header = "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",";
    let item = |line: &str| format!("{{{}", line.strip_prefix(header).expect("an event"));
    let items: Vec<String> = text.lines().map(item).collect();
    let head =
        "{\"kind\":\"EventList\",\"apiVersion\":\"audit.k8s.io/v1\",\"metadata\":{},\"items\":[";
    format!("{head}{}]}}\n", items.join(",")).into_bytes()
}

/// Seven files, cut between lines, of very different lengths.
fn seven_files(ndjson: &[u8], folder: &Path) -> Vec<PathBuf> {
    let lines: Vec<&[u8]> = ndjson.split_inclusive(|byte| *byte == b'\n').collect();
    let ends = [0, 1, 10, 100, 700, 750, lines.len() / 2, lines.len()];
    let file = |(number, cut): (usize, &[usize])| {
        let part = lines[cut[0]..cut[1]].concat();
        let bytes = if number % 2 == 0 { part } else { gzip(&part) };
        write(folder.join(format!("part-{number}")), &bytes)
    };
    ends.windows(2).enumerate().map(file).collect()
}

#[test]
fn the_number_of_threads_does_not_show() {
    let logs = LOGS.map(testdata);
    let expected = run(&logs, "1");
    for threads in ["2", "8"] {
        assert_same(threads, &expected, &run(&logs, threads));
    }
}

#[test]
fn the_order_of_the_files_does_not_show() {
    let [first, second] = LOGS.map(testdata);
    let expected = run(&[first.clone(), second.clone()], "2");
    assert_same("the other way round", &expected, &run(&[second, first], "2"));
    assert_same("as a folder", &expected, &run(&[testdata("logs/cluster-shop")], "2"));
}

#[test]
fn how_the_log_is_stored_does_not_show() {
    for log in LOGS {
        let expected = run(&[testdata(log)], "2");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ndjson = inflated(log);

        let plain = write(folder.path().join("plain"), &ndjson);
        assert_same("plain", &expected, &run(&[plain], "2"));
        let list = write(folder.path().join("list"), &event_list(&ndjson));
        assert_same("as an EventList", &expected, &run(&[list], "2"));

        let mut parts = seven_files(&ndjson, folder.path());
        assert_same("in seven files", &expected, &run(&parts, "2"));
        parts.reverse();
        assert_same("in seven files, last first", &expected, &run(&parts, "2"));
        parts.rotate_left(3);
        parts.swap(1, 5);
        assert_same("in seven files, shuffled", &expected, &run(&parts, "2"));
    }
}
