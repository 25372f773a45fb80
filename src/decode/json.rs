//! Walking JSON text without building values: each piece is a slice of the text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::audit::Text;

/// The value at the start of `text`, and the bytes up to its end.
pub(super) fn first_value(text: &str) -> serde_json::Result<&str> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    match values.next() {
        Some(Ok(value)) => Ok(value.get()),
        Some(Err(error)) => Err(error),
        None => Ok(""),
    }
}

/// The content of a string literal.
pub(super) fn string(literal: &str) -> serde_json::Result<Text<'_>> {
    serde_json::from_str(literal)
}

/// A scalar as text: strings without their quotes, the rest as written.
pub(super) fn scalar(raw: &str) -> Option<Text<'_>> {
    match raw.as_bytes().first()? {
        b'"' => string(raw).ok(),
        b'{' | b'[' => None,
        _ if raw == "null" => None,
        _ => Some(raw.into()),
    }
}

/// Calls `each` with key and value of every member of an object.
pub(super) fn members<'a>(
    object: &'a str,
    each: impl FnMut(&str, &'a str),
) -> serde_json::Result<()> {
    Members(each).deserialize(&mut serde_json::Deserializer::from_str(object))
}

/// Calls `each` with every element of an array.
pub(super) fn elements<'a>(array: &'a str, each: impl FnMut(&'a str)) -> serde_json::Result<()> {
    Elements(each).deserialize(&mut serde_json::Deserializer::from_str(array))
}

/// Whether the object that `text` starts with, and may end within, has one of
/// `keys` at its own level.
pub(super) fn has_key(text: &[u8], keys: &[&str]) -> bool {
    let mut found = false;
    let search = KeySearch { keys, found: &mut found };
    // An error only ends the search early: at the end of the text, or at the key.
    let _ = search.deserialize(&mut serde_json::Deserializer::from_slice(text));
    found
}

struct KeySearch<'k> {
    keys: &'k [&'k str],
    found: &'k mut bool,
}

impl<'de> DeserializeSeed<'de> for KeySearch<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for KeySearch<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if self.keys.contains(&&*key) {
                *self.found = true;
                return Ok(());
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

struct Members<F>(F);

impl<'de, F: FnMut(&str, &'de str)> DeserializeSeed<'de> for Members<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str, &'de str)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
            (self.0)(&key, value.get());
        }
        Ok(())
    }
}

struct Elements<F>(F);

impl<'de, F: FnMut(&'de str)> DeserializeSeed<'de> for Elements<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(&'de str)> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut sequence: A) -> Result<(), A::Error> {
        while let Some(element) = sequence.next_element::<&'de RawValue>()? {
            (self.0)(element.get());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_slices_of_the_text() {
        assert_eq!(first_value(r#"{"a":[1]}{"b":2}"#).unwrap(), r#"{"a":[1]}"#);
        assert_eq!(first_value("\"a\": 1").unwrap(), "\"a\"");
        assert!(first_value("{\"a\":").is_err());
        let mut seen = Vec::new();
        members(r#"{"a": [1, 2], "b\n": null}"#, |key, value| {
            seen.push(format!("{key}={value}"));
        })
        .unwrap();
        assert_eq!(seen, ["a=[1, 2]", "b\n=null"]);
        let mut seen = Vec::new();
        elements(r#"[{"a":1} , "x"]"#, |element| seen.push(element)).unwrap();
        assert_eq!(seen, [r#"{"a":1}"#, "\"x\""]);
        assert_eq!(scalar("4.0").as_deref(), Some("4.0"));
        assert_eq!(scalar("null"), None);
    }

    #[test]
    fn a_key_is_found_at_the_level_of_the_object_only() {
        let is_event = |text: &[u8]| has_key(text, &["auditID", "requestURI"]);
        assert!(is_event(br#"{"kind":"Event", "auditID" : "x"#));
        assert!(is_event(br#"{"a":{"b":[1,2]},"requestURI":"#));
        assert!(!is_event(br#"{"message":"{\"auditID\":1}"}"#));
        assert!(!is_event(br#"{"items":[{"auditID":"x","requestURI":"y"}]}"#));
        assert!(!is_event(br#"{"a":"auditID","b":["auditID"]}{"auditID":1}"#));
        assert!(!is_event(br#"[{"auditID":1}]"#));
        assert!(!is_event(b"text"));
    }

    #[test]
    fn a_nesting_bomb_does_not_overflow_the_stack() {
        let bomb = "[".repeat(1 << 20);
        assert!(first_value(&bomb).is_err());
        let closed = format!("{bomb}{}", "]".repeat(1 << 20));
        assert_eq!(first_value(&closed).unwrap().len(), 2 << 20);
    }
}
