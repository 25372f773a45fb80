//! The reports of `check` in formats that other programs read.

use std::collections::BTreeSet;
use std::fs;

use leastrole::findings::Code;
use serde_json::Value;

use super::{READER, READER_USER, cluster_role, given, role, run, shop_log};
use crate::support::events::{event, log};
use crate::support::program::leastrole;
use crate::support::schema::violations;
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

/// Holds the log to the schema, and to what the schema cannot say: results refer to their
/// rules, and GitHub reads severities as figures.
fn assert_valid(log: &Value) {
    let schema = fs::read(testdata("sarif-2.1.0.schema.json")).expect("the schema is there");
    let schema = serde_json::from_slice(&schema).expect("the schema is JSON");
    assert_eq!(violations(&schema, log), [""; 0]);
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("a list of rules");
    let ids: BTreeSet<&str> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
    assert_eq!(ids.len(), rules.len());
    for rule in rules {
        let severity = rule["properties"]["security-severity"].as_str().expect("a figure as text");
        let severity: f64 = severity.parse().expect("a figure");
        assert!((0.0..=10.0).contains(&severity), "{rule:#}");
    }
    for result in run["results"].as_array().expect("a list of results") {
        let rule = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).unwrap();
        assert_eq!(rules[rule]["id"], result["ruleId"]);
        assert!(!result["message"]["text"].as_str().expect("a text").is_empty());
        assert!(!result["partialFingerprints"].as_object().expect("fingerprints").is_empty());
        // Code scanning drops results that stand nowhere.
        assert!(result["locations"][0]["physicalLocation"].is_object(), "{result:#}");
    }
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
    assert_well_formed(&ran.stdout);
}

/// GitHub renders it: rows have the cells of their heading, blocks end, and Markdown within
/// HTML stands after an empty line.
fn assert_well_formed(markdown: &str) {
    let (mut fence, mut open, mut before) = (None, 0, "");
    for line in markdown.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(length) if ticks == length && line.len() == length => fence = None,
            Some(_) => continue,
            None if ticks >= 3 => fence = Some(ticks),
            None => {}
        }
        if line.starts_with("| ") {
            let bars = line.replace("\\|", "").matches('|').count();
            assert_eq!(bars, 5, "{line}");
            assert!(before.is_empty() || before.starts_with('|'), "{before}\n{line}");
        }
        if line.starts_with("<details>") {
            assert!(open == 0 && before.is_empty() && line.ends_with("</summary>"), "{line}");
            open += 1;
        } else if line == "</details>" {
            assert!(before.is_empty(), "{before}");
            open -= 1;
        } else if before.ends_with("</summary>") {
            assert_eq!(line, "", "{before}");
        }
        before = line;
    }
    assert_eq!((fence, open), (None, 0));
}

#[test]
fn the_markdown_of_real_runs_is_well_formed() {
    assert_well_formed(&fs::read_to_string(testdata("check-markdown/stdout.md")).unwrap());
    let shop = testdata("shop-rbac/cluster-admin.yaml");
    let args = ["check", "--format", "markdown", "--rbac", shop.to_str().unwrap(), &shop_log()];
    let ran = leastrole(args).run().clean();
    assert!(ran.stdout.contains("| warning | `wide-wildcard` |"), "{}", ran.stdout);
    assert_well_formed(&ran.stdout);
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
        assert_eq!(fs::read_to_string(path).unwrap(), alone, "{format}");
    }
}
