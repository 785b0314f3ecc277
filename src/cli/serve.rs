//! `northstar serve`: the service.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::clock::SystemClock;
use crate::github::Pacing;
use crate::service::{self, Options, Running, StartError};
use crate::settings::Settings;
use crate::worker::WorkerConfig;

use super::{Outcome, logs, runtime, unreachable, usage};

/// Run the service: take webhooks, triage, write back.
///
/// Settings come from northstar.toml and then from the environment.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  northstar serve
  northstar serve --config /etc/northstar.toml
  NORTHSTAR__POLICY__MODE=enforce northstar serve")]
pub(super) struct Args {
    /// The settings file [default: northstar.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Outcome {
    let settings = Settings::load(args.config.as_deref()).map_err(usage)?;
    logs::start(settings.log_format, "info");
    let policies = service::load_policies(&settings).map_err(|error| {
        if let StartError::Policy { findings, .. } = &error {
            anstream::eprint!("{findings}");
        }
        usage(error)
    })?;
    runtime()?.block_on(async {
        let options = Options {
            clock: Arc::new(SystemClock),
            pacing: Pacing {
                strict: settings.strict_limits,
                min_gap: settings.write_gap,
                ..Pacing::default()
            },
            worker: WorkerConfig {
                blast_radius: settings.blast_radius,
                ..WorkerConfig::default()
            },
        };
        // Before the start: that may take long, and the first process of a container is not ended by
        // a signal that it does not listen to.
        let stop = stop_signal().map_err(unreachable)?;
        let running = Running::start(&settings, policies, options)
            .await
            .map_err(unreachable)?;
        tracing::info!(
            address = %running.address,
            mode = ?settings.mode,
            organizations = settings.organizations.len(),
            "northstar is listening"
        );
        stop.await;
        tracing::info!("stopping: finishing what is under way");
        running.stop().await;
        tracing::info!("stopped");
        Ok(())
    })
}

/// Ends with Control-C, or the signal by which init systems and containers ask; also where that came
/// before somebody waited for it. Must be called inside a runtime.
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
