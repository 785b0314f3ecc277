//! GitHub's JSON for everything, with all the fields its own descriptions require.

use serde_json::{Map, Value, json};

use super::ids::Node;
use super::state::{
    Account, AccountKind, Comment, Content, Installation, Issue, Item, Label, Milestone, Reaction,
    Repository, State, Team, time,
};

/// The permissions shape of a repository for somebody who may do everything a triager may.
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

const USER_LINKS: &[(&str, &str)] = &[
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
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

    /// `simple-user`; null for an account that is not there.
    pub fn user_json(&self, id: u64) -> Value {
        let Some(account) = self.accounts.get(&id) else {
            return Value::Null;
        };
        // The brackets of a bot's login are written as `%5B` and `%5D`, as GitHub does.
        let url = format!("{}/users/{}", self.api_url, url_part(&account.login));
        let mut map = Map::new();
        extend(
            &mut map,
            json!({
                "login": account.login,
                "id": account.id,
                "node_id": self.node(account.node()),
                "avatar_url": format!("https://avatars.githubusercontent.com/u/{}?v=4", account.id),
                "gravatar_id": "",
                "url": url,
                "html_url": account.html_url(),
            }),
        );
        for (name, path) in USER_LINKS {
            map.insert((*name).to_owned(), format!("{url}{path}").into());
        }
        let kind = match account.kind {
            AccountKind::User => "User",
            AccountKind::Bot => "Bot",
            AccountKind::Organization => "Organization",
        };
        extend(
            &mut map,
            json!({"type": kind, "user_view_type": "public", "site_admin": false}),
        );
        Value::Object(map)
    }

    /// `public-user`, as `/users/{login}` answers.
    pub fn public_user_json(&self, account: &Account) -> Value {
        let mut user = self.user_json(account.id);
        if let Value::Object(map) = &mut user {
            extend(
                map,
                json!({
                    "name": null, "company": null, "blog": "", "location": null, "email": null,
                    "hireable": null, "bio": null, "twitter_username": null, "public_repos": 0,
                    "public_gists": 0, "followers": 0, "following": 0,
                    "created_at": time(account.created_at), "updated_at": time(account.created_at),
                }),
            );
        }
        user
    }

    /// `organization-simple`, as webhooks carry it.
    pub fn org_json(&self, id: u64) -> Value {
        let login = self.login(id);
        let url = format!("{}/orgs/{login}", self.api_url);
        json!({
            "login": login,
            "id": id,
            "node_id": self.node(Node::Organization(id)),
            "url": url,
            "repos_url": format!("{url}/repos"),
            "events_url": format!("{url}/events"),
            "hooks_url": format!("{url}/hooks"),
            "issues_url": format!("{url}/issues"),
            "members_url": format!("{url}/members{{/member}}"),
            "public_members_url": format!("{url}/public_members{{/member}}"),
            "avatar_url": format!("https://avatars.githubusercontent.com/u/{id}?v=4"),
            "description": null,
        })
    }

    /// `organization-full`.
    pub fn full_org_json(&self, id: u64) -> Value {
        let mut org = self.org_json(id);
        let created = self
            .accounts
            .get(&id)
            .map_or_else(|| self.now(), |a| a.created_at);
        let count = |private| {
            self.repositories
                .values()
                .filter(|repo| repo.owner == id && repo.private == private)
                .count()
        };
        if let Value::Object(map) = &mut org {
            extend(
                map,
                json!({
                    "name": self.login(id),
                    "html_url": format!("https://github.com/{}", self.login(id)),
                    "is_verified": false,
                    "has_organization_projects": true,
                    "has_repository_projects": true,
                    "public_repos": count(false),
                    "public_gists": 0,
                    "followers": 0,
                    "following": 0,
                    "created_at": time(created),
                    "updated_at": time(created),
                    "archived_at": null,
                    "type": "Organization",
                    "total_private_repos": count(true),
                    "owned_private_repos": count(true),
                }),
            );
        }
        org
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
        for content in super::act::REACTIONS {
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

    pub fn team_json(&self, team: &Team) -> Value {
        let org = self.login(team.org);
        let url = format!(
            "{}/organizations/{}/team/{}",
            self.api_url, team.org, team.id
        );
        json!({
            "name": team.name,
            "id": team.id,
            "node_id": self.node(Node::Team(team.id)),
            "slug": team.slug,
            "description": null,
            "privacy": "closed",
            "notification_setting": "notifications_enabled",
            "url": url,
            "html_url": format!("https://github.com/orgs/{org}/teams/{}", team.slug),
            "members_url": format!("{url}/members{{/member}}"),
            "repositories_url": format!("{url}/repos"),
            "type": "organization",
            "organization_id": team.org,
            "permission": "pull",
            "parent": null,
        })
    }

    pub fn membership_json(&self, org: u64, user: u64, owner: bool) -> Value {
        let login = self.login(org);
        json!({
            "url": format!("{}/orgs/{login}/memberships/{}", self.api_url, self.login(user)),
            "state": "active",
            "role": if owner { "admin" } else { "member" },
            "organization_url": format!("{}/orgs/{login}", self.api_url),
            "user": self.user_json(user),
            "organization": self.org_json(org),
        })
    }

    /// `integration`: the App itself.
    pub fn app_json(&self) -> Value {
        let installation = self.installations.values().next();
        let created = self
            .accounts
            .get(&self.app_bot)
            .map_or_else(|| self.now(), |a| a.created_at);
        json!({
            "id": self.app_id,
            "client_id": format!("Iv23li{:014}", self.app_id),
            "slug": self.app_slug,
            "node_id": self.node(Node::App(self.app_id)),
            "owner": self.user_json(self.app_owner),
            "name": self.app_slug,
            "description": "",
            "external_url": "https://github.com",
            "html_url": format!("https://github.com/apps/{}", self.app_slug),
            "created_at": time(created),
            "updated_at": time(created),
            "permissions": installation.map_or_else(|| json!({}), |i| json!(i.permissions)),
            "events": installation.map_or_else(|| json!([]), |i| json!(i.events)),
        })
    }

    pub fn installation_json(&self, installation: &Installation) -> Value {
        let id = installation.id;
        json!({
            "id": id,
            "client_id": format!("Iv23li{:014}", self.app_id),
            "account": self.user_json(installation.org),
            "repository_selection": if installation.repositories.is_some() { "selected" } else { "all" },
            "access_tokens_url": format!("{}/app/installations/{id}/access_tokens", self.api_url),
            "repositories_url": format!("{}/installation/repositories", self.api_url),
            "html_url": format!("https://github.com/organizations/{}/settings/installations/{id}", self.login(installation.org)),
            "app_id": self.app_id,
            "app_slug": self.app_slug,
            "target_id": installation.org,
            "target_type": "Organization",
            "permissions": installation.permissions,
            "events": installation.events,
            "created_at": time(installation.created_at),
            "updated_at": time(installation.created_at),
            "single_file_name": null,
            "has_multiple_single_files": false,
            "single_file_paths": [],
            "suspended_by": null,
            "suspended_at": null,
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
