//! The structure of JSON text without its meaning: where values end.
//!
//! Used where a value may be longer than is ever held in memory, so it works on
//! bytes that may be cut anywhere, and never looks at one twice.

/// Where whole values end, as far as they do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ends {
    /// After the last line that ends outside of every value.
    pub(super) line: Option<usize>,
    /// After the last whole value, or the comma behind it.
    pub(super) value: Option<usize>,
    /// Opened containers that are still open there.
    pub(super) levels: usize,
}

/// Finds the ends in `bytes`, which start between the values of the innermost
/// of `levels` opened containers. Goes on to the first end that is `enough`
/// bytes in, or that closes the last opened container.
///
/// A raw line break within a string is never legal: the record around it is
/// broken, and the line break is an end.
pub(super) fn ends(bytes: &[u8], levels: usize, enough: usize) -> Ends {
    let mut found = Ends { levels, ..Ends::default() };
    let mut walk = Walk::default();
    for (at, &byte) in bytes.iter().enumerate() {
        match walk.step(byte) {
            Step::Within => continue,
            Step::Break if levels == 0 => found.line = Some(at + 1),
            Step::End if levels == 0 => found.value = Some(at + 1),
            Step::Comma if levels > 0 => found.value = Some(at + 1),
            Step::Close if found.levels > 0 => {
                found.levels -= 1;
                found.value = Some(at + 1);
                if found.levels == 0 {
                    break;
                }
            }
            Step::Break | Step::End | Step::Comma | Step::Close => {}
        }
        if at + 1 >= enough && found.value.max(found.line) == Some(at + 1) {
            break;
        }
    }
    found
}

/// Passes over one value, piece by piece.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Skip {
    walk: Walk,
    after_break: bool,
}

impl Skip {
    /// The bytes of `bytes` that belong to the value, and whether it ends there:
    /// at its own end, at a line break within a string, or where the next line
    /// cannot be part of it.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (at, &byte) in bytes.iter().enumerate() {
            if self.after_break && !continues(byte) {
                return (at, true);
            }
            self.after_break = byte == b'\n';
            match self.walk.step(byte) {
                Step::Within | Step::Comma => {}
                Step::Break | Step::End | Step::Close => return (at + 1, true),
            }
        }
        (bytes.len(), false)
    }
}

/// Whether a line that begins so can only be the continuation of a value.
pub(super) fn continues(first: u8) -> bool {
    first.is_ascii_whitespace() || matches!(first, b'}' | b']' | b'"' | b',')
}

/// Whether the object that starts `bytes` has the keys of an audit event.
pub(super) fn is_event(bytes: &[u8]) -> bool {
    let mut walk = Walk::default();
    let mut key = None;
    for (at, &byte) in bytes.iter().enumerate() {
        let was_string = walk.in_string;
        walk.step(byte);
        match (walk.depth, was_string, walk.in_string) {
            (0, ..) if at > 0 => return false,
            (1, false, true) => key = Some((at + 1, at + 1)),
            (1, true, false) => key = key.map(|(start, _)| (start, at)),
            (1, false, false) if byte == b':' => {
                let name = key.take().map(|(start, end)| &bytes[start..end]);
                if matches!(name, Some(b"auditID" | b"requestURI")) {
                    return true;
                }
            }
            (1, false, false) if byte.is_ascii_whitespace() => {}
            (1, false, false) => key = None,
            _ => {}
        }
    }
    false
}

#[derive(Clone, Copy, Debug, Default)]
struct Walk {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Within a value, or in white space.
    Within,
    /// A line break between values, or one that ends a broken value.
    Break,
    /// The last byte of a value.
    End,
    /// A comma between values.
    Comma,
    /// A bracket that closes what was not opened here.
    Close,
}

