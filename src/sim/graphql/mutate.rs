//! The mutations. Each acts through `act`, as the App's bot, and hands out what changed.

use serde_json::{Map, Value as Json};

use super::boards::find_field;
use super::resolve::{Context, Obj, Val, reaction, rest_content, text};
use crate::sim::act::{Edit, NewIssue, NewMilestone};
use crate::sim::ids::Node;
use crate::sim::refusal::Refusal;
use crate::sim::state::{Actor, State, Value};

/// One mutation's input, with who may do what.
struct Change<'a> {
    context: &'a Context<'a>,
    input: Map<String, Json>,
    by: Actor,
}

impl Change<'_> {
    fn text(&self, name: &str) -> &str {
        text(&self.input, name)
    }

    fn given(&self, name: &str) -> Option<&str> {
        self.input.get(name).and_then(Json::as_str)
    }

    fn find(&self, state: &State, name: &str) -> Result<Node, Refusal> {
        self.context.find(state, self.text(name))
    }

    fn list(&self, name: &str) -> Vec<&str> {
        let list = self.input.get(name).and_then(Json::as_array);
        list.into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .collect()
    }

    fn wrong(&self, name: &str) -> Refusal {
        Refusal::new(
            404,
            format!(
                "Could not resolve to a node with the global id of '{}'",
                self.text(name)
            ),
        )
    }

    /// May write issues of this repository.
    fn write(&self, state: &State, repository: u64) -> Result<(), Refusal> {
        let covered = self
            .context
            .caller
            .installation()
            .is_some_and(|id| state.covers(id, repository));
        if !covered {
            return Err(Refusal::forbidden());
        }
        self.context.need("issues", "write")
    }

    fn issue(&self, state: &State, name: &str) -> Result<u64, Refusal> {
        let Node::Issue(id) = self.find(state, name)? else {
            return Err(self.wrong(name));
        };
        self.write(state, state.issue(id)?.repository)?;
        Ok(id)
    }

    fn comment(&self, state: &State, name: &str) -> Result<u64, Refusal> {
        let Node::Comment(id) = self.find(state, name)? else {
            return Err(self.wrong(name));
        };
        let comment = state.comments.get(&id).ok_or_else(Refusal::not_found)?;
        self.write(state, state.issue(comment.issue)?.repository)?;
        Ok(id)
    }

    fn repository(&self, state: &State, name: &str) -> Result<u64, Refusal> {
        let Node::Repository(id) = self.find(state, name)? else {
            return Err(self.wrong(name));
        };
        self.write(state, id)?;
        Ok(id)
    }

    fn labels(&self, state: &State) -> Result<Vec<u64>, Refusal> {
        self.list("labelIds")
            .into_iter()
            .map(|id| match self.context.find(state, id)? {
                Node::Label(id) => Ok(id),
                _ => Err(Refusal::new(
                    404,
                    format!("Could not resolve to a node with the global id of '{id}'"),
                )),
            })
            .collect()
    }

    /// `null` takes the milestone away; not given leaves it.
    fn milestone(&self, state: &State) -> Result<NewMilestone, Refusal> {
        match self.input.get("milestoneId") {
            None => Ok(NewMilestone::Same),
            Some(Json::Null) => Ok(NewMilestone::None),
            Some(_) => match self.find(state, "milestoneId")? {
                Node::Milestone(id) => Ok(NewMilestone::Is(id)),
                _ => Err(self.wrong("milestoneId")),
            },
        }
    }

    fn project(&self, state: &State) -> Result<u64, Refusal> {
        let Node::Project(id) = self.find(state, "projectId")? else {
            return Err(self.wrong("projectId"));
        };
        self.context.need("organization_projects", "write")?;
        Ok(id)
    }

    /// A row, which must be of the board that is named with it.
    fn row(&self, state: &State, name: &str) -> Result<u64, Refusal> {
        let project = self.project(state)?;
        let Node::Item(id) = self.find(state, name)? else {
            return Err(self.wrong(name));
        };
        match state.items.get(&id) {
            Some(item) if item.project == project => Ok(id),
            _ => Err(self.wrong(name)),
        }
    }

    fn field(&self, state: &State) -> Result<u64, Refusal> {
        let (Node::Field(id) | Node::SelectField(id) | Node::IterationField(id)) =
            self.find(state, "fieldId")?
        else {
            return Err(self.wrong("fieldId"));
        };
        let (project, field) = find_field(state, id).ok_or_else(|| self.wrong("fieldId"))?;
        if project.id == self.project(state)? {
            Ok(field.id)
        } else {
            Err(self.wrong("fieldId"))
        }
    }

    /// The one value in `value`.
    fn value(&self) -> Result<Value, Refusal> {
        let given: Vec<(&String, &Json)> = self
            .input
            .get("value")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
            .filter(|(_, value)| !value.is_null())
            .collect();
        let [(name, value)] = given[..] else {
            return Err(Refusal::new(
                422,
                "Exactly one value of `text`, `number`, `date`, `singleSelectOptionId` and \
                 `iterationId` must be given",
            ));
        };
        let text = || value.as_str().unwrap_or("").to_owned();
        let bad = || Refusal::new(422, format!("{value} is not a value of `{name}`"));
        Ok(match name.as_str() {
            "text" => Value::Text(text()),
            "number" => Value::Number(value.as_f64().ok_or_else(bad)?),
            "date" => Value::Date(text().parse().map_err(|_| bad())?),
            "singleSelectOptionId" => Value::Option(text()),
            _ => Value::Iteration(text()),
        })
    }

    fn payload(&self, ty: &'static str, mut fields: Vec<(&'static str, Val)>) -> Val {
        let id = self.given("clientMutationId").map(str::to_owned);
        fields.push(("clientMutationId", id.into()));
        Val::Obj(Obj::Made(ty, fields))
    }
}

