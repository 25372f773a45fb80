//! What the log of a real control plane must lead to, identity by identity.
//!
//! `testdata/logs/cluster-shop/` is one workload recorded twice: `metadata.ndjson.gz`
//! without bodies, `eks-policy.ndjson.gz` under the audit policy of EKS.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use leastrole::rbac::{Kind, Object, Objects};
use serde_json::{Value, json};

use crate::support::objects::{Granted, granted, objects};
use crate::support::program::{identity, leastrole};
use crate::support::testdata;

const EKS_POLICY: &str = "logs/cluster-shop/eks-policy.ndjson.gz";
const METADATA: &str = "logs/cluster-shop/metadata.ndjson.gz";

/// One run and all that it said.
struct Run {
    yaml: String,
    granted: Granted,
    summary: Value,
    stderr: String,
}

static EXACT: LazyLock<Run> = LazyLock::new(|| run(&["--names", "exact"], &[EKS_POLICY, METADATA]));
static DEFAULT: LazyLock<Run> = LazyLock::new(|| run(&[], &[EKS_POLICY, METADATA]));
static WITH_BODIES: LazyLock<Run> = LazyLock::new(|| run(&[], &[EKS_POLICY]));
static WITHOUT_BODIES: LazyLock<Run> = LazyLock::new(|| run(&[], &[METADATA]));

fn run(flags: &[&str], logs: &[&str]) -> Run {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let summary = folder.path().join("summary.json");
    let mut args =
        vec!["generate".into(), "--summary-json".into(), summary.clone().into_os_string()];
    args.extend(flags.iter().map(Into::into));
    args.extend(logs.iter().map(|log| testdata(log).into_os_string()));
    let ran = leastrole(args).run().clean();
    let json = std::fs::read(summary).expect("the summary was written");
    Run {
        granted: granted(&ran.stdout),
        yaml: ran.stdout,
        summary: serde_json::from_slice(&json).expect("the summary is JSON"),
        stderr: ran.stderr,
    }
}

impl Run {
    /// What a subject is granted, in words; nothing where it is bound nowhere.
    fn of(&self, subject: &str) -> BTreeSet<String> {
        self.granted.get(subject).cloned().unwrap_or_default()
    }

    fn objects(&self) -> Objects {
        objects(&self.yaml)
    }

    /// The codes and requests of what an identity is advised to decide on.
    fn advice(&self, name: &str) -> BTreeSet<String> {
        let advice = identity(&self.summary, name)["advice"].as_array().expect("a list");
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        advice.iter().map(|it| format!("{}: {}", text(&it["code"]), text(&it["about"]))).collect()
    }

    /// What an identity could not be seen to do: class and permissions.
    fn blind_spots(&self, name: &str) -> BTreeSet<(String, Vec<String>)> {
        let spots = identity(&self.summary, name)["blind_spots"].as_array().expect("a list");
        let spot = |spot: &Value| {
            let permissions = spot["permissions"].as_array().expect("a list");
            let class = spot["class"].as_str().expect("a string").to_owned();
            (class, permissions.iter().map(permission).collect())
        };
        spots.iter().map(spot).collect()
    }

    fn widenings(&self, name: &str) -> BTreeSet<String> {
        let widenings = identity(&self.summary, name)["widenings"].as_array().expect("a list");
        widenings.iter().map(permission).collect()
    }
}

