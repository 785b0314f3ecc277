//! The fields of everything but boards.

use serde_json::{Map, Value, json};

use super::{boards, files};
use crate::sim::auth::Caller;
use crate::sim::ids::{Node, base64, unbase64};
use crate::sim::limits::Budget;
use crate::sim::refusal::Refusal;
use crate::sim::state::{
    Account, Comment, Issue, Reaction, Repository, State, TimelineEvent, TimelineWhat, time,
};

/// What a field gives.
pub(super) enum Val {
    Null,
    Json(Value),
    Obj(Obj),
    List(Vec<Val>),
}

/// Something with fields.
pub(super) enum Obj {
    /// A thing in the state.
    Node(Node),
    /// A value of a board's row, by row and field.
    FieldValue(u64, u64, &'static str),
    /// Made for this answer, with its fields.
    Made(&'static str, Vec<(&'static str, Val)>),
}

impl Obj {
    pub fn typename(&self) -> &'static str {
        match self {
            Self::Made(name, _) | Self::FieldValue(_, _, name) => name,
            Self::Node(node) => match node {
                Node::User(_) => "User",
                Node::Bot(_) => "Bot",
                Node::Organization(_) => "Organization",
                Node::Repository(_) => "Repository",
                Node::Issue(_) => "Issue",
                Node::Comment(_) => "IssueComment",
                Node::Label(_) => "Label",
                Node::Milestone(_) => "Milestone",
                Node::Reaction(_) => "Reaction",
                Node::Team(_) => "Team",
                Node::Project(_) => "ProjectV2",
                Node::Item(_) => "ProjectV2Item",
                Node::Field(_) => "ProjectV2Field",
                Node::SelectField(_) => "ProjectV2SingleSelectField",
                Node::IterationField(_) => "ProjectV2IterationField",
                Node::Draft(_) => "DraftIssue",
                Node::App(_) => "App",
                Node::Installation(_) => "Installation",
                Node::IssueType(_) => "IssueType",
            },
        }
    }
}

impl<T: Into<Value>> From<T> for Val {
    fn from(value: T) -> Self {
        match value.into() {
            Value::Null => Self::Null,
            value => Self::Json(value),
        }
    }
}

impl Val {
    pub fn node(node: Node) -> Self {
        Self::Obj(Obj::Node(node))
    }

    pub fn maybe(node: Option<Node>) -> Self {
        node.map_or(Self::Null, Self::node)
    }
}

/// Who asks, and what the document costs.
pub(super) struct Context<'a> {
    pub caller: &'a Caller,
    pub cost: u64,
    pub nodes: u64,
    pub budget: Budget,
}

impl Context<'_> {
    pub fn need(&self, permission: &str, level: &str) -> Result<(), Refusal> {
        if self.caller.may(permission, level) {
            Ok(())
        } else {
            Err(Refusal::forbidden())
        }
    }

    /// Public repositories are seen by all, private ones by installations they were given to.
    pub fn sees(&self, state: &State, repository: u64) -> bool {
        let Some(repo) = state.repositories.get(&repository) else {
            return false;
        };
        !repo.private
            || self
                .caller
                .installation()
                .is_some_and(|id| state.covers(id, repository))
    }

    /// Boards belong to the installation's own organisation.
    pub fn owns(&self, state: &State, org: u64) -> bool {
        self.caller
            .installation()
            .and_then(|id| state.installations.get(&id))
            .is_some_and(|installation| installation.org == org)
    }

    /// What a node id stands for, if this caller may see it.
    pub fn find(&self, state: &State, id: &str) -> Result<Node, Refusal> {
        let unknown = || {
            Refusal::new(
                404,
                format!("Could not resolve to a node with the global id of '{id}'"),
            )
        };
        let node = state.ids.resolve(id).ok_or_else(unknown)?;
        let repository = match node {
            Node::Issue(id) => state.issues.get(&id).map(|issue| issue.repository),
            Node::Comment(id) => state
                .comments
                .get(&id)
                .and_then(|comment| state.issues.get(&comment.issue))
                .map(|issue| issue.repository),
            Node::Label(id) => state.labels.get(&id).map(|label| label.repository),
            Node::Milestone(id) => state.milestones.get(&id).map(|m| m.repository),
            Node::Repository(id) => Some(id),
            _ => None,
        };
        if repository.is_some_and(|id| !self.sees(state, id)) {
            return Err(unknown());
        }
        let project = match node {
            Node::Project(id) => Some(id),
            Node::Item(id) => state.items.get(&id).map(|item| item.project),
            _ => None,
        };
        if let Some(project) = project.and_then(|id| state.projects.get(&id)) {
            if !self.owns(state, project.org) {
                return Err(unknown());
            }
            self.need("organization_projects", "read")?;
        }
        Ok(node)
    }
}

