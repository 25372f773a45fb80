//! Audit logs live from CloudWatch Logs.
//!
//! In: a [`Query`]. Out: a stream of lines in the form of an export to S3, an estimate
//! before, counters meanwhile, and totals after. Read-only calls to CloudWatch Logs and
//! what the credentials take, nothing else. Never passes a part of a read off as the
//! whole, and never knows what the events mean.
//!
//! ```no_run
//! use leastrole::source::cloudwatch::{Fetch, Query};
//!
//! let now = jiff::Timestamp::now();
//! let query = Query::cluster("prod", now - jiff::SignedDuration::from_hours(24), now);
//! let mut fetch = Fetch::start(query, || std::process::exit(130))?;
//! std::io::copy(&mut fetch.reader(), &mut std::io::stdout())?;
//! println!("{} events", fetch.finish()?.events());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod caller;
mod connection;
mod error;
mod fault;
mod fetch;
mod iam;
mod interrupt;
mod pace;
mod page;
mod patience;
mod plan;
mod progress;
mod query;
mod quota;
mod reader;
mod reading;
mod save;
mod seen;
mod session;
mod span;
mod totals;
mod window;

pub use batch::StreamTotals;
pub use error::FetchError;
pub use fetch::Fetch;
pub use plan::{Api, Estimate};
pub use progress::FetchProgress;
pub use query::{AUDIT_STREAMS, Query};
pub use totals::Totals;
