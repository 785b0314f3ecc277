//! One attribute: what it is after this decision, given its owner and what rules want.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::model::{Attribute, Policy, Unauthorised};

use super::super::attribute::AttributeValue;
use super::super::decision::{Held, Mode, Outcome, Reason};
use super::super::ledger::{Act, Ownership, Rank};
use super::super::snapshot::Snapshot;
use super::{FLAPPING, Wanted, is_human};

/// Said when rules and something else write in turns.
pub(super) const FLAPS: &str = "rules have written this several times and something undoes it";
/// Said of a change by hand that another, which was made before it, has overtaken.
const LATER: &str = "of two changes by hand the later counts";
/// Said of a change by hand that a rule wrote over before it was told.
const KNOWN_TOO_LATE: &str = "it was changed by hand before a rule wrote over it";
const NOT_ASKED: &str = "no rule asks for this any more";
pub(super) const KEPT: &str = "changed by hand by somebody who may not set it, and kept";

pub(super) struct Settled {
    pub outcome: Outcome,
    pub held: Vec<Held>,
    pub needs_human: bool,
}

/// A change that no rule asks for.
pub(super) fn no_rule(policy: &Policy, because: &str) -> Reason {
    Reason {
        rule: String::new(),
        principle: String::new(),
        because: because.to_owned(),
        mode: policy.mode,
    }
}

/// Why a rule may not write here, if it may not.
pub(super) fn refusal(
    policy: &Policy,
    snapshot: &Snapshot,
    own: &Ownership,
    enforce: bool,
) -> Option<String> {
    let rank = own.rank();
    if rank == Some(Rank::Override) {
        return Some("overridden until it is released".to_owned());
    }
    if enforce {
        // What was there before the policy took effect stays.
        let since = own
            .owner
            .as_ref()
            .map_or(snapshot.issue.created_at, |o| o.at);
        return policy
            .took_effect
            .is_some_and(|effect| since < effect)
            .then(|| "was there before this rule took effect".to_owned());
    }
    match rank {
        Some(Rank::Command) => Some("set by a command".to_owned()),
        Some(Rank::Person) => Some("set by a human".to_owned()),
        _ => None,
    }
}

pub(super) fn settle(
    policy: &Policy,
    snapshot: &Snapshot,
    attribute: &Attribute,
    own: &Ownership,
    current: &AttributeValue,
    wanted: Vec<Wanted>,
) -> Settled {
    let (base, reason) = without_rules(policy, snapshot, own, current);
    let rank = match own.rank() {
        Some(rank) if rank > Rank::Ambient => Some(rank),
        _ => (!current.is_empty()).then_some(Rank::Ambient),
    };
    let mut it = Settling {
        policy,
        snapshot,
        attribute,
        own,
        settled: Settled {
            outcome: Outcome {
                value: base,
                current: current.clone(),
                rank,
                reason,
                hold: false,
                held: attribute.nothing(),
                by: BTreeMap::new(),
            },
            held: Vec::new(),
            needs_human: false,
        },
    };
    if attribute.many {
        it.many(wanted);
    } else {
        it.single(wanted);
    }
    it.settled
}

/// The value if no rule asked for anything, and the reason where it is not what GitHub shows.
pub(super) fn without_rules(
    policy: &Policy,
    snapshot: &Snapshot,
    own: &Ownership,
    current: &AttributeValue,
) -> (AttributeValue, Option<Reason>) {
    if let Some(owner) = &own.owner
        && !own.disturbed
        && owner.value != *current
    {
        // It was told too late.
        let spread = matches!(current, AttributeValue::One(_)) && !owner.value.is_empty();
        let why = if spread && own.outdated.contains(current) {
            Some(LATER)
        } else if owner.rank >= Rank::Person && is_overwritten(own, &owner.value, current) {
            Some(KNOWN_TOO_LATE)
        } else {
            None
        };
        if let Some(why) = why {
            return (owner.value.clone(), Some(no_rule(policy, why)));
        }
    }
    let Some(owner) = own.owner.as_ref().filter(|o| o.rank >= Rank::Person) else {
        return (current.clone(), None);
    };
    let said = match owner.rank {
        Rank::Override => true,
        // A person's change is on GitHub already; a command has yet to get there.
        _ if own.disturbed => policy.unauthorised == Unauthorised::Revert,
        Rank::Command => true,
        _ => false,
    };
    if !said || owner.value == *current {
        return (current.clone(), None);
    }
    let reason = Reason {
        rule: owner.cause.clone(),
        principle: String::new(),
        because: owner.reason_for(snapshot.readers_of()).to_owned(),
        mode: Mode::Enforce, // commands always act
    };
    (owner.value.clone(), Some(reason))
}

