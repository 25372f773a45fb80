//! What is to be read: a log group, its audit streams, a range of time.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::error::FetchError;
use super::span::Span;

/// The streams that hold audit events. One letter less would match those of the API
/// server's own log too (`kube-apiserver-<hash>`).
pub const AUDIT_STREAMS: &str = "kube-apiserver-audit-";

/// Everything that decides what is read and how fast.
#[derive(Clone, Debug)]
pub struct Query {
    /// The log group's name.
    pub group: String,
    /// What the names of the streams start with, see [`AUDIT_STREAMS`].
    pub stream_prefix: String,
    /// The Region; without one, that of the environment or the profile.
    pub region: Option<String>,
    /// A profile of the AWS configuration files.
    pub profile: Option<String>,
    /// Another address than the one of AWS.
    pub endpoint_url: Option<String>,
    /// The first moment, as the events' own time has it.
    pub since: Timestamp,
    /// The moment after the last, as the events' own time has it.
    pub until: Timestamp,
    /// A CloudWatch filter pattern that the service applies.
    pub filter_pattern: Option<String>,
    /// Calls a second, instead of about four fifths of what AWS allows.
    pub max_tps: Option<f64>,
    /// A folder that keeps what is read.
    pub save: Option<PathBuf>,
}

/// CloudWatch's own time was seen to run up to 0.8 s apart from the events'.
const EARLY: SignedDuration = SignedDuration::from_secs(2);
/// EKS delivers "within a few minutes" and CloudWatch then stamps the late arrival.
const LATE: SignedDuration = SignedDuration::from_mins(10);

impl Query {
    /// The audit log of the EKS cluster `name`, from `since` until `until`.
    pub fn cluster(name: &str, since: Timestamp, until: Timestamp) -> Self {
        Self {
            group: format!("/aws/eks/{name}/cluster"),
            stream_prefix: AUDIT_STREAMS.to_owned(),
            region: None,
            profile: None,
            endpoint_url: None,
            since,
            until,
            filter_pattern: None,
            max_tps: None,
            save: None,
        }
    }

    /// The range of CloudWatch's time that holds every event of the query's range:
    /// padded on both sides, since CloudWatch's time is not the events' own.
    pub(super) fn span(&self, now: Timestamp) -> Result<Span, FetchError> {
        if self.since >= self.until {
            return Err(FetchError::EmptyRange { since: self.since, until: self.until });
        }
        if self.since >= now {
            return Err(FetchError::Future { since: self.since });
        }
        let start = self.since.saturating_sub(EARLY).unwrap_or(self.since);
        let end = self.until.min(now).saturating_add(LATE).unwrap_or(self.until);
        Ok(Span::new(start.as_millisecond().max(0), end.as_millisecond()))
    }

    /// The cluster's name, where the log group is that of an EKS cluster.
    pub(super) fn cluster_name(&self) -> Option<&str> {
        self.group.strip_prefix("/aws/eks/")?.strip_suffix("/cluster")
    }

    /// Whether the calls a second are a number that can be kept to.
    pub(super) fn check_speed(&self) -> Result<(), FetchError> {
        match self.max_tps {
            Some(tps) if !(0.01..=1_000.0).contains(&tps) => Err(FetchError::BadSpeed { tps }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(since: &str, until: &str) -> Query {
        Query::cluster("prod", since.parse().unwrap(), until.parse().unwrap())
    }

    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn padded(since: &str, until: &str) -> (String, String) {
        let span = query(since, until).span(now()).unwrap();
        let show = |ms| Timestamp::from_millisecond(ms).unwrap().to_string();
        (show(span.start), show(span.end))
    }

    #[test]
    fn a_range_is_padded_for_events_that_come_early_or_late() {
        assert_eq!(
            padded("2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z"),
            ("2026-11-20T08:59:58Z".into(), "2026-11-20T10:10:00Z".into())
        );
    }

    #[test]
    fn the_future_is_not_read() {
        assert_eq!(
            padded("2026-11-20T09:00:00Z", "2030-01-01T00:00:00Z").1,
            "2026-11-20T12:10:00Z"
        );
        let later = query("2026-11-20T12:00:01Z", "2026-11-20T13:00:00Z").span(now());
        assert!(matches!(later, Err(FetchError::Future { .. })), "{later:?}");
    }

    #[test]
    fn a_range_that_ends_before_it_starts_is_refused() {
        let turned = query("2026-11-20T10:00:00Z", "2026-11-20T09:00:00Z").span(now());
        assert!(matches!(turned, Err(FetchError::EmptyRange { .. })), "{turned:?}");
    }

    #[test]
    fn a_speed_of_nothing_is_refused() {
        for tps in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut query = query("2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z");
            query.max_tps = Some(tps);
            assert!(query.check_speed().is_err(), "{tps}");
        }
    }

    #[test]
    fn the_cluster_is_known_by_its_log_group() {
        let mut query = query("2026-11-20T09:00:00Z", "2026-11-20T10:00:00Z");
        assert_eq!(query.cluster_name(), Some("prod"));
        query.group = "/my/own/group".into();
        assert_eq!(query.cluster_name(), None);
    }
}
