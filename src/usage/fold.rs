//! Events into usage: judges each event once and adds what it proves.

use std::hash::Hash;
use std::sync::Arc;

use super::aggregate;
use super::evidence::{Occurrence, Repeats};
use super::ledger::{IdentityUsage, Place, Table};
use super::memo::Memo;
use super::{Choice, Evidence, Facts, Identity, Moment, Selection, Usage, Version};
use crate::audit::{
    Basis, BodyUse, Conclusion, Event, Frame, Outcome, Reading, Settings, Stage, User, Who,
    conclude,
};
use crate::decode::{Consumer, UsageRow};
use crate::eks::username_template;
use crate::rbac::Atom;

/// A worker's private ledger and what it needs to fill it.
#[derive(Debug)]
pub struct Fold {
    usage: Usage,
    selection: Arc<Selection>,
    settings: Settings,
    /// Nothing where every event is to be read anew.
    memo: Option<Memo<Known>>,
}

/// What is known of events with the same deciding bytes.
#[derive(Debug)]
enum Known {
    /// More decides than these bytes.
    NeedBodies,
    /// All of them come to the same.
    Effect(Effect),
}

/// What becomes of an event in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// It has to be read.
    Read,
    /// It has to be read with its bodies.
    ReadBodies,
    /// It is counted.
    Nothing,
}

/// Where an event was counted, and its like that are still to be counted there.
#[derive(Debug)]
struct Effect {
    stage: Stage,
    place: Place,
    posts: Box<[Post]>,
    /// Those that came since; only later ones can be: an earlier one may be the sample.
    repeats: Repeats,
}

/// One entry of the ledger. Entries never move while a worker fills its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Post {
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

impl Fold {
    /// An empty ledger.
    pub fn new(selection: Arc<Selection>, settings: Settings) -> Self {
        Self { usage: Usage::default(), selection, settings, memo: Some(Memo::default()) }
    }

    /// The same without a memory of what was seen: slower, and nothing else.
    #[must_use]
    pub fn forgetful(mut self) -> Self {
        self.memo = None;
        self
    }

    /// What was folded.
    pub fn into_usage(mut self) -> Usage {
        if let Some(memo) = self.memo.take() {
            self.settle(memo.into_values());
        }
        self.usage
    }

    /// Counts the line that `bytes` begin with like one that is known, where it can be, and
    /// says how long it is.
    #[inline]
    fn repeat_line(&mut self, bytes: &[u8]) -> Option<(Next, usize)> {
        let (known, likeness) = self.memo.as_mut()?.recognise(bytes)?;
        let next = match known {
            Some(known) => known.repeat(likeness.staged, &self.selection, &mut self.usage),
            None => pass_uncounted(&mut self.usage),
        };
        Some((next, likeness.len))
    }

    /// Counts the event in hand like one that is known, where it can be.
    fn repeat(&mut self, frame: &Frame<'_>) -> Next {
        if frame.is_request_received() {
            return pass_uncounted(&mut self.usage);
        }
        match self.memo.as_mut().and_then(|memo| memo.known(frame)) {
            Some(known) => known.repeat(frame.staged(), &self.selection, &mut self.usage),
            None => Next::Read,
        }
    }

    /// Remembers what the event in hand led to.
    fn remember(&mut self, known: Option<Known>) {
        let Some(memo) = &mut self.memo else { return };
        let replaced = known.and_then(|known| {
            let bytes = known.bytes();
            memo.learn(known, bytes)
        });
        self.settle(replaced);
    }

    /// Starts to remember anew.
    fn forget(&mut self) {
        let known = self.memo.as_mut().map(|memo| std::mem::take(memo).into_values());
        self.settle(known.into_iter().flatten());
    }

    /// Brings what was only counted into the ledger.
    fn settle(&mut self, known: impl IntoIterator<Item = Known>) {
        for known in known {
            let Known::Effect(Effect { stage, place, posts, repeats }) = known else { continue };
            if repeats.events > 0 {
                self.usage.outcomes.add(place, repeats.events);
                self.usage.see(Some(repeats.last));
                for post in &posts {
                    post.evidence(&mut self.usage).repeat(stage, &repeats);
                }
            }
        }
    }

