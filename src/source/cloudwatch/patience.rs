//! How often a failed call is tried again, and how long to wait before.
//!
//! In: the faults of one call, one after the other. Out: a pause, or the fault that
//! ends the read.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::error::FetchError;
use super::fault::Fault;

/// What one call may still go through.
#[derive(Debug)]
pub(super) struct Patience {
    throttled: u32,
    failed: u32,
    renewed: u32,
    may_fail: u32,
}

/// Some eight minutes: a quota that others use up comes back.
const MAY_BE_THROTTLED: u32 = 30;
/// Enough for providers to have written newer credentials.
const MAY_RENEW: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

impl Patience {
    /// For the first call: a wrong address must not take a minute to show.
    pub(super) fn short() -> Self {
        Self { throttled: 0, failed: 0, renewed: 0, may_fail: 3 }
    }

    /// For a read under way: about a minute without the network or the service.
    pub(super) fn long() -> Self {
        Self { may_fail: 10, ..Self::short() }
    }

    /// The pause after `fault`, or the fault itself where it is final or was one too
    /// many.
    pub(super) fn after(&mut self, fault: Fault) -> Result<Duration, Fault> {
        match fault {
            Fault::Throttled => {
                self.throttled += 1;
                if self.throttled > MAY_BE_THROTTLED {
                    let calls = self.throttled;
                    return Err(Fault::Final(FetchError::Throttled { calls }));
                }
                Ok(pause(self.throttled))
            }
            Fault::Passing(detail) => {
                self.failed += 1;
                if self.failed > self.may_fail {
                    return Err(Fault::Final(FetchError::Unreachable { detail }));
                }
                Ok(pause(self.failed))
            }
            Fault::Expired(error) => {
                self.renewed += 1;
                if self.renewed > MAY_RENEW {
                    return Err(Fault::Final(error));
                }
                Ok(pause(self.renewed))
            }
            Fault::BadToken(_) | Fault::Final(_) => Err(fault),
        }
    }
}

/// Twice as long each time, and by chance up to a half shorter, so that calls that
/// failed together do not come back together.
fn pause(time: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << (time - 1).min(16));
    let chance = RandomState::new().hash_one(time) % 512;
    doubled.min(LONGEST_PAUSE) * (1024 - u32::try_from(chance).unwrap_or(0)) / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(mut patience: Patience, fault: impl Fn() -> Fault) -> (u32, Fault) {
        let mut pauses = 0;
        loop {
            match patience.after(fault()) {
                Ok(_) => pauses += 1,
                Err(last) => return (pauses, last),
            }
        }
    }

    #[test]
    fn every_kind_of_fault_is_borne_within_bounds() {
        let expired = || FetchError::ExpiredCredentials { detail: String::new() };
        let (pauses, last) = count(Patience::long(), || Fault::Throttled);
        assert_eq!(pauses, 30);
        assert!(matches!(last, Fault::Final(FetchError::Throttled { calls: 31 })), "{last:?}");
        let (pauses, last) = count(Patience::long(), || Fault::Passing("reset".into()));
        assert_eq!(pauses, 10);
        assert!(matches!(last, Fault::Final(FetchError::Unreachable { .. })), "{last:?}");
        let (pauses, _) = count(Patience::short(), || Fault::Passing("refused".into()));
        assert_eq!(pauses, 3);
        let (pauses, last) = count(Patience::long(), || Fault::Expired(expired()));
        assert_eq!(pauses, 3);
        assert!(matches!(last, Fault::Final(FetchError::ExpiredCredentials { .. })), "{last:?}");
        let (pauses, _) = count(Patience::long(), || Fault::BadToken(String::new()));
        assert_eq!(pauses, 0);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        for (time, longest) in [(1, 200), (2, 400), (4, 1_600), (8, 20_000), (40, 20_000)] {
            let pause = pause(time).as_millis();
            assert!((longest / 2..=longest).contains(&pause), "{time}: {pause}");
        }
    }
}
