//! YAML and JSON into one kind of tree, within limits.
//!
//! The text of a document comes in, JSON values go out. What is counted is what is built,
//! aliases expanded, so that neither a YAML bomb nor a huge list outgrows memory. Knows
//! nothing of Kubernetes.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{AliasLimits, DuplicateKeyPolicy};
use serde_saphyr::{MessageFormatter, NonFiniteFloatPolicy, UserMessageFormatter};

use super::problem::{Limit, Unreadable};
use super::split::Document;

/// What may still be read.
#[derive(Debug)]
pub(super) struct Budget {
    nodes: Cell<usize>,
    /// Of input.
    bytes: Cell<usize>,
    /// Of text that the input is read into, which an alias multiplies.
    text: Cell<usize>,
    reached: Cell<Option<Limit>>,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            nodes: Cell::new(Limit::Nodes.value()),
            bytes: Cell::new(Limit::Bytes.value()),
            text: Cell::new(Limit::Bytes.value()),
            reached: Cell::new(None),
        }
    }

    /// Takes `bytes` of input.
    pub(super) fn spend_bytes(&self, bytes: usize) -> Result<(), Limit> {
        Self::spend(&self.bytes, bytes, Limit::Bytes)
    }

    fn spend(left: &Cell<usize>, amount: usize, limit: Limit) -> Result<(), Limit> {
        left.set(left.get().checked_sub(amount).ok_or(limit)?);
        Ok(())
    }

    /// The same for a deserializer, which has an error type of its own.
    fn charge<E: Error>(&self, charge: Result<(), Limit>) -> Result<(), E> {
        charge.map_err(|limit| {
            self.reached.set(Some(limit));
            E::custom(limit)
        })
    }
}

/// The values of one document: one of YAML, or any number of JSON one after the other.
pub(super) fn parse(document: Document<'_>, budget: &Budget) -> Result<Vec<Value>, Unreadable> {
    if !document.text.trim_start().starts_with(['{', '[']) {
        return Ok(vec![yaml(document, budget)?]);
    }
    match json(document, budget) {
        // Flow mappings are YAML too.
        Err(error @ Unreadable::Syntax { .. }) => match yaml(document, budget) {
            Err(Unreadable::Syntax { .. }) => Err(error),
            result => Ok(vec![result?]),
        },
        result => result,
    }
}

fn json(document: Document<'_>, budget: &Budget) -> Result<Vec<Value>, Unreadable> {
    let mut deserializer = serde_json::Deserializer::from_str(document.text);
    let mut values = Vec::new();
    while deserializer.end().is_err() {
        let value = Tree { budget, depth: 0 }.deserialize(&mut deserializer);
        values.push(value.map_err(|error| match budget.reached.take() {
            Some(limit) => Unreadable::Limit(limit),
            None => json_error(&error, document),
        })?);
    }
    Ok(values)
}

fn json_error(error: &serde_json::Error, document: Document<'_>) -> Unreadable {
    let message = error.to_string();
    // Its own line counts from the start of the document.
    let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message);
    let line = document.line + error.line().saturating_sub(1);
    Unreadable::Syntax { line, message: message.to_owned() }
}

fn yaml(document: Document<'_>, budget: &Budget) -> Result<Value, Unreadable> {
    let tree = Tree { budget, depth: 0 };
    serde_saphyr::with_deserializer_from_str_with_options(document.text, options(), |yaml| {
        tree.deserialize(yaml)
    })
    .map_err(|error| match budget.reached.take() {
        Some(limit) => Unreadable::Limit(limit),
        None => yaml_error(&error, document),
    })
}

fn yaml_error(error: &serde_saphyr::Error, document: Document<'_>) -> Unreadable {
    let error = innermost(error);
    let line = error.location().and_then(|location| usize::try_from(location.line()).ok());
    let line = document.line + line.unwrap_or(1).saturating_sub(1);
    if let Some(message) = limit_text(error) {
        Unreadable::YamlLimit { line, message }
    } else if document.text.contains("{{") {
        Unreadable::Template { line }
    } else {
        let message = UserMessageFormatter.format_message(error).into_owned();
        Unreadable::Syntax { line, message }
    }
}

/// What a document has too much of for the parser, and what to do; nothing for other errors.
fn limit_text(error: &serde_saphyr::Error) -> Option<&'static str> {
    use serde_saphyr::Error::{
        AliasReplayLimitExceeded, AliasReplayStackDepthExceeded, Budget as Breached,
    };
    match error {
        AliasReplayLimitExceeded { .. } | AliasReplayStackDepthExceeded { .. } => {
            Some("its aliases repeat too much; write out what they stand for, or use JSON")
        }
        Breached { breach: BudgetBreach::Depth { .. }, .. } => {
            Some("it is nested too deeply; leave out what is not RBAC")
        }
        Breached {
            breach: BudgetBreach::SequenceUnbalanced | BudgetBreach::Documents { .. },
            ..
        } => Some("its end does not fit its beginning; cut it into one file for each object"),
        Breached {
            breach:
                BudgetBreach::Events { .. }
                | BudgetBreach::Nodes { .. }
                | BudgetBreach::ScalarBytes { .. }
                | BudgetBreach::InputBytes { .. },
            ..
        } => Some("it holds too much; split it, or leave out what is not RBAC"),
        Breached { .. } => Some(
            "it has too many anchors, aliases or merge keys; write out what they stand for, or \
             use JSON",
        ),
        _ => None,
    }
}

/// The error behind the aliases it came through.
fn innermost(mut error: &serde_saphyr::Error) -> &serde_saphyr::Error {
    while let serde_saphyr::Error::AliasError { error: inner, .. } = error.without_snippet() {
        error = inner;
    }
    error.without_snippet()
}

/// Reads as kubectl does where YAML leaves a choice. The parser counts keys and the ends of
/// collections too; its limits are set so that ours are met first, except for aliases.
fn options() -> serde_saphyr::Options {
    let nodes = Limit::Nodes.value();
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: nodes.saturating_mul(4),
            max_nodes: nodes.saturating_mul(2),
            max_depth: Limit::Depth.value() + 1,
            max_total_scalar_bytes: Limit::Bytes.value().saturating_mul(2),
        },
        alias_limits: AliasLimits::default(),
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        ignore_binary_tag_for_string: true,
        with_snippet: false,
    }
}

/// Builds a value and counts what it builds.
#[derive(Clone, Copy)]
struct Tree<'b> {
    budget: &'b Budget,
    depth: usize,
}

impl Tree<'_> {
    /// For what is inside a sequence or mapping.
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        let fits = if depth > Limit::Depth.value() { Err(Limit::Depth) } else { Ok(()) };
        self.budget.charge(fits)?;
        Ok(Self { depth, ..self })
    }

    fn text<E: Error>(self, text: String) -> Result<String, E> {
        self.budget.charge(Budget::spend(&self.budget.text, text.len(), Limit::Bytes))?;
        Ok(text)
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let budget = self.budget;
        budget.charge(Budget::spend(&budget.nodes, 1, Limit::Nodes))?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.text(value.to_owned()).map(Value::String)
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        self.text(value).map(Value::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let item = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(item)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let item = self.deeper()?;
        let mut values = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let key = self.text(key)?;
            values.insert(key, map.next_value_seed(item)?);
        }
        Ok(Value::Object(values))
    }
}
