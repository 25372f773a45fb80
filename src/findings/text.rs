//! How permissions and lists read in a finding.

use crate::rbac::{Atom, ResourceAtom, UrlAtom, resource_text};

/// What a permission is on: a resource, or a URL.
pub(super) fn target_text(atom: &Atom) -> String {
    match atom {
        Atom::Resource(ResourceAtom { group, resource, .. }) => resource_text(group, resource),
        Atom::Url(UrlAtom { path, .. }) => path.to_string(),
    }
}

/// The first few, and how many more.
pub(super) fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let texts: Vec<&str> = texts.collect();
    let shown = texts[..texts.len().min(SHOWN)].join("; ");
    match texts.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
}

/// `1 request`, `2 requests`.
pub(super) fn plural(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The name in a permission, or nothing.
pub(super) fn name_of(atom: &Atom) -> &str {
    match atom {
        Atom::Resource(atom) => &atom.name,
        Atom::Url(_) => "",
    }
}