type Args = Map<String, Value>;

pub(super) fn text<'a>(args: &'a Args, name: &str) -> &'a str {
    args.get(name).and_then(Value::as_str).unwrap_or("")
}

fn number(args: &Args, name: &str) -> Option<usize> {
    let number = args.get(name)?.as_u64()?;
    usize::try_from(number).ok()
}

fn cursor(place: usize) -> String {
    base64(format!("cursor:v2:{place}").as_bytes())
}

fn place(args: &Args, name: &str) -> Result<Option<usize>, Refusal> {
    let Some(text) = args.get(name).and_then(Value::as_str) else {
        return Ok(None);
    };
    unbase64(text)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.strip_prefix("cursor:v2:")?.parse().ok())
        .map(Some)
        .ok_or_else(|| {
            Refusal::new(
                422,
                format!("`{text}` does not appear to be a valid cursor."),
            )
        })
}

/// The asked-for part of a list. Cursors are places, counted from 1.
pub(super) fn connection(kind: &'static str, all: Vec<Val>, args: &Args) -> Result<Val, Refusal> {
    let total = all.len();
    let mut start = place(args, "after")?.unwrap_or(0).min(total);
    let mut end = place(args, "before")?
        .map_or(total, |place| place.saturating_sub(1))
        .clamp(start, total);
    if let Some(first) = number(args, "first") {
        end = end.min(start + first);
    }
    if let Some(last) = number(args, "last") {
        start = start.max(end.saturating_sub(last));
    }
    let nodes: Vec<Val> = all.into_iter().skip(start).take(end - start).collect();
    let edge = |place: usize| -> Val {
        if start < end {
            cursor(place).into()
        } else {
            Val::Null
        }
    };
    let info = vec![
        ("hasNextPage", (end < total).into()),
        ("hasPreviousPage", (start > 0).into()),
        ("startCursor", edge(start + 1)),
        ("endCursor", edge(end)),
    ];
    Ok(Val::Obj(Obj::Made(
        kind,
        vec![
            ("nodes", Val::List(nodes)),
            ("totalCount", total.into()),
            ("pageInfo", Val::Obj(Obj::Made("PageInfo", info))),
        ],
    )))
}

/// The account, or null for one that is gone.
pub(super) fn account(state: &State, id: u64) -> Val {
    Val::maybe(state.accounts.get(&id).map(Account::node))
}

/// One field of one thing.
pub(super) fn resolve(
    state: &State,
    context: &Context<'_>,
    object: &Obj,
    field: &str,
    args: &Args,
) -> Result<Val, Refusal> {
    match object {
        Obj::Made("Query", _) => query(state, context, field, args),
        Obj::Made(_, fields) => Ok(fields
            .iter()
            .find(|(name, _)| *name == field)
            .map_or(Val::Null, |(_, value)| again(value))),
        Obj::FieldValue(item, id, _) => boards::field_value(state, *item, *id, field),
        Obj::Node(node) => {
            if field == "id" {
                return Ok(state.node(*node).into());
            }
            let gone = Refusal::not_found;
            match node {
                Node::User(id) | Node::Bot(id) => {
                    let account = state.accounts.get(id).ok_or_else(gone)?;
                    Ok(account_field(account, field))
                }
                Node::Organization(id) => boards::organization(state, context, *id, field, args),
                Node::Repository(id) => {
                    let repo = state.repositories.get(id).ok_or_else(gone)?;
                    if field == "object" {
                        context.need("contents", "read")?;
                        return Ok(files::at(repo, text(args, "expression")));
                    }
                    repository(state, repo, field, args)
                }
                Node::Issue(id) => issue(state, context, state.issue(*id)?, field, args),
                Node::Comment(id) => {
                    let found = state.comments.get(id).ok_or_else(gone)?;
                    Ok(comment(state, found, field))
                }
                Node::Label(id) => {
                    let label = state.labels.get(id).ok_or_else(gone)?;
                    let mut shown = state.label_json(label);
                    if let Some(url) = shown.get_mut("url") {
                        let repo = state.full_name(label.repository);
                        let name = crate::sim::render::url_part(&label.name);
                        *url = format!("https://github.com/{repo}/labels/{name}").into();
                    }
                    Ok(shown.get(field).cloned().unwrap_or(Value::Null).into())
                }
                Node::Milestone(id) => {
                    let milestone = state.milestones.get(id).ok_or_else(gone)?;
                    Ok(match field {
                        "number" => milestone.number.into(),
                        _ => milestone.title.clone().into(),
                    })
                }
                Node::IssueType(id) => Ok(state
                    .orgs
                    .values()
                    .flat_map(|org| org.issue_types.iter())
                    .find(|(known, _)| known == id)
                    .map_or(Val::Null, |(_, name)| name.clone().into())),
                Node::Reaction(_) | Node::Team(_) | Node::App(_) | Node::Installation(_) => {
                    Ok(Val::Null)
                }
                Node::Project(_)
                | Node::Item(_)
                | Node::Field(_)
                | Node::SelectField(_)
                | Node::IterationField(_)
                | Node::Draft(_) => boards::board(state, *node, field, args),
            }
        }
    }
}

