//! The decision: one pass over facts, rules and attributes, in the order the policy was given.
//!
//! The decision is what `enforce` would do. What each rule may really do is in the mode of its
//! [`Reason`]; [`plan`](super::plan) withholds what is not to be written. A rule that depends on a
//! value which itself is only observed or suggested is not written either: its mode is the lesser.

mod attribute;
mod board;
mod both;

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::expr::{Facts, Notes, Program, Slot, Value};
use crate::policy::facts;
use crate::policy::model::{Attribute, Given, Pick, Policy, Rule, Step};
use crate::policy::template::{code, collapsed};

use super::attribute::AttributeValue;
use super::decision::{Decision, Held, Mode, Reason, WantedComment};
use super::ledger::{self, MILESTONE, Rank, fold};
use super::projection;
use super::snapshot::Snapshot;
use super::waiting::waiting;

/// How often rules write the same value of an attribute, with no human act between, before they
/// stop: something undoes what they write, or they undo each other.
pub const FLAPPING: usize = 3;

/// The derived fact by which a policy says what is written first.
pub const CRITICAL: &str = "critical";

/// What one rule wants of one attribute.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub value: AttributeValue,
    pub hold: bool,
    /// Outranks humans: `enforce: true`.
    pub enforce: bool,
    pub overrides: Vec<String>,
    pub reason: Reason,
}

/// Decides one item. Pure: the same policy and snapshot give the same decision.
#[must_use]
pub fn decide(policy: &Policy, snapshot: &Snapshot) -> Decision {
    with_facts(policy, snapshot).0
}

/// The decision, and the facts that every condition saw. (A fact is complete before anything that
/// reads it is looked at, so at the end they still say what each rule was told.)
pub(super) fn with_facts(policy: &Policy, snapshot: &Snapshot) -> (Decision, Facts) {
    let mut pass = Pass {
        policy,
        snapshot,
        facts: Facts::new(&policy.schema),
        notes: Notes::default(),
        lesser: BTreeMap::new(),
        wanted: BTreeMap::new(),
        held_rules: BTreeMap::new(),
        asked: BTreeSet::new(),
        decision: Decision::default(),
    };
    for (slot, value) in facts::read(policy, snapshot) {
        pass.facts.set(slot, value);
    }
    let owned: Vec<_> = policy
        .attributes
        .values()
        .map(|a| {
            let own = fold(&snapshot.ledger, &a.id);
            let current = projection::current(a, snapshot, &own);
            // A command that has yet to reach GitHub counts as done: else it would be a second
            // change to rules, when it has.
            let (standing, _) = attribute::without_rules(policy, snapshot, &own, &current);
            pass.facts.set(a.current, fact_of(&standing));
            (own, current)
        })
        .collect();
    for step in &policy.order {
        match *step {
            Step::Fact(i) => pass.fact(i),
            Step::Rule(i) => pass.rule(i),
            Step::Unaligned => pass.unaligned(),
            Step::Attribute(i) => {
                if let (Some((_, attribute)), Some((own, current))) =
                    (policy.attributes.get_index(i), owned.get(i))
                {
                    pass.attribute(attribute, own, current);
                }
            }
        }
    }
    pass.effects();
    // The end of a snooze is a change that nothing else tells of.
    let ends_at = ledger::snoozed(&snapshot.ledger, snapshot.now);
    let waiting = waiting(policy, &snapshot.ledger, snapshot.issue.open, snapshot.now);
    let next = waiting.iter().filter_map(|waiting| waiting.next);
    let flips = pass.notes.flips_at.into_iter().chain(ends_at);
    pass.decision.look_again_at = flips.chain(next).min();
    (pass.decision, pass.facts)
}

/// The facts as they are once the decision is carried out, for whatever is asked after it: the
/// score, gates and caps.
pub(super) fn facts_after(policy: &Policy, snapshot: &Snapshot, decision: &Decision) -> Facts {
    let mut facts = Facts::new(&policy.schema);
    for (slot, value) in facts::read(policy, snapshot) {
        facts.set(slot, value);
    }
    for (id, outcome) in &decision.attributes {
        if let Some(attribute) = policy.attributes.get(id) {
            facts.set(attribute.slot, fact_of(&outcome.value));
            facts.set(attribute.current, fact_of(&outcome.current));
        }
    }
    if let Some(slot) = policy.unaligned {
        facts.set(slot, Value::Bool(is_unaligned(policy, decision)));
    }
    // In the order of the policy, which may name only facts above.
    let mut notes = Notes::default();
    for fact in &policy.facts {
        facts.derive(fact.slot, &fact.program, &mut notes);
    }
    facts
}

