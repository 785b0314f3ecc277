//! Looks for facts under which given conditions hold: the example that the lint shows.
//!
//! What the conditions mention (values of enums, texts, numbers just above and below a bound, a
//! text that a pattern finds) is tried, always changing what brings the conditions nearer to
//! holding. What is found is an example; that nothing is found proves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;
use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

use super::eval::Evaluator;
use super::program::{Code, NodeId, Op, Pattern, Program};
use super::schema::{Schema, Slot, Type};
use super::situation::Part;
use super::value::{Facts, Notes, Value};

/// Evaluations one search may take.
pub const PATIENCE: usize = 3_000;
/// Values tried for one fact.
const CANDIDATES: usize = 40;
/// How deep derived facts are looked through.
const DEPTH: usize = 16;

/// Something that may be chosen, with what is tried for it.
#[derive(Clone, Debug)]
pub struct Choice {
    pub slot: Slot,
    /// Of a table the entry that is meant.
    pub key: Option<String>,
    pub candidates: Vec<Value>,
}

impl Choice {
    /// The chosen value as the facts have it.
    #[must_use]
    pub fn get(&self, facts: &Facts) -> Value {
        match (&self.key, facts.get(self.slot)) {
            (None, value) => value.clone(),
            (Some(key), Value::Map(map)) => map.get(key).cloned().unwrap_or(Value::Absent),
            _ => Value::Absent,
        }
    }

    fn set(&self, facts: &mut Facts, value: Value) {
        let Some(key) = &self.key else {
            return facts.set(self.slot, value);
        };
        let mut map = match facts.get(self.slot) {
            Value::Map(map) => (**map).clone(),
            _ => BTreeMap::new(),
        };
        if value.is_present() {
            map.insert(key.clone(), value);
        } else {
            map.remove(key);
        }
        facts.set(self.slot, Value::Map(Arc::new(map)));
    }
}

/// How far the facts are from a part: the number of leaves that would have to change; 0 if it is
/// true of them. Derived facts must have their values.
#[must_use]
pub fn distance(part: &Part<'_>, facts: &Facts, schema: &Schema) -> u32 {
    let mut notes = Notes::default();
    match part {
        Part::Holds(program, wanted) => {
            let code = &program.code;
            far(code, code.root, *wanted, facts, schema, DEPTH, &mut notes)
        }
        Part::Says(program, words, wanted) => match program.eval(facts, &mut notes) {
            Value::Str(text) => u32::from(words.contains(&&*text) != *wanted),
            _ => u32::from(*wanted),
        },
    }
}

fn far(
    code: &Code,
    node: NodeId,
    wanted: bool,
    facts: &Facts,
    schema: &Schema,
    depth: usize,
    notes: &mut Notes,
) -> u32 {
    let mut of = |node, wanted| far(code, node, wanted, facts, schema, depth, notes);
    match code.op(node) {
        Op::And(kids) | Op::Or(kids) => {
            let all = matches!(code.op(node), Op::And(_)) == wanted;
            let parts = code.kids(kids).iter().map(|k| of(*k, wanted));
            if all {
                parts.sum()
            } else {
                parts.min().unwrap_or(0)
            }
        }
        Op::Not(inner) => of(inner, !wanted),
        Op::Cond(condition, yes, no) => {
            let yes = of(condition, true) + of(yes, wanted);
            let no = of(condition, false) + of(no, wanted);
            yes.min(no)
        }
        Op::Fact(slot) => match schema.fact(slot).and_then(|f| f.definition.as_ref()) {
            Some(program) if depth > 0 && *program.ty() == Type::Bool => {
                let code = &program.code;
                far(code, code.root, wanted, facts, schema, depth - 1, notes)
            }
            _ => u32::from((*facts.get(slot) == Value::Bool(true)) != wanted),
        },
        _ => u32::from(Evaluator::new(code, facts, notes).truth(node) != wanted),
    }
}

/// Every fact that the programs look at, through derived ones.
#[must_use]
pub fn looks_at<'p>(
    programs: impl IntoIterator<Item = &'p Program>,
    schema: &Schema,
) -> BTreeSet<Slot> {
    let slots = programs.into_iter().flat_map(|p| p.reads().iter().copied());
    looks_through(slots, schema)
}

/// The slots, and what those among them that are derived look at.
#[must_use]
pub fn looks_through(slots: impl IntoIterator<Item = Slot>, schema: &Schema) -> BTreeSet<Slot> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<Slot> = slots.into_iter().collect();
    while let Some(slot) = open.pop() {
        if seen.insert(slot)
            && let Some(definition) = schema.fact(slot).and_then(|f| f.definition.as_ref())
        {
            open.extend(definition.reads());
        }
    }
    seen
}

/// What the programs say of the facts they look at.
#[derive(Default)]
struct Mentioned {
    values: Vec<Value>,
    samples: Vec<String>,
    keys: Vec<(Slot, String)>,
}

