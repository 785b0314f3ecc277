//! Random expressions that are well typed, and random facts to evaluate them over.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;

/// A small generator of random numbers (`xorshift64*`): the same seed, the same expression.
pub(super) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        random.next();
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from((self.next() >> 33) % n as u64).unwrap_or(0)
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What both languages have, or all of ours.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Dialect {
    Cel,
    Ours,
}

/// Types the generator knows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Sort {
    Bool,
    Int,
    Double,
    Text,
    Ints,
    Texts,
    Instant,
    Span,
}

pub(super) const INTS: [i64; 9] = [0, 1, 2, 3, -1, 7, 100, i64::MAX, i64::MIN];
const DOUBLES: [f64; 8] = [0.0, 1.0, 0.5, -2.5, 3.0, 1e10, 9.3e18, 1e-3];
const TEXTS: [&str; 9] = ["", "a", "ab", "abc", "B", "x y", "é", "bug", "feature"];

pub(super) fn schema() -> Schema {
    let mut schema = Schema::new();
    let list = |of: Type| Type::List(Box::new(of));
    let values = ["bug", "feature", "docs"].map(str::to_owned);
    let kind = schema.add_enum("kind", values);
    for name in ["i", "j", "item.n"] {
        schema.add_fact(name, Type::Int, false);
    }
    schema.add_fact("d", Type::Double, false);
    schema.add_fact("e", Type::Double, false);
    for name in ["s", "t", "item.title"] {
        schema.add_fact(name, Type::String, false);
    }
    schema.add_fact("b", Type::Bool, false);
    schema.add_fact("c", Type::Bool, false);
    schema.add_fact("xs", list(Type::Int), false);
    schema.add_fact("ss", list(Type::String), false);
    schema.add_fact("m", Type::Map(Box::new(Type::String)), false);
    // Ours alone.
    schema.add_fact("now", Type::Timestamp, false);
    schema.add_fact("born", Type::Timestamp, false);
    schema.add_fact("item.age", Type::Duration, false);
    schema.add_fact("kind", Type::Enum(kind), false);
    schema.add_fact("kinds", list(Type::Enum(kind)), false);
    schema.add_fact("p", Type::Int, true);
    schema.add_fact("q", Type::Bool, true);
    schema.add_fact("r", Type::Double, true);
    schema.add_fact("done", Type::Timestamp, true);
    schema
}

/// Facts of the declared types.
pub(super) fn facts(schema: &Schema, random: &mut Random) -> Facts {
    let mut facts = Facts::new(schema);
    for slot in schema.slots() {
        let ty = schema.type_of(slot).clone();
        let optional = matches!(schema.path(slot), "p" | "q" | "r" | "done");
        let value = if optional && random.one_in(2) {
            Value::Absent
        } else {
            value(schema, &ty, random)
        };
        facts.set(slot, value);
    }
    settle_age(schema, &mut facts);
    facts
}

/// The age is what has passed since birth.
pub(super) fn settle_age(schema: &Schema, facts: &mut Facts) {
    let slot = |path| schema.slot(path).expect(path);
    if let (Value::Timestamp(now), Value::Timestamp(born)) =
        (facts.get(slot("now")), facts.get(slot("born")))
    {
        let age = now.duration_since(*born);
        facts.set(slot("item.age"), Value::Duration(age));
    }
}

fn int(random: &mut Random) -> i64 {
    // The limits rarely: CEL gives up on what follows from them.
    let most = if random.one_in(12) {
        INTS.len()
    } else {
        INTS.len() - 2
    };
    INTS[random.below(most)]
}

fn value(schema: &Schema, ty: &Type, random: &mut Random) -> Value {
    match ty {
        Type::Bool => Value::Bool(random.one_in(2)),
        Type::Int => Value::Int(int(random)),
        Type::Double => Value::Double(random.pick(&DOUBLES)),
        Type::String => Value::str(random.pick(&TEXTS)),
        Type::Enum(id) => {
            let values = schema.enum_values(*id);
            let at = random.below(values.len() + 1);
            Value::str(values.get(at).map_or("", |v| v))
        }
        Type::Timestamp => {
            let day = i64::try_from(random.below(20)).unwrap_or(0);
            let second = 1_700_000_000 + day * 86_400;
            Value::Timestamp(Timestamp::from_second(second).expect("in range"))
        }
        Type::Duration => Value::Duration(SignedDuration::from_hours(24)),
        Type::List(of) => {
            let len = random.below(4);
            Value::List((0..len).map(|_| value(schema, of, random)).collect())
        }
        Type::Map(of) => {
            let mut map = BTreeMap::new();
            for key in ["a", "Team size"] {
                map.insert(key.to_owned(), value(schema, of, random));
            }
            Value::Map(Arc::new(map))
        }
        Type::Nothing => Value::Absent,
    }
}

