//! Finds the audit events anywhere in a JSON value.
//!
//! One walk reads every wrapper: objects, arrays, and strings that hold JSON or
//! gzip. An object with the fields of an event is one, and is not looked into.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::audit::{Event, Text};

use super::Consumer;
use super::base64;
use super::block::{Decoder, Nest};
use super::json;
use super::problem::{Cause, Warning};
use super::usage_row::{Column, UsageRow};

/// Containers and strings around an event that are looked through. OTLP has
/// nine.
pub(super) const DEPTH: usize = 12;

/// The keys under which exporters list records: each element is one.
const LISTS: [&str; 10] = [
    "logEvents",
    "events",
    "items",
    "results",
    "result",
    "hits",
    "values",
    "logRecords",
    "Records",
    "records",
];

/// The keys under which wrappers give the time of a record, best first.
const TIMES: [&str; 6] = ["timestamp", "@timestamp", "timeUnixNano", "time", "_time", "date"];

/// What an object holds that matters.
#[derive(Default)]
struct Contents<'t> {
    /// Objects and arrays to look into, and whether their elements are records.
    containers: Vec<(&'t str, bool)>,
    strings: Vec<&'t str>,
    time: Option<(usize, Text<'t>)>,
    columns: Vec<(Column, &'t str)>,
    foreign: Option<Warning>,
    is_insights_row: bool,
}

impl<C: Consumer> Decoder<'_, C> {
    /// Looks for events in `value`. Whether anything in it was counted.
    pub(super) fn value(&mut self, value: &str, nest: Nest<'_>) -> bool {
        if nest.depth > DEPTH {
            let lost = holds_event(value);
            if lost {
                self.malformed(&Cause::TooDeep, value.as_bytes());
            }
            return lost;
        }
        match value.as_bytes().first() {
            Some(b'{') => self.object(value, nest),
            Some(b'[') => {
                self.insights_row(value, nest) || self.array(value, nest.depth == 0, nest)
            }
            Some(b'"') => self.string(value, nest),
            _ => false,
        }
    }

    fn object(&mut self, object: &str, nest: Nest<'_>) -> bool {
        if self.event(object, nest) {
            return true;
        }
        let Ok(contents) = self.contents(object) else {
            self.malformed(&Cause::NotJson, object.as_bytes());
            return true;
        };
        if Column::are_usage(&contents.columns.iter().map(|(column, _)| *column)) {
            self.object_row(&contents.columns);
            return true;
        }
        if contents.is_insights_row {
            self.tally.add_insights_row(&self.origin.name);
        }
        let time = contents.time.as_ref().map(|(_, time)| &**time);
        // Only beside another candidate can an event stand twice.
        let wrapped = nest.wrapped || contents.containers.len() + contents.strings.len() > 1;
        let within = Nest { wrapped, ..nest.deeper().timed(time) };
        let mut accounted = false;
        for (container, is_list) in contents.containers {
            accounted |= if container.starts_with('[') {
                self.array(container, is_list, within)
            } else {
                self.value(container, within)
            };
        }
        for string in contents.strings {
            accounted |= self.value(string, within);
        }
        if let Some(warning) = contents.foreign.filter(|_| !accounted) {
            self.warn(warning);
        }
        accounted
    }

    /// Hands `object` on if it is an event itself.
    fn event(&mut self, object: &str, nest: Nest<'_>) -> bool {
        if KEY.find(object.as_bytes()).is_none() {
            return false;
        }
        let Ok(event) = Event::parse(object) else { return false };
        if event.is_audit_event() {
            self.found(event, nest);
            return true;
        }
        let is_of_audit_api = event.api_version.starts_with("audit.k8s.io/");
        let is_unknown = is_of_audit_api && !event.audit_id.is_empty();
        if is_unknown {
            self.malformed(&Cause::UnknownAuditVersion, object.as_bytes());
        }
        is_unknown
    }

    /// What matters of an object's members, containers before the strings that
    /// may repeat them.
    fn contents<'t>(&mut self, object: &'t str) -> serde_json::Result<Contents<'t>> {
        let mut contents = Contents::default();
        let mut notes = Vec::new();
        json::members(object, |key, value| {
            contents.add(key, value);
            if NOTED.contains(&key) {
                notes.push((key.to_owned(), value));
            }
        })?;
        let lists_rows = contents.containers.iter().any(|(_, is_list)| *is_list);
        for (key, value) in notes {
            self.note_member(&key, value, lists_rows);
        }
        Ok(contents)
    }

    /// `records`: each element is a record, to be counted also if it is no event.
    fn array(&mut self, array: &str, records: bool, nest: Nest<'_>) -> bool {
        let mut accounted = false;
        let seen = std::mem::take(&mut self.seen);
        let within = Nest { wrapped: false, ..nest.deeper() };
        let read = json::elements(array, |element| {
            let counted = self.value(element, within);
            if !counted && records {
                self.not_audit();
            }
            accounted |= counted || records;
            self.seen.clear();
        });
        self.seen = seen;
        if read.is_err() {
            self.malformed(&Cause::NotJson, array.as_bytes());
        }
        accounted || read.is_err()
    }

    fn string(&mut self, literal: &str, nest: Nest<'_>) -> bool {
        if !holds_event(literal) {
            return false;
        }
        let Ok(text) = json::string(literal) else {
            self.malformed(&Cause::NotJson, literal.as_bytes());
            return true;
        };
        if text.starts_with(base64::MAGIC) {
            self.embedded_gzip(&text, nest);
            return true;
        }
        let is_ours = text.contains("auditID") || is_foreign(&text);
        if is_ours {
            self.lines(&text, nest.deeper());
        }
        is_ours
    }

    /// A row of `get-query-results`: a list of `{"field": .., "value": ..}`.
    fn insights_row(&mut self, element: &str, nest: Nest<'_>) -> bool {
        if !element.starts_with('[') || !element[1..].trim_start().starts_with('{') {
            return false;
        }
        let mut columns = Vec::new();
        let read = json::elements(element, |cell| columns.extend(cell_of(cell)));
        if read.is_err() || columns.is_empty() {
            return false;
        }
        self.tally.add_insights_row(&self.origin.name);
        let names = columns.iter().map(|(column, _)| *column);
        if Column::are_usage(&names) {
            self.usage_columns(columns.iter().map(|(column, value)| (*column, &**value)));
            return true;
        }
        let of = |wanted| columns.iter().find(|(column, _)| *column == wanted);
        let time = of(Column::Time).map(|(_, time)| &**time);
        match of(Column::Message) {
            Some((_, message)) if holds_event(message) => {
                self.lines(message, nest.deeper().timed(time));
                true
            }
            _ => false,
        }
    }

    fn object_row(&mut self, columns: &[(Column, &str)]) {
        self.tally.add_insights_row(&self.origin.name);
        let cells: Vec<_> = columns
            .iter()
            .filter_map(|(column, raw)| Some((*column, json::scalar(raw)?)))
            .collect();
        self.usage_columns(cells.iter().map(|(column, text)| (*column, &**text)));
    }

    fn usage_columns<'v>(&mut self, columns: impl Iterator<Item = (Column, &'v str)>) {
        let mut row = UsageRow::default();
        for (column, value) in columns {
            if let Column::Usage(field) = column {
                row.set(field, value.into());
            }
        }
        self.usage_row(&row);
    }
}