/// The facts that are there without an item: the time, and what the policy itself states.
pub(super) fn facts_of_nobody(policy: &Policy, now: jiff::Timestamp) -> Facts {
    let mut facts = Facts::new(&policy.schema);
    if let Some(slot) = policy.schema.slot("now") {
        facts.set(slot, Value::Timestamp(now));
    }
    let mut notes = Notes::default();
    for fact in &policy.facts {
        facts.derive(fact.slot, &fact.program, &mut notes);
    }
    facts
}

/// Does it serve none of the goals?
fn is_unaligned(policy: &Policy, decision: &Decision) -> bool {
    let mut goals = policy.attributes.values().filter(|a| a.of_goals);
    goals.all(|a| {
        let outcome = decision.attributes.get(&a.id);
        outcome.is_none_or(|o| o.value.is_empty())
    })
}

/// What is said where somebody or something insists on another value than a rule.
fn quarrel(held: &Held, has_command: bool) -> String {
    let name = code(&held.attribute);
    let wants = match held.would_set.to_string() {
        nothing if nothing.is_empty() => "nothing".to_owned(),
        value => code(&value),
    };
    let settle = if has_command {
        let command = code(&format!("/{} VALUE", held.attribute));
        format!("{command} in a comment, by somebody who may, settles it.")
    } else {
        "Somebody who may set it settles it.".to_owned()
    };
    format!(
        "I have set {name} {FLAPPING} times to what the rule {} asks for ({wants}), and each time \
         something set it back. I leave it alone now: going on would help nobody. {settle}",
        code(&held.reason.rule)
    )
}

struct Pass<'p> {
    policy: &'p Policy,
    snapshot: &'p Snapshot,
    facts: Facts,
    notes: Notes,
    /// Slots whose value is not what GitHub will show, because a rule behind it does not write.
    lesser: BTreeMap<Slot, Mode>,
    wanted: BTreeMap<&'p str, Vec<Wanted>>,
    /// Rules whose condition holds, with the reason they give.
    held_rules: BTreeMap<usize, Reason>,
    /// Of those, the rules that ask for something.
    asked: BTreeSet<usize>,
    decision: Decision,
}

fn fact_of(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::One(v) => Value::Str(v.as_str().into()),
        AttributeValue::Many(vs) => {
            Value::List(vs.iter().map(|v| Value::Str(v.as_str().into())).collect())
        }
    }
}

/// A computed value as one of the attribute's; what the attribute does not know is left out.
pub(super) fn value_of(attribute: &Attribute, value: &Value) -> AttributeValue {
    let known = |v: &Value| match v {
        Value::Str(s) => attribute.value(s).map(|v| v.id.clone()),
        _ => None,
    };
    match value {
        Value::List(items) => attribute.of(items.iter().filter_map(known)),
        one => attribute.of(known(one)),
    }
}

impl<'p> Pass<'p> {
    fn fact(&mut self, index: usize) {
        if let Some(fact) = self.policy.facts.get(index) {
            let mode = self.lesser_of(fact.program.reads());
            if mode < Mode::Enforce {
                self.lesser.insert(fact.slot, mode);
            }
            self.facts.derive(fact.slot, &fact.program, &mut self.notes);
            if fact.id == CRITICAL {
                self.decision.critical = matches!(self.facts.get(fact.slot), Value::Bool(true));
            }
        }
    }

    fn unaligned(&mut self) {
        let Some(slot) = self.policy.unaligned else {
            return;
        };
        let goals = self.policy.attributes.values().filter(|a| a.of_goals);
        let slots: Vec<Slot> = goals.map(|a| a.slot).collect();
        let mode = self.lesser_of(&slots);
        if mode < Mode::Enforce {
            self.lesser.insert(slot, mode);
        }
        let none = is_unaligned(self.policy, &self.decision);
        self.facts.set(slot, Value::Bool(none));
    }

