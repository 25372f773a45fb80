//! A cluster in which every workload account is bound to cluster-admin: found, cut down to
//! what `generate` would grant, and then clean.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use super::{codes, given, path_text, shop_log};
use crate::support::objects::{Granted, granted, objects};
use crate::support::program::leastrole;
use crate::support::testdata;

fn everything() -> String {
    path_text(&testdata("shop-rbac/cluster-admin.yaml"))
}

/// What `generate --names exact` grants to the service accounts of the log.
fn generated() -> (String, Granted) {
    let args = ["generate", "--names", "exact", "--serviceaccount", "*", &shop_log()];
    let manifests = leastrole(args).run().clean().stdout;
    let granted = granted(&manifests);
    (manifests, granted)
}

fn check(rbac: &str, args: &[&str]) -> (Option<i32>, Value) {
    let log = shop_log();
    let all = [&["check", "--format", "json", "--rbac", rbac], args, &[&log]].concat();
    let ran = leastrole(all).run();
    (ran.code, serde_json::from_str(&ran.stdout).expect("the report is JSON"))
}

fn words(permission: &Value) -> String {
    let text = |key: &str| permission[key].as_str().unwrap_or_default().to_owned();
    if let Some(path) = permission["path"].as_str() {
        return format!("{} {path}", text("verb"));
    }
    let atom = leastrole::rbac::ResourceAtom {
        namespace: text("namespace").into(),
        group: text("group").into(),
        resource: text("resource").into(),
        name: text("name").into(),
        verb: text("verb").into(),
    };
    leastrole::rbac::Atom::from(atom).to_string()
}

#[test]
fn the_wildcard_is_reported_with_the_list_that_each_account_used() {
    let (code, report) = check(&everything(), &["--names", "exact"]);
    assert_eq!(code, Some(0), "a wildcard covers every need");
    let (_, generated) = generated();
    let mut lists: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        if finding["code"] == "wide-wildcard" {
            let who = finding["about"].as_str().unwrap().replace("service account ", "");
            let used = finding["used"].as_array().unwrap();
            // A namespace is named by the place of its Role.
            let used = used
                .iter()
                .map(|it| words(it).replace("get namespaces \"shop\"", "get namespaces"));
            lists.insert(who, used.collect());
        }
    }
    let expected: BTreeMap<String, BTreeSet<String>> = generated
        .into_iter()
        .map(|(who, granted)| (who.replace("ServiceAccount ", "").replace('/', ":"), granted))
        .collect();
    assert_eq!(expected.len(), 7);
    assert_eq!(lists, expected);
    let unused: Vec<&Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["code"] == "unused-binding")
        .collect();
    assert_eq!(unused.len(), 1);
    assert_eq!(unused[0]["object"], "ClusterRoleBinding \"monitoring-unused-agent\"");
}

#[test]
fn tightening_grants_what_generate_grants_and_is_then_clean() {
    let (log, everything) = (shop_log(), everything());
    let common = ["--names", "exact", "--rbac"];
    let split = ["--split", "--drop-unused-bindings"];
    let args = [&["tighten"], &split[..], &common, &[&everything, &log]].concat();
    let tightened = leastrole(args).run().clean();
    assert!(tightened.stderr.contains("nothing was added"), "{}", tightened.stderr);
    objects(&tightened.stdout);
    assert_eq!(granted(&tightened.stdout), generated().1);

    let again = given(&tightened.stdout);
    let (code, report) = check(
        again.path(),
        &["--names", "exact", "--fail-on", "missing-*,unused-*,wide-*,object-*"],
    );
    let left: Vec<String> = codes(&report)
        .into_iter()
        .filter(|code| !code.starts_with("risk-") && !code.starts_with("outside-"))
        .collect();
    // IAM identities and the administrator are no business of these manifests.
    assert_eq!(left, ["missing-binding"; 4]);
    assert_eq!(code, Some(1), "missing-binding was asked for");
    let selected =
        ["--names", "exact", "--serviceaccount", "*", "--fail-on", "missing-*,unused-*,wide-*"];
    let (code, report) = check(again.path(), &selected);
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(report["needs"]["total"], report["needs"]["covered"]);

    let args = [&["tighten", "--diff"], &split[..], &common, &[again.path(), &log]].concat();
    assert_eq!(leastrole(args).run().clean().stdout, "", "tightening is idempotent");
}

