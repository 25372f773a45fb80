//! Who calls: the identities that the `TokenReview` webhook answers with.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

use serde::Serialize;

/// The account that all made-up IAM principals belong to.
const ACCOUNT: &str = "111122223333";

/// What an authenticator says about a caller (`authentication.k8s.io` `UserInfo`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Identity {
    /// The full username.
    pub username: String,
    /// The unique ID, where there is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Groups; the server adds `system:authenticated` by itself.
    pub groups: Vec<String>,
    /// Keys with their values.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Identity {
    /// A plain user without groups.
    pub fn user(username: &str) -> Self {
        Self { username: username.to_owned(), ..Self::default() }
    }

    /// The same identity in one more group.
    #[must_use]
    pub fn in_group(mut self, group: &str) -> Self {
        self.groups.push(group.to_owned());
        self
    }

    /// The same identity with one more value of an extra key.
    #[must_use]
    pub fn with_extra(mut self, key: &str, value: &str) -> Self {
        self.extra.entry(key.to_owned()).or_default().push(value.to_owned());
        self
    }

    /// A session of an IAM role as an EKS access entry with default settings maps it.
    pub fn iam_role(role: &str, session: &str) -> Self {
        let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}");
        // The authenticator writes `-` for `@` in usernames.
        Self::iam(&arn.replace('@', "-"), &arn, &format!("role/{role}"), session)
    }

    /// An IAM user as an EKS access entry with default settings maps it.
    pub fn iam_user(user: &str) -> Self {
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/{user}");
        Self::iam(&arn, &arn, &format!("user/{user}"), "")
    }

    /// The same principal under the username that an aws-auth template gives it.
    #[must_use]
    pub fn mapped_to(mut self, username: &str) -> Self {
        username.clone_into(&mut self.username);
        self
    }

    fn iam(username: &str, arn: &str, resource: &str, session: &str) -> Self {
        let canonical = format!("arn:aws:iam::{ACCOUNT}:{resource}");
        let kind = if resource.starts_with("role/") { "AROA" } else { "AIDA" };
        let letters = resource.bytes().filter(u8::is_ascii_alphanumeric);
        let id: String = letters.map(|byte| char::from(byte.to_ascii_uppercase())).collect();
        let principal = format!("{kind}{id:X<17.17}");
        let mut identity = Self {
            uid: format!("aws-iam-authenticator:{ACCOUNT}:{principal}"),
            ..Self::user(username)
        };
        for (key, value) in [
            ("accessKeyId", format!("ASIA{:X<16.16}", &id[id.len() / 2..]).as_str()),
            ("arn", arn),
            ("canonicalArn", &canonical),
            ("principalId", &principal),
            ("sessionName", session),
            ("sigs.k8s.io/aws-iam-authenticator/principalId", &principal),
        ] {
            identity = identity.with_extra(key, value);
        }
        identity
    }
}

/// The tokens given out so far.
#[derive(Debug, Default)]
pub struct Identities(Mutex<Tokens>);

#[derive(Debug, Default)]
struct Tokens {
    by_identity: HashMap<Identity, String>,
    by_token: HashMap<String, Identity>,
}

impl Identities {
    /// A bearer token for `identity`: the same one whenever it is asked for.
    pub fn token(&self, identity: &Identity) -> String {
        let mut tokens = self.tokens();
        if let Some(token) = tokens.by_identity.get(identity) {
            return token.clone();
        }
        let token = format!("e2e-token-{}", tokens.by_token.len());
        tokens.by_identity.insert(identity.clone(), token.clone());
        tokens.by_token.insert(token.clone(), identity.clone());
        token
    }

    /// Whose token this is.
    pub(super) fn review(&self, token: &str) -> Option<Identity> {
        self.tokens().by_token.get(token).cloned()
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_of_one_role_share_all_but_their_session() {
        let first = Identity::iam_role("ci-deployer", "run@1");
        let second = Identity::iam_role("ci-deployer", "run@2");
        assert_eq!(
            first.username, "arn:aws:sts::111122223333:assumed-role/ci-deployer/run-1",
            "the authenticator's spelling"
        );
        assert_eq!(first.uid, second.uid);
        assert_eq!(first.extra["canonicalArn"], ["arn:aws:iam::111122223333:role/ci-deployer"]);
        assert_eq!(first.extra["sessionName"], ["run@1"]);
        assert_ne!(first.extra["arn"], second.extra["arn"]);
    }

    #[test]
    fn an_iam_user_has_an_empty_session_name() {
        let alice = Identity::iam_user("alice");
        assert_eq!(alice.username, "arn:aws:iam::111122223333:user/alice");
        assert_eq!(alice.extra["sessionName"], [""]);
    }

    #[test]
    fn a_token_stands_for_one_identity() {
        let identities = Identities::default();
        let alice = identities.token(&Identity::user("alice"));
        let bob = identities.token(&Identity::user("bob"));
        assert_ne!(alice, bob);
        assert_eq!(alice, identities.token(&Identity::user("alice")));
        assert_eq!(identities.review(&bob), Some(Identity::user("bob")));
        assert_eq!(identities.review("made-up"), None);
    }
}
