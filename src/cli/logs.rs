//! Log lines: text for people, JSON for machines; `RUST_LOG` chooses which.

use tracing_subscriber::EnvFilter;

use crate::settings::LogFormat;

/// Sends log lines to stderr. `default` is used where `RUST_LOG` is not set.
pub(super) fn start(format: LogFormat, default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => lines.with_ansi(colour).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    // The only error is that a test or an embedder has set a subscriber before; theirs stays.
    drop(started);
}
