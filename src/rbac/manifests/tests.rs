//! Tests of the whole reader; those of its parts stand beside them.

use std::fmt::Write;

use proptest::prelude::*;

use super::super::{Atom, Requester, ResourceAtom};
use super::*;

const ROLE: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules:
- apiGroups: ['']
  resources: [pods]
  verbs: [get]
";

const BINDING: &str = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: shop}
roleRef: {kind: Role, name: reader}
subjects:
- {kind: ServiceAccount, name: web}
";

fn load(text: &str) -> Loaded {
    let mut manifests = Manifests::default();
    manifests.read("rbac.yaml", text.as_bytes()).unwrap();
    manifests.finish()
}

fn error(text: &str) -> String {
    Manifests::default().read("rbac.yaml", text.as_bytes()).unwrap_err().to_string()
}

fn problems(loaded: &Loaded) -> Vec<String> {
    loaded.problems.iter().map(ToString::to_string).collect()
}

fn ids(loaded: &Loaded) -> Vec<String> {
    loaded.objects.iter().map(|object| object.id().to_string()).collect()
}

fn web_may_read_pods(loaded: &Loaded) -> bool {
    let pods = ResourceAtom {
        namespace: "shop".into(),
        resource: "pods".into(),
        verb: "get".into(),
        ..ResourceAtom::default()
    };
    Evaluator::new(&loaded.objects)
        .authorize(&Requester::service_account("shop", "web"), &Atom::from(pods))
        .is_allowed()
}

#[test]
fn documents_of_many_kinds_give_objects_and_counts() {
    let text = format!(
        "# rendered\n---\n{ROLE}---\napiVersion: v1\nkind: ServiceAccount\n\
         metadata: {{name: web, namespace: shop}}\n---\n{BINDING}---\napiVersion: v1\n\
         kind: Namespace\nmetadata: {{name: shop}}\n---\napiVersion: apps/v1\n\
         kind: Deployment\n---\napiVersion: v1\nkind: ConfigMap\n---\nreplicas: 2\n"
    );
    let loaded = load(&text);
    assert_eq!(problems(&loaded), [""; 0]);
    assert!(web_may_read_pods(&loaded));
    let skipped = [("(no kind)", 1), ("ConfigMap", 1), ("Deployment.apps", 1)];
    assert_eq!(loaded.skipped, skipped.map(|(kind, count)| (kind.to_owned(), count)).into());
    assert!(loaded.service_accounts.contains(&("shop".to_owned(), "web".to_owned())));
    assert!(loaded.namespaces.contains("shop"));
    let place = &loaded.places[&loaded.objects.bindings().next().unwrap().id.clone()];
    assert_eq!(place.to_string(), "rbac.yaml, line 14 (document 3)");
}

