//! A position in bytes that begin with an event line. Nothing here goes on over the line's
//! end, so what is behind it need not be known.

use std::sync::LazyLock;

use memchr::{memchr, memchr2, memchr2_iter, memmem};
use serde::de::IgnoredAny;

use super::{
    HEAD, RECEIVED, REQUEST_BODY, RESPONSE_BODY, SOURCE_IPS, STAGE, STAGED, Status, USER_AGENT,
};

static SOURCES: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new(SOURCE_IPS));

/// The status of a success, up to its code.
const USUAL_STATUS: &[u8] = b"{\"metadata\":{},\"code\":";
/// A timestamp and the quote that ends it.
const TIME: usize = 28;
/// Both times with their keys.
const TIMES: usize = RECEIVED.len() + TIME + STAGED.len() + TIME;

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

    /// The same of any length.
    #[inline]
    pub(super) fn known(&mut self, piece: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(piece)?;
        Some(())
    }

    /// What `step` passes.
    pub(super) fn passed(
        &mut self,
        step: impl FnOnce(&mut Self) -> Option<()>,
    ) -> Option<&'a [u8]> {
        let start = self.rest;
        step(self)?;
        Some(&start[..start.len() - self.rest.len()])
    }

    /// The begin of an event up to its stage. Returns the audit ID.
    #[inline]
    pub(super) fn head(&mut self) -> Option<&'a [u8]> {
        self.literal(HEAD)?;
        let is_usual = self.literal(b"Metadata\",\"auditID\":\"").is_some()
            || self.literal(b"Request\",\"auditID\":\"").is_some();
        if !is_usual {
            self.word()?;
            self.literal(b",\"auditID\":\"")?;
        }
        self.audit_id()
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

    /// The audit ID and the key of the stage. The ID is usually a UUID: where a quote and the
    /// next key stand behind 36 bytes, the string ends there, since within a string no quote
    /// stands alone.
    #[inline]
    fn audit_id(&mut self) -> Option<&'a [u8]> {
        if let Some((id, rest)) = self.rest.split_first_chunk::<36>()
            && let Some(rest) = rest.strip_prefix(STAGE)
            && id[35] != b'\\'
            && is_in_line(id)
        {
            self.rest = rest;
            return Some(id);
        }
        let id = self.string()?;
        self.known(&STAGE[1..])?;
        Some(id)
    }

    /// Both times. Returns that of the stage.
    #[inline]
    pub(super) fn times(&mut self) -> Option<&'a [u8]> {
        let (times, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        time_of_stage(times)
    }

    /// The same for what `text` ends with.
    #[inline]
    pub(super) fn times_at_end(text: &'a [u8]) -> Option<&'a [u8]> {
        time_of_stage(text.last_chunk()?)
    }

    /// Whether a body stands here.
    #[inline]
    pub(super) fn is_at_bodies(&self) -> bool {
        self.rest.starts_with(REQUEST_BODY) || self.rest.starts_with(RESPONSE_BODY)
    }

    /// Whether the line ends here.
    #[inline]
    pub(super) fn is_at_end(&self) -> bool {
        matches!(self.rest, [] | [b'\n', ..] | [b'\r'] | [b'\r', b'\n', ..])
    }

    /// All up to the end of the line, unless another event begins in it: events glued to one
    /// line have the head of the first and the end of the last.
    pub(super) fn rest_of_line(&mut self) -> Option<&'a [u8]> {
        // Of what an event begins with, capitals are the rarest in JSON of Kubernetes.
        let mut len = self.rest.len();
        for at in memchr2_iter(b'\n', b'E', self.rest) {
            let (before, from) = self.rest.split_at(at);
            if from[0] == b'\n' {
                len = at;
                break;
            }
            if from.starts_with(b"Event\",\"apiVersion\":\"") && before.ends_with(b"{\"kind\":\"") {
                return None;
            }
        }
        let line = &self.rest[..len];
        Some(self.take(line.strip_suffix(b"\r").unwrap_or(line).len()))
    }

    /// Passes the caller. Returns the user object with what follows it, up to the addresses;
    /// and the client: the addresses behind their opening bracket, and the user agent.
    pub(super) fn caller(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        // Looking for what is behind it stops at the end of the line.
        let line = &self.rest[..memchr(b'\n', self.rest).unwrap_or(self.rest.len())];
        let who = self.take(SOURCES.find(line)?);
        self.literal(SOURCE_IPS)?;
        Some((who, self.passed(Self::client)?))
    }

    fn client(&mut self) -> Option<()> {
        self.strings()?;
        self.literal(USER_AGENT).is_none_or(|()| self.string().is_some()).then_some(())
    }

    /// Passes a list of strings whose opening bracket is behind us.
    fn strings(&mut self) -> Option<()> {
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
        self.passed(|cursor| {
            cursor.literal(b"{")?;
            cursor.pairs(|_, _| ())
        })
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
        let others = self.take(memchr2(b'}', b'\n', self.rest)?);
        self.literal(b"}")?;
        // Keys in another order, or with an escape, could be that of the name.
        let may_name = || others.contains(&b'\\') || memmem::find(others, b"\"name\"").is_some();
        (!wanted || !may_name()).then_some(name)
    }

    /// What the response status decides.
    pub(super) fn status(&mut self) -> Option<Status<'a>> {
        let raw = self.object_before_re()?;
        match raw.strip_suffix(b"}").and_then(|raw| raw.split_last_chunk()) {
            Some((before, code)) if before.ends_with(b",\"code\":") && is_success(*code) => {
                // It may be the begin of one status and, of an event glued to it, the end of
                // another.
                let is_whole = before == USUAL_STATUS || is_json(raw);
                is_whole.then_some(Status::Success(code))
            }
            _ => Some(Status::Other(raw)),
        }
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

/// The time of the stage in both times with their keys, of the API server's own lengths.
#[inline]
fn time_of_stage(times: &[u8; TIMES]) -> Option<&[u8]> {
    let (received, staged) = times.split_at(RECEIVED.len() + TIME);
    let is_time = |time: &[u8]| time.len() == TIME && time[TIME - 1] == b'"';
    let staged = staged.strip_prefix(STAGED)?;
    (is_in_line(times) && is_time(received.strip_prefix(RECEIVED)?) && is_time(staged))
        .then(|| &staged[..TIME - 1])
}

/// Whether no line ends in these few bytes. Without a branch, so that it takes a few
/// instructions for all of them.
fn is_in_line<const N: usize>(bytes: &[u8; N]) -> bool {
    bytes.iter().fold(0, |found, byte| found | u8::from(*byte == b'\n')) == 0
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

fn is_success(code: [u8; 3]) -> bool {
    code[0] == b'2' && code.iter().all(u8::is_ascii_digit)
}
