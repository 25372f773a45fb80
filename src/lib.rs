//! Turns Kubernetes audit logs into the smallest RBAC that still works, and proves it.
//!
//! Data flows one way:
//!
//! ```text
//! source -> decode -> audit -> usage -> policy -> output
//!                                 \-> rbac (objects, evaluator) <-/
//! ```

pub mod audit;
pub mod cli;
pub mod commands;
pub mod decode;
pub mod eks;
pub mod findings;
pub mod output;
pub mod pipeline;
pub mod policy;
pub mod query;
pub mod rbac;
pub mod review;
pub mod source;
pub mod tighten;
pub mod usage;
