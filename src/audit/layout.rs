//! Event lines in the API server's own layout, split without being parsed.
//!
//! The API server writes the fields of an event in one order, and everything that
//! decides what an event proves stands at known places before and after the bodies.
//! A line in that layout is compared with those already read by these few bytes alone.
//! Any other line is simply not recognised here and parsed as JSON.
//!
//! Only bytes that decide are ever looked into, be it for a comparison or to read the
//! event, so that both come to the same whatever the other bytes are.

use memchr::{memchr, memchr_iter, memmem, memrchr};
use std::sync::LazyLock;

use super::event::{Annotations, Event, Extra, ObjectRef, ResponseStatus, User};
use super::text::Text;

const HEAD: &[u8; 56] = b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"";
const RECEIVED: &[u8; 29] = b",\"requestReceivedTimestamp\":\"";
const STAGED: &[u8; 19] = b",\"stageTimestamp\":\"";
const ANNOTATIONS: &[u8; 15] = b",\"annotations\":";
const DECISION: &[u8; 34] = b"{\"authorization.k8s.io/decision\":\"";
/// A timestamp and the quote that ends it.
const TIME: usize = 28;
/// Longer annotations hold more than the decision and its reason.
const USUAL_ANNOTATIONS: usize = 512;
/// Between the parts of a key: no byte of JSON text in one line.
const SEPARATOR: u8 = b'\n';

static SOURCE_IPS: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new(b",\"sourceIPs\":["));