    /// Whether the bodies bear on anyone who was asked for.
    fn needs_body(&self, event: &Event<'_>, reading: &Reading) -> bool {
        match reading.body_use(self.settings) {
            BodyUse::None => false,
            BodyUse::Others => true,
            BodyUse::Subject => {
                let (identity, username) = subject(event);
                self.selection.choice(&identity, username) == Choice::Taken
            }
        }
    }

    /// Adds one event, or an aggregated row made into one.
    fn add(
        &mut self,
        event: &Event<'_>,
        reading: &Reading,
        row: Option<(u64, Option<Moment>)>,
    ) -> Option<Effect> {
        let stage = reading.stage;
        let moment = moment(event);
        if stage == Stage::RequestReceived {
            self.usage.outcomes.add(Place::UncountedStage, 1);
            return None;
        }
        if !self.selection.covers(moment) {
            self.usage.outcomes.add(Place::OutsideWindow, 1);
            return None;
        }
        self.usage.see(moment);
        self.usage.see(row.and_then(|(_, first)| first));
        self.note_server(event);
        self.note_sightings(reading);
        let place = self.place(event, reading);
        self.usage.outcomes.add(place, 1);
        let occurrence = Occurrence::of(event, reading, moment, row);
        let mut posts = Vec::new();
        let (usage, selection) = (&mut self.usage, &self.selection);
        conclude(event, reading, self.settings, &mut |conclusion| {
            posts
                .extend(Entry { usage, selection, event, occurrence: &occurrence }.add(conclusion));
        });
        Some(Effect { stage, place, posts: posts.into(), repeats: Repeats::since(moment?) })
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

    fn place(&self, event: &Event<'_>, reading: &Reading) -> Place {
        let (identity, username) = subject(event);
        match (reading.outcome, self.selection.choice(&identity, username)) {
            (Outcome::Undecided, _) => Place::Undecided,
            (_, Choice::ControlPlane) => Place::ControlPlane,
            (_, Choice::NotSelected) => Place::NotSelected,
            (Outcome::Denied, _) => Place::Denied,
            (Outcome::Allowed { .. }, _) if is_node_authorized(event) => Place::NodeAuthorizer,
            (Outcome::Allowed { .. }, _) if reading.is_inexpressible() => Place::Inexpressible,
            (Outcome::Allowed { .. }, Choice::Taken) => Place::Used,
        }
    }
}

impl Consumer for Fold {
    fn line(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.memo.as_ref().is_some_and(Memo::is_full) {
            self.forget();
        }
        match self.repeat_line(bytes) {
            Some((Next::Nothing, len)) => return Some(len),
            Some((Next::ReadBodies, _)) => return None,
            Some((Next::Read, _)) | None => {}
        }
        let (frame, len) = Frame::split(bytes)?;
        match self.repeat(&frame) {
            Next::Nothing => return Some(len),
            Next::ReadBodies => return None,
            Next::Read => {}
        }
        // Without a time of its stage, the time when it was received is wanted.
        let event = frame.event().filter(|event| moment(event).is_some())?;
        let reading = Reading::of(&event);
        if frame.has_bodies() && self.needs_body(&event, &reading) {
            self.remember(Some(Known::NeedBodies));
            return None;
        }
        let effect = self.add(&event, &reading, None);
        self.remember(effect.map(Known::Effect));
        Some(len)
    }

    fn event(&mut self, event: &Event<'_>) {
        self.add(event, &Reading::of(event), None);
    }

    fn usage_row(&mut self, row: &UsageRow<'_>) {
        let event = aggregate::event(row);
        if aggregate::is_whole(row) {
            let first = row.first.as_ref().and_then(|first| Moment::parse(first));
            self.add(&event, &Reading::of(&event), Some((aggregate::calls(row), first)));
        } else {
            self.usage.outcomes.add(Place::Inexpressible, 1);
        }
    }
}

impl Known {
    /// What it takes besides itself.
    fn bytes(&self) -> usize {
        match self {
            Self::NeedBodies => 0,
            Self::Effect(effect) => size_of_val(&*effect.posts),
        }
    }

