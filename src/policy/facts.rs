//! The built-in facts: one table of names, types, meanings and sources.
//!
//! The checker's schema is filled from it, the decision reads snapshots by it, and the
//! documentation is made from it; so the three cannot disagree.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::triage::ledger;
use crate::triage::snapshot::{BoardRow, Snapshot};

use super::expr::{EnumId, Schema, Slot, Type, Value};
use super::form;
use super::model::{Goal, Policy};

/// One fact that every policy has.
pub struct BuiltIn {
    /// Dotted name. Those of boards begin with `board.`, and are there for each board as
    /// `boards.<id>.` too; `board` is the policy's first.
    pub path: &'static str,
    pub kind: Kind,
    /// Has to be guarded by `has` or `or`.
    pub may_be_absent: bool,
    /// What it says, for people.
    pub meaning: &'static str,
    /// Where it comes from, for people.
    pub source: &'static str,
    read: fn(&Look<'_>) -> Value,
}

/// A type, before the policy's vocabularies are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int,
    Double,
    Text,
    Time,
    Duration,
    Texts,
    /// Texts by name.
    Table,
    Roles,
    Goals,
    Communities,
    /// A value of the attribute `kind`; a text where the policy has none.
    WorkKind,
    /// A column of the board; a text where none are pinned.
    Column,
}

/// What a reading may look at.
pub struct Look<'a> {
    snapshot: &'a Snapshot,
    goals: &'a IndexMap<String, Goal>,
    form: &'a OnceCell<BTreeMap<String, String>>,
    row: Option<&'a BoardRow>,
    column_field: &'a str,
}

impl Look<'_> {
    fn form(&self) -> &BTreeMap<String, String> {
        self.form
            .get_or_init(|| form::answers(&self.snapshot.issue.body))
    }
}

/// A built-in fact that some expression of the policy reads.
pub struct Needed {
    pub slot: Slot,
    pub fact: &'static BuiltIn,
    /// For a fact of a board: which.
    pub board: Option<String>,
}

/// Enums of the policy's vocabularies.
pub struct Vocabularies {
    pub roles: EnumId,
    pub goals: EnumId,
    pub communities: EnumId,
    pub work_kind: Option<EnumId>,
}

const ISSUE: &str = "the issue on GitHub";
const BOARD: &str = "the item's row on the board";

macro_rules! fact {
    ($path:literal, $kind:ident, $meaning:literal, $source:expr, $read:expr) => {
        BuiltIn {
            path: $path,
            kind: Kind::$kind,
            may_be_absent: false,
            meaning: $meaning,
            source: $source,
            read: $read,
        }
    };
    ($path:literal, $kind:ident ?, $meaning:literal, $source:expr, $read:expr) => {
        BuiltIn {
            path: $path,
            kind: Kind::$kind,
            may_be_absent: true,
            meaning: $meaning,
            source: $source,
            read: $read,
        }
    };
}

