//! A caller of the API: one identity, JSON in and out.

use std::cell::RefCell;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::http::{Connection, Endpoint, Request};

/// Calls the API as one identity over one connection.
#[derive(Debug)]
pub struct Client {
    connection: RefCell<Connection>,
    headers: Vec<String>,
}

/// A response with its body as JSON (`null` where it is not).
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The object or the Status.
    pub body: Value,
}

impl Reply {
    /// The body of a success; an error with the server's message otherwise.
    pub fn ok(self) -> Result<Value> {
        ensure!(self.succeeded(), "{} {}", self.status, self.message());
        Ok(self.body)
    }

    /// Whether the status is 1xx or 2xx.
    pub fn succeeded(&self) -> bool {
        self.status < 300
    }

    /// The message of a Status.
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

impl Client {
    pub(super) fn new(endpoint: &Endpoint, token: &str) -> Self {
        let headers = vec![format!("Authorization: Bearer {token}")];
        Self { connection: RefCell::new(endpoint.connection()), headers }
    }

    /// The same caller, sending one more header with everything.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(format!("{name}: {value}"));
        self
    }

    /// `GET`.
    pub fn get(&self, target: &str) -> Result<Reply> {
        self.send("GET", target, None)
    }

    /// `POST` of a JSON object.
    pub fn post(&self, target: &str, body: &Value) -> Result<Reply> {
        self.send("POST", target, Some(("application/json", body.to_string())))
    }

    /// `PUT` of a JSON object.
    pub fn put(&self, target: &str, body: &Value) -> Result<Reply> {
        self.send("PUT", target, Some(("application/json", body.to_string())))
    }

    /// `DELETE` without options.
    pub fn delete(&self, target: &str) -> Result<Reply> {
        self.send("DELETE", target, None)
    }

    /// A JSON merge patch.
    pub fn merge(&self, target: &str, body: &Value) -> Result<Reply> {
        self.send("PATCH", target, Some(("application/merge-patch+json", body.to_string())))
    }

    /// A server-side apply.
    pub fn apply(&self, target: &str, body: &Value) -> Result<Reply> {
        self.send("PATCH", target, Some(("application/apply-patch+yaml", body.to_string())))
    }

    /// A websocket upgrade; reads no further than the response's head.
    pub fn websocket(&self, target: &str, protocol: &str) -> Result<Reply> {
        let mut headers = self.headers.clone();
        headers.extend([
            "Connection: Upgrade".into(),
            "Upgrade: websocket".into(),
            "Sec-WebSocket-Version: 13".into(),
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==".into(),
            format!("Sec-WebSocket-Protocol: {protocol}"),
        ]);
        let request = Request { method: "GET", target, headers: &headers, ..Request::default() };
        self.exchange(&request)
    }

    /// Any method and target, with a body of a given content type.
    pub fn send(&self, method: &str, target: &str, body: Option<(&str, String)>) -> Result<Reply> {
        let mut headers = self.headers.clone();
        let (content_type, body) = body.unwrap_or_default();
        if !body.is_empty() {
            headers.push(format!("Content-Type: {content_type}"));
        }
        self.exchange(&Request {
            method,
            target,
            headers: &headers,
            body: body.as_bytes(),
            skip_streams: false,
        })
    }

    fn exchange(&self, request: &Request<'_>) -> Result<Reply> {
        let response = self.connection.borrow_mut().send(request)?;
        let body = serde_json::from_slice(&response.body).unwrap_or_default();
        Ok(Reply { status: response.status, body })
    }
}
