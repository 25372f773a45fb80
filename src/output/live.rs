//! What is said about a read of CloudWatch Logs, on stderr.

use std::io::{self, Write};
use std::time::Duration;

use super::units::{Bytes, Thousands, minutes};
use crate::source::cloudwatch::{Estimate, FetchProgress};

/// What the read is likely to take, if it is long enough to be worth a line.
pub fn print_estimate(estimate: &Estimate) -> io::Result<()> {
    if estimate.time < Duration::from_secs(20) {
        return Ok(());
    }
    writeln!(
        anstream::stderr().lock(),
        "About {} events ({}) in {} calls: {} at {:.0} calls a second",
        Thousands(estimate.events),
        Bytes(estimate.bytes),
        Thousands(estimate.calls),
        minutes(estimate.time),
        estimate.calls_per_second,
    )
}

/// One line beside the bar.
pub fn progress_line(seen: &FetchProgress, elapsed: Duration) -> String {
    let left =
        seen.left(elapsed).map_or_else(String::new, |left| format!(", {} left", minutes(left)));
    format!("{} events, {}{left}", Thousands(seen.events()), Bytes(seen.bytes()))
}
