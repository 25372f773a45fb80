//! Grants into RBAC objects: one Role and RoleBinding per namespace, one ClusterRole
//! and ClusterRoleBinding for the rest, and one ClusterRole bound several times where
//! namespaces agree.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{IdentityPlan, rules};
use crate::eks::IamArn;
use crate::rbac::{Atom, Kind, Object, RBAC_GROUP, ResourceAtom};
use crate::usage::Identity;

/// Longest object name; Kubernetes has no limit, people do.
const LONGEST_NAME: usize = 120;

/// Whose objects are made.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// What its objects are called.
    pub object_name: &'a str,
    /// Who it is, in full.
    pub identity: &'a str,
    /// Who is bound.
    pub subject: &'a Subject,
}

/// The objects of one identity: roles first, so that whoever applies them in order
/// never binds a role that is not there yet.
pub fn objects(plan: &IdentityPlan) -> Vec<Object> {
    let identity = plan.identity.to_string();
    let owner =
        Owner { object_name: &plan.object_name, identity: &identity, subject: &plan.subject };
    objects_of(owner, plan.grants.keys())
}

/// The objects that give `owner` exactly these grants, roles first.
pub fn objects_of<'a>(owner: Owner<'_>, grants: impl IntoIterator<Item = &'a Atom>) -> Vec<Object> {
    let mut scopes: BTreeMap<&str, Vec<&Atom>> = BTreeMap::new();
    for grant in grants {
        scopes.entry(grant.namespace()).or_default().push(grant);
    }
    let maker = Maker { owner };
    let (mut roles, mut bindings) = (Vec::new(), Vec::new());
    if let Some(grants) = scopes.remove("") {
        roles.push(maker.cluster_role(owner.object_name, rules(grants)));
        bindings.push(maker.cluster_binding());
    }
    for (index, alike) in alike(&scopes).into_iter().enumerate() {
        let first = alike[0];
        let local = rules(scopes[first].iter().copied());
        if alike.len() == 1 {
            roles.push(maker.role(first, local));
            bindings.push(maker.binding(first, Kind::Role, owner.object_name));
            continue;
        }
        let name = match index {
            0 => format!("{}:shared", owner.object_name),
            _ => format!("{}:shared:{first}", owner.object_name),
        };
        roles.push(maker.cluster_role(&name, local));
        bindings.extend(
            alike.into_iter().map(|namespace| maker.binding(namespace, Kind::ClusterRole, &name)),
        );
    }
    roles.append(&mut bindings);
    roles
}

/// The namespaces, those with the same grants together; shared sets first, then by
/// first namespace.
fn alike<'a>(scopes: &BTreeMap<&'a str, Vec<&Atom>>) -> Vec<Vec<&'a str>> {
    let mut alike: BTreeMap<BTreeSet<Atom>, Vec<&str>> = BTreeMap::new();
    for (namespace, grants) in scopes {
        let local = grants.iter().map(|grant| without_namespace(grant)).collect();
        alike.entry(local).or_default().push(namespace);
    }
    let mut alike: Vec<_> = alike.into_values().collect();
    alike.sort_by_key(|namespaces| (namespaces.len() == 1, namespaces[0]));
    alike
}

fn without_namespace(grant: &Atom) -> Atom {
    match grant {
        Atom::Resource(atom) => ResourceAtom { namespace: "".into(), ..atom.clone() }.into(),
        Atom::Url(_) => grant.clone(),
    }
}

struct Maker<'p> {
    owner: Owner<'p>,
}

