//! Values made from schemas: what is required is there, filled with something of the right kind.

use serde_json::{Map, Value, json};

use crate::published::schema::Schemas;

/// The smallest value the schema describes.
pub fn value(schemas: &Schemas, schema: &Value) -> Value {
    let schema = schemas.resolve(schema);
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        let first = values.iter().find(|value| !value.is_null());
        return first.cloned().unwrap_or_default();
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        return whole(schemas, parts);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(first) = schema.get(choice).and_then(|choices| choices.get(0)) {
            return value(schemas, first);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds
            .iter()
            .find(|kind| *kind != "null")
            .cloned()
            .unwrap_or_default(),
        kind => kind.clone(),
    };
    match kind.as_str() {
        Some("object") => object(schemas, schema),
        Some("array") => json!([]),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(false),
        Some("null") => Value::Null,
        None if schema.get("properties").is_some() => object(schemas, schema),
        _ => text(schema["format"].as_str()),
    }
}

/// Of several descriptions of one value, the earlier ones are the more telling.
fn whole(schemas: &Schemas, parts: &[Value]) -> Value {
    let mut all = Map::new();
    for part in parts {
        match value(schemas, part) {
            Value::Object(fields) => {
                for (key, field) in fields {
                    all.entry(key).or_insert(field);
                }
            }
            other if all.is_empty() => return other,
            _ => {}
        }
    }
    Value::Object(all)
}

fn object(schemas: &Schemas, schema: &Value) -> Value {
    let required = schema["required"].as_array();
    let keys = required.into_iter().flatten().filter_map(Value::as_str);
    keys.map(|key| {
        let described = schema["properties"].get(key);
        let made = described.map_or_else(|| json!("x"), |schema| value(schemas, schema));
        (key.to_owned(), made)
    })
    .collect()
}

fn text(format: Option<&str>) -> Value {
    json!(match format {
        Some("date-time") => "2026-11-20T10:00:00Z",
        Some("date") => "2026-11-20",
        Some("uri" | "uri-template") => "https://api.github.com/",
        Some("email") => "ada@example.org",
        _ => "x",
    })
}

/// Puts `over` into `into`, key by key.
pub fn merge(into: &mut Value, over: &Value) {
    match (into, over) {
        (Value::Object(into), Value::Object(over)) => {
            for (key, value) in over {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, over) => *into = over.clone(),
    }
}
