//! What a cluster's audit policy lets be seen: the level at which a request was
//! logged, or would have been. In: a policy file, or the one that EKS documents. Out:
//! a level for a caller and a permission. Matching is that of the API server
//! (`k8s.io/apiserver/pkg/audit/policy/checker.go`); nothing is guessed where a rule
//! does not match.

mod file;
mod hidden;

use std::sync::LazyLock;

use serde::Deserialize;

use crate::rbac::{Atom, ResourceAtom};

pub use file::{AuditPolicyError, AuditRuleError};

/// A validated `audit.k8s.io` policy.
#[derive(Clone, Debug)]
pub struct AuditPolicy {
    rules: Vec<Rule>,
}

/// How much of a request the API server logs.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    None,
    /// Who did what, without bodies.
    Metadata,
    /// The request body as well.
    Request,
    /// Both bodies.
    RequestResponse,
}

impl AuditPolicy {
    /// The policy that EKS documents for its control plane. It cannot be changed there.
    pub fn eks() -> &'static Self {
        static EKS: LazyLock<AuditPolicy> = LazyLock::new(|| {
            AuditPolicy::parse(include_str!("eks.yaml")).expect("the built-in policy is valid")
        });
        &EKS
    }

    /// The level at which the outcome of a request shows in the log.
    ///
    /// As in the API server, the first rule that matches decides, and what no rule
    /// matches is not logged. A rule that leaves out every stage with an outcome
    /// counts as [`Level::None`]: a request of unknown outcome proves nothing.
    pub fn level(&self, username: &str, groups: &[impl AsRef<str>], atom: &Atom) -> Level {
        self.level_of(&self.concerning(username, groups, atom.namespace()), atom)
    }

    /// The rules that can decide on what somebody does in a namespace.
    pub fn concerning(
        &self,
        username: &str,
        groups: &[impl AsRef<str>],
        namespace: &str,
    ) -> Concerning {
        let rules = self.rules.iter().enumerate();
        let concerns = rules.filter(|(_, rule)| rule.concerns(username, groups, namespace));
        Concerning(concerns.map(|(index, _)| index).collect())
    }

    /// As [`level`](Self::level), for whomever and wherever these rules are about.
    pub fn level_of(&self, rules: &Concerning, atom: &Atom) -> Level {
        let mut rules = rules.0.iter().map(|&index| &self.rules[index]);
        rules
            .find(|rule| rule.covers(atom))
            .filter(|rule| rule.shows_outcome(atom))
            .map_or(Level::None, |rule| rule.level)
    }
}

/// The rules of a policy that are about somebody in a namespace, in order. Most callers have
/// theirs in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Concerning(Vec<usize>);

/// One rule. An empty list of users, groups or verbs stands for all of them.
#[derive(Clone, Debug)]
struct Rule {
    level: Level,
    users: Vec<String>,
    user_groups: Vec<String>,
    verbs: Vec<String>,
    target: Target,
    /// Those of the policy included.
    omit_stages: Vec<Stage>,
}

#[derive(Clone, Debug)]
enum Target {
    All,
    Resources {
        /// The empty string stands for what has no namespace.
        namespaces: Vec<String>,
        groups: Vec<GroupResources>,
    },
    Urls(Vec<String>),
}

/// Resources of one API group. No resources means all, subresources included.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GroupResources {
    #[serde(default)]
    group: String,
    #[serde(default, deserialize_with = "file::list")]
    resources: Vec<String>,
    #[serde(default, deserialize_with = "file::list")]
    resource_names: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
enum Stage {
    RequestReceived,
    ResponseStarted,
    ResponseComplete,
    Panic,
}

impl Rule {
    fn concerns(&self, username: &str, groups: &[impl AsRef<str>], namespace: &str) -> bool {
        all_or_contains(&self.users, username)
            && (self.user_groups.is_empty()
                || groups.iter().any(|group| contains(&self.user_groups, group.as_ref())))
            && self.target.is_in(namespace)
    }

