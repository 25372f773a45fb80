//! One token bucket that every call waits at, whichever window it is for.
//!
//! In: the speed that is wanted, and word of each throttled call. Out: the moment at
//! which the next call may start. First come, first served.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::quota::Speed;

/// Lets calls through at a steady speed, slower for a while after a throttled one.
pub(super) struct Pace {
    /// Held while waiting, so that calls leave in the order in which they came.
    queue: tokio::sync::Mutex<()>,
    bucket: Mutex<Bucket>,
}

impl Pace {
    pub(super) fn new(speed: Speed) -> Self {
        let bucket = Bucket::new(speed, Instant::now());
        Self { queue: tokio::sync::Mutex::default(), bucket: Mutex::new(bucket) }
    }

    /// Waits until a call may start.
    pub(super) async fn turn(&self) {
        let _first = self.queue.lock().await;
        let start = self.bucket().take(Instant::now());
        sleep_until(start).await;
    }

    /// Slows down: a call was throttled.
    pub(super) fn throttled(&self) {
        self.bucket().throttled(Instant::now());
    }

    fn bucket(&self) -> std::sync::MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The arithmetic of [`Pace`], without its waiting.
struct Bucket {
    full: Speed,
    /// Calls a second at present.
    per_second: f64,
    /// When the next call would start if nothing had ever been saved up.
    next: Instant,
    slowed: Option<Instant>,
}

/// What is left of the speed after a throttled call.
const SLOWER: f64 = 0.7;
/// What each call that went through gives back, as a part of full speed.
const RECOVERY: f64 = 0.02;
/// The slowest, as a part of full speed.
const FLOOR: f64 = 0.05;
/// Calls that were under way together are throttled together: they count once.
const ONE_CAUSE: Duration = Duration::from_secs(1);

impl Bucket {
    fn new(full: Speed, now: Instant) -> Self {
        Self { full, per_second: full.per_second, next: now, slowed: None }
    }

    /// Takes one token and says from when on it holds.
    fn take(&mut self, now: Instant) -> Instant {
        let interval = Duration::from_secs_f64(1.0 / self.per_second);
        let saved = interval.mul_f64((self.full.burst - 1.0).max(0.0));
        let earliest = now.checked_sub(saved).unwrap_or(now);
        let start = self.next.max(earliest);
        self.next = start + interval;
        let faster = self.per_second + self.full.per_second * RECOVERY;
        self.per_second = faster.min(self.full.per_second);
        start
    }

    fn throttled(&mut self, now: Instant) {
        if self.slowed.is_some_and(|at| now.duration_since(at) < ONE_CAUSE) {
            return;
        }
        self.slowed = Some(now);
        self.per_second = (self.per_second * SLOWER).max(self.full.per_second * FLOOR);
        self.next = self.next.max(now) + Duration::from_secs_f64(1.0 / self.per_second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When `calls` calls that all wait from the start on may go, in milliseconds.
    fn starts(bucket: &mut Bucket, now: Instant, calls: usize) -> Vec<u128> {
        (0..calls).map(|_| bucket.take(now).saturating_duration_since(now).as_millis()).collect()
    }

    #[test]
    fn calls_start_evenly_spaced() {
        let now = Instant::now();
        let mut bucket = Bucket::new(Speed { per_second: 10.0, burst: 1.0 }, now);
        assert_eq!(starts(&mut bucket, now, 4), [0, 100, 200, 300]);
    }

    #[test]
    fn a_pause_is_made_good_up_to_the_burst_and_no_further() {
        let now = Instant::now();
        let mut bucket = Bucket::new(Speed { per_second: 10.0, burst: 3.0 }, now);
        let later = now + Duration::from_mins(1);
        assert_eq!(starts(&mut bucket, later, 5), [0, 0, 0, 100, 200]);
    }

    #[test]
    fn calls_throttled_together_slow_down_once() {
        let now = Instant::now();
        let mut bucket = Bucket::new(Speed { per_second: 10.0, burst: 1.0 }, now);
        for _ in 0..5 {
            bucket.throttled(now);
        }
        assert!((bucket.per_second - 7.0).abs() < 1e-9);
    }

    #[test]
    fn speed_comes_back_while_calls_go_through() {
        let now = Instant::now();
        let mut bucket = Bucket::new(Speed { per_second: 10.0, burst: 1.0 }, now);
        for second in 0..20 {
            bucket.throttled(now + Duration::from_secs(second));
        }
        assert!(bucket.per_second >= 0.5, "{}", bucket.per_second);
        starts(&mut bucket, now, 60);
        assert!((bucket.per_second - 10.0).abs() < 1e-9);
    }
}
