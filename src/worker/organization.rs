//! An organisation that is served: its policy, its client, and what was read of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::clock::SharedClock;
use crate::command::Vocabulary as Words;
use crate::github::{GitHub, GitHubError, Installation};
use crate::ids::{InstallationId, RepoName, UserId};
use crate::policy::Policy;
use crate::policy::model::FieldTo;
use crate::triage::snapshot::Iteration;

use super::WorkError;
use super::observe::Surroundings;
use super::policy_source::{Loaded, PolicyRefused, PolicySource};
use super::roles::RoleBook;
use super::vocabulary::Vocabulary;

/// A policy on GitHub that cannot be used is not read again before this.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// An organisation with the App installed.
pub struct Organization {
    pub login: String,
    pub installation: InstallationId,
    pub policy: Arc<Policy>,
    /// Another one, if the policy is another.
    pub fingerprint: String,
    /// The repository that the policy is read from.
    pub policy_in: Option<RepoName>,
    pub github: Arc<Installation>,
    pub roles: RoleBook,
    pub vocabulary: Vocabulary,
    /// The App's own user: its changes are not acts of a person.
    pub bot: UserId,
    /// How people call the App: `@name` begins a command.
    pub bot_name: String,
    /// The policy's words, for reading commands.
    pub words: Words,
}

impl Organization {
    /// The policy's board ids by the project's node id, of the boards that are there.
    pub async fn board_ids(&self) -> Result<BTreeMap<String, String>, GitHubError> {
        let mut ids = BTreeMap::new();
        for board in self.policy.boards.values() {
            let project = self.vocabulary.board(&self.policy, &board.id).await?;
            if let Some(project) = project {
                ids.insert(project.id.clone(), board.id.clone());
            }
        }
        Ok(ids)
    }

    /// What the snapshot of an issue takes from GitHub beside the issue's own record.
    pub async fn surroundings(
        &self,
        author: UserId,
        now: Timestamp,
    ) -> Result<Surroundings, GitHubError> {
        Ok(Surroundings {
            now,
            author_roles: self.roles.of(&self.policy, author).await?,
            board_ids: self.board_ids().await?,
            iterations: self.iterations().await?,
        })
    }

    /// The iterations of the fields for which the policy asks by their place in time.
    async fn iterations(
        &self,
    ) -> Result<BTreeMap<String, BTreeMap<String, Vec<Iteration>>>, GitHubError> {
        let mut out: BTreeMap<String, BTreeMap<String, Vec<Iteration>>> = BTreeMap::new();
        let wishes = self.policy.rules.values().flat_map(|rule| &rule.fields);
        for wish in wishes.filter(|wish| matches!(wish.to, FieldTo::Iteration(_))) {
            let project = self.vocabulary.board(&self.policy, &wish.board).await?;
            let fields = project.iter().flat_map(|project| &project.fields);
            let mut named = fields.filter(|f| f.name.eq_ignore_ascii_case(&wish.field));
            let all = named.next().into_iter().flat_map(|field| &field.iterations);
            let all = all.map(|iteration| Iteration {
                title: iteration.title.clone(),
                start: iteration.start_date,
                days: iteration.duration,
            });
            let board = out.entry(wish.board.clone()).or_default();
            board.insert(wish.field.clone(), all.collect());
        }
        Ok(out)
    }
}

/// The organisations of the settings, found among the App's installations when first needed, so
/// that the service starts (and takes deliveries) also while GitHub cannot be reached.
pub struct Organizations {
    clock: SharedClock,
    github: GitHub,
    sources: BTreeMap<String, PolicySource>,
    known: RwLock<BTreeMap<InstallationId, Arc<Organization>>>,
    finding: Mutex<Found>,
}

/// What was found out once. Whoever finds out more holds it.
#[derive(Default)]
struct Found {
    /// The App's user, and how people call the App.
    bot: Option<(UserId, String)>,
    /// What was read of the policies that lie on GitHub, by the organisation.
    policies: BTreeMap<String, OnGitHub>,
}

#[derive(Default)]
struct OnGitHub {
    /// The last one without errors.
    good: Option<Loaded>,
    /// Why the last one that was read is not used, and when that was.
    refused: Option<(Timestamp, PolicyRefused)>,
}

/// What became of reading a policy anew.
pub(super) enum Reloaded {
    Same,
    /// `mended`: the one that was read before could not be used.
    New {
        organization: Arc<Organization>,
        mended: bool,
    },
}

impl Organizations {
    pub fn new(clock: SharedClock, github: GitHub, sources: Vec<PolicySource>) -> Self {
        Self {
            clock,
            github,
            sources: sources
                .into_iter()
                .map(|s| (s.login.to_lowercase(), s))
                .collect(),
            known: RwLock::default(),
            finding: Mutex::default(),
        }
    }