impl Walk {
    fn step(&mut self, byte: u8) -> Step {
        if self.in_string {
            return self.step_in_string(byte);
        }
        match byte {
            b'"' => {
                self.in_string = true;
                Step::Within
            }
            b'{' | b'[' => {
                self.depth += 1;
                Step::Within
            }
            b'}' | b']' if self.depth == 0 => Step::Close,
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 { Step::End } else { Step::Within }
            }
            b',' if self.depth == 0 => Step::Comma,
            b'\n' if self.depth == 0 => Step::Break,
            _ => Step::Within,
        }
    }

    fn step_in_string(&mut self, byte: u8) -> Step {
        if std::mem::take(&mut self.escaped) {
            return Step::Within;
        }
        match byte {
            b'\\' => self.escaped = true,
            b'"' => {
                self.in_string = false;
                if self.depth == 0 {
                    return Step::End;
                }
            }
            b'\n' => {
                *self = Self::default();
                return Step::Break;
            }
            _ => {}
        }
        Step::Within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, levels: usize) -> (Option<&str>, Option<&str>, usize) {
        let ends = ends(text.as_bytes(), levels, usize::MAX);
        (ends.value.map(|end| &text[..end]), ends.line.map(|end| &text[..end]), ends.levels)
    }

    #[test]
    fn glued_values_end_at_their_last_bracket() {
        assert_eq!(cut(r#"{"a":"}"}{"b":["]\"}"#, 0).0, Some(r#"{"a":"}"}"#));
        assert_eq!(cut(r#"{"a":1"#, 0).0, None);
        assert_eq!(cut(" {\"a\":1}\n {\"b\":2}\n {\"c\"", 0).1, Some(" {\"a\":1}\n {\"b\":2}\n"));
        assert_eq!(cut("{\"cut\":\"x\n{\"b\":", 0).1, Some("{\"cut\":\"x\n"));
    }

    #[test]
    fn members_of_an_opened_container_end_at_commas() {
        assert_eq!(cut(r#" {"a":1}, {"b":2}, {"c":"#, 1), (Some(r#" {"a":1}, {"b":2},"#), None, 1));
        assert_eq!(cut(r#""key": "value"#, 1), (None, None, 1));
        assert_eq!(cut(r#"{"a":1}], "x": 1} {"next"#, 2), (Some(r#"{"a":1}], "x": 1}"#), None, 0));
    }

    #[test]
    fn enough_is_enough() {
        let text = r#"{"a":1}{"b":2}{"c":3}"#;
        assert_eq!(ends(text.as_bytes(), 0, 8).value, Some(14));
    }

    #[test]
    fn a_value_is_passed_over_in_pieces_of_any_size() {
        for (text, value) in [
            (r#"{"a":["\"}",{}]}{"b":1}"#, r#"{"a":["\"}",{}]}"#),
            ("\"str\\\"ing\", 1", "\"str\\\"ing\""),
            ("{\"cut\":\"in a string\n{\"b\":1}", "{\"cut\":\"in a string\n"),
            ("{\"cut\":[\n{\"b\":1}", "{\"cut\":[\n"),
            ("{\n  \"a\": [\n  ]\n}\n{}", "{\n  \"a\": [\n  ]\n}"),
        ] {
            for size in 1..=text.len() {
                let mut skip = Skip::default();
                let mut passed = 0;
                let ended = text.as_bytes().chunks(size).any(|piece| {
                    let (used, ended) = skip.pass(piece);
                    passed += used;
                    ended
                });
                assert_eq!((&text[..passed], ended), (value, true), "pieces of {size}");
            }
        }
    }

    #[test]
    fn an_event_is_known_by_keys_of_its_own() {
        assert!(is_event(br#"{"kind":"Event", "auditID" : "x"#));
        assert!(is_event(br#"{"a":{"b":[1,2]},"requestURI":"#));
        assert!(!is_event(br#"{"message":"{\"auditID\":1}"}"#));
        assert!(!is_event(br#"{"items":[{"auditID":"x","requestURI":"y"}]}"#));
        assert!(!is_event(br#"{"a":"auditID","b":["auditID"]}{"auditID":1}"#));
        assert!(!is_event(br#"[{"auditID":1}]"#));
        assert!(!is_event(b"text"));
    }
}
