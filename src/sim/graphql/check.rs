//! Is the document one that GitHub would execute? Every error found is told, worded like
//! GitHub's.

use std::collections::{BTreeMap, BTreeSet};

use graphql_parser::Pos;
use graphql_parser::query::{
    Definition, Directive, Field, OperationDefinition, Selection, TypeCondition, Value as Literal,
    VariableDefinition,
};
use serde_json::{Map, Value, json};

use super::schema::{Input, Ty, Type, coerce, literal, schema};
use super::{Prepared, Set, location, operation_name, root};

/// Checks the document and its variables; puts the variables into shape.
pub(super) fn check(prepared: &mut Prepared) -> Vec<Value> {
    let mut check = Check {
        prepared,
        errors: Vec::new(),
        declared: BTreeMap::new(),
        used: BTreeSet::new(),
        fragments: Vec::new(),
        spread: BTreeSet::new(),
        path: Vec::new(),
    };
    check.operation();
    let declared = check.declared;
    let mut errors = check.errors;
    let mut variables = Map::new();
    for (name, variable) in &declared {
        match given(prepared, name, variable) {
            Ok(Some(value)) => {
                variables.insert(name.clone(), value);
            }
            Ok(None) => {}
            Err(why) => errors.push(json!({
                "extensions": {
                    "value": prepared.variables.get(name),
                    "problems": [{"path": [], "explanation": why}],
                },
                "locations": location(variable.at),
                "message": format!("Variable ${name} of type {} was provided invalid value", variable.ty),
            })),
        }
    }
    prepared.variables = variables;
    errors
}

fn given(prepared: &Prepared, name: &str, variable: &Variable) -> Result<Option<Value>, String> {
    match (prepared.variables.get(name), &variable.default) {
        (Some(value), _) => coerce(value.clone(), &variable.ty).map(Some),
        (None, Some(default)) => Ok(Some(default.clone())),
        (None, None) if matches!(variable.ty, Ty::NonNull(_)) => {
            Err("Expected value to not be null".to_owned())
        }
        (None, None) => Ok(None),
    }
}

struct Variable {
    ty: Ty,
    default: Option<Value>,
    at: Pos,
}

struct Check<'d> {
    prepared: &'d Prepared,
    errors: Vec<Value>,
    declared: BTreeMap<String, Variable>,
    used: BTreeSet<String>,
    /// The fragments we are inside of.
    fragments: Vec<String>,
    /// Fragments that were spread anywhere.
    spread: BTreeSet<String>,
    path: Vec<String>,
}

