//! Strings from the log are written by whoever called the API server: before one goes
//! to a terminal or into a comment, whatever could act there is made visible.

use std::borrow::Cow;
use std::fmt::Write;

/// The text on one line, with control, invisible and direction-changing characters
/// written as `\u{...}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if acts(character) {
            let _ = write!(escaped, "\\u{{{:x}}}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// Control characters, line and paragraph separators, zero-width and bidirectional
/// formatting, byte-order marks, tags, what is no character at all (and no YAML) and others
/// without a shape.
pub(super) fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The visible text, cut to at most `width` characters.
pub fn short(text: &str, width: usize) -> String {
    let visible = visible(text);
    if visible.chars().count() <= width {
        return visible.into_owned();
    }
    let kept: String = visible.chars().take(width.saturating_sub(3)).collect();
    format!("{kept}...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown_instead() {
        for (text, expected) in [
            ("plain, été, 名前", "plain, été, 名前"),
            ("a\nb\r\tc", "a\\u{a}b\\u{d}\\u{9}c"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("safe\u{202e}txt", "safe\\u{202e}txt"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("no\u{ffff}character", "no\\u{ffff}character"),
        ] {
            assert_eq!(visible(text), expected);
        }
    }

    #[test]
    fn long_text_is_cut_after_escaping() {
        assert_eq!(short("abcdefgh", 6), "abc...");
        assert_eq!(short("\n\n", 20), "\\u{a}\\u{a}");
        assert_eq!(short("abc", 3), "abc");
    }
}
