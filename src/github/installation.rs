//! One installation of the App: what may be read in its organisation.
//!
//! Writes are in [`super::write`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ids::{CommentId, InstallationId, RepoName, RepositoryId, UserId};

use super::budget::BudgetView;
use super::channel::{Answer, Ask, Channel, segment};
use super::error::GitHubError;
use super::files::{RepositoryFile, WireObject};
use super::graphql::{self, Nodes};
use super::history::{HistoryPage, WireHistory};
use super::item::{ItemRead, WireIssue, WireLabel};
use super::project::{ItemsPage, Project, WireItems, WireProject};

/// An installation, with its own token, budget and writer.
pub struct Installation {
    id: InstallationId,
    pub(super) channel: Channel,
    /// Fields of issues that this server does not know.
    unknown: Mutex<Vec<&'static str>>,
}

impl std::fmt::Debug for Installation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Installation")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A repository the App is installed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryInfo {
    pub id: RepositoryId,
    pub name: RepoName,
    /// Not public. Unknown counts as private.
    pub private: bool,
    pub archived: bool,
}

/// A comment on an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub id: CommentId,
    /// `None` where the account is gone.
    pub author_id: Option<UserId>,
    pub author_is_bot: bool,
    /// The App it was made through, by number.
    pub app_id: Option<u64>,
    pub body: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Installation {
    pub(super) fn new(id: InstallationId, channel: Channel) -> Self {
        Self {
            id,
            channel,
            unknown: Mutex::default(),
        }
    }

    fn unknown(&self) -> MutexGuard<'_, Vec<&'static str>> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[must_use]
    pub fn id(&self) -> InstallationId {
        self.id
    }

    /// The budget now, for metrics and `doctor`.
    #[must_use]
    pub fn budget(&self) -> BudgetView {
        let now = self.channel.now();
        let (core, graphql, paused_until) = self.channel.budget().allowances(now);
        let writer = self.channel.writer();
        let (content_last_minute, content_last_hour) = writer.content(now);
        let pause = paused_until.unwrap_or(now);
        BudgetView {
            core,
            graphql,
            paused_until,
            next_write_at: writer.ready_at(now, 1).max(pause),
            content_last_minute,
            content_last_hour,
        }
    }

    /// An issue with its labels and board rows; one GraphQL request. `None`: there is no issue of
    /// that number, or the App may not see it (a pull request is no issue).
    pub async fn item(
        &self,
        repo: &RepoName,
        number: u64,
    ) -> Result<Option<ItemRead>, GitHubError> {
        let variables = json!({ "owner": repo.owner, "name": repo.name, "number": number });
        self.read_item(graphql::item, &variables, "/repository/issue")
            .await
    }

    /// The issue behind a node id; `None` also for node ids of anything else.
    pub async fn item_by_node(&self, node_id: &str) -> Result<Option<ItemRead>, GitHubError> {
        let variables = json!({ "id": node_id });
        self.read_item(graphql::item_by_node, &variables, "/node")
            .await
    }

    /// The node id of the issue that had this number, wherever it was transferred since: by GraphQL
    /// GitHub knows neither its old number nor its old node id. `None`: the App may not see it there,
    /// or it is gone. One read, and one more where it went on.
    pub async fn leads_to(
        &self,
        repo: &RepoName,
        number: u64,
    ) -> Result<Option<String>, GitHubError> {
        let path = format!("{}/issues/{number}", of(repo)?);
        match self.channel.read(&Ask::get(path), Answer::ok).await {
            Ok(answer) => Ok(Some(answer.json::<WireNode>()?.node_id)),
            Err(GitHubError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn read_item(
        &self,
        document: fn(&[&str]) -> String,
        variables: &Value,
        pointer: &str,
    ) -> Result<Option<ItemRead>, GitHubError> {
        let found = self.read_fields(document, variables, pointer).await?;
        // A node may be anything; only `item_by_node` asks for the type.
        let issue = found.filter(|node| node.get("__typename").is_none_or(|t| t == "Issue"));
        issue
            .map(|issue| {
                WireIssue::deserialize(issue)
                    .map_err(|error| GitHubError::Shape {
                        what: error.to_string(),
                    })?
                    .read()
            })
            .transpose()
    }

    /// Asks for a document with an issue's fields, without those that this server does not know.
    async fn read_fields(
        &self,
        document: fn(&[&str]) -> String,
        variables: &Value,
        pointer: &str,
    ) -> Result<Option<Value>, GitHubError> {
        let ask = async |without: &[&str]| {
            graphql::query::<Value>(&self.channel, &document(without), variables, pointer).await
        };
        let mut without = self.unknown().clone();
        match ask(&without).await {
            Err(error) => {
                let unknown = graphql::unknown_fields(&error);
                if unknown.is_empty() {
                    return Err(error);
                }
                tracing::warn!(
                    ?unknown,
                    "this GitHub is older; reading without these fields"
                );
                without.extend(unknown);
                let found = ask(&without).await?;
                *self.unknown() = without;
                Ok(found)
            }
            found => found,
        }
    }

    /// The repository's labels, name to node id.
    pub async fn labels(&self, repo: &RepoName) -> Result<BTreeMap<String, String>, GitHubError> {
        let mut all = BTreeMap::new();
        let mut after: Option<String> = None;
        loop {
            let variables = json!({ "owner": repo.owner, "name": repo.name, "after": after });
            let page: Nodes<WireLabel> = graphql::query(
                &self.channel,
                graphql::LABELS,
                &variables,
                "/repository/labels",
            )
            .await?
            .ok_or(GitHubError::NotFound)?;
            let next = page.next();
            all.extend(page.into_iter().map(|label| (label.name, label.id)));
            if next.is_none() || next == after {
                return Ok(all);
            }
            after = next;
        }
    }

    /// A board by its number; `None`: not there, or not visible to the App.
    pub async fn project(&self, org: &str, number: u64) -> Result<Option<Project>, GitHubError> {
        let found: Option<WireProject> = graphql::query(
            &self.channel,
            graphql::PROJECT,
            &json!({ "org": org, "number": number }),
            "/organization/projectV2",
        )
        .await?;
        Ok(found.map(WireProject::read))
    }

    /// Rows of a board, a hundred at a time, from `after` (the last page's `next`) on, with the
    /// issues in them.
    pub async fn project_items(
        &self,
        project_id: &str,
        after: Option<&str>,
    ) -> Result<ItemsPage, GitHubError> {
        let variables = json!({ "id": project_id, "after": after });
        let found = self
            .read_fields(graphql::project_items, &variables, "/node/items")
            .await?
            .ok_or(GitHubError::NotFound)?;
        let items = WireItems::deserialize(found).map_err(|error| GitHubError::Shape {
            what: error.to_string(),
        })?;
        Ok(items.read())
    }

    /// Issues of a repository with what happened to them, the oldest first.
    pub async fn history(
        &self,
        repo: &RepoName,
        after: Option<&str>,
    ) -> Result<HistoryPage, GitHubError> {
        let variables = json!({ "owner": repo.owner, "name": repo.name, "after": after });
        let found = self
            .read_fields(graphql::history, &variables, "/repository/issues")
            .await?
            .ok_or(GitHubError::NotFound)?;
        let history = WireHistory::deserialize(found).map_err(|error| GitHubError::Shape {
            what: error.to_string(),
        })?;
        Ok(history.read())
    }

    /// The files at a path of the default branch and below it; the empty path is the root. `None`:
    /// there is no such path. The repository has to be one that the App was given.
    pub async fn files(
        &self,
        repo: &RepoName,
        path: &str,
    ) -> Result<Option<Vec<RepositoryFile>>, GitHubError> {
        let at = format!("HEAD:{path}");
        let found: Option<WireObject> = graphql::query(
            &self.channel,
            graphql::FILES,
            &json!({ "owner": repo.owner, "name": repo.name, "at": at }),
            "/repository/object",
        )
        .await?;
        Ok(found.map(|object| object.files(path.to_owned())))
    }

    /// Members of a team, those of its child teams too. A team that is not there is an error, not
    /// an empty team.
    pub async fn team_members(
        &self,
        org: &str,
        slug: &str,
    ) -> Result<BTreeSet<UserId>, GitHubError> {
        let (org, slug) = (segment(org)?, segment(slug)?);
        self.people(format!("/orgs/{org}/teams/{slug}/members?per_page=100"))
            .await
    }

    /// Members of the organisation, concealed ones too.
    pub async fn org_members(&self, org: &str) -> Result<BTreeSet<UserId>, GitHubError> {
        let org = segment(org)?;
        self.people(format!("/orgs/{org}/members?per_page=100"))
            .await
    }

    async fn people(&self, path: String) -> Result<BTreeSet<UserId>, GitHubError> {
        let people = self
            .channel
            .read_all(path, Answer::json::<Vec<WireUser>>)
            .await?;
        Ok(people.into_iter().map(|user| UserId(user.id)).collect())
    }

    /// A user's number by the present login; `None`: nobody is called so.
    pub async fn user(&self, login: &str) -> Result<Option<UserId>, GitHubError> {
        let path = format!("/users/{}", segment(login)?);
        let found = self.channel.read(&Ask::get(path), Answer::ok).await;
        match found {
            Ok(answer) => Ok(Some(UserId(answer.json::<WireUser>()?.id))),
            Err(GitHubError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The repositories the App is installed on.
    pub async fn repositories(&self) -> Result<Vec<RepositoryInfo>, GitHubError> {
        let found = self
            .channel
            .read_all(
                "/installation/repositories?per_page=100".to_owned(),
                |answer| Ok(answer.json::<WireRepositories>()?.repositories),
            )
            .await?;
        let named = found.into_iter().filter_map(|repository| {
            Some(RepositoryInfo {
                id: RepositoryId(repository.id),
                name: RepoName::parse(&repository.full_name)?,
                private: repository.private.unwrap_or(true),
                archived: repository.archived.unwrap_or(false),
            })
        });
        Ok(named.collect())
    }

    /// Numbers and texts of a repository's issues that an account opened since, whatever became of
    /// them.
    pub async fn issues_by(
        &self,
        repo: &RepoName,
        author: UserId,
        since: Timestamp,
    ) -> Result<Vec<(u64, String)>, GitHubError> {
        let since = since.strftime("%Y-%m-%dT%H:%M:%SZ");
        let path = format!("{}/issues?state=all&since={since}&per_page=100", of(repo)?);
        let found = self
            .channel
            .read_all(path, Answer::json::<Vec<WireText>>)
            .await?;
        let its = found
            .into_iter()
            .filter(|issue| issue.user.as_ref().is_some_and(|user| user.id == author.0));
        Ok(its
            .map(|issue| (issue.number, issue.body.unwrap_or_default()))
            .collect())
    }

    /// The comments of an issue, oldest first; with `since`, those changed at or after it.
    pub async fn comments(
        &self,
        repo: &RepoName,
        number: u64,
        since: Option<Timestamp>,
    ) -> Result<Vec<Comment>, GitHubError> {
        let mut path = format!("{}/issues/{number}/comments?per_page=100", of(repo)?);
        if let Some(since) = since {
            // Digits, `-`, `:`, `T` and `Z`: nothing that a query would need escaped. GitHub's
            // times have whole seconds, so ours is cut to one.
            let since = since.strftime("%Y-%m-%dT%H:%M:%SZ");
            path = format!("{path}&since={since}");
        }
        let found = self
            .channel
            .read_all(path, Answer::json::<Vec<WireComment>>)
            .await?;
        Ok(found.into_iter().map(WireComment::read).collect())
    }
}

#[derive(Deserialize)]
struct WireText {
    number: u64,
    body: Option<String>,
    user: Option<WireUser>,
}

/// `/repos/owner/name`.
pub(super) fn of(repo: &RepoName) -> Result<String, GitHubError> {
    Ok(format!(
        "/repos/{}/{}",
        segment(&repo.owner)?,
        segment(&repo.name)?
    ))
}

#[derive(Deserialize)]
struct WireNode {
    node_id: String,
}

#[derive(Deserialize)]
struct WireUser {
    id: u64,
}

#[derive(Deserialize)]
struct WireRepositories {
    repositories: Vec<WireRepository>,
}

#[derive(Deserialize)]
struct WireRepository {
    id: u64,
    full_name: String,
    private: Option<bool>,
    archived: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct WireComment {
    pub(super) id: u64,
    user: Option<WireAuthor>,
    performed_via_github_app: Option<WireUser>,
    body: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Deserialize)]
struct WireAuthor {
    id: u64,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl WireComment {
    fn read(self) -> Comment {
        Comment {
            id: CommentId(self.id),
            author_is_bot: self
                .user
                .as_ref()
                .is_some_and(|user| user.kind.as_deref() == Some("Bot")),
            author_id: self.user.map(|user| UserId(user.id)),
            app_id: self.performed_via_github_app.map(|app| app.id),
            body: self.body.unwrap_or_default(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}