#[test]
fn lists_of_every_form_are_opened() {
    let role = r#"{"metadata": {"name": "a"}, "rules": []}"#;
    let full = r#"{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "a"}, "rules": []}"#;
    let rbac = "rbac.authorization.k8s.io";
    for text in [
        format!(r#"{{"apiVersion": "v1", "items": [{full}], "kind": "List"}}"#),
        format!(r#"{{"apiVersion": "{rbac}/v1", "kind": "ClusterRoleList", "items": [{role}]}}"#),
        format!(
            r#"{{"apiVersion": "{rbac}/v1beta1", "items": [{role}], "kind": "ClusterRoleList"}}"#
        ),
        format!("[{full}]"),
        format!(r#"{{"kind": "List", "items": [{{"kind": "List", "items": [{full}]}}]}}"#),
        format!("{full}\n{{\"kind\": \"Pod\"}}"),
        format!("\u{feff}{full}"),
        full.replace(['\n', '"'], " "),
    ] {
        let loaded = load(&text);
        assert_eq!(ids(&loaded), ["ClusterRole \"a\""], "{text}");
        assert_eq!(problems(&loaded), [""; 0], "{text}");
    }
}

#[test]
fn lists_of_accounts_and_empty_lists_are_read() {
    let loaded = load(
        "apiVersion: v1\nkind: ServiceAccountList\nitems:\n\
         - metadata: {name: web, namespace: shop}\n---\napiVersion: v1\nkind: PodList\n\
         items: [1]\n---\nkind: List\nitems: null\n---\nkind: List\n",
    );
    assert_eq!(loaded.service_accounts.len(), 1);
    assert_eq!(loaded.skipped, [("PodList".to_owned(), 1)].into());
}

#[test]
fn a_list_as_kubectl_prints_it_gives_its_aggregated_roles() {
    let role = |name: &str, label: &str, rest: &str| {
        format!(
            "- apiVersion: rbac.authorization.k8s.io/v1\n  kind: ClusterRole\n  metadata:\n    \
             creationTimestamp: null\n    labels:\n      example.com/{label}: \"true\"\n    \
             name: {name}\n{rest}"
        )
    };
    let selecting = |label: &str| {
        format!(
            "  aggregationRule:\n    clusterRoleSelectors:\n    - matchLabels:\n        \
             example.com/{label}: \"true\"\n  rules: null\n"
        )
    };
    let text = format!(
        "apiVersion: v1\nitems:\n{}{}{}\
         - apiVersion: rbac.authorization.k8s.io/v1\n  kind: RoleBinding\n  metadata:\n    \
         name: web\n    namespace: shop\n  roleRef:\n    apiGroup: rbac.authorization.k8s.io\n    \
         kind: ClusterRole\n    name: admin\n  subjects:\n  - kind: ServiceAccount\n    \
         name: web\n    namespace: shop\nkind: List\nmetadata:\n  resourceVersion: \"\"\n",
        role("admin", "none", &selecting("to-admin")),
        role("edit", "to-admin", &selecting("to-edit")),
        role(
            "system:aggregate-to-edit",
            "to-edit",
            "  rules:\n  - apiGroups:\n    - \"\"\n    resources:\n    - pods\n    \
             verbs:\n    - get\n"
        ),
    );
    let loaded = load(&text);
    assert_eq!(problems(&loaded), [""; 0]);
    assert!(web_may_read_pods(&loaded));
    let evaluator = Evaluator::new(&loaded.objects);
    let holders: Vec<_> = evaluator.grants().map(|grant| grant.holder.name.as_str()).collect();
    assert_eq!(holders, ["system:aggregate-to-edit"]);
}

#[test]
fn metadata_and_null_fields_survive_the_round() {
    let text = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  annotations: {note: 'yes', empty: }
  creationTimestamp: 2024-05-06T07:08:09Z
  finalizers: [example.com/keep]
  labels: {app: web}
  managedFields:
  - apiVersion: rbac.authorization.k8s.io/v1
    fieldsType: FieldsV1
    fieldsV1: {f:rules: {}}
    manager: kubectl
  name: web
  resourceVersion: '12'
  uid: 6f1f
rules: null
";
    let loaded = load(text);
    assert_eq!(problems(&loaded), [""; 0]);
    let written = serde_json::to_value(loaded.objects.iter().next().unwrap()).unwrap();
    let expected = serde_json::json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {
            "annotations": {"note": "yes", "empty": ""},
            "creationTimestamp": "2024-05-06T07:08:09Z",
            "finalizers": ["example.com/keep"],
            "labels": {"app": "web"},
            "managedFields": [{
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:rules": {}},
                "manager": "kubectl",
            }],
            "name": "web",
            "resourceVersion": "12",
            "uid": "6f1f",
        },
    });
    assert_eq!(written, expected);
}

#[test]
fn foreign_kinds_of_the_same_name_are_skipped() {
    let loaded = load("apiVersion: iam.services.k8s.aws/v1alpha1\nkind: Role\n");
    assert_eq!(loaded.skipped, [("Role.iam.services.k8s.aws".to_owned(), 1)].into());
    assert_eq!(problems(&loaded), [""; 0]);
}

#[test]
fn other_versions_of_rbac_are_named_and_left_out() {
    let alpha = ROLE.replace("k8s.io/v1", "k8s.io/v1alpha1");
    let none = ROLE.replace("apiVersion: rbac.authorization.k8s.io/v1\n", "");
    let loaded = load(&format!("{alpha}---\n{none}"));
    assert!(loaded.objects.is_empty());
    assert_eq!(
        problems(&loaded),
        [
            "rbac.yaml, line 1 (document 1): Role \"reader\" in namespace \"shop\": apiVersion \
             \"rbac.authorization.k8s.io/v1alpha1\" is not known; use rbac.authorization.k8s.io/v1",
            "rbac.yaml, line 8 (document 2): Role \"reader\" in namespace \"shop\": apiVersion \
             \"\" is not known; use rbac.authorization.k8s.io/v1",
        ]
    );
    assert_eq!(load(&ROLE.replace("k8s.io/v1", "k8s.io/v1beta1")).objects.len(), 1);
}

#[test]
fn a_field_of_the_wrong_type_is_named_and_the_rest_goes_on() {
    let string = ROLE.replace("verbs: [get]", "verbs: get");
    let boolean = ROLE.replace("[pods]", "[pods]\n  resourceNames: [yes]");
    let scalar = BINDING.replace("\n- {kind: ServiceAccount, name: web}", " web");
    let loaded = load(&format!("{string}---\n{boolean}---\n{scalar}---\n{ROLE}"));
    assert_eq!(ids(&loaded), ["Role \"reader\" in namespace \"shop\""]);
    let found: Vec<_> = loaded
        .problems
        .iter()
        .map(|problem| match &problem.defect {
            Defect::Malformed { field, message, .. } => format!("{field}: {message}"),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            "rules[0]: invalid type: string \"get\", expected a sequence",
            "rules[0]: invalid type: boolean `true`, expected a string",
            "subjects: invalid type: string \"web\", expected a sequence",
        ]
    );
}

#[test]
fn what_grants_nothing_is_a_problem_and_not_a_crash() {
    let nobody = BINDING.replace("\n- {kind: ServiceAccount, name: web}", " []");
    let odd = BINDING.replace("kind: Role, name", "kind: role, name");
    let aggregated = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n\
        metadata: {name: all}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}\n";
    let loaded = load(&format!("{BINDING}---\n{aggregated}"));
    assert_eq!(
        problems(&loaded),
        [
            "rbac.yaml, line 1 (document 1): RoleBinding \"reader\" in namespace \"shop\" grants \
             nothing: role.rbac.authorization.k8s.io \"reader\" not found; add the role to the \
             input or drop the binding",
            "rbac.yaml, line 7 (document 2): ClusterRole \"all\" aggregates no ClusterRole of the \
             input and grants nothing; add those it selects",
        ]
    );
    assert_eq!(load(&format!("{ROLE}---\n{nobody}")).problems.len(), 1);
    assert_eq!(
        problems(&load(&odd)),
        [
            "rbac.yaml, line 1 (document 1): RoleBinding \"reader\" in namespace \"shop\": \
             roleRef.kind: \"role\" is not supported here",
            "rbac.yaml, line 1 (document 1): RoleBinding \"reader\" in namespace \"shop\" grants \
             nothing: unsupported role reference kind: \"role\"; add the role to the input or \
             drop the binding",
        ]
    );
}

