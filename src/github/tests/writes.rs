//! Writing: once, in turn, and with the end told as it is.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wiremock::matchers::{method, path};
use wiremock::{Mock, Request, ResponseTemplate};

use crate::clock::{Clock, SystemClock};
use crate::ids::{CommentId, InstallationId, UserId};

use super::super::{FieldInput, GitHub, GitHubError, Mutation, MutationOk, Pacing, Reaction};
use super::{KEY, Scripted, TOKEN, bearer, config, repo, token};

const COMMENTS: &str = "/repos/octo-org/product/issues/5/comments";

fn made() -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_json(json!({ "id": 900 }))
}

#[tokio::test]
async fn a_502_is_uncertain_and_asked_once() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    scripted
        .answer("POST", COMMENTS, 9, ResponseTemplate::new(502))
        .await;
    let error = installation.comment(&repo(), 5, "x").await.unwrap_err();
    assert!(matches!(error, GitHubError::Uncertain { .. }), "{error}");
    assert_eq!(scripted.asked(COMMENTS).await.len(), 1);

    scripted
        .answer("POST", "/graphql", 9, ResponseTemplate::new(504))
        .await;
    let error = installation.mutate(two()).await.unwrap_err();
    assert!(error.may_have_happened(), "{error}");
    assert_eq!(scripted.asked("/graphql").await.len(), 1);
}

#[tokio::test]
async fn no_answer_in_time_is_uncertain() {
    let scripted = Scripted::with(Pacing::default(), Duration::from_millis(300), 1 << 20).await;
    let installation = scripted.installed().await;
    let slow = made().set_delay(Duration::from_mins(1));
    scripted.answer("POST", COMMENTS, 9, slow).await;
    let error = installation.comment(&repo(), 5, "x").await.unwrap_err();
    assert!(matches!(error, GitHubError::Uncertain { .. }), "{error}");
    assert_eq!(scripted.asked(COMMENTS).await.len(), 1);
}

/// A server that hands out a token and then hangs up on whoever asks for more.
async fn hangs_up() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = vec![0; 16 * 1024];
            let read = stream.read(&mut buffer).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&buffer[..read]).into_owned();
            let line = request.lines().next().unwrap_or_default().to_owned();
            let wants_token = line.contains("access_tokens");
            log.lock().unwrap().push(line);
            if wants_token {
                let body = r#"{"token":"t","expires_at":"2099-01-01T00:00:00Z","permissions":{}}"#;
                let head = "HTTP/1.1 201 Created\r\nconnection: close\r\ncontent-length: ";
                let answer = format!("{head}{}\r\n\r\n{body}", body.len());
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    (address, seen)
}

#[tokio::test]
async fn a_dropped_connection_is_uncertain_and_no_connection_is_not_sent() {
    let (address, seen) = hangs_up().await;
    let github = GitHub::new(config(address), Arc::new(SystemClock)).unwrap();
    let installation = github.installation(InstallationId(7));
    let error = installation.comment(&repo(), 5, "x").await.unwrap_err();
    assert!(matches!(error, GitHubError::Uncertain { .. }), "{error}");
    let posts = |line: &&String| line.contains(COMMENTS);
    assert_eq!(seen.lock().unwrap().iter().filter(posts).count(), 1);

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let github = GitHub::new(config(address), Arc::new(SystemClock)).unwrap();
    let error = github.redeliver(1).await.unwrap_err();
    assert!(matches!(error, GitHubError::NotSent { .. }), "{error}");
    let error = github.installation(InstallationId(7));
    let error = error.comment(&repo(), 5, "x").await.unwrap_err();
    assert!(matches!(error, GitHubError::NotSent { .. }), "{error}");
}

