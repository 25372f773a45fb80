//! The policy file: YAML or JSON in, a validated policy out. The checks are those of
//! the API server (`k8s.io/apiserver/pkg/apis/audit/validation`), and fields that it
//! does not know are refused: a misspelt one would make its rule match everything.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::{AuditPolicy, GroupResources, Level, Rule, Stage, Target};

/// Why a policy file cannot be used. The file's author is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditPolicyError {
    /// Neither YAML nor JSON, or not the fields of a policy.
    #[error("not an audit policy: {0}")]
    Syntax(String),
    /// Another version, or another API altogether.
    #[error("apiVersion is {0:?}, not audit.k8s.io/v1 or audit.k8s.io/v1beta1")]
    ApiVersion(String),
    /// Another object.
    #[error("kind is {0:?}, not Policy")]
    Kind(String),
    /// The API server does not start with such a policy either.
    #[error("the policy has no rules")]
    NoRules,
    /// One rule says what it cannot mean.
    #[error("rules[{index}]: {error}")]
    Rule {
        /// The rule's place, counted from 0 as the API server does.
        index: usize,
        /// What is wrong with it.
        error: AuditRuleError,
    },
}

/// What is wrong with one rule of a policy.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditRuleError {
    /// It is about resources and about URLs.
    #[error("nonResourceURLs cannot stand beside resources or namespaces")]
    ResourcesAndUrls,
    /// A version or a wildcard in the group.
    #[error("group {0:?} is not the name of an API group, without version or wildcard")]
    Group(String),
    /// Names of nothing.
    #[error("resourceNames needs at least one resource")]
    NamesWithoutResource,
    /// Not a path.
    #[error("nonResourceURL {0:?} does not start with a slash")]
    RelativeUrl(String),
    /// A wildcard that the API server would take literally.
    #[error("nonResourceURL {0:?} has a `*` before its end")]
    InnerWildcard(String),
}

