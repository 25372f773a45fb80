//! The RBAC half of the conformance tables: every row of `testdata/conformance/` is run
//! against the evaluator, and a failure names its row.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use k8s_openapi::api::rbac::v1::PolicyRule;
use leastrole::rbac::manifests::{Loaded, Manifests};
use leastrole::rbac::{
    Atom, Evaluator, Form, Requester, ResourceAtom, UrlAtom, covers, held_by_default, rule_allows,
    validate,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[test]
fn rules_match_requests_as_kubernetes_does() {
    let mut table = Table::default();
    for [id, rule, request, allowed] in
        tsv(include_str!("../testdata/conformance/rule-matching.tsv"))
    {
        let got = rule_allows(&parse_rule(rule), &parse_request(request));
        table.row(id, &format!("{rule} for {request}"), &yes(allowed), &got);
    }
    table.finish('A', 38);
}

#[test]
fn rules_cover_rules_as_the_escalation_check_says() {
    let mut table = Table::default();
    for [id, owner, servant, covered] in tsv(include_str!("../testdata/conformance/covers.tsv")) {
        let got = covers(&[parse_rule(owner)], &[parse_rule(servant)]);
        table.row(id, &format!("{owner} over {servant}"), &yes(covered), &got);
    }
    table.finish('C', 6);
}

#[test]
fn default_access_is_that_of_a_fresh_cluster() {
    let service_account = Requester::service_account("ns", "sa");
    let human = Requester::new("alice", ["system:authenticated"]);
    let anonymous = Requester::new("system:anonymous", ["system:unauthenticated"]);
    let mut table = Table::default();
    let rows = include_str!("../testdata/conformance/default-access.tsv");
    for [id, request, by_service_account, by_human, by_anonymous] in tsv(rows) {
        for (requester, allowed) in
            [(&service_account, by_service_account), (&human, by_human), (&anonymous, by_anonymous)]
        {
            let got = held_by_default(requester, &parse_request(request));
            table.row(id, &format!("{request} by {}", requester.username), &yes(allowed), &got);
        }
    }
    table.finish('D', 6);
}

#[derive(Deserialize)]
pub(crate) struct BindingRow {
    pub(crate) id: String,
    title: String,
    pub(crate) objects: Vec<Value>,
    pub(crate) cases: Vec<BindingCase>,
}

#[derive(Deserialize)]
pub(crate) struct BindingCase {
    pub(crate) user: String,
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    pub(crate) request: String,
    pub(crate) allowed: bool,
    reason: Option<String>,
}

#[test]
fn bindings_reach_whom_kubernetes_says_they_reach() {
    let rows: Vec<BindingRow> = yaml(include_str!("../testdata/conformance/bindings.yaml"));
    let mut table = Table::default();
    for row in rows {
        let loaded = load(&row.objects.into());
        let evaluator = Evaluator::new(&loaded.objects);
        for case in row.cases {
            let requester = Requester::new(case.user, case.groups);
            let request = parse_request(&case.request);
            let verdict = evaluator.authorize(&requester, &request);
            let what = format!("{}: {} {}", row.title, requester.username, case.request);
            table.row(&row.id, &what, &case.allowed, &verdict.is_allowed());
            if let Some(reason) = case.reason {
                table.row(&row.id, &what, &reason, &verdict.reason());
            }
            let listed = evaluator.grants_of(&requester).any(|held| held.grant.allows(&request));
            table.row(&row.id, &format!("{what}, by its grants"), &case.allowed, &listed);
        }
    }
    table.finish('B', 17);
}

#[derive(Deserialize)]
struct ValidationTable {
    bases: BTreeMap<String, Value>,
    rows: Vec<ValidationRow>,
}

#[derive(Deserialize)]
struct ValidationRow {
    id: String,
    title: String,
    cases: Vec<ValidationCase>,
}

#[derive(Deserialize)]
struct ValidationCase {
    kind: String,
    #[serde(default)]
    form: Option<String>,
    #[serde(default)]
    object: Value,
    annotation_bytes: Option<usize>,
    fault: Option<String>,
}

#[test]
fn objects_are_valid_where_the_api_server_says_so() {
    let ValidationTable { bases, rows } =
        yaml(include_str!("../testdata/conformance/validation.yaml"));
    let mut table = Table::default();
    for row in rows {
        for case in row.cases {
            let form = match case.form.as_deref() {
                Some("submitted") => Form::Submitted,
                _ => Form::Stored,
            };
            let loaded = load(&case.manifest(&bases));
            let object = loaded.objects.iter().next().expect("the object is well-formed");
            let got: Vec<_> = validate(object, form).into_iter().map(|found| found.field).collect();
            let what = format!("{}: {} {:.200}", row.title, case.kind, case.object.to_string());
            table.row(&row.id, &what, &Vec::from_iter(case.fault), &got);
        }
    }
    table.finish('V', 15);
}

impl ValidationCase {
    fn manifest(&self, bases: &BTreeMap<String, Value>) -> Value {
        let mut manifest = bases[&self.kind].clone();
        lay_over(&mut manifest, &self.object);
        manifest["apiVersion"] = json!("rbac.authorization.k8s.io/v1");
        manifest["kind"] = json!(self.kind);
        if let Some(bytes) = self.annotation_bytes {
            let key = "example.com/note";
            manifest["metadata"]["annotations"] = json!({key: "x".repeat(bytes - key.len())});
        }
        manifest
    }
}

/// The rows of one table as they are run, and what went wrong in them.
#[derive(Default)]
struct Table {
    ids: BTreeSet<String>,
    failures: Vec<String>,
}

impl Table {
    fn row<T: PartialEq + Debug>(&mut self, id: &str, what: &str, expected: &T, got: &T) {
        self.ids.insert(id.to_owned());
        if expected != got {
            self.failures
                .push(format!("{id}: {what}\n  expected {expected:?}\n  got      {got:?}"));
        }
    }

    /// Every row held, and all rows from 1 to `count` were there.
    fn finish(self, letter: char, count: usize) {
        assert!(self.failures.is_empty(), "\n{}\n", self.failures.join("\n"));
        let expected = (1..=count).map(|number| format!("{letter}{number:02}")).collect();
        assert_eq!(self.ids, expected, "rows missing or unknown");
    }
}

/// The rows of a table with tabs between its `N` columns; `#` starts a comment.
pub(crate) fn tsv<const N: usize>(table: &str) -> impl Iterator<Item = [&str; N]> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        cells.try_into().unwrap_or_else(|_| panic!("{line:?} has not {N} columns"))
    })
}