    fn lesser_of(&self, reads: &[Slot]) -> Mode {
        reads
            .iter()
            .filter_map(|slot| self.lesser.get(slot).copied())
            .min()
            .unwrap_or(Mode::Enforce)
    }

    fn rule(&mut self, index: usize) {
        let Some((_, rule)) = self.policy.rules.get_index(index) else {
            return;
        };
        if let Some(when) = &rule.when
            && !when.holds(&self.facts, &mut self.notes)
        {
            return;
        }
        let mut reason = self.policy.reason_of(rule);
        for program in rule.programs() {
            reason.mode = reason.mode.min(self.lesser_of(program.reads()));
        }
        for wish in &rule.wishes {
            let Some(attribute) = self.policy.attributes.get(&wish.attribute) else {
                continue;
            };
            let Some(value) = self.pick(attribute, &wish.pick) else {
                continue;
            };
            if value.is_empty() && (wish.hold || attribute.many) {
                continue; // nothing is asked for
            }
            self.asked.insert(index);
            self.wanted.entry(&attribute.id).or_default().push(Wanted {
                value,
                hold: wish.hold,
                enforce: rule.enforce,
                overrides: rule.overrides.clone(),
                reason: reason.clone(),
            });
        }
        self.held_rules.insert(index, reason);
    }

    fn pick(&mut self, attribute: &Attribute, pick: &Pick) -> Option<AttributeValue> {
        match pick {
            Pick::One(given) => Some(self.given(attribute, given)),
            Pick::Rows(rows) => {
                for (when, given) in rows {
                    if when
                        .as_ref()
                        .is_none_or(|w| w.holds(&self.facts, &mut self.notes))
                    {
                        return Some(self.given(attribute, given));
                    }
                }
                None
            }
            Pick::Table { by, of, otherwise } => {
                let key = self.eval(by);
                match key {
                    Value::Str(key) => of.get(&*key).or(otherwise.as_ref()).cloned(),
                    _ => otherwise.clone(),
                }
            }
        }
    }

    fn given(&mut self, attribute: &Attribute, given: &Given) -> AttributeValue {
        match given {
            Given::Literal(value) => value.clone(),
            Given::Computed(program) => value_of(attribute, &self.eval(program)),
        }
    }

    fn eval(&mut self, program: &Program) -> Value {
        program.eval(&self.facts, &mut self.notes)
    }

    fn attribute(
        &mut self,
        attribute: &'p Attribute,
        own: &super::ledger::Ownership,
        current: &AttributeValue,
    ) {
        let wanted = self
            .wanted
            .remove(attribute.id.as_str())
            .unwrap_or_default();
        let settled =
            attribute::settle(self.policy, self.snapshot, attribute, own, current, wanted);
        let outcome = settled.outcome;
        let said = both::changed_at_once(self.policy, self.snapshot, attribute, &outcome);
        self.decision.comments.extend(said);
        self.facts.set(attribute.slot, fact_of(&outcome.value));
        if outcome.value != outcome.current
            && let Some(mode) = outcome.least_mode()
            && mode < Mode::Enforce
        {
            self.lesser.insert(attribute.slot, mode);
        }
        self.decision.needs_human |= settled.needs_human;
        self.decision.held.extend(settled.held);
        self.decision
            .attributes
            .insert(attribute.id.clone(), outcome);
    }

    /// Everything that is not an attribute, when all facts are known.
    fn effects(&mut self) {
        let held_rules = std::mem::take(&mut self.held_rules);
        let holding: Vec<(usize, &Rule, Reason)> = held_rules
            .into_iter()
            .filter_map(|(i, reason)| Some((i, self.policy.rules.get_index(i)?.1, reason)))
            .collect();
        for (index, rule, reason) in &holding {
            let asks = rule.clear_milestone && !self.snapshot.issue.milestone.is_empty()
                || !rule.labels.is_empty()
                || !rule.no_labels.is_empty()
                || rule.comment.is_some()
                || rule.sticky.is_some()
                || !rule.on_boards.is_empty()
                || !rule.fields.is_empty()
                || !rule.archive.is_empty();
            if asks || self.asked.contains(index) {
                self.decision.fired.push(reason.clone());
            }
            self.rows(rule, reason);
            self.fields(rule, reason, &holding);
            self.archive(rule, reason);
            self.milestone(rule, reason);
            self.labels(rule, reason, &holding);
            let keys = rule.comment.iter().map(|k| (k, false));
            for (key, sticky) in keys.chain(rule.sticky.iter().map(|k| (k, true))) {
                self.comment(key, sticky, reason);
            }
        }
        self.withdraw_labels();
        self.collapse_stickies();
        self.remind();
        self.give_way();
    }

