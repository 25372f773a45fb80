//! The webhooks that kube-apiserver calls: who is this token, and may they?
//!
//! Answers `TokenReview` from the identities given out. Records every
//! `SubjectAccessReview` and has no opinion on any. Plain HTTP, on loopback only.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use tiny_http::{Header, Request, Response, Server};

use super::identity::Identities;
use super::recorder::Recorder;

/// kube-apiserver asks from many requests at once.
const THREADS: usize = 4;

/// A running webhook server; it ends when this is dropped.
pub(super) struct Webhook {
    server: Arc<Server>,
    threads: Vec<JoinHandle<()>>,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

impl Webhook {
    /// Starts on a free loopback port.
    pub(super) fn start(identities: &Arc<Identities>, recorder: &Arc<Recorder>) -> Result<Self> {
        let server = Server::http("127.0.0.1:0").map_err(|error| anyhow!(error))?;
        let server = Arc::new(server);
        let address = server.server_addr().to_ip().context("a TCP server has an address")?;
        let threads = (0..THREADS)
            .map(|_| {
                let server = Arc::clone(&server);
                let (identities, recorder) = (Arc::clone(identities), Arc::clone(recorder));
                std::thread::spawn(move || {
                    // `unblock` ends the loop with an error.
                    while let Ok(request) = server.recv() {
                        answer(request, &identities, &recorder);
                    }
                })
            })
            .collect();
        Ok(Self { server, threads, address })
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        for _ in &self.threads {
            self.server.unblock();
        }
        for thread in self.threads.drain(..) {
            // A panic of a worker has been printed already.
            let _ = thread.join();
        }
    }
}

fn answer(mut request: Request, identities: &Identities, recorder: &Recorder) {
    let review: Value = serde_json::from_reader(request.as_reader()).unwrap_or_default();
    // The server adds a query of its own to the path it was given.
    let status = if request.url().starts_with("/authenticate") {
        authenticate(&review, identities)
    } else {
        recorder.record(&review["spec"]);
        json!({ "allowed": false })
    };
    let body = json!({
        "apiVersion": review["apiVersion"], "kind": review["kind"], "status": status,
    });
    let json = Header::from_bytes("Content-Type", "application/json").expect("a valid header");
    // A server that hung up has its own error to report.
    let _ = request.respond(Response::from_string(body.to_string()).with_header(json));
}

fn authenticate(review: &Value, identities: &Identities) -> Value {
    let token = review["spec"]["token"].as_str().unwrap_or_default();
    match identities.review(token) {
        Some(identity) => json!({ "authenticated": true, "user": identity }),
        None => json!({ "authenticated": false }),
    }
}
