//! What rules put into fields of boards that show no attribute.

use crate::policy::expr::{Expect, Program, Type};
use crate::policy::model::{FieldKind, FieldRef, FieldTo, FieldWish, Nearby};
use crate::policy::template::Template;
use crate::policy::yaml::Node;
use crate::triage::snapshot::FieldValue;

use super::principles::{Names, looks_computed};
use super::vocabulary::{capitals, field_ref};
use super::{Reader, settings};
use crate::policy::diagnostic::suggest;

/// The `fields:` of a rule.
pub(super) fn fields(r: &mut Reader<'_>, node: Option<&Node>, names: &Names<'_>) -> Vec<FieldWish> {
    let entries = node.and_then(|n| r.map(n, "`fields`")).unwrap_or_default();
    let mut out: Vec<FieldWish> = Vec::new();
    for (key, value) in entries {
        let Some(field) = field_ref(r, key, names.boards) else {
            continue;
        };
        let shows = names.attributes.values().find(|a| {
            let mut fields = a.fields.iter();
            fields.any(|f| f.board == field.board && f.field.eq_ignore_ascii_case(&field.field))
        });
        if let Some(attribute) = shows {
            let id = &attribute.id;
            let message = format!(
                "the field `{}.{}` shows the attribute `{id}`",
                field.board, field.field
            );
            let help = Some(format!("use `set: {{ {id}: … }}` or `hold:`"));
            r.error_help("field-of-attribute", key, message, help);
            continue;
        }
        let Some(kind) = &field.kind else {
            let message = format!("what `{}.{}` holds is not known", field.board, field.field);
            let help = "pin it in a `*.lock.yaml`: `northstar check --online --update`";
            r.error_help("not-pinned", key, message, Some(help.to_owned()));
            continue;
        };
        let to = if value.text() == Some("none") {
            Some(FieldTo::Nothing)
        } else {
            to(r, value, &field, kind, names)
        };
        if let Some(to) = to {
            out.push(FieldWish {
                board: field.board,
                field: field.field,
                to,
            });
        }
    }
    out
}

fn to(
    r: &mut Reader<'_>,
    node: &Node,
    field: &FieldRef,
    kind: &FieldKind,
    names: &Names<'_>,
) -> Option<FieldTo> {
    let text = r.text(node, "the value of a field")?;
    match kind {
        FieldKind::Text => {
            let parts = settings::inserted(r, node, text, names);
            let key = format!("{}.{}", field.board, field.field);
            Some(FieldTo::Text(Template { key, parts }))
        }
        FieldKind::Number => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Some(FieldTo::This(FieldValue::Number(number))),
            _ => computed(r, node, field, names, Expect::Number, "a number", |_| true),
        },
        FieldKind::Date => {
            if let Ok(date) = text.parse() {
                return Some(FieldTo::This(FieldValue::Date(date)));
            }
            let is_time = |ty: &Type| *ty == Type::Timestamp;
            computed(r, node, field, names, Expect::Any, "a day", is_time)
        }
        FieldKind::Iteration(titles) => {
            if let Some((_, which)) = Nearby::WORDS.iter().find(|(word, _)| *word == text) {
                return Some(FieldTo::Iteration(*which));
            }
            if titles.is_empty() || titles.iter().any(|t| t == text) {
                return Some(FieldTo::This(FieldValue::Iteration(text.to_owned())));
            }
            let words = Nearby::WORDS.iter().map(|(word, _)| *word);
            no_option(
                r,
                node,
                field,
                words.chain(titles.iter().map(String::as_str)),
            );
            None
        }
        FieldKind::Options(options) => {
            if let Some(option) = options.iter().find(|o| o.eq_ignore_ascii_case(text)) {
                if option != text {
                    capitals(r, node, text, option);
                }
                return Some(FieldTo::This(FieldValue::Option(option.clone())));
            }
            if looks_computed(text, names.schema) {
                let is_word = |ty: &Type| matches!(ty, Type::String | Type::Enum(_));
                return computed(r, node, field, names, Expect::Any, "a word", is_word);
            }
            no_option(r, node, field, options.iter().map(String::as_str));
            None
        }
    }
}

fn no_option<'o>(
    r: &mut Reader<'_>,
    node: &Node,
    field: &FieldRef,
    options: impl Iterator<Item = &'o str> + Clone,
) {
    let name = node.text().unwrap_or_default();
    let help = suggest(name, options.clone())
        .unwrap_or_else(|| format!("it has: {}", options.collect::<Vec<_>>().join(", ")));
    let message = format!(
        "the field `{}.{}` has no option for `{name}`",
        field.board, field.field
    );
    r.error_help("unknown-option", node, message, Some(help));
}

/// An expression of a type that the field can hold.
fn computed(
    r: &mut Reader<'_>,
    node: &Node,
    field: &FieldRef,
    names: &Names<'_>,
    expect: Expect<'_>,
    holds: &str,
    fits: impl Fn(&Type) -> bool,
) -> Option<FieldTo> {
    let program: Program = r.expression(node, names.schema, expect)?;
    if fits(program.ty()) {
        return Some(FieldTo::Computed(program));
    }
    let message = format!("`{}.{}` holds {holds}", field.board, field.field);
    r.error("field-kind", node, message);
    None
}
