//! The fields of boards, their rows and values.

use jiff::ToSpan;
use serde_json::{Map, Value as Json};

use super::resolve::{Context, Obj, Val, account, connection, text};
use crate::sim::ids::Node;
use crate::sim::refusal::Refusal;
use crate::sim::state::{Content, Field, FieldKind, Item, Project, State, Value, time};
use crate::sim::view::value_text;

pub(super) fn organization(
    state: &State,
    context: &Context<'_>,
    id: u64,
    field: &str,
    args: &Map<String, Json>,
) -> Result<Val, Refusal> {
    let boards = || -> Result<(), Refusal> {
        if !context.owns(state, id) {
            return Err(Refusal::forbidden());
        }
        context.need("organization_projects", "read")
    };
    Ok(match field {
        "databaseId" => id.into(),
        "login" | "name" => state.login(id).into(),
        "url" => format!("https://github.com/{}", state.login(id)).into(),
        "projectV2" => {
            boards()?;
            let number = args.get("number").and_then(Json::as_u64).unwrap_or(0);
            let project = state.project_by_number(id, number).ok_or_else(|| {
                Refusal::new(
                    404,
                    format!("Could not resolve to a ProjectV2 with the number {number}."),
                )
            })?;
            Val::node(Node::Project(project.id))
        }
        _ => {
            boards()?;
            let all = state.projects.values().filter(|project| project.org == id);
            let all = all.map(|project| Val::node(Node::Project(project.id)));
            connection("ProjectV2Connection", all.collect(), args)?
        }
    })
}

/// A field of a board, of one of its fields, of a row or of a draft.
pub(super) fn board(
    state: &State,
    node: Node,
    field: &str,
    args: &Map<String, Json>,
) -> Result<Val, Refusal> {
    match node {
        Node::Project(id) => {
            let project = state.projects.get(&id).ok_or_else(Refusal::not_found)?;
            project_field(state, project, field, args)
        }
        Node::Item(id) => {
            let item = state.items.get(&id).ok_or_else(Refusal::not_found)?;
            item_field(state, item, field, args)
        }
        Node::Field(id) | Node::SelectField(id) | Node::IterationField(id) => {
            let (project, known) = find_field(state, id).ok_or_else(Refusal::not_found)?;
            Ok(field_field(state, project, known, field))
        }
        Node::Draft(id) => Ok(state
            .items
            .values()
            .find_map(|item| match &item.content {
                Content::Draft { id: known, title } if *known == id => Some(match field {
                    "title" => Val::from(title.clone()),
                    _ => Val::from(""),
                }),
                _ => None,
            })
            .unwrap_or(Val::Null)),
        _ => Ok(Val::Null),
    }
}

/// A field by its number, with the board it belongs to.
pub(super) fn find_field(state: &State, id: u64) -> Option<(&Project, &Field)> {
    state.projects.values().find_map(|project| {
        let field = project.fields.iter().find(|field| field.id == id)?;
        Some((project, field))
    })
}

fn project_field(
    state: &State,
    project: &Project,
    field: &str,
    args: &Map<String, Json>,
) -> Result<Val, Refusal> {
    Ok(match field {
        "closed" => false.into(),
        "createdAt" => time(project.created_at).into(),
        "updatedAt" => time(project.updated_at).into(),
        "databaseId" => project.id.into(),
        "fullDatabaseId" => project.id.to_string().into(),
        "number" => project.number.into(),
        "title" => project.title.clone().into(),
        "field" => {
            let name = text(args, "name");
            let known = project.fields.iter().find(|field| field.name == name);
            Val::maybe(known.map(Field::node))
        }
        "fields" => {
            let all = project.fields.iter().map(|field| Val::node(field.node()));
            connection("ProjectV2FieldConfigurationConnection", all.collect(), args)?
        }
        _ => {
            // Archived rows are not among a board's items.
            let all = project
                .items
                .iter()
                .filter_map(|id| state.items.get(id))
                .filter(|item| item.archived_at.is_none())
                .map(|item| Val::node(Node::Item(item.id)));
            connection("ProjectV2ItemConnection", all.collect(), args)?
        }
    })
}

fn field_field(state: &State, project: &Project, known: &Field, field: &str) -> Val {
    match (field, &known.kind) {
        ("dataType", _) => known.data_type().into(),
        ("name", _) => known.name.clone().into(),
        ("databaseId", _) => known.id.into(),
        ("createdAt" | "updatedAt", _) => time(project.created_at).into(),
        ("options", FieldKind::SingleSelect(options)) => {
            let options = options.iter().map(|option| {
                Val::Obj(Obj::Made(
                    "ProjectV2SingleSelectFieldOption",
                    vec![
                        ("id", option.id.clone().into()),
                        ("name", option.name.clone().into()),
                        ("color", option.color.into()),
                        ("description", "".into()),
                    ],
                ))
            });
            Val::List(options.collect())
        }
        ("configuration", FieldKind::Iteration(iterations)) => {
            let today = state.now().to_zoned(jiff::tz::TimeZone::UTC).date();
            let shown = |completed: bool| {
                let some = iterations.iter().filter(|iteration| {
                    let end = iteration
                        .start
                        .saturating_add(i64::from(iteration.duration).days());
                    (end <= today) == completed
                });
                Val::List(
                    some.map(|iteration| {
                        Val::Obj(Obj::Made(
                            "ProjectV2IterationFieldIteration",
                            vec![
                                ("id", iteration.id.clone().into()),
                                ("title", iteration.title.clone().into()),
                                ("startDate", iteration.start.to_string().into()),
                                ("duration", iteration.duration.into()),
                            ],
                        ))
                    })
                    .collect(),
                )
            };
            let first = iterations.first();
            Val::Obj(Obj::Made(
                "ProjectV2IterationFieldConfiguration",
                vec![
                    ("iterations", shown(false)),
                    ("completedIterations", shown(true)),
                    ("duration", first.map_or(14, |i| i.duration).into()),
                    ("startDay", 1.into()),
                ],
            ))
        }
        _ => Val::Null,
    }
}

