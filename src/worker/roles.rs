//! Who holds which role of the policy, by numeric id.
//!
//! Teams and the membership are read from GitHub whole and kept for a while; a webhook about
//! either throws them away. A failed read is an error, never an empty team: what cannot be found
//! out is not a permission. A team that GitHub says is not there has nobody in it, which is said
//! in the log: one wrong name in a policy must not stop everything else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::clock::SharedClock;
use crate::github::{GitHubError, Installation};
use crate::ids::UserId;
use crate::policy::Policy;
use crate::policy::model::Role;

/// How long a membership is believed without a webhook saying otherwise.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(10);

type Members = Arc<BTreeSet<UserId>>;

/// The members behind the roles, as last read.
pub struct RoleBook {
    clock: SharedClock,
    organization: String,
    github: Arc<Installation>,
    read: Mutex<Read>,
}

#[derive(Default)]
struct Read {
    /// Keyed by what was asked: `members`, `team:SLUG`, `user:LOGIN`.
    members: BTreeMap<String, (Timestamp, Members)>,
    /// How often everything was forgotten: an answer that was asked for before that is not kept.
    forgotten: u64,
}

impl RoleBook {
    pub fn new(clock: SharedClock, organization: &str, github: Arc<Installation>) -> Self {
        Self {
            clock,
            organization: organization.to_owned(),
            github,
            read: Mutex::default(),
        }
    }

    /// Forgets what was read (a team or the membership changed).
    pub fn forget(&self) {
        let mut read = self.lock();
        read.members.clear();
        read.forgotten += 1;
    }

    /// The roles that the policy gives this user.
    pub async fn of(&self, policy: &Policy, user: UserId) -> Result<BTreeSet<String>, GitHubError> {
        let mut roles = BTreeSet::new();
        for role in policy.roles.values() {
            if self.holds(role, user).await? {
                roles.insert(role.id.clone());
            }
        }
        Ok(roles)
    }

    async fn holds(&self, role: &Role, user: UserId) -> Result<bool, GitHubError> {
        if role.organization && self.members("members").await?.contains(&user) {
            return Ok(true);
        }
        for team in &role.teams {
            if self.members(&format!("team:{team}")).await?.contains(&user) {
                return Ok(true);
            }
        }
        for login in &role.users {
            if self
                .members(&format!("user:{login}"))
                .await?
                .contains(&user)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn members(&self, key: &str) -> Result<Members, GitHubError> {
        let now = self.clock.now();
        let forgotten = {
            let read = self.lock();
            if let Some((at, members)) = read.members.get(key)
                && now.duration_since(*at) < KEPT_FOR
            {
                return Ok(members.clone());
            }
            read.forgotten
        };
        let members = match key.split_once(':') {
            Some(("team", slug)) => self.team(slug).await?,
            Some((_, login)) => self.github.user(login).await?.into_iter().collect(),
            None => self.github.org_members(&self.organization).await?,
        };
        let members = Arc::new(members);
        let mut read = self.lock();
        if read.forgotten == forgotten {
            read.members.insert(key.to_owned(), (now, members.clone()));
        }
        Ok(members)
    }

    async fn team(&self, slug: &str) -> Result<BTreeSet<UserId>, GitHubError> {
        match self.github.team_members(&self.organization, slug).await {
            Err(GitHubError::NotFound) => {
                tracing::warn!(
                    team = slug,
                    organization = self.organization,
                    "the policy's team does not exist or the App may not see it; nobody is in it"
                );
                Ok(BTreeSet::new())
            }
            read => read,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Read> {
        // A panic elsewhere cannot leave the map half written.
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
