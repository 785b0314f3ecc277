//! From a decision and the facts it saw to the structure that is told.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::policy::expr::{Facts, Notes, Program, Slot, Trace, Value};
use crate::policy::model::{Attribute, FieldTo, Given, Pick, Policy, Rule};

use super::super::attribute::AttributeValue;
use super::super::decide::{in_words as fact_in_words, value_of, with_facts};
use super::super::decision::{Decision, Reason};
use super::super::ledger::{MILESTONE, Rank};
use super::super::snapshot::Snapshot;
use super::{
    About, Ask, Audience, Decided, Ended, Explanation, Part, Refusal, Row, Seen, Told, Want, Way,
};

/// A text is cut here, in characters: an explanation is about an item, it does not repeat it.
const LONGEST_TEXT: usize = 200;
/// And a list here.
const LONGEST_LIST: usize = 20;
/// More values than this are not spelled out in a command.
const MOST_VALUES: usize = 8;

pub(super) fn gather(policy: &Policy, snapshot: &Snapshot, ask: Ask<'_>) -> Explanation {
    let (decision, facts) = with_facts(policy, snapshot);
    let teller = Teller {
        policy,
        snapshot,
        decision: &decision,
        facts: &facts,
        audience: ask.audience,
        hidden: match ask.audience {
            Audience::Internal => BTreeSet::new(),
            Audience::Public => policy.internal_slots(),
        },
    };
    let asked_for = |rule: &&Rule| match ask.about {
        About::Decision => teller.took_part(rule),
        About::Rule(id) => rule.id == id,
        About::Principle(id) => rule.principle == id,
        About::Attribute(id) => rule.wishes.iter().any(|w| w.attribute == id),
    };
    Explanation {
        item: format!("{}#{}", snapshot.issue.repository, snapshot.issue.number),
        mode: policy.mode,
        decided: teller.decided(ask.about),
        rules: policy
            .rules
            .values()
            .filter(asked_for)
            .filter_map(|rule| teller.rule(rule))
            .collect(),
        look_again_at: decision.look_again_at,
    }
}

struct Teller<'a> {
    policy: &'a Policy,
    snapshot: &'a Snapshot,
    decision: &'a Decision,
    facts: &'a Facts,
    audience: Audience,
    hidden: BTreeSet<Slot>,
}

