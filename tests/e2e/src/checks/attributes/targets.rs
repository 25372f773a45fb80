//! Makes up odd requests: paths, queries and methods that a tidy client never sends.
//!
//! Everything comes from the generator it is given, so that a seed gives the same requests.

use std::fmt;

use fastrand::Rng;
use serde_json::json;

/// A request to probe the server with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Probe {
    pub(super) method: String,
    pub(super) target: String,
    /// Where not empty, JSON.
    pub(super) body: String,
    /// The body's media type.
    pub(super) content_type: &'static str,
    /// Sent by a caller who may do everything; the others are refused by the authorizer.
    pub(super) allowed: bool,
}

/// Each is sent with every method before anything is made up. One a line, as are the others.
const TARGETS: &str = include_str!("../../../testdata/attributes/targets.txt");

/// Names of namespaces and objects; one of them is empty.
const NAMES: &str = include_str!("../../../testdata/attributes/names.txt");

/// Whole paths, most of them no resource.
const URLS: &str = include_str!("../../../testdata/attributes/urls.txt");

/// Query parameters, encoded as they are sent.
const PARAMETERS: &str = include_str!("../../../testdata/attributes/parameters.txt");

const METHODS: &[&str] =
    &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "LIST"];

/// Parents and their plural names, as RBAC knows them and as it does not.
const COLLECTIONS: &[(&str, &[&str])] = &[
    ("api/v1", &["pods", "services", "nodes", "configmaps", "secrets", "events", "namespaces"]),
    ("api/v1", &["serviceaccounts", "endpoints", "persistentvolumes", "bindings", "nothing"]),
    ("api/v2", &["pods"]),
    ("apis/apps/v1", &["deployments", "statefulsets", "namespaces"]),
    ("apis/batch/v1", &["jobs", "cronjobs"]),
    ("apis/rbac.authorization.k8s.io/v1", &["roles", "clusterroles", "rolebindings"]),
    ("apis/coordination.k8s.io/v1", &["leases"]),
    ("apis/shop.example.com/v1", &["orders", "regions"]),
    ("apis/odd.example.com/v1", &["namespaces"]),
    ("apis/authentication.k8s.io/v1", &["tokenreviews", "selfsubjectreviews"]),
    ("apis/no.such.group/v1alpha1", &["things"]),
    ("apis/events.k8s.io/v1", &["events"]),
];

const SUBRESOURCES: &[&str] = &[
    "status",
    "scale",
    "log",
    "exec",
    "attach",
    "portforward",
    "proxy",
    "proxy/a/b",
    "eviction",
    "binding",
    "token",
    "finalize",
    "ephemeralcontainers",
    "resize",
    "approval",
    "nothing",
    "",
    "Status",
    "proxy/",
    "namespaces/x",
];

/// All fixed requests, and as many made-up ones as asked for.
pub(super) fn probes(rng: &mut Rng, made_up: usize) -> Vec<Probe> {
    let mut probes = Vec::new();
    for target in TARGETS.lines() {
        for method in METHODS {
            probes.push(Probe::new(rng, (*method).into(), target.into()));
        }
    }
    for _ in 0..made_up {
        let (method, target) = (method(rng), target(rng));
        probes.push(Probe::new(rng, method, target));
    }
    probes
}

/// Reads as `GET /api/v1/pods`.
impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}

impl Probe {
    fn new(rng: &mut Rng, method: String, target: String) -> Self {
        let has_body = matches!(method.as_str(), "POST" | "PUT" | "PATCH");
        let body = if has_body { body(rng) } else { String::new() };
        let content_type = match (method.as_str(), rng.bool()) {
            ("PATCH", true) => "application/merge-patch+json",
            ("PATCH", false) => "application/apply-patch+yaml",
            _ => "application/json",
        };
        // Deleting is kept to one namespace: the other requests need what there is.
        let harmless = method != "DELETE" || target.contains("/namespaces/sandbox/");
        Self { body, content_type, allowed: harmless && rng.bool(), method, target }
    }
}

/// An object without a kind, which the server takes from the URL; it suits several.
fn body(rng: &mut Rng) -> String {
    let mut metadata = match rng.u8(..3) {
        0 => json!({ "name": "from-the-body" }),
        1 => json!({ "name": "p" }),
        _ => json!({ "generateName": "made-" }),
    };
    if rng.u8(..3) == 0 {
        metadata["namespace"] = ["sandbox", "elsewhere"][rng.usize(..2)].into();
    }
    let containers = json!([{ "name": "c", "image": "example.com/image" }]);
    json!({ "metadata": metadata, "spec": { "containers": containers } }).to_string()
}

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(..from.len())]
}

fn line<'a>(rng: &mut Rng, from: &'a str) -> &'a str {
    let lines: Vec<&str> = from.lines().collect();
    pick(rng, &lines)
}

/// Mostly `GET`, since lists and watches have the most rules.
fn method(rng: &mut Rng) -> String {
    if rng.u8(..2) == 0 { "GET".into() } else { pick(rng, METHODS).into() }
}

fn target(rng: &mut Rng) -> String {
    let mut target = if rng.u8(..8) == 0 { line(rng, URLS).into() } else { path(rng) };
    if rng.u8(..6) == 0 {
        target = encode_one(rng, &target);
    }
    let parameters = rng.usize(..6).saturating_sub(2);
    for number in 0..parameters {
        target.push(if number == 0 { '?' } else { '&' });
        target.push_str(line(rng, PARAMETERS));
    }
    target
}

fn path(rng: &mut Rng) -> String {
    let (parent, collections) = COLLECTIONS[rng.usize(..COLLECTIONS.len())];
    let mut segments = vec![parent];
    if rng.u8(..10) == 0 {
        segments.push(pick(rng, &["watch", "proxy"]));
    }
    if rng.u8(..3) > 0 {
        segments.extend(["namespaces", if rng.bool() { "sandbox" } else { line(rng, NAMES) }]);
    }
    if rng.u8(..20) > 0 {
        segments.push(pick(rng, collections));
    }
    if rng.u8(..3) > 0 {
        segments.push(line(rng, NAMES));
        if rng.u8(..3) == 0 {
            segments.push(pick(rng, SUBRESOURCES));
        }
    }
    if rng.u8(..8) == 0 {
        segments.push("");
    }
    format!("/{}", segments.join("/"))
}

/// Percent-encodes one ASCII byte, which changes nothing but the spelling, or how a slash is seen.
fn encode_one(rng: &mut Rng, target: &str) -> String {
    let encodable = |place: &usize| {
        let byte = target.as_bytes()[*place];
        byte.is_ascii_alphanumeric() || byte == b'/'
    };
    let places: Vec<usize> = (1..target.len()).filter(encodable).collect();
    if places.is_empty() {
        return target.to_owned();
    }
    let place = places[rng.usize(..places.len())];
    let (before, after) = (&target[..place], &target[place + 1..]);
    format!("{before}%{:02X}{after}", target.as_bytes()[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_requests() {
        let first = probes(&mut Rng::with_seed(7), 50);
        assert_eq!(first, probes(&mut Rng::with_seed(7), 50));
        assert_ne!(first, probes(&mut Rng::with_seed(8), 50));
        assert_eq!(first.len(), TARGETS.lines().count() * METHODS.len() + 50);
    }
}
