//! Event lines in the API server's own layout, split without being parsed.
//!
//! The API server writes the fields of an event in one order, and everything that
//! decides what an event proves stands at known places before and after the bodies.
//! A line in that layout is compared with those already read by these few bytes alone.
//! Any other line is simply not recognised here and parsed as JSON.
//!
//! Only bytes that decide are ever looked into, be it for a comparison or to read the
//! event, so that both come to the same whatever the other bytes are. A line without
//! bodies is walked from its first byte to its last, and so its end is found on the way.

mod cursor;
mod key;
mod read;
mod recent;

use std::sync::LazyLock;

use memchr::arch::all::packedpair::HeuristicFrequencyRank;
use memchr::{memchr, memmem, memrchr};

use cursor::{Cursor, TIME};
pub use recent::Recent;
use recent::{Piece, Pieces};

const HEAD: &[u8; 56] = b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"";
const SOURCE_IPS: &[u8; 14] = b",\"sourceIPs\":[";
const USER_AGENT: &[u8; 14] = b",\"userAgent\":\"";
const BODIES: [&[u8]; 2] = [b",\"requestObject\":", b",\"responseObject\":"];
const RECEIVED: &[u8; 29] = b",\"requestReceivedTimestamp\":\"";
const STAGED: &[u8; 19] = b",\"stageTimestamp\":\"";
const ANNOTATIONS: &[u8; 15] = b",\"annotations\":";
/// Finds how an event begins.
static NEXT_EVENT: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| {
    memmem::FinderBuilder::new()
        .build_forward_with_ranker(Capitals, b"{\"kind\":\"Event\",\"apiVersion\":\"")
});
static SOURCES: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new(SOURCE_IPS));

/// The bytes to look for: in JSON of Kubernetes, braces and quotes are everywhere.
struct Capitals;

impl HeuristicFrequencyRank for Capitals {
    fn rank(&self, byte: u8) -> u8 {
        if byte.is_ascii_uppercase() { 0 } else { u8::MAX }
    }
}

/// One event line, as pieces of its raw JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame<'a> {
    audit_id: &'a [u8],
    stage: &'a [u8],
    uri: &'a [u8],
    path: &'a [u8],
    /// With its question mark.
    query: &'a [u8],
    /// From the stage to the end of the path, and to the end of the verb.
    to_path: &'a [u8],
    to_verb: &'a [u8],
    verb: &'a [u8],
    /// The user object and, where the caller impersonated, what follows it.
    who: Piece<'a>,
    /// The addresses and the user agent.
    client: Piece<'a>,
    /// The name in the object reference of a list or watch.
    object_name: &'a [u8],
    has_object: bool,
    status: Status<'a>,
    staged: &'a [u8],
    /// The annotations object.
    annotations: Piece<'a>,
}

