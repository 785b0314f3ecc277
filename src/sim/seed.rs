//! What is there before a story begins. Nothing here sends webhooks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::ids::{InstallationId, RepositoryId, UserId};

use super::ids::Node;
use super::state::{
    Account, AccountKind, Actor, Choice, Field, FieldKind, Installation, Iteration, Label,
    Milestone, Organization, Project, Repository, State, Team,
};
use super::{Sim, SimError};

/// A board to be made.
#[derive(Clone, Debug, Default)]
pub struct ProjectSpec {
    /// The number in its address; 0 takes the next free one.
    pub number: u64,
    pub title: String,
    pub fields: Vec<FieldSpec>,
}

/// A field of a board, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldSpec {
    /// With the names of its options.
    SingleSelect(String, Vec<String>),
    Text(String),
    Number(String),
    Date(String),
    /// With the title, first day and length in days of each iteration.
    Iteration(String, Vec<(String, Date, u32)>),
}

impl FieldSpec {
    /// A single-select field.
    pub fn single_select(name: &str, options: &[&str]) -> Self {
        Self::SingleSelect(
            name.to_owned(),
            options.iter().map(|option| (*option).to_owned()).collect(),
        )
    }
}

/// The events an App as ours subscribes to.
const EVENTS: [&str; 10] = [
    "issues",
    "issue_comment",
    "label",
    "projects_v2",
    "projects_v2_item",
    "sub_issues",
    "organization",
    "team",
    "membership",
    "push",
];

/// What the App asks for.
const PERMISSIONS: [(&str, &str); 5] = [
    ("contents", "read"),
    ("issues", "write"),
    ("members", "read"),
    ("metadata", "read"),
    ("organization_projects", "write"),
];

const COLORS: [&str; 8] = [
    "GRAY", "BLUE", "GREEN", "YELLOW", "ORANGE", "RED", "PINK", "PURPLE",
];

impl State {
    fn account(&mut self, id: u64, login: &str, kind: AccountKind) -> u64 {
        let created_at = self.now();
        let account = Account {
            id,
            login: login.to_owned(),
            kind,
            created_at,
        };
        self.ids.register(account.node());
        self.accounts.insert(id, account);
        id
    }

    pub(super) fn named_org(&self, login: &str) -> Result<u64, SimError> {
        self.org_by_login(login)
            .ok_or_else(|| SimError::Missing(format!("organisation {login}")))
    }

    pub(super) fn named_user(&self, login: &str) -> Result<u64, SimError> {
        self.account_by_login(login)
            .map(|account| account.id)
            .ok_or_else(|| SimError::Missing(format!("user {login}")))
    }

    /// `owner/name`.
    pub(super) fn named_repository(&self, full_name: &str) -> Result<u64, SimError> {
        full_name
            .split_once('/')
            .and_then(|(owner, name)| self.repository_by_name(owner, name))
            .map(|repo| repo.id)
            .ok_or_else(|| SimError::Missing(format!("repository {full_name}")))
    }

    pub(super) fn numbered_issue(&self, repo: &str, number: u64) -> Result<u64, SimError> {
        let id = self.named_repository(repo)?;
        self.repositories
            .get(&id)
            .and_then(|repo| repo.issues.get(&number).copied())
            .ok_or_else(|| SimError::Missing(format!("issue {repo}#{number}")))
    }

    pub(super) fn numbered_project(&self, org: &str, number: u64) -> Result<&Project, SimError> {
        let id = self.named_org(org)?;
        self.project_by_number(id, number)
            .ok_or_else(|| SimError::Missing(format!("board {number} of {org}")))
    }
}

impl Sim {
    /// An organisation with the id a real one would have.
    pub fn org(&self, login: &str, id: u64) {
        self.with(|state| {
            state.account(id, login, AccountKind::Organization);
            state.orgs.insert(
                id,
                Organization {
                    next_project: 1,
                    ..Organization::default()
                },
            );
            if state.app_owner == state.app_bot {
                state.app_owner = id; // the first organisation owns the App
            }
        });
    }

    /// A person; asking again gives the same one.
    pub fn user(&self, login: &str) -> UserId {
        self.with(|state| {
            if let Some(known) = state.account_by_login(login) {
                return UserId(known.id);
            }
            let id = state.ids.number();
            UserId(state.account(id, login, AccountKind::User))
        })
    }

    /// Another bot, e.g. `dependabot[bot]`.
    pub fn bot(&self, login: &str) -> UserId {
        self.with(|state| {
            let id = state.ids.number();
            UserId(state.account(id, login, AccountKind::Bot))
        })
    }

