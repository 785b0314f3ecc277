//! Writes by GraphQL: many in one document, each under an alias of its own.
//!
//! The aliases run in order and fail one by one. Each kind of mutation is a file of its own, valid
//! alone; a composed document is made of their inner parts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::GraphQlError;
use super::graphql::Nodes;
use super::item::WireLabel;

/// One write, in node ids.
#[derive(Clone, Debug, PartialEq)]
pub enum Mutation {
    AddLabels {
        /// The issue.
        labelable: String,
        label_ids: Vec<String>,
    },
    RemoveLabels {
        labelable: String,
        label_ids: Vec<String>,
    },
    /// Answers with the row, also where the issue is on the board already.
    AddToBoard {
        project: String,
        /// The issue.
        content: String,
    },
    SetField {
        project: String,
        /// The row.
        item: String,
        field: String,
        value: FieldInput,
    },
    ClearField {
        project: String,
        item: String,
        field: String,
    },
    ClearMilestone {
        issue: String,
    },
    CloseIssue {
        issue: String,
        /// As issues show it: `duplicate`.
        reason: String,
        /// The issue that it repeats.
        original: String,
    },
    Archive {
        project: String,
        item: String,
    },
    Unarchive {
        project: String,
        item: String,
    },
}

/// The new value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldInput {
    /// Id of the option.
    Option(String),
    Text(String),
    Number(f64),
    Date(Date),
    /// Id of the iteration.
    Iteration(String),
}

/// What a mutation that was done says.
#[derive(Clone, Debug, PartialEq)]
pub enum MutationOk {
    /// All labels the issue has now, name to node id.
    Labels {
        updated_at: Timestamp,
        labels: BTreeMap<String, String>,
    },
    /// Node id of the row.
    BoardItem {
        id: String,
    },
    Field {
        /// Node id of the row.
        item: String,
        updated_at: Timestamp,
    },
    Issue {
        updated_at: Timestamp,
    },
    Archived {
        /// Node id of the row.
        item: String,
        archived: bool,
    },
}

const ADD_LABELS: &str = include_str!("graphql/add_labels.graphql");
const REMOVE_LABELS: &str = include_str!("graphql/remove_labels.graphql");
const ADD_TO_BOARD: &str = include_str!("graphql/add_to_board.graphql");
const SET_FIELD: &str = include_str!("graphql/set_field.graphql");
const CLEAR_FIELD: &str = include_str!("graphql/clear_field.graphql");
const UPDATE_ISSUE: &str = include_str!("graphql/update_issue.graphql");
const CLOSE_ISSUE: &str = include_str!("graphql/close_issue.graphql");
const ARCHIVE: &str = include_str!("graphql/archive.graphql");
const UNARCHIVE: &str = include_str!("graphql/unarchive.graphql");

impl Mutation {
    /// Does it create content, in the sense of GitHub's secondary limit? Board items do; label and
    /// field edits are plain writes.
    pub(super) fn makes_content(&self) -> bool {
        matches!(self, Self::AddToBoard { .. })
    }

