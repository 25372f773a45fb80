//! What the fuzz targets check, and the inputs that they kept, checked again by every test
//! run.

pub(crate) mod events;
mod manifests;
mod request_uri;

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use leastrole::audit::Frame;

/// Gives every kept input of a target to its check.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 10, "the corpus of {target} is there");
    for path in paths {
        let bytes = fs::read(&path).unwrap();
        assert!(catch_unwind(|| check(&bytes)).is_ok(), "{}", path.display());
    }
}

#[test]
fn kept_event_inputs_are_read_alike_on_every_way() {
    replay("events", events::check);
}

#[test]
fn kept_manifests_are_read_and_written_alike() {
    replay("manifests", manifests::check);
}

#[test]
fn kept_request_uris_are_read_as_the_oracle_reads_them() {
    replay("request_uri", request_uri::check);
}

/// Once granted to `""`, which the API server refuses and so no proof is found for.
#[test]
fn nothing_is_granted_to_nobody() {
    let event = |user: &str, uri: &str, verb: &str, more: &str| {
        format!(
            r#"{{"auditID":"a","stage":"ResponseComplete","requestURI":"{uri}","verb":"{verb}",{user},"responseStatus":{{"code":201}}{more}}}"#
        )
    };
    let review = r#","requestObject":{"spec":{"groups":["g"],"resourceAttributes":{"verb":"get","resource":"pods","namespace":"n"}}},"responseObject":{"spec":{"groups":["g"],"resourceAttributes":{"verb":"get","resource":"pods","namespace":"n"}},"status":{"allowed":true}}"#;
    let uri = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    for log in [
        event(r#""user":{}"#, "/api/v1/pods", "list", ""),
        event(r#""user":{"username":"u"},"impersonatedUser":{}"#, "/api/v1/pods", "list", ""),
        event(r#""user":{"username":"system:node:n"}"#, uri, "create", review),
    ] {
        events::check(log.as_bytes());
    }
}

/// Once read as one event: who asked in the first, and what was decided in the last.
#[test]
fn glued_events_are_not_framed_as_one() {
    let event = |user: &str| {
        r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"a","stage":"ResponseComplete","requestURI":"/api/v1/pods","verb":"list","user":{"username":"USER"},"sourceIPs":["10.0.0.1"],"responseStatus":{"code":200},"requestObject":{},"requestReceivedTimestamp":"2026-11-23T15:38:54.147752Z","stageTimestamp":"2026-11-23T15:38:54.147752Z","annotations":{"authorization.k8s.io/decision":"allow"}}"#
            .replace("USER", user)
    };
    let is_framed = |line: &str| Frame::split(line.as_bytes()).is_some();
    assert!(is_framed(&event("a")));
    let received = event("a").replace("ResponseComplete", "RequestReceived");
    for first in [event("a"), received] {
        let glued = first + &event("b");
        assert!(!is_framed(&glued));
        events::check(glued.as_bytes());
    }
}

/// Once read as the first one, refused, with the answer of the second: a writer that ends in
/// the middle of a line leaves the next one glued to it.
#[test]
fn a_cut_event_is_not_framed_with_the_one_glued_to_it() {
    let event = |uri: &str, middle: &str| {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseComplete","requestURI":"{uri}","verb":"get","user":{{"username":"u","groups":["g"]}},"sourceIPs":["10.0.0.1"],"userAgent":"p"{middle},"requestReceivedTimestamp":"2026-11-23T15:38:54.147752Z","stageTimestamp":"2026-11-23T15:38:54.147752Z","annotations":{{"authorization.k8s.io/decision":"allow"}}}}"#
        )
    };
    let object = r#","objectRef":{"resource":"secrets","namespace":"n","name":"s"}"#;
    let refused = r#","responseStatus":{"metadata":{},"status":"Failure","message":"secrets \"s\" is forbidden: no","reason":"Forbidden","details":{"name":"s","kind":"secrets"},"code":403}"#;
    let done = r#","responseStatus":{"metadata":{},"code":200}"#;
    let deleted = r#","responseStatus":{"metadata":{},"status":"Success","details":{"name":"s","uid":"1"},"code":200}"#;
    let bodies = r#","requestObject":{"a":{}},"responseObject":{"b":"c"}"#;
    let is_framed = |line: &str| {
        Frame::split(line.as_bytes()).is_some_and(|(frame, _)| frame.event().is_some())
    };
    let middles = [refused, done, deleted].map(|status| [object, status].concat());
    let firsts = middles.iter().flat_map(|middle| [middle.clone(), [middle, bodies].concat()]);
    let seconds = [done.to_owned(), deleted.to_owned(), [done, bodies].concat()];
    for first in firsts.map(|middle| event("/api/v1/namespaces/n/secrets/s", &middle)) {
        assert!(is_framed(&first), "{first}");
        for second in seconds.iter().map(|middle| event("/readyz", middle)) {
            for cut in 1..=first.len() {
                let glued = [&first[..cut], &second].concat();
                assert!(!is_framed(&glued), "{glued}");
            }
        }
    }
}
