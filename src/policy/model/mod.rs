//! What a loaded policy consists of. Everything here has been checked: names refer to something.

mod attribute;
mod board;
mod rule;

pub use attribute::*;
pub use board::*;
pub use rule::*;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use jiff::Timestamp;
use regex::Regex;

use crate::ids::RepoName;
use crate::triage::decision::{Mode, Reason};

use crate::policy::diagnostic::Diagnostic;
use crate::policy::examples::Example;
use crate::policy::expr::{Program, Schema, Slot};
use crate::policy::facts::Needed;
use crate::policy::kpi::{Filter, Kpi};
use crate::policy::template::Template;

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
    /// Those of them that are items of a board, as they are pinned.
    pub pinned_goals: Vec<PinnedGoal>,
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