/// A made value, once more (an alias may ask twice).
fn again(value: &Val) -> Val {
    match value {
        Val::Null => Val::Null,
        Val::Json(value) => Val::Json(value.clone()),
        Val::List(list) => Val::List(list.iter().map(again).collect()),
        Val::Obj(Obj::Node(node)) => Val::node(*node),
        Val::Obj(Obj::FieldValue(item, field, name)) => {
            Val::Obj(Obj::FieldValue(*item, *field, name))
        }
        Val::Obj(Obj::Made(name, fields)) => Val::Obj(Obj::Made(
            name,
            fields
                .iter()
                .map(|(name, value)| (*name, again(value)))
                .collect(),
        )),
    }
}

fn query(state: &State, context: &Context<'_>, field: &str, args: &Args) -> Result<Val, Refusal> {
    match field {
        "node" => Ok(Val::node(context.find(state, text(args, "id"))?)),
        "nodes" => {
            let ids = args.get("ids").and_then(Value::as_array);
            let nodes = ids.into_iter().flatten().map(|id| {
                let node = context.find(state, id.as_str().unwrap_or(""));
                Val::maybe(node.ok())
            });
            Ok(Val::List(nodes.collect()))
        }
        "repository" => {
            let (owner, name) = (text(args, "owner"), text(args, "name"));
            state
                .repository_by_name(owner, name)
                .filter(|repo| context.sees(state, repo.id))
                .map(|repo| Val::node(Node::Repository(repo.id)))
                .ok_or_else(|| {
                    Refusal::new(
                        404,
                        format!(
                            "Could not resolve to a Repository with the name '{owner}/{name}'."
                        ),
                    )
                })
        }
        "organization" => {
            let login = text(args, "login");
            state
                .org_by_login(login)
                .map(|id| Val::node(Node::Organization(id)))
                .ok_or_else(|| {
                    Refusal::new(
                        404,
                        format!(
                            "Could not resolve to an Organization with the login of '{login}'."
                        ),
                    )
                })
        }
        "viewer" => Ok(account(state, state.app_bot)),
        _ => {
            let budget = context.budget;
            Ok(Val::Obj(Obj::Made(
                "RateLimit",
                vec![
                    ("cost", context.cost.into()),
                    ("limit", budget.limit.into()),
                    ("nodeCount", context.nodes.into()),
                    ("remaining", budget.remaining().into()),
                    ("resetAt", time(budget.reset).into()),
                    ("used", budget.used.into()),
                ],
            )))
        }
    }
}

fn account_field(account: &Account, field: &str) -> Val {
    match field {
        "databaseId" => account.id.into(),
        "login" => bot_login(account).into(),
        "url" => account.html_url().into(),
        _ => Val::Null,
    }
}

/// GraphQL leaves the `[bot]` away that REST and webhooks write.
fn bot_login(account: &Account) -> &str {
    account
        .login
        .strip_suffix("[bot]")
        .unwrap_or(&account.login)
}

fn repository(state: &State, repo: &Repository, field: &str, args: &Args) -> Result<Val, Refusal> {
    Ok(match field {
        "databaseId" => repo.id.into(),
        "isPrivate" => repo.private.into(),
        "name" => repo.name.clone().into(),
        "nameWithOwner" => state.full_name(repo.id).into(),
        "owner" => account(state, repo.owner),
        "url" => format!("https://github.com/{}", state.full_name(repo.id)).into(),
        "issue" => {
            let number = args.get("number").and_then(Value::as_u64).unwrap_or(0);
            let id = repo.issues.get(&number).ok_or_else(|| {
                Refusal::new(
                    404,
                    format!("Could not resolve to an Issue with the number of {number}."),
                )
            })?;
            Val::node(Node::Issue(*id))
        }
        "issues" => connection("IssueConnection", issues(state, repo, args), args)?,
        "label" => Val::maybe(
            state
                .label_by_name(repo.id, text(args, "name"))
                .map(|label| Node::Label(label.id)),
        ),
        "labels" => {
            let all = repo.labels.iter().map(|id| Val::node(Node::Label(*id)));
            connection("LabelConnection", all.collect(), args)?
        }
        _ => Val::Null,
    })
}

