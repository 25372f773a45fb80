//! From a few first pages to a plan: which call, how many windows, how long.
//!
//! In: what the sampled windows gave, the streams, and the speeds. Out: an
//! [`Estimate`] and windows that together are the whole range. Pure: a wrong guess
//! costs calls and time, never an event.

use std::fmt;
use std::time::Duration;

use super::batch::StreamTotals;
use super::page::Stream;
use super::progress::FetchProgress;
use super::quota::Speed;
use super::span::Span;
use super::window::Window;

/// The call that reads events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// All streams together, and with a filter pattern.
    FilterLogEvents,
    /// Stream by stream. In most Regions AWS allows more of these calls.
    GetLogEvents,
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FilterLogEvents => "FilterLogEvents",
            Self::GetLogEvents => "GetLogEvents",
        })
    }
}

/// What a read is likely to take, guessed from samples of the range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The call that is the faster one here.
    pub api: Api,
    /// Calls in all.
    pub calls: u64,
    /// Calls a second.
    pub calls_per_second: f64,
    /// Events.
    pub events: u64,
    /// Bytes of events.
    pub bytes: u64,
    /// The time at that speed.
    pub time: Duration,
}

/// What the first page of a part of the range says about the part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) span: Span,
    pub(super) pages: f64,
    /// Of the first page.
    pub(super) totals: StreamTotals,
}

impl Sample {
    #[expect(clippy::cast_precision_loss, reason = "a guess")]
    pub(super) fn new(window: &Window, totals: StreamTotals) -> Self {
        let left = if window.is_over() { 0 } else { window.pages_left() };
        Self { span: window.span, pages: 1.0 + left as f64, totals }
    }

    /// Pages in the part of the sample that `span` holds.
    #[expect(clippy::cast_precision_loss, reason = "a guess")]
    fn pages_within(&self, span: Span) -> f64 {
        let share = self.span.overlap(span).width() as f64 / self.span.width().max(1) as f64;
        self.pages * share
    }
}

/// The samples, with the one left out of account that happened to begin in a burst: it
/// says little about the hours after it.
pub(super) fn tempered(mut samples: Vec<Sample>) -> Vec<Sample> {
    const BURST: f64 = 10.0;
    let mut pages: Vec<f64> = samples.iter().map(|sample| sample.pages).collect();
    pages.sort_by(f64::total_cmp);
    let Some(median) = pages.get(pages.len() / 2) else { return samples };
    samples.iter_mut().for_each(|sample| sample.pages = sample.pages.min(BURST * median));
    samples
}

/// The speeds to choose from. Without one for `GetLogEvents`, there is no choice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speeds {
    pub(super) filter: Speed,
    pub(super) get: Option<Speed>,
}

/// Chooses the call that is likely to be done first.
///
/// A window costs a page or so more than it holds. With `GetLogEvents` each stream is
/// a chain of its own, and the end of a chain shows only by one call more.
#[expect(clippy::cast_precision_loss, reason = "a guess")]
pub(super) fn estimate(samples: &[Sample], streams: usize, speeds: Speeds) -> Estimate {
    let pages: f64 = samples.iter().map(|sample| sample.pages).sum();
    let total = |of: fn(&StreamTotals) -> u64| {
        whole(samples.iter().map(|sample| of(&sample.totals) as f64 * sample.pages).sum())
    };
    let filter = (Api::FilterLogEvents, pages * 1.06, speeds.filter);
    let get = |speed| (Api::GetLogEvents, pages * 1.12 + 2.0 * streams as f64, speed);
    let seconds = |(_, calls, speed): (Api, f64, Speed)| calls / speed.per_second;
    // The sampled pages are of no use to it, and guesses are rough.
    let faster = speeds.get.map(get).filter(|get| seconds(*get) < 0.9 * seconds(filter));
    let chosen = faster.unwrap_or(filter);
    Estimate {
        api: chosen.0,
        calls: whole(chosen.1.ceil()),
        calls_per_second: chosen.2.per_second,
        events: total(|totals| totals.events),
        bytes: total(|totals| totals.bytes),
        time: Duration::try_from_secs_f64(seconds(chosen)).unwrap_or(Duration::MAX),
    }
}

