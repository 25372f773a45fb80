//! Rows of a query that already counted: many events as one.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::audit::{Annotations, Event, Extra, ResponseStatus, Text, User};
use crate::decode::UsageRow;

/// What would end or split a path segment.
const SEGMENT: &AsciiSet = &CONTROLS.add(b'/').add(b'?').add(b'%').add(b'#').add(b' ');

/// Whether the row says what was asked for: a resource or a URI, and a verb.
pub(super) fn is_whole(row: &UsageRow<'_>) -> bool {
    row.verb.is_some() && (row.resource.is_some() || row.request_uri.is_some())
}

/// How many events a row stands for; a row that does not say stands for one.
pub(super) fn calls(row: &UsageRow<'_>) -> u64 {
    let calls = row.calls.as_ref().and_then(|calls| calls.parse::<f64>().ok());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    calls.map_or(1, |calls| calls.max(1.0) as u64)
}

/// The event that the row repeats. What the query left out is left out here: without
/// names, the needs are for any name.
pub(super) fn event<'a>(row: &'a UsageRow<'a>) -> Event<'a> {
    let text = |field: &'a Option<Text<'a>>| Text::from(field.as_deref().unwrap_or_default());
    let extra = row
        .canonical_arn
        .as_ref()
        .map(|arn| (Text::from("canonicalArn"), vec![Text::from(&**arn)]));
    let mut event = Event::default();
    event.stage = Text::from("ResponseComplete");
    event.request_uri = row.request_uri.as_deref().map_or_else(|| uri(row).into(), Text::from);
    event.verb = text(&row.verb);
    event.user = User {
        username: text(&row.who),
        // Queries leave the groups out; whoever is not anonymous has this one.
        groups: vec![Text::from("system:authenticated")],
        extra: Extra(extra.into_iter().collect()),
        ..User::default()
    };
    event.impersonated_user =
        row.impersonated.as_deref().map(|name| User { username: name.into(), ..User::default() });
    event.response_status = row.code.as_ref().map(|code| ResponseStatus {
        code: code.parse().unwrap_or_default(),
        // A row does not tell a missing object from a missing route.
        reason: Text::from("Aggregated"),
        ..ResponseStatus::default()
    });
    event.stage_timestamp = text(&row.last);
    event.annotations = Annotations { decision: text(&row.decision), ..Annotations::default() };
    event
}

/// The URI that would have named the row's object. The name of a create comes from its
/// body, so it is none that the authorizer saw, but for subresources.
fn uri(row: &UsageRow<'_>) -> String {
    let segment = |field: &Option<Text<'_>>| -> Option<String> {
        let text = field.as_deref().filter(|text| !text.is_empty())?;
        Some(utf8_percent_encode(text, SEGMENT).to_string())
    };
    let mut uri = match segment(&row.group) {
        Some(group) => format!("/apis/{group}/v1"),
        None => "/api/v1".to_owned(),
    };
    let is_namespace = row.resource.as_deref() == Some("namespaces");
    if let Some(namespace) = segment(&row.namespace).filter(|_| !is_namespace) {
        uri.push_str("/namespaces/");
        uri.push_str(&namespace);
    }
    let is_create = row.verb.as_deref() == Some("create");
    let subresource = segment(&row.subresource);
    let name = segment(&row.name).filter(|_| !is_create || subresource.is_some());
    // To the API server, a namespace lies within itself.
    let name = name.or_else(|| segment(&row.namespace).filter(|_| is_namespace));
    // A subresource always belongs to a named object, also where the query left it out.
    let name = name.or_else(|| subresource.as_ref().map(|_| String::new()));
    for part in [segment(&row.resource), name, subresource].into_iter().flatten() {
        uri.push('/');
        uri.push_str(&part);
    }
    uri
}
