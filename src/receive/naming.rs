//! What a delivery is about: the few fields that name its lane, its organisation and its action.

use std::borrow::Cow;

use serde::Deserialize;

use crate::ids::{InstallationId, RepositoryId};
use crate::store::LaneKey;

use super::lenient;

/// A node id longer than this is none of GitHub's (theirs are under 100).
const LONGEST_NODE_ID: usize = 256;

/// What the door needs to know of a payload. Everything may be absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Naming<'a> {
    #[serde(borrow, deserialize_with = "lenient::text")]
    action: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "lenient::object")]
    installation: Option<Installation<'a>>,
    #[serde(borrow, deserialize_with = "lenient::object")]
    organization: Option<Account<'a>>,
    #[serde(borrow, deserialize_with = "lenient::object")]
    repository: Option<Repository<'a>>,
    #[serde(deserialize_with = "lenient::object")]
    issue: Option<Issue>,
    #[serde(deserialize_with = "lenient::object")]
    parent_issue: Option<Issue>,
    #[serde(deserialize_with = "lenient::object")]
    sub_issue: Option<Issue>,
    #[serde(borrow, deserialize_with = "lenient::object")]
    projects_v2_item: Option<BoardItem<'a>>,
    #[serde(borrow, deserialize_with = "lenient::object")]
    projects_v2: Option<Board<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Installation<'a> {
    #[serde(deserialize_with = "lenient::number")]
    id: Option<u64>,
    #[serde(borrow, deserialize_with = "lenient::object")]
    account: Option<Account<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Account<'a> {
    #[serde(borrow, deserialize_with = "lenient::text")]
    login: Option<Cow<'a, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Repository<'a> {
    #[serde(deserialize_with = "lenient::number")]
    id: Option<u64>,
    #[serde(borrow, deserialize_with = "lenient::object")]
    owner: Option<Account<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Issue {
    #[serde(deserialize_with = "lenient::number")]
    number: Option<u64>,
    /// Only pull requests have it.
    #[serde(deserialize_with = "lenient::present")]
    pull_request: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BoardItem<'a> {
    #[serde(borrow, deserialize_with = "lenient::text")]
    content_type: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "lenient::text")]
    content_node_id: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "lenient::text")]
    project_node_id: Option<Cow<'a, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Board<'a> {
    #[serde(borrow, deserialize_with = "lenient::text")]
    node_id: Option<Cow<'a, str>>,
}

impl<'a> Naming<'a> {
    /// Reads the body. `Err`: it is not a JSON object.
    pub fn read(body: &'a [u8]) -> Result<Self, NotJson> {
        let text = std::str::from_utf8(body).map_err(|_| NotJson)?;
        let mut from = serde_json::Deserializer::from_str(text);
        let naming = lenient::object(&mut from).map_err(|_| NotJson)?;
        from.end().map_err(|_| NotJson)?;
        naming.ok_or(NotJson)
    }

    /// Empty where the event has none.
    pub fn action(&self) -> &str {
        self.action.as_deref().unwrap_or_default()
    }

    pub fn installation(&self) -> Option<InstallationId> {
        let id = self.installation.as_ref()?.id?;
        Some(InstallationId(id))
    }

    /// The organisation (or user) it happened in.
    pub fn login(&self) -> Option<&str> {
        let organization = self.organization.as_ref();
        let owner = self.repository.as_ref().and_then(|r| r.owner.as_ref());
        let installed = self.installation.as_ref().and_then(|i| i.account.as_ref());
        [organization, owner, installed]
            .into_iter()
            .flatten()
            .find_map(|account| account.login.as_deref())
    }

    /// The lane for an event. `None`: it is not handled (another event, a pull request, or
    /// nothing by which to tell what it is about).
    pub fn lane(&self, event: &str) -> Option<LaneKey> {
        match event {
            "issues" | "issue_comment" => {
                let issue = self.issue.as_ref()?;
                if issue.pull_request {
                    return None;
                }
                self.issue_lane(issue)
            }
            // The repository is that of the issue on whose side the event is.
            "sub_issues" if self.action().starts_with("parent_issue") => {
                self.issue_lane(self.sub_issue.as_ref()?)
            }
            "sub_issues" => self.issue_lane(self.parent_issue.as_ref()?),
            "projects_v2_item" => {
                let item = self.projects_v2_item.as_ref()?;
                if item.content_type.as_deref() == Some("Issue") {
                    node_id(item.content_node_id.as_ref()).map(LaneKey::Node)
                } else {
                    // Drafts and pull requests count in caps, and are nothing else to us.
                    node_id(item.project_node_id.as_ref()).map(LaneKey::Board)
                }
            }
            "projects_v2" => {
                node_id(self.projects_v2.as_ref()?.node_id.as_ref()).map(LaneKey::Board)
            }
            "label"
            | "installation"
            | "installation_repositories"
            | "organization"
            | "team"
            | "membership"
            | "push"
            | "ping" => Some(LaneKey::Installation),
            _ => None,
        }
    }