impl Mentioned {
    fn add(&mut self, code: &Code) {
        for value in &code.consts {
            match value {
                Value::List(items) => self.values.extend(items.iter().cloned()),
                one => self.values.push(one.clone()),
            }
        }
        self.samples
            .extend(code.patterns.iter().filter_map(sample).cloned());
        for op in &code.ops {
            if let Op::Index(of, key, _) = *op
                && let (Op::Fact(slot), Op::Const(index)) = (code.op(of), code.op(key))
                && let Value::Str(key) = code.constant(index)
            {
                self.keys.push((slot, key.to_string()));
            }
        }
    }

    /// Each text, and pairs of texts, for conditions that look for parts.
    fn texts(&self) -> Vec<Value> {
        let mut texts: Vec<String> = self
            .values
            .iter()
            .filter_map(|v| match v {
                Value::Str(s) if !s.is_empty() => Some(s.to_string()),
                _ => None,
            })
            .chain(self.samples.iter().cloned())
            .collect();
        texts.dedup();
        let pairs: Vec<String> = texts
            .iter()
            .take(5)
            .flat_map(|a| {
                let others = texts.iter().take(5).filter(move |b| *b != a);
                others.map(move |b| format!("{a} {b}"))
            })
            .collect();
        if texts.len() > 2 {
            texts.extend(pairs.iter().cloned());
            texts.push(self.samples.join(" "));
        } else {
            texts.extend(pairs);
        }
        texts.push("other".to_owned());
        texts.iter().map(|t| Value::str(t)).collect()
    }

    fn candidates(&self, ty: &Type, now: jiff::Timestamp, schema: &Schema) -> Vec<Value> {
        let tick = SignedDuration::from_secs(1);
        let durations = self.values.iter().filter_map(|v| match v {
            Value::Duration(d) => Some(*d),
            _ => None,
        });
        match ty {
            Type::Bool => vec![Value::Bool(false), Value::Bool(true)],
            Type::Enum(id) => schema
                .enum_values(*id)
                .iter()
                .map(|v| Value::str(v))
                .collect(),
            Type::String | Type::Map(_) => self.texts(),
            Type::List(of) => {
                let one = self.candidates(of, now, schema);
                let mentioned = |v: &Value| self.values.contains(v);
                let wanted: Vec<Value> = one.iter().filter(|v| mentioned(v)).cloned().collect();
                let all = Value::List(wanted.into_iter().collect());
                let single = one.into_iter().map(|v| Value::List(Arc::from([v])));
                std::iter::once(all).chain(single).collect()
            }
            Type::Int => {
                let mentioned = self.values.iter().filter_map(|v| match v {
                    Value::Int(n) => Some(*n),
                    _ => None,
                });
                let near = |n: i64| [n.saturating_sub(1), n, n.saturating_add(1)];
                [0, 1]
                    .into_iter()
                    .chain(mentioned.flat_map(near))
                    .map(Value::Int)
                    .collect()
            }
            Type::Double => {
                let mentioned = self.values.iter().filter_map(|v| match v {
                    Value::Double(n) => Some(*n),
                    Value::Int(n) => i32::try_from(*n).ok().map(f64::from),
                    _ => None,
                });
                let near = |n: f64| [n, n - 0.05, n + 0.05];
                [0.0, 1.0]
                    .into_iter()
                    .chain(mentioned.flat_map(near))
                    .map(Value::Double)
                    .collect()
            }
            Type::Duration => durations
                .flat_map(|d| [d, d.saturating_sub(tick), d.saturating_add(tick)])
                .map(Value::Duration)
                .collect(),
            Type::Timestamp => durations
                .flat_map(|d| [d, d.saturating_sub(tick), d.saturating_add(tick)])
                .filter_map(|d| now.checked_sub(d).ok())
                .chain(self.values.iter().filter_map(|v| match v {
                    Value::Timestamp(t) => Some(*t),
                    _ => None,
                }))
                .map(Value::Timestamp)
                .collect(),
            Type::Nothing => Vec::new(),
        }
    }
}

