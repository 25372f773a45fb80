//! Whose events are read, and of which time.

use wildmatch::WildMatch;

use super::{Identity, Moment};
use crate::eks::{IamArn, is_control_plane};

/// The user's choice. Globs take `*` and `?`; without any, all identities are read.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `namespace:name` of service accounts.
    pub service_accounts: Vec<WildMatch>,
    /// Usernames, or names and ARNs of IAM users.
    pub users: Vec<WildMatch>,
    /// Names or ARNs of IAM roles.
    pub iam_roles: Vec<WildMatch>,
    /// Also read the control plane's own identities.
    pub include_system: bool,
    /// Leave out events before this.
    pub since: Option<Moment>,
    /// Leave out events at or after this.
    pub until: Option<Moment>,
}

/// What a selection says of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Read it.
    Taken,
    /// It belongs to the control plane.
    ControlPlane,
    /// It was not asked for.
    NotSelected,
}

impl Selection {
    /// Whether the event's own time is asked for. An event without a time (a salvaged
    /// one) cannot be told to be outside.
    pub fn covers(&self, moment: Option<Moment>) -> bool {
        let Some(moment) = moment else { return true };
        self.since.is_none_or(|since| since <= moment)
            && self.until.is_none_or(|until| moment < until)
    }

    /// Whether only some identities are asked for.
    pub fn is_partial(&self) -> bool {
        [&self.service_accounts, &self.users, &self.iam_roles]
            .into_iter()
            .any(|globs| !globs.is_empty())
    }

    /// Whether the identity, seen under this username, is asked for.
    pub fn choice(&self, identity: &Identity, username: &str) -> Choice {
        if !self.include_system && is_control_plane(username) {
            return Choice::ControlPlane;
        }
        if !self.is_partial() || self.names(identity, username) {
            Choice::Taken
        } else {
            Choice::NotSelected
        }
    }

    fn names(&self, identity: &Identity, username: &str) -> bool {
        let any = |globs: &[WildMatch], name: &str| globs.iter().any(|glob| glob.matches(name));
        let by_arn = |globs: &[WildMatch], arn: &str| {
            any(globs, arn) || IamArn::parse(arn).is_some_and(|arn| any(globs, arn.name()))
        };
        match identity {
            Identity::ServiceAccount { .. } => any(&self.service_accounts, &identity.name()),
            Identity::IamRole { arn } => by_arn(&self.iam_roles, arn),
            Identity::IamUser { arn } => by_arn(&self.users, arn) || any(&self.users, username),
            Identity::User { name } => any(&self.users, name),
        }
    }
}
