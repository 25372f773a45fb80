//! Where a stream of records can be cut into blocks.
//!
//! Most logs are cut at line ends. JSON that is printed over many lines is cut
//! where a line cannot be the continuation of a value. JSON without such lines
//! is cut between values, and a value that is longer than the limit is opened:
//! its brackets are passed over and its elements become values of their own, so
//! that an export of many gigabytes as one value is a stream like any other.

use std::mem;
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr, memrchr_iter};

use crate::source::{Cut, Cutter, Layout};

use super::container::Part;
use super::dialect::{Dialect, Head};
use super::line_numbers::{LineCount, LineLedger};
use super::problem::{Cause, Place, Problem, Warning};
use super::scan::{self, Skip};
use super::tally::Tally;
use super::walker::{DEPTH, is_event};

/// Bytes at the start of an input that tell its dialect.
const HEAD: usize = 4 << 10;

/// Bytes of a container runtime's line: 16 KiB of text, of which each byte may be
/// written as six.
const LONGEST_PART: usize = 128 << 10;

/// Cuts one input, and keeps what was found wrong on the way.
#[derive(Debug)]
pub struct Framing {
    record_limit: usize,
    block_size: usize,
    started: bool,
    dialect: Dialect,
    warning: Option<Warning>,
    /// Containers that were opened and not yet closed.
    levels: usize,
    skipping: Option<Skipping>,
    too_long: Vec<TooLong>,
    lines: LineLedger,
    /// The lines of what is skipped next.
    skipped: LineCount,
}

/// A record that is too long to be looked at.
#[derive(Debug)]
struct TooLong {
    place: Place,
    cause: Cause,
    /// How it begins.
    start: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Skipping {
    Line,
    Value(Skip),
}

impl Framing {
    /// Blocks of about `block_size` bytes; records of up to `record_limit` are held whole.
    pub fn new(block_size: usize, record_limit: usize) -> Self {
        Self {
            record_limit,
            block_size,
            started: false,
            dialect: Dialect::default(),
            warning: None,
            levels: 0,
            skipping: None,
            too_long: Vec::new(),
            lines: LineLedger::default(),
            skipped: LineCount::default(),
        }
    }

    /// The input's dialect, known once the first block is cut.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// Where the input's lines are counted: those that are skipped already, and those of
    /// every block when it is decoded.
    pub fn lines(&self) -> &LineLedger {
        &self.lines
    }

    /// Whether there is anything to [report](Self::report).
    pub fn has_findings(&self) -> bool {
        self.warning.is_some() || !self.too_long.is_empty()
    }

    /// Adds what was found wrong since the last time with the input called `name`.
    pub fn report(&mut self, name: &Arc<str>, tally: &mut Tally) {
        if let Some(warning) = self.warning.take() {
            tally.warn(name, warning);
        }
        for TooLong { place, cause, start } in self.too_long.drain(..) {
            tally.add_problem(Problem::with_record(name, place, cause, &start));
        }
    }

    fn start(&mut self, unread: &[u8]) -> usize {
        self.started = true;
        let head = Head::of(unread);
        self.dialect = head.dialect;
        self.warning = head.warning;
        head.header
    }

    fn next_cut(&mut self, unread: &[u8], offset: u64, ended: bool) -> Cut {
        if !self.started {
            let head = HEAD.min(self.record_limit);
            if unread.len() < head && !ended {
                return Cut::More(head);
            }
            let header = self.start(unread);
            if header > 0 {
                return Cut::Skip(header);
            }
        }
        if let Some(skipping) = self.skipping {
            let passed = self.pass(skipping, unread);
            return if passed > 0 { Cut::Skip(passed) } else { self.cut_records(unread, false) };
        }
        match self.cut_records(unread, ended) {
            Cut::More(_) if unread.len() >= self.record_limit => self.open(unread, offset),
            cut => cut,
        }
    }

    /// How much of `unread` is the rest of a record that is too long.
    fn pass(&mut self, skipping: Skipping, unread: &[u8]) -> usize {
        let (passed, ended) = match skipping {
            Skipping::Line => {
                memchr(b'\n', unread).map_or((unread.len(), false), |end| (end + 1, true))
            }
            Skipping::Value(mut skip) => {
                let passed = skip.pass(unread);
                self.skipping = Some(Skipping::Value(skip));
                passed
            }
        };
        if ended {
            self.skipping = None;
        }
        passed
    }

    fn cut_records(&mut self, unread: &[u8], ended: bool) -> Cut {
        let layout = if self.levels == 0 { Layout::Lines } else { Layout::Values };
        if ended {
            return Cut::Block(unread.len(), layout);
        }
        if self.dialect == Dialect::Container && !self.has_lines(unread) {
            self.dialect = Dialect::Plain;
        }
        let line_end = match &self.dialect {
            Dialect::Plain => return self.cut_values(unread, layout),
            Dialect::Container if unread.len() < self.record_limit => last_whole_record(unread),
            Dialect::Container | Dialect::Csv(_) => memrchr(b'\n', unread).map(|end| end + 1),
        };
        line_end.map_or_else(|| self.more(unread), |end| Cut::Block(end, Layout::Lines))
    }

