//! Audit events made up for a test, written as the API server writes them.

use std::fmt;

use serde_json::{Map, Value, json};

/// The order of the API server's fields.
pub(crate) const FIELDS: [&str; 19] = [
    "kind",
    "apiVersion",
    "level",
    "auditID",
    "stage",
    "requestURI",
    "verb",
    "user",
    "impersonatedUser",
    "authenticationMetadata",
    "sourceIPs",
    "userAgent",
    "objectRef",
    "responseStatus",
    "requestObject",
    "responseObject",
    "requestReceivedTimestamp",
    "stageTimestamp",
    "annotations",
];
const USER_FIELDS: [&str; 4] = ["username", "uid", "groups", "extra"];

/// One event; as text, one line in the API server's own layout.
#[derive(Clone, Debug)]
pub(crate) struct Event(Map<String, Value>);

/// A request that was allowed and answered with 200.
pub(crate) fn event(username: &str, verb: &str, uri: &str) -> Event {
    let reason = format!(
        "RBAC: allowed by ClusterRoleBinding \"b\" of ClusterRole \"r\" to User {username:?}"
    );
    let fields = json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": "",
        "stage": "ResponseComplete",
        "requestURI": uri,
        "verb": verb,
        "user": {"username": username, "groups": groups(username)},
        "sourceIPs": ["10.0.1.5"],
        "userAgent": "client/1.0",
        "responseStatus": {"metadata": {}, "code": 200},
        "annotations": {
            "authorization.k8s.io/decision": "allow",
            "authorization.k8s.io/reason": reason,
        },
    });
    let Value::Object(fields) = fields else { unreachable!("an object was written") };
    Event(fields)
}

/// The groups that every caller of the kind has.
fn groups(username: &str) -> Vec<String> {
    let account = username.strip_prefix("system:serviceaccount:");
    let mut groups = Vec::new();
    if let Some((namespace, _)) = account.and_then(|account| account.split_once(':')) {
        groups.push("system:serviceaccounts".to_owned());
        groups.push(format!("system:serviceaccounts:{namespace}"));
    }
    groups.push("system:authenticated".to_owned());
    groups
}

impl Event {
    /// The same with another value for a field.
    pub(crate) fn with(mut self, field: &str, value: Value) -> Self {
        self.0.insert(field.to_owned(), value);
        self
    }

    /// The same with another status code.
    pub(crate) fn code(self, code: u16) -> Self {
        self.with("responseStatus", json!({"metadata": {}, "code": code}))
    }

    /// The same with a failure that the handler behind the authorizer answers.
    pub(crate) fn failure(self, code: u16, reason: &str) -> Self {
        let status = json!({"metadata": {}, "status": "Failure", "reason": reason, "code": code});
        self.with("responseStatus", status)
    }

    /// The same, refused by the authorizer.
    pub(crate) fn denied(self) -> Self {
        let annotations = json!({
            "authorization.k8s.io/decision": "forbid",
            "authorization.k8s.io/reason": "",
        });
        self.failure(403, "Forbidden").with("annotations", annotations)
    }

    /// The same at another stage.
    pub(crate) fn stage(self, stage: &str) -> Self {
        self.with("stage", json!(stage))
    }

    /// The same as another user, with exactly these groups.
    pub(crate) fn impersonating(self, username: &str, groups: &[&str]) -> Self {
        self.with("impersonatedUser", json!({"username": username, "groups": groups}))
    }

    /// The same by a session of an IAM role or by an IAM user.
    pub(crate) fn by_iam(self, username: &str, canonical_arn: &str, session: &str) -> Self {
        let user = json!({
            "username": username,
            "groups": ["system:authenticated"],
            "extra": {"canonicalArn": [canonical_arn], "sessionName": [session]},
        });
        self.with("user", user)
    }

    /// The event as an item of a list.
    pub(crate) fn json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&ordered(&self.0, &FIELDS))
    }
}

fn ordered(object: &Map<String, Value>, order: &[&str]) -> String {
    let fields = order.iter().filter_map(|&key| {
        let text = match object.get(key)? {
            Value::Object(user) if matches!(key, "user" | "impersonatedUser") => {
                ordered(user, &USER_FIELDS)
            }
            value => value.to_string(),
        };
        Some(format!("\"{key}\":{text}"))
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// The events with audit IDs and times of their own.
pub(crate) fn numbered(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let number = |(index, event): (usize, Event)| {
        let time = format!("2026-11-20T09:{:02}:{:02}.000000Z", index / 60 % 60, index % 60);
        let event = if event.0["auditID"] == "" {
            event.with("auditID", json!(format!("id-{index}")))
        } else {
            event
        };
        event.with("requestReceivedTimestamp", json!(time)).with("stageTimestamp", json!(time))
    };
    events.into_iter().enumerate().map(number).collect()
}

/// The events as a log file, one a line.
pub(crate) fn log(events: impl IntoIterator<Item = Event>) -> String {
    let lines: Vec<String> = numbered(events).iter().map(Event::to_string).collect();
    lines.join("\n") + "\n"
}
