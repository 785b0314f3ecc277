//! What people do. Each act makes the webhooks GitHub would send, with the person as sender.

use jiff::civil::Date;
use serde_json::json;

use crate::ids::CommentId;

use super::act::{Edit, NewIssue};
use super::ids::Node;
use super::state::{AccountKind, Content, FieldKind, State, Value};
use super::webhooks::Place;
use super::{Sim, SimError};

impl State {
    pub(super) fn announce_installation(&mut self, org: u64, id: u64) {
        let Some(installation) = self.installations.get(&id) else {
            return;
        };
        let repositories: Vec<serde_json::Value> = self
            .repositories
            .values()
            .filter(|repo| self.covers(id, repo.id))
            .map(|repo| {
                json!({
                    "id": repo.id,
                    "node_id": self.node(Node::Repository(repo.id)),
                    "name": repo.name,
                    "full_name": self.full_name(repo.id),
                    "private": repo.private,
                })
            })
            .collect();
        let fields = json!({
            "installation": self.installation_json(installation),
            "repositories": repositories,
            "requester": null,
        });
        self.emit(
            "installation",
            "created",
            Place::Organization(org),
            org,
            fields,
        );
    }

    fn field_value(
        &self,
        item: u64,
        name: &str,
        text: &str,
    ) -> Result<(u64, Option<Value>), SimError> {
        let field = self
            .items
            .get(&item)
            .and_then(|item| self.projects.get(&item.project))
            .and_then(|board| board.fields.iter().find(|field| field.name == name))
            .ok_or_else(|| SimError::Missing(format!("field {name}")))?;
        if text.is_empty() {
            return Ok((field.id, None));
        }
        let value = match &field.kind {
            FieldKind::Title => None,
            FieldKind::Text => Some(Value::Text(text.to_owned())),
            FieldKind::Number => text.parse().ok().map(Value::Number),
            FieldKind::Date => text.parse::<Date>().ok().map(Value::Date),
            FieldKind::SingleSelect(options) => options
                .iter()
                .find(|option| option.name == text)
                .map(|option| Value::Option(option.id.clone())),
            FieldKind::Iteration(iterations) => iterations
                .iter()
                .find(|iteration| iteration.title == text)
                .map(|iteration| Value::Iteration(iteration.id.clone())),
        };
        match value {
            Some(value) => Ok((field.id, Some(value))),
            None => Err(SimError::Missing(format!("{text} in field {name}"))),
        }
    }
}

