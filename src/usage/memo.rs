//! What was seen once is not parsed again.
//!
//! Most events of a cluster repeat the same few thousand requests. The memo keeps, for
//! the deciding bytes of an event, what it led to, so that the next one with the same
//! bytes is only counted. Bytes are compared whole; hashes are seeded, since callers
//! choose what is hashed.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::Table;
use crate::audit::Frame;

/// Bytes that one worker keeps; then it starts anew. The usual requests of a cluster
/// take a fraction of it.
const MOST_BYTES: usize = 6 * 1024 * 1024;
/// Longer callers and keys are not worth their place.
const LONGEST: usize = 64 * 1024;
/// What an entry takes besides its key.
const ENTRY_BYTES: usize = 200;

/// How many recent callers are remembered by a few bytes of theirs.
const RECENT: usize = 256;

/// A place among the recent callers: by length and last letters, which tell tokens apart.
fn slot(who: &[u8]) -> usize {
    let tail = who.len().saturating_sub(8);
    let mix = |sum: usize, byte: &u8| sum.wrapping_mul(31).wrapping_add(usize::from(*byte));
    who[tail.saturating_sub(8)..tail].iter().fold(who.len(), mix) % RECENT
}

/// Deciding bytes and what they led to.
#[derive(Debug)]
pub(super) struct Memo<V> {
    effects: HashMap<Box<[u8]>, V, RandomState>,
    /// Callers as they stand in the line, many to one identity: each token and pod of a
    /// service account is another.
    callers: Table<Box<[u8]>, u32>,
    /// Where in `callers` the last one of each kind of bytes was found: most lines are
    /// told from it without hashing them whole.
    recent: [usize; RECENT],
    /// Callers by what matters of them.
    usual_callers: HashMap<Box<[u8]>, u32, RandomState>,
    bytes: usize,
    /// The key in hand.
    key: Vec<u8>,
}

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Self {
            effects: HashMap::default(),
            callers: Table::default(),
            recent: [0; RECENT],
            usual_callers: HashMap::default(),
            bytes: 0,
            key: Vec::new(),
        }
    }
}

impl<V> Memo<V> {
    /// Takes an event in hand; false where its caller cannot be read.
    pub(super) fn take(&mut self, frame: &Frame<'_>) -> bool {
        if frame.who().len() > LONGEST {
            return false;
        }
        let Some(caller) = self.caller(frame) else { return false };
        self.key.clear();
        self.key.extend_from_slice(&caller.to_le_bytes());
        frame.write_key(&mut self.key);
        true
    }

    /// What the event in hand led to before.
    pub(super) fn effect(&mut self) -> Option<&mut V> {
        self.effects.get_mut(self.key.as_slice())
    }

    /// Remembers what the event in hand led to, and returns all that is forgotten for it.
    #[must_use]
    pub(super) fn learn(&mut self, effect: V) -> Vec<V> {
        if self.key.len() > LONGEST {
            return Vec::new();
        }
        self.bytes += self.key.len() + ENTRY_BYTES;
        let old = self.effects.insert(self.key.as_slice().into(), effect);
        let mut forgotten: Vec<V> = old.into_iter().collect();
        if self.bytes > MOST_BYTES {
            forgotten.extend(self.forget());
        }
        forgotten
    }

    /// Starts anew, and returns what was remembered.
    pub(super) fn forget(&mut self) -> Vec<V> {
        self.bytes = 0;
        self.callers.clear();
        self.usual_callers.clear();
        self.effects.drain().map(|(_, effect)| effect).collect()
    }

    fn caller(&mut self, frame: &Frame<'_>) -> Option<u32> {
        let who = frame.who();
        let recent = &mut self.recent[slot(who)];
        if let Some((known, caller)) = self.callers.get_index(*recent)
            && **known == *who
        {
            return Some(*caller);
        }
        if let Some((index, _, caller)) = self.callers.get_full(who) {
            *recent = index;
            return Some(*caller);
        }
        self.meet(frame)
    }

    /// A caller that was not seen in these bytes before. Numbers are never given twice, so
    /// that an old key cannot mean a new caller.
    fn meet(&mut self, frame: &Frame<'_>) -> Option<u32> {
        let usual = frame.usual_who()?;
        self.bytes += frame.who().len() + usual.len() + ENTRY_BYTES;
        let next = u32::try_from(self.usual_callers.len()).ok()?;
        let caller = *self.usual_callers.entry(usual.into()).or_insert(next);
        self.callers.insert(frame.who().into(), caller);
        Some(caller)
    }
}
