//! Small logs on which other tools are known to fail, each with what goes wrong there.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::events::{Event, event, log, numbered};
use crate::support::objects::{Granted, granted, objects};
use crate::support::program::{generate, identity, summarized};

const READER: &str = "system:serviceaccount:shop:reader";
const BOUND_READER: &str = "ServiceAccount shop/reader";

/// What a log gives with every name kept.
#[track_caller]
fn exact(log: impl Into<Vec<u8>>) -> Granted {
    granted(&generate(&["--names", "exact"], log).run().clean().stdout)
}

#[track_caller]
fn assert_grants<const N: usize>(found: &Granted, subject: &str, expected: [&str; N]) {
    let expected: BTreeSet<String> = expected.map(str::to_owned).into();
    assert_eq!(found.get(subject), Some(&expected), "{subject} in {found:#?}");
}

fn read(name: &str) -> Event {
    event(READER, "get", &format!("/api/v1/namespaces/shop/configmaps/{name}"))
}

/// One undecodable line makes audit2rbac print the same error for ever.
#[test]
fn a_bad_line_in_the_middle_costs_that_line_only() {
    let text = log([read("a"), read("b"), read("c")]);
    let lines: Vec<&str> = text.lines().collect();
    let broken = lines[1].replace("\"verb\":", "\"verb\"");
    let (summary, ran) = summarized(&[], [lines[0], &broken, lines[2], ""].join("\n"));
    let found = granted(&ran.stdout);
    assert_grants(
        &found,
        BOUND_READER,
        ["get configmaps \"a\" in namespace shop", "get configmaps \"c\" in namespace shop"],
    );
    let example = &summary["input"]["problems"][0]["examples"][0];
    assert_eq!((&example["line"], &example["offset"]), (&json!(2), &json!(lines[0].len() + 1)));
    assert_eq!(summary["input"]["malformed"], 1);
}

/// So does a log that ends within a line, as one does that is copied while it is written.
#[test]
fn a_cut_last_line_costs_that_line_only() {
    let text = log([read("a"), read("b")]);
    let first = text.find('\n').expect("two lines");
    let (summary, ran) = summarized(&[], &text[..first + 100]);
    assert_grants(&granted(&ran.stdout), BOUND_READER, ["get configmaps \"a\" in namespace shop"]);
    assert_eq!(summary["input"]["malformed"], 1, "{}", summary["input"]);
}

/// audit2rbac and rbac-tool keep only the name seen through v2 and lose the others.
#[test]
fn api_versions_do_not_matter() {
    let autoscaler = |version: &str, name: &str| {
        let uri =
            format!("/apis/autoscaling/{version}/namespaces/shop/horizontalpodautoscalers/{name}");
        event(READER, "get", &uri)
    };
    let found = exact(log([autoscaler("v2", "a"), autoscaler("v1", "b"), autoscaler("v1", "c")]));
    let get =
        |name: &str| format!("get horizontalpodautoscalers.autoscaling {name:?} in namespace shop");
    assert_grants(&found, BOUND_READER, [&get("a"), &get("b"), &get("c")].map(String::as_str));
}

/// audit2rbac and Audicia write the query into the rule, which then matches nothing.
#[test]
fn a_query_is_no_part_of_a_path() {
    let get = |uri: &str| event("U", "get", uri);
    let text = log([get("/version?timeout=32s"), get("/metrics?x=1"), get("/healthz?verbose")]);
    assert_grants(&exact(text.clone()), "User U", ["get /metrics"]);
    let all = generate(&["--keep-default-grants"], text).run().clean();
    assert_grants(
        &granted(&all.stdout),
        "User U",
        ["get /healthz", "get /metrics", "get /version"],
    );
}

/// `kubectl auth can-i` gets a pointless ClusterRole from audit2rbac.
#[test]
fn what_every_caller_holds_is_not_granted_again() {
    let create = |group: &str, resource: &str| {
        event("U", "create", &format!("/apis/{group}/v1/{resource}")).code(201)
    };
    let ran = generate(
        &[],
        log([
            create("authorization.k8s.io", "selfsubjectaccessreviews"),
            create("authorization.k8s.io", "selfsubjectrulesreviews"),
            create("authentication.k8s.io", "selfsubjectreviews"),
            event("U", "get", "/api"),
            event("U", "get", "/livez"),
            event("U", "get", "/version/"),
            event(READER, "get", "/openid/v1/jwks"),
        ]),
    );
    assert_eq!(ran.run().clean().stdout, "");
}

