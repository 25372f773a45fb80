//! How far a read has come, to be looked at from another thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counters that only the read writes.
#[derive(Debug, Default)]
pub struct FetchProgress {
    covered: AtomicU64,
    total: AtomicU64,
    events: AtomicU64,
    bytes: AtomicU64,
    calls: AtomicU64,
    throttled: AtomicU64,
}

impl FetchProgress {
    /// The part of the time range that has been read, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
    pub fn covered(&self) -> f64 {
        let total = self.total.load(Ordering::Relaxed);
        let covered = self.covered.load(Ordering::Relaxed).min(total);
        if total == 0 { 0.0 } else { covered as f64 / total as f64 }
    }

    /// The time that is left if the rest is like what was read in `elapsed`. Unknown
    /// until a hundredth is read.
    pub fn left(&self, elapsed: Duration) -> Option<Duration> {
        let covered = self.covered();
        (covered >= 0.01).then(|| elapsed.mul_f64((1.0 - covered) / covered))
    }

    /// Events handed to the reader.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// Bytes of these events.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Calls made, failed ones too.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Calls that were throttled.
    pub fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// Milliseconds of windows that are to be read in all.
    pub(super) fn plan(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Begins anew, with `total` milliseconds.
    pub(super) fn restart(&self, total: u64) {
        self.covered.store(0, Ordering::Relaxed);
        self.plan(total);
    }

    /// More milliseconds to read.
    pub(super) fn extend(&self, width: u64) {
        self.total.fetch_add(width, Ordering::Relaxed);
    }

    /// A window came from `before` to `after` milliseconds; back, where it is cut and
    /// its parts start again.
    pub(super) fn cover(&self, before: u64, after: u64) {
        if after >= before {
            self.covered.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.covered.fetch_sub(before - after, Ordering::Relaxed);
        }
    }

    pub(super) fn add_events(&self, events: u64, bytes: u64) {
        self.events.fetch_add(events, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_part_that_is_read() {
        let progress = FetchProgress::default();
        progress.plan(1_000);
        assert_eq!(progress.left(Duration::from_secs(10)), None);
        progress.cover(0, 250);
        assert_eq!(progress.left(Duration::from_secs(10)), Some(Duration::from_secs(30)));
    }

    #[test]
    fn a_window_that_starts_again_takes_its_part_back() {
        let progress = FetchProgress::default();
        progress.plan(100);
        progress.cover(0, 50);
        progress.cover(50, 0);
        assert!(progress.covered() < f64::EPSILON);
    }
}
