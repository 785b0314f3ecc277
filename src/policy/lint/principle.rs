//! `only:` and `never:`: what a decision may depend on, however indirectly.
//!
//! Both are strict. Derived facts are looked through, and so are attributes that rules set: a list
//! of `only:` names everything that has a say in the end, or the list would prove nothing.

use crate::policy::model::{Allowance, Policy, Principle};
use crate::policy::read::Reader;
use crate::policy::yaml::Node;

use super::Places;
use super::depends::{Depends, Thing};

/// Ways told of one decision; the rest would be more of the same.
const MOST: usize = 5;

pub fn find(r: &mut Reader<'_>, policy: &Policy, places: &Places<'_>) {
    let depends = Depends::new(policy);
    for principle in policy.principles.values() {
        for (allowance, forbids) in [(&principle.only, false), (&principle.never, true)] {
            if let Some(allowance) = allowance {
                check(r, policy, places, &depends, principle, allowance, forbids);
            }
        }
    }
}

fn check(
    r: &mut Reader<'_>,
    policy: &Policy,
    places: &Places<'_>,
    depends: &Depends<'_>,
    principle: &Principle,
    allowance: &Allowance,
    forbids: bool,
) {
    for name in &allowance.decide {
        let Some(decision) = depends.decision(name) else {
            continue;
        };
        let mut told = 0;
        for path in depends.closure(decision) {
            let Some(last) = path.last().copied() else {
                continue;
            };
            let listed = names(policy, depends, last)
                .iter()
                .any(|n| allowance.from.iter().any(|from| is_of(from, n)));
            let bad = if forbids {
                listed
            } else {
                is_input(last, decision) && !listed
            };
            if !bad || told == MOST {
                continue;
            }
            told += 1;
            let steps: Vec<String> = path.iter().map(|t| depends.in_words(*t)).collect();
            let (id, what) = (&principle.id, depends.name(last));
            let (code, verdict, help) = if forbids {
                (
                    "never-broken",
                    format!("never decides `{name}`"),
                    format!("take `{what}` out of the way to `{name}`, or change the principle"),
                )
            } else {
                (
                    "only-broken",
                    format!("is not among what decides `{name}`"),
                    format!("add `{what}` to `from:` if it may count, or take it out"),
                )
            };
            let message = format!(
                "by the principle `{id}`, `{what}` {verdict}; but: {}",
                steps.join(" ← ")
            );
            if let Some(place) =
                place(places, depends, &path).or_else(|| places.named("principles", &principle.id))
            {
                r.error_help(code, place, message, Some(help));
            }
        }
    }
}

/// Something that comes from outside the policy: it has to be allowed by name.
fn is_input(thing: Thing, decision: Thing) -> bool {
    match thing {
        Thing::Attribute(i) | Thing::Current(i) => decision != Thing::Attribute(i),
        Thing::Milestone | Thing::BuiltIn(_) => true,
        _ => false,
    }
}

/// The names under which a thing may be listed.
fn names(policy: &Policy, depends: &Depends<'_>, thing: Thing) -> Vec<String> {
    let name = depends.name(thing);
    match thing {
        Thing::Current(i) => {
            let attribute = depends.name(Thing::Attribute(i));
            vec![name, attribute]
        }
        Thing::Attribute(_) | Thing::Fact(_) | Thing::Unaligned | Thing::Milestone => vec![name],
        Thing::BuiltIn(_) => {
            let first = policy.boards.keys().next().cloned().unwrap_or_default();
            let alias = name.strip_prefix(&format!("boards.{first}."));
            let alias = alias.map(|rest| format!("board.{rest}"));
            let back = name.strip_prefix("board.");
            let back = back.map(|rest| format!("boards.{first}.{rest}"));
            [Some(name), alias, back].into_iter().flatten().collect()
        }
        _ => Vec::new(),
    }
}

/// Is it the listed name, or of the family that the list names?
fn is_of(listed: &str, name: &str) -> bool {
    name.strip_prefix(listed)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The last thing on the way that somebody wrote.
fn place<'n>(places: &Places<'n>, depends: &Depends<'_>, path: &[Thing]) -> Option<&'n Node> {
    path.iter().rev().find_map(|thing| {
        let name = depends.name(*thing);
        match thing {
            Thing::Rule(_) | Thing::Gate(_) | Thing::Cap(_) => places.rules.get(&name),
            Thing::Fact(_) => places.named("facts", &name),
            Thing::Driver(_) => places.named("score", &name),
            _ => None,
        }
    })
}
