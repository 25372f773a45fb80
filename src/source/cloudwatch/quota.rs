//! How many calls a second AWS allows in a Region, and how many of them are used.
//!
//! In: a Region's name. Out: figures. They are AWS's published quotas (November
//! 2026), per account and Region and not adjustable; `aws service-quotas
//! list-service-quotas --service-code logs` shows an account's own.

/// Calls a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Quota {
    /// Of `FilterLogEvents`.
    pub(super) filter: f64,
    /// Of `GetLogEvents`.
    pub(super) get: f64,
    /// Of `DescribeLogStreams`.
    pub(super) describe: f64,
}

/// What is used of a quota. The rest is left to others of the same account; with
/// the burst of [`BURST`] no second takes more than the quota.
const SHARE: f64 = 0.83;
/// The part of a quota that may be used at once after a pause.
const BURST: f64 = 0.17;

impl Quota {
    /// The quotas of `region`; of one that is not known, the usual ones.
    pub(super) fn of(region: &str) -> Self {
        let filter = match region {
            "us-east-1" => 25.0,
            "ap-northeast-3" | "ap-southeast-3" | "ca-west-1" | "eu-central-1" | "il-central-1" => {
                5.0
            }
            _ => 10.0,
        };
        let get = match region {
            "eu-west-3" => 30.0,
            "us-west-2" | "ap-northeast-3" | "ap-southeast-3" | "ca-west-1" | "eu-central-1"
            | "eu-west-1" | "il-central-1" => 10.0,
            _ => 25.0,
        };
        Self { filter, get, describe: 25.0 }
    }
}

/// The speed at which one kind of call is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Speed {
    /// Calls a second over any longer time.
    pub(super) per_second: f64,
    /// Calls that may be made at once after a pause, 1 or more.
    pub(super) burst: f64,
}

impl Speed {
    /// The part of `quota` that is used, or `max_tps` calls a second where the user
    /// says so.
    pub(super) fn new(quota: f64, max_tps: Option<f64>) -> Self {
        match max_tps {
            Some(tps) => Self { per_second: tps, burst: 1.0 },
            None => Self { per_second: quota * SHARE, burst: (quota * BURST).max(1.0) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_those_of_the_region() {
        for (region, filter, get) in [
            ("us-east-1", 25.0, 25.0),
            ("us-west-2", 10.0, 10.0),
            ("eu-central-1", 5.0, 10.0),
            ("eu-west-1", 10.0, 10.0),
            ("eu-west-3", 10.0, 30.0),
            ("ap-southeast-2", 10.0, 25.0),
            ("somewhere-new-1", 10.0, 25.0),
        ] {
            let quota = Quota::of(region);
            assert_eq!((quota.filter, quota.get), (filter, get), "{region}");
        }
    }

    #[test]
    fn about_four_fifths_of_a_quota_are_used_and_never_more_than_all_in_one_second() {
        for quota in [10.0, 25.0, 30.0] {
            let speed = Speed::new(quota, None);
            assert!((0.78..0.86).contains(&(speed.per_second / quota)), "{speed:?}");
            assert!(speed.per_second + speed.burst <= quota + 1e-9, "{speed:?}");
        }
    }

    #[test]
    fn the_user_decides_over_the_quota() {
        assert_eq!(Speed::new(10.0, Some(2.5)), Speed { per_second: 2.5, burst: 1.0 });
    }
}