    fn file(&self) -> &'static str {
        match self {
            Self::AddLabels { .. } => ADD_LABELS,
            Self::RemoveLabels { .. } => REMOVE_LABELS,
            Self::AddToBoard { .. } => ADD_TO_BOARD,
            Self::SetField { .. } => SET_FIELD,
            Self::ClearField { .. } => CLEAR_FIELD,
            Self::ClearMilestone { .. } => UPDATE_ISSUE,
            Self::CloseIssue { .. } => CLOSE_ISSUE,
            Self::Archive { .. } => ARCHIVE,
            Self::Unarchive { .. } => UNARCHIVE,
        }
    }

    fn input(&self) -> Value {
        match self {
            Self::AddLabels {
                labelable,
                label_ids,
            }
            | Self::RemoveLabels {
                labelable,
                label_ids,
            } => json!({ "labelableId": labelable, "labelIds": label_ids }),
            Self::AddToBoard { project, content } => {
                json!({ "projectId": project, "contentId": content })
            }
            Self::SetField {
                project,
                item,
                field,
                value,
            } => json!({
                "projectId": project, "itemId": item, "fieldId": field, "value": value.input(),
            }),
            Self::ClearField {
                project,
                item,
                field,
            } => json!({ "projectId": project, "itemId": item, "fieldId": field }),
            // Null takes it away; leaving it out would leave it there.
            Self::ClearMilestone { issue } => json!({ "id": issue, "milestoneId": null }),
            Self::CloseIssue {
                issue,
                reason,
                original,
            } => json!({
                "issueId": issue,
                "stateReason": reason.to_uppercase(),
                "duplicateIssueId": original,
            }),
            Self::Archive { project, item } | Self::Unarchive { project, item } => {
                json!({ "projectId": project, "itemId": item })
            }
        }
    }

    /// Reads the payload under this mutation's alias; `None` where it is not what was asked for.
    fn outcome(&self, payload: &Value) -> Option<MutationOk> {
        match self {
            Self::AddLabels { .. } | Self::RemoveLabels { .. } => {
                let issue = WireLabelled::deserialize(&payload["labelable"]).ok()?;
                let labels = issue.labels.into_iter().flat_map(Nodes::into_iter);
                Some(MutationOk::Labels {
                    updated_at: issue.updated_at,
                    labels: labels.map(|label| (label.name, label.id)).collect(),
                })
            }
            Self::AddToBoard { .. } => Some(MutationOk::BoardItem {
                id: text(&payload["item"]["id"])?,
            }),
            Self::SetField { .. } | Self::ClearField { .. } => Some(MutationOk::Field {
                item: text(&payload["projectV2Item"]["id"])?,
                updated_at: time(&payload["projectV2Item"]["updatedAt"])?,
            }),
            Self::ClearMilestone { .. } | Self::CloseIssue { .. } => Some(MutationOk::Issue {
                updated_at: time(&payload["issue"]["updatedAt"])?,
            }),
            Self::Archive { .. } | Self::Unarchive { .. } => Some(MutationOk::Archived {
                item: text(&payload["item"]["id"])?,
                archived: payload["item"]["isArchived"].as_bool()?,
            }),
        }
    }
}