#[test]
fn the_later_of_two_equal_names_counts() {
    let wider = ROLE.replace("[get]", "[get, list]");
    let mut manifests = Manifests::default();
    manifests.read("a.yaml", ROLE.as_bytes()).unwrap();
    manifests.read("b.yaml", wider.as_bytes()).unwrap();
    let loaded = manifests.finish();
    assert_eq!(
        problems(&loaded),
        ["b.yaml, line 1 (document 1): Role \"reader\" in namespace \"shop\" is defined again; \
             it replaces the one in a.yaml, line 1 (document 1)"]
    );
    assert_eq!(loaded.objects.iter().next().unwrap().rules()[0].verbs, ["get", "list"]);
}

#[test]
fn a_role_binding_without_a_namespace_grants_nothing_anywhere() {
    let text = format!("{ROLE}---\n{BINDING}").replace(", namespace: shop", "");
    let loaded = load(&text);
    assert!(!web_may_read_pods(&loaded));
    assert_eq!(Evaluator::new(&loaded.objects).grants().count(), 0);
    assert_eq!(loaded.problems.len(), 2);
}

#[test]
fn what_cannot_be_read_says_where_and_what_to_do() {
    let unrendered = "a template, not a manifest, at line 9; render it first (`helm template`)";
    for (text, expected) in [
        ("a: [b\nc: d", "not valid YAML or JSON at line 10: illegal placement of ':' indicator"),
        ("x: {{ .Values.x }}", unrendered),
        ("{{- if .Values.x }}", unrendered),
        ("12", "not a Kubernetes object; a manifest is a mapping with apiVersion and kind"),
    ] {
        let expected = format!("rbac.yaml, line 8 (document 2): {expected}");
        assert_eq!(error(&format!("{ROLE}---\n{text}")), expected);
    }
    let json = "{\"kind\": \"Pod\"}\n{\"a\": 1\n\"b\"";
    assert_eq!(
        error(json),
        "rbac.yaml, line 1 (document 1): not valid YAML or JSON at line 3: \
         expected `,` or `}`"
    );
    let utf16: Vec<u8> = "\u{feff}a: b".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let error = Manifests::default().read("rbac.yaml", &utf16).unwrap_err();
    assert_eq!(error.cause, Unreadable::NotUtf8 { offset: 0 });
}

#[test]
fn a_yaml_bomb_meets_a_named_limit() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let message = error(&bomb);
    let place = message.find("refused at line ").unwrap_or_else(|| panic!("{message}"));
    let (_, said) = message[place..].split_once(": ").unwrap();
    let expected = "it has too many anchors, aliases or merge keys; write out what they stand for, \
                    or use JSON";
    assert_eq!(said, expected);

    let anchors: Vec<String> = (0..60_000).map(|anchor| format!("- &a{anchor} x")).collect();
    let anchors = anchors.join("\n");
    let message = error(&anchors);
    assert!(message.ends_with(expected), "{message}");

    let long = "x".repeat(1_000_000);
    let texts = format!("a: &a {long}\nb: [{}]\n", vec!["*a"; 300].join(", "));
    let message = error(&texts);
    assert!(message.contains("more than 268435456 bytes"), "{message}");
}

#[test]
fn deep_and_long_input_meets_a_named_limit() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let message = error(&deep);
        assert!(message.contains("more than 100 levels of nesting"), "{message}");
    }
    let deep = "- ".repeat(100_000);
    assert!(error(&deep).contains("levels"), "{}", error(&deep));
    let long = format!("[{}0]", "0,".repeat(5_000_000));
    assert!(error(&long).contains("more than 5000000 values"), "{}", error(&long));
}

proptest! {
    #[test]
    fn whatever_the_bytes_reading_ends(
        text in proptest::sample::select(vec![ROLE, BINDING, "--- |\n x\n", "[{\"a\": null}]"]),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut bytes = text.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len() + 1));
        let mut manifests = Manifests::default();
        let read = manifests.read("x", &bytes);
        let loaded = manifests.finish();
        prop_assert!(loaded.objects.len() <= 1);
        prop_assert!(read.is_ok() || loaded.objects.is_empty());
    }
}
