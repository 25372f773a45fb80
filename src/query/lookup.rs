//! What somebody may do: by its own bindings, and by those of the groups that it is in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use k8s_openapi::api::rbac::v1::{PolicyRule, Subject};
use wildmatch::WildMatch;

use super::LastUse;
use crate::eks::{IamArn, Principal as Mapped};
use crate::rbac::manifests::Loaded;
use crate::rbac::{
    Binding, Evaluator, Grant, ObjectId, Requester, Unresolved, parse_service_account_username,
};
use crate::review::{Parties, Party};
use crate::usage::Identity;

/// A kind of subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum SubjectKind {
    /// A user.
    User,
    /// A group.
    Group,
    /// A service account.
    #[value(name = "serviceaccount", alias = "sa")]
    ServiceAccount,
    /// An IAM role or user, as --aws-auth maps it.
    Iam,
}

/// Somebody who may hold rights.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// A user.
    User(String),
    /// A group.
    Group(String),
    /// A service account, by namespace and name.
    ServiceAccount(String, String),
    /// An IAM identity, by its ARN.
    Iam(String),
}

/// Somebody and what it holds.
#[derive(Debug)]
pub struct Looked<'a> {
    /// Who.
    pub principal: Principal,
    /// Its groups, those that Kubernetes adds included.
    pub groups: Vec<String>,
    /// What it holds, by binding.
    pub held: Vec<Held<'a>>,
}

/// What one binding gives somebody.
#[derive(Debug)]
pub struct Held<'a> {
    /// The binding.
    pub binding: Binding<'a>,
    /// The subject of it that somebody is.
    pub subject: &'a Subject,
    /// The rules, each with the object it is written in.
    pub rules: Vec<(&'a ObjectId, &'a PolicyRule)>,
    /// Why the role cannot be looked into, if it cannot.
    pub missing: Option<&'a Unresolved>,
    /// What the log says; nothing without a log.
    pub last_use: Option<LastUse>,
}

impl Principal {
    /// Its kind.
    pub fn kind(&self) -> SubjectKind {
        match self {
            Self::User(_) => SubjectKind::User,
            Self::Group(_) => SubjectKind::Group,
            Self::ServiceAccount(..) => SubjectKind::ServiceAccount,
            Self::Iam(_) => SubjectKind::Iam,
        }
    }

    /// What identifies it within its kind.
    pub fn name(&self) -> String {
        match self {
            Self::User(name) | Self::Group(name) | Self::Iam(name) => name.clone(),
            Self::ServiceAccount(namespace, name) => format!("{namespace}:{name}"),
        }
    }

    fn of_subject<'b>(binding: &Binding<'b>, subject: &'b Subject) -> Option<Self> {
        if subject.kind == "Group" {
            return Some(Self::Group(subject.name.clone()));
        }
        binding.username(subject).map(|name| Self::of_username(&name))
    }

    fn of_username(name: &str) -> Self {
        match parse_service_account_username(name) {
            Some((namespace, name)) => Self::ServiceAccount(namespace.into(), name.into()),
            None => Self::User(name.to_owned()),
        }
    }

    fn of_identity(identity: &Identity) -> Self {
        match identity {
            Identity::ServiceAccount { namespace, name } => {
                Self::ServiceAccount(namespace.to_string(), name.to_string())
            }
            Identity::User { name } => Self::User(name.to_string()),
            Identity::IamRole { arn } | Identity::IamUser { arn } => Self::Iam(arn.to_string()),
        }
    }

    /// The names that it may be meant by.
    fn names(&self) -> Vec<String> {
        match self {
            Self::User(name) | Self::Group(name) => vec![name.clone()],
            Self::ServiceAccount(namespace, name) => vec![
                format!("{namespace}:{name}"),
                format!("{namespace}/{name}"),
                format!("system:serviceaccount:{namespace}:{name}"),
                name.clone(),
            ],
            Self::Iam(arn) => {
                let name = IamArn::parse(arn).map(|arn| arn.name().to_owned());
                name.into_iter().chain([arn.clone()]).collect()
            }
        }
    }

    fn requester<'g>(
        &self,
        mapping: &[Mapped],
        groups: impl Iterator<Item = &'g String>,
    ) -> Requester {
        let everybody = || "system:authenticated".to_owned();
        let mut requester = match self {
            Self::Group(name) => Requester::new("", [name.clone()]),
            Self::ServiceAccount(namespace, name) => Requester::service_account(namespace, name),
            Self::User(name) if name == "system:anonymous" => {
                Requester::new(name, ["system:unauthenticated"])
            }
            Self::User(name) => Requester::new(name, [everybody()]),
            Self::Iam(arn) => {
                let mapped = || mapping.iter().filter(|principal| principal.arn == *arn);
                let username = mapped().map(|principal| &principal.username).next();
                let groups = mapped().flat_map(|principal| principal.groups.clone());
                Requester::new(username.unwrap_or(arn), groups.chain([everybody()]))
            }
        };
        for group in groups {
            if !requester.groups.contains(group) {
                requester.groups.push(group.clone());
            }
        }
        requester
    }
}

/// Reads as in a sentence: `service account shop:reader`.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind() {
            SubjectKind::User => "user",
            SubjectKind::Group => "group",
            SubjectKind::ServiceAccount => "service account",
            SubjectKind::Iam => "IAM identity",
        };
        write!(f, "{kind} {}", self.name())
    }
}