/// Members that say something about the records beside them.
const NOTED: [&str; 5] =
    ["nextForwardToken", "nextBackwardToken", "nextToken", "NextToken", "status"];

impl<'t> Contents<'t> {
    fn add(&mut self, key: &str, value: &'t str) {
        let is_list = LISTS.contains(&key);
        match value.as_bytes().first() {
            Some(b'{' | b'[') if is_list || holds_event(value) => {
                self.containers.push((value, is_list));
            }
            Some(b'"') if holds_event(value) => self.strings.push(value),
            _ => {}
        }
        if let Some(rank) = TIMES.iter().position(|time| *time == key)
            && self.time.as_ref().is_none_or(|(best, _)| rank < *best)
        {
            let time = json::scalar(value).map(|time| (rank, time));
            self.time = time.or(self.time.take());
        }
        match key {
            "@message" => self.is_insights_row = true,
            "class_uid" => self.foreign = Some(Warning::Ocsf),
            "protoPayload" => self.foreign = Some(Warning::CloudAudit),
            _ => {}
        }
        let column = Column::named(key);
        if column != Column::Other {
            self.columns.push((column, value));
        }
    }
}

#[derive(serde::Deserialize)]
struct Cell<'t> {
    #[serde(borrow)]
    field: Text<'t>,
    #[serde(borrow)]
    value: Text<'t>,
}

fn cell_of(cell: &str) -> Option<(Column, Text<'_>)> {
    let cell: Cell<'_> = serde_json::from_str(cell).ok()?;
    Some((Column::named(&cell.field), cell.value))
}

/// Whether the object that `text` starts with is an event, were it whole.
pub(super) fn is_event(text: &[u8]) -> bool {
    json::has_key(text, &["auditID", "requestURI"])
}

static KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"auditID\""));
static MARKS: LazyLock<[Finder<'static>; 4]> =
    LazyLock::new(|| ["auditID", "H4sI", "class_uid", "protoPayload"].map(Finder::new));

/// Whether there can be anything of interest in a piece of JSON.
pub(super) fn holds_event(json: &str) -> bool {
    MARKS.iter().any(|mark| mark.find(json.as_bytes()).is_some())
}

fn is_foreign(text: &str) -> bool {
    text.starts_with('{') && (text.contains("\"class_uid\"") || text.contains("\"protoPayload\""))
}