/// Does one mutation. A refusal leaves everything as it was.
pub(super) fn mutate(
    state: &mut State,
    context: &Context<'_>,
    name: &str,
    args: &Map<String, Json>,
) -> Result<Val, Refusal> {
    let input = args.get("input").and_then(Json::as_object);
    let change = Change {
        context,
        input: input.cloned().unwrap_or_default(),
        by: Actor {
            user: state.app_bot,
            app: true,
        },
    };
    match name {
        _ if name.contains("ProjectV2") => boards(state, &change, name),
        "addComment" | "updateIssueComment" | "deleteIssueComment" | "createLabel"
        | "addReaction" => around(state, &change, name),
        _ => issues(state, &change, name),
    }
}

fn boards(state: &mut State, change: &Change<'_>, name: &str) -> Result<Val, Refusal> {
    let by = change.by;
    let item = |id: u64| Val::node(Node::Item(id));
    Ok(match name {
        "addProjectV2ItemById" => {
            let project = change.project(state)?;
            let Node::Issue(issue) = change.find(state, "contentId")? else {
                return Err(change.wrong("contentId"));
            };
            let id = state.add_to_board(by, project, issue)?;
            change.payload("AddProjectV2ItemByIdPayload", vec![("item", item(id))])
        }
        "addProjectV2DraftIssue" => {
            let project = change.project(state)?;
            let id = state.add_draft(by, project, change.text("title"))?;
            let fields = vec![("projectItem", item(id))];
            change.payload("AddProjectV2DraftIssuePayload", fields)
        }
        "updateProjectV2ItemFieldValue" => {
            let (id, field) = (change.row(state, "itemId")?, change.field(state)?);
            state.set_field(by, id, field, Some(change.value()?))?;
            let fields = vec![("projectV2Item", item(id))];
            change.payload("UpdateProjectV2ItemFieldValuePayload", fields)
        }
        "clearProjectV2ItemFieldValue" => {
            let (id, field) = (change.row(state, "itemId")?, change.field(state)?);
            state.set_field(by, id, field, None)?;
            let fields = vec![("projectV2Item", item(id))];
            change.payload("ClearProjectV2ItemFieldValuePayload", fields)
        }
        "updateProjectV2ItemPosition" => {
            let id = change.row(state, "itemId")?;
            let after = match change.given("afterId") {
                Some(_) => Some(change.row(state, "afterId")?),
                None => None,
            };
            state.reorder_item(by, id, after)?;
            change.payload("UpdateProjectV2ItemPositionPayload", Vec::new())
        }
        "archiveProjectV2Item" | "unarchiveProjectV2Item" => {
            let id = change.row(state, "itemId")?;
            let archive = name == "archiveProjectV2Item";
            state.archive_item(by, id, archive)?;
            let ty = if archive {
                "ArchiveProjectV2ItemPayload"
            } else {
                "UnarchiveProjectV2ItemPayload"
            };
            change.payload(ty, vec![("item", item(id))])
        }
        _ => {
            let id = change.row(state, "itemId")?;
            let node = change.text("itemId").to_owned();
            state.delete_item(by, id)?;
            let fields = vec![("deletedItemId", node.into())];
            change.payload("DeleteProjectV2ItemPayload", fields)
        }
    })
}