impl FieldInput {
    fn input(&self) -> Value {
        match self {
            Self::Option(id) => json!({ "singleSelectOptionId": id }),
            Self::Text(text) => json!({ "text": text }),
            Self::Number(number) => json!({ "number": number }),
            Self::Date(date) => json!({ "date": date.to_string() }),
            Self::Iteration(id) => json!({ "iterationId": id }),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLabelled {
    updated_at: Timestamp,
    labels: Option<Nodes<WireLabel>>,
}

/// One document with the aliases `m0`, `m1` … and the variables `i0`, `i1` … .
pub(super) fn compose(mutations: &[Mutation]) -> (String, Value) {
    let mut variables = Map::new();
    let mut header = String::new();
    let mut fields = String::new();
    for (n, mutation) in mutations.iter().enumerate() {
        let piece = Piece::of(mutation.file());
        let separator = if n == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(header, "{separator}$i{n}: {}", piece.input_type);
        let _ = writeln!(fields, "  m{n}: {}", piece.field(n));
        variables.insert(format!("i{n}"), mutation.input());
    }
    let document = format!("mutation Write({header}) {{\n{fields}}}\n");
    (document, Value::Object(variables))
}

/// What became of each mutation, in order.
pub(super) fn outcomes(
    mutations: &[Mutation],
    data: &Value,
    errors: &[GraphQlError],
) -> Vec<Result<MutationOk, GraphQlError>> {
    let each = mutations.iter().enumerate();
    each.map(|(n, mutation)| {
        let alias = format!("m{n}");
        let payload = &data[&alias];
        if let Some(ok) = mutation.outcome(payload) {
            // An error below a readable result is about the reading.
            return Ok(ok);
        }
        let of_this = |error: &&GraphQlError| error.path.first() == Some(&alias);
        let error = errors.iter().find(of_this).cloned();
        Err(error.unwrap_or_else(|| GraphQlError {
            type_: None,
            code: None,
            path: vec![alias],
            message: "GitHub told neither a result nor an error".to_owned(),
        }))
    })
    .collect()
}

/// The parts of a mutation's file: `mutation Name($i: Type) { m: field(input: $i) { … } }`.
struct Piece {
    input_type: &'static str,
    inner: &'static str,
}

impl Piece {
    /// The files are ours and all of this form, which a test checks.
    fn of(file: &'static str) -> Self {
        let between = |open: &str, close: &str| {
            let after = file.split_once(open).map_or("", |(_, after)| after);
            after.split_once(close).map_or("", |(before, _)| before)
        };
        let body = file.split_once("m: ").map_or("", |(_, after)| after);
        Self {
            input_type: between("($i: ", ")"),
            inner: body.rsplit_once('}').map_or("", |(inner, _)| inner).trim(),
        }
    }

    fn field(&self, n: usize) -> String {
        self.inner.replacen("$i", &format!("$i{n}"), 1)
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// Each mutation alone, and one document of all of them.
pub(super) fn documents() -> Vec<(&'static str, String)> {
    let id = || "id".to_owned();
    let (project, item, field) = (id, id, id);
    let every = [
        Mutation::AddLabels {
            labelable: id(),
            label_ids: vec![id()],
        },
        Mutation::RemoveLabels {
            labelable: id(),
            label_ids: vec![id()],
        },
        Mutation::AddToBoard {
            project: project(),
            content: id(),
        },
        Mutation::SetField {
            project: project(),
            item: item(),
            field: field(),
            value: FieldInput::Number(1.0),
        },
        Mutation::ClearField {
            project: project(),
            item: item(),
            field: field(),
        },
        Mutation::ClearMilestone { issue: id() },
        Mutation::CloseIssue {
            issue: id(),
            reason: "duplicate".to_owned(),
            original: id(),
        },
        Mutation::Archive {
            project: project(),
            item: item(),
        },
        Mutation::Unarchive {
            project: project(),
            item: item(),
        },
    ];
    vec![
        ("add_labels", ADD_LABELS.to_owned()),
        ("remove_labels", REMOVE_LABELS.to_owned()),
        ("add_to_board", ADD_TO_BOARD.to_owned()),
        ("set_field", SET_FIELD.to_owned()),
        ("clear_field", CLEAR_FIELD.to_owned()),
        ("update_issue", UPDATE_ISSUE.to_owned()),
        ("close_issue", CLOSE_ISSUE.to_owned()),
        ("archive", ARCHIVE.to_owned()),
        ("unarchive", UNARCHIVE.to_owned()),
        ("composed", compose(&every).0),
    ]
}

#[cfg(test)]
mod tests {
    use graphql_parser::query::{Definition, OperationDefinition, Selection, parse_query};

    use super::*;
    use crate::github::documents;

    /// Name, variables with their types, and the root fields with their arguments.
    fn operation(text: &str) -> (String, Vec<(String, String)>, Vec<String>) {
        let document = parse_query::<String>(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let Some(Definition::Operation(OperationDefinition::Mutation(mutation))) =
            document.definitions.first()
        else {
            panic!("no mutation:\n{text}");
        };
        let variables = mutation.variable_definitions.iter();
        let fields = mutation.selection_set.items.iter().map(|item| match item {
            Selection::Field(field) => {
                let alias = field.alias.clone().unwrap_or_default();
                format!("{alias}: {} {:?}", field.name, field.arguments)
            }
            other => panic!("{other:?}"),
        });
        (
            mutation.name.clone().unwrap_or_default(),
            variables
                .map(|v| (v.name.clone(), v.var_type.to_string()))
                .collect(),
            fields.collect(),
        )
    }

    #[test]
    fn every_document_parses_and_the_composed_one_holds_all_pieces() {
        let mut singles = Vec::new();
        let mut composed = None;
        for (name, text) in documents() {
            parse_query::<String>(&text).unwrap_or_else(|e| panic!("{name}: {e}\n{text}"));
            if name == "composed" {
                composed = Some(operation(&text));
            } else if text.contains("\nmutation ") {
                singles.push(operation(&text));
            }
        }
        let (name, variables, fields) = composed.unwrap();
        assert_eq!(name, "Write");
        assert_eq!(variables.len(), singles.len());
        for (n, (_, single_variables, single_fields)) in singles.iter().enumerate() {
            // The files hold one variable `i` and one field `m`, and nothing of them is lost.
            let (i, input_type) = &single_variables[0];
            assert_eq!(
                (single_variables.len(), single_fields.len(), &**i),
                (1, 1, "i")
            );
            assert_eq!(variables[n], (format!("i{n}"), input_type.clone()));
            let renamed = single_fields[0]
                .replacen("m: ", &format!("m{n}: "), 1)
                .replacen("Variable(\"i\")", &format!("Variable(\"i{n}\")"), 1);
            assert_eq!(fields[n], renamed);
        }
    }

    #[test]
    fn a_milestone_is_cleared_by_an_explicit_null() {
        let (_, variables) = compose(&[Mutation::ClearMilestone { issue: "I".into() }]);
        assert_eq!(variables["i0"], json!({ "id": "I", "milestoneId": null }));
    }

    #[test]
    fn a_duplicate_is_closed_with_its_original() {
        let (_, variables) = compose(&[Mutation::CloseIssue {
            issue: "I".into(),
            reason: "duplicate".into(),
            original: "O".into(),
        }]);
        let input = json!({ "issueId": "I", "stateReason": "DUPLICATE", "duplicateIssueId": "O" });
        assert_eq!(variables["i0"], input);
    }

    #[test]
    fn every_kind_of_value_has_its_own_key() {
        let inputs = [
            FieldInput::Option("o".into()),
            FieldInput::Text("t".into()),
            FieldInput::Number(1.5),
            FieldInput::Date("2026-12-24".parse().unwrap()),
            FieldInput::Iteration("i".into()),
        ];
        let inputs: Vec<Value> = inputs.iter().map(FieldInput::input).collect();
        let expected = json!([
            { "singleSelectOptionId": "o" }, { "text": "t" }, { "number": 1.5 },
            { "date": "2026-12-24" }, { "iterationId": "i" },
        ]);
        assert_eq!(Value::Array(inputs), expected);
    }

    #[test]
    fn each_mutation_reads_its_own_answer() {
        let id = || "x".to_owned();
        let at = "2026-11-20T12:00:00Z";
        let mutations = [
            Mutation::AddToBoard {
                project: id(),
                content: id(),
            },
            Mutation::ClearField {
                project: id(),
                item: id(),
                field: id(),
            },
            Mutation::ClearMilestone { issue: id() },
            Mutation::Archive {
                project: id(),
                item: id(),
            },
        ];
        let data = json!({
            "m0": { "item": { "id": "R" } },
            "m1": { "projectV2Item": { "id": "R", "updatedAt": at } },
            "m2": { "issue": { "id": "I", "updatedAt": at } },
            "m3": { "item": { "id": "R", "isArchived": true } },
        });
        let updated_at: Timestamp = at.parse().unwrap();
        let item = || "R".to_owned();
        assert_eq!(
            outcomes(&mutations, &data, &[]),
            [
                Ok(MutationOk::BoardItem { id: item() }),
                Ok(MutationOk::Field {
                    item: item(),
                    updated_at
                }),
                Ok(MutationOk::Issue { updated_at }),
                Ok(MutationOk::Archived {
                    item: item(),
                    archived: true
                }),
            ]
        );
    }
}
