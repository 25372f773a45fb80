//! Columns for people.

use super::escape::short;
use super::summary_text::{BOLD, RESET};

/// Characters of one cell.
const WIDEST: usize = 60;

/// Rows under a bold heading, each column as wide as its widest cell. The last column is
/// not padded, and not cut either.
pub(super) fn columns<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let cell = |text: &str, column: usize| {
        let width = if column + 1 == N { usize::MAX } else { WIDEST };
        short(text, width)
    };
    let mut widths = heading.map(|title| title.chars().count());
    for row in rows {
        for (column, text) in row.iter().enumerate() {
            widths[column] = widths[column].max(cell(text, column).chars().count());
        }
    }
    let line = |texts: [String; N]| {
        let mut padded = texts;
        for (text, width) in padded.iter_mut().zip(widths).take(N - 1) {
            *text = format!("{text:width$}");
        }
        padded.join("  ").trim_end().to_owned()
    };
    let mut text = format!("{BOLD}{}{RESET}\n", line(heading.map(str::to_owned)));
    for row in rows {
        let mut column = 0;
        let cells = row.clone().map(|text| {
            column += 1;
            cell(&text, column - 1)
        });
        text.push_str(&line(cells));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be_and_hostile_text_stays_in_its_cell() {
        let rows = [["a".to_owned(), "b\nc".to_owned()], ["longer".to_owned(), String::new()]];
        let text = columns(["X", "Y"], &rows);
        assert_eq!(text, "\u{1b}[1mX       Y\u{1b}[0m\na       b\\u{a}c\nlonger\n");
    }
}