/// One event line, as pieces of its raw JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame<'a> {
    audit_id: &'a [u8],
    stage: &'a [u8],
    uri: &'a [u8],
    verb: &'a [u8],
    /// The user object and, where the caller impersonated, what follows it.
    who: &'a [u8],
    user_agent: &'a [u8],
    /// The name in the object reference of a list or watch.
    object_name: &'a [u8],
    has_object: bool,
    status: Status<'a>,
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
    Success(&'a [u8]),
    /// The whole object.
    Other(&'a [u8]),
}

impl<'a> Frame<'a> {
    /// Splits a line that is one event from end to end; nothing where its layout differs.
    pub fn of(line: &'a [u8]) -> Option<Self> {
        let mut frame = Self::default();
        let mut cursor = Cursor { rest: line.strip_prefix(HEAD)? };
        cursor.string()?;
        cursor.literal(b",\"auditID\":\"")?;
        frame.audit_id = cursor.uuid()?;
        cursor.literal(b",\"stage\":\"")?;
        frame.stage = cursor.string()?;
        cursor.rest = frame.tail(cursor.rest)?;
        if frame.stage != b"RequestReceived" {
            frame.request(&mut cursor)?;
        }
        Some(frame)
    }

    /// Takes the end of the line off: the timestamps and annotations, which follow the
    /// bodies. Returns what is before them.
    fn tail(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let rest = rest.strip_suffix(b"}")?;
        let mut before = rest;
        if rest.ends_with(b"}") {
            let start = annotations_start(rest)?;
            self.annotations = &rest[start + ANNOTATIONS.len()..];
            before = &rest[..start];
        }
        let (before, staged) = before.split_at_checked(before.len().checked_sub(TIME)?)?;
        self.staged = staged.strip_suffix(b"\"")?;
        let before = before.strip_suffix(STAGED)?;
        let (before, received) = before.split_at_checked(before.len().checked_sub(TIME)?)?;
        received.strip_suffix(b"\"")?;
        before.strip_suffix(RECEIVED)
    }

    fn request(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        cursor.literal(b",\"requestURI\":\"")?;
        self.uri = cursor.string()?;
        cursor.literal(b",\"verb\":\"")?;
        self.verb = cursor.string()?;
        cursor.literal(b",\"user\":")?;
        let end = SOURCE_IPS.find(cursor.rest)?;
        self.who = &cursor.rest[..end];
        cursor.rest = &cursor.rest[end + b",\"sourceIPs\":".len()..];
        cursor.strings()?;
        if cursor.literal(b",\"userAgent\":\"").is_some() {
            self.user_agent = cursor.string()?;
        }
        if cursor.literal(b",\"objectRef\":{").is_some() {
            self.has_object = true;
            self.object_name = cursor.object_name(self.selects())?;
        }
        if cursor.literal(b",\"responseStatus\":").is_some() {
            self.status = cursor.status()?;
        }
        let bodies: [&[u8]; 2] = [b",\"requestObject\":", b",\"responseObject\":"];
        let at_end = cursor.rest.is_empty();
        (at_end || bodies.iter().any(|body| cursor.rest.starts_with(body))).then_some(())
    }

    /// The time of the stage, if it is in the API server's own form.
    pub fn staged(&self) -> &'a [u8] {
        self.staged
    }

    /// Who called, as it stands in the line.
    pub fn who(&self) -> &'a [u8] {
        self.who
    }

    /// What matters of who called: without pod names, token IDs and the like. Nothing where
    /// it is no valid JSON; empty before authorization, where it does not matter.
    pub fn usual_who(&self) -> Option<Vec<u8>> {
        if self.who.is_empty() {
            return Some(Vec::new());
        }
        let who = Who::read(self.who)?;
        let mut key = Vec::with_capacity(self.who.len());
        let user = &who.user;
        let extras = [user.extra.first("canonicalArn"), user.extra.first("sessionName")];
        let extras = extras.into_iter().map(|value| value.map_or("", |value| value));
        let groups = user.groups.iter().map(|group| &**group);
        for part in std::iter::once(&*user.username).chain(extras).chain(groups) {
            key.extend_from_slice(part.as_bytes());
            // Not in UTF-8, so in no part.
            key.push(0xff);
        }
        key.extend_from_slice(who.rest);
        Some(key)
    }

    /// Writes the bytes that decide what the event proves, next to who called. Two events
    /// with the same key and the same caller prove the same, as long as no body is looked
    /// at: see [`super::Reading::body_use`].
    ///
    /// Left out are the query where it cannot matter, IDs, addresses, times, bodies, and
    /// of the user agent all but its first word.
    pub fn write_key(&self, key: &mut Vec<u8>) {
        let (path, query) = self.split_uri();
        let query = if self.is_query_read() { query } else { b"" };
        let status = match self.status {
            Status::Absent => b"",
            Status::Success(raw) | Status::Other(raw) => raw,
        };
        let parts = [self.stage, path, query, self.verb, self.program(), self.object_name, status];
        key.push(u8::from(self.has_object));
        for part in parts {
            key.extend_from_slice(part);
            key.push(SEPARATOR);
        }
        self.write_annotations(key);
    }

    /// The annotations as they stand, unless there is more to them than usual.
    fn write_annotations(&self, key: &mut Vec<u8>) {
        if self.annotations.len() <= USUAL_ANNOTATIONS && self.annotations.starts_with(DECISION) {
            return key.extend_from_slice(self.annotations);
        }
        // What cannot be read stays as it is: it will not be read for the event either.
        match Decision::read(self.annotations) {
            None => key.extend_from_slice(self.annotations),
            Some(decision) => {
                key.push(u8::from(decision.unsafe_delete));
                key.extend_from_slice(decision.verdict);
                key.push(SEPARATOR);
                key.extend_from_slice(decision.reason);
            }
        }
    }

    fn split_uri(&self) -> (&'a [u8], &'a [u8]) {
        match memchr(b'?', self.uri) {
            Some(at) => (&self.uri[..at], &self.uri[at..]),
            None => (self.uri, b""),
        }
    }

    /// Whether the request can have a selected name.
    fn selects(&self) -> bool {
        matches!(self.verb, b"list" | b"watch")
    }

    /// An object reference without a name says that no name was selected.
    fn is_query_read(&self) -> bool {
        self.selects() && !(self.has_object && self.object_name.is_empty())
    }

    fn program(&self) -> &'a [u8] {
        let end = memchr(b' ', self.user_agent).unwrap_or(self.user_agent.len());
        &self.user_agent[..end]
    }

    /// The event without its bodies; nothing where a part that decides is no valid JSON.
    /// Parts that do not decide are left empty where they are not valid.
    pub fn event(&self) -> Option<Event<'a>> {
        let mut event = Event::default();
        event.stage = text(self.stage)?;
        event.audit_id = text(self.audit_id).unwrap_or_default();
        event.stage_timestamp = text(self.staged).unwrap_or_default();
        if event.stage.as_bytes() == b"RequestReceived" {
            return Some(event);
        }
        let path = text(self.split_uri().0)?;
        event.request_uri = match text(self.uri) {
            Some(uri) => uri,
            None if self.is_query_read() => return None,
            None => path,
        };
        event.verb = text(self.verb)?;
        let who = Who::read(self.who)?;
        event.user = who.user;
        event.set_impersonation(who.rest)?;
        let program = text(self.program())?;
        event.user_agent = text(self.user_agent).unwrap_or(program);
        event.object_ref = match (self.has_object, text(self.object_name)) {
            (false, _) => None,
            (true, name) => Some(ObjectRef { name: name? }),
        };
        event.response_status = self.status.read()?;
        let decision = Decision::read(self.annotations)?;
        event.annotations = Annotations {
            decision: text(decision.verdict)?,
            reason: text(decision.reason)?,
            unsafe_delete: decision.unsafe_delete.then(Text::default),
        };
        Some(event)
    }
}

