//! What the flags decide, at their edges.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::events::{Event, event, log};
use crate::support::objects::granted;
use crate::support::program::{generate, identity, summarized};

const USER: &str = "User U";

fn get(resource: &str, name: &str) -> Event {
    event("U", "get", &format!("/api/v1/namespaces/shop/{resource}/{name}"))
}

/// What `U` is granted.
#[track_caller]
fn grants(flags: &[&str], events: impl IntoIterator<Item = Event>) -> BTreeSet<String> {
    let ran = generate(flags, log(events)).run().clean();
    granted(&ran.stdout).remove(USER).unwrap_or_default()
}

fn words<const N: usize>(words: [&str; N]) -> BTreeSet<String> {
    words.map(str::to_owned).into()
}

/// The window is half open, so that two that meet hold every event once.
#[test]
fn the_first_moment_is_in_the_window_and_the_last_is_not() {
    // `log` gives the events one second each, from 09:00:00.
    let events = || ["a", "b", "c", "d"].map(|name| get("configmaps", name));
    let named = |name: &str| format!("get configmaps {name:?} in namespace shop");
    let since = ["--since", "2026-11-20T09:00:01Z"];
    assert_eq!(grants(&since, events()), ["b", "c", "d"].map(named).into());
    let until = ["--until", "2026-11-20T10:00:02+01:00"];
    assert_eq!(grants(&until, events()), ["a", "b"].map(named).into());
    let both = [since, ["--until", "2026-11-20T09:00:02.000000Z"]].concat();
    let (summary, ran) = summarized(&both, log(events()));
    assert_eq!(granted(&ran.stdout)[USER], BTreeSet::from([named("b")]));
    assert_eq!(summary["events"]["outside_window"], 3);
    assert_eq!(summary["window"]["first"], "2026-11-20T09:00:01.000000Z");
}

/// Up to 32 names are a choice; more are a pattern of use. Secrets are never opened for
/// their number alone.
#[test]
fn many_names_are_any_name_but_not_of_secrets() {
    let named = |resource: &str, count: usize| -> Vec<Event> {
        (0..count).map(|number| get(resource, &format!("chosen-{number}-x"))).collect()
    };
    assert_eq!(grants(&[], named("configmaps", 32)).len(), 32);
    assert_eq!(grants(&[], named("configmaps", 33)), words(["get configmaps in namespace shop"]));
    assert_eq!(grants(&[], named("secrets", 33)).len(), 33);
    assert_eq!(grants(&["--names", "exact"], named("configmaps", 33)).len(), 33);

    let (summary, _) = summarized(&[], log(named("configmaps", 33)));
    let widening = &identity(&summary, "U")["widenings"][0];
    assert_eq!(widening["causes"], json!(["many-names"]));
    assert_eq!(widening["needs"].as_array().map(Vec::len), Some(33));
}

#[test]
fn many_names_in_many_namespaces_are_still_few_in_each() {
    let there = |number: usize| {
        event("U", "get", &format!("/api/v1/namespaces/ns-{number}/configmaps/chosen-{number}-x"))
    };
    assert_eq!(grants(&[], (0..40).map(there)).len(), 40);
}

/// What no rule can say is not granted on demand either.
#[test]
fn a_refused_star_is_not_granted_on_demand() {
    let refused = |uri: &str| event("U", "get", uri).denied();
    let refused = [refused("/x/*"), refused("/api/v1/namespaces/Bad/pods/p"), refused("/y")];
    assert_eq!(grants(&["--include-denied"], refused), words(["get /y"]));
}

/// A request that never worked may show what the workload lives well without; one that
/// worked once is used.
#[test]
fn only_what_succeeded_once_is_a_need_where_that_is_asked_for() {
    let events = [
        get("configmaps", "never").code(400),
        get("configmaps", "once").code(405),
        get("configmaps", "once"),
        get("configmaps", "gone").failure(404, "NotFound"),
        event("U", "get", "/apis/no.such.group/v1/namespaces/shop/things/t").code(404),
    ];
    let expected =
        ["gone", "once"].map(|name| format!("get configmaps {name:?} in namespace shop"));
    assert_eq!(grants(&["--succeeded-only"], events.clone()), expected.into());
    let (summary, _) = summarized(&["--succeeded-only"], log(events));
    assert_eq!(identity(&summary, "U")["left_out"], 2);
}

/// `namespace:name`, a username, an ARN and a name without its path all select.
#[test]
fn identities_are_selected_by_any_of_their_names() {
    let list = || event("U", "list", "/api/v1/nodes");
    let role = "arn:aws:iam::111122223333:role/ci";
    let user = "arn:aws:iam::111122223333:user/team/alice";
    let everyone = log([
        event("system:serviceaccount:shop:web", "list", "/api/v1/nodes"),
        event("system:serviceaccount:pay:web", "list", "/api/v1/nodes"),
        event("bob", "list", "/api/v1/nodes"),
        list().by_iam("ci:run-1", role, "run-1"),
        list().by_iam("alice", user, "s"),
    ]);
    let (web, pay, bob) = ("ServiceAccount shop/web", "ServiceAccount pay/web", "User bob");
    let (ci, alice) = ("Group leastrole:ci", "User alice");
    let cases: [(&[&str], &[&str]); 14] = [
        (&["--serviceaccount", "shop:web"], &[web]),
        (&["--serviceaccount", "*:web"], &[pay, web]),
        (&["--serviceaccount", "web"], &[]),
        (&["--serviceaccount", "system:serviceaccount:shop:web"], &[]),
        (&["--user", "bob"], &[bob]),
        (&["--user", "b*", "--user", "al?ce"], &[alice, bob]),
        (&["--user", user], &[alice]),
        (&["--user", "ci"], &[]),
        (&["--user", "system:serviceaccount:shop:web"], &[]),
        (&["--iam-role", "ci"], &[ci]),
        (&["--iam-role", role], &[ci]),
        (&["--iam-role", "arn:aws:iam::*:role/ci"], &[ci]),
        (&["--iam-role", "alice"], &[]),
        (&["--iam-role", "ci", "--serviceaccount", "pay:*", "--user", "bob"], &[ci, pay, bob]),
    ];
    for (flags, expected) in cases {
        let ran = generate(flags, everyone.clone()).run();
        assert_eq!(ran.code, Some(if expected.is_empty() { 2 } else { 0 }), "{flags:?}");
        let subjects: Vec<String> = granted(&ran.stdout).into_keys().collect();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(subjects, expected, "{flags:?}");
    }
}