/// audit2rbac and Audicia grant what was refused.
#[test]
fn a_refusal_grants_nothing_and_is_listed() {
    let refused = event(READER, "list", "/api/v1/namespaces/shop/secrets").denied();
    let (summary, ran) = summarized(&[], log([refused]));
    assert_eq!(ran.stdout, "");
    let reader = identity(&summary, "shop:reader");
    assert_eq!(reader["needs"], json!([]));
    assert_eq!(reader["denied"][0]["resource"], "secrets");
}

/// `kubesplaining` and `KIEMPossible` take 404 and 409 for "not used"; both were authorized.
#[test]
fn a_request_that_was_allowed_and_then_failed_is_a_need() {
    let missing = read("gone").failure(404, "NotFound");
    let there =
        event(READER, "create", "/api/v1/namespaces/shop/configmaps").failure(409, "AlreadyExists");
    let stopped = event(READER, "get", "/api/v1/namespaces/shop/pods/p/log").code(400);
    let found = exact(log([missing, there, stopped]));
    assert_grants(
        &found,
        BOUND_READER,
        [
            "create configmaps in namespace shop",
            "get configmaps \"gone\" in namespace shop",
            "get pods/log \"p\" in namespace shop",
        ],
    );
}

/// Audicia puts both into a Role of the service account's home, where they grant nothing.
#[test]
fn what_is_cluster_wide_needs_a_cluster_role_binding() {
    let lists = ["/api/v1/nodes", "/api/v1/pods"].map(|uri| event(READER, "list", uri));
    let ran = generate(&[], log(lists)).run().clean();
    assert_grants(&granted(&ran.stdout), BOUND_READER, ["list nodes", "list pods"]);
    let kinds: Vec<&str> =
        objects(&ran.stdout).iter().map(|object| object.kind().as_str()).collect();
    assert_eq!(kinds, ["ClusterRole", "ClusterRoleBinding"]);
}

/// Audicia copies URLs into the Role of every namespace; the API server refuses those.
#[test]
fn urls_stand_in_a_cluster_role_and_namespaces_in_roles_of_their_own() {
    let get = |uri: &str| event("U", "get", uri);
    let ran = generate(
        &["--names", "exact"],
        log([
            get("/metrics"),
            get("/api/v1/namespaces/a/pods/p"),
            get("/api/v1/namespaces/b/secrets/s"),
        ]),
    );
    let ran = ran.run().clean();
    assert_grants(
        &granted(&ran.stdout),
        "User U",
        ["get /metrics", "get pods \"p\" in namespace a", "get secrets \"s\" in namespace b"],
    );
    for object in objects(&ran.stdout).iter().filter(|object| object.kind().is_namespaced()) {
        let has_urls = object.rules().iter().any(|rule| rule.non_resource_urls.is_some());
        assert!(!has_urls, "{}", object.id());
    }
}

/// audit2rbac gives the impersonator nothing, Audicia gives it the calls of the other.
#[test]
fn impersonation_gives_each_side_its_own() {
    let call = event("admin", "get", "/api/v1/namespaces/shop/pods/p")
        .impersonating("bob", &["devs", "system:authenticated"]);
    let found = exact(log([call]));
    assert_grants(
        &found,
        "User admin",
        ["impersonate groups \"devs\"", "impersonate users \"bob\""],
    );
    assert_grants(&found, "User bob", ["get pods \"p\" in namespace shop"]);
}

/// The reason in an event is about the impersonated user. Where a default binding gave
/// that user its `/version`, the impersonator's rights were taken for defaults, too.
#[test]
fn what_allows_the_impersonated_says_nothing_about_the_impersonator() {
    let default = json!({
        "authorization.k8s.io/decision": "allow",
        "authorization.k8s.io/reason": "RBAC: allowed by ClusterRoleBinding \
            \"system:public-info-viewer\" of ClusterRole \"system:public-info-viewer\" to \
            Group \"system:authenticated\"",
    });
    let call = event("admin", "get", "/version")
        .impersonating("bob", &["system:authenticated"])
        .with("annotations", default);
    let (summary, ran) = summarized(&[], log([call]));
    assert_grants(&granted(&ran.stdout), "User admin", ["impersonate users \"bob\""]);
    assert_eq!(identity(&summary, "admin")["needs"][0]["allowed_by"], json!([]));
}

/// audit2rbac drops the name of every create. The authorizer sees that of a subresource.
#[test]
fn a_token_is_created_for_one_service_account_by_name() {
    let token = event(READER, "create", "/api/v1/namespaces/shop/serviceaccounts/robot/token");
    let found = exact(log([token.code(201)]));
    assert_grants(
        &found,
        BOUND_READER,
        ["create serviceaccounts/token \"robot\" in namespace shop"],
    );
}

