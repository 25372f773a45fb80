//! Findings about the objects themselves, whatever was used.

use super::{Code, Finding};
use crate::rbac::manifests::{Defect, Loaded, Problem};
use crate::rbac::{Invalid, ObjectId, builtin_objects};

/// One finding for each problem of the manifests; a default binding may have no subjects.
pub(super) fn findings(loaded: &Loaded) -> Vec<Finding> {
    let is_default = |problem: &&Problem| match &problem.defect {
        Defect::NoSubjects(binding) => builtin_objects().find(binding).is_some(),
        _ => false,
    };
    loaded.problems.iter().filter(|it| !is_default(it)).map(finding).collect()
}

fn finding(problem: &Problem) -> Finding {
    let defect = &problem.defect;
    let (code, object, about) = parts(defect);
    let mut finding = Finding::new(code, Some(object), defect.to_string()).about(about);
    finding.place = Some(problem.place.clone());
    let lacks_namespace =
        object.kind.is_namespaced() && object.namespace.is_empty() && code == Code::ObjectInvalid;
    if lacks_namespace {
        let hint = "--default-namespace says where `kubectl apply -n` would put it";
        finding.details.push(hint.to_owned());
    }
    finding
}

fn parts(defect: &Defect) -> (Code, &ObjectId, &str) {
    match defect {
        Defect::UnknownVersion { object, .. } => (Code::ObjectUnknownVersion, object, ""),
        Defect::Malformed { object, field, .. } => (Code::ObjectMalformed, object, field),
        Defect::Invalid(Invalid { object, field, .. }) => (Code::ObjectInvalid, object, field),
        Defect::Duplicate { object, .. } => (Code::ObjectDuplicate, object, ""),
        Defect::DanglingRoleRef { binding, .. } => (Code::BindingDangling, binding, ""),
        Defect::NoSubjects(binding) => (Code::BindingWithoutSubjects, binding, ""),
        Defect::EmptyAggregation(role) => (Code::AggregationEmpty, role, ""),
    }
}