#[test]
fn a_wide_binding_that_was_not_used_does_not_pass_for_tightened() {
    let ran = leastrole(["tighten", "--split", "--rbac", &everything(), &shop_log()]).run();
    let kept = "Kept as they are\n  ClusterRole \"cluster-admin\": service account \
                monitoring:unused-agent holds it unused (--drop-unused-bindings takes it away)\n";
    assert!(ran.stderr.contains(kept), "{}", ran.stderr);
}

#[test]
fn a_need_removed_by_hand_fails_the_check_with_its_evidence() {
    let (manifests, _) = generated();
    let whole = given(&manifests);
    let selected = ["--names", "exact", "--serviceaccount", "*"];
    assert_eq!(check(whole.path(), &selected).0, Some(0));

    let cut = manifests.replace("  - watch\n", "");
    assert_ne!(cut, manifests);
    let given = given(&cut);
    let (code, report) = check(given.path(), &selected);
    assert_eq!(code, Some(1));
    let missing: Vec<&Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["code"] == "missing-need")
        .collect();
    let reader =
        missing.iter().find(|it| it["about"] == "service account shop:reader in namespace shop");
    let reader = reader.expect("the account of the shop lacks its watch");
    assert_eq!(
        reader["sentence"],
        "service account shop:reader used what nothing here grants: \
         watch configmaps \"web-config\" in namespace shop"
    );
    // At the role that the account holds there.
    assert_eq!(reader["object"], "Role \"leastrole:sa:shop:reader\" in namespace \"shop\"");
    assert!(reader["place"]["line"].as_u64().unwrap() > 1);
    let evidence = &reader["items"][0]["evidence"];
    assert!(evidence["requests"].as_u64().unwrap() > 0);
    assert!(!evidence["sample"]["audit_id"].as_str().unwrap().is_empty());
    assert_eq!(reader["fix"]["namespace"], "shop");
    assert_eq!(reader["fix"]["rules"][0]["verbs"][0], "watch");
}

#[test]
fn what_generate_prints_is_neither_missing_nor_unused_nor_wide() {
    let log = shop_log();
    let args = ["generate", "--names", "exact", &log];
    let manifests = given(&leastrole(args).run().clean().stdout);
    let args = ["--names", "exact", "--fail-on", "missing-*,unused-*,wide-*,object-*,role-*"];
    let (code, report) = check(manifests.path(), &args);
    assert_eq!(code, Some(0), "{report:#}");
    let assumed = report["assumed_groups"].as_array().unwrap();
    let groups: Vec<&str> = assumed.iter().map(|it| it["group"].as_str().unwrap()).collect();
    assert_eq!(groups, ["leastrole:ci-deployer", "leastrole:platform-ops"]);
}

#[test]
fn the_roles_of_a_real_control_plane_load_and_are_left_alone() {
    let defaults = ["everybody", "others"].map(|part| {
        let file = format!("../src/rbac/defaults/kubernetes-1.36-{part}.ndjson");
        fs::read_to_string(testdata(&file)).unwrap()
    });
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("all.json");
    fs::write(&dump, defaults.concat()).unwrap();
    let dump = path_text(&dump);
    let (code, report) = check(&dump, &[]);
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(report["manifests"]["objects"], 133);
    let own = ["missing-binding", "outside-binding", "outside-system-masters"];
    let strange: Vec<String> =
        codes(&report).into_iter().filter(|code| !own.contains(&code.as_str())).collect();
    assert_eq!(strange, [""; 0], "Kubernetes' own roles are nobody's fault");
    let ran =
        leastrole(["tighten", "--diff", "--split", "--rbac", &dump, &shop_log()]).run().clean();
    assert_eq!(ran.stdout, "", "{}", ran.stderr);
}
