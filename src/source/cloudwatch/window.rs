//! One window: a part of the time range, of all streams or of one, read page by page.
//!
//! In: pages. Out: the window's new events. Each event of the range belongs to exactly
//! one window by its timestamp, whatever order the pages come in and however often:
//! a window is over when the service says so, never because of a timestamp that was
//! seen. Timestamps only tell how much is likely to be left.

use std::sync::Arc;

use super::batch::Batch;
use super::page::Page;
use super::progress::FetchProgress;
use super::seen::Seen;
use super::span::Span;

/// A window and how far it is read.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) span: Span,
    /// Read alone with `GetLogEvents`; otherwise all streams with `FilterLogEvents`.
    pub(super) stream: Option<Arc<str>>,
    /// Where to go on.
    pub(super) token: Option<String>,
    pub(super) pages: u64,
    pub(super) restarts: u32,
    /// The latest event so far.
    reached: i64,
    /// By how much the last page that brought it forward did so.
    stride: Option<u64>,
    /// Milliseconds that are told to be read.
    credited: u64,
    seen: Seen,
}

impl Window {
    pub(super) fn new(span: Span, stream: Option<Arc<str>>) -> Self {
        Self {
            span,
            stream,
            token: None,
            pages: 0,
            restarts: 0,
            reached: span.start,
            stride: None,
            credited: 0,
            seen: Seen::default(),
        }
    }

    /// Takes a page and gives its events that belong here, each once. Afterwards the
    /// window is over if there is no token.
    ///
    /// Other streams are left out: not every service keeps to `prefix`. Times are
    /// looked at again too: `endTime` is inclusive or exclusive as the call has it.
    pub(super) fn absorb(&mut self, page: Page, prefix: &str) -> Batch {
        let mut batch = Batch::default();
        let before = self.reached;
        let mut names = Names { one: self.stream.clone(), last: "".into() };
        for event in page.events {
            let stream = names.of(event.stream.as_deref());
            let time = event.time.unwrap_or(self.span.start);
            let is_ours = self.span.contains(time) && stream.starts_with(prefix);
            if is_ours && self.seen.is_new(&event) {
                self.reached = self.reached.max(time);
                batch.add(&stream, time, &event.message);
            }
        }
        if self.reached > before {
            self.stride = Some(self.reached.abs_diff(before));
        }
        self.token = page.next;
        self.pages += 1;
        batch
    }

    /// Starts again at the first page. What has come stays known.
    pub(super) fn restart(&mut self) {
        self.token = None;
        self.restarts += 1;
    }

    pub(super) fn is_over(&self) -> bool {
        self.token.is_none()
    }

    /// Tells how much of the window is likely to be read.
    pub(super) fn credit(&mut self, progress: &FetchProgress) {
        let width = self.span.width();
        let reached = self.reached.abs_diff(self.span.start).min(width);
        let covered = if self.is_over() { width } else { reached };
        progress.cover(self.credited, covered);
        self.credited = covered;
    }

    /// Events that the window has to remember.
    pub(super) fn held(&self) -> usize {
        self.seen.len()
    }

    /// How many pages are likely to be left: as many as the last stride takes to the
    /// end; before there was one, as many as there were.
    pub(super) fn pages_left(&self) -> u64 {
        let left = self.span.end.abs_diff(self.reached);
        self.stride.map_or(self.pages, |stride| left.div_ceil(stride))
    }

    /// Parts of the window that start anew, knowing what has come. Reading some pages
    /// again is the price for never leaving one out.
    pub(super) fn cut(self, parts: u64, progress: &FetchProgress) -> Vec<Self> {
        progress.cover(self.credited, 0);
        let seen = Arc::new(self.seen);
        self.span
            .cut(parts)
            .into_iter()
            .map(|span| Self {
                seen: Seen::after(Arc::clone(&seen)),
                ..Self::new(span, self.stream.clone())
            })
            .collect()
    }
}

/// The streams' names, without a copy for each event.
struct Names {
    one: Option<Arc<str>>,
    last: Arc<str>,
}

