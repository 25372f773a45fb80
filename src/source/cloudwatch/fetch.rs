//! A read from outside: start it, read its lines, ask how it went.
//!
//! In: a [`Query`]. Out: a reader for the pipeline. The calls are made on threads of
//! this module's own, so that the reader may block any thread without holding them up.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{Sender, channel};

use super::error::FetchError;
use super::interrupt;
use super::plan::Estimate;
use super::progress::FetchProgress;
use super::query::Query;
use super::reader::{Delivery, LineReader, WAITING};
use super::save::{Saver, Scraps};
use super::session::Session;
use super::totals::Totals;

/// A read of CloudWatch Logs that is under way.
pub struct Fetch {
    estimate: Estimate,
    progress: Arc<FetchProgress>,
    reader: Option<LineReader>,
    thread: JoinHandle<Result<Totals, FetchError>>,
}

impl Fetch {
    /// Makes the first calls and waits for their answers, then starts to read ahead.
    ///
    /// From then on and for the life of the process, the first Ctrl-C removes what is
    /// saved half and runs `interrupted` on a thread of its own, which is meant to
    /// leave the process.
    ///
    /// # Errors
    ///
    /// Whatever can be wrong with the query, the credentials and the permissions.
    pub fn start(
        query: Query,
        interrupted: impl FnOnce() + Send + 'static,
    ) -> Result<Self, FetchError> {
        query.check_speed()?;
        let scraps = Scraps::default();
        let saver = match &query.save {
            Some(folder) => Some(Saver::open(folder, &query, scraps.clone())?),
            None => None,
        };
        interrupt::watch(scraps, interrupted).map_err(|error| FetchError::broken(&error))?;
        let runtime = runtime().map_err(|error| FetchError::broken(&error))?;
        let progress = Arc::new(FetchProgress::default());
        let (out, deliveries) = channel(WAITING);
        let (ready, prepared) = sync_channel(1);
        let counters = Arc::clone(&progress);
        let work = move || runtime.block_on(run(&query, counters, &ready, out));
        let thread = thread::Builder::new()
            .name("cloudwatch".into())
            .spawn(work)
            .map_err(|error| FetchError::broken(&error))?;
        let Ok(estimate) = prepared.recv() else {
            return match join(thread) {
                Ok(_) => Err(FetchError::Unread),
                Err(error) => Err(error),
            };
        };
        let reader = Some(LineReader::new(deliveries, saver));
        Ok(Self { estimate, progress, reader, thread })
    }

    /// What the read is likely to take.
    pub fn estimate(&self) -> Estimate {
        self.estimate
    }

    /// How far it has come.
    pub fn progress(&self) -> Arc<FetchProgress> {
        Arc::clone(&self.progress)
    }

    /// The lines, `2026-11-20T09:15:02.113Z {event}` each, in no order. The first call
    /// gives them all; later ones give nothing.
    ///
    /// A read that fails half-way ends in an error, not in the end of the stream.
    /// Memory is bounded because the calls wait for this reader.
    pub fn reader(&mut self) -> Box<dyn Read + Send> {
        match self.reader.take() {
            Some(reader) => Box::new(reader),
            None => Box::new(io::empty()),
        }
    }

    /// Waits for the end, and accounts for the read. The reader must have been read to
    /// its end or dropped.
    ///
    /// # Errors
    ///
    /// When anything is missing: a failed stream, or a reader that was let go early.
    pub fn finish(self) -> Result<Totals, FetchError> {
        drop(self.reader);
        join(self.thread)
    }
}

fn runtime() -> io::Result<Runtime> {
    // Two, so that a page is parsed while another one is being handed on.
    Builder::new_multi_thread().worker_threads(2).thread_name("cloudwatch").enable_all().build()
}

/// The whole read, with its result both to the reader and to [`Fetch::finish`].
async fn run(
    query: &Query,
    progress: Arc<FetchProgress>,
    ready: &SyncSender<Estimate>,
    out: Sender<Delivery>,
) -> Result<Totals, FetchError> {
    let session = Session::open(query, progress).await?;
    // Whoever started the read waits for this, unless its thread is gone.
    ready.send(session.estimate).map_err(|_| FetchError::Unread)?;
    let result = session.read(out.clone()).await;
    let last = match &result {
        Ok(_) => Delivery::Whole,
        Err(error) => Delivery::Failed(error.clone()),
    };
    match (out.send(last).await, result) {
        (Err(_), Ok(_)) => Err(FetchError::Unread),
        (_, result) => result,
    }
}

fn join(thread: JoinHandle<Result<Totals, FetchError>>) -> Result<Totals, FetchError> {
    let died = |_| FetchError::broken(&"the reading thread died");
    thread.join().map_err(died)?
}
