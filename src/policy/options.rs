//! The choices that shape the objects. Every default is the narrowest that lets a
//! rerun of the observed workload pass.

use wildmatch::WildMatch;

use super::{Assumption, GroupTemplate};
use crate::eks::AuditPolicy;
use crate::usage::Version;

/// What the user decided.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which resource names are kept.
    pub names: Names,
    /// Where grants hold.
    pub scope: Scope,
    /// Which verbs are added.
    pub verbs: Verbs,
    /// Only needs in these namespaces; empty for all.
    pub namespaces: Vec<WildMatch>,
    /// Also grant what was refused.
    pub include_denied: bool,
    /// Leave out needs whose requests never once succeeded.
    pub succeeded_only: bool,
    /// Keep what every authenticated caller holds anyway.
    pub keep_default_grants: bool,
    /// The cluster's version; nothing to take it from the log.
    pub version: Option<Version>,
    /// The groups that IAM roles are bound through.
    pub group_template: GroupTemplate,
    /// Blind spots to grant.
    pub assume: Vec<Assumption>,
    /// What the cluster logs. Without it, the policy of EKS is taken, unless the log
    /// refutes that.
    pub audit_policy: Option<AuditPolicy>,
}

/// The defaults of the command line, with the audit policy of EKS.
impl Default for Options {
    fn default() -> Self {
        Self {
            names: Names::default(),
            scope: Scope::default(),
            verbs: Verbs::default(),
            namespaces: Vec::new(),
            include_denied: false,
            succeeded_only: false,
            keep_default_grants: false,
            version: None,
            group_template: GroupTemplate::default(),
            assume: Vec::new(),
            audit_policy: None,
        }
    }
}

impl Options {
    /// The audit policy to reckon with.
    pub fn audit_policy(&self) -> &AuditPolicy {
        self.audit_policy.as_ref().unwrap_or_else(|| AuditPolicy::eks())
    }
}

/// Which resource names are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Names {
    /// All of them.
    Exact,
    /// Those that a person chose; generated names are gone at the next run.
    #[default]
    Auto,
    /// None, but for those that bound an escalation.
    Any,
}

/// Where grants hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Scope {
    /// In the namespaces where they were used.
    #[default]
    Exact,
    /// In the whole cluster.
    Cluster,
}

/// Which verbs are added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Verbs {
    /// None.
    #[default]
    Exact,
    /// `list` where there is `watch` and the other way round: an informer that starts
    /// with a streaming watch falls back to list and watch.
    Informer,
}
