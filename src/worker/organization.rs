//! An organisation that is served: its policy, its client, and what was read of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::clock::SharedClock;
use crate::command::Vocabulary as Words;
use crate::github::{GitHub, GitHubError, Installation};
use crate::ids::{InstallationId, UserId};
use crate::policy::Policy;
use crate::policy::model::FieldTo;
use crate::triage::snapshot::Iteration;

use super::observe::Surroundings;
use super::roles::RoleBook;
use super::vocabulary::Vocabulary;

/// One organisation's policy and where it came from.
#[derive(Clone)]
pub struct PolicySource {
    pub login: String,
    pub policy: Arc<Policy>,
    pub folder: PathBuf,
    /// Another one, if the policy is another ([`policy_folder::fingerprint`]).
    ///
    /// [`policy_folder::fingerprint`]: crate::policy_folder::fingerprint
    pub fingerprint: String,
}

/// An organisation with the App installed.
pub struct Organization {
    pub login: String,
    pub installation: InstallationId,
    pub policy: Arc<Policy>,
    /// Of the policy.
    pub fingerprint: String,
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
    finding: Mutex<Option<(UserId, String)>>,
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
            finding: Mutex::new(None),
        }
    }

    /// The organisation of an installation. `None`: it is not one that is served.
    pub async fn get(
        &self,
        installation: InstallationId,
    ) -> Result<Option<Arc<Organization>>, GitHubError> {
        if let Some(found) = self.read().get(&installation) {
            return Ok(Some(found.clone()));
        }
        let mut bot = self.finding.lock().await;
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
        let (bot, bot_name) = if let Some(known) = bot.clone() {
            known
        } else {
            let app = self.github.app().await?;
            let id = client.user(&app.bot_login).await?.unwrap_or(UserId(0));
            let name = app.bot_login.trim_end_matches("[bot]").to_owned();
            bot.insert((id, name)).clone()
        };
        let organization = Arc::new(Organization {
            login: source.login.clone(),
            installation,
            policy: source.policy.clone(),
            fingerprint: source.fingerprint.clone(),
            roles: RoleBook::new(self.clock.clone(), &source.login, client.clone()),
            vocabulary: Vocabulary::new(self.clock.clone(), &source.login, client.clone()),
            words: Words::of(&source.policy),
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