    /// Whether what looks like a container's log can be one: it has lines, and no line
    /// is longer than any runtime makes them. Glued objects may start like it.
    fn has_lines(&self, unread: &[u8]) -> bool {
        unread.len() < LONGEST_PART.min(self.record_limit) || memchr(b'\n', unread).is_some()
    }

    fn cut_values(&mut self, unread: &[u8], layout: Layout) -> Cut {
        let line_end =
            if self.levels == 0 { last_line_end(unread) } else { first_line_end(unread) };
        if let Some(end) = line_end {
            // A line that starts afresh ends every value that is still open.
            self.levels = 0;
            return Cut::Block(end, layout);
        }
        let ends = scan::ends(unread, self.levels, self.block_size);
        if let Some(end) = ends.line {
            return Cut::Block(end, Layout::Lines);
        }
        let is_text = self.levels == 0 && !starts_container(unread);
        if let Some(end) = ends.value.filter(|_| !is_text) {
            self.levels = ends.levels;
            return Cut::Block(end, Layout::Values);
        }
        self.more(unread)
    }

    fn more(&self, unread: &[u8]) -> Cut {
        Cut::More((unread.len() * 2).min(self.record_limit))
    }

    /// Deals with a record that fills `unread` and goes on.
    fn open(&mut self, unread: &[u8], offset: u64) -> Cut {
        let start = self.value_start(unread);
        let value = &unread[start..];
        let container = matches!(value.first(), Some(b'{' | b'['));
        if container && self.levels < DEPTH && !is_event(value) {
            self.levels += 1;
            return Cut::Skip(start + 1);
        }
        let is_value = container || (self.levels > 0 && value.first() == Some(&b'"'));
        let too_deep = container && self.levels == DEPTH;
        let limit = self.record_limit;
        self.too_long.push(TooLong {
            place: Place {
                offset: offset + start as u64,
                line: self.skipped.number_after(&unread[..start]),
            },
            cause: if too_deep { Cause::TooDeep } else { Cause::RecordTooLong { limit } },
            start: value[..value.len().min(256)].to_vec(),
        });
        if !is_value {
            self.levels = 0;
        }
        let skipping = if is_value { Skipping::Value(Skip::default()) } else { Skipping::Line };
        self.skipping = Some(skipping);
        Cut::Skip(start + self.pass(skipping, value))
    }

