//! JSON Schema, as much of it as `testdata/sarif-2.1.0.schema.json` uses. A keyword that is
//! not known here is an error: a schema that is not held to would prove nothing.

use serde_json::{Map, Value};

/// What `value` has that `schema` forbids, each with the place it is at.
pub(crate) fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "$", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        let holds = match keyword.as_str() {
            "$comment" | "definitions" => true,
            "$ref" => {
                let name = rule.as_str().and_then(|name| name.strip_prefix('#'));
                let definition = root.pointer(name.expect("a local reference"));
                check(root, definition.expect("a definition"), value, at, found);
                true
            }
            "type" => is_of_type(rule, value),
            "enum" => rule.as_array().expect("a list").contains(value),
            "format" => value.as_str().is_none_or(is_uri),
            "minimum" => {
                value.as_i64().is_none_or(|value| value >= rule.as_i64().expect("a figure"))
            }
            "required" => value.as_object().is_none_or(|fields| has_all(rule, fields)),
            "anyOf" => rule.as_array().expect("a list").iter().any(|rule| {
                let mut wrong = Vec::new();
                check(root, rule, value, at, &mut wrong);
                wrong.is_empty()
            }),
            "uniqueItems" => value.as_array().is_none_or(|items| {
                (1..items.len()).all(|index| !items[..index].contains(&items[index]))
            }),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, item, &format!("{at}[{index}]"), found);
                }
                true
            }
            "properties" | "additionalProperties" => {
                properties(root, schema, keyword, value, at, found);
                true
            }
            other => panic!("the keyword {other} is not known"),
        };
        if !holds {
            found.push(format!("{at}: {keyword} {rule}: {value}"));
        }
    }
}

fn properties(
    root: &Value,
    schema: &Value,
    keyword: &str,
    value: &Value,
    at: &str,
    found: &mut Vec<String>,
) {
    let rule = &schema[keyword];
    for (key, field) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{key}");
        let own = schema["properties"].get(key);
        match (keyword, own, rule) {
            ("properties", Some(own), _) => check(root, own, field, &at, found),
            ("properties", None, _) | (_, Some(_), _) | (_, None, Value::Bool(true)) => {}
            (_, None, Value::Bool(false)) => found.push(format!("{at}: no such property")),
            (_, None, rule) => check(root, rule, field, &at, found),
        }
    }
}

fn is_of_type(rule: &Value, value: &Value) -> bool {
    match rule.as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the type {other} is not known"),
    }
}

fn has_all(rule: &Value, fields: &Map<String, Value>) -> bool {
    let keys = rule.as_array().expect("a list").iter().filter_map(Value::as_str);
    keys.into_iter().all(|key| fields.contains_key(key))
}

/// Whether it has only what RFC 3986 allows in a URI, percent signs before two digits.
fn is_uri(text: &str) -> bool {
    let is_allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let mut escapes = text.split('%').skip(1);
    text.bytes().all(is_allowed)
        && escapes
            .all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|it| it.is_ascii_hexdigit()))
}

#[test]
fn what_a_schema_forbids_is_found() {
    use serde_json::json;
    let schema = json!({
        "type": "object",
        "required": ["a"],
        "additionalProperties": false,
        "properties": {
            "a": {"type": "array", "uniqueItems": true, "items": {"$ref": "#/definitions/n"}},
            "u": {"type": "string", "format": "uri"}
        },
        "definitions": {"n": {"type": "integer", "minimum": 1}}
    });
    let wrong = |value: Value| violations(&schema, &value).len();
    assert_eq!(wrong(json!({"a": [1, 2], "u": "file:///a%20b"})), 0);
    assert_eq!(wrong(json!({})), 1);
    assert_eq!(wrong(json!({"a": [], "b": 1})), 1);
    assert_eq!(wrong(json!({"a": [0]})), 1);
    assert_eq!(wrong(json!({"a": ["x"]})), 1);
    assert_eq!(wrong(json!({"a": [1, 1]})), 1);
    assert_eq!(wrong(json!({"a": [], "u": "a b"})), 1);
    assert_eq!(wrong(json!({"a": [], "u": "a%2"})), 1);
}
