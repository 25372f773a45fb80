//! Roles and bindings, kept whole and in one order.
//!
//! Objects of the four RBAC kinds come in, with all their metadata; lookups and an iteration
//! that never depends on the order of insertion go out. Never judges an object.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::Metadata;
use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Serialize, Serializer};

use super::Requester;
use super::names::service_account_username;
use super::rules::items;

/// The API group of RBAC.
pub const RBAC_GROUP: &str = "rbac.authorization.k8s.io";

/// The four kinds of RBAC, in the order they are best applied: roles before bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Cluster-wide rules.
    ClusterRole,
    /// Rules of one namespace.
    Role,
    /// Gives a ClusterRole everywhere.
    ClusterRoleBinding,
    /// Gives a Role or a ClusterRole in one namespace.
    RoleBinding,
}

impl Kind {
    /// All kinds, in order.
    pub const ALL: [Self; 4] =
        [Self::ClusterRole, Self::Role, Self::ClusterRoleBinding, Self::RoleBinding];

    /// The kind as it stands in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterRole => "ClusterRole",
            Self::Role => "Role",
            Self::ClusterRoleBinding => "ClusterRoleBinding",
            Self::RoleBinding => "RoleBinding",
        }
    }

    /// The kind called `name` in a manifest.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether objects of the kind live in a namespace.
    pub fn is_namespaced(self) -> bool {
        matches!(self, Self::Role | Self::RoleBinding)
    }
}

/// Which object is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; always empty for the cluster-scoped kinds.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Reads as `Role "web" in namespace "shop"`.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind.as_str(), self.name)?;
        if !self.namespace.is_empty() {
            write!(f, " in namespace {:?}", self.namespace)?;
        }
        Ok(())
    }
}

/// One object of any of the four kinds. Serializes as a manifest.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// See [`Kind::ClusterRole`].
    ClusterRole(ClusterRole),
    /// See [`Kind::Role`].
    Role(Role),
    /// See [`Kind::ClusterRoleBinding`].
    ClusterRoleBinding(ClusterRoleBinding),
    /// See [`Kind::RoleBinding`].
    RoleBinding(RoleBinding),
}

impl Object {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::ClusterRole(_) => Kind::ClusterRole,
            Self::Role(_) => Kind::Role,
            Self::ClusterRoleBinding(_) => Kind::ClusterRoleBinding,
            Self::RoleBinding(_) => Kind::RoleBinding,
        }
    }

    /// Its metadata.
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::ClusterRole(object) => object.metadata(),
            Self::Role(object) => object.metadata(),
            Self::ClusterRoleBinding(object) => object.metadata(),
            Self::RoleBinding(object) => object.metadata(),
        }
    }

    /// Its identity; a stray namespace on a cluster-scoped object is no part of it.
    pub fn id(&self) -> ObjectId {
        let kind = self.kind();
        let metadata = self.metadata();
        let namespace = metadata.namespace.clone().filter(|_| kind.is_namespaced());
        ObjectId {
            kind,
            namespace: namespace.unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
        }
    }

    /// Its rules as written; none on a binding.
    pub fn rules(&self) -> &[PolicyRule] {
        match self {
            Self::ClusterRole(role) => items(role.rules.as_ref()),
            Self::Role(role) => items(role.rules.as_ref()),
            Self::ClusterRoleBinding(_) | Self::RoleBinding(_) => &[],
        }
    }

    /// The role it gives and to whom; nothing on a role.
    pub fn role_ref_and_subjects(&self) -> Option<(&RoleRef, &[Subject])> {
        match self {
            Self::ClusterRoleBinding(object) => {
                Some((&object.role_ref, items(object.subjects.as_ref())))
            }
            Self::RoleBinding(object) => Some((&object.role_ref, items(object.subjects.as_ref()))),
            Self::ClusterRole(_) | Self::Role(_) => None,
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::ClusterRole(object) => object.serialize(serializer),
            Self::Role(object) => object.serialize(serializer),
            Self::ClusterRoleBinding(object) => object.serialize(serializer),
            Self::RoleBinding(object) => object.serialize(serializer),
        }
    }
}

impl From<ClusterRole> for Object {
    fn from(object: ClusterRole) -> Self {
        Self::ClusterRole(object)
    }
}

