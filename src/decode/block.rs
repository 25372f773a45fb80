//! One block: its bytes in, its events out to the consumer, the rest tallied.

use std::collections::HashSet;
use std::sync::Arc;

use memchr::{memchr, memrchr};

use crate::audit::{Event, Text};
use crate::source::{Block, Layout};

use super::dialect::Dialect;
use super::line_numbers::{LineCount, LineLedger};
use super::problem::{Cause, Place, Problem, Warning};
use super::tally::Tally;
use super::timestamp;
use super::{Consumer, UsageRow};

/// Whether the byte can stand in a timestamp. Any other text before an event may be a
/// caller's, and so may be the event behind it.
fn is_of_time(byte: u8) -> bool {
    byte.is_ascii_digit() || b"-:.+TZ ".contains(&byte)
}

/// What stands before an event in a line of an export: a timestamp.
const LONGEST_PREFIX: usize = 40;

/// The length of the timestamp before an event, if there is nothing else.
fn time_len(line: &[u8]) -> Option<usize> {
    let time = line.iter().take(LONGEST_PREFIX).take_while(|byte| is_of_time(**byte)).count();
    (line.get(time) == Some(&b'{')).then_some(time)
}

/// The input that a block is from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The input's name.
    pub name: Arc<str>,
    /// What its first lines said.
    pub dialect: Arc<Dialect>,
    /// The longest record, in bytes.
    pub record_limit: usize,
    /// Where its lines are counted.
    pub lines: LineLedger,
}

/// Gives every event of `block` to `consumer` and counts everything in `tally`.
pub fn decode<C: Consumer>(block: &Block, origin: &Origin, consumer: &mut C, tally: &mut Tally) {
    let (lines, seen) = (LineCount::default(), HashSet::new());
    let mut decoder = Decoder { block, origin, consumer, tally, at: 0, lines, seen };
    decoder.decode();
    origin.lines.add(block.offset, block.bytes().len(), decoder.lines);
}

/// Decodes one block.
pub(super) struct Decoder<'d, C> {
    block: &'d Block,
    pub(super) origin: &'d Origin,
    consumer: &'d mut C,
    pub(super) tally: &'d mut Tally,
    /// Where in the block the current record starts.
    at: usize,
    /// The lines of the block, up to the current record.
    lines: LineCount,
    /// The events of the current wrapper, where one may stand twice.
    pub(super) seen: HashSet<[String; 5]>,
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

/// Whole lines of a block that are known to be UTF-8.
#[derive(Clone, Copy, Default)]
struct Stretch<'b> {
    text: &'b str,
    base: usize,
}

impl<'b> Stretch<'b> {
    /// From the line at `base` to the first line that is not UTF-8; empty if that is it.
    fn from(bytes: &'b [u8], base: usize) -> Self {
        let rest = &bytes[base..];
        let valid = match std::str::from_utf8(rest) {
            Ok(_) => rest.len(),
            Err(error) => memrchr(b'\n', &rest[..error.valid_up_to()]).map_or(0, |n| n + 1),
        };
        Self { text: std::str::from_utf8(&rest[..valid]).unwrap_or_default(), base }
    }

    fn holds(self, at: usize) -> bool {
        (self.base..self.base + self.text.len()).contains(&at)
    }
}

impl<C: Consumer> Decoder<'_, C> {
    fn decode(&mut self) {
        let bytes = self.block.bytes();
        let (mut at, mut known) = (0, Stretch::default());
        while at < bytes.len() {
            if let Some(next) = self.whole_line(bytes, at, known) {
                self.lines.pass_line(bytes.get(next - 1));
                at = next;
                continue;
            }
            if !known.holds(at) {
                known = Stretch::from(bytes, at);
            }
            let next = if known.text.is_empty() {
                self.undecodable_line(bytes, at)
            } else {
                self.text(known, at)
            };
            self.lines.pass(&bytes[at..next.min(bytes.len())]);
            at = next;
        }
    }

    /// Deals with the line at `at` if it is one event from end to end, and returns where the
    /// next one starts.
    fn whole_line(&mut self, bytes: &[u8], at: usize, known: Stretch<'_>) -> Option<usize> {
        let next = self.unparsed_line(bytes, at);
        if next.is_some() || known.holds(at) { next } else { self.event_line(bytes, at) }
    }

    /// Hands on the line at `at` unparsed, if the consumer takes it so, and returns where
    /// the next one starts: the decision that is made for every line of an ordinary log.
    fn unparsed_line(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        if self.block.layout != Layout::Lines {
            return None;
        }
        let start = at + time_len(&bytes[at..])?;
        let end = start + self.consumer.line(&bytes[start..])?;
        self.tally.audit_events += 1;
        Some(end + if bytes[end..].starts_with(b"\r\n") { 2 } else { 1 })
    }

    /// The same for a line that has to be parsed. Most lines are looked at alone, so that
    /// the whole block is not checked to be UTF-8 for one of them.
    fn event_line(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        if self.block.layout != Layout::Lines {
            return None;
        }
        let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
        let line = std::str::from_utf8(&bytes[at..end]).ok()?;
        self.is_event_line(line, Nest::block(at)).then_some(end + 1)
    }

    /// Decodes from `at`: one record of lines, or all values there are.
    fn text(&mut self, known: Stretch<'_>, at: usize) -> usize {
        let Stretch { text, base } = known;
        match self.block.layout {
            Layout::Lines => base + self.record(text, at - base, Nest::block(base)),
            Layout::Values => {
                self.values(text, Nest::block(base));
                base + text.len()
            }
        }
    }

    fn undecodable_line(&mut self, bytes: &[u8], at: usize) -> usize {
        let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n + 1);
        self.at = at;
        self.malformed(&Cause::InvalidUtf8, &bytes[at..end]);
        end
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
        self.tally.audit_events += 1;
        self.consumer.event(&event);
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
        let Self { block, origin, at, lines, .. } = self;
        let offset = block.offset + *at as u64;
        self.tally.add_problem_at(cause, (&origin.name, offset), || {
            let place = Place { offset, line: lines.number_after(&block.bytes()[..*at]) };
            Problem::with_record(&origin.name, place, cause.clone(), record)
        });
    }
}

/// What tells two events apart. The ID alone is not enough: callers choose it.
fn identity(event: &Event<'_>) -> [String; 5] {
    let Event { audit_id, stage, request_uri, verb, user, .. } = event;
    [audit_id, stage, request_uri, verb, &user.username].map(|text| text.to_string())
}
