//! Lines that a container runtime wrote around what a program printed. Long ones are
//! cut, by Kubernetes' runtimes and by Docker, each in a way of its own.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::audit::Text;

use super::prefix;

/// What Docker reads from a program at a time, in bytes. A line that is longer fills
/// it, and goes on in the next record.
const DOCKER_BUFFER: usize = 16 << 10;
/// How a line of Docker's `json-file` driver starts.
const DOCKER: &str = "{\"log\":\"";

/// One line, with a printed line or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part<'t> {
    pub(super) time: Text<'t>,
    pub(super) is_stderr: bool,
    /// Whether the text goes on in a later line of the same stream.
    pub(super) is_partial: bool,
    pub(super) text: Text<'t>,
}

impl<'t> Part<'t> {
    /// Whether an input that starts so may be a log of such lines.
    pub(super) fn may_start(first_line: &'t str) -> bool {
        first_line.starts_with(DOCKER) || Self::cri(first_line).is_some()
    }

    pub(super) fn of(line: &'t str) -> Option<Self> {
        if line.starts_with(DOCKER) { Self::docker(line) } else { Self::cri(line) }
    }

    /// `TIME stdout|stderr P|F TEXT`
    fn cri(line: &'t str) -> Option<Self> {
        let (start, rest) = line.split_once(' ')?;
        let (stream, rest) = rest.split_once(' ')?;
        let (tag, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let is_stderr = is_stderr(stream)?;
        prefix::time(start)?;
        let is_partial = match tag.split(':').next()? {
            "P" => true,
            "F" => false,
            _ => return None,
        };
        Some(Self { time: start.into(), is_stderr, is_partial, text: text.into() })
    }

    /// `{"log":"TEXT\n","stream":"stdout|stderr","time":"TIME"}`. Nothing says that a
    /// text goes on but its length, and the line break that it lacks.
    fn docker(line: &'t str) -> Option<Self> {
        let DockerLine { log: text, stream, time, .. } = serde_json::from_str(line).ok()?;
        let is_partial = text.len() >= DOCKER_BUFFER && !text.ends_with('\n');
        Some(Self { time, is_stderr: is_stderr(&stream)?, is_partial, text })
    }
}

/// Whether `text` is the rest of something that began before it, as after a rotation:
/// brackets close that did not open, or a value is followed by a comma. What looks like
/// an event in it may be a part of a body, and a caller's.
pub(super) fn is_rest(text: &str) -> bool {
    let (mut depth, mut closed, mut quoted, mut escaped) = (0_usize, false, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => match depth.checked_sub(1) {
                Some(outer) => (depth, closed) = (outer, true),
                None => return true,
            },
            b',' if depth == 0 && closed => return true,
            _ => {}
        }
    }
    false
}

/// With other members it is what a collector made of it, which joins parts itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DockerLine<'t> {
    #[serde(borrow)]
    log: Text<'t>,
    #[serde(borrow)]
    stream: Text<'t>,
    #[serde(borrow)]
    time: Text<'t>,
    #[serde(rename = "attrs")]
    _labels: Option<IgnoredAny>,
}

fn is_stderr(stream: &str) -> Option<bool> {
    match stream {
        "stderr" => Some(true),
        "stdout" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_kubernetes_runtimes_are_told_from_others() {
        let part = Part::of("2026-11-20T09:15:02.113000000Z stderr P {\"a\"").unwrap();
        assert!(part.is_stderr && part.is_partial);
        assert_eq!(&*part.text, "{\"a\"");
        assert!(!Part::of("2026-11-20T09:15:02Z stdout F:x text").unwrap().is_partial);
        assert_eq!(Part::of("2026-11-20T09:15:02Z stdout X text"), None);
        assert_eq!(Part::of("2026-11-20T09:15:02Z kube-apiserver-audit-1 F {}"), None);
    }

    #[test]
    fn the_rest_of_a_record_is_told_from_a_record() {
        for whole in
            ["{\"a\":1}", "{\"a\":[1,2]}{\"b\":2}", "2026, x: {\"}}\":\"\\\"}\"}", "{\"a\"", ""]
        {
            assert!(!is_rest(whole), "{whole}");
        }
        for rest in ["{\"a\":1}}", "\"k\":{\"a\":1}}", "1,{\"a\":1}]}", "{\"a\":1},\"b", "]"] {
            assert!(is_rest(rest), "{rest}");
        }
    }

    #[test]
    fn lines_of_docker_are_told_from_others() {
        let line = |text: &str, more: &str| {
            format!(r#"{{"log":"{text}","stream":"stdout","time":"2026-11-20T09:15:02Z"{more}}}"#)
        };
        let full = "x".repeat(DOCKER_BUFFER);
        for (text, is_partial) in [
            (r#"{\"a\":1}\n"#, false),
            (r#"{\"a\":1}"#, false),
            (&full, true),
            (&format!("{full}\\n"), false),
            (&full[1..], false),
            // A backslash and an n.
            (&format!("{full}\\\\n"), true),
        ] {
            let line = line(text, "");
            assert_eq!(Part::of(&line).unwrap().is_partial, is_partial, "{text}");
        }
        assert!(Part::of(&line("x", r#","attrs":{"tag":"api"}"#)).is_some());
        for other in [&line("x", r#","kubernetes":{}"#), "{\"log\":\"x\"}", "{\"log\":{}}"] {
            assert_eq!(Part::of(other), None, "{other}");
        }
    }
}