impl AuditPolicy {
    /// Reads a policy file of `audit.k8s.io/v1` or `v1beta1`, whose fields are the same.
    pub fn parse(yaml: &str) -> Result<Self, AuditPolicyError> {
        let options = serde_saphyr::options! { with_snippet: false };
        let file: PolicyFile = serde_saphyr::from_str_with_options(yaml, options)
            .map_err(|error| AuditPolicyError::Syntax(error.to_string()))?;
        if !matches!(&*file.api_version, "audit.k8s.io/v1" | "audit.k8s.io/v1beta1") {
            return Err(AuditPolicyError::ApiVersion(file.api_version));
        }
        if file.kind != "Policy" {
            return Err(AuditPolicyError::Kind(file.kind));
        }
        if file.rules.is_empty() {
            return Err(AuditPolicyError::NoRules);
        }
        let omitted = &file.omit_stages;
        let rules = file.rules.into_iter().enumerate().map(|(index, rule)| {
            rule.validated(omitted).map_err(|error| AuditPolicyError::Rule { index, error })
        });
        Ok(Self { rules: rules.collect::<Result<_, _>>()? })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PolicyFile {
    api_version: String,
    kind: String,
    #[serde(default, rename = "metadata")]
    _metadata: IgnoredAny,
    #[serde(default, deserialize_with = "list")]
    rules: Vec<RuleFile>,
    #[serde(default, deserialize_with = "list")]
    omit_stages: Vec<Stage>,
    #[serde(default, rename = "omitManagedFields")]
    _omit_managed_fields: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RuleFile {
    level: Level,
    #[serde(default, deserialize_with = "list")]
    users: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    user_groups: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    verbs: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    resources: Vec<GroupResources>,
    #[serde(default, deserialize_with = "list")]
    namespaces: Vec<String>,
    #[serde(default, deserialize_with = "list", rename = "nonResourceURLs")]
    non_resource_urls: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    omit_stages: Vec<Stage>,
    #[serde(default, rename = "omitManagedFields")]
    _omit_managed_fields: IgnoredAny,
}

impl RuleFile {
    fn validated(mut self, omitted_by_policy: &[Stage]) -> Result<Rule, AuditRuleError> {
        self.resources.iter().try_for_each(check_group)?;
        self.non_resource_urls.iter().try_for_each(|url| check_url(url))?;
        self.omit_stages.extend(omitted_by_policy);
        Ok(Rule {
            level: self.level,
            target: target(self.namespaces, self.resources, self.non_resource_urls)?,
            users: self.users,
            user_groups: self.user_groups,
            verbs: self.verbs,
            omit_stages: self.omit_stages,
        })
    }
}

fn target(
    namespaces: Vec<String>,
    groups: Vec<GroupResources>,
    urls: Vec<String>,
) -> Result<Target, AuditRuleError> {
    match (namespaces.is_empty() && groups.is_empty(), urls.is_empty()) {
        (true, true) => Ok(Target::All),
        (true, false) => Ok(Target::Urls(urls)),
        (false, true) => Ok(Target::Resources { namespaces, groups }),
        (false, false) => Err(AuditRuleError::ResourcesAndUrls),
    }
}

fn check_group(entry: &GroupResources) -> Result<(), AuditRuleError> {
    let dns = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if !entry.group.chars().all(dns) {
        return Err(AuditRuleError::Group(entry.group.clone()));
    }
    if !entry.resource_names.is_empty() && entry.resources.is_empty() {
        return Err(AuditRuleError::NamesWithoutResource);
    }
    Ok(())
}

fn check_url(url: &str) -> Result<(), AuditRuleError> {
    if url == "*" {
        return Ok(());
    }
    if !url.starts_with('/') {
        return Err(AuditRuleError::RelativeUrl(url.to_owned()));
    }
    if url.strip_suffix('*').unwrap_or(url).contains('*') {
        return Err(AuditRuleError::InnerWildcard(url.to_owned()));
    }
    Ok(())
}

/// A list, where `null` is an empty one as in the API server.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(yaml: &str) -> String {
        AuditPolicy::parse(yaml).unwrap_err().to_string()
    }

    #[test]
    fn a_policy_may_be_written_in_full() {
        let yaml = "
            apiVersion: audit.k8s.io/v1
            kind: Policy
            metadata: {name: default, annotations: {a: b}}
            omitManagedFields: true
            omitStages: [RequestReceived]
            rules:
              - level: None
                users: [a]
                userGroups: [g]
                verbs: [get]
                namespaces:
                resources:
                  - {group: apps, resources: [deployments], resourceNames: [d]}
                omitStages: [ResponseStarted]
                omitManagedFields: false
              - level: Metadata
                nonResourceURLs: ['*', '/healthz*', /version]
        ";
        let policy = AuditPolicy::parse(yaml).unwrap();
        assert_eq!(policy.rules.len(), 2);
        assert_eq!(policy.rules[0].omit_stages, [Stage::ResponseStarted, Stage::RequestReceived]);
        let json =
            r#"{"apiVersion":"audit.k8s.io/v1beta1","kind":"Policy","rules":[{"level":"None"}]}"#;
        assert_eq!(AuditPolicy::parse(json).unwrap().rules.len(), 1);
    }

    #[test]
    fn a_wrong_rule_is_named() {
        let cases = [
            (
                "{level: None}, {level: None, nonResourceURLs: [x]}",
                "rules[1]: nonResourceURL \"x\" does not start with a slash",
            ),
            (
                "{level: None, nonResourceURLs: ['/a*b']}",
                "rules[0]: nonResourceURL \"/a*b\" has a `*` before its end",
            ),
            (
                "{level: None, nonResourceURLs: ['/a**']}",
                "rules[0]: nonResourceURL \"/a**\" has a `*` before its end",
            ),
            (
                "{level: None, nonResourceURLs: [/a], namespaces: [ns]}",
                "rules[0]: nonResourceURLs cannot stand beside resources or namespaces",
            ),
            (
                "{level: None, resources: [{group: apps/v1}]}",
                "rules[0]: group \"apps/v1\" is not the name of an API group, without version or wildcard",
            ),
            (
                "{level: None, resources: [{group: '*'}]}",
                "rules[0]: group \"*\" is not the name of an API group, without version or wildcard",
            ),
            (
                "{level: None, resources: [{resourceNames: [a]}]}",
                "rules[0]: resourceNames needs at least one resource",
            ),
        ];
        for (rules, expected) in cases {
            let yaml = format!("{{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{rules}]}}");
            assert_eq!(error(&yaml), expected, "{rules}");
        }
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        let cases = [
            ("{apiVersion: audit.k8s.io/v1, kind: Policy, rules: []}", "the policy has no rules"),
            ("{apiVersion: audit.k8s.io/v1, kind: Policy}", "the policy has no rules"),
            (
                "{apiVersion: audit.k8s.io/v1, kind: Event, rules: []}",
                "kind is \"Event\", not Policy",
            ),
            (
                "{apiVersion: v1, kind: Policy}",
                "apiVersion is \"v1\", not audit.k8s.io/v1 or audit.k8s.io/v1beta1",
            ),
        ];
        for (yaml, expected) in cases {
            assert_eq!(error(yaml), expected);
        }
        let unreadable = [
            "",
            "- a",
            "{",
            "{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{}]}",
            "{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: none}]}",
            "{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, userGroup: [a]}]}",
            "{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, omitStages: [Done]}]}",
        ];
        for yaml in unreadable {
            let message = error(yaml);
            assert!(message.starts_with("not an audit policy: "), "{yaml}: {message}");
            assert!(!message.contains('\n'), "{yaml}: {message}");
        }
    }

    #[test]
    fn nesting_and_aliases_are_bounded() {
        let deep = format!("metadata: {}1{}", "[".repeat(5_000), "]".repeat(5_000));
        assert!(error(&deep).starts_with("not an audit policy: "));
        let level = |n| format!(" a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1);
        let levels: Vec<String> = (1..40).map(level).collect();
        let bomb = format!(
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nmetadata:\n a0: &a0 [x]\n{}",
            levels.concat()
        );
        assert!(error(&bomb).starts_with("not an audit policy: "));
    }
}
