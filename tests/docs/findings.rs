//! `docs/findings.md` has a heading and the severity of every code, describes every key of
//! the report, and nothing else.

use std::collections::BTreeSet;
use std::fs;

use leastrole::findings::Code;
use serde_json::Value;

use super::markdown::spans;
use crate::manage::cluster_role;
use crate::support::program::leastrole;

const PATH: &str = "docs/findings.md";

#[test]
fn every_code_has_a_heading_its_severity_and_an_advice() {
    let text = fs::read_to_string(PATH).unwrap();
    let mut described = BTreeSet::new();
    for section in text.split("\n### ").skip(1) {
        let section = section.split("\n## ").next().unwrap();
        let parts: Vec<&str> = section.trim().split("\n\n").collect();
        let code = Code::ALL.iter().find(|code| code.label() == parts[0]);
        let code = code.unwrap_or_else(|| panic!("{:?} is no code", parts[0]));
        assert_eq!(parts[1], format!("Severity: {}.", code.severity()), "{code}");
        assert!(parts.len() >= 4, "{code}: what it means and what to do");
        assert!(described.insert(code.label()), "{code} is described twice");
    }
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.label()).collect();
    assert_eq!(described, codes);
}

#[test]
fn every_key_of_a_real_report_is_described_and_no_other() {
    let text = fs::read_to_string(PATH).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let described: BTreeSet<&str> = rows.map(|row| spans(row).next().unwrap()).collect();
    let mut keys = BTreeSet::new();
    for mut report in reports() {
        // A finding may lack what others have.
        let findings = report["findings"].take();
        collect(&report, "", &described, &mut keys);
        for finding in findings.as_array().unwrap() {
            collect(finding, "findings[]", &described, &mut keys);
        }
    }
    let missing: Vec<&String> =
        keys.iter().filter(|key| !described.contains(key.as_str())).collect();
    assert!(missing.is_empty(), "{PATH} does not describe {missing:?}");
    let stale: Vec<&&str> = described.iter().filter(|key| !keys.contains(**key)).collect();
    assert!(stale.is_empty(), "{PATH} describes what no report holds: {stale:?}");
}

/// A report in which something of everything happens, and one with a baseline and an IAM
/// role that is bound through a group.
fn reports() -> [Value; 2] {
    let recorded = fs::read("testdata/check-json/stdout.json").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let group = "{kind: Group, name: 'leastrole:ci-deployer'}";
    let rules = "[{apiGroups: [''], resources: [pods], verbs: [list]}]";
    fs::write(path("rbac.yaml"), cluster_role("r", rules, group)).unwrap();
    let log = "testdata/logs/cluster-shop/eks-policy.ndjson.gz";
    let check = |more: &[&str]| {
        let manifests = path("rbac.yaml");
        let args = ["check", "--format", "json", "--rbac", &manifests, "--fail-on", "never", log];
        leastrole([&args, more].concat()).run().clean().stdout
    };
    fs::write(path("baseline.json"), check(&[])).unwrap();
    let accepting = check(&["--baseline", &path("baseline.json")]);
    [serde_json::from_slice(&recorded).unwrap(), serde_json::from_str(&accepting).unwrap()]
}

/// The paths down to what is described as a whole.
fn collect(value: &Value, path: &str, described: &BTreeSet<&str>, keys: &mut BTreeSet<String>) {
    match value {
        _ if described.contains(path) => drop(keys.insert(path.to_owned())),
        Value::Object(fields) => {
            let dot = if path.is_empty() { "" } else { "." };
            for (key, value) in fields {
                collect(value, &format!("{path}{dot}{key}"), described, keys);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) => {
            items.iter().for_each(|item| collect(item, &format!("{path}[]"), described, keys));
        }
        Value::Null => {}
        _ => drop(keys.insert(path.to_owned())),
    }
}