pub(crate) fn yaml<T: for<'de> Deserialize<'de>>(text: &str) -> T {
    serde_saphyr::from_str(text).expect("the table is valid YAML")
}

fn load(manifest: &Value) -> Loaded {
    let mut manifests = Manifests::default();
    manifests.read("case", manifest.to_string().as_bytes()).expect("the manifest can be read");
    manifests.finish()
}

fn yes(cell: &str) -> bool {
    match cell {
        "yes" => true,
        "no" => false,
        other => panic!("{other:?} is neither yes nor no"),
    }
}

/// `verbs;groups;resources;names` or `url VERBS URLS`.
pub(crate) fn parse_rule(text: &str) -> PolicyRule {
    if let Some(url) = text.strip_prefix("url ") {
        let (verbs, urls) = url.split_once(' ').expect("a URL rule has verbs and URLs");
        return PolicyRule {
            verbs: list(verbs),
            non_resource_urls: Some(list(urls)),
            ..PolicyRule::default()
        };
    }
    let [verbs, groups, resources, names] = fields(text);
    PolicyRule {
        verbs: list(verbs),
        api_groups: Some(list(groups)),
        resources: Some(list(resources)),
        resource_names: Some(list(names)).filter(|names| !names.is_empty()),
        ..PolicyRule::default()
    }
}

/// `verb;group;resource;name`, with `;namespace` or without, or `url VERB PATH`.
pub(crate) fn parse_request(text: &str) -> Atom {
    if let Some(url) = text.strip_prefix("url ") {
        let (verb, path) = url.split_once(' ').expect("a URL request has a verb and a path");
        return UrlAtom { path: path.into(), verb: verb.into() }.into();
    }
    let (namespace, [verb, group, resource, name]) = match text.splitn(5, ';').nth(4) {
        Some(namespace) => (namespace, fields(&text[..text.len() - namespace.len() - 1])),
        None => ("-", fields(text)),
    };
    ResourceAtom {
        namespace: word(namespace).into(),
        group: word(group).into(),
        resource: word(resource).into(),
        name: word(name).into(),
        verb: word(verb).into(),
    }
    .into()
}

fn fields<const N: usize>(text: &str) -> [&str; N] {
    let fields: Vec<&str> = text.split(';').collect();
    fields.try_into().unwrap_or_else(|_| panic!("{text:?} has not {N} fields"))
}

fn list(text: &str) -> Vec<String> {
    if text == "-" {
        return Vec::new();
    }
    text.split(',').map(|item| word(item).to_owned()).collect()
}

fn word(text: &str) -> &str {
    if matches!(text, "core" | "-" | "\"\"") { "" } else { text }
}

/// A JSON merge patch.
fn lay_over(base: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        if !patch.is_null() {
            *base = patch.clone();
        }
        return;
    };
    for (key, value) in fields {
        match value {
            Value::Null => {
                base.as_object_mut().expect("a patch lies over an object").remove(key);
            }
            _ => lay_over(&mut base[key], value),
        }
    }
}
