//! The `audit.k8s.io` event, borrowed from the input.
//!
//! Only what RBAC or the evidence needs is kept. Field meanings: the Kubernetes
//! audit API (`k8s.io/apiserver/pkg/apis/audit/v1`).

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Text;

/// One audit event.
#[derive(Debug, Default)]
pub struct Event<'a> {
    /// `audit.k8s.io/v1`, or empty: items of an `EventList` do not repeat it.
    pub api_version: Text<'a>,
    /// `Metadata`, `Request` or `RequestResponse`.
    pub level: Text<'a>,
    /// Set by the caller if it likes: evidence, never an identity.
    pub audit_id: Text<'a>,
    /// `RequestReceived`, `ResponseStarted`, `ResponseComplete` or `Panic`.
    pub stage: Text<'a>,
    /// The escaped path and query as sent.
    pub request_uri: Text<'a>,
    /// The authorizer's verb; empty for HTTP methods that Kubernetes does not know.
    pub verb: Text<'a>,
    /// Who authenticated.
    pub user: User<'a>,
    /// Who was authorized, where the caller impersonated.
    pub impersonated_user: Option<User<'a>>,
    /// The constrained-impersonation verb (Kubernetes 1.35 and later); empty for legacy impersonation.
    pub impersonation_constraint: Text<'a>,
    /// Chosen by the caller.
    pub user_agent: Text<'a>,
    /// What the handler says it acted on. Not what was authorized: names and
    /// namespaces of creates come from the request body.
    pub object_ref: Option<ObjectRef<'a>>,
    /// The outcome as the client saw it.
    pub response_status: Option<ResponseStatus<'a>>,
    /// The body sent, at level `Request` and above; a patch is kept as sent.
    pub request_object: Option<&'a RawValue>,
    /// The body returned, at level `RequestResponse`.
    pub response_object: Option<&'a RawValue>,
    /// When the request came in, RFC 3339.
    pub request_received_timestamp: Text<'a>,
    /// When this stage was reached, RFC 3339.
    pub stage_timestamp: Text<'a>,
    /// The annotations that bear on authorization.
    pub annotations: Annotations<'a>,
    /// The record was cut by the log pipeline and this is what was left of it.
    pub salvaged: bool,
    seen: FieldSet,
}

/// `authentication.k8s.io` `UserInfo`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct User<'a> {
    /// The full username.
    #[serde(borrow)]
    pub username: Text<'a>,
    /// The unique ID, where the authenticator gives one.
    #[serde(borrow)]
    pub uid: Text<'a>,
    /// All groups, those added by the server included.
    #[serde(borrow)]
    pub groups: Vec<Text<'a>>,
    /// What the authenticator adds: for IAM callers `canonicalArn`, `sessionName` and so on.
    #[serde(borrow)]
    pub extra: Extra<'a>,
}

/// `UserInfo.extra`: keys with lists of values, in the order of the log.
#[derive(Debug, Default)]
pub struct Extra<'a>(pub Vec<(Text<'a>, Vec<Text<'a>>)>);

impl<'a> Extra<'a> {
    /// The first value of `key`; the empty string counts as none.
    pub fn first(&self, key: &str) -> Option<&Text<'a>> {
        let (_, values) = self.0.iter().find(|(found, _)| &**found == key)?;
        values.first().filter(|value| !value.is_empty())
    }
}

/// The object reference of an event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ObjectRef<'a> {
    /// The object's name; for list and watch the name the authorizer saw.
    #[serde(borrow)]
    pub name: Text<'a>,
}

/// `responseStatus` of an event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ResponseStatus<'a> {
    /// The HTTP status code.
    pub code: u16,
    /// The machine's word for a failure (`NotFound`); empty where no Status body was written.
    #[serde(borrow)]
    pub reason: Text<'a>,
    /// Free text, partly written by callers and third parties: for advice only.
    #[serde(borrow)]
    pub message: Text<'a>,
}

