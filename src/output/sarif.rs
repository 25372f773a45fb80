//! The report of `check` as SARIF 2.1.0 (OASIS), for code scanning.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::report::{CheckReport, FindingSummary};
use crate::findings::{Code, Severity};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What would not be part of a path in a URI.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The report as a SARIF log.
pub fn sarif(report: &CheckReport) -> Value {
    let open = report.findings.iter().map(|finding| result(finding, false));
    let accepted = report.accepted.iter().map(|finding| result(finding, true));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "leastrole",
                "version": report.leastrole,
                "semanticVersion": report.leastrole,
                "rules": Code::ALL.iter().map(|&code| rule(code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": open.chain(accepted).collect::<Vec<_>>(),
            "properties": {
                "windowFirst": report.read.window.first,
                "windowLast": report.read.window.last,
            },
        }],
    })
}

fn rule(code: Code) -> Value {
    let page = format!("See docs/findings.md#{code}.");
    json!({
        "id": code.label(),
        "shortDescription": { "text": code.meaning() },
        "fullDescription": { "text": code.meaning() },
        "help": { "text": format!("{} {page}", code.meaning()) },
        "defaultConfiguration": { "level": code.severity().label() },
        "properties": {
            "tags": ["security", "kubernetes", "rbac"],
            "precision": "high",
            "security-severity": security_severity(code),
        },
    })
}

/// The figure by which GitHub sorts into critical (from 9), high (7), medium (4) and low.
fn security_severity(code: Code) -> &'static str {
    match (code, code.severity()) {
        (Code::RiskClusterAdmin | Code::RiskAnonymous, _) => "9.0",
        (code, Severity::Warning) if code.is_risk() => "7.0",
        (_, Severity::Error | Severity::Warning) => "5.0",
        (_, Severity::Note) => "2.0",
    }
}

fn result(finding: &FindingSummary, is_accepted: bool) -> Value {
    let index = Code::ALL.iter().position(|code| code.label() == finding.code);
    let mut result = json!({
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity,
        "message": { "text": message(finding) },
        "locations": [location(finding)],
        "partialFingerprints": { "leastroleFinding/v1": fingerprint(finding) },
    });
    if is_accepted {
        result["suppressions"] = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": "accepted by the baseline",
        }]);
    }
    result
}

fn message(finding: &FindingSummary) -> String {
    let mut sentences = vec![format!("{}.", finding.sentence)];
    sentences.extend(finding.details.iter().map(|detail| format!("({detail}.)")));
    if let Some(used) = finding.used.first() {
        let more = finding.used.len() - 1;
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        sentences.push(format!("Used: {used}{more}."));
    }
    sentences.join(" ")
}

fn location(finding: &FindingSummary) -> Value {
    let mut location = json!({});
    if let Some(place) = &finding.place {
        location["physicalLocation"] = json!({
            "artifactLocation": { "uri": uri(&place.file) },
            "region": { "startLine": place.line },
        });
    }
    if let Some(object) = &finding.object {
        location["logicalLocations"] =
            json!([{ "fullyQualifiedName": object, "kind": "resource" }]);
    }
    location
}

/// A relative path as a relative URI, so that it is found in a checkout; an absolute one
/// as a file.
fn uri(file: &str) -> String {
    match file {
        "-" => "stdin".to_owned(),
        file => {
            let path = file.strip_prefix("./").unwrap_or(file);
            let scheme = if path.starts_with('/') { "file://" } else { "" };
            format!("{scheme}{}", utf8_percent_encode(path, PATH))
        }
    }
}

/// The same in every run that finds the same.
fn fingerprint(finding: &FindingSummary) -> String {
    let object = finding.object.as_deref().unwrap_or_default();
    let items = finding.items.iter().map(|item| item.text.as_str());
    let parts = [finding.code, object, &finding.about].into_iter().chain(items);
    // FNV-1a, 64 bits, over the parts with their ends marked.
    let bytes = parts.flat_map(|part| part.bytes().chain([0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
