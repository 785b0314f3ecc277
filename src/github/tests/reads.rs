//! Reading.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::ids::{CommentId, RepositoryId, UserId};
use crate::triage::snapshot::FieldValue;

use super::super::{Content, GitHubError};
use super::{Scripted, TOKEN, bearer, repo};

fn issue() -> Value {
    // Text, because the macro does not nest so deep.
    let issue = r#"{
        "__typename": "Issue",
        "id": "I_kw1", "fullDatabaseId": "3000000001", "number": 5,
        "title": "Please add RStudio", "body": "It would help.",
        "state": "CLOSED", "stateReason": "NOT_PLANNED",
        "createdAt": "2026-11-01T10:00:00Z", "updatedAt": "2026-11-02T10:00:00Z",
        "closedAt": "2026-11-02T10:00:00Z",
        "author": { "__typename": "Bot", "login": "helper", "databaseId": 99 },
        "milestone": { "title": "Q4" }, "issueType": { "name": "Feature" },
        "labels": { "nodes": [{ "id": "L2", "name": "triage/needs-triage" }, { "id": "L1", "name": "kind/feature" }] },
        "assignees": { "nodes": [{ "login": "ana" }] },
        "comments": { "totalCount": 3 }, "reactions": { "totalCount": 4 },
        "parent": { "number": 2, "repository": { "nameWithOwner": "octo-org/roadmap" } },
        "subIssuesSummary": { "total": 6 },
        "repository": { "databaseId": 77, "nameWithOwner": "octo-org/product", "isPrivate": false },
        "projectItems": { "nodes": [
            null,
            { "id": "PVTI_1", "isArchived": true, "project": { "id": "PVT_1", "number": 57 },
              "fieldValues": { "nodes": [
                { "__typename": "ProjectV2ItemFieldLabelValue" },
                { "__typename": "ProjectV2ItemFieldSingleSelectValue", "name": "In flight", "updatedAt": "2026-11-01T11:00:00Z", "field": { "name": "Status" } },
                { "__typename": "ProjectV2ItemFieldNumberValue", "number": 2.5, "updatedAt": "2026-11-01T11:00:00Z", "field": { "name": "Days" } },
                { "__typename": "ProjectV2ItemFieldDateValue", "date": "2026-12-24", "updatedAt": "2026-11-01T11:00:00Z", "field": { "name": "Until" } },
                { "__typename": "ProjectV2ItemFieldIterationValue", "title": "Sprint 1", "updatedAt": "2026-11-01T11:00:00Z", "field": { "name": "Sprint" } },
                { "__typename": "ProjectV2ItemFieldTextValue", "text": "x", "updatedAt": "2026-11-01T11:00:00Z", "field": { "name": "Note" } }
              ] } }
        ] }
    }"#;
    serde_json::from_str(issue).unwrap()
}

