//! One read from its first call to its last: list the streams, sample, choose, read,
//! and look whether the streams are still the same.
//!
//! In: a query. Out: an estimate before the read, totals after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;

use super::batch::{Batch, StreamTotals};
use super::caller::Caller;
use super::error::FetchError;
use super::page::Stream;
use super::plan::{self, Api, Estimate, Sample};
use super::progress::FetchProgress;
use super::query::Query;
use super::reader::Delivery;
use super::reading::{Reading, next_page};
use super::span::Span;
use super::totals::Totals;
use super::window::Window;

/// A read that is prepared.
pub(super) struct Session {
    caller: Arc<Caller>,
    span: Span,
    streams: Vec<Stream>,
    /// Windows whose first page is read, with what it gave.
    begun: Vec<(Window, Batch)>,
    pub(super) estimate: Estimate,
}

impl Session {
    /// Makes the first calls. What is wrong with names, credentials and permissions
    /// shows here.
    pub(super) async fn open(
        query: &Query,
        progress: Arc<FetchProgress>,
    ) -> Result<Self, FetchError> {
        let span = query.span(Timestamp::now())?;
        let caller = Arc::new(Caller::open(query, progress).await?);
        let streams = caller.streams().await?;
        if streams.is_empty() {
            return Err(no_streams(&caller));
        }
        caller.progress.plan(span.width());
        let begun = begin(&caller, span).await?;
        let estimate = plan::estimate(&samples(&begun), streams.len(), caller.speeds());
        Ok(Self { caller, span, streams, begun, estimate })
    }

    /// Reads everything into `out`.
    pub(super) async fn read(self, out: Sender<Delivery>) -> Result<Totals, FetchError> {
        let Self { caller, span, streams, begun, estimate } = self;
        let mut reading = Reading::new(Arc::clone(&caller), out, estimate.calls_per_second);
        let lanes = plan::lanes(estimate.calls_per_second, caller.latency());
        let samples = samples(&begun);
        let pages = plan::pages_per_window(estimate.api, &samples, lanes);
        if estimate.api == Api::FilterLogEvents {
            let mut windows = Vec::new();
            for ((window, batch), sample) in begun.into_iter().zip(samples) {
                reading.deliver(batch).await?;
                windows.push((window, sample));
            }
            let windows = plan::sampled_windows(windows, pages, &caller.progress);
            reading.read(windows, pages).await?;
        } else {
            // What was sampled is read again, stream by stream.
            drop(begun);
            caller.progress.restart(span.width() * streams.len() as u64);
            let windows = plan::stream_windows(span, &streams, &samples, pages);
            reading.read(windows, pages).await?;
        }
        let listed = caller.streams().await?;
        if estimate.api == Api::GetLogEvents {
            let new = new_windows(&streams, &listed, span);
            caller.progress.extend(span.width() * new.len() as u64);
            reading.read(new, pages).await?;
        }
        still_there(&streams, &listed, span, &reading.streams)?;
        Ok(Totals::new(estimate.api, &caller.progress, &streams, span, reading.streams))
    }
}

/// Reads the first page of each of a few parts of `span`: what it takes to read all.
async fn begin(caller: &Arc<Caller>, span: Span) -> Result<Vec<(Window, Batch)>, FetchError> {
    const MOST: u64 = 8;
    /// Milliseconds that are worth a sample of their own.
    const WORTH: u64 = 10 * 60 * 1_000;
    let mut calls = JoinSet::new();
    for part in span.cut((span.width() / WORTH).min(MOST)) {
        let caller = Arc::clone(caller);
        calls.spawn(async move { next_page(&caller, Window::new(part, None)).await });
    }
    let mut begun = Vec::new();
    while let Some(joined) = calls.join_next().await {
        begun.push(joined.map_err(|error| FetchError::broken(&error))??);
    }
    Ok(begun)
}

fn samples(begun: &[(Window, Batch)]) -> Vec<Sample> {
    let all = begun.iter().map(|(window, batch)| Sample::new(window, batch.totals()));
    plan::tempered(all.collect())
}

/// Streams that came up during the read.
fn new_windows(before: &[Stream], after: &[Stream], span: Span) -> Vec<Window> {
    let known: BTreeSet<&str> = before.iter().map(|stream| &*stream.name).collect();
    after
        .iter()
        .filter(|stream| !known.contains(&*stream.name))
        .map(|stream| Window::new(span, Some(stream.name.clone())))
        .collect()
}

/// A stream that was deleted meanwhile may not have been read whole.
fn still_there(
    before: &[Stream],
    after: &[Stream],
    span: Span,
    gave: &BTreeMap<Arc<str>, StreamTotals>,
) -> Result<(), FetchError> {
    let left: BTreeSet<&str> = after.iter().map(|stream| &*stream.name).collect();
    let vanished = before.iter().find(|stream| {
        let matters = gave.contains_key(&stream.name) || stream.active.overlap(span).width() > 0;
        matters && !left.contains(&*stream.name)
    });
    match vanished {
        Some(stream) => Err(FetchError::StreamVanished { stream: stream.name.to_string() }),
        None => Ok(()),
    }
}

fn no_streams(caller: &Caller) -> FetchError {
    let target = caller.target();
    FetchError::NoStreams {
        group: target.query.group.clone(),
        prefix: target.query.stream_prefix.clone(),
        region: target.region.clone(),
        cluster: target.query.cluster_name().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(name: &str, start: i64, end: i64) -> Stream {
        Stream { name: name.into(), active: Span::new(start, end) }
    }

    #[test]
    fn a_stream_that_vanished_fails_the_read_if_it_had_to_do_with_it() {
        let before = [stream("old", 0, 10), stream("current", 90, 200), stream("late", 0, 10)];
        let span = Span::new(100, 200);
        let gave = BTreeMap::from([("late".into(), StreamTotals { events: 1, bytes: 1 })]);
        for (left, vanished) in
            [(&before[1..], None), (&before[..1], Some("current")), (&before[..2], Some("late"))]
        {
            let result = still_there(&before, left, span, &gave);
            let stream = match result.as_ref().err() {
                Some(FetchError::StreamVanished { stream }) => Some(&**stream),
                _ => None,
            };
            assert_eq!(stream, vanished);
        }
    }

    #[test]
    fn streams_that_came_up_are_read_over_the_whole_range() {
        let (a, b) = (stream("a", 0, 10), stream("b", 0, 10));
        let windows = new_windows(std::slice::from_ref(&a), &[a.clone(), b], Span::new(5, 9));
        assert_eq!(windows.len(), 1);
        assert_eq!((windows[0].span, windows[0].stream.as_deref()), (Span::new(5, 9), Some("b")));
    }
}
