//! Who acts in a workload, and what became of each request.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use crate::checks::generated::Generated;
use crate::harness::{Client, Cluster, Identity, Reply};

/// What the senders saw, by the label of the request.
pub(super) type Answers = BTreeMap<String, Answer>;

/// What became of one request.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) request: String,
    pub(super) status: u16,
    pub(super) message: String,
}

impl Answer {
    pub(super) fn is_refused(&self) -> bool {
        self.status == 403
    }
}

/// One run of all workloads.
pub(super) struct Stage<'a> {
    pub(super) cluster: &'a Cluster,
    /// The groups that access entries give to IAM principals, by ARN.
    groups: BTreeMap<String, String>,
    answers: RefCell<Answers>,
}

impl<'a> Stage<'a> {
    /// A run in which IAM principals have the groups that `generated` asks for, if any.
    pub(super) fn new(cluster: &'a Cluster, generated: Option<&Generated>) -> Self {
        let groups = generated.map(groups).unwrap_or_default();
        Self { cluster, groups, answers: RefCell::default() }
    }

    /// An actor whose requests are labelled `<label>-<number>`.
    pub(super) fn actor(&self, label: &str, identity: &Identity, agent: &str) -> Actor<'_> {
        let mut identity = identity.clone();
        let arn = identity.extra.get("canonicalArn").and_then(|values| values.first());
        if let Some(group) = arn.and_then(|arn| self.groups.get(arn)) {
            identity = identity.in_group(group);
        }
        Actor {
            stage: self,
            label: label.to_owned(),
            identity,
            headers: vec![("User-Agent".into(), agent.to_owned())],
            count: Cell::new(0),
        }
    }

    pub(super) fn into_answers(self) -> Answers {
        self.answers.into_inner()
    }
}

fn groups(generated: &Generated) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let entries = generated.identities().filter_map(|identity| {
        Some((text(&identity["name"])?, text(&identity["access"]["group"])?))
    });
    entries.collect()
}

/// One caller in a workload. Its requests are numbered, so that each is found in both runs.
pub(super) struct Actor<'a> {
    stage: &'a Stage<'a>,
    label: String,
    identity: Identity,
    headers: Vec<(String, String)>,
    count: Cell<usize>,
}

impl Actor<'_> {
    /// The same caller, sending one more header.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn get(&self, target: &str) -> Result<Reply> {
        self.note("GET", target, |client| client.get(target))
    }

    pub(super) fn post(&self, target: &str, body: &Value) -> Result<Reply> {
        self.note("POST", target, |client| client.post(target, body))
    }

    pub(super) fn put(&self, target: &str, body: &Value) -> Result<Reply> {
        self.note("PUT", target, |client| client.put(target, body))
    }

    pub(super) fn merge(&self, target: &str, body: &Value) -> Result<Reply> {
        self.note("PATCH", target, |client| client.merge(target, body))
    }

    pub(super) fn apply(&self, target: &str, body: &Value) -> Result<Reply> {
        self.note("APPLY", target, |client| client.apply(target, body))
    }

    pub(super) fn delete(&self, target: &str) -> Result<Reply> {
        self.note("DELETE", target, |client| client.delete(target))
    }

    pub(super) fn websocket(&self, target: &str, protocol: &str) -> Result<Reply> {
        self.note("WEBSOCKET", target, |client| client.websocket(target, protocol))
    }

    /// Sends with a client of its own: the audit ID says which request it is.
    fn note(
        &self,
        method: &str,
        target: &str,
        send: impl FnOnce(Client) -> Result<Reply>,
    ) -> Result<Reply> {
        let number = self.count.replace(self.count.get() + 1);
        let label = format!("{}-{number:03}", self.label);
        let mut client = self.stage.cluster.client(&self.identity).with_header("Audit-ID", &label);
        for (name, value) in &self.headers {
            client = client.with_header(name, value);
        }
        let reply = send(client)?;
        let answer = Answer {
            request: format!("{} {method} {target}", self.identity.username),
            status: reply.status,
            message: reply.message().to_owned(),
        };
        self.stage.answers.borrow_mut().insert(label, answer);
        Ok(reply)
    }
}