fn issues(state: &State, repo: &Repository, args: &Args) -> Vec<Val> {
    let list = |name: &str| args.get(name).and_then(Value::as_array);
    let mut found: Vec<&Issue> = repo
        .issues
        .values()
        .filter_map(|id| state.issues.get(id))
        .filter(|issue| {
            let now = if issue.open { "OPEN" } else { "CLOSED" };
            list("states").is_none_or(|states| states.iter().any(|state| state == now))
        })
        .filter(|issue| {
            list("labels").is_none_or(|names| {
                let mut have = issue.labels.iter().filter_map(|id| state.labels.get(id));
                have.any(|label| names.iter().any(|name| *name == json!(label.name)))
            })
        })
        .collect();
    let order = |name: &str| {
        let order = args.get("orderBy").and_then(|order| order.get(name));
        order.and_then(Value::as_str).unwrap_or("")
    };
    match order("field") {
        "UPDATED_AT" => found.sort_by_key(|issue| issue.updated_at),
        "COMMENTS" => found.sort_by_key(|issue| issue.comments.len()),
        _ => found.sort_by_key(|issue| issue.number),
    }
    if order("direction") == "DESC" {
        found.reverse();
    }
    let nodes = found.iter().map(|issue| Val::node(Node::Issue(issue.id)));
    nodes.collect()
}

fn issue(
    state: &State,
    context: &Context<'_>,
    issue: &Issue,
    field: &str,
    args: &Args,
) -> Result<Val, Refusal> {
    let nodes = |ids: &[u64], make: fn(u64) -> Node| -> Vec<Val> {
        ids.iter().map(|id| Val::node(make(*id))).collect()
    };
    Ok(match field {
        // GitHub's numbers have outgrown the 32 bits of `Int` here.
        "databaseId" => i32::try_from(issue.id).map_or(Val::Null, Val::from),
        "fullDatabaseId" => issue.id.to_string().into(),
        "number" => issue.number.into(),
        "title" => issue.title.clone().into(),
        "body" => issue.body.clone().unwrap_or_default().into(),
        "state" => (if issue.open { "OPEN" } else { "CLOSED" }).into(),
        "closed" => (!issue.open).into(),
        "stateReason" => {
            let asked = args.get("enableDuplicate") == Some(&json!(true));
            // Old clients do not know of duplicates, so those must be asked for.
            let known = issue.state_reason.map(|reason| match reason {
                "duplicate" if !asked => "not_planned",
                other => other,
            });
            known.map(str::to_uppercase).into()
        }
        "createdAt" => time(issue.created_at).into(),
        "updatedAt" => time(issue.updated_at).into(),
        "closedAt" => issue.closed_at.map(time).into(),
        "author" => account(state, issue.author),
        "authorAssociation" => state.association(issue.repository, issue.author).into(),
        "milestone" => Val::maybe(issue.milestone.map(Node::Milestone)),
        "issueType" => Val::maybe(issue.kind.map(Node::IssueType)),
        "parent" => Val::maybe(issue.parent.map(Node::Issue)),
        "repository" => Val::node(Node::Repository(issue.repository)),
        "url" => state.html_issue(issue).into(),
        "labels" => connection("LabelConnection", nodes(&issue.labels, Node::Label), args)?,
        "assignees" => connection("UserConnection", nodes(&issue.assignees, Node::User), args)?,
        "comments" => connection(
            "IssueCommentConnection",
            nodes(&issue.comments, Node::Comment),
            args,
        )?,
        "reactions" => {
            let all = issue.reactions.iter().map(|r| reaction(state, r));
            connection("ReactionConnection", all.collect(), args)?
        }
        "subIssuesSummary" => {
            let shown = state.issue_json(issue);
            let summary = |name: &str| -> Val {
                let value = shown.get("sub_issues_summary").and_then(|s| s.get(name));
                value.cloned().unwrap_or(json!(0)).into()
            };
            Val::Obj(Obj::Made(
                "SubIssuesSummary",
                vec![
                    ("total", summary("total")),
                    ("completed", summary("completed")),
                    ("percentCompleted", summary("percent_completed")),
                ],
            ))
        }
        "timelineItems" => {
            let wanted = args.get("itemTypes").and_then(Value::as_array);
            let told = issue.timeline.iter().map(|event| told(state, event));
            let told = told.filter(|(kind, _)| {
                wanted.is_none_or(|wanted| wanted.iter().any(|wanted| *wanted == json!(kind)))
            });
            let told = told.map(|(_, event)| event).collect();
            connection("IssueTimelineItemsConnection", told, args)?
        }
        "projectItems" => {
            context.need("organization_projects", "read")?;
            let archived = args.get("includeArchived") != Some(&json!(false));
            let rows = state
                .projects
                .values()
                .filter(|project| context.owns(state, project.org))
                .filter_map(|project| state.item_of(project.id, issue.id))
                .filter(|item| archived || item.archived_at.is_none())
                .map(|item| Val::node(Node::Item(item.id)));
            connection("ProjectV2ItemConnection", rows.collect(), args)?
        }
        _ => Val::Null,
    })
}

