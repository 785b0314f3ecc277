//! Roles, boards, goals, communities, attributes: the names that rules are written in.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use regex::RegexBuilder;

use crate::policy::diagnostic::suggest;
use crate::policy::expr::{Schema, Type};
use crate::policy::model::{
    Attribute, Board, Community, FieldKind, FieldRef, Goal, LabelPattern, Role, Value,
    loosely_equal,
};
use crate::policy::yaml::{Kind, Node};

use super::Reader;

/// Entries of one section, from all files: key (or id) and value.
pub type Entries<'n> = [(&'n Node, &'n Node)];

/// Compiled patterns of goals may take this many bytes each.
const PATTERN_SIZE: usize = 1 << 20;
/// GitHub's limit on a label's name, in characters.
const LABEL_LENGTH: usize = 50;

pub fn roles(r: &mut Reader<'_>, entries: &Entries<'_>) -> IndexMap<String, Role> {
    let mut out = IndexMap::new();
    for (key, node) in entries {
        let id = identifier(r, key);
        let Some(f) = r.fields(node, "a role", &["teams", "users", "organization"]) else {
            continue;
        };
        let role = Role {
            teams: r.strings(f.get("teams"), "`teams`"),
            users: r.strings(f.get("users"), "`users`"),
            organization: r.flag(f.get("organization"), "`organization`"),
            id: id.clone(),
        };
        if role.teams.is_empty() && role.users.is_empty() && !role.organization {
            r.warn(
                "empty-role",
                key,
                format!("nobody has the role `{id}`"),
                Some("name `teams:`, `users:`, or say `organization: true`".to_owned()),
            );
        }
        out.insert(id, role);
    }
    out
}

/// `pinned` are the `boards:` of the lock files, by board id.
pub fn boards(
    r: &mut Reader<'_>,
    entries: &Entries<'_>,
    pinned: &Entries<'_>,
) -> IndexMap<String, Board> {
    let mut out = IndexMap::new();
    for (key, node) in entries {
        let id = identifier(r, key);
        let Some(f) = r.fields(node, "a board", &["project", "column_field", "goals"]) else {
            continue;
        };
        let project = if let Some(n) = f.get("project") {
            r.number(n, "`project`").unwrap_or(0)
        } else {
            r.error(
                "missing-key",
                key,
                format!("the board `{id}` needs `project`, the number in its address"),
            );
            0
        };
        let column_field = f.get("column_field").map_or_else(
            || "Status".to_owned(),
            |n| r.string(Some(n), "`column_field`"),
        );
        let board = Board {
            id: id.clone(),
            project,
            column_field,
            goals: r.flag(f.get("goals"), "`goals`"),
            fields: IndexMap::new(),
        };
        out.insert(id, board);
    }
    for (key, node) in pinned {
        let ids: Vec<String> = out.keys().cloned().collect();
        let Some(id) = r.known(
            key,
            "unknown-board",
            "board",
            ids.iter().map(String::as_str),
        ) else {
            continue;
        };
        let fields = pinned_fields(r, node);
        if let Some(board) = out.get_mut(&id) {
            board.fields = fields;
            if let Some((name, _)) = board.field(&board.column_field)
                && name != board.column_field
            {
                capitals(r, key, &board.column_field, name);
            }
            if board.field(&board.column_field).is_none() {
                let known: Vec<&str> = board.fields.keys().map(String::as_str).collect();
                let help = suggest(&board.column_field, known.iter().copied());
                let message = format!(
                    "the column field `{}` is not pinned for the board `{id}`",
                    board.column_field
                );
                r.error_help("unknown-field", key, message, help);
            }
        }
    }
    out
}

