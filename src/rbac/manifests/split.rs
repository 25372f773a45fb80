//! YAML documents of one text, found before any of them is parsed.
//!
//! Text comes in, the pieces between `---` lines go out, each with the line it starts on, so
//! that an error can say which document is at fault. Never parses.

/// One document: its text, the `---` line included, and where it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Document<'a> {
    pub(super) text: &'a str,
    /// The line of the source that the text starts on, from 1.
    pub(super) line: usize,
}

/// The documents of `text`; those of nothing but comments and directives are left out.
///
/// A line of `---` or `...`, alone or before a blank, ends a document wherever it stands: YAML
/// allows it inside no scalar.
pub(super) fn documents(text: &str) -> impl Iterator<Item = Document<'_>> {
    let mut rest = text;
    let mut line = 1;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (length, lines) = measure(rest);
        let (text, after) = rest.split_at(length);
        let document = Document { text, line };
        rest = after;
        line += lines;
        Some(document)
    })
    .filter(|document| has_content(document.text))
}

/// The bytes and lines up to the next boundary that is not the first line.
fn measure(text: &str) -> (usize, usize) {
    let mut length = 0;
    let mut lines = 0;
    for line in text.split_inclusive('\n') {
        if lines > 0 && is_boundary(line) {
            break;
        }
        length += line.len();
        lines += 1;
    }
    (length, lines)
}

fn is_boundary(line: &str) -> bool {
    let after = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
    after.is_some_and(|after| after.is_empty() || after.starts_with([' ', '\t', '\r', '\n']))
}

fn has_content(text: &str) -> bool {
    text.lines().any(|line| {
        let line = if is_boundary(line) { &line[3..] } else { line }.trim();
        !line.is_empty() && !line.starts_with(['#', '%'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<(usize, &str)> {
        documents(text).map(|document| (document.line, document.text)).collect()
    }

    #[test]
    fn documents_are_cut_at_marker_lines_and_keep_their_line() {
        let text = "a: 1\n---\n# Source: chart\nb: 2\n--- # note\nc: 3\n";
        assert_eq!(
            pieces(text),
            [(1, "a: 1\n"), (2, "---\n# Source: chart\nb: 2\n"), (5, "--- # note\nc: 3\n")]
        );
    }

    #[test]
    fn pieces_without_content_are_left_out() {
        let text = "%YAML 1.2\n---\n---\r\n# only a comment\n---\na: 1\n...\n";
        assert_eq!(pieces(text), [(5, "---\na: 1\n")]);
        assert_eq!(pieces(""), []);
        assert_eq!(pieces("---"), []);
    }

    #[test]
    fn dashes_inside_a_line_or_a_word_are_no_boundary() {
        let text = "a: |\n  ---\n  x\nb: ---\n---x: 1\n";
        assert_eq!(pieces(text), [(1, text)]);
    }

    #[test]
    fn a_document_on_the_marker_line_is_content() {
        assert_eq!(pieces("--- {a: 1}\n"), [(1, "--- {a: 1}\n")]);
    }
}