#[tokio::test]
async fn an_item_is_read_whole_in_one_request() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    scripted
        .graphql(1, json!({ "data": { "repository": { "issue": issue() } } }))
        .await;

    let read = installation.item(&repo(), 5).await.unwrap().unwrap();

    let issue = &read.issue.issue;
    assert_eq!(read.issue.repository_id, RepositoryId(77));
    assert_eq!(read.issue.database_id, 3_000_000_001);
    assert_eq!(read.issue.author_login, "helper[bot]");
    assert_eq!(read.issue.author_id, UserId(99));
    assert!(read.issue.author_is_bot);
    assert_eq!(issue.labels, ["triage/needs-triage", "kind/feature"]);
    assert_eq!(read.label_ids["kind/feature"], "L1");
    assert!(!issue.open);
    assert_eq!(issue.state_reason, "not_planned");
    assert_eq!(issue.issue_type, "Feature");
    assert_eq!(issue.milestone, "Q4");
    assert_eq!(issue.parent, "octo-org/roadmap#2");
    assert_eq!(
        (issue.comments, issue.reactions, issue.sub_issues),
        (3, 4, 6)
    );
    assert!(!issue.private);
    let (number, row) = &read.boards["PVT_1"];
    assert_eq!((*number, row.archived, &*row.node_id), (57, true, "PVTI_1"));
    let fields: Vec<_> = row.fields.iter().map(|(k, v)| (&**k, v.clone())).collect();
    assert_eq!(
        fields,
        [
            ("Days", FieldValue::Number(2.5)),
            ("Note", FieldValue::Text("x".into())),
            ("Sprint", FieldValue::Iteration("Sprint 1".into())),
            ("Status", FieldValue::Option("In flight".into())),
            ("Until", FieldValue::Date("2026-12-24".parse().unwrap())),
        ]
    );
    let set_at = read.field_set_at["PVT_1"]["Status"];
    assert_eq!(set_at, "2026-11-01T11:00:00Z".parse().unwrap());

    let asked = scripted.asked("/graphql").await;
    assert_eq!(asked.len(), 1);
    assert_eq!(bearer(&asked[0]), format!("Bearer {TOKEN}"));
    assert_eq!(asked[0].headers["x-github-api-version"], "2022-11-28");
    let body: Value = asked[0].body_json().unwrap();
    assert_eq!(
        body["variables"],
        json!({ "owner": "octo-org", "name": "product", "number": 5 })
    );
}

#[tokio::test]
async fn what_is_not_there_is_none_and_what_is_no_issue_too() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let gone = json!({
        "data": { "repository": { "issue": null } },
        "errors": [{ "type": "NOT_FOUND", "path": ["repository", "issue"], "message": "Could not resolve" }],
    });
    scripted.graphql(1, gone).await;
    assert_eq!(installation.item(&repo(), 5).await.unwrap(), None);

    let pull = json!({ "data": { "node": { "__typename": "PullRequest" } } });
    scripted.graphql(1, pull).await;
    assert_eq!(installation.item_by_node("PR_1").await.unwrap(), None);

    let hidden = json!({
        "data": { "node": null },
        "errors": [{ "type": "FORBIDDEN", "path": ["node"], "message": "Resource not accessible by integration" }],
    });
    scripted.graphql(1, hidden).await;
    let error = installation.item_by_node("I_2").await.unwrap_err();
    assert!(matches!(error, GitHubError::GraphQl(_)), "{error}");

    scripted
        .graphql(
            1,
            json!({ "data": { "node": { "__typename": "Issue", "id": 5 } } }),
        )
        .await;
    let error = installation.item_by_node("I_3").await.unwrap_err();
    assert!(matches!(error, GitHubError::Shape { .. }), "{error}");
}

#[tokio::test]
async fn half_an_item_does_not_pass_for_a_whole_one() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let mut half = issue();
    half["projectItems"] = Value::Null;
    let broken = json!({
        "data": { "node": half },
        "errors": [{ "path": ["node", "projectItems"], "message": "Something went wrong" }],
    });
    scripted.graphql(1, broken).await;
    scripted
        .graphql(1, json!({ "data": { "node": issue() } }))
        .await;

    let read = installation.item_by_node("I_kw1").await.unwrap().unwrap();
    assert!(read.boards.contains_key("PVT_1"));
    assert_eq!(scripted.asked("/graphql").await.len(), 2);
}

