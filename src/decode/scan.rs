//! The structure of JSON text without its meaning: where values end.
//!
//! Used where a value may be longer than is ever held in memory, so it works on
//! bytes that may be cut anywhere, and never looks at one twice.

use memchr::memchr3;

/// Where whole values end, as far as they do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ends {
    /// After the last line that ends outside of every value.
    pub(super) line: Option<usize>,
    /// After the last whole object or array, or between the members of an
    /// opened container after the last comma or closing bracket.
    pub(super) value: Option<usize>,
    /// Opened containers that are still open there.
    pub(super) levels: usize,
}

/// Finds the ends in `bytes`, which start between the values of the innermost
/// of `levels` opened containers. No further than `enough` bytes in, if there is
/// an end before, nor than the end of the last opened container.
///
/// A raw line break within a string is never legal: the record around it is
/// broken, and the line break is an end.
pub(super) fn ends(bytes: &[u8], levels: usize, enough: usize) -> Ends {
    let mut found = Ends { levels, ..Ends::default() };
    let mut walk = Walk::default();
    let mut at = 0;
    while let Some((after, step)) = walk.advance(bytes, at) {
        at = after;
        if at > enough && found.line.or(found.value).is_some() {
            break;
        }
        match step {
            Step::Break if levels == 0 => found.line = Some(at),
            Step::End if levels == 0 && bytes[at - 1] != b'"' => found.value = Some(at),
            Step::Comma if levels > 0 => found.value = Some(at),
            Step::Close if found.levels > 0 => {
                found.levels -= 1;
                found.value = Some(at);
                if found.levels == 0 {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}

/// Passes over one value, piece by piece.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Skip {
    walk: Walk,
    after_line: bool,
}

impl Skip {
    /// The bytes of `bytes` that belong to the value, and whether it ends there:
    /// at its own end, at a line break within a string, or where the next line
    /// cannot be part of it.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        loop {
            if self.after_line && at < bytes.len() {
                self.after_line = false;
                if !continues(bytes[at]) {
                    return (at, true);
                }
            }
            let Some((after, step)) = self.walk.advance(bytes, at) else {
                return (bytes.len(), false);
            };
            at = after;
            match step {
                Step::Line => self.after_line = true,
                Step::Comma => {}
                Step::Break | Step::End | Step::Close => return (at, true),
            }
        }
    }
}

/// Whether a line that begins so can only be the continuation of a value.
pub(super) fn continues(first: u8) -> bool {
    first.is_ascii_whitespace() || matches!(first, b'}' | b']' | b'"' | b',')
}

/// Keeps track of strings and brackets.
#[derive(Clone, Copy, Debug, Default)]
struct Walk {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A line break within a container.
    Line,
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
    /// Goes on from `at` to the next step, and says where it ends. All of
    /// `bytes` is taken in where there is none.
    fn advance(&mut self, bytes: &[u8], mut at: usize) -> Option<(usize, Step)> {
        loop {
            let (after, step) = if self.in_string {
                self.advance_in_string(bytes, at)?
            } else {
                self.advance_outside(bytes, at)?
            };
            at = after;
            if step.is_some() {
                return step.map(|step| (at, step));
            }
        }
    }

    fn advance_outside(&mut self, bytes: &[u8], at: usize) -> Option<(usize, Option<Step>)> {
        let special = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']' | b',' | b'\n');
        let found = at + bytes[at..].iter().position(special)?;
        let step = match bytes[found] {
            b'"' => {
                self.in_string = true;
                None
            }
            b'{' | b'[' => {
                self.depth += 1;
                None
            }
            b'}' | b']' if self.depth == 0 => Some(Step::Close),
            b'}' | b']' => {
                self.depth -= 1;
                (self.depth == 0).then_some(Step::End)
            }
            b',' => (self.depth == 0).then_some(Step::Comma),
            _ => Some(if self.depth == 0 { Step::Break } else { Step::Line }),
        };
        Some((found + 1, step))
    }

    fn advance_in_string(&mut self, bytes: &[u8], at: usize) -> Option<(usize, Option<Step>)> {
        if self.escaped {
            bytes.get(at)?;
            self.escaped = false;
            return Some((at + 1, None));
        }
        let found = at + memchr3(b'"', b'\\', b'\n', &bytes[at..])?;
        let step = match bytes[found] {
            b'"' => {
                self.in_string = false;
                (self.depth == 0).then_some(Step::End)
            }
            b'\\' => {
                self.escaped = true;
                None
            }
            _ => {
                *self = Self::default();
                Some(Step::Break)
            }
        };
        Some((found + 1, step))
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
        assert_eq!(ends(text.as_bytes(), 0, 8).value, Some(7));
        assert_eq!(ends(text.as_bytes(), 0, 2).value, Some(7));
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
}
