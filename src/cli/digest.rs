//! `northstar digest`: the weekly summary, from the store.

use std::path::PathBuf;

use anyhow::anyhow;

use crate::clock::{Clock, SystemClock};
use crate::digest;
use crate::settings::Settings;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::{policy, policy_folder};

use super::{Failure, Format, Outcome, runtime, unreachable, usage};

/// Print the weekly summary: what needs a decision, what came in, what is in flight, the KPIs.
#[derive(clap::Args)]
#[command(after_help = "\
Reads the store and the policy; nothing is sent to GitHub, and nothing is posted. Figures are those
of the week asked for; lists of open items are as they are now.

Examples:
  northstar digest --dry-run
  northstar digest --dry-run --week 2026-W47
  northstar digest --dry-run --format json | jq '.kpis[] | {id, figure}'")]
pub(super) struct Args {
    /// Print it; needed, as nothing else is done yet
    #[arg(long, required = true)]
    dry_run: bool,
    /// The week it is about, such as 2026-W47 [default: the last one that is over]
    #[arg(long)]
    week: Option<String>,
    /// The policy [default: that of the first organization in the settings]
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The settings file [default: northstar.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let settings = Settings::load(args.config.as_deref()).map_err(usage)?;
    let folder = args.policy.clone().or_else(|| {
        let first = settings.organizations.first();
        first.map(|organization| organization.policy.clone())
    });
    let folder = folder.ok_or_else(|| usage(anyhow!("no organization is served")))?;
    let sources = policy_folder::read(&folder).map_err(usage)?;
    let policy = policy::load(&sources).map_err(|found| {
        let text = policy::render::text(&found.0, &sources, false);
        usage(anyhow!("the policy has errors\n{text}"))
    })?;
    let schedule = digest::schedule(&policy)
        .ok_or_else(|| usage(anyhow!("the policy declares no `digest:`")))?;
    let slot = match &args.week {
        None => schedule.newest(SystemClock.now()),
        Some(week) => schedule
            .about(week)
            .ok_or_else(|| usage(anyhow!("`{week}` is no week: write it as 2026-W47")))?,
    };
    let past = runtime()?.block_on(async {
        let store = SqliteStore::open(&settings.store_url)
            .await
            .map_err(unreachable)?;
        let past = digest::installation_of(&store, &policy).await;
        store.close().await;
        past.map_err(unreachable)
    })?;
    let (_, past) = past.ok_or_else(|| {
        let owner = &policy.organization;
        Failure::Usage(anyhow!("the store knows no issue of {owner} yet"))
    })?;
    let made = digest::of_slot(&policy, &schedule, &slot, &past)
        .ok_or_else(|| usage(anyhow!("`post_to` names no issue")))?;
    match args.format {
        Format::Text => anstream::print!("{}", made.markdown()),
        Format::Json => {
            let json = serde_json::to_string_pretty(&made).map_err(unreachable)?;
            anstream::println!("{json}");
        }
    }
    Ok(())
}
