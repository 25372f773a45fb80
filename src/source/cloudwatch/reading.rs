//! Windows read side by side until all are over.
//!
//! In: windows. Out: batches of lines, in no order, and totals. A window goes on page
//! by page; one that turns out longer than planned, or holds up the end, is cut. The
//! first failure ends everything: half a read is none.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;

use super::batch::{Batch, StreamTotals};
use super::caller::Caller;
use super::error::FetchError;
use super::fault::Fault;
use super::plan::{lanes, parts_of_lagging};
use super::reader::Delivery;
use super::window::Window;

/// A read under way.
pub(super) struct Reading {
    caller: Arc<Caller>,
    out: Sender<Delivery>,
    calls_per_second: f64,
    /// What each stream gave.
    pub(super) streams: BTreeMap<Arc<str>, StreamTotals>,
}

impl Reading {
    pub(super) fn new(caller: Arc<Caller>, out: Sender<Delivery>, calls_per_second: f64) -> Self {
        Self { caller, out, calls_per_second, streams: BTreeMap::new() }
    }

    /// Reads `windows` to their ends. `planned` is how many pages each should have.
    pub(super) async fn read(
        &mut self,
        windows: Vec<Window>,
        planned: u64,
    ) -> Result<(), FetchError> {
        let mut waiting = VecDeque::from(windows);
        let mut running = JoinSet::new();
        loop {
            let lanes = lanes(self.calls_per_second, self.caller.latency());
            while running.len() < lanes
                && let Some(window) = waiting.pop_front()
            {
                running.spawn(step(Arc::clone(&self.caller), self.out.clone(), window));
            }
            let Some(joined) = running.join_next().await else { return Ok(()) };
            let (window, streams) = joined.map_err(|error| FetchError::broken(&error))??;
            self.count(&streams);
            if window.is_over() {
                continue;
            }
            // One lane is this window's own.
            let idle = lanes.saturating_sub(running.len() + waiting.len() + 1) as u64;
            match parts_of_lagging(&window, planned, idle) {
                1 => waiting.push_front(window),
                _ if window.span.width() < 2 => waiting.push_front(window),
                parts => waiting.extend(window.cut(parts, &self.caller.progress)),
            }
        }
    }

    /// Hands on what was read before.
    pub(super) async fn deliver(&mut self, batch: Batch) -> Result<(), FetchError> {
        self.count(&batch.streams);
        deliver(&self.caller, &self.out, batch).await.map(drop)
    }

    fn count(&mut self, streams: &BTreeMap<Arc<str>, StreamTotals>) {
        for (stream, totals) in streams {
            self.streams.entry(Arc::clone(stream)).or_default().add(*totals);
        }
    }
}

type Streams = BTreeMap<Arc<str>, StreamTotals>;

/// Reads the next page of `window` and hands it on.
async fn step(
    caller: Arc<Caller>,
    out: Sender<Delivery>,
    window: Window,
) -> Result<(Window, Streams), FetchError> {
    let (window, batch) = next_page(&caller, window).await?;
    let streams = deliver(&caller, &out, batch).await?;
    Ok((window, streams))
}

/// Waits until the reader has room: that bounds the memory.
async fn deliver(
    caller: &Caller,
    out: &Sender<Delivery>,
    batch: Batch,
) -> Result<Streams, FetchError> {
    let totals = batch.totals();
    if totals.events > 0 {
        out.send(Delivery::Lines(batch.lines)).await.map_err(|_| FetchError::Unread)?;
        caller.progress.add_events(totals.events, totals.bytes);
    }
    Ok(batch.streams)
}

/// Reads the next page of `window`. Where the service has forgotten where the window
/// was, it starts again.
pub(super) async fn next_page(
    caller: &Caller,
    mut window: Window,
) -> Result<(Window, Batch), FetchError> {
    const RESTARTS: u32 = 3;
    loop {
        let fault = match caller.page(&window).await {
            Ok(page) if page.next.is_some() && page.next == window.token => {
                Fault::BadToken("a page leads to itself".into())
            }
            Ok(page) => {
                let batch = window.absorb(page, &caller.target().query.stream_prefix);
                window.credit(&caller.progress);
                return Ok((window, batch));
            }
            Err(fault) => fault,
        };
        match fault {
            Fault::BadToken(_) if window.token.is_some() && window.restarts < RESTARTS => {
                window.restart();
            }
            fault => return Err(fault.into()),
        }
    }
}