fn pinned_fields(r: &mut Reader<'_>, node: &Node) -> IndexMap<String, FieldKind> {
    let mut out = IndexMap::new();
    let Some(f) = r.fields(node, "a pinned board", &["fields"]) else {
        return out;
    };
    let Some(entries) = f.get("fields").and_then(|n| r.map(n, "`fields`")) else {
        return out;
    };
    for (name, kind) in entries {
        let kind = if let Kind::List(_) = kind.kind {
            Some(FieldKind::Options(r.strings(Some(kind), "an option")))
        } else if let Kind::Map(_) = kind.kind {
            let f = r.fields(kind, "a field of iterations", &["iterations"]);
            let titles = f.map(|f| r.strings(f.get("iterations"), "an iteration"));
            titles.map(FieldKind::Iteration)
        } else {
            r.word(
                kind,
                "a field that is not a list of options",
                &[("text", 0), ("number", 1), ("date", 2), ("iteration", 3)],
            )
            .map(|n| match n {
                0 => FieldKind::Text,
                1 => FieldKind::Number,
                2 => FieldKind::Date,
                _ => FieldKind::Iteration(Vec::new()),
            })
        };
        if let (Some(kind), Some(name)) = (kind, name.text()) {
            out.insert(name.to_owned(), kind);
        }
    }
    out
}

/// `pinned` are the `goals:` of the lock files: those kept as items of a board. Where there are
/// any, the policy's own entries can only say more about them.
pub fn goals(
    r: &mut Reader<'_>,
    entries: &Entries<'_>,
    pinned: &Entries<'_>,
) -> IndexMap<String, Goal> {
    let mut out: IndexMap<String, Goal> = IndexMap::new();
    for (key, node) in pinned {
        let id = value_id(r, key);
        if let Some(f) = r.fields(node, "a pinned goal", &["id", "title", "item", "issue"]) {
            let title = f
                .get("title")
                .map_or_else(|| id.clone(), |n| r.string(Some(n), "`title`"));
            let goal = Goal {
                id: id.clone(),
                title,
                words: None,
                forms: BTreeMap::new(),
                issue: r.string(f.get("issue"), "`issue`"),
            };
            out.insert(id, goal);
        }
    }
    for (key, node) in entries {
        let id = value_id(r, key);
        if !pinned.is_empty() && !out.contains_key(&id) {
            let known: Vec<&str> = out.keys().map(String::as_str).collect();
            let help = suggest(&id, known.iter().copied())
                .unwrap_or_else(|| format!("pinned: {}", known.join(", ")));
            let message = format!("the goals are pinned, and `{id}` is not among them");
            r.error_help("unknown-goal", key, message, Some(help));
            continue;
        }
        let Some(f) = r.fields(node, "a goal", &["id", "title", "signals"]) else {
            continue;
        };
        let known = out.get(&id);
        let pinned_title = known.map_or_else(|| id.clone(), |g| g.title.clone());
        let issue = known.map(|g| g.issue.clone()).unwrap_or_default();
        let title = f
            .get("title")
            .map_or(pinned_title, |n| r.string(Some(n), "`title`"));
        let mut goal = Goal {
            id: id.clone(),
            title,
            words: None,
            forms: BTreeMap::new(),
            issue,
        };
        if let Some(signals) = f.get("signals")
            && let Some(f) = r.fields(signals, "`signals`", &["any_words", "forms"])
        {
            let words = f
                .get("any_words")
                .map(|n| r.texts(n, "a word"))
                .unwrap_or_default();
            goal.words = pattern_of(r, &words);
            if let Some(forms) = f.get("forms").and_then(|n| r.map(n, "`forms`")) {
                for (heading, answers) in forms {
                    goal.forms.insert(
                        heading.text().unwrap_or_default().to_owned(),
                        r.strings(Some(answers), "an answer"),
                    );
                }
            }
        }
        out.insert(id, goal);
    }
    out
}

