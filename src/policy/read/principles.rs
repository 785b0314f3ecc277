//! Principles with their rules, gates and caps.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::policy::diagnostic::suggest;
use crate::policy::expr::{Expect, Schema, Type};
use crate::policy::model::{
    Allowance, Attribute, Board, Cap, Gate, Given, Pick, Principle, Role, Rule, Wish,
};
use crate::policy::template::Template;
use crate::policy::yaml::{Kind, Node};
use crate::triage::attribute::AttributeValue;
use crate::triage::decision::Mode;

use super::fields;
use super::limits::{caps, gate};
use super::vocabulary::Entries;
use super::{Fields, Reader};

/// What rules may refer to.
pub struct Names<'a> {
    pub schema: &'a Schema,
    pub attributes: &'a IndexMap<String, Attribute>,
    pub boards: &'a IndexMap<String, Board>,
    pub roles: &'a IndexMap<String, Role>,
    pub templates: &'a IndexMap<String, Template>,
}

/// What principles hold, each by its id.
#[derive(Default)]
pub struct Principles {
    pub by_id: IndexMap<String, Principle>,
    pub rules: IndexMap<String, Rule>,
    pub gates: IndexMap<String, Gate>,
    pub caps: IndexMap<String, Cap>,
    /// Where each rule's id stands, to place later complaints.
    pub places: IndexMap<String, Node>,
}

const MODES: &[(&str, Mode)] = &[
    ("observe", Mode::Observe),
    ("suggest", Mode::Suggest),
    ("enforce", Mode::Enforce),
];

pub fn mode(r: &mut Reader<'_>, node: Option<&Node>) -> Option<Mode> {
    node.and_then(|n| r.word(n, "`mode`", MODES))
}

pub fn read(r: &mut Reader<'_>, entries: &Entries<'_>, names: &Names<'_>) -> Principles {
    let mut out = Principles::default();
    for (key, node) in entries {
        let Some(f) = r.fields(
            node,
            "a principle",
            &[
                "id",
                "statement",
                "mode",
                "rules",
                "gates",
                "caps",
                "only",
                "never",
            ],
        ) else {
            continue;
        };
        let id = key.text().unwrap_or_default().to_owned();
        let principle = Principle {
            statement: r.required(&f, "statement", "a principle"),
            mode: mode(r, f.get("mode")),
            only: None,
            never: None,
            id: id.clone(),
        };
        out.by_id.insert(id.clone(), principle);
        for item in f
            .get("rules")
            .and_then(|n| r.list(n, "`rules`"))
            .unwrap_or_default()
        {
            if let Some(rule) = rule(r, item, &id, names)
                && let Some(place) = claim(r, item, &rule.id, &mut out.places)
            {
                out.places.insert(rule.id.clone(), place);
                out.rules.insert(rule.id.clone(), rule);
            }
        }
        for item in f
            .get("gates")
            .and_then(|n| r.list(n, "`gates`"))
            .unwrap_or_default()
        {
            if let Some(gate) = gate(r, item, &id, names)
                && let Some(place) = claim(r, item, &gate.id, &mut out.places)
            {
                out.places.insert(gate.id.clone(), place);
                out.gates.insert(gate.id.clone(), gate);
            }
        }
        for item in f
            .get("caps")
            .and_then(|n| r.list(n, "`caps`"))
            .unwrap_or_default()
        {
            for cap in caps(r, item, &id, names) {
                if let Some(place) = claim(r, item, &cap.id, &mut out.places) {
                    out.places.insert(cap.id.clone(), place);
                    out.caps.insert(cap.id.clone(), cap);
                }
            }
        }
    }
    allowances(r, entries, names, &mut out);
    let ids: Vec<String> = out.rules.keys().cloned().collect();
    let missing: Vec<(String, String)> = out
        .rules
        .values()
        .flat_map(|rule| rule.overrides.iter().map(|o| (rule.id.clone(), o.clone())))
        .filter(|(_, o)| !ids.contains(o))
        .collect();
    for (rule, other) in missing {
        if let Some(place) = out.places.get(&rule) {
            let help = suggest(&other, ids.iter().map(String::as_str));
            r.error_help(
                "unknown-rule",
                place,
                format!("`{rule}` overrides `{other}`, and there is no such rule"),
                help,
            );
        }
    }
    out
}

