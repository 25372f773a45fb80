//! Audit events that can be told apart, and times for them.

use jiff::Timestamp;

/// 2024-03-01T10:00:02Z and 11:50:00Z. With what is padded, the range that is read
/// lasts two hours, and cut in eight its edges are quarter hours.
pub(crate) const SINCE: &str = "2024-03-01T10:00:02Z";
pub(crate) const UNTIL: &str = "2024-03-01T11:50:00Z";
/// 2024-03-01T10:00:00Z in milliseconds.
pub(crate) const TEN: i64 = 1_709_287_200_000;
pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;

/// A record as CloudWatch Logs keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) time: i64,
    pub(crate) message: String,
}

/// Which configmap the event of this number reads.
pub(crate) fn name(number: usize) -> String {
    format!("item-{number:05}")
}

/// A service account reads a configmap of its own namespace.
pub(crate) fn record(number: usize, time: i64) -> Record {
    padded_record(number, time, 0)
}

/// The same with `padding` more bytes in it.
///
/// Its own time is within the range that is asked for even where CloudWatch's is in
/// the padding around it.
pub(crate) fn padded_record(number: usize, time: i64, padding: usize) -> Record {
    let (since, until) = (SINCE.parse().unwrap(), UNTIL.parse::<Timestamp>().unwrap());
    let last = until - jiff::SignedDuration::from_millis(1);
    let own = Timestamp::from_millisecond(time).unwrap().clamp(since, last);
    stamped_record(number, time, own, padding)
}

/// An event that happened at `own` and came to CloudWatch at `time`.
pub(crate) fn stamped_record(number: usize, time: i64, own: Timestamp, padding: usize) -> Record {
    let name = name(number);
    let agent = format!("api/1.0{}", "x".repeat(padding));
    let message = format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{number:08}-0000-4000-8000-000000000000","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/configmaps/{name}","verb":"get","user":{{"username":"system:serviceaccount:shop:reader","groups":["system:serviceaccounts","system:serviceaccounts:shop","system:authenticated"]}},"sourceIPs":["10.0.0.1"],"userAgent":"{agent}","objectRef":{{"resource":"configmaps","namespace":"shop","name":"{name}","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"{own:.6}","stageTimestamp":"{own:.6}","annotations":{{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":""}}}}"#
    );
    Record { time, message }
}

/// `count` events, numbered from `first`, evenly spread over the two hours.
pub(crate) fn spread(first: usize, count: usize) -> Vec<Record> {
    let step = 120 * MINUTE / i64::try_from(count).unwrap();
    (0..count).map(|i| record(first + i, TEN + step * i64::try_from(i).unwrap())).collect()
}
