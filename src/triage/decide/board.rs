//! What rules want of boards beside attributes: rows, fields that show no attribute, archiving.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::policy::expr::Value;
use crate::policy::model::{FieldTo, FieldWish, Nearby, Rule, Unauthorised};

use super::super::attribute::AttributeValue;
use super::super::decision::{Held, Reason, WantedField};
use super::super::ledger::{self, Rank, fold};
use super::super::snapshot::{FieldValue, Iteration};
use super::attribute::{FLAPS, KEPT, refusal};
use super::{FLAPPING, Pass, in_words};

/// What is wanted of a field and cannot be said.
const NO_SUCH_ITERATION: &str = "the board has no such iteration now";

/// What a rule asks of a field.
enum Asked {
    /// It has no say: what it would write is not known.
    Nothing,
    Empty,
    For(FieldValue),
}

impl Pass<'_> {
    /// The rows that the rule wants.
    pub(super) fn rows(&mut self, rule: &Rule, reason: &Reason) {
        for board in &rule.on_boards {
            if self.taken_off_board(board) {
                let what = ledger::on_board(board);
                self.hold_back(&what, "taken off the board by hand".to_owned(), reason);
                continue;
            }
            let place = self.decision.on_boards.entry(board.clone());
            let first = place.or_insert_with(|| reason.clone());
            // Two rules want it there: the one that may do more is the reason.
            if first.mode < reason.mode {
                *first = reason.clone();
            }
        }
    }

    /// The rows that the rule wants archived.
    pub(super) fn archive(&mut self, rule: &Rule, reason: &Reason) {
        for board in &rule.archive {
            let row = self.snapshot.boards.get(board);
            if row.is_none_or(|row| row.archived) {
                continue;
            }
            let what = ledger::archived(board);
            let own = fold(&self.snapshot.ledger, &what);
            if own.latest().is_some_and(AttributeValue::is_empty) {
                self.hold_back(&what, "brought back by hand".to_owned(), reason);
                continue;
            }
            let place = self.decision.archive.entry(board.clone());
            let first = place.or_insert_with(|| reason.clone());
            if first.mode < reason.mode {
                *first = reason.clone();
            }
        }
    }

    /// The fields that the rule sets. A rule gives way to those that hold, override it and set
    /// the same field.
    pub(super) fn fields(
        &mut self,
        rule: &Rule,
        reason: &Reason,
        holding: &[(usize, &Rule, Reason)],
    ) {
        for wish in &rule.fields {
            let gives_way = holding.iter().any(|(_, other, _)| {
                let goes_first = other.overrides.contains(&rule.id)
                    || other.enforce && !rule.enforce && !rule.overrides.contains(&other.id);
                let same = |w: &FieldWish| w.board == wish.board && w.field == wish.field;
                goes_first && other.fields.iter().any(same)
            });
            if gives_way {
                continue;
            }
            match self.value_for(wish, reason) {
                Asked::Nothing => {}
                Asked::Empty => self.field(wish, None, rule.enforce, reason),
                Asked::For(value) => self.field(wish, Some(value), rule.enforce, reason),
            }
        }
    }

    fn value_for(&mut self, wish: &FieldWish, reason: &Reason) -> Asked {
        match &wish.to {
            FieldTo::Nothing => Asked::Empty,
            FieldTo::This(value) => Asked::For(value.clone()),
            FieldTo::Text(template) => {
                let text = template.plain(|slot| in_words(self.facts.get(slot)));
                if text.is_empty() {
                    Asked::Empty
                } else {
                    Asked::For(FieldValue::Text(text))
                }
            }
            FieldTo::Computed(program) => match self.eval(program) {
                Value::Int(n) => {
                    #[allow(clippy::cast_precision_loss)] // GitHub's numbers are doubles
                    Asked::For(FieldValue::Number(n as f64))
                }
                Value::Double(n) if n.is_finite() => Asked::For(FieldValue::Number(n)),
                Value::Timestamp(at) => {
                    Asked::For(FieldValue::Date(at.to_zoned(TimeZone::UTC).date()))
                }
                Value::Str(s) if !s.is_empty() => Asked::For(FieldValue::Option(s.to_string())),
                _ => Asked::Nothing,
            },
            FieldTo::Iteration(which) => {
                if let Some(title) = self.iteration(wish, *which) {
                    return Asked::For(FieldValue::Iteration(title));
                }
                self.hold_field(wish, which.word(), NO_SUCH_ITERATION, reason);
                Asked::Nothing
            }
        }
    }

    fn field(
        &mut self,
        wish: &FieldWish,
        value: Option<FieldValue>,
        enforce: bool,
        reason: &Reason,
    ) {
        let text = value.as_ref().map(FieldValue::text).unwrap_or_default();
        let mut wanted = self.decision.fields.iter();
        let same = |w: &WantedField| w.board == wish.board && w.field == wish.field;
        if let Some(at) = wanted.position(same) {
            let other = &self.decision.fields[at];
            if other.value == value {
                return;
            }
            // Neither is done: what is there stays.
            let why = format!(
                "two rules disagree: {} and {}",
                other.reason.rule, reason.rule
            );
            let other = self.decision.fields.remove(at);
            let before = other.value.as_ref().map(FieldValue::text);
            self.decision.needs_human = true;
            self.hold_field(wish, &before.unwrap_or_default(), &why, &other.reason);
            self.hold_field(wish, &text, &why, reason);
            return;
        }
        let name = ledger::field(&wish.board, &wish.field);
        if self.decision.held.iter().any(|h| h.attribute == name) {
            return self.hold_field(wish, &text, "rules disagree about it", reason);
        }
        let own = fold(&self.snapshot.ledger, &name);
        let keep = self.policy.unauthorised == Unauthorised::Keep;
        let ours = own.owner.as_ref().filter(|o| o.rank == Rank::Rule);
        let written = AttributeValue::One(text.clone());
        let refused = match refusal(self.policy, self.snapshot, &own, enforce) {
            Some(why) if own.owner.is_some() => Some(why),
            _ if own.disturbed && keep && !enforce && ours.is_some_and(|o| o.value == written) => {
                Some(KEPT.to_owned())
            }
            _ if own.written.iter().filter(|w| **w == written).count() >= FLAPPING => {
                self.decision.needs_human = true;
                Some(FLAPS.to_owned())
            }
            _ => None,
        };
        match refused {
            // Nothing is refused where it is so already.
            Some(_) if self.shown_in(wish) == text => {}
            Some(why) => self.hold_field(wish, &text, &why, reason),
            None => self.decision.fields.push(WantedField {
                board: wish.board.clone(),
                field: wish.field.clone(),
                value,
                reason: reason.clone(),
            }),
        }
    }

    fn shown_in(&self, wish: &FieldWish) -> String {
        let row = self.snapshot.boards.get(&wish.board);
        let shown = row.and_then(|row| super::projection::field_of(row, &wish.field));
        shown.map(|(_, value)| value.text()).unwrap_or_default()
    }

    fn hold_field(&mut self, wish: &FieldWish, value: &str, why: &str, reason: &Reason) {
        self.decision.held.push(Held {
            attribute: ledger::field(&wish.board, &wish.field),
            would_set: AttributeValue::One(value.to_owned()),
            why: why.to_owned(),
            reason: reason.clone(),
        });
    }

    /// The title of that iteration. The item is to be looked at again when another is.
    fn iteration(&mut self, wish: &FieldWish, which: Nearby) -> Option<String> {
        let now = self.snapshot.now;
        let today = now.to_zoned(TimeZone::UTC).date();
        let all = self.snapshot.iterations.get(&wish.board)?;
        let all = all.get(&wish.field)?;
        let flips = all.iter().flat_map(|i| [i.start, end_of(i)]);
        let flips = flips.filter_map(|day| Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp()));
        let next = flips.filter(|at| *at > now).min();
        self.notes.flips_at = [self.notes.flips_at, next].into_iter().flatten().min();
        let found = match which {
            Nearby::Previous => all
                .iter()
                .filter(|i| end_of(i) <= today)
                .max_by_key(|i| i.start),
            Nearby::Current => all.iter().find(|i| i.start <= today && today < end_of(i)),
            Nearby::Next => all
                .iter()
                .filter(|i| i.start > today)
                .min_by_key(|i| i.start),
        };
        found.map(|i| i.title.clone())
    }
}

/// The first day after it.
fn end_of(iteration: &Iteration) -> Date {
    let days = i64::from(iteration.days).days();
    iteration.start.saturating_add(days)
}
