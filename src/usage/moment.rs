//! A point in time as the audit log writes it.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// RFC 3339 in UTC with microseconds, as Kubernetes' `MicroTime` is written: a fixed
/// width, so that the order of the text is the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment([u8; 27]);

/// Where the digits stand; everything else is fixed.
const FORM: &[u8; 27] = b"0000-00-00T00:00:00.000000Z";
const FORM_HALVES: [u128; 2] = halves(FORM);
const SIXES: [u128; 2] = halves(&by_form(6, 0));
const FIXED_BITS: [u128; 2] = halves(&by_form(0xf0, 0xff));

/// Two numbers that overlap, in the order of the text.
const fn halves(text: &[u8; 27]) -> [u128; 2] {
    let (Some(front), Some(back)) = (text.first_chunk(), text.last_chunk()) else { return [0; 2] };
    [u128::from_be_bytes(*front), u128::from_be_bytes(*back)]
}

/// One byte where the form has a digit, another one elsewhere.
const fn by_form(digit: u8, other: u8) -> [u8; 27] {
    let mut bytes = [other; 27];
    let mut at = 0;
    while at < FORM.len() {
        if FORM[at] == b'0' {
            bytes[at] = digit;
        }
        at += 1;
    }
    bytes
}

impl Moment {
    /// Reads a timestamp: the API server's own form at once, other RFC 3339 forms and
    /// the zoneless `2026-11-20 09:15:03.42` of log stores (UTC) by the long way.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(moment) = Self::of_own_form(text.as_bytes()) {
            return Some(moment);
        }
        let zoneless = || DateTime::from_str(text).ok()?.to_zoned(TimeZone::UTC).ok();
        let timestamp =
            Timestamp::from_str(text).ok().or_else(|| zoneless().map(|zoned| zoned.timestamp()))?;
        Self::from_timestamp(timestamp)
    }

    /// Reads the API server's own form and no other.
    #[inline]
    pub fn of_own_form(bytes: &[u8]) -> Option<Self> {
        let text = bytes.try_into().ok()?;
        // A digit differs from `0` by at most 9, everything else by nothing. What differs by
        // more shows in the upper bits, or does so when 6 is added.
        let is_own_form = (0..2).all(|half| {
            let off = halves(text)[half] ^ FORM_HALVES[half];
            (off | off.wrapping_add(SIXES[half])) & FIXED_BITS[half] == 0
        });
        is_own_form.then_some(Self(*text))
    }

    /// Nothing for years that do not have four digits.
    pub fn from_timestamp(timestamp: Timestamp) -> Option<Self> {
        let text = format!("{timestamp:.6}");
        text.as_bytes().try_into().ok().map(Self)
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// For people: `2026-11-20 09:15:03`, UTC going without saying.
    pub fn to_second(&self) -> String {
        self.as_str().get(..19).unwrap_or_default().replace('T', " ")
    }

    /// The moment as a timestamp, for arithmetic.
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.as_str().parse().ok()
    }
}

impl Ord for Moment {
    /// As text, in a few instructions.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        halves(&self.0).cmp(&halves(&other.0))
    }
}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_as_utc_microseconds() {
        for (text, expected) in [
            ("2026-11-20T09:15:03.000001Z", "2026-11-20T09:15:03.000001Z"),
            ("2026-11-20T09:15:03Z", "2026-11-20T09:15:03.000000Z"),
            ("2026-11-20T10:15:03.5+01:00", "2026-11-20T09:15:03.500000Z"),
            ("2022-11-29 00:09:04.38", "2022-11-29T00:09:04.380000Z"),
        ] {
            assert_eq!(Moment::parse(text).unwrap().as_str(), expected, "{text}");
        }
    }

    #[test]
    fn other_text_is_no_moment() {
        for text in ["", "yesterday", "2026-11-20T09:15:03.00000xZ", "2026-99-20T09:15:03.5Z"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
