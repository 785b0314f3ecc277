//! What an installation writes. Every write takes its turn with the installation's one writer,
//! goes out once, and is never repeated here: after [`GitHubError::may_have_happened`] the caller
//! looks before it tries again.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::ids::{CommentId, RepoName};

use super::channel::{Answer, Ask, segment};
use super::error::{GitHubError, GraphQlError};
use super::graphql::Reply;
use super::installation::{Installation, of};
use super::mutation::{self, Mutation, MutationOk};

/// A reaction to an issue or a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reaction {
    PlusOne,
    MinusOne,
    Laugh,
    Confused,
    Heart,
    Hooray,
    Rocket,
    Eyes,
}

impl Reaction {
    /// GitHub's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PlusOne => "+1",
            Self::MinusOne => "-1",
            Self::Laugh => "laugh",
            Self::Confused => "confused",
            Self::Heart => "heart",
            Self::Hooray => "hooray",
            Self::Rocket => "rocket",
            Self::Eyes => "eyes",
        }
    }
}

impl Installation {
    /// Many writes in one document, done in order; each succeeds or fails on its own. An `Err` of
    /// the whole means that none has been done, or (if it may have happened) that nothing is known
    /// of any.
    pub async fn mutate(
        &self,
        mutations: Vec<Mutation>,
    ) -> Result<Vec<Result<MutationOk, GraphQlError>>, GitHubError> {
        if mutations.is_empty() {
            return Ok(Vec::new());
        }
        let (document, variables) = mutation::compose(&mutations);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let content = mutations.iter().filter(|m| m.makes_content()).count();
        let ask = Ask::graphql(&document, &variables);
        let answer = self
            .channel
            .write(&ask, count(mutations.len()), count(content))
            .await?;
        let reply = Reply::open(&self.channel, answer).map_err(GitHubError::after_a_write)?;
        if reply.data.is_null() {
            return Err(reply.into_failure());
        }
        Ok(mutation::outcomes(&mutations, &reply.data, &reply.errors))
    }

    /// Creates a label and gives its node id; of a label that is there already, that one's.
    /// `color` is six hex digits without `#`. GitHub takes 50 characters of name and 100 of
    /// description.
    pub async fn create_label(
        &self,
        repo: &RepoName,
        name: &str,
        color: &str,
        description: &str,
    ) -> Result<String, GitHubError> {
        let labels = format!("{}/labels", of(repo)?);
        let body = json!({ "name": name, "color": color, "description": description });
        let ask = Ask::send(Method::POST, &*labels, &body);
        let answer = self.channel.write(&ask, 1, 0).await?;
        if answer.failed_with("already_exists") {
            let ask = Ask::get(format!("{labels}/{}", segment(name)?));
            let label = self
                .channel
                .read(&ask, |answer| answer.ok()?.json::<WireNodeId>())
                .await?;
            return Ok(label.node_id);
        }
        let label: WireNodeId = written(answer)?;
        Ok(label.node_id)
    }

    /// A new issue; its number. GitHub takes 256 characters of title and 65,536 of body.
    pub async fn open_issue(
        &self,
        repo: &RepoName,
        title: &str,
        body: &str,
    ) -> Result<u64, GitHubError> {
        let path = format!("{}/issues", of(repo)?);
        let ask = Ask::send(Method::POST, path, &json!({ "title": title, "body": body }));
        let answer = self.channel.write(&ask, 1, 1).await?;
        let issue: WireNumber = written(answer)?;
        Ok(issue.number)
    }

    /// Replaces the text of an issue; `false`: it is gone.
    pub async fn edit_issue(
        &self,
        repo: &RepoName,
        number: u64,
        body: &str,
    ) -> Result<bool, GitHubError> {
        let path = format!("{}/issues/{number}", of(repo)?);
        let ask = Ask::send(Method::PATCH, path, &json!({ "body": body }));
        self.done_if_there(&ask).await
    }

    /// A new comment on an issue.
    pub async fn comment(
        &self,
        repo: &RepoName,
        number: u64,
        body: &str,
    ) -> Result<CommentId, GitHubError> {
        let path = format!("{}/issues/{number}/comments", of(repo)?);
        let ask = Ask::send(Method::POST, path, &json!({ "body": body }));
        let answer = self.channel.write(&ask, 1, 1).await?;
        let comment: WireId = written(answer)?;
        Ok(CommentId(comment.id))
    }

    /// Replaces the body of a comment; `false`: it is gone. (octocrab sends a POST here, which
    /// GitHub does not have.)
    pub async fn edit_comment(
        &self,
        repo: &RepoName,
        id: CommentId,
        body: &str,
    ) -> Result<bool, GitHubError> {
        let path = format!("{}/issues/comments/{id}", of(repo)?);
        let ask = Ask::send(Method::PATCH, path, &json!({ "body": body }));
        self.done_if_there(&ask).await
    }

    /// Reacts to a comment; `false`: it is gone. Reacting twice is reacting once.
    pub async fn react_to_comment(
        &self,
        repo: &RepoName,
        id: CommentId,
        reaction: Reaction,
    ) -> Result<bool, GitHubError> {
        let path = format!("{}/issues/comments/{id}/reactions", of(repo)?);
        self.react(path, reaction).await
    }

    /// Reacts to an issue; `false`: it is gone.
    pub async fn react_to_issue(
        &self,
        repo: &RepoName,
        number: u64,
        reaction: Reaction,
    ) -> Result<bool, GitHubError> {
        let path = format!("{}/issues/{number}/reactions", of(repo)?);
        self.react(path, reaction).await
    }

    async fn react(&self, path: String, reaction: Reaction) -> Result<bool, GitHubError> {
        let ask = Ask::send(Method::POST, path, &json!({ "content": reaction.name() }));
        self.done_if_there(&ask).await
    }

    /// `false`: what it is about is gone.
    async fn done_if_there(&self, ask: &Ask) -> Result<bool, GitHubError> {
        let answer = self.channel.write(ask, 1, 0).await?;
        match answer.ok() {
            Ok(_) => Ok(true),
            Err(GitHubError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What a write that was done answered. Done it is, even if the answer cannot be read.
fn written<T: serde::de::DeserializeOwned>(answer: Answer) -> Result<T, GitHubError> {
    answer.ok()?.json().map_err(GitHubError::after_a_write)
}

#[derive(Deserialize)]
struct WireId {
    id: u64,
}

#[derive(Deserialize)]
struct WireNumber {
    number: u64,
}

#[derive(Deserialize)]
struct WireNodeId {
    node_id: String,
}
