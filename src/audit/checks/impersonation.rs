//! What impersonation needs of the impersonator (S5 legacy, S6 constrained).

use crate::audit::conclude::Conclusions;
use crate::audit::{AdviceCode, Basis, Event, User, Who};
use crate::rbac::{Atom, ResourceAtom, parse_service_account_username};

const AUTHENTICATION: &str = "authentication.k8s.io";

/// The impersonator's needs for a request that got past impersonation.
pub(in crate::audit) fn used(event: &Event<'_>, request: &Atom, out: &mut Conclusions<'_>) {
    let Some(target) = &event.impersonated_user else { return };
    let mut need = |atom: Atom| out.need(Who::Caller, atom, Basis::Impersonation);
    match event.impersonation_constraint.strip_prefix("impersonate:") {
        None => legacy(target).into_iter().for_each(&mut need),
        Some(mode) => {
            constrained(target, mode).into_iter().for_each(&mut need);
            need(request.with_verb(&format!("impersonate-on:{mode}:{}", request.verb())));
        }
    }
}

/// S5: `impersonate` on who, on each group, on the UID and on each extra value.
fn legacy(target: &User<'_>) -> Vec<Atom> {
    let who = match parse_service_account_username(&target.username) {
        Some((namespace, name)) => atom("impersonate", "", "serviceaccounts", namespace, name),
        None => atom("impersonate", "", "users", "", &target.username),
    };
    let mut needs = vec![who];
    needs.extend(attributes(target, "impersonate", ""));
    needs
}

/// S6, the first half: the mode's own verb, all in the authentication group.
fn constrained(target: &User<'_>, mode: &str) -> Vec<Atom> {
    let verb = format!("impersonate:{mode}");
    let node = target.username.strip_prefix("system:node:").unwrap_or(&target.username);
    match (mode, parse_service_account_username(&target.username)) {
        ("serviceaccount", Some((namespace, name))) => {
            vec![atom(&verb, AUTHENTICATION, "serviceaccounts", namespace, name)]
        }
        ("arbitrary-node", _) => vec![atom(&verb, AUTHENTICATION, "nodes", "", node)],
        // The server asks for the literal name `*`, whichever node it is.
        ("associated-node", _) => vec![atom(&verb, AUTHENTICATION, "nodes", "", "*")],
        _ => {
            let mut needs = vec![atom(&verb, AUTHENTICATION, "users", "", &target.username)];
            needs.extend(attributes(target, &verb, AUTHENTICATION));
            needs
        }
    }
}

/// Groups (in `group`, which differs between the two schemes), UID and extras.
fn attributes<'a>(
    target: &'a User<'_>,
    verb: &'a str,
    group: &'a str,
) -> impl Iterator<Item = Atom> + 'a {
    let groups = asked_groups(target).map(move |name| atom(verb, group, "groups", "", name));
    let uid = Some(&*target.uid).filter(|uid| !uid.is_empty());
    let uids = uid.into_iter().map(move |uid| atom(verb, AUTHENTICATION, "uids", "", uid));
    let extras = target.extra.0.iter().flat_map(move |(key, values)| {
        let resource = format!("userextras/{}", &**key);
        values.iter().map(move |value| atom(verb, AUTHENTICATION, &resource, "", value))
    });
    groups.chain(uids).chain(extras)
}

/// The groups the impersonator asked for: all but those the server adds by itself.
fn asked_groups<'a>(target: &'a User<'_>) -> impl Iterator<Item = &'a str> {
    let added = added_groups(&target.username);
    let only_added = target.groups.iter().all(|group| {
        matches!(&**group, "system:authenticated" | "system:unauthenticated")
            || added.iter().any(|added| *added == **group)
    });
    target
        .groups
        .iter()
        .map(|group| &**group)
        .filter(|group| !matches!(*group, "system:authenticated" | "system:unauthenticated"))
        .filter(move |_| !only_added)
}

/// A service account or node impersonated without groups gets its own; with any
/// explicit group it gets none, and then even these were asked for.
fn added_groups(username: &str) -> Vec<String> {
    match parse_service_account_username(username) {
        Some((namespace, _)) => {
            vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")]
        }
        None if username.starts_with("system:node:") => vec!["system:nodes".to_owned()],
        None => vec![],
    }
}

fn atom(verb: &str, group: &str, resource: &str, namespace: &str, name: &str) -> Atom {
    ResourceAtom {
        namespace: namespace.into(),
        group: group.into(),
        resource: resource.into(),
        name: name.into(),
        verb: verb.into(),
    }
    .into()
}

/// Advice where impersonation itself was refused: 403 before the authorizer was asked.
/// The object reference names the target of the request, so only the message tells
/// what was missing; it is advice and never granted.
pub(in crate::audit) fn refused(event: &Event<'_>, request: &Atom, out: &mut Conclusions<'_>) {
    if event.code() != 403 {
        return;
    }
    let message = event.response_status.as_ref().map_or("", |status| &*status.message);
    let Some((object, refusal)) = message.split_once(" is forbidden: ") else { return };
    let Some((_, verb)) = refusal.split_once(" cannot impersonate") else { return };
    let verb = format!("impersonate{}", verb.split(' ').next().unwrap_or_default());
    let wanted = match verb.strip_prefix("impersonate-on:").and_then(|on| on.split_once(':')) {
        Some((mode, _)) => alternatives(request, &verb, mode),
        None => named_in(object, refusal, &verb).into_iter().collect(),
    };
    out.advise_on(Who::Caller, AdviceCode::ImpersonationRefused, &request.to_string(), wanted);
}

/// The constrained pair and the legacy rule that would do as well. Whom the caller
/// wanted to be is not in a refused event, so the names are left open.
fn alternatives(request: &Atom, verb: &str, mode: &str) -> Vec<Atom> {
    let resource = match mode {
        "serviceaccount" => "serviceaccounts",
        "arbitrary-node" | "associated-node" => "nodes",
        _ => "users",
    };
    let legacy = if resource == "serviceaccounts" { resource } else { "users" };
    vec![
        atom("impersonate", "", legacy, "", ""),
        atom(&format!("impersonate:{mode}"), AUTHENTICATION, resource, "", ""),
        request.with_verb(verb),
    ]
}

/// `users "alice"` and `... resource "users" in API group "g" in the namespace "n"`.
fn named_in(object: &str, refusal: &str, verb: &str) -> Option<Atom> {
    let quoted = |after: &str| {
        let (_, rest) = refusal.split_once(after)?;
        rest.split('"').next().map(str::to_owned)
    };
    let name = object.split_once(" \"")?.1.strip_suffix('"')?;
    let resource = quoted(" resource \"")?;
    let group = quoted(" in API group \"").unwrap_or_default();
    let namespace = quoted(" in the namespace \"").unwrap_or_default();
    Some(atom(verb, &group, &resource, &namespace, name))
}
