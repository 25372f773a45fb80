//! Who: the identity that needs are collected under.

use std::fmt;

use smol_str::SmolStr;

use super::Few;
use crate::audit::User;
use crate::eks::{IamArn, IamKind};
use crate::rbac::parse_service_account_username;

/// How many usernames, groups and so on are remembered for an identity.
const FACTS: usize = 64;
/// The same for user agents, which callers choose at will.
const USER_AGENTS: usize = 8;

/// An identity, the same over all of its sessions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// A Kubernetes service account.
    ServiceAccount {
        /// Its namespace.
        namespace: SmolStr,
        /// Its name.
        name: SmolStr,
    },
    /// An IAM role with all of its sessions.
    IamRole {
        /// The canonical ARN: without session and without path.
        arn: SmolStr,
    },
    /// An IAM user.
    IamUser {
        /// The canonical ARN.
        arn: SmolStr,
    },
    /// Anyone else, nodes and control-plane components among them.
    User {
        /// The username.
        name: SmolStr,
    },
}

impl Identity {
    /// The identity of an authenticated user. IAM callers are told by the `canonicalArn`
    /// that the authenticator adds, or by a username that is an STS session ARN.
    pub fn of_caller(user: &User<'_>) -> Self {
        if user.username.starts_with("system:") {
            return Self::of_username(&user.username);
        }
        let arn = user.extra.first("canonicalArn").unwrap_or(&user.username);
        match IamArn::parse(arn) {
            Some(arn) if arn.kind() == IamKind::Role => {
                Self::IamRole { arn: arn.without_path().into() }
            }
            Some(arn) => Self::IamUser { arn: arn.to_string().into() },
            None => Self::of_username(&user.username),
        }
    }

    /// The identity of a bare username: of an impersonated or reviewed user, whose
    /// extras are words of the caller and so never make it an IAM identity.
    pub fn of_username(username: &str) -> Self {
        match parse_service_account_username(username) {
            Some((namespace, name)) => {
                Self::ServiceAccount { namespace: namespace.into(), name: name.into() }
            }
            None => Self::User { name: username.into() },
        }
    }

    /// A stable word for the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ServiceAccount { .. } => "ServiceAccount",
            Self::IamRole { .. } => "IAMRole",
            Self::IamUser { .. } => "IAMUser",
            Self::User { .. } => "User",
        }
    }

    /// What identifies it within its kind: `namespace:name`, an ARN or a username.
    pub fn name(&self) -> String {
        match self {
            Self::ServiceAccount { namespace, name } => format!("{namespace}:{name}"),
            Self::IamRole { arn } | Self::IamUser { arn } => arn.to_string(),
            Self::User { name } => name.to_string(),
        }
    }
}

/// Reads as in a sentence: `service account shop:reader`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::ServiceAccount { .. } => "service account",
            Self::IamRole { .. } => "IAM role",
            Self::IamUser { .. } => "IAM user",
            Self::User { .. } => "user",
        };
        write!(f, "{kind} {}", self.name())
    }
}

/// What the log tells about an identity besides its needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The usernames it authenticated with.
    pub usernames: Few<FACTS>,
    /// All its groups.
    pub groups: Few<FACTS>,
    /// Its usernames with the session name replaced by the placeholder of aws-iam-authenticator.
    pub username_templates: Few<FACTS>,
    /// Its programs, by the first word of the user agent.
    pub user_agents: Few<USER_AGENTS>,
}

impl Facts {
    /// Adds all that other parts of the log tell.
    pub fn merge(&mut self, other: Self) {
        self.usernames.merge(other.usernames);
        self.groups.merge(other.groups);
        self.username_templates.merge(other.username_templates);
        self.user_agents.merge(other.user_agents);
    }
}