#[tokio::test]
async fn a_connection_that_is_not_encrypted_is_not_written_to() {
    let (address, seen) = hangs_up().await;
    let address = address.replace("http://", "https://");
    match GitHub::new(config(address), Arc::new(SystemClock)) {
        Ok(github) => {
            let error = github.redeliver(1).await.unwrap_err();
            assert!(matches!(error, GitHubError::NotSent { .. }), "{error}");
            // What the server saw was a greeting of TLS.
            assert!(
                !seen
                    .lock()
                    .unwrap()
                    .iter()
                    .any(|line| line.contains("POST"))
            );
        }
        // A machine without certificates of authorities says so at the start.
        Err(error) => assert!(error.to_string().contains("certificates"), "{error}"),
    }
}

#[tokio::test]
async fn an_expired_token_is_renewed_and_the_refused_write_made_with_the_new_one() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let tokens = "/app/installations/7/access_tokens";
    scripted.answer("POST", tokens, 1, token(TOKEN)).await;
    scripted
        .answer("POST", tokens, 1, token("ghs_second"))
        .await;
    scripted
        .answer("POST", COMMENTS, 1, ResponseTemplate::new(401))
        .await;
    scripted.answer("POST", COMMENTS, 1, made()).await;
    let id = installation.comment(&repo(), 5, "x").await.unwrap();
    assert_eq!(id, CommentId(900));
    let asked = scripted.asked(COMMENTS).await;
    let with: Vec<_> = asked.iter().map(bearer).collect();
    assert_eq!(
        with,
        [format!("Bearer {TOKEN}"), "Bearer ghs_second".to_owned()]
    );
}

#[tokio::test]
async fn who_is_not_let_in_has_done_nothing_and_gives_nothing_away() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let no = || ResponseTemplate::new(401).set_body_json(json!({ "message": "Bad credentials" }));
    scripted.answer("POST", COMMENTS, 9, no()).await;
    let error = installation.comment(&repo(), 5, "x").await.unwrap_err();
    assert!(matches!(error, GitHubError::Unauthorized { .. }), "{error}");

    // No token, no write; and a removed installation is not a removed issue.
    let other = scripted.github.installation(InstallationId(8));
    let error = other
        .edit_comment(&repo(), CommentId(1), "x")
        .await
        .unwrap_err();
    assert!(matches!(error, GitHubError::Unauthorized { .. }), "{error}");
    let tokens = "/app/installations/9/access_tokens";
    scripted
        .answer("POST", tokens, 9, ResponseTemplate::new(502))
        .await;
    let third = scripted.github.installation(InstallationId(9));
    let error = third.comment(&repo(), 5, "x").await.unwrap_err();
    assert!(matches!(error, GitHubError::NotSent { .. }), "{error}");

    let key_line = KEY.lines().nth(1).unwrap();
    let shown = format!(
        "{:?} {installation:?} {error:?} {:?}",
        scripted.github,
        config(String::new())
    );
    assert!(
        !shown.contains(TOKEN) && !shown.contains(key_line),
        "{shown}"
    );
    let mut wrong = config(scripted.server.uri());
    wrong.private_key_pem = "hunter2".to_owned().into();
    let error = GitHub::new(wrong, Arc::new(SystemClock)).unwrap_err();
    assert!(!format!("{error:?} {error}").contains("hunter2"));
}

fn two() -> Vec<Mutation> {
    vec![
        Mutation::AddLabels {
            labelable: "I_1".into(),
            label_ids: vec!["L1".into(), "L2".into()],
        },
        Mutation::SetField {
            project: "PVT_1".into(),
            item: "PVTI_1".into(),
            field: "F1".into(),
            value: FieldInput::Option("o1".into()),
        },
    ]
}