/// The annotations that bear on authorization.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Annotations<'a> {
    /// `allow`, `forbid`, or empty where the authorizer was not asked.
    #[serde(borrow, rename = "authorization.k8s.io/decision")]
    pub decision: Text<'a>,
    /// Who allowed it: RBAC names one binding; empty for `system:masters` and the Node authorizer.
    #[serde(borrow, rename = "authorization.k8s.io/reason")]
    pub reason: Text<'a>,
    /// There, if only as an empty string, where a delete went on in spite of an unreadable object.
    #[serde(borrow, rename = "apiserver.k8s.io/unsafe-delete-ignore-read-error")]
    pub unsafe_delete: Option<Text<'a>>,
}

impl<'a> Event<'a> {
    /// Parses one JSON object. It need not be an audit event: see [`Event::is_audit_event`].
    pub fn parse(json: &'a str) -> serde_json::Result<Self> {
        let mut event = Self::default();
        let mut deserializer = serde_json::Deserializer::from_str(json);
        Fill { event: &mut event, progress: &mut Progress::default() }
            .deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(event)
    }

    /// What is left of an event that was cut in or after its bodies, or nothing
    /// where a field that RBAC needs could be among what is missing.
    ///
    /// Relies on the API server's own field order, in which everything up to
    /// `responseStatus` comes before the bodies; a record in another order is not salvaged.
    pub fn salvage(cut: &'a str) -> Option<Self> {
        let mut event = Self::default();
        let mut progress = Progress::default();
        let mut deserializer = serde_json::Deserializer::from_str(cut);
        let fill = Fill { event: &mut event, progress: &mut progress };
        if fill.deserialize(&mut deserializer).is_ok() {
            return None;
        }
        event.salvaged = true;
        let complete = event.is_audit_event()
            && event.seen.has(Field::User)
            && event.seen.has(Field::ResponseStatus)
            && progress.in_server_order;
        complete.then_some(event)
    }

    pub(super) fn set_authentication_metadata(
        &mut self,
        metadata: Option<AuthenticationMetadata<'a>>,
    ) {
        self.impersonation_constraint = metadata.unwrap_or_default().impersonation_constraint;
    }

    /// Reads what follows the user in the API server's own layout: nothing, or the
    /// impersonated user and the metadata of its impersonation.
    pub(super) fn set_impersonation(&mut self, rest: &'a [u8]) -> Option<()> {
        let mut rest = rest;
        if let Some(json) = rest.strip_prefix(b",\"impersonatedUser\":") {
            let mut users = serde_json::Deserializer::from_slice(json).into_iter::<User<'a>>();
            self.impersonated_user = Some(users.next()?.ok()?);
            rest = &json[users.byte_offset()..];
        }
        if let Some(json) = rest.strip_prefix(b",\"authenticationMetadata\":") {
            self.set_authentication_metadata(Some(serde_json::from_slice(json).ok()?));
            rest = b"";
        }
        rest.is_empty().then_some(())
    }

    /// Whether the object has what every audit event has, whatever its key order or kind.
    pub fn is_audit_event(&self) -> bool {
        let identified = [Field::AuditId, Field::Stage, Field::RequestUri, Field::Verb]
            .into_iter()
            .all(|field| self.seen.has(field));
        let version = self.api_version.strip_prefix("audit.k8s.io/");
        identified
            && (self.api_version.is_empty()
                || matches!(version, Some("v1" | "v1beta1" | "v1alpha1")))
    }

    /// The HTTP status code, or 0 where the event has none.
    pub fn code(&self) -> u16 {
        self.response_status.as_ref().map_or(0, |status| status.code)
    }
}

/// The fields we read, in the order in which the API server writes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
#[repr(u8)]
enum Field {
    #[default]
    ApiVersion,
    Level,
    AuditId,
    Stage,
    RequestUri,
    Verb,
    User,
    ImpersonatedUser,
    AuthenticationMetadata,
    UserAgent,
    ObjectRef,
    ResponseStatus,
    RequestObject,
    ResponseObject,
    RequestReceivedTimestamp,
    StageTimestamp,
    Annotations,
    Other,
}

