//! What every caller of a cluster holds without being given anything.
//!
//! The `ClusterRoles` and bindings that an API server creates for its widest groups, as data in
//! one place (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy`, Kubernetes 1.36). An
//! administrator can remove them and an old cluster can have more, so this is a default, not
//! an observation. Roles bound to narrow groups, as `system:monitoring`, are not here.

use std::sync::LazyLock;

use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::evaluator::Evaluator;
use super::objects::{Kind, Objects, RBAC_GROUP};
use super::{Atom, Requester};

/// Everybody who authenticated.
const AUTHENTICATED: &str = "system:authenticated";
/// Everybody who did not.
const UNAUTHENTICATED: &str = "system:unauthenticated";
/// Every service account.
const SERVICE_ACCOUNTS: &str = "system:serviceaccounts";

/// A ClusterRole and the groups that the binding of the same name gives it to.
struct DefaultRole {
    name: &'static str,
    groups: &'static [&'static str],
    rules: &'static [Rule],
}

enum Rule {
    Get { urls: &'static [&'static str] },
    Create { group: &'static str, resources: &'static [&'static str] },
}

const DEFAULTS: [DefaultRole; 4] = [
    DefaultRole {
        name: "system:basic-user",
        groups: &[AUTHENTICATED],
        rules: &[
            Rule::Create {
                group: "authorization.k8s.io",
                resources: &["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            },
            Rule::Create { group: "authentication.k8s.io", resources: &["selfsubjectreviews"] },
        ],
    },
    DefaultRole {
        name: "system:discovery",
        groups: &[AUTHENTICATED],
        rules: &[Rule::Get {
            urls: &[
                "/api",
                "/api/*",
                "/apis",
                "/apis/*",
                "/healthz",
                "/livez",
                "/openapi",
                "/openapi/*",
                "/readyz",
                "/version",
                "/version/",
            ],
        }],
    },
    DefaultRole {
        name: "system:public-info-viewer",
        groups: &[AUTHENTICATED, UNAUTHENTICATED],
        rules: &[Rule::Get { urls: &["/healthz", "/livez", "/readyz", "/version", "/version/"] }],
    },
    DefaultRole {
        name: "system:service-account-issuer-discovery",
        groups: &[SERVICE_ACCOUNTS],
        rules: &[Rule::Get {
            urls: &[
                "/.well-known/openid-configuration",
                "/.well-known/openid-configuration/",
                "/openid/v1/jwks",
                "/openid/v1/jwks/",
            ],
        }],
    },
];

static OBJECTS: LazyLock<Objects> = LazyLock::new(|| {
    let mut objects = Objects::default();
    for default in &DEFAULTS {
        objects.insert(default.role());
        objects.insert(default.binding());
    }
    objects
});

static EVALUATOR: LazyLock<Evaluator<'static>> = LazyLock::new(|| Evaluator::new(&OBJECTS));

/// The default `ClusterRoles` and `ClusterRoleBindings`.
pub fn default_objects() -> &'static Objects {
    &OBJECTS
}

/// Whether `requester` may do `request` by the default bindings alone.
pub fn held_by_default(requester: &Requester, request: &Atom) -> bool {
    EVALUATOR.authorize(requester, request).is_allowed()
}

impl DefaultRole {
    fn metadata(&self) -> ObjectMeta {
        ObjectMeta { name: Some(self.name.to_owned()), ..ObjectMeta::default() }
    }

    fn role(&self) -> ClusterRole {
        ClusterRole {
            metadata: self.metadata(),
            rules: Some(self.rules.iter().map(Rule::policy_rule).collect()),
            ..ClusterRole::default()
        }
    }

    fn binding(&self) -> ClusterRoleBinding {
        let subject = |group: &&str| Subject {
            api_group: Some(RBAC_GROUP.to_owned()),
            kind: "Group".to_owned(),
            name: (*group).to_owned(),
            namespace: None,
        };
        ClusterRoleBinding {
            metadata: self.metadata(),
            role_ref: RoleRef {
                api_group: Some(RBAC_GROUP.to_owned()),
                kind: Kind::ClusterRole.as_str().to_owned(),
                name: self.name.to_owned(),
            },
            subjects: Some(self.groups.iter().map(subject).collect()),
        }
    }
}

impl Rule {
    fn policy_rule(&self) -> PolicyRule {
        let owned = |list: &[&str]| list.iter().map(|&item| item.to_owned()).collect::<Vec<_>>();
        match self {
            Self::Get { urls } => PolicyRule {
                verbs: owned(&["get"]),
                non_resource_urls: Some(owned(urls)),
                ..PolicyRule::default()
            },
            Self::Create { group, resources } => PolicyRule {
                verbs: owned(&["create"]),
                api_groups: Some(owned(&[group])),
                resources: Some(owned(resources)),
                ..PolicyRule::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::validation::{Form, validate};
    use super::*;

    #[test]
    fn every_default_is_an_object_the_api_server_would_store() {
        for object in default_objects().iter() {
            assert_eq!(validate(object, Form::Stored), []);
        }
        assert_eq!(default_objects().len(), 2 * DEFAULTS.len());
        assert_eq!(EVALUATOR.unresolved().count(), 0);
    }
}