    /// The account the App acts as, `<slug>[bot]`.
    pub fn app_bot(&self) -> UserId {
        self.with(|state| UserId(state.app_bot))
    }

    /// Makes users members of the organisation (made if they are not there yet).
    pub fn add_to_org(&self, org: &str, logins: &[&str]) -> Result<(), SimError> {
        let ids: Vec<UserId> = logins.iter().map(|login| self.user(login)).collect();
        self.with(|state| {
            let org = state.named_org(org)?;
            if let Some(org) = state.orgs.get_mut(&org) {
                org.members.extend(ids.iter().map(|id| (id.0, false)));
            }
            Ok(())
        })
    }

    /// A team; its members become members of the organisation.
    pub fn team(&self, org: &str, slug: &str, members: &[&str]) -> Result<(), SimError> {
        self.add_to_org(org, members)?;
        let members: BTreeSet<u64> = members.iter().map(|login| self.user(login).0).collect();
        self.with(|state| {
            let org = state.named_org(org)?;
            let id = state.ids.create(Node::Team);
            let created_at = state.now();
            state.teams.insert(
                id,
                Team {
                    id,
                    org,
                    slug: slug.to_owned(),
                    name: slug.replace('-', " "),
                    members,
                    created_at,
                },
            );
            Ok(())
        })
    }

    /// A repository with these labels.
    pub fn repository(
        &self,
        org: &str,
        name: &str,
        private: bool,
        labels: &[&str],
    ) -> Result<RepositoryId, SimError> {
        self.with(|state| {
            let owner = state.named_org(org)?;
            let id = state.ids.create(Node::Repository);
            let created_at = state.now();
            let mut ids = Vec::new();
            for name in labels {
                let label = state.ids.create(Node::Label);
                ids.push(label);
                state.labels.insert(
                    label,
                    Label {
                        id: label,
                        repository: id,
                        name: (*name).to_owned(),
                        color: "ededed".to_owned(),
                        description: None,
                    },
                );
            }
            state.repositories.insert(
                id,
                Repository {
                    id,
                    owner,
                    name: name.to_owned(),
                    private,
                    labels: ids,
                    milestones: Vec::new(),
                    issues: BTreeMap::new(),
                    next_number: 1,
                    files: BTreeMap::new(),
                    created_at,
                },
            );
            Ok(RepositoryId(id))
        })
    }

    /// A milestone of a repository; its number.
    pub fn milestone(&self, repo: &str, title: &str) -> Result<u64, SimError> {
        self.with(|state| {
            let repository = state.named_repository(repo)?;
            let id = state.ids.create(Node::Milestone);
            let (creator, created_at) = (state.app_owner, state.now());
            let milestones = match state.repositories.get_mut(&repository) {
                Some(repo) => &mut repo.milestones,
                None => return Err(SimError::Missing(format!("repository {repo}"))),
            };
            milestones.push(id);
            let number = milestones.len() as u64;
            state.milestones.insert(
                id,
                Milestone {
                    id,
                    repository,
                    number,
                    title: title.to_owned(),
                    creator,
                    created_at,
                },
            );
            Ok(number)
        })
    }

    /// Issue types of the organisation (`Bug`, `Task` …).
    pub fn issue_types(&self, org: &str, names: &[&str]) -> Result<(), SimError> {
        self.with(|state| {
            let org = state.named_org(org)?;
            for name in names {
                let id = state.ids.create(Node::IssueType);
                if let Some(org) = state.orgs.get_mut(&org) {
                    org.issue_types.push((id, (*name).to_owned()));
                }
            }
            Ok(())
        })
    }

    /// A board of the organisation; its number.
    pub fn project(&self, org: &str, spec: ProjectSpec) -> Result<u64, SimError> {
        self.with(|state| {
            let owner = state.named_org(org)?;
            let id = state.ids.create(Node::Project);
            let now = state.now();
            let title = state.new_field("Title", FieldKind::Title);
            let mut fields = vec![title];
            for field in spec.fields {
                let (name, kind) = state.field_kind(field);
                fields.push(state.new_field(&name, kind));
            }
            let number = match state.orgs.get_mut(&owner) {
                Some(org) if spec.number == 0 => org.next_project,
                _ => spec.number,
            };
            if let Some(org) = state.orgs.get_mut(&owner) {
                org.next_project = org.next_project.max(number + 1);
            }
            state.projects.insert(
                id,
                Project {
                    id,
                    org: owner,
                    number,
                    title: spec.title,
                    fields,
                    items: Vec::new(),
                    created_at: now,
                    updated_at: now,
                },
            );
            Ok(number)
        })
    }

