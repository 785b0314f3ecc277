//! The shipped policy's examples notice whatever is taken out of it.

use super::*;
use crate::policy::model::{Pick, Rule};

/// Does some example fail now?
fn noticed(policy: &Policy) -> bool {
    examples::run(policy).iter().any(|r| !r.passed())
}

/// The rule as if it were not there.
fn without_wishes(rule: &mut Rule) -> Rule {
    let empty = Rule {
        id: rule.id.clone(),
        principle: rule.principle.clone(),
        because: rule.because.clone(),
        mode: rule.mode,
        enforce: rule.enforce,
        when: rule.when.clone(),
        overrides: Vec::new(),
        wishes: Vec::new(),
        clear_milestone: false,
        labels: Vec::new(),
        no_labels: Vec::new(),
        comment: None,
        sticky: None,
        on_boards: Vec::new(),
        fields: Vec::new(),
        archive: Vec::new(),
    };
    std::mem::replace(rule, empty)
}

#[test]
fn every_rule_that_ships_is_needed_by_an_example() {
    let mut policy = loaded(&shipped_sources());
    // Naming a rule that fired is not enough: what it does has to be expected somewhere.
    for example in &mut policy.examples {
        example.expect.fired.clear();
        example.expect.not_fired.clear();
    }
    let mut unnoticed = Vec::new();
    for i in 0..policy.rules.len() {
        let rule = without_wishes(&mut policy.rules[i]);
        if !noticed(&policy) {
            unnoticed.push(rule.id.clone());
        }
        policy.rules[i] = rule;
    }
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
    assert!(!noticed(&policy));
}

#[test]
fn every_branch_of_a_table_that_ships_is_needed_by_an_example() {
    let mut policy = loaded(&shipped_sources());
    let mut unnoticed = Vec::new();
    let mut branches = 0;
    for i in 0..policy.rules.len() {
        for w in 0..policy.rules[i].wishes.len() {
            let mut row = 0;
            while let Pick::Rows(rows) = &mut policy.rules[i].wishes[w].pick
                && row < rows.len()
            {
                let taken = rows.remove(row);
                branches += 1;
                if !noticed(&policy) {
                    unnoticed.push(format!("{} row {}", policy.rules[i].id, row + 1));
                }
                if let Pick::Rows(rows) = &mut policy.rules[i].wishes[w].pick {
                    rows.insert(row, taken);
                }
                row += 1;
            }
            let keys: Vec<String> = match &policy.rules[i].wishes[w].pick {
                Pick::Table { of, .. } => of.keys().cloned().collect(),
                _ => Vec::new(),
            };
            for key in keys {
                let mut taken = None;
                if let Pick::Table { of, .. } = &mut policy.rules[i].wishes[w].pick {
                    taken = of.remove(&key);
                }
                branches += 1;
                if !noticed(&policy) {
                    unnoticed.push(format!("{} {key}", policy.rules[i].id));
                }
                if let Pick::Table { of, .. } = &mut policy.rules[i].wishes[w].pick {
                    of.extend(taken.map(|value| (key, value)));
                }
            }
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
    assert!(branches > 10 && !noticed(&policy));
}

#[test]
fn every_goal_that_ships_is_signalled_in_an_example() {
    let policy = loaded(&shipped_sources());
    let expected: std::collections::BTreeSet<&str> = policy
        .examples
        .iter()
        .filter_map(|e| e.expect.attributes.get("goal"))
        .flat_map(crate::triage::attribute::AttributeValue::iter)
        .collect();
    let missing: Vec<&String> = policy
        .goals
        .keys()
        .filter(|id| !expected.contains(id.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