    fn covers(&self, atom: &Atom) -> bool {
        all_or_contains(&self.verbs, atom.verb()) && self.target.covers(atom)
    }

    fn shows_outcome(&self, atom: &Atom) -> bool {
        let shows = |stage| !self.omit_stages.contains(&stage);
        shows(Stage::ResponseComplete) || (long_running(atom) && shows(Stage::ResponseStarted))
    }
}

impl Target {
    fn is_in(&self, namespace: &str) -> bool {
        match self {
            Self::Resources { namespaces, .. } => all_or_contains(namespaces, namespace),
            Self::All | Self::Urls(_) => true,
        }
    }

    /// Whether it is about the permission, wherever that is.
    fn covers(&self, atom: &Atom) -> bool {
        match (self, atom) {
            (Self::All, _) => true,
            (Self::Resources { groups, .. }, Atom::Resource(atom)) => {
                groups.is_empty() || groups.iter().any(|group| group.matches(atom))
            }
            (Self::Urls(specs), Atom::Url(atom)) => {
                specs.iter().any(|spec| url_matches(spec, &atom.path))
            }
            (Self::Resources { .. }, Atom::Url(_)) | (Self::Urls(_), Atom::Resource(_)) => false,
        }
    }
}

impl GroupResources {
    fn matches(&self, atom: &ResourceAtom) -> bool {
        *self.group == *atom.group
            && (self.resources.is_empty()
                || (all_or_contains(&self.resource_names, &atom.name)
                    && self.resources.iter().any(|spec| resource_matches(spec, &atom.resource))))
    }
}

