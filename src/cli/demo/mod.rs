//! `northstar demo`: the bot at work on a simulated GitHub, in one process.

mod boards;
mod story;
mod transcript;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use rust_embed::Embed;

use crate::clock::{SharedClock, SystemClock};
use crate::github::Pacing;
use crate::policy::{self, Policy, Source};
use crate::policy_place::PolicyPlace;
use crate::service::{Options, Running};
use crate::settings::{LogFormat, OrganizationSettings, Settings};
use crate::sim::example::{self, ORGANIZATION};
use crate::sim::{Sim, SimConfig, SimServer};
use crate::triage::decision::Mode;
use crate::worker::{PolicySource, WorkerConfig};

use super::{Failure, Outcome, logs, runtime, serve, unreachable, usage};

use story::Stage;

/// See it work: a small organisation on a simulated GitHub, the bot, and a story.
///
/// Needs no credentials, no network and no set-up. Everything is in this process and gone
/// afterwards. The policy is the one that ships with Northstar, in mode `enforce`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  northstar demo --once
  northstar demo --listen 127.0.0.1:8080     then look at http://127.0.0.1:8080/")]
pub(super) struct Args {
    /// Where the bot listens (webhook, status page, metrics)
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Exit after the story: 0 only if the simulated GitHub is as the story must leave it
    #[arg(long)]
    once: bool,
}

/// GitHub asks for a second between writes. Nobody wants to watch that.
const DEMO_GAP: Duration = Duration::from_millis(60);

#[derive(Embed)]
#[folder = "rules/"]
struct Rules;

pub(super) fn run(args: &Args) -> Outcome {
    logs::start(LogFormat::Text, "error");
    runtime()?.block_on(async {
        let stage = set_up(args).await?;
        transcript::opening(&stage, DEMO_GAP);
        let ended = story::play(&stage).await;
        let outcome = transcript::ending(&stage, &ended);
        if !args.once {
            anstream::println!(
                "The bot goes on running: http://{}/ shows its state. Control-C ends it.",
                stage.service.address
            );
            serve::stop_signal().map_err(unreachable)?.await;
        }
        stage.service.stop().await;
        stage.github.shutdown().await;
        if outcome { Ok(()) } else { Err(Failure::No) }
    })
}

async fn set_up(args: &Args) -> Result<Stage, Failure> {
    let clock: SharedClock = Arc::new(SystemClock);
    let sim = Sim::new(SimConfig {
        clock: clock.clone(),
        ..SimConfig::default()
    })
    .map_err(unreachable)?;
    example::furnish(&sim).map_err(unreachable)?;
    sim.repository(ORGANIZATION, boards::DIGEST, false, &[])
        .map_err(unreachable)?;
    let github: SimServer = sim
        .serve(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .map_err(unreachable)?;
    let directory = tempfile::tempdir().map_err(unreachable)?;
    let policy = shipped_policy()?;
    let settings = Settings {
        listen: args.listen,
        webhook_secrets: vec![SimConfig::default().webhook_secret.into()],
        api_url: github.url.clone(),
        app_id: SimConfig::default().app_id,
        private_key: sim.private_key_pem().into(),
        store_url: format!("sqlite:{}", directory.path().join("demo.db").display()),
        organizations: vec![OrganizationSettings {
            login: ORGANIZATION.to_owned(),
            policy: PolicyPlace::default(),
        }],
        mode: Mode::Enforce,
        blast_radius: 25,
        strict_limits: false,
        write_gap: DEMO_GAP,
        log_format: LogFormat::Text,
    };
    let policy = Arc::new(policy.with_mode(Mode::Enforce));
    let source = PolicySource::here(ORGANIZATION, policy.clone(), "demo".to_owned());
    let options = Options {
        clock,
        pacing: Pacing {
            min_gap: DEMO_GAP,
            ..Pacing::default()
        },
        worker: WorkerConfig {
            settle_after: SignedDuration::from_secs(1),
            ..WorkerConfig::default()
        },
    };
    let service = Running::start(&settings, vec![source], options)
        .await
        .map_err(unreachable)?;
    sim.send_webhooks_to(&format!("http://{}/github/webhook", service.address));
    Ok(Stage {
        sim,
        github,
        service,
        policy,
        _directory: directory,
    })
}

/// The policy that was built into this binary.
fn shipped_policy() -> Result<Policy, Failure> {
    let sources: Vec<Source> = Rules::iter()
        .filter(|path| !path.ends_with(".json")) // the schemas are for editors
        .filter_map(|path| {
            let file = Rules::get(&path)?;
            let text = String::from_utf8(file.data.into_owned()).ok()?;
            Some(Source::new(format!("rules/{path}"), text))
        })
        .collect();
    policy::load(&sources).map_err(|found| {
        anstream::eprint!("{}", policy::render::text(&found.0, &sources, true));
        usage(anyhow::anyhow!("the policy that ships has errors"))
    })
}
