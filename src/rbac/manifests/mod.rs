//! RBAC objects from manifests.
//!
//! Bytes come in, source by source: YAML of many documents, JSON, `List` and its like. The
//! objects go out, with where each stands, what else was there, and every problem found on
//! the way. Never reads a file, and never stops at an object that is merely wrong.

mod problem;
mod split;
mod tree;
mod typed;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use serde_json::{Map, Value};

use self::tree::Budget;
use super::aggregation::aggregate;
use super::defaults::builtin_objects;
use super::evaluator::Evaluator;
use super::objects::{Kind, Object, ObjectId, Objects, RBAC_GROUP};
use super::validation::{Form, validate};

pub use self::problem::{Defect, Limit, ManifestError, Place, Problem, Unreadable};

/// Versions of the RBAC API that have the shape of `v1`.
const VERSIONS: [&str; 2] = ["v1", "v1beta1"];

/// What was read from a set of manifests.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The RBAC objects.
    pub objects: Objects,
    /// Where each of them stands.
    pub places: BTreeMap<ObjectId, Place>,
    /// `ServiceAccounts` by namespace and name.
    pub service_accounts: BTreeSet<(String, String)>,
    /// Namespaces by name.
    pub namespaces: BTreeSet<String>,
    /// How many objects of other kinds were left out, by kind as in `Deployment.apps`.
    pub skipped: BTreeMap<String, usize>,
    /// What is wrong with the objects.
    pub problems: Vec<Problem>,
}

impl Loaded {
    /// The objects, with the `ClusterRoles` that every cluster has where none of that name
    /// was read: bindings refer to `view` or `cluster-admin` without bringing them along.
    pub fn with_builtin_roles(&self) -> Objects {
        let mut objects: Objects =
            builtin_objects().cluster_roles().map(|(_, role)| role.clone()).collect();
        objects.extend(self.objects.iter().cloned());
        objects
    }
}

/// The documents of one source as plain values, within the limits of manifests: for what
/// is YAML or JSON and no RBAC.
pub fn values(source: &str, bytes: &[u8]) -> Result<Vec<Value>, ManifestError> {
    let mut values = Vec::new();
    documents(source, bytes, &Budget::new(), |_, value| {
        values.push(value);
        Ok(())
    })?;
    Ok(values)
}

/// Hands over the documents of one source, each with its place.
fn documents(
    source: &str,
    bytes: &[u8],
    budget: &Budget,
    mut take: impl FnMut(&Place, Value) -> Result<(), ManifestError>,
) -> Result<(), ManifestError> {
    let mut place = Place { source: source.into(), document: 1, line: 1, item: None };
    let at = |place: &Place, cause| ManifestError { place: place.clone(), cause };
    for document in split::documents(text(bytes, budget).map_err(|cause| at(&place, cause))?) {
        place.line = document.line;
        for value in tree::parse(document, budget).map_err(|cause| at(&place, cause))? {
            take(&place, value)?;
            place.document += 1;
        }
    }
    Ok(())
}

fn text<'b>(bytes: &'b [u8], budget: &Budget) -> Result<&'b str, Unreadable> {
    budget.spend_bytes(bytes.len()).map_err(Unreadable::Limit)?;
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Unreadable::NotUtf8 { offset: error.valid_up_to() })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// A reader of manifests.
#[derive(Debug)]
pub struct Manifests {
    loaded: Loaded,
    budget: Rc<Budget>,
    /// For namespaced objects that name no namespace; empty for none.
    namespace: String,
}

impl Default for Manifests {
    fn default() -> Self {
        let budget = Rc::new(Budget::new());
        Self { loaded: Loaded::default(), budget, namespace: String::new() }
    }
}

