//! The permission atom: the smallest thing that RBAC can grant and a request can need.

use std::fmt;

use smol_str::SmolStr;

use super::is_dns_label;

/// One permission: what the authorizer is asked about a request, and what one
/// verb x resource x name of a rule gives.
///
/// As a request it is one question; as a grant an empty name means "any name".
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Atom {
    /// A call on an API resource.
    Resource(ResourceAtom),
    /// A call on a non-resource URL such as `/metrics`.
    Url(UrlAtom),
}

/// A permission on an API resource. The API version never matters to RBAC.
///
/// The field order is the order of output: group, resource, name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceAtom {
    /// The namespace of the request; empty for cluster-scoped objects and for all namespaces.
    pub namespace: SmolStr,
    /// The API group; empty for the core group.
    pub group: SmolStr,
    /// The resource as RBAC writes it: `pods`, or `pods/log` with its subresource.
    pub resource: SmolStr,
    /// The object's name as the authorizer saw it; empty where the request has none.
    pub name: SmolStr,
    /// The authorizer's verb, lower case: `get`, `deletecollection`, `impersonate`, ...
    pub verb: SmolStr,
}

/// A permission on a non-resource URL. Always cluster-wide.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UrlAtom {
    /// The path without its query, as the authorizer compares it.
    pub path: SmolStr,
    /// The lower-cased HTTP method, or an `impersonate-on:` verb.
    pub verb: SmolStr,
}

/// Why no rule can say exactly what an atom says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsayable {
    /// The verb is empty.
    NoVerb,
    /// A `*` that is meant literally.
    LiteralWildcard,
    /// The namespace is no DNS label.
    ImpossibleNamespace,
}

impl Atom {
    /// The verb of either kind.
    pub fn verb(&self) -> &str {
        match self {
            Self::Resource(atom) => &atom.verb,
            Self::Url(atom) => &atom.verb,
        }
    }

    /// The namespace; empty for what only a `ClusterRoleBinding` can grant.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Resource(atom) => &atom.namespace,
            Self::Url(_) => "",
        }
    }

    /// Why no rule says this and no more; nothing where one does.
    ///
    /// Callers choose their URLs and HTTP methods. A literal `*` in one would turn into a
    /// wildcard in a rule, and a namespace that cannot exist into an object that the API
    /// server refuses. Names are safe: RBAC compares them literally.
    pub fn unsayable(&self) -> Option<Unsayable> {
        let is_wild = match self {
            Self::Url(url) => url.path.ends_with('*') || &*url.verb == "*",
            Self::Resource(atom) => {
                let parent = atom.resource.split('/').next().unwrap_or_default();
                &*atom.group == "*" || parent == "*" || &*atom.verb == "*"
            }
        };
        if self.verb().is_empty() {
            Some(Unsayable::NoVerb)
        } else if is_wild {
            Some(Unsayable::LiteralWildcard)
        } else if !self.namespace().is_empty() && !is_dns_label(self.namespace()) {
            Some(Unsayable::ImpossibleNamespace)
        } else {
            None
        }
    }

    /// The same atom with another verb.
    #[must_use]
    pub fn with_verb(&self, verb: &str) -> Self {
        let mut atom = self.clone();
        match &mut atom {
            Self::Resource(atom) => atom.verb = verb.into(),
            Self::Url(atom) => atom.verb = verb.into(),
        }
        atom
    }
}

impl From<ResourceAtom> for Atom {
    fn from(atom: ResourceAtom) -> Self {
        Self::Resource(atom)
    }
}

impl From<UrlAtom> for Atom {
    fn from(atom: UrlAtom) -> Self {
        Self::Url(atom)
    }
}

/// Reads as in a sentence: `get deployments.apps/scale "web" in namespace shop`.
impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(UrlAtom { path, verb }) => write!(f, "{verb} {path}"),
            Self::Resource(ResourceAtom { namespace, group, resource, name, verb }) => {
                let (parent, subresource) = match resource.split_once('/') {
                    Some((parent, subresource)) => (parent, Some(subresource)),
                    None => (&**resource, None),
                };
                write!(f, "{verb} {parent}")?;
                if !group.is_empty() {
                    write!(f, ".{group}")?;
                }
                if let Some(subresource) = subresource {
                    write!(f, "/{subresource}")?;
                }
                if !name.is_empty() {
                    write!(f, " {name:?}")?;
                }
                if !namespace.is_empty() {
                    write!(f, " in namespace {namespace}")?;
                }
                Ok(())
            }
        }
    }
}
