//! A small GitHub in memory, for the demo and the tests.
//!
//! *In:* HTTP on loopback, as GitHub's REST and GraphQL APIs take it; in process, what people do
//! ([`Sim::open_issue`] …), what goes wrong ([`Sim::fault`]) and how much is allowed.
//! *Out:* GitHub's answers; signed webhooks for every change, whoever made it; and for tests what
//! stands there ([`Sim::issue`]), what was asked ([`Sim::requests`]) and what was sent
//! ([`Sim::deliveries`]).
//! *May call:* `ids`, `clock`. It knows nothing of the bot.
//!
//! All changes go through `act`, so that a person's, a REST call's and a mutation's are checked and
//! announced alike. The state is behind one lock that is never held over an await.

mod act;
mod auth;
pub mod example;
mod faults;
mod graphql;
mod ids;
mod limits;
mod log;
mod people;
mod refusal;
mod render;
mod rest;
mod seed;
mod server;
mod shape;
mod state;
#[cfg(test)]
mod tests;
mod view;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::{SharedClock, SystemClock};

pub use faults::{Fault, FaultKind, WebhookFault, WebhookFaultKind, When};
pub use graphql::SDL as GRAPHQL_SCHEMA;
pub use limits::Limits;
pub use log::Logged;
pub use seed::{FieldSpec, ProjectSpec};
pub use server::SimServer;
pub use view::{CardView, CommentView, IssueView};
pub use webhooks::Delivery;

use auth::AppKey;
use ids::{Ids, Node};
use state::{Account, AccountKind, State};
use webhooks::Hooks;

/// What a simulation begins with.
#[derive(Clone)]
pub struct SimConfig {
    pub app_id: u64,
    /// The App's bot is `<app_slug>[bot]`.
    pub app_slug: String,
    pub webhook_secret: String,
    pub clock: SharedClock,
    /// The same seed and the same acts give the same ids.
    pub seed: u64,
    pub limits: Limits,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            app_id: 4711,
            app_slug: "northstar".to_owned(),
            webhook_secret: "simulated secret".to_owned(),
            clock: Arc::new(SystemClock),
            seed: 1,
            limits: Limits::default(),
        }
    }
}

/// What was asked of the simulation does not exist there, or GitHub would not let it happen.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    #[error("sim: the key of the App could not be made")]
    Key,
    #[error("sim: no {0}")]
    Missing(String),
    #[error("sim: GitHub says {status}: {message}")]
    Refused { status: u16, message: String },
    #[error("sim: cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}

impl From<refusal::Refusal> for SimError {
    fn from(refusal: refusal::Refusal) -> Self {
        Self::Refused {
            status: refusal.status,
            message: refusal.sentence(),
        }
    }
}

/// The simulated GitHub; clones are the same one.
#[derive(Clone)]
pub struct Sim {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    key: AppKey,
    clock: SharedClock,
    /// Wakes the dispatcher of webhooks.
    wake: Arc<Notify>,
    /// Webhooks on their way.
    outstanding: watch::Sender<usize>,
    /// Set when the last handle is gone.
    gone: CancellationToken,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.gone.cancel();
    }
}

impl Inner {
    /// Works on the state, then lets the dispatcher and those who wait for it know.
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = (state.hooks.queue.len(), state.hooks.late.len());
        let result = work(&mut state);
        let after = (state.hooks.queue.len(), state.hooks.late.len());
        let outstanding = state.hooks.outstanding();
        // Sent under the lock: two updates must not overtake each other.
        self.outstanding.send_if_modified(|now| {
            let changed = *now != outstanding;
            *now = outstanding;
            changed
        });
        drop(state);
        if after.0 > before.0 || after.1 > before.1 {
            self.wake.notify_one();
        }
        result
    }
}

