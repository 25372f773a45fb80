//! What stands behind a need: how often, when, by which proof, and one sample.

use std::sync::Arc;

use super::{Few, Moment};
use crate::audit::{Basis, Event, Outcome, Reading, Stage};
use crate::rbac::default_objects;

/// How many deciders (RBAC bindings, access policies) are remembered for a need.
const DECIDERS: usize = 4;
/// Longest stretch of a caller-written string that is kept, in characters.
const LONGEST: usize = 256;

/// What the log says about one need or denial. Merges associatively and commutatively.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of its own")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Events at `ResponseStarted`.
    started: u64,
    /// Events at `ResponseComplete` or `Panic`.
    finished: u64,
    /// Some request of it got as far as the object.
    pub worked: bool,
    /// The first event's time.
    pub first: Option<Moment>,
    /// The last event's time.
    pub last: Option<Moment>,
    /// Every way in which it was proved.
    pub bases: Bases,
    /// `system:masters` allowed it at least once.
    pub bypass: bool,
    /// A binding that every caller has allowed it at least once.
    pub by_default: bool,
    /// Something other than RBAC, such as an EKS access policy, allowed it at least once.
    pub outside_rbac: bool,
    /// Aggregated rows say so, which may lack the name.
    pub aggregated: bool,
    /// Who allowed it, in the authorizer's words.
    pub deciders: Few<DECIDERS>,
    /// The earliest event.
    pub sample: Option<Arc<Sample>>,
}

/// One event, as something to look up. All of it is written by the caller.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    at: Option<Moment>,
    /// The audit ID; callers may set it.
    pub audit_id: Box<str>,
    /// The request URI.
    pub uri: Box<str>,
    /// The user agent.
    pub user_agent: Box<str>,
    /// The HTTP status code, or 0.
    pub code: u16,
}

/// A set of [`Basis`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bases(u16);

impl Bases {
    /// Adds one.
    pub fn add(&mut self, basis: Basis) {
        self.0 |= 1 << basis as u16;
    }

    /// Whether it is in the set.
    pub fn has(self, basis: Basis) -> bool {
        self.0 & (1 << basis as u16) != 0
    }

    /// The set in order.
    pub fn iter(self) -> impl Iterator<Item = Basis> {
        Basis::ALL.into_iter().filter(move |&basis| self.has(basis))
    }
}

/// Events that say the same as one that was read, and came later.
#[derive(Debug)]
pub(super) struct Repeats {
    pub(super) events: u64,
    /// The time of the one that was read.
    since: Moment,
    pub(super) last: Moment,
}

impl Repeats {
    pub(super) fn since(moment: Moment) -> Self {
        Self { events: 0, since: moment, last: moment }
    }

    /// Counts one, if it came later than the one that was read.
    #[inline]
    pub(super) fn add(&mut self, moment: Moment) -> bool {
        if moment <= self.since {
            return false;
        }
        if moment > self.last {
            self.last = moment;
        }
        self.events += 1;
        true
    }
}

/// The part of an event that goes into evidence.
pub(super) struct Occurrence<'e> {
    event: &'e Event<'e>,
    moment: Option<Moment>,
    stage: Stage,
    worked: bool,
    /// An aggregated row: how many events it stands for, and since when.
    row: Option<(u64, Option<Moment>)>,
}

impl<'e> Occurrence<'e> {
    pub(super) fn of(
        event: &'e Event<'e>,
        reading: &Reading,
        moment: Option<Moment>,
        row: Option<(u64, Option<Moment>)>,
    ) -> Self {
        let worked = matches!(reading.outcome, Outcome::Allowed { worked: true });
        Self { event, moment, stage: reading.stage, worked, row }
    }

    fn sample(&self) -> Sample {
        let kept = |text| first_chars(text, LONGEST).into();
        Sample {
            at: self.moment,
            audit_id: kept(&self.event.audit_id),
            uri: kept(&self.event.request_uri),
            user_agent: kept(&self.event.user_agent),
            code: self.event.code(),
        }
    }
}

impl Evidence {
    /// The number of requests. A long-running request has an event when it starts and
    /// another when it ends, of which either may be outside the log.
    pub fn requests(&self) -> u64 {
        self.started.max(self.finished)
    }

