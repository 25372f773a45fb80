//! The needs of a party by what a rule can name. Needs come in once; for a rule those go out
//! that it may be about, in their order: all that it allows, and as few others as it takes.

use std::collections::BTreeSet;

use foldhash::HashMap;
use k8s_openapi::api::rbac::v1::PolicyRule;

use super::parties::Need;
use crate::rbac::Atom;

/// Needs by their place in the list they came in.
#[derive(Debug, Default)]
pub(super) struct NeedIndex<'p> {
    by_name: HashMap<&'p str, BTreeSet<usize>>,
    by_resource: HashMap<&'p str, BTreeSet<usize>>,
    urls: Vec<usize>,
    resources: Vec<usize>,
}

impl<'p> NeedIndex<'p> {
    pub(super) fn new(needs: &[Need<'p>]) -> Self {
        let mut index = Self::default();
        for (place, need) in needs.iter().enumerate() {
            match need.atom {
                Atom::Url(_) => index.urls.push(place),
                Atom::Resource(_) => index.resources.push(place),
            }
            for atom in need.targets.iter().copied().chain([need.atom]) {
                if let Atom::Resource(atom) = atom {
                    index.by_name.entry(&atom.name).or_default().insert(place);
                    index.by_resource.entry(&atom.resource).or_default().insert(place);
                }
            }
        }
        index
    }

    /// The needs that `rule` may allow.
    pub(super) fn about(&self, rule: &PolicyRule) -> BTreeSet<usize> {
        let list = |list: Option<&'_ Vec<String>>| list.is_some_and(|list| !list.is_empty());
        let names = rule.resource_names.iter().flatten();
        let resources = rule.resources.iter().flatten();
        let mut found: BTreeSet<usize> = if list(rule.resource_names.as_ref()) {
            names.filter_map(|name| self.by_name.get(name.as_str())).flatten().copied().collect()
        } else if resources.clone().any(|resource| resource.starts_with('*')) {
            self.resources.iter().copied().collect()
        } else {
            let known = resources.filter_map(|resource| self.by_resource.get(resource.as_str()));
            known.flatten().copied().collect()
        };
        if list(rule.non_resource_urls.as_ref()) {
            found.extend(&self.urls);
        }
        found
    }
}
