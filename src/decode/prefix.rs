//! What stands before the JSON on a line: times, stream names, labels, columns.

use memchr::{memchr, memchr_iter, memchr2};

/// How far into a line its JSON is looked for.
const REACH: usize = 1024;
/// How many places a line's JSON is tried at: Loki's labels look like JSON too.
const TRIES: usize = 8;

/// Where the JSON of an ordinary line starts: at its first brace, if what comes
/// before is nobody's words.
pub(super) fn json_start(line: &str) -> Option<usize> {
    let head = &line.as_bytes()[..line.len().min(REACH)];
    let start = memchr(b'{', head)?;
    (start == 0 || is_plain(&line[..start])).then_some(start)
}

/// The places on a line at which a JSON object may start, apart from its own start.
pub(super) fn candidates(line: &str) -> impl Iterator<Item = usize> {
    let head = &line.as_bytes()[..line.len().min(REACH)];
    let braces = memchr_iter(b'{', head);
    let starts = braces.filter(|at| starts_object(&line[*at..]) && is_plain(&line[..*at]));
    starts.take(TRIES)
}

/// Whether `prefix` is made of times, names and labels. Other logs quote what
/// callers sent, and an event that a caller sent is no event.
fn is_plain(prefix: &str) -> bool {
    let (before, after) = match (prefix.find('{'), prefix.rfind('}')) {
        (Some(open), Some(close)) if open < close => (&prefix[..open], &prefix[close..]),
        _ => (prefix, ""),
    };
    let quotes = |text: &str| memchr2(b'"', b'=', text.as_bytes()).is_some();
    !is_klog(prefix) && !quotes(before) && !quotes(after)
}

/// Whether `text` looks like the start of JSON that could hold an event, and
/// not like a log line in brackets.
pub(super) fn starts_json(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'{') => starts_object(text),
        Some(b'[') => matches!(after_first(text), None | Some(b'{' | b'[' | b'"' | b']')),
        Some(b'"') => text.contains("auditID") || text.starts_with("\"H4sI"),
        Some(b',' | b']' | b'}') => {
            let rest = text.trim_start_matches([',', ']', '}', ' ', '\t']);
            rest.is_empty() || starts_json(rest)
        }
        _ => false,
    }
}

fn starts_object(text: &str) -> bool {
    matches!(after_first(text), None | Some(b'"' | b'}'))
}

fn after_first(text: &str) -> Option<u8> {
    text.bytes().skip(1).find(|byte| !byte.is_ascii_whitespace())
}

/// Whether a line is the API server's own log rather than its audit log. What
/// callers sent may stand in it as it came, so nothing in it is an event.
fn is_klog(line: &str) -> bool {
    let header = line.as_bytes();
    header.len() > 6
        && matches!(header[0], b'I' | b'W' | b'E' | b'F')
        && header[1..5].iter().all(u8::is_ascii_digit)
        && header[5] == b' '
}

/// The time among the words before the JSON, where there is one.
pub(super) fn time(prefix: &str) -> Option<&str> {
    let words = prefix.split([' ', '\t', ',']);
    words.map(|word| word.trim_matches('"')).find(|word| {
        let bytes = word.as_bytes();
        let dated = bytes.len() >= 19 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T';
        let counted = (13..=19).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_digit);
        dated || counted
    })
}

/// The time in the last column, where the CLI's text output has it.
pub(super) fn trailing_time(line: &str) -> Option<&str> {
    let (_, last) = line.rsplit_once('\t')?;
    time(last)
}

/// Lines of CLI text output that only frame the records on other lines.
pub(super) fn is_frame(line: &str) -> bool {
    const TAGS: [&str; 4] = ["RESULTS\t", "SEARCHEDLOGSTREAMS\t", "STATISTICS\t", "NEXTTOKEN\t"];
    TAGS.iter().any(|tag| line.starts_with(tag)) || is_tail_header(line)
}

/// `aws logs tail --format json` writes time and stream on a line of their own.
fn is_tail_header(line: &str) -> bool {
    let mut words = line.split(' ');
    let (first, stream) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    words.all(str::is_empty) && stream.starts_with("kube-") && time(first).is_some()
}

/// `line` without terminal colours.
pub(super) fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain.push_str(before);
        let code = after.strip_prefix('[').unwrap_or(after);
        rest = code.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        rest = rest.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_in_brackets_are_not_json() {
        for json in
            ["{\"a\":1}", "{ \"a\":1}", "{", "[", "[{}]", "[\"a\"]", "]", "}, {\"a\"", "[[1]]"]
        {
            assert!(starts_json(json), "{json}");
        }
        for text in ["[INFO] x", "{x}", "[10.0.0.1]", "text", "\"quoted\" text", "", "], text"] {
            assert!(!starts_json(text), "{text}");
        }
    }

    #[test]
    fn what_a_caller_sent_is_not_taken_for_an_event() {
        for line in [
            "2026-11-20T09:15:02.113Z {\"a\":1}",
            "2026-11-20T09:15:02.113Z {x=\"y\", z=\"{\"} {\"a\":1}",
            "<14>Nov 20 09:15:02 host kube-apiserver[9]: {\"a\":1}",
            "EVENTS\t0039\t1795166104413\tkube-apiserver-audit-0a\t{\"a\":1}\t1",
        ] {
            let at = candidates(line).next().map(|at| &line[at..at + 7]);
            assert_eq!(at, Some("{\"a\":1}"), "{line}");
        }
        for line in [
            "I1120 09:15:02.113406       9 request.go:1] Body: {\"a\":1}",
            "time=2026-11-20T09:15:02Z msg={\"a\":1}",
            "10.0.0.1 - - \"GET /{\"a\":1} HTTP/1.1\"",
        ] {
            assert_eq!(candidates(line).next(), None, "{line}");
            assert_eq!(json_start(line), None, "{line}");
        }
    }

    #[test]
    fn colours_go_and_everything_else_stays() {
        assert_eq!(without_colours("\x1b[32m2026\x1b[0m a \x1b[1;31mb"), "2026 a b");
        assert_eq!(without_colours("plain é"), "plain é");
        assert_eq!(without_colours("\x1b\x1b["), "");
    }

    #[test]
    fn the_time_is_found_among_the_words() {
        assert_eq!(
            time(
                "EVENTS\t00000000000000000000000000000000000000000000000039000000\t1795166104413\tkube"
            ),
            Some("1795166104413")
        );
        assert_eq!(time("2026-11-20T09:15:02.113Z stdout F "), Some("2026-11-20T09:15:02.113Z"));
        assert_eq!(time("I1120 09:15:02.113406       9 controller.go:1]"), None);
    }
}
