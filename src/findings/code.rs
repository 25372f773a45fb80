//! Every kind of finding: its stable code, its severity and what it means in a sentence.
//! The page `docs/findings.md` has a heading for each.

use std::fmt;

/// How much a finding matters. The words are those of SARIF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// More is granted than was used, or something dangerous is granted.
    Warning,
    /// Something that was used would be refused, or an object cannot be applied.
    Error,
}

impl Severity {
    /// All, the worst last.
    pub const ALL: [Self; 3] = [Self::Note, Self::Warning, Self::Error];

    /// The stable word.
    pub fn label(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

macro_rules! codes {
    ($($name:ident = $label:literal, $severity:ident, $meaning:literal;)*) => {
        /// The kind of a finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// All codes, in the order of a report.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable kebab-case word.
            pub fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }

            /// How much it matters.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it means, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    MissingNeed = "missing-need", Error, "Something that was used is not granted.";
    MissingBinding = "missing-binding", Note, "An identity used something, and nothing here binds it.";
    ObjectMalformed = "object-malformed", Error, "An object has a field of the wrong type and is left out.";
    ObjectUnknownVersion = "object-unknown-version", Error, "An RBAC object is of an API version that is not known and is left out.";
    ObjectInvalid = "object-invalid", Error, "The API server would refuse an object.";
    ObjectDuplicate = "object-duplicate", Warning, "An object is defined twice; the later definition counts.";
    BindingDangling = "binding-dangling", Warning, "A binding grants nothing, because its role is not there.";
    BindingWithoutSubjects = "binding-without-subjects", Note, "A binding gives its role to nobody.";
    AggregationEmpty = "aggregation-empty", Warning, "An aggregated ClusterRole selects no other role and grants nothing.";
    RoleUnbound = "role-unbound", Note, "No binding gives the role to anybody.";
    UnusedBinding = "unused-binding", Warning, "Nothing that the binding gives was used by anybody it reaches.";
    UnusedSubject = "unused-subject", Warning, "One subject of a binding used nothing of what it gives.";
    UnusedRole = "unused-role", Warning, "Nothing in the role was used by anybody who holds it.";
    UnusedRule = "unused-rule", Warning, "Nothing in a rule was used.";
    UnusedResource = "unused-resource", Warning, "A resource of a rule was not used.";
    UnusedVerb = "unused-verb", Warning, "A verb of a rule was not used.";
    UnusedName = "unused-name", Warning, "A resource name of a rule was not used.";
    UnusedUrl = "unused-url", Warning, "A non-resource URL of a rule was not used.";
    UnseenSubject = "unseen-subject", Note, "A subject made no request that the log shows.";
    WideWildcard = "wide-wildcard", Warning, "A wildcard is granted where a short list was used.";
    WideNames = "wide-names", Warning, "Every name is granted where a few were used.";
    WideScope = "wide-scope", Warning, "The whole cluster is granted where a few namespaces were used.";
    OutsideBinding = "outside-binding", Note, "A binding that is not among the manifests allowed requests in the log.";
    OutsideAccessPolicy = "outside-access-policy", Note, "An EKS access policy allowed requests in the log.";
    OutsideAuthorizer = "outside-authorizer", Note, "An authorizer other than RBAC allowed requests in the log.";
    OutsideSystemMasters = "outside-system-masters", Note, "Membership in system:masters allowed requests in the log.";
    RiskClusterAdmin = "risk-cluster-admin", Warning, "Everything in the whole cluster is granted.";
    RiskWildcard = "risk-wildcard", Warning, "A wildcard grants what nobody listed, and what is still to come.";
    RiskSecretsRead = "risk-secrets-read", Warning, "Every Secret of a scope can be read.";
    RiskWorkloadCreate = "risk-workload-create", Warning, "Pods can be made, and with them whatever any service account of the namespace may do.";
    RiskPodExec = "risk-pod-exec", Warning, "Commands can be run in pods, or connections be made to them.";
    RiskTokenCreate = "risk-token-create", Warning, "Tokens of service accounts can be had.";
    RiskImpersonate = "risk-impersonate", Warning, "Requests can be made as someone else.";
    RiskEscalate = "risk-escalate", Warning, "Rights can be handed out that one does not hold.";
    RiskRbacWrite = "risk-rbac-write", Warning, "Roles or bindings can be changed.";
    RiskNodesProxy = "risk-nodes-proxy", Warning, "The kubelets can be called, which runs commands in every pod and leaves no audit event.";
    RiskNodeWrite = "risk-node-write", Warning, "Nodes can be changed or deleted, which moves workloads and unlocks taints.";
    RiskCertificateApprove = "risk-certificate-approve", Warning, "Client certificates can be issued for any name.";
    RiskAdmissionWrite = "risk-admission-write", Warning, "Admission can be changed: webhooks and policies see and change every request.";
    RiskPersistentVolumeCreate = "risk-persistent-volume-create", Warning, "Volumes can be made that show the files of a node.";
    RiskNamespaceWrite = "risk-namespace-write", Warning, "Labels of namespaces can be changed, and with them the security level of pods.";
    RiskAwsAuthWrite = "risk-aws-auth-write", Warning, "aws-auth can be changed, and with it any IAM identity made an administrator.";
    RiskAnonymous = "risk-anonymous", Warning, "Something is granted to callers who did not authenticate.";
    RiskEverybody = "risk-everybody", Warning, "Something is granted to everybody who authenticated, or to every service account.";
    RiskDefaultAccount = "risk-default-account", Note, "Something is granted to the default account of a namespace, which every pod has unless told otherwise.";
    BaselineStale = "baseline-stale", Warning, "A finding that the baseline accepts no longer occurs.";
}

impl Code {
    /// The code of that label.
    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.label() == label)
    }

    /// Whether it tells of a right that is dangerous by itself.
    pub fn is_risk(self) -> bool {
        self.label().starts_with("risk-")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let labels: BTreeSet<&str> = Code::ALL.iter().map(|code| code.label()).collect();
        assert_eq!(labels.len(), Code::ALL.len());
        for label in labels {
            assert!(label.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{label}");
            assert_eq!(Code::from_label(label).unwrap().label(), label);
        }
    }

    #[test]
    fn every_code_has_its_heading_and_severity_in_the_documentation() {
        let page = include_str!("../../docs/findings.md");
        for &code in Code::ALL {
            let heading = format!("\n### {code}\n\nSeverity: {}.", code.severity());
            assert!(page.contains(&heading), "docs/findings.md lacks {heading:?}");
        }
        let headings = page.lines().filter(|line| line.starts_with("### ")).count();
        assert_eq!(headings, Code::ALL.len(), "docs/findings.md has a heading too many");
    }
}
