//! Events into usage: judges each event once and adds what it proves.

use std::mem;
use std::sync::Arc;

use super::aggregate;
use super::entry::{Entry, Subject, is_node_authorized};
use super::evidence::{Occurrence, Repeats};
use super::known::{Effect, Known, Next};
use super::ledger::Place;
use super::memo::Memo;
use super::{Choice, Moment, Selection, Usage, Version};
use crate::audit::{BodyUse, Event, Frame, Outcome, Reading, Settings, Stage, conclude};
use crate::decode::{Consumer, UsageRow};
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
        self.forget();
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
        if let Some(known) = replaced {
            known.settle(&mut self.usage);
        }
    }

    /// Starts to remember anew.
    fn forget(&mut self) {
        if let Some(memo) = &mut self.memo {
            let known = mem::take(memo).into_values();
            known.for_each(|known| known.settle(&mut self.usage));
        }
    }

    /// Whether the bodies bear on anyone who was asked for.
    fn needs_body(&self, event: &Event<'_>, reading: &Reading) -> bool {
        match reading.body_use(self.settings) {
            BodyUse::None => false,
            BodyUse::Others => true,
            BodyUse::Subject => Subject::of(event, &self.selection).choice == Choice::Taken,
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
        let subject = Subject::of(event, &self.selection);
        let place = place(event, reading, subject.choice);
        self.usage.outcomes.add(place, 1);
        let occurrence = Occurrence::of(event, reading, moment, row);
        let mut posts = Vec::new();
        let (usage, selection) = (&mut self.usage, &self.selection);
        conclude(event, reading, self.settings, &mut |conclusion| {
            let mut entry =
                Entry { usage, selection, event, subject: &subject, occurrence: &occurrence };
            posts.extend(entry.add(conclusion));
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
}

impl Consumer for Fold {
    fn line(&mut self, bytes: &[u8]) -> Option<usize> {
        match self.repeat_line(bytes) {
            Some((Next::Nothing, len)) => return Some(len),
            Some((Next::ReadBodies, _)) => return None,
            Some((Next::Read, _)) | None => {}
        }
        // Of what is recognised, nothing more is remembered.
        if self.memo.as_ref().is_some_and(Memo::is_full) {
            self.forget();
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

fn place(event: &Event<'_>, reading: &Reading, choice: Choice) -> Place {
    match (reading.outcome, choice) {
        (Outcome::Undecided, _) => Place::Undecided,
        (_, Choice::ControlPlane) => Place::ControlPlane,
        (_, Choice::NotSelected) => Place::NotSelected,
        (Outcome::Denied, _) => Place::Denied,
        (Outcome::Allowed { .. }, _) if is_node_authorized(event) => Place::NodeAuthorizer,
        (Outcome::Allowed { .. }, _) if reading.is_inexpressible() => Place::Inexpressible,
        (Outcome::Allowed { .. }, Choice::Taken) => Place::Used,
    }
}

/// Counts an event that only says that a request came in.
fn pass_uncounted(usage: &mut Usage) -> Next {
    usage.outcomes.add(Place::UncountedStage, 1);
    Next::Nothing
}

fn moment(event: &Event<'_>) -> Option<Moment> {
    Moment::parse(&event.stage_timestamp)
        .or_else(|| Moment::parse(&event.request_received_timestamp))
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
        assert!((12 << 20..20 << 20).contains(&most), "{most} bytes");
    }

    /// Callers choose their user agents, and need not choose one twice.
    #[test]
    fn what_is_remembered_is_bounded_whatever_differs() {
        let mut fold = Fold::new(Arc::default(), Settings::default());
        let mut times_forgotten = 0;
        let mut before = 0;
        for number in 0..400 {
            let agent = format!("p {number} {}", "x".repeat(60_000));
            let line = format!(
                r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseComplete","requestURI":"/api/v1/pods","verb":"list","user":{{"username":"u"}},"sourceIPs":["10.0.0.1"],"userAgent":"{agent}","objectRef":{{"resource":"pods"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"2026-11-20T09:15:03.{number:06}Z","stageTimestamp":"2026-11-20T09:15:03.{number:06}Z","annotations":{{"authorization.k8s.io/decision":"allow"}}}}"#
            );
            assert_eq!(fold.line(line.as_bytes()), Some(line.len()));
            let now = fold.memo.as_ref().unwrap().bytes();
            times_forgotten += u32::from(now < before);
            before = now;
        }
        assert_eq!(times_forgotten, 1, "24 MB were seen");
        let usage = fold.into_usage();
        assert_eq!(usage.outcomes.count(Place::Used), 400);
        let (_, used) = usage.identities.first().unwrap();
        assert_eq!(used.needs.first().unwrap().1.requests(), 400);
    }
}
