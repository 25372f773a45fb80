//! The reports of `check` in formats that other programs read.

use std::collections::BTreeSet;

use leastrole::findings::Code;
use serde_json::Value;

use super::{READER, READER_USER, cluster_role, given, role, run, shop_log};
use crate::support::events::{event, log};
use crate::support::program::leastrole;
use crate::support::testdata;

fn sarif(args: &[&str], manifests: &str, log: &str) -> Value {
    let ran = run("check", manifests, &[&["--format", "sarif"], args].concat(), log);
    assert!(matches!(ran.code, Some(0 | 1)), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("SARIF is JSON")
}

fn manifests() -> String {
    role("shop", "r", "[{apiGroups: [''], resources: [pods, secrets], verbs: [list]}]", READER)
        + &cluster_role("admin", "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]", READER)
}

fn reads() -> String {
    log([event(READER_USER, "list", "/api/v1/namespaces/shop/pods")])
}

/// The parts of sarif-schema-2.1.0.json (OASIS) that bear on what is written here: which
/// keys an object may have, which it must have, and what is in them.
fn assert_valid(log: &Value) {
    let keys = |value: &Value| -> BTreeSet<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    let only = |value: &Value, must: &[&str], may: &[&str]| {
        let found = keys(value);
        for key in must {
            assert!(found.contains(*key), "{key} is missing in {value:#}");
        }
        for key in &found {
            assert!(must.contains(&key.as_str()) || may.contains(&key.as_str()), "{key}");
        }
    };
    let message = |value: &Value| {
        only(value, &["text"], &["markdown", "id", "arguments", "properties"]);
        assert!(!value["text"].as_str().expect("a text").is_empty());
    };
    only(log, &["version", "runs"], &["$schema"]);
    assert_eq!(log["version"], "2.1.0");
    let runs = log["runs"].as_array().expect("a list of runs");
    assert_eq!(runs.len(), 1);
    let run = &runs[0];
    only(run, &["tool"], &["results", "columnKind", "properties"]);
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    only(driver, &["name"], &["version", "semanticVersion", "rules"]);
    let rules = driver["rules"].as_array().expect("a list of rules");
    let mut ids = BTreeSet::new();
    for rule in rules {
        only(
            rule,
            &["id"],
            &["shortDescription", "fullDescription", "help", "defaultConfiguration", "properties"],
        );
        message(&rule["shortDescription"]);
        message(&rule["fullDescription"]);
        message(&rule["help"]);
        assert!(ids.insert(rule["id"].as_str().expect("an id")), "{rule:#}");
        level(&rule["defaultConfiguration"]["level"]);
        let severity: f64 =
            rule["properties"]["security-severity"].as_str().unwrap().parse().unwrap();
        assert!((0.0..=10.0).contains(&severity));
    }
    for result in run["results"].as_array().expect("a list of results") {
        only(
            result,
            &["message", "ruleId", "ruleIndex", "level", "locations", "partialFingerprints"],
            &["suppressions"],
        );
        message(&result["message"]);
        level(&result["level"]);
        let rule = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).unwrap();
        assert_eq!(rules[rule]["id"], result["ruleId"]);
        for (_, print) in result["partialFingerprints"].as_object().expect("fingerprints") {
            assert!(print.is_string());
        }
        for location in result["locations"].as_array().expect("a list of locations") {
            only(location, &[], &["physicalLocation", "logicalLocations"]);
            if let Some(place) = location.get("physicalLocation") {
                let uri = place["artifactLocation"]["uri"].as_str().expect("a URI");
                assert!(!uri.is_empty() && !uri.contains([' ', '\\', '"', '<', '>']), "{uri}");
                assert!(place["region"]["startLine"].as_u64().expect("a line") >= 1);
            }
        }
        for suppression in result["suppressions"].as_array().into_iter().flatten() {
            only(suppression, &["kind"], &["status", "justification"]);
            assert_eq!(suppression["kind"], "external");
            assert_eq!(suppression["status"], "accepted");
        }
    }
}

fn level(value: &Value) {
    let known = ["none", "note", "warning", "error"];
    assert!(known.contains(&value.as_str().expect("a level")), "{value}");
}

#[test]
fn sarif_is_valid_and_has_a_rule_for_every_code() {
    let log = sarif(&[], &manifests(), &reads());
    assert_valid(&log);
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), Code::ALL.len());
    assert!(log["runs"][0]["results"].as_array().unwrap().len() > 3);

    let shop = testdata("shop-rbac/cluster-admin.yaml");
    let args = ["check", "--format", "sarif", "--rbac", shop.to_str().unwrap(), &shop_log()];
    let ran = leastrole(args).run().clean();
    assert_valid(&serde_json::from_str(&ran.stdout).unwrap());
}

#[test]
fn accepted_findings_are_suppressed_results_of_the_same_fingerprint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("baseline.json");
    let path = path.to_str().unwrap();
    run("check", &manifests(), &["--format", "json", "-o", path], &reads()).clean();
    let fingerprints = |log: &Value| -> BTreeSet<String> {
        let results = log["runs"][0]["results"].as_array().unwrap();
        results.iter().map(|it| it["partialFingerprints"].to_string()).collect()
    };
    let open = sarif(&[], &manifests(), &reads());
    let accepted = sarif(&["--baseline", path], &manifests(), &reads());
    assert_valid(&accepted);
    assert_eq!(fingerprints(&open), fingerprints(&accepted));
    let results = accepted["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().all(|it| it["suppressions"].is_array()), "{accepted:#}");
}

#[test]
fn hostile_names_are_text_in_markdown() {
    let evil = "<img src=x onerror=alert(1)> | `x` @everyone ![](http://x) \\u001b[31m";
    let subject = format!("{{kind: User, name: \"{evil}\"}}");
    let manifests =
        role("shop", "r", "[{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]", &subject);
    let ran = run("check", &manifests, &["--format", "markdown"], &reads()).clean();
    assert!(!ran.stdout.contains("<img"), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\u{1b}'));
    assert!(!ran.stdout.contains("@everyone"));
    // Markdown is not read within HTML.
    let in_markdown = ran.stdout.lines().filter(|line| !line.starts_with("<details>"));
    assert!(!in_markdown.collect::<String>().contains("![]("));
    // Every row of the table has its four cells.
    let rows = ran.stdout.lines().filter(|line| line.starts_with("| "));
    for row in rows {
        let bars = row.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 5, "{row}");
    }
}

#[test]
fn one_run_writes_as_many_reports_as_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let reports =
        [("sarif", path("a.sarif")), ("markdown", path("a.md")), ("json", path("a.json"))];
    let given = given(&manifests());
    let mut args = vec!["check".to_owned(), "--rbac".to_owned(), given.path().to_owned()];
    for (format, path) in &reports {
        args.extend(["--report".to_owned(), format!("{format}={path}")]);
    }
    args.push("-".to_owned());
    let ran = leastrole(&args).input(reads()).run().clean();
    assert!(ran.stdout.starts_with("Observed from 2026-11-20 09:00:00"), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\u{1b}'), "no colours but on a terminal");
    for (format, path) in reports {
        let alone = [&["check", "--format", format, "--rbac", given.path()][..], &["-"]].concat();
        let alone = leastrole(alone).input(reads()).run().clean().stdout;
        assert_eq!(std::fs::read_to_string(path).unwrap(), alone, "{format}");
    }
}
