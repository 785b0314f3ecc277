//! What the simulated GitHub knows, as plain tables. Changing it is for `act`, showing it for
//! `render`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::clock::SharedClock;

use super::auth::Token;
use super::faults::Faults;
use super::ids::{Ids, Node};
use super::limits::{Budgets, Limits};
use super::log::Logged;
use super::webhooks::Hooks;

/// Who acts: the account, and whether it acts through the App.
#[derive(Clone, Copy, Debug)]
pub(super) struct Actor {
    pub user: u64,
    pub app: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccountKind {
    User,
    Bot,
    Organization,
}

#[derive(Clone, Debug)]
pub(super) struct Account {
    pub id: u64,
    pub login: String,
    pub kind: AccountKind,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Organization {
    /// Members, each with whether they own the organisation. All memberships are private.
    pub members: BTreeMap<u64, bool>,
    pub next_project: u64,
    pub issue_types: Vec<(u64, String)>,
}

#[derive(Clone, Debug)]
pub(super) struct Team {
    pub id: u64,
    pub org: u64,
    pub slug: String,
    pub name: String,
    pub members: BTreeSet<u64>,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Repository {
    pub id: u64,
    pub owner: u64,
    pub name: String,
    pub private: bool,
    pub labels: Vec<u64>,
    pub milestones: Vec<u64>,
    /// Database ids by number, gaps included.
    pub issues: BTreeMap<u64, u64>,
    pub next_number: u64,
    /// The default branch's files, by their paths.
    pub files: BTreeMap<String, String>,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Label {
    pub id: u64,
    pub repository: u64,
    pub name: String,
    pub color: String,
    pub description: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Milestone {
    pub id: u64,
    pub repository: u64,
    pub number: u64,
    pub title: String,
    pub creator: u64,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Issue {
    pub id: u64,
    pub repository: u64,
    pub number: u64,
    pub title: String,
    pub body: Option<String>,
    pub author: u64,
    pub labels: Vec<u64>,
    pub milestone: Option<u64>,
    pub assignees: Vec<u64>,
    pub open: bool,
    pub state_reason: Option<&'static str>,
    /// The organisation's issue type.
    pub kind: Option<u64>,
    pub parent: Option<u64>,
    pub comments: Vec<u64>,
    pub reactions: Vec<Reaction>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub closed_by: Option<u64>,
    pub by_app: bool,
    /// What its page tells, oldest first.
    pub timeline: Vec<TimelineEvent>,
}

/// An entry of an issue's timeline, as far as the simulation tells them.
#[derive(Clone, Debug)]
pub(super) struct TimelineEvent {
    pub at: Timestamp,
    pub by: u64,
    pub what: TimelineWhat,
}

#[derive(Clone, Debug)]
pub(super) enum TimelineWhat {
    Closed(&'static str),
    Reopened,
    /// By the name it had.
    Labelled(String),
    Unlabelled(String),
    Moved {
        project: u64,
        from: String,
        to: String,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Comment {
    pub id: u64,
    pub issue: u64,
    pub author: u64,
    pub body: String,
    pub reactions: Vec<Reaction>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub by_app: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Reaction {
    pub id: u64,
    pub user: u64,
    pub content: &'static str,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Project {
    pub id: u64,
    pub org: u64,
    pub number: u64,
    pub title: String,
    pub fields: Vec<Field>,
    pub items: Vec<u64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub id: u64,
    pub name: String,
    pub kind: FieldKind,
}

#[derive(Clone, Debug)]
pub(super) enum FieldKind {
    /// The built-in title; shown by every item, set by nobody.
    Title,
    SingleSelect(Vec<Choice>),
    Text,
    Number,
    Date,
    Iteration(Vec<Iteration>),
}

#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub id: String,
    pub name: String,
    pub color: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct Iteration {
    pub id: String,
    pub title: String,
    pub start: Date,
    /// Days.
    pub duration: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Item {
    pub id: u64,
    pub project: u64,
    pub content: Content,
    pub values: BTreeMap<u64, SetValue>,
    pub archived_at: Option<Timestamp>,
    pub creator: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Issue(u64),
    Draft { id: u64, title: String },
}

#[derive(Clone, Debug)]
pub(super) struct SetValue {
    pub value: Value,
    pub updated_at: Timestamp,
}

/// The value of a board's field; options and iterations by their short id.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Option(String),
    Text(String),
    Number(f64),
    Date(Date),
    Iteration(String),
}

#[derive(Clone, Debug)]
pub(super) struct Installation {
    pub id: u64,
    pub org: u64,
    /// `issues` → `write`, and so on.
    pub permissions: BTreeMap<String, String>,
    pub events: Vec<String>,
    /// `None`: all repositories of the organisation.
    pub repositories: Option<BTreeSet<u64>>,
    pub created_at: Timestamp,
}

pub(super) struct State {
    pub clock: SharedClock,
    pub ids: Ids,
    /// Where this GitHub listens; addresses in answers begin with it.
    pub api_url: String,
    pub app_id: u64,
    pub app_slug: String,
    /// The account of the App, `<slug>[bot]`.
    pub app_bot: u64,
    pub app_owner: u64,
    pub accounts: BTreeMap<u64, Account>,
    pub orgs: BTreeMap<u64, Organization>,
    pub teams: BTreeMap<u64, Team>,
    pub repositories: BTreeMap<u64, Repository>,
    pub labels: BTreeMap<u64, Label>,
    pub milestones: BTreeMap<u64, Milestone>,
    pub issues: BTreeMap<u64, Issue>,
    /// What became of a repository's number: the issue that it was transferred to.
    pub transferred: BTreeMap<(u64, u64), u64>,
    pub comments: BTreeMap<u64, Comment>,
    pub projects: BTreeMap<u64, Project>,
    pub items: BTreeMap<u64, Item>,
    pub installations: BTreeMap<u64, Installation>,
    pub tokens: BTreeMap<String, Token>,
    pub hooks: Hooks,
    pub faults: Faults,
    pub limits: Limits,
    pub budgets: Budgets,
    pub requests: Vec<Logged>,
}

/// GitHub writes times in whole seconds, in UTC.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl State {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn node(&self, node: Node) -> String {
        self.ids.node_id(node)
    }

    pub fn account_by_login(&self, login: &str) -> Option<&Account> {
        self.accounts
            .values()
            .find(|account| account.login.eq_ignore_ascii_case(login))
    }

    pub fn login(&self, id: u64) -> &str {
        self.accounts.get(&id).map_or("ghost", |a| &a.login)
    }

    pub fn org_by_login(&self, login: &str) -> Option<u64> {
        self.account_by_login(login)
            .filter(|account| account.kind == AccountKind::Organization)
            .map(|account| account.id)
    }

    /// Names of owners and repositories ignore case.
    pub fn repository_by_name(&self, owner: &str, name: &str) -> Option<&Repository> {
        let owner = self.account_by_login(owner)?.id;
        self.repositories
            .values()
            .find(|repo| repo.owner == owner && repo.name.eq_ignore_ascii_case(name))
    }

    pub fn full_name(&self, repository: u64) -> String {
        self.repositories
            .get(&repository)
            .map_or_else(String::new, |repo| {
                format!("{}/{}", self.login(repo.owner), repo.name)
            })
    }

    pub fn installation_of(&self, org: u64) -> Option<&Installation> {
        self.installations
            .values()
            .find(|installation| installation.org == org)
    }

    /// Label names ignore case.
    pub fn label_by_name(&self, repository: u64, name: &str) -> Option<&Label> {
        let wanted = name.to_lowercase();
        self.repositories
            .get(&repository)?
            .labels
            .iter()
            .filter_map(|id| self.labels.get(id))
            .find(|label| label.name.to_lowercase() == wanted)
    }

    pub fn project_by_number(&self, org: u64, number: u64) -> Option<&Project> {
        self.projects
            .values()
            .find(|project| project.org == org && project.number == number)
    }

    /// The item that holds this issue on this board, archived or not.
    pub fn item_of(&self, project: u64, issue: u64) -> Option<&Item> {
        self.projects
            .get(&project)?
            .items
            .iter()
            .filter_map(|id| self.items.get(id))
            .find(|item| matches!(item.content, Content::Issue(id) if id == issue))
    }

    /// GitHub does not tell webhooks and API callers who is a private member: those show as
    /// contributors.
    pub fn association(&self, repository: u64, user: u64) -> &'static str {
        let member = self
            .repositories
            .get(&repository)
            .and_then(|repo| self.orgs.get(&repo.owner))
            .is_some_and(|org| org.members.contains_key(&user));
        if member { "CONTRIBUTOR" } else { "NONE" }
    }
}

impl Account {
    pub fn node(&self) -> Node {
        match self.kind {
            AccountKind::User => Node::User(self.id),
            AccountKind::Bot => Node::Bot(self.id),
            AccountKind::Organization => Node::Organization(self.id),
        }
    }

    /// Where its page is on the web.
    pub fn html_url(&self) -> String {
        match (self.kind, self.login.strip_suffix("[bot]")) {
            (AccountKind::Bot, Some(slug)) => format!("https://github.com/apps/{slug}"),
            _ => format!("https://github.com/{}", self.login),
        }
    }
}

impl Field {
    /// GitHub's `ProjectV2FieldType`.
    pub fn data_type(&self) -> &'static str {
        match self.kind {
            FieldKind::Title => "TITLE",
            FieldKind::SingleSelect(_) => "SINGLE_SELECT",
            FieldKind::Text => "TEXT",
            FieldKind::Number => "NUMBER",
            FieldKind::Date => "DATE",
            FieldKind::Iteration(_) => "ITERATION",
        }
    }

    pub fn node(&self) -> Node {
        match self.kind {
            FieldKind::SingleSelect(_) => Node::SelectField(self.id),
            FieldKind::Iteration(_) => Node::IterationField(self.id),
            _ => Node::Field(self.id),
        }
    }
}
