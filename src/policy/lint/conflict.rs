//! Rules that may hold together and ask for different things, with an item on which they do.

use crate::policy::expr::witness::distance;
use crate::policy::expr::{Facts, Notes, Part, Program, Situation};
use crate::policy::model::{Policy, Rule};
use crate::policy::read::Reader;

use super::Places;
use super::way::{Way, Writes, condition, differ, programs, ways, words};
use super::world::World;

/// Contradictions told of one attribute, and doubts; the rest would be more of the same. Doubts
/// never keep contradictions from being told.
const MOST: usize = 20;
/// Ways of two rules for which an example is searched, before it is left a doubt.
const TRIES: usize = 6;

pub fn find(r: &mut Reader<'_>, policy: &Policy, places: &Places<'_>, world: &mut World<'_>) {
    for attribute in policy.attributes.values().filter(|a| !a.many) {
        let ways = ways(policy, &attribute.id);
        let groups: Vec<&[Way<'_>]> = ways.chunk_by(|a, b| a.rule.id == b.rule.id).collect();
        let (mut conflicts, mut doubts) = (0, 0);
        for (i, first) in groups.iter().enumerate() {
            for second in &groups[i + 1..] {
                if conflicts >= MOST {
                    break;
                }
                match pair(policy, world, first, second) {
                    Verdict::Apart => {}
                    Verdict::Clash(a, b, example) => {
                        conflicts += 1;
                        conflict(r, places, &attribute.id, (a, b), &example);
                    }
                    Verdict::Doubt(a, b) => {
                        doubts += 1;
                        if doubts <= MOST {
                            doubt(r, places, &attribute.id, (a, b));
                        }
                    }
                }
            }
        }
    }
    labels(r, policy, places, world);
    fields(r, policy, places, world);
}

/// Does one of the two certainly go first?
pub fn ordered(a: &Rule, b: &Rule) -> bool {
    beats(a, b) || beats(b, a)
}

/// Does `a` go before `b` where both hold?
pub fn beats(a: &Rule, b: &Rule) -> bool {
    let overridden = |a: &Rule, b: &Rule| a.overrides.contains(&b.id);
    overridden(a, b) || a.enforce && !b.enforce && !overridden(b, a)
}

/// What is known of two rules.
enum Verdict<'w, 'p> {
    /// Proved, or ordered, or they write the same.
    Apart,
    /// With an item on which both hold.
    Clash(&'w Way<'p>, &'w Way<'p>, String),
    Doubt(&'w Way<'p>, &'w Way<'p>),
}

fn pair<'w, 'p>(
    policy: &Policy,
    world: &mut World<'_>,
    first: &'w [Way<'p>],
    second: &'w [Way<'p>],
) -> Verdict<'w, 'p> {
    let (Some(a), Some(b)) = (first.first(), second.first()) else {
        return Verdict::Apart;
    };
    if ordered(a.rule, b.rule) {
        return Verdict::Apart;
    }
    let mut verdict = Verdict::Apart;
    let mut tries = 0;
    for a in first {
        for b in second {
            let Some(parts) = together(policy, a, b) else {
                continue;
            };
            tries += 1;
            if tries > TRIES {
                return verdict;
            }
            if let Some(example) = example(policy, world, a, b, &parts) {
                return Verdict::Clash(a, b, example);
            }
            if tries == 1 {
                verdict = Verdict::Doubt(a, b);
            }
        }
    }
    verdict
}

fn doubt(r: &mut Reader<'_>, places: &Places<'_>, what: &str, (a, b): (&Way<'_>, &Way<'_>)) {
    if let Some(place) = places.rules.get(&b.rule.id) {
        let message = format!(
            "`{}` and `{}` may both hold and write `{what}` differently ({} and {}); then neither is done, and a human is asked",
            a.rule.id,
            b.rule.id,
            a.writes.in_words(),
            b.writes.in_words()
        );
        r.warn("possible-conflict", place, message, Some(way_out(a.rule)));
    }
}

fn way_out(first: &Rule) -> String {
    format!(
        "say which one goes first (`overrides: [{}]`), or make the conditions exclude each other",
        first.id
    )
}

fn conflict(
    r: &mut Reader<'_>,
    places: &Places<'_>,
    what: &str,
    (a, b): (&Way<'_>, &Way<'_>),
    example: &str,
) {
    if let Some(place) = places.rules.get(&b.rule.id) {
        let message = format!(
            "`{}` and `{}` contradict each other: both hold for {example}, and write `{what}` as {} and {}",
            a.rule.id,
            b.rule.id,
            a.writes.in_words(),
            b.writes.in_words()
        );
        r.error_help("conflict", place, message, Some(way_out(a.rule)));
    }
}

