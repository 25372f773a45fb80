//! Pieces of lines that come again and again: who called, and why it was decided so.
//!
//! They are the longest of what decides. Where the piece that is expected stands, its end
//! need not be looked for, and two events are compared by its number.

use indexmap::IndexMap;

use super::cursor::Cursor;

/// Callers choose the keys: the hash is seeded.
type Table<K, V> = IndexMap<K, V, foldhash::fast::RandomState>;

/// How many pieces are expected in turn, each after other bytes.
const SLOTS: usize = 1024;
/// Longer pieces are not worth their place.
const LONGEST: usize = 64 * 1024;
/// What an entry takes besides its bytes.
const ENTRY_BYTES: usize = 64;

/// A piece of raw JSON, with its number where it is the one that was expected.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Piece<'a> {
    pub(super) raw: &'a [u8],
    pub(super) number: Option<u32>,
    /// By what it was expected.
    pub(super) slot: usize,
}

/// What was seen in earlier lines. It only makes the next one faster to split: what is read
/// from it is the same without.
#[derive(Debug, Default)]
pub struct Recent {
    /// User objects and, where callers impersonated, what follows them.
    pub(super) callers: Pieces,
    /// Addresses and user agents.
    pub(super) clients: Pieces,
    /// Annotation objects.
    pub(super) annotations: Pieces,
}

impl Recent {
    /// What it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.callers.bytes + self.clients.bytes + self.annotations.bytes
    }
}

/// Pieces of one kind, numbered by what matters of them.
#[derive(Debug)]
pub(super) struct Pieces {
    /// As they stand in the line, many to one number: each token and pod of a service
    /// account is another.
    raw: Table<Box<[u8]>, u32>,
    /// What matters of them; the number is the place.
    usual: Table<Box<[u8]>, ()>,
    /// Where in `raw` the last one is that stood behind such bytes.
    expected: Vec<usize>,
    bytes: usize,
}

impl Default for Pieces {
    fn default() -> Self {
        Self {
            raw: Table::default(),
            usual: Table::default(),
            expected: vec![usize::MAX; SLOTS],
            bytes: 0,
        }
    }
}

impl Pieces {
    /// The piece at the cursor, if it is the one that stood in the slot the last time, and
    /// `behind` stands behind it.
    pub(super) fn expected<'a>(
        &self,
        slot: usize,
        cursor: &mut Cursor<'a>,
        behind: &[u8],
    ) -> Option<Piece<'a>> {
        let (known, number) = self.raw.get_index(self.expected[slot % SLOTS])?;
        let raw = cursor.known(known, behind)?;
        Some(Piece { raw, number: Some(*number), slot })
    }

    /// The number of a piece, of which `usual` tells what matters; nothing where that
    /// cannot be told. What `comes_again` is remembered as it stands.
    pub(super) fn number<'a>(
        &mut self,
        piece: Piece<'a>,
        comes_again: bool,
        usual: impl FnOnce(&'a [u8]) -> Option<Vec<u8>>,
    ) -> Option<u32> {
        if piece.number.is_some() || piece.raw.len() > LONGEST {
            return piece.number;
        }
        if let Some((index, _, number)) = self.raw.get_full(piece.raw) {
            self.expected[piece.slot % SLOTS] = index;
            return Some(*number);
        }
        let usual = usual(piece.raw)?;
        let place = self.usual.get_index_of(usual.as_slice()).unwrap_or_else(|| {
            self.bytes += usual.len() + ENTRY_BYTES;
            self.usual.insert_full(usual.into(), ()).0
        });
        let number = u32::try_from(place).ok()?;
        if comes_again {
            self.bytes += piece.raw.len() + ENTRY_BYTES;
            let (index, _) = self.raw.insert_full(piece.raw.into(), number);
            self.expected[piece.slot % SLOTS] = index;
        }
        Some(number)
    }
}
