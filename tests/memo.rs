//! Recognised and parsed events come to the same, byte for byte.

use std::collections::BTreeMap;
use std::sync::Arc;

use leastrole::audit::{BodyUse, Conclusion, Event, Frame, Reading, Settings, conclude};
use leastrole::decode::Consumer;
use leastrole::pipeline::ReadOptions;
use leastrole::source::{Inputs, LogPath};
use leastrole::usage::{Fold, Moment, Selection};
use proptest::prelude::*;

use crate::fuzz_corpus::events::{assert_same_within, log};
use crate::shapes::collect::{cluster_log, testdata};
use crate::support::events::FIELDS;

fn options() -> ReadOptions {
    ReadOptions { threads: 2, block_size: 64 << 10, ..ReadOptions::default() }
}

fn assert_same(inputs: impl Fn() -> Inputs, what: &str) {
    assert_same_within(inputs, what, &Arc::default(), &options());
}

#[test]
fn remembering_changes_nothing_on_real_logs_and_every_shape() {
    for folder in ["logs/cluster-shop", "shapes"] {
        assert_same(|| Inputs::find(&[LogPath::from(testdata(folder))]), folder);
    }
    for name in ["metadata", "eks-policy"] {
        let twice = cluster_log(&format!("{name}.ndjson.gz")).repeat(2);
        assert_same(|| log(twice.as_bytes()), "the same events twice");
    }
}

/// The audit policy may change while the log is written.
#[test]
fn an_event_without_bodies_is_not_taken_for_its_like_with_bodies() {
    let [without, with] =
        ["metadata", "eks-policy"].map(|log| cluster_log(&format!("{log}.ndjson.gz")));
    let options = ReadOptions { threads: 1, ..options() };
    for logs in [[&without, &with], [&with, &without]] {
        let text = logs.map(String::as_str).concat();
        assert_same_within(|| log(text.as_bytes()), "both policies", &Arc::default(), &options);
    }
}

type Change<'c> = &'c dyn Fn(String) -> String;

