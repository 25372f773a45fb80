//! What the service gives, in this module's own terms.

use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types::{FilteredLogEvent, LogStream, OutputLogEvent};

use super::span::Span;

/// One answer of `FilterLogEvents` or `GetLogEvents`.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) events: Vec<LogEvent>,
    /// Leads to the next page. Without one, this was the last.
    pub(super) next: Option<String>,
}

/// One record of CloudWatch Logs.
#[derive(Debug)]
pub(super) struct LogEvent {
    /// CloudWatch's own name for it, which `GetLogEvents` does not tell.
    pub(super) id: Option<String>,
    /// Its stream, which `GetLogEvents` does not tell.
    pub(super) stream: Option<String>,
    /// Milliseconds since 1970.
    pub(super) time: Option<i64>,
    pub(super) ingested: Option<i64>,
    pub(super) message: String,
}

impl From<FilteredLogEvent> for LogEvent {
    fn from(event: FilteredLogEvent) -> Self {
        Self {
            id: event.event_id,
            stream: event.log_stream_name,
            time: event.timestamp,
            ingested: event.ingestion_time,
            message: event.message.unwrap_or_default(),
        }
    }
}

impl From<OutputLogEvent> for LogEvent {
    fn from(event: OutputLogEvent) -> Self {
        Self {
            id: None,
            stream: None,
            time: event.timestamp,
            ingested: event.ingestion_time,
            message: event.message.unwrap_or_default(),
        }
    }
}

/// A stream as `DescribeLogStreams` lists it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stream {
    pub(super) name: Arc<str>,
    /// When it had events. The service's word on this is up to an hour late or more,
    /// so that it says where events are, and never where there are none.
    pub(super) active: Span,
}

impl Stream {
    /// A stream whose name is missing does not exist.
    pub(super) fn from_listing(stream: LogStream) -> Option<Self> {
        const BEHIND: i64 = 60 * 60 * 1_000;
        let name = stream.log_stream_name?.into();
        let first =
            [stream.creation_time, stream.first_event_timestamp].into_iter().flatten().min();
        let last =
            [stream.last_event_timestamp, stream.last_ingestion_time].into_iter().flatten().max();
        let active = match (first, last) {
            (Some(first), Some(last)) => Span::new(first, last.saturating_add(BEHIND)),
            _ => Span::new(0, 0),
        };
        Some(Self { name, active })
    }
}
