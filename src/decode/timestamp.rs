//! The times that wrappers give, as the API server would have written them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// RFC 3339 in UTC with microseconds, from what exporters write: RFC 3339 with
/// any offset, the same without an offset or with a space (UTC), or seconds,
/// milli-, micro- or nanoseconds since 1970.
pub(super) fn normalise(text: &str) -> Option<String> {
    let time = if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        since_epoch(text)?
    } else {
        calendar(text)?
    };
    Some(time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string())
}

fn calendar(text: &str) -> Option<Timestamp> {
    let with_offset = text.parse::<Timestamp>().ok();
    with_offset.or_else(|| {
        let local: DateTime = text.parse().ok()?;
        Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

/// The unit goes by the number of digits, unambiguous from 1973 to 5138.
fn since_epoch(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let value: i64 = whole.parse().ok()?;
    match whole.len() {
        9..=11 => {
            let nanoseconds: i32 = format!("{fraction:0<9.9}").parse().ok()?;
            Timestamp::from_duration(SignedDuration::new(value, nanoseconds)).ok()
        }
        12..=14 => Timestamp::from_millisecond(value).ok(),
        15..=17 => Timestamp::from_microsecond(value).ok(),
        18..=19 => Timestamp::from_nanosecond(i128::from(value)).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_time_reads_the_same() {
        for text in [
            "2026-11-20T09:15:02.113Z",
            "2026-11-20T10:15:02.113+01:00",
            "2026-11-20T09:15:02.113000+00:00",
            "2026-11-20T09:15:02.113000000Z",
            "2026-11-20 09:15:02.113",
            "2026-11-20T09:15:02.113",
            "1795166102.113",
            "1795166102113",
            "1795166102113000",
            "1795166102113000000",
        ] {
            assert_eq!(normalise(text).as_deref(), Some("2026-11-20T09:15:02.113000Z"), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_gives_none() {
        for text in ["", "42", "soon", "2026-13-01T00:00:00Z", "99999999999999999999", "1.2.3", "."]
        {
            assert_eq!(normalise(text), None, "{text}");
        }
    }
}
