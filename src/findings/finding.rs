//! One finding, and what makes it the same finding in another run.

use k8s_openapi::api::rbac::v1::PolicyRule;

use super::Code;
use super::text::list;
use crate::rbac::manifests::{Loaded, Place};
use crate::rbac::{Atom, ObjectId};
use crate::usage::Evidence;

/// Something worth a reviewer's eye.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Its kind.
    pub code: Code,
    /// The object to look at, if it is about one.
    pub object: Option<ObjectId>,
    /// Where that stands.
    pub place: Option<Place>,
    /// Who or which part of the object it is about; empty for all of it.
    pub about: String,
    /// The finding in a sentence, without its items and without a full stop.
    pub message: String,
    /// What exactly. A baseline accepts these one by one.
    pub items: Vec<Item>,
    /// What was used of it, where something was.
    pub used: Vec<Atom>,
    /// What else there is to know.
    pub details: Vec<String>,
    /// The rules that would settle it, and the namespace of their role: empty for a
    /// `ClusterRole`.
    pub fix: Option<(String, Vec<PolicyRule>)>,
}

/// One part of a finding.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it says, and what makes it the same in another run.
    pub text: String,
    /// The permission, if it is one.
    pub atom: Option<Atom>,
    /// What the log says of it.
    pub evidence: Option<Evidence>,
}

/// What makes two findings of different runs the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The kind.
    pub code: Code,
    /// The object, readable; empty for none.
    pub object: String,
    /// The part of it.
    pub about: String,
}

impl Finding {
    /// A finding without anything but its sentence.
    pub fn new(code: Code, object: Option<&ObjectId>, message: impl Into<String>) -> Self {
        Self {
            code,
            object: object.cloned(),
            place: None,
            about: String::new(),
            message: message.into(),
            items: Vec::new(),
            used: Vec::new(),
            details: Vec::new(),
            fix: None,
        }
    }

    /// The same finding about a part of its object.
    #[must_use]
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = about.into();
        self
    }

    /// The same finding with items.
    #[must_use]
    pub fn with<I: Into<Item>>(mut self, items: impl IntoIterator<Item = I>) -> Self {
        self.items.extend(items.into_iter().map(Into::into));
        self
    }

    /// The message with the first few of its items.
    pub fn sentence(&self) -> String {
        if self.items.is_empty() {
            return self.message.clone();
        }
        format!("{}: {}", self.message, list(self.items.iter().map(|item| item.text.as_str())))
    }

    /// What makes it the same in another run.
    pub fn key(&self) -> Key {
        let object = self.object.as_ref().map(ToString::to_string).unwrap_or_default();
        Key { code: self.code, object, about: self.about.clone() }
    }

    /// Finds the place of its object, or failing that the first place there is.
    pub(super) fn locate(&mut self, loaded: &Loaded) {
        if self.place.is_none() {
            let own = self.object.as_ref().and_then(|object| loaded.places.get(object));
            self.place = own.or_else(|| loaded.places.values().min()).cloned();
        }
    }
}

impl From<String> for Item {
    fn from(text: String) -> Self {
        Self { text, atom: None, evidence: None }
    }
}

impl From<&Atom> for Item {
    fn from(atom: &Atom) -> Self {
        Self { text: atom.to_string(), atom: Some(atom.clone()), evidence: None }
    }
}
