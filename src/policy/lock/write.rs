//! Lock files as text: the same content always in the same words.

use std::fmt::Write as _;

use crate::policy::diagnostic::Source;
use crate::policy::load;
use crate::policy::model::FieldKind;
use crate::policy::yaml::Node;

use super::goals;
use super::{Fields, Outline, Shown};
use crate::policy::model::PinnedGoal;

/// Lists that fit are written in one line.
const WIDTH: usize = 100;

const HEAD: &str = "\
# What lives on GitHub, so that checking and deciding need no network.
# Written by `northstar check --online --update`; a name that drifts is then found, not guessed.
";

pub(super) fn files(policy: &Outline<'_, '_>, shown: &Shown, fresh: &str) -> Vec<Source> {
    let sources = policy.sources.iter().enumerate();
    let locks: Vec<(usize, &Source)> = sources.filter(|(_, s)| load::is_lock(s)).collect();
    let mut unpinned: Vec<(String, Fields)> = (policy.boards.keys())
        .filter(|id| policy.pinned(id).is_none())
        .filter_map(|id| Some((id.clone(), shown.boards.get(id)?.clone())))
        .collect();
    let kept_on_a_board = policy.boards.values().any(|board| board.goals);
    let on_board = shown.goals.as_ref().filter(|_| kept_on_a_board);
    let mut goals_left = on_board.map(|found| goals::arranged(policy, found));
    // All goals stand in one file: where they stood, or in the first.
    let stood = policy.merged.pinned_goals.first().map(|(key, _)| key.file);
    let home = stood.or(locks.first().map(|(file, _)| *file));
    let mut out = Vec::new();
    for (file, source) in locks {
        let here = |(key, _): &&(&Node, &Node)| key.file == file;
        let pinned = policy.merged.pinned.iter().filter(here);
        let ids: Vec<&str> = pinned.filter_map(|(key, _)| key.text()).collect();
        let before = ids.iter().filter_map(|id| policy.boards.get(*id));
        let before: Vec<(String, Fields)> = before
            .map(|board| (board.id.clone(), board.fields.clone()))
            .collect();
        let mut after: Vec<(String, Fields)> = before
            .iter()
            .map(|(id, fields)| (id.clone(), arranged(fields, shown.boards.get(id))))
            .collect();
        after.append(&mut unpinned);
        let goals = policy.merged.pinned_goals.iter().filter(here);
        let goals_before: Vec<PinnedGoal> = goals.map(|(_, goal)| goals::read(goal)).collect();
        let goals = match &mut goals_left {
            Some(goals) if home == Some(file) => std::mem::take(goals),
            Some(_) => Vec::new(),
            None => goals_before.clone(),
        };
        // Boards that the policy does not name are not in `before`, but in the file.
        if before != after || ids.len() != before.len() || goals != goals_before {
            let text = text(&head(&source.text), &after, &goals);
            out.push(Source::new(&source.path, text));
        }
    }
    let goals = goals_left.unwrap_or_default();
    if !unpinned.is_empty() || !goals.is_empty() {
        out.push(Source::new(fresh, text(HEAD, &unpinned, &goals)));
    }
    out
}

/// What the board has, in the order in which it was pinned: so a change is seen for what it is.
fn arranged(pinned: &Fields, now: Option<&Fields>) -> Fields {
    let Some(now) = now else {
        return pinned.clone();
    };
    let kept = pinned.keys().filter_map(|name| now.get_key_value(name));
    let new = now.iter().filter(|(name, _)| !pinned.contains_key(*name));
    let all = kept.chain(new);
    all.map(|(name, kind)| (name.clone(), kind.clone()))
        .collect()
}

/// The comment at the head of a file.
fn head(text: &str) -> String {
    let comment = |line: &&str| line.starts_with('#');
    let lines = text.lines().take_while(comment);
    lines.fold(String::new(), |head, line| head + line + "\n")
}

fn text(head: &str, boards: &[(String, Fields)], goals: &[PinnedGoal]) -> String {
    let mut out = head.to_owned();
    if !boards.is_empty() {
        out += "boards:\n";
    }
    for (id, fields) in boards {
        let _ = writeln!(out, "  {}:", word(id));
        let none = if fields.is_empty() { " {}" } else { "" };
        let _ = writeln!(out, "    fields:{none}");
        for (name, kind) in fields {
            let name = word(name);
            let kind = match kind {
                FieldKind::Options(options) => {
                    list(&mut out, 6, &name, options);
                    continue;
                }
                FieldKind::Iteration(iterations) if !iterations.is_empty() => {
                    let _ = writeln!(out, "      {name}:");
                    list(&mut out, 8, "iterations", iterations);
                    continue;
                }
                FieldKind::Iteration(_) => "iteration",
                FieldKind::Text => "text",
                FieldKind::Number => "number",
                FieldKind::Date => "date",
            };
            let _ = writeln!(out, "      {name}: {kind}");
        }
    }
    if !goals.is_empty() {
        out += "goals:\n";
    }
    for goal in goals {
        let _ = writeln!(out, "  - id: {}", word(&goal.id));
        for (key, value) in [
            ("title", &goal.title),
            ("item", &goal.item),
            ("issue", &goal.issue),
        ] {
            if let Some(value) = value {
                let _ = writeln!(out, "    {key}: {}", word(value));
            }
        }
    }
    out
}

fn list(out: &mut String, indent: usize, name: &str, words: &[String]) {
    let words: Vec<String> = words.iter().map(|text| word(text)).collect();
    let line = format!("{:indent$}{name}: [{}]", "", words.join(", "));
    if line.chars().count() <= WIDTH {
        let _ = writeln!(out, "{line}");
        return;
    }
    let _ = writeln!(out, "{:indent$}{name}:", "");
    for text in words {
        let _ = writeln!(out, "{:indent$}  - {text}", "");
    }
}

/// A text as a YAML scalar that every reader takes for a text, in a list too: plain where it is of
/// harmless characters and no other kind of value, else in quotes, escaped.
fn word(text: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || " /&-_.()+".contains(c);
    let meaning = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let numeric = text.parse::<f64>().is_ok();
    if text.starts_with(char::is_alphabetic)
        && text.chars().all(harmless)
        && !text.ends_with(' ')
        && !numeric
        && !meaning.contains(&text.to_lowercase().as_str())
    {
        return text.to_owned();
    }
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Invisible characters, and those by which YAML ends a line.
            c if c.is_control() || "\u{2028}\u{2029}\u{feff}".contains(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "\""
}
