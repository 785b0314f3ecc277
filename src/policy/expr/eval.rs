//! The evaluator.
//!
//! Total: whole numbers saturate at their limits, dividing by zero gives zero, what is not there
//! is absent or empty, and the only loops are over lists that exist. Texts and lists are borrowed
//! from the facts and the program; only `+` on texts and lists, `lowerAscii`, list literals with
//! facts in them, `filter` and `map` allocate.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::number;
use super::program::{Code, Compare, Convert, Kids, Loop, NodeId, Op, TextTest};
use super::value::{Facts, Notes, Value};

/// A value while evaluating: borrowed where it can be, instants and durations with their rate.
#[derive(Clone, Debug)]
pub(super) enum V<'a> {
    Absent,
    Bool(bool),
    Int(i64),
    Double(f64),
    Str(&'a str),
    Text(Arc<str>),
    List(&'a [Value]),
    Owned(Arc<[Value]>),
    Map(&'a BTreeMap<String, Value>),
    Time(Timestamp, i32),
    Span(SignedDuration, i32),
}

impl<'a> V<'a> {
    pub fn of(value: &'a Value, rate: i32) -> Self {
        match value {
            Value::Absent => V::Absent,
            Value::Bool(b) => V::Bool(*b),
            Value::Int(i) => V::Int(*i),
            Value::Double(d) => V::Double(*d),
            Value::Str(s) => V::Str(s),
            Value::List(l) => V::List(l),
            Value::Map(m) => V::Map(m),
            Value::Timestamp(t) => V::Time(*t, rate),
            Value::Duration(d) => V::Span(*d, rate),
        }
    }

    pub fn str(&self) -> &str {
        match self {
            V::Str(s) => s,
            V::Text(s) => s,
            _ => "",
        }
    }

    pub fn list(&self) -> &[Value] {
        match self {
            V::List(l) => l,
            V::Owned(l) => l,
            _ => &[],
        }
    }

    fn is_present(&self) -> bool {
        match self {
            V::Absent => false,
            V::Str(_) | V::Text(_) => !self.str().is_empty(),
            V::List(_) | V::Owned(_) => !self.list().is_empty(),
            V::Map(m) => !m.is_empty(),
            _ => true,
        }
    }

    pub fn into_value(self) -> Value {
        match self {
            V::Absent => Value::Absent,
            V::Bool(b) => Value::Bool(b),
            V::Int(i) => Value::Int(i),
            V::Double(d) => Value::Double(d),
            V::Str(s) => Value::str(s),
            V::Text(s) => Value::Str(s),
            V::List(l) => Value::List(Arc::from(l)),
            V::Owned(l) => Value::List(l),
            V::Map(m) => Value::Map(Arc::new(m.clone())),
            V::Time(t, _) => Value::Timestamp(t),
            V::Span(d, _) => Value::Duration(d),
        }
    }

    fn rate(&self) -> i32 {
        match self {
            V::Time(_, rate) | V::Span(_, rate) => *rate,
            _ => 0,
        }
    }

    /// How two values of one kind stand; `None` for kinds without order and for not-a-number.
    fn cmp(&self, other: &V<'_>) -> Option<Ordering> {
        match (self, other) {
            (V::Int(a), V::Int(b)) => Some(a.cmp(b)),
            (V::Double(a), V::Double(b)) => a.partial_cmp(b),
            (V::Int(a), V::Double(b)) => number::compare(*a, *b),
            (V::Double(a), V::Int(b)) => number::compare(*b, *a).map(Ordering::reverse),
            (V::Str(_) | V::Text(_), V::Str(_) | V::Text(_)) => Some(self.str().cmp(other.str())),
            (V::Bool(a), V::Bool(b)) => Some(a.cmp(b)),
            (V::Time(a, _), V::Time(b, _)) => Some(a.cmp(b)),
            (V::Span(a, _), V::Span(b, _)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    fn equals(&self, other: &V<'_>) -> bool {
        match (self, other) {
            (V::List(_) | V::Owned(_), V::List(_) | V::Owned(_)) => {
                let (a, b) = (self.list(), other.list());
                a.len() == b.len()
                    && a.iter()
                        .zip(b)
                        .all(|(a, b)| V::of(a, 0).equals(&V::of(b, 0)))
            }
            _ => self.cmp(other) == Some(Ordering::Equal),
        }
    }

    /// `self - other` in nanoseconds, for two instants or two durations.
    fn distance(&self, other: &V<'_>) -> Option<i128> {
        match (self, other) {
            (V::Time(a, _), V::Time(b, _)) => Some(a.as_nanosecond() - b.as_nanosecond()),
            (V::Span(a, _), V::Span(b, _)) => Some(a.as_nanos() - b.as_nanos()),
            _ => None,
        }
    }
}

#[cfg(test)]
thread_local! {
    /// How often an absent value was compared or counted with: never, says the checker.
    pub(super) static ABSENT_USED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Evaluates the nodes of one program over one set of facts.
pub(super) struct Evaluator<'a, 'n> {
    code: &'a Code,
    facts: &'a Facts,
    notes: &'n mut Notes,
    /// The variables of the macros being evaluated, outermost first.
    locals: Vec<V<'a>>,
}

impl<'a, 'n> Evaluator<'a, 'n> {
    pub fn new(code: &'a Code, facts: &'a Facts, notes: &'n mut Notes) -> Self {
        Self {
            code,
            facts,
            notes,
            locals: Vec::new(),
        }
    }

    pub fn finish(&mut self, node: NodeId) -> (Value, i32) {
        // A fact or constant is shared, not copied.
        match *self.code.at(node) {
            Op::Fact(slot) => (self.facts.get(slot).clone(), self.facts.rate(slot)),
            Op::Const(index) => (self.code.constant(index).clone(), 0),
            _ => {
                let v = self.value(node);
                let rate = v.rate();
                (v.into_value(), rate)
            }
        }
    }

    /// The node's value as a condition; anything but `true` is false.
    pub fn truth(&mut self, node: NodeId) -> bool {
        match *self.code.at(node) {
            Op::And(kids) => {
                let code = self.code;
                code.kids(kids).iter().all(|k| self.part(*k))
            }
            Op::Or(kids) => {
                let code = self.code;
                code.kids(kids).iter().any(|k| self.part(*k))
            }
            Op::Not(inner) => !self.truth(inner),
            Op::Fact(slot) => matches!(self.facts.get(slot), Value::Bool(true)),
            Op::Compare(how, a, b) => {
                let quick = Option::zip(self.lying(a), self.lying(b));
                quick
                    .and_then(|(a, b)| compare_lying(how, a, b))
                    .unwrap_or_else(|| self.compare_made(how, a, b))
            }
            Op::In(needle, hay) => self.is_in(needle, hay),
            Op::Cond(condition, yes, no) => {
                let branch = if self.part(condition) { yes } else { no };
                self.part(branch)
            }
            _ => self.rarer_truth(node),
        }
    }

    /// As [`truth`](Self::truth); most parts of a condition are leaves, and need no call.
    #[inline]
    fn part(&mut self, node: NodeId) -> bool {
        let leaf = match *self.code.at(node) {
            Op::Fact(slot) => Some(matches!(self.facts.get(slot), Value::Bool(true))),
            Op::Compare(how, a, b) => Option::zip(self.lying(a), self.lying(b))
                .and_then(|(a, b)| compare_lying(how, a, b)),
            Op::Not(inner) => match *self.code.at(inner) {
                Op::Fact(slot) => Some(!matches!(self.facts.get(slot), Value::Bool(true))),
                _ => None,
            },
            Op::In(needle, hay) => Some(self.is_in(needle, hay)),
            _ => None,
        };
        leaf.unwrap_or_else(|| self.truth(node))
    }

    /// Apart from the rest, so that what is asked most often needs little room on the stack.
    #[inline(never)]
    fn rarer_truth(&mut self, node: NodeId) -> bool {
        match *self.code.at(node) {
            Op::Has(inner) => self.value(inner).is_present(),
            Op::Text(how, text, part) => {
                let (text, part) = (self.value(text), self.value(part));
                let (text, part) = (text.str(), part.str());
                match how {
                    TextTest::Contains => text.contains(part),
                    TextTest::StartsWith => text.starts_with(part),
                    TextTest::EndsWith => text.ends_with(part),
                }
            }
            Op::Matches(text, pattern) => {
                let text = self.value(text);
                let Some(pattern) = self.code.patterns.get(pattern as usize) else {
                    return false;
                };
                let pool = pattern
                    .pooled
                    .and_then(|(slot, index)| self.facts.matched.matches(slot, index, text.str()));
                pool.unwrap_or_else(|| pattern.regex.is_match(text.str()))
            }
            Op::Loop(how @ (Loop::All | Loop::Exists | Loop::ExistsOne), over, body) => {
                self.quantify(how, over, body)
            }
            _ => matches!(self.value(node), V::Bool(true)),
        }
    }

    pub fn value(&mut self, node: NodeId) -> V<'a> {
        match *self.code.at(node) {
            Op::Const(index) => V::of(self.code.constant(index), 0),
            Op::Fact(slot) => V::of(self.facts.get(slot), self.facts.rate(slot)),
            Op::Local(index) => self
                .locals
                .get(index as usize)
                .cloned()
                .unwrap_or(V::Absent),
            Op::Cond(condition, yes, no) => {
                let branch = if self.truth(condition) { yes } else { no };
                self.value(branch)
            }
            Op::Arith(how, a, b) => {
                let (a, b) = (self.value(a), self.value(b));
                #[cfg(test)]
                if matches!(a, V::Absent) || matches!(b, V::Absent) {
                    ABSENT_USED.with(|used| used.set(used.get() + 1));
                }
                number::arithmetic(how, a, b)
            }
            Op::Negate(inner) => match self.value(inner) {
                V::Int(i) => V::Int(i.saturating_neg()),
                V::Double(d) => V::Double(-d),
                other => other,
            },
            Op::List(kids) => {
                let code = self.code;
                let items = code.kids(kids).iter().map(|k| self.value(*k).into_value());
                V::Owned(items.collect())
            }
            Op::Index(of, key, default) => self.index(of, key, default),
            Op::Default(value, default) => {
                let value = self.value(value);
                if value.is_present() {
                    value
                } else {
                    self.value(default)
                }
            }
            Op::Convert(how, inner) => {
                let value = self.value(inner);
                convert(how, value)
            }
            Op::Min(kids) => self.extreme(kids, Compare::Lt),
            Op::Max(kids) => self.extreme(kids, Compare::Gt),
            Op::Loop(how @ (Loop::Filter | Loop::Map), over, body) => self.collect(how, over, body),
            Op::And(_)
            | Op::Or(_)
            | Op::Not(_)
            | Op::Compare(..)
            | Op::In(..)
            | Op::Has(_)
            | Op::Text(..)
            | Op::Matches(..)
            | Op::Loop(..) => V::Bool(self.truth(node)),
        }
    }

    #[inline(never)]
    fn compare_made(&mut self, how: Compare, a: NodeId, b: NodeId) -> bool {
        if let (Some(a), Some(b)) = (self.whole(a), self.whole(b)) {
            return how.holds(a.cmp(&b));
        }
        let (a, b) = (self.value(a), self.value(b));
        self.compare(how, &a, &b)
    }

    fn compare(&mut self, how: Compare, a: &V<'_>, b: &V<'_>) -> bool {
        #[cfg(test)]
        if matches!(a, V::Absent) || matches!(b, V::Absent) {
            ABSENT_USED.with(|used| used.set(used.get() + 1));
        }
        if a.rate() != b.rate() {
            self.note_flip(how, a, b);
        }
        match how {
            Compare::Eq => a.equals(b),
            Compare::Ne => !a.equals(b),
            _ => a.cmp(b).is_some_and(|order| how.holds(order)),
        }
    }

    /// A whole number that is made of facts and constants only.
    fn whole(&self, node: NodeId) -> Option<i64> {
        let lying = match *self.code.at(node) {
            Op::Fact(slot) => self.facts.get(slot),
            Op::Const(index) => self.code.constant(index),
            Op::Arith(how, a, b) => {
                return Some(number::whole(how, self.whole(a)?, self.whole(b)?));
            }
            _ => return None,
        };
        match lying {
            Value::Int(i) => Some(*i),
            _ => None,
        }
    }

    /// A fact or constant as it lies there; nothing has to be made of it. Most operands are one.
    fn lying(&self, node: NodeId) -> Option<&'a Value> {
        match *self.code.at(node) {
            Op::Fact(slot) => Some(self.facts.get(slot)),
            Op::Const(index) => Some(self.code.constant(index)),
            _ => None,
        }
    }

    fn note_flip(&mut self, how: Compare, a: &V<'_>, b: &V<'_>) {
        let (Some(distance), Some(now)) = (a.distance(b), self.facts.now()) else {
            return;
        };
        let rate = i128::from(a.rate()) - i128::from(b.rate());
        if let Some(after) = number::flips_after(how, distance, rate)
            && let Ok(at) = Timestamp::from_nanosecond(now.as_nanosecond().saturating_add(after))
        {
            self.notes.flips(at);
        }
    }

    fn is_in(&mut self, needle: NodeId, hay: NodeId) -> bool {
        if let (Some(Value::Str(needle)), Some(Value::List(list))) =
            (self.lying(needle), self.lying(hay))
        {
            let is_it = |item: &Value| matches!(item, Value::Str(item) if same_text(item, needle));
            return list.iter().any(is_it);
        }
        self.is_in_made(needle, hay)
    }

    #[inline(never)]
    fn is_in_made(&mut self, needle: NodeId, hay: NodeId) -> bool {
        let needle = self.value(needle);
        // A literal list with facts in it is not built only to be searched.
        if let Op::List(kids) = *self.code.at(hay) {
            let code = self.code;
            return code.kids(kids).iter().any(|k| {
                let item = self.value(*k);
                self.compare(Compare::Eq, &needle, &item)
            });
        }
        match self.value(hay) {
            V::Map(map) => map.contains_key(needle.str()),
            V::List(list) => self.any_equal(&needle, list),
            V::Owned(list) => self.any_equal(&needle, &list),
            _ => false,
        }
    }

    fn any_equal(&mut self, needle: &V<'_>, list: &[Value]) -> bool {
        list.iter()
            .any(|item| self.compare(Compare::Eq, needle, &V::of(item, 0)))
    }

    fn index(&mut self, of: NodeId, key: NodeId, default: u16) -> V<'a> {
        let of = self.value(of);
        let key = self.value(key);
        let position = || match key {
            V::Int(i) => usize::try_from(i).ok(),
            _ => None,
        };
        let found = match of {
            V::Map(map) => map.get::<str>(key.str()).map(|v| V::of(v, 0)),
            V::List(list) => position().and_then(|p| list.get(p)).map(|v| V::of(v, 0)),
            V::Owned(list) => position().and_then(|p| list.get(p)).map(owned),
            _ => None,
        };
        found.unwrap_or_else(|| V::of(self.code.constant(default), 0))
    }

    fn extreme(&mut self, kids: Kids, wins: Compare) -> V<'a> {
        let code = self.code;
        let mut best = V::Absent;
        for kid in code.kids(kids) {
            let candidate = self.value(*kid);
            // Not-a-number never wins and never stays.
            let stays = !matches!(best, V::Absent) && !self.compare(wins, &candidate, &best);
            if !stays {
                best = candidate;
            }
        }
        best
    }

    fn quantify(&mut self, how: Loop, over: NodeId, body: NodeId) -> bool {
        let over = self.value(over);
        let mut held = 0usize;
        let settled = self.each(over, |this, _| {
            let holds = this.truth(body);
            held += usize::from(holds);
            match how {
                Loop::All => !holds,
                Loop::Exists => holds,
                _ => held > 1,
            }
        });
        match how {
            Loop::All => !settled,
            Loop::Exists => settled,
            _ => held == 1,
        }
    }

    fn collect(&mut self, how: Loop, over: NodeId, body: NodeId) -> V<'a> {
        let over = self.value(over);
        let mut out = Vec::new();
        self.each(over, |this, item| {
            if how == Loop::Map {
                let made = this.value(body);
                out.push(made.into_value());
            } else if this.truth(body) {
                out.push(item.into_value());
            }
            false
        });
        V::Owned(out.into())
    }

    /// Runs `visit` with every element as the innermost variable until it returns true.
    fn each(&mut self, over: V<'a>, mut visit: impl FnMut(&mut Self, V<'a>) -> bool) -> bool {
        let mut one = |this: &mut Self, item: V<'a>| {
            this.locals.push(item.clone());
            let stop = visit(this, item);
            this.locals.pop();
            stop
        };
        match over {
            V::List(list) => list.iter().any(|v| one(self, V::of(v, 0))),
            V::Owned(list) => list.iter().any(|v| one(self, owned(v))),
            V::Map(map) => map.keys().any(|k| one(self, V::Str(k))),
            _ => false,
        }
    }
}

