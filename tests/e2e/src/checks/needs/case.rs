//! One case: a request that needs more than its logged verb.

use serde_json::Value;

use crate::harness::Identity;

/// A request, what its sender holds, how it is refused, and what more makes it pass.
///
/// In all texts `{ns}` stands for the name of the case, which is also its namespace.
pub(super) struct Case {
    /// Begins with the number of the need in the product's table.
    pub(super) name: &'static str,
    pub(super) call: Call,
    /// Who calls; its username is the name of the case where it has none.
    pub(super) caller: Identity,
    /// Objects that are there before: where they are created, and what.
    pub(super) setup: Vec<(&'static str, Value)>,
    /// What the caller holds from the beginning.
    pub(super) holds: Vec<&'static str>,
    /// What others hold: a username and a grant.
    pub(super) others: Vec<(&'static str, &'static str)>,
    /// What the refusal says.
    pub(super) refusal: &'static str,
    /// What is missing; all of it together. Nothing for a request that needs no more than
    /// it shows.
    pub(super) missing: Vec<&'static str>,
    /// The status of the request once it passes.
    pub(super) accepted: u16,
}

/// A request.
pub(super) struct Call {
    pub(super) method: &'static str,
    pub(super) target: &'static str,
    /// The media type and the body.
    pub(super) body: Option<(&'static str, Value)>,
    /// The subprotocol, where the request is a websocket upgrade.
    pub(super) websocket: Option<&'static str>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
}

impl Call {
    fn new(method: &'static str, target: &'static str) -> Self {
        Self { method, target, body: None, websocket: None, headers: Vec::new() }
    }

    pub(super) fn get(target: &'static str) -> Self {
        Self::new("GET", target)
    }

    pub(super) fn delete(target: &'static str) -> Self {
        Self::new("DELETE", target)
    }

    pub(super) fn post(target: &'static str, body: Value) -> Self {
        Self { body: Some(("application/json", body)), ..Self::new("POST", target) }
    }

    pub(super) fn put(target: &'static str, body: Value) -> Self {
        Self { body: Some(("application/json", body)), ..Self::new("PUT", target) }
    }

    pub(super) fn merge(target: &'static str, body: Value) -> Self {
        Self { body: Some(("application/merge-patch+json", body)), ..Self::new("PATCH", target) }
    }

    /// A server-side apply.
    pub(super) fn apply(target: &'static str, body: Value) -> Self {
        Self { body: Some(("application/apply-patch+yaml", body)), ..Self::new("PATCH", target) }
    }

    pub(super) fn websocket(target: &'static str, protocol: &'static str) -> Self {
        Self { websocket: Some(protocol), ..Self::new("GET", target) }
    }

    /// The same request with one more header.
    pub(super) fn with(mut self, header: &'static str, value: &'static str) -> Self {
        self.headers.push((header, value));
        self
    }
}

impl Case {
    pub(super) fn new(name: &'static str, call: Call) -> Self {
        Self {
            name,
            call,
            caller: Identity::default(),
            setup: Vec::new(),
            holds: Vec::new(),
            others: Vec::new(),
            refusal: "",
            missing: Vec::new(),
            accepted: 200,
        }
    }

    pub(super) fn by(mut self, caller: Identity) -> Self {
        self.caller = caller;
        self
    }

    pub(super) fn given(mut self, target: &'static str, object: Value) -> Self {
        self.setup.push((target, object));
        self
    }

    pub(super) fn holding(mut self, grant: &'static str) -> Self {
        self.holds.push(grant);
        self
    }

    pub(super) fn where_other(mut self, user: &'static str, grant: &'static str) -> Self {
        self.others.push((user, grant));
        self
    }

    pub(super) fn refused(mut self, message: &'static str) -> Self {
        self.refusal = message;
        self
    }

    pub(super) fn until(mut self, grant: &'static str) -> Self {
        self.missing.push(grant);
        self
    }

    pub(super) fn accepted(mut self, status: u16) -> Self {
        self.accepted = status;
        self
    }

    /// The name and namespace that `{ns}` stands for.
    pub(super) fn namespace(&self) -> String {
        self.name.to_lowercase()
    }

    /// `text` with `{ns}` replaced.
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{ns}", &self.namespace())
    }
}
