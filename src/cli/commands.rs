//! `northstar commands`: the slash commands that a comment holds, as the bot reads them.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use crate::command::{self, Reading, Said, Vocabulary};

use super::decide::load;
use super::{Format, Outcome, usage};

/// Show the slash commands found in a comment
#[derive(clap::Args)]
#[command(after_help = "\
Without a policy the words of attributes are not checked: the first word is the value.

Examples:
  northstar commands comment.md
  echo '/triage accept fits the plan' | northstar commands
  northstar commands edited.md --before original.md     only what the edit added
  northstar commands comment.md --policy rules           are the values the policy's?
  northstar commands comment.md --format json")]
pub(super) struct Args {
    /// The comment's Markdown [default: standard input]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The comment before it was edited: show only what it did not have
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
    /// Check the words against this policy: its attributes and values, communities and limits
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
    /// The bot's login: `@LOGIN triage accept` is a command too
    #[arg(long, value_name = "LOGIN", default_value = "northstar")]
    bot: String,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One command, as programs read it.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    args: &'a [String],
    reason: &'a str,
    line: usize,
}

impl<'a> From<&'a Said> for Shown<'a> {
    fn from(said: &'a Said) -> Self {
        Self {
            name: &said.name,
            args: &said.args,
            reason: &said.reason,
            line: said.line,
        }
    }
}

pub(super) fn run(args: &Args) -> Outcome {
    let text = read(args.file.as_deref()).map_err(usage)?;
    let found = match &args.before {
        Some(before) => {
            let before = read(Some(before)).map_err(usage)?;
            command::newly_said(&before, &text, Some(&args.bot))
        }
        None => command::find(&text, Some(&args.bot)),
    };
    let vocabulary = match &args.policy {
        Some(folder) => Vocabulary::of(&load(folder)?),
        None => Vocabulary::without_policy(),
    };
    let readings: Vec<Reading> = found
        .iter()
        .filter_map(|found| command::read(found, &vocabulary))
        .collect();
    match args.format {
        Format::Json => {
            let lines: Vec<Shown<'_>> = readings.iter().filter_map(said).map(Shown::from).collect();
            anstream::println!("{}", serde_json::to_string(&lines).map_err(usage)?);
        }
        Format::Text => {
            if readings.is_empty() {
                anstream::println!("no command found");
            }
            for reading in &readings {
                anstream::println!("{}", text_of(reading));
            }
        }
    }
    Ok(())
}

/// A file, or standard input. Bytes that are no UTF-8 become replacement characters, as on GitHub.
fn read(file: Option<&Path>) -> anyhow::Result<String> {
    let bytes = if let Some(file) = file {
        std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?
    } else {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .context("standard input cannot be read")?;
        bytes
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The command, right or wrong.
fn said(reading: &Reading) -> Option<&Said> {
    match reading {
        Reading::Command { said, .. } | Reading::Wrong { said, .. } => Some(said),
        Reading::Unknown { .. } => None,
    }
}

fn text_of(reading: &Reading) -> String {
    let text = match reading {
        Reading::Command { said, .. } => words(said),
        Reading::Wrong { said, problem } => format!("{} ({problem})", words(said)),
        Reading::Unknown {
            name,
            did_you_mean,
            line,
        } => format!("line {line}: no command /{name}; did you mean /{did_you_mean}?"),
    };
    // Somebody else's text: it shall not steer the terminal.
    text.replace(char::is_control, "\u{fffd}")
}

fn words(said: &Said) -> String {
    let mut text = format!("line {}: /{}", said.line, said.name);
    for arg in &said.args {
        text.push(' ');
        text.push_str(arg);
    }
    if !said.reason.is_empty() {
        text.push_str(" — ");
        text.push_str(&said.reason);
    }
    text
}
