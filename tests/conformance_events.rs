//! `testdata/conformance/events.yaml`: from audit events to needs, every row.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use leastrole::audit::{Event, Settings};
use leastrole::decode::Consumer;
use leastrole::policy::{IdentityPlan, Names, Options, Plan, plan};
use leastrole::rbac::{Atom, ResourceAtom, UrlAtom};
use leastrole::usage::{Fold, Identity, Selection};
use serde::Deserialize;
use serde_json::{Value, json};

const ROWS: usize = 122;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    note: String,
    server: Option<String>,
    #[serde(default)]
    options: Vec<String>,
    events: Vec<Value>,
    #[serde(default)]
    needs: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    denied: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    missing: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    advice: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    tags: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// What a case expects, or what came out: by identity and heading, readable lines.
type Outcome = BTreeMap<(String, &'static str), BTreeSet<String>>;

#[test]
fn every_row_of_the_event_table_gives_its_needs() {
    let text = std::fs::read_to_string("testdata/conformance/events.yaml").unwrap();
    let cases: Vec<Case> = serde_saphyr::from_str(&text).unwrap();
    let ids: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!((cases.len(), ids.len()), (ROWS, ROWS), "rows and distinct ids");
    let mut failures = String::new();
    for case in &cases {
        let (expected, plan) = (case.expected(), case.run());
        let found = found(&plan);
        if expected != found {
            let _ = writeln!(
                failures,
                "\n{}: {}\nexpected {expected:#?}\nfound {found:#?}",
                case.id, case.note
            );
        }
        case.check_tags(&plan, &mut failures);
    }
    assert!(failures.is_empty(), "{failures}");
}

impl Case {
    fn run(&self) -> Plan {
        let settings = Settings {
            enforce_owner_references: self
                .options
                .iter()
                .any(|it| it == "enforce-owner-references"),
        };
        let mut fold = Fold::new(Arc::new(Selection::default()), settings);
        for (index, event) in self.events.iter().enumerate() {
            let json = with_defaults(event, &format!("{}-{index}", self.id)).to_string();
            let event = Event::parse(&json).unwrap();
            assert!(event.is_audit_event(), "{}: {json}", self.id);
            fold.event(&event);
        }
        let mut usage = fold.into_usage();
        usage.settle();
        let version = self.server.as_ref().map(|version| version.parse().unwrap());
        plan(&usage, &Options { names: Names::Exact, version, ..Options::default() })
    }

    fn expected(&self) -> Outcome {
        let mut outcome = Outcome::new();
        for (heading, lists) in
            [("needs", &self.needs), ("denied", &self.denied), ("missing", &self.missing)]
        {
            for (identity, rules) in lists {
                let atoms = rules.iter().flat_map(|rule| parse_rule(rule));
                add(&mut outcome, identity, heading, atoms.map(|atom| format!("{atom:?}")));
            }
        }
        for (identity, codes) in &self.advice {
            add(&mut outcome, identity, "advice", codes.iter().cloned());
        }
        outcome
    }

    fn check_tags(&self, plan: &Plan, failures: &mut String) {
        for (identity, rules) in &self.tags {
            let plan = plan.identities.iter().find(|plan| username(plan) == *identity);
            for (rule, tags) in rules {
                for atom in parse_rule(rule) {
                    let found: Vec<&str> = plan
                        .and_then(|plan| plan.needs.get(&atom))
                        .map(|evidence| evidence.tags().collect())
                        .unwrap_or_default();
                    if !tags.iter().all(|tag| found.contains(&tag.as_str())) {
                        let _ = writeln!(
                            failures,
                            "\n{}: {atom} has tags {found:?}, not {tags:?}",
                            self.id
                        );
                    }
                }
            }
        }
    }
}

fn add(
    outcome: &mut Outcome,
    identity: &str,
    heading: &'static str,
    lines: impl Iterator<Item = String>,
) {
    let lines: BTreeSet<String> = lines.collect();
    if !lines.is_empty() {
        outcome.entry((identity.to_owned(), heading)).or_default().extend(lines);
    }
}

fn found(plan: &Plan) -> Outcome {
    let mut outcome = Outcome::new();
    for plan in &plan.identities {
        let who = username(plan);
        let debug = |atom: &Atom| format!("{atom:?}");
        add(&mut outcome, &who, "needs", plan.needs.keys().map(debug));
        add(&mut outcome, &who, "denied", plan.denied.keys().map(debug));
        let refused = plan.advice.keys().filter(|advice| is_refusal(advice.code.label()));
        add(&mut outcome, &who, "missing", refused.flat_map(|advice| &advice.wanted).map(debug));
        let codes = plan.advice.keys().map(|advice| advice.code.label().to_owned());
        add(&mut outcome, &who, "advice", codes);
    }
    outcome
}

fn is_refusal(code: &str) -> bool {
    code.ends_with("-refused")
}

fn username(plan: &IdentityPlan) -> String {
    match &plan.identity {
        Identity::ServiceAccount { namespace, name } => {
            format!("system:serviceaccount:{namespace}:{name}")
        }
        other => other.name(),
    }
}

fn with_defaults(event: &Value, audit_id: &str) -> Value {
    let mut whole = json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": audit_id,
        "stage": "ResponseComplete",
        "user": {"username": "U", "groups": ["system:authenticated"]},
        "responseStatus": {"code": 200},
        "annotations": {
            "authorization.k8s.io/decision": "allow",
            "authorization.k8s.io/reason":
                "RBAC: allowed by ClusterRoleBinding \"b\" of ClusterRole \"r\" to User \"U\"",
        },
    });
    let fields = whole.as_object_mut().unwrap();
    for (key, value) in event.as_object().unwrap() {
        if value.is_null() {
            fields.remove(key);
        } else {
            fields.insert(key.clone(), value.clone());
        }
    }
    if let Some(Value::Object(status)) = fields.get_mut("responseStatus") {
        status.entry("code").or_insert(json!(200));
    }
    whole
}

/// `verbs;group;resource;names;scope` or `url: verbs /path`.
fn parse_rule(rule: &str) -> Vec<Atom> {
    if let Some(rule) = rule.strip_prefix("url: ") {
        let (verbs, path) = rule.split_once(' ').unwrap();
        let atom = |verb: &str| UrlAtom { path: path.into(), verb: verb.into() }.into();
        return verbs.split(',').map(atom).collect();
    }
    let parts: Vec<&str> = rule.split(';').collect();
    let [verbs, group, resource, names, scope] = parts[..] else { panic!("not a rule: {rule}") };
    let names = match names.strip_prefix('[').and_then(|names| names.strip_suffix(']')) {
        Some(names) => names.split(',').collect(),
        None => vec![""],
    };
    let namespace = if scope == "cl" { "" } else { scope.strip_prefix("ns:").unwrap() };
    let mut atoms = Vec::new();
    for verb in verbs.split(',') {
        for name in &names {
            let atom = ResourceAtom {
                namespace: namespace.into(),
                group: if group == "core" { "" } else { group }.into(),
                resource: resource.into(),
                name: (*name).into(),
                verb: verb.into(),
            };
            atoms.push(atom.into());
        }
    }
    atoms
}
