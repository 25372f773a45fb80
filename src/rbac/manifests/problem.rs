//! What can be wrong with manifests, and where.
//!
//! Two families: what makes a source unreadable, and what is wrong with an object that could
//! be read. Each message says what to do where that is not plain. Never decides what a problem
//! means for the exit status.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use super::super::objects::{ObjectId, RBAC_GROUP};
use super::super::validation::Invalid;
use super::super::verdict::Unresolved;

/// Where an object stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The name of the source.
    pub source: Arc<str>,
    /// The document in the source, from 1; empty documents do not count.
    pub document: usize,
    /// The line that the document starts on, from 1.
    pub line: usize,
    /// The item in the document's list, from 1.
    pub item: Option<usize>,
}

/// Reads as `rbac.yaml, line 12 (document 2, item 3)`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, document, line, item } = self;
        write!(f, "{source}, line {line} (document {document}")?;
        if let Some(item) = item {
            write!(f, ", item {item}")?;
        }
        f.write_str(")")
    }
}

/// A source that cannot be read to its end.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {cause}")]
pub struct ManifestError {
    /// The document at fault.
    pub place: Place,
    /// Why.
    pub cause: Unreadable,
}

/// Why a document cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// Not text. The usual cause is a redirect in an old PowerShell.
    #[error("not UTF-8 at byte {offset}; save it as UTF-8")]
    NotUtf8 {
        /// The first byte that is no UTF-8, from 0.
        offset: usize,
    },
    /// Neither YAML nor JSON.
    #[error("not valid YAML or JSON at line {line}: {message}")]
    Syntax {
        /// The line in the source, from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// An unrendered Helm template.
    #[error("a template, not a manifest, at line {line}; render it first (`helm template`)")]
    Template {
        /// The line in the source, from 1.
        line: usize,
    },
    /// A number, a string or the like.
    #[error("not a Kubernetes object; a manifest is a mapping with apiVersion and kind")]
    NotAnObject,
    /// One of our limits.
    #[error("{0}; split the input, or leave out what is not RBAC")]
    Limit(Limit),
    /// A limit of the YAML parser, against documents that expand when read.
    #[error("refused at line {line}: {message}")]
    YamlLimit {
        /// The line in the source, from 1.
        line: usize,
        /// What there is too much of, and what to do.
        message: &'static str,
    },
}

/// A limit on what is read, over all sources together but for the depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Bytes of input, or of the text that it expands to.
    Bytes,
    /// Scalars, sequences and mappings, aliases expanded.
    Nodes,
    /// Sequences and mappings inside one another.
    Depth,
}

impl Limit {
    /// The most that is read: three times what a cluster of ten thousand roles of ten rules
    /// each, with their bindings, prints.
    pub const fn value(self) -> usize {
        match self {
            Self::Bytes => 256 * 1024 * 1024,
            Self::Nodes => 5_000_000,
            // The schema of a CustomResourceDefinition nests some forty levels.
            Self::Depth => 100,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Bytes => "bytes",
            Self::Nodes => "values",
            Self::Depth => "levels of nesting",
        };
        write!(f, "more than {} {what}", self.value())
    }
}

/// Something wrong with an object that could be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("{place}: {defect}")]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// What is wrong.
    pub defect: Defect,
}

/// What is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Defect {
    /// An RBAC kind of another API version; the object is left out.
    #[error("{object}: apiVersion {api_version:?} is not known; use {RBAC_GROUP}/v1")]
    UnknownVersion {
        /// The object.
        object: ObjectId,
        /// Its apiVersion, empty if it has none.
        api_version: String,
    },
    /// A field of the wrong type; the object is left out.
    #[error("{object}: {field}: {message}")]
    Malformed {
        /// The object.
        object: ObjectId,
        /// The field, as `rules[2]`.
        field: String,
        /// What was found and expected.
        message: String,
    },
    /// The API server would refuse the object; it is kept.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The same object twice; the later one counts, as with `kubectl apply`.
    #[error("{object} is defined again; it replaces the one in {first}")]
    Duplicate {
        /// The object.
        object: ObjectId,
        /// Where it was defined before.
        first: Place,
    },
    /// A binding that grants nothing, because its role cannot be looked into.
    #[error("{binding} grants nothing: {cause}; add the role to the input or drop the binding")]
    DanglingRoleRef {
        /// The binding.
        binding: ObjectId,
        /// What is missing.
        cause: Unresolved,
    },
    /// A binding to nobody.
    #[error("{0} has no subjects and grants nothing")]
    NoSubjects(ObjectId),
    /// An aggregated role that selects no other role here; its own rules count for nothing.
    #[error("{0} aggregates no ClusterRole of the input and grants nothing; add those it selects")]
    EmptyAggregation(ObjectId),
}
