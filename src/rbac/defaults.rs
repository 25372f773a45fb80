//! What a cluster has without anyone's doing: the roles and bindings that the API server
//! makes, and what every caller holds by them.
//!
//! As recorded from kube-apiserver 1.36.3 with its default flags, rules of aggregated roles
//! left out. An administrator can change them and an old cluster can have more, so this is
//! a default, not an observation.

use std::sync::LazyLock;

use super::evaluator::Evaluator;
use super::manifests::Manifests;
use super::objects::Objects;
use super::{Atom, Requester};

/// The bindings to all who authenticated, all who did not, and all workloads, with their
/// roles. Few, and wanted by every run: apart from the others they are read in no time.
static FOR_EVERYBODY: LazyLock<Objects> =
    LazyLock::new(|| recorded(include_bytes!("defaults/kubernetes-1.36-everybody.ndjson")));

static ALL: LazyLock<Objects> = LazyLock::new(|| {
    let mut all = recorded(include_bytes!("defaults/kubernetes-1.36-others.ndjson"));
    all.extend(FOR_EVERYBODY.iter().cloned());
    all
});

fn recorded(manifests: &[u8]) -> Objects {
    let mut read = Manifests::default();
    read.read("defaults", manifests).expect("a test reads the built-in files");
    read.into_objects()
}

static EVALUATOR: LazyLock<Evaluator<'static>> = LazyLock::new(|| Evaluator::new(&FOR_EVERYBODY));

/// Every role and binding that a cluster starts with.
pub fn builtin_objects() -> &'static Objects {
    &ALL
}

/// The default `ClusterRoles` and `ClusterRoleBindings` that reach everybody.
pub fn default_objects() -> &'static Objects {
    &FOR_EVERYBODY
}

/// Whether `requester` may do `request` by the default bindings alone.
pub fn held_by_default(requester: &Requester, request: &Atom) -> bool {
    EVALUATOR.authorize(requester, request).is_allowed()
}

#[cfg(test)]
mod tests {
    use super::super::validation::{Form, validate};
    use super::super::{Kind, ResourceAtom, UrlAtom};
    use super::*;

    const EVERYBODY: [&str; 3] =
        ["system:authenticated", "system:unauthenticated", "system:serviceaccounts"];

    fn count(kind: Kind) -> usize {
        builtin_objects().iter().filter(|object| object.kind() == kind).count()
    }

    #[test]
    fn every_default_is_an_object_the_api_server_would_store() {
        for object in builtin_objects().iter() {
            assert_eq!(validate(object, Form::Stored), []);
        }
        assert_eq!(Kind::ALL.map(count), [69, 7, 50, 7]);
        let evaluator = Evaluator::new(builtin_objects());
        assert_eq!(evaluator.unresolved().count(), 0);
    }

    #[test]
    fn everybody_holds_what_these_four_roles_say() {
        let names: Vec<&str> =
            default_objects().cluster_roles().map(|(id, _)| id.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "system:basic-user",
                "system:discovery",
                "system:public-info-viewer",
                "system:service-account-issuer-discovery",
            ]
        );
        assert_eq!(default_objects().len(), 8);
        for object in builtin_objects().iter() {
            let Some((role_ref, subjects)) = object.role_ref_and_subjects() else { continue };
            let is_wide = |name: &str| EVERYBODY.contains(&name);
            let reaches_everybody =
                subjects.iter().any(|subject| subject.kind == "Group" && is_wide(&subject.name));
            let is_apart = default_objects().iter().any(|apart| apart == object);
            assert_eq!(is_apart, reaches_everybody, "{role_ref:?}");
        }
    }

    #[test]
    fn the_default_roles_evaluate_with_their_aggregation() {
        let evaluator = Evaluator::new(builtin_objects());
        let masters = Requester::new("root", ["system:masters"]);
        let anything = Atom::from(UrlAtom { path: "/x".into(), verb: "post".into() });
        assert!(evaluator.authorize(&masters, &anything).is_allowed());
        let pods = |verb: &str| {
            Atom::from(ResourceAtom {
                namespace: "shop".into(),
                resource: "pods".into(),
                verb: verb.into(),
                ..ResourceAtom::default()
            })
        };
        let mut bound = builtin_objects().clone();
        bound.insert(binding_to("view"));
        let evaluator = Evaluator::new(&bound);
        let alice = Requester::new("alice", ["devs"]);
        assert!(evaluator.authorize(&alice, &pods("list")).is_allowed());
        assert!(!evaluator.authorize(&alice, &pods("create")).is_allowed());
    }

    fn binding_to(role: &str) -> k8s_openapi::api::rbac::v1::ClusterRoleBinding {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": { "name": "viewers" },
            "roleRef": { "kind": "ClusterRole", "name": role, "apiGroup": super::super::RBAC_GROUP },
            "subjects": [{ "kind": "Group", "name": "devs" }],
        }))
        .unwrap()
    }
}
