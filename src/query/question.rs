//! What `who-can` is asked: from the words that were typed to a permission and a scope.

use std::collections::BTreeSet;

use k8s_openapi::api::rbac::v1::PolicyRule;
use thiserror::Error;

use crate::rbac::{ApiResource, Atom, Grant, Object, Objects, ResourceAtom, UrlAtom, rule_allows};

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct Typed<'t> {
    /// The verb.
    pub verb: &'t str,
    /// `RESOURCE[.GROUP][/SUBRESOURCE][/NAME]`, or a path.
    pub target: &'t str,
    /// The subresource, where it was said apart.
    pub subresource: Option<&'t str>,
    /// The name, where it was said apart.
    pub name: Option<&'t str>,
}

/// Where it is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// In any namespace, or in all.
    Anywhere,
    /// In one namespace.
    Namespace(String),
    /// In all namespaces at once.
    ClusterWide,
}

/// A permission and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The permission, without namespace; an empty name asks for any name.
    pub permission: Atom,
    /// Where.
    pub asked: Asked,
    /// Whether its objects live in namespaces; nothing where that is not known.
    is_namespaced: Option<bool>,
}

/// Why a question cannot be asked.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum QuestionError {
    /// It is not known which group is meant.
    #[error("`{0}` is no resource of Kubernetes, and no rule names it: write {0}.GROUP")]
    UnknownResource(String),
    /// Several groups may be meant.
    #[error("`{resource}` may be of several groups: write {}", .candidates.join(" or "))]
    AmbiguousResource {
        /// What was typed.
        resource: String,
        /// What may be meant.
        candidates: Vec<String>,
    },
    /// Nothing was typed before the slash.
    #[error("`{0}` names no resource")]
    NoResource(String),
    /// More parts than there can be.
    #[error("`{0}` has more parts than RESOURCE/SUBRESOURCE/NAME")]
    TooManyParts(String),
}

impl Question {
    /// Reads what was typed. The rules of `objects` tell the group of custom resources, and
    /// their subresources.
    ///
    /// # Errors
    /// Where it cannot be told what is meant.
    pub fn new(typed: &Typed<'_>, asked: Asked, objects: &Objects) -> Result<Self, QuestionError> {
        let verb = typed.verb.into();
        if typed.target.starts_with('/') {
            let permission = UrlAtom { path: typed.target.into(), verb }.into();
            return Ok(Self { permission, asked, is_namespaced: Some(false) });
        }
        let mut parts = typed.target.split('/');
        let resource = parts.next().filter(|first| !first.is_empty());
        let resource =
            resource.ok_or_else(|| QuestionError::NoResource(typed.target.to_owned()))?;
        let rest: Vec<&str> = parts.collect();
        let known = Known::new(resource, objects)?;
        let (subresource, name) = match (typed.subresource, typed.name, rest.as_slice()) {
            (sub, name, []) => (sub, name),
            (Some(sub), None, [name]) => (Some(sub), Some(*name)),
            (None, Some(name), [sub]) => (Some(*sub), Some(name)),
            (None, None, [part]) if known.has_subresource(part) => (Some(*part), None),
            (None, None, [name]) => (None, Some(*name)),
            (None, None, [sub, name]) => (Some(*sub), Some(*name)),
            _ => return Err(QuestionError::TooManyParts(typed.target.to_owned())),
        };
        let resource = match subresource.filter(|sub| !sub.is_empty()) {
            Some(subresource) => format!("{}/{subresource}", known.resource),
            None => known.resource.clone(),
        };
        let permission = ResourceAtom {
            namespace: "".into(),
            group: known.group.as_str().into(),
            resource: resource.into(),
            name: name.unwrap_or_default().into(),
            verb,
        };
        Ok(Self { permission: permission.into(), asked, is_namespaced: known.is_namespaced })
    }

    /// Whether the grant allows it where it is asked about.
    pub fn is_allowed_by(&self, grant: &Grant<'_>) -> bool {
        self.is_in_scope(grant) && rule_allows(grant.rule, &self.permission)
    }

    /// Whether the grant allows it for some names only, and none was asked for.
    pub fn is_allowed_by_name(&self, grant: &Grant<'_>) -> bool {
        let nameless = PolicyRule { resource_names: None, ..grant.rule.clone() };
        !self.is_allowed_by(grant)
            && matches!(&self.permission, Atom::Resource(atom) if atom.name.is_empty())
            && self.is_in_scope(grant)
            && rule_allows(&nameless, &self.permission)
    }

