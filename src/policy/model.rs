//! What a loaded policy consists of. Everything here has been checked: names refer to something.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use crate::ids::RepoName;
use crate::triage::attribute::AttributeValue;
use crate::triage::decision::{Mode, Reason};
use crate::triage::snapshot::FieldValue;

use super::diagnostic::Diagnostic;
use super::examples::Example;
use super::expr::{Program, Schema, Slot};
use super::facts::Needed;
use super::kpi::{Filter, Kpi};
use super::template::Template;

/// A checked policy, ready to decide by. Made by [`load`](super::load) only.
pub struct Policy {
    pub organization: String,
    /// For principles and rules that name none.
    pub mode: Mode,
    /// Since when this policy is in force, where the shell said so; see [`Policy::since`].
    pub took_effect: Option<Timestamp>,
    pub unauthorised: Unauthorised,
    pub roles: IndexMap<String, Role>,
    pub boards: IndexMap<String, Board>,
    pub goals: IndexMap<String, Goal>,
    pub communities: IndexMap<String, Community>,
    pub attributes: IndexMap<String, Attribute>,
    pub facts: Vec<Fact>,
    pub principles: IndexMap<String, Principle>,
    /// Of all principles, in the order of the policy.
    pub rules: IndexMap<String, Rule>,
    /// Decided for a whole board; see [`board`](crate::triage::board).
    pub gates: IndexMap<String, Gate>,
    /// Decided for a whole board; see [`board`](crate::triage::board).
    pub caps: IndexMap<String, Cap>,
    /// How candidates are ranked; see [`score`](crate::triage::score::score).
    pub score: IndexMap<String, Driver>,
    /// Which roles may say which command (attributes are commands too).
    pub commands: IndexMap<String, Vec<String>>,
    /// What the commands of [`SHORTHANDS`] set, by their name.
    pub shorthands: IndexMap<String, Shorthand>,
    /// What the organisation watches; computed by `insight`.
    pub kpis: IndexMap<String, Kpi>,
    /// Each with an id of its own.
    pub digests: Vec<Digest>,
    pub templates: IndexMap<String, Template>,
    pub examples: Vec<Example>,
    /// Findings that did not keep the policy from loading.
    pub warnings: Vec<Diagnostic>,
    pub(crate) schema: Schema,
    pub(crate) needed: Vec<Needed>,
    pub(crate) unaligned: Option<Slot>,
    pub(crate) order: Vec<Step>,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy")
            .field("organization", &self.organization)
            .field("mode", &self.mode)
            .field("attributes", &self.attributes.len())
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}

impl Policy {
    /// The same policy with another mode for all principles and rules that name none themselves
    /// (the setting `policy.mode`).
    #[must_use]
    pub fn with_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// The same policy, in force since then. Rules with `enforce: true` leave alone what a human
    /// set earlier; without this they outrank every hand change and command.
    #[must_use]
    pub fn since(mut self, at: Timestamp) -> Self {
        self.took_effect = Some(at);
        self
    }

    /// The mode of a rule: its own, else its principle's, else the policy's.
    #[must_use]
    pub fn mode_of(&self, rule: &Rule) -> Mode {
        rule.mode
            .or_else(|| self.principles.get(&rule.principle)?.mode)
            .unwrap_or(self.mode)
    }

    /// The rule as decisions, changes and people quote it.
    #[must_use]
    pub fn reason_of(&self, rule: &Rule) -> Reason {
        Reason {
            rule: rule.id.clone(),
            principle: rule.principle.clone(),
            because: rule.because.clone(),
            mode: self.mode_of(rule),
        }
    }

