//! The App itself: who it is, where it is installed, what GitHub delivered to it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use octocrab::auth::AppAuth;
use octocrab::models::AppId;
use octocrab::{AuthState, CachedToken, EncodingKey};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::clock::SharedClock;
use crate::ids::{InstallationId, RepositoryId, UserId};

use super::budget::Budget;
use super::channel::{Answer, Ask, Channel};
use super::error::GitHubError;
use super::installation::Installation;
use super::pace::{Pacing, Writer};
use super::transport::{Address, Pool};

/// How to reach GitHub, and as which App.
#[derive(Clone, Debug)]
pub struct GitHubConfig {
    /// `https://api.github.com`, or `https://HOST/api/v3` of an Enterprise Server.
    pub api_url: String,
    pub app_id: u64,
    /// RSA, as GitHub hands it out (PKCS#1) or in PKCS#8.
    pub private_key_pem: SecretString,
    pub pacing: Pacing,
    /// For one request and its answer. GitHub itself gives up after 10 seconds.
    pub timeout: Duration,
}

/// Bytes of an answer that we take at most: a page of 100 comments of 65,536 characters each, in
/// the widest script, is 26 MB.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// For a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// GitHub, as the App sees it.
pub struct GitHub {
    pool: Pool,
    auth: AppAuth,
    pacing: Pacing,
    timeout: Duration,
    clock: SharedClock,
    channel: Channel,
    budget: Arc<Budget>,
    installations: Mutex<HashMap<InstallationId, Arc<Installation>>>,
}

impl std::fmt::Debug for GitHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitHub")
            .field("app_id", &self.auth.app_id)
            .finish_non_exhaustive()
    }
}

/// The App.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "WireApp")]
pub struct AppInfo {
    pub id: u64,
    pub slug: String,
    pub name: String,
    /// `slug[bot]`: whose login the App's own writes bear.
    pub bot_login: String,
    /// Permission to `read`, `write` or `admin`.
    pub permissions: BTreeMap<String, String>,
}

/// One installation of the App.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallationInfo {
    pub id: InstallationId,
    pub account_login: String,
    pub account_id: UserId,
    pub permissions: BTreeMap<String, String>,
    pub suspended: bool,
}

/// What GitHub delivered, or failed to.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct HookDelivery {
    /// The number of this attempt; [`GitHub::redeliver`] takes it.
    pub id: u64,
    /// `X-GitHub-Delivery`; the same for a redelivery.
    pub guid: String,
    pub delivered_at: Timestamp,
    #[serde(default)]
    pub redelivery: bool,
    /// In words: `OK`, or what went wrong.
    #[serde(default)]
    pub status: String,
    /// What we answered; 0 where there was no answer.
    #[serde(default)]
    pub status_code: u16,
    pub event: String,
    pub action: Option<String>,
    pub installation_id: Option<InstallationId>,
    pub repository_id: Option<RepositoryId>,
}

/// A page of the delivery log, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveriesPage {
    pub deliveries: Vec<HookDelivery>,
    /// For the next page, with older ones; `None` on the last.
    pub next: Option<String>,
}

impl GitHub {
    /// Makes the client; asks nothing yet. Must be called inside a tokio runtime, which carries
    /// the connections from then on.
    pub fn new(config: GitHubConfig, clock: SharedClock) -> Result<Self, GitHubError> {
        Self::with_max_answer(config, clock, MAX_ANSWER)
    }

