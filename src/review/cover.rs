//! A set of permissions, prepared for the question which others it includes or is part of.
//! Atoms come in once, then yes and no go out, each as [`grant_covers`](crate::rbac::grant_covers)
//! would say of one pair after the other, at the price of a few look-ups. Namespaces are
//! not looked at.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashSet;

use crate::rbac::{Atom, ResourceAtom};

const ALL: &str = "*";

/// Permissions beside their like.
#[derive(Debug, Default)]
pub struct Cover<'a> {
    /// As they stand.
    resources: HashSet<Key<'a>>,
    /// Everything that includes one of them.
    wider: HashSet<Key<'a>>,
    /// Paths as they stand, by verb.
    paths: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// What paths with a star at the end begin with, by verb; none begins with another.
    prefixes: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

/// A permission on a resource, as far as it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key<'a> {
    group: &'a str,
    resource: Resource<'a>,
    name: &'a str,
    verb: &'a str,
}

/// What a permission calls its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Resource<'a> {
    /// `pods`, `pods/log` or `*`.
    Plain(&'a str),
    /// `*/log`: that subresource of everything.
    Everywhere(&'a str),
}

impl<'a> Cover<'a> {
    /// Prepares `atoms`.
    pub fn new(atoms: impl IntoIterator<Item = &'a Atom>) -> Self {
        let mut cover = Self::default();
        for atom in atoms {
            match atom {
                Atom::Resource(atom) => {
                    cover.resources.insert(Key::of(atom));
                    cover.wider.extend(Key::wider(atom));
                }
                Atom::Url(atom) => {
                    cover.paths.entry(&atom.verb).or_default().insert(&atom.path);
                    if atom.path.ends_with(ALL) {
                        let prefix = atom.path.trim_end_matches(ALL);
                        cover.prefixes.entry(&atom.verb).or_default().insert(prefix);
                    }
                }
            }
        }
        for prefixes in cover.prefixes.values_mut() {
            *prefixes = shortest(prefixes);
        }
        cover
    }

    /// Whether one of the permissions includes all of `narrow`.
    pub fn includes(&self, narrow: &Atom) -> bool {
        match narrow {
            Atom::Resource(atom) => {
                !self.resources.is_empty()
                    && Key::wider(atom).any(|wide| self.resources.contains(&wide))
            }
            Atom::Url(atom) => [&*atom.verb, ALL].into_iter().any(|verb| {
                let paths = self.paths.get(verb);
                let prefixes = self.prefixes.get(verb);
                paths.is_some_and(|paths| paths.contains(&*atom.path))
                    || prefixes.is_some_and(|prefixes| begins_with_one(&atom.path, prefixes))
            }),
        }
    }

    /// Whether `wide` includes all of one of the permissions.
    pub fn is_met_by(&self, wide: &Atom) -> bool {
        match wide {
            Atom::Resource(atom) => self.wider.contains(&Key::of(atom)),
            Atom::Url(atom) => {
                let verbs = self
                    .paths
                    .iter()
                    .filter(|(verb, _)| *atom.verb == *ALL || **verb == &*atom.verb);
                verbs.into_iter().any(|(_, paths)| match atom.path.strip_suffix(ALL) {
                    Some(prefix) => {
                        let prefix = prefix.trim_end_matches(ALL);
                        let next = paths.range(prefix..).next();
                        next.is_some_and(|path| path.starts_with(prefix))
                    }
                    None => paths.contains(&*atom.path),
                })
            }
        }
    }
}

impl<'a> Key<'a> {
    fn of(atom: &'a ResourceAtom) -> Self {
        let ResourceAtom { group, name, verb, .. } = atom;
        Self { group, resource: Resource::of(&atom.resource), name, verb }
    }

    /// The permission itself and all that include it.
    fn wider(atom: &'a ResourceAtom) -> impl Iterator<Item = Self> {
        let itself = Self::of(atom);
        let subresource = atom.resource.split_once('/').map(|(_, it)| Resource::Everywhere(it));
        let resources = [itself.resource, Resource::Plain(ALL)].into_iter().chain(subresource);
        resources.flat_map(move |resource| {
            [itself.group, ALL].into_iter().flat_map(move |group| {
                [itself.name, ""].into_iter().flat_map(move |name| {
                    let verbs = [itself.verb, ALL].into_iter();
                    verbs.map(move |verb| Self { group, resource, name, verb })
                })
            })
        })
    }
}

impl<'a> Resource<'a> {
    fn of(resource: &'a str) -> Self {
        resource.strip_prefix("*/").map_or(Self::Plain(resource), Self::Everywhere)
    }
}

/// Those that begin with no other: of a set in order, all that come next and begin with one
/// of them follow it at once.
fn shortest<'a>(prefixes: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    for prefix in prefixes {
        if found.last().is_none_or(|last| !prefix.starts_with(last)) {
            found.insert(prefix);
        }
    }
    found
}

/// Of prefixes none of which begins with another, only the last that is not after `path`
/// can be one of its own.
fn begins_with_one(path: &str, prefixes: &BTreeSet<&str>) -> bool {
    prefixes.range(..=path).next_back().is_some_and(|prefix| path.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rbac::{UrlAtom, grant_covers};

    fn atom() -> impl Strategy<Value = Atom> {
        let word = |words: &'static [&'static str]| proptest::sample::select(words);
        let resource = (
            word(&["", "apps", "*"]),
            word(&["pods", "pods/log", "*/log", "*/", "*", "a/b/c", "*/b/c"]),
            word(&["", "web", "*"]),
            word(&["get", "list", "*", ""]),
        );
        let url = (
            word(&["/a", "/a/b", "/a/*", "/a*", "/a/b*", "/*", "*", "**", "/b", "", "/a/**"]),
            word(&["get", "post", "*"]),
        );
        prop_oneof![
            resource.prop_map(|(group, resource, name, verb)| {
                Atom::from(ResourceAtom {
                    group: group.into(),
                    resource: resource.into(),
                    name: name.into(),
                    verb: verb.into(),
                    ..ResourceAtom::default()
                })
            }),
            url.prop_map(|(path, verb)| UrlAtom { path: path.into(), verb: verb.into() }.into()),
        ]
    }

    proptest! {
        #[test]
        fn a_cover_says_what_its_atoms_say_one_by_one(
            atoms in proptest::collection::vec(atom(), 0..6),
            asked in atom(),
        ) {
            let cover = Cover::new(&atoms);
            let includes = atoms.iter().any(|own| grant_covers(own, &asked));
            let is_met = atoms.iter().any(|own| grant_covers(&asked, own));
            prop_assert_eq!(cover.includes(&asked), includes);
            prop_assert_eq!(cover.is_met_by(&asked), is_met);
        }
    }
}