impl Teller<'_> {
    fn fired(&self, rule: &str) -> Option<&Reason> {
        self.decision.fired.iter().find(|r| r.rule == rule)
    }

    /// It fired, something of it was held back, or what it held before goes.
    fn took_part(&self, rule: &Rule) -> bool {
        self.fired(&rule.id).is_some()
            || self.decision.held.iter().any(|h| h.reason.rule == rule.id)
            || !self.withdraws(rule).is_empty()
    }

    /// What goes because the rule does not hold any more.
    fn withdraws(&self, rule: &Rule) -> Vec<String> {
        if self.holds(rule) {
            return Vec::new();
        }
        let ours = |reason: Option<&Reason>| reason.is_some_and(|r| r.rule == rule.id);
        let attributes = self
            .decision
            .attributes
            .iter()
            .filter(|(id, o)| {
                !self.is_hidden(id) && o.value != o.current && ours(o.reason.as_ref())
            })
            .map(|(id, o)| format!("{id} {}", o.current));
        let labels = self
            .decision
            .labels
            .iter()
            .filter(|(_, (on, reason))| !on && ours(Some(reason)))
            .map(|(label, _)| format!("label {label}"));
        let stickies = self
            .decision
            .comments
            .iter()
            .filter(|c| c.collapsed && ours(Some(&c.reason)))
            .map(|c| format!("comment {}, folded away", c.key));
        attributes.chain(labels).chain(stickies).collect()
    }

    fn holds(&self, rule: &Rule) -> bool {
        rule.when
            .as_ref()
            .is_none_or(|w| w.holds(self.facts, &mut Notes::default()))
    }

    /// Is this attribute not for the audience?
    fn is_hidden(&self, attribute: &str) -> bool {
        self.audience == Audience::Public
            && self
                .policy
                .attributes
                .get(attribute)
                .is_some_and(|a| a.internal)
    }

    fn decided(&self, about: About<'_>) -> Vec<Decided> {
        let asked_for = |id: &str| match about {
            About::Attribute(asked) => id == asked,
            _ => true,
        };
        self.decision
            .attributes
            .iter()
            .filter(|(id, o)| {
                let nothing = o.value.is_empty() && o.current.is_empty();
                asked_for(id) && !self.is_hidden(id) && !nothing
            })
            .map(|(id, o)| Decided {
                attribute: id.clone(),
                value: o.value.clone(),
                was: o.current.clone(),
                rank: o.rank,
                rule: o
                    .reason
                    .as_ref()
                    .filter(|r| self.policy.rules.contains_key(&r.rule))
                    .map(|r| r.rule.clone()),
            })
            .collect()
    }

    /// `None` if the rule is about nothing but what the audience may not see.
    fn rule(&self, rule: &Rule) -> Option<Told> {
        let wants = self.wants(rule);
        if wants.is_empty() && !rule.wishes.is_empty() {
            return None;
        }
        let fired = self.fired(&rule.id);
        let principle = self.policy.principles.get(&rule.principle);
        Some(Told {
            rule: rule.id.clone(),
            because: rule.because.clone(),
            principle: rule.principle.clone(),
            statement: principle.map_or_else(String::new, |p| p.statement.clone()),
            mode: fired.map_or_else(|| self.policy.mode_of(rule), |r| r.mode),
            ended: match (fired, self.holds(rule)) {
                (Some(_), _) => Ended::Fired,
                (None, true) => Ended::AskedNothing,
                (None, false) => Ended::DidNotHold,
            },
            when: rule.when.as_ref().map(|w| self.condition(w)),
            wants,
            refused: self.refused(rule),
            withdraws: self.withdraws(rule),
            ways: self.ways(rule),
        })
    }

    fn refused(&self, rule: &Rule) -> Vec<Refusal> {
        self.decision
            .held
            .iter()
            .filter(|h| h.reason.rule == rule.id && !self.is_hidden(&h.attribute))
            .map(|h| Refusal {
                what: h.attribute.clone(),
                would_set: h.would_set.clone(),
                why: h.why.clone(),
            })
            .collect()
    }

    fn wants(&self, rule: &Rule) -> Vec<Want> {
        let plain = |what: &str, value: &str| Want {
            what: what.to_owned(),
            value: Some(value.to_owned()),
            rows: Vec::new(),
            by: None,
        };
        let mut out: Vec<Want> = rule
            .wishes
            .iter()
            .filter(|w| !self.is_hidden(&w.attribute))
            .filter_map(|w| {
                let attribute = self.policy.attributes.get(&w.attribute)?;
                Some(self.want(attribute, &w.pick))
            })
            .collect();
        if rule.clear_milestone {
            out.push(plain(MILESTONE, "none"));
        }
        out.extend(rule.labels.iter().map(|l| plain("label", l)));
        out.extend(rule.no_labels.iter().map(|l| plain("no_label", l)));
        out.extend(rule.comment.iter().map(|c| plain("comment", c)));
        out.extend(rule.sticky.iter().map(|c| plain("sticky", c)));
        out.extend(rule.on_boards.iter().map(|b| plain("on_board", b)));
        let fields = rule.fields.iter();
        out.extend(fields.map(|wish| plain(&wish.name(), &self.field_to(&wish.to))));
        out.extend(rule.archive.iter().map(|b| plain("archive", b)));
        out
    }

    fn field_to(&self, to: &FieldTo) -> String {
        match to {
            FieldTo::Nothing => "none".to_owned(),
            FieldTo::This(value) => value.text(),
            FieldTo::Text(template) => template.plain(|slot| fact_in_words(self.facts.get(slot))),
            FieldTo::Computed(program) => {
                let hides = program.reads().iter().any(|s| self.hidden.contains(s));
                if hides {
                    return "something internal".to_owned();
                }
                fact_in_words(&self.eval(program))
            }
            FieldTo::Iteration(which) => which.word().to_owned(),
        }
    }

    fn want(&self, attribute: &Attribute, pick: &Pick) -> Want {
        let mut want = Want {
            what: attribute.id.clone(),
            value: None,
            rows: Vec::new(),
            by: None,
        };
        match pick {
            Pick::One(given) => want.value = Some(self.given(attribute, given)),
            Pick::Rows(rows) => {
                for (when, given) in rows {
                    let part = when.as_ref().map(|w| self.condition(w));
                    let chosen = when
                        .as_ref()
                        .is_none_or(|w| w.holds(self.facts, &mut Notes::default()));
                    want.rows.push(Row { when: part, chosen });
                    if chosen {
                        want.value = Some(self.given(attribute, given));
                        break;
                    }
                }
            }
            Pick::Table { by, of, otherwise } => {
                want.by = Some(self.condition(by));
                let found = match self.eval(by) {
                    Value::Str(key) => of.get(&*key).or(otherwise.as_ref()).cloned(),
                    _ => otherwise.clone(),
                };
                want.value = found.map(|v| in_words(&v));
            }
        }
        want
    }

    fn given(&self, attribute: &Attribute, given: &Given) -> String {
        in_words(&match given {
            Given::Literal(value) => value.clone(),
            Given::Computed(program) => value_of(attribute, &self.eval(program)),
        })
    }

    fn eval(&self, program: &Program) -> Value {
        program.eval(self.facts, &mut Notes::default())
    }

    fn condition(&self, program: &Program) -> Part {
        self.part(program.trace(self.facts), &mut BTreeSet::new())
    }

    /// `told` are the derived facts whose definition stands in this condition already.
    fn part(&self, trace: Trace, told: &mut BTreeSet<Slot>) -> Part {
        let hides = trace.reads.iter().any(|s| self.hidden.contains(s));
        if trace.parts.is_empty() && hides {
            return Part::hidden();
        }
        Part {
            text: (!hides).then(|| squeezed(&trace.text)),
            step: trace.step,
            result: trace.result.filter(|_| !hides).map(cut),
            facts: trace
                .looked_at
                .into_iter()
                .map(|seen| Seen {
                    from: seen.slot.and_then(|slot| self.origin(slot)),
                    defined: seen.slot.and_then(|slot| self.definition(slot, told)),
                    // A call such as `author.is("member")` looked at the roles.
                    fact: seen.slot.map_or_else(
                        || squeezed(&seen.text),
                        |slot| self.policy.schema.path(slot).to_owned(),
                    ),
                    value: cut(seen.value),
                })
                .collect(),
            parts: trace
                .parts
                .into_iter()
                .map(|part| self.part(part, told))
                .collect(),
        }
    }

    fn definition(&self, slot: Slot, told: &mut BTreeSet<Slot>) -> Option<Part> {
        let fact = self.policy.facts.iter().find(|f| f.slot == slot)?;
        told.insert(slot)
            .then(|| self.part(fact.program.trace(self.facts), told))
    }

    /// Where the value of an attribute comes from.
    fn origin(&self, slot: Slot) -> Option<String> {
        let attribute = self.policy.attributes.values().find(|a| a.slot == slot)?;
        let outcome = self.decision.attributes.get(&attribute.id)?;
        let words = match (outcome.rank?, &outcome.reason) {
            (Rank::Rule, Some(reason)) => format!("rule {}", reason.rule),
            (Rank::Rule, None) => "a rule".to_owned(),
            (Rank::Ambient, _) => "was there".to_owned(),
            (Rank::Person, _) => "set by hand".to_owned(),
            (Rank::Command, _) => "set by a command".to_owned(),
            (Rank::Override, _) => "an override".to_owned(),
        };
        Some(words)
    }

    fn ways(&self, rule: &Rule) -> Vec<Way> {
        let roles = |command: &str| {
            let roles = self.policy.commands.get(command);
            roles.cloned().filter(|r: &Vec<String>| !r.is_empty())
        };
        let mut out = Vec::new();
        for wish in &rule.wishes {
            let Some(attribute) = self.policy.attributes.get(&wish.attribute) else {
                continue;
            };
            if self.is_hidden(&attribute.id) || rule.enforce {
                continue;
            }
            if let Some(who) = roles(&attribute.id) {
                out.push(Way {
                    what: attribute.id.clone(),
                    command: Some(command_of(attribute)),
                    effect: "is kept, like a change by hand".to_owned(),
                    who: who.clone(),
                });
                let humans = self.decision.attributes.get(&attribute.id);
                if humans.is_some_and(|o| o.rank >= Some(Rank::Person)) {
                    out.push(Way {
                        what: attribute.id.clone(),
                        command: Some(format!("/release {}", attribute.id)),
                        effect: "hands it back to the rules".to_owned(),
                        who: roles("release").unwrap_or(who),
                    });
                }
            }
        }
        if rule.enforce
            && let Some(who) = roles("override")
        {
            out.push(Way {
                what: rule.principle.clone(),
                command: Some(format!("/override {} [until DATE] REASON", rule.principle)),
                effect: "outranks an enforced rule, until it is released".to_owned(),
                who,
            });
        }
        for label in &rule.labels {
            out.push(Way {
                what: format!("label {label}"),
                command: None,
                effect: "taken off by hand it stays off".to_owned(),
                who: Vec::new(),
            });
        }
        for key in rule.comment.iter().chain(&rule.sticky) {
            let there = self.snapshot.comments.get(key);
            if there.is_none_or(|c| !c.deleted) {
                out.push(Way {
                    what: format!("comment {key}"),
                    command: None,
                    effect: "deleted it does not come back".to_owned(),
                    who: Vec::new(),
                });
            }
        }
        out
    }
}

