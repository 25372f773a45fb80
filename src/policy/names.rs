//! Which resource names a role keeps.

use std::collections::{BTreeMap, BTreeSet};

use super::widen::Cause;
use super::{Names, generated};
use crate::rbac::{Atom, ResourceAtom};

/// More names than this of one resource in one namespace are taken for a pattern of
/// use, not for a choice.
const MANY: usize = 32;

/// Decides, for the needs of one identity, which names are dropped and why.
#[derive(Debug)]
pub(super) struct NamePolicy<'a> {
    names: Names,
    /// How many names each resource was used with.
    counts: BTreeMap<(&'a str, &'a str, &'a str), BTreeSet<&'a str>>,
}

impl<'a> NamePolicy<'a> {
    pub(super) fn new(names: Names, atoms: impl IntoIterator<Item = &'a Atom>) -> Self {
        let mut counts: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        // Only `auto` goes by numbers.
        for atom in atoms.into_iter().filter(|_| names == Names::Auto) {
            if let Atom::Resource(atom) = atom
                && !atom.name.is_empty()
            {
                counts.entry(place(atom)).or_default().insert(&*atom.name);
            }
        }
        Self { names, counts }
    }

    /// Why the atom loses its name, if it does.
    pub(super) fn drops(&self, atom: &ResourceAtom) -> Option<Cause> {
        if atom.name.is_empty() || bounds_escalation(atom) {
            return None;
        }
        match self.names {
            Names::Exact => None,
            Names::Any => Some(Cause::AnyName),
            Names::Auto => generated(&atom.resource, &atom.name)
                .map(Cause::GeneratedName)
                .or_else(|| self.is_one_of_many(atom).then_some(Cause::ManyNames)),
        }
    }

    /// Secrets are never opened for their number alone.
    fn is_one_of_many(&self, atom: &ResourceAtom) -> bool {
        let is_secret = atom.group.is_empty() && &*atom.resource == "secrets";
        !is_secret && self.counts.get(&place(atom)).is_some_and(|names| names.len() > MANY)
    }
}

fn place(atom: &ResourceAtom) -> (&str, &str, &str) {
    (&atom.namespace, &atom.group, &atom.resource)
}

/// Names that stand between the caller and other identities' rights. Without the name,
/// these verbs are a way to anything.
fn bounds_escalation(atom: &ResourceAtom) -> bool {
    let verb = &*atom.verb;
    let lends_rights = matches!(verb, "bind" | "escalate" | "approve" | "sign" | "attest" | "use");
    let is_token = atom.group.is_empty() && &*atom.resource == "serviceaccounts/token";
    let is_driver = &*atom.resource == "resourceclaims/driver";
    let impersonates = verb == "impersonate" || verb.starts_with("impersonate:");
    lends_rights || is_token || is_driver || impersonates
}