impl From<Role> for Object {
    fn from(object: Role) -> Self {
        Self::Role(object)
    }
}

impl From<ClusterRoleBinding> for Object {
    fn from(object: ClusterRoleBinding) -> Self {
        Self::ClusterRoleBinding(object)
    }
}

impl From<RoleBinding> for Object {
    fn from(object: RoleBinding) -> Self {
        Self::RoleBinding(object)
    }
}

/// What the two kinds of binding have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Binding<'a> {
    /// Which binding it is. Its namespace is where it grants; empty means everywhere.
    pub id: &'a ObjectId,
    /// The role it gives.
    pub role_ref: &'a RoleRef,
    /// To whom.
    pub subjects: &'a [Subject],
}

impl<'a> Binding<'a> {
    /// The role it gives: a Role is looked for in the binding's own namespace only. Nothing
    /// where `roleRef.kind` is not the kind of a role.
    pub fn role_id(&self) -> Option<ObjectId> {
        let kind = Kind::from_name(&self.role_ref.kind)?;
        let namespace = match kind {
            Kind::Role => self.id.namespace.clone(),
            Kind::ClusterRole => String::new(),
            Kind::ClusterRoleBinding | Kind::RoleBinding => return None,
        };
        Some(ObjectId { kind, namespace, name: self.role_ref.name.clone() })
    }

    /// Where a ServiceAccount subject lives: its own namespace, else that of the RoleBinding.
    /// Empty where neither says, and then it is nobody.
    pub fn service_account_namespace(&self, subject: &'a Subject) -> &'a str {
        let own = subject.namespace.as_deref().filter(|namespace| !namespace.is_empty());
        own.unwrap_or(&self.id.namespace)
    }

    /// The username that a `User` or `ServiceAccount` subject stands for.
    pub fn username(&self, subject: &'a Subject) -> Option<Cow<'a, str>> {
        match subject.kind.as_str() {
            "User" => Some(Cow::Borrowed(&subject.name)),
            "ServiceAccount" => match self.service_account_namespace(subject) {
                "" => None,
                namespace => Some(service_account_username(namespace, &subject.name).into()),
            },
            _ => None,
        }
    }

    /// Whether `requester` is the subject. The spelling of the kind counts; the apiGroup of
    /// a subject, and a namespace on a user or a group, play no part in Kubernetes either.
    pub fn reaches(&self, subject: &'a Subject, requester: &Requester) -> bool {
        match subject.kind.as_str() {
            "Group" => requester.groups.contains(&subject.name),
            _ => self.username(subject).is_some_and(|name| name == requester.username),
        }
    }
}

/// A set of RBAC objects, iterated by kind, namespace and name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Objects {
    by_id: BTreeMap<ObjectId, Object>,
}

impl Objects {
    /// Adds an object; returns the one it replaces.
    pub fn insert(&mut self, object: impl Into<Object>) -> Option<Object> {
        let object = object.into();
        self.by_id.insert(object.id(), object)
    }

    /// The object of that identity, and the identity as it is kept here.
    pub fn find(&self, id: &ObjectId) -> Option<(&ObjectId, &Object)> {
        self.by_id.get_key_value(id)
    }

    /// All objects, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Object> {
        self.by_id.values()
    }

    /// All `ClusterRoles`, by name.
    pub fn cluster_roles(&self) -> impl Iterator<Item = (&ObjectId, &ClusterRole)> {
        self.by_id.iter().filter_map(|(id, object)| match object {
            Object::ClusterRole(role) => Some((id, role)),
            _ => None,
        })
    }

    /// All bindings: `ClusterRoleBindings` first, as the authorizer tries them.
    pub fn bindings(&self) -> impl Iterator<Item = Binding<'_>> {
        self.by_id.iter().filter_map(|(id, object)| {
            let (role_ref, subjects) = object.role_ref_and_subjects()?;
            Some(Binding { id, role_ref, subjects })
        })
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

impl<T: Into<Object>> Extend<T> for Objects {
    fn extend<I: IntoIterator<Item = T>>(&mut self, objects: I) {
        for object in objects {
            self.insert(object);
        }
    }
}

impl<T: Into<Object>> FromIterator<T> for Objects {
    fn from_iter<I: IntoIterator<Item = T>>(objects: I) -> Self {
        let mut collected = Self::default();
        collected.extend(objects);
        collected
    }
}
