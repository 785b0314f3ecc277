//! `northstar check`: is the policy right?

use std::path::PathBuf;

use serde_json::json;

use crate::policy::examples::ExampleResult;
use crate::policy::render::{self, counted};
use crate::policy::{self, Diagnostic, Policy, Severity, Source, lock};
use crate::policy_folder;
use crate::settings::Settings;

use super::{Failure, Outcome, online, runtime, usage};

/// Read a policy, report everything that is wrong with it, and run its examples.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  northstar check
  northstar check rules --format json
  northstar check rules --format github     annotations in a GitHub workflow
  northstar check --online                  are the boards as they are pinned?
  northstar check --online --update         pin them as they are now

--online asks GitHub, by the settings of the service, for the boards, teams and users that the
policy names. Beside the policy's own errors it reports what is not there and what is no longer as
the policy's *.lock.yaml has it. --update writes these files anew where they differ, and keeps the
comment at their head.")]
pub(super) struct Args {
    /// The policy's folder, or one file
    #[arg(default_value = "rules", value_name = "DIR")]
    folder: PathBuf,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Compare the policy with what is on GitHub, too
    #[arg(long)]
    online: bool,
    /// Write the lock files anew where a board has changed
    #[arg(long, requires = "online")]
    update: bool,
    /// The settings file [default: northstar.toml, if it is there]
    #[arg(long, value_name = "FILE", requires = "online")]
    config: Option<PathBuf>,
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
    let mut sources = policy_folder::read(&args.folder).map_err(usage)?;
    let drift = if args.online {
        drift(args, &mut sources)?
    } else {
        Vec::new()
    };
    let (mut findings, policy) = match policy::load(&sources) {
        Ok(policy) => (policy.warnings.clone(), Some(policy)),
        Err(found) => (found.0, None),
    };
    findings.extend(drift);
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
        summary(args.format, &findings, policy.as_ref(), failed.len());
    }
    let wrong = findings.iter().any(|d| d.severity == Severity::Error) || !failed.is_empty();
    if wrong { Err(Failure::No) } else { Ok(()) }
}

/// How GitHub differs from the policy, after writing the lock files anew where that is wanted: the
/// sources are then what is in the files now.
fn drift(args: &Args, sources: &mut Vec<Source>) -> Result<Vec<Diagnostic>, Failure> {
    let settings = Settings::load(args.config.as_deref()).map_err(usage)?;
    let Some(named) = lock::named(sources) else {
        anstream::eprintln!("GitHub was not asked: mend what follows first");
        return Ok(Vec::new());
    };
    let shown = runtime()?.block_on(online::look(&settings, &named))?;
    if args.update {
        let before = lock::drift(sources, &shown);
        let written = online::update(&args.folder, sources, &shown)?;
        for path in &written {
            anstream::eprintln!("wrote {path}");
        }
        if written.is_empty() {
            anstream::eprintln!("the boards are as they are pinned: nothing written");
        } else {
            *sources = policy_folder::read(&args.folder).map_err(usage)?;
            let left = lock::drift(sources, &shown);
            let still = |d: &&Diagnostic| !left.iter().any(|l| l.message == d.message);
            for mended in before.iter().filter(still) {
                anstream::eprintln!("  {}", mended.message);
            }
        }
    }
    Ok(lock::drift(sources, &shown))
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

/// The last line. (Of a policy that is wrong the text format has it already.)
fn summary(format: Format, findings: &[Diagnostic], policy: Option<&Policy>, failed: usize) {
    let failing = (failed > 0).then(|| format!("{} failed", counted(failed, "example")));
    let Some(policy) = policy else {
        if format == Format::Github {
            anstream::println!("{}", render::counts(findings));
        }
        return;
    };
    let (errors, warnings): (Vec<_>, Vec<_>) =
        findings.iter().partition(|d| d.severity == Severity::Error);
    if !errors.is_empty() {
        let counted = counted(errors.len(), "error");
        let failing = failing.map_or_else(String::new, |failing| format!(", {failing}"));
        anstream::println!("GitHub differs from the policy: {counted}{failing}");
        return;
    }
    let verdict = failing.unwrap_or_else(|| match warnings.len() {
        0 => "all is well".to_owned(),
        n => counted(n, "warning"),
    });
    anstream::println!(
        "{}, {}, {}, {}: {verdict}",
        counted(policy.principles.len(), "principle"),
        counted(policy.rules.len(), "rule"),
        counted(policy.attributes.len(), "attribute"),
        counted(policy.examples.len(), "example"),
    );
}