    /// Whether a need of the log is what was asked about.
    pub fn is_answered_by(&self, need: &Atom) -> bool {
        match (&self.permission, need) {
            (Atom::Url(asked), Atom::Url(need)) => asked == need,
            (Atom::Resource(asked), Atom::Resource(need)) => {
                let namespace = match &self.asked {
                    Asked::Namespace(namespace) => **namespace == *need.namespace,
                    Asked::ClusterWide => need.namespace.is_empty(),
                    Asked::Anywhere => true,
                };
                namespace
                    && asked.group == need.group
                    && asked.resource == need.resource
                    && asked.verb == need.verb
                    && (asked.name.is_empty() || asked.name == need.name)
            }
            _ => false,
        }
    }

    fn is_in_scope(&self, grant: &Grant<'_>) -> bool {
        let scope = grant.namespace();
        if scope.is_empty() {
            return true;
        }
        let Atom::Resource(permission) = &self.permission else { return false };
        if self.is_a_namespace() {
            return self.is_that_namespace(permission, scope);
        }
        self.is_namespaced != Some(false)
            && match &self.asked {
                Asked::Anywhere => true,
                Asked::Namespace(namespace) => namespace == scope,
                Asked::ClusterWide => false,
            }
    }

    fn is_a_namespace(&self) -> bool {
        matches!(&self.permission, Atom::Resource(atom)
            if atom.group.is_empty() && atom.resource.split('/').next() == Some("namespaces"))
    }

    /// A request for one namespace is a request in it, and a RoleBinding there can allow it.
    fn is_that_namespace(&self, permission: &ResourceAtom, scope: &str) -> bool {
        let is_for_one =
            !matches!(&*permission.verb, "list" | "watch" | "create" | "deletecollection");
        let is_meant = permission.name.is_empty() || *permission.name == *scope;
        let is_asked = match &self.asked {
            Asked::Anywhere => true,
            Asked::Namespace(namespace) => namespace == scope,
            Asked::ClusterWide => false,
        };
        is_for_one && is_meant && is_asked
    }
}

/// What is known of a resource.
struct Known<'o> {
    resource: String,
    group: String,
    is_namespaced: Option<bool>,
    api: Option<ApiResource>,
    objects: &'o Objects,
}

impl<'o> Known<'o> {
    fn new(typed: &str, objects: &'o Objects) -> Result<Self, QuestionError> {
        let (name, group) = match typed.split_once('.') {
            Some((name, group)) => (name, Some(group)),
            None => (typed, None),
        };
        if let Some(api) = ApiResource::find(name, group) {
            return Ok(Self {
                resource: api.name.to_owned(),
                group: api.group.to_owned(),
                is_namespaced: Some(api.is_namespaced),
                api: Some(api),
                objects,
            });
        }
        let custom = |group: &str| Self {
            resource: name.to_owned(),
            group: group.to_owned(),
            is_namespaced: None,
            api: None,
            objects,
        };
        if let Some(group) = group {
            return Ok(custom(group));
        }
        if name == "*" {
            return Ok(custom("*"));
        }
        let groups = groups_of(name, objects);
        match groups.iter().collect::<Vec<_>>().as_slice() {
            [group] => Ok(custom(group)),
            [] => Err(QuestionError::UnknownResource(name.to_owned())),
            _ => Err(QuestionError::AmbiguousResource {
                resource: name.to_owned(),
                candidates: groups.iter().map(|group| format!("{name}.{group}")).collect(),
            }),
        }
    }

    /// Whether `name` is a subresource: Kubernetes has it, or a rule says so. What every
    /// custom resource may have counts as well.
    fn has_subresource(&self, name: &str) -> bool {
        let whole = format!("{}/{name}", self.resource);
        match self.api {
            Some(api) if api.has_subresource(name) => true,
            None if matches!(name, "scale" | "status") => true,
            _ => rules(self.objects)
                .any(|rule| rule.resources.iter().flatten().any(|resource| *resource == whole)),
        }
    }
}

/// The groups that the rules name together with a resource.
fn groups_of(resource: &str, objects: &Objects) -> BTreeSet<String> {
    let is_meant = |entry: &String| entry.split('/').next() == Some(resource);
    rules(objects)
        .filter(|rule| rule.resources.iter().flatten().any(is_meant))
        .flat_map(|rule| rule.api_groups.iter().flatten())
        .filter(|group| *group != "*")
        .cloned()
        .collect()
}

fn rules(objects: &Objects) -> impl Iterator<Item = &PolicyRule> {
    objects.iter().flat_map(Object::rules)
}
