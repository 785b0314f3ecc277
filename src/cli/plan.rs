//! `northstar plan`: what rules would change and may not of their own accord.

use std::path::PathBuf;

use crate::clock::{Clock, SystemClock};
use crate::settings::Settings;
use crate::store::sqlite::SqliteStore;
use crate::store::{HeldPlan, Store};
use crate::triage::report::in_words;
use crate::worker::radius::kept_since;

use super::{Failure, Format, Outcome, runtime, unreachable, usage};

/// Show the plans that wait because rules would change many items at once.
#[derive(clap::Args)]
#[command(after_help = "\
A plan is let go by `/apply ID`, said in a comment by whoever may, and ends after seven days.

Examples:
  northstar plan
  northstar plan k3f9ab
  northstar plan --format json")]
pub(super) struct Args {
    /// Only this plan
    id: Option<String>,
    /// The settings file [default: northstar.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args) -> Outcome {
    let settings = Settings::load(args.config.as_deref()).map_err(usage)?;
    let mut plans = runtime()?.block_on(async {
        let store = SqliteStore::open(&settings.store_url)
            .await
            .map_err(unreachable)?;
        let plans = all(&store).await;
        store.close().await;
        plans
    })?;
    if let Some(id) = &args.id {
        plans.retain(|plan| plan.id.eq_ignore_ascii_case(id));
        if plans.is_empty() {
            anstream::eprintln!("there is no plan {id}; `northstar plan` lists them");
            return Err(Failure::No);
        }
    }
    if args.format == Format::Json {
        let json = serde_json::to_string_pretty(&plans).map_err(unreachable)?;
        anstream::println!("{json}");
        return Ok(());
    }
    if plans.is_empty() {
        anstream::println!("no plan waits");
    }
    for plan in plans {
        let state = match plan.applied_at {
            Some(at) => format!("let go {at:.0}"),
            None => "waits".to_owned(),
        };
        anstream::println!(
            "{}  {} items, made {:.0}, {state}",
            plan.id,
            plan.items.len(),
            plan.made_at
        );
        for item in &plan.items {
            let writes: Vec<String> = item.writes.iter().map(in_words).collect();
            anstream::println!("  {}: {}", item.name, writes.join(", "));
        }
    }
    Ok(())
}

async fn all(store: &SqliteStore) -> Result<Vec<HeldPlan>, Failure> {
    let since = kept_since(SystemClock.now());
    let mut plans = Vec::new();
    for installation in store.installations().await.map_err(unreachable)? {
        let found = store.plans(installation, since).await;
        plans.extend(found.map_err(unreachable)?);
    }
    Ok(plans)
}