/// One pattern for all words: whole words, whatever the capitals, `*` for any letters, any white
/// space between the words of a phrase.
fn pattern_of(r: &mut Reader<'_>, words: &[&Node]) -> Option<regex::Regex> {
    let first = *words.first()?;
    let mut alternatives = Vec::new();
    for node in words {
        let text = node.text().unwrap_or_default().trim();
        if text.chars().filter(|c| c.is_alphanumeric()).count() < 2 {
            r.error(
                "vague-signal",
                node,
                "a signal needs two letters at least, or it is found in everything",
            );
            continue;
        }
        // At either end `*` says only that no edge of a word is needed there.
        let phrase: Vec<String> = text
            .trim_matches('*')
            .split_whitespace()
            .map(|word| regex::escape(word).replace("\\*", "\\w*"))
            .collect();
        // `\b` belongs only beside a word character: `c++` ends without one.
        let edge = |c: Option<char>| {
            if c.is_some_and(char::is_alphanumeric) {
                "\\b"
            } else {
                ""
            }
        };
        let begin = edge(text.chars().next());
        let end = edge(text.chars().last());
        alternatives.push(format!("{begin}{}{end}", phrase.join("\\s+")));
    }
    match RegexBuilder::new(&alternatives.join("|"))
        .case_insensitive(true)
        .size_limit(PATTERN_SIZE)
        .build()
    {
        _ if alternatives.is_empty() => None,
        Ok(regex) => Some(regex),
        Err(e) => {
            r.error(
                "bad-pattern",
                first,
                format!("these words make no usable pattern: {e}"),
            );
            None
        }
    }
}

pub fn communities(r: &mut Reader<'_>, entries: &Entries<'_>) -> IndexMap<String, Community> {
    let mut out = IndexMap::new();
    for (key, node) in entries {
        let id = value_id(r, key);
        let Some(f) = r.fields(node, "a community", &["id", "name", "members", "tier"]) else {
            continue;
        };
        let community = Community {
            name: f
                .get("name")
                .map_or_else(|| id.clone(), |n| r.string(Some(n), "`name`")),
            members: r.strings(f.get("members"), "`members`"),
            tier: r.string(f.get("tier"), "`tier`"),
            id: id.clone(),
        };
        out.insert(id, community);
    }
    out
}

/// What may be said of a value.
const VALUE: &[&str] = &[
    "verb",
    "option",
    "remind_after",
    "remind_with",
    "ends_after",
    "ends_as",
];

/// What attributes may take their values from.
pub struct Sources<'a> {
    pub goals: &'a IndexMap<String, Goal>,
    pub communities: &'a IndexMap<String, Community>,
    pub boards: &'a IndexMap<String, Board>,
    pub goals_type: Type,
    pub communities_type: Type,
}

pub fn attributes(
    r: &mut Reader<'_>,
    entries: &Entries<'_>,
    from: &Sources<'_>,
    schema: &mut Schema,
) -> IndexMap<String, Attribute> {
    let mut out: IndexMap<String, Attribute> = IndexMap::new();
    for (key, node) in entries {
        let id = identifier(r, key);
        let Some(f) = r.fields(
            node,
            "an attribute",
            &["values", "many", "label", "field", "internal"],
        ) else {
            continue;
        };
        let many = r.flag(f.get("many"), "`many`");
        let (values, shared) = if let Some(n) = f.get("values") {
            values(r, n, from)
        } else {
            r.error(
                "missing-key",
                key,
                format!("the attribute `{id}` needs `values`"),
            );
            (Vec::new(), None)
        };
        let of_goals = shared.as_ref() == Some(&from.goals_type);
        let one = shared.unwrap_or_else(|| {
            Type::Enum(schema.add_enum(&id, values.iter().map(|v| v.id.clone())))
        });
        let ty = if many { Type::List(Box::new(one)) } else { one };
        let mut attribute = Attribute {
            many,
            internal: r.flag(f.get("internal"), "`internal`"),
            values,
            of_goals,
            label: f.get("label").and_then(|n| label(r, n)),
            fields: Vec::new(),
            slot: schema.add_fact(&id, ty.clone(), false),
            current: schema.add_fact(&format!("current.{id}"), ty, false),
            id: id.clone(),
        };
        if let Some(pattern) = &attribute.label
            && let Some(long) = attribute
                .values
                .iter()
                .map(|v| pattern.label(&v.id))
                .find(|l| l.chars().count() > LABEL_LENGTH)
            && let Some(n) = f.get("label")
        {
            r.error(
                "label-too-long",
                n,
                format!("`{long}` is longer than GitHub's {LABEL_LENGTH} characters for a label"),
            );
        }
        if let Some(n) = f.get("field") {
            for field in r.texts(n, "a field") {
                if let Some(field_ref) = field_ref(r, field, from.boards) {
                    check_options(r, field, &attribute, &field_ref);
                    attribute.fields.push(field_ref);
                }
            }
        }
        overlap(r, key, &out, &attribute);
        out.insert(id, attribute);
    }
    out
}

