//! Payloads made from GitHub's schemas, for events of which it has recorded no example, through the
//! real endpoint. They are *schema-derived*: GitHub's descriptions, not GitHub's deliveries.

mod make;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use northstar::clock::ManualClock;
use northstar::ids::{InstallationId, RepositoryId};
use northstar::receive::payload::{FieldChange, IssueEvent, ItemEvent, Side, SubIssueEvent};
use northstar::receive::{ReceiveState, Served, router, sign};
use northstar::store::sqlite::SqliteStore;
use northstar::store::{Alias, Delivery, LaneKey, Store};
use northstar::triage::snapshot::FieldValue;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::published::webhooks::Webhooks;
use crate::world::ORG;

const INSTALLATION: u64 = 5;
const REPOSITORY: u64 = 42;

/// A schema-derived payload, with `more` put over what the schema requires. It is as GitHub
/// describes it, or the test that wants it fails.
fn schema_derived(event: &str, action: &str, more: &Value) -> Value {
    let described = Webhooks::get();
    let schema = described
        .schema(event, action)
        .expect("a described webhook");
    let mut payload = make::value(described.schemas(), schema);
    let organization = json!({"$ref": "#/components/schemas/organization-simple-webhooks"});
    let mut always = json!({
        "installation": {"id": INSTALLATION, "node_id": "MDIzOk"},
        "organization": make::value(described.schemas(), &organization),
    });
    always["organization"]["login"] = json!(ORG);
    if event != "projects_v2_item" {
        let repository = json!({"$ref": "#/components/schemas/repository-webhooks"});
        always["repository"] = make::value(described.schemas(), &repository);
        make::merge(
            &mut always["repository"],
            &json!({"id": REPOSITORY, "full_name": "acme/widgets", "name": "widgets", "owner": {"login": ORG}}),
        );
    }
    make::merge(&mut payload, &always);
    make::merge(&mut payload, more);
    let said = described.check(event, &payload);
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    assert!(
        said.is_empty(),
        "schema-derived {event}.{action}:\n{}",
        said.join("\n")
    );
    payload
}

/// The receiver, with a store behind it.
struct Door {
    _folder: tempfile::TempDir,
    store: Arc<SqliteStore>,
    secret: SecretString,
    router: Router,
    sent: u32,
}

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().expect("a time")
}

impl Door {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("store.db");
        let store = SqliteStore::open(&place.to_string_lossy())
            .await
            .expect("a store");
        let (store, secret) = (Arc::new(store), SecretString::from("schema-derived"));
        let router = router(ReceiveState {
            store: store.clone(),
            secrets: vec![secret.clone()],
            served: Served::new([ORG]),
            clock: Arc::new(ManualClock::new(now())),
            wake: Arc::new(Notify::new()),
        });
        Self {
            _folder: folder,
            store,
            secret,
            router,
            sent: 0,
        }
    }

    /// Sends a payload as GitHub would, and takes it out of its lane again.
    async fn through(&mut self, event: &str, payload: &Value) -> (LaneKey, Delivery) {
        self.sent += 1;
        let body = payload.to_string();
        let request = Request::post("/github/webhook")
            .header("content-type", "application/json")
            .header("x-github-event", event)
            .header("x-github-delivery", format!("schema-derived-{}", self.sent))
            .header("x-hub-signature-256", sign(&self.secret, body.as_bytes()))
            .body(Body::from(body))
            .expect("a request");
        let answer = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let (status, body) = (answer.status(), answer.into_body());
        let body = body.collect().await.expect("a body").to_bytes();
        assert_eq!(
            (status, String::from_utf8_lossy(&body).as_ref()),
            (StatusCode::ACCEPTED, r#"{"status":"stored"}"#),
            "{event}: {payload}"
        );
        let minute = SignedDuration::from_mins(1);
        let lease = self
            .store
            .claim("test", now(), minute)
            .await
            .expect("a store");
        let lease = lease.expect("a lane with work");
        assert_eq!(lease.installation, InstallationId(INSTALLATION));
        let pending = self.store.pending(&lease, 10).await.expect("deliveries");
        let [delivery] = &pending[..] else {
            panic!("{} deliveries in the lane of {event}", pending.len());
        };
        let done = northstar::store::Finish {
            done: vec![delivery.seq],
            ..Default::default()
        };
        self.store.finish(&lease, done).await.expect("finished");
        assert_eq!(delivery.event, event);
        assert_eq!(
            delivery.action,
            payload["action"].as_str().unwrap_or_default()
        );
        (lease.lane, delivery.clone())
    }
}

fn issue() -> Value {
    json!({"id": 900, "node_id": "I_kwDO900", "number": 7, "title": "A widget"})
}

#[tokio::test]
async fn issues_closed_typed_and_untyped() {
    let mut door = Door::new().await;
    let lane = LaneKey::Issue {
        repository: RepositoryId(REPOSITORY),
        number: 7,
    };
    for (action, more) in [
        (
            "closed",
            json!({"issue": {"state": "closed", "state_reason": "not_planned"}}),
        ),
        ("typed", json!({"type": {"name": "Bug"}})),
        ("untyped", json!({"type": {"name": "Bug"}})),
    ] {
        let mut payload = schema_derived("issues", action, &more);
        make::merge(&mut payload, &json!({"issue": issue()}));
        let (found, delivery) = door.through("issues", &payload).await;
        assert_eq!(found, lane, "{action}");
        let event = IssueEvent::read(&delivery.payload).expect("an issue event");
        assert_eq!(
            (event.action.as_str(), event.issue.issue.title.as_str()),
            (action, "A widget")
        );
        assert!(event.sender.is_some(), "{action}");
        let named = (action != "closed").then(|| "Bug".to_owned());
        assert_eq!(event.issue_type, named, "{action}");
        assert!(
            event.aliases.contains(&Alias::Node("I_kwDO900".to_owned())),
            "{action}"
        );
    }
}

