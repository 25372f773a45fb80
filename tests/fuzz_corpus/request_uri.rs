//! A verb and a request URI: read as a naive retelling of `RequestInfoFactory` of
//! k8s.io/apiserver reads them, and the same however they are spelled.

use leastrole::audit::{Conclusion, Event, MalformedUri, Reading, Settings, conclude};
use leastrole::rbac::{Atom, ResourceAtom, UrlAtom};

const VERBS: [&str; 11] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "proxy",
    "post",
    "",
];

/// The first byte chooses the verb, the rest is the URI.
pub(crate) fn check(bytes: &[u8]) {
    let Some((choice, uri)) = bytes.split_first() else { return };
    let Ok(uri) = std::str::from_utf8(uri) else { return };
    let verb = VERBS[usize::from(*choice) % VERBS.len()];
    let request = request(uri, verb);
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    if let Some(expected) = told(path, query, verb) {
        assert_eq!(request, expected, "{verb} {uri}");
    }
    concluded(uri, verb, &request);
    respelled(path, query, verb, &request);
}

type Request = Result<Atom, MalformedUri>;

fn request(uri: &str, verb: &str) -> Request {
    let mut event = Event::default();
    event.request_uri = uri.into();
    event.verb = verb.into();
    Reading::of(&event).request
}

/// Through JSON the same comes out, and what is needed can be said and is what was asked.
fn concluded(uri: &str, verb: &str, request: &Request) {
    let json = serde_json::json!({
        "auditID": "a", "stage": "ResponseComplete", "requestURI": uri, "verb": verb,
        "user": {"username": "u"}, "responseStatus": {"code": 201},
        "annotations": {"authorization.k8s.io/decision": "allow"},
    });
    let json = json.to_string();
    let event = Event::parse(&json).expect("an event");
    let reading = Reading::of(&event);
    assert_eq!(reading.request, *request, "{json}");
    let mut asked = 0;
    conclude(&event, &reading, Settings::default(), &mut |conclusion| {
        if let Conclusion::Need { atom, .. } = conclusion {
            assert!(atom.unsayable().is_none(), "{atom} for {verb} {uri}");
            asked += usize::from(reading.request.as_ref() == Ok(&atom));
        }
    });
    assert_eq!(asked == 0, reading.is_inexpressible(), "{verb} {uri}");
}

/// Escapes that mean the same, slashes at the ends and options of no concern change nothing.
fn respelled(path: &str, query: &str, verb: &str, expected: &Request) {
    if !path.starts_with('/') {
        return;
    }
    let escaped: String = decoded(path)
        .into_iter()
        .map(|byte| if byte == b'/' { "/".to_owned() } else { format!("%{byte:02x}") })
        .collect();
    assert_eq!(&request(&format!("{escaped}?{query}"), verb), expected, "{verb} {path}?{query}");
    assert_eq!(&request(&format!("{path}?{query}&x=y"), verb), expected, "{verb} {path}?{query}");
    if let Ok(Atom::Resource(_)) = expected {
        let slashes = format!("//{path}//?{query}");
        assert_eq!(&request(&slashes, verb), expected, "{verb} {slashes}");
    }
}

fn decoded(path: &str) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let (mut rest, mut plain) = (path.as_bytes(), Vec::new());
    while let [first, tail @ ..] = rest {
        if let (b'%', Some(high), Some(low)) = (first, digit(tail.first()), digit(tail.get(1))) {
            plain.push(u8::try_from(high * 16 + low).expect("two digits"));
            rest = &tail[2..];
        } else {
            plain.push(*first);
            rest = tail;
        }
    }
    plain
}

/// What the API server makes of the request, told step by step; nothing where the naive
/// reading of the query would not do.
fn told(path: &str, query: &str, verb: &str) -> Option<Request> {
    if !path.starts_with('/') {
        return (path != "*").then_some(Err(MalformedUri::NoPath));
    }
    let path = decoded(path);
    let url = || match String::from_utf8(path.clone()) {
        Ok(path) => Ok(UrlAtom { path: path.into(), verb: verb.into() }.into()),
        Err(_) => Err(MalformedUri::NotUtf8),
    };
    let first = path.iter().position(|byte| *byte != b'/').unwrap_or(path.len());
    let last = path.iter().rposition(|byte| *byte != b'/').map_or(first, |last| last + 1);
    let mut parts: Vec<Vec<u8>> =
        path[first..last].split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
    if parts.len() < 3 || !(parts[0] == b"api" || parts[0] == b"apis") {
        return Some(url());
    }
    let mut group = Vec::new();
    if parts.remove(0) == b"apis" {
        if parts.len() < 3 {
            return Some(url());
        }
        group = parts.remove(0);
    }
    let _version = parts.remove(0);
    let mut prefix = Vec::new();
    if parts[0] == b"watch" || parts[0] == b"proxy" {
        prefix = parts.remove(0);
    }
    let mut namespace = Vec::new();
    if parts.len() > 1 && parts[0] == b"namespaces" {
        namespace = parts[1].clone();
        if parts.len() > 2 && parts[2] != b"status" && parts[2] != b"finalize" {
            parts.drain(..2);
        }
    }
    parts.resize_with(parts.len().max(3), Vec::new);
    if prefix == b"proxy" {
        parts[2].clear();
    }
    let read = [group, namespace, parts[0].clone(), parts[1].clone(), parts[2].clone()]
        .map(|part| String::from_utf8(part).ok());
    let [Some(group), Some(namespace), Some(plural), Some(mut name), Some(subresource)] = read
    else {
        return Some(Err(MalformedUri::NotUtf8));
    };
    if plural.is_empty() {
        return Some(Err(MalformedUri::NoResource));
    }
    if name.is_empty() && prefix != b"watch" && (verb == "list" || verb == "watch") {
        name = selected(query)?;
    }
    let resource = [plural, subresource].join("/").trim_end_matches('/').into();
    let [namespace, group, name] = [namespace, group, name].map(Into::into);
    Some(Ok(ResourceAtom { namespace, group, resource, name, verb: verb.into() }.into()))
}

/// The name that a plain query selects; nothing where it is not plain.
fn selected(query: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-=!,&".contains(&byte);
    if !query.bytes().all(plain) || query.contains("limit") || query.contains("timeout") {
        return None;
    }
    let selector = query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == "fieldSelector").then_some(value)
    });
    let mut name = None;
    for term in selector.unwrap_or_default().split(',').filter(|term| !term.is_empty()) {
        let Some((field, value)) = term.split_once('=') else { return Some(String::new()) };
        let value = value.strip_prefix('=').unwrap_or(value);
        let (field, differs) = match field.strip_suffix('!') {
            Some(field) if !term.contains("!==") => (field, true),
            // `a!==b` means not `=b`, which no value can hold.
            Some(_) => return None,
            None => (field, false),
        };
        if value.contains('=') || field.contains('!') {
            return None;
        }
        if field == "metadata.name" && !differs && name.is_none() {
            name = Some(value.to_owned());
        }
    }
    Some(name.filter(|name| name != "." && name != "..").unwrap_or_default())
}
