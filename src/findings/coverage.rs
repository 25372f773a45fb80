//! What was used and is not granted: who needs it, the evidence, and the rule that would
//! cover it.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::Subject;

use super::text::plural;
use super::{Code, Finding, Item};
use crate::policy::{exact, rules};
use crate::rbac::manifests::Loaded;
use crate::rbac::{Atom, ObjectId};
use crate::review::{Need, Party, Review};
use crate::usage::Identity;

/// One finding for each identity and namespace where something is lacking; one for each
/// identity that is no business of these manifests.
pub(super) fn findings(review: &Review<'_>, loaded: &Loaded) -> Vec<Finding> {
    let parties = review.parties.all().iter().enumerate();
    parties
        .flat_map(|(index, party)| {
            if is_concerned(review, loaded, index) {
                lacking(review, loaded, party)
            } else {
                unbound(review, party).into_iter().collect()
            }
        })
        .collect()
}

/// Whether the manifests are meant to cover the party: they bind it or bring it along, or
/// the user asked for it.
pub fn is_concerned(review: &Review<'_>, loaded: &Loaded, party: usize) -> bool {
    let is_brought_along = match &review.parties.all()[party].plan.identity {
        Identity::ServiceAccount { namespace, name } => {
            loaded.service_accounts.contains(&(namespace.to_string(), name.to_string()))
        }
        _ => false,
    };
    is_brought_along || review.parties.is_selected() || review.is_bound(party)
}

fn unbound(review: &Review<'_>, party: &Party<'_>) -> Option<Finding> {
    let lacking = party.needs.iter().filter(|need| !review.covers(party, need));
    let used: Vec<Atom> = lacking.map(|need| need.atom.clone()).collect();
    if used.is_empty() {
        return None;
    }
    let who = party.plan.identity.to_string();
    let message =
        format!("{who} used {}, and nothing here binds it", plural(used.len(), "permission"));
    let finding = Finding::new(Code::MissingBinding, None, message).about(who);
    Some(Finding { used, ..finding })
}

fn lacking(review: &Review<'_>, loaded: &Loaded, party: &Party<'_>) -> Vec<Finding> {
    let mut by_namespace: BTreeMap<&str, Vec<(Atom, &Need<'_>)>> = BTreeMap::new();
    for need in party.needs.iter().filter(|need| !review.covers(party, need)) {
        // What generate would grant for it.
        let target = need.targets.first().map(|&target| target.clone());
        let grant = target.unwrap_or_else(|| exact(need.atom).into_owned());
        by_namespace.entry(need.atom.namespace()).or_default().push((grant, need));
    }
    let lacking = by_namespace.into_iter();
    lacking.map(|(namespace, needs)| finding(review, loaded, party, namespace, &needs)).collect()
}

fn finding(
    review: &Review<'_>,
    loaded: &Loaded,
    party: &Party<'_>,
    namespace: &str,
    needs: &[(Atom, &Need<'_>)],
) -> Finding {
    let who = party.plan.identity.to_string();
    let object = candidate(review, loaded, party, namespace);
    let rules = rules(needs.iter().map(|(grant, _)| grant));
    let place = match namespace {
        "" => String::new(),
        namespace => format!(" in namespace {namespace}"),
    };
    let message = format!("{who} used what nothing here grants");
    let mut finding = Finding::new(Code::MissingNeed, object, message).about(who + &place);
    finding.items = needs.iter().map(|(_, need)| item(need)).collect();
    finding.details.extend(
        party.assumed_group.map(|group| {
            format!("it is taken to be in group {group}, which the log does not show")
        }),
    );
    finding.fix = Some((namespace.to_owned(), rules));
    finding
}

fn item(need: &Need<'_>) -> Item {
    Item { evidence: need.evidence.cloned(), ..Item::from(need.atom) }
}

/// A given role that the identity holds where the rule is missing, and holds alone: the
/// first place to put it. What is added to a shared role, others get too.
fn candidate<'a>(
    review: &'a Review<'_>,
    loaded: &Loaded,
    party: &Party<'_>,
    namespace: &str,
) -> Option<&'a ObjectId> {
    let requester = party.requesters.first()?;
    let held = review.evaluator().grants_of(requester).map(|held| held.grant);
    let is_own = |subject: &Subject| !subject.name.starts_with("system:");
    let found = held.filter(|grant| {
        let subjects = grant.binding.subjects;
        grant.namespace() == namespace
            && loaded.places.contains_key(grant.holder)
            && subjects.len() == 1
            && subjects.iter().all(is_own)
    });
    found.map(|grant| grant.holder).min_by_key(|holder| holder.namespace.is_empty())
}
