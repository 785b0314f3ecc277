//! `northstar why`: what is decided of one item of the store, and why.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};

use crate::clock::{Clock, SystemClock};
use crate::ids::{InstallationId, RepoName};
use crate::settings::Settings;
use crate::store::sqlite::SqliteStore;
use crate::store::{ItemRecord, Store, StoreError};
use crate::triage::explain::{About, Ask, Audience, explain};
use crate::triage::snapshot::Snapshot;
use crate::worker::{Organizations, PolicySource, observe};

use super::decide::{self, Format};
use super::{Failure, Outcome, audit, online, runtime, unreachable, usage};

/// Say why an item is as it is: each rule that took part, down to the facts its condition saw.
///
/// The item, its history and its place on boards are those that the service has in its store. They
/// are decided once more, now, by the policy as it is now; nothing is written. Who the author is to
/// the organisation is asked of GitHub.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  northstar why 2i2c-org/infrastructure#12
  northstar why 2i2c-org/infrastructure#12 triage
  northstar why 2i2c-org/infrastructure#12 requests-wait-for-triage --format json")]
pub(super) struct Args {
    #[arg(value_name = "OWNER/REPO#N", value_parser = audit::item)]
    item: (RepoName, u64),
    /// Only this rule, or those of an attribute or principle, fired or not
    #[arg(value_name = "RULE|ATTRIBUTE")]
    about: Option<String>,
    /// Leave out what the policy calls internal, as a comment on a public issue would
    #[arg(long)]
    public: bool,
    /// The policy [default: that of the item's organization in the settings]
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
    let (repository, number) = &args.item;
    let owner = &repository.owner;
    let mut served = settings.organizations.iter();
    let served = served
        .find(|o| o.login.eq_ignore_ascii_case(owner))
        .ok_or_else(|| usage(anyhow!("the settings do not serve {owner}")))?;
    let folder = decide::folder(args.policy.as_deref(), Some(served))?;
    let policy = Arc::new(decide::load(&folder)?.with_mode(settings.mode));
    // Nothing is decided anew.
    let source = PolicySource::here(&served.login, policy.clone(), String::new());
    let about = match &args.about {
        Some(name) => decide::named(&policy, name)?,
        None => About::Decision,
    };
    let snapshot = runtime()?.block_on(async {
        let (installation, record) = recorded(&settings, repository, *number).await?;
        observed(&settings, source, installation, &record).await
    })?;
    let audience = if args.public {
        Audience::Public
    } else {
        Audience::Internal
    };
    let ask = Ask { about, audience };
    decide::print(&explain(&policy, &snapshot, ask), args.format)
}

/// The item as the store has it.
async fn recorded(
    settings: &Settings,
    repository: &RepoName,
    number: u64,
) -> Result<(InstallationId, ItemRecord), Failure> {
    let store = SqliteStore::open(&settings.store_url)
        .await
        .map_err(unreachable)?;
    let found = async {
        let Some((installation, item)) = store.item_by_name(repository, number).await? else {
            return Ok(None);
        };
        let record = store.item(installation, item).await?;
        Ok::<_, StoreError>(record.map(|record| (installation, record)))
    };
    let found = found.await;
    store.close().await;
    found
        .map_err(unreachable)?
        .ok_or_else(|| usage(anyhow!("the store knows no item {repository}#{number}")))
}

/// The item as deciding sees it, with what only GitHub knows.
async fn observed(
    settings: &Settings,
    source: PolicySource,
    installation: InstallationId,
    record: &ItemRecord,
) -> Result<Snapshot, Failure> {
    let Some(mirror) = &record.issue else {
        return Err(usage(anyhow!("the store does not have the issue yet")));
    };
    let login = source.login.clone();
    let clock = Arc::new(SystemClock);
    let organizations = Organizations::new(clock, online::github(settings)?, vec![source]);
    let organization = organizations
        .get(installation)
        .await
        .context("cannot ask GitHub about the App's installation")
        .map_err(unreachable)?
        .ok_or_else(|| usage(anyhow!("the App is no longer installed on {login}")))?;
    let surroundings = organization
        .surroundings(mirror.author, SystemClock.now())
        .await
        .context("cannot ask GitHub for the boards and the roles of the author")
        .map_err(unreachable)?;
    Ok(observe::snapshot(
        &organization.policy,
        record,
        mirror,
        surroundings,
    ))
}
