//! Rights that are dangerous by themselves, whoever has them and whether used or not.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::rbac::v1::PolicyRule;

use super::risk_table::{RISKS, Reach, Risk};
use super::text::{list, plural};
use super::{Code, Finding, Item};
use crate::rbac::{Atom, Grant, ObjectId, ResourceAtom, UrlAtom, rule_allows, rule_text};
use crate::review::{Doubt, Holding, Review};
use crate::usage::Moment;

/// One finding for each risk that a binding brings, except to the control plane itself.
pub(super) fn findings(review: &Review<'_>) -> Vec<Finding> {
    let mut bindings: Vec<&ObjectId> =
        review.holdings.iter().map(|holding| holding.binding.id).collect();
    bindings.dedup();
    bindings.into_iter().flat_map(|binding| of_binding(review, binding)).collect()
}

fn of_binding(review: &Review<'_>, binding: &ObjectId) -> Vec<Finding> {
    let holdings: Vec<&Holding<'_>> = review
        .holdings_of(binding)
        .iter()
        .filter(|holding| !holding.is_default && !is_for_the_control_plane(holding))
        .collect();
    if holdings.is_empty() {
        return Vec::new();
    }
    let mut rights: BTreeMap<Code, BTreeSet<Right>> = BTreeMap::new();
    for grant in review.grants_of(binding) {
        for (code, right) in rights_of(grant) {
            rights.entry(code).or_default().insert(right);
        }
    }
    // Everything includes every wildcard beside it.
    if rights.contains_key(&Code::RiskClusterAdmin) {
        rights.remove(&Code::RiskWildcard);
    }
    let mut found: Vec<Finding> = rights
        .into_iter()
        .map(|(code, rights)| finding(review, code, binding, &holdings, &rights))
        .collect();
    found.extend(of_subjects(review, binding, &holdings));
    found
}

/// Roles that are for the control plane, and groups that it alone is in.
fn is_for_the_control_plane(holding: &Holding<'_>) -> bool {
    const OWN: [&str; 4] =
        ["system:masters", "system:nodes", "system:monitoring", "system:bootstrappers"];
    holding.doubt == Some(Doubt::ControlPlane)
        || (holding.subject.kind == "Group" && OWN.contains(&holding.subject.name.as_str()))
}

/// One dangerous right: how it reads, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    text: String,
    atom: Atom,
}

/// A right to everything tells it all; its parts are not listed again.
fn rights_of(grant: &Grant<'_>) -> Vec<(Code, Right)> {
    let rule = grant.rule;
    if allows_everything(rule) {
        let is_everywhere = grant.namespace().is_empty();
        let code = if is_everywhere { Code::RiskClusterAdmin } else { Code::RiskWildcard };
        return vec![(code, Right { text: rule_text(rule), atom: atom("*", "*", "*", "") })];
    }
    let mut found: Vec<(Code, Right)> = RISKS
        .iter()
        .flat_map(|risk| dangerous(risk, grant).into_iter().map(|right| (risk.code, right)))
        .collect();
    if has_wildcard(rule) {
        let right = Right { text: rule_text(rule), atom: atom("*", "*", "*", "") };
        found.push((Code::RiskWildcard, right));
    }
    found
}

fn dangerous(risk: &Risk, grant: &Grant<'_>) -> Vec<Right> {
    if !reaches(risk.reach, grant) {
        return Vec::new();
    }
    let names = grant.rule.resource_names.as_deref().unwrap_or_default();
    let mut found = Vec::new();
    for resource in risk.resources {
        for verb in risk.verbs {
            // A name that the rule has, or any.
            let name = names.first().map_or("", String::as_str);
            let atom = atom(risk.group, resource, verb, name);
            if rule_allows(grant.rule, &atom) {
                let quoted: Vec<String> = names.iter().map(|name| format!(" {name:?}")).collect();
                found.push(Right { text: format!("{}{}", unnamed(&atom), quoted.concat()), atom });
            }
        }
    }
    found
}

fn reaches(reach: Reach, grant: &Grant<'_>) -> bool {
    let names = grant.rule.resource_names.as_deref().unwrap_or_default();
    let namespace = grant.namespace();
    match reach {
        Reach::Any => true,
        Reach::AnyName => names.is_empty(),
        Reach::Cluster => namespace.is_empty(),
        Reach::ClusterAnyName => namespace.is_empty() && names.is_empty(),
        Reach::AwsAuth => {
            matches!(namespace, "" | "kube-system")
                && (names.is_empty() || names.iter().any(|name| name == "aws-auth"))
        }
    }
}

fn unnamed(atom: &Atom) -> String {
    match atom {
        Atom::Resource(atom) => {
            Atom::from(ResourceAtom { name: "".into(), ..atom.clone() }).to_string()
        }
        Atom::Url(_) => atom.to_string(),
    }
}