/// Rules, gates and caps share one space of ids; the second use of one names both places.
fn claim(
    r: &mut Reader<'_>,
    item: &Node,
    id: &str,
    places: &mut IndexMap<String, Node>,
) -> Option<Node> {
    let Kind::Map(entries) = &item.kind else {
        return None;
    };
    let place = entries
        .iter()
        .find(|(k, _)| k.text() == Some("id"))
        .map_or(item, |(_, v)| v);
    if let Some(first) = places.get(id) {
        let first = r.place(first);
        r.error(
            "duplicate-id",
            place,
            format!("`{id}` is already the id of what stands at {first}"),
        );
        return None;
    }
    Some(place.clone())
}

/// `only` and `never`, which may name gates and caps of other principles.
fn allowances(r: &mut Reader<'_>, entries: &Entries<'_>, names: &Names<'_>, out: &mut Principles) {
    for (key, node) in entries {
        let Kind::Map(fields) = &node.kind else {
            continue;
        };
        for what in ["only", "never"] {
            let Some((_, node)) = fields.iter().find(|(k, _)| k.text() == Some(what)) else {
                continue;
            };
            let said = allowance(r, node, what, names, out);
            if let Some(principle) = out.by_id.get_mut(key.text().unwrap_or_default()) {
                match what {
                    "only" => principle.only = said,
                    _ => principle.never = said,
                }
            }
        }
    }
}

fn allowance(
    r: &mut Reader<'_>,
    node: &Node,
    what: &str,
    names: &Names<'_>,
    all: &Principles,
) -> Option<Allowance> {
    let f = r.fields(node, &format!("`{what}`"), &["decide", "from"])?;
    for key in ["decide", "from"] {
        if f.get(key).is_none() {
            r.error("missing-key", node, format!("`{what}` needs `{key}`"));
        }
    }
    let decisions = names
        .attributes
        .keys()
        .chain(all.gates.keys())
        .chain(all.caps.keys())
        .chain(
            all.caps
                .values()
                .filter_map(|cap| Some(&cap.only.as_ref()?.of)),
        )
        .map(String::as_str)
        .chain(["milestone", "score"]);
    let decide = r.all_known(f.get("decide"), "unknown-attribute", "decision", decisions);
    // A fact, or the first parts of a family of them (`demand`, `board`).
    let mut known: Vec<String> = Vec::new();
    for slot in names.schema.slots() {
        let path = names.schema.path(slot);
        let parts: Vec<&str> = path.split('.').collect();
        known.extend((1..=parts.len()).map(|n| parts[..n].join(".")));
    }
    known.sort();
    known.dedup();
    let from = r.all_known(
        f.get("from"),
        "unknown-fact",
        "fact",
        known.iter().map(String::as_str),
    );
    Some(Allowance { decide, from })
}

const RULE_KEYS: &[&str] = &[
    "id",
    "when",
    "set",
    "hold",
    "choose",
    "label",
    "no_label",
    "comment",
    "sticky",
    "on_board",
    "fields",
    "archive",
    "overrides",
    "enforce",
    "mode",
    "because",
];

