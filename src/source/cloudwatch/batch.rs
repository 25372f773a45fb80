//! Events on their way to the reader, as text.
//!
//! A line is `2026-11-20T09:15:02.113Z {event}`: the form of an export to S3, which
//! keeps CloudWatch's time for events whose end was cut off.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;

/// What [`Batch::add`] puts before each event, in bytes.
pub(super) const ENVELOPE: usize = "2026-11-20T09:15:02.113Z ".len();

/// The new events of one page.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) lines: String,
    pub(super) streams: BTreeMap<Arc<str>, StreamTotals>,
}

/// What one stream gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamTotals {
    /// Events.
    pub events: u64,
    /// Bytes of the events' texts.
    pub bytes: u64,
}

impl StreamTotals {
    pub(super) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.bytes += other.bytes;
    }
}

impl Batch {
    /// Adds an event of `stream`. A line break within it becomes a space, which in
    /// JSON is the same, so that a line stays an event.
    pub(super) fn add(&mut self, stream: &Arc<str>, time: i64, message: &str) {
        self.lines.reserve(ENVELOPE + message.len() + 1);
        let time = Timestamp::from_millisecond(time).unwrap_or(Timestamp::UNIX_EPOCH);
        let _ = write!(self.lines, "{time:.3} ");
        for (at, part) in message.trim_end_matches(['\r', '\n']).split(['\r', '\n']).enumerate() {
            if at > 0 {
                self.lines.push(' ');
            }
            self.lines.push_str(part);
        }
        self.lines.push('\n');
        let one = StreamTotals { events: 1, bytes: message.len() as u64 };
        match self.streams.get_mut(stream) {
            Some(totals) => totals.add(one),
            None => drop(self.streams.insert(Arc::clone(stream), one)),
        }
    }

    /// Of all streams together.
    pub(super) fn totals(&self) -> StreamTotals {
        let mut sum = StreamTotals::default();
        self.streams.values().for_each(|totals| sum.add(*totals));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(time: i64, message: &str) -> String {
        let mut batch = Batch::default();
        batch.add(&"s".into(), time, message);
        batch.lines
    }

    #[test]
    fn lines_are_those_of_an_export_to_s3() {
        assert_eq!(line(1_795_166_102_113, "{}"), "2026-11-20T09:15:02.113Z {}\n");
        assert_eq!(line(1_795_166_102_000, "{}"), "2026-11-20T09:15:02.000Z {}\n");
        assert_eq!(line(0, "").len(), ENVELOPE + 1);
    }

    #[test]
    fn a_line_is_an_event_whatever_the_event_holds() {
        assert_eq!(line(0, "{\n  \"a\": 1\r\n}\n").lines().count(), 1);
        assert!(line(0, "{\n\"a\": 1}").ends_with(" { \"a\": 1}\n"));
    }

    #[test]
    fn each_stream_is_counted() {
        let mut batch = Batch::default();
        let streams: [Arc<str>; 2] = ["a".into(), "b".into()];
        for stream in [&streams[0], &streams[1], &streams[0]] {
            batch.add(stream, 0, "four");
        }
        assert_eq!(batch.streams["a"], StreamTotals { events: 2, bytes: 8 });
        assert_eq!(batch.totals(), StreamTotals { events: 3, bytes: 12 });
    }
}
