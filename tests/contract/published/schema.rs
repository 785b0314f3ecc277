//! JSON against the schemas of an `OpenAPI` description.
//!
//! Two questions are asked of a value: is it valid (`jsonschema`), and has it keys that are not
//! described? Descriptions leave additional keys open, so the first alone would let a misspelt key
//! of a request pass, and let the simulation send what GitHub never does.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

/// What is wrong, and where in the value (a JSON pointer).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub path: String,
    pub what: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = if self.path.is_empty() {
            "/"
        } else {
            &self.path
        };
        write!(f, "{path}: {}", self.what)
    }
}

/// The components of a description, and the validators made from it so far.
pub struct Schemas {
    components: Value,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Schemas {
    /// Of the whole description.
    pub fn of(description: &Value) -> Self {
        Self {
            components: description["components"].clone(),
            compiled: Mutex::default(),
        }
    }

    /// Follows `$ref` until there is none.
    pub fn resolve<'s>(&'s self, mut schema: &'s Value) -> &'s Value {
        while let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            schema = self.component(reference);
        }
        schema
    }

    fn component(&self, reference: &str) -> &Value {
        reference
            .strip_prefix("#/components")
            .and_then(|pointer| self.components.pointer(pointer))
            .unwrap_or_else(|| panic!("{reference} leads nowhere; run tests/setup.sh"))
    }

    /// Everything wrong with `value`; `key` names the schema, which is compiled once.
    pub fn check(&self, key: &str, schema: &Value, value: &Value) -> Vec<Problem> {
        let validator = self.validator(key, schema);
        let invalid = validator.iter_errors(value).map(|error| Problem {
            path: error.instance_path().to_string(),
            what: shortened(&error.to_string()),
        });
        let mut problems: Vec<Problem> = invalid.collect();
        self.undescribed(&[schema], value, "", &mut problems);
        problems
    }

    fn validator(&self, key: &str, schema: &Value) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let made = compiled.entry(key.to_owned()).or_insert_with(|| {
            let bundle = self.bundle(schema);
            let validator = jsonschema::options()
                .with_draft(Draft::Draft202012)
                .should_validate_formats(true)
                .build(&bundle)
                .unwrap_or_else(|error| panic!("the schema of {key} does not compile: {error}"));
            Arc::new(validator)
        });
        Arc::clone(made)
    }

    /// The schema with only those components that it reaches: with all of them it takes minutes.
    fn bundle(&self, schema: &Value) -> Value {
        let mut reached: BTreeMap<String, Value> = BTreeMap::new();
        let mut waiting = Vec::new();
        let root = translate(schema, &mut waiting);
        while let Some(reference) = waiting.pop() {
            if let Entry::Vacant(place) = reached.entry(reference) {
                let found = translate(self.component(place.key()), &mut waiting);
                place.insert(found);
            }
        }
        let mut kinds = Map::new();
        for (reference, found) in reached {
            let mut parts = reference.rsplitn(3, '/');
            if let (Some(name), Some(kind)) = (parts.next(), parts.next()) {
                let kind = kinds.entry(kind).or_insert_with(|| json!({}));
                kind[name] = found;
            }
        }
        json!({"allOf": [root], "components": kinds})
    }

    /// The keys of `value` that none of the schemas it may follow speaks of.
    fn undescribed(&self, schemas: &[&Value], value: &Value, path: &str, out: &mut Vec<Problem>) {
        let mut plain = Vec::new();
        for schema in schemas {
            self.flatten(schema, &mut plain);
        }
        match value {
            Value::Object(map) => {
                let closed = plain
                    .iter()
                    .any(|schema| schema.get("properties").is_some());
                for (key, inner) in map {
                    let at = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                    let mut found: Vec<&Value> = Vec::new();
                    let mut open = !closed;
                    for schema in &plain {
                        if let Some(described) = schema.get("properties").and_then(|p| p.get(key)) {
                            found.push(described);
                            continue;
                        }
                        match schema.get("additionalProperties") {
                            Some(Value::Bool(allowed)) => open |= *allowed,
                            Some(described) => found.push(described),
                            None => {}
                        }
                    }
                    if !found.is_empty() {
                        self.undescribed(&found, inner, &at, out);
                    } else if !open {
                        out.push(Problem {
                            path: at,
                            what: "is not described by GitHub".to_owned(),
                        });
                    }
                }
            }
            Value::Array(list) => {
                let items: Vec<&Value> = plain.iter().filter_map(|s| s.get("items")).collect();
                for (index, inner) in list.iter().enumerate() {
                    self.undescribed(&items, inner, &format!("{path}/{index}"), out);
                }
            }
            _ => {}
        }
    }

    /// The schemas without references and combinations: each alone says something of the value.
    fn flatten<'s>(&'s self, schema: &'s Value, out: &mut Vec<&'s Value>) {
        let schema = self.resolve(schema);
        out.push(schema);
        for combination in ["allOf", "anyOf", "oneOf"] {
            for part in schema
                .get(combination)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                self.flatten(part, out);
            }
        }
    }
}

/// `OpenAPI` 3.0 says `nullable` where JSON Schema has the type null; 3.1 is JSON Schema already.
/// References met on the way are noted.
fn translate(schema: &Value, references: &mut Vec<String>) -> Value {
    let Value::Object(map) = schema else {
        return match schema {
            Value::Array(list) => list
                .iter()
                .map(|entry| translate(entry, references))
                .collect(),
            other => other.clone(),
        };
    };
    if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
        references.push(reference.to_owned());
    }
    let mut out: Map<String, Value> = map
        .iter()
        .filter(|(key, _)| *key != "nullable")
        .map(|(key, value)| {
            let value = match (key.as_str(), value) {
                // Below these are names or values, not schemas.
                ("enum" | "const" | "default" | "required", plain) => plain.clone(),
                ("properties", Value::Object(named)) => named
                    .iter()
                    .map(|(name, schema)| (name.clone(), translate(schema, references)))
                    .collect(),
                _ => translate(value, references),
            };
            (key.clone(), value)
        })
        .collect();
    if map.get("nullable") != Some(&Value::Bool(true)) {
        return Value::Object(out);
    }
    if let Some(Value::String(kind)) = out.get("type") {
        let kinds = json!([kind, "null"]);
        out.insert("type".to_owned(), kinds);
        if let Some(Value::Array(values)) = out.get_mut("enum")
            && !values.contains(&Value::Null)
        {
            values.push(Value::Null);
        }
        let combined = ["allOf", "anyOf", "oneOf", "$ref"]
            .iter()
            .any(|key| out.contains_key(*key));
        if !combined {
            return Value::Object(out);
        }
    }
    json!({"anyOf": [out, {"type": "null"}]})
}

/// A message that quotes a whole issue helps nobody.
fn shortened(message: &str) -> String {
    const MOST: usize = 300;
    if message.chars().count() <= MOST {
        return message.to_owned();
    }
    let tail: Vec<char> = message.chars().rev().take(MOST / 2).collect();
    let head: String = message.chars().take(MOST / 2).collect();
    format!("{head} … {}", tail.into_iter().rev().collect::<String>())
}