fn item_field(
    state: &State,
    item: &Item,
    field: &str,
    args: &Map<String, Json>,
) -> Result<Val, Refusal> {
    let project = state
        .projects
        .get(&item.project)
        .ok_or_else(Refusal::not_found)?;
    let values = || {
        project.fields.iter().filter_map(|field| {
            let name = value_type(field);
            let shown =
                matches!(field.kind, FieldKind::Title) || item.values.contains_key(&field.id);
            shown.then(|| (field, Obj::FieldValue(item.id, field.id, name)))
        })
    };
    Ok(match field {
        "content" => Val::node(match &item.content {
            Content::Issue(id) => Node::Issue(*id),
            Content::Draft { id, .. } => Node::Draft(*id),
        }),
        "type" => match &item.content {
            Content::Issue(_) => "ISSUE".into(),
            Content::Draft { .. } => "DRAFT_ISSUE".into(),
        },
        "createdAt" => time(item.created_at).into(),
        "updatedAt" => time(item.updated_at).into(),
        "creator" => account(state, item.creator),
        "databaseId" => item.id.into(),
        "fullDatabaseId" => item.id.to_string().into(),
        "isArchived" => item.archived_at.is_some().into(),
        "project" => Val::node(Node::Project(item.project)),
        "fieldValueByName" => {
            let name = text(args, "name");
            let mut all = values();
            let found = all.find(|(field, _)| field.name == name);
            found.map_or(Val::Null, |(_, value)| Val::Obj(value))
        }
        _ => {
            let all = values().map(|(_, value)| Val::Obj(value)).collect();
            connection("ProjectV2ItemFieldValueConnection", all, args)?
        }
    })
}

/// The type of a field's values.
fn value_type(field: &Field) -> &'static str {
    match field.kind {
        FieldKind::SingleSelect(_) => "ProjectV2ItemFieldSingleSelectValue",
        FieldKind::Title | FieldKind::Text => "ProjectV2ItemFieldTextValue",
        FieldKind::Number => "ProjectV2ItemFieldNumberValue",
        FieldKind::Date => "ProjectV2ItemFieldDateValue",
        FieldKind::Iteration(_) => "ProjectV2ItemFieldIterationValue",
    }
}

/// A field of a value that a row has.
pub(super) fn field_value(state: &State, item: u64, id: u64, field: &str) -> Result<Val, Refusal> {
    let gone = Refusal::not_found;
    let item = state.items.get(&item).ok_or_else(gone)?;
    let (_, known) = find_field(state, id).ok_or_else(gone)?;
    let set = item.values.get(&id);
    Ok(match (field, &known.kind) {
        ("field", _) => Val::node(known.node()),
        ("item", _) => Val::node(Node::Item(item.id)),
        // GitHub's ids of values are ids of their own; nobody reads anything by them.
        ("id", _) => format!("{}v{id}", state.node(Node::Item(item.id))).into(),
        ("databaseId", _) => id.into(),
        ("createdAt", _) => time(item.created_at).into(),
        ("updatedAt", _) => time(set.map_or(item.updated_at, |set| set.updated_at)).into(),
        ("text", FieldKind::Title) => match &item.content {
            Content::Issue(id) => state.issue(*id)?.title.clone().into(),
            Content::Draft { title, .. } => title.clone().into(),
        },
        (_, kind) => match set.map(|set| &set.value) {
            Some(Value::Number(number)) => Val::from(*number),
            Some(Value::Option(id)) if field == "optionId" => id.clone().into(),
            Some(Value::Iteration(id)) if field == "iterationId" => id.clone().into(),
            Some(Value::Option(option)) if field == "color" => match kind {
                FieldKind::SingleSelect(options) => options
                    .iter()
                    .find(|known| known.id == *option)
                    .map_or(Val::Null, |known| known.color.into()),
                _ => Val::Null,
            },
            Some(Value::Iteration(iteration)) if field != "title" => match kind {
                FieldKind::Iteration(iterations) => iterations
                    .iter()
                    .find(|known| known.id == *iteration)
                    .map_or(Val::Null, |known| match field {
                        "duration" => known.duration.into(),
                        _ => known.start.to_string().into(),
                    }),
                _ => Val::Null,
            },
            Some(value) => value_text(known, value).into(),
            None => Val::Null,
        },
    })
}