/// Where `,"annotations":` starts, searched from the end: it is the last `{` of the line
/// unless an annotation holds one.
fn annotations_start(rest: &[u8]) -> Option<usize> {
    let mut end = rest.len();
    loop {
        let brace = memrchr(b'{', &rest[..end])?;
        if rest[..brace].ends_with(ANNOTATIONS) {
            let start = brace - ANNOTATIONS.len();
            let timed = start.checked_sub(TIME + STAGED.len())?;
            if rest[timed..].starts_with(STAGED) {
                return Some(start);
            }
        }
        end = brace;
    }
}

impl<'a> Status<'a> {
    #[expect(clippy::option_option, reason = "absent and unreadable are two things")]
    fn read(self) -> Option<Option<ResponseStatus<'a>>> {
        Some(match self {
            Self::Absent => None,
            Self::Other(raw) => Some(serde_json::from_slice(raw).ok()?),
            Self::Success(digits) => {
                let code = std::str::from_utf8(digits).ok()?.parse().ok()?;
                Some(ResponseStatus { code, ..ResponseStatus::default() })
            }
        })
    }
}

/// The caller, and what stands about impersonation behind it.
struct Who<'a> {
    user: User<'a>,
    rest: &'a [u8],
}

impl<'a> Who<'a> {
    fn read(raw: &'a [u8]) -> Option<Self> {
        let mut users = serde_json::Deserializer::from_slice(raw).into_iter::<User<'a>>();
        let user = users.next()?.ok()?;
        let rest = &raw[users.byte_offset()..];
        let extra = user.extra.0.into_iter();
        let kept = extra.filter(|(key, _)| matches!(&**key, "canonicalArn" | "sessionName"));
        Some(Self { user: User { extra: Extra(kept.collect()), ..user }, rest })
    }
}

/// The annotations that decide.
struct Decision<'a> {
    verdict: &'a [u8],
    reason: &'a [u8],
    unsafe_delete: bool,
}

impl<'a> Decision<'a> {
    fn read(raw: &'a [u8]) -> Option<Self> {
        let mut found = Self { verdict: b"", reason: b"", unsafe_delete: false };
        let mut cursor = Cursor { rest: raw };
        if raw.is_empty() {
            return Some(found);
        }
        cursor.literal(b"{")?;
        cursor.pairs(|key, value| match key {
            b"authorization.k8s.io/decision" => found.verdict = value,
            b"authorization.k8s.io/reason" => found.reason = value,
            b"apiserver.k8s.io/unsafe-delete-ignore-read-error" => found.unsafe_delete = true,
            _ => {}
        })?;
        cursor.rest.is_empty().then_some(found)
    }
}

