//! GitHub's several ways to say "not so fast", and what is too much for us.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::ids::UserId;

use super::super::{GitHubError, Pacing};
use super::{Scripted, repo};

const ANA: &str = "/users/ana";

fn found() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "id": 12 }))
}

fn counted(
    answer: ResponseTemplate,
    resource: &str,
    remaining: u32,
    reset: Timestamp,
) -> ResponseTemplate {
    answer
        .insert_header("x-ratelimit-resource", resource)
        .insert_header("x-ratelimit-limit", "5000")
        .insert_header("x-ratelimit-remaining", &*remaining.to_string())
        .insert_header("x-ratelimit-reset", &*reset.as_second().to_string())
}

fn limited_reply() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "errors": [{ "type": "RATE_LIMITED", "message": "API rate limit exceeded" }],
    }))
}

#[tokio::test]
async fn graphql_says_200_and_means_wait_and_rest_goes_on() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let reset = scripted.in_seconds(1800);
    let answer = counted(limited_reply(), "graphql", 0, reset);
    scripted.answer("POST", "/graphql", 1, answer).await;

    let after_the_reset = reset + SignedDuration::from_secs(1);
    for _ in 0..2 {
        let error = installation.labels(&repo()).await.unwrap_err();
        assert_eq!(error.retry_at(), Some(after_the_reset));
        assert!(!error.may_have_happened());
    }
    // The second call did not bother GitHub.
    assert_eq!(scripted.asked("/graphql").await.len(), 1);
    assert_eq!(installation.budget().graphql.unwrap().remaining, 0);

    scripted.answer("GET", ANA, 1, found()).await;
    assert_eq!(installation.user("ana").await.unwrap(), Some(UserId(12)));
}

#[tokio::test]
async fn a_short_wait_is_waited() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let refused = ResponseTemplate::new(403)
        .insert_header("retry-after", "7")
        .set_body_json(json!({ "message": "You have exceeded a secondary rate limit" }));
    scripted.answer("GET", ANA, 1, refused).await;
    scripted.answer("GET", ANA, 1, found()).await;
    assert_eq!(installation.user("ana").await.unwrap(), Some(UserId(12)));
    assert!(scripted.elapsed() >= SignedDuration::from_secs(7));
    assert_eq!(scripted.asked(ANA).await.len(), 2);
}

#[tokio::test]
async fn a_secondary_limit_holds_for_graphql_and_writes_too() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let until = scripted.in_seconds(120);
    let refused = ResponseTemplate::new(429).insert_header("retry-after", "120");
    scripted.answer("GET", ANA, 1, refused).await;
    let error = installation.user("ana").await.unwrap_err();
    assert_eq!(error.retry_at(), Some(until));
    let error = installation.labels(&repo()).await.unwrap_err();
    assert_eq!(error.retry_at(), Some(until));
    let error = installation.comment(&repo(), 5, "x").await.unwrap_err();
    assert_eq!(error.retry_at(), Some(until));
    assert_eq!(installation.budget().paused_until, Some(until));
}

#[tokio::test]
async fn without_a_hint_it_is_a_minute_and_then_twice_that() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    // Only the body tells; in the second case nothing but the status does.
    let by_words = ResponseTemplate::new(403)
        .set_body_json(json!({ "message": "You have exceeded a secondary rate limit." }));
    scripted.answer("GET", ANA, 1, by_words).await;
    let start = scripted.clock_now();
    let error = installation.user("ana").await.unwrap_err();
    assert_eq!(
        error.retry_at(),
        Some(start + SignedDuration::from_secs(60))
    );

    scripted.jump(61);
    scripted
        .answer("GET", ANA, 1, ResponseTemplate::new(429))
        .await;
    let start = scripted.clock_now();
    let error = installation.user("ana").await.unwrap_err();
    assert_eq!(
        error.retry_at(),
        Some(start + SignedDuration::from_secs(120))
    );

    // A good answer, and the count begins anew.
    scripted.jump(121);
    scripted.answer("GET", ANA, 1, found()).await;
    installation.user("ana").await.unwrap();
    scripted
        .answer("GET", ANA, 1, ResponseTemplate::new(429))
        .await;
    let start = scripted.clock_now();
    let error = installation.user("ana").await.unwrap_err();
    assert_eq!(
        error.retry_at(),
        Some(start + SignedDuration::from_secs(60))
    );
}

#[tokio::test]
async fn a_plain_403_is_a_refusal_and_stops_nobody() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let refused = ResponseTemplate::new(403)
        .set_body_json(json!({ "message": "Resource not accessible by integration" }));
    scripted.answer("GET", ANA, 1, refused).await;
    let error = installation.user("ana").await.unwrap_err();
    assert!(
        matches!(&error, GitHubError::Refused { status: 403, message } if message.contains("integration"))
    );
    scripted.answer("GET", ANA, 1, found()).await;
    installation.user("ana").await.unwrap();
}

#[tokio::test]
async fn the_last_request_of_the_hour_is_known_before_the_next_one_is_made() {
    let scripted = Scripted::new().await;
    let installation = scripted.installed().await;
    let reset = scripted.in_seconds(600);
    scripted
        .answer("GET", ANA, 1, counted(found(), "core", 0, reset))
        .await;
    installation.user("ana").await.unwrap();
    let error = installation.user("ana").await.unwrap_err();
    assert!(matches!(error, GitHubError::RateLimited { .. }), "{error}");
    assert_eq!(scripted.asked(ANA).await.len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_swallowed() {
    let scripted = Scripted::with(Pacing::default(), Duration::from_secs(20), 2000).await;
    let installation = scripted.installed().await;
    let large = || ResponseTemplate::new(200).set_body_string("x".repeat(3000));
    scripted.answer("GET", ANA, 9, large()).await;
    let error = installation.user("ana").await.unwrap_err();
    assert!(matches!(error, GitHubError::Shape { .. }), "{error}");

    // After a write the same means: it may have happened.
    let at = "/repos/octo-org/product/issues/5/comments";
    scripted.answer("POST", at, 9, large()).await;
    let error = installation.comment(&repo(), 5, "x").await.unwrap_err();
    assert!(error.may_have_happened(), "{error}");
    assert_eq!(scripted.asked(at).await.len(), 1);
}
