//! Turns Kubernetes audit logs into the smallest RBAC that still works, and proves it.
//!
//! Data flows one way:
//!
//! ```text
//! source -> decode -> audit -> usage -> policy -> output
//!                                 \-> rbac (objects, evaluator) <-/
//! ```

pub mod audit;
pub mod decode;
pub mod eks;
pub mod policy;
pub mod rbac;
pub mod source;
pub mod usage;
