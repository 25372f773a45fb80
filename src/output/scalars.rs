//! Values as JSON and YAML text, in which nothing acts on a terminal or hides from a
//! reader. In: anything that serializes. Out: text that reads back as the same value.
//! Adds no comments and knows no objects.

use std::fmt::Write;

use serde::Serialize;
use serde_saphyr::SerializerOptions;

use super::escape::acts;

/// Pretty JSON with a newline at its end.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let pretty = serde_json::to_string_pretty(value)?;
    let mut text = String::with_capacity(pretty.len() + 1);
    for character in pretty.chars() {
        if hides(character) {
            // Such characters stand in strings only, and JSON knows UTF-16 alone.
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(character);
        }
    }
    text.push('\n');
    Ok(text)
}

/// One document as kubectl would print it: every scalar ends its line.
pub(super) fn yaml(value: &impl Serialize) -> Result<String, serde_saphyr::ser::Error> {
    let mut options = SerializerOptions::default();
    options.prefer_block_scalars = false;
    let document = serde_saphyr::to_string_with_options(value, options)?;
    if !document.contains(hides) {
        return Ok(document);
    }
    let mut text = String::with_capacity(document.len() + 64);
    for line in document.lines() {
        if line.contains(hides) {
            let (head, scalar) = line.split_at(scalar_start(line));
            text.push_str(head);
            text.push_str(&quoted(scalar));
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    Ok(text)
}

fn hides(character: char) -> bool {
    character != '\n' && acts(character)
}

/// Where the scalar of a line begins: behind `- ` and `key: `. A scalar that is not
/// quoted holds no `: `, and no key here is anything but a plain word.
fn scalar_start(line: &str) -> usize {
    let mut rest = line.trim_start_matches(' ');
    while let Some(item) = rest.strip_prefix("- ") {
        rest = item.trim_start_matches(' ');
    }
    let item = line.len() - rest.len();
    let is_key = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric() || b"/.-".contains(&b));
    match rest.split_once(": ") {
        Some((key, _)) if is_key(key) => item + key.len() + 2,
        _ => item,
    }
}

/// The scalar in double quotes, which it may have already, with escapes.
fn quoted(scalar: &str) -> String {
    let is_quoted = scalar.starts_with('"');
    let mut text = String::from(if is_quoted { "" } else { "\"" });
    for character in scalar.chars() {
        match character {
            '"' | '\\' if !is_quoted => text.extend(['\\', character]),
            character if hides(character) => {
                let _ = write!(text, "\\U{:08x}", u32::from(character));
            }
            character => text.push(character),
        }
    }
    text.push_str(if is_quoted { "" } else { "\"" });
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const HOSTILE: [&str; 10] = [
        "\u{202e}txt",
        "a\u{200b}\"b\\",
        "- \u{202e}",
        "-\u{202e}",
        "key: \u{2066}",
        "\u{e0041}\u{1f600}",
        "\u{1b}[31m\u{9b}31m",
        "\u{7f}\u{85}\u{2028}\n",
        "'\u{feff}'",
        "# \u{ad}",
    ];

    fn assert_harmless(text: &str) {
        assert!(!text.contains(hides), "{text:?}");
    }

    #[test]
    fn what_hides_is_escaped_and_reads_back() {
        for hostile in HOSTILE {
            let value = BTreeMap::from([("leastrole/identity", vec![hostile, "plain"])]);
            let (json, yaml) = (json(&value).unwrap(), yaml(&value).unwrap());
            assert_harmless(&json);
            assert_harmless(&yaml);
            let back: BTreeMap<&str, Vec<String>> = serde_json::from_str(&json).unwrap();
            assert_eq!(back, serde_saphyr::from_str(&yaml).unwrap(), "{yaml}");
            assert_eq!(back["leastrole/identity"], [hostile, "plain"]);
        }
        for hostile in HOSTILE {
            let value = vec![BTreeMap::from([("name", hostile)])];
            let yaml = yaml(&value).unwrap();
            assert_harmless(&yaml);
            let back: Vec<BTreeMap<String, String>> = serde_saphyr::from_str(&yaml).unwrap();
            assert_eq!(back[0]["name"], hostile, "{yaml}");
        }
    }

    #[test]
    fn what_is_plain_stays_plain() {
        let value = BTreeMap::from([("name", "été, 名前 😀")]);
        assert_eq!(yaml(&value).unwrap(), "name: été, 名前 😀\n");
        assert_eq!(json(&value).unwrap(), "{\n  \"name\": \"été, 名前 😀\"\n}\n");
    }
}