/// Windows under way together that keep `calls_per_second` up when an answer takes
/// `latency`, and one to spare.
pub(super) fn lanes(calls_per_second: f64, latency: Duration) -> usize {
    const MOST: u64 = 64;
    let calls = whole((calls_per_second * latency.as_secs_f64() * 1.25).ceil());
    usize::try_from((calls + 1).clamp(2, MOST)).unwrap_or(2)
}

/// Pages that a window should have: long enough that its last, half empty page does
/// not matter, short enough that there is work for every lane until near the end.
#[expect(clippy::cast_precision_loss, reason = "a guess")]
pub(super) fn pages_per_window(api: Api, samples: &[Sample], lanes: usize) -> u64 {
    let pages: f64 = samples.iter().map(|sample| sample.pages).sum();
    let (least, most) = match api {
        Api::FilterLogEvents => (1, 16),
        Api::GetLogEvents => (4, 32),
    };
    whole((pages / (3 * lanes) as f64).ceil()).clamp(least, most)
}

/// The sampled windows, cut where they have more than `pages` pages.
pub(super) fn sampled_windows(
    sampled: Vec<(Window, Sample)>,
    pages: u64,
    progress: &FetchProgress,
) -> Vec<Window> {
    let unfinished = sampled.into_iter().filter(|(window, _)| !window.is_over());
    unfinished
        .flat_map(|(window, sample)| match parts(sample.pages, pages) {
            1 => vec![window],
            parts => window.cut(parts, progress),
        })
        .collect()
}

/// Windows of about `pages` pages for each of `streams` over the whole of `span`:
/// where a stream is said to be silent it is asked too, but in one go.
#[expect(clippy::cast_precision_loss, reason = "a guess")]
pub(super) fn stream_windows(
    span: Span,
    streams: &[Stream],
    samples: &[Sample],
    pages: u64,
) -> Vec<Window> {
    let share = |sample: &Sample| {
        let active = streams.iter().filter(|stream| stream.active.overlap(sample.span).width() > 0);
        active.count().max(1) as f64
    };
    let shares: Vec<f64> = samples.iter().map(share).collect();
    let mut windows = Vec::new();
    for stream in streams {
        let active = stream.active.overlap(span);
        let expected = samples
            .iter()
            .zip(&shares)
            .map(|(sample, share)| sample.pages_within(active) / share)
            .sum();
        let spans = match active.width() {
            0 => vec![span],
            _ => [
                Span::new(span.start, active.start).cut(1),
                active.cut(parts(expected, pages)),
                Span::new(active.end, span.end).cut(1),
            ]
            .concat(),
        };
        windows.extend(spans.into_iter().map(|span| Window::new(span, Some(stream.name.clone()))));
    }
    windows
}

/// Into how many parts to cut a window that has come back with more to read: 1 to go
/// on with it. `planned` is how many pages it was meant to have, and `idle` how many
/// lanes have nothing else to do.
pub(super) fn parts_of_lagging(window: &Window, planned: u64, idle: u64) -> u64 {
    /// What a window may have to remember, in events.
    const HELD: usize = 200_000;
    let (read, left) = (window.pages, window.pages_left());
    let all = read + left;
    if left > 4 * planned && left >= 4 * read {
        // What a few pages say is not worth more. The parts can be cut in their turn.
        return all.div_ceil(planned).min(8 * read);
    }
    let parts = all.min(idle + 1);
    if idle > 0 && all.div_ceil(parts) < left {
        return parts;
    }
    if window.held() > HELD { 2 } else { 1 }
}

/// Of a window of which one page is known: the parts can be cut in their turn.
const MOST_PARTS: u64 = 64;

#[expect(clippy::cast_precision_loss, reason = "a guess")]
fn parts(expected: f64, pages: u64) -> u64 {
    whole((expected / pages as f64).ceil()).clamp(1, MOST_PARTS)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a guess, saturating")]
fn whole(guess: f64) -> u64 {
    guess as u64
}

#[cfg(test)]
mod tests;