/// A permission of the summary in words: verb, resource or path, name, namespace.
fn permission(value: &Value) -> String {
    let field = |key: &str| value[key].as_str().unwrap_or_default();
    let what = if value["path"].is_null() { field("resource") } else { field("path") };
    [field("verb"), what, field("name"), field("namespace")]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn words<const N: usize>(words: [&str; N]) -> BTreeSet<String> {
    words.into_iter().map(str::to_owned).collect()
}

#[test]
fn with_exact_names_every_need_is_covered_and_nothing_else_is_granted() {
    let summary = &EXACT.summary;
    assert_eq!(summary["needs"]["covered"], summary["needs"]["total"]);
    assert_eq!(summary["needs"]["total"], 299);
    assert_eq!(summary["grants"]["beyond_needs"], 0);
    assert_eq!(summary["grants"]["widened"], 0);
    assert_eq!(summary["grants"]["assumed"], 0);
    assert_eq!(summary["denied"], json!({"requests": 18, "granted": 0}));
}

#[test]
fn who_was_only_refused_is_bound_nowhere() {
    for run in [&*EXACT, &*DEFAULT, &*WITH_BODIES, &*WITHOUT_BODIES] {
        let subjects: Vec<&String> = run.granted.keys().collect();
        for name in ["unused-agent", "bob"] {
            let bound = subjects.iter().any(|subject| subject.ends_with(name));
            assert!(!bound, "{name} in {subjects:?}");
        }
        for name in ["monitoring:unused-agent", "bob"] {
            let identity = identity(&run.summary, name);
            assert_eq!(identity["objects"], json!([]), "{name}");
            assert_ne!(identity["denied"], json!([]), "{name} was refused something");
        }
    }
}

#[test]
fn alice_gets_what_she_saw_and_nothing_she_was_refused() {
    for run in [&*EXACT, &*DEFAULT] {
        let alice = run.of("User alice");
        assert!(alice.contains("get deployments.apps \"web\" in namespace shop"), "{alice:#?}");
        assert!(alice.contains("list pods in namespace shop"), "{alice:#?}");
        for permission in &alice {
            assert!(!permission.contains("secrets"), "{permission}");
            assert!(!permission.contains("nodes"), "{permission}");
            assert!(!permission.starts_with("delete"), "{permission}");
        }
    }
}

#[test]
fn cache_warmer_may_create_exactly_its_lease_and_its_config_map() {
    let warmer = EXACT.of("ServiceAccount shop/cache-warmer");
    let created: BTreeSet<String> =
        warmer.into_iter().filter(|permission| permission.starts_with("create")).collect();
    let expected = words([
        "create configmaps \"warm\" in namespace shop",
        "create leases.coordination.k8s.io \"cache-warmer-lock\" in namespace shop",
    ]);
    assert_eq!(created, expected);
}

#[test]
fn scraper_reads_its_paths_without_any_query() {
    let scraper = EXACT.of("ServiceAccount monitoring/scraper");
    assert!(scraper.contains("get /debug/pprof/heap"), "{scraper:#?}");
    assert!(scraper.contains("get /metrics"), "{scraper:#?}");
    assert!(!EXACT.yaml.contains('?'), "a query in a rule");
}

#[test]
fn platform_ops_has_both_halves_of_constrained_impersonation() {
    for run in [&*WITH_BODIES, &*WITHOUT_BODIES] {
        let ops = run.of("Group leastrole:platform-ops");
        for permission in [
            "impersonate:user-info users.authentication.k8s.io \"bob\"",
            "impersonate:user-info groups.authentication.k8s.io \"devs\"",
            "impersonate-on:user-info:list pods in namespace shop",
            "impersonate:serviceaccount serviceaccounts.authentication.k8s.io \"reader\" in namespace shop",
            "impersonate-on:serviceaccount:list configmaps in namespace shop",
        ] {
            assert!(ops.contains(permission), "{permission} in {ops:#?}");
        }
        let legacy = ops.iter().any(|permission| permission.starts_with("impersonate "));
        assert!(!legacy, "{ops:#?}");
    }
}

#[test]
fn bodies_prove_the_signer_and_the_bound_role_and_without_them_both_are_advice() {
    const OPS: &str = "arn:aws:iam::111122223333:role/platform-ops";
    let approve = "approve signers.certificates.k8s.io \"kubernetes.io/kube-apiserver-client\"";
    let bind = "bind clusterroles.rbac.authorization.k8s.io \"view\"";

    let ops = WITH_BODIES.of("Group leastrole:platform-ops");
    assert!(ops.contains(approve) && ops.contains(bind), "{ops:#?}");
    let advice = WITH_BODIES.advice(OPS);
    assert!(!advice.iter().any(|it| it.starts_with("approve") || it.starts_with("bind")));

    let ops = WITHOUT_BODIES.of("Group leastrole:platform-ops");
    assert!(!ops.iter().any(|it| it.starts_with("approve") || it.starts_with("bind")), "{ops:#?}");
    let expected = words([
        "approve-signer: update certificatesigningrequests.certificates.k8s.io/approval \"dev-csr\"",
        "bind-role: create clusterrolebindings.rbac.authorization.k8s.io",
        "hold-or-escalate: create clusterroles.rbac.authorization.k8s.io",
    ]);
    assert_eq!(WITHOUT_BODIES.advice(OPS), expected);
}

#[test]
fn ci_deployer_is_one_group_and_three_namespaces_share_one_role() {
    let deployer = identity(&EXACT.summary, "arn:aws:iam::111122223333:role/ci-deployer");
    let sessions = deployer["usernames"].as_array().expect("a list");
    assert_eq!(sessions.len(), 3, "three sessions, one identity: {sessions:?}");
    let subject = json!({"kind": "Group", "name": "leastrole:ci-deployer", "namespace": null});
    assert_eq!(deployer["subject"], subject);
    assert!(EXACT.granted.keys().all(|subject| !subject.contains("GitHubActions")));

    let objects = EXACT.objects();
    let is_its_own = |object: &&Object| object.id().name.contains("ci-deployer");
    let ids: Vec<_> = objects.iter().filter(is_its_own).map(Object::id).collect();
    let kinds = |kind: Kind| ids.iter().filter(|id| id.kind == kind).collect::<Vec<_>>();
    let bindings = kinds(Kind::RoleBinding);
    let namespaces: Vec<_> = bindings.iter().map(|id| id.namespace.as_str()).collect();
    assert_eq!(namespaces, ["payments", "shop", "shop-staging"]);
    assert_eq!(kinds(Kind::Role).len(), 0, "{ids:?}");
    assert_eq!(kinds(Kind::ClusterRole).len(), 1, "{ids:?}");
    assert_eq!(kinds(Kind::ClusterRoleBinding).len(), 0, "{ids:?}");
}

#[test]
fn default_flags_drop_generated_names_list_them_and_keep_chosen_ones() {
    let runner = DEFAULT.of("ServiceAccount payments/batch-runner");
    let expected = words([
        "create jobs.batch in namespace payments",
        "delete jobs.batch in namespace payments",
        "get jobs.batch/status in namespace payments",
        "list jobs.batch in namespace payments",
    ]);
    assert_eq!(runner, expected);
    let listed = words(["delete jobs payments", "get jobs/status payments"]);
    assert_eq!(DEFAULT.widenings("payments:batch-runner"), listed);

    let warmer = DEFAULT.of("ServiceAccount shop/cache-warmer");
    let expected = words([
        "create configmaps \"warm\" in namespace shop",
        "create leases.coordination.k8s.io \"cache-warmer-lock\" in namespace shop",
        "get pods in namespace shop",
        "patch configmaps \"warm\" in namespace shop",
        "update leases.coordination.k8s.io \"cache-warmer-lock\" in namespace shop",
    ]);
    assert_eq!(warmer, expected);
    assert_eq!(DEFAULT.widenings("shop:cache-warmer"), words(["get pods shop"]));
    assert_eq!(DEFAULT.summary["grants"]["beyond_needs"], 0);
}

#[test]
fn the_audit_policy_of_eks_leaves_blind_spots_that_are_named() {
    let operator = WITH_BODIES.blind_spots("shop-system:order-operator");
    let namespaces = ["payments", "shop", "shop-staging"];
    let writes = namespaces
        .iter()
        .flat_map(|namespace| ["create", "patch"].map(|verb| format!("{verb} events {namespace}")));
    assert_eq!(operator, BTreeSet::from([("events-write".to_owned(), writes.collect())]));

    let ops = WITH_BODIES.blind_spots("arn:aws:iam::111122223333:role/platform-ops");
    let reads = vec!["list events".to_owned(), "list events shop".to_owned()];
    let probes =
        ["serviceaccount", "user-info"].map(|mode| format!("impersonate-on:{mode}:get /version"));
    let expected = [("events-read".to_owned(), reads), ("probes".to_owned(), probes.to_vec())];
    assert_eq!(ops, BTreeSet::from(expected));

    let alice = WITH_BODIES.blind_spots("arn:aws:iam::111122223333:user/alice");
    let reads = vec!["list events shop".to_owned(), "list events shop-staging".to_owned()];
    assert_eq!(alice, BTreeSet::from([("events-read".to_owned(), reads)]));

    for said in ["order-operator: create events", "alice: list events", "get /version"] {
        assert!(WITH_BODIES.stderr.contains(said), "{said} in {}", WITH_BODIES.stderr);
    }
}

#[test]
fn a_log_that_shows_core_events_has_no_such_blind_spots() {
    for name in ["shop-system:order-operator", "arn:aws:iam::111122223333:role/platform-ops"] {
        assert_eq!(WITHOUT_BODIES.blind_spots(name), BTreeSet::new(), "{name}");
    }
}

#[test]
fn the_administrator_of_the_set_up_is_marked_as_beyond_rbac() {
    let admin = identity(&EXACT.summary, "kubernetes-super-admin");
    assert_eq!(admin["outside_rbac"], json!(["system-masters"]));
}