impl Maker<'_> {
    fn cluster_role(&self, name: &str, rules: Vec<PolicyRule>) -> Object {
        let metadata = self.metadata(name, None);
        ClusterRole { metadata, rules: Some(rules), aggregation_rule: None }.into()
    }

    fn role(&self, namespace: &str, rules: Vec<PolicyRule>) -> Object {
        let metadata = self.metadata(self.owner.object_name, Some(namespace));
        Role { metadata, rules: Some(rules) }.into()
    }

    fn cluster_binding(&self) -> Object {
        let name = self.owner.object_name;
        ClusterRoleBinding {
            metadata: self.metadata(name, None),
            role_ref: role_ref(Kind::ClusterRole, name),
            subjects: Some(vec![self.owner.subject.clone()]),
        }
        .into()
    }

    /// Called like its role: a roleRef cannot be changed, so a binding to another role
    /// must be another binding.
    fn binding(&self, namespace: &str, kind: Kind, role: &str) -> Object {
        RoleBinding {
            metadata: self.metadata(role, Some(namespace)),
            role_ref: role_ref(kind, role),
            subjects: Some(vec![self.owner.subject.clone()]),
        }
        .into()
    }

    /// The full identity is no valid label value, so it stands in an annotation.
    fn metadata(&self, name: &str, namespace: Option<&str>) -> ObjectMeta {
        let pair = |key: &str, value: String| BTreeMap::from([(key.to_owned(), value)]);
        ObjectMeta {
            name: Some(name.to_owned()),
            namespace: namespace.map(str::to_owned),
            labels: Some(pair("app.kubernetes.io/managed-by", "leastrole".to_owned())),
            annotations: Some(pair("leastrole/identity", self.owner.identity.to_owned())),
            ..ObjectMeta::default()
        }
    }
}

fn role_ref(kind: Kind, name: &str) -> RoleRef {
    RoleRef {
        api_group: Some(RBAC_GROUP.to_owned()),
        kind: kind.as_str().to_owned(),
        name: name.to_owned(),
    }
}

/// A name for the objects of each identity: recognisable, valid, unique, and the same
/// at every run. Where letters were lost on the way to a valid name, or two identities
/// would share one, a hash of the identity is added; another where even that is taken.
pub(super) fn object_names<'a>(
    identities: impl Iterator<Item = &'a Identity> + Clone,
) -> Vec<String> {
    let mut users: BTreeMap<String, usize> = BTreeMap::new();
    for identity in identities.clone() {
        *users.entry(plain_name(identity).0).or_default() += 1;
    }
    let mut taken = BTreeSet::new();
    identities
        .map(|identity| {
            let (plain, lossless) = plain_name(identity);
            let mut seed = identity.to_string();
            let is_its_own = lossless && users[&plain] == 1;
            let mut name = if is_its_own { plain.clone() } else { hashed(&plain, &seed) };
            while !taken.insert(name.clone()) {
                seed.push('\n');
                name = hashed(&plain, &seed);
            }
            name
        })
        .collect()
}

/// The name of objects of a subject that is no identity of the log, such as a group.
pub fn object_name_of(kind: &str, name: &str) -> String {
    match plain(kind, name) {
        (object_name, true) => object_name,
        (object_name, false) => format!("{object_name}-{:08x}", fnv1a(&format!("{kind} {name}"))),
    }
}

/// The name without hash, and whether it still says everything.
fn plain_name(identity: &Identity) -> (String, bool) {
    let (kind, name) = match identity {
        Identity::ServiceAccount { .. } => ("sa", identity.name()),
        Identity::IamRole { arn } => ("iam-role", short_name(arn)),
        Identity::IamUser { arn } => ("iam-user", short_name(arn)),
        Identity::User { name } => ("user", name.to_string()),
    };
    plain(kind, &name)
}

/// `leastrole:KIND:NAME` with a valid name, and whether it still says everything.
fn plain(kind: &str, name: &str) -> (String, bool) {
    let is_valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:".contains(c);
    let mut valid: String = name
        .to_ascii_lowercase()
        .chars()
        .map(|c| if is_valid(c) { c } else { '-' })
        .take(LONGEST_NAME)
        .collect();
    valid.truncate(valid.trim_end_matches(['-', '.', ':']).len());
    let lossless = valid == name && !name.is_empty();
    (format!("leastrole:{kind}:{valid}").trim_end_matches(':').to_owned(), lossless)
}

fn short_name(arn: &str) -> String {
    IamArn::parse(arn).map_or_else(|| arn.to_owned(), |arn| arn.name().to_owned())
}

fn hashed(name: &str, seed: &str) -> String {
    format!("{name}-{:08x}", fnv1a(seed))
}

/// FNV-1a, 32 bits: stable for good, unlike the standard library's hasher.
pub(crate) fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
