//! How a request ended: whether the authorizer allowed it, and whether it worked.

use super::Event;

/// What an event says about the authorization of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The authorizer allowed it.
    Allowed {
        /// Whether it also got as far as the object: false for requests that could
        /// not succeed in this form here (400, 405, 406, 415, a route that does not exist).
        worked: bool,
    },
    /// The authorizer refused it.
    Denied,
    /// The authorizer was not asked, or failed: no conclusion.
    Undecided,
}

/// How far a request had come when the event was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before authorization: says nothing.
    RequestReceived,
    /// A long-running request was authorized and its response begun.
    ResponseStarted,
    /// The request is over, by answer or by panic.
    Finished,
}

impl Stage {
    /// The stage of an event; an unknown one says as little as `RequestReceived`.
    pub fn of(event: &Event<'_>) -> Self {
        match &*event.stage {
            "ResponseComplete" | "Panic" => Self::Finished,
            "ResponseStarted" => Self::ResponseStarted,
            _ => Self::RequestReceived,
        }
    }
}

impl Outcome {
    /// Judges by the authorizer's own annotation. Only where it is missing (salvaged
    /// records, copies without annotations) does the status code decide, and only
    /// codes that are never answered before authorization.
    pub fn of(event: &Event<'_>) -> Self {
        if Stage::of(event) == Stage::RequestReceived || is_nobodys(event) {
            return Self::Undecided;
        }
        match &*event.annotations.decision {
            "allow" => Self::Allowed { worked: worked(event) },
            "forbid" => Self::Denied,
            _ if follows_authorization(event) => Self::Allowed { worked: worked(event) },
            _ => Self::Undecided,
        }
    }
}

/// Codes that only a handler behind the authorizer answers. Not among them: 400
/// (bad impersonation headers), 401, 403, 429 (priority and fairness) and 5xx.
fn follows_authorization(event: &Event<'_>) -> bool {
    event.annotations.reason.is_empty()
        && matches!(event.code(), 101 | 200..=399 | 404..=406 | 409 | 410 | 415 | 422)
}

/// No authenticator gives an empty username, and no binding can name one.
fn is_nobodys(event: &Event<'_>) -> bool {
    let impersonated = event.impersonated_user.as_ref();
    event.user.username.is_empty() || impersonated.is_some_and(|user| user.username.is_empty())
}

fn worked(event: &Event<'_>) -> bool {
    match event.code() {
        400 | 405 | 406 | 415 => false,
        404 => event.response_status.as_ref().is_some_and(|status| !status.reason.is_empty()),
        _ => true,
    }
}
