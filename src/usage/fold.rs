//! Events into usage: judges each event once and adds what it proves.

use std::sync::Arc;

use super::aggregate;
use super::evidence::Occurrence;
use super::ledger::Table;
use super::{Choice, Evidence, Facts, Identity, Moment, Selection, Usage, Version};
use crate::audit::{Conclusion, Event, Outcome, Reading, Settings, Stage, User, Who, conclude};
use crate::decode::{Consumer, UsageRow};
use crate::eks::username_template;
use crate::rbac::Atom;

/// A worker's private ledger and what it needs to fill it.
#[derive(Debug)]
pub struct Fold {
    usage: Usage,
    selection: Arc<Selection>,
    settings: Settings,
}

impl Fold {
    /// An empty ledger.
    pub fn new(selection: Arc<Selection>, settings: Settings) -> Self {
        Self { usage: Usage::default(), selection, settings }
    }

    /// What was folded.
    pub fn into_usage(self) -> Usage {
        self.usage
    }

    /// Adds one event, or an aggregated row made into one.
    fn add(&mut self, event: &Event<'_>, row: Option<(u64, Option<Moment>)>) {
        let reading = Reading::of(event);
        if reading.stage == Stage::RequestReceived {
            self.usage.outcomes.uncounted_stage += 1;
            return;
        }
        let moment = moment(event);
        if !self.selection.covers(moment) {
            self.usage.outcomes.outside_window += 1;
            return;
        }
        self.note_window(moment);
        self.note_server(event);
        self.note_sightings(&reading);
        self.count(event, &reading);
        let occurrence = Occurrence::of(event, &reading, moment, row);
        let (usage, selection) = (&mut self.usage, &self.selection);
        conclude(event, &reading, self.settings, &mut |conclusion| {
            Entry { usage, selection, event, occurrence: &occurrence }.add(conclusion);
        });
    }

    fn note_window(&mut self, moment: Option<Moment>) {
        self.usage.first = [self.usage.first, moment].into_iter().flatten().min();
        self.usage.last = self.usage.last.max(moment);
    }

    /// The API server calls itself over loopback; no one else can have its username.
    fn note_server(&mut self, event: &Event<'_>) {
        if &*event.user.username == "system:apiserver" {
            self.usage.server = self.usage.server.max(Version::of_api_server(&event.user_agent));
        }
    }

    fn note_sightings(&mut self, reading: &Reading) {
        match &reading.request {
            Ok(Atom::Resource(atom)) => {
                self.usage.saw_core_events |= atom.group.is_empty() && &*atom.resource == "events";
            }
            Ok(Atom::Url(url)) => {
                self.usage.saw_probes |=
                    &*url.path == "/version" || url.path.starts_with("/healthz");
            }
            Err(_) => {}
        }
    }

    /// Counts the event in exactly one bucket.
    fn count(&mut self, event: &Event<'_>, reading: &Reading) {
        let (identity, username) = subject(event);
        let outcomes = &mut self.usage.outcomes;
        let bucket = match (reading.outcome, self.selection.choice(&identity, username)) {
            (Outcome::Undecided, _) => &mut outcomes.undecided,
            (_, Choice::ControlPlane) => &mut outcomes.control_plane,
            (_, Choice::NotSelected) => &mut outcomes.not_selected,
            (Outcome::Denied, _) => &mut outcomes.denied,
            (Outcome::Allowed { .. }, _) if is_node_authorized(event) => {
                &mut outcomes.node_authorizer
            }
            (Outcome::Allowed { .. }, _) if reading.is_inexpressible() => {
                &mut outcomes.inexpressible
            }
            (Outcome::Allowed { .. }, Choice::Taken) => &mut outcomes.used,
        };
        *bucket += 1;
    }
}

impl Consumer for Fold {
    fn event(&mut self, event: &Event<'_>) {
        self.add(event, None);
    }

    fn usage_row(&mut self, row: &UsageRow<'_>) {
        let event = aggregate::event(row);
        if aggregate::is_whole(row) {
            let first = row.first.as_ref().and_then(|first| Moment::parse(first));
            self.add(&event, Some((aggregate::calls(row), first)));
        } else {
            self.usage.outcomes.inexpressible += 1;
        }
    }
}

fn moment(event: &Event<'_>) -> Option<Moment> {
    Moment::parse(&event.stage_timestamp)
        .or_else(|| Moment::parse(&event.request_received_timestamp))
}

/// Nodes are allowed by the Node authorizer, which gives no reason; RBAC always names
/// its binding.
fn is_node_authorized(event: &Event<'_>) -> bool {
    let subject = event.impersonated_user.as_ref().unwrap_or(&event.user);
    subject.username.starts_with("system:node:") && event.annotations.reason.is_empty()
}

fn subject<'e>(event: &'e Event<'_>) -> (Identity, &'e str) {
    match &event.impersonated_user {
        Some(user) => (Identity::of_username(&user.username), &user.username),
        None => (Identity::of_caller(&event.user), &event.user.username),
    }
}

/// One event on its way into the ledger.
struct Entry<'f, 'e> {
    usage: &'f mut Usage,
    selection: &'f Selection,
    event: &'f Event<'e>,
    occurrence: &'f Occurrence<'f>,
}

impl Entry<'_, '_> {
    fn add(&mut self, conclusion: Conclusion) {
        match conclusion {
            Conclusion::Need { who, .. } if self.is_nodes_own(&who) => {}
            Conclusion::Need { who, atom, basis } => {
                if let Some(evidence) = self.evidence(&who, |usage| &mut usage.needs, atom) {
                    evidence.bases.add(basis);
                }
            }
            Conclusion::Denied(atom) => {
                self.evidence(&Who::Subject, |usage| &mut usage.denied, atom);
            }
            Conclusion::Advice(who, advice) => {
                self.evidence(&who, |usage| &mut usage.advice, advice);
            }
            Conclusion::ParamRef(reference) => {
                self.evidence(&Who::Subject, |usage| &mut usage.param_refs, reference);
            }
            Conclusion::ParamKind(kind) => {
                self.usage.param_kinds.insert(kind);
            }
        }
    }

    fn is_nodes_own(&self, who: &Who) -> bool {
        *who == Who::Subject && is_node_authorized(self.event)
    }

    /// The evidence for `key` of the identity concerned, this event added; nothing where
    /// the identity is not asked for.
    fn evidence<K: std::hash::Hash + Eq + 'static>(
        &mut self,
        who: &Who,
        table: fn(&mut super::IdentityUsage) -> &mut Table<K, Evidence>,
        key: K,
    ) -> Option<&mut Evidence> {
        let (identity, username) = match who {
            Who::Caller => (Identity::of_caller(&self.event.user), &*self.event.user.username),
            Who::Subject => subject(self.event),
            Who::Reviewed { username } => (Identity::of_username(username), &**username),
        };
        if self.selection.choice(&identity, username) != Choice::Taken {
            return None;
        }
        let usage = self.usage.identities.entry(identity).or_default();
        match (who, &self.event.impersonated_user) {
            (Who::Reviewed { .. }, _) => {}
            (Who::Subject, Some(user)) => learn(&mut usage.facts, user, None),
            _ => learn(&mut usage.facts, &self.event.user, Some(&self.event.user_agent)),
        }
        let evidence = table(usage).entry(key).or_default();
        evidence.add(self.occurrence);
        Some(evidence)
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
        facts.user_agents.insert(&program.chars().take(64).collect::<String>());
    }
}
