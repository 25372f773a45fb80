//! What is known of events that come again, so that they need not be read again.

use super::entry::Post;
use super::evidence::Repeats;
use super::ledger::Place;
use super::{Moment, Selection, Usage};
use crate::audit::Stage;

/// What is known of events with the same deciding bytes.
#[derive(Debug)]
pub(super) enum Known {
    /// More decides than these bytes.
    NeedBodies,
    /// All of them come to the same.
    Effect(Effect),
}

/// What becomes of an event in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It has to be read.
    Read,
    /// It has to be read with its bodies.
    ReadBodies,
    /// It is counted.
    Nothing,
}

/// Where an event was counted, and its like that are still to be counted there.
#[derive(Debug)]
pub(super) struct Effect {
    pub(super) stage: Stage,
    pub(super) place: Place,
    pub(super) posts: Box<[Post]>,
    /// Those that came since; only later ones can be: an earlier one may be the sample.
    pub(super) repeats: Repeats,
}

impl Known {
    /// What it takes besides itself.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::NeedBodies => 0,
            Self::Effect(effect) => size_of_val(&*effect.posts),
        }
    }

    /// Counts one more at the time of its stage, where it can be.
    #[inline]
    pub(super) fn repeat(
        &mut self,
        staged: &[u8],
        selection: &Selection,
        usage: &mut Usage,
    ) -> Next {
        let Self::Effect(effect) = self else { return Next::ReadBodies };
        let Some(moment) = Moment::of_own_form(staged) else { return Next::Read };
        if !selection.covers(Some(moment)) {
            usage.outcomes.add(Place::OutsideWindow, 1);
            return Next::Nothing;
        }
        if effect.repeats.add(moment) { Next::Nothing } else { Next::Read }
    }

    /// Brings those that were only counted into the ledger.
    pub(super) fn settle(self, usage: &mut Usage) {
        let Self::Effect(Effect { stage, place, posts, repeats }) = self else { return };
        if repeats.events > 0 {
            usage.outcomes.add(place, repeats.events);
            usage.see(Some(repeats.last));
            for post in &posts {
                post.evidence(usage).repeat(stage, &repeats);
            }
        }
    }
}