    /// Every text with facts in it: of comments and of fields.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Template> {
        let wishes = self.rules.values().flat_map(|rule| &rule.fields);
        let of_fields = wishes.filter_map(|wish| match &wish.to {
            FieldTo::Text(template) => Some(template),
            _ => None,
        });
        self.templates.values().chain(of_fields)
    }

    /// The board's field of that name, whatever its capitals, where a rule sets it besides the
    /// attributes.
    #[must_use]
    pub fn field_set(&self, board: &str, field: &str) -> Option<&FieldWish> {
        let mut wishes = self.rules.values().flat_map(|rule| &rule.fields);
        wishes.find(|wish| wish.board == board && wish.field.eq_ignore_ascii_case(field))
    }

    /// May one of these roles say this command (an attribute's name is one)?
    #[must_use]
    pub fn may(&self, command: &str, roles: &BTreeSet<String>) -> bool {
        self.commands
            .get(command)
            .is_some_and(|allowed| allowed.iter().any(|role| roles.contains(role)))
    }

    /// The templates that remind authors of a question.
    pub fn reminders(&self) -> impl Iterator<Item = &String> {
        let values = self.attributes.values().flat_map(|a| &a.values);
        let waits = values.filter_map(|value| value.waits.as_ref()?.remind.as_ref());
        waits.map(|(_, template)| template)
    }

    /// Facts that say something about an internal attribute: it, and what is worked out from it.
    #[must_use]
    pub fn internal_slots(&self) -> BTreeSet<Slot> {
        let internal = self.attributes.values().filter(|a| a.internal);
        let mut hidden: BTreeSet<Slot> = internal.flat_map(|a| [a.slot, a.current]).collect();
        if self.attributes.values().any(|a| a.internal && a.of_goals) {
            hidden.extend(self.unaligned);
        }
        for fact in &self.facts {
            if fact.program.reads().iter().any(|s| hidden.contains(s)) {
                hidden.insert(fact.slot);
            }
        }
        hidden
    }

    /// The facts, attributes and enums that expressions of this policy may use.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}

/// The commands that set what the policy says, several attributes at once.
pub const SHORTHANDS: [&str; 2] = ["promote", "park"];

/// What one command sets: the values of each attribute, none of them for no value. Of an attribute
/// that may have several, the values are added to what it has.
pub type Shorthand = IndexMap<String, Vec<String>>;

/// What becomes of a hand change by somebody whom `commands:` does not let make it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unauthorised {
    #[default]
    Keep,
    Revert,
}

/// Who has a role. The shell resolves it to users by numeric id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Role {
    pub id: String,
    /// Team slugs of the organisation.
    pub teams: Vec<String>,
    /// Logins.
    pub users: Vec<String>,
    /// Every member of the organisation has it.
    pub organization: bool,
}

/// A GitHub Project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    pub id: String,
    /// The number in the project's address.
    pub project: u64,
    /// The field whose options are the columns.
    pub column_field: String,
    /// Its items are the goals.
    pub goals: bool,
    /// As pinned in a `*.lock.yaml`; empty where nothing is pinned.
    pub fields: IndexMap<String, FieldKind>,
}

impl Board {
    /// A pinned field, whatever its capitals.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<(&str, &FieldKind)> {
        self.fields
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(n, kind)| (n.as_str(), kind))
    }

    /// The pinned columns; empty where nothing is pinned.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        match self.field(&self.column_field) {
            Some((_, FieldKind::Options(columns))) => columns,
            _ => &[],
        }
    }
}

/// What a board's field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// One of these options.
    Options(Vec<String>),
    Text,
    Number,
    Date,
    /// One of these iterations, the earliest first; empty where they are not pinned.
    Iteration(Vec<String>),
}

/// A strategic goal.
#[derive(Clone, Debug)]
pub struct Goal {
    pub id: String,
    pub title: String,
    /// Any of the words, as whole words, `*` standing for the rest of one; `None` without words.
    pub words: Option<Regex>,
    /// Answers of an issue form that say this goal, by heading.
    pub forms: BTreeMap<String, Vec<String>>,
    /// `owner/repo#n` of the issue that stands for it on the board of the goals; empty without
    /// one. Sub-issues of it serve the goal.
    pub issue: String,
}

/// Somebody who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Community {
    pub id: String,
    pub name: String,
    /// Logins.
    pub members: Vec<String>,
    pub tier: String,
}

/// A typed property of an item.
#[derive(Clone, Debug)]
pub struct Attribute {
    pub id: String,
    pub many: bool,
    /// Never to be shown in a public place.
    pub internal: bool,
    pub values: Vec<Value>,
    /// The values are the goals.
    pub of_goals: bool,
    pub label: Option<LabelPattern>,
    pub fields: Vec<FieldRef>,
    /// The fact with the effective value.
    pub(crate) slot: Slot,
    /// The fact with what GitHub shows.
    pub(crate) current: Slot,
}

