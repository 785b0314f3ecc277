//! What stored payloads say, for the worker: typed, lenient, and no more than is used.
//!
//! A field that is missing or of another type is empty or `None`; new actions and types are
//! strings. `None` from a `read` means that the payload does not say what the event is about.

mod board;
mod issue;

pub use board::{FieldChange, ItemEvent, Side};
pub use issue::mirror_issue;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ids::{CommentId, RepoName, UserId};
use crate::store::{Alias, MirrorIssue};

use super::lenient;

/// Whoever did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    pub id: UserId,
    pub login: String,
    pub bot: bool,
}

/// `issues`.
#[derive(Clone, Debug, PartialEq)]
pub struct IssueEvent {
    pub action: String,
    pub sender: Option<Sender>,
    pub issue: MirrorIssue,
    pub aliases: Vec<Alias>,
    /// The label that was put on or taken off (`labeled`, `unlabeled`).
    pub label: Option<String>,
    /// Title of the milestone that was set or removed (`milestoned`, `demilestoned`).
    pub milestone: Option<String>,
    /// Name of the issue type that was set or removed (`typed`, `untyped`).
    pub issue_type: Option<String>,
    /// The text before an edit, where the edit changed it.
    pub body_before: Option<String>,
    /// What it is called where it went (`transferred`), or was called where it came from
    /// (`opened` by a transfer).
    pub elsewhere: Vec<Alias>,
    /// Where it came to by a transfer, on whichever side this is said. What else it tells of the
    /// issue may be of before everything was there.
    pub arrival: Option<Box<MirrorIssue>>,
}

/// `issue_comment`.
#[derive(Clone, Debug, PartialEq)]
pub struct CommentEvent {
    pub action: String,
    pub sender: Option<Sender>,
    pub issue: MirrorIssue,
    pub aliases: Vec<Alias>,
    pub comment: CommentId,
    pub node_id: String,
    /// Markdown, as it is now.
    pub body: String,
    /// The text before an edit, where the edit changed it.
    pub body_before: Option<String>,
    pub author: Option<Sender>,
    /// When it was written or last edited, with GitHub's whole seconds.
    pub updated_at: Timestamp,
}

/// `label`: the vocabulary of a repository changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelEvent {
    pub action: String,
    pub sender: Option<Sender>,
    pub repository: String,
    pub name: String,
    /// Its name before it was renamed.
    pub name_before: Option<String>,
}

/// `push`: a branch or tag has other commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushEvent {
    pub sender: Option<Sender>,
    /// `owner/name`.
    pub repository: String,
    default_branch: String,
    reference: String,
    /// The commit that it points to now.
    pub after: String,
}

/// `sub_issues`: both sides, as far as they are told.
#[derive(Clone, Debug, PartialEq)]
pub struct SubIssueEvent {
    pub action: String,
    pub sender: Option<Sender>,
    pub parent: Vec<Alias>,
    pub sub_issue: Vec<Alias>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(deserialize_with = "lenient::string")]
    action: String,
    #[serde(deserialize_with = "lenient::object")]
    sender: Option<RawUser>,
    #[serde(deserialize_with = "lenient::object")]
    repository: Option<issue::RawRepository>,
    #[serde(deserialize_with = "lenient::object")]
    issue: Option<issue::RawIssue>,
    #[serde(deserialize_with = "lenient::object")]
    parent_issue: Option<issue::RawIssue>,
    #[serde(deserialize_with = "lenient::object")]
    parent_issue_repo: Option<issue::RawRepository>,
    #[serde(deserialize_with = "lenient::object")]
    sub_issue: Option<issue::RawIssue>,
    #[serde(deserialize_with = "lenient::object")]
    sub_issue_repo: Option<issue::RawRepository>,
    #[serde(deserialize_with = "lenient::object")]
    comment: Option<RawComment>,
    #[serde(deserialize_with = "lenient::object")]
    label: Option<Named>,
    #[serde(deserialize_with = "lenient::object")]
    milestone: Option<Titled>,
    #[serde(rename = "type", deserialize_with = "lenient::object")]
    issue_type: Option<Named>,
    #[serde(deserialize_with = "lenient::object")]
    changes: Option<Changes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawUser {
    #[serde(deserialize_with = "lenient::number")]
    id: Option<u64>,
    #[serde(deserialize_with = "lenient::string")]
    login: String,
    #[serde(rename = "type", deserialize_with = "lenient::string")]
    kind: String,
}

