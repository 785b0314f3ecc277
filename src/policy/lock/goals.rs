//! Goals that are items of a board: how they differ from what is pinned, and how they are pinned.

use crate::policy::model::{PinnedGoal, loosely_equal};
use crate::policy::read::Reader;
use crate::policy::yaml::Node;

use super::compare::UPDATE;
use super::{Objective, Outline, Shown, at};

/// A goal's short name is cut here, in characters: it becomes part of a label.
const LONGEST: usize = 30;

pub(super) fn read(node: &Node) -> PinnedGoal {
    let said = |key: &str| {
        let text = at(node, key).and_then(|(_, value)| value.text());
        text.map(str::to_owned)
    };
    PinnedGoal {
        id: said("id").unwrap_or_default(),
        title: said("title"),
        item: said("item"),
        issue: said("issue"),
    }
}

fn pin(id: &str, goal: &Objective) -> PinnedGoal {
    PinnedGoal {
        id: id.to_owned(),
        title: Some(goal.title.clone()),
        item: Some(goal.item.clone()),
        issue: (!goal.issue.is_empty()).then(|| goal.issue.clone()),
    }
}

/// The goal on the board that is this pinned one: by its item; one that was written by hand by its
/// title.
fn place_of(pinned: &PinnedGoal, goals: &[Objective]) -> Option<usize> {
    match &pinned.item {
        Some(item) => goals.iter().position(|goal| goal.item == *item),
        None => goals
            .iter()
            .position(|goal| loosely_equal(&goal.title, pinned.title())),
    }
}

pub(super) fn compare(r: &mut Reader<'_>, policy: &Outline<'_, '_>, shown: &Shown) {
    let holds_goals = |key: &&Node| {
        let board = key.text().and_then(|id| policy.boards.get(id));
        board.is_some_and(|board| board.goals)
    };
    let keys = policy.merged.named("boards").iter().map(|(key, _)| *key);
    let (Some(board), Some(goals)) = (keys.clone().find(holds_goals), &shown.goals) else {
        return;
    };
    let (keys, pinned): (Vec<_>, Vec<_>) = (policy.merged.pinned_goals.iter())
        .map(|(key, node)| (*key, read(node)))
        .unzip();
    for (which, message) in differences(&pinned, goals, |_| true) {
        let place = which.and_then(|which| keys.get(which).copied());
        r.error_help(
            "drift",
            place.unwrap_or(board),
            message,
            Some(UPDATE.to_owned()),
        );
    }
}

/// The differences, each with the pinned goal that it is about; titles only where they may be told.
pub(super) fn differences(
    pinned: &[PinnedGoal],
    goals: &[Objective],
    may_tell: impl Fn(&Objective) -> bool,
) -> Vec<(Option<usize>, String)> {
    let mut found = vec![false; goals.len()];
    let mut out = Vec::new();
    for (which, pinned) in pinned.iter().enumerate() {
        let id = &pinned.id;
        let Some(place) = place_of(pinned, goals) else {
            let message = format!("the goal `{id}` is not on its board any more");
            out.push((Some(which), message));
            continue;
        };
        found[place] = true;
        let goal = &goals[place];
        if goal.title != pinned.title() {
            let now = if may_tell(goal) {
                format!("is called `{}` now", goal.title)
            } else {
                "has another title now".to_owned()
            };
            out.push((Some(which), format!("the goal `{id}` {now}")));
        } else if pin(id, goal) != *pinned {
            let message = format!("the goal `{id}` is not pinned to its item");
            out.push((Some(which), message));
        }
    }
    for (goal, _) in goals.iter().zip(found).filter(|(_, found)| !found) {
        let message = if may_tell(goal) {
            format!("there is a new goal, `{}`", goal.title)
        } else {
            "there is a new goal".to_owned()
        };
        out.push((None, message));
    }
    out
}

/// What is to be pinned: in the order in which it was, what is new at the end.
pub(super) fn arranged(policy: &Outline<'_, '_>, goals: &[Objective]) -> Vec<PinnedGoal> {
    let mut left: Vec<&Objective> = goals.iter().collect();
    let mut out: Vec<PinnedGoal> = Vec::new();
    for (_, node) in &policy.merged.pinned_goals {
        let pinned = read(node);
        if let Some(place) = place_of(&pinned, goals) {
            left.retain(|goal| **goal != goals[place]);
            out.push(pin(&pinned.id, &goals[place]));
        }
    }
    for goal in left {
        let id = id_for(policy, goal, &out);
        out.push(pin(&id, goal));
    }
    out
}

/// The short name by which the policy speaks of the goal already, else one made of its title.
fn id_for(policy: &Outline<'_, '_>, goal: &Objective, taken: &[PinnedGoal]) -> String {
    let is_free = |id: &str| !taken.iter().any(|other| other.id.eq_ignore_ascii_case(id));
    for (key, node) in policy.merged.named("goals") {
        let id = key.text().unwrap_or_default();
        let title = at(node, "title").and_then(|(_, title)| title.text());
        let same = loosely_equal(id, &goal.title)
            || title.is_some_and(|title| loosely_equal(title, &goal.title));
        if same && is_free(id) {
            return id.to_owned();
        }
    }
    let made = slug(&goal.title);
    let mut id = made.clone();
    let mut number = 1;
    while !is_free(&id) {
        number += 1;
        id = format!("{made}-{number}");
    }
    id
}

/// Small letters and digits, joined by hyphens, cut between words.
fn slug(title: &str) -> String {
    let mut out = String::new();
    let words = title.split(|c: char| !c.is_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        let word = word.to_lowercase();
        let length = out.chars().count() + 1 + word.chars().count();
        if !out.is_empty() && length > LONGEST {
            break;
        }
        if !out.is_empty() {
            out.push('-');
        }
        out.extend(word.chars().take(LONGEST));
    }
    // What means nothing to a policy needs another name.
    if out.is_empty() || out == "none" {
        "goal".to_owned()
    } else {
        out
    }
}
