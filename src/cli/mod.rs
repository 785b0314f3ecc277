//! The command line: one file per subcommand.
//!
//! *In:* arguments. *Out:* text or JSON on stdout, progress and errors on stderr, an exit code:
//! 0 done, 1 the answer is no, 2 wrong usage or settings, 3 GitHub or the store was not reached.
//! *May call:* every room.

mod audit;
mod check;
mod commands;
mod decide;
mod demo;
mod digest;
mod inbox;
mod logs;
mod online;
mod plan;
mod schema;
mod serve;
mod why;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Triages product work on GitHub by your organisation's own principles.
#[derive(Parser)]
#[command(name = "northstar", version, about, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  northstar demo --once                 see it work, without credentials or network
  northstar check rules                 is the policy right?
  northstar decide --policy rules --event issues --payload event.json
  northstar serve                       run the service by northstar.toml";

#[derive(Subcommand)]
enum Command {
    Demo(demo::Args),
    Serve(serve::Args),
    Check(check::Args),
    Decide(decide::Args),
    Why(why::Args),
    Commands(commands::Args),
    Inbox(inbox::Args),
    Audit(audit::Args),
    Plan(plan::Args),
    Digest(digest::Args),
    Schema(schema::Args),
}

/// How a command prints its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
}

/// How a command ended, other than well.
enum Failure {
    /// The answer is no. What there was to say has been said.
    No,
    /// Wrong usage or settings.
    Usage(anyhow::Error),
    /// GitHub or the store could not be reached.
    Unreachable(anyhow::Error),
}

type Outcome = Result<(), Failure>;

/// Wrong usage, with what went wrong.
fn usage(error: impl Into<anyhow::Error>) -> Failure {
    Failure::Usage(error.into())
}

/// Not reached, with what went wrong.
fn unreachable(error: impl Into<anyhow::Error>) -> Failure {
    Failure::Unreachable(error.into())
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Decide(args) => decide::run(&args),
        Command::Why(args) => why::run(&args),
        Command::Commands(args) => commands::run(&args),
        Command::Inbox(args) => inbox::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Digest(args) => digest::run(&args),
        Command::Schema(args) => {
            schema::run(&args);
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::No) => ExitCode::from(1),
        Err(Failure::Usage(error)) => {
            say(&error);
            ExitCode::from(2)
        }
        Err(Failure::Unreachable(error)) => {
            say(&error);
            ExitCode::from(3)
        }
    }
}

fn say(error: &anyhow::Error) {
    let style = anstyle::AnsiColor::Red.on_default().bold();
    anstream::eprintln!("{style}error{style:#}: {}", with_causes(error));
}

/// An error and its causes, but for those that it names itself.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// The runtime of commands that need one.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(unreachable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let missing = std::fs::read("/no/such/file").expect_err("it is not there");
        let says = missing.to_string();
        let named = anyhow::Error::from(missing).context(format!("cannot read x: {says}"));
        assert_eq!(with_causes(&named), format!("cannot read x: {says}"));
        let outer = named.context("starting");
        assert_eq!(
            with_causes(&outer),
            format!("starting: cannot read x: {says}")
        );
    }
}