#[tokio::test]
async fn sub_issues_of_all_four_actions() {
    let mut door = Door::new().await;
    for action in [
        "sub_issue_added",
        "sub_issue_removed",
        "parent_issue_added",
        "parent_issue_removed",
    ] {
        let part = json!({"id": 901, "node_id": "I_kwDO901", "number": 8});
        let more = json!({"parent_issue": issue(), "sub_issue": part});
        let payload = schema_derived("sub_issues", action, &more);
        let (lane, delivery) = door.through("sub_issues", &payload).await;
        // The event is about the side whose repository it names; both are in one here.
        assert!(matches!(lane, LaneKey::Issue { .. }), "{action}: {lane:?}");
        let event = SubIssueEvent::read(&delivery.payload).expect("a sub-issue event");
        assert_eq!(event.action, action);
        assert!(event.parent.contains(&Alias::DatabaseId(900)), "{action}");
        assert!(
            event.sub_issue.contains(&Alias::DatabaseId(901)),
            "{action}"
        );
    }
}

fn row() -> Value {
    json!({
        "node_id": "PVTI_lADO1", "project_node_id": "PVT_kwDO1", "content_node_id": "I_kwDO900",
        "content_type": "Issue", "archived_at": null,
    })
}

async fn edited(door: &mut Door, field_type: &str, sides: &Value) -> FieldChange {
    let mut change = json!({
        "field_node_id": "PVTF_lADO1", "field_type": field_type, "field_name": "A field",
        "project_number": 57,
    });
    make::merge(&mut change, sides);
    let more = json!({"projects_v2_item": row(), "changes": {"field_value": change}});
    let payload = schema_derived("projects_v2_item", "edited", &more);
    let (lane, delivery) = door.through("projects_v2_item", &payload).await;
    assert_eq!(lane, LaneKey::Node("I_kwDO900".to_owned()), "{field_type}");
    let event = ItemEvent::read(&delivery.payload).expect("a board event");
    assert_eq!(event.node_id, "PVTI_lADO1");
    let change = event.change.expect("a change");
    assert_eq!(
        (change.field_type.as_str(), change.project_number),
        (field_type, Some(57))
    );
    change
}

/// What the description says an option or an iteration is, with this name.
fn described(component: &str, name: &Value) -> Value {
    let reference = json!({"$ref": format!("#/components/schemas/{component}")});
    let mut made = make::value(Webhooks::get().schemas(), &reference);
    make::merge(&mut made, name);
    made
}

#[tokio::test]
async fn board_rows_edited_in_fields_of_each_type() {
    let mut door = Door::new().await;
    let option = |name: &str| described("projects-v2-single-select-option", &json!({"name": name}));
    let sprint = |name: &str| described("projects-v2-iteration-setting", &json!({"title": name}));
    let owned = |text: &str| text.to_owned();
    let day = |day| FieldValue::Date(jiff::civil::date(2026, 12, day));
    for (field_type, from, to, read) in [
        (
            "single_select",
            option("Todo"),
            option("Done"),
            [
                FieldValue::Option(owned("Todo")),
                FieldValue::Option(owned("Done")),
            ],
        ),
        (
            "iteration",
            sprint("Sprint 1"),
            sprint("Sprint 2"),
            [
                FieldValue::Iteration(owned("Sprint 1")),
                FieldValue::Iteration(owned("Sprint 2")),
            ],
        ),
        (
            "text",
            json!("short"),
            json!("longer"),
            [
                FieldValue::Text(owned("short")),
                FieldValue::Text(owned("longer")),
            ],
        ),
        (
            "number",
            json!(3),
            json!(5),
            [FieldValue::Number(3.0), FieldValue::Number(5.0)],
        ),
        (
            "date",
            json!("2026-12-01T00:00:00+00:00"),
            json!("2026-12-24T00:00:00+00:00"),
            [day(1), day(24)],
        ),
    ] {
        let [before, after] = read.map(Side::Value);
        let null = Value::Null;
        for (from, to, before, after) in [
            (&from, &to, before.clone(), after.clone()),
            (&null, &to, Side::Empty, after),
            (&from, &null, before, Side::Empty),
        ] {
            let change = edited(&mut door, field_type, &json!({"from": from, "to": to})).await;
            assert_eq!((change.from, change.to), (before, after), "{field_type}");
        }
        // As GitHub sent it before it told the values.
        let change = edited(&mut door, field_type, &json!({})).await;
        assert_eq!(
            (change.from, change.to),
            (Side::NotSaid, Side::NotSaid),
            "{field_type}"
        );
    }
}

#[tokio::test]
async fn board_rows_deleted() {
    let mut door = Door::new().await;
    let payload = schema_derived(
        "projects_v2_item",
        "deleted",
        &json!({"projects_v2_item": row()}),
    );
    let (lane, delivery) = door.through("projects_v2_item", &payload).await;
    assert_eq!(lane, LaneKey::Node("I_kwDO900".to_owned()));
    let event = ItemEvent::read(&delivery.payload).expect("a board event");
    assert_eq!((event.action.as_str(), event.change), ("deleted", None));
}