fn rule(r: &mut Reader<'_>, node: &Node, principle: &str, names: &Names<'_>) -> Option<Rule> {
    let before = r.findings.len();
    let f = r.fields(node, "a rule", RULE_KEYS)?;
    let mut rule = Rule {
        id: r.required(&f, "id", "a rule"),
        principle: principle.to_owned(),
        because: r.required(&f, "because", "a rule"),
        mode: mode(r, f.get("mode")),
        enforce: r.flag(f.get("enforce"), "`enforce`"),
        when: f
            .get("when")
            .and_then(|n| r.expression(n, names.schema, Expect::Bool)),
        overrides: r.strings(f.get("overrides"), "`overrides`"),
        wishes: Vec::new(),
        clear_milestone: false,
        labels: r.strings(f.get("label"), "`label`"),
        no_labels: r.strings(f.get("no_label"), "`no_label`"),
        comment: template(r, f.get("comment"), names),
        sticky: template(r, f.get("sticky"), names),
        on_boards: r.all_known(
            f.get("on_board"),
            "unknown-board",
            "board",
            names.boards.keys().map(String::as_str),
        ),
        fields: fields::fields(r, f.get("fields"), names),
        archive: r.all_known(
            f.get("archive"),
            "unknown-board",
            "board",
            names.boards.keys().map(String::as_str),
        ),
    };
    for (key, hold) in [("set", false), ("hold", true)] {
        for (target, value) in f
            .get(key)
            .and_then(|n| r.map(n, &format!("`{key}`")))
            .unwrap_or_default()
        {
            if target.text() == Some("milestone") {
                if hold || value.text() != Some("none") {
                    r.error("milestone", value, "a rule can only `set: { milestone: none }`: which milestone is right is for people to say");
                } else {
                    rule.clear_milestone = true;
                }
                continue;
            }
            if let Some(attribute) = target_of(r, target, names)
                && let Some(given) = given(r, value, attribute, names)
            {
                rule.wishes.push(Wish {
                    attribute: attribute.id.clone(),
                    hold,
                    pick: Pick::One(given),
                });
            }
        }
    }
    for (target, table) in f
        .get("choose")
        .and_then(|n| r.map(n, "`choose`"))
        .unwrap_or_default()
    {
        if let Some(attribute) = target_of(r, target, names)
            && let Some(pick) = pick(r, table, attribute, names)
        {
            rule.wishes.push(Wish {
                attribute: attribute.id.clone(),
                hold: false,
                pick,
            });
        }
    }
    labels_are_free(r, &f, names);
    check_targets(r, node, &rule, before);
    Some(rule)
}

/// `label:` is for labels outside attributes.
fn labels_are_free(r: &mut Reader<'_>, f: &Fields<'_>, names: &Names<'_>) {
    for key in ["label", "no_label"] {
        let nodes = f.get(key).map(|n| r.texts(n, key)).unwrap_or_default();
        for node in nodes {
            let label = node.text().unwrap_or_default();
            let owner = names.attributes.values().find(|a| {
                a.label
                    .as_ref()
                    .and_then(|p| p.value(label))
                    .is_some_and(|v| {
                        a.values
                            .iter()
                            .any(|known| known.id.eq_ignore_ascii_case(v))
                    })
            });
            if let Some(attribute) = owner {
                let message = format!("the label `{label}` shows the attribute `{}`", attribute.id);
                let help = Some(format!("use `set: {{ {}: … }}` or `hold:`", attribute.id));
                r.error_help("label-of-attribute", node, message, help);
            }
            if label.chars().count() > 50 {
                r.error(
                    "label-too-long",
                    node,
                    "GitHub's labels have at most 50 characters",
                );
            }
        }
    }
}

fn check_targets(r: &mut Reader<'_>, node: &Node, rule: &Rule, before: usize) {
    let asks = !rule.wishes.is_empty()
        || rule.clear_milestone
        || !rule.labels.is_empty()
        || !rule.no_labels.is_empty()
        || rule.comment.is_some()
        || rule.sticky.is_some()
        || !rule.on_boards.is_empty()
        || !rule.fields.is_empty()
        || !rule.archive.is_empty();
    // Where something was wrong, what it asks for could not be read.
    if !asks && r.findings.len() == before {
        r.warn(
            "idle-rule",
            node,
            format!("the rule `{}` asks for nothing", rule.id),
            Some("add `set:`, `hold:`, `choose:`, `comment:` or `on_board:`".to_owned()),
        );
    }
    for (i, wish) in rule.wishes.iter().enumerate() {
        let attribute = &wish.attribute;
        if rule.wishes[..i].iter().any(|w| &w.attribute == attribute) {
            r.error(
                "set-twice",
                node,
                format!("the rule `{}` writes `{attribute}` in two ways", rule.id),
            );
        }
    }
}

fn target_of<'a>(r: &mut Reader<'_>, node: &Node, names: &Names<'a>) -> Option<&'a Attribute> {
    let known = names.attributes.keys().map(String::as_str);
    let id = r.known(node, "unknown-attribute", "attribute", known)?;
    names.attributes.get(&id)
}