#[tokio::test]
async fn labels_and_boards_come_page_by_page() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let page = |id: &str, next: Option<&str>| {
        json!({ "data": { "repository": { "labels": {
            "nodes": [{ "id": id, "name": format!("label {id}") }],
            "pageInfo": { "hasNextPage": next.is_some(), "endCursor": next },
        } } } })
    };
    scripted.graphql(1, page("L1", Some("c1"))).await;
    scripted.graphql(1, page("L2", None)).await;
    let labels = installation.labels(&repo()).await.unwrap();
    assert_eq!(labels.len(), 2);
    assert_eq!(labels["label L2"], "L2");
    let asked = scripted.asked("/graphql").await;
    let second: Value = asked[1].body_json().unwrap();
    assert_eq!(second["variables"]["after"], "c1");

    let rows = json!({ "data": { "node": { "items": {
        "totalCount": 3, "pageInfo": { "hasNextPage": true, "endCursor": "c9" },
        "nodes": [
            { "id": "R1", "isArchived": false, "content": { "__typename": "Issue", "id": "I_1" }, "fieldValues": { "nodes": [] } },
            { "id": "R2", "isArchived": false, "content": { "__typename": "DraftIssue", "id": "D_1", "title": "an idea" }, "fieldValues": { "nodes": [] } },
            { "id": "R3", "isArchived": false, "content": null, "fieldValues": { "nodes": [] } },
        ],
    } } } });
    scripted.graphql(1, rows).await;
    let page = installation.project_items("PVT_1", None).await.unwrap();
    assert_eq!((page.total, page.next.as_deref()), (3, Some("c9")));
    let contents: Vec<_> = page.rows.into_iter().map(|row| row.content).collect();
    // Not all of it was told, so the issue itself is not made up.
    let issue = Content::Issue {
        id: "I_1".into(),
        read: None,
    };
    let draft = Content::Draft {
        id: "D_1".into(),
        title: "an idea".into(),
    };
    assert_eq!(contents, [issue, draft, Content::Redacted]);
}

#[tokio::test]
async fn a_board_knows_its_options_and_iterations() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let board = json!({ "data": { "organization": { "projectV2": {
        "id": "PVT_1", "number": 57, "title": "Delivery", "closed": false,
        "fields": { "nodes": [
            { "__typename": "ProjectV2Field", "id": "F0", "name": "Title", "dataType": "TITLE" },
            { "__typename": "ProjectV2SingleSelectField", "id": "F1", "name": "Status", "dataType": "SINGLE_SELECT",
              "options": [{ "id": "o1", "name": "Inbox" }, { "id": "o2", "name": "In flight" }] },
            { "__typename": "ProjectV2IterationField", "id": "F2", "name": "Sprint", "dataType": "ITERATION",
              "configuration": {
                "iterations": [{ "id": "i2", "title": "Two", "startDate": "2026-11-16", "duration": 14 }],
                "completedIterations": [{ "id": "i1", "title": "One", "startDate": "2026-11-02", "duration": 14 }] } },
        ] },
    } } } });
    scripted.graphql(1, board).await;
    let board = installation.project("octo-org", 57).await.unwrap().unwrap();
    assert_eq!(
        board.field("Status").unwrap().option_id("In flight"),
        Some("o2")
    );
    assert_eq!(board.field("Status").unwrap().option_id("Gone"), None);
    let sprints = &board.field("Sprint").unwrap().iterations;
    let titles: Vec<_> = sprints.iter().map(|i| &*i.title).collect();
    assert_eq!(titles, ["Two", "One"]);
}

#[tokio::test]
async fn a_link_to_another_host_is_followed_on_ours_and_with_the_token() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let at = "/orgs/octo-org/teams/leads/members";
    let link = format!("<https://elsewhere.example{at}?per_page=100&page=2>; rel=\"next\"");
    let first = ResponseTemplate::new(200)
        .insert_header("link", &*link)
        .set_body_json(json!([{ "id": 1 }, { "id": 2 }]));
    scripted.answer("GET", at, 1, first).await;
    let second = ResponseTemplate::new(200).set_body_json(json!([{ "id": 3 }]));
    scripted.answer("GET", at, 1, second).await;

    let members = installation
        .team_members("octo-org", "leads")
        .await
        .unwrap();
    assert_eq!(members, [UserId(1), UserId(2), UserId(3)].into());
    let asked = scripted.asked(at).await;
    assert_eq!(asked[1].url.query(), Some("per_page=100&page=2"));
    assert_eq!(bearer(&asked[1]), format!("Bearer {TOKEN}"));
}

