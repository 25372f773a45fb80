//! One block: its bytes in, its events out to the consumer, the rest tallied.

use std::collections::HashSet;
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};

use crate::audit::{Event, Text};
use crate::source::{Block, Layout, Place};

use super::dialect::Dialect;
use super::problem::{Cause, Problem, Warning};
use super::tally::Tally;
use super::timestamp;
use super::{Consumer, UsageRow};

/// The input that a block is from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The input's name.
    pub name: Arc<str>,
    /// What its first lines said.
    pub dialect: Arc<Dialect>,
    /// The longest record, in bytes.
    pub record_limit: usize,
}

/// Gives every event of `block` to `consumer` and counts everything in `tally`.
pub fn decode<C: Consumer>(block: &Block, origin: &Origin, consumer: &mut C, tally: &mut Tally) {
    let mut decoder = Decoder { block, origin, consumer, tally, at: 0, seen: HashSet::new() };
    decoder.decode();
}

/// Decodes one block.
pub(super) struct Decoder<'d, C> {
    block: &'d Block,
    pub(super) origin: &'d Origin,
    consumer: &'d mut C,
    pub(super) tally: &'d mut Tally,
    /// Where in the block the current record starts.
    at: usize,
    /// The events of the current wrapper, where one may stand twice.
    pub(super) seen: HashSet<[String; 4]>,
}

/// Where a piece of text stands in what wraps it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nest<'t> {
    /// Containers and strings around it.
    pub(super) depth: usize,
    /// Where it starts in the block, if it is a slice of it.
    pub(super) base: Option<usize>,
    /// The time that the nearest wrapper gives.
    pub(super) time: Option<&'t str>,
    /// Whether an event may stand in the same wrapper a second time.
    pub(super) wrapped: bool,
    /// Whether it was inflated on the way: no wrapper does so twice.
    pub(super) inflated: bool,
}

impl<'t> Nest<'t> {
    fn block(base: usize) -> Self {
        Self { depth: 0, base: Some(base), time: None, wrapped: false, inflated: false }
    }

    pub(super) fn timed<'s>(self, time: Option<&'s str>) -> Nest<'s>
    where
        't: 's,
    {
        Nest { time: time.or(self.time), ..self }
    }

    pub(super) fn deeper(self) -> Self {
        Self { depth: self.depth + 1, base: None, ..self }
    }
}

impl<C: Consumer> Decoder<'_, C> {
    /// Splits the block at lines that are not UTF-8. What surrounds them is used.
    fn decode(&mut self) {
        let bytes = self.block.bytes();
        let mut start = 0;
        while start < bytes.len() {
            match std::str::from_utf8(&bytes[start..]) {
                Ok(text) => return self.text(text, start),
                Err(error) => {
                    let wrong = start + error.valid_up_to();
                    let line =
                        memrchr(b'\n', &bytes[start..wrong]).map_or(start, |n| start + n + 1);
                    let end = memchr(b'\n', &bytes[wrong..]).map_or(bytes.len(), |n| wrong + n + 1);
                    if let Ok(text) = std::str::from_utf8(&bytes[start..line]) {
                        self.text(text, start);
                    }
                    self.at = line;
                    self.malformed(&Cause::InvalidUtf8, &bytes[line..end]);
                    start = end;
                }
            }
        }
    }

    fn text(&mut self, text: &str, base: usize) {
        match self.block.layout {
            Layout::Lines => self.lines(text, Nest::block(base)),
            Layout::Values => self.values(text, Nest::block(base)),
        }
    }

    /// Says that a record starts `at` bytes into a text, for messages.
    pub(super) fn mark(&mut self, nest: Nest<'_>, at: usize) {
        if let Some(base) = nest.base {
            self.at = base + at;
        }
    }

    /// Hands an event on, unless its wrapper held it already.
    pub(super) fn found(&mut self, mut event: Event<'_>, nest: Nest<'_>) {
        if nest.wrapped && !self.seen.insert(identity(&event)) {
            return;
        }
        if event.stage_timestamp.is_empty()
            && let Some(time) = nest.time.and_then(timestamp::normalise)
        {
            event.stage_timestamp = Text::from(time);
        }
        self.tally.salvaged += u64::from(event.salvaged);
        self.hand_on(&event);
    }

    /// Hands an event on.
    pub(super) fn hand_on(&mut self, event: &Event<'_>) {
        self.tally.audit_events += 1;
        self.consumer.event(event);
    }

    pub(super) fn usage_row(&mut self, row: &UsageRow<'_>) {
        self.tally.usage_rows += 1;
        self.consumer.usage_row(row);
    }

    pub(super) fn not_audit(&mut self) {
        self.tally.not_audit += 1;
    }

    pub(super) fn warn(&mut self, warning: Warning) {
        self.tally.warn(&self.origin.name, warning);
    }

    /// Counts the current record as one that cannot be used.
    pub(super) fn malformed(&mut self, cause: &Cause, record: &[u8]) {
        let Self { block, origin, at, .. } = self;
        let offset = block.place.offset + *at as u64;
        self.tally.add_problem_at(cause, (&origin.name, offset), || {
            let lines = memchr_iter(b'\n', &block.bytes()[..*at]).count() as u64;
            let place = Place { offset, line: block.place.line + lines };
            Problem::with_record(&origin.name, place, cause.clone(), record)
        });
    }
}

/// What tells two events apart. The ID alone is not enough: callers choose it.
fn identity(event: &Event<'_>) -> [String; 4] {
    [&event.audit_id, &event.stage, &event.request_uri, &event.verb].map(|text| text.to_string())
}
