//! Event lines in the API server's own layout, split without being parsed.
//!
//! The API server writes the fields of an event in one order, and everything that
//! decides what an event proves stands at known places before and after the bodies.
//! A line in that layout is compared with those already read by these few bytes alone.
//! Any other line is simply not recognised here and parsed as JSON.
//!
//! A line is split into a [`Frame`] of these pieces by looking for their ends. Mostly, not even
//! that is needed: a line that began like it tells what to expect, see [`Recent::recognise`].
//!
//! Only bytes that decide are ever looked into, be it for a comparison or to read the
//! event, so that both come to the same whatever the other bytes are. A line without
//! bodies is walked from its first byte to its last, and so its end is found on the way.

mod cursor;
mod key;
mod read;
mod recent;
mod template;

use memchr::{memchr2, memrchr};

use cursor::Cursor;
pub use recent::Recent;
pub use template::{Likeness, Places};

const HEAD: &[u8; 56] = b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"";
/// Behind the audit ID.
const STAGE: &[u8; 11] = b"\",\"stage\":\"";
const SOURCE_IPS: &[u8; 14] = b",\"sourceIPs\":[";
const USER_AGENT: &[u8; 14] = b",\"userAgent\":\"";
const OBJECT: &[u8; 14] = b",\"objectRef\":{";
const STATUS: &[u8; 18] = b",\"responseStatus\":";
const REQUEST_BODY: &[u8; 17] = b",\"requestObject\":";
const RESPONSE_BODY: &[u8; 18] = b",\"responseObject\":";
const RECEIVED: &[u8; 29] = b",\"requestReceivedTimestamp\":\"";
const STAGED: &[u8; 19] = b",\"stageTimestamp\":\"";
const ANNOTATIONS: &[u8; 15] = b",\"annotations\":";

/// One event line, as pieces of its raw JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame<'a> {
    audit_id: &'a [u8],
    stage: &'a [u8],
    uri: &'a [u8],
    /// With its question mark.
    query: &'a [u8],
    /// From the stage to the end of the path.
    to_path: &'a [u8],
    verb: &'a [u8],
    /// From the user object to the user agent.
    caller: &'a [u8],
    /// Of it the user object and, where the caller impersonated, what follows it.
    who: &'a [u8],
    /// And the addresses and the user agent.
    client: &'a [u8],
    /// The object reference with its key, and the name in that of a list or watch.
    object: &'a [u8],
    object_name: &'a [u8],
    /// What the response status decides, and all of it with its key.
    status: Status<'a>,
    whole_status: &'a [u8],
    has_bodies: bool,
    staged: &'a [u8],
    /// The annotations object.
    annotations: &'a [u8],
}

/// What the response status decides.
#[derive(Clone, Copy, Debug, Default)]
enum Status<'a> {
    #[default]
    Absent,
    /// The three digits of a success, of which nothing else matters.
    Success(&'a [u8; 3]),
    /// The whole object.
    Other(&'a [u8]),
}

impl<'a> Frame<'a> {
    /// Splits the line that `bytes` begin with, where it is one event from end to end, and
    /// says how long it is without its line break; nothing where its layout differs.
    pub fn split(bytes: &'a [u8]) -> Option<(Self, usize)> {
        let mut frame = Self::default();
        let mut cursor = Cursor { rest: bytes };
        frame.audit_id = cursor.head()?;
        let from_stage = cursor.rest;
        frame.stage = cursor.word()?;
        if frame.is_request_received() {
            // Nothing else of it is wanted.
            frame.take_end(&mut cursor)?;
        } else {
            frame.request(from_stage, &mut cursor)?;
            frame.end(&mut cursor)?;
        }
        cursor.is_at_end().then(|| (frame, bytes.len() - cursor.rest.len()))
    }

    /// Splits what stands before the bodies.
    fn request(&mut self, from_stage: &'a [u8], cursor: &mut Cursor<'a>) -> Option<()> {
        cursor.literal(b",\"requestURI\":\"")?;
        self.uri = cursor.string()?;
        // Behind an escape, another question mark may have started it.
        let mark = memchr2(b'?', b'\\', self.uri).filter(|at| self.uri[*at] == b'?');
        self.query = &self.uri[mark.unwrap_or(self.uri.len())..];
        let passed = from_stage.len() - cursor.rest.len() - 1;
        self.to_path = &from_stage[..passed - self.query.len()];
        cursor.literal(b",\"verb\":\"")?;
        // The verb tells what else decides, and is compared as it stands.
        self.verb = cursor.word().filter(|verb| !verb.contains(&b'\\'))?;
        cursor.literal(b",\"user\":")?;
        self.caller = cursor.passed(|cursor| {
            (self.who, self.client) = cursor.caller()?;
            Some(())
        })?;
        if cursor.rest.starts_with(OBJECT) {
            self.object = cursor.passed(|cursor| {
                cursor.literal(OBJECT)?;
                self.object_name = cursor.object_name(self.selects())?;
                Some(())
            })?;
        }
        if cursor.rest.starts_with(STATUS) {
            self.whole_status = cursor.passed(|cursor| {
                cursor.literal(STATUS)?;
                self.status = cursor.status()?;
                Some(())
            })?;
        }
        Some(())
    }

    /// Splits what follows the request.
    fn end(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        self.has_bodies = cursor.is_at_bodies();
        if self.has_bodies {
            return self.take_end(cursor);
        }
        self.staged = cursor.times()?;
        if cursor.literal(ANNOTATIONS).is_some() {
            self.annotations = cursor.object_of_strings()?;
        }
        cursor.literal(b"}")
    }

    /// Splits the end of a line, the timestamps and annotations, without a look at what is
    /// before them.
    fn take_end(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        let line = cursor.rest_of_line()?;
        let mut before = line.strip_suffix(b"}")?;
        if before.ends_with(b"}") {
            let start = annotations_start(before)?;
            let mut end = Cursor { rest: &line[start + ANNOTATIONS.len()..] };
            self.annotations = end.object_of_strings()?;
            end.rest.strip_prefix(b"}").filter(|rest| rest.is_empty())?;
            before = &line[..start];
        }
        self.staged = Cursor::times_at_end(before)?;
        Some(())
    }

    /// Whether it only says that a request came in: it proves nothing.
    pub fn is_request_received(&self) -> bool {
        self.stage == b"RequestReceived"
    }

    /// The time of the stage, if it is in the API server's own form.
    pub fn staged(&self) -> &'a [u8] {
        self.staged
    }

    /// Whether it holds bodies.
    pub fn has_bodies(&self) -> bool {
        self.has_bodies
    }

    /// Whether the request can have a selected name.
    fn selects(&self) -> bool {
        matches!(self.verb, b"list" | b"watch")
    }

    fn has_object(&self) -> bool {
        !self.object.is_empty()
    }

    /// An object reference without a name says that no name was selected.
    fn is_query_read(&self) -> bool {
        self.selects() && !(self.has_object() && self.object_name.is_empty())
    }

    fn path(&self) -> &'a [u8] {
        &self.uri[..self.uri.len() - self.query.len()]
    }
}

/// Where `,"annotations":` starts, searched from the end: it is the last `{` of the line
/// unless an annotation holds one.
fn annotations_start(line: &[u8]) -> Option<usize> {
    let mut end = line.len();
    loop {
        let brace = memrchr(b'{', &line[..end])?;
        if line[..brace].ends_with(ANNOTATIONS) {
            let start = brace - ANNOTATIONS.len();
            if Cursor::times_at_end(&line[..start]).is_some() {
                return Some(start);
            }
        }
        end = brace;
    }
}
