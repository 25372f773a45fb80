//! `docs/summary.md` describes every key of the summary and every code in it, and no
//! others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use leastrole::audit::{AdviceCode, Basis};
use leastrole::decode::Cause as Problem;
use leastrole::policy::{Cause, Class, Outside, Pattern};
use leastrole::source::Damage;
use leastrole::usage::Evidence;
use serde_json::Value;

use super::markdown::{anchor, heading, spans};

/// Keys that only a live source fills, as the runs against a scripted server show.
const LIVE: [&str; 2] = ["input.streams[].name", "input.streams[].events"];

const PATH: &str = "docs/summary.md";

/// The first column of the tables under each heading, by the heading's anchor, each
/// entry with the rest of its row.
struct Tables(BTreeMap<String, BTreeMap<String, String>>);

impl Tables {
    fn read() -> Self {
        let text = fs::read_to_string(PATH).unwrap();
        let mut tables: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let mut section = String::new();
        for line in text.lines() {
            if let Some(heading) = heading(line) {
                section = anchor(heading);
            } else if line.starts_with("| `") {
                let entry = spans(line).next().unwrap().to_owned();
                let twice = tables.entry(section.clone()).or_default().insert(entry, line.into());
                assert!(twice.is_none(), "described twice: {line}");
            }
        }
        Self(tables)
    }

    fn codes(&self, section: &str) -> BTreeSet<&str> {
        self.0.get(section).into_iter().flat_map(BTreeMap::keys).map(String::as_str).collect()
    }

    /// The rows that describe a key, if they do: one row, or one that links to the
    /// section in which the rest of the key is described.
    fn describe(&self, section: &str, key: &str) -> Option<Vec<(String, String)>> {
        let rows = self.0.get(section)?;
        if rows.contains_key(key) {
            return Some(vec![(section.to_owned(), key.to_owned())]);
        }
        key.match_indices('.').find_map(|(at, _)| {
            let (begin, rest) = (&key[..at], &key[at + 1..]);
            let links = rows.get(begin)?.split("](#").skip(1).filter_map(|it| it.split(')').next());
            let mut found = links.filter_map(|linked| self.describe(linked, rest));
            let mut described = found.next()?;
            described.push((section.to_owned(), begin.to_owned()));
            Some(described)
        })
    }
}

#[test]
fn every_key_of_a_real_summary_is_described_and_no_other() {
    let tables = Tables::read();
    let mut keys = BTreeSet::new();
    collect(&summary(), "", &mut keys);
    keys.extend(LIVE.map(str::to_owned));
    let mut used = BTreeSet::new();
    let mut missing = Vec::new();
    for key in &keys {
        match tables.describe("keys", key) {
            Some(rows) => used.extend(rows),
            None => missing.push(key),
        }
    }
    assert!(missing.is_empty(), "{PATH} does not describe {missing:#?}");
    let mut reached: BTreeSet<&str> = used.iter().map(|(section, _)| section.as_str()).collect();
    reached.insert("keys");
    let stale: Vec<_> = reached
        .iter()
        .flat_map(|section| tables.codes(section).into_iter().map(move |row| (*section, row)))
        .filter(|(section, row)| !used.contains(&((*section).to_owned(), (*row).to_owned())))
        .collect();
    assert!(stale.is_empty(), "{PATH} describes what no summary holds: {stale:#?}");
}

/// The summary of a run in which something of everything happens.
fn summary() -> Value {
    let folder = tempfile::tempdir().unwrap();
    let (broken, json) = (folder.path().join("broken.log"), folder.path().join("summary.json"));
    fs::write(&broken, "{\"kind\":\"Event\",\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_leastrole"))
        .arg("generate")
        .arg("testdata/logs/cluster-shop/eks-policy.ndjson.gz")
        .args(["testdata/shapes/e_get-log-events.json", "--quiet", "--summary-json"])
        .args([&json, &broken])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&fs::read(json).unwrap()).unwrap()
}

/// The paths of all keys that hold anything: `identities[].needs[].verb`.
fn collect(value: &Value, path: &str, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                collect(value, &format!("{path}{dot}{key}"), keys);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().for_each(|item| collect(item, &format!("{path}[]"), keys));
        }
        Value::Array(items) if items.is_empty() => {}
        _ => {
            keys.insert(path.to_owned());
        }
    }
}

