//! The bytes that decide what an event proves.

use memchr::{memchr, memchr2_iter, memmem};

use super::read::{Decision, Who, is_text, program, user_agent};
use super::recent::Recent;
use super::template::Places;
use super::{Frame, Status};

const DECISION: &[u8; 34] = b"{\"authorization.k8s.io/decision\":\"";
/// Longer annotations hold more than the decision and its reason.
const USUAL_ANNOTATIONS: usize = 512;
/// Between the parts of a key: no byte of JSON text in one line.
const SEPARATOR: u8 = b'\n';

impl Frame<'_> {
    /// Writes the bytes that decide what the event proves; nothing where a part of them is
    /// no valid JSON. Two events with the same key prove the same, as long as no body is
    /// looked at (see [`Reading::body_use`](crate::audit::Reading::body_use)) and `recent`
    /// was not emptied in between.
    ///
    /// Left out are the query where it cannot matter, IDs, addresses, times, bodies, of the
    /// caller token IDs and the like, and of the user agent all but its first word.
    pub fn write_key(&self, recent: &mut Recent, key: &mut Vec<u8>) -> Option<Places> {
        let Recent { callers, reasons, .. } = recent;
        // Without a user agent it could be the begin of another.
        let comes_again = self.client.ends_with(b"\"");
        let caller = callers.number(self.caller, comes_again, || self.usual_caller())?;
        let raw = self.annotations;
        let comes_again = raw.len() <= USUAL_ANNOTATIONS && raw.starts_with(DECISION);
        let annotations = reasons.number(raw, comes_again, || usual_reasons(raw))?;
        let numbers = [&caller, &annotations].map(|piece| piece.number.to_le_bytes());
        key.clear();
        key.extend_from_slice(numbers.as_flattened());
        // The first says what follows: no other byte of it can be one of these.
        match self.status {
            Status::Success(code) => key.extend_from_slice(code),
            Status::Absent => key.push(b'-'),
            Status::Other(raw) => {
                key.extend_from_slice(raw);
                key.push(SEPARATOR);
            }
        }
        let places = Places { caller: caller.place, annotations: annotations.place };
        key.push(b'0' + u8::from(self.has_object()) + 2 * u8::from(self.has_bodies));
        for part in [self.to_path, self.object_name, self.verb] {
            key.extend_from_slice(part);
            key.push(SEPARATOR);
        }
        self.write_options(key)?;
        Some(places)
    }

    /// What matters of the caller: without pod names, token IDs, addresses and the like.
    fn usual_caller(&self) -> Option<Vec<u8>> {
        let Who { user, rest } = Who::read(self.who)?;
        let mut usual = Vec::with_capacity(self.caller.len());
        let extras = [user.extra.first("canonicalArn"), user.extra.first("sessionName")];
        let extras = extras.into_iter().map(|value| value.map_or("", |value| value));
        let groups = user.groups.iter().map(|group| &**group);
        usual.extend_from_slice(&user.groups.len().to_le_bytes());
        let program = program(user_agent(self.client));
        let texts = std::iter::once(&*user.username).chain(extras).chain(groups).map(str::as_bytes);
        for part in texts.chain([program]) {
            usual.extend_from_slice(part);
            // Not in UTF-8, so in no part of an event that can be read.
            usual.push(0xff);
        }
        usual.extend_from_slice(rest);
        Some(usual)
    }

    pub(super) fn write_options(&self, out: &mut Vec<u8>) -> Option<()> {
        if self.is_query_read() { write_options(self.query, out) } else { Some(()) }
    }
}

/// Writes the options of a query that can matter for the name that is selected: of its
/// integers, that they are some. Nothing where the query is no valid JSON: then the event
/// cannot be read, be it only for an option.
pub(super) fn write_options(query: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if !is_text(query) {
        return None;
    }
    if memmem::find(query, br"\\").is_some() {
        // Then what looks like an escaped `&` may be none.
        out.extend_from_slice(query);
        return Some(());
    }
    let mut rest = query.get(1..);
    while let Some(options) = rest {
        let (end, next) = option_end(options);
        let option = &options[..end];
        rest = options.get(next..);
        let equals = memchr(b'=', option).unwrap_or(option.len());
        let (name, value) = option.split_at(equals);
        let is_integer = || matches!(value, [b'=', digits @ ..] if is_integer(digits));
        match name {
            b"timeoutSeconds" | b"limit" if is_integer() => {
                out.extend_from_slice(name);
                out.extend_from_slice(b"=0");
            }
            b"timeoutSeconds" | b"limit" | b"fieldSelector" => out.extend_from_slice(option),
            name if name.iter().all(u8::is_ascii_alphanumeric) => continue,
            _ => out.extend_from_slice(option),
        }
        out.push(SEPARATOR);
    }
    Some(())
}

/// Where the first option ends, and where the next one starts. JSON has `&` escaped.
fn option_end(options: &[u8]) -> (usize, usize) {
    let joint = |at: usize| match &options[at..] {
        [b'&', ..] => Some((at, at + 1)),
        escape => escape.starts_with(br"\u0026").then_some((at, at + 6)),
    };
    let mut joints = memchr2_iter(b'&', b'\\', options).filter_map(joint);
    joints.next().unwrap_or((options.len(), options.len() + 1))
}

fn is_integer(text: &[u8]) -> bool {
    (1..=18).contains(&text.len()) && text.iter().all(u8::is_ascii_digit)
}

/// What matters of the annotations: without latencies and the like.
fn usual_reasons(raw: &[u8]) -> Option<Vec<u8>> {
    let Decision { verdict, reason, unsafe_delete } = Decision::read(raw)?;
    Some([verdict, reason, if unsafe_delete { b"unsafe" } else { b"" }].join(&SEPARATOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of a watch of pods with these query options, as JSON has them.
    fn key(recent: &mut Recent, options: &str) -> Vec<u8> {
        let line = format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseStarted","requestURI":"/api/v1/pods?{options}","verb":"watch","user":{{"username":"u"}},"sourceIPs":["10.0.0.1"],"userAgent":"p","objectRef":{{"resource":"pods","name":"x"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"2026-11-20T09:15:03.000001Z","stageTimestamp":"2026-11-20T09:15:03.000001Z"}}"#
        );
        let (frame, _) = Frame::split(line.as_bytes()).unwrap();
        let mut key = Vec::new();
        frame.write_key(recent, &mut key).unwrap();
        key
    }

    #[test]
    fn options_that_do_not_select_a_name_make_no_difference() {
        let recent = &mut Recent::default();
        let usual = key(recent, r"fieldSelector=metadata.name%3Dx\u0026timeoutSeconds=300");
        for options in [
            r"fieldSelector=metadata.name%3Dx\u0026resourceVersion=7\u0026timeoutSeconds=31\u0026watch=true",
            "allowWatchBookmarks=true&fieldSelector=metadata.name%3Dx&timeoutSeconds=1",
        ] {
            assert_eq!(key(recent, options), usual, "{options}");
        }
        for options in [
            "fieldSelector=metadata.name%3Dy&timeoutSeconds=300",
            "fieldSelector=metadata.name%3Dx&timeoutSeconds=5m",
            "fieldSelector=metadata.name%3Dx&timeoutSeconds=9999999999999999999",
            "timeoutSeconds=300&fieldSelector=metadata.name%3Dx",
            "fieldSelector=metadata.name%3Dx&timeoutSeconds=300&limi%74=x",
            r"fieldSelector=metadata.name%3Dx\\u0026x=1&timeoutSeconds=300",
        ] {
            assert_ne!(key(recent, options), usual, "{options}");
        }
    }
}