fn is_success(code: &[u8]) -> bool {
    matches!(code, [b'2', rest @ ..] if rest.iter().all(u8::is_ascii_digit))
}

/// A raw JSON string without its quotes.
fn text(raw: &[u8]) -> Option<Text<'_>> {
    let raw = std::str::from_utf8(raw).ok()?;
    if raw.bytes().all(|byte| byte != b'\\' && byte >= b' ') {
        return Some(Text::from(raw));
    }
    let string: String = serde_json::from_str(&format!("\"{raw}\"")).ok()?;
    Some(Text::from(string))
}

/// A position in the line.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Of a length known to the compiler, which then compares a word or two.
    fn literal<const N: usize>(&mut self, literal: &[u8; N]) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// The rest of a string whose opening quote is behind us, without its closing quote.
    fn string(&mut self) -> Option<&'a [u8]> {
        let is_end = |quote: &usize| {
            let before = self.rest[..*quote].iter().rev();
            before.take_while(|byte| **byte == b'\\').count() % 2 == 0
        };
        let end = memchr_iter(b'"', self.rest).find(is_end)?;
        let (string, rest) = self.rest.split_at(end);
        self.rest = &rest[1..];
        Some(string)
    }

    /// The same for what is usually a UUID: where a quote and the next key stand behind 36
    /// bytes, the string ends there, since within a string no quote stands alone.
    fn uuid(&mut self) -> Option<&'a [u8]> {
        match self.rest.split_at_checked(36) {
            Some((id, rest)) if rest.starts_with(b"\",\"stage\":") && !id.ends_with(b"\\") => {
                self.rest = &rest[1..];
                Some(id)
            }
            _ => self.string(),
        }
    }

    /// Passes a list of strings.
    fn strings(&mut self) -> Option<()> {
        self.literal(b"[")?;
        while self.literal(b"]").is_none() {
            self.literal(b"\"")?;
            self.string()?;
            if self.literal(b",").is_none() {
                return self.literal(b"]");
            }
        }
        Some(())
    }

    /// The rest of an object of strings whose opening brace is behind us.
    fn pairs(&mut self, mut pair: impl FnMut(&'a [u8], &'a [u8])) -> Option<()> {
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

    /// The name in the rest of an object reference, if it is wanted. Else the first closing
    /// brace counts as its end: were it in a string, what follows could not start with the
    /// quote of a key.
    fn object_name(&mut self, wanted: bool) -> Option<&'a [u8]> {
        let mut name: &[u8] = b"";
        if !wanted {
            self.rest = &self.rest[memchr(b'}', self.rest)? + 1..];
            return Some(name);
        }
        self.pairs(|key, value| {
            if key == b"name" {
                name = value;
            }
        })?;
        Some(name)
    }

    fn status(&mut self) -> Option<Status<'a>> {
        let usual = self.rest.strip_prefix(b"{\"metadata\":{},\"code\":");
        if let Some([code @ .., b'}']) = usual.and_then(|rest| rest.get(..4))
            && is_success(code)
        {
            self.rest = &self.rest[b"{\"metadata\":{},\"code\":200}".len()..];
            return Some(Status::Success(code));
        }
        let raw = self.object()?;
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

    /// A whole object, whatever is in it.
    fn object(&mut self) -> Option<&'a [u8]> {
        let start = self.rest;
        self.literal(b"{")?;
        let mut depth = 1_usize;
        while depth > 0 {
            let at = self.rest.iter().position(|byte| matches!(byte, b'"' | b'{' | b'}'))?;
            let byte = self.rest[at];
            self.rest = &self.rest[at + 1..];
            match byte {
                b'"' => {
                    self.string()?;
                }
                b'{' => depth += 1,
                _ => depth -= 1,
            }
        }
        Some(&start[..start.len() - self.rest.len()])
    }
}
