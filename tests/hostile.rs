//! What callers write into a log on purpose: it must neither be granted as more than it
//! is, nor stop the run, nor act on whoever reads the output.

use std::collections::BTreeSet;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::support::events::{Event, event, log};
use crate::support::objects::{granted, objects};
use crate::support::program::{Ran, generate, identity, summarized};

/// Strings that would act on a terminal, end a YAML scalar or a comment, forge a line of
/// the summary, or hide something from a reader.
const HOSTILE: [&str; 22] = [
    "a\nb: c\n- d",
    "\n---\nkind: ClusterRoleBinding\n",
    "\nProved: covers 0 of 0 needs",
    "\r\nerror: forged",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "\u{9b}31m",
    "\u{7f}\u{8}\u{8}",
    "\u{202e}txt.elif",
    "\u{2066}a\u{2069}",
    "\u{2028}# b",
    "\u{85}next",
    "\u{feff}bom",
    "zero\u{200b}width",
    "tag\u{e0041}",
    "# comment",
    "a: b",
    "'\"\\",
    "*",
    "{{ .Values }} ${HOME} $(id) `id`",
    " leading and trailing ",
    "é名😀",
    "{a: [b]}",
];

/// Whether a character may stand in what is printed.
fn is_harmless(character: char) -> bool {
    let hides = matches!(character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
    character == '\n' || (!character.is_control() && !hides)
}

#[track_caller]
fn assert_harmless(text: &str) {
    let found: BTreeSet<char> = text.chars().filter(|it| !is_harmless(*it)).collect();
    assert!(found.is_empty(), "{found:?}");
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Events that hold the text wherever a caller can put it.
fn events_with(text: &str) -> Vec<Event> {
    let segment = encoded(text);
    let get = |uri: String| event("U", "get", &uri);
    let dress = |event: Event| event.with("userAgent", json!(text)).with("auditID", json!(text));
    let session = event("U", "list", "/api/v1/nodes").by_iam(
        &format!("arn:aws:sts::111122223333:assumed-role/ci/{text}"),
        "arn:aws:iam::111122223333:role/ci",
        text,
    );
    let other = json!({"username": text, "groups": [text], "uid": text, "extra": {text: [text]}});
    let status = json!({"code": 403, "message": format!("{text} cannot impersonate{text}")});
    [
        event(text, "list", "/api/v1/nodes"),
        get(format!("/api/v1/namespaces/shop/configmaps/{segment}")),
        get(format!("/api/v1/namespaces/{segment}/configmaps/c")),
        get(format!("/apis/{segment}/v1/widgets/w")),
        get(format!("/apis/example.com/v1/{segment}")),
        get(format!("/x/{segment}")),
        event("U", text, "/y"),
        session,
        event("U", "list", "/api/v1/nodes").with("impersonatedUser", other),
        event("U", "list", "/api/v1/nodes")
            .with("responseStatus", status)
            .with("annotations", json!({})),
        event("U", "list", "/api/v1/pods").with(
            "annotations",
            json!({"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": text}),
        ),
        get(format!("/api/v1/namespaces/shop/secrets/{segment}")).denied(),
    ]
    .map(dress)
    .into()
}

fn hostile_log() -> String {
    log(HOSTILE.iter().flat_map(|text| events_with(text)))
}

#[track_caller]
fn run(args: &[&str]) -> Ran {
    generate(&[&["--names", "exact"], args].concat(), hostile_log()).run().clean()
}

#[test]
fn nothing_that_is_printed_acts_on_its_reader() {
    for args in [&[][..], &["--explain"], &["--format", "json"], &["--include-denied"]] {
        let ran = run(args);
        assert_harmless(&ran.stdout);
        assert_harmless(&ran.stderr);
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let target = format!("{}/", folder.path().display());
    run(&["-o", &target, "--summary-json", folder.path().join("s.json").to_str().unwrap()]);
    for entry in std::fs::read_dir(folder.path()).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        assert_harmless(&path.display().to_string());
        assert_harmless(&std::fs::read_to_string(path).expect("it is text"));
    }
}

#[test]
fn no_line_is_forged() {
    let ran = run(&["--explain"]);
    let starting =
        |text: &str, start: &str| text.lines().filter(|it| it.starts_with(start)).count();
    assert_eq!(starting(&ran.stderr, "Proved: "), 1);
    assert_eq!(starting(&ran.stderr, "error: "), 0);
    let documents = starting(&ran.stdout, "---");
    assert_eq!(documents, objects(&ran.stdout).len(), "one document for each object");
    assert_eq!(starting(&ran.stdout, "kind: "), documents);
}

#[test]
fn hostile_names_come_out_as_they_went_in() {
    let expected: BTreeSet<&str> = HOSTILE.into();
    for args in [&[][..], &["--explain"], &["--format", "json"]] {
        let ran = run(args);
        let objects = objects(&ran.stdout);
        let mut names = BTreeSet::new();
        let mut users = BTreeSet::new();
        for object in objects.iter() {
            for rule in object.rules() {
                let is_config_map = rule.resources == Some(vec!["configmaps".to_owned()]);
                names.extend(rule.resource_names.iter().flatten().filter(|_| is_config_map));
            }
            let subjects = object.role_ref_and_subjects().map_or(&[][..], |(_, subjects)| subjects);
            users.extend(subjects.iter().filter(|it| it.kind == "User").map(|it| &it.name));
        }
        let names: BTreeSet<&str> = names.into_iter().map(String::as_str).collect();
        assert_eq!(names, expected, "{args:?}");
        let users: BTreeSet<&str> =
            users.into_iter().map(String::as_str).filter(|it| *it != "U").collect();
        assert_eq!(users, expected, "{args:?}");
    }
}

/// Evidence is for looking at. It never decides what is granted, nor does any message.
#[test]
fn evidence_grants_nothing() {
    let message = "users \"cluster-admin\" is forbidden: User \"U\" cannot impersonate resource \
                   \"users\" in API group \"\" at the cluster scope";
    let status = json!({"code": 403, "message": message});
    let refused = event("U", "get", "/api/v1/namespaces/shop/pods/p")
        .with("responseStatus", status)
        .with("annotations", json!({}));
    let update = "/apis/apps/v1/namespaces/shop/deployments/web";
    let message = "deployments.apps \"web\" is forbidden: User \"U\" cannot create resource \
                   \"deployments\" in API group \"apps\" in the namespace \"shop\"";
    let webhook = event("U", "update", update)
        .with("responseStatus", json!({"code": 403, "message": message}));
    let (summary, ran) = summarized(&["--names", "exact"], log([refused, webhook]));
    let granted = granted(&ran.stdout);
    assert_eq!(
        granted["User U"],
        BTreeSet::from(["update deployments.apps \"web\" in namespace shop".to_owned()])
    );
    let advice = identity(&summary, "U")["advice"].as_array().expect("a list");
    let codes: BTreeSet<&str> = advice.iter().filter_map(|it| it["code"].as_str()).collect();
    assert_eq!(codes, BTreeSet::from(["create-on-update-refused", "impersonation-refused"]));
}

/// In a rule a literal `*` would be everything, and a path that ends in one a prefix.
#[test]
fn a_star_in_a_request_is_no_wildcard() {
    let get = |uri: &str| event("U", "get", uri);
    let stars = [
        get("/metrics/*"),
        get("/*"),
        get("/metrics%2A"),
        get("/apis/*/v1/widgets"),
        get("/api/v1/namespaces/shop/*"),
        get("/api/v1/namespaces/shop/*/web/scale"),
        event("U", "*", "/x"),
        event("U", "*", "/api/v1/namespaces/shop/pods/p"),
        get("/api/v1/namespaces/*/pods"),
    ];
    let count = stars.len();
    let named = get("/api/v1/namespaces/shop/configmaps/*");
    let inner = get("/a/*/b");
    let (summary, ran) =
        summarized(&["--names", "exact"], log(stars.into_iter().chain([named, inner])));
    // As a name, and within a path, a star is a character like any other.
    let expected = ["get /a/*/b", "get configmaps \"*\" in namespace shop"].map(str::to_owned);
    assert_eq!(granted(&ran.stdout)["User U"], BTreeSet::from(expected));
    assert_eq!(summary["events"]["inexpressible"], count);
    let advice = identity(&summary, "U")["advice"].as_array().expect("a list");
    let codes: Vec<&str> = advice.iter().filter_map(|it| it["code"].as_str()).collect();
    assert_eq!(codes.iter().filter(|code| **code == "literal-wildcard").count(), count - 1);
    assert_eq!(codes.iter().filter(|code| **code == "impossible-namespace").count(), 1);
}

/// `kubectl apply` refuses an object in such a namespace, and all that stands behind it.
#[test]
fn a_namespace_that_cannot_exist_gets_no_role() {
    let long = "x".repeat(64);
    for namespace in ["Shop", "a_b", "-a", "a%20b", "..", &long] {
        let uri = format!("/api/v1/namespaces/{namespace}/pods");
        let (summary, ran) = summarized(&[], log([event("U", "list", &uri)]));
        assert_eq!(ran.stdout, "", "{namespace}");
        let advice = &identity(&summary, "U")["advice"][0]["code"];
        assert_eq!(advice, "impossible-namespace", "{namespace}");
    }
}

/// Names of roles are unique within an account only.
#[test]
fn roles_of_one_name_in_two_accounts_have_two_groups() {
    let by = |account: &str, uri: &str| {
        let arn = format!("arn:aws:iam::{account}:role/ci");
        event("", "list", uri).by_iam(&format!("ci-{account}"), &arn, "s")
    };
    let events = [by("111122223333", "/api/v1/nodes"), by("444455556666", "/api/v1/pods")];
    let ran = generate(&[], log(events.clone())).run().clean();
    let found = granted(&ran.stdout);
    assert_eq!(found["Group leastrole:ci:111122223333"], BTreeSet::from(["list nodes".to_owned()]));
    assert_eq!(found["Group leastrole:ci:444455556666"], BTreeSet::from(["list pods".to_owned()]));

    let template = ["--iam-group-template", "{account}/{role}"];
    let found = granted(&generate(&template, log(events)).run().clean().stdout);
    let groups: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(groups, ["Group 111122223333/ci", "Group 444455556666/ci"]);
}

/// A user with several usernames is bound through a group as well. It was that of the
/// role with the same name, and each got the rights of both.
#[test]
fn an_iam_user_does_not_share_the_group_of_a_role() {
    let by = |username: &str, kind: &str, uri: &str| {
        let arn = format!("arn:aws:iam::111122223333:{kind}/ci");
        event("", "list", uri).by_iam(username, &arn, "s")
    };
    let events = [
        by("ci-1", "user", "/api/v1/nodes"),
        by("ci-2", "user", "/api/v1/nodes"),
        by("session", "role", "/api/v1/secrets"),
    ];
    let found = granted(&generate(&[], log(events)).run().clean().stdout);
    assert_eq!(found["Group leastrole:ci"], BTreeSet::from(["list secrets".to_owned()]));
    assert_eq!(found["Group leastrole:user/ci"], BTreeSet::from(["list nodes".to_owned()]));
}

/// Who chooses a username can choose one that ends in the hash of another's.
#[test]
fn no_username_takes_the_object_names_of_another() {
    let list = |user: &str| event(user, "list", "/api/v1/nodes");
    let ran = generate(&[], log([list("Foo")])).run().clean();
    let objects_of_foo = objects(&ran.stdout);
    let name = objects_of_foo.iter().next().expect("a role").id().name;
    let taken = name.strip_prefix("leastrole:user:").expect("a user's name");
    assert!(taken.starts_with("foo-"), "{name}");

    let events = [list("Foo"), event(taken, "list", "/api/v1/pods")];
    let found = granted(&generate(&[], log(events)).run().clean().stdout);
    assert_eq!(found["User Foo"], BTreeSet::from(["list nodes".to_owned()]));
    assert_eq!(found[&format!("User {taken}")], BTreeSet::from(["list pods".to_owned()]));
}

/// One redacted event would otherwise have been bound to the user "", which the API
/// server refuses, and with it the whole run.
#[test]
fn an_event_of_nobody_decides_nothing() {
    let list = || event("U", "list", "/api/v1/nodes");
    let nobodies = [
        list().with("user", json!({})),
        list().with("user", json!({"username": ""})),
        list().with("user", Value::Null),
        list().impersonating("", &["system:authenticated"]),
        list().with("user", json!({})).impersonating("bob", &[]),
        list().with("user", json!({})).denied(),
    ];
    let (summary, ran) = summarized(&[], log(nobodies.into_iter().chain([list()])));
    assert_eq!(granted(&ran.stdout).into_keys().collect::<Vec<_>>(), ["User U"]);
    assert_eq!(summary["events"]["undecided"], 6);
    assert_eq!(summary["events"]["used"], 1);
}

/// A rule without names gives every name. Where a name that bounds an escalation is
/// empty or missing, nothing may be granted.
#[test]
fn an_empty_name_never_becomes_every_name() {
    let list = || event("U", "list", "/api/v1/nodes");
    let target = json!({"username": "bob", "groups": ["", "devs"], "extra": {"scopes": [""]}});
    let approval = "/apis/certificates.k8s.io/v1/certificatesigningrequests/c/approval";
    let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    let no_role = json!({"roleRef": {"kind": "ClusterRole", "name": ""}});
    let (summary, ran) = summarized(
        &["--names", "exact"],
        log([
            list().with("impersonatedUser", target),
            event("U", "update", approval).with("responseObject", json!({"spec": {}})),
            event("U", "create", bindings).failure(422, "Invalid").with("requestObject", no_role),
        ]),
    );
    let expected = [
        "create clusterrolebindings.rbac.authorization.k8s.io",
        "impersonate groups \"devs\"",
        "impersonate users \"bob\"",
        "update certificatesigningrequests.certificates.k8s.io/approval \"c\"",
    ];
    assert_eq!(granted(&ran.stdout)["User U"], expected.map(str::to_owned).into());
    let advice = identity(&summary, "U")["advice"].as_array().expect("a list");
    let codes: Vec<&str> = advice.iter().filter_map(|it| it["code"].as_str()).collect();
    assert_eq!(codes, ["bind-role", "approve-signer", "empty-name", "empty-name"]);
}