impl Sim {
    /// Opens an issue; its number. Labels that are not there are made.
    pub fn open_issue(
        &self,
        by: &str,
        repo: &str,
        title: &str,
        body: &str,
        labels: &[&str],
    ) -> Result<u64, SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let repository = state.named_repository(repo)?;
            let new = NewIssue {
                title: title.to_owned(),
                body: Some(body.to_owned()),
                labels: labels.iter().map(|label| (*label).to_owned()).collect(),
                ..NewIssue::default()
            };
            let id = state.open_issue(by, repository, new)?;
            Ok(state.issue(id)?.number)
        })
    }

    fn edit(&self, by: &str, repo: &str, number: u64, edit: Edit) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let id = state.numbered_issue(repo, number)?;
            Ok(state.edit_issue(by, id, edit)?)
        })
    }

    /// Changes title or body; `None` leaves as is.
    pub fn edit_issue(
        &self,
        by: &str,
        repo: &str,
        number: u64,
        title: Option<&str>,
        body: Option<&str>,
    ) -> Result<(), SimError> {
        let edit = Edit {
            title: title.map(str::to_owned),
            body: body.map(str::to_owned),
            ..Edit::default()
        };
        self.edit(by, repo, number, edit)
    }

    /// Closes an issue, as completed or as not planned.
    pub fn close(&self, by: &str, repo: &str, number: u64, done: bool) -> Result<(), SimError> {
        let edit = Edit {
            open: Some(false),
            reason: Some(if done { "completed" } else { "not_planned" }),
            ..Edit::default()
        };
        self.edit(by, repo, number, edit)
    }

    pub fn reopen(&self, by: &str, repo: &str, number: u64) -> Result<(), SimError> {
        let edit = Edit {
            open: Some(true),
            ..Edit::default()
        };
        self.edit(by, repo, number, edit)
    }

    /// Deletes an issue with its comments and rows.
    pub fn delete_issue(&self, by: &str, repo: &str, number: u64) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let id = state.numbered_issue(repo, number)?;
            Ok(state.delete_issue(by, id)?)
        })
    }

    /// Transfers an issue to another repository of the organisation; its number there.
    pub fn transfer(&self, by: &str, repo: &str, number: u64, to: &str) -> Result<u64, SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let id = state.numbered_issue(repo, number)?;
            let to = state.named_repository(to)?;
            let id = state.transfer_issue(by, id, to)?;
            Ok(state.issue(id)?.number)
        })
    }

    pub fn add_label(
        &self,
        by: &str,
        repo: &str,
        number: u64,
        label: &str,
    ) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let id = state.numbered_issue(repo, number)?;
            let repository = state.issue(id)?.repository;
            let labels = state.labels_named(by, repository, &[label.to_owned()])?;
            Ok(state.add_labels(by, id, &labels)?)
        })
    }

    pub fn remove_label(
        &self,
        by: &str,
        repo: &str,
        number: u64,
        label: &str,
    ) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let id = state.numbered_issue(repo, number)?;
            let label = state
                .label_by_name(state.issue(id)?.repository, label)
                .map(|label| label.id)
                .ok_or_else(|| SimError::Missing(format!("label {label}")))?;
            Ok(state.remove_labels(by, id, &[label])?)
        })
    }

    /// Gives a repository another name. Its number and its issues stay.
    pub fn rename_repository(&self, by: &str, repo: &str, name: &str) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let id = state.named_repository(repo)?;
            Ok(state.rename_repository(by, id, name)?)
        })
    }

    /// Assigns the issue to these people and to nobody else.
    pub fn assign(
        &self,
        by: &str,
        repo: &str,
        number: u64,
        logins: &[&str],
    ) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let id = state.numbered_issue(repo, number)?;
            let users = logins.iter().map(|login| Self::actor(state, login));
            let users = users.map(|user| user.map(|user| user.user));
            let users = users.collect::<Result<Vec<_>, _>>()?;
            Ok(state.set_assignees(by, id, &users)?)
        })
    }

    /// Sets the milestone by its title, or takes it away.
    pub fn set_milestone(
        &self,
        by: &str,
        repo: &str,
        number: u64,
        title: Option<&str>,
    ) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let id = state.numbered_issue(repo, number)?;
            let repository = state.issue(id)?.repository;
            let milestone = match title {
                None => None,
                Some(title) => Some(
                    state
                        .milestones
                        .values()
                        .find(|m| m.repository == repository && m.title == title)
                        .ok_or_else(|| SimError::Missing(format!("milestone {title}")))?
                        .id,
                ),
            };
            Ok(state.set_milestone(by, id, milestone)?)
        })
    }

    /// Sets the issue type by its name, or takes it away.
    pub fn set_type(
        &self,
        by: &str,
        repo: &str,
        number: u64,
        name: Option<&str>,
    ) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let id = state.numbered_issue(repo, number)?;
            let kind = match name {
                None => None,
                Some(name) => Some(
                    state
                        .orgs
                        .values()
                        .flat_map(|org| org.issue_types.iter())
                        .find(|(_, known)| known == name)
                        .ok_or_else(|| SimError::Missing(format!("issue type {name}")))?
                        .0,
                ),
            };
            Ok(state.set_issue_type(by, id, kind)?)
        })
    }

    /// Makes `child` a sub-issue of `parent` (each a repository and a number).
    pub fn add_sub_issue(
        &self,
        by: &str,
        parent: (&str, u64),
        child: (&str, u64),
    ) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let parent = state.numbered_issue(parent.0, parent.1)?;
            let child = state.numbered_issue(child.0, child.1)?;
            Ok(state.add_sub_issue(by, parent, child)?)
        })
    }

    pub fn comment(
        &self,
        by: &str,
        repo: &str,
        number: u64,
        body: &str,
    ) -> Result<CommentId, SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let id = state.numbered_issue(repo, number)?;
            Ok(CommentId(state.add_comment(by, id, body)?))
        })
    }

    /// Edits a comment, one's own or another's.
    pub fn edit_comment(&self, by: &str, comment: CommentId, body: &str) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            Ok(state.edit_comment(by, comment.0, body)?)
        })
    }

    pub fn delete_comment(&self, by: &str, comment: CommentId) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            Ok(state.delete_comment(by, comment.0)?)
        })
    }

    /// Reacts to a comment (`+1`, `eyes` …); GitHub sends no webhook for that.
    pub fn react(&self, by: &str, comment: CommentId, content: &str) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            state.react_to_comment(by, comment.0, content)?;
            Ok(())
        })
    }

    /// Reacts to an issue; GitHub sends no webhook for that.
    pub fn react_to_issue(
        &self,
        by: &str,
        repo: &str,
        number: u64,
        content: &str,
    ) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let id = state.numbered_issue(repo, number)?;
            state.react_to_issue(by, id, content)?;
            Ok(())
        })
    }

    /// Creates a label of a repository.
    pub fn create_label(&self, by: &str, repo: &str, name: &str) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let repository = state.named_repository(repo)?;
            state.create_label(by, repository, name, None, None)?;
            Ok(())
        })
    }

    /// Deletes a label of a repository, from all its issues too.
    pub fn delete_label(&self, by: &str, repo: &str, name: &str) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let repository = state.named_repository(repo)?;
            let id = state
                .label_by_name(repository, name)
                .map(|label| label.id)
                .ok_or_else(|| SimError::Missing(format!("label {name}")))?;
            Ok(state.delete_label(by, id)?)
        })
    }

    /// Puts an issue on a board of the organisation.
    pub fn add_to_project(
        &self,
        by: &str,
        (org, project): (&str, u64),
        repo: &str,
        number: u64,
    ) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let project = state.numbered_project(org, project)?.id;
            let issue = state.numbered_issue(repo, number)?;
            state.add_to_board(by, project, issue)?;
            Ok(())
        })
    }

    /// Adds a draft to a board.
    pub fn add_draft(
        &self,
        by: &str,
        (org, project): (&str, u64),
        title: &str,
    ) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let project = state.numbered_project(org, project)?.id;
            state.add_draft(by, project, title)?;
            Ok(())
        })
    }

    /// Adds a draft to a board, in a column.
    pub fn add_draft_in(
        &self,
        by: &str,
        (org, project): (&str, u64),
        title: &str,
        column: &str,
    ) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let project = state.numbered_project(org, project)?.id;
            let item = state.add_draft(by, project, title)?;
            let (field, value) = state.field_value(item, "Status", column)?;
            Ok(state.set_field(by, item, field, value)?)
        })
    }

    /// Makes a draft, found by its title, an issue of a repository; its number.
    pub fn convert_draft(
        &self,
        by: &str,
        (org, project): (&str, u64),
        title: &str,
        repo: &str,
    ) -> Result<u64, SimError> {
        let number = self.open_issue(by, repo, title, "", &[])?;
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let board = state.numbered_project(org, project)?.id;
            let issue = state.numbered_issue(repo, number)?;
            let is_it = |item: &&super::state::Item| {
                let draft = matches!(&item.content, Content::Draft { title: t, .. } if t == title);
                draft && item.project == board
            };
            let item = state.items.values().find(is_it).map(|item| item.id);
            let item = item.ok_or_else(|| SimError::Missing(format!("draft {title}")))?;
            state.convert_draft(by, item, issue)?;
            Ok(number)
        })
    }

    fn on_row(
        &self,
        by: &str,
        (org, project): (&str, u64),
        (repo, number): (&str, u64),
        work: impl FnOnce(&mut State, super::state::Actor, u64) -> Result<(), SimError>,
    ) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let board = state.numbered_project(org, project)?.id;
            let issue = state.numbered_issue(repo, number)?;
            let item = state
                .item_of(board, issue)
                .map(|item| item.id)
                .ok_or_else(|| SimError::Missing(format!("{repo}#{number} on board {project}")))?;
            work(state, by, item)
        })
    }

    /// Drags a card into a column: sets the field `Status`.
    pub fn move_card(
        &self,
        by: &str,
        board: (&str, u64),
        issue: (&str, u64),
        column: &str,
    ) -> Result<(), SimError> {
        self.set_field(by, board, issue, "Status", column)
    }

    /// Sets a field of a row, as text (an option's or iteration's name, a number, a date); empty
    /// clears it.
    pub fn set_field(
        &self,
        by: &str,
        board: (&str, u64),
        issue: (&str, u64),
        field: &str,
        value: &str,
    ) -> Result<(), SimError> {
        self.on_row(by, board, issue, |state, by, item| {
            let (field, value) = state.field_value(item, field, value)?;
            Ok(state.set_field(by, item, field, value)?)
        })
    }

    /// Archives a row, or brings it back.
    pub fn archive(
        &self,
        by: &str,
        board: (&str, u64),
        issue: (&str, u64),
        archive: bool,
    ) -> Result<(), SimError> {
        self.on_row(by, board, issue, |state, by, item| {
            Ok(state.archive_item(by, item, archive)?)
        })
    }

    /// Takes a row off the board.
    pub fn delete_item(
        &self,
        by: &str,
        board: (&str, u64),
        issue: (&str, u64),
    ) -> Result<(), SimError> {
        self.on_row(by, board, issue, |state, by, item| {
            Ok(state.delete_item(by, item)?)
        })
    }

    /// Moves a row to the top of the board.
    pub fn to_top(&self, by: &str, board: (&str, u64), issue: (&str, u64)) -> Result<(), SimError> {
        self.on_row(by, board, issue, |state, by, item| {
            Ok(state.reorder_item(by, item, None)?)
        })
    }

    /// Adds somebody to a team (and with that to the organisation), or removes them from it.
    pub fn team_member(
        &self,
        by: &str,
        (org, slug): (&str, &str),
        login: &str,
        member: bool,
    ) -> Result<(), SimError> {
        let user = self.user(login).0;
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let org = state.named_org(org)?;
            if member && let Some(org) = state.orgs.get_mut(&org) {
                org.members.entry(user).or_insert(false);
            }
            let team = state
                .teams
                .values_mut()
                .find(|team| team.org == org && team.slug == slug)
                .ok_or_else(|| SimError::Missing(format!("team {slug}")))?;
            let changed = if member {
                team.members.insert(user)
            } else {
                team.members.remove(&user)
            };
            if changed {
                let team = team.clone();
                let fields = json!({
                    "scope": "team",
                    "member": state.user_json(user),
                    "team": state.team_json(&team),
                });
                let action = if member { "added" } else { "removed" };
                state.emit(
                    "membership",
                    action,
                    Place::Organization(org),
                    by.user,
                    fields,
                );
            }
            Ok(())
        })
    }

    /// Lets somebody into the organisation, or out of it and all its teams.
    pub fn org_member(
        &self,
        by: &str,
        org: &str,
        login: &str,
        member: bool,
    ) -> Result<(), SimError> {
        let user = self.user(login).0;
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let id = state.named_org(org)?;
            let shown = state.membership_json(id, user, false);
            let known = match state.orgs.get_mut(&id) {
                Some(org) if member => org.members.insert(user, false).is_some(),
                Some(org) => org.members.remove(&user).is_none(),
                None => return Err(SimError::Missing(format!("organisation {org}"))),
            };
            if known {
                return Ok(());
            }
            if !member {
                for team in state.teams.values_mut().filter(|team| team.org == id) {
                    team.members.remove(&user);
                }
            }
            let action = if member {
                "member_added"
            } else {
                "member_removed"
            };
            let place = Place::Organization(id);
            state.emit(
                "organization",
                action,
                place,
                by.user,
                json!({"membership": shown}),
            );
            Ok(())
        })
    }

    /// Pushes to the default branch: what these files hold now, or that they are gone.
    pub fn push(
        &self,
        by: &str,
        repo: &str,
        files: &[(&str, Option<&str>)],
    ) -> Result<(), SimError> {
        self.with(|state| {
            let by = Self::actor(state, by)?;
            let repository = state.named_repository(repo)?;
            Ok(state.push(by, repository, files)?)
        })
    }

    /// GitHub's greeting of a new webhook.
    pub fn ping(&self) {
        self.with(|state| {
            let hook = state.hooks.hook_id;
            let payload = json!({
                "zen": "Keep it logically awesome.",
                "hook_id": hook,
                "hook": {
                    "type": "App",
                    "id": hook,
                    "name": "web",
                    "active": true,
                    "events": ["issues"],
                    "config": {
                        "content_type": "json",
                        "insecure_ssl": "0",
                        "secret": "********",
                        "url": state.hooks.url.clone().unwrap_or_default(),
                    },
                    "updated_at": super::state::time(state.now()),
                    "created_at": super::state::time(state.now()),
                    "app_id": state.app_id,
                    "deliveries_url": format!("{}/app/hook/deliveries", state.api_url),
                },
            });
            state.enqueue("ping", None, &payload, None, None);
        });
    }

    /// Whether an account is a bot; unknown logins are not.
    pub fn is_bot(&self, login: &str) -> bool {
        self.with(|state| {
            let account = state.account_by_login(login);
            account.is_some_and(|account| account.kind == AccountKind::Bot)
        })
    }
}
