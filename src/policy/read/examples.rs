//! The policy's examples: from what is given, a snapshot.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use jiff::Timestamp;

use crate::ids::{RepoName, RepositoryId, UserId};
use crate::policy::diagnostic::{line_and_column, suggest};
use crate::policy::examples::{Example, Expected};
use crate::policy::form;
use crate::policy::model::{Attribute, Board, Community, FieldKind, Role, Rule};
use crate::policy::template::Template;
use crate::policy::yaml::Node;
use crate::triage::attribute::AttributeValue;
use crate::triage::ledger::{self, Act, LedgerEntry, Rank};
use crate::triage::snapshot::{BoardRow, Demand, FieldValue, Guess, Issue, Person, Snapshot};

use super::Reader;

/// The instant of examples that name none. Any would do.
const NOW: &str = "2026-01-15T12:00:00Z";

/// What examples may refer to.
pub struct Names<'a> {
    pub attributes: &'a IndexMap<String, Attribute>,
    pub boards: &'a IndexMap<String, Board>,
    pub roles: &'a IndexMap<String, Role>,
    pub communities: &'a IndexMap<String, Community>,
    pub rules: &'a IndexMap<String, Rule>,
    pub templates: &'a IndexMap<String, Template>,
}

/// An ordinary issue by somebody without any role, on no board, five minutes old.
pub fn ordinary() -> Snapshot {
    let now: Timestamp = NOW.parse().unwrap_or_default();
    let opened = now - jiff::SignedDuration::from_mins(5);
    Snapshot {
        now,
        repository_id: RepositoryId(1),
        issue: Issue {
            repository: RepoName {
                owner: "example-org".to_owned(),
                name: "infrastructure".to_owned(),
            },
            number: 1,
            title: String::new(),
            body: String::new(),
            labels: Vec::new(),
            milestone: String::new(),
            open: true,
            state_reason: String::new(),
            issue_type: String::new(),
            created_at: opened,
            updated_at: opened,
            closed_at: None,
            comments: 0,
            reactions: 0,
            private: false,
            parent: String::new(),
            sub_issues: 0,
            assignees: Vec::new(),
        },
        author: Person {
            id: UserId(1),
            login: "somebody".to_owned(),
            bot: false,
            roles: BTreeSet::new(),
        },
        confirmed_by: BTreeSet::new(),
        communities: BTreeSet::new(),
        demand: Demand {
            requests: 1,
            communities: 0,
        },
        guess: None,
        boards: BTreeMap::new(),
        ledger: Vec::new(),
        comments: BTreeMap::new(),
        answers: BTreeMap::new(),
        held_labels: BTreeSet::new(),
        iterations: BTreeMap::new(),
    }
}

pub fn read(r: &mut Reader<'_>, node: &Node, names: &Names<'_>) -> Option<Example> {
    let f = r.fields(node, "an example", &["name", "given", "expect"])?;
    let name = r.required(&f, "name", "an example");
    let before = r.findings.len();
    let mut given = ordinary();
    for (key, value) in f
        .get("given")
        .and_then(|n| r.map(n, "`given`"))
        .unwrap_or_default()
    {
        give(r, key, value, names, &mut given);
    }
    let mut expect = Expected::default();
    let Some(entries) = f.get("expect").and_then(|n| r.map(n, "`expect`")) else {
        r.error(
            "missing-key",
            node,
            "an example needs `expect`, or it proves nothing",
        );
        return None;
    };
    for (key, value) in entries {
        expectation(r, key, value, names, &mut expect);
    }
    let (line, _) = line_and_column(r.source(node.file), node.span.start);
    (r.findings.len() == before).then(|| Example {
        name,
        given,
        expect,
        file: r
            .sources
            .get(node.file)
            .map_or_else(String::new, |s| s.path.clone()),
        line,
    })
}

const GIVEN: &[&str] = &[
    "now",
    "issue.title",
    "issue.body",
    "issue.labels",
    "issue.milestone",
    "issue.open",
    "issue.state_reason",
    "issue.type",
    "issue.created_at",
    "issue.updated_at",
    "issue.closed_at",
    "issue.comments",
    "issue.reactions",
    "issue.repository",
    "issue.private",
    "issue.parent",
    "issue.sub_issues",
    "issue.assignees",
    "author.login",
    "author.bot",
    "author.roles",
    "form",
    "communities",
    "demand.requests",
    "demand.communities",
    "guess.kind",
    "guess.kind_confidence",
    "confirmed_by",
    "snoozed",
    "board.column",
    "board.fields",
];

