//! Impersonation, legacy (S5) and constrained (S6).

use super::case::{Call, Case};
use crate::harness::Identity;

const POD: &str = "/api/v1/namespaces/{ns}/pods/p";
/// What the target of an impersonation may do; the pod need not be there.
const READS_POD: &str = "get;core;pods;[p];ns";
/// The order of modes makes this the first and so the reported error for any ordinary user.
const NO_USER: &str = r#"cannot impersonate-on:user-info:get resource "pods""#;

pub(super) fn cases() -> Vec<Case> {
    [legacy(), constrained_users(), constrained_others()].into_iter().flatten().collect()
}

/// A request as somebody who may make it; it then fails because there is no such pod.
fn reading_as(name: &'static str, user: &'static str) -> Case {
    Case::new(name, Call::get(POD).with("Impersonate-User", user))
        .where_other(user, READS_POD)
        .accepted(404)
}

impl Case {
    fn with(mut self, header: &'static str, value: &'static str) -> Self {
        self.call = self.call.with(header, value);
        self
    }
}

fn legacy() -> Vec<Case> {
    let alice = "impersonate;core;users;[alice-{ns}];cl";
    vec![
        reading_as("S5-user", "alice-{ns}").refused(NO_USER).until(alice),
        reading_as("S5-group", "alice-{ns}")
            .with("Impersonate-Group", "devs")
            .refused(NO_USER)
            .until(alice)
            .until("impersonate;core;groups;[devs];cl"),
        reading_as("S5-uid", "alice-{ns}")
            .with("Impersonate-Uid", "u1")
            .refused(NO_USER)
            .until(alice)
            .until("impersonate;authentication.k8s.io;uids;[u1];cl"),
        reading_as("S5-extra", "alice-{ns}")
            .with("Impersonate-Extra-Scopes", "a")
            .with("Impersonate-Extra-Scopes", "b")
            .refused(NO_USER)
            .until(alice)
            .until("impersonate;authentication.k8s.io;userextras/scopes;[a,b];cl"),
        reading_as("S5-extra-with-slash", "alice-{ns}")
            .with("Impersonate-Extra-Acme.com%2FProj", "z")
            .refused(NO_USER)
            .until(alice)
            .until("impersonate;authentication.k8s.io;userextras/acme.com/proj;[z];cl"),
        reading_as("S5-serviceaccount", "system:serviceaccount:{ns}:robot")
            .refused(r#"cannot impersonate-on:serviceaccount:get resource "pods""#)
            .until("impersonate;core;serviceaccounts;[robot];ns"),
        reading_as("S5-serviceaccount-group", "system:serviceaccount:{ns}:robot")
            .with("Impersonate-Group", "devs")
            .refused(r#"cannot impersonate resource "serviceaccounts""#)
            .until("impersonate;core;serviceaccounts;[robot];ns")
            .until("impersonate;core;groups;[devs];cl"),
    ]
}

fn constrained_users() -> Vec<Case> {
    let on = "impersonate-on:user-info:get;core;pods;[p];ns";
    let alice = "impersonate:user-info;authentication.k8s.io;users;[alice-{ns}];cl";
    vec![
        reading_as("S6-user", "alice-{ns}").refused(NO_USER).until(on).until(alice),
        reading_as("S6-groups", "alice-{ns}")
            .with("Impersonate-Group", "devs")
            .with("Impersonate-Group", "ops")
            .refused(NO_USER)
            .until(on)
            .until(alice)
            .until("impersonate:user-info;authentication.k8s.io;groups;[devs,ops];cl"),
        many_groups("S6-four-groups-by-name")
            .refused(NO_USER)
            .until(on)
            .until(alice)
            .until("impersonate:user-info;authentication.k8s.io;groups;[a,b,c,d];cl"),
        many_groups("S6-four-groups-by-star")
            .refused(NO_USER)
            .until(on)
            .until(alice)
            .until("impersonate:user-info;authentication.k8s.io;groups;[*];cl"),
        reading_as("S6-uid-and-extra", "alice-{ns}")
            .with("Impersonate-Uid", "u1")
            .with("Impersonate-Extra-Acme.com%2FProj", "z")
            .refused(NO_USER)
            .until(on)
            .until(alice)
            .until("impersonate:user-info;authentication.k8s.io;uids;[u1];cl")
            .until("impersonate:user-info;authentication.k8s.io;userextras/acme.com/proj;[z];cl"),
        Case::new("S6-url", Call::get("/metrics/slis").with("Impersonate-User", "alice-{ns}"))
            .where_other("alice-{ns}", "url:get /metrics/slis")
            .refused(r#"cannot impersonate-on:user-info:get path "/metrics/slis""#)
            .until("url:impersonate-on:user-info:get /metrics/slis")
            .until(alice),
    ]
}

fn many_groups(name: &'static str) -> Case {
    ["a", "b", "c", "d"]
        .into_iter()
        .fold(reading_as(name, "alice-{ns}"), |case, group| case.with("Impersonate-Group", group))
}

fn constrained_others() -> Vec<Case> {
    let daemon = Identity::user("system:serviceaccount:{ns}:daemon")
        .in_group("system:serviceaccounts")
        .with_extra("authentication.kubernetes.io/node-name", "n1")
        .with_extra("authentication.kubernetes.io/node-uid", "1");
    vec![
        reading_as("S6-serviceaccount", "system:serviceaccount:{ns}:robot")
            .refused(r#"cannot impersonate-on:serviceaccount:get resource "pods""#)
            .until("impersonate-on:serviceaccount:get;core;pods;[p];ns")
            .until("impersonate:serviceaccount;authentication.k8s.io;serviceaccounts;[robot];ns"),
        reading_as("S6-arbitrary-node", "system:node:n1")
            .refused(r#"cannot impersonate-on:arbitrary-node:get resource "pods""#)
            .until("impersonate-on:arbitrary-node:get;core;pods;[p];ns")
            .until("impersonate:arbitrary-node;authentication.k8s.io;nodes;[n1];cl"),
        reading_as("S6-associated-node", "system:node:n1")
            .by(daemon.clone())
            .refused(r#"cannot impersonate-on:associated-node:get resource "pods""#)
            .until("impersonate-on:associated-node:get;core;pods;[p];ns")
            .until("impersonate:associated-node;authentication.k8s.io;nodes;[*];cl"),
        reading_as("S6-associated-node-without-names", "system:node:n1")
            .by(daemon)
            .refused(r#"cannot impersonate-on:associated-node:get resource "pods""#)
            .until("impersonate-on:associated-node:get;core;pods;[p];ns")
            .until("impersonate:associated-node;authentication.k8s.io;nodes;-;cl"),
    ]
}
