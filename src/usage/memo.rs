//! What was seen once is not parsed again.
//!
//! Most events of a cluster repeat the same few thousand requests. The memo keeps, for
//! the deciding bytes of an event, where it was counted, so that the next one with the
//! same bytes is only counted. The bytes are compared whole; the hash is seeded, since
//! callers choose them.

use std::collections::HashMap;

/// Bytes of keys that one worker keeps; then it starts anew. A cluster's usual requests
/// take a fraction of it.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// A longer key is not worth its place.
const LONGEST_KEY: usize = 4 * 1024;

/// Deciding bytes and what they led to.
#[derive(Debug)]
pub(super) struct Memo<V> {
    entries: HashMap<Box<[u8]>, V, foldhash::fast::RandomState>,
    bytes: usize,
}

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Self { entries: HashMap::default(), bytes: 0 }
    }
}

impl<V> Memo<V> {
    pub(super) fn find(&self, key: &[u8]) -> Option<&V> {
        self.entries.get(key)
    }

    pub(super) fn learn(&mut self, key: &[u8], value: V) {
        if key.len() > LONGEST_KEY {
            return;
        }
        if self.bytes + key.len() > MOST_BYTES {
            self.entries.clear();
            self.bytes = 0;
        }
        self.bytes += key.len();
        self.entries.insert(key.into(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_rather_than_grows() {
        let mut memo = Memo::default();
        for number in 0..10_000_u32 {
            let mut key = vec![0; 1024];
            key[..4].copy_from_slice(&number.to_le_bytes());
            memo.learn(&key, number);
            assert_eq!(memo.find(&key), Some(&number));
            assert!(memo.bytes <= MOST_BYTES);
        }
        memo.learn(&vec![0; LONGEST_KEY + 1], 0);
        assert_eq!(memo.find(&vec![0; LONGEST_KEY + 1]), None);
    }
}