    /// Installs the App on all repositories of the organisation with the permissions it asks for
    /// (issues and boards to write; contents, metadata and members to read), and announces it.
    pub fn install_app(&self, org: &str) -> Result<InstallationId, SimError> {
        self.install_app_with(org, &PERMISSIONS, None)
    }

    /// As [`Sim::install_app`], with other permissions, or on some repositories only (by name).
    pub fn install_app_with(
        &self,
        org: &str,
        permissions: &[(&str, &str)],
        repositories: Option<&[&str]>,
    ) -> Result<InstallationId, SimError> {
        self.with(|state| {
            let owner = state.named_org(org)?;
            let repositories = match repositories {
                None => None,
                Some(names) => {
                    let ids = names
                        .iter()
                        .map(|name| state.named_repository(&format!("{org}/{name}")));
                    Some(ids.collect::<Result<BTreeSet<u64>, SimError>>()?)
                }
            };
            let id = state.ids.create(Node::Installation);
            let created_at = state.now();
            let installation = Installation {
                id,
                org: owner,
                permissions: permissions
                    .iter()
                    .map(|(name, level)| ((*name).to_owned(), (*level).to_owned()))
                    .collect(),
                events: EVENTS.iter().map(|event| (*event).to_owned()).collect(),
                repositories,
                created_at,
            };
            state.installations.insert(id, installation);
            state.announce_installation(owner, id);
            Ok(InstallationId(id))
        })
    }

    /// Leaves the App with these repositories (by name) of an organisation, as if it had never had
    /// others.
    pub fn leave_only(&self, org: &str, repositories: &[&str]) -> Result<(), SimError> {
        self.with(|state| {
            let owner = state.named_org(org)?;
            let ids = repositories
                .iter()
                .map(|name| state.named_repository(&format!("{org}/{name}")));
            let ids = ids.collect::<Result<BTreeSet<u64>, SimError>>()?;
            for installation in state.installations.values_mut() {
                if installation.org == owner {
                    installation.repositories = Some(ids.clone());
                }
            }
            Ok(())
        })
    }

    /// What a person may do from the outside: an actor by login.
    pub(super) fn actor(state: &State, login: &str) -> Result<Actor, SimError> {
        let user = state.named_user(login)?;
        let app = user == state.app_bot;
        Ok(Actor { user, app })
    }
}

impl State {
    pub(super) fn new_field(&mut self, name: &str, kind: FieldKind) -> Field {
        let id = self.ids.number();
        let field = Field {
            id,
            name: name.to_owned(),
            kind,
        };
        self.ids.register(field.node());
        field
    }

    pub(super) fn field_kind(&mut self, spec: FieldSpec) -> (String, FieldKind) {
        match spec {
            FieldSpec::Text(name) => (name, FieldKind::Text),
            FieldSpec::Number(name) => (name, FieldKind::Number),
            FieldSpec::Date(name) => (name, FieldKind::Date),
            FieldSpec::SingleSelect(name, options) => {
                let options = options
                    .into_iter()
                    .zip(COLORS.iter().cycle())
                    .map(|(name, color)| Choice {
                        id: self.ids.short(),
                        name,
                        color,
                    })
                    .collect();
                (name, FieldKind::SingleSelect(options))
            }
            FieldSpec::Iteration(name, iterations) => {
                let iterations = iterations
                    .into_iter()
                    .map(|(title, start, duration)| Iteration {
                        id: self.ids.short(),
                        title,
                        start,
                        duration,
                    })
                    .collect();
                (name, FieldKind::Iteration(iterations))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_that_is_deployed_asks_for_what_the_stories_need() {
        let manifest = include_str!("../../deploy/app-manifest.json");
        let manifest: serde_json::Value = serde_json::from_str(manifest).unwrap();
        let asked = manifest["default_permissions"].as_object().unwrap();
        let asked: BTreeSet<_> = asked
            .iter()
            .map(|(name, level)| (name.as_str(), level.as_str().unwrap()))
            .collect();
        assert_eq!(asked, BTreeSet::from(PERMISSIONS));
        let heard = manifest["default_events"].as_array().unwrap();
        let heard: BTreeSet<_> = heard.iter().filter_map(|event| event.as_str()).collect();
        assert_eq!(heard, BTreeSet::from(EVENTS));
    }
}