#[tokio::test]
async fn a_missing_team_is_an_error_and_a_missing_user_is_nobody() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let error = installation
        .team_members("octo-org", "x")
        .await
        .unwrap_err();
    assert!(matches!(error, GitHubError::NotFound), "{error}");
    assert_eq!(installation.user("nobody").await.unwrap(), None);
    let found = ResponseTemplate::new(200).set_body_json(json!({ "id": 12, "login": "ana" }));
    scripted.answer("GET", "/users/ana", 1, found).await;
    assert_eq!(installation.user("ana").await.unwrap(), Some(UserId(12)));
}

#[tokio::test]
async fn comments_tell_whose_they_are() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let at = "/repos/octo-org/product/issues/5/comments";
    let comments = json!([
        { "id": 1, "user": { "id": 99, "type": "Bot" }, "performed_via_github_app": { "id": 42 }, "body": "hello",
          "created_at": "2026-11-01T10:00:00Z", "updated_at": "2026-11-01T10:00:00Z" },
        { "id": 2, "user": null, "body": null,
          "created_at": "2026-11-01T10:00:00Z", "updated_at": "2026-11-01T10:00:00Z" },
    ]);
    let answer = ResponseTemplate::new(200).set_body_json(comments);
    scripted.answer("GET", at, 1, answer).await;
    let since = "2026-11-01T09:59:59.9Z".parse().unwrap();
    let comments = installation
        .comments(&repo(), 5, Some(since))
        .await
        .unwrap();
    assert_eq!(comments[0].id, CommentId(1));
    assert_eq!(
        (comments[0].author_is_bot, comments[0].app_id),
        (true, Some(42))
    );
    assert_eq!((comments[1].author_id, &*comments[1].body), (None, ""));
    let asked = scripted.asked(at).await;
    assert_eq!(
        asked[0].url.query(),
        Some("per_page=100&since=2026-11-01T09:59:59Z")
    );
}

#[tokio::test]
async fn the_app_knows_itself_its_installations_and_its_deliveries() {
    let scripted = Scripted::new().await;
    let app = json!({ "id": 42, "slug": "northstar", "name": "Northstar", "permissions": { "issues": "write" } });
    let answer = ResponseTemplate::new(200).set_body_json(app);
    scripted.answer("GET", "/app", 1, answer).await;
    let app = scripted.github.app().await.unwrap();
    assert_eq!(app.bot_login, "northstar[bot]");
    assert_eq!(app.permissions["issues"], "write");

    let installations = json!([
        { "id": 7, "account": { "id": 1000, "login": "octo-org" }, "permissions": {}, "suspended_at": null },
        { "id": 8, "account": { "id": 1001, "slug": "big" }, "permissions": {}, "suspended_at": "2026-01-01T00:00:00Z" },
    ]);
    let answer = ResponseTemplate::new(200).set_body_json(installations);
    scripted
        .answer("GET", "/app/installations", 1, answer)
        .await;
    let installations = scripted.github.installations().await.unwrap();
    assert_eq!(installations[0].account_login, "octo-org");
    assert_eq!(
        (&*installations[1].account_login, installations[1].suspended),
        ("big", true)
    );

    let at = "/app/hook/deliveries";
    let delivery = json!([{ "id": 12_345_678_901_u64, "guid": "g", "delivered_at": "2026-11-20T11:00:00Z",
        "redelivery": false, "status": "Bad Gateway", "status_code": 502, "event": "issues", "action": "opened",
        "installation_id": 7, "repository_id": 77 }]);
    let answer = ResponseTemplate::new(200)
        .insert_header(
            "link",
            "<https://api.github.com/app/hook/deliveries?per_page=100&cursor=v1_5>; rel=\"next\"",
        )
        .set_body_json(delivery);
    scripted.answer("GET", at, 1, answer).await;
    let page = scripted.github.hook_deliveries(None).await.unwrap();
    assert_eq!(page.deliveries[0].status_code, 502);
    assert_eq!(
        page.next.as_deref(),
        Some("/app/hook/deliveries?per_page=100&cursor=v1_5")
    );

    let again = "/app/hook/deliveries/12345678901/attempts";
    let answer = ResponseTemplate::new(202).set_body_json(json!({}));
    scripted.answer("POST", again, 1, answer).await;
    scripted.github.redeliver(12_345_678_901).await.unwrap();
    let asked = scripted.asked(again).await;
    // A JWT, not an installation's token.
    assert_eq!(bearer(&asked[0]).split('.').count(), 3);
}