pub(super) struct Generator<'r> {
    pub random: &'r mut Random,
    pub dialect: Dialect,
    /// Macro variables in scope.
    pub locals: Vec<(String, Sort)>,
}

impl Generator<'_> {
    pub fn expression(&mut self, sort: Sort, depth: usize) -> String {
        if depth == 0 {
            return self.leaf(sort);
        }
        let depth = depth - 1;
        let text = match self.random.below(10) {
            0 => self.leaf(sort),
            1 => {
                let condition = self.expression(Sort::Bool, depth);
                let (yes, no) = (self.expression(sort, depth), self.expression(sort, depth));
                format!("(({condition}) ? ({yes}) : {no})")
            }
            2 if self.dialect == Dialect::Ours => match sort {
                Sort::Text => format!("({}).or({})", self.expression(sort, depth), self.leaf(sort)),
                Sort::Int => format!("p.or({})", self.expression(sort, depth)),
                Sort::Double => format!("r.or({})", self.expression(sort, depth)),
                Sort::Instant => format!("done.or({})", self.expression(sort, depth)),
                Sort::Bool => self.guarded(depth),
                _ => self.leaf(sort),
            },
            _ => self.compound(sort, depth),
        };
        if self.random.one_in(4) {
            format!("({text})")
        } else {
            text
        }
    }

    fn guarded(&mut self, depth: usize) -> String {
        let place = self.random.pick(&["p", "r"]);
        let use_of = match self.random.below(3) {
            0 => format!("{place} > {}", self.random.pick(&[0, 2])),
            1 => format!(
                "({place} < {} || {})",
                3,
                self.expression(Sort::Bool, depth)
            ),
            _ => format!("{place} == {place}"),
        };
        let other = self.expression(Sort::Bool, depth);
        match self.random.below(6) {
            0 => format!("(has({place}) && {use_of})"),
            1 => format!("(!has({place}) || {use_of})"),
            2 => format!("(has({place}) ? {use_of} : {other})"),
            3 => format!("(!(!has({place}) || {other}) && {use_of})"),
            4 => "(has(q) && q)".to_owned(),
            _ => format!("((has({place}) && ({other})) && {use_of})"),
        }
    }

    fn compound(&mut self, sort: Sort, depth: usize) -> String {
        match sort {
            Sort::Bool => self.condition(depth),
            Sort::Int => match self.random.below(8) {
                0 => format!("size({})", self.expression(Sort::Text, depth)),
                1 => format!("({}).size()", self.expression(Sort::Ints, depth)),
                2 => format!("-({})", self.expression(Sort::Int, depth)),
                3 if self.dialect == Dialect::Ours => {
                    let least = self.random.pick(&["min", "max"]);
                    let (a, b) = (self.expression(sort, depth), self.expression(sort, depth));
                    format!("{least}({a}, {b})")
                }
                _ => self.arithmetic(Sort::Int, &["+", "-", "*", "/", "%"], depth),
            },
            Sort::Double => match self.random.below(6) {
                0 => format!("double({})", self.expression(Sort::Int, depth)),
                1 => format!("-({})", self.expression(Sort::Double, depth)),
                _ => self.arithmetic(Sort::Double, &["+", "-", "*", "/"], depth),
            },
            Sort::Text => match self.random.below(3) {
                // Rarely a key that is not there: CEL gives up on it.
                0 if self.random.one_in(20) => "m['zz']".to_owned(),
                0 => format!("m[{}]", self.random.pick(&["\"a\"", "'a'", "r'Team size'"])),
                _ => self.arithmetic(Sort::Text, &["+"], depth),
            },
            Sort::Ints => self.list(Sort::Ints, Sort::Int, depth),
            Sort::Texts => self.list(Sort::Texts, Sort::Text, depth),
            Sort::Instant => {
                let sign = self.random.pick(&["+", "-"]);
                let (t, d) = (self.leaf(Sort::Instant), self.expression(Sort::Span, depth));
                format!("({t} {sign} ({d}))")
            }
            Sort::Span => match self.random.below(3) {
                0 => {
                    let (a, b) = (
                        self.expression(Sort::Instant, depth),
                        self.leaf(Sort::Instant),
                    );
                    format!("({a} - {b})")
                }
                1 => format!("max({}, {})", self.leaf(sort), self.expression(sort, depth)),
                _ => self.arithmetic(Sort::Span, &["+", "-"], depth),
            },
        }
    }

    fn arithmetic(&mut self, sort: Sort, signs: &[&'static str], depth: usize) -> String {
        // No brackets of their own: both parsers must agree on which binds first.
        let (a, b) = (self.expression(sort, depth), self.expression(sort, depth));
        let sign = self.random.pick(signs);
        format!("{a} {sign} {b}")
    }

    fn list(&mut self, sort: Sort, of: Sort, depth: usize) -> String {
        match self.random.below(5) {
            0 => {
                let name = self.name();
                let over = self.expression(sort, depth);
                let body = self.with(&name, of, |g| g.expression(Sort::Bool, depth.min(1)));
                format!("({over}).filter({name}, {body})")
            }
            1 => {
                let name = self.name();
                let from = self.random.pick(&[Sort::Ints, Sort::Texts]);
                let over = self.leaf(from);
                let element = if from == Sort::Ints {
                    Sort::Int
                } else {
                    Sort::Text
                };
                let body = self.with(&name, element, |g| g.expression(of, depth.min(1)));
                format!("{over}.map({name}, {body})")
            }
            2 => self.arithmetic(sort, &["+"], depth),
            _ => {
                let n = 1 + self.random.below(3);
                let items: Vec<_> = (0..n).map(|_| self.expression(of, depth)).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }

    fn name(&mut self) -> String {
        // Sometimes hides a fact or an outer variable.
        self.random.pick(&["x", "y", "s", "i"]).to_owned()
    }

    fn with(&mut self, name: &str, sort: Sort, make: impl FnOnce(&mut Self) -> String) -> String {
        self.locals.push((name.to_owned(), sort));
        let text = make(self);
        self.locals.pop();
        text
    }

    fn condition(&mut self, depth: usize) -> String {
        match self.random.below(12) {
            0 | 1 => self.arithmetic(Sort::Bool, &["&&", "||"], depth),
            2 => format!("!({})", self.expression(Sort::Bool, depth)),
            3 => self.relation(Sort::Bool, &["==", "!="], depth),
            4 => self.relation(Sort::Text, &["==", "!=", "<", ">="], depth),
            5 => {
                let (a, b) = (Sort::Int, self.random.pick(&[Sort::Int, Sort::Double]));
                let sign = self.random.pick(&["==", "!=", "<", "<=", ">", ">="]);
                let (a, b) = (self.expression(a, depth), self.expression(b, depth));
                format!("({a} {sign} {b})")
            }
            6 => self.relation(Sort::Double, &["==", "<", "<=", ">", ">="], depth),
            7 => {
                let (list, of) = self
                    .random
                    .pick(&[(Sort::Ints, Sort::Int), (Sort::Texts, Sort::Text)]);
                let (x, xs) = (self.expression(of, depth), self.expression(list, depth));
                format!("({x} in ({xs}))")
            }
            8 => {
                let test = self.random.pick(&["contains", "startsWith", "endsWith"]);
                let (a, b) = (
                    self.expression(Sort::Text, depth),
                    self.expression(Sort::Text, depth),
                );
                format!("({a}).{test}({b})")
            }
            9 => {
                let pattern = self
                    .random
                    .pick(&["^a", "b+$", "(?i)b", "[xyz] ", "é", "."]);
                let text = self.expression(Sort::Text, depth);
                format!("({text}).matches('{pattern}')")
            }
            10 if self.dialect == Dialect::Ours => self.ours(depth),
            _ => {
                let how = self.random.pick(&["all", "exists", "exists_one"]);
                let (list, of) = self
                    .random
                    .pick(&[(Sort::Ints, Sort::Int), (Sort::Texts, Sort::Text)]);
                let name = self.name();
                let over = self.expression(list, depth);
                let body = self.with(&name, of, |g| g.expression(Sort::Bool, depth.min(2)));
                format!("({over}).{how}({name}, {body})")
            }
        }
    }

    fn relation(&mut self, sort: Sort, signs: &[&'static str], depth: usize) -> String {
        let (a, b) = (self.expression(sort, depth), self.expression(sort, depth));
        let sign = self.random.pick(signs);
        // Conditions bind less strongly than the comparison of them.
        if sort == Sort::Bool {
            format!("(({a}) {sign} ({b}))")
        } else {
            format!("({a} {sign} {b})")
        }
    }

    fn ours(&mut self, depth: usize) -> String {
        match self.random.below(6) {
            0 => format!("kind {} \"bug\"", self.random.pick(&["==", "!="])),
            1 => "kind in [\"\", \"docs\"]".to_owned(),
            2 => "\"feature\" in kinds".to_owned(),
            3 => format!(
                "has({})",
                self.random
                    .pick(&["s", "ss", "m", "m.a", "p", "done", "kind"])
            ),
            4 => {
                let sign = self.random.pick(&["<", "<=", ">", ">=", "==", "!="]);
                let (a, b) = (self.expression(Sort::Span, depth), self.leaf(Sort::Span));
                format!("({a} {sign} {b})")
            }
            _ => {
                let sign = self.random.pick(&["<", "<=", ">", ">="]);
                let (a, b) = (
                    self.expression(Sort::Instant, depth),
                    self.leaf(Sort::Instant),
                );
                format!("({a} {sign} {b})")
            }
        }
    }

    fn leaf(&mut self, sort: Sort) -> String {
        let hidden = |g: &Self, name: &str| g.locals.iter().any(|(n, _)| n == name);
        let visible: Vec<String> = self
            .locals
            .iter()
            .enumerate()
            .filter(|(at, (name, s))| {
                let later = self.locals[at + 1..].iter().any(|(n, _)| n == name);
                *s == sort && !later
            })
            .map(|(_, (name, _))| name.clone())
            .collect();
        if !visible.is_empty() && !self.random.one_in(3) {
            return visible[self.random.below(visible.len())].clone();
        }
        let names: &[&str] = match sort {
            Sort::Bool => &["b", "c"],
            Sort::Int => &["i", "j", "item.n"],
            Sort::Double => &["d", "e"],
            Sort::Text => &["s", "t", "item.title"],
            Sort::Ints => &["xs"],
            Sort::Texts => &["ss"],
            Sort::Instant => &["now", "born"],
            Sort::Span => &["item.age"],
        };
        let name = self.random.pick(names);
        let literal = !matches!(sort, Sort::Ints | Sort::Texts | Sort::Instant);
        if !hidden(self, name) && (!literal || !self.random.one_in(2)) {
            return name.to_owned();
        }
        match sort {
            Sort::Bool => self.random.pick(&["true", "false"]).to_owned(),
            Sort::Int => match int(self.random) {
                n if n >= 0 && self.random.one_in(3) => format!("0x{n:X}"),
                n => n.to_string(),
            },
            Sort::Double => match self.random.pick(&DOUBLES) {
                n if self.random.one_in(3) => format!("{n:e}")
                    .replace('e', ".0e")
                    .replace(".5.0e", ".5e")
                    .replace(".3.0e", ".3e"),
                n => format!("{n:?}"),
            },
            Sort::Text => self.text(),
            Sort::Ints => "[1, 2]".to_owned(),
            Sort::Texts => "['a', \"\"]".to_owned(),
            Sort::Instant => "timestamp('2023-11-20T00:00:00Z')".to_owned(),
            Sort::Span => self
                .random
                .pick(&["days(3)", "hours(30)", "duration('36h')", "days(-2)"])
                .to_owned(),
        }
    }

    fn text(&mut self) -> String {
        let text = self.random.pick(&TEXTS);
        match self.random.below(5) {
            0 => format!("'{text}'"),
            1 => format!("r\"{text}\""),
            2 => format!("'''{text}'''"),
            3 => {
                let escaped = text.chars().map(|c| format!("\\u{:04x}", c as u32));
                let escaped = escaped.collect::<Vec<_>>().concat();
                format!("\"{escaped}\"")
            }
            _ => format!("\"{text}\\n\""),
        }
    }
}

pub(super) fn expression(
    random: &mut Random,
    dialect: Dialect,
    sort: Sort,
    depth: usize,
) -> String {
    Generator {
        random,
        dialect,
        locals: Vec::new(),
    }
    .expression(sort, depth)
}
