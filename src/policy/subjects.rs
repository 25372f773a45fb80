//! Who is bound: the RBAC subject of an identity, and the requester it stands for.

use std::collections::BTreeMap;
use std::str::FromStr;

use k8s_openapi::api::rbac::v1::Subject;

use crate::eks::IamArn;
use crate::rbac::{RBAC_GROUP, Requester};
use crate::usage::{Facts, Identity, Usage};

/// How the group of an IAM role is called: `{role}` and `{account}` are filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupTemplate(String);

impl Default for GroupTemplate {
    fn default() -> Self {
        Self("leastrole:{role}".to_owned())
    }
}

impl FromStr for GroupTemplate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("system:") {
            return Err("EKS refuses groups that start with `system:`".to_owned());
        }
        if !text.contains("{role}") {
            return Err("the template must hold `{role}`, or all roles share one group".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl GroupTemplate {
    /// Whether the template tells accounts apart.
    fn has_account(&self) -> bool {
        self.0.contains("{account}")
    }

    fn fill(&self, role: &IamArn<'_>, shared: bool) -> String {
        let group = self.0.replace("{role}", role.name()).replace("{account}", role.account());
        if shared && !self.has_account() { format!("{group}:{}", role.account()) } else { group }
    }
}

/// The subject of every identity.
#[derive(Debug)]
pub(super) struct Subjects {
    template: GroupTemplate,
    /// How many accounts have a role of this name.
    accounts: BTreeMap<String, usize>,
}

impl Subjects {
    /// Roles of one name in several accounts must not share a group, so all are looked at first.
    pub(super) fn new(usage: &Usage, template: &GroupTemplate) -> Self {
        let mut accounts = BTreeMap::new();
        for (identity, _) in usage.sorted() {
            if let Identity::IamRole { arn } = identity
                && let Some(role) = IamArn::parse(arn)
            {
                *accounts.entry(role.name().to_owned()).or_default() += 1;
            }
        }
        Self { template: template.clone(), accounts }
    }

    /// The group that an IAM identity is bound through, unless it binds as a user.
    pub(super) fn group(&self, identity: &Identity, facts: &Facts) -> Option<String> {
        let arn = match identity {
            Identity::IamRole { arn } => arn,
            Identity::IamUser { arn } if facts.usernames.single().is_none() => arn,
            _ => return None,
        };
        let role = IamArn::parse(arn)?;
        let shared = self.accounts.get(role.name()).is_some_and(|&count| count > 1);
        Some(self.template.fill(&role, shared))
    }
}

/// The subject of an identity, given the group it is bound through, if any.
pub fn subject(identity: &Identity, facts: &Facts, group: Option<&str>) -> Subject {
    let named = |kind: &str, name: &str| Subject {
        api_group: Some(RBAC_GROUP.to_owned()),
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: None,
    };
    match (identity, group) {
        (_, Some(group)) => named("Group", group),
        (Identity::ServiceAccount { namespace, name }, None) => Subject {
            api_group: None,
            kind: "ServiceAccount".to_owned(),
            name: name.to_string(),
            namespace: Some(namespace.to_string()),
        },
        (Identity::User { name }, None) => named("User", name),
        (Identity::IamRole { arn } | Identity::IamUser { arn }, None) => {
            named("User", facts.usernames.single().unwrap_or(arn))
        }
    }
}

/// The requester that the proof asks for: the subject and nothing else that could
/// allow anything.
pub(super) fn requester(identity: &Identity, subject: &Subject) -> Requester {
    match identity {
        Identity::ServiceAccount { namespace, name } => Requester::service_account(namespace, name),
        _ if subject.kind == "Group" => Requester::new(
            identity.name(),
            [subject.name.clone(), "system:authenticated".to_owned()],
        ),
        _ => Requester::new(subject.name.clone(), ["system:authenticated"]),
    }
}

/// The names by which a user may mean an identity: `namespace:name`, ARN, role or user
/// name, username.
pub(super) fn known_names(identity: &Identity, facts: &Facts) -> Vec<String> {
    let mut names = vec![identity.name()];
    if let Identity::IamRole { arn } | Identity::IamUser { arn } = identity {
        names.extend(IamArn::parse(arn).map(|arn| arn.name().to_owned()));
        names.extend(facts.usernames.iter().map(str::to_owned));
    }
    names
}
