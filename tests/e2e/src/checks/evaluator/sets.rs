//! Random RBAC objects, in sets that do not touch each other.
//!
//! All names of a set carry its number, so that the sets can stand in one
//! cluster at a time. Some objects are invalid on purpose.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::pools::{
    ACCOUNTS, GROUPS, NAMES, NAMESPACES, RESOURCES, URLS, USER_GROUPS, USERS, VERBS, once_in, pick,
    some,
};

const RBAC: &str = "rbac.authorization.k8s.io";

/// Built-in roles that are bound now and then; the first three are aggregated.
const BUILT_IN: &[&str] = &["admin", "edit", "view", "cluster-admin", "system:monitoring"];

/// A set of objects that share a number.
pub(super) struct Set {
    pub(super) number: usize,
    pub(super) objects: Vec<Value>,
}

impl Set {
    /// A set of roles and bindings.
    pub(super) fn random(rng: &mut Rng, number: usize) -> Self {
        let mut set = Self { number, objects: Vec::new() };
        for place in 0..4 {
            set.add_role(rng, place);
            set.add_cluster_role(rng, place);
        }
        if once_in(rng, 2) {
            set.add_aggregated_roles(rng);
        }
        for place in 0..5 {
            set.add_binding(rng, "RoleBinding", place);
        }
        for place in 0..3 {
            set.add_binding(rng, "ClusterRoleBinding", place);
        }
        set
    }

    /// The name of something of this set.
    pub(super) fn name(&self, ending: &str) -> String {
        format!("s{}-{ending}", self.number)
    }

    /// Namespaces of this set.
    pub(super) fn namespaces(&self) -> [String; 2] {
        [self.name("a"), self.name("b")]
    }

    fn add_role(&mut self, rng: &mut Rng, place: usize) {
        let namespace = self.name(pick(rng, NAMESPACES));
        let urls_in_a_role = once_in(rng, 30);
        let mut role = object("Role", &format!("role-{place}"), Some(&namespace));
        role["rules"] = rules(rng, urls_in_a_role);
        self.objects.push(role);
    }

    fn add_cluster_role(&mut self, rng: &mut Rng, place: usize) {
        let name = match rng.usize(..40) {
            0..4 => self.name(&format!("spaced role:{place}")),
            4 => self.name(&format!("slashed/{place}")),
            _ => self.name(&format!("role-{place}")),
        };
        let mut role = object("ClusterRole", &name, None);
        role["rules"] = rules(rng, true);
        if once_in(rng, 2) {
            role["metadata"]["labels"] = self.labels(rng);
        }
        self.objects.push(role);
    }

    /// Labels that some aggregated role of this set, or a built-in one, selects by.
    fn labels(&self, rng: &mut Rng) -> Value {
        let mut labels = Map::new();
        labels.insert("set".into(), self.name("set").into());
        labels.insert("part".into(), pick(rng, &["x", "y"]).into());
        if once_in(rng, 4) {
            let built_in = pick(rng, &["view", "edit", "admin"]);
            labels.insert(format!("{RBAC}/aggregate-to-{built_in}"), "true".into());
        }
        labels.into()
    }

    /// One that selects parts, and one that selects the first.
    fn add_aggregated_roles(&mut self, rng: &mut Rng) {
        let set = self.name("set");
        let parts = match rng.usize(..4) {
            0 => json!([{ "matchLabels": { "set": set } }]),
            1 => json!([{ "matchLabels": { "set": set, "part": "x" } }]),
            2 => json!([{ "matchLabels": { "set": set }, "matchExpressions":
                [{ "key": "part", "operator": "NotIn", "values": ["x"] }] }]),
            _ => json!([
                { "matchLabels": { "set": set, "part": "x" } },
                { "matchExpressions": [
                    { "key": "part", "operator": "In", "values": ["y", "z"] },
                    { "key": "set", "operator": "In", "values": [set] },
                    { "key": "other", "operator": "DoesNotExist" }] },
            ]),
        };
        let mut first = object("ClusterRole", &self.name("role-sum"), None);
        first["metadata"]["labels"] = json!({ "sum": set });
        first["aggregationRule"] = json!({ "clusterRoleSelectors": parts });
        // Written by hand: the controller overwrites them, unless what it sums up is empty.
        first["rules"] = rules(rng, true);
        let mut second = object("ClusterRole", &self.name("role-sum-of-sums"), None);
        let selectors = json!([{ "matchLabels": { "sum": set } }]);
        second["aggregationRule"] = json!({ "clusterRoleSelectors": selectors });
        self.objects.extend([first, second]);
    }

