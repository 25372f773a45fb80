//! What was seen once is not parsed again.
//!
//! Most events of a cluster repeat the same few thousand requests. The memo keeps, for
//! the deciding bytes of an event, what is known of it, so that the next one with the same
//! bytes is only counted. Bytes are compared whole; hashes are seeded, since callers
//! choose what is hashed.

use super::Table;
use crate::audit::{Frame, Likeness, Recent};

/// Bytes that one worker keeps; then it starts anew. The usual requests of a cluster take a
/// fraction of it, and it has room for 20,000: where they do not fit, none is met again before
/// it is forgotten.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Longer keys are not worth their place.
const LONGEST: usize = 64 * 1024;
/// What an entry takes besides its key.
const ENTRY_BYTES: usize = 200;

/// Deciding bytes and what is known of events that have them.
#[derive(Debug)]
pub(super) struct Memo<V> {
    /// In the order in which they were met, which is much like the order in which they are
    /// met again.
    known: Table<Box<[u8]>, V>,
    recent: Recent,
    bytes: usize,
    /// The key in hand.
    key: Vec<u8>,
}

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Self { known: Table::default(), recent: Recent::default(), bytes: 0, key: Vec::new() }
    }
}

impl<V> Memo<V> {
    /// Takes a line in hand that is recognised as it stands, and says what is known of its
    /// like: nothing where they prove nothing.
    #[inline]
    pub(super) fn recognise<'a>(
        &mut self,
        bytes: &'a [u8],
    ) -> Option<(Option<&mut V>, Likeness<'a>)> {
        let likeness = self.recent.recognise(bytes)?;
        Some((likeness.known.map(|place| &mut self.known[place]), likeness))
    }

    /// Takes an event in hand, and says what is known of those with the same deciding bytes.
    pub(super) fn known(&mut self, frame: &Frame<'_>) -> Option<&mut V> {
        self.key.clear();
        let places = frame.write_key(&mut self.recent, &mut self.key)?;
        let place = self.known.get_index_of(self.key.as_slice())?;
        self.recent.know(frame, places, place);
        Some(&mut self.known[place])
    }

    /// Remembers this of the event in hand, which takes so many bytes besides itself, and
    /// returns what it takes the place of.
    pub(super) fn learn(&mut self, value: V, bytes: usize) -> Option<V> {
        if self.key.is_empty() || self.key.len() > LONGEST {
            return None;
        }
        let replaced = self.known.insert(self.key.as_slice().into(), value);
        if replaced.is_none() {
            self.bytes += self.key.len() + ENTRY_BYTES + bytes;
        }
        replaced
    }

    /// What it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.recent.bytes()
    }

    /// Whether it is time to forget.
    pub(super) fn is_full(&self) -> bool {
        self.bytes() > MOST_BYTES
    }

    #[cfg(test)]
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.known.values()
    }

    /// What was remembered.
    pub(super) fn into_values(self) -> impl Iterator<Item = V> + use<V> {
        self.known.into_values()
    }
}
