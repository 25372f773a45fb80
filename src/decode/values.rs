//! JSON values one after the other: glued, printed over many lines, or with the
//! commas and brackets of an opened container between them.
//!
//! A value that does not parse is accounted for here: salvaged if it is an event
//! that was cut, looked into if it is a wrapper, malformed otherwise. Reading
//! then goes on where the next record can start.

use crate::audit::Event;

use super::Consumer;
use super::block::{Decoder, Nest};
use super::json;
use super::lines::line_end;
use super::problem::{Cause, Warning};
use super::scan;
use super::walker::{DEPTH, holds_event, is_event};

/// How EKS marks a record that it cut.
const TRUNCATED: &str = "[Truncated...]";

/// Where reading stands within a text.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
    /// Where the values end.
    end: usize,
    /// Broken containers that were opened to get at their elements.
    opened: usize,
    /// The first of them, and why it does not parse.
    broken: Option<(usize, Cause)>,
    /// Whether the values are elements, so that text between them is an error.
    elements: bool,
    /// The key before the value.
    key: Option<&'t str>,
}

impl<C: Consumer> Decoder<'_, C> {
    /// The values of a whole text, which may be elements of an opened container.
    pub(super) fn values(&mut self, text: &str, nest: Nest<'_>) {
        let mut cursor = Cursor { end: text.len(), elements: true, ..Cursor::new(text, 0) };
        while cursor.at < text.len() {
            self.value_run(&mut cursor, nest);
        }
    }

    /// The values that start at `start`, on a line of `text` or over several,
    /// and where the next line starts.
    pub(super) fn values_of_lines(&mut self, text: &str, start: usize, nest: Nest<'_>) -> usize {
        let mut cursor = Cursor { end: record_end(text, start), ..Cursor::new(text, start) };
        self.value_run(&mut cursor, nest);
        cursor.at
    }

    /// Reads values until something else comes, and leaves the cursor at the
    /// start of a line or at the end.
    fn value_run(&mut self, cursor: &mut Cursor<'_>, nest: Nest<'_>) {
        let before = self.tally.records();
        self.value_tokens(cursor, nest);
        if let Some((at, cause)) = cursor.broken.take()
            && self.tally.records() == before
        {
            self.mark(nest, at);
            self.malformed(&cause, &cursor.text.as_bytes()[at..cursor.end]);
        }
    }

    fn value_tokens(&mut self, cursor: &mut Cursor<'_>, nest: Nest<'_>) {
        while let Some(first) = cursor.next_token() {
            match first {
                b'{' | b'[' | b'"' => self.value_or_broken(cursor, nest),
                b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => cursor.pass_word(),
                _ if cursor.elements || cursor.opened > 0 => {
                    let line = line_end(cursor.text, cursor.at);
                    self.mark(nest, cursor.at);
                    self.malformed(&Cause::NotJson, &cursor.text.as_bytes()[cursor.at..line]);
                    cursor.at = line + 1;
                    return;
                }
                _ => return self.text_behind(cursor, nest),
            }
        }
    }

    /// Passes over text behind a value, up to the end of its line, and tells of a record that
    /// is lost in it. Text with a line of its own is left to be read.
    fn text_behind(&mut self, cursor: &mut Cursor<'_>, nest: Nest<'_>) {
        let Cursor { text, at, .. } = *cursor;
        let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        if line_start > 0 && text[line_start..at].trim().is_empty() {
            cursor.at = line_start;
            return;
        }
        let line = line_end(text, at);
        if holds_event(&text[at..line]) {
            self.mark(nest, at);
            self.malformed(&Cause::NotJson, &text.as_bytes()[at..line]);
        }
        cursor.at = line + 1;
    }

    fn value_or_broken(&mut self, cursor: &mut Cursor<'_>, nest: Nest<'_>) {
        let rest = &cursor.text[cursor.at..cursor.end];
        match json::first_value(rest) {
            Ok(value) => {
                self.mark(nest, cursor.at);
                let start = cursor.at;
                cursor.at += value.len();
                if cursor.is_key(value) {
                    cursor.key = Some(&cursor.text[start..cursor.at]);
                    return;
                }
                let key = cursor.key.take();
                self.whole_value(value, key, nest);
            }
            Err(error) => {
                cursor.key = None;
                self.broken_value(cursor, &error, nest);
            }
        }
    }

    fn whole_value(&mut self, value: &str, key: Option<&str>, nest: Nest<'_>) {
        if !nest.wrapped {
            self.seen.clear();
        }
        let accounted = self.value(value, nest);
        match key {
            // A member of an opened container is no record of its own.
            Some(key) => self.note_member(key.trim_matches('"'), value, true),
            None if !accounted => self.not_audit(),
            None => {}
        }
    }

    /// Accounts for a value that does not parse.
    fn broken_value(&mut self, cursor: &mut Cursor<'_>, error: &serde_json::Error, nest: Nest<'_>) {
        let Cursor { text, at, end, .. } = *cursor;
        let bytes = text.as_bytes();
        let line = line_end(text, at).min(end);
        self.mark(nest, at);
        if bytes[at] == b'"' {
            self.malformed(&cause_of(&text[at..line]), &bytes[at..line]);
            cursor.at = line + 1;
        } else if is_event(&bytes[at..line]) {
            self.cut_event(&text[at..line], nest);
            cursor.at = line + 1;
        } else if is_event(&bytes[at..end]) {
            let after = record_end(text, at).min(end);
            self.cut_event(&text[at..after], nest);
            cursor.at = after;
        } else if cursor.opened < DEPTH {
            cursor.open(error);
        } else {
            self.malformed(&Cause::TooDeep, &bytes[at..line]);
            cursor.at = record_end(text, at).min(end);
        }
    }

    /// An event whose text does not parse: what is left of it, if that decides.
    pub(super) fn cut_event(&mut self, text: &str, nest: Nest<'_>) {
        let text = text.trim_end();
        let cause = cause_of(text);
        let is_cut = cause == Cause::CutRecord;
        match is_cut.then(|| Event::salvage(text)).flatten() {
            Some(event) => self.found(event, nest),
            None => self.malformed(&cause, text.as_bytes()),
        }
    }

    /// What a member beside the records says about whether they are all.
    pub(super) fn note_member(&mut self, key: &str, value: &str, lists_rows: bool) {
        match key {
            "nextForwardToken" | "nextBackwardToken" => self.warn(Warning::OnePage),
            "nextToken" | "NextToken" if value.starts_with('"') => self.warn(Warning::MorePages),
            "status" if lists_rows => {
                let status = json::scalar(value);
                if let Some(warning) = status.and_then(|status| super::dialect::incomplete(&status))
                {
                    self.warn(warning);
                }
            }
            _ => {}
        }
    }
}