/// What has to be true for the two to clash; `None` if that is proved impossible.
fn together<'p>(policy: &Policy, a: &Way<'p>, b: &Way<'p>) -> Option<Vec<Part<'p>>> {
    let besides = differ(&a.writes, &b.writes)?;
    if a.situation.excludes(&b.situation) {
        return None;
    }
    let all: Vec<Part<'p>> = [&a.parts, &b.parts, &besides]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    if !besides.is_empty() && Situation::new(&all, policy.schema()).is_impossible() {
        return None;
    }
    Some(all)
}

fn example(
    policy: &Policy,
    world: &mut World<'_>,
    a: &Way<'_>,
    b: &Way<'_>,
    parts: &[Part<'_>],
) -> Option<String> {
    let mut looks: Vec<&Program> = programs(parts).collect();
    let computed = match (&a.writes, &b.writes) {
        (Writes::Computed(a), Writes::Computed(b)) => Some((*a, *b)),
        _ => None,
    };
    looks.extend(computed.iter().flat_map(|(a, b)| [*a, *b]));
    let goal = |facts: &Facts| {
        let mut notes = Notes::default();
        let same = computed.is_some_and(|(a, b)| {
            let (a, b) = (a.eval(facts, &mut notes), b.eval(facts, &mut notes));
            a == b
        });
        let far = parts.iter().map(|p| distance(p, facts, policy.schema()));
        far.sum::<u32>() + u32::from(same)
    };
    let found = world.search(&looks, &words(parts), &goal)?;
    Some(world.describe(&found))
}

/// Labels outside attributes that one rule puts on and another takes off.
fn labels(r: &mut Reader<'_>, policy: &Policy, places: &Places<'_>, world: &mut World<'_>) {
    for on in policy.rules.values().filter(|a| !a.labels.is_empty()) {
        for off in policy.rules.values().filter(|a| !a.no_labels.is_empty()) {
            let same =
                |label: &&String| off.no_labels.iter().any(|l| l.eq_ignore_ascii_case(label));
            if let Some(label) = on.labels.iter().find(same) {
                let what = format!("one puts the label `{label}` on that the other takes off");
                clash(r, policy, places, world, (on, off), &what);
            }
        }
    }
}

/// Fields outside attributes that two rules set differently.
fn fields(r: &mut Reader<'_>, policy: &Policy, places: &Places<'_>, world: &mut World<'_>) {
    let rules: Vec<&Rule> = policy.rules.values().collect();
    for (i, first) in rules.iter().enumerate() {
        for second in &rules[i + 1..] {
            let differs = first.fields.iter().find(|a| {
                let mut others = second.fields.iter();
                others.any(|b| a.board == b.board && a.field == b.field && !a.to.same_as(&b.to))
            });
            if let Some(wish) = differs {
                let what = format!("they set `{}` differently", wish.name());
                clash(r, policy, places, world, (first, second), &what);
            }
        }
    }
}

/// Two rules that clash where both hold: found, or at least not excluded.
fn clash(
    r: &mut Reader<'_>,
    policy: &Policy,
    places: &Places<'_>,
    world: &mut World<'_>,
    (first, second): (&Rule, &Rule),
    what: &str,
) {
    let schema = policy.schema();
    let parts = [condition(first), condition(second)].concat();
    if first.id == second.id
        || ordered(first, second)
        || Situation::new(&parts, schema).is_impossible()
    {
        return;
    }
    let Some(place) = places.rules.get(&second.id) else {
        return;
    };
    let looks: Vec<&Program> = programs(&parts).collect();
    let goal = |facts: &Facts| parts.iter().map(|p| distance(p, facts, schema)).sum();
    let (first, second) = (&first.id, &second.id);
    let help = Some(format!("say which one goes first: `overrides: [{first}]`"));
    if let Some(found) = world.search(&looks, &[], &goal) {
        let item = world.describe(&found);
        let message = format!(
            "`{first}` and `{second}` contradict each other: both hold for {item}, and {what}"
        );
        r.error_help("conflict", place, message, help);
    } else {
        let message = format!("`{first}` and `{second}` may both hold, and {what}");
        r.warn("possible-conflict", place, message, help);
    }
}
