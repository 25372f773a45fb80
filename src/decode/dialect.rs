//! What the first lines of an input say about all of its lines.

use super::container::Part;
use super::csv;
use super::problem::Warning;
use super::usage_row::Column;

/// What must be known of an input to decode a block from its middle. Almost
/// everything is recognised line by line and needs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Every line speaks for itself.
    #[default]
    Plain,
    /// A container runtime's log, in which a record may span lines.
    Container,
    /// CSV below a header.
    Csv(Vec<Column>),
}

/// What the first lines say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) dialect: Dialect,
    /// Bytes at the start that are a header and no record.
    pub(super) header: usize,
    pub(super) warning: Option<Warning>,
}

impl Head {
    /// Reads the start of an input.
    pub(super) fn of(start: &[u8]) -> Self {
        let end = memchr::memchr(b'\n', start).map_or(start.len(), |newline| newline + 1);
        let Ok(first) = std::str::from_utf8(&start[..end]) else { return Self::default() };
        let first = first.trim_start_matches('\u{feff}').trim_end();
        let rest = &start[end..];
        if Part::may_start(first) {
            return Self { dialect: Dialect::Container, ..Self::default() };
        }
        if first.starts_with("b/") && first.contains("\tf/") {
            return Self { header: end, warning: Some(Warning::OnePage), ..Self::default() };
        }
        if STATUSES.contains(&first) && rest.starts_with(b"RESULTS\t") {
            return Self { header: end, warning: incomplete(first), ..Self::default() };
        }
        match columns(first) {
            Some(columns) => Self { dialect: Dialect::Csv(columns), header: end, warning: None },
            None => Self::default(),
        }
    }
}

const STATUSES: [&str; 7] =
    ["Complete", "Scheduled", "Running", "Failed", "Cancelled", "Timeout", "Unknown"];

/// The warning that a query's status calls for.
pub(super) fn incomplete(status: &str) -> Option<Warning> {
    let known = STATUSES[1..].contains(&status);
    known.then(|| Warning::QueryIncomplete(status.to_owned()))
}

/// The columns of a CSV header that holds events or aggregated usage.
fn columns(line: &str) -> Option<Vec<Column>> {
    let nameable = |byte: u8| byte.is_ascii_alphanumeric() || b"@._()*`/\",-".contains(&byte);
    if !line.contains(',') || !line.bytes().all(nameable) {
        return None;
    }
    let columns: Vec<_> = csv::fields(line).iter().map(|name| Column::named(name)).collect();
    let usable = Column::are_usage(&columns.iter().copied()) || columns.contains(&Column::Message);
    usable.then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::super::usage_row::Field;
    use super::*;

    #[test]
    fn a_csv_header_is_told_from_a_line() {
        let head = Head::of(b"@timestamp,@message,@logStream\n1,\"{\"\"a\"\"}\",x\n");
        let columns = vec![Column::Time, Column::Message, Column::Other];
        assert_eq!(head, Head { dialect: Dialect::Csv(columns), header: 31, warning: None });
        let head = Head::of("\u{feff}user.username,verb,count(*)\r\n".as_bytes());
        let columns = [Field::Who, Field::Verb, Field::Calls].map(Column::Usage).to_vec();
        assert_eq!(head.dialect, Dialect::Csv(columns));
        for line in
            ["message, in a bottle\n", "a,b,c\n", "{\"message\":1,\"verb\":2}\n", "", "message\n"]
        {
            assert_eq!(Head::of(line.as_bytes()), Head::default(), "{line}");
        }
    }

    #[test]
    fn cli_text_that_is_not_whole_is_warned_of() {
        let head = Head::of(b"b/39000000/s\tf/39000003/s\nEVENTS\t1\n");
        assert_eq!((head.header, head.warning), (26, Some(Warning::OnePage)));
        let head = Head::of(b"Running\nRESULTS\t@message\t{}\n");
        assert_eq!(head.warning, Some(Warning::QueryIncomplete("Running".to_owned())));
        let head = Head::of(b"Complete\nRESULTS\t@message\t{}\n");
        assert_eq!((head.header, head.warning), (9, None));
        assert_eq!(Head::of(b"Complete\nnonsense\n"), Head::default());
    }
}