/// `pods`, `pods/log`, `*` for everything, `*/log` for that subresource of anything,
/// `pods/*` for pods with and without subresource.
fn resource_matches(spec: &str, resource: &str) -> bool {
    if spec == resource || spec == "*" {
        return true;
    }
    let (parent, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    spec.strip_suffix("/*") == Some(parent)
        || (!subresource.is_empty() && spec.strip_prefix("*/") == Some(subresource))
}

fn url_matches(spec: &str, path: &str) -> bool {
    spec == path || (spec.ends_with('*') && path.starts_with(spec.trim_end_matches('*')))
}

/// What the API server answers in two stages (its `LongRunningFunc`).
fn long_running(atom: &Atom) -> bool {
    match atom {
        Atom::Resource(atom) => {
            let subresource = atom.resource.split_once('/').map_or("", |(_, after)| after);
            matches!(&*atom.verb, "watch" | "proxy")
                || matches!(subresource, "attach" | "exec" | "log" | "portforward" | "proxy")
        }
        Atom::Url(atom) => atom.path.starts_with("/debug/pprof/"),
    }
}

fn all_or_contains(list: &[String], value: &str) -> bool {
    list.is_empty() || contains(list, value)
}

fn contains(list: &[String], value: &str) -> bool {
    list.iter().any(|item| item == value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rbac::UrlAtom;

    /// `verb group/resource namespace/name`, or `verb /path`.
    fn atom(text: &str) -> Atom {
        let parts: Vec<&str> = text.split(' ').collect();
        let [verb, what, rest @ ..] = &parts[..] else { panic!("{text}") };
        if what.starts_with('/') {
            return UrlAtom { path: (*what).into(), verb: (*verb).into() }.into();
        }
        let (group, resource) = what.split_once(':').unwrap_or(("", what));
        let (namespace, name) = rest.first().map_or(("", ""), |at| at.split_once('/').unwrap());
        ResourceAtom {
            namespace: namespace.into(),
            group: group.into(),
            resource: resource.into(),
            name: name.into(),
            verb: (*verb).into(),
        }
        .into()
    }

    fn level_of(policy: &AuditPolicy, username: &str, groups: &[&str], text: &str) -> Level {
        policy.level(username, groups, &atom(text))
    }

    #[test]
    fn the_policy_of_eks_hides_what_it_is_known_to_hide() {
        let cases = [
            ("a", "create events ns/", Level::None),
            ("a", "create events.k8s.io:events ns/", Level::Metadata),
            ("a", "get /healthz", Level::None),
            ("a", "get /healthz/etcd", Level::None),
            ("a", "get /version", Level::None),
            ("a", "get /version/", Level::Metadata),
            ("a", "get /swagger.json", Level::None),
            ("a", "get /livez", Level::Metadata),
            ("a", "get /metrics", Level::Metadata),
            ("a", "get nodes /n", Level::Request),
            ("kubelet", "get nodes /n", Level::None),
            ("a", "get secrets ns/s", Level::Metadata),
            ("a", "create configmaps ns/", Level::Metadata),
            ("a", "update configmaps kube-system/aws-auth", Level::RequestResponse),
            ("a", "get configmaps kube-system/aws-auth", Level::Metadata),
            ("a", "update configmaps kube-system/other", Level::Metadata),
            ("a", "create authentication.k8s.io:tokenreviews", Level::Metadata),
            ("a", "create serviceaccounts/token ns/sa", Level::Request),
            ("a", "list pods ns/", Level::Request),
            ("a", "get pods/log ns/p", Level::Request),
            ("a", "create pods/exec ns/p", Level::RequestResponse),
            ("a", "create rbac.authorization.k8s.io:roles ns/", Level::RequestResponse),
            (
                "a",
                "update certificates.k8s.io:certificatesigningrequests/approval /c",
                Level::RequestResponse,
            ),
            ("a", "update coordination.k8s.io:leases ns/l", Level::Metadata),
            ("a", "create shop.example.com:orders ns/", Level::Metadata),
            ("a", "patch resource.k8s.io:resourceclaims/status ns/c", Level::Metadata),
            ("system:kube-proxy", "watch endpoints", Level::None),
            ("system:kube-controller-manager", "list metrics.k8s.io:pods", Level::None),
        ];
        let policy = AuditPolicy::eks();
        for (username, text, expected) in cases {
            let groups = ["system:authenticated"];
            assert_eq!(level_of(policy, username, &groups, text), expected, "{username} {text}");
        }
        assert_eq!(
            level_of(policy, "system:node:n", &["system:nodes"], "get nodes /n"),
            Level::None
        );
    }

    fn matches(rule: &str, username: &str, groups: &[&str], text: &str) -> bool {
        let policy = format!(
            "{{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{{level: Request, {rule}}}]}}"
        );
        let policy = AuditPolicy::parse(&policy).unwrap();
        level_of(&policy, username, groups, text) == Level::Request
    }

    #[test]
    fn resources_match_as_in_the_api_server() {
        let cases = [
            ("pods", "get pods ns/p", true),
            ("pods", "get pods/log ns/p", false),
            ("pods/log", "get pods/log ns/p", true),
            ("pods/log", "get pods ns/p", false),
            ("pods/*", "get pods/log ns/p", true),
            ("pods/*", "get pods ns/p", true),
            ("pods/*", "get podsets/log ns/p", false),
            ("'*/log'", "get pods/log ns/p", true),
            ("'*/log'", "get pods ns/p", false),
            ("'*/log'", "get log ns/p", false),
            ("'*'", "get pods ns/p", true),
            ("'*'", "get pods/log ns/p", true),
            ("'*'", "get apps:deployments ns/d", false),
            ("'*/*'", "get pods/log ns/p", false),
            ("'*'", "get /metrics", false),
        ];
        for (spec, text, expected) in cases {
            let rule = format!("resources: [{{group: '', resources: [{spec}]}}]");
            assert_eq!(matches(&rule, "a", &[], text), expected, "{spec} {text}");
        }
    }

    #[test]
    fn rules_match_as_in_the_api_server() {
        let cases = [
            ("", "get pods ns/p", true),
            ("", "get /metrics", true),
            ("users: [a]", "get pods ns/p", true),
            ("users: [b]", "get pods ns/p", false),
            ("users: []", "get pods ns/p", true),
            ("userGroups: [h, g]", "get pods ns/p", true),
            ("userGroups: [h]", "get pods ns/p", false),
            ("verbs: [get]", "get /metrics", true),
            ("verbs: ['*']", "get /metrics", false),
            ("verbs: [list]", "get pods ns/p", false),
            ("namespaces: [ns]", "get pods ns/p", true),
            ("namespaces: [ns]", "get pods", false),
            ("namespaces: ['']", "get nodes /n", true),
            ("namespaces: ['']", "get pods ns/p", false),
            ("namespaces: ['']", "get /metrics", false),
            ("resources: [{group: apps}]", "get apps:deployments/scale ns/d", true),
            ("resources: [{group: apps}]", "get pods ns/p", false),
            ("resources: [{}]", "get pods ns/p", true),
            ("resources: [{resources: [pods], resourceNames: [p]}]", "get pods ns/p", true),
            ("resources: [{resources: [pods], resourceNames: [p]}]", "get pods ns/q", false),
            ("resources: [{resources: [pods], resourceNames: [p]}]", "list pods ns/", false),
            ("resources: [{group: ''}, {group: apps}]", "get apps:deployments ns/d", true),
            ("namespaces: [other], resources: [{group: ''}]", "get pods ns/p", false),
            ("nonResourceURLs: [/metrics]", "get /metrics", true),
            ("nonResourceURLs: [/metrics]", "get /metrics/", false),
            ("nonResourceURLs: ['/m*']", "get /metrics", true),
            ("nonResourceURLs: ['*']", "get /metrics", true),
            ("nonResourceURLs: ['*']", "get pods ns/p", false),
        ];
        for (rule, text, expected) in cases {
            assert_eq!(matches(rule, "a", &["g"], text), expected, "{rule} {text}");
        }
    }

    #[test]
    fn the_first_matching_rule_decides_and_none_is_the_default() {
        let policy = AuditPolicy::parse(
            "apiVersion: audit.k8s.io/v1beta1\nkind: Policy\nrules:\n\
             - {level: None, verbs: [get]}\n\
             - {level: Metadata, users: [a]}\n\
             - {level: RequestResponse, users: [a]}\n",
        )
        .unwrap();
        assert_eq!(level_of(&policy, "a", &[], "get pods ns/p"), Level::None);
        assert_eq!(level_of(&policy, "a", &[], "list pods ns/"), Level::Metadata);
        assert_eq!(level_of(&policy, "b", &[], "list pods ns/"), Level::None);
    }

    #[test]
    fn a_request_without_a_logged_outcome_is_not_seen() {
        let cases = [
            ("[RequestReceived, Panic]", "get pods ns/p", Level::Metadata),
            ("[ResponseComplete]", "get pods ns/p", Level::None),
            ("[ResponseComplete]", "watch pods ns/", Level::Metadata),
            ("[ResponseComplete]", "create pods/exec ns/p", Level::Metadata),
            ("[ResponseComplete]", "get /debug/pprof/heap", Level::Metadata),
            ("[ResponseComplete, ResponseStarted]", "watch pods ns/", Level::None),
            ("[ResponseStarted]", "watch pods ns/", Level::Metadata),
        ];
        for (stages, text, expected) in cases {
            let head = "apiVersion: audit.k8s.io/v1, kind: Policy";
            let on_policy =
                format!("{{{head}, omitStages: {stages}, rules: [{{level: Metadata}}]}}");
            let on_rule = format!("{{{head}, rules: [{{level: Metadata, omitStages: {stages}}}]}}");
            for policy in [on_policy, on_rule] {
                let parsed = AuditPolicy::parse(&policy).unwrap();
                assert_eq!(level_of(&parsed, "a", &[], text), expected, "{policy} {text}");
            }
        }
    }
}
