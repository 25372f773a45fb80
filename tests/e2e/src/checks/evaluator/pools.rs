//! The values that random rules, subjects and requests are put together from.
//!
//! Few of each, so that rules and requests meet; the odd ones are spelled as
//! someone who misreads RBAC would spell them.

use fastrand::Rng;

pub(super) const VERBS: &[&str] = &[
    "get",
    "get",
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "impersonate",
    "bind",
    "*",
    "GET",
    "",
    "use",
    "impersonate-on:user-info:get",
];

pub(super) const GROUPS: &[&str] = &["", "", "", "apps", "apps", "shop.example.com", "*", "APPS"];

pub(super) const RESOURCES: &[&str] = &[
    "pods",
    "pods",
    "pods/log",
    "pods/*",
    "*/log",
    "*/scale",
    "*/*",
    "*",
    "deployments",
    "deployments/scale",
    "configmaps",
    "nodes",
    "namespaces",
    "namespaces/status",
    "Pods",
    "orders",
    "userextras/acme.com/proj",
    "*/acme.com/proj",
    "pods/exec",
    "",
];

pub(super) const NAMES: &[&str] = &["p", "p", "q", "*", "", "https:web:8443", "a b", "ü"];

pub(super) const URLS: &[&str] = &[
    "/metrics",
    "/metrics/",
    "/metrics/*",
    "/met*",
    "/met**",
    "*",
    "/a/*/c",
    "/a/b/c",
    "metrics",
    "/",
    "/*",
    "/healthz/*",
    "/healthz/etcd",
    "/version",
    "**",
    "/metrics*x",
    "/met%72ics",
    "/A/b",
];

/// Namespaces of a set, by their ending, and none.
pub(super) const NAMESPACES: &[&str] = &["a", "a", "b"];

/// Users of a set, by their ending.
pub(super) const USERS: &[&str] = &["ann", "Ann", "bob"];

/// Groups of a set, by their ending.
pub(super) const USER_GROUPS: &[&str] = &["devs", "ops", "Devs"];

/// Service accounts of a set.
pub(super) const ACCOUNTS: &[&str] = &["robot", "default"];

/// One of them.
pub(super) fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(..from.len())]
}

/// At least one of them, rarely more than two; the same may come twice.
pub(super) fn some<'a>(rng: &mut Rng, from: &[&'a str]) -> Vec<&'a str> {
    let count = [1, 1, 1, 2, 2, 3][rng.usize(..6)];
    (0..count).map(|_| pick(rng, from)).collect()
}

/// True once in `times`.
pub(super) fn once_in(rng: &mut Rng, times: usize) -> bool {
    rng.usize(..times) == 0
}