/// `/triage needs-info|accept|defer`.
fn command_of(attribute: &Attribute) -> String {
    let words: Vec<&str> = attribute
        .values
        .iter()
        .map(|v| v.verb.as_deref().unwrap_or(&v.id))
        .collect();
    if words.is_empty() || words.len() > MOST_VALUES {
        return format!("/{} VALUE", attribute.id);
    }
    format!("/{} {}", attribute.id, words.join("|"))
}

fn in_words(value: &AttributeValue) -> String {
    if value.is_empty() {
        return "none".to_owned();
    }
    value.to_string()
}

/// On one line, white space as single blanks.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// No longer than can be read.
fn cut(value: Value) -> Value {
    match value {
        Value::Str(text) => match text.char_indices().nth(LONGEST_TEXT) {
            Some((end, _)) => Value::str(&format!("{}…", &text[..end])),
            None => Value::Str(text),
        },
        Value::List(items) => {
            let more = (items.len() > LONGEST_LIST).then(|| Value::str("…"));
            let some = items.iter().take(LONGEST_LIST).cloned().map(cut);
            Value::List(some.chain(more).collect())
        }
        Value::Map(entries) => {
            let some = entries.iter().take(LONGEST_LIST);
            Value::Map(Arc::new(
                some.map(|(k, v)| (k.clone(), cut(v.clone()))).collect(),
            ))
        }
        other => other,
    }
}
