//! The objects that came out, read back: who is granted what.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::rbac::v1::Subject;
use leastrole::rbac::manifests::Manifests;
use leastrole::rbac::{Atom, Evaluator, Form, Objects, validate};

/// Everything granted, by subject (`User alice`, `ServiceAccount shop/reader`), each
/// permission in words: `get pods "web" in namespace shop`.
pub(crate) type Granted = BTreeMap<String, BTreeSet<String>>;

/// Reads manifests, which must all be such as the API server stores.
#[track_caller]
pub(crate) fn objects(manifests: &str) -> Objects {
    let mut reader = Manifests::default();
    reader.read("output", manifests.as_bytes()).expect("the output can be read");
    let loaded = reader.finish();
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    for object in loaded.objects.iter() {
        assert_eq!(validate(object, Form::Stored), [], "{}", object.id());
    }
    loaded.objects
}

/// Who is granted what by these manifests.
#[track_caller]
pub(crate) fn granted(manifests: &str) -> Granted {
    let words = |atoms: BTreeSet<Atom>| atoms.iter().map(ToString::to_string).collect();
    atoms(&objects(manifests)).into_iter().map(|(who, atoms)| (who, words(atoms))).collect()
}

/// Who is granted what, in single permissions.
pub(crate) fn atoms(objects: &Objects) -> BTreeMap<String, BTreeSet<Atom>> {
    let mut granted: BTreeMap<String, BTreeSet<Atom>> = BTreeMap::new();
    for grant in Evaluator::new(objects).grants() {
        for subject in grant.binding.subjects {
            granted.entry(who(subject)).or_default().extend(grant.atoms());
        }
    }
    granted
}

/// `User alice`, `Group leastrole:ci`, `ServiceAccount shop/reader`.
pub(crate) fn who(subject: &Subject) -> String {
    match &subject.namespace {
        Some(namespace) => format!("{} {namespace}/{}", subject.kind, subject.name),
        None => format!("{} {}", subject.kind, subject.name),
    }
}