    /// Something undoes what rules write: that is said once, and left to a person. Fields that show
    /// no attribute are the board's, which not everybody here need see.
    fn give_way(&mut self) {
        let held = std::mem::take(&mut self.decision.held);
        for held in &held {
            let known = self.policy.attributes.get(&held.attribute);
            let hidden = match known {
                Some(attribute) => attribute.internal && !self.snapshot.issue.private,
                None => held.attribute != MILESTONE,
            };
            let key = format!("quarrel-{}", held.attribute);
            let said = self.decision.comments.iter().any(|c| c.key == key);
            if held.why != attribute::FLAPS || hidden || said {
                continue;
            }
            self.decision.comments.push(WantedComment {
                key,
                sticky: false,
                collapsed: false,
                body: quarrel(held, known.is_some()),
                reason: held.reason.clone(),
            });
        }
        self.decision.held = held;
    }

    /// Of questions that the author has not answered.
    fn remind(&mut self) {
        let snapshot = self.snapshot;
        let open = snapshot.issue.open;
        for waiting in waiting(self.policy, &snapshot.ledger, open, snapshot.now) {
            if let Some((key, template, reason)) = waiting.reminder
                && let Some(body) = self.body(template)
            {
                self.decision.comments.push(WantedComment {
                    key,
                    sticky: false,
                    collapsed: false,
                    body,
                    reason,
                });
            }
        }
    }

    /// Somebody took the item off this board, and nobody has put it back.
    fn taken_off_board(&self, board: &str) -> bool {
        !self.snapshot.boards.contains_key(board)
            && fold(&self.snapshot.ledger, &ledger::on_board(board))
                .latest()
                .is_some_and(AttributeValue::is_empty)
    }

    fn milestone(&mut self, rule: &Rule, reason: &Reason) {
        let milestone = &self.snapshot.issue.milestone;
        if !rule.clear_milestone || milestone.is_empty() || self.decision.clear_milestone.is_some()
        {
            return;
        }
        let own = fold(&self.snapshot.ledger, MILESTONE);
        match attribute::refusal(self.policy, self.snapshot, &own, rule.enforce) {
            _ if own.written.len() >= FLAPPING => {
                self.decision.needs_human = true;
                self.hold_back(MILESTONE, attribute::FLAPS.to_owned(), reason);
            }
            Some(why) => self.hold_back(MILESTONE, why, reason),
            None => self.decision.clear_milestone = Some(reason.clone()),
        }
    }

    fn hold_back(&mut self, what: &str, why: String, reason: &Reason) {
        self.decision.held.push(Held {
            attribute: what.to_owned(),
            would_set: AttributeValue::One(String::new()),
            why,
            reason: reason.clone(),
        });
    }

    /// A rule gives way to those that hold, override it and say otherwise of a label.
    fn labels(&mut self, rule: &Rule, reason: &Reason, holding: &[(usize, &Rule, Reason)]) {
        for (labels, on) in [(&rule.labels, true), (&rule.no_labels, false)] {
            for label in labels {
                let gives_way = holding.iter().any(|(_, other, _)| {
                    let against = if on { &other.no_labels } else { &other.labels };
                    let goes_first = other.overrides.contains(&rule.id)
                        || other.enforce && !rule.enforce && !rule.overrides.contains(&other.id);
                    goes_first && against.iter().any(|l| l.eq_ignore_ascii_case(label))
                });
                if gives_way {
                    continue;
                }
                let shown = self.shows_label(label);
                if on && !shown && self.snapshot.held_labels.contains(label) {
                    // A rule had put it on, and somebody took it off: that stays so.
                    self.decision.held.push(Held {
                        attribute: format!("label {label}"),
                        would_set: AttributeValue::One(label.clone()),
                        why: "taken off by hand".to_owned(),
                        reason: reason.clone(),
                    });
                    continue;
                }
                match self.decision.labels.get(label) {
                    Some((wanted, other)) if *wanted != on => {
                        let why = format!("two rules disagree: {} and {}", other.rule, reason.rule);
                        self.decision.needs_human = true;
                        self.decision.held.push(Held {
                            attribute: format!("label {label}"),
                            would_set: AttributeValue::One(label.clone()),
                            why,
                            reason: reason.clone(),
                        });
                        // Neither is done: what is there stays.
                        let other = other.clone();
                        self.decision.labels.insert(label.clone(), (shown, other));
                    }
                    Some(_) => {}
                    None => {
                        self.decision
                            .labels
                            .insert(label.clone(), (on, reason.clone()));
                    }
                }
            }
        }
    }

