//! Random logs: few identities, few objects, and so many requests on the same ones.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::support::events::{Event, event};

/// Up to forty events with times that often are the same.
pub(crate) fn events() -> impl Strategy<Value = Vec<Event>> {
    let timed = (any_event(), 0..20_u8, 0..3_u8).prop_map(|(event, second, id)| {
        let time = json!(format!("2026-11-20T09:00:{second:02}.000000Z"));
        event
            .with("auditID", json!(format!("id-{id}")))
            .with("requestReceivedTimestamp", time.clone())
            .with("stageTimestamp", time)
    });
    proptest::collection::vec(timed, 1..40)
}

fn any_event() -> impl Strategy<Value = Event> {
    let event = prop_oneof![8 => on_resource(), 2 => on_url(), 2 => with_body()];
    (event, caller(), outcome(), stage(), option::weighted(0.1, target()), agent()).prop_map(
        |(event, caller, outcome, stage, target, agent)| {
            let event = caller(event).with("userAgent", json!(agent)).stage(stage);
            let event = target.map_or(event.clone(), |name| {
                event.impersonating(name, &["devs", "system:authenticated"])
            });
            outcome(event)
        },
    )
}

type Change = fn(Event) -> Event;

fn caller() -> impl Strategy<Value = Change> {
    let users: Vec<Change> = vec![
        |event| event,
        |event| user(event, "bob"),
        |event| user(event, "system:serviceaccount:shop:web"),
        |event| user(event, "system:serviceaccount:pay:web"),
        |event| user(event, "system:node:n1"),
        |event| event.by_iam("ci-1", "arn:aws:iam::111122223333:role/ci", "1"),
        |event| event.by_iam("ci-2", "arn:aws:iam::111122223333:role/ci", "2"),
        |event| event.by_iam("ci-3", "arn:aws:iam::444455556666:role/ci", "3"),
        |event| event.by_iam("ci", "arn:aws:iam::111122223333:user/ci", "4"),
        |event| event.by_iam("ci-5", "arn:aws:iam::111122223333:user/ci", "5"),
        |event| event.with("user", json!({"username": "root", "groups": ["system:masters"]})),
    ];
    select(users)
}

fn user(event: Event, username: &str) -> Event {
    event.with("user", json!({"username": username, "groups": ["system:authenticated"]}))
}

fn target() -> impl Strategy<Value = &'static str> {
    select(vec!["bob", "ci", "system:serviceaccount:shop:web", "system:serviceaccount:pay:api"])
}

fn agent() -> impl Strategy<Value = &'static str> {
    select(vec!["kubectl/v1.36.0", "client/1.0", "operator"])
}

fn outcome() -> impl Strategy<Value = Change> {
    let access_policy: Change = |event| {
        let annotations = json!({
            "authorization.k8s.io/decision": "allow",
            "authorization.k8s.io/reason": "EKS Access Policy: allowed",
        });
        event.with("annotations", annotations)
    };
    let undecided: Change = |event| event.failure(403, "").with("annotations", json!({}));
    prop_oneof![
        6 => Just((|event| event) as Change),
        2 => Just((|event| event.code(201)) as Change),
        2 => Just((|event| event.failure(404, "NotFound")) as Change),
        1 => Just((|event| event.code(400)) as Change),
        2 => Just((|event| event.denied()) as Change),
        1 => Just(access_policy),
        1 => Just(undecided),
    ]
}

fn stage() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        8 => Just("ResponseComplete"),
        1 => Just("ResponseStarted"),
        1 => Just("RequestReceived"),
        1 => Just("Panic"),
    ]
}

fn namespace() -> impl Strategy<Value = &'static str> {
    select(vec!["", "shop", "pay", "stage"])
}

/// Chosen and generated names, for some kinds taken for generated only.
fn name() -> impl Strategy<Value = &'static str> {
    select(vec![
        "web",
        "shop",
        "*",
        "web-6d4cf56db6-x2x9k",
        "run-m5r4q",
        "ip-10-0-1-17.ec2.internal",
    ])
}

fn resource() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![
        ("/api/v1", "pods"),
        ("/api/v1", "configmaps"),
        ("/api/v1", "secrets"),
        ("/api/v1", "namespaces"),
        ("/apis/apps/v1", "deployments"),
        ("/apis/apps/v1beta1", "deployments"),
        ("/apis/batch/v1", "jobs"),
        ("/apis/*/v1", "widgets"),
    ])
}

fn subresource() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just(""), 1 => Just("/status"), 1 => Just("/scale"), 1 => Just("/exec")]
}

fn on_resource() -> impl Strategy<Value = Event> {
    let named = (select(vec!["get", "update", "patch", "delete", "create"]), name(), subresource())
        .prop_map(|(verb, name, subresource)| {
            let subresource = if verb == "create" { "/exec" } else { subresource };
            (verb, format!("/{name}{subresource}"))
        });
    let listed =
        (select(vec!["list", "watch"]), option::weighted(0.3, name())).prop_map(|(verb, name)| {
            let query = name.map(|name| format!("?fieldSelector=metadata.name%3D{name}"));
            (verb, query.unwrap_or_default())
        });
    let whole = select(vec!["create", "deletecollection"]).prop_map(|verb| (verb, String::new()));
    (namespace(), resource(), prop_oneof![3 => named, 2 => listed, 1 => whole]).prop_map(
        |(namespace, (prefix, resource), (verb, rest))| {
            let place = match (namespace, resource) {
                ("", _) | (_, "namespaces") => String::new(),
                (namespace, _) => format!("/namespaces/{namespace}"),
            };
            event("alice", verb, &format!("{prefix}{place}/{resource}{rest}"))
        },
    )
}

fn on_url() -> impl Strategy<Value = Event> {
    let paths = vec!["/metrics", "/metrics/a", "/metrics/*", "/version", "/healthz/etcd", "/api"];
    (select(vec!["get", "head", "post", ""]), select(paths))
        .prop_map(|(verb, path)| event("alice", verb, path))
}

/// Writes whose bodies prove more than they say.
fn with_body() -> impl Strategy<Value = Event> {
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
    let rule = |verb: &str| json!({"verbs": [verb], "apiGroups": ["apps", ""], "resources": ["pods", "jobs"]});
    let bodies: Vec<(&str, String, Value)> = vec![
        (
            "create",
            format!("{RBAC}/namespaces/shop/rolebindings"),
            json!({"roleRef": {"kind": "Role", "name": "reader"}}),
        ),
        (
            "update",
            format!("{RBAC}/clusterrolebindings/b"),
            json!({"roleRef": {"kind": "ClusterRole", "name": "view"}}),
        ),
        (
            "create",
            format!("{RBAC}/namespaces/pay/roles"),
            json!({"rules": [rule("get"), rule("list")]}),
        ),
        ("update", format!("{RBAC}/clusterroles/r"), json!({"rules": [rule("*")]})),
        (
            "update",
            "/apis/certificates.k8s.io/v1/certificatesigningrequests/c/approval".to_owned(),
            json!({"spec": {"signerName": "example.com/client"}}),
        ),
    ];
    (select(bodies), any::<bool>()).prop_map(|((verb, uri, body), is_logged)| {
        let event = event("alice", verb, &uri);
        if is_logged { event.with("responseObject", body) } else { event }
    })
}