    pub(super) fn with_max_answer(
        config: GitHubConfig,
        clock: SharedClock,
        max_answer: usize,
    ) -> Result<Self, GitHubError> {
        let GitHubConfig {
            api_url,
            app_id,
            private_key_pem,
            pacing,
            timeout,
        } = config;
        let pem = private_key_pem.expose_secret();
        // What is wrong with a key is not said in detail: nothing of it may reach a log.
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| GitHubError::Settings {
            what: "the private key is not an RSA key in PEM".to_owned(),
        })?;
        let auth = AppAuth {
            app_id: AppId(app_id),
            key,
        };
        let connect_timeout = CONNECT_TIMEOUT.min(timeout);
        let address = Address::parse(&api_url)?;
        let pool = Pool::new(address, Arc::clone(&clock), connect_timeout, max_answer)?;
        let budget = Arc::new(Budget::new("app".to_owned()));
        let octocrab = pool.octocrab(
            AuthState::App(auth.clone()),
            Arc::clone(&budget),
            Arc::clone(&budget),
        );
        let channel = Channel::new(
            octocrab,
            Arc::clone(&clock),
            timeout,
            (Arc::clone(&budget), Arc::clone(&budget)),
            Writer::new(pacing, Arc::clone(&clock)),
            false,
        );
        Ok(Self {
            pool,
            auth,
            pacing,
            timeout,
            clock,
            channel,
            budget,
            installations: Mutex::default(),
        })
    }

    /// The client of one installation; the same one every time.
    #[must_use]
    pub fn installation(&self, id: InstallationId) -> Arc<Installation> {
        let mut installations = self
            .installations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let installation = installations
            .entry(id)
            .or_insert_with(|| Arc::new(self.make_installation(id)));
        Arc::clone(installation)
    }

    /// One octocrab each: it keeps the installation's token, and its stack the budget.
    fn make_installation(&self, id: InstallationId) -> Installation {
        let budget = Arc::new(Budget::new(id.to_string()));
        let auth = AuthState::Installation {
            app: self.auth.clone(),
            installation: octocrab::models::InstallationId(id.0),
            token: CachedToken::default(),
            repositories: None,
            repository_ids: None,
        };
        let octocrab = self
            .pool
            .octocrab(auth, Arc::clone(&budget), Arc::clone(&self.budget));
        let channel = Channel::new(
            octocrab,
            Arc::clone(&self.clock),
            self.timeout,
            (budget, Arc::clone(&self.budget)),
            Writer::new(self.pacing, Arc::clone(&self.clock)),
            true,
        );
        Installation::new(id, channel)
    }

    /// Who the App is.
    pub async fn app(&self) -> Result<AppInfo, GitHubError> {
        let ask = Ask::get("/app");
        self.channel.read(&ask, |answer| answer.ok()?.json()).await
    }

    /// Where it is installed.
    pub async fn installations(&self) -> Result<Vec<InstallationInfo>, GitHubError> {
        let found = self
            .channel
            .read_all(
                "/app/installations?per_page=100".to_owned(),
                Answer::json::<Vec<WireInstallation>>,
            )
            .await?;
        Ok(found.into_iter().map(WireInstallation::read).collect())
    }

    /// A page of the log of deliveries, which GitHub keeps for three days. `page` is the last
    /// page's `next`.
    pub async fn hook_deliveries(&self, page: Option<&str>) -> Result<DeliveriesPage, GitHubError> {
        let first = "/app/hook/deliveries?per_page=100";
        let ask = Ask::get(page.unwrap_or(first));
        self.channel
            .read(&ask, |answer| {
                let answer = answer.ok()?;
                Ok(DeliveriesPage {
                    deliveries: answer.json()?,
                    next: answer.next_page(),
                })
            })
            .await
    }

    /// Asks GitHub to deliver again what it tried to deliver as `id`.
    pub async fn redeliver(&self, id: u64) -> Result<(), GitHubError> {
        let path = format!("/app/hook/deliveries/{id}/attempts");
        let ask = Ask::send(Method::POST, path, &json!({}));
        self.channel.write(&ask, 1, 0).await?.ok()?;
        Ok(())
    }
}

#[derive(Deserialize)]
struct WireApp {
    id: u64,
    slug: Option<String>,
    name: String,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
}

impl From<WireApp> for AppInfo {
    fn from(app: WireApp) -> Self {
        let slug = app.slug.unwrap_or_default();
        Self {
            id: app.id,
            bot_login: format!("{slug}[bot]"),
            slug,
            name: app.name,
            permissions: app.permissions,
        }
    }
}

#[derive(Deserialize)]
struct WireInstallation {
    id: u64,
    account: Option<WireAccount>,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    suspended_at: Option<String>,
}

#[derive(Deserialize)]
struct WireAccount {
    id: u64,
    /// An enterprise has a `slug` in its place.
    login: Option<String>,
    slug: Option<String>,
}

impl WireInstallation {
    fn read(self) -> InstallationInfo {
        let (account_login, account_id) = match self.account {
            Some(account) => (account.login.or(account.slug), UserId(account.id)),
            None => (None, UserId(0)),
        };
        InstallationInfo {
            id: InstallationId(self.id),
            account_login: account_login.unwrap_or_default(),
            account_id,
            permissions: self.permissions,
            suspended: self.suspended_at.is_some(),
        }
    }
}
