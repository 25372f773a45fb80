//! Strings that YAML readers are known to take for something else, each as a resource
//! name, as a username and in an annotation.
//!
//! kubectl reads YAML 1.1 (and so `y` as true, `1_000` as a number, `1:30` as ninety),
//! this program writes and reads with a library of YAML 1.2. What it writes without
//! quotes must be the same string to both.

use std::collections::BTreeSet;

use crate::support::events::{event, log};
use crate::support::objects::objects;
use crate::support::program::{Ran, generate};
use crate::support::testdata;

/// One JSON string a line.
fn names() -> BTreeSet<String> {
    let text = std::fs::read_to_string(testdata("names/yaml.txt")).expect("the list is there");
    let name = |line: &str| serde_json::from_str(line).expect("a JSON string");
    // An event of nobody proves nothing.
    text.lines().map(name).filter(|name: &String| !name.is_empty()).collect()
}

/// Everyone is impersonated once: by name in the impersonator's role, as a subject, and
/// in the annotations of their own objects.
fn run(args: &[&str]) -> Ran {
    let impersonated = |name: &String| {
        event("U", "list", "/api/v1/nodes").impersonating(name, &["system:authenticated"])
    };
    let args = [&["--include-system", "--names", "exact"], args].concat();
    generate(&args, log(names().iter().map(impersonated))).run().clean()
}

#[test]
fn every_string_survives_as_name_as_subject_and_in_an_annotation() {
    let expected = names();
    assert!(expected.len() > 300, "only {}", expected.len());
    for args in [&[][..], &["--explain"], &["--format", "json"]] {
        let (mut named, mut bound, mut annotated) =
            <(BTreeSet<_>, BTreeSet<_>, BTreeSet<_>)>::default();
        for object in objects(&run(args).stdout).iter() {
            for rule in object.rules().iter().filter(|rule| rule.verbs == ["impersonate"]) {
                named.extend(rule.resource_names.clone().unwrap_or_default());
            }
            let subjects = object.role_ref_and_subjects().map_or(&[][..], |(_, subjects)| subjects);
            bound.extend(subjects.iter().map(|subject| match &subject.namespace {
                Some(namespace) => format!("system:serviceaccount:{namespace}:{}", subject.name),
                None => subject.name.clone(),
            }));
            let annotations = object.metadata().annotations.as_ref().expect("annotations");
            let identity = &annotations["leastrole/identity"];
            annotated.insert(identity.strip_prefix("user ").unwrap_or(identity).to_owned());
        }
        let without = |mut set: BTreeSet<String>, other: &str| {
            assert!(set.remove(other), "{other}");
            set
        };
        assert_eq!(without(bound, "U"), expected, "{args:?}");
        let account = "system:serviceaccount:ns:sa";
        let mut annotated = without(without(annotated, "U"), "service account ns:sa");
        annotated.insert(account.to_owned());
        assert_eq!(annotated, expected, "{args:?}");
        // A service account is impersonated in its namespace, by its own name.
        let mut named = without(named, "sa");
        named.insert(account.to_owned());
        assert_eq!(named, expected, "{args:?}");
    }
}

#[test]
fn what_stands_without_quotes_is_a_string_to_every_reader() {
    let yaml = run(&[]).stdout;
    let mut misread: Vec<&str> =
        yaml.lines().filter_map(plain_scalar).filter(|scalar| is_ambiguous(scalar)).collect();
    misread.dedup();
    assert_eq!(misread, Vec::<&str>::new());
}

#[test]
fn the_judge_knows_what_readers_take_for_something_else() {
    for scalar in [
        "y",
        "No",
        "on",
        "OFF",
        "true",
        "~",
        "null",
        "NULL",
        "0",
        "-1",
        "+1",
        "012",
        "0o17",
        "0x1f",
        "0b101",
        "1_000",
        "1.0",
        ".5",
        "5.",
        "1e3",
        "-1.5e-7",
        ".inf",
        "-.INF",
        ".NaN",
        "1:30",
        "190:20:30.15",
        "2001-01-01",
        "2001-1-1",
        "2001-12-14t21:59:43.10-05:00",
        "=",
        "<<",
        "-",
        "- a",
        "? a",
        "#x",
        "&a",
        "*a",
        "!t",
        "|",
        ">x",
        "%x",
        "@x",
        "`x",
        "[a",
        "{a",
        "]a",
        "a: b",
        "a #b",
        "a:",
        " a",
        "a ",
        "---",
        "--- a",
        "...",
        "a\tb",
        "\u{85}",
        "",
    ] {
        assert!(is_ambiguous(scalar), "{scalar:?}");
    }
    for scalar in
        ["a", "web-0", "v1", "1a", "-a", "a:b", "a#b", "system:node:n", "été", "1.2.3", "/x"]
    {
        assert!(!is_ambiguous(scalar), "{scalar:?}");
    }
}

/// The scalar of a line, if it has one and without quotes.
fn plain_scalar(line: &str) -> Option<&str> {
    if line == "---" || line.starts_with('#') {
        return None;
    }
    let mut rest = line.trim_start_matches(' ');
    while let Some(item) = rest.strip_prefix("- ") {
        rest = item;
    }
    let is_key = |key: &str| key.bytes().all(|b| b.is_ascii_alphabetic() || b"/.-".contains(&b));
    let value = match rest.split_once(':') {
        Some((key, "")) if is_key(key) => return None,
        Some((key, value)) if is_key(key) && value.starts_with(' ') => &value[1..],
        _ => rest,
    };
    (!value.starts_with(['"', '\''])).then_some(value)
}

/// Whether some reader of YAML 1.1 or 1.2 takes it for anything but this very string.
fn is_ambiguous(scalar: &str) -> bool {
    is_syntax(scalar) || is_word(scalar) || is_number(scalar) || is_date(scalar)
}

fn is_syntax(scalar: &str) -> bool {
    const INDICATORS: &[char] =
        &[',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`'];
    let is_printed =
        |c: char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    scalar.trim_matches([' ', '\t']) != scalar
        || scalar.is_empty()
        || scalar.starts_with(INDICATORS)
        || (scalar.starts_with(['-', '?', ':'])
            && matches!(scalar[1..].chars().next(), None | Some(' ')))
        || ["---", "..."].iter().any(|it| {
            scalar.strip_prefix(it).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
        || scalar.ends_with(':')
        || [": ", " #"].iter().any(|it| scalar.contains(it))
        || !scalar.chars().all(is_printed)
}

fn is_word(scalar: &str) -> bool {
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<"];
    words.contains(&scalar.to_lowercase().as_str())
}

/// Integers of any base with underscores, floats, and sexagesimal numbers.
fn is_number(scalar: &str) -> bool {
    let digits = scalar.strip_prefix(['-', '+']).unwrap_or(scalar).replace('_', "").to_lowercase();
    let all = |text: &str, radix: u32| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    let based = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .any(|(prefix, radix)| digits.strip_prefix(prefix).is_some_and(|rest| all(rest, radix)));
    let sexagesimal = digits.split_once(':').is_some_and(|(first, rest)| {
        let (rest, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
        all(first, 10) && rest.split(':').all(|part| all(part, 10)) && all(fraction, 10)
    });
    let starts_well = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let float = starts_well && digits.parse::<f64>().is_ok();
    based || sexagesimal || float || matches!(digits.as_str(), ".inf" | ".nan")
}

fn is_date(scalar: &str) -> bool {
    let day = scalar.split(['T', 't', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split('-').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.len() == 3 && parts[0].len() == 4 && parts.iter().all(is_number)
}