fn give(r: &mut Reader<'_>, key: &Node, value: &Node, names: &Names<'_>, s: &mut Snapshot) {
    let path = key.text().unwrap_or_default();
    let what = format!("`{path}`");
    match path {
        "now" => instant(r, value).into_iter().for_each(|t| s.now = t),
        "issue.title" => s.issue.title = r.string(Some(value), &what),
        "issue.body" => s.issue.body = r.string(Some(value), &what),
        "issue.labels" => s.issue.labels = r.strings(Some(value), &what),
        "issue.milestone" => s.issue.milestone = r.string(Some(value), &what),
        "issue.open" => s.issue.open = r.flag(Some(value), &what),
        "issue.state_reason" => s.issue.state_reason = r.string(Some(value), &what),
        "issue.type" => s.issue.issue_type = r.string(Some(value), &what),
        "issue.created_at" => instant(r, value)
            .into_iter()
            .for_each(|t| s.issue.created_at = t),
        "issue.updated_at" => instant(r, value)
            .into_iter()
            .for_each(|t| s.issue.updated_at = t),
        "issue.closed_at" => s.issue.closed_at = instant(r, value),
        "issue.comments" => s.issue.comments = r.number(value, &what).unwrap_or(0),
        "issue.reactions" => s.issue.reactions = r.number(value, &what).unwrap_or(0),
        "issue.repository" => match value.text().and_then(RepoName::parse) {
            Some(name) => s.issue.repository = name,
            None => r.error("wrong-shape", value, "a repository is `owner/name`"),
        },
        "issue.private" => s.issue.private = r.flag(Some(value), &what),
        "issue.parent" => s.issue.parent = r.string(Some(value), &what),
        "issue.sub_issues" => s.issue.sub_issues = r.number(value, &what).unwrap_or(0),
        "issue.assignees" => s.issue.assignees = r.strings(Some(value), &what),
        "author.login" => s.author.login = r.string(Some(value), &what),
        "author.bot" => s.author.bot = r.flag(Some(value), &what),
        "author.roles" => s.author.roles = roles(r, value, names),
        "confirmed_by" => s.confirmed_by = roles(r, value, names),
        "snoozed" => {
            if r.flag(Some(value), &what) {
                s.ledger.push(snooze(s.now));
            }
        }
        "form" => {
            let answers: Vec<(&str, String)> = r
                .map(value, "`form`")
                .unwrap_or_default()
                .iter()
                .map(|(k, v)| {
                    (
                        k.text().unwrap_or_default(),
                        v.text().unwrap_or_default().to_owned(),
                    )
                })
                .collect();
            let form = form::render(answers.iter().map(|(k, v)| (*k, v.as_str())));
            let text = format!("{}\n\n{form}", s.issue.body);
            text.trim().clone_into(&mut s.issue.body);
        }
        "communities" => {
            let known = names.communities.keys().map(String::as_str);
            let given = r.all_known(Some(value), "unknown-community", "community", known);
            s.communities = given.into_iter().collect();
        }
        "demand.requests" => s.demand.requests = r.number(value, &what).unwrap_or(0),
        "demand.communities" => s.demand.communities = r.number(value, &what).unwrap_or(0),
        "guess.kind" => guess(s).kind = r.string(Some(value), &what),
        "guess.kind_confidence" => guess(s).kind_confidence = r.number(value, &what).unwrap_or(0.0),
        "board.column" => {
            let Some(board) = names.boards.values().next() else {
                return r.error("unknown-board", key, "this policy has no board");
            };
            let columns = board.columns().iter().map(String::as_str);
            if let Some(column) = r.known(value, "unknown-column", "column", columns) {
                field(s, board, &board.column_field, &column);
            }
        }
        "board.fields" => {
            let Some(board) = names.boards.values().next() else {
                return r.error("unknown-board", key, "this policy has no board");
            };
            for (name, text) in r.map(value, "`board.fields`").unwrap_or_default() {
                field(
                    s,
                    board,
                    name.text().unwrap_or_default(),
                    text.text().unwrap_or_default(),
                );
            }
            s.boards.entry(board.id.clone()).or_insert_with(row);
        }
        _ => given_attribute(r, key, value, names, s),
    }
}

/// Put out of the way, without an end that an example could reach.
fn snooze(at: Timestamp) -> LedgerEntry {
    LedgerEntry {
        attribute: ledger::SNOOZED.to_owned(),
        act: Act::Set,
        rank: Rank::Command,
        value: AttributeValue::One(ledger::SNOOZED.to_owned()),
        at,
        by: None,
        cause: "/snooze".to_owned(),
        reason: String::new(),
        told_in: None,
        until: Some(Timestamp::MAX),
        said_at: None,
    }
}

/// `kind: bug` was set by somebody who may; `current.kind: bug` was simply there.
fn given_attribute(
    r: &mut Reader<'_>,
    key: &Node,
    value: &Node,
    names: &Names<'_>,
    s: &mut Snapshot,
) {
    let path = key.text().unwrap_or_default();
    let (id, owned) = match path.strip_prefix("current.") {
        Some(id) => (id, false),
        None => (path, true),
    };
    let Some(attribute) = names.attributes.get(id) else {
        let known = GIVEN
            .iter()
            .copied()
            .chain(names.attributes.keys().map(String::as_str));
        let help = suggest(path, known);
        return r.error_help(
            "unknown-fact",
            key,
            format!("`{path}` cannot be given"),
            help,
        );
    };
    let Some(value) = attribute_value(r, value, attribute) else {
        return;
    };
    if let Some(pattern) = &attribute.label {
        s.issue
            .labels
            .extend(value.iter().map(|v| pattern.label(v)));
    }
    for field in &attribute.fields {
        if let Some(shown) = field.show(attribute, &value)
            && s.boards.contains_key(&field.board)
        {
            let row = s.boards.entry(field.board.clone()).or_insert_with(row);
            row.fields.insert(field.field.clone(), shown);
        } else if attribute.label.is_none()
            && let Some(shown) = field.show(attribute, &value)
        {
            // Shown on a board only, so it has to be on it.
            let row = s.boards.entry(field.board.clone()).or_insert_with(row);
            row.fields.insert(field.field.clone(), shown);
        }
    }
    if owned {
        s.ledger.push(LedgerEntry {
            attribute: id.to_owned(),
            act: Act::Set,
            rank: Rank::Person,
            value,
            at: s.issue.created_at,
            by: None,
            cause: "label".to_owned(),
            reason: String::new(),
            told_in: None,
            until: None,
            said_at: None,
        });
    }
}