/// An entry of a timeline, and what GitHub calls its kind.
fn told(state: &State, event: &TimelineEvent) -> (&'static str, Val) {
    let label = |name: &String| Val::Obj(Obj::Made("Label", vec![("name", name.clone().into())]));
    let (kind, name, more) = match &event.what {
        TimelineWhat::Closed(reason) => {
            let reason = ("stateReason", reason.to_uppercase().into());
            ("CLOSED_EVENT", "ClosedEvent", vec![reason])
        }
        TimelineWhat::Reopened => ("REOPENED_EVENT", "ReopenedEvent", Vec::new()),
        TimelineWhat::Labelled(name) => (
            "LABELED_EVENT",
            "LabeledEvent",
            vec![("label", label(name))],
        ),
        TimelineWhat::Unlabelled(name) => {
            let label = ("label", label(name));
            ("UNLABELED_EVENT", "UnlabeledEvent", vec![label])
        }
        TimelineWhat::Moved { project, from, to } => (
            "PROJECT_V2_ITEM_STATUS_CHANGED_EVENT",
            "ProjectV2ItemStatusChangedEvent",
            vec![
                ("project", Val::node(Node::Project(*project))),
                ("previousStatus", from.clone().into()),
                ("status", to.clone().into()),
            ],
        ),
    };
    let mut fields = vec![
        ("actor", account(state, event.by)),
        ("createdAt", time(event.at).into()),
    ];
    fields.extend(more);
    (kind, Val::Obj(Obj::Made(name, fields)))
}

fn comment(state: &State, comment: &Comment, field: &str) -> Val {
    match field {
        "databaseId" => i32::try_from(comment.id).map_or(Val::Null, Val::from),
        "fullDatabaseId" => comment.id.to_string().into(),
        "body" => comment.body.clone().into(),
        "author" => account(state, comment.author),
        "createdAt" => time(comment.created_at).into(),
        "updatedAt" => time(comment.updated_at).into(),
        "issue" => Val::node(Node::Issue(comment.issue)),
        _ => {
            let shown = state.comment_json(comment);
            let name = match field {
                "url" => "html_url",
                _ => "author_association",
            };
            shown.get(name).cloned().unwrap_or(Value::Null).into()
        }
    }
}

pub(super) fn reaction(state: &State, reaction: &Reaction) -> Val {
    Val::Obj(Obj::Made(
        "Reaction",
        vec![
            ("id", state.node(Node::Reaction(reaction.id)).into()),
            (
                "databaseId",
                i32::try_from(reaction.id).map_or(Val::Null, Val::from),
            ),
            ("content", graphql_content(reaction.content).into()),
            ("createdAt", time(reaction.created_at).into()),
            ("user", account(state, reaction.user)),
        ],
    ))
}

/// REST's names of reactions and GraphQL's.
const CONTENTS: [(&str, &str); 8] = [
    ("+1", "THUMBS_UP"),
    ("-1", "THUMBS_DOWN"),
    ("laugh", "LAUGH"),
    ("hooray", "HOORAY"),
    ("confused", "CONFUSED"),
    ("heart", "HEART"),
    ("rocket", "ROCKET"),
    ("eyes", "EYES"),
];

fn graphql_content(rest: &str) -> &'static str {
    let known = CONTENTS.iter().find(|(name, _)| *name == rest);
    known.map_or("EYES", |(_, name)| name)
}

pub(super) fn rest_content(graphql: &str) -> &'static str {
    let known = CONTENTS.iter().find(|(_, name)| *name == graphql);
    known.map_or("", |(name, _)| name)
}