#[tokio::test]
async fn aliases_fail_one_by_one() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let reply = json!({
        "data": {
            "m0": { "labelable": { "updatedAt": "2026-11-20T12:00:00Z", "labels": { "nodes": [{ "id": "L1", "name": "kind/bug" }] } } },
            "m1": null,
        },
        "errors": [{ "type": "NOT_FOUND", "path": ["m1"], "message": "Could not resolve to a node" }],
    });
    scripted.graphql(1, reply).await;
    let done = installation.mutate(two()).await.unwrap();
    let Ok(MutationOk::Labels { labels, .. }) = &done[0] else {
        panic!("{done:?}");
    };
    assert_eq!(labels["kind/bug"], "L1");
    let refused = done[1].as_ref().unwrap_err();
    assert!(refused.is_not_found() && !refused.may_have_happened());

    let asked = scripted.asked("/graphql").await;
    assert_eq!(asked.len(), 1);
    let body: Value = asked[0].body_json().unwrap();
    assert_eq!(
        body["variables"],
        json!({
            "i0": { "labelableId": "I_1", "labelIds": ["L1", "L2"] },
            "i1": { "projectId": "PVT_1", "itemId": "PVTI_1", "fieldId": "F1", "value": { "singleSelectOptionId": "o1" } },
        })
    );
}

#[tokio::test]
async fn a_refused_document_did_nothing_a_broken_one_may_have_and_silence_too() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let invalid = json!({ "errors": [{ "path": ["mutation Write", "m0"], "message": "no such field",
        "extensions": { "code": "undefinedField" } }] });
    scripted.graphql(1, invalid).await;
    let error = installation.mutate(two()).await.unwrap_err();
    assert!(matches!(error, GitHubError::GraphQl(_)), "{error}");

    let broken = json!({ "data": null, "errors": [{ "message": "Something went wrong while executing your query." }] });
    scripted.graphql(1, broken).await;
    let error = installation.mutate(two()).await.unwrap_err();
    assert!(matches!(error, GitHubError::Uncertain { .. }), "{error}");

    scripted.graphql(1, json!({ "data": { "m0": null } })).await;
    let done = installation.mutate(two()).await.unwrap();
    assert!(
        done.iter()
            .all(|end| end.as_ref().unwrap_err().may_have_happened())
    );

    let limited = json!({ "data": { "m0": null, "m1": null }, "errors": [{ "type": "RATE_LIMITED", "path": ["m0"], "message": "limit" }] });
    scripted.graphql(1, limited).await;
    let error = installation.mutate(two()).await.unwrap_err();
    assert!(matches!(error, GitHubError::RateLimited { .. }), "{error}");
}

#[tokio::test]
async fn a_label_that_is_there_is_as_good_as_created() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let at = "/repos/octo-org/product/labels";
    let exists = ResponseTemplate::new(422).set_body_json(json!({
        "message": "Validation Failed",
        "errors": [{ "resource": "Label", "code": "already_exists", "field": "name" }],
    }));
    scripted.answer("POST", at, 1, exists).await;
    let label = ResponseTemplate::new(200).set_body_json(json!({ "node_id": "L9" }));
    let named = format!("{at}/kind%2Fbug");
    scripted.answer("GET", &named, 1, label).await;
    let id = installation
        .create_label(&repo(), "kind/bug", "d73a4a", "")
        .await
        .unwrap();
    assert_eq!(id, "L9");

    let invalid = ResponseTemplate::new(422).set_body_json(json!({
        "message": "Validation Failed", "errors": [{ "code": "invalid", "field": "color" }],
    }));
    scripted.answer("POST", at, 1, invalid).await;
    let error = installation
        .create_label(&repo(), "x", "red", "")
        .await
        .unwrap_err();
    assert!(
        matches!(&error, GitHubError::Refused { status: 422, message } if message.contains("invalid"))
    );
}

#[tokio::test]
async fn comments_are_patched_and_reactions_made_where_the_target_stands() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let one = "/repos/octo-org/product/issues/comments/900";
    let ok = ResponseTemplate::new(200).set_body_json(json!({ "id": 900 }));
    scripted.answer("PATCH", one, 1, ok).await;
    assert!(
        installation
            .edit_comment(&repo(), CommentId(900), "new")
            .await
            .unwrap()
    );
    assert!(
        !installation
            .edit_comment(&repo(), CommentId(901), "new")
            .await
            .unwrap()
    );
    let body: Value = scripted.asked(one).await[0].body_json().unwrap();
    assert_eq!(body, json!({ "body": "new" }));

    let reactions = format!("{one}/reactions");
    scripted.answer("POST", &reactions, 1, made()).await;
    let eyes = installation
        .react_to_comment(&repo(), CommentId(900), Reaction::Eyes)
        .await;
    assert!(eyes.unwrap());
    let body: Value = scripted.asked(&reactions).await[0].body_json().unwrap();
    assert_eq!(body, json!({ "content": "eyes" }));
    let gone = installation
        .react_to_issue(&repo(), 6, Reaction::PlusOne)
        .await;
    assert!(!gone.unwrap());
}

