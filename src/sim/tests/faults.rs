//! What goes wrong on request, and what the limits refuse.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::bench::{Bench, REPO};
use crate::sim::{Fault, FaultKind, Limits, WebhookFault, WebhookFaultKind, When};

fn comments(bench: &Bench) -> (String, u64) {
    let n = bench
        .sim
        .open_issue("maria", REPO, "A", "", &[])
        .expect("opens");
    (format!("/repos/{REPO}/issues/{n}/comments"), n)
}

#[tokio::test]
async fn a_dropped_connection_leaves_the_effect_or_not() {
    let bench = Bench::new().await;
    let (path, n) = comments(&bench);
    let count = || bench.sim.issue(REPO, n).expect("is there").comments.len();
    for (kind, after) in [(FaultKind::DropBefore, 0), (FaultKind::DropAfter, 1)] {
        bench
            .sim
            .fault(Fault::once(When::rest("POST", "/comments"), kind));
        let body = json!({"body": "hello"});
        let reply = bench
            .try_send("POST", &path, &body, &bench.token, &[])
            .await;
        assert!(reply.is_err());
        assert_eq!(count(), after);
        let logged = bench.sim.requests().pop().expect("it was logged");
        assert_eq!(logged.status, None);
    }
    let ok = bench.post(&path, json!({"body": "hello"})).await;
    assert_eq!(ok.status, 201, "the faults are used up");
}

#[tokio::test]
async fn answers_fail_as_asked() {
    let bench = Bench::new().await;
    let (path, n) = comments(&bench);
    bench.sim.fault(Fault {
        when: When::any(),
        times: 2,
        kind: FaultKind::Status(503, vec![("retry-after".to_owned(), "7".to_owned())]),
    });
    for _ in 0..2 {
        let reply = bench.post(&path, json!({"body": "x"})).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, "7"));
    }
    bench
        .sim
        .fault(Fault::once(When::any(), FaultKind::StatusAfter(502)));
    assert_eq!(bench.post(&path, json!({"body": "x"})).await.status, 502);
    let comments = bench.sim.issue(REPO, n).expect("is there").comments;
    assert_eq!(comments.len(), 1, "only the last one happened");
    bench.sim.fault(Fault::once(
        When::graphql("viewer"),
        FaultKind::GraphQlRateLimited,
    ));
    bench.sim.fault(Fault::once(
        When::rest("GET", "/labels"),
        FaultKind::SecondaryLimit(Some(60)),
    ));
    bench.sim.fault(Fault::once(
        When::any(),
        FaultKind::Delay(Duration::from_millis(1)),
    ));
    let reply = bench
        .post("/graphql", json!({"query": "{ viewer { login } }"}))
        .await;
    assert_eq!(
        (reply.status, &reply.json["errors"][0]["type"]),
        (200, &json!("RATE_LIMITED"))
    );
    let reply = bench.get(&format!("/repos/{REPO}/labels")).await;
    assert_eq!((reply.status, reply.header("retry-after")), (403, "60"));
    let reply = bench
        .post("/graphql", json!({"query": "{ viewer { login } }"}))
        .await;
    assert_eq!(reply.json["data"]["viewer"]["login"], "northstar");
}

#[tokio::test]
async fn one_alias_fails_and_the_rest_of_the_document_is_done() {
    let bench = Bench::new().await;
    let (_, n) = comments(&bench);
    let issue = bench.get(&format!("/repos/{REPO}/issues/{n}")).await.json;
    let react = |alias: &str, content: &str| {
        format!(
            "{alias}: addReaction(input: {{ subjectId: {}, content: {content} }}) \
             {{ subject {{ id }} }}",
            issue["node_id"]
        )
    };
    let document = format!(
        "mutation {{ {} {} }}",
        react("a", "HEART"),
        react("b", "EYES")
    );
    bench.sim.fault(Fault::once(
        When::graphql("addReaction"),
        FaultKind::Alias(0),
    ));
    let reply = bench.post("/graphql", json!({ "query": document })).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json["data"]["a"], Value::Null);
    assert_ne!(reply.json["data"]["b"], Value::Null);
    assert_eq!(reply.json["errors"][0]["path"], json!(["a"]));
    let seen = bench.sim.issue(REPO, n).expect("is there").reactions;
    assert_eq!(seen.len(), 1, "{seen:?}");
}

fn webhook(kind: WebhookFaultKind) -> WebhookFault {
    WebhookFault {
        event: Some("issue_comment".to_owned()),
        times: 1,
        kind,
    }
}