impl Attribute {
    /// No value, in the attribute's shape.
    #[must_use]
    pub fn nothing(&self) -> AttributeValue {
        if self.many {
            AttributeValue::Many(BTreeSet::new())
        } else {
            AttributeValue::One(String::new())
        }
    }

    /// The values in the attribute's shape (of several for a single-valued one, the first).
    #[must_use]
    pub fn of<S: Into<String>>(&self, values: impl IntoIterator<Item = S>) -> AttributeValue {
        let mut values = values.into_iter().map(Into::into);
        if self.many {
            AttributeValue::Many(values.filter(|v: &String| !v.is_empty()).collect())
        } else {
            AttributeValue::One(values.next().unwrap_or_default())
        }
    }

    /// The declared value of that id.
    #[must_use]
    pub fn value(&self, id: &str) -> Option<&Value> {
        self.values.iter().find(|v| v.id == id)
    }

    /// Is this value a question to the author? Of the attribute `triage`, `needs-info` always is.
    #[must_use]
    pub fn asks_author(&self, value: &AttributeValue) -> bool {
        let AttributeValue::One(id) = value else {
            return false;
        };
        let by_name = self.id == "triage" && id == "needs-info";
        by_name || self.value(id).is_some_and(|v| v.waits.is_some())
    }

    /// The value that people mean by a word: its id or verb, whatever the capitals.
    #[must_use]
    pub fn value_said(&self, word: &str) -> Option<&Value> {
        self.values.iter().find(|v| {
            v.id.eq_ignore_ascii_case(word)
                || v.verb
                    .as_deref()
                    .is_some_and(|verb| verb.eq_ignore_ascii_case(word))
        })
    }
}

/// One value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    pub id: String,
    /// How it is said in a command (`accepted` is said `accept`).
    pub verb: Option<String>,
    /// The option's name on boards, where it is not the id in other capitals.
    pub option: Option<String>,
    /// With this value a question is put to the author, whose next comment ends it.
    pub waits: Option<Waits>,
}

/// What becomes of a question to the author while nobody answers. Both count from when it was put.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// After so long it is asked for once more: the key of the template.
    pub remind: Option<(SignedDuration, String)>,
    /// After so long it ends by itself, and this is the value then.
    pub end: Option<(SignedDuration, String)>,
}

/// `kind/{value}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelPattern {
    pub before: String,
    pub after: String,
}

impl LabelPattern {
    /// The label of a value.
    #[must_use]
    pub fn label(&self, value: &str) -> String {
        format!("{}{value}{}", self.before, self.after)
    }

    /// The value part of a label that has this shape (labels ignore capitals).
    #[must_use]
    pub fn value<'l>(&self, label: &'l str) -> Option<&'l str> {
        let inner = label
            .len()
            .checked_sub(self.before.len() + self.after.len())?;
        let middle = label.get(self.before.len()..self.before.len() + inner)?;
        let before = label.get(..self.before.len())?;
        let after = label.get(label.len() - self.after.len()..)?;
        (before.eq_ignore_ascii_case(&self.before) && after.eq_ignore_ascii_case(&self.after))
            .then_some(middle)
    }
}

/// A field of a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRef {
    pub board: String,
    /// As the board writes it, where pinned.
    pub field: String,
    /// `None` where nothing is pinned; then a single-select field is taken for granted.
    pub kind: Option<FieldKind>,
}

impl FieldRef {
    /// The value as the board shows it; `None` for no value.
    #[must_use]
    pub fn show(&self, attribute: &Attribute, value: &AttributeValue) -> Option<FieldValue> {
        if value.is_empty() {
            return None;
        }
        let name = |id: &str| {
            let option = attribute.value(id).and_then(|v| v.option.as_deref());
            let found = match (&self.kind, option) {
                (Some(FieldKind::Options(options)), Some(option)) => {
                    options.iter().find(|o| o.eq_ignore_ascii_case(option))
                }
                (Some(FieldKind::Options(options)), None) => {
                    options.iter().find(|o| loosely_equal(o, id))
                }
                _ => None,
            };
            found.map_or_else(|| option.unwrap_or(id).to_owned(), Clone::clone)
        };
        let text = value.iter().map(name).collect::<Vec<_>>().join(", ");
        Some(match self.kind {
            Some(FieldKind::Options(_)) | None => FieldValue::Option(text),
            Some(_) => FieldValue::Text(text),
        })
    }