/// Two attributes that read the same label or field would each take it for theirs.
fn overlap(r: &mut Reader<'_>, key: &Node, earlier: &IndexMap<String, Attribute>, new: &Attribute) {
    for other in earlier.values() {
        if let (Some(a), Some(b)) = (&other.label, &new.label)
            && let Some(value) = new.values.iter().find(|v| {
                b.value(&b.label(&v.id)).is_some()
                    && a.value(&b.label(&v.id)).is_some_and(|inner| {
                        other
                            .values
                            .iter()
                            .any(|o| o.id.eq_ignore_ascii_case(inner))
                    })
            })
        {
            let label = b.label(&value.id);
            r.error(
                "shared-label",
                key,
                format!(
                    "the label `{label}` would belong to both `{}` and `{}`",
                    other.id, new.id
                ),
            );
        }
        for field in &new.fields {
            if other
                .fields
                .iter()
                .any(|f| f.board == field.board && f.field == field.field)
            {
                r.error(
                    "shared-field",
                    key,
                    format!(
                        "the field `{}.{}` would belong to both `{}` and `{}`",
                        field.board, field.field, other.id, new.id
                    ),
                );
            }
        }
    }
}

/// The values, and the type they share with a vocabulary where they are taken from one.
fn values(r: &mut Reader<'_>, node: &Node, from: &Sources<'_>) -> (Vec<Value>, Option<Type>) {
    let plain = |id: &str| Value {
        id: id.to_owned(),
        verb: None,
        option: None,
        waits: None,
    };
    match &node.kind {
        Kind::List(items) => {
            let mut out: Vec<Value> = Vec::new();
            for item in items {
                let id = value_id(r, item);
                if out.iter().any(|v| v.id == id) {
                    r.error("duplicate-value", item, format!("`{id}` is listed twice"));
                } else {
                    out.push(plain(&id));
                }
            }
            (out, None)
        }
        Kind::Map(entries) => {
            let mut out = Vec::new();
            for (key, node) in entries {
                let mut value = plain(&value_id(r, key));
                if !node.is_null()
                    && let Some(f) = r.fields(node, "a value", VALUE)
                {
                    value.verb = f.get("verb").map(|n| r.string(Some(n), "`verb`"));
                    value.option = f.get("option").map(|n| r.string(Some(n), "`option`"));
                }
                out.push(value);
            }
            (out, None)
        }
        Kind::Scalar { text, .. } => match text.as_str() {
            "goals" => (
                from.goals.keys().map(|k| plain(k)).collect(),
                Some(from.goals_type.clone()),
            ),
            "communities" => (
                from.communities.keys().map(|k| plain(k)).collect(),
                Some(from.communities_type.clone()),
            ),
            _ if text.contains('.') => {
                let Some(field) = field_ref(r, node, from.boards) else {
                    return (Vec::new(), None);
                };
                if let Some(FieldKind::Options(options)) = &field.kind {
                    return (options.iter().map(|o| plain(o)).collect(), None);
                }
                r.error_help(
                    "not-pinned",
                    node,
                    format!("the options of `{text}` are not known"),
                    Some(
                        "pin them in a `*.lock.yaml`: `northstar check --online --update`"
                            .to_owned(),
                    ),
                );
                (Vec::new(), None)
            }
            _ => {
                r.error_help(
                    "unknown-vocabulary",
                    node,
                    format!("`{text}` is not a list of values"),
                    Some("write a list, or `goals`, `communities`, or `board.Field`".to_owned()),
                );
                (Vec::new(), None)
            }
        },
    }
}

fn label(r: &mut Reader<'_>, node: &Node) -> Option<LabelPattern> {
    let text = r.text(node, "`label`")?;
    let mut halves = text.split("{value}");
    match (halves.next(), halves.next(), halves.next()) {
        (Some(before), Some(after), None) if !before.is_empty() || !after.is_empty() => {
            Some(LabelPattern {
                before: before.to_owned(),
                after: after.to_owned(),
            })
        }
        _ => {
            r.error_help(
                "label-pattern",
                node,
                "a label has `{value}` in it once, and something around it",
                Some("for example `kind/{value}`".to_owned()),
            );
            None
        }
    }
}