impl Check<'_> {
    fn error(&mut self, at: Pos, code: &str, message: String) {
        self.errors.push(json!({
            "path": self.path,
            "extensions": {"code": code},
            "locations": location(at),
            "message": Value::String(message),
        }));
    }

    fn operation(&mut self) {
        let prepared = self.prepared;
        let Some(operation) = prepared.operation() else {
            return;
        };
        let (kind, variables): (&str, &[VariableDefinition<'static, String>]) = match operation {
            OperationDefinition::SelectionSet(_) => ("query", &[]),
            OperationDefinition::Query(query) => ("query", &query.variable_definitions),
            OperationDefinition::Mutation(mutation) => ("mutation", &mutation.variable_definitions),
            OperationDefinition::Subscription(subscription) => {
                self.error(
                    subscription.position,
                    "missingSubscriptionConfiguration",
                    "Schema is not configured for subscriptions".to_owned(),
                );
                return;
            }
        };
        let name = operation_name(operation).unwrap_or("anonymous");
        self.path.push(format!("{kind} {name}"));
        for variable in variables {
            let ty = Ty::read(&variable.var_type);
            match schema().get(ty.name()) {
                Some(Type::Scalar | Type::Enum(_) | Type::Input(_)) => {}
                Some(Type::Composite { .. }) => self.error(
                    variable.position,
                    "variableRequiresValidType",
                    format!(
                        "{} isn't a valid input type (on ${})",
                        ty.name(),
                        variable.name
                    ),
                ),
                None => self.error(
                    variable.position,
                    "variableRequiresValidType",
                    format!(
                        "{} isn't a defined input type (on ${})",
                        ty.name(),
                        variable.name
                    ),
                ),
            }
            let default = variable
                .default_value
                .as_ref()
                .and_then(|value| literal(value, &Map::new()));
            let at = variable.position;
            self.declared
                .insert(variable.name.clone(), Variable { ty, default, at });
        }
        self.set(root(operation), prepared.root_type());
        let unused: Vec<(String, Pos)> = self
            .declared
            .iter()
            .filter(|(name, _)| !self.used.contains(*name))
            .map(|(name, variable)| (name.clone(), variable.at))
            .collect();
        for (variable, at) in unused {
            self.error(
                at,
                "variableNotUsed",
                format!("Variable ${variable} is declared by {name} but not used"),
            );
        }
        for definition in &prepared.document.definitions {
            if let Definition::Fragment(fragment) = definition
                && !self.spread.contains(&fragment.name)
            {
                self.error(
                    fragment.position,
                    "useAndDefineFragment",
                    format!("Fragment {} was defined, but not used", fragment.name),
                );
            }
        }
    }

    fn set(&mut self, set: &Set, ty: &str) {
        let prepared = self.prepared;
        for item in &set.items {
            match item {
                Selection::Field(field) => self.field(field, ty),
                Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.directives);
                    let condition = match &fragment.type_condition {
                        Some(TypeCondition::On(name)) => name.as_str(),
                        None => ty,
                    };
                    self.path.push(format!("... on {condition}"));
                    if self.condition(fragment.position, condition, ty) {
                        self.set(&fragment.selection_set, condition);
                    }
                    self.path.pop();
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.directives);
                    let name = &spread.fragment_name;
                    let Some(fragment) = prepared.fragment(name) else {
                        self.error(
                            spread.position,
                            "useAndDefineFragment",
                            format!("Fragment {name} was used, but not defined"),
                        );
                        continue;
                    };
                    self.spread.insert(name.clone());
                    if self.fragments.contains(name) {
                        self.error(
                            spread.position,
                            "infiniteLoop",
                            format!("Fragment {name} contains an infinite loop"),
                        );
                        continue;
                    }
                    let TypeCondition::On(condition) = &fragment.type_condition;
                    self.fragments.push(name.clone());
                    let before =
                        std::mem::replace(&mut self.path, vec![format!("fragment {name}")]);
                    if self.condition(spread.position, condition, ty) {
                        self.set(&fragment.selection_set, condition);
                    }
                    self.path = before;
                    self.fragments.pop();
                }
            }
        }
    }

    /// Whether a fragment on `condition` can stand inside `ty`.
    fn condition(&mut self, at: Pos, condition: &str, ty: &str) -> bool {
        let Some(Type::Composite { .. }) = schema().get(condition) else {
            self.error(
                at,
                "undefinedType",
                format!("No such type {condition}, so it can't be a fragment condition"),
            );
            return false;
        };
        let meet = schema()
            .possible(condition)
            .any(|object| schema().is(object, ty));
        if !meet {
            self.error(
                at,
                "cannotSpreadFragment",
                format!("Fragment on {condition} can't be spread inside {ty}"),
            );
        }
        meet
    }

    fn field(&mut self, field: &Field<'static, String>, ty: &str) {
        self.path
            .push(field.alias.clone().unwrap_or_else(|| field.name.clone()));
        self.directives(&field.directives);
        if field.name == "__typename" {
            self.path.pop();
            return;
        }
        let Some(known) = schema().field(ty, &field.name) else {
            self.error(
                field.position,
                "undefinedField",
                format!("Field '{}' doesn't exist on type '{ty}'", field.name),
            );
            self.path.pop();
            return;
        };
        for (name, value) in &field.arguments {
            match known.args.get(name) {
                Some(input) => self.argument(field.position, name, value, input),
                None => self.error(
                    field.position,
                    "argumentNotAccepted",
                    format!("Field '{}' doesn't accept argument '{name}'", field.name),
                ),
            }
        }
        let missing: Vec<&str> = known
            .args
            .iter()
            .filter(|(name, input)| {
                input.required() && !field.arguments.iter().any(|(given, _)| given == *name)
            })
            .map(|(name, _)| name.as_str())
            .collect();
        if !missing.is_empty() {
            self.error(
                field.position,
                "missingRequiredArguments",
                format!(
                    "Field '{}' is missing required arguments: {}",
                    field.name,
                    missing.join(", ")
                ),
            );
        }
        let inner = known.ty.name();
        let composite = matches!(schema().get(inner), Some(Type::Composite { .. }));
        let empty = field.selection_set.items.is_empty();
        if composite && empty {
            self.error(
                field.position,
                "selectionMismatch",
                format!(
                    "Field must have selections (field '{}' returns {inner} but has no selections. \
                     Did you mean '{} {{ ... }}'?)",
                    field.name, field.name
                ),
            );
        } else if !composite && !empty {
            self.error(
                field.position,
                "selectionMismatch",
                format!(
                    "Selections can't be made on scalars (field '{}' returns {inner} but has \
                     selections)",
                    field.name
                ),
            );
        } else {
            self.set(&field.selection_set, inner);
        }
        self.path.pop();
    }

    fn argument(&mut self, at: Pos, name: &str, value: &Literal<'static, String>, input: &Input) {
        self.variables_in(at, name, value, &input.ty, input.default.is_some());
        if has_variables(value) {
            return; // its parts are checked when the variables are known to fit
        }
        let value = literal(value, &Map::new()).unwrap_or(Value::Null);
        if let Err(why) = coerce(value, &input.ty) {
            self.error(
                at,
                "argumentLiteralsIncompatible",
                format!(
                    "Argument '{name}' has an invalid value. Expected type '{}'. {why}",
                    input.ty
                ),
            );
        }
    }

    /// Every variable in a value must be declared with a type that fits its place.
    fn variables_in(
        &mut self,
        at: Pos,
        name: &str,
        value: &Literal<'static, String>,
        ty: &Ty,
        has_default: bool,
    ) {
        match value {
            Literal::Variable(variable) => {
                self.used.insert(variable.clone());
                let Some(declared) = self.declared.get(variable) else {
                    self.error(
                        at,
                        "variableNotDefined",
                        format!("Variable ${variable} is used but not declared"),
                    );
                    return;
                };
                let own_default = has_default || declared.default.is_some();
                if !declared.ty.fits(ty, own_default) {
                    let message = format!(
                        "Type mismatch on variable ${variable} and argument {name} ({} / {ty})",
                        declared.ty
                    );
                    self.error(at, "variableMismatch", message);
                }
            }
            Literal::List(list) => {
                let inner = match ty {
                    Ty::NonNull(inner) => inner,
                    other => other,
                };
                if let Ty::List(inner) = inner {
                    for value in list {
                        self.variables_in(at, name, value, inner, false);
                    }
                }
            }
            Literal::Object(fields) => {
                let Some(Type::Input(known)) = schema().get(ty.name()) else {
                    return;
                };
                for (field, value) in fields {
                    match known.get(field) {
                        Some(input) => {
                            let default = input.default.is_some();
                            self.variables_in(at, field, value, &input.ty, default);
                        }
                        None => self.error(
                            at,
                            "argumentNotAccepted",
                            format!(
                                "InputObject '{}' doesn't accept argument '{field}'",
                                ty.name()
                            ),
                        ),
                    }
                }
            }
            _ => {}
        }
    }

    fn directives(&mut self, directives: &[Directive<'static, String>]) {
        let condition = Input {
            ty: Ty::NonNull(Box::new(Ty::Named("Boolean".to_owned()))),
            default: None,
        };
        for directive in directives {
            if directive.name != "include" && directive.name != "skip" {
                self.error(
                    directive.position,
                    "undefinedDirective",
                    format!("Directive @{} is not defined", directive.name),
                );
                continue;
            }
            match &directive.arguments[..] {
                [(name, value)] if name == "if" => {
                    self.argument(directive.position, "if", value, &condition);
                }
                _ => self.error(
                    directive.position,
                    "missingRequiredArguments",
                    format!(
                        "Directive '{}' is missing required arguments: if",
                        directive.name
                    ),
                ),
            }
        }
    }
}

fn has_variables(value: &Literal<'static, String>) -> bool {
    match value {
        Literal::Variable(_) => true,
        Literal::List(list) => list.iter().any(has_variables),
        Literal::Object(fields) => fields.values().any(has_variables),
        _ => false,
    }
}
