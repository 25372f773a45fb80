//! IAM identities as EKS shows them: ARNs of roles and users, the role behind an
//! assumed-role session, and the username template behind a session's username. In:
//! strings from the log. Out: their parts, or nothing where they are not what they
//! should be. Asks no one: what the log has lost (a role's path) stays lost.

use std::fmt;

/// The ARN of an IAM role or user, checked part by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IamArn<'a> {
    partition: &'a str,
    account: &'a str,
    kind: IamKind,
    /// With a slash at its end, or empty.
    path: &'a str,
    name: &'a str,
}

/// What an IAM ARN names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IamKind {
    /// Assumed by sessions, each with a name of its own.
    Role,
    /// One person or machine.
    User,
}

impl<'a> IamArn<'a> {
    /// Parses `arn:PARTITION:iam::ACCOUNT:role/...` or `user/...`. The STS ARN of an
    /// assumed role gives the role, as `extra.canonicalArn` does.
    pub fn parse(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let mut part = || parts.next();
        let ("arn", partition, service, "", account, resource) =
            (part()?, part()?, part()?, part()?, part()?, part()?)
        else {
            return None;
        };
        let (kind, path_and_name) = match (service, resource.split_once('/')?) {
            ("iam", ("role", rest)) => (IamKind::Role, rest),
            ("iam", ("user", rest)) => (IamKind::User, rest),
            ("sts", ("assumed-role", rest)) => (IamKind::Role, rest.rsplit_once('/')?.0),
            _ => return None,
        };
        let (path, name) = path_and_name.split_at(path_and_name.rfind('/').map_or(0, |at| at + 1));
        let valid =
            is_partition(partition) && is_account(account) && is_path(path) && is_name(name);
        valid.then_some(Self { partition, account, kind, path, name })
    }

    /// The twelve digits of the AWS account.
    pub fn account(&self) -> &'a str {
        self.account
    }

    /// A role or a user.
    pub fn kind(&self) -> IamKind {
        self.kind
    }

    /// The name without its path; unique among the account's roles or users.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Whether IAM Identity Center made the role for a permission set.
    ///
    /// The log shows such a role without the path that it has in IAM.
    pub fn is_sso_role(&self) -> bool {
        self.kind == IamKind::Role && self.name.starts_with("AWSReservedSSO_")
    }

    /// The ARN as access entries want it: with the path. For a role of IAM Identity
    /// Center the path is filled in as far as it is known; the Region is left to the
    /// reader as `<REGION>` (roles made in `us-east-1` have none).
    pub fn principal(&self) -> String {
        if self.is_sso_role() && self.path.is_empty() {
            return self.with_path("aws-reserved/sso.amazonaws.com/<REGION>/");
        }
        self.to_string()
    }

    /// The ARN as `aws-auth` wants it: without the path.
    pub fn without_path(&self) -> String {
        self.with_path("")
    }

    /// The username that EKS gives to sessions of the role, or to the user, unless told otherwise.
    pub fn default_username(&self) -> String {
        let Self { partition, account, name, .. } = self;
        match self.kind {
            IamKind::User => self.to_string(),
            IamKind::Role => {
                format!("arn:{partition}:sts::{account}:assumed-role/{name}/{{{{SessionName}}}}")
            }
        }
    }

    fn with_path(&self, path: &str) -> String {
        let Self { partition, account, name, .. } = self;
        let kind = match self.kind {
            IamKind::Role => "role",
            IamKind::User => "user",
        };
        format!("arn:{partition}:iam::{account}:{kind}/{path}{name}")
    }
}

/// The ARN in full, with the path if it was parsed with one.
impl fmt::Display for IamArn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_path(self.path))
    }
}

/// The username template that gave this username to a session.
///
/// The authenticator writes `@` of a session name as `-` for `{{SessionName}}` and
/// leaves it for `{{SessionNameRaw}}`. The session's name counts only where it stands
/// apart from letters and digits; of several places the last one counts, since role
/// names come before session names. Without it the username is its own template.
pub fn username_template(username: &str, session_name: &str) -> String {
    let shown = session_name.replace('@', "-");
    let raw = (shown != session_name).then_some((session_name, "{{SessionNameRaw}}"));
    for (session, variable) in raw.into_iter().chain([(&*shown, "{{SessionName}}")]) {
        if let Some(at) = last_word(username, session) {
            return [&username[..at], variable, &username[at + session.len()..]].concat();
        }
    }
    username.to_owned()
}