/// The name of a new object is in its body, which the authorizer never sees: a rule with
/// that name matches no create.
#[test]
fn a_create_on_a_collection_has_no_name() {
    let create = event(READER, "create", "/apis/apps/v1/namespaces/shop/deployments").code(201);
    let object_ref = json!({"resource": "deployments", "namespace": "shop", "name": "web",
        "apiGroup": "apps", "apiVersion": "v1"});
    let role = event(READER, "create", "/apis/example.com/v1/widgets").code(201);
    let stray = json!({"resource": "widgets", "namespace": "stray", "name": "w",
        "apiGroup": "example.com", "apiVersion": "v1"});
    let found = exact(log([create.with("objectRef", object_ref), role.with("objectRef", stray)]));
    assert_grants(
        &found,
        BOUND_READER,
        ["create deployments.apps in namespace shop", "create widgets.example.com"],
    );
}

/// Audicia knows eight verbs and drops the others without a word.
#[test]
fn every_verb_counts() {
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
    let binding = json!({"roleRef": {"kind": "ClusterRole", "name": "view"}});
    let role = json!({"rules": [{"verbs": ["escalate"], "apiGroups": ["*"], "resources": ["*"]}]});
    let request = json!({"spec": {"signerName": "example.com/client"}});
    let approval = "/apis/certificates.k8s.io/v1/certificatesigningrequests/c/approval";
    let (summary, ran) = summarized(
        &["--names", "exact"],
        log([
            event("U", "post", "/foo/bar"),
            event("U", "head", "/version"),
            event("U", "put", "/foo/bar"),
            event("U", "create", &format!("{RBAC}/clusterrolebindings"))
                .code(201)
                .with("responseObject", binding),
            event("U", "create", &format!("{RBAC}/clusterroles"))
                .code(201)
                .with("responseObject", role),
            event("U", "update", approval).with("responseObject", request),
            event("U", "get", "/api/v1/namespaces/shop/pods/p")
                .impersonating("bob", &["system:authenticated"]),
        ]),
    );
    assert_grants(
        &granted(&ran.stdout),
        "User U",
        [
            "approve signers.certificates.k8s.io \"example.com/client\"",
            "bind clusterroles.rbac.authorization.k8s.io \"view\"",
            "create clusterrolebindings.rbac.authorization.k8s.io",
            "create clusterroles.rbac.authorization.k8s.io",
            "head /version",
            "impersonate users \"bob\"",
            "post /foo/bar",
            "put /foo/bar",
            "update certificatesigningrequests.certificates.k8s.io/approval \"c\"",
        ],
    );
    let advice = &identity(&summary, "U")["advice"][0];
    assert_eq!(
        (&advice["code"], &advice["wanted"][0]["verb"]),
        (&json!("hold-or-escalate"), &json!("escalate"))
    );
}

/// Audicia names the ClusterRole of `default` alike in every namespace, and audit2rbac
/// those of `a.b`, `a-b` and `a_b`: who is applied last wins.
#[test]
fn objects_of_different_identities_have_different_names() {
    let users = ["system:serviceaccount:a:default", "system:serviceaccount:b:default"];
    let others = ["a.b", "a-b", "a_b", "A.B", "a/b", "arn:aws:iam::1:x", &"x".repeat(200)];
    let users: Vec<&str> = users.into_iter().chain(others).collect();
    let events = users.iter().map(|user| event(user, "list", "/api/v1/nodes"));
    let ran = generate(&[], log(events)).run().clean();
    let objects = objects(&ran.stdout);
    let mut names = BTreeSet::new();
    for object in objects.iter().filter(|object| object.role_ref_and_subjects().is_some()) {
        let (_, subjects) = object.role_ref_and_subjects().expect("a binding");
        assert_eq!(subjects.len(), 1, "{}", object.id());
        names.insert(object.id().name);
    }
    assert_eq!((names.len(), granted(&ran.stdout).len()), (users.len(), users.len()), "{names:?}");
}

/// audit2rbac writes the username into a label, which may have 63 characters and no colon.
#[test]
fn the_whole_identity_stands_in_an_annotation() {
    let name = "prometheus-kube-prometheus-operator-with-a-very-long-release-name-in-front";
    let user = format!("system:serviceaccount:monitoring:{name}");
    assert!(user.len() > 93);
    let ran = generate(&[], log([event(&user, "list", "/api/v1/nodes")])).run().clean();
    for object in objects(&ran.stdout).iter() {
        let metadata = object.metadata();
        let annotations = metadata.annotations.as_ref().expect("annotations");
        assert_eq!(annotations["leastrole/identity"], format!("service account monitoring:{name}"));
        let labels = metadata.labels.as_ref().expect("labels");
        assert_eq!(labels["app.kubernetes.io/managed-by"], "leastrole");
        assert_eq!(labels.len(), 1);
    }
}

