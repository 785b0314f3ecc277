//! The schema, read from `schema.graphql` once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use graphql_parser::query::Value as Literal;
use graphql_parser::schema::{Definition, InputValue, Type as Written, TypeDefinition};
use serde_json::{Map, Value};

/// The text of the schema.
pub const SDL: &str = include_str!("schema.graphql");

/// A type as it is used: `[ID!]!`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ty {
    Named(String),
    List(Box<Ty>),
    NonNull(Box<Ty>),
}

impl Ty {
    pub fn read(written: &Written<'static, String>) -> Self {
        match written {
            Written::NamedType(name) => Self::Named(name.clone()),
            Written::ListType(inner) => Self::List(Box::new(Self::read(inner))),
            Written::NonNullType(inner) => Self::NonNull(Box::new(Self::read(inner))),
        }
    }

    /// The name inside all brackets.
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::List(inner) | Self::NonNull(inner) => inner.name(),
        }
    }

    /// Whether a variable of this type (with or without a default) may stand where `wanted` is.
    pub fn fits(&self, wanted: &Self, has_default: bool) -> bool {
        match (self, wanted) {
            (Self::NonNull(have), Self::NonNull(want)) | (Self::List(have), Self::List(want)) => {
                have.fits(want, false)
            }
            (have, Self::NonNull(want)) => has_default && have.fits(want, false),
            (Self::NonNull(have), want) => have.fits(want, false),
            (Self::Named(have), Self::Named(want)) => have == want,
            _ => false,
        }
    }
}

impl std::fmt::Display for Ty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::List(inner) => write!(f, "[{inner}]"),
            Self::NonNull(inner) => write!(f, "{inner}!"),
        }
    }
}

/// An argument, or a field of an input type.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub ty: Ty,
    pub default: Option<Value>,
}

impl Input {
    pub fn required(&self) -> bool {
        matches!(self.ty, Ty::NonNull(_)) && self.default.is_none()
    }
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub ty: Ty,
    pub args: BTreeMap<String, Input>,
}

#[derive(Clone, Debug)]
pub(super) enum Type {
    Scalar,
    Enum(BTreeSet<String>),
    Input(BTreeMap<String, Input>),
    /// Objects, interfaces and unions.
    Composite {
        fields: BTreeMap<String, Field>,
        /// The objects it can be; an object is itself.
        possible: BTreeSet<String>,
    },
}

#[derive(Debug)]
pub(super) struct Schema {
    types: BTreeMap<String, Type>,
}

/// The schema. An unreadable one is an empty one, which the tests would not let pass.
pub(super) fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(Schema::read)
}

impl Schema {
    fn read() -> Self {
        let mut types = BTreeMap::new();
        for name in ["String", "Int", "Float", "Boolean", "ID"] {
            types.insert(name.to_owned(), Type::Scalar);
        }
        let mut implements: Vec<(String, String)> = Vec::new();
        let document = graphql_parser::parse_schema::<String>(SDL)
            .map(graphql_parser::schema::Document::into_static)
            .unwrap_or_default();
        for definition in document.definitions {
            let Definition::TypeDefinition(definition) = definition else {
                continue;
            };
            let (name, ty) = match definition {
                TypeDefinition::Scalar(scalar) => (scalar.name, Type::Scalar),
                TypeDefinition::Enum(list) => {
                    let values = list.values.into_iter().map(|value| value.name);
                    (list.name, Type::Enum(values.collect()))
                }
                TypeDefinition::InputObject(object) => {
                    (object.name, Type::Input(inputs(object.fields)))
                }
                TypeDefinition::Union(union) => (
                    union.name,
                    Type::Composite {
                        fields: BTreeMap::new(),
                        possible: union.types.into_iter().collect(),
                    },
                ),
                TypeDefinition::Interface(interface) => (
                    interface.name,
                    Type::Composite {
                        fields: fields(interface.fields),
                        possible: BTreeSet::new(),
                    },
                ),
                TypeDefinition::Object(object) => {
                    for interface in object.implements_interfaces {
                        implements.push((interface, object.name.clone()));
                    }
                    let possible = BTreeSet::from([object.name.clone()]);
                    let fields = fields(object.fields);
                    (object.name, Type::Composite { fields, possible })
                }
            };
            types.insert(name, ty);
        }
        for (interface, object) in implements {
            if let Some(Type::Composite { possible, .. }) = types.get_mut(&interface) {
                possible.insert(object);
            }
        }
        Self { types }
    }

    pub fn get(&self, name: &str) -> Option<&Type> {
        self.types.get(name)
    }

    pub fn field(&self, ty: &str, field: &str) -> Option<&Field> {
        match self.types.get(ty)? {
            Type::Composite { fields, .. } => fields.get(field),
            _ => None,
        }
    }