/// A literal value, `none`, or an expression.
fn given(
    r: &mut Reader<'_>,
    node: &Node,
    attribute: &Attribute,
    names: &Names<'_>,
) -> Option<Given> {
    if let Some(text) = node.text()
        && attribute.value(text).is_none()
        && text != "none"
        && looks_computed(text, names.schema)
    {
        let ty = names.schema.type_of(attribute.slot);
        return r
            .expression(node, names.schema, Expect::Type(ty))
            .map(Given::Computed);
    }
    literal(r, node, attribute).map(Given::Literal)
}

pub(super) fn looks_computed(text: &str, schema: &Schema) -> bool {
    text.contains(['(', '[', '"', '\'', '?', '.', ' ']) || schema.slot(text).is_some()
}

/// A value of the attribute, `none`, or for a many-valued one a list.
fn literal(r: &mut Reader<'_>, node: &Node, attribute: &Attribute) -> Option<AttributeValue> {
    if node.text() == Some("none") {
        if attribute.many {
            r.error("one-value", node, format!("`{}` has many values, and rules only add theirs: use `hold:`, which withdraws them", attribute.id));
            return None;
        }
        return Some(attribute.nothing());
    }
    let nodes = r.texts(node, "a value");
    if !attribute.many && nodes.len() != 1 {
        r.error(
            "one-value",
            node,
            format!("`{}` has one value, not a list", attribute.id),
        );
        return None;
    }
    let mut ids = Vec::new();
    for n in nodes {
        let text = n.text().unwrap_or_default();
        if attribute.value(text).is_some() {
            ids.push(text.to_owned());
        } else {
            let known = attribute.values.iter().map(|v| v.id.as_str());
            let help = suggest(text, known.clone())
                .unwrap_or_else(|| format!("it has: {}", known.collect::<Vec<_>>().join(", ")));
            r.error_help(
                "unknown-value",
                n,
                format!("`{}` has no value `{text}`", attribute.id),
                Some(help),
            );
            return None;
        }
    }
    Some(attribute.of(ids))
}

/// A first-match table, or a lookup `{ by: …, table: { … }, else: … }`.
fn pick(r: &mut Reader<'_>, node: &Node, attribute: &Attribute, names: &Names<'_>) -> Option<Pick> {
    if let Kind::Map(_) = node.kind {
        let f = r.fields(node, "a lookup", &["by", "table", "else"])?;
        let by = if let Some(n) = f.get("by") {
            r.expression(n, names.schema, Expect::Type(&Type::String))
        } else {
            r.error(
                "missing-key",
                node,
                "a lookup needs `by`, the text to look up",
            );
            None
        };
        let mut of = BTreeMap::new();
        for (key, value) in f
            .get("table")
            .and_then(|n| r.map(n, "`table`"))
            .unwrap_or_default()
        {
            if let (Some(key), Some(value)) = (key.text(), literal(r, value, attribute)) {
                of.insert(key.to_owned(), value);
            }
        }
        let otherwise = f.get("else").and_then(|n| literal(r, n, attribute));
        return Some(Pick::Table {
            by: by?,
            of,
            otherwise,
        });
    }
    let mut rows = Vec::new();
    let items = r.list(node, "`choose` is, for each attribute,")?;
    for (i, item) in items.iter().enumerate() {
        let Some(f) = r.fields(item, "a row", &["when", "value", "else"]) else {
            continue;
        };
        let value = match (f.get("when"), f.get("value"), f.get("else")) {
            (Some(_), Some(value), None) => value,
            (None, None, Some(value)) => {
                if i + 1 < items.len() {
                    r.error("else-not-last", item, "rows after `else` are never reached");
                }
                value
            }
            _ => {
                r.error(
                    "row-shape",
                    item,
                    "a row is `{ when: …, value: … }`, or, at the end, `{ else: … }`",
                );
                continue;
            }
        };
        let when = f
            .get("when")
            .map(|n| r.expression(n, names.schema, Expect::Bool));
        let value = given(r, value, attribute, names);
        if let (false, Some(value)) = (matches!(when, Some(None)), value) {
            rows.push((when.flatten(), value));
        }
    }
    Some(Pick::Rows(rows))
}

fn template(r: &mut Reader<'_>, node: Option<&Node>, names: &Names<'_>) -> Option<String> {
    let known = names.templates.keys().map(String::as_str);
    r.known(node?, "unknown-template", "template", known)
}
