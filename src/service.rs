//! The service: every room put together, started and stopped in order.
//!
//! *In:* [`Settings`] and loaded policies. *Out:* a running server.
//! Used alike by `northstar serve`, the demo and the tests.
//!
//! Start: migrations, then the port, then the worker. Stop: no new deliveries, finish or hand back
//! what is leased, flush the store.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::clock::SharedClock;
use crate::dashboard::{self, Pages};
use crate::github::{GitHub, GitHubConfig, GitHubError, Pacing};
use crate::policy;
use crate::policy_folder::{self, FolderError};
use crate::policy_place::PolicyPlace;
use crate::receive::{self, ReceiveState, Served};
use crate::settings::Settings;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};
use crate::worker::{Organizations, PolicySource, Worker, WorkerConfig};

/// GitHub waits ten seconds for an answer to a webhook; nothing here may take longer.
const HTTP_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The policy has errors, drawn in `findings` (with colour codes; strip them for a file).
    #[error("the policy of {login} in {folder} has errors; `northstar check {folder}` shows them")]
    Policy {
        login: String,
        folder: String,
        findings: String,
    },
    #[error("the store cannot be opened: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    GitHub(#[from] GitHubError),
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
}

/// Reads and checks the policies that the settings name, as far as they lie on this machine.
pub fn load_policies(settings: &Settings) -> Result<Vec<PolicySource>, StartError> {
    settings
        .organizations
        .iter()
        .map(|organization| {
            let (login, mode) = (&organization.login, settings.mode);
            let folder = match &organization.policy {
                PolicyPlace::Folder(folder) => folder,
                // Read when the organisation is first needed.
                PolicyPlace::GitHub { repository, path } => {
                    let (repository, path) = (repository.clone(), path.clone());
                    return Ok(PolicySource::on_github(login, repository, path, mode));
                }
            };
            let sources = policy_folder::read(folder)?;
            let policy = policy::load(&sources).map_err(|found| StartError::Policy {
                login: login.clone(),
                folder: folder.display().to_string(),
                findings: policy::render::text(&found.0, &sources, true),
            })?;
            let fingerprint = policy_folder::fingerprint(&sources, mode);
            let policy = Arc::new(policy.with_mode(mode));
            Ok(PolicySource::here(login, policy, fingerprint))
        })
        .collect()
}

/// What a caller may choose beyond the settings.
#[derive(Clone)]
pub struct Options {
    pub clock: SharedClock,
    pub pacing: Pacing,
    pub worker: WorkerConfig,
}

/// The service while it runs.
pub struct Running {
    pub address: SocketAddr,
    pub store: Arc<dyn Store>,
    stop_http: CancellationToken,
    stop_work: CancellationToken,
    http: JoinHandle<std::io::Result<()>>,
    work: JoinHandle<()>,
    wake: Arc<Notify>,
}

impl Running {
    /// Something was put in the store besides what came by webhook: it is not waited for.
    pub fn ring(&self) {
        self.wake.notify_one();
    }

    /// Starts everything. When this returns, deliveries are taken.
    pub async fn start(
        settings: &Settings,
        policies: Vec<PolicySource>,
        options: Options,
    ) -> Result<Self, StartError> {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&settings.store_url).await?);
        let github = GitHub::new(
            GitHubConfig {
                api_url: settings.api_url.clone(),
                app_id: settings.app_id,
                private_key_pem: settings.private_key.clone(),
                pacing: options.pacing,
                timeout: HTTP_TIMEOUT,
            },
            options.clock.clone(),
        )?;
        let wake = Arc::new(Notify::new());
        let logins: Vec<String> = policies.iter().map(|p| p.login.clone()).collect();
        let router = app(
            ReceiveState {
                store: store.clone(),
                secrets: settings.webhook_secrets.clone(),
                served: Served::new(logins.iter().map(String::as_str)),
                clock: options.clock.clone(),
                wake: wake.clone(),
            },
            logins,
        );
        let listener =
            TcpListener::bind(settings.listen)
                .await
                .map_err(|source| StartError::Listen {
                    address: settings.listen,
                    source,
                })?;
        let address = listener.local_addr().unwrap_or(settings.listen);
        let (stop_http, stop_work) = (CancellationToken::new(), CancellationToken::new());
        let http = tokio::spawn({
            let stop = stop_http.clone();
            async move {
                axum::serve(listener, router)
                    .with_graceful_shutdown(stop.cancelled_owned())
                    .await
            }
        });
        let organizations = Arc::new(Organizations::new(options.clock.clone(), github, policies));
        let worker = Arc::new(Worker::new(
            store.clone(),
            options.clock,
            organizations,
            wake.clone(),
            options.worker,
        ));
        let work = tokio::spawn(worker.run(stop_work.clone()));
        Ok(Self {
            address,
            store,
            stop_http,
            stop_work,
            http,
            work,
            wake,
        })
    }

    /// Stops in order and returns when everything is on disk.
    pub async fn stop(self) {
        self.stop_http.cancel();
        // Keep-alive connections may hold the server open; what they had to say is stored.
        let http = tokio::time::timeout(HTTP_TIMEOUT, self.http);
        self.stop_work.cancel();
        let work = tokio::time::timeout(3 * HTTP_TIMEOUT, self.work);
        let (http, work) = tokio::join!(http, work);
        if http.is_err() || work.is_err() {
            tracing::warn!("stopped without waiting longer; what was leased is looked at again");
        }
        self.store.close().await;
    }
}

/// Everything that is answered: the webhook door, health, metrics and pages, with the layers around
/// them. `organizations` are those whose policy is loaded.
pub fn app(receive: ReceiveState, organizations: Vec<String>) -> Router {
    let pages = Pages {
        store: receive.store.clone(),
        metrics: metrics_handle(),
        organizations: organizations.into(),
    };
    receive::router(receive)
        .merge(dashboard::router(pages))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            HTTP_TIMEOUT,
        ))
        .layer(CatchPanicLayer::new())
}

/// The process has one recorder; whoever starts the service again in it shares it.
fn metrics_handle() -> PrometheusHandle {
    static HANDLE: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("another metrics recorder is installed; /metrics stays empty");
            }
            handle
        })
        .clone()
}
