//! Admission policies with parameters: who writes one must be able to read them
//! (S15 policies, S16 their bindings).

use serde::Deserialize;

use super::body::{self, WithSpec};
use crate::audit::conclude::Conclusions;
use crate::audit::{AdviceCode, Basis, Conclusion, Event, ParamKind, ParamRef, Who};
use crate::rbac::ResourceAtom;

pub(in crate::audit) fn conclude(
    event: &Event<'_>,
    request: &ResourceAtom,
    out: &mut Conclusions<'_>,
) {
    let admission = &*request.group == "admissionregistration.k8s.io";
    if !admission || !body::writes_body(&request.verb) || !body::passed_validation(event) {
        return;
    }
    match &*request.resource {
        "validatingadmissionpolicies" | "mutatingadmissionpolicies" => policy(event, request, out),
        "validatingadmissionpolicybindings" => {
            binding("validatingadmissionpolicies", event, request, out);
        }
        "mutatingadmissionpolicybindings" => {
            binding("mutatingadmissionpolicies", event, request, out);
        }
        _ => {}
    }
}

#[derive(Deserialize)]
struct Named<T> {
    metadata: Metadata,
    spec: T,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    param_kind: Option<Kind>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    api_version: String,
    kind: String,
}

/// S15: `get` on all parameters of the kind. An update is checked only where it
/// changes the kind, which its body does not tell: a created policy proves it.
fn policy(event: &Event<'_>, request: &ResourceAtom, out: &mut Conclusions<'_>) {
    let Some(policy) = body::whole::<Named<Policy>>(event) else {
        return out.advise(AdviceCode::ParamKind, &request.clone().into(), vec![]);
    };
    let Some(kind) = policy.spec.param_kind else { return };
    let parameters = ParamKind {
        policy: format!("{}/{}", request.resource, policy.metadata.name).into(),
        group: body::group_of(&kind.api_version).into(),
        resource: body::resource_of(&kind.kind).into(),
    };
    let get = ResourceAtom {
        group: parameters.group.clone(),
        resource: parameters.resource.clone(),
        verb: "get".into(),
        ..ResourceAtom::default()
    };
    out.note(Conclusion::ParamKind(parameters));
    if &*request.verb == "create" || event.code() == 201 {
        out.need(Who::Subject, get, Basis::PolicyParameter);
    } else {
        out.advise(AdviceCode::ParamKind, &request.clone().into(), vec![get.into()]);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Binding {
    policy_name: String,
    param_ref: Option<Reference>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    name: String,
    namespace: String,
}

/// S16: `get` on the named parameters, or `list` for a selector; of which kind, only
/// the policy tells, so that is settled when the whole log is read.
fn binding(policies: &str, event: &Event<'_>, request: &ResourceAtom, out: &mut Conclusions<'_>) {
    let Some(WithSpec { spec }) = body::whole::<WithSpec<Binding>>(event) else {
        return out.advise(AdviceCode::ParamRef, &request.clone().into(), vec![]);
    };
    let Some(parameters) = spec.param_ref else { return };
    out.note(Conclusion::ParamRef(ParamRef {
        policy: format!("{policies}/{}", spec.policy_name).into(),
        namespace: parameters.namespace.into(),
        name: parameters.name.into(),
    }));
}
