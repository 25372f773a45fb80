//! The evidence beside each rule, as YAML comments.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::PolicyRule;

use super::escape::short;
use super::manifest::comment;
use crate::audit::Basis;
use crate::policy::IdentityPlan;
use crate::rbac::{Atom, Object, atoms};
use crate::usage::Evidence;

/// More needs than this behind one rule are counted, not listed.
const LISTED: usize = 12;

/// Writes the document with each rule's evidence before it.
///
/// In a document as written here, the rules are the only list at the left margin.
pub(super) fn annotate(
    document: &str,
    object: &Object,
    objects: &[Object],
    plan: &IdentityPlan,
    text: &mut String,
) {
    let namespaces = namespaces(object, objects);
    let mut rules = object.rules().iter();
    for line in document.lines() {
        if line.starts_with("- ")
            && let Some(rule) = rules.next()
        {
            evidence(rule, &namespaces, plan).iter().for_each(|line| text.push_str(&comment(line)));
        }
        text.push_str(line);
        text.push('\n');
    }
}

/// Where the role holds: in its own namespace, or where it is bound.
fn namespaces(role: &Object, objects: &[Object]) -> Vec<String> {
    let id = role.id();
    let bound = objects.iter().filter(|object| {
        object.role_ref_and_subjects().is_some_and(|(role_ref, _)| {
            role_ref.kind == id.kind.as_str() && role_ref.name == id.name
        })
    });
    let mut namespaces: Vec<String> = bound.map(|binding| binding.id().namespace).collect();
    if !id.namespace.is_empty() {
        namespaces.retain(|namespace| *namespace == id.namespace);
    }
    namespaces
}

fn evidence(rule: &PolicyRule, namespaces: &[String], plan: &IdentityPlan) -> Vec<String> {
    let mut lines: BTreeMap<&Atom, String> = BTreeMap::new();
    for namespace in namespaces {
        for atom in atoms(rule, namespace) {
            let Some((_, grant)) = plan.grants.get_key_value(&atom) else { continue };
            for need in &grant.needs {
                lines.entry(need).or_insert_with(|| describe(need, plan.needs.get(need)));
            }
        }
    }
    let more = lines.len().saturating_sub(LISTED);
    let mut lines: Vec<String> = lines.into_values().take(LISTED).collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn describe(need: &Atom, evidence: Option<&Evidence>) -> String {
    let Some(evidence) = evidence else { return format!("{need}: assumed, not in the log") };
    let plural = if evidence.requests() == 1 { "" } else { "s" };
    let mut parts = vec![format!("{need}: {} request{plural}", evidence.requests())];
    parts.extend(time(evidence));
    let bases = evidence.bases.iter().filter(|basis| *basis != Basis::Logged);
    parts.extend(bases.map(|basis| format!("by {}", basis.label())));
    parts.extend(evidence.tags().map(str::to_owned));
    if let Some(sample) = &evidence.sample {
        let by = if sample.user_agent.is_empty() { "" } else { " by " };
        parts.push(format!("{}{by}{}", sample.code, short(&sample.user_agent, 32)));
        if !sample.audit_id.is_empty() {
            parts.push(format!("audit ID {}", short(&sample.audit_id, 40)));
        }
    }
    parts.join(", ")
}

/// First and last time, to the second, the day only once.
fn time(evidence: &Evidence) -> Option<String> {
    let (first, last) = (evidence.first?.to_string(), evidence.last?.to_string());
    let second = |moment: &str| moment.get(..19).unwrap_or_default().replace('T', " ");
    let (first, last) = (second(&first), second(&last));
    if first == last {
        return Some(first);
    }
    let same_day = first.get(..10) == last.get(..10);
    let until = if same_day { last.get(11..).unwrap_or_default() } else { &last };
    Some(format!("{first} to {until}"))
}
