//! `northstar inbox`: what could not be handled, and another try for it.

use std::path::PathBuf;

use crate::clock::{Clock, SystemClock};
use crate::settings::Settings;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;

use super::{Failure, Format, Outcome, runtime, unreachable, usage};

/// List the deliveries that were given up, or run one again.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  northstar inbox
  northstar inbox --format json
  northstar inbox --again 72d3162e-cc78-11e3-81ab-4c9367dc0958")]
pub(super) struct Args {
    /// Put this delivery back in line (its X-GitHub-Delivery)
    #[arg(long, value_name = "GUID")]
    again: Option<String>,
    /// Most lines to list
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// The settings file [default: northstar.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args) -> Outcome {
    let settings = Settings::load(args.config.as_deref()).map_err(usage)?;
    runtime()?.block_on(async {
        let store = SqliteStore::open(&settings.store_url)
            .await
            .map_err(unreachable)?;
        let outcome = match &args.again {
            Some(guid) => again(&store, guid).await,
            None => list(&store, args).await,
        };
        store.close().await;
        outcome
    })
}

async fn again(store: &SqliteStore, guid: &str) -> Outcome {
    let found = store
        .revive(guid, SystemClock.now())
        .await
        .map_err(unreachable)?;
    if found {
        anstream::println!("{guid} is in line again");
        Ok(())
    } else {
        anstream::eprintln!("no delivery {guid} was given up; `northstar inbox` lists them");
        Err(Failure::No)
    }
}

async fn list(store: &SqliteStore, args: &Args) -> Outcome {
    let dead = store
        .dead_letters(None, args.limit)
        .await
        .map_err(unreachable)?;
    if args.format == Format::Json {
        let json = serde_json::to_string_pretty(&dead).map_err(unreachable)?;
        anstream::println!("{json}");
        return Ok(());
    }
    if dead.is_empty() {
        anstream::println!("nothing was given up");
    }
    for letter in dead {
        anstream::println!(
            "{}  {}.{}  {}  after {} tries: {}",
            letter.guid,
            letter.event,
            letter.action,
            letter.lane,
            letter.attempts,
            letter.error
        );
    }
    Ok(())
}
