//! The ways in which a rule writes an attribute: one for each row of a table.

use crate::policy::expr::{Part, Program, Schema, Situation};
use crate::policy::model::{Given, Pick, Policy, Rule, Wish};
use crate::triage::attribute::AttributeValue;

/// One way.
pub struct Way<'p> {
    pub rule: &'p Rule,
    /// What has to be true for it.
    pub parts: Vec<Part<'p>>,
    pub writes: Writes<'p>,
    pub situation: Situation,
    /// For a row of a table: which, from 1, `0` for a lookup.
    pub row: Option<usize>,
}

/// What is written.
pub enum Writes<'p> {
    This(&'p AttributeValue),
    Computed(&'p Program),
}

impl Writes<'_> {
    /// As people read it.
    pub fn in_words(&self) -> String {
        match self {
            Self::This(value) if value.is_empty() => "none".to_owned(),
            Self::This(value) => value.to_string(),
            Self::Computed(program) => format!("`{}`", program.text()),
        }
    }
}

/// What has to be true besides for two writings to differ; `None` if they never do.
pub fn differ<'p>(a: &Writes<'p>, b: &Writes<'p>) -> Option<Vec<Part<'p>>> {
    match (a, b) {
        (Writes::This(a), Writes::This(b)) => (a != b).then(Vec::new),
        (Writes::This(value), Writes::Computed(program))
        | (Writes::Computed(program), Writes::This(value)) => {
            let word = value.iter().next().unwrap_or_default();
            Some(vec![Part::Says(program, vec![word], false)])
        }
        (Writes::Computed(a), Writes::Computed(b)) => (a.text() != b.text()).then(Vec::new),
    }
}

/// All ways in which the policy's rules write a single-valued attribute.
pub fn ways<'p>(policy: &'p Policy, attribute: &str) -> Vec<Way<'p>> {
    let mut out = Vec::new();
    for rule in policy.rules.values() {
        for wish in rule.wishes.iter().filter(|w| w.attribute == attribute) {
            of_wish(rule, wish, policy.schema(), &mut out);
        }
    }
    out
}

/// The condition of a rule.
pub fn condition(rule: &Rule) -> Vec<Part<'_>> {
    rule.when.iter().map(|p| Part::Holds(p, true)).collect()
}

/// Every program that parts look at.
pub fn programs<'p>(parts: &[Part<'p>]) -> impl Iterator<Item = &'p Program> {
    parts.iter().map(|part| match part {
        Part::Holds(program, _) | Part::Says(program, ..) => *program,
    })
}

/// The words that parts ask for outside their programs.
pub fn words<'p>(parts: &[Part<'p>]) -> Vec<&'p str> {
    let mut out = Vec::new();
    for part in parts {
        if let Part::Says(_, words, _) = part {
            out.extend(words);
        }
    }
    out
}

fn of_wish<'p>(rule: &'p Rule, wish: &'p Wish, schema: &Schema, out: &mut Vec<Way<'p>>) {
    let mut add = |mut parts: Vec<Part<'p>>, writes: Writes<'p>, row: Option<usize>| {
        match &writes {
            // A hold of nothing asks for nothing.
            Writes::This(value) if wish.hold && value.is_empty() => return,
            Writes::Computed(program) if wish.hold => {
                parts.push(Part::Says(program, vec![""], false));
            }
            _ => {}
        }
        let situation = Situation::new(&parts, schema);
        out.push(Way {
            rule,
            parts,
            writes,
            situation,
            row,
        });
    };
    let base = condition(rule);
    let written = |given: &'p Given| match given {
        Given::Literal(value) => Writes::This(value),
        Given::Computed(program) => Writes::Computed(program),
    };
    match &wish.pick {
        Pick::One(given) => add(base, written(given), None),
        Pick::Rows(rows) => {
            let mut earlier = base;
            for (i, (when, given)) in rows.iter().enumerate() {
                let mut parts = earlier.clone();
                if let Some(when) = when {
                    parts.push(Part::Holds(when, true));
                    earlier.push(Part::Holds(when, false));
                }
                add(parts, written(given), Some(i + 1));
            }
        }
        Pick::Table { by, of, otherwise } => {
            let mut values: Vec<&AttributeValue> = of.values().collect();
            values.sort();
            values.dedup();
            for value in values {
                let keys = of.iter().filter(|(_, v)| *v == value);
                let keys = keys.map(|(k, _)| k.as_str()).collect();
                let mut parts = base.clone();
                parts.push(Part::Says(by, keys, true));
                add(parts, Writes::This(value), Some(0));
            }
            if let Some(value) = otherwise {
                let keys = of.keys().map(String::as_str).collect();
                let mut parts = base;
                parts.push(Part::Says(by, keys, false));
                add(parts, Writes::This(value), Some(0));
            }
        }
    }
}
