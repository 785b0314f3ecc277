//! `northstar digest`: the weekly summary, from the store.

use std::path::PathBuf;

use anyhow::anyhow;

use crate::clock::{Clock, SystemClock};
use crate::digest::{self, Wish};
use crate::insight::slot::Slot;
use crate::policy::Policy;
use crate::policy::model::Digest as Declared;
use crate::settings::Settings;
use crate::store::sqlite::SqliteStore;
use crate::store::{DigestRecord, Past, Store};

use super::{Failure, Format, Outcome, decide, runtime, unreachable, usage};

/// How many earlier digests are looked through for the one before.
const EARLIER: usize = 60;

/// The weekly summary: what needs a decision, what came in, what is in flight, the KPIs.
#[derive(clap::Args)]
#[command(after_help = "\
Without --dry-run the running service is asked to post the summary, or to edit the one that stands.
With it, the summary is made from the store and the policy, and nothing is sent to GitHub. Figures
are those of the week asked for; lists of open items are as they are now.

Examples:
  northstar digest --dry-run
  northstar digest --dry-run --week 2026-W47
  northstar digest --dry-run --format json | jq '.kpis[] | {id, figure}'
  northstar digest --week 2026-W47")]
pub(super) struct Args {
    /// Print it, and post nothing
    #[arg(long)]
    dry_run: bool,
    /// The week it is about, such as 2026-W47 [default: the last one that is over]
    #[arg(long)]
    week: Option<String>,
    /// Which digest of the policy [default: the first]
    #[arg(long)]
    id: Option<String>,
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
    let folder = decide::folder(args.policy.as_deref(), settings.organizations.first())?;
    let policy = decide::load(&folder)?;
    let declared = chosen(args, &policy)?;
    let schedule = digest::schedule(declared)
        .ok_or_else(|| usage(anyhow!("`{}` is not when a digest is due", declared.every)))?;
    let slot = match &args.week {
        None => schedule.newest(SystemClock.now()),
        Some(week) => schedule
            .about(week)
            .ok_or_else(|| usage(anyhow!("`{week}` is no week: write it as 2026-W47")))?,
    };
    if slot.from > SystemClock.now() {
        return Err(usage(anyhow!("{} has not begun yet", slot.week)));
    }
    let store = runtime()?.block_on(read(args, &settings, (&policy, declared), &slot))?;
    let Some((past, records)) = store else {
        return Ok(());
    };
    let place = digest::place(declared, &past);
    let when = (&schedule, &slot);
    let made = digest::of_slot(&policy, declared, when, &place, &past, &records);
    match args.format {
        Format::Text => anstream::print!("{}", made.markdown()),
        Format::Json => {
            let json = serde_json::to_string_pretty(&made).map_err(unreachable)?;
            anstream::println!("{json}");
        }
    }
    Ok(())
}

/// The digest that was asked for, or the first.
fn chosen<'p>(args: &Args, policy: &'p Policy) -> Result<&'p Declared, Failure> {
    let known = || {
        let ids: Vec<&str> = policy.digests.iter().map(|d| d.id.as_str()).collect();
        ids.join(", ")
    };
    match &args.id {
        None => policy
            .digests
            .first()
            .ok_or_else(|| usage(anyhow!("the policy declares no `digest:`"))),
        Some(id) => digest::declared(policy, id)
            .ok_or_else(|| usage(anyhow!("there is no digest `{id}`, but: {}", known()))),
    }
}

/// What the digest is made of; `None` once the service was asked to post it.
async fn read(
    args: &Args,
    settings: &Settings,
    (policy, declared): (&Policy, &Declared),
    slot: &Slot,
) -> Result<Option<(Past, Vec<DigestRecord>)>, Failure> {
    let store = SqliteStore::open(&settings.store_url)
        .await
        .map_err(unreachable)?;
    let found = digest::installation_of(&store, policy).await;
    let id = declared.id.as_str();
    let outcome = match found {
        Err(error) => Err(unreachable(error)),
        Ok(None) => {
            let owner = &policy.organization;
            Err(usage(anyhow!("the store knows no issue of {owner} yet")))
        }
        Ok(Some((installation, past))) if args.dry_run => store
            .digests(installation, id, EARLIER)
            .await
            .map(|records| Some((past, records)))
            .map_err(unreachable),
        Ok(Some((installation, _))) => {
            let wish = Wish {
                week: slot.week.clone(),
            };
            let asked = wish.ask(&store, installation, id, SystemClock.now()).await;
            asked.map_err(unreachable).map(|_| {
                anstream::println!(
                    "asked for the summary of {}; the running service posts it within a minute",
                    slot.week
                );
                None
            })
        }
    };
    store.close().await;
    outcome
}