impl RawUser {
    fn sender(self) -> Option<Sender> {
        Some(Sender {
            id: UserId(self.id?),
            bot: self.kind == "Bot",
            login: self.login,
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    #[serde(deserialize_with = "lenient::string")]
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Titled {
    #[serde(deserialize_with = "lenient::string")]
    title: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawComment {
    #[serde(deserialize_with = "lenient::number")]
    id: Option<u64>,
    #[serde(deserialize_with = "lenient::string")]
    node_id: String,
    #[serde(deserialize_with = "lenient::string")]
    body: String,
    #[serde(deserialize_with = "lenient::object")]
    user: Option<RawUser>,
    #[serde(deserialize_with = "lenient::string")]
    created_at: String,
    #[serde(deserialize_with = "lenient::string")]
    updated_at: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Changes {
    #[serde(deserialize_with = "lenient::object")]
    body: Option<From>,
    #[serde(deserialize_with = "lenient::object")]
    name: Option<From>,
    #[serde(deserialize_with = "lenient::object")]
    new_issue: Option<issue::RawIssue>,
    #[serde(deserialize_with = "lenient::object")]
    new_repository: Option<issue::RawRepository>,
    #[serde(deserialize_with = "lenient::object")]
    old_issue: Option<issue::RawIssue>,
    #[serde(deserialize_with = "lenient::object")]
    old_repository: Option<issue::RawRepository>,
}

/// What a text was before: a string, or `null` for none (then an empty one).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct From {
    #[serde(deserialize_with = "lenient::string")]
    from: String,
}

/// A JSON object, or nothing.
fn object<T: DeserializeOwned>(payload: &[u8]) -> Option<T> {
    let mut from = serde_json::Deserializer::from_slice(payload);
    lenient::object(&mut from).ok().flatten()
}

fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

impl IssueEvent {
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        let payload: Payload = object(payload)?;
        let repository = payload.repository.as_ref();
        let issue = payload.issue?;
        let changes = payload.changes.unwrap_or_default();
        let has_come = changes.old_issue.is_some() || changes.old_repository.is_some();
        let old = changes
            .old_issue
            .map(|issue| issue.aliases(changes.old_repository.as_ref()));
        let new = (changes.new_issue, changes.new_repository);
        let new_names = new.0.as_ref().map(|issue| issue.aliases(new.1.as_ref()));
        let aliases = issue.aliases(repository);
        let issue = issue.mirror(repository?)?;
        let arrival = if has_come {
            Some(issue.clone())
        } else {
            Option::zip(new.0, new.1).and_then(|(issue, repository)| issue.mirror(&repository))
        };
        Some(Self {
            action: payload.action,
            sender: payload.sender.and_then(RawUser::sender),
            aliases,
            issue,
            arrival: arrival.map(Box::new),
            label: payload.label.map(|label| label.name),
            milestone: payload.milestone.map(|milestone| milestone.title),
            issue_type: payload.issue_type.map(|issue_type| issue_type.name),
            body_before: changes.body.map(|body| body.from),
            elsewhere: new_names.into_iter().chain(old).flatten().collect(),
        })
    }
}

impl CommentEvent {
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        let payload: Payload = object(payload)?;
        let repository = payload.repository.as_ref();
        let issue = payload.issue?;
        let comment = payload.comment?;
        let changes = payload.changes.unwrap_or_default();
        Some(Self {
            action: payload.action,
            sender: payload.sender.and_then(RawUser::sender),
            aliases: issue.aliases(repository),
            issue: issue.mirror(repository?)?,
            comment: CommentId(comment.id?),
            node_id: comment.node_id,
            updated_at: instant(&comment.updated_at).or_else(|| instant(&comment.created_at))?,
            body: comment.body,
            body_before: changes.body.map(|body| body.from),
            author: comment.user.and_then(RawUser::sender),
        })
    }
}

impl LabelEvent {
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        let payload: Payload = object(payload)?;
        Some(Self {
            action: payload.action,
            sender: payload.sender.and_then(RawUser::sender),
            repository: payload.repository?.full_name,
            name: payload.label.map(|label| label.name)?,
            name_before: payload.changes.and_then(|c| c.name).map(|name| name.from),
        })
    }
}

impl PushEvent {
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Raw {
            #[serde(deserialize_with = "lenient::object")]
            sender: Option<RawUser>,
            #[serde(deserialize_with = "lenient::object")]
            repository: Option<Repository>,
            #[serde(rename = "ref", deserialize_with = "lenient::string")]
            reference: String,
            #[serde(deserialize_with = "lenient::string")]
            after: String,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Repository {
            #[serde(deserialize_with = "lenient::string")]
            full_name: String,
            #[serde(deserialize_with = "lenient::string")]
            default_branch: String,
        }
        let raw: Raw = object(payload)?;
        let repository = raw.repository?;
        Some(Self {
            sender: raw.sender.and_then(RawUser::sender),
            repository: repository.full_name,
            default_branch: repository.default_branch,
            reference: raw.reference,
            after: raw.after,
        })
    }

    #[must_use]
    pub fn is_to_default_branch(&self) -> bool {
        let branch = self.reference.strip_prefix("refs/heads/");
        branch.is_some_and(|branch| branch == self.default_branch)
    }

    /// Is it this repository? GitHub's names have no capitals of their own.
    #[must_use]
    pub fn is_in(&self, repository: &RepoName) -> bool {
        self.repository
            .eq_ignore_ascii_case(&repository.to_string())
    }
}

impl SubIssueEvent {
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        let payload: Payload = object(payload)?;
        let here = payload.repository.as_ref();
        let parent_repository = payload.parent_issue_repo.as_ref().or(here);
        let sub_repository = payload.sub_issue_repo.as_ref().or(here);
        Some(Self {
            action: payload.action,
            sender: payload.sender.and_then(RawUser::sender),
            parent: payload.parent_issue?.aliases(parent_repository),
            sub_issue: payload.sub_issue?.aliases(sub_repository),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RepositoryId;

    pub(super) const ISSUE: &str = r#"{"id":900,"node_id":"I_9","number":7,"title":"T",
        "body":null,"state":"open","state_reason":null,"comments":3,
        "labels":[{"name":"Bug"},"odd",{"name":"help"}],"milestone":{"title":"M"},
        "type":{"name":"Task"},"reactions":{"total_count":4},
        "user":{"id":3,"login":"ada","type":"User"},"assignees":[{"login":"bob"}],
        "sub_issues_summary":{"total":2},
        "parent_issue_url":"https://ghe.example/api/v3/repos/org/other/issues/12",
        "created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-02T00:00:00Z"}"#;

    pub(super) const REPOSITORY: &str =
        r#"{"id":42,"name":"repo","full_name":"org/repo","private":false}"#;

    fn event(rest: &str) -> Vec<u8> {
        format!(
            r#"{{"issue":{ISSUE},"repository":{REPOSITORY},
                "sender":{{"id":5,"login":"app[bot]","type":"Bot"}},{rest}}}"#
        )
        .into_bytes()
    }

    #[test]
    fn an_issue_event_says_what_was_done() {
        let read = IssueEvent::read(&event(
            r#""action":"labeled","label":{"name":"Bug"},"changes":{"body":{"from":"old"}}"#,
        ))
        .unwrap();
        assert_eq!(read.action, "labeled");
        assert_eq!(read.label.as_deref(), Some("Bug"));
        assert_eq!(read.body_before.as_deref(), Some("old"));
        assert!(
            read.sender
                .as_ref()
                .is_some_and(|s| s.bot && s.id == UserId(5))
        );
        assert_eq!(
            read.aliases,
            [
                Alias::Number(RepositoryId(42), 7),
                Alias::DatabaseId(900),
                Alias::Node("I_9".to_owned())
            ]
        );
        assert!(read.elsewhere.is_empty());
    }

    #[test]
    fn a_transfer_says_where_it_went() {
        let read = IssueEvent::read(&event(
            r#""action":"transferred","changes":{"new_issue":{"id":901,"number":1},
               "new_repository":{"id":43}}"#,
        ))
        .unwrap();
        assert_eq!(
            read.elsewhere,
            [Alias::Number(RepositoryId(43), 1), Alias::DatabaseId(901)]
        );
        assert_eq!(read.arrival, None, "no more is said of it");

        let there = format!(
            r#""action":"transferred","changes":{{"new_issue":{},
               "new_repository":{{"id":43,"full_name":"org/there","private":false}}}}"#,
            ISSUE.replace(r#""number":7"#, r#""number":1"#)
        );
        let read = IssueEvent::read(&event(&there)).unwrap();
        let arrival = read.arrival.expect("where it came to");
        assert_eq!(
            (arrival.repository_id, arrival.issue.number),
            (RepositoryId(43), 1)
        );
        assert_eq!(read.issue.issue.number, 7, "here it is told as it was");
    }

    #[test]
    fn what_came_by_a_transfer_says_where_from_as_far_as_it_may() {
        let changes = [
            r#"{"old_issue":{"id":899,"number":3},"old_repository":{"id":41}}"#,
            r#"{"old_issue":null,"old_repository":{"id":41}}"#,
        ];
        let read = changes.map(|changes| {
            let event = event(&format!(r#""action":"opened","changes":{changes}"#));
            IssueEvent::read(&event).unwrap()
        });
        assert_eq!(
            read[0].elsewhere,
            [Alias::Number(RepositoryId(41), 3), Alias::DatabaseId(899)]
        );
        assert!(read[1].elsewhere.is_empty());
        for read in read {
            assert_eq!(read.arrival.as_deref(), Some(&read.issue));
        }
    }

    #[test]
    fn a_comment_event_has_both_texts_and_both_people() {
        let read = CommentEvent::read(&event(
            r#""action":"edited","changes":{"body":{"from":"/kind bug"}},
               "comment":{"id":77,"node_id":"IC_1","body":"/kind docs",
               "user":{"id":3,"login":"ada","type":"User"},"created_at":"2026-01-01T00:00:00Z",
               "updated_at":"2026-01-03T00:00:00Z"}"#,
        ))
        .unwrap();
        assert_eq!(read.comment, CommentId(77));
        assert_eq!(read.body, "/kind docs");
        assert_eq!(read.body_before.as_deref(), Some("/kind bug"));
        assert_eq!(read.author.map(|a| a.id), Some(UserId(3)));
        assert_eq!(read.sender.map(|s| s.id), Some(UserId(5)));
        assert_eq!(read.updated_at.to_string(), "2026-01-03T00:00:00Z");
    }

    #[test]
    fn label_and_sub_issue_events() {
        let renamed = format!(
            r#"{{"action":"edited","label":{{"name":"new"}},"changes":{{"name":{{"from":"old"}}}},
                "repository":{REPOSITORY}}}"#
        );
        let read = LabelEvent::read(renamed.as_bytes()).unwrap();
        assert_eq!(
            (read.name.as_str(), read.repository.as_str()),
            ("new", "org/repo")
        );
        assert_eq!(read.name_before.as_deref(), Some("old"));
        assert_eq!(read.sender, None);

        let linked = format!(
            r#"{{"action":"sub_issue_added","sub_issue":{{"number":1}},
                "sub_issue_repo":{{"id":43}},"parent_issue":{{"number":2}},
                "repository":{REPOSITORY}}}"#
        );
        let read = SubIssueEvent::read(linked.as_bytes()).unwrap();
        assert_eq!(read.sub_issue, [Alias::Number(RepositoryId(43), 1)]);
        assert_eq!(read.parent, [Alias::Number(RepositoryId(42), 2)]);
    }

    #[test]
    fn what_says_too_little_is_nothing() {
        for payload in [
            "",
            "[]",
            "{}",
            r#"{"issue":7}"#,
            r#"{"issue":{},"repository":{}}"#,
        ] {
            assert_eq!(IssueEvent::read(payload.as_bytes()), None);
            assert_eq!(CommentEvent::read(payload.as_bytes()), None);
            assert_eq!(LabelEvent::read(payload.as_bytes()), None);
            assert_eq!(ItemEvent::read(payload.as_bytes()), None);
        }
    }
}
