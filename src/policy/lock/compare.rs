//! The differences between what is pinned and what GitHub has, in words.

use crate::policy::model::FieldKind;
use crate::policy::read::Reader;
use crate::policy::yaml::Node;

use super::{Fields, Outline, Shown, at};

pub(super) const UPDATE: &str = "`northstar check --online --update` pins what is there now; then the check \
                      shows where the policy uses what is gone";

pub(super) fn boards(r: &mut Reader<'_>, policy: &Outline<'_, '_>, shown: &Shown) {
    for (key, _) in policy.merged.named("boards") {
        let Some(board) = key.text().and_then(|id| policy.boards.get(id)) else {
            continue;
        };
        let (id, number) = (&board.id, board.project);
        let Some(now) = shown.boards.get(id) else {
            let organization = &policy.organization;
            r.error_help(
                "no-board",
                key,
                format!(
                    "the board `{id}`, project {number} of {organization}, is not there or not \
                     visible to the App"
                ),
                Some(
                    "look whether the number is right, the project is still there, and the App \
                     may read the organisation's projects"
                        .to_owned(),
                ),
            );
            continue;
        };
        let Some((pinned, value)) = policy.pinned(id) else {
            let message = format!("the board `{id}` is not pinned");
            r.error_help("drift", key, message, Some(UPDATE.to_owned()));
            continue;
        };
        let fields = at(value, "fields").map(|(_, fields)| fields);
        for (field, message) in of_board(id, &board.fields, now) {
            let place = field.and_then(|field| at(fields?, field));
            let place = place.map_or(pinned, |(name, _)| name);
            r.error_help("drift", place, message, Some(UPDATE.to_owned()));
        }
    }
}

/// The differences of one board, each with the pinned field that it is about.
pub(super) fn of_board<'p>(
    id: &str,
    pinned: &'p Fields,
    now: &Fields,
) -> Vec<(Option<&'p str>, String)> {
    let mut out = Vec::new();
    let mut new: Vec<&String> = now.keys().filter(|f| !pinned.contains_key(*f)).collect();
    for (field, kind) in pinned {
        let name = Some(field.as_str());
        if let Some(found) = now.get(field) {
            let changes = of_field(kind, found).into_iter();
            out.extend(
                changes.map(|what| (name, format!("`{field}` of the board `{id}`: {what}"))),
            );
            continue;
        }
        let capitals = |other: &&String| other.eq_ignore_ascii_case(field);
        let alike = |other: &&String| now.get(*other).is_some_and(|found| resemble(kind, found));
        let renamed = new.iter().position(capitals);
        let renamed = renamed.or_else(|| new.iter().position(alike));
        out.push(match renamed.map(|place| new.remove(place)) {
            Some(other) => (
                name,
                format!(
                    "the board `{id}` has no field `{field}` any more; it seems to be called \
                     `{other}` now"
                ),
            ),
            None => (
                name,
                format!("the board `{id}` has no field `{field}` any more"),
            ),
        });
    }
    let new = new.into_iter();
    out.extend(new.map(|f| (None, format!("the board `{id}` has a new field `{f}`"))));
    out
}

/// Could the second be the first under another name? Not where there is nothing to tell it by.
fn resemble(pinned: &FieldKind, now: &FieldKind) -> bool {
    match (pinned, now) {
        (FieldKind::Options(a), FieldKind::Options(b))
        | (FieldKind::Iteration(a), FieldKind::Iteration(b)) => {
            let common = a.iter().filter(|name| b.contains(name)).count();
            2 * common > a.len().max(b.len())
        }
        _ => false,
    }
}

fn of_field(pinned: &FieldKind, now: &FieldKind) -> Vec<String> {
    match (pinned, now) {
        (FieldKind::Options(pinned), FieldKind::Options(now)) => of_list("option", pinned, now),
        (FieldKind::Iteration(pinned), FieldKind::Iteration(now)) => {
            of_list("iteration", pinned, now)
        }
        (pinned, now) if pinned == now => Vec::new(),
        (pinned, now) => vec![format!("it is {} now, not {}", kind(now), kind(pinned))],
    }
}

fn kind(of: &FieldKind) -> &'static str {
    match of {
        FieldKind::Options(_) => "a list of options",
        FieldKind::Text => "a text",
        FieldKind::Number => "a number",
        FieldKind::Date => "a date",
        FieldKind::Iteration(_) => "an iteration",
    }
}

/// A name that took another's place, where nothing else moved, is taken for a new name.
fn of_list(what: &str, pinned: &[String], now: &[String]) -> Vec<String> {
    let new = |name: &&String| !pinned.contains(name);
    let mut added: Vec<&String> = now.iter().filter(new).collect();
    let mut out = Vec::new();
    for (place, name) in pinned.iter().enumerate() {
        if now.contains(name) {
            continue;
        }
        let successor = now.get(place).filter(|_| pinned.len() == now.len());
        match added.iter().position(|a| Some(*a) == successor) {
            Some(index) => {
                let other = added.remove(index);
                out.push(format!(
                    "the {what} `{name}` seems to be called `{other}` now"
                ));
            }
            None => out.push(format!("the {what} `{name}` is gone")),
        }
    }
    out.extend(
        added
            .into_iter()
            .map(|name| format!("the {what} `{name}` is new")),
    );
    let kept = |list: &[String], other: &[String]| -> Vec<String> {
        let both = list.iter().filter(|name| other.contains(name));
        both.cloned().collect()
    };
    if kept(pinned, now) != kept(now, pinned) {
        let order = now.join(", ");
        out.push(format!("the {what}s are in another order now: {order}"));
    }
    out
}

pub(super) fn people(r: &mut Reader<'_>, policy: &Outline<'_, '_>, shown: &Shown) {
    for (key, value) in policy.merged.named("roles") {
        let Some(role) = key.text().and_then(|id| policy.roles.get(id)) else {
            continue;
        };
        let place = |what: &str| at(value, what).map_or(*key, |(_, names): &(Node, Node)| names);
        for team in role.teams.iter().filter(|t| !shown.teams.contains(*t)) {
            let message = format!(
                "the team `{team}` of the role `{}` is not there or not visible to the App: \
                 nobody is in it",
                role.id
            );
            let organization = &policy.organization;
            let help = format!("teams go by the name in their address at {organization}");
            r.error_help("no-team", place("teams"), message, Some(help));
        }
        for user in role.users.iter().filter(|u| !shown.users.contains(*u)) {
            let message = format!(
                "nobody has the login `{user}`, which the role `{}` names",
                role.id
            );
            let help = "whoever is meant may have changed their login".to_owned();
            r.error_help("no-user", place("users"), message, Some(help));
        }
    }
}
