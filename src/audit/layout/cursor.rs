//! A position in bytes that begin with an event line. Nothing here goes on over the line's
//! end, so what is behind it need not be known.

use memchr::{memchr2, memchr2_iter};

use super::Status;

/// A timestamp and the quote that ends it.
pub(super) const TIME: usize = 28;

/// A position in the line.
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Of a length known to the compiler, which then compares a word or two.
    pub(super) fn literal<const N: usize>(&mut self, literal: &[u8; N]) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// What is known to stand here often, where it does and `behind` stands behind it.
    pub(super) fn known(&mut self, piece: &[u8], behind: &[u8]) -> Option<&'a [u8]> {
        let rest = self.rest.strip_prefix(piece)?;
        rest.starts_with(behind).then(|| self.take(piece.len()))
    }

    /// The next bytes, of which there must be as many.
    pub(super) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len);
        self.rest = rest;
        taken
    }

    /// The rest of a string whose opening quote is behind us, without its closing quote.
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let is_end = |at: &usize| {
            let before = self.rest[..*at].iter().rev();
            self.rest[*at] == b'\n' || before.take_while(|byte| **byte == b'\\').count() % 2 == 0
        };
        let end = memchr2_iter(b'"', b'\n', self.rest).find(is_end)?;
        let string = self.take(end);
        self.literal(b"\"")?;
        Some(string)
    }

    /// The same for what is usually a few plain characters, which are found faster so.
    pub(super) fn word(&mut self) -> Option<&'a [u8]> {
        for (index, chunk) in self.rest.as_chunks().0.iter().enumerate() {
            let marks = marks(u64::from_le_bytes(*chunk));
            if marks == 0 {
                continue;
            }
            let end = index * 8 + marks.trailing_zeros() as usize / 8;
            if self.rest[end] != b'"' {
                break;
            }
            let word = self.take(end);
            self.rest = &self.rest[1..];
            return Some(word);
        }
        self.string()
    }

    /// The same for what is usually a UUID: where a quote and the next key stand behind 36
    /// bytes, the string ends there, since within a string no quote stands alone.
    pub(super) fn uuid(&mut self) -> Option<&'a [u8]> {
        match self.rest.split_first_chunk::<36>() {
            Some((id, rest))
                if rest.starts_with(b"\",\"stage\":") && id[35] != b'\\' && is_in_line(id) =>
            {
                self.rest = &rest[1..];
                Some(id)
            }
            _ => self.string(),
        }
    }

    /// A timestamp as the API server writes it, going by its length alone.
    pub(super) fn time(&mut self) -> Option<&'a [u8]> {
        let (time, rest) = self.rest.split_first_chunk::<{ TIME - 1 }>()?;
        self.rest = rest.strip_prefix(b"\"")?;
        is_in_line(time).then_some(time)
    }

    /// Passes a list of strings whose opening bracket is behind us.
    pub(super) fn strings(&mut self) -> Option<()> {
        while self.literal(b"]").is_none() {
            self.literal(b"\"")?;
            self.word()?;
            if self.literal(b",").is_none() {
                return self.literal(b"]");
            }
        }
        Some(())
    }

    /// The rest of an object of strings whose opening brace is behind us.
    pub(super) fn pairs(&mut self, mut pair: impl FnMut(&'a [u8], &'a [u8])) -> Option<()> {
        if self.literal(b"}").is_some() {
            return Some(());
        }
        loop {
            self.literal(b"\"")?;
            let key = self.string()?;
            self.literal(b":\"")?;
            pair(key, self.string()?);
            if self.literal(b"}").is_some() {
                return Some(());
            }
            self.literal(b",")?;
        }
    }

    /// A whole object of strings.
    pub(super) fn object_of_strings(&mut self) -> Option<&'a [u8]> {
        let start = self.rest;
        self.literal(b"{")?;
        self.pairs(|_, _| ())?;
        Some(&start[..start.len() - self.rest.len()])
    }

    /// Passes the rest of an object reference, and returns the name in it if that is wanted.
    /// The first closing brace counts as its end: were it in a string, what follows could not
    /// start with the quote of a key.
    pub(super) fn object_name(&mut self, wanted: bool) -> Option<&'a [u8]> {
        let mut name: &[u8] = b"";
        if wanted {
            self.literal(b"\"resource\":\"")?;
            self.word()?;
            if self.literal(b",\"namespace\":\"").is_some() {
                self.word()?;
            }
            if self.literal(b",\"name\":\"").is_some() {
                name = self.word()?;
            }
        }
        let rest = &self.rest[memchr2(b'}', b'\n', self.rest)?..];
        self.rest = rest.strip_prefix(b"}")?;
        Some(name)
    }

    /// What the response status decides.
    pub(super) fn status(&mut self) -> Option<Status<'a>> {
        let usual = self.rest.strip_prefix(b"{\"metadata\":{},\"code\":");
        if let Some([code @ .., b'}']) = usual.and_then(|rest| rest.get(..4))
            && is_success(code)
        {
            self.take(b"{\"metadata\":{},\"code\":200}".len());
            return Some(Status::Success(code));
        }
        let raw = self.object_before_re()?;
        let digits = raw.len().checked_sub(4).map(|at| raw.split_at(at));
        Some(match digits {
            Some((before, [code @ .., b'}']))
                if before.ends_with(b",\"code\":") && is_success(code) =>
            {
                Status::Success(code)
            }
            _ => Status::Other(raw),
        })
    }

    /// An object behind which a key follows that begins with `re`, as all keys do that can
    /// follow the status. In a string the quote would not stand alone.
    fn object_before_re(&mut self) -> Option<&'a [u8]> {
        let is_end =
            |at: &usize| self.rest[*at] == b'\n' || self.rest[*at + 1..].starts_with(b",\"re");
        let end = memchr2_iter(b'}', b'\n', self.rest).find(is_end)?;
        (self.rest[end] == b'}').then(|| self.take(end + 1))
    }
}

/// Marks the highest bit of every byte that ends a run of plain characters: quotes,
/// backslashes, and control characters. Behind the first mark, others may be wrong.
fn marks(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let below = |bytes: u64, bound: u64| bytes.wrapping_sub(ONES * bound) & !bytes;
    let quotes = below(word ^ (ONES * 0x22), 1);
    let backslashes = below(word ^ (ONES * 0x5c), 1);
    (quotes | backslashes | below(word, 0x20)) & (ONES * 0x80)
}

/// Whether no line ends in these few bytes. Without a branch, so that it takes a few
/// instructions for all of them.
fn is_in_line<const N: usize>(bytes: &[u8; N]) -> bool {
    bytes.iter().fold(0, |found, byte| found | u8::from(*byte == b'\n')) == 0
}

fn is_success(code: &[u8]) -> bool {
    matches!(code, [b'2', rest @ ..] if rest.iter().all(u8::is_ascii_digit))
}