    fn shows_label(&self, label: &str) -> bool {
        self.snapshot
            .issue
            .labels
            .iter()
            .any(|l| l.eq_ignore_ascii_case(label))
    }

    /// A label that a rule had put on goes when no rule asks for it any more.
    fn withdraw_labels(&mut self) {
        for label in &self.snapshot.held_labels {
            if self.decision.labels.contains_key(label) || !self.shows_label(label) {
                continue;
            }
            let rule = self
                .policy
                .rules
                .values()
                .find(|r| r.labels.contains(label));
            let reason = rule.map_or_else(
                || attribute::no_rule(self.policy, "no rule asks for this label any more"),
                |rule| self.policy.reason_of(rule),
            );
            self.decision.labels.insert(label.clone(), (false, reason));
        }
    }

    fn comment(&mut self, key: &str, sticky: bool, reason: &Reason) {
        if self.decision.comments.iter().any(|c| c.key == key) {
            return;
        }
        if let Some(body) = self.body(key) {
            self.decision.comments.push(WantedComment {
                key: key.to_owned(),
                sticky,
                collapsed: false,
                body,
                reason: reason.clone(),
            });
        }
    }

    fn body(&self, key: &str) -> Option<String> {
        let template = self.policy.templates.get(key)?;
        Some(template.render(|slot| in_words(self.facts.get(slot))))
    }

    /// Does something that the rule has set still stand? A rule that takes a milestone off thereby
    /// ends its own condition; what it says about that is as true as before.
    fn still_stands(&self, rule: &Rule) -> bool {
        let set = rule
            .wishes
            .iter()
            .filter(|w| !w.hold)
            .map(|w| w.attribute.as_str());
        let milestone = rule.clear_milestone.then_some(MILESTONE);
        set.chain(milestone).any(|target| {
            let own = fold(&self.snapshot.ledger, target);
            let ours = own
                .owner
                .as_ref()
                .is_some_and(|o| o.rank == Rank::Rule && o.cause == rule.id);
            ours && !own.disturbed
        })
    }

    fn collapse_stickies(&mut self) {
        for rule in self.policy.rules.values() {
            let Some(key) = &rule.sticky else { continue };
            let stands = self
                .snapshot
                .comments
                .get(key)
                .is_some_and(|c| !c.deleted && !c.collapsed);
            if !stands
                || self.decision.comments.iter().any(|c| &c.key == key)
                || self.still_stands(rule)
            {
                continue;
            }
            if let Some(body) = self.body(key) {
                self.decision.comments.push(WantedComment {
                    key: key.clone(),
                    sticky: true,
                    collapsed: true,
                    body: collapsed(&body),
                    reason: self.policy.reason_of(rule),
                });
            }
        }
    }
}

/// A value as it reads inside a sentence.
pub(super) fn in_words(value: &Value) -> String {
    match value {
        Value::Absent | Value::Map(_) => String::new(),
        Value::Bool(b) => if *b { "yes" } else { "no" }.to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Double(n) => n.to_string(),
        Value::Str(s) => s.to_string(),
        Value::List(items) => items.iter().map(in_words).collect::<Vec<_>>().join(", "),
        Value::Timestamp(t) => t.strftime("%Y-%m-%d").to_string(),
        Value::Duration(d) => format!("{} days", d.as_hours() / 24),
    }
}

/// Does somebody with the permission own it?
pub(super) fn is_human(rank: Option<Rank>) -> bool {
    rank >= Some(Rank::Person)
}
