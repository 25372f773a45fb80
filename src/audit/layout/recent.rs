//! What was seen in earlier lines: pieces that come again and again, and lines that do.
//!
//! Who called and why it was decided so are the longest of what decides. Two events are
//! compared by the numbers of these pieces.

use indexmap::IndexMap;

use super::Frame;
use super::template::{Likeness, Places, Templates};

/// Callers choose the keys: the hash is seeded.
type Table<K, V> = IndexMap<K, V, foldhash::fast::RandomState>;

/// Longer pieces are not worth their place.
const LONGEST: usize = 64 * 1024;
/// What an entry takes besides its bytes.
const ENTRY_BYTES: usize = 64;

/// What was seen in earlier lines. It only makes the next one faster to read: what is read
/// is the same without.
#[derive(Debug, Default)]
pub struct Recent {
    /// User objects and, where callers impersonated, what follows them.
    pub(super) callers: Pieces,
    /// Addresses and user agents.
    pub(super) clients: Pieces,
    /// Annotation objects.
    pub(super) reasons: Pieces,
    templates: Templates,
}

impl Recent {
    /// What it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let pieces = [&self.callers, &self.clients, &self.reasons];
        pieces.map(|pieces| pieces.bytes).iter().sum::<usize>() + self.templates.bytes()
    }

    /// Recognises the line that `bytes` begin with: one that only says that a request came
    /// in, or one that is like a line that is known. [`Frame::split`] splits it as well, and
    /// all pieces of it that decide are the same as those of the known one.
    #[inline]
    pub fn recognise<'a>(&mut self, bytes: &'a [u8]) -> Option<Likeness<'a>> {
        let Self { callers, clients, reasons, templates } = self;
        templates.recognise(bytes, [callers, clients, reasons])
    }

    /// Knows the line that was not recognised last: it was split into these pieces, and of its
    /// like `known` is remembered.
    pub fn know(&mut self, frame: &Frame<'_>, places: Places, known: usize) {
        self.templates.know(frame, places, known);
    }
}

/// A piece of raw JSON.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// The same for all of which the same matters.
    pub(super) number: u32,
    /// Where it is remembered as it stands.
    pub(super) place: Option<u32>,
}

/// Pieces of one kind, numbered by what matters of them.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// As they stand in the line, many to one number: each token and pod of a service
    /// account is another.
    raw: Table<Box<[u8]>, u32>,
    /// What matters of them; the number is the place.
    usual: Table<Box<[u8]>, ()>,
    bytes: usize,
}

impl Pieces {
    /// The piece at this place, as it stands in lines.
    #[inline]
    pub(super) fn at(&self, place: u32) -> Option<&[u8]> {
        self.raw.get_index(place as usize).map(|(raw, _)| &**raw)
    }

    /// Numbers a piece, of which `usual` tells what matters; nothing where that cannot be
    /// told. What `comes_again` is remembered as it stands.
    pub(super) fn number<'a>(
        &mut self,
        raw: &'a [u8],
        comes_again: bool,
        usual: impl FnOnce(&'a [u8]) -> Option<Vec<u8>>,
    ) -> Option<Piece> {
        if raw.len() > LONGEST {
            return None;
        }
        if let Some((place, _, number)) = self.raw.get_full(raw) {
            return Some(Piece { number: *number, place: u32::try_from(place).ok() });
        }
        let usual = usual(raw)?;
        let place = self.usual.get_index_of(usual.as_slice()).unwrap_or_else(|| {
            self.bytes += usual.len() + ENTRY_BYTES;
            self.usual.insert_full(usual.into(), ()).0
        });
        let number = u32::try_from(place).ok()?;
        if !comes_again {
            return Some(Piece { number, place: None });
        }
        self.bytes += raw.len() + ENTRY_BYTES;
        let (place, _) = self.raw.insert_full(raw.into(), number);
        Some(Piece { number, place: u32::try_from(place).ok() })
    }
}
