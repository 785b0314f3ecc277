//! Accounts, organisations, teams, and the App with its installations.

use serde_json::{Map, Value, json};

use super::{extend, url_part};
use crate::sim::ids::Node;
use crate::sim::state::{Account, AccountKind, Installation, State, Team, time};

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

impl State {
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
}