#[tokio::test]
async fn a_renamed_repository_is_found_with_the_same_method() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let there = "https://elsewhere.example/repositories/77/issues/5/comments";
    let moved = ResponseTemplate::new(307).insert_header("location", there);
    scripted.answer("POST", COMMENTS, 1, moved).await;
    scripted
        .answer("POST", "/repositories/77/issues/5/comments", 1, made())
        .await;
    let id = installation.comment(&repo(), 5, "x").await.unwrap();
    assert_eq!(id, CommentId(900));

    let round = ResponseTemplate::new(301).insert_header("location", "/users/ana");
    scripted.answer("GET", "/users/ana", 99, round).await;
    let error = installation.user("ana").await.unwrap_err();
    assert!(matches!(error, GitHubError::Refused { .. }), "{error}");
}

/// When (on the client's clock) the writes arrived.
async fn arrivals(scripted: &Scripted, at: &str) -> Arc<Mutex<Vec<Timestamp>>> {
    let times = Arc::new(Mutex::new(Vec::new()));
    let (log, clock) = (Arc::clone(&times), scripted.clock.clone());
    Mock::given(method("POST"))
        .and(path(at))
        .respond_with(move |_: &Request| {
            log.lock().unwrap().push(clock.now());
            made()
        })
        .mount(&scripted.server)
        .await;
    times
}

#[tokio::test]
async fn writes_are_a_second_apart_and_reads_are_not_held_up() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let times = arrivals(&scripted, COMMENTS).await;
    for _ in 0..4 {
        installation.comment(&repo(), 5, "x").await.unwrap();
    }
    let times = times.lock().unwrap().clone();
    assert!(
        times
            .windows(2)
            .all(|w| w[1].duration_since(w[0]) >= SignedDuration::from_secs(1))
    );
    let before = scripted.elapsed();
    let found = ResponseTemplate::new(200).set_body_json(json!({ "id": 12 }));
    scripted.answer("GET", "/users/ana", 1, found).await;
    assert_eq!(installation.user("ana").await.unwrap(), Some(UserId(12)));
    assert_eq!(scripted.elapsed(), before);
}

#[tokio::test]
async fn content_that_the_hour_has_no_room_for_is_handed_back_and_edits_go_on() {
    let pacing = Pacing {
        content_per_hour: 3,
        ..Pacing::default()
    };
    let scripted = Scripted::with(pacing, Duration::from_secs(20), 1 << 20).await;
    let installation = scripted.installed().await;
    let times = arrivals(&scripted, COMMENTS).await;
    for _ in 0..3 {
        installation.comment(&repo(), 5, "x").await.unwrap();
    }
    let error = installation.comment(&repo(), 5, "x").await.unwrap_err();
    let first = times.lock().unwrap()[0];
    let until = error.retry_at().unwrap();
    assert!(until.duration_since(first) >= SignedDuration::from_hours(1));
    assert_eq!(installation.budget().content_last_hour, 3);
    assert_eq!(installation.budget().next_write_at, until);
    assert_eq!(times.lock().unwrap().len(), 3);

    let one = "/repos/octo-org/product/issues/comments/900";
    let ok = ResponseTemplate::new(200).set_body_json(json!({ "id": 900 }));
    scripted.answer("PATCH", one, 1, ok).await;
    assert!(
        installation
            .edit_comment(&repo(), CommentId(900), "y")
            .await
            .unwrap()
    );
}
