//! The data of an answer against the selections that asked for it.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::collections::IndexMap;
use apollo_compiler::executable::{
    Directive, Field, Operation, Selection, SelectionSet, Value as Literal,
};
use apollo_compiler::schema::ExtendedType;
use serde_json::Value;

/// GitHub's types of errors that its documentation and answers show; a bot decides by them.
const ERROR_TYPES: &[&str] = &[
    "FORBIDDEN",
    "INSUFFICIENT_SCOPES",
    "INTERNAL",
    "MAX_NODE_LIMIT_EXCEEDED",
    "NOT_FOUND",
    "RATE_LIMITED",
    "SERVICE_UNAVAILABLE",
    "UNPROCESSABLE",
    "MISSING_PAGINATION_BOUNDARIES",
    "EXCESSIVE_PAGINATION",
];

struct Check<'c> {
    schema: &'c Schema,
    document: &'c ExecutableDocument,
    variables: &'c Value,
    wrong: Vec<String>,
}

pub(super) fn check<'c>(
    schema: &'c Schema,
    document: &'c ExecutableDocument,
    operation: &'c Operation,
    variables: &'c Value,
    response: &Value,
) -> Vec<String> {
    let mut check = Check {
        schema,
        document,
        variables,
        wrong: Vec::new(),
    };
    check.envelope(response);
    match response.get("data") {
        // A refused document has no data; `envelope` has seen that it has errors.
        None | Some(Value::Null) => {}
        Some(data) => {
            let root = operation.selection_set.ty.as_str();
            let nulled = response.get("errors").is_some();
            check.object(root, &[&operation.selection_set], data, "/data", nulled);
        }
    }
    check.wrong
}

impl<'c> Check<'c> {
    fn say(&mut self, path: &str, what: impl std::fmt::Display) {
        self.wrong.push(format!("answer {path}: {what}"));
    }

    fn envelope(&mut self, response: &Value) {
        let Some(map) = response.as_object() else {
            return self.say("/", "is no object");
        };
        for key in map.keys() {
            if !["data", "errors", "extensions"].contains(&key.as_str()) {
                self.say(&format!("/{key}"), "is no part of a GraphQL answer");
            }
        }
        let data = response.get("data").is_some_and(|data| !data.is_null());
        match response.get("errors").map(Value::as_array) {
            None if data => {}
            None => self.say("/", "has neither data nor errors"),
            Some(None) => self.say("/errors", "is no list"),
            Some(Some(errors)) => {
                for (at, error) in errors.iter().enumerate() {
                    if !error["message"].is_string() {
                        self.say(&format!("/errors/{at}/message"), "is missing");
                    }
                    match error.get("type").map(Value::as_str) {
                        Some(Some(kind)) if ERROR_TYPES.contains(&kind) => {}
                        // Documents that do not validate are refused with `extensions.code` only.
                        None if error.pointer("/extensions/code").is_some() => {}
                        other => self.say(
                            &format!("/errors/{at}/type"),
                            format!("{other:?} is none of GitHub's"),
                        ),
                    }
                }
            }
        }
    }

