//! What the evaluator answers: grants, verdicts and why.

use std::collections::BTreeSet;
use std::fmt;

use k8s_openapi::api::rbac::v1::{PolicyRule, Subject};
use thiserror::Error;

use super::aggregation::MAX_AGGREGATION_STEPS;
use super::covers::atoms;
use super::objects::{Binding, ObjectId, RBAC_GROUP};
use super::{Atom, rule_allows};

/// One rule that one binding gives to its subjects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grant<'a> {
    /// The binding; its namespace is the scope, empty for the whole cluster.
    pub binding: Binding<'a>,
    /// The object the rule is written in: the role bound, or the ClusterRole that an
    /// aggregated role takes it from.
    pub holder: &'a ObjectId,
    /// The place of the rule in its holder, from 0.
    pub rule_index: usize,
    /// The rule.
    pub rule: &'a PolicyRule,
}

impl<'a> Grant<'a> {
    /// Where it holds: a namespace, or empty for the whole cluster.
    pub fn namespace(&self) -> &'a str {
        &self.binding.id.namespace
    }

    /// Whether it allows `request` to the subjects of its binding.
    pub fn allows(&self, request: &Atom) -> bool {
        let namespace = self.namespace();
        (namespace.is_empty() || namespace == request.namespace())
            && rule_allows(self.rule, request)
    }

    /// Its atoms, one by one; see [`atoms`]. URLs that a namespaced binding cannot give are
    /// left out.
    pub fn atoms(&self) -> impl Iterator<Item = Atom> + use<'a> {
        let namespace = self.namespace();
        atoms(self.rule, namespace)
            .filter(move |atom| namespace.is_empty() || matches!(atom, Atom::Resource(_)))
    }
}

/// A grant and the subject through which a requester has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held<'a> {
    /// What is held.
    pub grant: Grant<'a>,
    /// The subject of the binding that the requester is.
    pub subject: &'a Subject,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict<'a> {
    /// Allowed, by this grant among possibly others.
    Allowed(Held<'a>),
    /// Not allowed. Named are the roles that could not be looked into.
    Denied(Vec<&'a Unresolved>),
}

impl Verdict<'_> {
    /// Whether the request is allowed.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// The reason as the API server words it in the annotation `authorization.k8s.io/reason`;
    /// empty for an ordinary denial.
    pub fn reason(&self) -> String {
        match self {
            Self::Allowed(held) => format!("RBAC: allowed by {held}"),
            Self::Denied(unresolved) => match unresolved_list(unresolved) {
                list if list.is_empty() => list,
                list => format!("RBAC: {list}"),
            },
        }
    }
}

/// Why the role of a binding grants nothing here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Unresolved {
    /// The role is not among the objects.
    #[error("{}.{RBAC_GROUP} {:?} not found", .0.kind.as_str().to_lowercase(), .0.name)]
    RoleNotFound(ObjectId),
    /// `roleRef.kind` is neither `Role` nor `ClusterRole`.
    #[error("unsupported role reference kind: {0:?}")]
    UnsupportedKind(String),
    /// The aggregated `ClusterRoles` are too entangled to compute.
    #[error("{0} is not computed: aggregation takes more than {MAX_AGGREGATION_STEPS} steps")]
    AggregationLimit(ObjectId),
}

/// Reads as `RoleBinding "rb/ns" of Role "role" to User "name"`.
impl fmt::Display for Held<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Binding { id, role_ref, .. } = self.grant.binding;
        let subject = self.subject;
        write!(f, "{} {:?}", id.kind.as_str(), slashed(&id.name, &id.namespace))?;
        write!(f, " of {} {:?} to {} ", role_ref.kind, role_ref.name, subject.kind)?;
        let namespace = match subject.kind.as_str() {
            "ServiceAccount" => self.grant.binding.service_account_namespace(subject),
            _ => "",
        };
        write!(f, "{:?}", slashed(&subject.name, namespace))
    }
}

fn slashed(name: &str, namespace: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{name}/{namespace}") }
}

/// Several errors as Kubernetes lists them: each once, in brackets if more than one.
fn unresolved_list(unresolved: &[&Unresolved]) -> String {
    let messages: BTreeSet<String> = unresolved.iter().map(ToString::to_string).collect();
    let list = messages.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    if messages.len() > 1 { format!("[{list}]") } else { list }
}
