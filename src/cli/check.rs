//! `northstar check`: is the policy right?

use std::path::PathBuf;

use serde_json::json;

use crate::policy::examples::ExampleResult;
use crate::policy::{self, Diagnostic, Policy, Severity, render};
use crate::policy_folder;

use super::{Failure, Outcome, usage};

/// Read a policy, report everything that is wrong with it, and run its examples.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  northstar check
  northstar check rules --format json
  northstar check rules --format github     annotations in a GitHub workflow")]
pub(super) struct Args {
    /// The policy's folder, or one file
    #[arg(default_value = "rules", value_name = "DIR")]
    folder: PathBuf,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    #[default]
    Text,
    Json,
    /// Workflow commands that GitHub shows beside the lines
    Github,
}

pub(super) fn run(args: &Args) -> Outcome {
    let sources = policy_folder::read(&args.folder).map_err(usage)?;
    let (findings, policy) = match policy::load(&sources) {
        Ok(policy) => (policy.warnings.clone(), Some(policy)),
        Err(found) => (found.0, None),
    };
    match args.format {
        Format::Text => anstream::print!("{}", render::text(&findings, &sources, true)),
        Format::Github => anstream::print!("{}", render::github(&findings)),
        Format::Json => {}
    }
    let failed = policy.as_ref().map(failing_examples).unwrap_or_default();
    if args.format == Format::Json {
        print_json(&findings, &failed)?;
    } else {
        for example in &failed {
            anstream::print!("this example fails: {}", example.text());
        }
        summary(&findings, policy.as_ref(), failed.len());
    }
    let wrong = findings.iter().any(|d| d.severity == Severity::Error) || !failed.is_empty();
    if wrong { Err(Failure::No) } else { Ok(()) }
}

/// The examples that do not end as they say.
fn failing_examples(policy: &Policy) -> Vec<ExampleResult> {
    let mut results = policy::examples::run(policy);
    results.retain(|result| !result.passed());
    results
}

fn print_json(findings: &[Diagnostic], failed: &[ExampleResult]) -> Outcome {
    let mut all = render::json(findings);
    if let Some(list) = all.as_array_mut() {
        list.extend(failed.iter().map(|example| {
            let differences = example.differences.join("; ");
            json!({
                "severity": "error",
                "code": "example-fails",
                "file": example.file,
                "line": example.line,
                "column": 1,
                "message": format!("example {} fails: {differences}", example.name),
                "help": "decide which of the two is right, the example or the rules",
            })
        }));
    }
    let text = serde_json::to_string_pretty(&all).map_err(usage)?;
    anstream::println!("{text}");
    Ok(())
}

fn summary(findings: &[Diagnostic], policy: Option<&Policy>, failed: usize) {
    let errors = findings
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .count();
    let warnings = findings.len() - errors;
    match policy {
        Some(policy) => anstream::println!(
            "{} principles, {} rules, {} attributes, {} examples: {}",
            policy.principles.len(),
            policy.rules.len(),
            policy.attributes.len(),
            policy.examples.len(),
            match (failed, warnings) {
                (0, 0) => "all is well".to_owned(),
                (0, n) => format!("{n} warning(s)"),
                (n, _) => format!("{n} example(s) fail"),
            }
        ),
        None => anstream::println!("{errors} error(s), {warnings} warning(s)"),
    }
}