/// Does GitHub show what a rule made of the owner's value, before it was told?
fn is_overwritten(own: &Ownership, owners: &AttributeValue, current: &AttributeValue) -> bool {
    match current {
        AttributeValue::One(_) => own.overwritten.contains(current),
        AttributeValue::Many(_) => {
            let by_rules = |value: &str| own.overwritten.iter().any(|rule| rule.contains(value));
            owners.iter().all(|value| current.contains(value))
                && current.iter().all(|v| owners.contains(v) || by_rules(v))
        }
    }
}

struct Settling<'a> {
    policy: &'a Policy,
    snapshot: &'a Snapshot,
    attribute: &'a Attribute,
    own: &'a Ownership,
    settled: Settled,
}

impl Settling<'_> {
    fn hold_back(&mut self, want: &Wanted, why: impl Into<String>) {
        self.settled.held.push(Held {
            attribute: self.attribute.id.clone(),
            would_set: want.value.clone(),
            why: why.into(),
            reason: want.reason.clone(),
        });
    }

    fn kept_by_hand(&self) -> bool {
        self.own.disturbed && self.policy.unauthorised == Unauthorised::Keep
    }

    fn single(&mut self, wanted: Vec<Wanted>) {
        let asked = !wanted.is_empty();
        match self.agree(wanted) {
            Some(want) => self.write(want),
            None if !asked => self.withdraw(),
            None => {} // they disagree, so nothing is written
        }
    }

    /// The one wish, after those that give way; `None` if there is none or they disagree.
    fn agree(&mut self, mut wanted: Vec<Wanted>) -> Option<Wanted> {
        let overridden: BTreeSet<String> = wanted
            .iter()
            .flat_map(|w| w.overrides.iter().cloned())
            .collect();
        wanted.retain(|w| !overridden.contains(&w.reason.rule));
        // What is enforced goes before what is not.
        if wanted.iter().any(|w| w.enforce) {
            wanted.retain(|w| w.enforce);
        }
        let first = wanted.first()?.clone();
        if wanted.iter().all(|w| w.value == first.value) {
            // One that sets makes it stay; among those, the one that may do most is the reason.
            return wanted
                .into_iter()
                .rev()
                .max_by_key(|w| (w.reason.mode, !w.hold));
        }
        let rules: Vec<&str> = wanted.iter().map(|w| w.reason.rule.as_str()).collect();
        let why = format!("two rules disagree: {}", rules.join(" and "));
        for want in &wanted {
            self.hold_back(want, why.clone());
        }
        self.settled.needs_human = true;
        None
    }

    fn write(&mut self, want: Wanted) {
        let outcome = &self.settled.outcome;
        if want.value == outcome.value {
            if !is_human(outcome.rank) {
                self.take(want);
            }
            return;
        }
        if let Some(why) = refusal(self.policy, self.snapshot, self.own, want.enforce)
            && (self.own.owner.is_some() || !self.settled.outcome.value.is_empty())
        {
            return self.hold_back(&want, why);
        }
        let ours = self.own.owner.as_ref().filter(|o| o.rank == Rank::Rule);
        if self.kept_by_hand() && !want.enforce && ours.is_some_and(|o| o.value == want.value) {
            return self.hold_back(&want, KEPT);
        }
        if self.flaps(&want.value) {
            self.settled.needs_human = true;
            return self.hold_back(&want, FLAPS);
        }
        self.settled.outcome.rank = Some(Rank::Rule);
        self.settled.outcome.value = want.value.clone();
        self.take(want);
    }

    fn flaps(&self, value: &AttributeValue) -> bool {
        self.own.written.iter().filter(|w| *w == value).count() >= FLAPPING
    }

    /// The outcome's value is what this rule asked for.
    fn take(&mut self, want: Wanted) {
        let outcome = &mut self.settled.outcome;
        outcome.hold = want.hold;
        if want.hold {
            outcome.held = want.value;
        }
        outcome.reason = Some(want.reason);
    }

    /// A value that a hold wrote last goes when no rule asks for it any more.
    fn withdraw(&mut self) {
        let Some(owner) = &self.own.owner else { return };
        let held = owner.act == Act::Hold && owner.rank == Rank::Rule && !self.own.disturbed;
        if held && owner.value == self.settled.outcome.value {
            self.settled.outcome.reason = Some(self.asked_before(&owner.cause));
            self.settled.outcome.value = self.attribute.nothing();
            self.settled.outcome.rank = Some(Rank::Rule);
            self.settled.outcome.hold = true;
        }
    }

    /// For taking a value back: the rule that wrote it.
    fn asked_before(&self, rule: &str) -> Reason {
        self.policy.rules.get(rule).map_or_else(
            || no_rule(self.policy, NOT_ASKED),
            |rule| self.policy.reason_of(rule),
        )
    }

    /// For each of these held values, the rule that goes back on it.
    fn taken_back<'v>(&self, values: impl Iterator<Item = &'v String>) -> BTreeMap<String, Reason> {
        let rule = |v: &String| self.own.held.get(v).map_or("", String::as_str);
        values
            .map(|v| (v.clone(), self.asked_before(rule(v))))
            .collect()
    }

    /// Many values: the union of what is there and what rules want, less what a rule had held.
    fn many(&mut self, mut wanted: Vec<Wanted>) {
        let base: BTreeSet<String> = self
            .settled
            .outcome
            .value
            .iter()
            .map(str::to_owned)
            .collect();
        let nothing_there = self.own.owner.is_none() && base.is_empty();
        for want in std::mem::take(&mut wanted) {
            match refusal(self.policy, self.snapshot, self.own, want.enforce) {
                Some(why) if !nothing_there => {
                    if want.value.iter().any(|v| !base.contains(v)) {
                        self.hold_back(&want, why);
                    }
                }
                _ => wanted.push(want),
            }
        }
        // Values that somebody without the permission took off stay off, where that is kept.
        let keep = self.policy.unauthorised == Unauthorised::Keep;
        let taken_off = if keep {
            self.own.taken_off.clone()
        } else {
            BTreeSet::new()
        };
        let all: BTreeSet<String> = wanted
            .iter()
            .flat_map(|w| w.value.iter().map(str::to_owned))
            .collect();
        let held = self.own.held.keys();
        let gone: BTreeSet<String> = held.filter(|v| !all.contains(*v)).cloned().collect();
        let mut value: BTreeSet<String> = base.difference(&gone).cloned().collect();
        let mut held: BTreeSet<String> = self
            .own
            .held
            .keys()
            .filter(|v| all.contains(*v) && base.contains(*v))
            .cloned()
            .collect();
        let mut by = self.taken_back(base.intersection(&gone));
        let mut only_holds = true;
        let mut reason: Option<Reason> = None;
        let mut kept = Vec::new();
        for want in &wanted {
            let mut new = false;
            for v in want.value.iter() {
                if taken_off.contains(v) {
                    kept.push(want.clone());
                } else if !base.contains(v) {
                    new = true;
                    value.insert(v.to_owned());
                    // Of several that want it, the one that may do most.
                    let first = by
                        .entry(v.to_owned())
                        .or_insert_with(|| want.reason.clone());
                    if first.mode < want.reason.mode {
                        *first = want.reason.clone();
                    }
                    if want.hold {
                        held.insert(v.to_owned());
                    }
                }
            }
            if new {
                only_holds &= want.hold;
            }
            // The reason is a rule that adds something, else one that asked for what is there.
            if new || reason.is_none() {
                reason = Some(want.reason.clone());
            }
        }
        for want in &kept {
            self.hold_back(want, KEPT);
        }
        let whole = AttributeValue::Many(value);
        let asserted = AttributeValue::Many(held);
        if whole != self.settled.outcome.value {
            let mut next = self.settled.outcome.clone();
            let taken_back = || by.values().next().cloned();
            let first = reason.clone().or_else(taken_back);
            next.reason = first.or_else(|| Some(no_rule(self.policy, NOT_ASKED)));
            next.rank = Some(Rank::Rule);
            next.hold = only_holds;
            next.value = whole;
            next.by = by;
            if !is_human(next.rank) {
                next.held = asserted.clone();
            }
            // What is only observed is never written, so it cannot flap.
            if next.to_note().is_some_and(|(noted, ..)| self.flaps(&noted)) {
                self.settled.needs_human = true;
                for want in &wanted {
                    self.hold_back(want, FLAPS);
                }
                return;
            }
            reason.clone_from(&next.reason);
            self.settled.outcome = next;
        }
        if !is_human(self.settled.outcome.rank) {
            self.settled.outcome.held = asserted;
            self.settled.outcome.reason = reason.or(self.settled.outcome.reason.take());
        }
    }
}
