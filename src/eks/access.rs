//! How to put an IAM role into a Kubernetes group: the access-entry commands and the
//! `aws-auth` lines. In: a role, the groups and username templates seen, the new
//! group. Out: text for a person to run or paste. All of it comes from the log and
//! may be hostile, so every word is quoted and no command ever spans two lines.

use std::collections::BTreeSet;

use serde::Serialize;

use super::IamArn;

/// The change that gives one IAM role a Kubernetes group and takes none away.
#[derive(Clone, Debug)]
pub struct RoleAccess<'a> {
    role: IamArn<'a>,
    groups: BTreeSet<&'a str>,
    /// The one template seen, if there is just one.
    username: Option<&'a str>,
}

impl<'a> RoleAccess<'a> {
    /// `groups_seen` are the groups of the role's sessions in the log; those that begin
    /// with `system:` are left out, since EKS refuses them. `usernames` are what
    /// [`super::username_template`] made of the sessions' usernames.
    pub fn new(
        role: IamArn<'a>,
        groups_seen: impl IntoIterator<Item = &'a str>,
        group: &'a str,
        usernames: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut groups: BTreeSet<&str> =
            groups_seen.into_iter().filter(|seen| !seen.starts_with("system:")).collect();
        groups.insert(group);
        let usernames: BTreeSet<&str> = usernames.into_iter().collect();
        let username = usernames.first().copied().filter(|_| usernames.len() == 1);
        Self { role, groups, username }
    }

    /// The command for a role that has an access entry. It replaces the entry's
    /// groups, which is why those already seen are in it. `<CLUSTER>` stands where the
    /// cluster's name is not known.
    pub fn update_command(&self, cluster: Option<&str>) -> String {
        self.command("update-access-entry", cluster)
    }

    /// The command for a role that has none. It keeps the username that the role's
    /// sessions had, where EKS would take it.
    pub fn create_command(&self, cluster: Option<&str>) -> String {
        let mut command = self.command("create-access-entry", cluster);
        let default = self.role.default_username();
        if let Some(username) = self.username.filter(|name| *name != default && is_accepted(name)) {
            command.push_str(" --username ");
            command.push_str(&shell_word(username));
        }
        command
    }

    /// The item of `mapRoles` in the `aws-auth` `ConfigMap` for a role that is mapped
    /// there, as YAML.
    #[expect(clippy::missing_panics_doc, reason = "every string can be written as YAML")]
    pub fn aws_auth(&self) -> String {
        let mapping = MapRole {
            rolearn: self.role.without_path(),
            username: self.username.map_or_else(|| self.role.default_username(), str::to_owned),
            groups: self.groups.iter().copied().collect(),
        };
        serde_saphyr::to_string(&[mapping]).expect("strings can always be written as YAML")
    }

    fn command(&self, verb: &str, cluster: Option<&str>) -> String {
        let cluster = shell_word(cluster.unwrap_or("<CLUSTER>"));
        let principal = shell_word(&self.role.principal());
        let groups = self.group_words();
        format!(
            "aws eks {verb} --cluster-name {cluster} --principal-arn {principal} \
             --kubernetes-groups {groups}"
        )
    }

    /// Words, or one JSON list where a word could be taken for an option or for the
    /// name of a file.
    fn group_words(&self) -> String {
        if self.groups.iter().all(|group| is_plain(group)) {
            return self.groups.iter().copied().collect::<Vec<_>>().join(" ");
        }
        let json = serde_json::to_string(&self.groups).expect("strings can always be JSON");
        shell_word(&json)
    }
}

#[derive(Serialize)]
struct MapRole<'a> {
    rolearn: String,
    username: String,
    groups: Vec<&'a str>,
}

/// The rules of access entries for usernames: a session's name stands after a colon,
/// and some prefixes are kept for AWS. What is not plain is not worth the risk.
fn is_accepted(username: &str) -> bool {
    const RESERVED: [&str; 5] = ["system:", "eks:", "aws:", "amazon:", "iam:"];
    let (before, after) = username.split_once("{{SessionName").unwrap_or((username, ""));
    let after = after.trim_start_matches("Raw").trim_start_matches("}}");
    let colon_before = before.len() == username.len() || before.contains(':');
    colon_before
        && !RESERVED.iter().any(|prefix| username.starts_with(prefix))
        && is_plain(before)
        && (after.is_empty() || is_plain(after))
}

/// Means the same to a shell and to the AWS CLI with and without quotes.
fn is_plain(word: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+.@:/-".contains(&b);
    !word.is_empty() && !word.starts_with('-') && !word.contains("://") && word.bytes().all(allowed)
}

/// One word for a POSIX shell, or for bash and zsh where it holds characters that
/// would not stay on one visible line.
fn shell_word(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    if !text.contains(is_invisible) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut word = String::from("$'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => word.extend(['\\', c]),
            c if is_invisible(c) => word.extend(format!("\\U{:08x}", u32::from(c)).chars()),
            c => word.push(c),
        }
    }
    word.push('\'');
    word
}

