//! Who asks: what RBAC knows of the sender of a request.

use super::names::service_account_username;

/// The user a request is authorized as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Requester {
    /// The full username.
    pub username: String,
    /// Every group, those that the API server adds included: RBAC infers none.
    pub groups: Vec<String>,
}

impl Requester {
    /// A user with exactly these groups.
    pub fn new<G: Into<String>>(
        username: impl Into<String>,
        groups: impl IntoIterator<Item = G>,
    ) -> Self {
        let groups = groups.into_iter().map(Into::into).collect();
        Self { username: username.into(), groups }
    }

    /// A service account with the groups that Kubernetes gives each of them.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        let groups = [
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{namespace}"),
            "system:authenticated".to_owned(),
        ];
        Self::new(service_account_username(namespace, name), groups)
    }
}
