//! What was read, as data: inputs, events, the window observed. Every command that reads
//! a log says the same of it.

use serde::Serialize;

use super::summary::text;
use crate::decode::Tally;
use crate::policy::{Plan, VersionSource};
use crate::usage::{Outcomes, Place, Usage};

/// What was read, and what of.
#[derive(Debug, Serialize)]
pub struct ReadSummary {
    /// What was read.
    pub input: InputSummary,
    /// What became of the audit events; the numbers add up to `input.audit_events`.
    pub events: EventSummary,
    /// The time of the first and last event used or refused.
    pub window: Window,
    /// The Kubernetes version whose checks were followed.
    pub kubernetes: Kubernetes,
}

/// What was read.
#[derive(Debug, Serialize)]
pub struct InputSummary {
    /// Inputs that were opened.
    pub files: u64,
    /// Bytes as stored.
    pub bytes: u64,
    /// Bytes after decompression.
    pub inflated_bytes: u64,
    /// Audit events, salvaged ones included.
    pub audit_events: u64,
    /// Events that were cut and still decidable.
    pub salvaged: u64,
    /// Aggregated rows of a Logs Insights query.
    pub usage_rows: u64,
    /// Records that are something else.
    pub not_audit: u64,
    /// Records that could not be used.
    pub malformed: u64,
    /// What each stream of a live source gave; none of files.
    pub streams: Vec<StreamSummary>,
    /// What was wrong, by kind, with the first few places.
    pub problems: Vec<ProblemSummary>,
    /// What to know about an input as a whole.
    pub warnings: Vec<WarningSummary>,
}

/// One stream of a live source.
#[derive(Debug, Serialize)]
pub struct StreamSummary {
    /// Its name.
    pub name: String,
    /// Events that it gave, audit or not.
    pub events: u64,
}

/// Problems of one kind.
#[derive(Debug, Serialize)]
pub struct ProblemSummary {
    /// Stable kebab-case code.
    pub code: String,
    /// How many.
    pub count: u64,
    /// The first few, by file and offset.
    pub examples: Vec<ProblemExample>,
}

/// Where one problem is.
#[derive(Debug, Serialize)]
pub struct ProblemExample {
    /// The input.
    pub file: String,
    /// The line, from 1; of the decompressed text.
    pub line: u64,
    /// The offset in bytes; of the decompressed text.
    pub offset: u64,
    /// What is wrong.
    pub cause: String,
    /// The beginning of the record, escaped.
    pub excerpt: String,
}

/// What to know about one input.
#[derive(Debug, Serialize)]
pub struct WarningSummary {
    /// The input.
    pub file: String,
    /// What.
    pub message: String,
}

/// What became of the audit events.
#[derive(Debug, Serialize)]
pub struct EventSummary {
    pub used: u64,
    pub uncounted_stage: u64,
    pub denied: u64,
    pub undecided: u64,
    pub inexpressible: u64,
    pub node_authorizer: u64,
    pub control_plane: u64,
    pub not_selected: u64,
    pub outside_window: u64,
}

/// A stretch of time, RFC 3339.
#[derive(Debug, Serialize)]
pub struct Window {
    /// Its begin.
    pub first: Option<String>,
    /// Its end.
    pub last: Option<String>,
}

/// The Kubernetes version.
#[derive(Debug, Serialize)]
pub struct Kubernetes {
    /// As `1.36`.
    pub version: String,
    /// `given`, `log` or `assumed`.
    pub source: &'static str,
}

impl ReadSummary {
    /// Puts together what a run read.
    pub fn new(tally: &Tally, usage: &Usage, plan: &Plan) -> Self {
        Self {
            input: InputSummary::new(tally),
            events: events(&usage.outcomes),
            window: Window { first: text(usage.first), last: text(usage.last) },
            kubernetes: Kubernetes {
                version: plan.version.to_string(),
                source: source(plan.version_source),
            },
        }
    }
}

impl InputSummary {
    pub(super) fn new(tally: &Tally) -> Self {
        let problems = tally.problems().iter().map(|(code, problems)| ProblemSummary {
            code: (*code).to_owned(),
            count: problems.count,
            examples: problems
                .examples
                .iter()
                .map(|problem| ProblemExample {
                    file: problem.file.to_string(),
                    line: problem.line(),
                    offset: problem.offset,
                    cause: problem.cause.to_string(),
                    excerpt: problem.excerpt.clone(),
                })
                .collect(),
        });
        let warnings = tally.warnings().map(|(file, warning)| WarningSummary {
            file: file.to_owned(),
            message: warning.to_string(),
        });
        let streams = tally
            .streams
            .iter()
            .map(|(name, events)| StreamSummary { name: name.clone(), events: *events });
        Self {
            files: tally.files,
            bytes: tally.bytes,
            inflated_bytes: tally.inflated,
            audit_events: tally.audit_events,
            salvaged: tally.salvaged,
            usage_rows: tally.usage_rows,
            not_audit: tally.not_audit,
            malformed: tally.malformed,
            streams: streams.collect(),
            problems: problems.collect(),
            warnings: warnings.collect(),
        }
    }
}

fn events(outcomes: &Outcomes) -> EventSummary {
    EventSummary {
        used: outcomes.count(Place::Used),
        uncounted_stage: outcomes.count(Place::UncountedStage),
        denied: outcomes.count(Place::Denied),
        undecided: outcomes.count(Place::Undecided),
        inexpressible: outcomes.count(Place::Inexpressible),
        node_authorizer: outcomes.count(Place::NodeAuthorizer),
        control_plane: outcomes.count(Place::ControlPlane),
        not_selected: outcomes.count(Place::NotSelected),
        outside_window: outcomes.count(Place::OutsideWindow),
    }
}

fn source(source: VersionSource) -> &'static str {
    match source {
        VersionSource::Given => "given",
        VersionSource::Log => "log",
        VersionSource::Assumed => "assumed",
    }
}