/// The version decides which checks were made. The log tells it by the API server's own
/// requests, and nobody else can be that user.
#[test]
fn the_version_comes_from_the_flag_or_the_api_server_or_is_assumed() {
    let exec = || event("U", "get", "/api/v1/namespaces/shop/pods/p/exec?command=ls").code(101);
    let server = |username: &str, version: &str| {
        let agent = format!("kube-apiserver/v{version} (linux/amd64) kubernetes/abcdef");
        event(username, "list", "/api/v1/nodes").with("userAgent", json!(agent))
    };
    let creates = |flags: &[&str], events: Vec<Event>| {
        let (summary, ran) = summarized(flags, log(events));
        let creates = granted(&ran.stdout)[USER].iter().any(|it| it.starts_with("create"));
        (creates, summary["kubernetes"].clone())
    };
    let kubernetes = |version: &str, source: &str| json!({"version": version, "source": source});
    let cases: [(bool, Value, &[&str], Vec<Event>); 5] = [
        (true, kubernetes("1.36", "assumed"), &[], vec![exec()]),
        (false, kubernetes("1.34", "given"), &["--kubernetes-version", "1.34"], vec![exec()]),
        (true, kubernetes("1.35", "given"), &["--kubernetes-version", "v1.35.2"], vec![exec()]),
        (
            false,
            kubernetes("1.33", "log"),
            &[],
            vec![
                exec(),
                server("system:apiserver", "1.32.1"),
                server("system:apiserver", "1.33.0-eks-a"),
            ],
        ),
        (true, kubernetes("1.36", "assumed"), &[], vec![exec(), server("mallory", "1.20.0")]),
    ];
    for (expected, version, flags, events) in cases {
        assert_eq!(creates(flags, events), (expected, version), "{flags:?}");
    }
}

#[test]
fn blocking_owners_need_their_finalizers_only_where_the_plugin_runs() {
    let owner = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "blockOwnerDeletion": true});
    let body = json!({"metadata": {"ownerReferences": [owner]}});
    let create = event("U", "create", "/api/v1/namespaces/shop/configmaps")
        .code(201)
        .with("requestObject", body);
    let create = || [create.clone()];
    assert_eq!(grants(&[], create()), words(["create configmaps in namespace shop"]));
    assert_eq!(
        grants(&["--enforce-owner-references"], create()),
        words([
            "create configmaps in namespace shop",
            "update deployments.apps/finalizers \"web\" in namespace shop",
        ])
    );
}

#[test]
fn an_assumption_about_nobody_in_the_log_is_told() {
    let told = |assumption: &str| {
        let ran = generate(&["--assume", assumption], log([get("pods", "web")])).run();
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran.stderr.contains(&format!("--assume {assumption}: nobody in the log is called so"))
    };
    assert!(told("events-write=V"));
    assert!(!told("events-write=U"));
    assert!(!told("events-write"));
}

/// client-go creates an Event and patches it where it repeats, which in a short run it may not.
#[test]
fn who_creates_events_and_patches_none_will_once_one_repeats() {
    let core = "/api/v1/namespaces/shop/events";
    let newer = "/apis/events.k8s.io/v1/namespaces/shop/events";
    let create = |uri: &str| event("U", "create", uri);
    let patch = |uri: &str| event("U", "patch", &format!("{uri}/web.18eae604"));
    let spots = |events: Vec<Event>| {
        let (summary, ran) = summarized(&["--assume", "events-repeat=V"], log(events));
        let spots = identity(&summary, "U")["blind_spots"].as_array().cloned().unwrap_or_default();
        assert_eq!(ran.stderr.contains("one that repeats is patched"), !spots.is_empty());
        spots.iter().map(|spot| spot["class"].to_string()).collect::<Vec<_>>()
    };
    let named = ["\"events-repeat\""];
    assert_eq!(spots(vec![create(core)]), named);
    assert_eq!(spots(vec![create(newer)]), named);
    assert_eq!(spots(vec![create(core), patch(newer)]), named);
    assert_eq!(spots(vec![create(core), patch("/api/v1/namespaces/data/events")]), named);
    assert_eq!(spots(vec![create(core), patch(core)]), [""; 0]);
    assert_eq!(spots(vec![patch(core)]), [""; 0]);

    let assume = ["--assume", "events-repeat"];
    let both = || vec![create(core), create(newer)];
    let created =
        ["create events in namespace shop", "create events.events.k8s.io in namespace shop"];
    let patched =
        ["patch events in namespace shop", "patch events.events.k8s.io in namespace shop"];
    assert_eq!(grants(&[], both()), words(created));
    assert_eq!(
        grants(&assume, both()),
        [created, patched].concat().into_iter().map(str::to_owned).collect()
    );
}
