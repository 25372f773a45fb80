//! Writing RBAC needs the rights that are written (S3 roles, S4 bindings).

use k8s_openapi::api::rbac::v1::PolicyRule;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::body;
use crate::audit::conclude::Conclusions;
use crate::audit::{AdviceCode, Basis, Event, Who};
use crate::rbac::{self, Atom, RBAC_GROUP, ResourceAtom};

/// A role with more atoms than this is left to a person.
const MOST_ATOMS: usize = 10_000;

pub(in crate::audit) fn conclude(
    event: &Event<'_>,
    request: &ResourceAtom,
    out: &mut Conclusions<'_>,
) {
    if *request.group != *RBAC_GROUP || !body::writes_body(&request.verb) {
        return;
    }
    match &*request.resource {
        "roles" | "clusterroles" => role(event, request, out),
        "rolebindings" | "clusterrolebindings" => binding(event, request, out),
        _ => {}
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Role {
    rules: Option<Vec<PolicyRule>>,
    aggregation_rule: Option<IgnoredAny>,
}

/// S3: the writer holds every rule of the role, or `escalate` on it. Where the body
/// shows plain rules they are granted in the role's own scope; wildcards and the verbs
/// that lead to more are for a person to decide on.
fn role(event: &Event<'_>, request: &ResourceAtom, out: &mut Conclusions<'_>) {
    let rules = body::whole::<Role>(event).or_else(|| patched(event));
    let held = rules.as_ref().and_then(held).map(|rules| granted(rules, request));
    let escalate = ResourceAtom { verb: "escalate".into(), ..request.clone() }.into();
    match held {
        _ if was_refused(event) => {
            let wanted = held.into_iter().flatten().chain([escalate]).collect();
            out.advise(AdviceCode::EscalationRefused, &request.clone().into(), wanted);
        }
        _ if !body::reached_validation(event) => {}
        None => out.advise(AdviceCode::HoldOrEscalate, &request.clone().into(), vec![escalate]),
        Some(atoms) => {
            for atom in atoms {
                out.need(Who::Subject, atom, Basis::HeldToGrant);
            }
        }
    }
}

fn granted(rules: &[PolicyRule], request: &ResourceAtom) -> Vec<Atom> {
    rules.iter().flat_map(|rule| rbac::atoms(rule, &request.namespace)).collect()
}

/// A patch shows the rules where it sets them: RBAC lists are replaced whole.
fn patched(event: &Event<'_>) -> Option<Role> {
    body::sent::<Role>(event).filter(|role| role.rules.is_some())
}

/// The rules of a role, where all of them can be granted unasked.
fn held(role: &Role) -> Option<&[PolicyRule]> {
    if role.aggregation_rule.is_some() {
        return None;
    }
    let rules = role.rules.as_deref().unwrap_or_default();
    let atoms = rules.iter().map(rbac::grant_count).fold(0_usize, usize::saturating_add);
    (atoms <= MOST_ATOMS && !rules.iter().any(is_too_broad)).then_some(rules)
}

fn is_too_broad(rule: &PolicyRule) -> bool {
    let any = |list: &Option<Vec<String>>, broad: fn(&str) -> bool| {
        list.iter().flatten().any(|entry| broad(entry))
    };
    rule.verbs.iter().any(|verb| leads_to_more(verb))
        || any(&rule.api_groups, |group| group == "*")
        || any(&rule.resources, |resource| resource == "*" || resource.starts_with("*/"))
        || any(&rule.non_resource_urls, |url| url.ends_with('*'))
}

fn leads_to_more(verb: &str) -> bool {
    matches!(verb, "*" | "escalate" | "bind") || verb.starts_with("impersonate")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Binding {
    role_ref: RoleRef,
}

#[derive(Deserialize)]
struct RoleRef {
    kind: String,
    name: String,
}

/// S4: the writer has `bind` on the role, or holds its rules. `bind` by name says
/// exactly what was seen.
fn binding(event: &Event<'_>, request: &ResourceAtom, out: &mut Conclusions<'_>) {
    let role = body::whole::<Binding>(event).or_else(|| body::sent(event));
    let bind = role.as_ref().and_then(|binding| bind(&binding.role_ref, request));
    match bind {
        _ if was_refused(event) => {
            let wanted = bind.into_iter().collect();
            out.advise(AdviceCode::EscalationRefused, &request.clone().into(), wanted);
        }
        _ if !body::reached_validation(event) => {}
        None => out.advise(AdviceCode::BindRole, &request.clone().into(), vec![]),
        Some(atom) => out.need(Who::Subject, atom, Basis::Bind),
    }
}

/// Nothing for a role without a name: it would be `bind` on every role.
fn bind(role: &RoleRef, request: &ResourceAtom) -> Option<Atom> {
    let resource = match role.kind.as_str() {
        "Role" => "roles",
        "ClusterRole" => "clusterroles",
        _ => return None,
    };
    if role.name.is_empty() {
        return None;
    }
    let atom = ResourceAtom {
        namespace: request.namespace.clone(),
        group: RBAC_GROUP.into(),
        resource: resource.into(),
        name: role.name.as_str().into(),
        verb: "bind".into(),
    };
    Some(atom.into())
}

/// The escalation check has two fixed phrases; they make advice, never a grant.
fn was_refused(event: &Event<'_>) -> bool {
    let message = event.response_status.as_ref().map_or("", |status| &*status.message);
    event.code() == 403
        && (message.contains("is attempting to grant RBAC permissions not currently held")
            || message.contains("must have cluster-admin privileges to use the aggregationRule"))
}