/// Every variant, by a match that fails to compile when one is missing.
macro_rules! every {
    ($type:ident: $($variant:ident),+ $(,)?) => {{
        let _complete = |value: $type| match value {
            $($type::$variant => (),)+
        };
        [$($type::$variant),+]
    }};
}

#[test]
fn every_code_is_described_and_no_other() {
    let tables = Tables::read();
    let mut differing = Vec::new();
    for (section, codes) in codes() {
        let (codes, described) = (codes.into_iter().collect(), tables.codes(section));
        if described != codes {
            let missing: Vec<_> = codes.difference(&described).collect();
            let stale: Vec<_> = described.difference(&codes).collect();
            differing.push(format!("{section}: missing {missing:?}, of nothing {stale:?}"));
        }
    }
    assert!(differing.is_empty(), "{PATH}: {}", differing.join("\n"));
}

/// The codes of every kind, by the section that describes them.
fn codes() -> [(&'static str, Vec<&'static str>); 8] {
    [
        ("advice", advice().map(AdviceCode::label).to_vec()),
        ("bases", Basis::ALL.map(Basis::label).to_vec()),
        ("tags", tags()),
        ("causes-of-widenings", causes().map(Cause::label).to_vec()),
        ("patterns-of-generated-names", patterns().map(Pattern::label).to_vec()),
        ("blind-spots", Class::ALL.map(Class::label).to_vec()),
        ("problems", problems().iter().map(Problem::code).collect()),
        ("outside-of-rbac", every!(Outside: Masters, Authorizer).map(Outside::label).to_vec()),
    ]
}

fn advice() -> [AdviceCode; 20] {
    every!(
        AdviceCode: HoldOrEscalate, BindRole, ApproveSigner, SignSigner, AttestSigner, ParamKind,
        ParamRef, ClaimStatus, OwnerReferences, CreateOnUpdateRefused, WebsocketCreateRefused, EscalationRefused,
        SignerRefused, ImpersonationRefused, EmptyVerb, LiteralWildcard, EmptyName,
        ImpossibleNamespace, MalformedUri, ReviewedElsewhere,
    )
}

fn patterns() -> [Pattern; 12] {
    every!(
        Pattern: HelmRelease, EventTime, SigningRequest, Uuid, NodeName, ReplicaSetPod,
        ControllerRevision, PodTemplateHash, Timestamp, ContentHash, HexDigest, GenerateName,
    )
}

/// The tags of a need with everything that can be said of one.
fn tags() -> Vec<&'static str> {
    let mut evidence = Evidence::default();
    evidence.bypass = true;
    evidence.outside_rbac = true;
    evidence.aggregated = true;
    evidence.bases.add(Basis::Delegated);
    evidence.tags().collect()
}

fn causes() -> [Cause; 5] {
    let causes = [
        Cause::GeneratedName(Pattern::Uuid),
        Cause::ManyNames,
        Cause::AnyName,
        Cause::ClusterScope,
        Cause::InformerVerb,
    ];
    causes.iter().for_each(|cause| match cause {
        Cause::GeneratedName(_)
        | Cause::ManyNames
        | Cause::AnyName
        | Cause::ClusterScope
        | Cause::InformerVerb => (),
    });
    causes
}

fn problems() -> Vec<Problem> {
    let damages = [
        Damage::GzipCut,
        Damage::GzipCorrupt,
        Damage::TrailingGarbage,
        Damage::ZstdCorrupt(String::new()),
        Damage::UnsupportedFormat { what: "", hint: "" },
        Damage::Unreadable(String::new()),
    ];
    let records = [
        Problem::NotJson,
        Problem::CutRecord,
        Problem::RecordTooLong { limit: 0 },
        Problem::InvalidUtf8,
        Problem::TooDeep,
        Problem::UnknownAuditVersion,
        Problem::EmbeddedGzip,
    ];
    let problems: Vec<Problem> = records.into_iter().chain(damages.map(Problem::Input)).collect();
    problems.iter().for_each(|problem| match problem {
        Problem::NotJson
        | Problem::CutRecord
        | Problem::RecordTooLong { .. }
        | Problem::InvalidUtf8
        | Problem::TooDeep
        | Problem::UnknownAuditVersion
        | Problem::EmbeddedGzip
        | Problem::Input(
            Damage::GzipCut
            | Damage::GzipCorrupt
            | Damage::TrailingGarbage
            | Damage::ZstdCorrupt(_)
            | Damage::UnsupportedFormat { .. }
            | Damage::Unreadable(_),
        ) => (),
    });
    problems
}