/// Control characters, line breaks of any kind, and what turns the direction of text.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CI: &str = "arn:aws:iam::111122223333:role/ci-deployer";

    fn access<'a>(groups: &[&'a str], usernames: &[&'a str]) -> RoleAccess<'a> {
        RoleAccess::new(
            IamArn::parse(CI).unwrap(),
            groups.iter().copied(),
            "leastrole:ci-deployer",
            usernames.iter().copied(),
        )
    }

    #[test]
    fn an_update_keeps_the_groups_that_were_seen() {
        let access = access(&["system:authenticated", "eks-deployers", "system:masters"], &[]);
        assert_eq!(
            access.update_command(Some("demo")),
            "aws eks update-access-entry --cluster-name demo \
             --principal-arn arn:aws:iam::111122223333:role/ci-deployer \
             --kubernetes-groups eks-deployers leastrole:ci-deployer"
        );
        assert_eq!(
            access.update_command(None),
            "aws eks update-access-entry --cluster-name '<CLUSTER>' \
             --principal-arn arn:aws:iam::111122223333:role/ci-deployer \
             --kubernetes-groups eks-deployers leastrole:ci-deployer"
        );
    }

    #[test]
    fn a_new_entry_keeps_the_username_where_eks_would_take_it() {
        let default = "arn:aws:sts::111122223333:assumed-role/ci-deployer/{{SessionName}}";
        let cases = [
            (&["ci:{{SessionName}}"][..], " --username 'ci:{{SessionName}}'"),
            (&["ci:{{SessionNameRaw}}"], " --username 'ci:{{SessionNameRaw}}'"),
            (&["ci:{{SessionName}}:x"], " --username 'ci:{{SessionName}}:x'"),
            (&["deployer"], " --username deployer"),
            (&[default], ""),
            (&["ci-{{SessionName}}"], ""),
            (&["{{SessionName}}"], ""),
            (&["eks:{{SessionName}}"], ""),
            (&["system:node:{{SessionName}}"], ""),
            (&["a", "b"], ""),
            (&[], ""),
            (&["--cli-input-json"], ""),
            (&["file:///etc/passwd"], ""),
            (&["a b"], ""),
        ];
        let without = "aws eks create-access-entry --cluster-name demo \
                       --principal-arn arn:aws:iam::111122223333:role/ci-deployer \
                       --kubernetes-groups leastrole:ci-deployer";
        for (usernames, expected) in cases {
            let command = access(&[], usernames).create_command(Some("demo"));
            assert_eq!(command, format!("{without}{expected}"), "{usernames:?}");
        }
    }

    #[test]
    fn aws_auth_lines_are_yaml() {
        let expected = "\
- rolearn: arn:aws:iam::111122223333:role/ci-deployer
  username: ci:{{SessionName}}
  groups:
  - eks-deployers
  - leastrole:ci-deployer
";
        assert_eq!(access(&["eks-deployers"], &["ci:{{SessionName}}"]).aws_auth(), expected);
        let unsure = "\
- rolearn: arn:aws:iam::111122223333:role/ci-deployer
  username: arn:aws:sts::111122223333:assumed-role/ci-deployer/{{SessionName}}
  groups:
  - leastrole:ci-deployer
";
        assert_eq!(access(&[], &["a", "b"]).aws_auth(), unsure);
    }

    #[test]
    fn roles_of_identity_center_are_named_as_each_side_wants_them() {
        let role = "arn:aws:iam::111122223333:role/AWSReservedSSO_Dev_1bd3786dce786114";
        let access = RoleAccess::new(IamArn::parse(role).unwrap(), [], "g", []);
        assert_eq!(
            access.update_command(Some("demo")),
            "aws eks update-access-entry --cluster-name demo --principal-arn \
             'arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/<REGION>/\
             AWSReservedSSO_Dev_1bd3786dce786114' --kubernetes-groups g"
        );
        assert!(access.aws_auth().starts_with(&format!("- rolearn: {role}\n")));
    }

    #[test]
    fn hostile_groups_stay_one_word_on_one_line() {
        let cases = [
            ("a b", r#"'["a b","leastrole:ci-deployer"]'"#),
            ("$(id)", r#"'["$(id)","leastrole:ci-deployer"]'"#),
            ("it's", r#"'["it'\''s","leastrole:ci-deployer"]'"#),
            ("--debug", r#"'["--debug","leastrole:ci-deployer"]'"#),
            ("file:///etc/passwd", r#"'["file:///etc/passwd","leastrole:ci-deployer"]'"#),
            ("=ls", r#"'["=ls","leastrole:ci-deployer"]'"#),
            ("", r#"'["","leastrole:ci-deployer"]'"#),
            ("a\nb", r#"'["a\nb","leastrole:ci-deployer"]'"#),
            ("\u{1b}[2J", r#"'["\u001b[2J","leastrole:ci-deployer"]'"#),
            ("a\u{2028}'\\", r#"$'["a\U00002028\'\\\\","leastrole:ci-deployer"]'"#),
        ];
        for (group, expected) in cases {
            let command = access(&[group], &[]).update_command(Some("demo"));
            let (_, words) = command.split_once("--kubernetes-groups ").unwrap();
            assert_eq!(words, expected, "{group:?}");
        }
        let command = access(&[], &[]).update_command(Some("a\nb; rm -rf ~"));
        assert!(command.contains(r"--cluster-name $'a\U0000000ab; rm -rf ~' "), "{command}");
    }

    #[test]
    fn hostile_groups_and_usernames_survive_yaml() {
        let every_kind: String = (0..0x3000).filter_map(char::from_u32).collect();
        let cases = ["yes", "a: b", "- x", "{{SessionName}}", "a\nb", "'", "#", "*a", &every_kind];
        for hostile in cases {
            let yaml = access(&[hostile], &[hostile]).aws_auth();
            let read: Vec<serde_json::Value> = serde_saphyr::from_str(&yaml).unwrap();
            assert_eq!(read.len(), 1);
            assert_eq!(read[0]["username"], hostile, "{yaml}");
            assert_eq!(read[0]["groups"].as_array().unwrap().len(), 2, "{yaml}");
        }
    }
}