fn attribute_value(
    r: &mut Reader<'_>,
    node: &Node,
    attribute: &Attribute,
) -> Option<AttributeValue> {
    if node.text().is_some_and(|t| t == "none" || t.is_empty()) {
        return Some(attribute.nothing());
    }
    if let crate::policy::yaml::Kind::List(items) = &node.kind
        && items.is_empty()
    {
        return Some(attribute.nothing());
    }
    let what = format!("value of `{}`:", attribute.id);
    let known = attribute.values.iter().map(|v| v.id.as_str());
    let ids = r.all_known(Some(node), "unknown-value", &what, known);
    (!ids.is_empty()).then(|| attribute.of(ids))
}

fn row() -> BoardRow {
    BoardRow {
        node_id: "example".to_owned(),
        ..BoardRow::default()
    }
}

fn field(s: &mut Snapshot, board: &Board, name: &str, text: &str) {
    let value = match board.field(name) {
        Some((_, FieldKind::Options(_))) | None => FieldValue::Option(text.to_owned()),
        Some(_) => FieldValue::Text(text.to_owned()),
    };
    let row = s.boards.entry(board.id.clone()).or_insert_with(row);
    row.fields.insert(name.to_owned(), value);
}

fn guess(s: &mut Snapshot) -> &mut Guess {
    s.guess.get_or_insert(Guess {
        kind: String::new(),
        kind_confidence: 0.0,
    })
}

fn roles(r: &mut Reader<'_>, node: &Node, names: &Names<'_>) -> BTreeSet<String> {
    let known = names.roles.keys().map(String::as_str);
    r.all_known(Some(node), "unknown-role", "role", known)
        .into_iter()
        .collect()
}

fn instant(r: &mut Reader<'_>, node: &Node) -> Option<Timestamp> {
    let instant = node.text().and_then(|t| t.parse().ok());
    if instant.is_none() {
        r.error(
            "bad-time",
            node,
            "an instant is written like `2026-01-15T12:00:00Z`",
        );
    }
    instant
}

const EXPECT: &[&str] = &[
    "fired",
    "not_fired",
    "labels",
    "no_labels",
    "comments",
    "on_board",
    "fields",
    "held",
    "milestone",
];

fn expectation(r: &mut Reader<'_>, key: &Node, value: &Node, names: &Names<'_>, e: &mut Expected) {
    let rules = || names.rules.keys().map(String::as_str);
    let path = key.text().unwrap_or_default();
    match path {
        "fired" => e.fired = r.all_known(Some(value), "unknown-rule", "rule", rules()),
        "not_fired" => e.not_fired = r.all_known(Some(value), "unknown-rule", "rule", rules()),
        "labels" => e.labels = r.strings(Some(value), "`labels`"),
        "no_labels" => e.no_labels = r.strings(Some(value), "`no_labels`"),
        "comments" => {
            let known = names.templates.keys().map(String::as_str);
            e.comments = Some(r.all_known(Some(value), "unknown-template", "template", known));
        }
        "on_board" => {
            let known = names.boards.keys().map(String::as_str);
            e.on_board = Some(r.all_known(Some(value), "unknown-board", "board", known));
        }
        "fields" => {
            for (name, text) in r.map(value, "`fields`").unwrap_or_default() {
                match name.text().and_then(|n| n.split_once('.')) {
                    Some((board, field)) => {
                        let place = (board.to_owned(), field.to_owned());
                        e.fields
                            .insert(place, text.text().unwrap_or_default().to_owned());
                    }
                    None => r.error("field-name", name, "a field is `board.Field`"),
                }
            }
        }
        "held" => e.held = r.strings(Some(value), "`held`"),
        "milestone" => {
            let text = r.string(Some(value), "`milestone`");
            e.milestone = Some(if text == "none" { String::new() } else { text });
        }
        _ => {
            let Some(attribute) = names.attributes.get(path) else {
                let known = EXPECT
                    .iter()
                    .copied()
                    .chain(names.attributes.keys().map(String::as_str));
                let help = suggest(path, known);
                return r.error_help(
                    "unknown-attribute",
                    key,
                    format!("`{path}` cannot be expected"),
                    help,
                );
            };
            if let Some(value) = attribute_value(r, value, attribute) {
                e.attributes.insert(path.to_owned(), value);
            }
        }
    }
}
