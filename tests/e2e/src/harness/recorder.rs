//! Remembers what the authorizer was asked.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use leastrole::rbac::{Atom, ResourceAtom, UrlAtom};
use serde_json::Value;

/// One question to the authorizer, as a `SubjectAccessReview` put it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What was asked.
    pub atom: Atom,
    /// The API version, which never matters to RBAC.
    pub version: String,
}

impl Asked {
    /// Reads the `spec` of a `SubjectAccessReview`.
    fn read(spec: &Value) -> Self {
        let url = &spec["nonResourceAttributes"];
        let attributes = if url.is_null() { &spec["resourceAttributes"] } else { url };
        let field = |name: &str| attributes[name].as_str().unwrap_or_default();
        let atom = if url.is_null() {
            let mut resource = field("resource").to_owned();
            if !field("subresource").is_empty() {
                resource = format!("{resource}/{}", field("subresource"));
            }
            Atom::Resource(ResourceAtom {
                namespace: field("namespace").into(),
                group: field("group").into(),
                resource: resource.into(),
                name: field("name").into(),
                verb: field("verb").into(),
            })
        } else {
            Atom::Url(UrlAtom { path: field("path").into(), verb: field("verb").into() })
        };
        Self { atom, version: field("version").to_owned() }
    }
}

/// All questions so far, by the username they were about.
#[derive(Debug, Default)]
pub struct Recorder(Mutex<HashMap<String, Vec<Asked>>>);

impl Recorder {
    /// The questions about `username`, in the order in which they were asked.
    pub fn asked_about(&self, username: &str) -> Vec<Asked> {
        self.questions().get(username).cloned().unwrap_or_default()
    }

    pub(super) fn record(&self, spec: &Value) {
        let user = spec["user"].as_str().unwrap_or_default().to_owned();
        self.questions().entry(user).or_default().push(Asked::read(spec));
    }

    fn questions(&self) -> MutexGuard<'_, HashMap<String, Vec<Asked>>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn questions_are_kept_by_user_and_in_order() {
        let recorder = Recorder::default();
        recorder.record(&json!({"user": "a", "resourceAttributes": {
            "namespace": "n", "verb": "get", "group": "apps", "version": "v1",
            "resource": "deployments", "subresource": "scale", "name": "d"}}));
        recorder.record(&json!({"user": "b", "nonResourceAttributes": {}}));
        recorder
            .record(&json!({"user": "a", "nonResourceAttributes": {"path": "/x", "verb": "post"}}));
        let asked = recorder.asked_about("a");
        let atoms: Vec<String> = asked.iter().map(|asked| asked.atom.to_string()).collect();
        assert_eq!(atoms, [r#"get deployments.apps/scale "d" in namespace n"#, "post /x"]);
        assert_eq!(asked[0].version, "v1");
        assert_eq!(recorder.asked_about("c"), []);
    }
}
