//! What was used, but granted more widely than it was used: wildcards, any name where a
//! few were used, the whole cluster where a few namespaces were.

use std::collections::BTreeSet;

use super::text::{list, plural, target_text};
use super::{Code, Finding, Item};
use crate::rbac::{Atom, Grant, grant_covers, rule_text};
use crate::review::{Holding, Review, RoleUse, RuleUse, Share, in_namespace, is_wild};

/// Findings on everything granted more widely than it was used.
pub(super) fn findings(review: &Review<'_>, roles: &[RoleUse<'_>]) -> Vec<Finding> {
    let is_own = |holding: &&Holding<'_>| holding.doubt.is_none() && !holding.is_default;
    let mut found: Vec<Finding> = review
        .holdings
        .iter()
        .filter(is_own)
        .flat_map(|holding| of_holding(review, holding))
        .collect();
    found.extend(roles.iter().filter_map(names));
    found
}

/// What one rule gave one holder: what was used of it beyond what everybody has.
struct Given<'g, 'a> {
    grant: &'g Grant<'a>,
    used: BTreeSet<Atom>,
    rule_use: RuleUse,
}

fn of_holding(review: &Review<'_>, holding: &Holding<'_>) -> Vec<Finding> {
    let given: Vec<Given<'_, '_>> = review
        .grants_of(holding.binding.id)
        .iter()
        .filter_map(|grant| {
            let through = holding.uses_of(grant.holder, grant.rule_index);
            let own = through.iter().filter(|it| !review.need(it).1.by_default);
            let used: BTreeSet<Atom> = own.map(|it| it.granted.clone()).collect();
            if used.is_empty() {
                return None;
            }
            let local: BTreeSet<Atom> = used.iter().map(|atom| in_namespace(atom, "")).collect();
            let rule_use = RuleUse::new(grant.rule, &local, &BTreeSet::new(), |cell| {
                review.is_unlogged(holding, cell)
            });
            Some(Given { grant, used, rule_use })
        })
        .collect();
    wildcards(holding, &given).into_iter().chain(scope(holding, &given)).collect()
}

fn wildcards(holding: &Holding<'_>, given: &[Given<'_, '_>]) -> Option<Finding> {
    let mut items = BTreeSet::new();
    let mut used = BTreeSet::new();
    for Given { grant, used: used_here, rule_use } in given {
        if rule_use.cells.iter().any(|cell| cell.share == Share::Part && is_wild(&cell.atom)) {
            items.insert(rule_text(grant.rule));
            used.extend(used_here.iter().cloned());
        }
    }
    if items.is_empty() {
        return None;
    }
    let who = holding.who();
    let permissions = plural(used.len(), "permission");
    let message = format!("{who} used {permissions} of what wildcards grant");
    Some(Finding {
        used: used.into_iter().collect(),
        ..Finding::new(Code::WideWildcard, Some(holding.binding.id), message)
            .about(who)
            .with(items.into_iter().map(Item::from))
    })
}

/// Rules given in the whole cluster and used in some namespaces only. Those with wildcards
/// are told of with the list of what was used, namespaces included.
fn scope(holding: &Holding<'_>, given: &[Given<'_, '_>]) -> Option<Finding> {
    if !holding.binding.id.namespace.is_empty() {
        return None;
    }
    let mut items = BTreeSet::new();
    let mut used = BTreeSet::new();
    for Given { grant, used: used_here, rule_use } in given {
        let is_plain = rule_use.cells.iter().all(|cell| !is_wild(&cell.atom));
        if is_plain && used_here.iter().all(|atom| !atom.namespace().is_empty()) {
            items.insert(rule_text(grant.rule));
            used.extend(used_here.iter().cloned());
        }
    }
    if items.is_empty() {
        return None;
    }
    let namespaces: BTreeSet<&str> = used.iter().map(Atom::namespace).collect();
    let namespaces = list(namespaces.into_iter());
    let who = holding.who();
    let message =
        format!("{who} used in {namespaces} only what it is granted in the whole cluster");
    Some(Finding {
        used: used.into_iter().collect(),
        ..Finding::new(Code::WideScope, Some(holding.binding.id), message)
            .about(who)
            .with(items.into_iter().map(Item::from))
    })
}

/// Rules of a role that name no objects although few were used.
fn names(role: &RoleUse<'_>) -> Option<Finding> {
    let mut items = BTreeSet::new();
    let mut used = BTreeSet::new();
    for rule in &role.rules {
        let in_part = rule.cells.iter().filter(|cell| cell.share == Share::Part);
        for cell in in_part.filter(|cell| !is_wild(&cell.atom)) {
            items.insert(format!("{} {}", cell.atom.verb(), target_text(&cell.atom)));
            used.extend(rule.kept.iter().filter(|kept| grant_covers(&cell.atom, kept)).cloned());
        }
    }
    if items.is_empty() {
        return None;
    }
    let message = "granted on every name, and used on a few";
    Some(Finding {
        used: used.into_iter().collect(),
        ..Finding::new(Code::WideNames, Some(role.id), message)
            .with(items.into_iter().map(Item::from))
    })
}
