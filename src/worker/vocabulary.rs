//! The node ids behind the names the policy uses: labels of repositories, fields of boards.
//!
//! Writes by GraphQL take node ids. They are read once, kept for a while, and thrown away when a
//! webhook says that they changed or GitHub says that one is not there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::clock::SharedClock;
use crate::github::{GitHubError, Installation, Project};
use crate::ids::RepoName;
use crate::policy::Policy;

const KEPT_FOR: SignedDuration = SignedDuration::from_mins(30);

/// Label ids by lower-case name (GitHub compares label names without case).
pub type Labels = BTreeMap<String, String>;

struct Kept<T> {
    at: Timestamp,
    value: T,
}

#[derive(Default)]
struct Read {
    labels: BTreeMap<RepoName, Kept<Labels>>,
    /// By the policy's board id.
    projects: BTreeMap<String, Kept<Option<Arc<Project>>>>,
    /// How often something was forgotten: an answer that was asked for before that is not kept.
    forgotten: u64,
}

/// What an organisation's names stand for, as last read.
pub struct Vocabulary {
    clock: SharedClock,
    organization: String,
    github: Arc<Installation>,
    read: Mutex<Read>,
}

impl Vocabulary {
    pub fn new(clock: SharedClock, organization: &str, github: Arc<Installation>) -> Self {
        Self {
            clock,
            organization: organization.to_owned(),
            github,
            read: Mutex::default(),
        }
    }

    /// Forgets everything (labels or boards changed).
    pub fn forget(&self) {
        let mut read = self.lock();
        read.labels.clear();
        read.projects.clear();
        read.forgotten += 1;
    }

    /// The node id of a label; it is made where the repository does not have it (one write).
    pub async fn label(&self, repo: &RepoName, name: &str) -> Result<String, GitHubError> {
        if let Some(id) = self.labels(repo).await?.get(&name.to_lowercase()) {
            return Ok(id.clone());
        }
        let id = self
            .github
            .create_label(repo, name, colour_of(name), "")
            .await?;
        if let Some(kept) = self.lock().labels.get_mut(repo) {
            kept.value.insert(name.to_lowercase(), id.clone());
        }
        Ok(id)
    }

    /// Does the repository have this label now? Asked of GitHub, whatever was read before.
    pub async fn still_has(&self, repo: &RepoName, name: &str) -> Result<bool, GitHubError> {
        {
            let mut read = self.lock();
            read.labels.remove(repo);
            read.forgotten += 1;
        }
        Ok(self.labels(repo).await?.contains_key(&name.to_lowercase()))
    }

    async fn labels(&self, repo: &RepoName) -> Result<Labels, GitHubError> {
        let now = self.clock.now();
        let forgotten = {
            let read = self.lock();
            if let Some(kept) = read.labels.get(repo)
                && now.duration_since(kept.at) < KEPT_FOR
            {
                return Ok(kept.value.clone());
            }
            read.forgotten
        };
        let labels: Labels = self
            .github
            .labels(repo)
            .await?
            .into_iter()
            .map(|(name, id)| (name.to_lowercase(), id))
            .collect();
        let kept = Kept {
            at: now,
            value: labels.clone(),
        };
        let mut read = self.lock();
        if read.forgotten == forgotten {
            read.labels.insert(repo.clone(), kept);
        }
        Ok(labels)
    }

    /// The board behind a board id of the policy. `None`: the organisation has no such project.
    pub async fn board(
        &self,
        policy: &Policy,
        board: &str,
    ) -> Result<Option<Arc<Project>>, GitHubError> {
        let Some(number) = policy.boards.get(board).map(|b| b.project) else {
            return Ok(None);
        };
        let now = self.clock.now();
        let forgotten = {
            let read = self.lock();
            if let Some(kept) = read.projects.get(board)
                && now.duration_since(kept.at) < KEPT_FOR
            {
                return Ok(kept.value.clone());
            }
            read.forgotten
        };
        let project = self.github.project(&self.organization, number).await?;
        if project.is_none() {
            tracing::warn!(
                board,
                number,
                organization = self.organization,
                "the policy's board does not exist or the App may not see it"
            );
        }
        let project = project.map(Arc::new);
        let kept = Kept {
            at: now,
            value: project.clone(),
        };
        let mut read = self.lock();
        if read.forgotten == forgotten {
            read.projects.insert(board.to_owned(), kept);
        }
        Ok(project)
    }

    /// The policy's board id of a project's node id.
    pub async fn board_of_project(
        &self,
        policy: &Policy,
        project: &str,
    ) -> Result<Option<String>, GitHubError> {
        for board in policy.boards.values() {
            if self
                .board(policy, &board.id)
                .await?
                .is_some_and(|p| p.id == project)
            {
                return Ok(Some(board.id.clone()));
            }
        }
        Ok(None)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Read> {
        // A panic elsewhere cannot leave the maps half written.
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A quiet colour for a label that we have to make, the same for all of one attribute.
fn colour_of(label: &str) -> &'static str {
    const COLOURS: [&str; 6] = ["c5def5", "d4c5f9", "bfdadc", "fef2c0", "c2e0c6", "f9d0c4"];
    let family = label.split_once(['/', ':']).map_or(label, |(f, _)| f);
    let sum: usize = family.bytes().map(usize::from).sum();
    COLOURS[sum % COLOURS.len()]
}
