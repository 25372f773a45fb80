//! Tables A, B and C through `who-can`, table B through `check` as well: the commands say
//! what the evaluator says, which says what Kubernetes does.

use k8s_openapi::api::rbac::v1::PolicyRule;
use leastrole::rbac::{Atom, atoms};
use serde_json::{Value, json};

use super::{Given, codes, given, report};
use crate::conformance_rbac::{BindingCase, BindingRow, parse_request, parse_rule, tsv, yaml};
use crate::support::events::{event, log};
use crate::support::program::leastrole;

/// The arguments of `who-can` that ask for a request, name and subresource said apart.
fn question(request: &Atom) -> Vec<String> {
    let atom = match request {
        Atom::Url(url) => return vec![url.verb.to_string(), url.path.to_string()],
        Atom::Resource(atom) => atom,
    };
    let (resource, subresource) = atom.resource.split_once('/').unwrap_or((&atom.resource, ""));
    let mut args = vec![atom.verb.to_string(), format!("{resource}.{}", atom.group)];
    if !subresource.is_empty() {
        args.extend(["--subresource".to_owned(), subresource.to_owned()]);
    }
    if !atom.name.is_empty() {
        args.extend(["--name".to_owned(), atom.name.to_string()]);
    }
    if atom.namespace.is_empty() {
        args.push("--cluster-wide".to_owned());
    } else {
        args.extend(["--namespace".to_owned(), atom.namespace.to_string()]);
    }
    args
}

#[track_caller]
fn ask(given: &Given, request: &Atom, more: &[String]) -> bool {
    let mut args = vec!["who-can".to_owned(), "--quiet".to_owned()];
    args.extend(["--rbac".to_owned(), given.path().to_owned()]);
    args.extend(more.iter().cloned());
    args.extend(question(request));
    let ran = leastrole(&args).run();
    match ran.code {
        Some(0) => true,
        Some(1) => false,
        _ => panic!("{args:?}: {}", ran.stderr),
    }
}

/// A rule, and a user that holds it everywhere.
fn everywhere(rule: &PolicyRule) -> Given {
    let cluster_role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "r"},
        "rules": [rule],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "b"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
        "subjects": [{"kind": "User", "name": "alice"}],
    });
    given(&format!("{cluster_role}\n{binding}\n"))
}

#[test]
fn who_can_matches_rules_as_kubernetes_does() {
    let mut rows = 0;
    let table = include_str!("../../testdata/conformance/rule-matching.tsv");
    for [id, rule, request, allowed] in tsv(table) {
        let request = parse_request(request);
        // The words of a URL that is none, and of a path without a slash, are a resource's.
        if matches!(&request, Atom::Url(url) if !url.path.starts_with('/')) {
            continue;
        }
        let got = ask(&everywhere(&parse_rule(rule)), &request, &[]);
        assert_eq!(got, allowed == "yes", "{id}: {rule} for {request}");
        rows += 1;
    }
    assert!(rows >= 40, "{rows}");
}

#[test]
fn who_can_reaches_whom_kubernetes_says_bindings_reach() {
    let rows: Vec<BindingRow> = yaml(include_str!("../../testdata/conformance/bindings.yaml"));
    let mut asked = 0;
    for row in rows {
        let objects: Vec<String> = row.objects.iter().map(Value::to_string).collect();
        let given = given(&objects.join("\n"));
        for case in row.cases {
            let mut args = vec!["--as".to_owned(), case.user.clone()];
            for group in &case.groups {
                args.extend(["--as-group".to_owned(), group.clone()]);
            }
            // Every cluster binds system:masters, and who-can knows it.
            if !case.allowed && (is_bare(&case, &objects) || row.id == "B16") {
                continue;
            }
            let got = ask(&given, &parse_request(&case.request), &args);
            assert_eq!(got, case.allowed, "{}: {} {}", row.id, case.user, case.request);
            asked += 1;
        }
    }
    assert!(asked >= 24, "{asked}");
}

/// Whether the case is about a caller without the groups that Kubernetes gives to every
/// caller: the commands add them, and no log shows such a caller.
fn is_bare(case: &BindingCase, objects: &[String]) -> bool {
    case.groups.is_empty() && objects.iter().any(|object| object.contains("\"Group\""))
}

/// The URI of a request, as a client writes it.
fn uri(request: &Atom) -> String {
    let atom = match request {
        Atom::Url(url) => return url.path.to_string(),
        Atom::Resource(atom) => atom,
    };
    let group = match &*atom.group {
        "" => "/api/v1".to_owned(),
        group => format!("/apis/{group}/v1"),
    };
    let (resource, subresource) = atom.resource.split_once('/').unwrap_or((&atom.resource, ""));
    let place = match &*atom.namespace {
        namespace if namespace.is_empty() || resource == "namespaces" => ["", ""],
        namespace => ["namespaces", namespace],
    };
    let parts = [&group, place[0], place[1], resource, &atom.name, subresource];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

#[test]
fn check_misses_what_kubernetes_would_refuse() {
    let rows: Vec<BindingRow> = yaml(include_str!("../../testdata/conformance/bindings.yaml"));
    let mut checked = 0;
    for row in rows {
        let objects: Vec<String> = row.objects.iter().map(Value::to_string).collect();
        for case in row.cases {
            let request = parse_request(&case.request);
            let user = json!({"username": case.user, "groups": case.groups});
            if !case.allowed && is_bare(&case, &objects) {
                continue;
            }
            let log = log([event(&case.user, request.verb(), &uri(&request)).with("user", user)]);
            let args = ["--names", "exact", "--include-system"];
            let found = codes(&report(&objects.join("\n"), &args, &log));
            let is_missing = found.iter().any(|code| code.starts_with("missing-"));
            assert_eq!(is_missing, !case.allowed, "{}: {} {}", row.id, case.user, case.request);
            checked += 1;
        }
    }
    assert!(checked >= 16, "{checked}");
}

/// A wildcard that is asked about literally is given by a wildcard alone: what covers a rule
/// is what allows each of its permissions as it stands.
#[test]
fn who_can_tells_what_covers_a_rule_as_kubernetes_does() {
    let mut rows = 0;
    let table = include_str!("../../testdata/conformance/covers.tsv");
    for [id, owner, servant, covered] in tsv(table) {
        let given = everywhere(&parse_rule(owner));
        let servant_rule = parse_rule(servant);
        let got = atoms(&servant_rule, "").all(|atom| ask(&given, &atom, &[]));
        assert_eq!(got, covered == "yes", "{id}: {owner} for {servant}");
        rows += 1;
    }
    assert!(rows >= 6, "{rows}");
}
