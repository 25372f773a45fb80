//! What ends a run with status 1, and what does not.

use serde_json::Value;

use super::{READER, READER_USER, codes, given, report, role, run};
use crate::support::events::{event, log};
use crate::support::program::leastrole;

fn manifests() -> String {
    role("shop", "r", "[{apiGroups: [''], resources: [pods], verbs: [list, delete]}]", READER)
}

fn reads() -> String {
    log([event(READER_USER, "list", "/api/v1/namespaces/shop/pods")])
}

fn lacks() -> String {
    log([
        event(READER_USER, "list", "/api/v1/namespaces/shop/pods"),
        event(READER_USER, "list", "/api/v1/namespaces/shop/secrets"),
    ])
}

#[test]
fn errors_fail_by_default_and_the_rest_when_asked() {
    for (log, fail_on, code) in [
        (reads(), None, 0),
        (lacks(), None, 1),
        (lacks(), Some("never"), 0),
        (reads(), Some("warning"), 1),
        (reads(), Some("unused-verb"), 1),
        (reads(), Some("unused-*,missing-need"), 1),
        (reads(), Some("unused-name"), 0),
        (reads(), Some("missing-need,unused-binding"), 0),
    ] {
        let args: Vec<&str> = fail_on.iter().flat_map(|it| ["--fail-on", it]).collect();
        let ran = run("check", &manifests(), &args, &log);
        assert_eq!(ran.code, Some(code), "{fail_on:?}: {}", ran.stdout);
    }
    let ran = run("check", &manifests(), &["--fail-on", "no-such-code"], &reads());
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("docs/findings.md"), "{}", ran.stderr);
}

#[test]
fn a_baseline_accepts_what_it_holds_and_tells_what_it_holds_in_vain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("baseline.json");
    let path_text = path.to_str().unwrap();
    let write = ["--format", "json", "--output", path_text];
    run("check", &manifests(), &write, &reads()).clean();

    let accepting = ["--baseline", path_text];
    let same = report(&manifests(), &accepting, &reads());
    assert_eq!(codes(&same), [""; 0], "{same:#}");
    assert!(same["counts"]["accepted"].as_u64().unwrap() > 0);
    let strict = ["--baseline", path_text, "--fail-on", "note"];
    run("check", &manifests(), &strict, &reads()).clean();

    // The report of a run with a baseline is a baseline for the same.
    let next = folder.path().join("next.json");
    let next = next.to_str().unwrap();
    let write = ["--baseline", path_text, "--format", "json", "--output", next];
    run("check", &manifests(), &write, &reads()).clean();
    let again = report(&manifests(), &["--baseline", next], &reads());
    assert_eq!(codes(&again), [""; 0], "{again:#}");

    // One more unused verb is news; the one that is known is not.
    let wider = manifests().replace("[list, delete]", "[list, delete, patch]");
    let news = report(&wider, &accepting, &reads());
    assert_eq!(codes(&news), ["unused-verb"]);
    assert_eq!(news["findings"][0]["items"][0]["text"], "patch pods");

    let mended = manifests().replace("[list, delete]", "[list]");
    let stale = report(&mended, &accepting, &reads());
    assert_eq!(codes(&stale), ["baseline-stale"]);
    let about: &Value = &stale["findings"][0]["about"];
    assert_eq!(about, "unused-verb: Role \"r\" in namespace \"shop\"");

    std::fs::write(&path, "[]").unwrap();
    let ran = run("check", &manifests(), &accepting, &reads());
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
}

#[test]
fn strict_fails_on_a_log_that_cannot_be_used_whole() {
    let broken = reads() + "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"verb\":\n";
    assert_eq!(run("check", &manifests(), &[], &broken).code, Some(0));
    assert_eq!(run("check", &manifests(), &["--strict"], &broken).code, Some(1));
    assert_eq!(run("tighten", &manifests(), &["--strict"], &broken).code, Some(1));
}