    fn add_binding(&mut self, rng: &mut Rng, kind: &str, place: usize) {
        let namespaced = kind == "RoleBinding";
        let namespace = namespaced.then(|| self.name(pick(rng, NAMESPACES)));
        let name = self.name(&format!("binding-{place}"));
        let mut binding = object(kind, &name, namespace.as_deref());
        binding["roleRef"] = self.role_ref(rng, namespaced);
        let subjects: Vec<Value> =
            (0..rng.usize(..5)).map(|_| self.subject(rng, namespaced)).collect();
        if !subjects.is_empty() || once_in(rng, 2) {
            binding["subjects"] = subjects.into();
        }
        self.objects.push(binding);
    }

    fn role_ref(&self, rng: &mut Rng, namespaced: bool) -> Value {
        // One too many, and so sometimes a role that is not there.
        let place = rng.usize(..5);
        let (kind, name) = match rng.usize(..20) {
            0 => ("ClusterRole", pick(rng, BUILT_IN).to_owned()),
            1 => ("ClusterRole", self.name(&format!("spaced role:{place}"))),
            2 if once_in(rng, 4) => ("role", format!("role-{place}")),
            3 if once_in(rng, 4) => ("Role", format!("role-{place}")),
            4..7 => ("ClusterRole", self.name("role-sum")),
            7 => ("ClusterRole", self.name("role-sum-of-sums")),
            8..14 if namespaced => ("Role", format!("role-{place}")),
            _ => ("ClusterRole", self.name(&format!("role-{place}"))),
        };
        let mut role_ref = json!({ "kind": kind, "name": name });
        if !once_in(rng, 4) {
            role_ref["apiGroup"] = RBAC.into();
        }
        role_ref
    }

    fn subject(&self, rng: &mut Rng, namespaced: bool) -> Value {
        let namespace = self.name(pick(rng, NAMESPACES));
        let account = pick(rng, ACCOUNTS);
        let mut subject = match rng.usize(..10) {
            0..3 => json!({ "kind": "User", "name": self.name(pick(rng, USERS)) }),
            3..5 => json!({ "kind": "Group", "name": self.name(pick(rng, USER_GROUPS)) }),
            5..7 => json!({ "kind": "ServiceAccount", "name": account, "namespace": namespace }),
            7 if namespaced => json!({ "kind": "ServiceAccount", "name": account }),
            7 if once_in(rng, 6) => json!({ "kind": "user", "name": self.name("ann") }),
            8 => json!({
                "kind": "User", "name": format!("system:serviceaccount:{namespace}:{account}"),
            }),
            _ => json!({ "kind": "Group", "name": format!("system:serviceaccounts:{namespace}") }),
        };
        if once_in(rng, 30) {
            subject["apiGroup"] = pick(rng, &[RBAC, ""]).into();
        }
        if once_in(rng, 30) {
            subject["namespace"] = namespace.into();
        }
        subject
    }
}

fn object(kind: &str, name: &str, namespace: Option<&str>) -> Value {
    let mut metadata = json!({ "name": name });
    if let Some(namespace) = namespace {
        metadata["namespace"] = namespace.into();
    }
    json!({ "apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": metadata })
}

fn rules(rng: &mut Rng, with_urls: bool) -> Value {
    (0..[0, 1, 1, 2, 3][rng.usize(..5)]).map(|_| rule(rng, with_urls)).collect()
}

fn rule(rng: &mut Rng, with_urls: bool) -> Value {
    let mut rule = json!({ "verbs": some(rng, VERBS) });
    if with_urls && once_in(rng, 3) {
        rule["nonResourceURLs"] = some(rng, URLS).into();
        if once_in(rng, 20) {
            rule["apiGroups"] = json!([""]);
        }
        return rule;
    }
    rule["apiGroups"] = some(rng, GROUPS).into();
    rule["resources"] = some(rng, RESOURCES).into();
    if once_in(rng, 3) {
        rule["resourceNames"] = some(rng, NAMES).into();
    }
    // Now and then one that the server refuses.
    if once_in(rng, 100) {
        let field = pick(rng, &["verbs", "apiGroups", "resources"]);
        rule[field] = json!([]);
    }
    rule
}
