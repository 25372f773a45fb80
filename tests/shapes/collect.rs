//! A consumer that keeps what it is given, to be compared, and ways to feed it.

use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use leastrole::audit::Event;
use leastrole::decode::{Consumer, Tally, UsageRow};
use leastrole::pipeline::{self, ReadOptions};
use leastrole::source::{Input, Inputs, LogPath};

/// What was found, in an order that does not depend on threads.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    pub(crate) events: Vec<String>,
    pub(crate) rows: Vec<String>,
}

impl Consumer for Collected {
    fn event(&mut self, event: &Event<'_>) {
        self.events.push(format!(
            "{} {} {} {} {} {} {} {}",
            &*event.audit_id,
            &*event.stage,
            &*event.verb,
            &*event.request_uri,
            &*event.user.username,
            event.code(),
            &*event.stage_timestamp,
            event.response_object.is_some(),
        ));
    }

    fn usage_row(&mut self, row: &UsageRow<'_>) {
        self.rows.push(format!("{row:?}"));
    }
}

pub(crate) fn read(inputs: Inputs, options: &ReadOptions) -> (Collected, Tally) {
    let read = pipeline::read(inputs, options, Collected::default);
    let (workers, tally) = read.expect("threads");
    let mut all = Collected::default();
    for worker in workers {
        all.events.extend(worker.events);
        all.rows.extend(worker.rows);
    }
    all.events.sort_unstable();
    all.rows.sort_unstable();
    assert_eq!(tally.audit_events, all.events.len() as u64);
    assert_eq!(tally.usage_rows, all.rows.len() as u64);
    (all, tally)
}

pub(crate) fn options(threads: usize) -> ReadOptions {
    ReadOptions { threads, ..ReadOptions::default() }
}

pub(crate) fn read_paths(paths: &[PathBuf], threads: usize) -> (Collected, Tally) {
    let paths: Vec<LogPath> = paths.iter().cloned().map(LogPath::from).collect();
    read(Inputs::find(&paths), &options(threads))
}

pub(crate) fn streams(parts: &[impl AsRef<[u8]>]) -> Inputs {
    let stream = |(number, part): (usize, &_)| {
        let bytes: Vec<u8> = AsRef::<[u8]>::as_ref(part).to_vec();
        Input::stream(&format!("part-{number}"), Box::new(Cursor::new(bytes)))
    };
    Inputs { found: parts.iter().enumerate().map(stream).collect(), unreachable: Vec::new() }
}

pub(crate) fn read_bytes(bytes: impl AsRef<[u8]>, options: &ReadOptions) -> (Collected, Tally) {
    read(streams(&[bytes]), options)
}

pub(crate) fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path)
}

/// One of the logs of the cluster, inflated.
pub(crate) fn cluster_log(name: &str) -> String {
    let path = testdata("logs/cluster-shop").join(name);
    let file = std::fs::File::open(path).expect("the log");
    let mut text = String::new();
    MultiGzDecoder::new(file).read_to_string(&mut text).expect("gzip");
    text
}

pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}