/// Reads `board.Field`.
pub(super) fn field_ref(
    r: &mut Reader<'_>,
    node: &Node,
    boards: &IndexMap<String, Board>,
) -> Option<FieldRef> {
    let text = r.text(node, "a field")?;
    let Some((id, field)) = text.split_once('.') else {
        r.error(
            "field-name",
            node,
            format!("`{text}` is not a field: write `board.Field`"),
        );
        return None;
    };
    let Some(board) = boards.get(id) else {
        let help = suggest(id, boards.keys().map(String::as_str));
        r.error_help(
            "unknown-board",
            node,
            format!("there is no board `{id}`"),
            help,
        );
        return None;
    };
    if board.fields.is_empty() {
        return Some(FieldRef {
            board: id.to_owned(),
            field: field.to_owned(),
            kind: None,
        });
    }
    let Some((name, kind)) = board.field(field) else {
        let help = suggest(field, board.fields.keys().map(String::as_str));
        r.error_help(
            "unknown-field",
            node,
            format!("the board `{id}` has no field `{field}`"),
            help,
        );
        return None;
    };
    if name != field {
        capitals(r, node, field, name);
    }
    Some(FieldRef {
        board: id.to_owned(),
        field: name.to_owned(),
        kind: Some(kind.clone()),
    })
}

pub(super) fn capitals(r: &mut Reader<'_>, node: &Node, written: &str, there: &str) {
    let message = format!("the board writes `{there}`, not `{written}`");
    r.warn("capitals", node, message, None);
}

fn check_options(r: &mut Reader<'_>, node: &Node, attribute: &Attribute, field: &FieldRef) {
    match &field.kind {
        Some(FieldKind::Options(_)) if attribute.many => r.error_help(
            "field-kind",
            node,
            format!(
                "`{}` has many values, and the field holds one",
                attribute.id
            ),
            Some("use a text field, or a label".to_owned()),
        ),
        Some(FieldKind::Options(options)) => {
            for value in &attribute.values {
                if let Some(option) = &value.option
                    && !options.contains(option)
                    && let Some(there) = options.iter().find(|o| o.eq_ignore_ascii_case(option))
                {
                    capitals(r, node, option, there);
                    continue;
                }
                let there = match &value.option {
                    Some(option) => options.contains(option),
                    None => options.iter().any(|o| loosely_equal(o, &value.id)),
                };
                if !there {
                    let name = value.option.as_deref().unwrap_or(&value.id);
                    let help = suggest(name, options.iter().map(String::as_str))
                        .unwrap_or_else(|| format!("it has: {}", options.join(", ")));
                    r.error_help(
                        "unknown-option",
                        node,
                        format!(
                            "the field `{}.{}` has no option for `{name}`",
                            field.board, field.field
                        ),
                        Some(help),
                    );
                }
            }
        }
        Some(FieldKind::Number | FieldKind::Date | FieldKind::Iteration(_)) => r.error(
            "field-kind",
            node,
            format!(
                "`{}.{}` holds no words, and `{}` does",
                field.board, field.field, attribute.id
            ),
        ),
        _ => {}
    }
}

/// A name that expressions and commands can use.
pub fn identifier(r: &mut Reader<'_>, node: &Node) -> String {
    let text = node.text().unwrap_or_default();
    let good = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !good {
        r.error(
            "bad-name",
            node,
            format!("`{text}` is not a name: small letters, digits and `_`"),
        );
    }
    text.to_owned()
}

/// A value's id: any text that fits into a label.
fn value_id(r: &mut Reader<'_>, node: &Node) -> String {
    let text = r.text(node, "a value").unwrap_or_default();
    if text == "none" {
        r.error(
            "bad-name",
            node,
            "`none` means no value, so no value can be called that",
        );
    }
    if text.contains(',') {
        r.error("bad-name", node, "a value has no comma in it");
    }
    text.to_owned()
}