#[tokio::test]
async fn a_read_is_repeated_after_a_fault_and_not_after_a_refusal() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let at = "/users/ana";
    scripted
        .answer("GET", at, 2, ResponseTemplate::new(502))
        .await;
    let found = ResponseTemplate::new(200).set_body_json(json!({ "id": 12 }));
    scripted.answer("GET", at, 1, found).await;
    assert_eq!(installation.user("ana").await.unwrap(), Some(UserId(12)));
    assert_eq!(scripted.asked(at).await.len(), 3);

    let at = "/users/bob";
    scripted
        .answer("GET", at, 9, ResponseTemplate::new(422))
        .await;
    let error = installation.user("bob").await.unwrap_err();
    assert!(
        matches!(error, GitHubError::Refused { status: 422, .. }),
        "{error}"
    );
    assert_eq!(scripted.asked(at).await.len(), 1);
}

#[tokio::test]
async fn an_older_server_is_read_without_the_fields_it_does_not_know() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let refused = |field: &str| {
        json!({ "path": ["fragment ItemFields", field], "message": format!("Field '{field}' doesn't exist"),
            "extensions": { "code": "undefinedField" } })
    };
    let errors = json!({ "errors": [refused("issueType"), refused("parent")] });
    scripted.graphql(1, errors).await;
    let reply = json!({ "data": { "repository": { "issue": issue() } } });
    scripted.graphql(2, reply).await;
    for _ in 0..2 {
        installation.item(&repo(), 5).await.unwrap().unwrap();
    }
    let asked = scripted.asked("/graphql").await;
    let has = |n: usize, field: &str| {
        let body: Value = asked[n].body_json().unwrap();
        body["query"].as_str().unwrap().contains(field)
    };
    assert_eq!(asked.len(), 3);
    assert!(has(0, "issueType") && has(0, "parent"));
    for n in [1, 2] {
        assert!(!has(n, "issueType") && !has(n, "parent") && has(n, "subIssuesSummary"));
    }
}

#[tokio::test]
async fn many_at_once_ask_for_one_token() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let found = ResponseTemplate::new(200).set_body_json(json!({ "id": 12 }));
    scripted.answer("GET", "/users/ana", 8, found).await;
    let mut reads = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let installation = std::sync::Arc::clone(&installation);
        reads.spawn(async move { installation.user("ana").await.unwrap() });
    }
    assert_eq!(reads.join_all().await, [Some(UserId(12)); 8]);
    let tokens = scripted.asked("/app/installations/7/access_tokens").await;
    assert_eq!(tokens.len(), 1);
}

#[tokio::test]
async fn the_old_address_of_a_transferred_issue_leads_to_it() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let there = "https://elsewhere.example/repositories/78/issues/1";
    let moved = ResponseTemplate::new(301).insert_header("location", there);
    let old = "/repos/octo-org/product/issues/5";
    scripted.answer("GET", old, 1, moved).await;
    let issue = json!({ "node_id": "I_new", "number": 1 });
    let issue = ResponseTemplate::new(200).set_body_json(issue);
    scripted
        .answer("GET", "/repositories/78/issues/1", 1, issue)
        .await;
    let found = installation.leads_to(&repo(), 5).await.unwrap();
    assert_eq!(found.as_deref(), Some("I_new"));
    for (number, status) in [(6, 404), (7, 410)] {
        let at = format!("/repos/octo-org/product/issues/{number}");
        let gone = ResponseTemplate::new(status);
        scripted.answer("GET", &at, 1, gone).await;
        assert_eq!(installation.leads_to(&repo(), number).await.unwrap(), None);
    }
}