#[test]
fn what_cannot_be_read_is_trouble_and_not_an_empty_answer() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let rbac = folder.path().to_str().unwrap();
    let ask = || leastrole(["who-can", "list", "pods", "--rbac", rbac]).run();

    file("README.md", "- not: a manifest\n- [");
    file("values.yaml", "replicas: 3\n");
    let ran = ask();
    assert_eq!(ran.code, Some(2), "{}", ran.stdout);
    assert!(ran.stderr.contains("names no Role"), "{}", ran.stderr);

    file("rbac.yaml", &manifests());
    assert_eq!(ask().code, Some(0));

    file("template.yaml", "kind: Role\nmetadata: {name: {{ .Values.name }}}\n");
    let ran = ask();
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("helm template"), "{}", ran.stderr);

    let ran = leastrole(["who-can", "list", "pods", "--rbac", "/nowhere/at/all"]).run();
    assert_eq!(ran.code, Some(2));
}

#[test]
fn manifests_come_from_standard_input_and_may_lack_their_namespace() {
    let helm = manifests().replace(", namespace: shop}", "}");
    assert_ne!(helm, manifests());
    // The subject says its own namespace.
    let helm = helm.replace("name: reader}", "name: reader, namespace: shop}");
    let args = ["who-can", "list", "pods", "-n", "shop", "--rbac", "-"];
    assert_eq!(leastrole(args).input(helm.clone()).run().code, Some(1));
    let args = [&args[..], &["--default-namespace", "shop"]].concat();
    assert_eq!(leastrole(args).input(helm.clone()).run().code, Some(0));

    let report = report(&helm, &[], &reads());
    let findings = report["findings"].as_array().unwrap();
    let invalid = findings.iter().find(|finding| finding["code"] == "object-invalid").unwrap();
    assert!(invalid["details"][0].as_str().unwrap().contains("--default-namespace"), "{invalid:#}");
}

#[test]
fn manifests_that_grow_meet_a_named_limit() {
    let alias = |level: usize| vec![format!("*a{}", level - 1); 10].join(", ");
    let levels = (1..12).map(|level| format!("a{level}: &a{level} [{}]", alias(level)));
    let bomb = format!("a0: &a0 [x, x, x, x, x]\n{}\n", levels.collect::<Vec<_>>().join("\n"));
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    let deep_json = format!("{{\"kind\": \"List\", \"items\": {open}{close}}}");
    let deep_yaml = (0..5_000).map(|depth| " ".repeat(depth) + "a:\n").collect::<String>();
    let long = format!("{{\"kind\": \"List\", \"items\": [0{}]}}", ",0".repeat(5_000_000));
    for (what, text, limit) in [
        ("aliases", bomb, "refused at line"),
        ("deep JSON", deep_json, "levels of nesting"),
        ("deep YAML", deep_yaml, "levels of nesting"),
        ("a long list", long, "more than"),
    ] {
        let given = given(&text);
        let ran = leastrole(["lookup", "x", "--rbac", given.path()]).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{what}");
        assert!(ran.stderr.contains(limit), "{what}: {}", ran.stderr);
        assert!(ran.stderr.len() < 1_000, "{what}: {}", ran.stderr.len());
    }
}

#[test]
fn a_rule_said_a_thousand_times_is_judged_as_if_said_once() {
    const RULE: &str = "{apiGroups: [''], resources: [pods], verbs: [list, delete]}";
    let once = role("shop", "r", &format!("[{RULE}]"), READER);
    let often = role("shop", "r", &format!("[{}]", vec![RULE; 5_000].join(", ")), READER);
    let said = |manifests: &str| {
        let mut findings = report(manifests, &[], &lacks())["findings"].take();
        for finding in findings.as_array_mut().unwrap() {
            // Each of the two stands in a file of its own.
            finding.as_object_mut().unwrap().remove("place");
        }
        findings
    };
    assert_eq!(said(&often), said(&once));

    let left = |manifests: &str| run("tighten", manifests, &[], &reads()).clean().stdout;
    assert!(left(&once).contains("list") && !left(&once).contains("delete"), "{}", left(&once));
    assert_eq!(left(&often), left(&once));
}
