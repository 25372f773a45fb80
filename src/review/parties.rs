//! The identities of the log as RBAC meets them: with usernames and groups, and with what
//! they need. In: the plan of a log, what was selected of it, and who IAM identities are
//! mapped to. Out: which of them a subject of a binding is, and whether the log can judge it.

use std::collections::BTreeSet;

use foldhash::HashMap;
use k8s_openapi::api::rbac::v1::Subject;

use super::need_index::NeedIndex;
use crate::eks::Principal;
use crate::policy::{IdentityPlan, Plan};
use crate::rbac::{Atom, Binding, Requester, held_by_default};
use crate::usage::{Choice, Evidence, Identity, Selection};

/// One identity of the log.
#[derive(Debug)]
pub struct Party<'p> {
    /// What the log says of it.
    pub plan: &'p IdentityPlan,
    /// It, once for every username it was seen with.
    pub requesters: Vec<Requester>,
    /// What it needs.
    pub needs: Vec<Need<'p>>,
    /// The needs by what a rule can name.
    pub(super) index: NeedIndex<'p>,
    /// The group that it is taken to be in although neither the log nor a mapping says so.
    pub assumed_group: Option<&'p str>,
}

/// One need of a party.
#[derive(Debug)]
pub struct Need<'p> {
    /// The permission.
    pub atom: &'p Atom,
    /// What the log says; nothing for what the user had assumed.
    pub evidence: Option<&'p Evidence>,
    /// What would be granted for it under the policies asked for.
    pub targets: Vec<&'p Atom>,
    /// Every caller holds it anyway.
    pub by_default: bool,
}

/// Why the log cannot tell what a subject used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// It belongs to the control plane, whose calls are not looked at.
    ControlPlane,
    /// It was not asked for.
    NotSelected,
    /// A group, and no member of it is in the log.
    NoMember,
    /// A group of Kubernetes itself, whose other members' calls are not looked at.
    OpenGroup,
    /// Some identity has more names than are remembered, and this may be one of them.
    TooManyNames,
}

impl Doubt {
    /// Reads on after "the log cannot judge it:".
    pub fn why(self) -> &'static str {
        match self {
            Self::ControlPlane => "it is the control plane's own (--include-system looks at it)",
            Self::NotSelected => "it was not selected",
            Self::NoMember => "no member of the group is in the log",
            Self::OpenGroup => {
                "the group has members that are not looked at (--include-system does)"
            }
            Self::TooManyNames => "an identity has more names than are remembered",
        }
    }
}

/// All identities of a log, found by username and group.
#[derive(Debug)]
pub struct Parties<'p> {
    all: Vec<Party<'p>>,
    by_username: HashMap<String, BTreeSet<usize>>,
    by_group: HashMap<String, BTreeSet<usize>>,
    selection: &'p Selection,
    /// Some identity has usernames, or groups, that were not kept.
    hidden_usernames: bool,
    hidden_groups: bool,
}

impl<'p> Parties<'p> {
    /// The identities of `plan`.
    pub fn new(plan: &'p Plan, selection: &'p Selection, mapping: &'p [Principal]) -> Self {
        let facts = || plan.identities.iter().map(|identity| &identity.facts);
        let mut parties = Self {
            all: plan.identities.iter().map(|identity| Party::new(identity, mapping)).collect(),
            by_username: HashMap::default(),
            by_group: HashMap::default(),
            selection,
            hidden_usernames: facts().any(|facts| facts.usernames.has_more()),
            hidden_groups: facts().any(|facts| facts.groups.has_more()),
        };
        for (index, party) in parties.all.iter().enumerate() {
            for Requester { username, groups } in &party.requesters {
                parties.by_username.entry(username.clone()).or_default().insert(index);
                for group in groups {
                    parties.by_group.entry(group.clone()).or_default().insert(index);
                }
            }
        }
        parties
    }

    /// The identities, in order.
    pub fn all(&self) -> &[Party<'p>] {
        &self.all
    }

    /// Whether the user asked for these identities.
    pub fn is_selected(&self) -> bool {
        self.selection.is_partial()
    }

