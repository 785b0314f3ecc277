//! An issue as payloads (and GitHub's REST answers, which have the same shape) give it.

use serde::Deserialize;

use crate::ids::{RepoName, RepositoryId};
use crate::receive::lenient;
use crate::store::{Alias, MirrorIssue};
use crate::triage::snapshot::Issue;

use super::{Named, Payload, RawUser, Titled, instant, object};

/// The issue of any payload that has one with its repository, as the mirror keeps it.
#[must_use]
pub fn mirror_issue(payload: &[u8]) -> Option<MirrorIssue> {
    let payload: Payload = object(payload)?;
    payload.issue?.mirror(payload.repository.as_ref()?)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawRepository {
    #[serde(deserialize_with = "lenient::number")]
    id: Option<u64>,
    #[serde(deserialize_with = "lenient::string")]
    pub(super) full_name: String,
    #[serde(deserialize_with = "lenient::flag")]
    private: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawIssue {
    #[serde(deserialize_with = "lenient::number")]
    id: Option<u64>,
    #[serde(deserialize_with = "lenient::string")]
    node_id: String,
    #[serde(deserialize_with = "lenient::number")]
    number: Option<u64>,
    #[serde(deserialize_with = "lenient::string")]
    title: String,
    #[serde(deserialize_with = "lenient::string")]
    body: String,
    #[serde(deserialize_with = "lenient::string")]
    state: String,
    #[serde(deserialize_with = "lenient::string")]
    state_reason: String,
    #[serde(deserialize_with = "lenient::objects")]
    labels: Vec<Named>,
    #[serde(deserialize_with = "lenient::object")]
    milestone: Option<Titled>,
    #[serde(rename = "type", deserialize_with = "lenient::object")]
    issue_type: Option<Named>,
    #[serde(deserialize_with = "lenient::object")]
    user: Option<RawUser>,
    #[serde(deserialize_with = "lenient::objects")]
    assignees: Vec<RawUser>,
    #[serde(deserialize_with = "lenient::number")]
    comments: Option<u64>,
    #[serde(deserialize_with = "lenient::object")]
    reactions: Option<Reactions>,
    #[serde(deserialize_with = "lenient::object")]
    sub_issues_summary: Option<SubIssues>,
    #[serde(deserialize_with = "lenient::string")]
    parent_issue_url: String,
    #[serde(deserialize_with = "lenient::string")]
    created_at: String,
    #[serde(deserialize_with = "lenient::string")]
    updated_at: String,
    #[serde(deserialize_with = "lenient::string")]
    closed_at: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reactions {
    #[serde(deserialize_with = "lenient::number")]
    total_count: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SubIssues {
    #[serde(deserialize_with = "lenient::number")]
    total: Option<u64>,
}

impl RawIssue {
    /// Every name the payload has for it.
    pub(super) fn aliases(&self, repository: Option<&RawRepository>) -> Vec<Alias> {
        let repository = repository.and_then(|repository| repository.id);
        let number = Option::zip(repository, self.number)
            .map(|(repository, number)| Alias::Number(RepositoryId(repository), number));
        let node = (!self.node_id.is_empty()).then(|| Alias::Node(self.node_id.clone()));
        [number, self.id.map(Alias::DatabaseId), node]
            .into_iter()
            .flatten()
            .collect()
    }

    /// `None` where it lacks what every issue has: repository, number and times.
    pub(super) fn mirror(self, repository: &RawRepository) -> Option<MirrorIssue> {
        let created_at = instant(&self.created_at)?;
        let author = self.user.and_then(RawUser::sender);
        let issue = Issue {
            repository: RepoName::parse(&repository.full_name)?,
            number: self.number?,
            title: self.title,
            body: self.body,
            labels: self.labels.into_iter().map(|label| label.name).collect(),
            milestone: self.milestone.map(|m| m.title).unwrap_or_default(),
            open: self.state != "closed",
            // GitHub says `reopened` of open issues.
            state_reason: if self.state == "closed" {
                self.state_reason
            } else {
                String::new()
            },
            issue_type: self.issue_type.map(|t| t.name).unwrap_or_default(),
            created_at,
            updated_at: instant(&self.updated_at).unwrap_or(created_at),
            closed_at: instant(&self.closed_at),
            comments: self.comments.unwrap_or(0),
            reactions: self.reactions.and_then(|r| r.total_count).unwrap_or(0),
            private: repository.private != Some(false),
            parent: parent(&self.parent_issue_url).unwrap_or_default(),
            sub_issues: self.sub_issues_summary.and_then(|s| s.total).unwrap_or(0),
            assignees: self.assignees.into_iter().map(|user| user.login).collect(),
        };
        Some(MirrorIssue {
            repository_id: RepositoryId(repository.id?),
            node_id: self.node_id,
            // A deleted account has no user: GitHub calls it `ghost`, whose id is 10137.
            author: author.as_ref().map_or(crate::ids::UserId(10_137), |a| a.id),
            author_is_bot: author.as_ref().is_some_and(|a| a.bot),
            author_login: author.map_or_else(|| "ghost".to_owned(), |a| a.login),
            issue,
            stale: false,
            written_over: None,
            boards_read_at: None,
        })
    }
}

/// `…/repos/OWNER/REPO/issues/N` as `OWNER/REPO#N`.
fn parent(url: &str) -> Option<String> {
    let (_, path) = url.rsplit_once("/repos/")?;
    let (name, number) = path.split_once("/issues/")?;
    let name = RepoName::parse(name)?;
    let number: u64 = number.parse().ok()?;
    Some(format!("{name}#{number}"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ISSUE, REPOSITORY};
    use super::*;
    use crate::ids::UserId;

    fn read(issue: &str, repository: &str) -> MirrorIssue {
        let payload = format!(r#"{{"issue":{issue},"repository":{repository}}}"#);
        mirror_issue(payload.as_bytes()).expect("an issue")
    }

    #[test]
    fn everything_a_snapshot_wants_is_read() {
        let mirror = read(ISSUE, REPOSITORY);
        assert_eq!(mirror.repository_id, RepositoryId(42));
        assert_eq!(mirror.node_id, "I_9");
        assert_eq!(mirror.author, UserId(3));
        assert!(!mirror.author_is_bot && !mirror.stale);
        let issue = mirror.issue;
        assert_eq!(issue.repository.to_string(), "org/repo");
        assert_eq!((issue.number, issue.title.as_str()), (7, "T"));
        assert_eq!(issue.body, "");
        assert_eq!(issue.labels, ["Bug", "help"]);
        assert_eq!(issue.milestone, "M");
        assert_eq!(issue.issue_type, "Task");
        assert!(issue.open && !issue.private);
        assert_eq!(
            (issue.comments, issue.reactions, issue.sub_issues),
            (3, 4, 2)
        );
        assert_eq!(issue.parent, "org/other#12");
        assert_eq!(issue.assignees, ["bob"]);
        assert_eq!(issue.updated_at.to_string(), "2026-01-02T00:00:00Z");
        assert_eq!(issue.closed_at, None);
    }

    #[test]
    fn closed_reopened_and_deleted_authors() {
        let closed = ISSUE.replace(
            r#""state":"open","state_reason":null"#,
            r#""state":"closed","state_reason":"some_new_reason","closed_at":"2026-01-02T00:00:00Z""#,
        );
        let issue = read(&closed, REPOSITORY).issue;
        assert!(!issue.open && issue.closed_at.is_some());
        assert_eq!(issue.state_reason, "some_new_reason");
        let reopened = ISSUE.replace(r#""state_reason":null"#, r#""state_reason":"reopened""#);
        assert_eq!(read(&reopened, REPOSITORY).issue.state_reason, "");
        let orphan = ISSUE.replace(r#"{"id":3,"login":"ada","type":"User"}"#, "null");
        assert_eq!(read(&orphan, REPOSITORY).author_login, "ghost");
    }

    #[test]
    fn a_repository_is_private_unless_it_says_that_it_is_not() {
        for unknown in [r#""private":true"#, r#""private":"no""#, r#""other":1"#] {
            let repository = REPOSITORY.replace(r#""private":false"#, unknown);
            assert!(read(ISSUE, &repository).issue.private, "{unknown}");
        }
    }

    #[test]
    fn an_odd_parent_is_none() {
        for url in [
            "",
            "nonsense",
            "https://x/repos/a/issues/1",
            "/repos/a/b/issues/x",
        ] {
            assert_eq!(parent(url), None, "{url}");
        }
    }
}