/// Why a record does not parse.
fn cause_of(record: &str) -> Cause {
    let ends_early = json::first_value(record).is_err_and(|error| error.is_eof());
    if ends_early || record.contains(TRUNCATED) { Cause::CutRecord } else { Cause::NotJson }
}

impl<'t> Cursor<'t> {
    fn new(text: &'t str, at: usize) -> Self {
        Self { text, at, end: text.len(), opened: 0, broken: None, elements: false, key: None }
    }

    /// Passes over white space and what stands between values.
    fn next_token(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at.min(self.end)..self.end];
        let between = |byte: u8| byte.is_ascii_whitespace() || b",:]}".contains(&byte);
        let skipped = rest.iter().take_while(|byte| between(**byte)).count();
        self.at = self.at.max(self.at.min(self.end) + skipped);
        rest.get(skipped).copied()
    }

    /// Goes on within a container that does not parse. If nothing in it is a
    /// record, it is one broken record, but for a list whose elements have lines
    /// of their own.
    fn open(&mut self, error: &serde_json::Error) {
        let is_cut = error.is_eof();
        let rest = self.text[self.at..self.end].trim_end();
        let goes_on = is_cut && rest.ends_with(['[', '{']);
        if self.opened == 0 && !goes_on {
            let cause = if is_cut { Cause::CutRecord } else { Cause::NotJson };
            self.broken = Some((self.at, cause));
        }
        self.opened += 1;
        self.at += 1;
    }

    /// Passes over a number or another word.
    fn pass_word(&mut self) {
        let rest = &self.text.as_bytes()[self.at..self.end];
        let within = |byte: u8| !byte.is_ascii_whitespace() && !b",:]}[{\"".contains(&byte);
        self.at += rest.iter().take_while(|byte| within(**byte)).count();
        self.key = None;
    }

    fn is_key(&self, value: &str) -> bool {
        value.starts_with('"') && self.text[self.at..self.end].trim_start().starts_with(':')
    }
}

/// Where a record that starts at `start` must have ended, whatever is wrong with
/// it: at the first line that is not further in and does not look like the rest
/// of a value.
fn record_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let line = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let own_indent = if text[line..start].trim().is_empty() { start - line } else { 0 };
    let mut end = line_end(text, start);
    while end < text.len() {
        let next = &bytes[end + 1..];
        let indent = next.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let first = next.get(indent).copied().unwrap_or(b'\n');
        if indent <= own_indent && !scan::continues(first) {
            return end + 1;
        }
        end = line_end(text, end + 1);
    }
    text.len()
}
