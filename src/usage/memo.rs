//! What was seen once is not parsed again.
//!
//! Most events of a cluster repeat the same few thousand requests. The memo keeps, for
//! the deciding bytes of an event, what is known of it, so that the next one with the same
//! bytes is only counted. Bytes are compared whole; hashes are seeded, since callers
//! choose what is hashed.

use super::Table;
use crate::audit::{Frame, Recent};

/// Bytes that one worker keeps; then it starts anew. The usual requests of a cluster
/// take a fraction of it.
const MOST_BYTES: usize = 6 * 1024 * 1024;
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
    /// Pieces of the lines before.
    pub(super) fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Takes an event in hand, and says what is known of those with the same deciding bytes.
    pub(super) fn known(&mut self, frame: &Frame<'_>) -> Option<&mut V> {
        self.key.clear();
        frame.write_key(&mut self.recent, &mut self.key)?;
        self.known.get_mut(self.key.as_slice())
    }

    /// Remembers this of the event in hand, and returns what it takes the place of.
    pub(super) fn learn(&mut self, value: V) -> Option<V> {
        if self.key.is_empty() || self.key.len() > LONGEST {
            return None;
        }
        self.bytes += self.key.len() + ENTRY_BYTES;
        self.known.insert(self.key.as_slice().into(), value)
    }

    /// Whether it is time to forget.
    pub(super) fn is_full(&self) -> bool {
        self.bytes + self.recent.bytes() > MOST_BYTES
    }

    /// Starts anew, and returns what was remembered.
    pub(super) fn forget(&mut self) -> impl Iterator<Item = V> + use<V> {
        std::mem::take(self).known.into_values()
    }
}
