//! What `/help` answers and the documentation shows, made from the table.

use std::fmt::Write;

use super::table::{self, Arg, Entry, Reason, Who};
use super::vocabulary::Vocabulary;

/// All commands as a Markdown table, for `/help` and (without a policy) for the documentation.
#[must_use]
pub fn help(vocabulary: &Vocabulary) -> String {
    let mut text = String::from("| command | does | who |\n|---|---|---|\n");
    for (name, entry) in rows(vocabulary) {
        let usage = cell(&usage(name, entry, vocabulary));
        let does = cell(&does(name, entry, vocabulary));
        let who = cell(&who(name, entry, vocabulary));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| `{usage}` | {does} | {who} |");
    }
    text.push_str(
        "\nAny command may name other items before its reason: \
         `/triage accept #12 owner/repo#15 fits the plan`. The rest of the line is the reason.\n",
    );
    text
}

/// One command, with an example; `None` if there is no such command.
#[must_use]
pub fn help_about(name: &str, vocabulary: &Vocabulary) -> Option<String> {
    let (name, entry) = rows(vocabulary).find(|(row, _)| *row == name)?;
    let usage = usage(name, entry, vocabulary);
    let does = does(name, entry, vocabulary);
    let who = who(name, entry, vocabulary);
    let example = example(name, entry, vocabulary);
    Some(format!(
        "`{usage}`\n\n{does}\n\nWho: {who}. Example: `{example}`\n"
    ))
}

/// The table's commands and then the policy's other attributes.
fn rows(vocabulary: &Vocabulary) -> impl Iterator<Item = (&str, &'static Entry)> {
    let attributes = vocabulary
        .attributes
        .keys()
        .map(String::as_str)
        .filter(|name| table::entry(name).is_none())
        .map(|name| (name, &table::ATTRIBUTE));
    // What the policy does not say cannot be done.
    let meant = |entry: &&Entry| match &vocabulary.shorthands {
        Some(known) if entry.who == Who::MaySetAll => known.contains_key(entry.name),
        _ => true,
    };
    table::TABLE
        .iter()
        .filter(meant)
        .map(|entry| (entry.name, entry))
        .chain(attributes)
}

fn usage(name: &str, entry: &Entry, vocabulary: &Vocabulary) -> String {
    let mut usage = format!("/{name}");
    for arg in entry.args {
        usage.push(' ');
        let values = values(name, vocabulary);
        match arg {
            Arg::Value if !values.is_empty() => usage.push_str(&values.join("|")),
            arg => usage.push_str(arg.usage()),
        }
    }
    usage.push_str(match entry.reason {
        Reason::Required => " REASON",
        Reason::Optional => " [REASON]",
    });
    usage
}

fn values<'v>(name: &str, vocabulary: &'v Vocabulary) -> Vec<&'v str> {
    let attribute = vocabulary.attributes.get(name);
    attribute
        .iter()
        .flat_map(|attribute| &attribute.values)
        .map(super::Value::word)
        .collect()
}

fn does(name: &str, entry: &Entry, vocabulary: &Vocabulary) -> String {
    if entry.name.is_empty() {
        return format!("Sets {name}; `-value` takes a value away, `none` all.");
    }
    let sets = vocabulary.shorthands.as_ref().and_then(|s| s.get(name));
    match sets {
        Some(sets) => format!("{} Sets `{}`.", entry.help, sets.join("`, `")),
        None => entry.help.to_owned(),
    }
}

fn who(name: &str, entry: &Entry, vocabulary: &Vocabulary) -> String {
    let roles = |command: &str| {
        let roles = vocabulary.commands.get(command)?;
        Some(roles.join(" or ")).filter(|roles| !roles.is_empty())
    };
    roles(name).unwrap_or_else(|| match entry.who {
        Who::Anyone => "anyone".to_owned(),
        Who::MaySet(attribute) => {
            roles(attribute).unwrap_or_else(|| format!("who may set {attribute}"))
        }
        Who::MaySetAll => "who may set all that it sets".to_owned(),
        Who::MaySetIt if entry.name.is_empty() => format!("who may set {name}"),
        Who::MaySetIt => "who may set what it names".to_owned(),
        Who::Role(role) => role.to_owned(),
    })
}

fn example(name: &str, entry: &Entry, vocabulary: &Vocabulary) -> String {
    if !entry.name.is_empty() {
        return entry.example.to_owned();
    }
    let value = values(name, vocabulary).first().copied().unwrap_or("VALUE");
    if value.contains(char::is_whitespace) {
        format!("/{name} \"{value}\"")
    } else {
        format!("/{name} {value}")
    }
}

/// Text of the policy in a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