/// The table.
pub const BUILT_IN: &[BuiltIn] = &[
    fact!("now", Time, "the instant of this look", "the clock", |l| {
        Value::Timestamp(l.snapshot.now)
    }),
    fact!("issue.number", Int, "its number", ISSUE, |l| int(l
        .snapshot
        .issue
        .number)),
    fact!("issue.title", Text, "its title", ISSUE, |l| text(
        &l.snapshot.issue.title
    )),
    fact!(
        "issue.body",
        Text,
        "its text, as Markdown",
        ISSUE,
        |l| text(&l.snapshot.issue.body)
    ),
    fact!(
        "issue.labels",
        Texts,
        "the names of its labels",
        ISSUE,
        |l| texts(&l.snapshot.issue.labels)
    ),
    fact!(
        "issue.milestone",
        Text,
        "the title of its milestone, empty without one",
        ISSUE,
        |l| text(&l.snapshot.issue.milestone)
    ),
    fact!("issue.open", Bool, "it is open", ISSUE, |l| Value::Bool(
        l.snapshot.issue.open
    )),
    fact!(
        "issue.state_reason",
        Text,
        "why it was closed: `completed`, `not_planned`, `duplicate`; empty while open",
        ISSUE,
        |l| text(&l.snapshot.issue.state_reason)
    ),
    fact!(
        "issue.type",
        Text,
        "the organisation's issue type, empty without one",
        ISSUE,
        |l| text(&l.snapshot.issue.issue_type)
    ),
    fact!("issue.created_at", Time, "when it was opened", ISSUE, |l| {
        Value::Timestamp(l.snapshot.issue.created_at)
    }),
    fact!(
        "issue.updated_at",
        Time,
        "when anything about it last changed",
        ISSUE,
        |l| Value::Timestamp(l.snapshot.issue.updated_at)
    ),
    fact!(
        "issue.closed_at",
        Time?,
        "when it was closed; absent while open",
        ISSUE,
        |l| l
            .snapshot
            .issue
            .closed_at
            .map_or(Value::Absent, Value::Timestamp)
    ),
    fact!(
        "issue.age",
        Duration,
        "how long ago it was opened",
        ISSUE,
        |l| Value::Duration(l.snapshot.now.duration_since(l.snapshot.issue.created_at))
    ),
    fact!(
        "issue.comments",
        Int,
        "how many comments it has; never a reason to hurry",
        ISSUE,
        |l| int(l.snapshot.issue.comments)
    ),
    fact!(
        "issue.reactions",
        Int,
        "how many reactions it has; never a reason to hurry",
        ISSUE,
        |l| int(l.snapshot.issue.reactions)
    ),
    fact!("issue.repository", Text, "`owner/name`", ISSUE, |l| text(
        &l.snapshot.issue.repository.to_string()
    )),
    fact!(
        "issue.private",
        Bool,
        "its repository is not public",
        ISSUE,
        |l| Value::Bool(l.snapshot.issue.private)
    ),
    fact!(
        "issue.parent",
        Text,
        "`owner/repo#n` of the parent issue, empty without one",
        ISSUE,
        |l| text(&l.snapshot.issue.parent)
    ),
    fact!(
        "issue.sub_issues",
        Int,
        "how many sub-issues it has",
        ISSUE,
        |l| int(l.snapshot.issue.sub_issues)
    ),
    fact!(
        "issue.assignees",
        Texts,
        "the logins it is assigned to",
        ISSUE,
        |l| texts(&l.snapshot.issue.assignees)
    ),
    fact!(
        "author.login",
        Text,
        "the login of who opened it",
        ISSUE,
        |l| text(&l.snapshot.author.login)
    ),
    fact!("author.bot", Bool, "a bot opened it", ISSUE, |l| {
        Value::Bool(l.snapshot.author.bot)
    }),
    fact!(
        "author.roles",
        Roles,
        "the roles of who opened it; asked as `author.is(\"member\")`",
        "teams and members of the organisation, by numeric id",
        |l| texts(&l.snapshot.author.roles)
    ),
    fact!(
        "confirmations",
        Roles,
        "the roles that confirmed it; asked as `confirmed_by(\"product_lead\")`",
        "reactions and commands",
        |l| texts(&l.snapshot.confirmed_by)
    ),
    fact!(
        "snoozed",
        Bool,
        "somebody put it out of the way, and that time is not over",
        "`/snooze`",
        |l| Value::Bool(ledger::snoozed(&l.snapshot.ledger, l.snapshot.now).is_some())
    ),
    fact!(
        "form",
        Table,
        "the answers of the issue form by heading: `form[\"Impact\"]`, empty where nobody answered",
        "headings in the issue's text",
        |l| Value::Map(Arc::new(
            l.form().iter().map(|(k, v)| (k.clone(), text(v))).collect()
        ))
    ),
    fact!(
        "communities",
        Communities,
        "the communities that asked for it",
        "labels, form, author and `/community`",
        |l| texts(&l.snapshot.communities)
    ),
    fact!(
        "demand.requests",
        Int,
        "how many requests are counted as this one, itself included",
        "duplicates",
        |l| int(l.snapshot.demand.requests)
    ),
    fact!(
        "demand.communities",
        Int,
        "how many different communities are behind them",
        "duplicates",
        |l| int(l.snapshot.demand.communities)
    ),
    fact!(
        "guess.kind",
        WorkKind,
        "the kind that earlier labelled issues suggest, empty while there is no guess",
        "the classifier",
        |l| text(l.snapshot.guess.as_ref().map_or("", |g| &g.kind))
    ),
    fact!(
        "guess.kind_confidence",
        Double,
        "how sure the guess is, 0.0 to 1.0; 0.0 while there is none",
        "the classifier",
        |l| Value::Double(l.snapshot.guess.as_ref().map_or(0.0, |g| g.kind_confidence))
    ),
    fact!(
        "goals.signalled",
        Goals,
        "the goals whose signals are found in title, text or form",
        "the policy's `goals:`",
        |l| texts(signalled(l))
    ),
    fact!(
        "board.present",
        Bool,
        "it has a row on the board",
        BOARD,
        |l| Value::Bool(l.row.is_some())
    ),
    fact!(
        "board.column",
        Column,
        "the column it is in, empty without one",
        BOARD,
        |l| text(
            &l.row
                .and_then(|r| field(r, l.column_field))
                .unwrap_or_default()
        )
    ),
    fact!(
        "board.entered_at",
        Time?,
        "when it came into its column; absent where unknown",
        BOARD,
        |l| l
            .row
            .and_then(|r| r.entered_at)
            .map_or(Value::Absent, Value::Timestamp)
    ),
    fact!(
        "board.came_from",
        Text,
        "the column it came from, empty where unknown",
        BOARD,
        |l| text(
            l.row
                .and_then(|r| r.came_from.as_deref())
                .unwrap_or_default()
        )
    ),
    fact!(
        "board.fields",
        Table,
        "the fields of its row by name: `board.fields[\"Estimate\"]`",
        BOARD,
        |l| Value::Map(Arc::new(
            l.row
                .map(|r| r
                    .fields
                    .iter()
                    .map(|(k, v)| (k.clone(), text(&v.text())))
                    .collect())
                .unwrap_or_default()
        ))
    ),
];

