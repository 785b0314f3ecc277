//! `northstar decide`: what the policy makes of one recorded event. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use jiff::Timestamp;

use crate::policy::{self, Policy, render};
use crate::policy_folder;
use crate::receive::payload;
use crate::settings::OrganizationSettings;
use crate::store::ItemRecord;
use crate::triage::explain::{About, Ask, Audience, Explanation, explain};
use crate::triage::{decide, plan, report};
use crate::worker::observe::{self, Surroundings};

use super::{Outcome, usage};

/// Decide one recorded webhook: attributes, labels, comments, board moves, and why.
///
/// Shows what mode `enforce` would write, and which mode is in force. Nothing is read from GitHub:
/// the board and the history of the item are taken to be empty. GitHub's `author_association`
/// stands for the author's membership unless --role says more.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  northstar decide --policy rules --event issues --payload event.json
  northstar decide --event issues --payload event.json --format json | jq .labels
  northstar decide --event issues --payload event.json --role product_lead --now 2026-11-20T12:00:00Z
  northstar decide --event issues --payload event.json --explain
  northstar decide --event issues --payload event.json --explain --rule critical-goes-ahead")]
pub(super) struct Args {
    /// The policy's folder, or one file
    #[arg(long, value_name = "DIR", default_value = "rules")]
    policy: PathBuf,
    /// GitHub's name of the event (the X-GitHub-Event header)
    #[arg(long, value_name = "NAME")]
    event: String,
    /// The webhook's body
    #[arg(long, value_name = "FILE")]
    payload: PathBuf,
    /// Decide as if it were this time [default: when the issue was last updated]
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// A role of the policy that the author has; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Say why: each rule that took part, down to the facts its condition saw
    #[arg(long)]
    explain: bool,
    /// Explain only this rule, or those of an attribute or principle, fired or not
    #[arg(long, value_name = "ID", requires = "explain")]
    rule: Option<String>,
    /// Leave out what the policy calls internal, as a comment on a public issue would
    #[arg(long, requires = "explain")]
    public: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    #[default]
    Text,
    Json,
    /// As it would stand in a comment; `decide` has it only with --explain
    Markdown,
}

pub(super) fn run(args: &Args) -> Outcome {
    let policy = load(&args.policy)?;
    let body = std::fs::read(&args.payload)
        .with_context(|| format!("cannot read {}", args.payload.display()))
        .map_err(usage)?;
    let json: serde_json::Value = serde_json::from_slice(&body)
        .with_context(|| format!("{} is not JSON", args.payload.display()))
        .map_err(usage)?;
    let mirror = payload::mirror_issue(&body).ok_or_else(|| {
        usage(anyhow!(
            "an event `{}` with this body is not about an issue; there is nothing to decide",
            args.event
        ))
    })?;
    let association = json["issue"]["author_association"].as_str().unwrap_or("");
    let surroundings = Surroundings {
        now: args.now.unwrap_or(mirror.issue.updated_at),
        author_roles: roles(&policy, association, &args.roles)?,
        board_ids: BTreeMap::new(),
        iterations: BTreeMap::new(),
    };
    let snapshot = observe::snapshot(&policy, &ItemRecord::default(), &mirror, surroundings);
    if args.explain {
        let ask = Ask {
            about: match &args.rule {
                Some(name) => named(&policy, name)?,
                None => About::Decision,
            },
            audience: if args.public {
                Audience::Public
            } else {
                Audience::Internal
            },
        };
        return print(&explain(&policy, &snapshot, ask), args.format);
    }
    let decision = decide(&policy, &snapshot);
    let plan = plan(&policy, &snapshot, &decision);
    match args.format {
        Format::Json => {
            let object = report::json(&policy, &snapshot, &decision, &plan);
            let text = serde_json::to_string_pretty(&object).map_err(usage)?;
            anstream::println!("{text}");
        }
        Format::Text => anstream::print!("{}", report::text(&policy, &snapshot, &decision, &plan)),
        Format::Markdown => {
            return Err(usage(anyhow!("--format markdown goes with --explain")));
        }
    }
    Ok(())
}

pub(super) fn print(explanation: &Explanation, format: Format) -> Outcome {
    match format {
        Format::Text => anstream::print!("{}", explanation.text()),
        Format::Markdown => anstream::print!("{}", explanation.markdown()),
        Format::Json => {
            let text = serde_json::to_string_pretty(explanation).map_err(usage)?;
            anstream::println!("{text}");
        }
    }
    Ok(())
}

/// What is asked about has to be there.
pub(super) fn named<'a>(policy: &Policy, name: &'a str) -> Result<About<'a>, super::Failure> {
    About::named(policy, name).ok_or_else(|| {
        let known: Vec<&str> = policy
            .rules
            .keys()
            .chain(policy.attributes.keys())
            .chain(policy.principles.keys())
            .map(String::as_str)
            .collect();
        let hint = policy::diagnostic::suggest(name, known.iter().copied())
            .unwrap_or_else(|| format!("it has: {}", known.join(", ")));
        usage(anyhow!(
            "the policy has no rule, attribute or principle `{name}`; {hint}"
        ))
    })
}

/// Where the policy lies: where it is said, or where the organisation's settings say.
pub(super) fn folder(
    named: Option<&Path>,
    served: Option<&OrganizationSettings>,
) -> Result<PathBuf, super::Failure> {
    if let Some(folder) = named {
        return Ok(folder.to_owned());
    }
    let served = served.ok_or_else(|| usage(anyhow!("no organization is served")))?;
    let folder = served.policy.folder().ok_or_else(|| {
        let place = &served.policy;
        usage(anyhow!(
            "the policy is {place}; name a checkout of it with --policy"
        ))
    })?;
    Ok(folder.to_owned())
}

/// The policy of a folder; its errors are printed.
pub(super) fn load(folder: &Path) -> Result<Policy, super::Failure> {
    let sources = policy_folder::read(folder).map_err(usage)?;
    policy::load(&sources).map_err(|found| {
        anstream::eprint!("{}", render::text(&found.0, &sources, true));
        usage(anyhow!("the policy in {} has errors", folder.display()))
    })
}

fn roles(
    policy: &Policy,
    association: &str,
    given: &[String],
) -> Result<BTreeSet<String>, super::Failure> {
    if let Some(unknown) = given.iter().find(|r| !policy.roles.contains_key(*r)) {
        let known: Vec<_> = policy.roles.keys().map(String::as_str).collect();
        return Err(usage(anyhow!(
            "the policy has no role `{unknown}`; it has: {}",
            known.join(", ")
        )));
    }
    let member = matches!(association, "MEMBER" | "OWNER");
    let by_membership = policy
        .roles
        .values()
        .filter(|r| member && r.organization)
        .map(|r| r.id.clone());
    Ok(given.iter().cloned().chain(by_membership).collect())
}
