//! What is granted and was not used: whole bindings and roles first, then what is left of
//! rules, resources, verbs and names. Says nothing of what the log cannot judge.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{list, name_of, target_text};
use super::{Code, Finding, Item};
use crate::rbac::manifests::Loaded;
use crate::rbac::{Atom, Binding, ObjectId, rule_text};
use crate::review::{Cell, Doubt, Holding, Review, RoleDoubt, RoleUse, RuleUse, Share};

/// Findings on everything that was not used.
pub(super) fn findings(
    review: &Review<'_>,
    loaded: &Loaded,
    roles: &[RoleUse<'_>],
) -> Vec<Finding> {
    let given = &loaded.objects;
    let mut found: Vec<Finding> =
        given.bindings().flat_map(|binding| of_binding(review, &binding)).collect();
    found.extend(unseen(review));
    let referenced: BTreeSet<ObjectId> =
        given.bindings().filter_map(|binding| binding.role_id()).collect();
    found.extend(roles.iter().flat_map(|role| of_role(role, &referenced)));
    found
}

fn of_binding(review: &Review<'_>, binding: &Binding<'_>) -> Vec<Finding> {
    let holdings = review.holdings_of(binding.id);
    if review.grants_of(binding.id).is_empty() || holdings.iter().all(|it| it.is_default) {
        return Vec::new();
    }
    if holdings.iter().all(Holding::is_unused) {
        let role = &binding.role_ref;
        let message =
            format!("nothing that {} {:?} gives was used through it", role.kind, role.name);
        let mut finding = Finding::new(Code::UnusedBinding, Some(binding.id), message);
        let who: Vec<String> = holdings.iter().map(Holding::who).collect();
        finding.details.push(format!("it reaches {}", list(who.iter().map(String::as_str))));
        if review.given_unlogged(holdings).contains(&true) {
            finding.details.push(UNLOGGED.to_owned());
        }
        return vec![finding];
    }
    let unused = holdings.iter().filter(|it| it.is_unused() && !it.is_default);
    unused
        .map(|holding| {
            let who = holding.who();
            let message = format!("{who} used nothing of what the binding gives");
            Finding::new(Code::UnusedSubject, Some(binding.id), message).about(who)
        })
        .collect()
}

const UNLOGGED: &str = "part of it is never logged under this audit policy, and may be in use";

/// Subjects that the log shows no request of.
fn unseen(review: &Review<'_>) -> Vec<Finding> {
    let mut bindings: BTreeMap<String, Vec<&Holding<'_>>> = BTreeMap::new();
    for holding in &review.holdings {
        let is_silent = matches!(holding.doubt, None | Some(Doubt::NoMember));
        if holding.members.is_empty() && is_silent && !holding.is_default {
            bindings.entry(holding.who()).or_default().push(holding);
        }
    }
    let finding = |(who, holdings): (String, Vec<&Holding<'_>>)| {
        let message = match holdings[0].doubt {
            Some(Doubt::NoMember) => format!("no member of {who} made a request, bound by"),
            _ => format!("{who} made no request, bound by"),
        };
        let bound = holdings.iter().map(|holding| holding.binding.id.to_string());
        let first = Some(holdings[0].binding.id);
        Finding::new(Code::UnseenSubject, first, message).about(who).with(bound)
    };
    bindings.into_iter().map(finding).collect()
}

fn of_role(role: &RoleUse<'_>, referenced: &BTreeSet<ObjectId>) -> Vec<Finding> {
    match &role.doubt {
        Some(RoleDoubt::Unbound) if !referenced.contains(role.id) => {
            let message = "no binding here gives the role to anybody";
            vec![Finding::new(Code::RoleUnbound, Some(role.id), message)]
        }
        Some(_) => Vec::new(),
        None if !role.rules.is_empty() && role.rules.iter().all(RuleUse::is_unused) => {
            let message = "nothing in the role was used by anybody who holds it";
            vec![Finding::new(Code::UnusedRole, Some(role.id), message)]
        }
        None => parts(role),
    }
}

/// Findings on rules and parts of them: one of each code, with what it is about as items.
fn parts(role: &RoleUse<'_>) -> Vec<Finding> {
    let mut items: BTreeMap<Code, BTreeSet<String>> = BTreeMap::new();
    for (rule, used) in role.role.rules().iter().zip(&role.rules) {
        if used.is_unused() && !used.cells.is_empty() {
            items.entry(Code::UnusedRule).or_default().insert(rule_text(rule));
        } else {
            unused_cells(used, &mut items);
        }
    }
    let finding = |(code, items): (Code, BTreeSet<String>)| {
        let message = match code {
            Code::UnusedRule => "rules of which nothing was used",
            Code::UnusedResource => "granted on resources that were not used",
            Code::UnusedUrl => "granted on URLs that were not used",
            Code::UnusedName => "granted on names that were not used",
            _ => "verbs that were not used",
        };
        Finding::new(code, Some(role.id), message).with(items.into_iter().map(Item::from))
    };
    items.into_iter().map(finding).collect()
}

/// Sorts the unused cells of one rule into resources, verbs and names.
fn unused_cells(used: &RuleUse, items: &mut BTreeMap<Code, BTreeSet<String>>) {
    let mut by_target: BTreeMap<String, Vec<&Cell>> = BTreeMap::new();
    for cell in &used.cells {
        by_target.entry(target_text(&cell.atom)).or_default().push(cell);
    }
    let mut add = |code, text| items.entry(code).or_default().insert(text);
    for (target, cells) in by_target {
        let is_url = matches!(cells[0].atom, Atom::Url(_));
        let verbs = unused_along(&cells, |cell| cell.atom.verb());
        let names = unused_along(&cells, |cell| name_of(&cell.atom));
        if cells.iter().all(|cell| cell.share == Share::Unused) {
            let verbs: BTreeSet<&str> = cells.iter().map(|cell| cell.atom.verb()).collect();
            let verbs: Vec<&str> = verbs.into_iter().collect();
            let code = if is_url { Code::UnusedUrl } else { Code::UnusedResource };
            add(code, format!("{} {target}", verbs.join(", ")));
            continue;
        }
        for verb in &verbs {
            add(Code::UnusedVerb, format!("{verb} {target}"));
        }
        for name in names.iter().filter(|name| !name.is_empty()) {
            add(Code::UnusedName, format!("{target} {name:?}"));
        }
        for cell in cells.into_iter().filter(|cell| cell.share == Share::Unused) {
            let (verb, name) = (cell.atom.verb(), name_of(&cell.atom));
            if !verbs.contains(verb) && !names.contains(name) {
                add(Code::UnusedVerb, format!("{verb} {target} {name:?}"));
            }
        }
    }
}

/// The values along one side of the cells for which no cell was used.
fn unused_along<'c>(cells: &[&'c Cell], side: fn(&'c Cell) -> &'c str) -> BTreeSet<&'c str> {
    let all: BTreeSet<&str> = cells.iter().map(|&cell| side(cell)).collect();
    let used = cells.iter().filter(|cell| cell.share != Share::Unused);
    let used: BTreeSet<&str> = used.map(|&cell| side(cell)).collect();
    all.difference(&used).copied().collect()
}