/// Facts that the decision itself works out, for the documentation and for "did you mean".
pub const DECIDED: &[(&str, &str)] = &[
    (
        "unaligned",
        "it serves no goal (no attribute with `values: goals` has a value)",
    ),
    (
        "<attribute>",
        "the attribute's effective value: what the item has after this decision",
    ),
    (
        "current.<attribute>",
        "what GitHub shows now, commands on their way included",
    ),
];

/// Does a built-in fact, or a family of them, have this name?
pub(crate) fn reserved(name: &str) -> bool {
    let built_in = BUILT_IN
        .iter()
        .any(|f| f.path.split('.').next() == Some(name));
    built_in
        || matches!(
            name,
            "current" | "boards" | "unaligned" | "confirmed_by" | "milestone"
        )
}

fn int(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn text(s: &str) -> Value {
    Value::Str(Arc::from(s))
}

fn texts<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> Value {
    Value::List(items.into_iter().map(|s| text(s.as_ref())).collect())
}

/// A field of a row, whatever the capitals of its name.
fn field(row: &BoardRow, name: &str) -> Option<String> {
    row.fields
        .get(name)
        .or_else(|| {
            row.fields
                .iter()
                .find(|(k, _)| k.eq_ignore_ascii_case(name))
                .map(|(_, v)| v)
        })
        .map(crate::triage::snapshot::FieldValue::text)
}

fn signalled(look: &Look<'_>) -> Vec<String> {
    let issue = &look.snapshot.issue;
    look.goals
        .values()
        .filter(|goal| {
            let of_its_issue =
                !goal.issue.is_empty() && goal.issue.eq_ignore_ascii_case(&issue.parent);
            of_its_issue
                || goal
                    .words
                    .as_ref()
                    .is_some_and(|w| w.is_match(&issue.title) || w.is_match(&issue.body))
                || goal.forms.iter().any(|(heading, answers)| {
                    look.form().get(heading).is_some_and(|given| {
                        given
                            .split([',', '\n'])
                            .any(|one| answers.iter().any(|a| a.eq_ignore_ascii_case(one.trim())))
                    })
                })
        })
        .map(|goal| goal.id.clone())
        .collect()
}

impl Kind {
    fn ty(self, v: &Vocabularies, column: Option<EnumId>) -> Type {
        let list = |t: Type| Type::List(Box::new(t));
        match self {
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Double => Type::Double,
            Self::Text => Type::String,
            Self::Time => Type::Timestamp,
            Self::Duration => Type::Duration,
            Self::Texts => list(Type::String),
            Self::Table => Type::Map(Box::new(Type::String)),
            Self::Roles => list(Type::Enum(v.roles)),
            Self::Goals => list(Type::Enum(v.goals)),
            Self::Communities => list(Type::Enum(v.communities)),
            Self::WorkKind => v.work_kind.map_or(Type::String, Type::Enum),
            Self::Column => column.map_or(Type::String, Type::Enum),
        }
    }
}

/// Declares the table in the schema; each slot with its fact and board.
pub(crate) fn declare(
    schema: &mut Schema,
    vocabularies: &Vocabularies,
    boards: &[(String, Option<EnumId>)],
) -> Vec<Needed> {
    let mut all = Vec::new();
    for fact in BUILT_IN {
        let rest = fact.path.strip_prefix("board.");
        let first = boards.first();
        if rest.is_some() && first.is_none() {
            continue; // no board, no facts about it
        }
        let column = first.and_then(|(_, column)| *column);
        let ty = fact.kind.ty(vocabularies, column);
        all.push(Needed {
            slot: schema.add_fact(fact.path, ty, fact.may_be_absent),
            fact,
            board: rest.and(first).map(|(id, _)| id.clone()),
        });
        if let Some(rest) = rest {
            for (id, column) in boards {
                let ty = fact.kind.ty(vocabularies, *column);
                let path = format!("boards.{id}.{rest}");
                all.push(Needed {
                    slot: schema.add_fact(&path, ty, fact.may_be_absent),
                    fact,
                    board: Some(id.clone()),
                });
            }
        }
    }
    for (call, path) in [
        ("author.is", "author.roles"),
        ("confirmed_by", "confirmations"),
    ] {
        if let Some(slot) = schema.slot(path) {
            schema.add_membership(call, slot);
        }
    }
    all
}

/// Reads from a snapshot what the policy's expressions need.
pub(crate) fn read<'p>(
    policy: &'p Policy,
    snapshot: &'p Snapshot,
) -> impl Iterator<Item = (Slot, Value)> + use<'p> {
    let form = OnceCell::new();
    policy.needed.iter().map(move |needed| {
        let board = needed.board.as_deref();
        let look = Look {
            snapshot,
            goals: &policy.goals,
            form: &form,
            row: board.and_then(|id| snapshot.boards.get(id)),
            column_field: board
                .and_then(|id| policy.boards.get(id))
                .map_or("", |b| &b.column_field),
        };
        (needed.slot, (needed.fact.read)(&look))
    })
}