    /// The organisation of an installation. `None`: it is not one that is served.
    pub async fn get(
        &self,
        installation: InstallationId,
    ) -> Result<Option<Arc<Organization>>, WorkError> {
        if let Some(found) = self.read().get(&installation) {
            return Ok(Some(found.clone()));
        }
        let mut finding = self.finding.lock().await;
        if let Some(found) = self.read().get(&installation) {
            return Ok(Some(found.clone()));
        }
        let Some(info) = self
            .github
            .installations()
            .await?
            .into_iter()
            .find(|i| i.id == installation)
        else {
            return Ok(None);
        };
        let Some(source) = self.sources.get(&info.account_login.to_lowercase()) else {
            return Ok(None);
        };
        let client = self.github.installation(installation);
        let (bot, bot_name) = if let Some(known) = finding.bot.clone() {
            known
        } else {
            let app = self.github.app().await?;
            let id = client.user(&app.bot_login).await?.unwrap_or(UserId(0));
            let name = app.bot_login.trim_end_matches("[bot]").to_owned();
            finding.bot.insert((id, name)).clone()
        };
        let loaded = match source.loaded() {
            Some(loaded) => loaded.clone(),
            None => self.last_good(source, &client, &mut finding).await?,
        };
        let organization = Arc::new(Organization {
            login: source.login.clone(),
            installation,
            fingerprint: loaded.fingerprint,
            policy_in: source.repository().cloned(),
            roles: RoleBook::new(self.clock.clone(), &source.login, client.clone()),
            vocabulary: Vocabulary::new(self.clock.clone(), &source.login, client.clone()),
            words: Words::of(&loaded.policy),
            policy: loaded.policy,
            github: client,
            bot,
            bot_name,
        });
        tracing::info!(organization = source.login, %installation, "connected");
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(installation, organization.clone());
        Ok(Some(organization))
    }

    /// A policy on GitHub: the last one that could be used. One that could not is left in peace for
    /// a while, however many lanes ask.
    async fn last_good(
        &self,
        source: &PolicySource,
        client: &Installation,
        finding: &mut Found,
    ) -> Result<Loaded, WorkError> {
        let known = finding.policies.entry(source.login.clone()).or_default();
        if let Some(good) = &known.good {
            return Ok(good.clone());
        }
        let now = self.clock.now();
        if let Some((at, refused)) = &known.refused
            && now.duration_since(*at) < AGAIN
        {
            return Err(refused.clone().into());
        }
        self.read_policy(source, client, known).await
    }

    async fn read_policy(
        &self,
        source: &PolicySource,
        client: &Installation,
        known: &mut OnGitHub,
    ) -> Result<Loaded, WorkError> {
        let read = source.read(client).await;
        let refused = match &read {
            Ok(_) => None,
            Err(WorkError::Policy(refused)) => Some((self.clock.now(), refused.clone())),
            // Of the policy it says nothing.
            Err(_) => return read,
        };
        metrics::gauge!("northstar_policy_refused", "organization" => source.login.clone())
            .set(f64::from(u8::from(refused.is_some())));
        known.refused = refused;
        known.good = read.as_ref().ok().cloned().or(known.good.take());
        read
    }

    /// Reads an organisation's policy anew, if it lies on GitHub. One that has errors is an error,
    /// and the one before it goes on.
    pub(super) async fn reload(&self, old: &Organization) -> Result<Reloaded, WorkError> {
        let Some(source) = self.sources.get(&old.login.to_lowercase()) else {
            return Ok(Reloaded::Same);
        };
        let mut finding = self.finding.lock().await;
        let known = finding.policies.entry(source.login.clone()).or_default();
        let mended = known.refused.is_some();
        let loaded = self.read_policy(source, &old.github, known).await?;
        drop(finding);
        if loaded.fingerprint == old.fingerprint && !mended {
            return Ok(Reloaded::Same);
        }
        self.forget(old.installation);
        Ok(match self.get(old.installation).await? {
            Some(organization) => Reloaded::New {
                organization,
                mended,
            },
            None => Reloaded::Same,
        })
    }

    /// Forgets an installation: what is known of it may be so no longer.
    pub fn forget(&self, installation: InstallationId) {
        self.known
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&installation);
    }

    /// The installations on organisations that are served, asked of GitHub anew.
    pub async fn served(&self) -> Result<BTreeSet<InstallationId>, GitHubError> {
        let all = self.github.installations().await?;
        Ok(all
            .into_iter()
            .filter(|i| self.sources.contains_key(&i.account_login.to_lowercase()))
            .map(|i| i.id)
            .collect())
    }

    /// The App, for its log of deliveries.
    pub(super) fn app(&self) -> &GitHub {
        &self.github
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<InstallationId, Arc<Organization>>> {
        // A panic elsewhere cannot leave the map half written.
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}
