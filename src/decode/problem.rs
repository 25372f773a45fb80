//! What can be wrong with a record, where it was, and what it looked like.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::source::{Damage, Flaw};

use super::line_numbers::LineNumber;

/// Characters of a record that a [`Problem`] shows.
const EXCERPT: usize = 60;

/// Why bytes could not be used. At fault is whoever wrote, cut or stored them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Cause {
    /// The record is neither JSON nor a line of text.
    #[error("not valid JSON")]
    NotJson,
    /// The record ends too early, and what is left does not decide its needs.
    #[error("the record is cut short")]
    CutRecord,
    /// The record is longer than the limit.
    #[error("longer than {}", Size(*limit))]
    RecordTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The line is not UTF-8.
    #[error("not valid UTF-8")]
    InvalidUtf8,
    /// An audit event lies deeper in wrappers than is looked.
    #[error("wrapped more than {} levels deep", super::walker::DEPTH)]
    TooDeep,
    /// An audit event of an API version that we do not know.
    #[error("unknown version of the audit API")]
    UnknownAuditVersion,
    /// A string holds base64 or gzip that does not decode.
    #[error("embedded gzip data does not inflate")]
    EmbeddedGzip,
    /// The input as a whole, or all that follows, cannot be read.
    #[error(transparent)]
    Input(Damage),
}

impl Cause {
    /// A stable name in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotJson => "not-json",
            Self::CutRecord => "cut-record",
            Self::RecordTooLong { .. } => "record-too-long",
            Self::InvalidUtf8 => "invalid-utf8",
            Self::TooDeep => "too-deep",
            Self::UnknownAuditVersion => "unknown-audit-version",
            Self::EmbeddedGzip => "embedded-gzip",
            Self::Input(Damage::GzipCut) => "gzip-cut",
            Self::Input(Damage::GzipCorrupt) => "gzip-corrupt",
            Self::Input(Damage::TrailingGarbage) => "trailing-garbage",
            Self::Input(Damage::ZstdCorrupt(_)) => "zstd-corrupt",
            Self::Input(Damage::UnsupportedFormat { .. }) => "unsupported-format",
            Self::Input(Damage::Unreadable(_)) => "unreadable-file",
        }
    }

    /// Whether it is about the input as a whole rather than one record of it.
    pub fn is_of_input(&self) -> bool {
        matches!(self, Self::Input(_))
    }
}

struct Size(usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            size if size >= 1 << 20 => write!(f, "{} MiB", size >> 20),
            size if size >= 1 << 10 => write!(f, "{} KiB", size >> 10),
            size => write!(f, "{size} bytes"),
        }
    }
}

/// Where a record starts in the inflated stream.
#[derive(Debug)]
pub(super) struct Place {
    /// Offset in bytes.
    pub(super) offset: u64,
    pub(super) line: LineNumber,
}

/// One thing that went wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The input's name.
    pub file: Arc<str>,
    /// Offset in bytes: in the inflated stream for a record, in the stored one
    /// for the input as a whole.
    pub offset: u64,
    line: LineNumber,
    /// What is wrong.
    pub cause: Cause,
    /// How the record begins, escaped; empty where there is none.
    pub excerpt: String,
}

impl Problem {
    /// A record at `place` that cannot be used.
    pub(super) fn with_record(file: &Arc<str>, place: Place, cause: Cause, record: &[u8]) -> Self {
        let Place { offset, line } = place;
        Self { file: Arc::clone(file), offset, line, cause, excerpt: excerpt(record) }
    }

    /// An input that cannot be read, or not to its end.
    pub fn with_input(file: &Arc<str>, flaw: Flaw) -> Self {
        Self {
            file: Arc::clone(file),
            offset: flaw.offset,
            line: LineNumber::default(),
            cause: Cause::Input(flaw.damage),
            excerpt: String::new(),
        }
    }

    /// Line number from 1; 0 where lines mean nothing, and while the input is not read
    /// so far.
    pub fn line(&self) -> u64 {
        self.line.get()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        let line = self.line();
        if line > 0 {
            write!(f, ":{line}")?;
        }
        write!(f, ": {} (byte {})", self.cause, self.offset)?;
        if self.excerpt.is_empty() { Ok(()) } else { write!(f, ": {}", self.excerpt) }
    }
}

/// Harmless on any terminal: what does not print is escaped.
fn excerpt(record: &[u8]) -> String {
    let head = &record[..record.len().min(4 * EXCERPT)];
    let text = String::from_utf8_lossy(head);
    let mut excerpt: String = text
        .chars()
        .take(EXCERPT)
        .flat_map(|c| -> Box<dyn Iterator<Item = char>> {
            if c == '"' || c == '\'' {
                Box::new(std::iter::once(c))
            } else {
                Box::new(c.escape_debug())
            }
        })
        .collect();
    if text.chars().count() > EXCERPT || head.len() < record.len() {
        excerpt.push_str("...");
    }
    excerpt
}

/// Something about an input that its reader should know, although it was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Warning {
    /// `aws logs get-log-events` output, which the CLI does not paginate.
    #[error(
        "output of get-log-events, which is one page only: events are likely missing; \
         use filter-log-events"
    )]
    OnePage,
    /// The export holds a token for pages that it does not hold.
    #[error("the export was stopped before its last page: events are missing")]
    MorePages,
    /// A Logs Insights query that was not complete when its results were fetched.
    #[error("the query was not complete but {0}: rows are missing")]
    QueryIncomplete(String),
    /// Aggregated rows as text, where nothing says where a row ends.
    #[error("aggregated query results are read from JSON and CSV only: use --output json")]
    AggregatedText,
    /// As many rows as Logs Insights gives where no limit is set.
    #[error(
        "exactly 10,000 rows, where Logs Insights stops without saying so: rows are likely \
         missing; add a limit to the query or shorten its time range"
    )]
    QueryTruncated,
    /// OCSF records, in which the audit event is not whole.
    #[error(
        "OCSF records do not hold what RBAC needs: export the original events \
         (filter-log-events returns them)"
    )]
    Ocsf,
    /// Google Cloud Audit Logs.
    #[error(
        "Google Cloud audit records (protoPayload) are another schema and are not read: \
         use the API server's own audit log"
    )]
    CloudAudit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_cannot_move_the_cursor() {
        let record = b"{\"a\":\"\x1b[2J\xe2\x80\xae\xff\r\n";
        assert_eq!(excerpt(record), r#"{"a":"\u{1b}[2J\u{202e}�\r\n"#);
        assert_eq!(excerpt(&[b'x'; 500]), format!("{}...", "x".repeat(EXCERPT)));
    }

    #[test]
    fn a_problem_reads_as_one_line() {
        let file: Arc<str> = "a.log".into();
        let place = Place { offset: 1234, line: LineNumber::default() };
        place.line.settle(7);
        let cause = Cause::RecordTooLong { limit: 16 << 20 };
        let problem = Problem::with_record(&file, place, cause, b"{\"kind\":1}");
        assert_eq!(problem.to_string(), r#"a.log:7: longer than 16 MiB (byte 1234): {"kind":1}"#);
        let problem = Problem::with_input(&file, Flaw { damage: Damage::GzipCut, offset: 9 });
        assert_eq!(problem.to_string(), "a.log: the gzip data ends too early (byte 9)");
    }
}
