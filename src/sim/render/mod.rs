//! GitHub's JSON for everything, with all the fields its own descriptions require.

use serde_json::{Map, Value, json};

mod accounts;

use crate::sim::ids::Node;
use crate::sim::state::{
    Comment, Content, Issue, Item, Label, Milestone, Reaction, Repository, State, time,
};

const REPOSITORY_LINKS: &[(&str, &str)] = &[
    ("forks_url", "/forks"),
    ("keys_url", "/keys{/key_id}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("teams_url", "/teams"),
    ("hooks_url", "/hooks"),
    ("issue_events_url", "/issues/events{/number}"),
    ("events_url", "/events"),
    ("assignees_url", "/assignees{/user}"),
    ("branches_url", "/branches{/branch}"),
    ("tags_url", "/tags"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("trees_url", "/git/trees{/sha}"),
    ("statuses_url", "/statuses/{sha}"),
    ("languages_url", "/languages"),
    ("stargazers_url", "/stargazers"),
    ("contributors_url", "/contributors"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("commits_url", "/commits{/sha}"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("comments_url", "/comments{/number}"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("contents_url", "/contents/{+path}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("merges_url", "/merges"),
    ("archive_url", "/{archive_format}{/ref}"),
    ("downloads_url", "/downloads"),
    ("issues_url", "/issues{/number}"),
    ("pulls_url", "/pulls{/number}"),
    ("milestones_url", "/milestones{/number}"),
    (
        "notifications_url",
        "/notifications{?since,all,participating}",
    ),
    ("labels_url", "/labels{/name}"),
    ("releases_url", "/releases{/id}"),
    ("deployments_url", "/deployments"),
];

fn extend(map: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        map.extend(more);
    }
}

impl State {
    pub fn html_issue(&self, issue: &Issue) -> String {
        format!(
            "https://github.com/{}/issues/{}",
            self.full_name(issue.repository),
            issue.number
        )
    }

    /// `repository`, in the one form that satisfies the full, the minimal and the webhooks'.
    pub fn repository_json(&self, repo: &Repository) -> Value {
        let full_name = self.full_name(repo.id);
        let url = format!("{}/repos/{full_name}", self.api_url);
        let html = format!("https://github.com/{full_name}");
        let open = repo
            .issues
            .values()
            .filter(|id| self.issues.get(id).is_some_and(|issue| issue.open))
            .count();
        let mut map = Map::new();
        extend(
            &mut map,
            json!({
                "id": repo.id,
                "node_id": self.node(Node::Repository(repo.id)),
                "name": repo.name,
                "full_name": full_name,
                "private": repo.private,
                "owner": self.user_json(repo.owner),
                "html_url": html,
                "description": null,
                "fork": false,
                "url": url,
            }),
        );
        for (name, path) in REPOSITORY_LINKS {
            map.insert((*name).to_owned(), format!("{url}{path}").into());
        }
        extend(
            &mut map,
            json!({
                "created_at": time(repo.created_at),
                "updated_at": time(repo.created_at),
                "pushed_at": time(repo.created_at),
                "git_url": format!("git://github.com/{full_name}.git"),
                "ssh_url": format!("git@github.com:{full_name}.git"),
                "clone_url": format!("{html}.git"),
                "svn_url": html,
                "homepage": null,
                "size": 0,
                "stargazers_count": 0,
                "watchers_count": 0,
                "language": null,
                "has_issues": true,
                "has_projects": true,
                "has_downloads": true,
                "has_wiki": false,
                "has_pages": false,
                "has_discussions": false,
                "forks_count": 0,
                "mirror_url": null,
                "archived": false,
                "disabled": false,
                "open_issues_count": open,
                "license": null,
                "allow_forking": true,
                "is_template": false,
                "web_commit_signoff_required": false,
                "topics": [],
                "visibility": if repo.private { "private" } else { "public" },
                "forks": 0,
                "open_issues": open,
                "watchers": 0,
                "default_branch": "main",
            }),
        );
        Value::Object(map)
    }

    /// `full-repository`: what only the repository's own address answers with.
    pub fn full_repository_json(&self, repo: &Repository) -> Value {
        let mut value = self.repository_json(repo);
        if let Value::Object(map) = &mut value {
            extend(
                map,
                json!({
                    "organization": self.user_json(repo.owner),
                    "network_count": 0,
                    "subscribers_count": 0,
                    "permissions": {
                        "admin": false, "maintain": false, "push": false, "triage": true, "pull": true,
                    },
                }),
            );
        }
        value
    }

    pub fn label_json(&self, label: &Label) -> Value {
        let name: String = url_part(&label.name);
        json!({
            "id": label.id,
            "node_id": self.node(Node::Label(label.id)),
            "url": format!("{}/repos/{}/labels/{name}", self.api_url, self.full_name(label.repository)),
            "name": label.name,
            "color": label.color,
            "default": false,
            "description": label.description,
        })
    }

    pub fn labels_json(&self, issue: &Issue) -> Vec<Value> {
        issue
            .labels
            .iter()
            .filter_map(|id| self.labels.get(id))
            .map(|label| self.label_json(label))
            .collect()
    }

    pub fn milestone_json(&self, milestone: &Milestone) -> Value {
        let full_name = self.full_name(milestone.repository);
        let url = format!(
            "{}/repos/{full_name}/milestones/{}",
            self.api_url, milestone.number
        );
        let count = |open| {
            self.issues
                .values()
                .filter(|issue| issue.milestone == Some(milestone.id) && issue.open == open)
                .count()
        };
        json!({
            "url": url,
            "html_url": format!("https://github.com/{full_name}/milestone/{}", milestone.number),
            "labels_url": format!("{url}/labels"),
            "id": milestone.id,
            "node_id": self.node(Node::Milestone(milestone.id)),
            "number": milestone.number,
            "title": milestone.title,
            "description": null,
            "creator": self.user_json(milestone.creator),
            "open_issues": count(true),
            "closed_issues": count(false),
            "state": "open",
            "created_at": time(milestone.created_at),
            "updated_at": time(milestone.created_at),
            "due_on": null,
            "closed_at": null,
        })
    }

    fn rollup_json(url: &str, reactions: &[Reaction]) -> Value {
        let mut map = Map::new();
        map.insert("url".to_owned(), format!("{url}/reactions").into());
        map.insert("total_count".to_owned(), reactions.len().into());
        for content in crate::sim::act::REACTIONS {
            let count = reactions.iter().filter(|r| r.content == content).count();
            map.insert(content.to_owned(), count.into());
        }
        Value::Object(map)
    }

    pub fn reaction_json(&self, reaction: &Reaction) -> Value {
        json!({
            "id": reaction.id,
            "node_id": self.node(Node::Reaction(reaction.id)),
            "user": self.user_json(reaction.user),
            "content": reaction.content,
            "created_at": time(reaction.created_at),
        })
    }

    fn by_app_json(&self, by_app: bool) -> Value {
        if !by_app {
            return Value::Null;
        }
        // GitHub's description of the App inside an issue lists fewer events than there are.
        let mut app = self.app_json();
        if let Some(events) = app.get_mut("events").and_then(Value::as_array_mut) {
            let newer = ["projects_v2", "projects_v2_item", "sub_issues"];
            events.retain(|event| !newer.iter().any(|name| event == name));
        }
        app
    }

    pub fn issue_json(&self, issue: &Issue) -> Value {
        let repository_url = format!(
            "{}/repos/{}",
            self.api_url,
            self.full_name(issue.repository)
        );
        let url = format!("{repository_url}/issues/{}", issue.number);
        let assignees: Vec<Value> = issue
            .assignees
            .iter()
            .map(|id| self.user_json(*id))
            .collect();
        let children = self
            .issues
            .values()
            .filter(|child| child.parent == Some(issue.id));
        let (mut total, mut completed) = (0_u32, 0_u32);
        for child in children {
            total += 1;
            completed += u32::from(!child.open);
        }
        let percent = (completed * 100).checked_div(total).unwrap_or(0);
        let mut map = Map::new();
        extend(
            &mut map,
            json!({
                "url": url,
                "repository_url": repository_url,
                "labels_url": format!("{url}/labels{{/name}}"),
                "comments_url": format!("{url}/comments"),
                "events_url": format!("{url}/events"),
                "html_url": self.html_issue(issue),
                "id": issue.id,
                "node_id": self.node(Node::Issue(issue.id)),
                "number": issue.number,
                "title": issue.title,
                "user": self.user_json(issue.author),
                "labels": self.labels_json(issue),
                "state": if issue.open { "open" } else { "closed" },
                "locked": false,
                "assignee": assignees.first().cloned(),
                "assignees": assignees,
                "milestone": issue.milestone.and_then(|id| self.milestones.get(&id)).map(|m| self.milestone_json(m)),
                "comments": issue.comments.len(),
                "created_at": time(issue.created_at),
                "updated_at": time(issue.updated_at),
                "closed_at": issue.closed_at.map(time),
                "author_association": self.association(issue.repository, issue.author),
                "active_lock_reason": null,
                "sub_issues_summary": {"total": total, "completed": completed, "percent_completed": percent},
                "body": issue.body,
                "reactions": Self::rollup_json(&url, &issue.reactions),
                "timeline_url": format!("{url}/timeline"),
                "performed_via_github_app": self.by_app_json(issue.by_app),
                "state_reason": issue.state_reason,
            }),
        );
        if let Some(kind) = issue.kind {
            map.insert("type".to_owned(), self.issue_type_json(issue, kind));
        }
        if let Some(parent) = issue.parent.and_then(|id| self.issues.get(&id)) {
            let url = format!(
                "{}/repos/{}/issues/{}",
                self.api_url,
                self.full_name(parent.repository),
                parent.number
            );
            map.insert("parent_issue_url".to_owned(), url.into());
        }
        Value::Object(map)
    }

    /// What the issue's own address adds to the list's form.
    pub fn full_issue_json(&self, issue: &Issue) -> Value {
        let mut value = self.issue_json(issue);
        if let Value::Object(map) = &mut value {
            let closer = issue.closed_by.map_or(Value::Null, |id| self.user_json(id));
            map.insert("closed_by".to_owned(), closer);
        }
        value
    }

    pub fn issue_type_json(&self, issue: &Issue, kind: u64) -> Value {
        let name = self.issue_type_name(issue, kind);
        json!({
            "id": kind,
            "node_id": self.node(Node::IssueType(kind)),
            "name": name,
            "description": null,
            "color": "gray",
            "created_at": time(issue.created_at),
            "updated_at": time(issue.created_at),
            "is_enabled": true,
        })
    }

    pub fn issue_type_name(&self, issue: &Issue, kind: u64) -> Option<&str> {
        let owner = self.repositories.get(&issue.repository)?.owner;
        let types = &self.orgs.get(&owner)?.issue_types;
        types
            .iter()
            .find(|(id, _)| *id == kind)
            .map(|(_, name)| name.as_str())
    }

    pub fn comment_json(&self, comment: &Comment) -> Value {
        let Some(issue) = self.issues.get(&comment.issue) else {
            return Value::Null;
        };
        let repository = format!(
            "{}/repos/{}",
            self.api_url,
            self.full_name(issue.repository)
        );
        let url = format!("{repository}/issues/comments/{}", comment.id);
        json!({
            "url": url,
            "html_url": format!("{}#issuecomment-{}", self.html_issue(issue), comment.id),
            "issue_url": format!("{repository}/issues/{}", issue.number),
            "id": comment.id,
            "node_id": self.node(Node::Comment(comment.id)),
            "user": self.user_json(comment.author),
            "created_at": time(comment.created_at),
            "updated_at": time(comment.updated_at),
            "body": comment.body,
            "author_association": self.association(issue.repository, comment.author),
            "reactions": Self::rollup_json(&url, &comment.reactions),
            "performed_via_github_app": self.by_app_json(comment.by_app),
        })
    }

    /// `projects_v2_item`, as webhooks carry it: its content is a node id only.
    pub fn item_json(&self, item: &Item) -> Value {
        let (content, kind) = match &item.content {
            Content::Issue(id) => (Node::Issue(*id), "Issue"),
            Content::Draft { id, .. } => (Node::Draft(*id), "DraftIssue"),
        };
        json!({
            "id": item.id,
            "node_id": self.node(Node::Item(item.id)),
            "project_node_id": self.node(Node::Project(item.project)),
            "content_node_id": self.node(content),
            "content_type": kind,
            "creator": self.user_json(item.creator),
            "created_at": time(item.created_at),
            "updated_at": time(item.updated_at),
            "archived_at": item.archived_at.map(time),
        })
    }
}

/// A name as a part of an address.
pub(super) fn url_part(name: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}"); // writing to a String cannot fail
        }
    }
    out
}