    /// Counts one more at the time of its stage, where it can be.
    #[inline]
    fn repeat(&mut self, staged: &[u8], selection: &Selection, usage: &mut Usage) -> Next {
        let Self::Effect(effect) = self else { return Next::ReadBodies };
        let Some(moment) = Moment::of_own_form(staged) else { return Next::Read };
        if !selection.covers(Some(moment)) {
            usage.outcomes.add(Place::OutsideWindow, 1);
            return Next::Nothing;
        }
        if effect.repeats.add(moment) { Next::Nothing } else { Next::Read }
    }
}

/// Counts an event that only says that a request came in.
fn pass_uncounted(usage: &mut Usage) -> Next {
    usage.outcomes.add(Place::UncountedStage, 1);
    Next::Nothing
}

impl Post {
    fn evidence<'u>(&self, usage: &'u mut Usage) -> &'u mut Evidence {
        let used = &mut usage.identities[self.identity];
        match self.column {
            Column::Needs => &mut used.needs[self.entry],
            Column::Denied => &mut used.denied[self.entry],
            Column::Advice => &mut used.advice[self.entry],
            Column::ParamRefs => &mut used.param_refs[self.entry],
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
    /// Adds a conclusion, and says where.
    fn add(&mut self, conclusion: Conclusion) -> Option<Post> {
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
        let (identity, username) = match who {
            Who::Caller => (Identity::of_caller(&self.event.user), &*self.event.user.username),
            Who::Subject => subject(self.event),
            Who::Reviewed { username } => (Identity::of_username(username), &**username),
        };
        if self.selection.choice(&identity, username) != Choice::Taken {
            return None;
        }
        let slot = self.usage.identities.entry(identity);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Callers may impersonate many groups at once, each of which is a need.
    #[test]
    fn what_an_event_leads_to_is_counted_with_what_is_remembered() {
        let mut fold = Fold::new(Arc::default(), Settings::default());
        let groups: Vec<String> = (0..5_000).map(|group| format!("\"{group}\"")).collect();
        let groups = groups.join(",");
        let mut most = 0;
        for number in 0..200 {
            let line = format!(
                r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseComplete","requestURI":"/api/v1/pods/{number}","verb":"list","user":{{"username":"u"}},"impersonatedUser":{{"username":"v","groups":[{groups}]}},"sourceIPs":["10.0.0.1"],"userAgent":"p","objectRef":{{"resource":"pods"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"2026-11-20T09:15:03.000001Z","stageTimestamp":"2026-11-20T09:15:03.000001Z","annotations":{{"authorization.k8s.io/decision":"allow"}}}}"#
            );
            assert_eq!(fold.line(line.as_bytes()), Some(line.len()));
            let posts = fold.memo.as_ref().unwrap().values().map(Known::bytes).sum::<usize>();
            most = most.max(posts);
        }
        assert!((4 << 20..8 << 20).contains(&most), "{most} bytes");
    }

    /// Callers choose their user agents, and need not choose one twice.
    #[test]
    fn what_is_remembered_is_bounded_whatever_differs() {
        let mut fold = Fold::new(Arc::default(), Settings::default());
        let mut times_forgotten = 0;
        let mut before = 0;
        for number in 0..200 {
            let agent = format!("p {number} {}", "x".repeat(60_000));
            let line = format!(
                r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseComplete","requestURI":"/api/v1/pods","verb":"list","user":{{"username":"u"}},"sourceIPs":["10.0.0.1"],"userAgent":"{agent}","objectRef":{{"resource":"pods"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"2026-11-20T09:15:03.{number:06}Z","stageTimestamp":"2026-11-20T09:15:03.{number:06}Z","annotations":{{"authorization.k8s.io/decision":"allow"}}}}"#
            );
            assert_eq!(fold.line(line.as_bytes()), Some(line.len()));
            let now = fold.memo.as_ref().unwrap().bytes();
            times_forgotten += u32::from(now < before);
            before = now;
        }
        assert_eq!(times_forgotten, 1, "12 MB were seen");
        let usage = fold.into_usage();
        assert_eq!(usage.outcomes.count(Place::Used), 200);
        let (_, used) = usage.identities.first().unwrap();
        assert_eq!(used.needs.first().unwrap().1.requests(), 200);
    }
}
