//! Event lines in the API server's own layout, split without being parsed.
//!
//! The API server writes the fields of an event in one order, and everything that
//! decides what an event proves stands at known places before and after the bodies.
//! A line in exactly that layout can be compared with those already read by these few
//! bytes alone. Any other line is simply not recognised here and parsed as JSON.

use memchr::{memchr, memmem};

use super::event::{Annotations, Event, Extra, ObjectRef, ResponseStatus, User};
use super::text::Text;

/// What stands at the place of the timestamps, after any bodies.
const TAIL: &[u8] = b",\"requestReceivedTimestamp\":\"";
/// Between the parts of a key: no byte of JSON text in one line.
const SEPARATOR: u8 = b'\n';

/// One event line, as pieces of its raw JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame<'a> {
    line: &'a [u8],
    audit_id: &'a [u8],
    stage: &'a [u8],
    uri: &'a [u8],
    verb: &'a [u8],
    username: &'a [u8],
    uid: &'a [u8],
    groups: &'a [u8],
    canonical_arn: &'a [u8],
    session_name: &'a [u8],
    impersonated_user: &'a [u8],
    authentication_metadata: &'a [u8],
    user_agent: &'a [u8],
    /// The name in the object reference, where there is one.
    object_name: Option<&'a [u8]>,
    response_status: &'a [u8],
    received: &'a [u8],
    staged: &'a [u8],
    decision: &'a [u8],
    reason: &'a [u8],
    unsafe_delete: Option<&'a [u8]>,
}

impl<'a> Frame<'a> {
    /// Splits a line that is one event from end to end; nothing where its layout differs.
    pub fn of(line: &'a [u8]) -> Option<Self> {
        let mut frame = Self { line, ..Self::default() };
        let mut cursor = Cursor { rest: line };
        frame.head(&mut cursor)?;
        if cursor.rest.starts_with(b",\"requestObject\":")
            || cursor.rest.starts_with(b",\"responseObject\":")
        {
            let tail = memmem::rfind(cursor.rest, TAIL)?;
            cursor.rest = &cursor.rest[tail..];
        }
        frame.tail(&mut cursor)?;
        Some(frame)
    }

    fn head(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        cursor.literal(b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"")?;
        cursor.string()?;
        cursor.literal(b",\"auditID\":\"")?;
        self.audit_id = cursor.string()?;
        cursor.literal(b",\"stage\":\"")?;
        self.stage = cursor.string()?;
        cursor.literal(b",\"requestURI\":\"")?;
        self.uri = cursor.string()?;
        cursor.literal(b",\"verb\":\"")?;
        self.verb = cursor.string()?;
        cursor.literal(b",\"user\":{")?;
        self.user(cursor)?;
        if cursor.literal(b",\"impersonatedUser\":").is_some() {
            self.impersonated_user = cursor.object()?;
        }
        if cursor.literal(b",\"authenticationMetadata\":").is_some() {
            self.authentication_metadata = cursor.object()?;
        }
        if cursor.literal(b",\"sourceIPs\":").is_some() {
            cursor.strings()?;
        }
        if cursor.literal(b",\"userAgent\":\"").is_some() {
            self.user_agent = cursor.string()?;
        }
        if cursor.literal(b",\"objectRef\":{").is_some() {
            self.object_name = Some(b"");
            cursor.pairs(|key, value| {
                if key == b"name" {
                    self.object_name = Some(value);
                }
            })?;
        }
        if cursor.literal(b",\"responseStatus\":").is_some() {
            self.response_status = cursor.object()?;
        }
        Some(())
    }

    fn user(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        if cursor.literal(b"\"username\":\"").is_some() {
            self.username = cursor.string()?;
        }
        if cursor.literal(b",\"uid\":\"").is_some() {
            self.uid = cursor.string()?;
        }
        if cursor.literal(b",\"groups\":").is_some() {
            self.groups = cursor.strings()?;
        }
        if cursor.literal(b",\"extra\":{").is_some() {
            self.extra(cursor)?;
        }
        cursor.literal(b"}")
    }

    fn extra(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        loop {
            cursor.literal(b"\"")?;
            let key = cursor.string()?;
            cursor.literal(b":")?;
            let values = cursor.strings()?;
            match key {
                b"canonicalArn" => self.canonical_arn = values,
                b"sessionName" => self.session_name = values,
                _ => {}
            }
            if cursor.literal(b"}").is_some() {
                return Some(());
            }
            cursor.literal(b",")?;
        }
    }

    fn tail(&mut self, cursor: &mut Cursor<'a>) -> Option<()> {
        cursor.literal(TAIL)?;
        self.received = cursor.string()?;
        cursor.literal(b",\"stageTimestamp\":\"")?;
        self.staged = cursor.string()?;
        if cursor.literal(b",\"annotations\":{").is_some() {
            cursor.pairs(|key, value| match key {
                b"authorization.k8s.io/decision" => self.decision = value,
                b"authorization.k8s.io/reason" => self.reason = value,
                b"apiserver.k8s.io/unsafe-delete-ignore-read-error" => {
                    self.unsafe_delete = Some(value);
                }
                _ => {}
            })?;
        }
        cursor.literal(b"}")?;
        cursor.rest.is_empty().then_some(())
    }

