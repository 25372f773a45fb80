//! From a request URI to what the authorizer was asked, as `RequestInfoFactory`
//! of k8s.io/apiserver does it (`pkg/endpoints/request/requestinfo.go`).
//!
//! `objectRef` would be easier and wrong: the API server fills its name and
//! namespace from the request body, after authorization.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use smol_str::SmolStr;

/// What a request URI names, before its verb is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An API resource.
    Resource(Resource),
    /// Anything else: the decoded path, without its query.
    Url(SmolStr),
}

/// An API resource as the URI names it; empty strings stand for what it does not name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) group: SmolStr,
    pub(super) namespace: SmolStr,
    pub(super) plural: SmolStr,
    pub(super) name: SmolStr,
    pub(super) subresource: SmolStr,
    /// The URI had the deprecated `watch` prefix, under which selectors are not consulted.
    pub(super) watch_prefix: bool,
}

/// Why a URI names nothing that could be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MalformedUri {
    /// An empty resource segment (`/api/v1//pods`), or nothing after a `watch` or `proxy` prefix.
    NoResource,
    /// A part that the authorizer compares is not UTF-8 once decoded, so no rule can name it.
    NotUtf8,
    /// The URI does not begin with a slash: the authorizer sees an empty path, whatever follows.
    NoPath,
}

/// Splits a request URI into what its path names and its raw query.
pub(super) fn split(uri: &str) -> Result<(Target, &str), MalformedUri> {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    if !path.starts_with('/') && path != "*" {
        return Err(MalformedUri::NoPath);
    }
    let path: Cow<'_, [u8]> = percent_decode_str(path).into();
    Ok((target(&path)?, query))
}

/// Reads a decoded path. Segments that the authorizer does not read may be any bytes.
fn target(path: &[u8]) -> Result<Target, MalformedUri> {
    let segments: Vec<&[u8]> = trimmed(path).split(|byte| *byte == b'/').collect();
    match segments[..] {
        [b"api", _version, _, ..] => resource(b"", &segments[2..]),
        [b"apis", group, _version, _, ..] => resource(group, &segments[3..]),
        _ => Ok(Target::Url(utf8(path)?)),
    }
}

fn trimmed(path: &[u8]) -> &[u8] {
    let is_slash = |byte: &u8| *byte == b'/';
    let start = path.iter().take_while(|byte| is_slash(byte)).count();
    let path = &path[start..];
    let end = path.iter().rev().take_while(|byte| is_slash(byte)).count();
    &path[..path.len() - end]
}

fn resource(group: &[u8], mut parts: &[&[u8]]) -> Result<Target, MalformedUri> {
    let prefix: &[u8] = match parts.first() {
        Some(&prefix @ (b"watch" | b"proxy")) => {
            parts = &parts[1..];
            prefix
        }
        _ => b"",
    };
    let mut namespace: &[u8] = b"";
    if let [b"namespaces", name, rest @ ..] = parts {
        namespace = name;
        if !matches!(rest.first(), None | Some(&(b"status" | b"finalize"))) {
            parts = rest;
        }
    }
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    let found = Resource {
        group: utf8(group)?,
        namespace: utf8(namespace)?,
        plural: utf8(part(0))?,
        name: utf8(part(1))?,
        subresource: utf8(if prefix == b"proxy" { b"" } else { part(2) })?,
        watch_prefix: prefix == b"watch",
    };
    if found.plural.is_empty() {
        return Err(MalformedUri::NoResource);
    }
    Ok(Target::Resource(found))
}

fn utf8(bytes: &[u8]) -> Result<SmolStr, MalformedUri> {
    std::str::from_utf8(bytes).map(Into::into).map_err(|_| MalformedUri::NotUtf8)
}

/// The object name that a list's or watch's `fieldSelector` asks for, or the empty
/// string: what the authorizer takes as the request's name.
///
/// As in the API server, no name is taken where a list option cannot be decoded.
pub(super) fn selected_name(query: &str) -> String {
    let options = Query(query);
    let Some(selector) = options.first("fieldSelector") else { return String::new() };
    let integers_decode = ["timeoutSeconds", "limit"]
        .into_iter()
        .all(|key| options.first(key).is_none_or(|value| value.parse::<i64>().is_ok()));
    let name = exact_name(&selector).filter(|name| integers_decode && is_path_segment(name));
    name.unwrap_or_default()
}

fn is_path_segment(name: &str) -> bool {
    !matches!(name, "." | "..") && !name.contains(['/', '%'])
}

/// A query string, read as Go's `url.ParseQuery` reads it: pairs that hold a `;`
/// or a broken escape are dropped.
struct Query<'a>(&'a str);

impl Query<'_> {
    fn first(&self, key: &str) -> Option<String> {
        self.0
            .split('&')
            .filter(|pair| !pair.contains(';') && escapes_are_whole(pair))
            .flat_map(|pair| form_urlencoded::parse(pair.as_bytes()))
            .find_map(|(found, value)| (found == key).then(|| value.into_owned()))
    }
}

fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2).unwrap_or_default();
        digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit)
    })
}

/// The value that a field selector requires of `metadata.name`, as
/// `fields.Selector.RequiresExactMatch` finds it: the first such term wins.
fn exact_name(selector: &str) -> Option<String> {
    let mut name = None;
    for term in split_unescaped(selector, ',').into_iter().filter(|term| !term.is_empty()) {
        let (field, operator, value) = split_term(term)?;
        if field == "metadata.name" && operator != "!=" && name.is_none() {
            name = Some(unescape(value)?);
        }
    }
    name
}

