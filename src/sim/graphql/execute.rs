//! The executor: walks a document's selections over whatever `resolve` and `mutate` hand out.
//! It knows GraphQL and nothing of issues.

use graphql_parser::query::{Directive, Field, Selection, TypeCondition};
use serde_json::{Map, Value, json};

use super::resolve::{Context, Obj, Val, resolve};
use super::schema::{Ty, coerce, literal, schema};
use super::{Prepared, Set, location, mutate, root};
use crate::sim::auth::Caller;
use crate::sim::limits::Resource;
use crate::sim::refusal::Refusal;
use crate::sim::state::State;

/// A value that may not be null was; the nearest parent that may be becomes it.
struct Bubble;

struct Execution<'a> {
    prepared: &'a Prepared,
    state: &'a mut State,
    context: Context<'a>,
    errors: Vec<Value>,
    path: Vec<Value>,
    /// The key of the root field that is to fail.
    refused: Option<String>,
}

pub(super) fn execute(
    prepared: &Prepared,
    state: &mut State,
    caller: &Caller,
    refused: Option<usize>,
) -> Value {
    let (limits, now) = (state.limits.clone(), state.now());
    let who = caller.installation().unwrap_or(0);
    let budget = state.budgets.budget(who, Resource::GraphQl, &limits, now);
    let mut execution = Execution {
        prepared,
        state,
        context: Context {
            caller,
            cost: prepared.cost,
            nodes: prepared.nodes,
            budget,
        },
        errors: Vec::new(),
        path: Vec::new(),
        refused: refused.and_then(|place| prepared.root_key(place)),
    };
    let data = match prepared.operation() {
        Some(operation) => {
            let start = Obj::Made(prepared.root_type(), Vec::new());
            execution
                .object(&start, &[root(operation)])
                .unwrap_or(Value::Null)
        }
        None => Value::Null,
    };
    let mut answer = Map::new();
    answer.insert("data".to_owned(), data);
    if !execution.errors.is_empty() {
        answer.insert("errors".to_owned(), Value::Array(execution.errors));
    }
    Value::Object(answer)
}

type Fields<'a> = Vec<(&'a str, Vec<&'a Field<'static, String>>)>;

impl<'a> Execution<'a> {
    /// The fields to answer with, by their key, in the document's order; the same key twice is one.
    fn collect(&self, object: &str, set: &'a Set, fields: &mut Fields<'a>) {
        let prepared = self.prepared;
        for item in &set.items {
            match item {
                Selection::Field(field) => {
                    if !self.included(&field.directives) {
                        continue;
                    }
                    let key = field.alias.as_ref().unwrap_or(&field.name).as_str();
                    match fields.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, same)) => same.push(field),
                        None => fields.push((key, vec![field])),
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let fits = match &fragment.type_condition {
                        Some(TypeCondition::On(ty)) => schema().is(object, ty),
                        None => true,
                    };
                    if fits && self.included(&fragment.directives) {
                        self.collect(object, &fragment.selection_set, fields);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    if !self.included(&spread.directives) {
                        continue;
                    }
                    if let Some(fragment) = prepared.fragment(&spread.fragment_name) {
                        let TypeCondition::On(ty) = &fragment.type_condition;
                        if schema().is(object, ty) {
                            self.collect(object, &fragment.selection_set, fields);
                        }
                    }
                }
            }
        }
    }

    fn included(&self, directives: &[Directive<'static, String>]) -> bool {
        directives.iter().all(|directive| {
            let condition = directive
                .arguments
                .first()
                .and_then(|(_, value)| literal(value, &self.prepared.variables))
                .and_then(|value| value.as_bool())
                .unwrap_or(false);
            condition == (directive.name == "include")
        })
    }

    fn object(&mut self, object: &Obj, sets: &[&'a Set]) -> Result<Value, Bubble> {
        let ty = object.typename();
        let mut fields = Vec::new();
        for set in sets {
            self.collect(ty, set, &mut fields);
        }
        let mut answer = Map::new();
        for (key, same) in fields {
            let Some(field) = same.first().copied() else {
                continue;
            };
            self.path.push(key.into());
            let value = self.field(object, ty, field, &same);
            self.path.pop();
            answer.insert(key.to_owned(), value?);
        }
        Ok(Value::Object(answer))
    }

    fn field(
        &mut self,
        object: &Obj,
        ty: &str,
        field: &Field<'static, String>,
        same: &[&'a Field<'static, String>],
    ) -> Result<Value, Bubble> {
        if field.name == "__typename" {
            return Ok(ty.into());
        }
        let Some(known) = schema().field(ty, &field.name) else {
            return Ok(Value::Null); // the check has refused such a document
        };
        let fails = self.path.len() == 1
            && self.refused.is_some()
            && self.path.first().and_then(Value::as_str) == self.refused.as_deref();
        let value = self.arguments(field, &known.args).and_then(|args| {
            if fails {
                return Err(Refusal::new(422, "The simulated GitHub was asked to fail"));
            }
            if ty == "Mutation" {
                mutate::mutate(self.state, &self.context, &field.name, &args)
            } else {
                resolve(self.state, &self.context, object, &field.name, &args)
            }
        });
        let value = match value {
            Ok(value) => value,
            Err(refusal) => {
                self.errors.push(json!({
                    "type": refusal.graphql_type(),
                    "path": self.path,
                    "locations": location(field.position),
                    "message": refusal.sentence(),
                }));
                return if matches!(known.ty, Ty::NonNull(_)) {
                    Err(Bubble)
                } else {
                    Ok(Value::Null)
                };
            }
        };
        let sets: Vec<&'a Set> = same.iter().map(|field| &field.selection_set).collect();
        self.complete(value, &known.ty, &sets)
    }

    fn arguments(
        &self,
        field: &Field<'static, String>,
        known: &std::collections::BTreeMap<String, super::schema::Input>,
    ) -> Result<Map<String, Value>, Refusal> {
        let mut args = Map::new();
        for (name, input) in known {
            let given = field
                .arguments
                .iter()
                .find(|(given, _)| given == name)
                .and_then(|(_, value)| literal(value, &self.prepared.variables))
                .or_else(|| input.default.clone());
            match given {
                Some(value) => {
                    let value = coerce(value, &input.ty)
                        .map_err(|why| Refusal::new(422, format!("Argument '{name}': {why}")))?;
                    args.insert(name.clone(), value);
                }
                None if input.required() => {
                    return Err(Refusal::new(422, format!("Argument '{name}' is required")));
                }
                None => {}
            }
        }
        Ok(args)
    }

    /// Brings what was resolved into the shape its type promises.
    fn complete(&mut self, value: Val, ty: &Ty, sets: &[&'a Set]) -> Result<Value, Bubble> {
        if let Ty::NonNull(inner) = ty {
            let value = self.complete(value, inner, sets)?;
            return if value.is_null() {
                Err(Bubble)
            } else {
                Ok(value)
            };
        }
        match value {
            Val::Null => Ok(Value::Null),
            Val::Json(value) => Ok(value),
            Val::Obj(object) => Ok(self.object(&object, sets).unwrap_or(Value::Null)),
            Val::List(list) => {
                let inner = match ty {
                    Ty::List(inner) => inner,
                    other => other,
                };
                let mut answer = Vec::with_capacity(list.len());
                for (place, value) in list.into_iter().enumerate() {
                    self.path.push(place.into());
                    let value = self.complete(value, inner, sets);
                    self.path.pop();
                    match value {
                        Ok(value) => answer.push(value),
                        Err(Bubble) => return Ok(Value::Null),
                    }
                }
                Ok(Value::Array(answer))
            }
        }
    }
}