/// Most texts that differ do so in their lengths or at their first byte.
#[inline]
fn same_text(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.as_bytes().first() == b.as_bytes().first() && a == b
}

/// Compares two values of the commonest kinds, which do not move with time; `None` for others.
fn compare_lying(how: Compare, a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => Some(match how {
            Compare::Eq => same_text(a, b),
            Compare::Ne => !same_text(a, b),
            _ => how.holds(a.cmp(b)),
        }),
        (Value::Int(a), Value::Int(b)) => Some(how.holds(a.cmp(b))),
        (Value::Bool(a), Value::Bool(b)) => Some(how.holds(a.cmp(b))),
        _ => None,
    }
}

/// A value out of a list that does not outlive the evaluation.
fn owned<'a>(value: &Value) -> V<'a> {
    match value {
        Value::Absent | Value::Map(_) => V::Absent,
        Value::Bool(b) => V::Bool(*b),
        Value::Int(i) => V::Int(*i),
        Value::Double(d) => V::Double(*d),
        Value::Str(s) => V::Text(Arc::clone(s)),
        Value::List(l) => V::Owned(Arc::clone(l)),
        Value::Timestamp(t) => V::Time(*t, 0),
        Value::Duration(d) => V::Span(*d, 0),
    }
}

fn convert(how: Convert, value: V<'_>) -> V<'_> {
    let hours = |n: i64| {
        let seconds = n.saturating_mul(3600);
        V::Span(SignedDuration::from_secs(seconds), 0)
    };
    match (how, value) {
        (Convert::Size, V::Map(m)) => V::Int(i64::try_from(m.len()).unwrap_or(i64::MAX)),
        (Convert::Size, v @ (V::List(_) | V::Owned(_))) => {
            V::Int(i64::try_from(v.list().len()).unwrap_or(i64::MAX))
        }
        (Convert::Size, v) => V::Int(i64::try_from(v.str().chars().count()).unwrap_or(i64::MAX)),
        (Convert::LowerAscii, v) => {
            if v.str().bytes().any(|b| b.is_ascii_uppercase()) {
                V::Text(v.str().to_ascii_lowercase().into())
            } else {
                v
            }
        }
        (Convert::Days, V::Int(i)) => hours(i.saturating_mul(24)),
        (Convert::Hours, V::Int(i)) => hours(i),
        (Convert::Double, V::Int(i)) => V::Double(number::to_double(i)),
        (Convert::Int, V::Double(d)) => V::Int(number::to_int(d)),
        (_, v) => v,
    }
}
