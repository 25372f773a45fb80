//! A kube-apiserver on loopback, the identities that call it, and what it wrote about them.

mod assets;
mod audit_log;
mod authority;
mod client;
mod cluster;
mod http;
mod identity;
mod process;
mod recorder;
mod webhook;

pub use assets::Assets;
pub use audit_log::AuditLog;
pub use client::{Client, Reply};
pub use cluster::{AuditPolicy, Authorizers, Cluster, Settings};
pub use http::{Connection, Endpoint, Request, Response};
pub use identity::{Identities, Identity};
pub use recorder::{Asked, Recorder};