fn split_unescaped(text: &str, separator: char) -> Vec<&str> {
    let mut escaped = false;
    text.split(|character| {
        let splits = character == separator && !escaped;
        escaped = character == '\\' && !escaped;
        splits
    })
    .collect()
}

fn split_term(term: &str) -> Option<(&str, &str, &str)> {
    ["!=", "==", "="]
        .into_iter()
        .filter_map(|operator| term.find(operator).map(|at| (at, operator)))
        .min_by_key(|&(at, operator)| (at, std::cmp::Reverse(operator.len())))
        .map(|(at, operator)| (&term[..at], operator, &term[at + operator.len()..]))
}

/// Undoes `\\`, `\,` and `\=`; any other escape is an error, as is a bare `=` or `,`.
fn unescape(value: &str) -> Option<String> {
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.push(characters.next().filter(|next| matches!(next, '\\' | ',' | '='))?),
            ',' | '=' => return None,
            other => plain.push(other),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource_of(uri: &str) -> [String; 5] {
        match split(uri).unwrap().0 {
            Target::Resource(found) => {
                [found.group, found.namespace, found.plural, found.subresource, found.name]
                    .map(String::from)
            }
            Target::Url(url) => panic!("{uri} read as the URL {url}"),
        }
    }

    #[test]
    fn paths_read_as_the_api_server_reads_them() {
        for (uri, expected) in [
            ("/api/v1/namespaces/ns/pods/p/log?x=1", ["", "ns", "pods", "log", "p"]),
            ("/api/v1/namespaces/ns", ["", "ns", "namespaces", "", "ns"]),
            ("/api/v1/namespaces/ns/finalize", ["", "ns", "namespaces", "finalize", "ns"]),
            ("/api/v1/namespaces/ns/status", ["", "ns", "namespaces", "status", "ns"]),
            ("/api/v1/namespaces", ["", "", "namespaces", "", ""]),
            ("//api/v1/pods//", ["", "", "pods", "", ""]),
            ("/api/v1/watch/namespaces/ns/pods/p", ["", "ns", "pods", "", "p"]),
            ("/api/v1/proxy/namespaces/ns/pods/p/x", ["", "ns", "pods", "", "p"]),
            ("/api/v1/namespaces/ns/pods/p%2Fq", ["", "ns", "pods", "q", "p"]),
            ("/apis/g/v1/namespaces/ns/namespaces/x", ["g", "ns", "namespaces", "", "x"]),
            ("/apis/g/v1/widgets/w/status/deeper", ["g", "", "widgets", "status", "w"]),
        ] {
            assert_eq!(resource_of(uri), expected, "{uri}");
        }
    }

    #[test]
    fn short_and_foreign_paths_are_urls() {
        for uri in ["/", "/api", "/api/v1", "/api/v1/", "/apis/apps/v1", "/metrics", "/foo/bar/baz"]
        {
            assert_eq!(split(uri).unwrap().0, Target::Url(uri.into()), "{uri}");
        }
    }

    #[test]
    fn paths_that_name_nothing_are_malformed() {
        for (uri, expected) in [
            ("/api/v1//pods", MalformedUri::NoResource),
            ("/api/v1/watch", MalformedUri::NoResource),
            ("/apis/apps/v1/watch", MalformedUri::NoResource),
            ("/healthz/%ff", MalformedUri::NotUtf8),
            ("/api/v1/namespaces/ns/pods/%ff", MalformedUri::NotUtf8),
            // `GET http:api/v1/...`: authorized as an empty path, logged like this.
            ("api/v1/namespaces/ns/secrets/s", MalformedUri::NoPath),
            ("", MalformedUri::NoPath),
        ] {
            assert_eq!(split(uri).err(), Some(expected), "{uri}");
        }
    }

    #[test]
    fn segments_that_are_not_compared_may_be_any_bytes() {
        let uri = "/api/v1/namespaces/ns/services/web/proxy/%ff";
        assert_eq!(resource_of(uri), ["", "ns", "services", "proxy", "web"]);
    }

    #[test]
    fn names_come_from_exact_field_selectors_only() {
        for (query, name) in [
            ("fieldSelector=metadata.name%3Dp", "p"),
            ("fieldSelector=metadata.name==p&watch=1", "p"),
            ("fieldSelector=status.phase%3DRunning,metadata.name%3Dp", "p"),
            ("fieldSelector=metadata.name=a,metadata.name=b", "a"),
            ("fieldSelector=metadata.name!%3Dp", ""),
            ("fieldSelector=metadata.name%3Da%5C%2Cb", "a,b"),
            ("fieldSelector=metadata.name%3Da%2Fb", ""),
            ("fieldSelector=metadata.name%3D..", ""),
            ("fieldSelector=metadata.name%3Dp&timeoutSeconds=abc", ""),
            ("fieldSelector=metadata.name%3Dp&limit=", ""),
            ("fieldSelector=metadata.name%3Dp,nonsense", ""),
            ("fieldSelector=metadata.name%3Dp;x", ""),
            ("fieldSelector=metadata.name%3Dp%zz", ""),
            ("fieldSelector=a=b&fieldSelector=metadata.name%3Dp", ""),
            ("labelSelector=metadata.name%3Dp", ""),
            ("", ""),
        ] {
            assert_eq!(selected_name(query), name, "{query}");
        }
    }
}