/// What differs in a part of the line that rarely decides, or where two parts meet.
#[test]
fn what_is_unusual_is_not_taken_for_what_is_usual() {
    let line = |change: &dyn Fn(String) -> String, minutes| {
        let usual = WATCH.replace("OPTIONS", "watch=true");
        change(at(usual.trim_end(), minutes)) + "\n"
    };
    let uri = |uri: &'static str| {
        move |line: String| line.replace("/api/v1/namespaces/n/pods?watch=true", uri)
    };
    let selected_by_an_escaped_verb = |line: String, name: &str| {
        let line = line.replace("watch=true", &format!("fieldSelector=metadata.name%3D{name}"));
        let line = line.replace("\"watch\"", r#""w\u0061tch""#);
        line.replace(r#""objectRef":{"resource":"pods","namespace":"n","name":"x"},"#, "")
    };
    let cases: [(&str, [Change<'_>; 2]); 8] = [
        ("a malformed URI", [&uri("/api/v1//pods?x=1"), &uri("/api/v1//pods?x=2")]),
        (
            "an escaped question mark",
            [
                &uri(r"/api/v1/namespaces/n/pods\u003ffieldSelector=metadata.name%3D?abc"),
                &uri(r"/api/v1/namespaces/n/pods\u003ffieldSelector=metadata.name%3D?abd"),
            ],
        ),
        (
            "an escaped question mark before one",
            [
                &uri(r"/api/v1/namespaces/n/pods\u003ffieldSelector=metadata.name%3Dx"),
                &uri(r"/api/v1/namespaces/n/pods\u003ffieldSelector=metadata.name%3Dx?abc"),
            ],
        ),
        (
            "an escape before a broken query",
            [
                &|line| uri(r"/api/v1/namespaces/n/pods/a\u0026b")(line).replace("watch", "get"),
                &|line| {
                    uri(r"/api/v1/namespaces/n/pods/a\u0026b?x=\q")(line).replace("watch", "get")
                },
            ],
        ),
        (
            "an escaped verb",
            [&|line| selected_by_an_escaped_verb(line, "x"), &|line| {
                selected_by_an_escaped_verb(line, "y")
            }],
        ),
        (
            "a verb like a query",
            [&|line| line.replace("watch=true", r"x\\y"), &|line| {
                line.replace("watch=true", "z").replace("\"watch\"", r#""watch?x\\y""#)
            }],
        ),
        (
            "no time of the stage",
            [
                &|line| line.replace("stageTimestamp\":\"2030-01", "stageTimestamp\":\"2030-99"),
                &|line| line.replace("stageTimestamp\":\"2030-01", "stageTimestamp\":\"2030-98"),
            ],
        ),
        (
            "other groups",
            [&|line| line.replace(r#""u"}"#, r#""u","groups":["a","b"]}"#), &|line| {
                line.replace(r#""u"}"#, r#""u","groups":["a"]}"#)
            }],
        ),
    ];
    let options = ReadOptions { threads: 1, ..options() };
    for (what, changes) in cases {
        for [first, second] in [[0, 1], [1, 0]] {
            let order = [first, first, first, second, second, second].into_iter().enumerate();
            let text: String = order.map(|(at, it)| line(changes[it], at)).collect();
            assert_same_within(|| log(text.as_bytes()), what, &Arc::default(), &options);
        }
    }
}

#[test]
fn remembering_changes_nothing_in_a_window_of_time() {
    let moment = |text| Moment::parse(text);
    let selection = Arc::new(Selection {
        since: moment("2026-11-23T15:40:10Z"),
        until: moment("2026-11-23T15:40:16.5Z"),
        ..Selection::default()
    });
    let text = cluster_log("eks-policy.ndjson.gz").repeat(2);
    assert_same_within(|| log(text.as_bytes()), "a window", &selection, &options());
}

#[test]
fn a_framed_event_says_what_the_parsed_one_says() {
    let mut framed_lines = 0;
    for log in ["metadata", "eks-policy"] {
        for line in cluster_log(&format!("{log}.ndjson.gz")).lines() {
            let parsed = Event::parse(line).unwrap();
            let Some((frame, len)) = Frame::split(line.as_bytes()) else {
                continue;
            };
            assert_eq!(len, line.len());
            framed_lines += 1;
            let is_received = frame.is_request_received();
            assert_eq!(is_received, &*parsed.stage == "RequestReceived", "{line}");
            if !is_received {
                let framed = frame.event().unwrap();
                let has_bodies = frame.has_bodies();
                assert_eq!(said(&framed, has_bodies), said(&parsed, has_bodies), "{line}");
            }
        }
    }
    assert_eq!(framed_lines, 7_373, "every line of both logs is framed");
}

/// JSON may say every letter by its number, and have spaces between its parts.
#[test]
fn a_framed_event_says_the_same_however_json_writes_it() {
    let mut framed_lines = 0;
    for line in one_of_each_kind() {
        for (place, letter) in line.char_indices().filter(|(_, letter)| letter.is_ascii()) {
            let escape = format!("\\u{:04x}", u32::from(letter));
            let escaped = [&line[..place], &escape, &line[place + 1..]].concat();
            let spaced = [&line[..place], " ", &line[place..]].concat();
            for line in [escaped, spaced] {
                let Ok(parsed) = Event::parse(&line) else { continue };
                let Some((frame, _)) = Frame::split(line.as_bytes()) else { continue };
                let Some(framed) = frame.event() else { continue };
                framed_lines += 1;
                let has_bodies = frame.has_bodies();
                assert_eq!(said(&framed, has_bodies), said(&parsed, has_bodies), "{line}");
            }
        }
    }
    assert!(framed_lines > 1_000, "{framed_lines}");
}

/// A line that was met before is recognised by its bytes alone: whatever is done to one of
/// them, it must be taken for what it is.
#[test]
fn a_line_like_a_known_one_is_told_from_it_whichever_byte_differs() {
    for line in one_of_each_kind() {
        let new = || Fold::new(Arc::default(), Settings::default());
        let (mut remembering, mut forgetful) = (new(), new().forgetful());
        let mut clock = 0;
        let mut taken = 0;
        let mut read = |spoil: &dyn Fn(&mut Vec<u8>), what: &str| {
            clock += 1;
            let mut bytes = at(&line, clock).into_bytes();
            spoil(&mut bytes);
            // What stands behind the line must not matter.
            bytes.extend_from_slice(line.as_bytes());
            let lens = (remembering.line(&bytes), forgetful.line(&bytes));
            assert_eq!(lens.0, lens.1, "{what} of {line}");
            let is_one_line = |len: usize| !bytes[..len].contains(&b'\n');
            assert!(lens.0.is_none_or(is_one_line), "{what} of {line}");
            taken += usize::from(lens.0.is_some());
            lens.0.is_some()
        };
        for _ in 0..4 {
            read(&|bytes| bytes.push(b'\n'), "nothing");
        }
        for place in 0..line.len() {
            for byte in [b'"', b'\\', b'\n', b'}', b'7', 0xff] {
                let replace = |bytes: &mut Vec<u8>| {
                    bytes[place] = byte;
                    bytes.push(b'\n');
                };
                read(&replace, &format!("byte {place} = {byte}"));
            }
            let cut = |bytes: &mut Vec<u8>| {
                bytes.remove(place);
                bytes.push(b'\n');
            };
            read(&cut, &format!("no byte {place}"));
            let insert = |bytes: &mut Vec<u8>| {
                bytes.insert(place, b'"');
                bytes.extend_from_slice(b"\r\n");
            };
            read(&insert, &format!("a quote at {place}"));
        }
        for behind in [" \n", "}\n", "\r", "\n", ""] {
            read(
                &|bytes| bytes.extend_from_slice(behind.as_bytes()),
                &format!("{behind:?} behind"),
            );
        }
        assert!(taken > 4, "nothing was taken of {line}");
        let [remembered, forgotten] = [remembering, forgetful].map(Fold::into_usage);
        assert_eq!(format!("{remembered:?}"), format!("{forgotten:?}"), "{line}");
    }
}

/// Real lines that differ in what stands in them.
fn one_of_each_kind() -> Vec<String> {
    let logs = ["metadata", "eks-policy"].map(|log| cluster_log(&format!("{log}.ndjson.gz")));
    let mut kinds = BTreeMap::new();
    for line in logs.iter().flat_map(|log| log.lines()) {
        let event = Event::parse(line).unwrap();
        let kind = (
            event.stage.to_string(),
            event.request_uri.contains('?'),
            line.contains("Object\":{\"kind"),
            line.contains("objectRef"),
            event.code() / 100,
            event.impersonated_user.is_some(),
        );
        let usual = line.len() < 2_500 && !Reading::of(&event).is_inexpressible();
        if usual && !event.user.username.starts_with("system:") {
            kinds.entry(kind).or_insert_with(|| line.to_owned());
        }
    }
    let watch = WATCH.trim_end().replace("OPTIONS", OPTIONS[0]);
    kinds.into_values().chain([watch]).collect()
}

/// The line so many minutes after the hour.
fn at(line: &str, minutes: usize) -> String {
    let start = line.find("\"stageTimestamp\":\"").unwrap() + "\"stageTimestamp\":\"".len();
    let (hour, minute) = (minutes / 60, minutes % 60);
    let (day, hour) = (1 + hour / 24 % 28, hour % 24);
    let (month, year) = (1 + minutes / 40_320 % 12, 2030);
    let time = format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:00.000000Z");
    [&line[..start], &time, &line[start + time.len()..]].concat()
}

/// Conclusions and everything that goes into evidence. A framed event is without its bodies.
fn said(event: &Event<'_>, has_bodies: bool) -> (Vec<Conclusion>, String) {
    let reading = Reading::of(event);
    let mut conclusions = Vec::new();
    if !has_bodies || reading.body_use(Settings::default()) == BodyUse::None {
        conclude(event, &reading, Settings::default(), &mut |it| conclusions.push(it));
    }
    let facts = [
        &event.audit_id,
        &event.request_uri,
        &event.user_agent,
        &event.user.username,
        &event.stage_timestamp,
        &event.annotations.reason,
    ];
    let groups = &event.user.groups;
    let arn = event.user.extra.first("canonicalArn");
    (conclusions, format!("{facts:?} {groups:?} {arn:?} {} {reading:?}", event.code()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn remembering_changes_nothing_on_damaged_logs(
        start in 0_usize..2_000,
        damage in prop::collection::vec((0_usize..60_000, any::<u8>(), 0_u8..4), 0..60),
    ) {
        let whole = cluster_log("eks-policy.ndjson.gz");
        let lines: Vec<&str> = whole.lines().skip(start).take(20).collect();
        // Three times, so that damaged lines meet remembered ones.
        let mut text = format!("{}\n", lines.join("\n")).repeat(3).into_bytes();
        for (at, byte, how) in damage {
            let at = at * 7 % text.len();
            match how {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                2 => { text.remove(at); }
                _ => text[at] = b"{}[]\",:\\ \n"[usize::from(byte) % 10],
            }
        }
        assert_same(|| log(&text), "damaged");
    }

    /// Lines that are well formed, and differ from others that were seen in a field or two.
    #[test]
    fn remembering_changes_nothing_whichever_fields_are_exchanged(
        start in 0_usize..2_000,
        made in prop::collection::vec(
            (0_usize..6, prop::collection::vec((0_usize..FIELDS.len(), 0_usize..6, 0_u8..8), 0..3)),
            1..80,
        ),
    ) {
        let logs = ["metadata", "eks-policy"].map(|log| cluster_log(&format!("{log}.ndjson.gz")));
        let lines = logs.iter().flat_map(|log| log.lines().skip(start).take(3));
        let pool: Vec<Vec<String>> = lines.map(fields).collect();
        let mut text = String::new();
        for (minutes, (base, changes)) in made.iter().chain(&made).enumerate() {
            let mut line = pool[*base].clone();
            for &(field, other, how) in changes {
                line[field] = match how {
                    0 => String::new(),
                    1 => line[field].repeat(2),
                    2 => line[field].replacen('e', r"\u0065", 1),
                    3 => line[field].replacen(':', " :", 1),
                    4 | 5 => with_another_sign(&line[field], other),
                    _ => pool[other][field].clone(),
                };
            }
            let line = line.concat() + "}";
            let has_time = line.contains("\"stageTimestamp\":\"20");
            text += &if has_time { at(&line, minutes) } else { line };
            text.push('\n');
        }
        let all = Arc::new(Selection { include_system: true, ..Selection::default() });
        assert_same_within(|| log(text.as_bytes()), "exchanged fields", &all, &options());
    }

    /// More pods of an account than lines are known that begin alike, and what decides in
    /// between.
    #[test]
    fn remembering_changes_nothing_whichever_pod_it_is(
        lines in prop::collection::vec(
            (0_u8..9, 0_u8..9, prop::sample::select(vec!["u", "v", "w"]), 0_u8..2, 0_u8..2),
            1..150,
        ),
    ) {
        let usual = WATCH.replace("OPTIONS", "watch=true");
        let mut text = String::new();
        for (minutes, (pod, address, subject, code, reason)) in lines.into_iter().enumerate() {
            let pod = format!(r#""authentication.kubernetes.io/pod-name":["u-{pod}"]"#);
            let user = format!(
                r#""u","extra":{{{pod}}}}},"impersonatedUser":{{"username":"{subject}"}}"#
            );
            let reason = format!(r#""allow","authorization.k8s.io/reason":"{reason}""#);
            let line = usual
                .replace(r#""u"}"#, &user)
                .replace("10.0.0.1", &format!("10.0.0.{address}"))
                .replace(r#""code":200"#, &format!(r#""code":20{code}"#))
                .replace(r#""allow""#, &reason);
            text += &(at(line.trim_end(), minutes) + "\n");
        }
        assert_same(|| log(text.as_bytes()), "pods");
    }

    #[test]
    fn remembering_changes_nothing_whatever_the_query(
        queries in prop::collection::vec(prop::collection::vec(0_usize..OPTIONS.len(), 0..5), 1..20),
        joints in prop::collection::vec(0_usize..3, 1..4),
    ) {
        let joint = |at: usize| ["&", r"\u0026", r"\\u0026"][joints[at % joints.len()]];
        let lines = queries.iter().map(|options| {
            let parts = options.iter().enumerate();
            let query: String = parts.map(|(at, &it)| [joint(at), OPTIONS[it]].concat()).collect();
            WATCH.replace("OPTIONS", &query)
        });
        let text = lines.collect::<String>().repeat(2);
        assert_same(|| log(text.as_bytes()), "queries");
    }
}

/// The text of a field with one letter or digit of its value exchanged: it stays as long.
fn with_another_sign(text: &str, which: usize) -> String {
    let value = text.find("\":").map_or(0, |at| at + 2);
    let signs =
        text.char_indices().filter(|(at, sign)| *at >= value && sign.is_ascii_alphanumeric());
    let signs: Vec<usize> = signs.map(|(at, _)| at).collect();
    let mut text = text.to_owned();
    if let Some(&at) = signs.get(which * signs.len() / 6) {
        let next = match &text[at..=at] {
            "9" => "0".to_owned(),
            "z" | "Z" => "a".to_owned(),
            sign => char::from(sign.as_bytes()[0] + 1).to_string(),
        };
        text.replace_range(at..=at, &next);
    }
    text
}

/// The text of each field of [`FIELDS`], with the mark before it; empty where it is missing.
fn fields(line: &str) -> Vec<String> {
    let line = line.strip_suffix('}').unwrap();
    let mut rest = line.len();
    let mut fields: Vec<String> = FIELDS
        .iter()
        .rev()
        .map(|field| {
            let start = line[..rest].rfind(&format!("\"{field}\":")).map(|quote| quote - 1);
            let text = &line[start.unwrap_or(rest)..rest];
            rest = start.unwrap_or(rest);
            text.to_owned()
        })
        .collect();
    fields.reverse();
    fields
}

/// Options that select a name, that spoil the selection, and that do neither.
const OPTIONS: [&str; 14] = [
    "fieldSelector=metadata.name%3Dx",
    "fieldSelector=metadata.name=y",
    "fieldSelector=metadata.name%3Dx,metadata.name!=z",
    "fieldSelecto%72=metadata.name=w",
    "fieldSelector=metadata.name=v;limit=1",
    "timeoutSeconds=300",
    "timeoutSeconds=5m",
    "limit=x",
    "limit=",
    "limit",
    "limit=99999999999999999999",
    "resourceVersion=12",
    "watch=true",
    "x",
];

const WATCH: &str = concat!(
    r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","#,
    r#""stage":"ResponseStarted","requestURI":"/api/v1/namespaces/n/pods?OPTIONS","#,
    r#""verb":"watch","user":{"username":"u"},"sourceIPs":["10.0.0.1"],"userAgent":"p","#,
    r#""objectRef":{"resource":"pods","namespace":"n","name":"x"},"#,
    r#""responseStatus":{"metadata":{},"code":200},"#,
    r#""requestReceivedTimestamp":"2026-11-20T09:15:03.000001Z","#,
    r#""stageTimestamp":"2026-11-20T09:15:03.000001Z","#,
    r#""annotations":{"authorization.k8s.io/decision":"allow"}}"#,
    "\n"
);