    /// The values that the board's field says, those the attribute does not know left out.
    #[must_use]
    pub fn read(&self, attribute: &Attribute, shown: &FieldValue) -> AttributeValue {
        let text = shown.text();
        let known = |part: &str| {
            let part = part.trim();
            attribute
                .values
                .iter()
                .find(|v| {
                    v.option
                        .as_deref()
                        .is_some_and(|o| o.eq_ignore_ascii_case(part))
                })
                .or_else(|| attribute.values.iter().find(|v| loosely_equal(&v.id, part)))
                .map(|v| v.id.clone())
        };
        if attribute.many {
            attribute.of(text.split(',').filter_map(known))
        } else {
            attribute.of(known(&text))
        }
    }
}

/// The same but for capitals, blanks and punctuation: `new-hub` and `New hub`.
#[must_use]
pub fn loosely_equal(a: &str, b: &str) -> bool {
    let letters = |s: &str| {
        s.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    a.eq_ignore_ascii_case(b) || (!letters(a).is_empty() && letters(a) == letters(b))
}

/// A fact that the policy derives.
pub struct Fact {
    pub id: String,
    pub program: Program,
    pub(crate) slot: Slot,
}

/// A product principle.
#[derive(Clone, Debug)]
pub struct Principle {
    pub id: String,
    pub statement: String,
    pub mode: Option<Mode>,
    /// What the principle allows decisions to depend on. Proved by the lint.
    pub only: Option<Allowance>,
    /// What the principle forbids decisions to depend on. Proved by the lint.
    pub never: Option<Allowance>,
}

/// `{ decide: [priority], from: [impact] }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Attributes, `milestone`, `score`, and ids of gates and caps.
    pub decide: Vec<String>,
    /// Facts, attributes, or the first part of their dotted names (`demand`).
    pub from: Vec<String>,
}

/// A condition and what it wants.
pub struct Rule {
    pub id: String,
    pub principle: String,
    pub because: String,
    pub mode: Option<Mode>,
    /// Outranks everything but an override.
    pub enforce: bool,
    /// `None`: always.
    pub when: Option<Program>,
    /// Ids of rules that give way where both hold.
    pub overrides: Vec<String>,
    pub wishes: Vec<Wish>,
    /// `set: { milestone: none }`.
    pub clear_milestone: bool,
    pub labels: Vec<String>,
    pub no_labels: Vec<String>,
    /// Key of a template.
    pub comment: Option<String>,
    /// Key of a template.
    pub sticky: Option<String>,
    pub on_boards: Vec<String>,
    /// Fields of boards that show no attribute.
    pub fields: Vec<FieldWish>,
    /// Boards on which the item's row is archived.
    pub archive: Vec<String>,
}

impl Rule {
    /// Every expression in it.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.when
            .iter()
            .chain(self.wishes.iter().flat_map(|wish| wish.pick.programs()))
            .chain(self.fields.iter().filter_map(|wish| wish.to.program()))
    }
}

/// What a rule wants of a field that shows no attribute.
pub struct FieldWish {
    pub board: String,
    /// As the board writes it.
    pub field: String,
    pub to: FieldTo,
}

impl FieldWish {
    /// `board.Field`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.board, self.field)
    }
}

/// What a field is to hold.
pub enum FieldTo {
    /// It is emptied.
    Nothing,
    /// What is written in the policy.
    This(FieldValue),
    /// A text with facts in it.
    Text(Template),
    /// The name of an option, a number, or a day.
    Computed(Program),
    /// An iteration by where it stands in time.
    Iteration(Nearby),
}

impl FieldTo {
    fn program(&self) -> Option<&Program> {
        match self {
            Self::Computed(program) => Some(program),
            _ => None,
        }
    }

    /// Does it come to the same for every item?
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::This(a), Self::This(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a.parts == b.parts,
            (Self::Computed(a), Self::Computed(b)) => a.text() == b.text(),
            (Self::Iteration(a), Self::Iteration(b)) => a == b,
            _ => false,
        }
    }
}

