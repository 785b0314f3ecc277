//! Why: one structure that `/why`, `northstar decide --explain` and the dashboard all show.
//!
//! *In:* a policy, a snapshot and what is asked. *Out:* an [`Explanation`], which reads as
//! [text](Explanation::text), as [Markdown](Explanation::markdown) or, serialised, as JSON.
//! *May call:* `policy`. Pure. Nothing of it is made while deciding: who asks has the item decided
//! once more and looked at leaf by leaf, so that deciding stays fast.

mod gather;
mod lines;
mod markdown;
mod text;

use jiff::Timestamp;
use serde::Serialize;

use crate::policy::expr::{Step, Value};
use crate::policy::model::Policy;

use super::attribute::AttributeValue;
use super::decision::Mode;
use super::ledger::Rank;
use super::snapshot::Snapshot;

/// Who will read the explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Somebody who may see everything.
    Internal,
    /// Anybody: attributes that the policy calls internal, and what was worked out from them, are
    /// left out.
    Public,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub about: About<'a>,
    pub audience: Audience,
}

/// What the question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About<'a> {
    /// The whole decision: the rules that took part in it.
    Decision,
    /// This rule, whether it fired or not.
    Rule(&'a str),
    /// All rules of this principle.
    Principle(&'a str),
    /// All rules that want something of this attribute.
    Attribute(&'a str),
}

impl<'a> About<'a> {
    /// What people mean by a name: a rule, else an attribute, else a principle of the policy.
    #[must_use]
    pub fn named(policy: &Policy, name: &'a str) -> Option<Self> {
        if policy.rules.contains_key(name) {
            Some(Self::Rule(name))
        } else if policy.attributes.contains_key(name) {
            Some(Self::Attribute(name))
        } else {
            let known = policy.principles.contains_key(name);
            known.then_some(Self::Principle(name))
        }
    }
}

/// A decision with its reasons, down to the facts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// `owner/repo#n`.
    pub item: String,
    /// The policy's; rules may have one of their own.
    pub mode: Mode,
    /// Attributes that have a value, or had one.
    pub decided: Vec<Decided>,
    pub rules: Vec<Told>,
    /// The first instant at which time alone may change the answer.
    pub look_again_at: Option<Timestamp>,
}

/// What became of one attribute.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decided {
    pub attribute: String,
    pub value: AttributeValue,
    /// What GitHub shows.
    pub was: AttributeValue,
    pub rank: Option<Rank>,
    /// The rule that asked for it, where one did.
    pub rule: Option<String>,
}

/// One rule, told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    pub rule: String,
    pub because: String,
    pub principle: String,
    pub statement: String,
    /// What the rule may do here; lower than its own where it builds on what is not written.
    pub mode: Mode,
    pub ended: Ended,
    /// `None`: the rule has no condition.
    pub when: Option<Part>,
    pub wants: Vec<Want>,
    /// What it wanted and did not get.
    pub refused: Vec<Refusal>,
    /// What it had held, and what goes now that its condition has ended.
    pub withdraws: Vec<String>,
    /// How people have the last word on what it wants.
    pub ways: Vec<Way>,
}

/// How a rule ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Its condition held, and it asked for something.
    Fired,
    /// Its condition held, and there was nothing to ask for: no row of its table, say.
    AskedNothing,
    DidNotHold,
}

/// One part of a condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// As it was written; `None` where it is not for everybody.
    pub text: Option<String>,
    pub step: Step,
    /// What it came to; `None` if it was not reached, the answer being settled before, or is not
    /// for everybody.
    pub result: Option<Value>,
    /// What a leaf looked at.
    pub facts: Vec<Seen>,
    pub parts: Vec<Part>,
}

impl Part {
    fn hidden() -> Self {
        Self {
            text: None,
            step: Step::Leaf,
            result: None,
            facts: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// Did it hold? `None` if it was not reached.
    #[must_use]
    pub fn held(&self) -> Option<bool> {
        self.result.as_ref().map(|r| *r == Value::Bool(true))
    }
}

/// A fact as a condition saw it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seen {
    /// `kind`, `form["Impact"]`.
    pub fact: String,
    /// Long texts and lists are cut.
    pub value: Value,
    /// Where an attribute's value comes from, in words.
    pub from: Option<String>,
    /// How a fact of the policy came to its value (told once for each condition).
    pub defined: Option<Part>,
}

/// Something a rule asks for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Want {
    /// An attribute, `milestone`, `label`, `no_label`, `comment`, `sticky`, `on_board`, a field as
    /// `board.Field`, or `archive`.
    pub what: String,
    /// The value, or the name; `None` if it comes from a table in which nothing applied.
    pub value: Option<String>,
    /// Rows of a table that were looked at, the one that gave the value last.
    pub rows: Vec<Row>,
    /// What a lookup looked up.
    pub by: Option<Part>,
}

/// One row of a first-match table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// `None`: the row for everything else.
    pub when: Option<Part>,
    /// This row gave the value.
    pub chosen: bool,
}

/// What a rule did not get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    pub what: String,
    pub would_set: AttributeValue,
    pub why: String,
}

/// A way for people to have the last word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    pub what: String,
    /// A command, as it is typed; `None` where it is done by hand.
    pub command: Option<String>,
    /// What happens then.
    pub effect: String,
    /// Roles of the policy; empty for whoever may do it on GitHub.
    pub who: Vec<String>,
}

/// Explains what the policy makes of an item. What the policy does not have is not told.
#[must_use]
pub fn explain(policy: &Policy, snapshot: &Snapshot, ask: Ask<'_>) -> Explanation {
    gather::gather(policy, snapshot, ask)
}