/// `KIEMPossible` stops without a word at the first line over 64 KiB; CloudWatch Logs lets
/// 256 KiB and more through.
#[test]
fn long_lines_are_read_like_any_other() {
    let with_body = |name: &str, kibibytes: usize| {
        let body = json!({"data": {"key": "x".repeat(kibibytes << 10)}});
        event(READER, "update", &format!("/api/v1/namespaces/shop/configmaps/{name}"))
            .with("requestObject", body)
    };
    let found = exact(log([with_body("a", 70), read("b"), with_body("c", 300), read("d")]));
    assert_grants(
        &found,
        BOUND_READER,
        [
            "get configmaps \"b\" in namespace shop",
            "get configmaps \"d\" in namespace shop",
            "update configmaps \"a\" in namespace shop",
            "update configmaps \"c\" in namespace shop",
        ],
    );
}

/// Audicia counts a request once for each of its stages, audit2rbac one that no one knows
/// the end of.
#[test]
fn a_request_counts_once_and_only_when_it_was_authorized() {
    let without_annotations = |event: Event| event.with("annotations", json!({}));
    let received = |name| without_annotations(read(name).stage("RequestReceived"));
    let (summary, ran) = summarized(&[], log([received("a"), read("a"), received("b")]));
    assert_grants(&granted(&ran.stdout), BOUND_READER, ["get configmaps \"a\" in namespace shop"]);
    assert_eq!(identity(&summary, "shop:reader")["needs"][0]["requests"], 1);
    assert_eq!(summary["events"]["uncounted_stage"], 2);
}

/// A watch that is open while the log ends never completes.
#[test]
fn a_watch_that_only_started_is_a_need() {
    let watch = |stage: &str| {
        event(READER, "watch", "/api/v1/namespaces/shop/pods?watch=true").stage(stage)
    };
    let only_started = summarized(&[], log([watch("ResponseStarted")]));
    let both = summarized(&[], log([watch("ResponseStarted"), watch("ResponseComplete")]));
    for (summary, ran) in [only_started, both] {
        assert_grants(&granted(&ran.stdout), BOUND_READER, ["watch pods in namespace shop"]);
        assert_eq!(identity(&summary, "shop:reader")["needs"][0]["requests"], 1);
    }
}

/// audit2rbac rejects what an audit webhook gets.
#[test]
fn an_event_list_is_a_log() {
    let items: Vec<Value> = numbered([read("a"), read("b")]).iter().map(Event::json).collect();
    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": items});
    let expected =
        ["get configmaps \"a\" in namespace shop", "get configmaps \"b\" in namespace shop"];
    assert_grants(&exact(list.to_string()), BOUND_READER, expected);
    let pretty = serde_json::to_string_pretty(&list).expect("it is JSON");
    assert_grants(&exact(pretty), BOUND_READER, expected);
}

/// Exports append gzip members; readers that stop after the first lose the rest.
#[test]
fn every_member_of_a_gzip_file_is_read() {
    let member = |text: String| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).expect("memory can be written");
        encoder.finish().expect("memory can be written")
    };
    let members = [member(log([read("a")])), member(log([read("b")]))];
    assert_grants(
        &exact(members.concat()),
        BOUND_READER,
        ["get configmaps \"a\" in namespace shop", "get configmaps \"b\" in namespace shop"],
    );
}

/// By default every session of a role has a username of its own; no other tool sees that
/// they are one.
#[test]
fn sessions_of_one_role_are_one_identity() {
    let session = |session: &str, name: &str| {
        let username = format!("arn:aws:sts::111122223333:assumed-role/ci/{session}");
        read(name).by_iam(&username, "arn:aws:iam::111122223333:role/ci", session)
    };
    let (summary, ran) =
        summarized(&["--names", "exact"], log([session("run-1", "a"), session("run-2", "b")]));
    let found = granted(&ran.stdout);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_grants(
        &found,
        "Group leastrole:ci",
        ["get configmaps \"a\" in namespace shop", "get configmaps \"b\" in namespace shop"],
    );
    assert_eq!(summary["identities"].as_array().map(Vec::len), Some(1));
    assert!(ran.stdout.contains("# IAM role arn:aws:iam::111122223333:role/ci\n"));
    assert!(ran.stdout.contains("aws eks update-access-entry"));
}