/// What the response status decides.
#[derive(Clone, Copy, Debug, Default)]
enum Status<'a> {
    #[default]
    Absent,
    /// The three digits of a success, of which nothing else matters.
    Success(&'a [u8]),
    /// The whole object.
    Other(&'a [u8]),
}

impl<'a> Frame<'a> {
    /// Splits the line that `bytes` begin with, where it is one event from end to end, and
    /// says how long it is without its line break; nothing where its layout differs.
    ///
    /// What is in `recent` changes nothing but the time it takes.
    #[inline]
    pub fn split(bytes: &'a [u8], recent: &Recent) -> Option<(Self, usize)> {
        let mut frame = Self::default();
        let mut cursor = Cursor { rest: bytes.strip_prefix(HEAD)? };
        cursor.word()?;
        cursor.literal(b",\"auditID\":\"")?;
        frame.audit_id = cursor.uuid()?;
        cursor.literal(b",\"stage\":\"")?;
        let from_stage = cursor.rest;
        frame.stage = cursor.word()?;
        if frame.is_request_received() {
            // Nothing else of it is wanted.
            frame.take_end(&mut cursor, recent)?;
        } else {
            frame.request(from_stage, &mut cursor, recent)?;
            frame.end(&mut cursor, recent)?;
        }
        let is_end = matches!(cursor.rest, [] | [b'\n', ..] | [b'\r'] | [b'\r', b'\n', ..]);
        is_end.then_some((frame, bytes.len() - cursor.rest.len()))
    }

    /// Splits what stands before the bodies.
    fn request(
        &mut self,
        from_stage: &'a [u8],
        cursor: &mut Cursor<'a>,
        recent: &Recent,
    ) -> Option<()> {
        cursor.literal(b",\"requestURI\":\"")?;
        self.uri = cursor.string()?;
        let path_end = memchr(b'?', self.uri).unwrap_or(self.uri.len());
        (self.path, self.query) = self.uri.split_at(path_end);
        let passed = |rest: &[u8]| from_stage.len() - rest.len() - 1;
        self.to_path = &from_stage[..passed(cursor.rest) - self.query.len()];
        cursor.literal(b",\"verb\":\"")?;
        self.verb = cursor.word()?;
        self.to_verb = &from_stage[..passed(cursor.rest)];
        cursor.literal(b",\"user\":")?;
        self.who = who(cursor, &recent.callers)?;
        cursor.literal(SOURCE_IPS)?;
        self.client = self.client(cursor, recent)?;
        if cursor.literal(b",\"objectRef\":{").is_some() {
            self.has_object = true;
            self.object_name = cursor.object_name(self.selects())?;
        }
        if cursor.literal(b",\"responseStatus\":").is_some() {
            self.status = cursor.status()?;
        }
        Some(())
    }

    /// Splits what follows the request.
    fn end(&mut self, cursor: &mut Cursor<'a>, recent: &Recent) -> Option<()> {
        if BODIES.iter().any(|body| cursor.rest.starts_with(body)) {
            return self.take_end(cursor, recent);
        }
        self.times(cursor)?;
        if cursor.literal(ANNOTATIONS).is_some() {
            self.annotations = self.reasons(cursor, recent)?;
        }
        cursor.literal(b"}")
    }

    fn times(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        cursor.literal(RECEIVED)?;
        cursor.time()?;
        cursor.literal(STAGED)?;
        self.staged = cursor.time()?;
        Some(())
    }

    /// The addresses and the user agent that follow.
    fn client(&self, cursor: &mut Cursor<'a>, recent: &Recent) -> Option<Piece<'a>> {
        let slot = self.slot();
        if let Some(piece) = recent.clients.expected(slot, cursor, b",\"") {
            return Some(piece);
        }
        let start = cursor.rest;
        cursor.strings()?;
        if cursor.literal(USER_AGENT).is_some() {
            cursor.string()?;
        }
        let raw = &start[..start.len() - cursor.rest.len()];
        Some(Piece { raw, number: None, slot })
    }

    /// The annotations object that follows.
    fn reasons(&self, cursor: &mut Cursor<'a>, recent: &Recent) -> Option<Piece<'a>> {
        let slot = self.slot();
        if let Some(piece) = recent.annotations.expected(slot, cursor, b"}") {
            return Some(piece);
        }
        Some(Piece { raw: cursor.object_of_strings()?, number: None, slot })
    }

    /// Who asks for what does so by one program and is allowed it for one reason, mostly.
    fn slot(&self) -> usize {
        self.who.slot.wrapping_add(self.path.len() * 31 + self.verb.len())
    }

    /// Splits the end of a line, the timestamps and annotations, without a look at what is
    /// before them.
    fn take_end(&mut self, cursor: &mut Cursor<'a>, recent: &Recent) -> Option<()> {
        let line = cursor.take(memchr(b'\n', cursor.rest).unwrap_or(cursor.rest.len()));
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // Events glued to one line have the head of the first and the end of the last.
        if NEXT_EVENT.find(line).is_some() {
            return None;
        }
        let mut before = line.strip_suffix(b"}")?;
        if before.ends_with(b"}") {
            let start = annotations_start(before)?;
            let mut end = Cursor { rest: &line[start + ANNOTATIONS.len()..] };
            self.annotations = self.reasons(&mut end, recent)?;
            end.rest.strip_prefix(b"}").filter(|rest| rest.is_empty())?;
            before = &line[..start];
        }
        let times = before.len().checked_sub(RECEIVED.len() + TIME + STAGED.len() + TIME)?;
        self.times(&mut Cursor { rest: &before[times..] })
    }

    /// Whether it only says that a request came in: it proves nothing.
    pub fn is_request_received(&self) -> bool {
        self.stage == b"RequestReceived"
    }

    /// The time of the stage, if it is in the API server's own form.
    pub fn staged(&self) -> &'a [u8] {
        self.staged
    }

    /// Whether the request can have a selected name.
    fn selects(&self) -> bool {
        matches!(self.verb, b"list" | b"watch")
    }

    /// An object reference without a name says that no name was selected.
    fn is_query_read(&self) -> bool {
        self.selects() && !(self.has_object && self.object_name.is_empty())
    }
}

/// Who called. Looking for what is behind it stops at the end of the line.
fn who<'a>(cursor: &mut Cursor<'a>, callers: &Pieces) -> Option<Piece<'a>> {
    let slot = caller_slot(cursor.rest);
    if let Some(piece) = callers.expected(slot, cursor, SOURCE_IPS) {
        return Some(piece);
    }
    let line = &cursor.rest[..memchr(b'\n', cursor.rest).unwrap_or(cursor.rest.len())];
    let raw = cursor.take(SOURCES.find(line)?);
    Some(Piece { raw, number: None, slot })
}

/// By where usernames differ: behind `{"username":"`.
fn caller_slot(user: &[u8]) -> usize {
    let differing = user.get(13..61).unwrap_or_default();
    let words = differing.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word));
    let mixed = words.fold(0_u64, |mixed, word| {
        (mixed.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
    });
    (mixed >> 40) as usize
}

/// Where `,"annotations":` starts, searched from the end: it is the last `{` of the line
/// unless an annotation holds one.
fn annotations_start(line: &[u8]) -> Option<usize> {
    let mut end = line.len();
    loop {
        let brace = memrchr(b'{', &line[..end])?;
        if line[..brace].ends_with(ANNOTATIONS) {
            let start = brace - ANNOTATIONS.len();
            let timed = start.checked_sub(TIME + STAGED.len())?;
            if line[timed..].starts_with(STAGED) {
                return Some(start);
            }
        }
        end = brace;
    }
}
