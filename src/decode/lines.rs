//! Line by line: the way of almost every log.
//!
//! A line that is one event, with or without something before it, is parsed
//! where it stands. Every other line goes the slower way, which knows the rest.

use memchr::memchr;

use crate::audit::Event;

use super::Consumer;
use super::base64;
use super::block::{Decoder, Nest};
use super::container::{Part, is_rest};
use super::csv;
use super::dialect::Dialect;
use super::json;
use super::prefix;
use super::problem::{Cause, Warning};
use super::usage_row::{Column, UsageRow};
use super::walker::{DEPTH, holds_event, is_event};

impl<C: Consumer> Decoder<'_, C> {
    /// Decodes whole lines.
    pub(super) fn lines(&mut self, text: &str, nest: Nest<'_>) {
        if nest.depth > DEPTH {
            return self.malformed(&Cause::TooDeep, text.as_bytes());
        }
        let mut at = 0;
        while at < text.len() {
            at = self.record(text, at, nest);
        }
    }

    /// Decodes the record that starts with the line at `at`, and returns where the next
    /// one starts.
    pub(super) fn record(&mut self, text: &str, at: usize, nest: Nest<'_>) -> usize {
        let end = line_end(text, at);
        if self.is_event_line(&text[at..end], nest) {
            return end + 1;
        }
        self.mark(nest, at);
        self.other_line(text, at, nest)
    }

    /// Hands on the event that `line` is, if it is one from end to end.
    pub(super) fn is_event_line(&mut self, line: &str, nest: Nest<'_>) -> bool {
        let Some(start) = prefix::json_start(line) else { return false };
        match Event::parse(&line[start..]) {
            // Without a time of its own it may get one from what precedes it, and a part
            // of a container's record is no event.
            Ok(event)
                if event.is_audit_event()
                    && (start == 0 || (has_time(&event) && !line[..start].ends_with(" P "))) =>
            {
                self.found(event, nest);
                true
            }
            _ => false,
        }
    }

    /// Decodes what starts with the line at `at`, which may go on over further
    /// lines, and returns where the next record starts.
    fn other_line(&mut self, text: &str, at: usize, nest: Nest<'_>) -> usize {
        let after = line_end(text, at) + 1;
        let raw = &text[at..after - 1];
        let line = raw.trim_start_matches('\u{feff}').trim();
        let start = at + (line.as_ptr() as usize - raw.as_ptr() as usize);
        if line.is_empty() || self.csv_line(line, nest) {
            return after;
        }
        if !self.is_csv()
            && let Some(part) = Part::of(line)
        {
            return self.container_line(text, at, &part, nest);
        }
        if prefix::starts_json(line) {
            return self.values_of_lines(text, start, nest);
        }
        if line.contains('\x1b') {
            let plain = prefix::without_colours(line);
            self.lines(&plain, nest.deeper());
        } else {
            self.text_line(line, start, nest);
        }
        after
    }

    /// A line that does not start with JSON, and starts at `at`.
    fn text_line(&mut self, line: &str, at: usize, nest: Nest<'_>) {
        if line.starts_with(base64::MAGIC) && !line.contains(' ') {
            return self.embedded_gzip(line, nest);
        }
        if line.contains("\"{\"\"") {
            return self.csv_fields(&csv::fields(line), nest);
        }
        let mut broken = None;
        for start in prefix::candidates(line) {
            let timed = nest.timed(prefix::time(&line[..start]));
            let timed = Nest { base: nest.base.map(|base| base + at), ..timed };
            if json::first_value(&line[start..]).is_ok() {
                self.row_of_text(line);
                self.values_of_lines(line, start, timed);
                return;
            }
            if is_event(&line.as_bytes()[start..]) {
                let timed = timed.timed(prefix::trailing_time(line));
                return self.cut_event(&line[start..], timed);
            }
            if line[start..].contains("auditID") {
                broken = broken.or(Some((start, timed)));
            }
        }
        match broken {
            Some((start, timed)) => {
                self.values_of_lines(line, start, timed);
            }
            None if prefix::is_frame(line) => self.frame(line),
            None => self.not_audit(),
        }
    }

    fn frame(&mut self, line: &str) {
        let mut columns = line.split('\t');
        match (columns.next(), columns.next().map(Column::named)) {
            (Some("NEXTTOKEN"), _) => self.warn(Warning::MorePages),
            (Some("RESULTS"), Some(Column::Usage(_))) => self.warn(Warning::AggregatedText),
            _ => {}
        }
    }

    fn row_of_text(&mut self, line: &str) {
        if line.starts_with("RESULTS\t") {
            self.tally.add_insights_row(&self.origin.name);
        }
    }

    /// Joins the parts of a container runtime's record.
    fn container_line(&mut self, text: &str, at: usize, first: &Part<'_>, nest: Nest<'_>) -> usize {
        let mut after = line_end(text, at) + 1;
        let timed = nest.deeper().timed(Some(&first.time));
        if !first.is_partial {
            self.printed(&first.text, timed);
            return after;
        }
        let mut record = first.text.to_string();
        let mut others = Vec::new();
        while after < text.len() {
            let end = line_end(text, after);
            let line = &text[after..end];
            after = end + 1;
            match Part::of(line.trim_end_matches('\r')) {
                Some(part) if part.is_stderr == first.is_stderr => {
                    record.push_str(&part.text);
                    if !part.is_partial {
                        break;
                    }
                }
                // The other stream's lines may come in between.
                _ => others.push(line),
            }
        }
        self.printed(&record, timed);
        self.lines(&others.join("\n"), nest.deeper());
        after
    }

    /// What a program printed as one line.
    fn printed(&mut self, text: &str, nest: Nest<'_>) {
        if holds_event(text) && is_rest(text) {
            return self.malformed(&Cause::CutRecord, text.as_bytes());
        }
        self.lines(text, nest);
    }

    /// Whether what follows a line are rows, and never the rest of what it says.
    fn is_csv(&self) -> bool {
        matches!(*self.origin.dialect, Dialect::Csv(_))
    }

    /// A line below a CSV header; false where it does not fit the header, as
    /// with the later lines of a message that spans lines.
    fn csv_line(&mut self, line: &str, nest: Nest<'_>) -> bool {
        let origin = self.origin;
        let Dialect::Csv(columns) = &*origin.dialect else { return false };
        if nest.base.is_none() {
            return false;
        }
        let fields = csv::fields(line);
        if fields.len() != columns.len() {
            return false;
        }
        self.tally.add_insights_row(&origin.name);
        if columns.contains(&Column::Message) {
            self.message_row(columns, &fields, nest);
        } else {
            let mut row = UsageRow::default();
            for (column, field) in columns.iter().zip(&fields) {
                if let Column::Usage(name) = column {
                    row.set(*name, field.as_str().into());
                }
            }
            self.usage_row(&row);
        }
        true
    }

    fn message_row(&mut self, columns: &[Column], fields: &[String], nest: Nest<'_>) {
        let of = |wanted| columns.iter().position(|column| *column == wanted);
        let time = of(Column::Time).map(|at| fields[at].as_str());
        match of(Column::Message).map(|at| &fields[at]) {
            Some(message) if holds_event(message) => {
                self.lines(message, nest.deeper().timed(time));
            }
            _ => self.not_audit(),
        }
    }

    /// The fields of a CSV line without a header, one of which is an event.
    fn csv_fields(&mut self, fields: &[String], nest: Nest<'_>) {
        let time = fields.first().and_then(|field| prefix::time(field));
        match fields.iter().find(|field| field.starts_with('{')) {
            Some(event) if fields.len() > 1 => self.lines(event, nest.deeper().timed(time)),
            _ => self.not_audit(),
        }
    }

    /// Base64 of gzip, alone on a line or in a string.
    pub(super) fn embedded_gzip(&mut self, encoded: &str, nest: Nest<'_>) {
        if nest.inflated {
            return self.malformed(&Cause::TooDeep, encoded.as_bytes());
        }
        match base64::inflate(encoded, self.origin.record_limit) {
            Ok(text) => self.lines(&text, Nest { inflated: true, ..nest.deeper() }),
            Err(cause) => self.malformed(&cause, encoded.as_bytes()),
        }
    }
}

fn has_time(event: &Event<'_>) -> bool {
    !event.stage_timestamp.is_empty()
}

/// Where the line at `at` ends: its line break, or the end of the text.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |newline| at + newline)
}