fn issues(state: &mut State, change: &Change<'_>, name: &str) -> Result<Val, Refusal> {
    let by = change.by;
    let issue = |id: u64| Val::node(Node::Issue(id));
    Ok(match name {
        "addLabelsToLabelable" => {
            let id = change.issue(state, "labelableId")?;
            let labels = change.labels(state)?;
            state.add_labels(by, id, &labels)?;
            let fields = vec![("labelable", issue(id))];
            change.payload("AddLabelsToLabelablePayload", fields)
        }
        "removeLabelsFromLabelable" => {
            let id = change.issue(state, "labelableId")?;
            let labels = change.labels(state)?;
            state.remove_labels(by, id, &labels)?;
            let fields = vec![("labelable", issue(id))];
            change.payload("RemoveLabelsFromLabelablePayload", fields)
        }
        "updateIssue" => {
            let id = change.issue(state, "id")?;
            let labels = change.input.get("labelIds").is_some_and(Json::is_array);
            let edit = Edit {
                title: change.given("title").map(str::to_owned),
                body: change.given("body").map(str::to_owned),
                labels: if labels {
                    Some(change.labels(state)?)
                } else {
                    None
                },
                milestone: change.milestone(state)?,
                open: change.given("state").map(|state| state == "OPEN"),
                ..Edit::default()
            };
            state.edit_issue(by, id, edit)?;
            change.payload("UpdateIssuePayload", vec![("issue", issue(id))])
        }
        "closeIssue" => {
            let id = change.issue(state, "issueId")?;
            let reason = match change.text("stateReason") {
                "NOT_PLANNED" => "not_planned",
                "DUPLICATE" => "duplicate",
                _ => "completed",
            };
            if let Some(original) = change.given("duplicateIssueId") {
                let found = change.find(state, "duplicateIssueId")?;
                if !matches!(found, Node::Issue(other) if other != id) {
                    return Err(change.wrong(original));
                }
            }
            state.set_open(by, id, false, Some(reason))?;
            change.payload("CloseIssuePayload", vec![("issue", issue(id))])
        }
        "reopenIssue" => {
            let id = change.issue(state, "issueId")?;
            state.set_open(by, id, true, None)?;
            change.payload("ReopenIssuePayload", vec![("issue", issue(id))])
        }
        _ => {
            let repository = change.repository(state, "repositoryId")?;
            let labels = change.labels(state)?;
            let names = labels.iter().filter_map(|id| state.labels.get(id));
            let new = NewIssue {
                title: change.text("title").to_owned(),
                body: change.given("body").map(str::to_owned),
                labels: names.map(|label| label.name.clone()).collect(),
                assignees: Vec::new(),
                milestone: match change.milestone(state)? {
                    NewMilestone::Is(id) => Some(id),
                    NewMilestone::Same | NewMilestone::None => None,
                },
            };
            let id = state.open_issue(by, repository, new)?;
            change.payload("CreateIssuePayload", vec![("issue", issue(id))])
        }
    })
}

/// Comments, labels of repositories, reactions.
fn around(state: &mut State, change: &Change<'_>, name: &str) -> Result<Val, Refusal> {
    let by = change.by;
    Ok(match name {
        "addComment" => {
            let id = change.issue(state, "subjectId")?;
            let comment = state.add_comment(by, id, change.text("body"))?;
            let edge = vec![
                ("cursor", "".into()),
                ("node", Val::node(Node::Comment(comment))),
            ];
            let edge = Val::Obj(Obj::Made("IssueCommentEdge", edge));
            let subject = Val::node(Node::Issue(id));
            let fields = vec![("commentEdge", edge), ("subject", subject)];
            change.payload("AddCommentPayload", fields)
        }
        "updateIssueComment" => {
            let id = change.comment(state, "id")?;
            state.edit_comment(by, id, change.text("body"))?;
            let fields = vec![("issueComment", Val::node(Node::Comment(id)))];
            change.payload("UpdateIssueCommentPayload", fields)
        }
        "deleteIssueComment" => {
            let id = change.comment(state, "id")?;
            state.delete_comment(by, id)?;
            change.payload("DeleteIssueCommentPayload", Vec::new())
        }
        "createLabel" => {
            let repository = change.repository(state, "repositoryId")?;
            let (name, color) = (change.text("name"), change.given("color"));
            let id =
                state.create_label(by, repository, name, color, change.given("description"))?;
            let fields = vec![("label", Val::node(Node::Label(id)))];
            change.payload("CreateLabelPayload", fields)
        }
        _ => {
            let content = rest_content(change.text("content"));
            let comment = matches!(change.find(state, "subjectId")?, Node::Comment(_));
            let (made, subject) = if comment {
                let id = change.comment(state, "subjectId")?;
                (
                    state.react_to_comment(by, id, content)?.0,
                    Node::Comment(id),
                )
            } else {
                let id = change.issue(state, "subjectId")?;
                (state.react_to_issue(by, id, content)?.0, Node::Issue(id))
            };
            let made = reaction(state, &made);
            let fields = vec![("reaction", made), ("subject", Val::node(subject))];
            change.payload("AddReactionPayload", fields)
        }
    })
}