    fn issue_lane(&self, issue: &Issue) -> Option<LaneKey> {
        Some(LaneKey::Issue {
            repository: RepositoryId(self.repository.as_ref()?.id?),
            number: issue.number?,
        })
    }
}

/// The body is not a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson;

fn node_id(id: Option<&Cow<'_, str>>) -> Option<String> {
    let id = id?;
    let sound = !id.is_empty()
        && id.len() <= LONGEST_NODE_ID
        && id.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then(|| id.as_ref().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(event: &str, body: &str) -> Option<String> {
        let naming = Naming::read(body.as_bytes()).expect("JSON");
        naming.lane(event).map(|lane| lane.to_string())
    }

    #[test]
    fn an_issue_is_named_by_repository_and_number() {
        let body = r#"{"action":"transferred","issue":{"number":7,"pull_request":null},
            "changes":{"new_issue":{"number":9}},"repository":{"id":42}}"#;
        assert_eq!(lane("issues", body).as_deref(), Some("issue:42:7"));
        assert_eq!(lane("issue_comment", body).as_deref(), Some("issue:42:7"));
    }

    #[test]
    fn pull_requests_are_left_alone() {
        let body = r#"{"issue":{"number":7,"pull_request":{"url":"x"}},"repository":{"id":42}}"#;
        assert_eq!(lane("issue_comment", body), None);
    }

    #[test]
    fn sub_issue_events_belong_to_the_issue_of_their_repository() {
        let body = r#"{"action":"ACTION","sub_issue":{"number":1},"parent_issue":{"number":2},
            "repository":{"id":42}}"#;
        for (action, expected) in [
            ("parent_issue_added", "issue:42:1"),
            ("parent_issue_removed", "issue:42:1"),
            ("sub_issue_added", "issue:42:2"),
            ("sub_issue_removed", "issue:42:2"),
        ] {
            let body = body.replace("ACTION", action);
            assert_eq!(lane("sub_issues", &body).as_deref(), Some(expected));
        }
    }

    #[test]
    fn board_items_are_named_by_their_content_or_their_board() {
        let body = r#"{"projects_v2_item":{"content_type":"TYPE","content_node_id":"I_1",
            "project_node_id":"PVT_1"}}"#;
        let named = |kind| lane("projects_v2_item", &body.replace("TYPE", kind));
        assert_eq!(named("Issue").as_deref(), Some("node:I_1"));
        assert_eq!(named("DraftIssue").as_deref(), Some("board:PVT_1"));
        assert_eq!(named("PullRequest").as_deref(), Some("board:PVT_1"));
        assert_eq!(named("SomethingNew").as_deref(), Some("board:PVT_1"));
        let board = r#"{"projects_v2":{"node_id":"PVT_2"}}"#;
        assert_eq!(lane("projects_v2", board).as_deref(), Some("board:PVT_2"));
        let odd = format!(r#"{{"projects_v2":{{"node_id":"{}"}}}}"#, "x".repeat(300));
        assert_eq!(lane("projects_v2", &odd), None);
    }

    #[test]
    fn the_rest_belongs_to_the_installation_or_to_nobody() {
        assert_eq!(lane("label", "{}").as_deref(), Some("installation"));
        assert_eq!(lane("ping", "{}").as_deref(), Some("installation"));
        assert_eq!(lane("star", "{}"), None);
        assert_eq!(lane("issues", "{}"), None);
    }

    #[test]
    fn fields_of_other_types_count_as_absent() {
        let body = r#"{"action":5,"installation":"x","organization":[{"a":1}],
            "repository":{"id":-1,"owner":7,"more":{"deep":[1,2,{"x":null}]}},
            "issue":{"number":"7","pull_request":false},"sender":null}"#;
        let naming = Naming::read(body.as_bytes()).unwrap();
        assert_eq!(naming.action(), "");
        assert_eq!(naming.installation(), None);
        assert_eq!(naming.login(), None);
        assert_eq!(naming.lane("issues"), None);
    }

    #[test]
    fn the_organisation_is_found_wherever_it_stands() {
        let login = |body: &str| {
            let naming = Naming::read(body.as_bytes()).unwrap();
            naming.login().map(str::to_owned)
        };
        let both = r#"{"repository":{"owner":{"login":"b"}},"organization":{"login":"a"}}"#;
        assert_eq!(login(both).as_deref(), Some("a"));
        let owner = r#"{"repository":{"owner":{"login":"b\u00e9"}}}"#;
        assert_eq!(login(owner).as_deref(), Some("bé"));
        let installed = r#"{"installation":{"id":3,"account":{"login":"c"}}}"#;
        assert_eq!(login(installed).as_deref(), Some("c"));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let bad: [&[u8]; 8] = [
            b"",
            b"hello",
            b"[]",
            b"5",
            b"null",
            b"{\"a\":1}x",
            b"{\"a\":",
            b"{\"a\":\"\xff\"}",
        ];
        for body in bad {
            assert!(Naming::read(body).is_err(), "{body:?}");
        }
        assert!(Naming::read(b" {} \n").is_ok());
    }
}
