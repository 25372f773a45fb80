//! Every shape in which an EKS audit log reaches people gives its events.

use std::path::{Path, PathBuf};

use leastrole::decode::Tally;

use super::collect::{Collected, read_paths};

struct Row {
    file: String,
    audit_events: u64,
    salvaged: u64,
}

fn expected() -> Vec<Row> {
    let table = std::fs::read_to_string(shapes().join("expected.tsv")).expect("the table");
    let rows = table.lines().skip(1).map(|line| {
        let columns: Vec<_> = line.split('\t').collect();
        Row {
            file: columns[0].to_owned(),
            audit_events: columns[1].parse().expect("a count"),
            salvaged: columns[2].parse().expect("a count"),
        }
    });
    rows.collect()
}

fn shapes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/shapes")
}

fn read(files: &[&str], threads: usize) -> (Collected, Tally) {
    let paths: Vec<_> = files.iter().map(|file| shapes().join(file)).collect();
    read_paths(&paths, threads)
}

#[test]
fn every_shape_alone_gives_the_counts_of_the_table() {
    let mut wrong = Vec::new();
    for row in expected() {
        let (collected, tally) = read(&[&row.file], 2);
        let found = (tally.audit_events, tally.salvaged, collected.events.len() as u64);
        if found != (row.audit_events, row.salvaged, row.audit_events) || tally.malformed > 0 {
            wrong.push(format!("{}: {found:?} {tally:?}", row.file));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_usual_shape_gives_the_same_four_events() {
    let (plain, _) = read(&["a_raw.ndjson"], 1);
    for row in expected().iter().filter(|row| row.audit_events == 4) {
        let (collected, _) = read(&[&row.file], 1);
        assert_eq!(collected.events, plain.events, "{}", row.file);
    }
}

#[test]
fn all_shapes_at_once_give_the_sum() {
    let rows = expected();
    let files: Vec<_> = rows.iter().map(|row| row.file.as_str()).collect();
    for threads in [1, 2, 8] {
        let (_, tally) = read(&files, threads);
        assert_eq!(tally.audit_events, rows.iter().map(|row| row.audit_events).sum::<u64>());
        assert_eq!(tally.salvaged, rows.iter().map(|row| row.salvaged).sum::<u64>());
        assert_eq!((tally.usage_rows, tally.malformed), (4, 0), "{tally:?}");
        assert_eq!(tally.files, rows.len() as u64);
    }
}