    /// What a reviewer should know about it, as stable kebab-case words.
    pub fn tags(&self) -> impl Iterator<Item = &'static str> {
        [
            (!self.worked, "never-succeeded"),
            (self.bypass, "bypass"),
            (self.outside_rbac, "granted-outside-rbac"),
            (self.bases.has(Basis::Delegated), "delegated"),
            (self.aggregated, "aggregated"),
        ]
        .into_iter()
        .filter_map(|(applies, tag)| applies.then_some(tag))
    }

    /// Counts more events that say the same as one already added.
    pub(super) fn repeat(&mut self, stage: Stage, repeats: &Repeats) {
        self.count(stage, repeats.events);
        self.see(None, Some(repeats.last));
    }

    fn count(&mut self, stage: Stage, events: u64) {
        match stage {
            Stage::ResponseStarted => self.started += events,
            Stage::RequestReceived | Stage::Finished => self.finished += events,
        }
    }

    pub(super) fn add(&mut self, occurrence: &Occurrence<'_>) {
        let (events, first) = occurrence.row.unwrap_or((1, occurrence.moment));
        self.count(occurrence.stage, events);
        self.worked |= occurrence.worked;
        self.aggregated |= occurrence.row.is_some();
        self.see(first, occurrence.moment);
        if self.sample.as_ref().is_none_or(|sample| is_earlier(occurrence.moment, sample)) {
            self.offer(Arc::new(occurrence.sample()));
        }
        let Event { user, impersonated_user, annotations, .. } = occurrence.event;
        self.bypass |= annotations.reason.is_empty()
            && impersonated_user.is_none()
            && user.groups.iter().any(|group| &**group == "system:masters");
    }

    /// Adds the authorizer's own words, where they are about this very permission: they say
    /// nothing about those that were checked besides, such as an impersonator's.
    pub(super) fn decide(&mut self, reason: &str) {
        if !reason.is_empty() {
            self.outside_rbac |= !reason.starts_with("RBAC: ");
            self.by_default |= names_default_binding(reason);
            self.deciders.insert(reason);
        }
    }

    fn see(&mut self, first: Option<Moment>, last: Option<Moment>) {
        self.first = [self.first, first].into_iter().flatten().min();
        self.last = self.last.max(last);
    }

    fn offer(&mut self, sample: Arc<Sample>) {
        if self.sample.as_ref().is_none_or(|kept| order(&sample) < order(kept)) {
            self.sample = Some(sample);
        }
    }

    /// Adds what another part of the log says.
    pub fn merge(&mut self, other: Self) {
        self.started += other.started;
        self.finished += other.finished;
        self.worked |= other.worked;
        self.see(other.first, other.last);
        self.bases.0 |= other.bases.0;
        self.bypass |= other.bypass;
        self.by_default |= other.by_default;
        self.aggregated |= other.aggregated;
        self.outside_rbac |= other.outside_rbac;
        self.deciders.merge(other.deciders);
        if let Some(sample) = other.sample {
            self.offer(sample);
        }
    }
}

/// The begin of a text, in characters.
pub(super) fn first_chars(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

/// Whether the authorizer says that a default binding to a system group allowed it.
fn names_default_binding(reason: &str) -> bool {
    let binding = reason.strip_prefix("RBAC: allowed by ClusterRoleBinding \"");
    let Some((name, role)) = binding.and_then(|rest| rest.split_once('"')) else { return false };
    role.starts_with(&format!(" of ClusterRole {name:?} to Group \"system:"))
        && default_objects().cluster_roles().any(|(id, _)| id.name == name)
}

/// Samples with a time come before those without.
fn order(sample: &Sample) -> (bool, &Sample) {
    (sample.at.is_none(), sample)
}

/// Whether an event at `moment` could be the earlier sample; on a tie its text decides.
fn is_earlier(moment: Option<Moment>, kept: &Sample) -> bool {
    match (moment, kept.at) {
        (Some(moment), Some(at)) => moment <= at,
        (None, Some(_)) => false,
        (_, None) => true,
    }
}