    /// Which identities a subject of a binding reaches, by their index.
    pub fn members<'b>(&self, binding: &Binding<'b>, subject: &'b Subject) -> Vec<usize> {
        let found = if subject.kind == "Group" {
            self.by_group.get(&subject.name)
        } else {
            binding.username(subject).and_then(|name| self.by_username.get(&*name))
        };
        found.into_iter().flatten().copied().collect()
    }

    /// Why the log cannot judge the subject, if it cannot.
    pub fn doubt<'b>(
        &self,
        binding: &Binding<'b>,
        subject: &'b Subject,
        members: &[usize],
    ) -> Option<Doubt> {
        if subject.kind == "Group" {
            return self.doubt_of_group(&subject.name, members);
        }
        let name = binding.username(subject)?;
        match self.selection.choice(&Identity::of_username(&name), &name) {
            _ if !members.is_empty() => None,
            Choice::ControlPlane => Some(Doubt::ControlPlane),
            Choice::NotSelected => Some(Doubt::NotSelected),
            Choice::Taken if self.hidden_usernames => Some(Doubt::TooManyNames),
            Choice::Taken => None,
        }
    }

    fn doubt_of_group(&self, group: &str, members: &[usize]) -> Option<Doubt> {
        // A group made for one role has no other members.
        if members.iter().any(|&member| self.all[member].plan.group.as_deref() == Some(group)) {
            return None;
        }
        if self.selection.is_partial() {
            Some(Doubt::NotSelected)
        } else if !self.selection.include_system && has_system_members(group) {
            Some(Doubt::OpenGroup)
        } else if members.is_empty() {
            Some(Doubt::NoMember)
        } else {
            self.hidden_groups.then_some(Doubt::TooManyNames)
        }
    }
}

/// Groups that Kubernetes fills, and not with workloads of one namespace alone.
fn has_system_members(group: &str) -> bool {
    match group.strip_prefix("system:serviceaccounts:") {
        Some(namespace) => namespace == "kube-system",
        None => group.starts_with("system:"),
    }
}

impl<'p> Party<'p> {
    fn new(plan: &'p IdentityPlan, mapping: &'p [Principal]) -> Self {
        let arn = plan.identity.name();
        let mapped = mapping.iter().filter(|principal| principal.arn == arn);
        let mapped: Vec<&str> =
            mapped.flat_map(|principal| &principal.groups).map(String::as_str).collect();
        let planned = plan.group.as_deref();
        let is_known = |group: &&str| plan.facts.groups.contains(group) || mapped.contains(group);
        let assumed_group = planned.filter(|group| !is_known(group));
        let groups: BTreeSet<&str> =
            plan.facts.groups.iter().chain(mapped).chain(planned).collect();
        let requesters = requesters(plan, &groups);
        let needs = needs(plan, &requesters);
        let index = NeedIndex::new(&needs);
        Self { plan, requesters, needs, index, assumed_group }
    }
}

fn requesters(plan: &IdentityPlan, groups: &BTreeSet<&str>) -> Vec<Requester> {
    let implied = match &plan.identity {
        Identity::ServiceAccount { namespace, name } => Requester::service_account(namespace, name),
        other if groups.contains("system:unauthenticated") => {
            Requester::new(other.name(), ["system:unauthenticated"])
        }
        other => Requester::new(other.name(), ["system:authenticated"]),
    };
    let mut all = implied.groups;
    for group in groups {
        if !all.iter().any(|known| known == group) {
            all.push((*group).to_owned());
        }
    }
    let mut usernames: Vec<&str> = plan.facts.usernames.iter().collect();
    if usernames.is_empty() {
        usernames.push(&implied.username);
    }
    usernames.into_iter().map(|name| Requester::new(name, all.clone())).collect()
}

fn needs<'p>(plan: &'p IdentityPlan, requesters: &[Requester]) -> Vec<Need<'p>> {
    let mut targets: HashMap<&Atom, Vec<&Atom>> = HashMap::default();
    for (grant, behind) in &plan.grants {
        behind.needs.iter().for_each(|need| targets.entry(need).or_default().push(grant));
    }
    let assumed: BTreeSet<&Atom> =
        plan.assumed().filter(|atom| !plan.needs.contains_key(atom)).collect();
    let seen = plan.needs.iter().map(|(atom, evidence)| (atom, Some(evidence)));
    seen.chain(assumed.into_iter().map(|atom| (atom, None)))
        .map(|(atom, evidence)| Need {
            atom,
            evidence,
            targets: targets.remove(atom).unwrap_or_default(),
            by_default: evidence.is_some_and(|evidence| evidence.by_default)
                || requesters.iter().all(|requester| held_by_default(requester, atom)),
        })
        .collect()
}