/// An iteration, as seen from today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearby {
    Previous,
    Current,
    Next,
}

impl Nearby {
    /// GitHub's own words for them.
    pub const WORDS: [(&'static str, Self); 3] = [
        ("@previous", Self::Previous),
        ("@current", Self::Current),
        ("@next", Self::Next),
    ];

    /// GitHub's own word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Previous => "@previous",
            Self::Current => "@current",
            Self::Next => "@next",
        }
    }
}

impl Pick {
    /// Every expression in it.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        let (rows, one, by) = match self {
            Self::One(given) => (None, given.program(), None),
            Self::Rows(rows) => (Some(rows), None, None),
            Self::Table { by, .. } => (None, None, Some(by)),
        };
        rows.into_iter()
            .flatten()
            .flat_map(|(when, given)| when.iter().chain(given.program()))
            .chain(one)
            .chain(by)
    }
}

impl Given {
    fn program(&self) -> Option<&Program> {
        match self {
            Self::Computed(program) => Some(program),
            Self::Literal(_) => None,
        }
    }
}

/// What a rule wants of one attribute.
pub struct Wish {
    pub attribute: String,
    /// Withdrawn when no rule asks for it any more.
    pub hold: bool,
    pub pick: Pick,
}

/// Where the value comes from.
pub enum Pick {
    One(Given),
    /// The first row that holds; a row without a condition always does.
    Rows(Vec<(Option<Program>, Given)>),
    /// A lookup by a text; without an entry, `otherwise`.
    Table {
        by: Program,
        of: BTreeMap<String, AttributeValue>,
        otherwise: Option<AttributeValue>,
    },
}

/// A value, written down or computed.
pub enum Given {
    Literal(AttributeValue),
    Computed(Program),
}

/// A condition for entering columns.
pub struct Gate {
    pub id: String,
    pub principle: String,
    pub board: String,
    pub into: Vec<String>,
    pub requires: Program,
    pub otherwise: Over,
    pub because: String,
}

/// A limit on how many items may be in columns.
pub struct Cap {
    pub id: String,
    pub principle: String,
    pub board: String,
    pub columns: Vec<String>,
    pub at_most: Program,
    pub exempt: Option<Program>,
    pub over: Over,
    /// Roles whose own move over the cap is an override.
    pub by_hand: Vec<String>,
    pub next_by: Vec<OrderBy>,
    /// Move the next candidate when a place becomes free, rather than name it.
    pub pull: bool,
    pub because: String,
}

/// What happens to an entry that should not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Return,
    Warn,
}

/// `score desc`.
pub struct OrderBy {
    /// `None`: the score.
    pub by: Option<Program>,
    pub descending: bool,
}

/// One part of the score.
pub struct Driver {
    pub id: String,
    pub weight: f64,
    pub points: Program,
    pub internal: bool,
}

/// A weekly summary. It has an issue to be posted to, a repository for new issues, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    pub id: String,
    /// `monday 09:00`.
    pub every: String,
    pub timezone: String,
    /// The issue that it is posted to as a comment.
    pub post_to: Option<(RepoName, u64)>,
    /// The repository in which it is a new issue each week.
    pub new_issue: Option<RepoName>,
    /// It is about these items only.
    pub filter: Filter,
}

/// One step of a decision. The order is computed once, when the policy is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Fact(usize),
    /// Is there a rule's condition to look at?
    Rule(usize),
    Attribute(usize),
    /// The built-in fact `unaligned`, which needs the goals.
    Unaligned,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_ignore_capitals_and_keep_their_value() {
        let pattern = LabelPattern {
            before: "kind/".into(),
            after: String::new(),
        };
        assert_eq!(pattern.value("Kind/Feature"), Some("Feature"));
        assert_eq!(pattern.value("kin"), None);
        assert_eq!(pattern.value("ünd/x"), None);
        assert_eq!(pattern.label("bug"), "kind/bug");
    }

    #[test]
    fn names_drift_in_capitals_and_hyphens() {
        assert!(loosely_equal("new-hub", "New hub"));
        assert!(!loosely_equal("p1", "p2"));
        assert!(!loosely_equal("-", "!"));
    }
}
