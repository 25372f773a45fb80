//! What the authorizer says allowed requests in the log and is not among the manifests:
//! other bindings, EKS access policies, `system:masters`.

use std::collections::{BTreeMap, BTreeSet};

use super::text::plural;
use super::{Code, Finding};
use crate::rbac::manifests::Loaded;
use crate::rbac::{Kind, ObjectId, builtin_objects};
use crate::review::{Need, Party, Review};

/// One finding for each identity and each kind of thing outside that allowed it something.
pub(super) fn findings(review: &Review<'_>, loaded: &Loaded) -> Vec<Finding> {
    let parties = review.parties.all().iter();
    parties.flat_map(|party| of_party(review, loaded, party)).collect()
}

/// What deciders of one kind allowed.
#[derive(Default)]
struct Allowed {
    deciders: BTreeSet<String>,
    needs: usize,
    lacking: usize,
}

fn of_party(review: &Review<'_>, loaded: &Loaded, party: &Party<'_>) -> Vec<Finding> {
    let mut by_code: BTreeMap<Code, Allowed> = BTreeMap::new();
    for need in &party.needs {
        let deciders = deciders(need, loaded);
        let codes: BTreeSet<Code> = deciders.iter().map(|(code, _)| *code).collect();
        for code in codes {
            let allowed = by_code.entry(code).or_default();
            allowed.needs += 1;
            allowed.lacking += usize::from(!review.covers(party, need));
        }
        for (code, decider) in deciders {
            by_code.entry(code).or_default().deciders.insert(decider);
        }
    }
    let who = party.plan.identity.to_string();
    let finding = |(code, allowed): (Code, Allowed)| {
        let needs = plural(allowed.needs, "need");
        let was = if allowed.needs == 1 { "was" } else { "were" };
        let message = format!("{needs} of {who} {was} allowed by what is not among the manifests");
        let mut finding = Finding::new(code, None, message).about(who.clone());
        finding.details.push(match allowed.lacking {
            0 => "the manifests cover them all".to_owned(),
            lacking if lacking == allowed.needs => "the manifests cover none of them".to_owned(),
            lacking => format!("the manifests do not cover {lacking} of them"),
        });
        finding.with(allowed.deciders)
    };
    by_code.into_iter().map(finding).collect()
}

fn deciders(need: &Need<'_>, loaded: &Loaded) -> Vec<(Code, String)> {
    let Some(evidence) = need.evidence else { return Vec::new() };
    let masters = (Code::OutsideSystemMasters, "membership in system:masters".to_owned());
    let named = evidence.deciders.iter().filter_map(|reason| decider(reason, loaded));
    named.chain(evidence.bypass.then_some(masters)).collect()
}

fn decider(reason: &str, loaded: &Loaded) -> Option<(Code, String)> {
    let Some(allowed) = reason.strip_prefix("RBAC: allowed by ") else {
        let is_policy = reason.starts_with("EKS Access Policy:");
        let code = if is_policy { Code::OutsideAccessPolicy } else { Code::OutsideAuthorizer };
        return Some((code, reason.to_owned()));
    };
    let (binding, rest) = binding(allowed)?;
    let is_known = |objects: &crate::rbac::Objects| objects.find(&binding).is_some();
    if is_known(&loaded.objects) || is_known(builtin_objects()) {
        return None;
    }
    Some((Code::OutsideBinding, format!("{binding}{rest}")))
}

/// The binding that `KIND "NAME" of ...` or `KIND "NAME/NAMESPACE" of ...` names, and the
/// rest.
fn binding(text: &str) -> Option<(ObjectId, &str)> {
    let (kind, rest) = text.split_once(" \"")?;
    let kind = Kind::from_name(kind)?;
    let (name, rest) = rest.split_once('"')?;
    let (name, namespace) = match kind {
        Kind::RoleBinding => name.split_once('/')?,
        _ => (name, ""),
    };
    Some((ObjectId { kind, namespace: namespace.to_owned(), name: name.to_owned() }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_authorizer_name_a_binding() {
        let named = |text: &str| binding(text).map(|(id, rest)| format!("{id}|{rest}"));
        assert_eq!(
            named("ClusterRoleBinding \"a:b\" of ClusterRole \"c\" to User \"d\"").unwrap(),
            "ClusterRoleBinding \"a:b\"| of ClusterRole \"c\" to User \"d\""
        );
        assert_eq!(
            named("RoleBinding \"rb/ns\" of Role \"r\" to Group \"g\"").unwrap(),
            "RoleBinding \"rb\" in namespace \"ns\"| of Role \"r\" to Group \"g\""
        );
        assert_eq!(named("RoleBinding \"rb\" of Role"), None);
        assert_eq!(named("Something else"), None);
    }
}
