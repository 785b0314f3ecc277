//! Who holds which role of the policy, by numeric id.
//!
//! Teams and the membership are read from GitHub whole and kept for a while; a webhook about
//! either throws them away. A failed read is an error, never an empty team: what cannot be found
//! out is not a permission.

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
    /// Keyed by what was asked: `members`, `team:SLUG`, `user:LOGIN`.
    read: Mutex<BTreeMap<String, (Timestamp, Members)>>,
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
        self.lock().clear();
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
        if let Some((at, members)) = self.lock().get(key)
            && now.duration_since(*at) < KEPT_FOR
        {
            return Ok(members.clone());
        }
        let members = match key.split_once(':') {
            Some(("team", slug)) => self.github.team_members(&self.organization, slug).await?,
            Some((_, login)) => self.github.user(login).await?.into_iter().collect(),
            None => self.github.org_members(&self.organization).await?,
        };
        let members = Arc::new(members);
        self.lock().insert(key.to_owned(), (now, members.clone()));
        Ok(members)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (Timestamp, Members)>> {
        // A panic elsewhere cannot leave the map half written.
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
