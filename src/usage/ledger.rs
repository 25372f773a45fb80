//! The usage ledger. Every worker keeps its own; they merge associatively and
//! commutatively, so that no order of events or workers shows in it.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::Hash;
use std::num::ParseIntError;
use std::str::FromStr;

use indexmap::IndexMap;

use super::{Evidence, Facts, Identity, Moment};
use crate::audit::{Advice, ParamKind, ParamRef};
use crate::rbac::Atom;

/// A map whose keys callers choose: the hash is seeded.
pub type Table<K, V> = IndexMap<K, V, foldhash::fast::RandomState>;

/// Everything a log says.
#[derive(Debug, Default)]
pub struct Usage {
    /// By identity.
    pub identities: Table<Identity, IdentityUsage>,
    /// What became of the events.
    pub outcomes: Outcomes,
    /// The newest API server seen.
    pub server: Option<Version>,
    /// The first event's time.
    pub first: Option<Moment>,
    /// The last event's time.
    pub last: Option<Moment>,
    /// The parameter kinds of the admission policies seen.
    pub param_kinds: BTreeSet<ParamKind>,
    /// A request on core events was logged, by whomever.
    pub saw_core_events: bool,
    /// A request to `/version` or `/healthz` was logged, by whomever.
    pub saw_probes: bool,
}

/// What one identity used.
#[derive(Debug, Default)]
pub struct IdentityUsage {
    /// Its usernames, groups and programs.
    pub facts: Facts,
    /// What it needs.
    pub needs: Table<Atom, Evidence>,
    /// What it was refused.
    pub denied: Table<Atom, Evidence>,
    /// What it may need, with the evidence of what raised the question.
    pub advice: Table<Advice, Evidence>,
    /// Parameters of admission policies that it bound.
    pub param_refs: Table<ParamRef, Evidence>,
}

/// Where an event went: each goes to exactly one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Proved needs.
    Used,
    /// Came before authorization (`RequestReceived`).
    UncountedStage,
    /// Refused by the authorizer.
    Denied,
    /// The authorizer was not asked, or failed.
    Undecided,
    /// Allowed, but no rule can say it: no verb, no resource, or a literal `*`.
    Inexpressible,
    /// Allowed by the Node authorizer, not by RBAC.
    NodeAuthorizer,
    /// Of the control plane's own identities.
    ControlPlane,
    /// Of identities that were not asked for.
    NotSelected,
    /// Outside the time asked for.
    OutsideWindow,
}

/// How many events went where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes([u64; 9]);

impl Outcomes {
    /// How many went there.
    pub fn count(&self, place: Place) -> u64 {
        self.0[place as usize]
    }

    /// All events.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(super) fn add(&mut self, place: Place, events: u64) {
        self.0[place as usize] += events;
    }

    fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }
}

impl Usage {
    /// Adds what another part of the log says.
    pub fn merge(&mut self, other: Self) {
        for (identity, usage) in other.identities {
            self.identities.entry(identity).or_default().merge(usage);
        }
        self.outcomes.merge(&other.outcomes);
        self.server = self.server.max(other.server);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.param_kinds.extend(other.param_kinds);
        self.saw_core_events |= other.saw_core_events;
        self.saw_probes |= other.saw_probes;
    }

    /// Notes that something happened at this time.
    pub(super) fn see(&mut self, moment: Option<Moment>) {
        self.first = [self.first, moment].into_iter().flatten().min();
        self.last = self.last.max(moment);
    }

    /// Puts identities together that are bound as the same subject: a username that was
    /// impersonated is the IAM user who always authenticates with it.
    pub fn settle(&mut self) {
        let same: Vec<(Identity, Identity)> = self
            .sorted()
            .into_iter()
            .filter(|(identity, _)| matches!(identity, Identity::IamUser { .. }))
            .filter_map(|(identity, used)| {
                let name = used.facts.usernames.single()?.into();
                Some((Identity::User { name }, identity.clone()))
            })
            .collect();
        for (username, iam_user) in same {
            if let Some(used) = self.identities.swap_remove(&username) {
                self.identities.entry(iam_user).or_default().merge(used);
            }
        }
    }

    /// The identities in order.
    pub fn sorted(&self) -> Vec<(&Identity, &IdentityUsage)> {
        sorted(&self.identities)
    }
}

impl IdentityUsage {
    fn merge(&mut self, other: Self) {
        self.facts.merge(other.facts);
        merge(&mut self.needs, other.needs);
        merge(&mut self.denied, other.denied);
        merge(&mut self.advice, other.advice);
        merge(&mut self.param_refs, other.param_refs);
    }
}

fn merge<K: Hash + Eq>(into: &mut Table<K, Evidence>, from: Table<K, Evidence>) {
    for (key, evidence) in from {
        into.entry(key).or_default().merge(evidence);
    }
}

/// A table in the order of its keys.
pub(crate) fn sorted<K: Ord, V>(table: &Table<K, V>) -> Vec<(&K, &V)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    entries
}

/// A Kubernetes version, without its patch level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 1, so far.
    pub major: u32,
    /// The `36` of 1.36.
    pub minor: u32,
}

impl Version {
    /// The version of `kube-apiserver/v1.36.2 (linux/amd64) ...`; none for a server that was
    /// built without one and calls itself v0.0.0.
    pub fn of_api_server(user_agent: &str) -> Option<Self> {
        let program = user_agent.split(' ').next()?;
        let mut parts = program.strip_prefix("kube-apiserver/v")?.split(['.', '-', '+', '/']);
        let mut number = || parts.next()?.parse().ok();
        let version = Self { major: number()?, minor: number()? };
        (version.major > 0).then_some(version)
    }
}

impl FromStr for Version {
    type Err = String;

    /// Reads `1.36`, with or without `v` and patch level.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let mut number = || parts.next().map(str::parse);
        match (number(), number()) {
            (Some(Ok(major)), Some(Ok(minor))) => Ok(Self { major, minor }),
            (Some(Err(error)), _) | (_, Some(Err(error))) => {
                let error: ParseIntError = error;
                Err(format!("`{text}` is not a version such as 1.36: {error}"))
            }
            _ => Err(format!("`{text}` is not a version such as 1.36")),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_tells_its_version_unless_it_was_built_without_one() {
        for (agent, version) in [
            ("kube-apiserver/v1.36.2 (linux/amd64) kubernetes/0000000", Some("1.36")),
            ("kube-apiserver/v1.32.9-eks-113cf36 (linux/amd64) kubernetes/0000000", Some("1.32")),
            ("kube-apiserver/v0.0.0 (linux/amd64) kubernetes/$Format", None),
            ("kube-apiserver/v1 37", None),
            ("kubectl/v1.36.2", None),
        ] {
            let found = Version::of_api_server(agent).map(|version| version.to_string());
            assert_eq!(found.as_deref(), version, "{agent}");
        }
    }
}
