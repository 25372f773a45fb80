//! From a request URI to what the authorizer was asked, as `RequestInfoFactory`
//! of k8s.io/apiserver does it (`pkg/endpoints/request/requestinfo.go`).
//!
//! `objectRef` would be easier and wrong: the API server fills its name and
//! namespace from the request body, after authorization.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What a request URI names, before its verb is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// An API resource.
    Resource(Resource<'a>),
    /// Anything else: the decoded path, without its query.
    Url(Cow<'a, str>),
}

/// An API resource as the URI names it; empty strings stand for what it does not name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Resource<'a> {
    pub(super) group: &'a str,
    pub(super) namespace: &'a str,
    pub(super) plural: &'a str,
    pub(super) name: &'a str,
    pub(super) subresource: &'a str,
    /// The URI had the deprecated `watch` prefix, under which selectors are not consulted.
    pub(super) watch_prefix: bool,
}

/// Why a URI names nothing that could be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MalformedUri {
    /// An empty resource segment (`/api/v1//pods`), or nothing after a `watch` or `proxy` prefix.
    NoResource,
    /// The decoded path is not UTF-8, so no rule can name it.
    NotUtf8,
}

/// Splits a request URI into its decoded path and its raw query.
pub(super) fn split(uri: &str) -> Result<(Cow<'_, str>, &str), MalformedUri> {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let path = percent_decode_str(path).decode_utf8().map_err(|_| MalformedUri::NotUtf8)?;
    Ok((path, query))
}

/// Reads a decoded path.
pub(super) fn target<'a>(path: &'a Cow<'a, str>) -> Result<Target<'a>, MalformedUri> {
    let trimmed = path.trim_matches('/');
    let segments: Vec<&str> = trimmed.split('/').collect();
    let url = || Ok(Target::Url(Cow::Borrowed(&**path)));
    let (group, parts) = match segments[..] {
        ["api", _version, _, ..] => ("", &segments[2..]),
        ["apis", group, _version, _, ..] => (group, &segments[3..]),
        _ => return url(),
    };
    resource(group, parts).map(Target::Resource)
}

fn resource<'a>(group: &'a str, mut parts: &[&'a str]) -> Result<Resource<'a>, MalformedUri> {
    let prefix = match parts.first() {
        Some(&prefix @ ("watch" | "proxy")) => {
            parts = &parts[1..];
            prefix
        }
        _ => "",
    };
    let mut namespace = "";
    if let ["namespaces", name, rest @ ..] = parts {
        namespace = name;
        if !matches!(rest.first(), None | Some(&("status" | "finalize"))) {
            parts = rest;
        }
    }
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    let found = Resource {
        group,
        namespace,
        plural: part(0),
        name: part(1),
        subresource: if prefix == "proxy" { "" } else { part(2) },
        watch_prefix: prefix == "watch",
    };
    if found.plural.is_empty() { Err(MalformedUri::NoResource) } else { Ok(found) }
}

/// The object name that a list's or watch's `fieldSelector` asks for, or the empty
/// string: what the authorizer takes as the request's name.
///
/// As in the API server, no name is taken where a list option cannot be decoded.
pub(super) fn selected_name(query: &str) -> String {
    let options = Query(query);
    let integers_decode = ["timeoutSeconds", "limit"]
        .into_iter()
        .all(|key| options.first(key).is_none_or(|value| value.parse::<i64>().is_ok()));
    let selector = options.first("fieldSelector").filter(|_| integers_decode);
    selector
        .and_then(|selector| exact_name(&selector))
        .filter(|name| is_path_segment(name))
        .unwrap_or_default()
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

    fn resource_of(uri: &str) -> (String, String, String, String, String) {
        let (path, _) = split(uri).unwrap();
        match target(&path).unwrap() {
            Target::Resource(found) => (
                found.group.to_owned(),
                found.namespace.to_owned(),
                found.plural.to_owned(),
                found.subresource.to_owned(),
                found.name.to_owned(),
            ),
            Target::Url(url) => panic!("{uri} read as the URL {url}"),
        }
    }

    fn strings(parts: [&str; 5]) -> (String, String, String, String, String) {
        let [group, namespace, plural, subresource, name] = parts.map(str::to_owned);
        (group, namespace, plural, subresource, name)
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
            assert_eq!(resource_of(uri), strings(expected), "{uri}");
        }
    }

    #[test]
    fn short_and_foreign_paths_are_urls() {
        for uri in ["/", "/api", "/api/v1", "/api/v1/", "/apis/apps/v1", "/metrics", "/foo/bar/baz"]
        {
            let (path, _) = split(uri).unwrap();
            assert_eq!(target(&path), Ok(Target::Url(uri.into())), "{uri}");
        }
    }

    #[test]
    fn paths_that_name_no_resource_are_malformed() {
        for uri in ["/api/v1//pods", "/api/v1/watch", "/apis/apps/v1/watch"] {
            let (path, _) = split(uri).unwrap();
            assert_eq!(target(&path), Err(MalformedUri::NoResource), "{uri}");
        }
        assert_eq!(split("/api/%ff"), Err(MalformedUri::NotUtf8));
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