#[tokio::test]
async fn webhooks_come_twice_late_in_another_order_or_never() {
    let bench = Bench::new().await;
    let (_, n) = comments(&bench);
    bench.hooks().await;
    let say = |text: &str| {
        bench.sim.comment("maria", REPO, n, text).expect("comments");
    };
    bench
        .sim
        .webhook_fault(webhook(WebhookFaultKind::Duplicate));
    say("twice");
    let hooks = bench.hooks().await;
    assert_eq!(hooks.len(), 2);
    assert_eq!(
        hooks[0].headers["x-github-delivery"],
        hooks[1].headers["x-github-delivery"]
    );

    bench.sim.webhook_fault(webhook(WebhookFaultKind::Hold));
    bench.sim.webhook_fault(webhook(WebhookFaultKind::Hold));
    say("one");
    say("two");
    assert!(bench.hooks().await.is_empty());
    assert_eq!(bench.sim.release_webhooks(true), 2);
    let bodies: Vec<Value> = bench
        .hooks()
        .await
        .iter()
        .map(|hook| hook.json["comment"]["body"].clone())
        .collect();
    assert_eq!(bodies, ["two", "one"]);

    let late = WebhookFaultKind::Late(SignedDuration::from_mins(5));
    bench.sim.webhook_fault(webhook(late));
    say("late");
    assert!(bench.hooks().await.is_empty());
    bench.clock.advance(SignedDuration::from_mins(5));
    // The clock wakes the dispatcher; until it has run, nothing is outstanding yet.
    let late = loop {
        let hooks = bench.hooks().await;
        if !hooks.is_empty() {
            break hooks;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(late[0].json["comment"]["body"], "late");

    // A lost one is in the log, and can be asked for again under its own name.
    bench.sim.webhook_fault(webhook(WebhookFaultKind::Lose));
    say("lost");
    assert!(bench.hooks().await.is_empty());
    let app = super::bench::jwt(&bench.sim, &json!(4711), 500);
    let path = "/app/hook/deliveries?per_page=1&status=failure";
    let log = bench.send("GET", path, &Value::Null, &app, &[]).await;
    assert_eq!(log.json[0]["status_code"], 502);
    let path = format!("/app/hook/deliveries/{}/attempts", log.json[0]["id"]);
    let reply = bench.send("POST", &path, &Value::Null, &app, &[]).await;
    assert_eq!(reply.status, 202);
    let hooks = bench.hooks().await;
    assert_eq!(hooks[0].json["comment"]["body"], "lost");
    assert_eq!(log.json[0]["guid"], hooks[0].headers["x-github-delivery"]);
}

#[tokio::test]
async fn budgets_run_out_and_come_back() {
    let bench = Bench::new().await;
    let path = format!("/repos/{REPO}/labels");
    bench.sim.limit(Limits {
        core: 2,
        graphql: 1,
        ..Limits::default()
    });
    assert_eq!(bench.get(&path).await.header("x-ratelimit-remaining"), "1");
    assert_eq!(bench.get(&path).await.header("x-ratelimit-remaining"), "0");
    let reply = bench.get(&path).await;
    assert_eq!(reply.status, 403);
    assert_eq!(reply.header("x-ratelimit-remaining"), "0");
    let query = json!({"query": "{ rateLimit { remaining } }"});
    let reply = bench.post("/graphql", query.clone()).await;
    assert_eq!(reply.json["data"]["rateLimit"]["remaining"], 0);
    let reply = bench.post("/graphql", query).await;
    assert_eq!(
        (reply.status, &reply.json["errors"][0]["type"]),
        (200, &json!("RATE_LIMITED"))
    );
    let left = bench.get("/rate_limit").await;
    assert_eq!(left.json["resources"]["core"]["remaining"], 0);
    bench.clock.advance(SignedDuration::from_mins(61));
    let token = bench.new_token().await;
    let reply = bench.send("GET", &path, &Value::Null, &token, &[]).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn two_writes_at_once_are_one_too_many() {
    let bench = Bench::new().await;
    let (path, n) = comments(&bench);
    bench.sim.fault(Fault::once(
        When::rest("POST", "/comments"),
        FaultKind::Delay(Duration::from_millis(300)),
    ));
    let slow = bench.post(&path, json!({"body": "slow"}));
    let fast = async {
        // Begin when the slow one is in.
        while !bench.sim.requests().iter().any(|r| r.content) {
            tokio::task::yield_now().await;
        }
        bench.post(&path, json!({"body": "fast"})).await
    };
    let (slow, fast) = tokio::join!(slow, fast);
    assert_eq!(slow.status, 201);
    assert_eq!(fast.status, 403);
    assert!(
        fast.json["message"]
            .to_string()
            .contains("secondary rate limit")
    );
    assert_eq!(
        bench.sim.issue(REPO, n).expect("is there").comments.len(),
        1
    );
}