/// Everybody of that name, and what each holds. A name without a match that is no glob is
/// looked up as well: it may hold something by a group.
pub fn lookup<'a>(
    name: &str,
    kind: Option<SubjectKind>,
    groups: &[String],
    evaluator: &'a Evaluator<'a>,
    loaded: &'a Loaded,
    mapping: &[Mapped],
    parties: Option<&Parties<'_>>,
) -> Vec<Looked<'a>> {
    let arn = IamArn::parse(name).map(|arn| arn.without_path());
    let name = arn.as_deref().unwrap_or(name);
    let glob = WildMatch::new(name);
    let is_meant = |principal: &Principal| {
        kind.is_none_or(|kind| kind == principal.kind())
            && principal.names().iter().any(|name| glob.matches(name))
    };
    let mut found: BTreeSet<Principal> =
        known(loaded, mapping, parties).into_iter().filter(is_meant).collect();
    if found.is_empty() && !name.contains(['*', '?']) {
        found.extend(unknown(name, kind));
    }
    let bindings = Bindings::new(loaded, evaluator);
    found
        .into_iter()
        .map(|principal| {
            let seen = groups_seen(&principal, parties);
            let requester = principal.requester(mapping, groups.iter().chain(&seen));
            let held = bindings.held(&principal, &requester, parties);
            Looked { principal, groups: requester.groups, held }
        })
        .collect()
}

/// The bindings, each with what it gives.
struct Bindings<'a> {
    all: Vec<Binding<'a>>,
    grants: BTreeMap<&'a ObjectId, Vec<Grant<'a>>>,
    missing: BTreeMap<&'a ObjectId, &'a Unresolved>,
}

/// Everybody that is named anywhere.
fn known(
    loaded: &Loaded,
    mapping: &[Mapped],
    parties: Option<&Parties<'_>>,
) -> BTreeSet<Principal> {
    let bindings = loaded.objects.bindings();
    let subjects = bindings.flat_map(|binding| {
        binding.subjects.iter().filter_map(move |it| Principal::of_subject(&binding, it))
    });
    let accounts = loaded.service_accounts.iter().cloned();
    let accounts = accounts.map(|(namespace, name)| Principal::ServiceAccount(namespace, name));
    let mapped = mapping.iter().map(|principal| Principal::Iam(principal.arn.clone()));
    let seen = parties.into_iter().flat_map(Parties::all);
    let seen = seen.map(|party| Principal::of_identity(&party.plan.identity));
    subjects.chain(accounts).chain(mapped).chain(seen).collect()
}

/// The groups that the log shows somebody in.
fn groups_seen(principal: &Principal, parties: Option<&Parties<'_>>) -> Vec<String> {
    let all = parties.into_iter().flat_map(Parties::all);
    let own = all.filter(|party| Principal::of_identity(&party.plan.identity) == *principal);
    own.flat_map(|party| party.plan.facts.groups.iter().map(str::to_owned)).collect()
}

/// What a name stands for that is named nowhere.
fn unknown(name: &str, kind: Option<SubjectKind>) -> Option<Principal> {
    let account = name.split_once([':', '/']).filter(|(namespace, _)| *namespace != "system");
    let guess = match (Principal::of_username(name), account) {
        (Principal::User(_), _) if is_own_group(name) => Principal::Group(name.to_owned()),
        (Principal::User(_), Some((namespace, name))) if !name.contains([':', '/']) => {
            Principal::ServiceAccount(namespace.to_owned(), name.to_owned())
        }
        (principal, _) => principal,
    };
    match kind {
        Some(SubjectKind::Group) => Some(Principal::Group(name.to_owned())),
        Some(SubjectKind::User) => Some(Principal::User(name.to_owned())),
        Some(kind) => Some(guess).filter(|guess| guess.kind() == kind),
        None => Some(guess),
    }
}

/// Whether it is a group that Kubernetes itself knows.
fn is_own_group(name: &str) -> bool {
    matches!(
        name,
        "system:masters" | "system:authenticated" | "system:unauthenticated" | "system:nodes"
    ) || name == "system:serviceaccounts"
        || name.starts_with("system:serviceaccounts:")
}

impl<'a> Bindings<'a> {
    fn new(loaded: &'a Loaded, evaluator: &'a Evaluator<'a>) -> Self {
        let mut grants: BTreeMap<&ObjectId, Vec<Grant<'_>>> = BTreeMap::new();
        for grant in evaluator.grants() {
            grants.entry(grant.binding.id).or_default().push(grant);
        }
        let missing = evaluator.unresolved().map(|(binding, cause)| (binding.id, cause));
        Self { all: loaded.objects.bindings().collect(), grants, missing: missing.collect() }
    }

    fn held(
        &self,
        principal: &Principal,
        requester: &Requester,
        parties: Option<&Parties<'_>>,
    ) -> Vec<Held<'a>> {
        let reached = self.all.iter().filter_map(|binding| {
            let subject = binding.subjects.iter().find(|it| binding.reaches(it, requester))?;
            let grants = self.grants.get(binding.id).map_or(&[][..], Vec::as_slice);
            Some(Held {
                binding: *binding,
                subject,
                rules: grants.iter().map(|grant| (grant.holder, grant.rule)).collect(),
                missing: self.missing.get(binding.id).copied(),
                last_use: parties.map(|parties| last_use(principal, grants, parties)),
            })
        });
        reached.collect()
    }
}

fn last_use(principal: &Principal, grants: &[Grant<'_>], parties: &Parties<'_>) -> LastUse {
    let is_it = |party: &&Party<'_>| match principal {
        Principal::Group(group) => {
            party.requesters.iter().any(|requester| requester.groups.contains(group))
        }
        other => Principal::of_identity(&party.plan.identity) == *other,
    };
    let mut used = LastUse::default();
    for party in parties.all().iter().filter(is_it) {
        used.add(party, |need| grants.iter().any(|grant| grant.allows(need)));
    }
    used
}
