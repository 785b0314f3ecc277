//! Whatever JSON comes, nothing fails: properties of everything that reads payloads.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::naming::Naming;
use super::payload::{
    CommentEvent, IssueEvent, ItemEvent, LabelEvent, SubIssueEvent, mirror_issue,
};

/// The names that are looked for, so that odd values stand where something is expected.
const KEYS: [&str; 40] = [
    "action",
    "installation",
    "id",
    "account",
    "login",
    "organization",
    "repository",
    "owner",
    "issue",
    "number",
    "pull_request",
    "parent_issue",
    "sub_issue",
    "projects_v2_item",
    "content_type",
    "content_node_id",
    "project_node_id",
    "projects_v2",
    "node_id",
    "sender",
    "comment",
    "label",
    "milestone",
    "type",
    "changes",
    "field_value",
    "from",
    "to",
    "field_type",
    "body",
    "title",
    "labels",
    "name",
    "user",
    "assignees",
    "created_at",
    "full_name",
    "private",
    "reactions",
    "other",
];

const EVENTS: [&str; 7] = [
    "issues",
    "issue_comment",
    "sub_issues",
    "projects_v2_item",
    "projects_v2",
    "label",
    "star",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        Just(Value::from("Issue")),
        Just(Value::from("a/b")),
        Just(Value::from("2026-01-01T00:00:00Z")),
        Just(Value::from("sub\"\\é\u{0}")),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => object(inner).prop_map(Value::Object),
        ]
    })
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let key = prop::sample::select(&KEYS[..]).prop_map(str::to_owned);
    prop::collection::hash_map(key, value, 0..12).prop_map(|map| map.into_iter().collect())
}

proptest! {
    #[test]
    fn every_object_is_read(object in object(value())) {
        let body = Value::Object(object).to_string();
        let naming = Naming::read(body.as_bytes());
        prop_assert!(naming.is_ok(), "{}", body);
        for event in EVENTS {
            // Only that it answers at all.
            let _ = naming.as_ref().map(|naming| naming.lane(event));
        }
        let body = body.as_bytes();
        // An issue event that is read names the issue that the mirror gets.
        prop_assert_eq!(IssueEvent::read(body).map(|event| event.issue), mirror_issue(body));
        let _ = (CommentEvent::read(body), LabelEvent::read(body), SubIssueEvent::read(body));
        let _ = ItemEvent::read(body);
    }

    #[test]
    fn any_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let json = serde_json::from_slice::<Map<String, Value>>(&body).is_ok();
        prop_assert_eq!(Naming::read(&body).is_ok(), json);
    }
}
