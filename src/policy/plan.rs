//! The plan: for every identity, what it needs, what it is granted and what is left
//! open. Everything that is printed is derived from it.

use std::collections::BTreeMap;

use k8s_openapi::api::rbac::v1::Subject;

use super::blind_spots::{Suspect, blind_spots};
use super::needs::{self, Sorted};
use super::objects::object_names;
use super::subjects::{Subjects, subject};
use super::widen::widen;
use super::{Assumption, BlindSpot, Grant, Grants, Options};
use crate::audit::Advice;
use crate::rbac::Atom;
use crate::usage::{Evidence, Facts, Identity, IdentityUsage, Usage, Version};

/// The newest Kubernetes whose checks are known here.
const NEWEST: Version = Version { major: 1, minor: 36 };

/// What is to be granted, to whom, and why.
#[derive(Debug)]
pub struct Plan {
    /// Every identity of the log that was asked for, in order; some get nothing.
    pub identities: Vec<IdentityPlan>,
    /// The Kubernetes version whose checks were followed.
    pub version: Version,
    /// Where the version comes from.
    pub version_source: VersionSource,
    /// What the audit policy never logs, in words; empty where the log shows that the
    /// cluster has another policy.
    pub hidden: Vec<String>,
    /// Assumptions about somebody who is not in the log, as they were given.
    pub about_nobody: Vec<String>,
}

/// Where the Kubernetes version comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionSource {
    /// The user said so.
    Given,
    /// The API server's own requests in the log.
    Log,
    /// Neither: the newest known is assumed.
    Assumed,
}

/// The plan for one identity.
#[derive(Debug)]
pub struct IdentityPlan {
    /// Who.
    pub identity: Identity,
    /// What the log tells about it.
    pub facts: Facts,
    /// The group that it is bound through, for IAM roles.
    pub group: Option<String>,
    /// The RBAC subject.
    pub subject: Subject,
    /// What its objects are called.
    pub object_name: String,
    /// What it needs.
    pub needs: BTreeMap<Atom, Evidence>,
    /// What it is granted under the options.
    pub grants: Grants,
    /// What the log could not show.
    pub blind_spots: Vec<BlindSpot>,
    /// What it was refused.
    pub denied: BTreeMap<Atom, Evidence>,
    /// What a person should decide on.
    pub advice: BTreeMap<Advice, Evidence>,
    /// How many needs every caller holds anyway.
    pub defaults: usize,
    /// How many needs the user left out.
    pub left_out: usize,
}

/// Plans the objects for a log's usage.
pub fn plan(usage: &Usage, options: &Options) -> Plan {
    let (version, version_source) = match (options.version, usage.server) {
        (Some(version), _) => (version, VersionSource::Given),
        (None, Some(version)) => (version, VersionSource::Log),
        (None, None) => (NEWEST, VersionSource::Assumed),
    };
    let subjects = Subjects::new(usage, &options.group_template);
    let identities = usage.sorted();
    let is_about_nobody = |assumption: &&Assumption| {
        let mut identities = identities.iter();
        assumption.identity.is_some()
            && !identities.any(|(identity, used)| assumption.names(identity, &used.facts))
    };
    let about_nobody = options.assume.iter().filter(is_about_nobody).map(ToString::to_string);
    let about_nobody = about_nobody.collect();
    let names = object_names(identities.iter().map(|(identity, _)| *identity));
    let identities = identities
        .into_iter()
        .zip(names)
        .map(|((identity, used), object_name)| {
            let sorted = needs::sort(identity, used, usage, version, options);
            let group = subjects.group(identity, &used.facts);
            assemble(identity, used, sorted, group, object_name, usage, options)
        })
        .collect();
    let is_ours = options.audit_policy.is_some() || !(usage.saw_core_events || usage.saw_probes);
    let hidden = if is_ours { options.audit_policy().hidden() } else { Vec::new() };
    Plan { identities, version, version_source, hidden, about_nobody }
}

fn assemble(
    identity: &Identity,
    used: &IdentityUsage,
    sorted: Sorted,
    group: Option<String>,
    object_name: String,
    usage: &Usage,
    options: &Options,
) -> IdentityPlan {
    let suspect = Suspect { identity, facts: &used.facts, needs: &sorted.needs };
    let blind_spots = blind_spots(suspect, usage, options);
    let assumed = blind_spots.iter().filter(|spot| spot.assumed).flat_map(|spot| &spot.atoms);
    let grants = widen(sorted.needs.keys().chain(assumed), options);
    IdentityPlan {
        identity: identity.clone(),
        facts: used.facts.clone(),
        subject: subject(identity, &used.facts, group.as_deref()),
        group,
        object_name,
        needs: sorted.needs,
        grants,
        blind_spots,
        denied: sorted.denied,
        advice: sorted.advice,
        defaults: sorted.defaults,
        left_out: sorted.left_out,
    }
}

/// Rights that no RBAC object bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    /// Membership in `system:masters`.
    Masters,
    /// An EKS access policy or another authorizer.
    Authorizer,
}

impl Outside {
    /// The stable kebab-case code.
    pub fn label(self) -> &'static str {
        match self {
            Self::Masters => "system-masters",
            Self::Authorizer => "other-authorizer",
        }
    }

    /// What it means and what to do.
    pub fn note(self) -> &'static str {
        match self {
            Self::Masters => {
                "it acted as a member of system:masters, which may do everything: these roles bound \
                 it once it has left that group"
            }
            Self::Authorizer => {
                "something other than RBAC, such as an EKS access policy, allowed it: these roles \
                 bound it once that is taken away"
            }
        }
    }
}

impl IdentityPlan {
    /// What else than RBAC allowed the identity's requests.
    pub fn outside_rbac(&self) -> impl Iterator<Item = Outside> {
        let any = |mark: fn(&Evidence) -> bool| self.needs.values().any(mark);
        let masters = any(|evidence| evidence.bypass).then_some(Outside::Masters);
        let other = any(|evidence| evidence.outside_rbac).then_some(Outside::Authorizer);
        masters.into_iter().chain(other)
    }

    /// The grants that are wider than any need, in order.
    pub fn widenings(&self) -> impl Iterator<Item = (&Atom, &Grant)> {
        self.grants.iter().filter(|(atom, grant)| grant.is_widening(atom))
    }

    /// The atoms granted on the user's word alone.
    pub fn assumed(&self) -> impl Iterator<Item = &Atom> {
        self.blind_spots.iter().filter(|spot| spot.assumed).flat_map(|spot| &spot.atoms)
    }
}
