//! From the pieces of a line to an event.

use memchr::{memchr, memchr_iter, memmem};

use super::cursor::Cursor;
use super::{Frame, Status, USER_AGENT};
use crate::audit::event::{Annotations, Event, Extra, ObjectRef, ResponseStatus, User};
use crate::audit::text::Text;

impl<'a> Frame<'a> {
    /// The event without its bodies; nothing where a part that decides is no valid JSON, or
    /// where it only says that a request came in.
    /// Parts that do not decide are left empty where they are not valid.
    pub fn event(&self) -> Option<Event<'a>> {
        let mut event = Event::default();
        event.stage = text(self.stage)?;
        event.audit_id = text(self.audit_id).unwrap_or_default();
        event.stage_timestamp = text(self.staged).unwrap_or_default();
        event.request_uri = match text(self.uri) {
            Some(uri) => uri,
            None if self.is_query_read() => return None,
            None => text(self.path())?,
        };
        event.verb = text(self.verb)?;
        let who = Who::read(self.who)?;
        event.user = who.user;
        event.set_impersonation(who.rest)?;
        let user_agent = user_agent(self.client);
        event.user_agent = text(user_agent).or_else(|| text(program(user_agent)))?;
        event.object_ref = match (self.has_object(), text(self.object_name)) {
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

pub(super) fn program(user_agent: &[u8]) -> &[u8] {
    &user_agent[..memchr(b' ', user_agent).unwrap_or(user_agent.len())]
}

/// The user agent behind the addresses, which are no text that anyone chose.
pub(super) fn user_agent(client: &[u8]) -> &[u8] {
    let start = memmem::find(client, USER_AGENT).map(|at| at + USER_AGENT.len());
    start.and_then(|start| client[start..].strip_suffix(b"\"")).unwrap_or_default()
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
pub(super) struct Who<'a> {
    pub(super) user: User<'a>,
    pub(super) rest: &'a [u8],
}

impl<'a> Who<'a> {
    pub(super) fn read(raw: &'a [u8]) -> Option<Self> {
        let mut users = serde_json::Deserializer::from_slice(raw).into_iter::<User<'a>>();
        let user = users.next()?.ok()?;
        let rest = &raw[users.byte_offset()..];
        let extra = user.extra.0.into_iter();
        let kept = extra.filter(|(key, _)| matches!(&**key, "canonicalArn" | "sessionName"));
        Some(Self { user: User { extra: Extra(kept.collect()), ..user }, rest })
    }
}

/// The annotations that decide.
pub(super) struct Decision<'a> {
    pub(super) verdict: &'a [u8],
    pub(super) reason: &'a [u8],
    pub(super) unsafe_delete: bool,
}

impl<'a> Decision<'a> {
    pub(super) fn read(raw: &'a [u8]) -> Option<Self> {
        let mut found = Self { verdict: b"", reason: b"", unsafe_delete: false };
        let mut cursor = Cursor { rest: raw };
        if raw.is_empty() {
            return Some(found);
        }
        cursor.literal(b"{")?;
        let mut may_be_another = false;
        cursor.pairs(|key, value| match key {
            b"authorization.k8s.io/decision" => found.verdict = value,
            b"authorization.k8s.io/reason" => found.reason = value,
            b"apiserver.k8s.io/unsafe-delete-ignore-read-error" => found.unsafe_delete = true,
            key => may_be_another |= key.contains(&b'\\'),
        })?;
        (cursor.rest.is_empty() && !may_be_another).then_some(found)
    }
}

/// A raw JSON string without its quotes.
pub(super) fn text(raw: &[u8]) -> Option<Text<'_>> {
    let is_plain = !has_control(raw) && memchr(b'\\', raw).is_none();
    let raw = std::str::from_utf8(raw).ok()?;
    if is_plain {
        return Some(Text::from(raw));
    }
    let string: String = serde_json::from_str(&["\"", raw, "\""].concat()).ok()?;
    Some(Text::from(string))
}

/// Whether [`text`] can read it.
pub(super) fn is_text(raw: &[u8]) -> bool {
    // What `&` is to Go.
    let is_usual = |at: usize| raw[at..].starts_with(br"\u0026");
    let is_plain = !has_control(raw) && std::str::from_utf8(raw).is_ok();
    (is_plain && memchr_iter(b'\\', raw).all(is_usual)) || text(raw).is_some()
}

/// Whether there are characters that no JSON string holds. Without a branch, so that it takes
/// a few instructions for many of them.
fn has_control(raw: &[u8]) -> bool {
    raw.iter().fold(0, |found, byte| found | u8::from(*byte < b' ')) != 0
}