    /// The objects a composite type can be; empty for everything else.
    pub fn possible(&self, ty: &str) -> impl Iterator<Item = &str> {
        let possible = match self.types.get(ty) {
            Some(Type::Composite { possible, .. }) => Some(possible.iter()),
            _ => None,
        };
        possible.into_iter().flatten().map(String::as_str)
    }

    pub fn is(&self, object: &str, ty: &str) -> bool {
        self.possible(ty).any(|possible| possible == object)
    }
}

fn fields(written: Vec<graphql_parser::schema::Field<'static, String>>) -> BTreeMap<String, Field> {
    written
        .into_iter()
        .map(|field| {
            let ty = Ty::read(&field.field_type);
            let args = inputs(field.arguments);
            (field.name, Field { ty, args })
        })
        .collect()
}

fn inputs(written: Vec<InputValue<'static, String>>) -> BTreeMap<String, Input> {
    written
        .into_iter()
        .map(|input| {
            let ty = Ty::read(&input.value_type);
            let default = input
                .default_value
                .and_then(|value| literal(&value, &Map::new()));
            (input.name, Input { ty, default })
        })
        .collect()
}

/// A written value with the variables put in; `None` for a variable that was not given.
pub(super) fn literal(
    value: &Literal<'static, String>,
    variables: &Map<String, Value>,
) -> Option<Value> {
    Some(match value {
        Literal::Variable(name) => variables.get(name)?.clone(),
        Literal::Int(number) => Value::from(number.as_i64()?),
        Literal::Float(number) => Value::from(*number),
        Literal::String(text) | Literal::Enum(text) => Value::from(text.clone()),
        Literal::Boolean(bool) => Value::from(*bool),
        Literal::Null => Value::Null,
        Literal::List(list) => Value::Array(
            list.iter()
                .map(|value| literal(value, variables).unwrap_or(Value::Null))
                .collect(),
        ),
        Literal::Object(fields) => Value::Object(
            fields
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), literal(value, variables)?)))
                .collect(),
        ),
    })
}

/// Brings a given value into the type's shape, as GraphQL's input coercion does; the error says
/// what is wrong.
pub(super) fn coerce(value: Value, ty: &Ty) -> Result<Value, String> {
    match (value, ty) {
        (Value::Null, Ty::NonNull(_)) => Err("Expected value to not be null".to_owned()),
        (value, Ty::NonNull(inner)) => coerce(value, inner),
        (Value::Null, _) => Ok(Value::Null),
        (Value::Array(list), Ty::List(inner)) => list
            .into_iter()
            .map(|value| coerce(value, inner))
            .collect::<Result<Vec<Value>, String>>()
            .map(Value::Array),
        (single, Ty::List(inner)) => Ok(Value::Array(vec![coerce(single, inner)?])),
        (value, Ty::Named(name)) => named(value, name),
    }
}

fn named(value: Value, name: &str) -> Result<Value, String> {
    let wrong = |value: &Value| Err(format!("Could not coerce value {value} to {name}"));
    match schema().get(name) {
        Some(Type::Enum(values)) => match value.as_str() {
            Some(text) if values.contains(text) => Ok(value),
            _ => Err(format!("Expected {value} to be one of: {}", join(values))),
        },
        Some(Type::Input(fields)) => {
            let Value::Object(mut given) = value else {
                return wrong(&value);
            };
            let mut object = Map::new();
            for (field, input) in fields {
                match given.remove(field) {
                    Some(value) => {
                        let value =
                            coerce(value, &input.ty).map_err(|why| format!("{field}: {why}"))?;
                        object.insert(field.clone(), value);
                    }
                    None if input.required() => {
                        return Err(format!("{field}: Expected value to not be null"));
                    }
                    None => {
                        if let Some(default) = &input.default {
                            object.insert(field.clone(), default.clone());
                        }
                    }
                }
            }
            match given.keys().next() {
                Some(unknown) => Err(format!("{unknown}: Field is not defined on {name}")),
                None => Ok(Value::Object(object)),
            }
        }
        _ => {
            let good = match name {
                "Int" => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
                "Float" => value.is_number(),
                "Boolean" => value.is_boolean(),
                "ID" => {
                    if let Some(number) = value.as_u64() {
                        return Ok(Value::from(number.to_string()));
                    }
                    value.is_string()
                }
                "Date" => value
                    .as_str()
                    .is_some_and(|text| text.parse::<jiff::civil::Date>().is_ok()),
                _ => value.is_string(),
            };
            if good { Ok(value) } else { wrong(&value) }
        }
    }
}

fn join(values: &BTreeSet<String>) -> String {
    values
        .iter()
        .map(String::as_str)
        .collect::<Vec<&str>>()
        .join(", ")
}
