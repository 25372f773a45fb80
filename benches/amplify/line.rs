//! One line of a log, cut at everything that is another in each copy of it.

use std::io::{self, Write};
use std::ops::Range;

use super::facts::Facts;
use super::turns::Turn;

/// The namespaces of the recorded workloads.
const NAMESPACES: [&str; 6] =
    ["gitops", "monitoring", "payments", "shop", "shop-staging", "shop-system"];
/// How much a cluster's resource version grows in one copy.
const VERSIONS: u64 = 2_000;
/// A service account's token lasts for about an hour: so many copies.
const TOKEN_COPIES: u64 = 24;

/// A line that can be written as often as wanted.
pub(crate) struct Line {
    parts: Vec<Part>,
    /// The same for all stages of one request.
    seed: u64,
    tenant: Option<Turn>,
    variant: Option<Turn>,
}

/// A stretch of text, or what stands in its place.
enum Part {
    Text(Box<str>),
    AuditId,
    /// A token's ID; the recorded one's hash.
    Token(u64),
    Moment(Moment),
    /// How long a watch lasts, as `8m24s`.
    Timeout,
    /// The same in seconds.
    TimeoutSeconds,
    ResourceVersion(u64),
    /// What is added to the names of namespaces.
    Tenant,
    /// What is added to the name of an object.
    Variant,
}

/// A time in the first copy.
struct Moment {
    micros: i64,
    /// Whether it is written with microseconds.
    precise: bool,
}

impl Line {
    pub(crate) fn new(
        text: &str,
        facts: &Facts,
        shift: i64,
        tenant: Option<Turn>,
        variant: Option<Turn>,
    ) -> Self {
        let mut cuts = Cuts { text, cuts: Vec::new() };
        cuts.values("\"auditID\":\"", |_| Some(Part::AuditId));
        cuts.values("JTI=", |id| Some(Part::Token(hash(id))));
        cuts.moments(shift);
        let version = |text: &str| Some(Part::ResourceVersion(nonzero(text)?));
        cuts.values("resourceVersion=", version);
        cuts.values("\"resourceVersion\":\"", version);
        if facts.request_uri.contains("watch=true") {
            cuts.values("timeout=", |text| text.contains('m').then_some(Part::Timeout));
            cuts.values("timeoutSeconds=", |_| Some(Part::TimeoutSeconds));
        }
        if tenant.is_some() {
            cuts.tenant(facts);
        }
        if variant.is_some() {
            cuts.variant(facts);
        }
        Self { parts: cuts.into_parts(), seed: hash(&facts.audit_id), tenant, variant }
    }

    /// Writes the line as it stands in a copy that many `period`s of microseconds later.
    pub(crate) fn write(&self, copy: u64, period: i64, out: &mut Vec<u8>) -> io::Result<()> {
        let own = mix(self.seed ^ mix(copy));
        let later = i64::try_from(copy).map_or(0, |copy| copy * period);
        let timeout = 300 + own % 300;
        for part in &self.parts {
            match part {
                Part::Text(text) => out.write_all(text.as_bytes()),
                Part::AuditId => write_uuid(own, out),
                Part::Token(id) => write_uuid(mix(id ^ mix(copy / TOKEN_COPIES)), out),
                Part::Moment(moment) => moment.write(later, out),
                Part::Timeout => write!(out, "{}m{}s", timeout / 60, timeout % 60),
                Part::TimeoutSeconds => write!(out, "{timeout}"),
                Part::ResourceVersion(version) => write!(out, "{}", version + copy * VERSIONS),
                Part::Tenant => write_suffix(self.tenant, copy, out),
                Part::Variant => write_suffix(self.variant, copy, out),
            }?;
        }
        Ok(())
    }
}

impl Moment {
    fn write(&self, later: i64, out: &mut Vec<u8>) -> io::Result<()> {
        let moment = jiff::Timestamp::from_microsecond(self.micros + later);
        let it = jiff::tz::Offset::UTC.to_datetime(moment.map_err(io::Error::other)?);
        write!(out, "{:04}-{:02}-{:02}T", it.year(), it.month(), it.day())?;
        write!(out, "{:02}:{:02}:{:02}", it.hour(), it.minute(), it.second())?;
        if self.precise {
            write!(out, ".{:06}", it.subsec_nanosecond() / 1_000)?;
        }
        out.write_all(b"Z")
    }
}