/// Which of the slots may be chosen so that the programs hold, and the values worth trying: what
/// the programs mention, and the words.
#[must_use]
pub fn choices(
    slots: &BTreeSet<Slot>,
    programs: &[&Program],
    words: &[&str],
    base: &Facts,
    schema: &Schema,
) -> Vec<Choice> {
    let mut mentioned = Mentioned::default();
    mentioned.values.extend(words.iter().map(|w| Value::str(w)));
    for program in programs {
        mentioned.add(&program.code);
    }
    for slot in slots {
        if let Some(definition) = schema.fact(*slot).and_then(|f| f.definition.as_ref()) {
            mentioned.add(&definition.code);
        }
    }
    mentioned.keys.sort();
    mentioned.keys.dedup();
    let now = base.now().unwrap_or_default();
    let mut out = Vec::new();
    for &slot in slots {
        let Some(fact) = schema.fact(slot) else {
            continue;
        };
        if fact.definition.is_some() || fact.path == "now" {
            continue;
        }
        let keys: Vec<Option<String>> = match fact.ty {
            Type::Map(_) => {
                let its = mentioned.keys.iter().filter(|(of, _)| *of == slot);
                its.map(|(_, key)| Some(key.clone())).collect()
            }
            _ => vec![None],
        };
        for key in keys {
            let mut candidates = mentioned.candidates(&fact.ty, now, schema);
            candidates.truncate(CANDIDATES);
            let mut choice = Choice {
                slot,
                key,
                candidates: Vec::new(),
            };
            // What an ordinary item has goes first.
            choice.candidates.push(choice.get(base));
            if fact.may_be_absent {
                choice.candidates.push(Value::Absent);
            } else if fact.ty.has_empty() && choice.key.is_none() {
                choice.candidates.push(Value::empty(&fact.ty));
            }
            for value in candidates {
                if !choice.candidates.contains(&value) {
                    choice.candidates.push(value);
                }
            }
            out.push(choice);
        }
    }
    out
}

/// Facts at which `goal` is 0, near `base`. `settle` gives derived facts their values after a
/// choice; `patience` is what may still be evaluated, and is used up.
pub fn search(
    choices: &[Choice],
    base: &Facts,
    patience: &mut usize,
    settle: &dyn Fn(&mut Facts),
    goal: &dyn Fn(&Facts) -> u32,
) -> Option<Facts> {
    let mut left = PATIENCE.min(*patience);
    let before = left;
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut facts = base.clone();
    settle(&mut facts);
    let found = loop {
        if descend(choices, &mut facts, &mut left, settle, goal) {
            break Some(());
        }
        if left == 0 || choices.is_empty() {
            break None;
        }
        for choice in choices {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let n = choice.candidates.len().max(1) as u64;
            let at = usize::try_from(random % n).unwrap_or(0);
            if let Some(value) = choice.candidates.get(at) {
                choice.set(&mut facts, value.clone());
            }
        }
        settle(&mut facts);
    };
    *patience -= before - left;
    found?;
    // What does not matter is as on an ordinary item.
    for choice in choices {
        let mut simpler = facts.clone();
        choice.set(&mut simpler, choice.get(base));
        settle(&mut simpler);
        if goal(&simpler) == 0 {
            facts = simpler;
        }
    }
    Some(facts)
}

/// Takes every step that comes nearer, until there is none.
fn descend(
    choices: &[Choice],
    facts: &mut Facts,
    left: &mut usize,
    settle: &dyn Fn(&mut Facts),
    goal: &dyn Fn(&Facts) -> u32,
) -> bool {
    let mut best = goal(facts);
    let mut next = facts.clone();
    loop {
        let before = best;
        for choice in choices {
            for value in &choice.candidates {
                if best == 0 {
                    return true;
                }
                if *left == 0 {
                    return false;
                }
                *left -= 1;
                next.take_over(facts);
                choice.set(&mut next, value.clone());
                settle(&mut next);
                let far = goal(&next);
                if far < best {
                    best = far;
                    facts.take_over(&next);
                }
            }
        }
        if best == 0 {
            return true;
        }
        if best == before {
            return false;
        }
    }
}

/// A short text that the pattern finds, where one is easily made.
fn sample(pattern: &Pattern) -> Option<&String> {
    let make = || {
        let hir = regex_syntax::parse(pattern.regex.as_str()).ok()?;
        let mut text = String::new();
        write_sample(&hir, &mut text);
        (text.len() <= 200 && pattern.regex.is_match(&text)).then_some(text)
    };
    pattern.sample.get_or_init(make).as_ref()
}

fn write_sample(hir: &Hir, out: &mut String) {
    match hir.kind() {
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            let of = |c: char| class.iter().any(|r| r.start() <= c && c <= r.end());
            let nice = ('a'..='z').chain([' ', '0']).find(|c| of(*c));
            out.extend(nice.or_else(|| class.iter().next().map(ClassUnicodeRange::start)));
        }
        HirKind::Class(Class::Bytes(class)) => {
            out.extend(class.iter().next().map(|r| char::from(r.start())));
        }
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min.min(50) {
                write_sample(&repetition.sub, out);
            }
        }
        HirKind::Capture(capture) => write_sample(&capture.sub, out),
        HirKind::Concat(parts) => parts.iter().for_each(|p| write_sample(p, out)),
        HirKind::Alternation(parts) => {
            if let Some(first) = parts.first() {
                write_sample(first, out);
            }
        }
        HirKind::Empty | HirKind::Look(_) => {}
    }
}
