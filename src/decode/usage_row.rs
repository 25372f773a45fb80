//! Rows of an aggregated Logs Insights result: `stats count(*) by ...`.

use crate::audit::Text;

use super::timestamp;

/// Many events as one row. What the query did not ask for, or what was empty,
/// is `None`; values are as the query gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageRow<'a> {
    /// `user.username`.
    pub who: Option<Text<'a>>,
    /// `user.extra.canonicalArn.0`.
    pub canonical_arn: Option<Text<'a>>,
    /// `impersonatedUser.username`.
    pub impersonated: Option<Text<'a>>,
    /// `verb`.
    pub verb: Option<Text<'a>>,
    /// `objectRef.apiGroup`.
    pub group: Option<Text<'a>>,
    /// `objectRef.resource`.
    pub resource: Option<Text<'a>>,
    /// `objectRef.subresource`.
    pub subresource: Option<Text<'a>>,
    /// `objectRef.namespace`.
    pub namespace: Option<Text<'a>>,
    /// `objectRef.name`.
    pub name: Option<Text<'a>>,
    /// `requestURI`.
    pub request_uri: Option<Text<'a>>,
    /// `responseStatus.code`.
    pub code: Option<Text<'a>>,
    /// The decision annotation.
    pub decision: Option<Text<'a>>,
    /// `earliest(@timestamp)`, as RFC 3339.
    pub first: Option<Text<'a>>,
    /// `latest(@timestamp)`, as RFC 3339.
    pub last: Option<Text<'a>>,
    /// `count(*)`.
    pub calls: Option<Text<'a>>,
}

/// A column of a query's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// A field of [`UsageRow`].
    Usage(Field),
    /// The log line itself: the result is not aggregated.
    Message,
    /// When the line was logged.
    Time,
    /// Anything else.
    Other,
}

/// The fields of [`UsageRow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Who,
    CanonicalArn,
    Impersonated,
    Verb,
    Group,
    Resource,
    Subresource,
    Namespace,
    Name,
    RequestUri,
    Code,
    Decision,
    First,
    Last,
    Calls,
}

impl Column {
    /// What a column of this name holds.
    pub(super) fn named(name: &str) -> Self {
        let name = name.trim().trim_matches('`');
        let field = match name {
            "user.username" => Field::Who,
            "user.extra.canonicalArn.0" => Field::CanonicalArn,
            "impersonatedUser.username" => Field::Impersonated,
            "verb" => Field::Verb,
            "objectRef.apiGroup" => Field::Group,
            "objectRef.resource" => Field::Resource,
            "objectRef.subresource" => Field::Subresource,
            "objectRef.namespace" => Field::Namespace,
            "objectRef.name" => Field::Name,
            "requestURI" => Field::RequestUri,
            "responseStatus.code" => Field::Code,
            "annotations.authorization.k8s.io/decision" => Field::Decision,
            "first" | "earliest(@timestamp)" | "min(@timestamp)" => Field::First,
            "last" | "latest(@timestamp)" | "max(@timestamp)" => Field::Last,
            "calls" | "count" | "count()" | "count(*)" => Field::Calls,
            "@message" | "message" | "_raw" | "RawEvent" => return Self::Message,
            "@timestamp" | "timestamp" | "_time" => return Self::Time,
            _ => return Self::Other,
        };
        Self::Usage(field)
    }

    /// Whether columns like these are an aggregated result that can be used.
    pub(super) fn are_usage(columns: &(impl Iterator<Item = Self> + Clone)) -> bool {
        let has = |column: Self| columns.clone().any(|other| other == column);
        let has_who = has(Self::Usage(Field::Who)) || has(Self::Usage(Field::CanonicalArn));
        has_who && has(Self::Usage(Field::Verb)) && !has(Self::Message)
    }
}

impl<'a> UsageRow<'a> {
    /// Fills one field. The empty string is what CSV writes for none.
    pub(super) fn set(&mut self, field: Field, value: Text<'a>) {
        let value = (!value.is_empty()).then_some(value);
        match field {
            Field::Who => self.who = value,
            Field::CanonicalArn => self.canonical_arn = value,
            Field::Impersonated => self.impersonated = value,
            Field::Verb => self.verb = value,
            Field::Group => self.group = value,
            Field::Resource => self.resource = value,
            Field::Subresource => self.subresource = value,
            Field::Namespace => self.namespace = value,
            Field::Name => self.name = value,
            Field::RequestUri => self.request_uri = value,
            Field::Code => self.code = value,
            Field::Decision => self.decision = value,
            Field::First => self.first = time(value),
            Field::Last => self.last = time(value),
            Field::Calls => self.calls = value,
        }
    }
}

fn time(value: Option<Text<'_>>) -> Option<Text<'_>> {
    timestamp::normalise(&value?).map(Text::from)
}