    /// Where the value starts that `unread` ends within: after white space, and
    /// within an opened container also after commas and the value's key.
    fn value_start(&self, unread: &[u8]) -> usize {
        let token = |from: usize| {
            let between =
                |byte: &u8| byte.is_ascii_whitespace() || (self.levels > 0 && *byte == b',');
            from + unread[from..].iter().take_while(|byte| between(byte)).count()
        };
        let start = token(0);
        if self.levels == 0 || unread.get(start) != Some(&b'"') {
            return start;
        }
        let (key, _) = Skip::default().pass(&unread[start..]);
        let colon = token(start + key);
        if unread.get(colon) == Some(&b':') { token(colon + 1) } else { start }
    }
}

impl Cutter for Framing {
    fn cut(&mut self, unread: &[u8], offset: u64, ended: bool) -> Cut {
        let cut = self.next_cut(unread, offset, ended);
        if let Cut::Skip(len) = cut {
            let mut skipped = mem::take(&mut self.skipped);
            skipped.pass(&unread[..len]);
            self.lines.add(offset, len, skipped);
        }
        cut
    }
}

fn starts_container(unread: &[u8]) -> bool {
    let first = unread.iter().find(|byte| !byte.is_ascii_whitespace() && **byte != b',');
    matches!(first, Some(b'{' | b'['))
}

/// After the last line end that no value goes on over.
fn last_line_end(unread: &[u8]) -> Option<usize> {
    let (_, known) = unread.split_last()?;
    let mut newlines = memrchr_iter(b'\n', known);
    newlines.find(|newline| !scan::continues(unread[newline + 1])).map(|newline| newline + 1)
}

/// After the first line end that no value goes on over.
fn first_line_end(unread: &[u8]) -> Option<usize> {
    let (_, known) = unread.split_last()?;
    let mut newlines = memchr_iter(b'\n', known);
    newlines.find(|newline| !scan::continues(unread[newline + 1])).map(|newline| newline + 1)
}

/// After the last line with which no stream of a container waits for more.
fn last_whole_record(unread: &[u8]) -> Option<usize> {
    let mut waiting = [false; 2];
    let mut start = 0;
    let mut whole = None;
    for newline in memchr_iter(b'\n', unread) {
        let line = std::str::from_utf8(&unread[start..newline]);
        if let Some(part) = line.ok().and_then(Part::of) {
            waiting[usize::from(part.is_stderr)] = part.is_partial;
        }
        start = newline + 1;
        if waiting == [false; 2] {
            whole = Some(start);
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Blocks, Buffers};

    /// The blocks of `text`, and how the too long records begin.
    fn cut(text: &str, size: usize, limit: usize) -> (Vec<(String, Layout)>, Vec<String>) {
        let buffers = Buffers::new(1, size);
        let mut blocks = Blocks::new(text.as_bytes(), size, &buffers);
        let mut framing = Framing { started: true, ..Framing::new(size, limit) };
        let mut cut = Vec::new();
        let mut too_long = Vec::new();
        loop {
            let block = blocks.next(&mut framing);
            for record in framing.too_long.drain(..) {
                let offset = usize::try_from(record.place.offset).unwrap();
                assert!(text.as_bytes()[offset..].starts_with(&record.start));
                let breaks = text[..offset].matches('\n').count();
                assert_eq!(record.place.line.get(), 1 + breaks as u64);
                too_long.push(String::from_utf8(record.start).unwrap());
            }
            let Some(block) = block else { return (cut, too_long) };
            let mut lines = LineCount::default();
            lines.pass(block.bytes());
            framing.lines.add(block.offset, block.bytes().len(), lines);
            let bytes = String::from_utf8(block.bytes().to_vec()).unwrap();
            cut.push((bytes, block.layout));
        }
    }

    fn texts(blocks: &[(String, Layout)]) -> Vec<&str> {
        blocks.iter().map(|(text, _)| text.as_str()).collect()
    }

    #[test]
    fn lines_are_cut_at_line_ends_and_printed_values_stay_whole() {
        let (blocks, _) = cut("{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n", 12, 100);
        assert_eq!(texts(&blocks), ["{\"a\":1}\n", "{\"b\":2}\n", "{\"c\":3}\n"]);
        let (blocks, _) = cut("{\n \"a\": 1\n}\n{\n \"b\": 2\n}\n", 8, 100);
        assert_eq!(texts(&blocks), ["{\n \"a\": 1\n}\n", "{\n \"b\": 2\n}\n"]);
    }

    #[test]
    fn glued_values_are_cut_between_values() {
        let (blocks, _) = cut(r#"{"a":"}{"}{"b":2}{"c":3}"#, 12, 100);
        assert_eq!(texts(&blocks), [r#"{"a":"}{"}"#, r#"{"b":2}"#, r#"{"c":3}"#]);
        assert_eq!(blocks[0].1, Layout::Values);
    }

    #[test]
    fn a_value_over_the_limit_is_opened() {
        let text = r#"{"kind":"List","items":[{"a":1},{"b":2},{"c":3},{"d":4}],"x":"y"}{"e":5}"#;
        let (blocks, too_long) = cut(text, 20, 32);
        let whole = texts(&blocks).concat();
        assert_eq!(whole, text.replacen('{', "", 1).replacen('[', "", 1).replace("\"items\":", ""));
        assert!(too_long.is_empty());
        let pretty = "{\n  \"items\": [\n    {\n      \"a\": 1\n    },\n    {\n      \"b\": 2\n    }\n  ]\n}\n{}";
        let (blocks, _) = cut(pretty, 20, 32);
        assert_eq!(
            texts(&blocks)[..2],
            ["\n    {\n      \"a\": 1\n    },", "\n    {\n      \"b\": 2\n    }\n  ]"]
        );
    }

    #[test]
    fn what_cannot_be_opened_is_named_and_passed_over() {
        let long = "x".repeat(100);
        let event = format!("{{\"auditID\":\"{long}\",\"requestURI\":\"/\"}}");
        let (blocks, too_long) = cut(&format!("{event}\n{{\"a\":1}}\n"), 16, 32);
        assert_eq!(texts(&blocks), ["\n{\"a\":1}\n"]);
        assert_eq!(too_long.len(), 1);
        let (blocks, too_long) = cut(&format!("short\n{long}\nafter\n"), 16, 32);
        assert_eq!((texts(&blocks).concat().as_str(), too_long.len()), ("short\nafter\n", 1));
        let (blocks, too_long) =
            cut(&format!("[{{\"m\":\"{long}\"}},{event},{{\"b\":1}}]\n{{\"c\":1}}\n"), 16, 32);
        assert_eq!(too_long.len(), 2);
        assert!(texts(&blocks).concat().ends_with(",{\"b\":1}]\n{\"c\":1}\n"), "{blocks:?}");
    }

    #[test]
    fn a_nesting_bomb_is_passed_over_once() {
        let (blocks, too_long) = cut(&format!("{}\n{{\"a\":1}}\n", "[".repeat(10_000)), 16, 64);
        assert_eq!(too_long.len(), 1);
        assert_eq!(texts(&blocks).last(), Some(&"{\"a\":1}\n"));
    }

    #[test]
    fn a_record_of_a_container_log_stays_whole() {
        let part = |tag, stream, text| format!("2026-11-20T09:15:02Z {stream} {tag} {text}\n");
        let text = [
            part("P", "stdout", "{\"a\":"),
            part("F", "stderr", "noise"),
            part("F", "stdout", "1}"),
            part("F", "stdout", "{\"b\":2}"),
        ]
        .concat();
        assert_eq!(last_whole_record(&text.as_bytes()[..text.len() - 1]), Some(105));
        assert_eq!(last_whole_record(&text.as_bytes()[..70]), None);
    }
}
