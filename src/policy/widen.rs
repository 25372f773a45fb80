//! From needs to grants: the only place where anything becomes wider than what was
//! used, and every such step is listed with its cause.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::names::NamePolicy;
use super::{Options, Pattern, Scope, Verbs};
use crate::rbac::{Atom, ResourceAtom};

/// What an identity is granted: the fewest atoms that cover its needs.
pub type Grants = BTreeMap<Atom, Grant>;

/// What stands behind a granted atom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Why it is broader than a need; empty where it is not.
    pub causes: BTreeSet<Cause>,
    /// The needs that it covers, in order. A list, since there is mostly one.
    pub needs: Vec<Atom>,
}

impl Grant {
    /// Whether no single need says as much as the grant of `atom`.
    pub fn is_widening(&self, atom: &Atom) -> bool {
        !self.needs.iter().any(|need| *exact(need) == *atom)
    }
}

/// The policy that made a grant broader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A name that looks generated was dropped.
    GeneratedName(Pattern),
    /// So many names were used that they are taken for a pattern.
    ManyNames,
    /// Names were dropped by `--names any`.
    AnyName,
    /// Namespaces were dropped by `--scope cluster`.
    ClusterScope,
    /// A verb was added by `--verbs informer`.
    InformerVerb,
}

impl Cause {
    /// The stable kebab-case code.
    pub fn label(self) -> &'static str {
        match self {
            Self::GeneratedName(_) => "generated-name",
            Self::ManyNames => "many-names",
            Self::AnyName => "any-name",
            Self::ClusterScope => "cluster-scope",
            Self::InformerVerb => "informer-verb",
        }
    }
}

/// The code, and for a generated name what it looks like.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())?;
        match self {
            Self::GeneratedName(pattern) => write!(f, ": {}", pattern.label()),
            _ => Ok(()),
        }
    }
}

/// Widens the needs as the options say, and leaves out what is then covered twice.
pub(super) fn widen<'a>(
    needs: impl Iterator<Item = &'a Atom> + Clone,
    options: &Options,
) -> Grants {
    let names = NamePolicy::new(options.names, needs.clone());
    let mut grants = Grants::new();
    for need in needs {
        let mut causes = BTreeSet::new();
        let grant = grant(need, &names, options.scope, &mut causes);
        if options.verbs == Verbs::Informer
            && let Some(other) = informer_pair(&grant)
        {
            let causes = causes.iter().copied().chain([Cause::InformerVerb]);
            add(&mut grants, other, causes, [need.clone()]);
        }
        add(&mut grants, grant, causes, [need.clone()]);
    }
    absorb(grants)
}

fn add(
    grants: &mut Grants,
    atom: Atom,
    causes: impl IntoIterator<Item = Cause>,
    needs: impl IntoIterator<Item = Atom>,
) {
    let grant = grants.entry(atom).or_default();
    grant.causes.extend(causes);
    for need in needs {
        grant.needs.reserve_exact(usize::from(grant.needs.is_empty()));
        grant.needs.push(need);
    }
}

/// Leaves out the grants that others say as well.
fn absorb(mut grants: Grants) -> Grants {
    let covered: Vec<(Atom, Atom)> =
        grants.keys().filter_map(|atom| Some((atom.clone(), broader(atom, &grants)?))).collect();
    for (atom, broader) in covered {
        if let Some(grant) = grants.remove(&atom) {
            add(&mut grants, broader, grant.causes, grant.needs);
        }
    }
    for grant in grants.values_mut() {
        grant.needs.sort();
        grant.needs.dedup();
    }
    grants
}

fn grant(need: &Atom, names: &NamePolicy<'_>, scope: Scope, causes: &mut BTreeSet<Cause>) -> Atom {
    let Atom::Resource(need) = need else { return need.clone() };
    let mut grant = need.clone();
    if scope == Scope::Cluster && !grant.namespace.is_empty() {
        grant.namespace = "".into();
        causes.insert(Cause::ClusterScope);
    }
    if let Some(cause) = names.drops(need)
        && !is_namespace_itself(&grant)
    {
        grant.name = "".into();
        causes.insert(cause);
    }
    exact(&grant.into()).into_owned()
}

/// The grant that says exactly what a need says. A namespace is named by the place of
/// its Role, so it needs no resource name there.
pub fn exact(need: &Atom) -> Cow<'_, Atom> {
    match need {
        Atom::Resource(atom) if is_namespace_itself(atom) => {
            Cow::Owned(ResourceAtom { name: "".into(), ..atom.clone() }.into())
        }
        _ => Cow::Borrowed(need),
    }
}

/// `get namespaces x` is a request in namespace x.
pub fn is_namespace_itself(atom: &ResourceAtom) -> bool {
    atom.group.is_empty()
        && atom.namespace == atom.name
        && !atom.namespace.is_empty()
        && atom.resource.split('/').next() == Some("namespaces")
}

fn informer_pair(grant: &Atom) -> Option<Atom> {
    match (grant, grant.verb()) {
        (Atom::Resource(_), "list") => Some(grant.with_verb("watch")),
        (Atom::Resource(_), "watch") => Some(grant.with_verb("list")),
        _ => None,
    }
}

/// The broadest other grant, without the name or in the whole cluster, that says as much.
fn broader(atom: &Atom, grants: &Grants) -> Option<Atom> {
    let Atom::Resource(atom) = atom else { return None };
    let unnamed = ResourceAtom { name: "".into(), ..atom.clone() };
    let everywhere = |atom: &ResourceAtom| ResourceAtom { namespace: "".into(), ..atom.clone() };
    [everywhere(&unnamed), everywhere(atom), unnamed]
        .into_iter()
        .filter(|broader| broader != atom)
        .map(Atom::from)
        .find(|broader| grants.contains_key(broader))
}
