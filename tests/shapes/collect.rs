//! A consumer that keeps what it is given, to be compared.

use std::path::PathBuf;

use leastrole::audit::Event;
use leastrole::decode::{Consumer, Tally, UsageRow};
use leastrole::pipeline::{ReadOptions, read};
use leastrole::source::{Inputs, LogPath};

/// What was found, in an order that does not depend on threads.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    pub(crate) events: Vec<String>,
    pub(crate) rows: Vec<String>,
}

impl Consumer for Collected {
    fn event(&mut self, event: &Event<'_>) {
        self.events.push(format!(
            "{} {} {} {} {} {} {}",
            &*event.audit_id,
            &*event.stage,
            &*event.verb,
            &*event.request_uri,
            &*event.user.username,
            event.code(),
            &*event.stage_timestamp,
        ));
    }

    fn usage_row(&mut self, row: &UsageRow<'_>) {
        self.rows.push(format!("{row:?}"));
    }
}

pub(crate) fn read_inputs(inputs: Inputs, options: &ReadOptions) -> (Collected, Tally) {
    let (workers, tally) = read(inputs, options, Collected::default).expect("threads");
    let mut all = Collected::default();
    for worker in workers {
        all.events.extend(worker.events);
        all.rows.extend(worker.rows);
    }
    all.events.sort_unstable();
    all.rows.sort_unstable();
    (all, tally)
}

pub(crate) fn read_paths(paths: &[PathBuf], threads: usize) -> (Collected, Tally) {
    let paths: Vec<LogPath> = paths.iter().cloned().map(LogPath::from).collect();
    let options = ReadOptions { threads, ..ReadOptions::default() };
    read_inputs(Inputs::find(&paths), &options)
}
