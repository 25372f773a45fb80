//! Tests of what the conformance tables leave open: order, provenance and the index.

use proptest::prelude::*;
use serde_json::json;

use super::super::ResourceAtom;
use super::super::manifests::Manifests;
use super::super::objects::{Kind, Object};
use super::super::rule_allows;
use super::*;

fn objects(manifests: &serde_json::Value) -> Objects {
    let mut reader = Manifests::default();
    reader.read("test", manifests.to_string().as_bytes()).unwrap();
    reader.finish().objects
}

fn object(kind: &str, namespace: &str, name: &str, rest: &serde_json::Value) -> Object {
    let mut manifest = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"namespace": namespace, "name": name},
    });
    for (field, value) in rest.as_object().unwrap() {
        manifest[field] = value.clone();
    }
    objects(&manifest).iter().next().unwrap().clone()
}

fn role(kind: &str, namespace: &str, name: &str, verb: &str) -> Object {
    let rule = json!({"apiGroups": [""], "resources": ["pods"], "verbs": [verb]});
    object(kind, namespace, name, &json!({"rules": [rule]}))
}

fn binding(namespace: &str, name: &str, role: &[&str; 2], subjects: &[[&str; 3]]) -> Object {
    let kind = if namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
    let subject = |[kind, name, namespace]: &[&str; 3]| json!({"kind": kind, "name": name, "namespace": namespace});
    let subjects: Vec<_> = subjects.iter().map(subject).collect();
    let role_ref = json!({"kind": role[0], "name": role[1]});
    object(kind, namespace, name, &json!({"roleRef": role_ref, "subjects": subjects}))
}

fn pods(namespace: &str, verb: &str) -> Atom {
    let (namespace, verb) = (namespace.into(), verb.into());
    ResourceAtom { namespace, resource: "pods".into(), verb, ..ResourceAtom::default() }.into()
}

#[test]
fn cluster_role_bindings_come_first_and_then_names() {
    let view = ["ClusterRole", "view"];
    let alice = [["User", "alice", ""]];
    let objects: Objects = [
        role("ClusterRole", "", "view", "get"),
        binding("a", "1", &view, &alice),
        binding("", "3", &view, &alice),
        binding("", "2", &view, &alice),
    ]
    .into_iter()
    .collect();
    let evaluator = Evaluator::new(&objects);
    let alice = Requester::new("alice", [""; 0]);
    assert_eq!(
        evaluator.authorize(&alice, &pods("a", "get")).reason(),
        "RBAC: allowed by ClusterRoleBinding \"2\" of ClusterRole \"view\" to User \"alice\""
    );
    let names: Vec<_> =
        evaluator.grants_of(&alice).map(|held| &*held.grant.binding.id.name).collect();
    assert_eq!(names, ["2", "3", "1"]);
}

#[test]
fn a_binding_that_reaches_a_requester_twice_is_held_once() {
    let subjects = [["Group", "ops", ""], ["User", "alice", ""], ["Group", "dev", ""]];
    let objects: Objects = [
        role("ClusterRole", "", "view", "get"),
        binding("", "b", &["ClusterRole", "view"], &subjects),
    ]
    .into_iter()
    .collect();
    let evaluator = Evaluator::new(&objects);
    let held: Vec<_> =
        evaluator.grants_of(&Requester::new("alice", ["dev", "ops", "dev"])).collect();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].subject.name, "ops");
}

#[test]
fn a_denial_names_each_missing_role_once() {
    let alice = [["User", "alice", ""]];
    let objects: Objects = [
        binding("", "1", &["ClusterRole", "gone"], &alice),
        binding("", "2", &["ClusterRole", "gone"], &alice),
        binding("a", "3", &["Role", "lost"], &alice),
        binding("a", "4", &["Rolle", "odd"], &alice),
    ]
    .into_iter()
    .collect();
    let evaluator = Evaluator::new(&objects);
    assert_eq!(
        evaluator.authorize(&Requester::new("alice", [""; 0]), &pods("a", "get")).reason(),
        "RBAC: [clusterrole.rbac.authorization.k8s.io \"gone\" not found, \
         role.rbac.authorization.k8s.io \"lost\" not found, \
         unsupported role reference kind: \"Rolle\"]"
    );
    assert_eq!(evaluator.unresolved().count(), 4);
}

/// What the evaluator says, by looking at everything.
fn plainly_allowed(objects: &Objects, requester: &Requester, request: &Atom) -> bool {
    objects.bindings().any(|binding| {
        let namespace = &binding.id.namespace;
        let in_scope =
            binding.id.kind == Kind::ClusterRoleBinding || **namespace == *request.namespace();
        let reaches = binding.subjects.iter().any(|subject| match subject.kind.as_str() {
            "User" => subject.name == requester.username,
            "Group" => requester.groups.contains(&subject.name),
            _ => {
                let own = subject.namespace.as_ref().filter(|own| !own.is_empty());
                let home = own.unwrap_or(namespace);
                !home.is_empty()
                    && requester.username
                        == format!("system:serviceaccount:{home}:{}", subject.name)
            }
        });
        let role = binding.role_id().and_then(|id| objects.find(&id));
        let rules = role.map_or(&[][..], |(_, role)| role.rules());
        in_scope && reaches && rules.iter().any(|rule| rule_allows(rule, request))
    })
}

fn any_binding() -> impl Strategy<Value = Object> {
    let pick = |words: &'static [&'static str]| proptest::sample::select(words);
    let subject = (pick(&["User", "Group", "ServiceAccount"]), pick(&["x", "y"]), pick(&["", "a"]))
        .prop_map(|(kind, name, namespace)| [kind, name, namespace]);
    (
        pick(&["", "a", "b"]),
        pick(&["1", "2", "3"]),
        (pick(&["Role", "ClusterRole"]), pick(&["one", "two", "gone"])),
        proptest::collection::vec(subject, 0..3),
    )
        .prop_map(|(namespace, name, (kind, role), subjects)| {
            binding(namespace, name, &[kind, role], &subjects)
        })
}

proptest! {
    #[test]
    fn the_index_finds_what_looking_at_everything_finds(
        bindings in proptest::collection::vec(any_binding(), 0..6),
        groups in proptest::sample::subsequence(vec!["x", "y"], 0..=2),
    ) {
        let mut objects: Objects = [
            role("ClusterRole", "", "one", "get"),
            role("ClusterRole", "", "two", "list"),
            role("Role", "a", "one", "list"),
            role("Role", "b", "two", "get"),
        ]
        .into_iter()
        .collect();
        objects.extend(bindings);
        let evaluator = Evaluator::new(&objects);
        for user in ["x", "y", "system:serviceaccount:a:x", "system:serviceaccount:b:y"] {
            let requester = Requester::new(user, groups.iter().copied());
            for request in ["", "a", "b"].iter().flat_map(|ns| [pods(ns, "get"), pods(ns, "list")]) {
                let expected = plainly_allowed(&objects, &requester, &request);
                prop_assert_eq!(evaluator.authorize(&requester, &request).is_allowed(), expected);
                let listed = evaluator.grants_of(&requester).any(|held| held.grant.allows(&request));
                prop_assert_eq!(listed, expected);
            }
        }
    }
}