impl Manifests {
    /// A reader that puts namespaced objects without a namespace into `namespace`, as
    /// `kubectl apply -n` does with what `helm template` prints.
    pub fn in_namespace(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..Self::default() }
    }

    /// Reads one source; `source` is its name in messages.
    ///
    /// Fails at the first document that is no YAML or JSON, is no object, or passes a
    /// [`Limit`]; what came before it is kept.
    pub fn read(&mut self, source: &str, bytes: &[u8]) -> Result<(), ManifestError> {
        let budget = Rc::clone(&self.budget);
        documents(source, bytes, &budget, |place, value| self.document(place, value))
    }

    /// Ends the reading with the problems that only show in the whole.
    pub fn finish(self) -> Loaded {
        let mut loaded = self.loaded;
        let mut defects = Vec::new();
        let objects = loaded.with_builtin_roles();
        for (binding, cause) in Evaluator::new(&objects).unresolved() {
            let id = binding.id.clone();
            let defect = Defect::DanglingRoleRef { binding: id.clone(), cause: cause.clone() };
            defects.push((id, defect));
        }
        for (id, sources) in aggregate(&objects) {
            if sources.is_some_and(|sources| sources.is_empty()) {
                defects.push((id.clone(), Defect::EmptyAggregation(id.clone())));
            }
        }
        for (id, defect) in defects {
            if let Some(place) = loaded.places.get(&id).cloned() {
                loaded.problems.push(Problem { place, defect });
            }
        }
        loaded
    }

    /// Ends the reading with the objects alone, whatever is wrong with them.
    pub fn into_objects(self) -> Objects {
        self.loaded.objects
    }

    fn document(&mut self, place: &Place, value: Value) -> Result<(), ManifestError> {
        match value {
            Value::Null => Ok(()),
            Value::Array(items) => self.items(place, items, &Header::default()),
            value => self.manifest(place, value, &Header::default()),
        }
    }

    /// The items of a list, which may leave out what the kind of the list says.
    fn items(
        &mut self,
        place: &Place,
        items: Vec<Value>,
        header: &Header,
    ) -> Result<(), ManifestError> {
        for (index, item) in items.into_iter().enumerate() {
            let place = Place { item: Some(index + 1), ..place.clone() };
            self.manifest(&place, item, header)?;
        }
        Ok(())
    }

    fn manifest(
        &mut self,
        place: &Place,
        value: Value,
        inherited: &Header,
    ) -> Result<(), ManifestError> {
        let Value::Object(mut fields) = value else {
            return Err(ManifestError { place: place.clone(), cause: Unreadable::NotAnObject });
        };
        let header = Header::of(&fields, inherited);
        if let Some(of_items) = header.of_items() {
            return match fields.remove("items") {
                Some(Value::Array(items)) => self.items(place, items, &of_items),
                _ => Ok(()),
            };
        }
        match (header.group(), header.kind.as_str()) {
            (RBAC_GROUP | "", name) if let Some(kind) = Kind::from_name(name) => {
                self.object(place, kind, &header.api_version, fields);
            }
            ("", "ServiceAccount") => {
                self.fill_namespace(&mut fields);
                let found = (metadata(&fields, "namespace"), metadata(&fields, "name"));
                self.loaded.service_accounts.insert(found);
            }
            ("", "Namespace") => {
                self.loaded.namespaces.insert(metadata(&fields, "name"));
            }
            _ => *self.loaded.skipped.entry(header.to_string()).or_default() += 1,
        }
        Ok(())
    }

    fn fill_namespace(&self, fields: &mut Map<String, Value>) {
        if self.namespace.is_empty() || !metadata(fields, "namespace").is_empty() {
            return;
        }
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("namespace".to_owned(), self.namespace.clone().into());
        }
    }

    fn object(
        &mut self,
        place: &Place,
        kind: Kind,
        api_version: &str,
        mut fields: Map<String, Value>,
    ) {
        if kind.is_namespaced() {
            self.fill_namespace(&mut fields);
        }
        let namespace =
            if kind.is_namespaced() { metadata(&fields, "namespace") } else { String::new() };
        let id = ObjectId { kind, namespace, name: metadata(&fields, "name") };
        let known = VERSIONS.iter().any(|version| api_version == format!("{RBAC_GROUP}/{version}"));
        if !known {
            let api_version = api_version.to_owned();
            return self.problem(place, Defect::UnknownVersion { object: id, api_version });
        }
        match typed::object(kind, fields) {
            Ok(object) => self.insert(place, object),
            Err(typed::Misfit { field, message }) => {
                self.problem(place, Defect::Malformed { object: id, field, message });
            }
        }
    }

    fn insert(&mut self, place: &Place, object: Object) {
        let id = object.id();
        for invalid in validate(&object, Form::Submitted) {
            self.problem(place, invalid.into());
        }
        if object.role_ref_and_subjects().is_some_and(|(_, subjects)| subjects.is_empty()) {
            self.problem(place, Defect::NoSubjects(id.clone()));
        }
        self.loaded.objects.insert(object);
        if let Some(first) = self.loaded.places.insert(id.clone(), place.clone()) {
            self.problem(place, Defect::Duplicate { object: id, first });
        }
    }

    fn problem(&mut self, place: &Place, defect: Defect) {
        self.loaded.problems.push(Problem { place: place.clone(), defect });
    }
}

/// What an object says it is.
#[derive(Default)]
struct Header {
    api_version: String,
    kind: String,
}

impl Header {
    /// What `fields` say, or else what the list around them does.
    fn of(fields: &Map<String, Value>, inherited: &Self) -> Self {
        let own = |field: &str, inherited: &str| match fields.get(field).and_then(Value::as_str) {
            Some(own) if !own.is_empty() => own.to_owned(),
            _ => inherited.to_owned(),
        };
        Self {
            api_version: own("apiVersion", &inherited.api_version),
            kind: own("kind", &inherited.kind),
        }
    }

    /// For a list that can hold RBAC, what its items are if they do not say so themselves.
    fn of_items(&self) -> Option<Self> {
        let item = self.kind.strip_suffix("List")?;
        let known = match self.group() {
            RBAC_GROUP => Kind::from_name(item).is_some(),
            "" => matches!(item, "" | "ServiceAccount" | "Namespace"),
            _ => false,
        };
        let api_version = if item.is_empty() { "" } else { &self.api_version };
        known.then(|| Self { api_version: api_version.to_owned(), kind: item.to_owned() })
    }

    fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

/// Reads as `Deployment.apps`.
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.kind.is_empty() { "(no kind)" } else { &self.kind };
        match self.group() {
            "" => f.write_str(kind),
            group => write!(f, "{kind}.{group}"),
        }
    }
}

/// A field of the metadata, empty if it is not there.
fn metadata(fields: &Map<String, Value>, field: &str) -> String {
    let value = fields.get("metadata").and_then(|metadata| metadata.get(field));
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
