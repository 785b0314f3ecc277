//! `northstar audit`: what was decided, commanded, refused and written, from the store.

use std::path::PathBuf;

use anyhow::anyhow;
use jiff::Timestamp;

use crate::command::ItemRef;
use crate::ids::{RepoName, UserId};
use crate::settings::Settings;
use crate::store::sqlite::SqliteStore;
use crate::store::{AuditEntry, AuditQuery, Store};

use super::{Failure, Outcome, runtime, unreachable, usage};

/// Lines read from the store at a time.
const PAGE: usize = 1_000;

/// Print the audit trail: every decision, command, refusal, override and write, oldest first.
#[derive(clap::Args)]
#[command(after_help = "\
Each line is a JSON object. The trail is append-only.

Examples:
  northstar audit --item 2i2c-org/infrastructure#12
  northstar audit --kind command --since 2026-11-01T00:00:00Z
  northstar audit --rule requests-wait-for-triage | jq .at")]
pub(super) struct Args {
    /// Only what is about this item
    #[arg(long, value_name = "OWNER/REPO#N", value_parser = item)]
    item: Option<(RepoName, u64)>,
    /// Only what this person did, by numeric id
    #[arg(long, value_name = "ID")]
    person: Option<u64>,
    /// Only what this rule had a part in
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// Only lines of this kind: decision, command, refusal, act, write …
    #[arg(long)]
    kind: Option<String>,
    /// Nothing before this instant
    #[arg(long, value_name = "INSTANT")]
    since: Option<Timestamp>,
    /// Nothing from this instant on
    #[arg(long, value_name = "INSTANT")]
    until: Option<Timestamp>,
    /// Most lines to print, the newest ones
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
    /// The settings file [default: northstar.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let settings = Settings::load(args.config.as_deref()).map_err(usage)?;
    runtime()?.block_on(async {
        let store = SqliteStore::open(&settings.store_url)
            .await
            .map_err(unreachable)?;
        let found = lines(&store, args).await;
        store.close().await;
        for line in found?.iter().rev() {
            let json = serde_json::to_string(line).map_err(unreachable)?;
            anstream::println!("{json}");
        }
        Ok(())
    })
}

/// `owner/repo#12`.
pub(super) fn item(text: &str) -> Result<(RepoName, u64), String> {
    ItemRef::parse(text, "github.com")
        .and_then(|item| Some((item.repository?, item.number)))
        .ok_or_else(|| "write it like 2i2c-org/infrastructure#12".to_owned())
}

/// Newest first.
async fn lines(store: &SqliteStore, args: &Args) -> Result<Vec<AuditEntry>, Failure> {
    let mut query = AuditQuery {
        kind: args.kind.clone(),
        since: args.since,
        limit: PAGE,
        ..AuditQuery::default()
    };
    if let Some((repository, number)) = &args.item {
        let found = store.item_by_name(repository, *number).await;
        let Some((installation, item)) = found.map_err(unreachable)? else {
            let problem = anyhow!("the store knows no item {repository}#{number}");
            return Err(usage(problem));
        };
        query.installation = Some(installation);
        query.item = Some(item);
    }
    let mut out: Vec<AuditEntry> = Vec::new();
    loop {
        let page = store.audit(&query).await.map_err(unreachable)?;
        let last = page.last().map(|line| line.id);
        let full = page.len() == PAGE;
        out.extend(page.into_iter().filter(|line| fits(line, args)));
        out.truncate(args.limit);
        query.before = last;
        if !full || out.len() == args.limit {
            return Ok(out);
        }
    }
}

fn fits(line: &AuditEntry, args: &Args) -> bool {
    args.person.is_none_or(|id| line.actor == Some(UserId(id)))
        && args.until.is_none_or(|until| line.at < until)
        && args
            .rule
            .as_ref()
            .is_none_or(|rule| names(&line.detail, rule))
}

/// Does some `rule` in it have this name?
fn names(detail: &serde_json::Value, rule: &str) -> bool {
    match detail {
        serde_json::Value::Object(map) => map.iter().any(|(key, value)| {
            key == "rule" && value.as_str() == Some(rule) || names(value, rule)
        }),
        serde_json::Value::Array(list) => list.iter().any(|value| names(value, rule)),
        _ => false,
    }
}
