//! What can be wrong with an input as a whole, and where.

use std::fmt;
use std::io;

use thiserror::Error;

/// Why an input could not be read to its end, or at all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Damage {
    /// The file ends within a gzip member: a broken download or upload.
    #[error("the gzip data ends too early")]
    GzipCut,
    /// A gzip member does not inflate.
    #[error("the gzip data is corrupt")]
    GzipCorrupt,
    /// Something that is not gzip follows the last gzip member.
    #[error("bytes that are not gzip follow the gzip data")]
    TrailingGarbage,
    /// A zstd frame does not decompress; the text is the decoder's.
    #[error("the zstd data is cut or corrupt: {0}")]
    ZstdCorrupt(String),
    /// A format that is recognised but not read, and what to do instead.
    #[error("{what} is not read: {hint}")]
    UnsupportedFormat {
        /// The format's name.
        what: &'static str,
        /// What the user can do instead, in one line.
        hint: &'static str,
    },
    /// The operating system refused; the text is its own.
    #[error("cannot be read: {0}")]
    Unreadable(String),
}

/// A [`Damage`] and the offset in the stored bytes at which it was met.
///
/// Readers pass it on as an [`io::Error`]; [`Flaw::from_io`] gets it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong.
    pub damage: Damage,
    /// Offset in bytes, in the outermost layer of compression that knew one.
    pub offset: u64,
}

impl Flaw {
    /// The flaw behind `error`: our own where a reader of this module made it.
    pub fn from_io(error: &io::Error) -> Self {
        Self::of(error)
            .cloned()
            .unwrap_or_else(|| Self { damage: Damage::Unreadable(error.to_string()), offset: 0 })
    }

    /// The flaw that a reader of this module wrapped in `error`.
    pub(super) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.damage, self.offset)
    }
}

impl std::error::Error for Flaw {}

impl From<Flaw> for io::Error {
    fn from(flaw: Flaw) -> Self {
        Self::other(flaw)
    }
}