impl Names {
    fn of(&mut self, name: Option<&str>) -> Arc<str> {
        if let Some(one) = &self.one {
            return Arc::clone(one);
        }
        let name = name.unwrap_or_default();
        if *self.last != *name {
            self.last = name.into();
        }
        Arc::clone(&self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::cloudwatch::page::LogEvent;

    fn page(events: &[(i64, &str)], next: Option<&str>) -> Page {
        let events = events
            .iter()
            .map(|(time, id)| LogEvent {
                id: Some((*id).to_owned()),
                stream: Some("audit-1".into()),
                time: Some(*time),
                ingested: None,
                message: (*id).to_owned(),
            })
            .collect();
        Page { events, next: next.map(str::to_owned) }
    }

    fn ids(batch: &Batch) -> Vec<&str> {
        batch.lines.lines().map(|line| line.split_once(' ').unwrap().1).collect()
    }

    fn window(start: i64, end: i64) -> Window {
        Window::new(Span::new(start, end), None)
    }

    #[test]
    fn events_on_an_edge_belong_to_the_later_window() {
        let events = [(9, "a"), (10, "b"), (20, "c")];
        let mut first = window(0, 10);
        let mut second = window(10, 20);
        assert_eq!(ids(&first.absorb(page(&events, None), "")), ["a"]);
        assert_eq!(ids(&second.absorb(page(&events, None), "")), ["b"]);
    }

    #[test]
    fn pages_that_overlap_give_each_event_once() {
        let mut window = window(0, 10);
        assert_eq!(ids(&window.absorb(page(&[(1, "a"), (2, "b")], Some("t")), "")), ["a", "b"]);
        assert_eq!(ids(&window.absorb(page(&[(2, "b"), (2, "c")], None), "")), ["c"]);
    }

    #[test]
    fn events_out_of_order_are_all_taken() {
        let mut window = window(0, 10);
        assert_eq!(ids(&window.absorb(page(&[(9, "a"), (3, "b")], Some("t")), "")), ["a", "b"]);
        assert_eq!(ids(&window.absorb(page(&[(1, "c")], None), "")), ["c"]);
    }

    #[test]
    fn other_streams_are_left_out() {
        let mut window = window(0, 10);
        assert_eq!(ids(&window.absorb(page(&[(1, "a")], None), "kube-")), Vec::<&str>::new());
    }

    #[test]
    fn parts_of_a_cut_window_give_what_is_left_and_nothing_twice() {
        let mut whole = window(0, 10);
        whole.absorb(page(&[(1, "a"), (6, "b")], Some("t")), "");
        let mut parts = whole.cut(2, &FetchProgress::default());
        let all = [(1, "a"), (2, "late"), (6, "b"), (7, "c")];
        assert_eq!(ids(&parts[0].absorb(page(&all, None), "")), ["late"]);
        assert_eq!(ids(&parts[1].absorb(page(&all, None), "")), ["c"]);
    }

    #[test]
    fn a_window_that_starts_again_gives_only_what_is_new() {
        let mut window = window(0, 10);
        window.absorb(page(&[(1, "a")], Some("t")), "");
        window.restart();
        assert_eq!(window.token, None);
        assert_eq!(ids(&window.absorb(page(&[(1, "a"), (2, "b")], None), "")), ["b"]);
    }

    #[test]
    fn what_is_left_follows_from_the_last_stride() {
        let mut window = window(0, 100);
        window.absorb(page(&[(10, "a")], Some("t")), "");
        assert_eq!(window.pages_left(), 9);
        window.absorb(page(&[(60, "b")], Some("t")), "");
        assert_eq!(window.pages_left(), 1);
    }

    #[test]
    fn what_is_read_is_told_as_far_as_it_came_and_taken_back_by_a_cut() {
        let progress = FetchProgress::default();
        progress.plan(100);
        let mut window = window(0, 100);
        window.absorb(page(&[(60, "a")], Some("t")), "");
        window.credit(&progress);
        assert!((progress.covered() - 0.6).abs() < 1e-9);
        let mut parts = window.cut(2, &progress);
        assert!(progress.covered() < 1e-9);
        parts[0].absorb(page(&[], None), "");
        parts[0].credit(&progress);
        assert!((progress.covered() - 0.5).abs() < 1e-9);
    }
}
