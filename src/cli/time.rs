//! Points and stretches of time as they are typed.

use crate::usage::Moment;

/// A point in time, or a duration before now.
pub(super) fn parse_time(text: &str) -> Result<Moment, String> {
    if let Some(moment) = Moment::parse(text) {
        return Ok(moment);
    }
    let hint =
        || format!("`{text}` is neither a time (2026-11-20T09:00:00Z) nor a duration (7d, 24h)");
    let span: jiff::SignedDuration = duration(text).ok_or_else(hint)?;
    let then = jiff::Timestamp::now().checked_sub(span).map_err(|_| hint())?;
    Moment::from_timestamp(then).ok_or_else(hint)
}

/// A stretch of time.
pub(super) fn parse_duration(text: &str) -> Result<jiff::SignedDuration, String> {
    duration(text).ok_or_else(|| format!("`{text}` is not a duration (7d, 24h)"))
}

/// `90s`, `15m`, `24h`, `7d`, `2w`, and sums of them such as `1d12h`.
fn duration(text: &str) -> Option<jiff::SignedDuration> {
    let mut seconds = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let unit = match rest[digits..].chars().next()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (seconds > 0).then(|| jiff::SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_add_up() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("1d12h", 129_600), ("2w", 1_209_600)] {
            assert_eq!(duration(text).unwrap().as_secs(), seconds, "{text}");
        }
        for text in ["", "7", "d", "7y", "-1h", "99999999999999999999d", "0s"] {
            assert!(duration(text).is_none(), "{text}");
        }
    }
}
