//! From what an event proves to entries of the ledger.

use std::hash::Hash;

use super::evidence::{Occurrence, first_chars};
use super::ledger::{IdentityUsage, Table};
use super::{Choice, Evidence, Facts, Identity, Selection, Usage};
use crate::audit::{Basis, Conclusion, Event, User, Who};
use crate::eks::username_template;

/// One entry of the ledger. Entries never move while a worker fills its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Post {
    identity: usize,
    column: Column,
    entry: usize,
}

/// The tables of [`super::IdentityUsage`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Needs,
    Denied,
    Advice,
    ParamRefs,
}

impl Post {
    pub(super) fn evidence<'u>(&self, usage: &'u mut Usage) -> &'u mut Evidence {
        let used = &mut usage.identities[self.identity];
        match self.column {
            Column::Needs => &mut used.needs[self.entry],
            Column::Denied => &mut used.denied[self.entry],
            Column::Advice => &mut used.advice[self.entry],
            Column::ParamRefs => &mut used.param_refs[self.entry],
        }
    }
}

/// Who was authorized.
pub(super) struct Subject {
    identity: Identity,
    /// Whether they are asked for.
    pub(super) choice: Choice,
}

impl Subject {
    pub(super) fn of(event: &Event<'_>, selection: &Selection) -> Self {
        let (identity, username) = match &event.impersonated_user {
            Some(user) => (Identity::of_username(&user.username), &user.username),
            None => (Identity::of_caller(&event.user), &event.user.username),
        };
        let choice = selection.choice(&identity, username);
        Self { identity, choice }
    }
}

/// One event on its way into the ledger.
pub(super) struct Entry<'f, 'e> {
    pub(super) usage: &'f mut Usage,
    pub(super) selection: &'f Selection,
    pub(super) event: &'f Event<'e>,
    pub(super) subject: &'f Subject,
    pub(super) occurrence: &'f Occurrence<'f>,
}

impl Entry<'_, '_> {
    /// Adds a conclusion, and says where.
    pub(super) fn add(&mut self, conclusion: Conclusion) -> Option<Post> {
        match conclusion {
            Conclusion::Need { who, .. } if self.is_nodes_own(&who) => None,
            Conclusion::Need { who, atom, basis } => {
                let post = self.post(&who, Column::Needs, |usage| &mut usage.needs, atom)?;
                let evidence = post.evidence(self.usage);
                evidence.bases.add(basis);
                if basis == Basis::Logged {
                    evidence.decide(&self.event.annotations.reason);
                }
                Some(post)
            }
            Conclusion::Denied(atom) => {
                self.post(&Who::Subject, Column::Denied, |usage| &mut usage.denied, atom)
            }
            Conclusion::Advice(who, advice) => {
                self.post(&who, Column::Advice, |usage| &mut usage.advice, advice)
            }
            Conclusion::ParamRef(reference) => {
                let who = Who::Subject;
                self.post(&who, Column::ParamRefs, |usage| &mut usage.param_refs, reference)
            }
            Conclusion::ParamKind(kind) => {
                self.usage.param_kinds.insert(kind);
                None
            }
        }
    }

    fn is_nodes_own(&self, who: &Who) -> bool {
        *who == Who::Subject && is_node_authorized(self.event)
    }

    /// Adds this event to the evidence for `key` of the identity concerned; nothing where
    /// the identity is not asked for.
    fn post<K: Hash + Eq + 'static>(
        &mut self,
        who: &Who,
        column: Column,
        table: impl Fn(&mut IdentityUsage) -> &mut Table<K, Evidence>,
        key: K,
    ) -> Option<Post> {
        let slot = self.usage.identities.entry(self.identity(who)?);
        let identity = slot.index();
        let used = slot.or_default();
        match (who, &self.event.impersonated_user) {
            (Who::Reviewed { .. }, _) => {}
            (Who::Subject, Some(target)) => learn(&mut used.facts, target, None),
            _ => learn(&mut used.facts, &self.event.user, Some(&self.event.user_agent)),
        }
        let slot = table(used).entry(key);
        let entry = slot.index();
        slot.or_default().add(self.occurrence);
        Some(Post { identity, column, entry })
    }

    /// The identity concerned, if it is asked for.
    fn identity(&self, who: &Who) -> Option<Identity> {
        let (identity, username) = match who {
            Who::Subject => {
                let Subject { identity, choice } = self.subject;
                return (*choice == Choice::Taken).then(|| identity.clone());
            }
            Who::Caller => (Identity::of_caller(&self.event.user), &*self.event.user.username),
            Who::Reviewed { username } => (Identity::of_username(username), &**username),
        };
        (self.selection.choice(&identity, username) == Choice::Taken).then_some(identity)
    }
}

fn learn(facts: &mut Facts, user: &User<'_>, user_agent: Option<&str>) {
    facts.usernames.insert(&user.username);
    user.groups.iter().for_each(|group| facts.groups.insert(group));
    if let Some(session) = user.extra.first("sessionName") {
        facts.username_templates.insert(&username_template(&user.username, session));
    }
    let program = user_agent.and_then(|agent| agent.split(['/', ' ']).next());
    if let Some(program) = program.filter(|program| !program.is_empty()) {
        facts.user_agents.insert(first_chars(program, 64));
    }
}

/// Nodes are allowed by the Node authorizer, which gives no reason; RBAC always names
/// its binding.
pub(super) fn is_node_authorized(event: &Event<'_>) -> bool {
    let subject = event.impersonated_user.as_ref().unwrap_or(&event.user);
    subject.username.starts_with("system:node:") && event.annotations.reason.is_empty()
}