impl Field {
    fn named(key: &str) -> Self {
        match key {
            "apiVersion" => Self::ApiVersion,
            "level" => Self::Level,
            "auditID" => Self::AuditId,
            "stage" => Self::Stage,
            "requestURI" => Self::RequestUri,
            "verb" => Self::Verb,
            "user" => Self::User,
            "impersonatedUser" => Self::ImpersonatedUser,
            "authenticationMetadata" => Self::AuthenticationMetadata,
            "userAgent" => Self::UserAgent,
            "objectRef" => Self::ObjectRef,
            "responseStatus" => Self::ResponseStatus,
            "requestObject" => Self::RequestObject,
            "responseObject" => Self::ResponseObject,
            "requestReceivedTimestamp" => Self::RequestReceivedTimestamp,
            // v1alpha1 has one `timestamp`, of the stage.
            "stageTimestamp" | "timestamp" => Self::StageTimestamp,
            "annotations" => Self::Annotations,
            _ => Self::Other,
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct FieldSet(u32);

impl FieldSet {
    fn add(&mut self, field: Field) {
        self.0 |= 1 << field as u8;
    }

    fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u8) != 0
    }
}

/// How far a parse came, for [`Event::salvage`].
struct Progress {
    last: Field,
    in_server_order: bool,
}

impl Default for Progress {
    fn default() -> Self {
        Self { last: Field::default(), in_server_order: true }
    }
}

impl Progress {
    fn reach(&mut self, field: Field) {
        if field != Field::Other {
            self.in_server_order &= self.last <= field;
            self.last = field;
        }
    }
}

/// Fills an event field by field, so that what was read before an error stays.
struct Fill<'b, 'a> {
    event: &'b mut Event<'a>,
    progress: &'b mut Progress,
}

impl<'de> DeserializeSeed<'de> for Fill<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an audit event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let field = Field::named(&key);
            self.progress.reach(field);
            read_field(self.event, field, &mut map)?;
            self.event.seen.add(field);
        }
        Ok(())
    }
}

fn read_field<'de, A: MapAccess<'de>>(
    event: &mut Event<'de>,
    field: Field,
    map: &mut A,
) -> Result<(), A::Error> {
    match field {
        Field::ApiVersion => event.api_version = map.next_value()?,
        Field::Level => event.level = map.next_value()?,
        Field::AuditId => event.audit_id = map.next_value()?,
        Field::Stage => event.stage = map.next_value()?,
        Field::RequestUri => event.request_uri = map.next_value()?,
        Field::Verb => event.verb = map.next_value()?,
        Field::User => event.user = map.next_value::<Option<_>>()?.unwrap_or_default(),
        Field::ImpersonatedUser => event.impersonated_user = map.next_value()?,
        Field::AuthenticationMetadata => {
            event.set_authentication_metadata(map.next_value()?);
        }
        Field::UserAgent => event.user_agent = map.next_value()?,
        Field::ObjectRef => event.object_ref = map.next_value()?,
        Field::ResponseStatus => event.response_status = map.next_value()?,
        Field::RequestObject => event.request_object = map.next_value()?,
        Field::ResponseObject => event.response_object = map.next_value()?,
        Field::RequestReceivedTimestamp => event.request_received_timestamp = map.next_value()?,
        Field::StageTimestamp => event.stage_timestamp = map.next_value()?,
        Field::Annotations => {
            event.annotations = map.next_value::<Option<_>>()?.unwrap_or_default();
        }
        Field::Other => {
            map.next_value::<IgnoredAny>()?;
        }
    }
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AuthenticationMetadata<'a> {
    #[serde(borrow)]
    impersonation_constraint: Text<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Extra<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExtraVisitor)
    }
}

struct ExtraVisitor;

impl<'de> Visitor<'de> for ExtraVisitor {
    type Value = Extra<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of string lists")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut extra = Vec::new();
        while let Some(entry) = map.next_entry()? {
            extra.push(entry);
        }
        Ok(Extra(extra))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Extra::default())
    }
}
