//! Random requests about a set, most of them aimed at one of its bindings.

use fastrand::Rng;
use leastrole::rbac::{Atom, ResourceAtom, UrlAtom};
use serde_json::Value;

use super::pools::{
    ACCOUNTS, GROUPS, NAMES, NAMESPACES, RESOURCES, URLS, USER_GROUPS, USERS, VERBS, once_in, pick,
};
use super::sets::Set;
use crate::harness::Identity;

/// A question: may this identity do that?
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) identity: Identity,
    pub(super) atom: Atom,
}

impl Question {
    /// A random question about `set`.
    pub(super) fn random(rng: &mut Rng, set: &Set) -> Self {
        let bindings = set.objects.iter().filter(|object| object["roleRef"].is_object());
        let aim = rng.choice(bindings.collect::<Vec<_>>()).filter(|_| !once_in(rng, 4));
        let Some(binding) = aim else {
            return Self { identity: identity(rng, set), atom: any_atom(rng, set) };
        };
        let identity = bound_identity(rng, set, binding).unwrap_or_else(|| identity(rng, set));
        Self { identity, atom: aimed_atom(rng, set, binding) }
    }
}

fn identity(rng: &mut Rng, set: &Set) -> Identity {
    if once_in(rng, 3) {
        return service_account(rng, set);
    }
    let mut identity = Identity::user(&set.name(pick(rng, USERS)));
    for _ in 0..rng.usize(..3) {
        identity = identity.in_group(&set.name(pick(rng, USER_GROUPS)));
    }
    if once_in(rng, 3) { identity.in_group("system:authenticated") } else { identity }
}

/// With the groups that it always has, or, as only a review can ask, without.
fn service_account(rng: &mut Rng, set: &Set) -> Identity {
    let namespace = set.name(pick(rng, NAMESPACES));
    let account = pick(rng, ACCOUNTS);
    let identity = Identity::user(&format!("system:serviceaccount:{namespace}:{account}"));
    if once_in(rng, 4) {
        return identity;
    }
    identity
        .in_group("system:serviceaccounts")
        .in_group(&format!("system:serviceaccounts:{namespace}"))
        .in_group("system:authenticated")
}

fn namespace(rng: &mut Rng, set: &Set) -> String {
    match rng.usize(..8) {
        0 => String::new(),
        1 => "elsewhere".to_owned(),
        _ => set.name(pick(rng, NAMESPACES)),
    }
}

fn any_atom(rng: &mut Rng, set: &Set) -> Atom {
    if once_in(rng, 5) {
        let path = pick(rng, URLS).into();
        return Atom::Url(UrlAtom { path, verb: pick(rng, VERBS).into() });
    }
    Atom::Resource(ResourceAtom {
        namespace: namespace(rng, set).into(),
        group: pick(rng, GROUPS).into(),
        resource: pick(rng, RESOURCES).into(),
        name: pick(rng, NAMES).into(),
        verb: pick(rng, VERBS).into(),
    })
}

/// Someone whom the binding reaches, if it reaches anybody.
fn bound_identity(rng: &mut Rng, set: &Set, binding: &Value) -> Option<Identity> {
    let subjects = binding["subjects"].as_array()?;
    let subject = rng.choice(subjects)?;
    let name = subject["name"].as_str()?;
    let namespace = subject["namespace"].as_str().or(binding["metadata"]["namespace"].as_str());
    Some(match subject["kind"].as_str()? {
        "Group" => identity(rng, set).in_group(name),
        "ServiceAccount" => Identity::user(&format!("system:serviceaccount:{}:{name}", namespace?)),
        _ => Identity::user(name),
    })
}

/// What a rule behind the binding says, with some of it changed: wildcards made concrete,
/// or near misses.
fn aimed_atom(rng: &mut Rng, set: &Set, binding: &Value) -> Atom {
    let Some(rule) = rule_behind(rng, set, binding) else { return any_atom(rng, set) };
    let verb = value(rng, rule, "verbs", VERBS).into();
    if rule["nonResourceURLs"].is_array() {
        let path = value(rng, rule, "nonResourceURLs", URLS).replace('*', "x");
        return Atom::Url(UrlAtom { path: path.into(), verb });
    }
    let resource = value(rng, rule, "resources", RESOURCES);
    // `*/log` in a rule is asked as `pods/log`.
    let resource = match resource.split_once('/') {
        Some(("*", subresource)) if rng.bool() => format!("pods/{subresource}"),
        _ => resource,
    };
    let namespace = match binding["metadata"]["namespace"].as_str() {
        Some(namespace) if !once_in(rng, 8) => namespace.into(),
        _ => namespace(rng, set),
    };
    Atom::Resource(ResourceAtom {
        namespace: namespace.into(),
        group: value(rng, rule, "apiGroups", GROUPS).into(),
        resource: resource.into(),
        name: value(rng, rule, "resourceNames", NAMES).into(),
        verb,
    })
}

/// A rule of the role that the binding names; of any role where that one has none.
fn rule_behind<'a>(rng: &mut Rng, set: &'a Set, binding: &Value) -> Option<&'a Value> {
    let name = binding["roleRef"]["name"].as_str()?;
    let named = |object: &&Value| object["metadata"]["name"] == name;
    let rules = |objects: Vec<&'a Value>| -> Vec<&'a Value> {
        objects.iter().filter_map(|object| object["rules"].as_array()).flatten().collect()
    };
    let mut found = rules(set.objects.iter().filter(named).collect());
    if found.is_empty() {
        found = rules(set.objects.iter().collect());
    }
    rng.choice(found)
}

/// A value of the rule's list, or, for a wildcard and once in a while, of the pool.
fn value(rng: &mut Rng, rule: &Value, field: &str, pool: &[&str]) -> String {
    let values: Vec<&str> =
        rule[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if values.is_empty() || once_in(rng, 12) {
        return pick(rng, pool).to_owned();
    }
    let value = pick(rng, &values);
    if value == "*" && !once_in(rng, 4) { pick(rng, pool).to_owned() } else { value.to_owned() }
}