    /// `nulled`: the answer has errors, which put a null where there should be none.
    fn object(
        &mut self,
        ty: &str,
        sets: &[&'c SelectionSet],
        value: &Value,
        path: &str,
        nulled: bool,
    ) {
        let Some(object) = value.as_object() else {
            return self.say(path, format!("is no object, but {ty} is"));
        };
        let candidates = self.concrete(ty);
        let named = self
            .type_names(sets)
            .into_iter()
            .find_map(|key| object.get(&key)?.as_str());
        let fields = match named {
            Some(name) if candidates.iter().any(|known| known == name) => self.fields(name, sets),
            Some(name) => return self.say(path, format!("GitHub has no {name} where {ty} is")),
            None => {
                // Without `__typename` any concrete type will do that has just these keys.
                let fits = candidates.iter().find_map(|name| {
                    let fields = self.fields(name, sets);
                    let fit = fields.len() == object.len()
                        && fields.keys().all(|key| object.contains_key(key));
                    fit.then_some(fields)
                });
                match (fits, candidates.first()) {
                    (Some(fields), _) => fields,
                    (None, Some(first)) => self.fields(first, sets),
                    (None, None) => return self.say(path, format!("GitHub has no type {ty}")),
                }
            }
        };
        for key in object.keys().filter(|key| !fields.contains_key(*key)) {
            self.say(&format!("{path}/{key}"), "was not asked for");
        }
        for (key, found) in fields {
            let at = format!("{path}/{key}");
            match object.get(&key) {
                Some(value) => {
                    let Some(field) = found.first() else { continue };
                    let sets: Vec<&'c SelectionSet> =
                        found.iter().map(|f| &f.selection_set).collect();
                    self.value(field.ty(), &sets, value, &at, nulled);
                }
                None => self.say(&at, "was asked for and is missing"),
            }
        }
    }

    fn value(
        &mut self,
        ty: &Type,
        sets: &[&'c SelectionSet],
        value: &Value,
        path: &str,
        nulled: bool,
    ) {
        if value.is_null() {
            if ty.is_non_null() && !nulled {
                self.say(path, format!("is null, but {ty} never is"));
            }
            return;
        }
        match ty {
            Type::List(inner) | Type::NonNullList(inner) => match value.as_array() {
                Some(list) => {
                    for (at, value) in list.iter().enumerate() {
                        self.value(inner, sets, value, &format!("{path}/{at}"), nulled);
                    }
                }
                None => self.say(path, format!("is no list, but {ty} is")),
            },
            Type::Named(name) | Type::NonNullNamed(name) => match self.schema.types.get(name) {
                Some(ExtendedType::Scalar(_)) => {
                    if !scalar(name, value) {
                        self.say(path, format!("{value} is no {name}"));
                    }
                }
                Some(ExtendedType::Enum(known)) => {
                    let text = value.as_str().unwrap_or_default();
                    if !known.values.contains_key(text) {
                        self.say(path, format!("{value} is none of {name}"));
                    }
                }
                _ => self.object(name, sets, value, path, nulled),
            },
        }
    }

    /// The object types that `ty` may be.
    fn concrete(&self, ty: &str) -> Vec<String> {
        match self.schema.types.get(ty) {
            Some(ExtendedType::Object(_)) => vec![ty.to_owned()],
            Some(ExtendedType::Union(union)) => union
                .members
                .iter()
                .map(|member| member.name.to_string())
                .collect(),
            Some(ExtendedType::Interface(_)) => self
                .schema
                .types
                .iter()
                .filter(|(_, known)| {
                    known.as_object().is_some_and(|object| {
                        object.implements_interfaces.iter().any(|i| i.name == ty)
                    })
                })
                .map(|(name, _)| name.to_string())
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The keys under which `__typename` was asked for.
    fn type_names(&self, sets: &[&SelectionSet]) -> Vec<String> {
        let mut found = Vec::new();
        for set in sets {
            for selection in &set.selections {
                match selection {
                    Selection::Field(field) if field.name == "__typename" => {
                        found.push(field.response_key().to_string());
                    }
                    Selection::FragmentSpread(spread) => {
                        if let Some(fragment) = spread.fragment_def(self.document) {
                            found.extend(self.type_names(&[&fragment.selection_set]));
                        }
                    }
                    Selection::InlineFragment(inline) => {
                        found.extend(self.type_names(&[&inline.selection_set]));
                    }
                    Selection::Field(_) => {}
                }
            }
        }
        found
    }

    /// What was asked of this object type, by the key it is answered under.
    fn fields(&self, ty: &str, sets: &[&'c SelectionSet]) -> IndexMap<String, Vec<&'c Field>> {
        let mut found: IndexMap<String, Vec<&'c Field>> = IndexMap::default();
        let mut merge = |more: IndexMap<String, Vec<&'c Field>>| {
            for (key, fields) in more {
                found.entry(key).or_default().extend(fields);
            }
        };
        for set in sets {
            for selection in &set.selections {
                if !self.included(selection.directives()) {
                    continue;
                }
                let (condition, inner) = match selection {
                    Selection::Field(field) => {
                        let key = field.response_key().to_string();
                        merge([(key, vec![&**field])].into_iter().collect());
                        continue;
                    }
                    Selection::FragmentSpread(spread) => match spread.fragment_def(self.document) {
                        Some(fragment) => {
                            (Some(fragment.type_condition()), &fragment.selection_set)
                        }
                        None => continue,
                    },
                    Selection::InlineFragment(inline) => {
                        (inline.type_condition.as_ref(), &inline.selection_set)
                    }
                };
                let applies = condition
                    .is_none_or(|wanted| wanted == ty || self.schema.is_subtype(wanted, ty));
                if applies {
                    merge(self.fields(ty, &[inner]));
                }
            }
        }
        found
    }

    /// `@include` and `@skip`.
    fn included(&self, directives: &apollo_compiler::ast::DirectiveList) -> bool {
        let condition = |directive: &Directive| match directive.specified_argument_by_name("if") {
            Some(literal) => match &**literal {
                Literal::Boolean(value) => *value,
                Literal::Variable(name) => self.variables[name.as_str()] == true,
                _ => false,
            },
            None => false,
        };
        directives
            .iter()
            .all(|directive| match directive.name.as_str() {
                "include" => condition(directive),
                "skip" => !condition(directive),
                _ => true,
            })
    }
}

/// GitHub's scalars, as its documentation describes them.
fn scalar(name: &str, value: &Value) -> bool {
    let text = value.as_str();
    match name {
        "Int" => value
            .as_i64()
            .is_some_and(|number| i32::try_from(number).is_ok()),
        "Float" => value.is_number(),
        "Boolean" => value.is_boolean(),
        "DateTime" => text.is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
        "Date" => {
            text.is_some_and(|text| text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10)
        }
        "BigInt" => text.is_some_and(|text| text.parse::<i64>().is_ok()),
        // IDs, names, addresses, HTML.
        _ => value.is_string(),
    }
}