fn write_uuid(seed: u64, out: &mut Vec<u8>) -> io::Result<()> {
    let (high, low) = (seed, mix(seed));
    write!(
        out,
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff,
    )
}

/// The first likeness is called as it was recorded.
fn write_suffix(turn: Option<Turn>, copy: u64, out: &mut Vec<u8>) -> io::Result<()> {
    match turn.map_or(0, |turn| turn.choice(copy)) {
        0 => Ok(()),
        number => write!(out, "-{number}"),
    }
}

/// What was found in a line.
struct Cuts<'t> {
    text: &'t str,
    cuts: Vec<(Range<usize>, Part)>,
}

impl Cuts<'_> {
    /// Replaces the values behind `key`, where `part` has something in their place.
    fn values(&mut self, key: &str, part: impl Fn(&str) -> Option<Part>) {
        for (at, _) in self.text.match_indices(key) {
            let value = &self.text[at + key.len()..];
            let end = value.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
            let value = &value[..end.unwrap_or(value.len())];
            let begin = at + key.len();
            self.cuts.extend(part(value).map(|part| (begin..begin + value.len(), part)));
        }
    }

    /// Every time with seconds or microseconds, also in bodies.
    fn moments(&mut self, shift: i64) {
        for (at, _) in self.text.match_indices("2026-") {
            for (length, precise) in [(20, false), (27, true)] {
                let written = self.text.get(at..at + length).filter(|text| text.ends_with('Z'));
                let moment = written.and_then(|text| text.parse::<jiff::Timestamp>().ok());
                if let Some(moment) = moment {
                    let micros = moment.as_microsecond() + shift;
                    self.cuts.push((at..at + length, Part::Moment(Moment { micros, precise })));
                }
            }
        }
    }

    /// The namespaces wherever they stand in a service account's request.
    fn tenant(&mut self, facts: &Facts) {
        let (_, name) = facts.service_account().unwrap_or_default();
        let reason = format!("{name}/");
        let mut places = vec![
            "system:serviceaccount:",
            "system:serviceaccounts:",
            "/namespaces/",
            "\"namespace\":\"",
            &reason,
        ];
        if facts.object_ref.resource == "namespaces" {
            places.push("\"name\":\"");
        }
        for place in places {
            for namespace in NAMESPACES {
                self.insert(place, namespace, || Part::Tenant);
            }
        }
    }

    /// The name of the object, in path, reference and bodies.
    fn variant(&mut self, facts: &Facts) {
        let (resource, name) = (&facts.object_ref.resource, &facts.object_ref.name);
        self.insert(&format!("/{resource}/"), name, || Part::Variant);
        self.insert("\"name\":\"", name, || Part::Variant);
    }

    /// Puts a part behind the whole word `word` wherever it follows `before`.
    fn insert(&mut self, before: &str, word: &str, part: impl Fn() -> Part) {
        let wanted = format!("{before}{word}");
        for (at, _) in self.text.match_indices(&wanted) {
            let end = at + wanted.len();
            let next = self.text[end..].chars().next();
            if !next.is_some_and(|c| c.is_ascii_alphanumeric() || "-.".contains(c)) {
                self.cuts.push((end..end, part()));
            }
        }
    }

    fn into_parts(mut self) -> Vec<Part> {
        self.cuts.sort_by_key(|(range, _)| (range.start, range.end));
        let mut parts = Vec::new();
        let mut done = 0;
        for (range, part) in self.cuts {
            if range.start >= done {
                parts.push(Part::Text(self.text[done..range.start].into()));
                parts.push(part);
                done = range.end;
            }
        }
        parts.push(Part::Text(format!("{}\n", &self.text[done..]).into()));
        parts
    }
}

fn nonzero(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0)
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

/// The finisher of splitmix64.
fn mix(seed: u64) -> u64 {
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let seed = (seed ^ seed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ seed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ seed >> 31
}