fn atom(group: &str, resource: &str, verb: &str, name: &str) -> Atom {
    ResourceAtom {
        group: group.into(),
        resource: resource.into(),
        name: name.into(),
        verb: verb.into(),
        ..ResourceAtom::default()
    }
    .into()
}

fn has(list: Option<&Vec<String>>, wanted: &str) -> bool {
    list.is_some_and(|list| list.iter().any(|item| item == wanted))
}

fn allows_everything(rule: &PolicyRule) -> bool {
    let names_none = rule.resource_names.as_ref().is_none_or(Vec::is_empty);
    let all = [rule.api_groups.as_ref(), rule.resources.as_ref(), Some(&rule.verbs)];
    names_none && all.into_iter().all(|list| has(list, "*"))
}

/// Wildcards of resources, groups or verbs, and of URLs that go further than a prefix.
fn has_wildcard(rule: &PolicyRule) -> bool {
    let lists = [rule.api_groups.as_ref(), rule.resources.as_ref(), Some(&rule.verbs)];
    let of_resources = lists.into_iter().any(|list| has(list, "*"));
    let everywhere = UrlAtom { path: "/any/path".into(), verb: "get".into() };
    of_resources && rule.resources.is_some() || rule_allows(rule, &everywhere.into())
}

fn finding(
    review: &Review<'_>,
    code: Code,
    binding: &ObjectId,
    holdings: &[&Holding<'_>],
    rights: &BTreeSet<Right>,
) -> Finding {
    let scope = match binding.namespace.as_str() {
        "" => "in the whole cluster".to_owned(),
        namespace => format!("in namespace {namespace}"),
    };
    let who: Vec<String> = holdings.iter().map(|holding| holding.who()).collect();
    let who = list(who.iter().map(String::as_str));
    let mut finding = Finding::new(code, Some(binding), format!("{who} may, {scope}"));
    finding.details.push(used(review, holdings, rights));
    finding.with(rights.iter().map(|right| Item::from(right.text.clone())))
}

/// Whether anybody did what the rights allow.
fn used(review: &Review<'_>, holdings: &[&Holding<'_>], rights: &BTreeSet<Right>) -> String {
    if let Some(doubt) = holdings.iter().find_map(|holding| holding.doubt) {
        return format!("whether it was used is not known: {}", doubt.why());
    }
    let mut requests = 0;
    let mut last: Option<Moment> = None;
    let mut seen = BTreeSet::new();
    for used in holdings.iter().flat_map(|holding| &holding.uses) {
        let (_, need) = review.need(used);
        let is_meant = rights.iter().any(|right| is_the_same_right(&right.atom, need.atom));
        if let Some(evidence) = need.evidence.filter(|_| is_meant)
            && seen.insert((used.party, used.need))
        {
            requests += usize::try_from(evidence.requests()).unwrap_or(usize::MAX);
            last = last.max(evidence.last);
        }
    }
    match (requests, last) {
        (0, _) => "it was not used in this log".to_owned(),
        (requests, Some(last)) => {
            format!("it was used in {}, last {}", plural(requests, "request"), last.to_second())
        }
        (requests, None) => format!("it was used in {}", plural(requests, "request")),
    }
}

fn is_the_same_right(right: &Atom, need: &Atom) -> bool {
    let (Atom::Resource(right), Atom::Resource(need)) = (right, need) else { return false };
    let same = |right: &str, need: &str| right == "*" || right == need;
    same(&right.group, &need.group)
        && same(&right.resource, &need.resource)
        && same(&right.verb, &need.verb)
}

/// Risks that lie in who is bound, not in what is given.
fn of_subjects(review: &Review<'_>, binding: &ObjectId, holdings: &[&Holding<'_>]) -> Vec<Finding> {
    if review.grants_of(binding).is_empty() {
        return Vec::new();
    }
    let risky = |holding: &&&Holding<'_>| code_of_subject(holding).is_some();
    let finding = |holding: &&Holding<'_>| {
        let code = code_of_subject(holding)?;
        let role = &holding.binding.role_ref.name;
        let message = format!("{} is given {role:?}", holding.who());
        Some(Finding::new(code, Some(binding), message).about(holding.who()))
    };
    holdings.iter().filter(risky).filter_map(finding).collect()
}

fn code_of_subject(holding: &Holding<'_>) -> Option<Code> {
    match (holding.subject.kind.as_str(), holding.subject.name.as_str()) {
        ("User", "system:anonymous") | ("Group", "system:unauthenticated") => {
            Some(Code::RiskAnonymous)
        }
        ("Group", "system:authenticated" | "system:serviceaccounts") => Some(Code::RiskEverybody),
        ("ServiceAccount", "default") => Some(Code::RiskDefaultAccount),
        _ => None,
    }
}