    /// The whole line.
    pub fn line(&self) -> &'a [u8] {
        self.line
    }

    /// The time of the stage, in the API server's own form.
    pub fn staged(&self) -> &'a [u8] {
        self.staged
    }

    /// Writes the bytes that decide what the event proves. Two events with the same key
    /// prove the same, as long as no body is looked at: see [`super::reads_body`].
    ///
    /// Left out are the query where it cannot matter, IDs, addresses, times, bodies, and
    /// of the user agent all but its first word.
    pub fn write_key(&self, key: &mut Vec<u8>) {
        key.clear();
        let flags =
            u8::from(self.object_name.is_some()) | u8::from(self.unsafe_delete.is_some()) << 1;
        key.push(flags);
        let (path, query) = self.split_uri();
        let query = if self.is_query_read() { query } else { b"" };
        let program = self.user_agent.split(|byte| *byte == b' ').next().unwrap_or_default();
        for part in [
            self.stage,
            path,
            query,
            self.verb,
            self.username,
            self.groups,
            self.canonical_arn,
            self.session_name,
            self.impersonated_user,
            self.authentication_metadata,
            program,
            self.read_object_name(),
            self.response_status,
            self.decision,
            self.reason,
        ] {
            key.extend_from_slice(part);
            key.push(SEPARATOR);
        }
    }

    fn split_uri(&self) -> (&'a [u8], &'a [u8]) {
        match memchr(b'?', self.uri) {
            Some(at) => (&self.uri[..at], &self.uri[at..]),
            None => (self.uri, b""),
        }
    }

    /// Only lists and watches are read for a selected name, and the object reference of
    /// one without says that there is none.
    fn is_query_read(&self) -> bool {
        matches!(self.verb, b"list" | b"watch") && self.object_name != Some(b"")
    }

    fn read_object_name(&self) -> &'a [u8] {
        match self.verb {
            b"list" | b"watch" => self.object_name.unwrap_or_default(),
            _ => b"",
        }
    }

    /// The event without its bodies; nothing where a part that decides is no valid JSON.
    ///
    /// Parts that do not decide are left empty where they are not valid.
    pub fn event(&self) -> Option<Event<'a>> {
        let mut event = Event::default();
        event.audit_id = text(self.audit_id).unwrap_or_default();
        event.stage = text(self.stage)?;
        event.request_uri = match text(self.uri) {
            Some(uri) => uri,
            None if self.is_query_read() => return None,
            None => text(self.split_uri().0)?,
        };
        event.verb = text(self.verb)?;
        event.user = self.parsed_user()?;
        event.impersonated_user = json(self.impersonated_user)?;
        event.set_authentication_metadata(json(self.authentication_metadata)?);
        event.user_agent = text(self.user_agent).unwrap_or_default();
        event.object_ref = match self.object_name {
            Some(_) => Some(ObjectRef { name: text(self.read_object_name())? }),
            None => None,
        };
        event.response_status = json::<ResponseStatus<'a>>(self.response_status)?;
        event.request_received_timestamp = text(self.received).unwrap_or_default();
        event.stage_timestamp = text(self.staged).unwrap_or_default();
        event.annotations = Annotations {
            decision: text(self.decision)?,
            reason: text(self.reason)?,
            unsafe_delete: self.unsafe_delete.map(|_| Text::default()),
        };
        Some(event)
    }

    fn parsed_user(&self) -> Option<User<'a>> {
        let mut extra = Vec::new();
        for (key, values) in
            [("canonicalArn", self.canonical_arn), ("sessionName", self.session_name)]
        {
            if !values.is_empty() {
                extra.push((Text::from(key), json(values)??));
            }
        }
        Some(User {
            username: text(self.username)?,
            uid: text(self.uid).unwrap_or_default(),
            groups: json(self.groups)?.unwrap_or_default(),
            extra: Extra(extra),
        })
    }
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

/// A raw JSON value, or none where there are no bytes. The outer option is about validity.
#[expect(clippy::option_option, reason = "absent and invalid are two things")]
fn json<'a, T: serde::Deserialize<'a>>(raw: &'a [u8]) -> Option<Option<T>> {
    if raw.is_empty() {
        return Some(None);
    }
    serde_json::from_slice(raw).ok().map(Some)
}

/// A position in the line.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn literal(&mut self, literal: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// The rest of a string whose opening quote is behind us, without its closing quote.
    fn string(&mut self) -> Option<&'a [u8]> {
        let mut from = 0;
        loop {
            let quote = from + memchr(b'"', &self.rest[from..])?;
            let escapes =
                self.rest[..quote].iter().rev().take_while(|byte| **byte == b'\\').count();
            if escapes % 2 == 0 {
                let (string, rest) = self.rest.split_at(quote);
                self.rest = &rest[1..];
                return Some(string);
            }
            from = quote + 1;
        }
    }

    /// A list of strings, with its brackets.
    fn strings(&mut self) -> Option<&'a [u8]> {
        let start = self.rest;
        self.literal(b"[")?;
        while self.literal(b"]").is_none() {
            self.literal(b"\"")?;
            self.string()?;
            if self.literal(b",").is_none() {
                self.literal(b"]")?;
                break;
            }
        }
        Some(&start[..start.len() - self.rest.len()])
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
