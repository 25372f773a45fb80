//! What a whole read gave.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::batch::StreamTotals;
use super::page::Stream;
use super::plan::Api;
use super::progress::FetchProgress;
use super::span::Span;

/// The account of a read that came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// The call that read the events.
    pub api: Api,
    /// Calls made, failed ones too.
    pub calls: u64,
    /// Calls that were throttled.
    pub throttled: u64,
    /// By name: every stream that gave events, and those that gave none though they
    /// are said to have some about that time.
    pub streams: BTreeMap<String, StreamTotals>,
}

impl Totals {
    pub(super) fn new(
        api: Api,
        progress: &FetchProgress,
        listed: &[Stream],
        span: Span,
        gave: BTreeMap<Arc<str>, StreamTotals>,
    ) -> Self {
        let expected = listed.iter().filter(|stream| stream.active.overlap(span).width() > 0);
        let mut streams: BTreeMap<String, StreamTotals> =
            expected.map(|stream| (stream.name.to_string(), StreamTotals::default())).collect();
        streams.extend(gave.into_iter().map(|(name, totals)| (name.to_string(), totals)));
        Self { api, calls: progress.calls(), throttled: progress.throttled(), streams }
    }

    /// Events of all streams.
    pub fn events(&self) -> u64 {
        self.streams.values().map(|totals| totals.events).sum()
    }
}