impl Sim {
    /// An empty GitHub with one App on it.
    ///
    /// # Errors
    /// When the machine cannot make a key.
    pub fn new(config: SimConfig) -> Result<Self, SimError> {
        let key = AppKey::generate().map_err(|_| SimError::Key)?;
        let mut ids = Ids::new(config.seed);
        let app_bot = ids.create(Node::Bot);
        let hook_id = ids.number();
        let bot = Account {
            id: app_bot,
            login: format!("{}[bot]", config.app_slug),
            kind: AccountKind::Bot,
            created_at: config.clock.now(),
        };
        let state = State {
            clock: Arc::clone(&config.clock),
            ids,
            api_url: "https://api.github.com".to_owned(),
            app_id: config.app_id,
            app_slug: config.app_slug,
            app_bot,
            app_owner: app_bot,
            accounts: BTreeMap::from([(app_bot, bot)]),
            orgs: BTreeMap::new(),
            teams: BTreeMap::new(),
            repositories: BTreeMap::new(),
            labels: BTreeMap::new(),
            milestones: BTreeMap::new(),
            issues: BTreeMap::new(),
            transferred: BTreeMap::new(),
            comments: BTreeMap::new(),
            projects: BTreeMap::new(),
            items: BTreeMap::new(),
            installations: BTreeMap::new(),
            tokens: BTreeMap::new(),
            hooks: Hooks::new(config.webhook_secret, hook_id),
            faults: faults::Faults::default(),
            limits: config.limits,
            budgets: limits::Budgets::default(),
            requests: Vec::new(),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                state: Mutex::new(state),
                key,
                clock: config.clock,
                wake: Arc::new(Notify::new()),
                outstanding: watch::Sender::new(0),
                gone: CancellationToken::new(),
            }),
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        self.inner.with(work)
    }

    /// The App's private key (PKCS#8 PEM), for the bot.
    pub fn private_key_pem(&self) -> &str {
        &self.inner.key.private_pem
    }

    /// From now on webhooks are sent there, one after the other. Must be called within a Tokio
    /// runtime, which does the sending.
    pub fn send_webhooks_to(&self, url: &str) {
        let first = self.with(|state| state.hooks.url.replace(url.to_owned()).is_none());
        if first {
            tokio::spawn(webhooks::dispatcher(Arc::downgrade(&self.inner)));
        }
    }

    /// Waits until every webhook queued so far (held and late ones apart) was answered.
    pub async fn settled(&self) {
        let mut outstanding = self.inner.outstanding.subscribe();
        // The sender lives in `self.inner`, so this cannot fail while we wait.
        let _ = outstanding.wait_for(|count| *count == 0).await;
    }

    /// Adds a fault; several wait side by side, the first that matches is used.
    pub fn fault(&self, fault: Fault) {
        self.with(|state| state.faults.add(fault));
    }

    /// Adds a fault for webhooks.
    pub fn webhook_fault(&self, fault: WebhookFault) {
        self.with(|state| state.faults.add_webhook(fault));
    }

    /// How many faults still wait for their request or webhook.
    pub fn faults_waiting(&self) -> usize {
        self.with(|state| state.faults.waiting())
    }

    /// Forgets all faults that still wait.
    pub fn clear_faults(&self) {
        self.with(|state| state.faults.clear());
    }

    /// Sends the webhooks that were held back: in the order they were made, or `reversed`. How
    /// many.
    pub fn release_webhooks(&self, reversed: bool) -> usize {
        self.with(|state| {
            let mut held = std::mem::take(&mut state.hooks.held);
            if reversed {
                held.reverse();
            }
            let count = held.len();
            if state.hooks.url.is_some() {
                state.hooks.queue.extend(held);
            }
            count
        })
    }

    /// Sends a logged delivery again, with its GUID. False when there is none of this id.
    pub fn redeliver(&self, delivery: u64) -> bool {
        self.with(|state| state.redeliver(delivery))
    }

    /// Changes the limits from now on; what was used stays used.
    pub fn limit(&self, limits: Limits) {
        self.with(|state| state.limits = limits);
    }
}