fn last_word(text: &str, word: &str) -> Option<usize> {
    if word.is_empty() {
        return None;
    }
    text.rmatch_indices(word).map(|(at, _)| at).find(|&at| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

fn is_partition(text: &str) -> bool {
    matches!(text, "aws" | "aws-cn" | "aws-us-gov" | "aws-eusc")
        || text
            .strip_prefix("aws-iso")
            .is_some_and(|rest| rest.is_empty() || matches!(rest.as_bytes(), [b'-', b'a'..=b'z']))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// IAM's own rule for paths, here without the slash in front.
fn is_path(text: &str) -> bool {
    text.len() < 512
        && !text.starts_with('/')
        && !text.contains("//")
        && text.bytes().all(|b| b.is_ascii_graphic())
}

/// IAM's own rule for names of roles and users.
fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_users_are_taken_apart() {
        let cases = [
            ("arn:aws:iam::111122223333:role/ci", IamKind::Role, "", "ci"),
            ("arn:aws:iam::111122223333:role/team/a/ci", IamKind::Role, "team/a/", "ci"),
            (
                "arn:aws:iam::111122223333:user/jane@example.com",
                IamKind::User,
                "",
                "jane@example.com",
            ),
            ("arn:aws-cn:iam::111122223333:user/x/y", IamKind::User, "x/", "y"),
            ("arn:aws-us-gov:iam::111122223333:role/ci", IamKind::Role, "", "ci"),
            ("arn:aws-iso:iam::111122223333:role/ci", IamKind::Role, "", "ci"),
            ("arn:aws-iso-b:iam::111122223333:role/ci", IamKind::Role, "", "ci"),
        ];
        for (text, kind, path, name) in cases {
            let arn = IamArn::parse(text).unwrap();
            assert_eq!((arn.kind(), arn.path, arn.name()), (kind, path, name), "{text}");
            assert_eq!(arn.account(), "111122223333");
            assert_eq!(arn.to_string(), text);
        }
    }

    #[test]
    fn a_session_gives_its_role() {
        let cases = [
            (
                "arn:aws:sts::111122223333:assumed-role/ci/GitHubActions-1",
                "arn:aws:iam::111122223333:role/ci",
            ),
            (
                "arn:aws-cn:sts::111122223333:assumed-role/ci/jane-example.com",
                "arn:aws-cn:iam::111122223333:role/ci",
            ),
            (
                "arn:aws:sts::111122223333:assumed-role/team/ci/s",
                "arn:aws:iam::111122223333:role/team/ci",
            ),
        ];
        for (session, role) in cases {
            assert_eq!(IamArn::parse(session).unwrap().to_string(), role);
        }
    }

    #[test]
    fn what_is_no_role_or_user_is_refused() {
        let long = format!("arn:aws:iam::111122223333:role/{}", "x".repeat(65));
        let cases = [
            "",
            "ci",
            "arn",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:role",
            "arn:aws:iam::111122223333:role/a b",
            "arn:aws:iam::111122223333:role/a'b",
            "arn:aws:iam::111122223333:role//ci",
            "arn:aws:iam::111122223333:role/a\nb",
            "arn:aws:iam::111122223333:role/é/ci",
            "arn:aws:iam::111122223333:group/ci",
            "arn:aws:iam::11112222333:role/ci",
            "arn:aws:iam::11112222333x:role/ci",
            "arn:aws:iam:eu-west-1:111122223333:role/ci",
            "arn:aws:sts::111122223333:federated-user/ci",
            "arn:aws:sts::111122223333:assumed-role/ci",
            "arn:aws:sts::111122223333:role/ci",
            "arn:gcp:iam::111122223333:role/ci",
            "arn:aws-iso;:iam::111122223333:role/ci",
            &long,
        ];
        for text in cases {
            assert_eq!(IamArn::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn sso_roles_get_back_the_path_that_the_log_lost() {
        let name = "AWSReservedSSO_AdministratorAccess_1bd3786dce786114";
        let short = format!("arn:aws:iam::111122223333:role/{name}");
        let full = format!(
            "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/{name}"
        );
        let of_log = IamArn::parse(&short).unwrap();
        assert!(of_log.is_sso_role());
        assert_eq!(of_log.principal(), full.replace("eu-west-1", "<REGION>"));
        let of_iam = IamArn::parse(&full).unwrap();
        assert!(of_iam.is_sso_role());
        assert_eq!(of_iam.principal(), full);
        assert_eq!(of_iam.without_path(), short);
        let user = format!("arn:aws:iam::111122223333:user/{name}");
        assert!(!IamArn::parse(&user).unwrap().is_sso_role());
    }

    #[test]
    fn templates_are_found_behind_usernames() {
        let sts = "arn:aws:sts::111122223333:assumed-role/";
        let cases = [
            ("ci:GitHubActions-1001", "GitHubActions-1001", "ci:{{SessionName}}"),
            ("devops-john.doe-example.com", "john.doe@example.com", "devops-{{SessionName}}"),
            ("devops-john.doe@example.com", "john.doe@example.com", "devops-{{SessionNameRaw}}"),
            (&format!("{sts}dev/dev"), "dev", &format!("{sts}dev/{{{{SessionName}}}}")),
            ("maria", "maria", "{{SessionName}}"),
            ("kubernetes-admin", "EKSGetTokenAuth", "kubernetes-admin"),
            ("admin", "a", "admin"),
            ("ci:ab:x", "ab", "ci:{{SessionName}}:x"),
            ("kubernetes-admin", "", "kubernetes-admin"),
            ("", "a", ""),
            ("é:a", "a", "é:{{SessionName}}"),
        ];
        for (username, session, expected) in cases {
            assert_eq!(username_template(username, session), expected, "{username} {session}");
        }
    }

    #[test]
    fn default_usernames_are_those_of_access_entries() {
        let role = IamArn::parse("arn:aws:iam::111122223333:role/team/ci").unwrap();
        assert_eq!(
            role.default_username(),
            "arn:aws:sts::111122223333:assumed-role/ci/{{SessionName}}"
        );
        let user = IamArn::parse("arn:aws:iam::111122223333:user/u").unwrap();
        assert_eq!(user.default_username(), "arn:aws:iam::111122223333:user/u");
    }
}
