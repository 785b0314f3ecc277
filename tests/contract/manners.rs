//! The simulation behaves like GitHub where it hurts: pages, limits, refusals, headers, deliveries.

use jiff::SignedDuration;
use northstar::sim::{Fault, FaultKind, Limits, When};
use serde_json::{Value, json};

use crate::published::{check_deliveries, check_log};
use crate::world::{Answer, ORG, REPO, World};

impl World {
    pub fn opened(&self, labels: &[&str]) -> u64 {
        self.sim
            .open_issue("outsider", REPO, "A widget", "It breaks.", labels)
            .expect("opened")
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", &format!("/repos/{REPO}{path}"), body)
            .await
    }

    /// Whatever a test provoked, it was said as GitHub says it.
    pub fn said_as_github_says_it(&self) {
        let mut wrong = check_log(&self.sim.requests());
        wrong.extend(check_deliveries(&self.sim.deliveries()));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[tokio::test]
async fn pages_are_thirty_long_a_hundred_at_most_and_linked() {
    let world = World::new().await;
    for n in 0..105 {
        world
            .sim
            .create_label("ada", REPO, &format!("l{n:03}"))
            .expect("a label");
    }
    let labels = format!("/repos/{REPO}/labels");
    let count = |answer: &Answer| answer.body.as_array().map_or(0, Vec::len);
    let first = world.get(&labels).await;
    assert_eq!(count(&first), 30);
    let link = first.header("link");
    assert!(
        link.contains(&format!("{labels}?page=2>; rel=\"next\"")),
        "{link}"
    );
    assert!(link.contains("page=4>; rel=\"last\""), "{link}");
    assert!(!link.contains("rel=\"prev\""), "{link}");

    let wide = world.get(&format!("{labels}?per_page=1000")).await;
    assert_eq!(count(&wide), 100);
    let last = world.get(&format!("{labels}?per_page=100&page=2")).await;
    assert_eq!(count(&last), 7);
    let link = last.header("link");
    assert!(
        link.contains("rel=\"prev\"") && link.contains("rel=\"first\""),
        "{link}"
    );
    assert!(!link.contains("rel=\"next\""), "{link}");
    let beyond = world.get(&format!("{labels}?per_page=100&page=9")).await;
    assert_eq!((beyond.status, count(&beyond)), (200, 0));
    world.said_as_github_says_it();
}

#[tokio::test]
async fn a_hundred_labels_an_issue_and_not_one_more() {
    let world = World::new().await;
    let number = world.opened(&["bug"]);
    let names: Vec<String> = (0..99).map(|n| format!("l{n}")).collect();
    let labels = format!("/issues/{number}/labels");
    assert_eq!(
        world.post(&labels, &json!({"labels": names})).await.status,
        200
    );
    let over = world
        .post(&labels, &json!({"labels": ["one too many"]}))
        .await;
    assert_eq!(
        (over.status, &over.body["message"]),
        (422, &json!("Validation Failed"))
    );
    let shown = world.sim.issue(REPO, number).expect("an issue");
    assert_eq!(shown.labels.len(), 100);
    world.said_as_github_says_it();
}

#[tokio::test]
async fn texts_have_their_lengths() {
    let world = World::new().await;
    let number = world.opened(&[]);
    let comments = format!("/issues/{number}/comments");
    // Characters, not bytes.
    for (path, key, most) in [("/labels", "name", 50), (comments.as_str(), "body", 65_536)] {
        for (length, refused) in [(most, false), (most + 1, true)] {
            let answer = world.post(path, &json!({key: "é".repeat(length)})).await;
            let expected = if refused { 422 } else { 201 };
            assert_eq!(answer.status, expected, "{path} {length}: {}", answer.body);
        }
    }
    for (length, status) in [(100, 201), (101, 422)] {
        let label = json!({"name": format!("d{length}"), "description": "é".repeat(length)});
        assert_eq!(
            world.post("/labels", &label).await.status,
            status,
            "{length}"
        );
        let issue = json!({"title": "t", "body": "é".repeat(65_436 + length)});
        assert_eq!(
            world.post("/issues", &issue).await.status,
            status,
            "{length}"
        );
    }
    world.said_as_github_says_it();
}

#[tokio::test]
async fn label_names_ignore_case_and_unknown_ones_are_made_on_use() {
    let world = World::new().await;
    let number = world.opened(&[]);
    let labels = format!("/issues/{number}/labels");
    let answer = world
        .post(
            &labels,
            &json!({"labels": ["BUG", "Brand New", "brand new"]}),
        )
        .await;
    let names: Vec<&str> = answer
        .body
        .as_array()
        .expect("labels")
        .iter()
        .filter_map(|label| label["name"].as_str())
        .collect();
    assert_eq!(names, ["bug", "Brand New"]);
    assert!(world.sim.labels(REPO).contains(&"Brand New".to_owned()));
    let twice = world.post("/labels", &json!({"name": "Bug"})).await;
    assert_eq!(twice.status, 422);
    assert_eq!(twice.body["errors"][0]["code"], "already_exists");
    let gone = format!("/repos/{REPO}/issues/{number}/labels/BUG");
    assert_eq!(world.ask("DELETE", &gone, &Value::Null).await.status, 200);
    world.said_as_github_says_it();
}

#[tokio::test]
async fn what_a_token_may_not_see_is_not_there_and_what_it_may_not_do_is_forbidden() {
    let world = World::new().await;
    world
        .sim
        .open_issue("ada", "acme/hidden", "Secret", "", &[])
        .expect("opened");
    for path in [
        "/repos/acme/hidden",
        "/repos/acme/hidden/issues/1",
        "/repos/acme/nothing",
        "/repos/nobody/nothing/issues/1",
        "/orgs/nobody/members",
        "/no/such/route",
    ] {
        let answer = world.get(path).await;
        assert_eq!(
            (answer.status, &answer.body["message"]),
            (404, &json!("Not Found")),
            "{path}"
        );
        assert_eq!(answer.body["status"], "404", "{path}");
    }
    let issue = "query($o: String!) { repository(owner: $o, name: \"hidden\") { id } }";
    let answer = world.graphql(issue, &json!({"o": ORG})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["data"]["repository"], Value::Null);
    assert_eq!(answer.body["errors"][0]["type"], "NOT_FOUND");

    world.opened(&[]);
    let token = format!("/app/installations/{}/access_tokens", world.installation);
    let token = world
        .app("POST", &token, &json!({"permissions": {"issues": "read"}}))
        .await;
    let reader = format!("Bearer {}", token.body["token"].as_str().expect("a token"));
    let path = format!("/repos/{REPO}/issues/1/comments");
    let answer = world
        .send(
            "POST",
            &path,
            &json!({"body": "x"}),
            &[("authorization", &reader)],
        )
        .await;
    assert_eq!(answer.status, 403);
    assert_eq!(
        answer.body["message"],
        "Resource not accessible by integration"
    );
    let answer = world
        .send(
            "GET",
            &path,
            &Value::Null,
            &[("authorization", "Bearer wrong")],
        )
        .await;
    assert_eq!(
        (answer.status, &answer.body["message"]),
        (401, &json!("Bad credentials"))
    );
}

#[tokio::test]
async fn a_value_that_is_no_good_is_a_422_that_names_the_field() {
    let world = World::new().await;
    let number = world.opened(&[]);
    for (path, body, field, code) in [
        ("/issues", json!({"title": ""}), "title", "missing_field"),
        (
            "/issues",
            json!({"title": "t", "milestone": 99}),
            "milestone",
            "invalid",
        ),
        (
            "/labels",
            json!({"name": "x", "color": "red"}),
            "color",
            "invalid",
        ),
        ("/labels", json!({"name": "bug"}), "name", "already_exists"),
    ] {
        let answer = world.post(path, &body).await;
        assert_eq!(
            (answer.status, &answer.body["message"]),
            (422, &json!("Validation Failed")),
            "{path}"
        );
        let error = &answer.body["errors"][0];
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!(field), &json!(code)),
            "{path}"
        );
        assert!(error["resource"].is_string(), "{path}");
    }
    world.said_as_github_says_it();
    // What the description itself rules out, so that it is no request to be checked.
    let reaction = format!("/issues/{number}/reactions");
    assert_eq!(
        world
            .post(&reaction, &json!({"content": "applause"}))
            .await
            .status,
        422
    );
}

#[tokio::test]
async fn a_tag_that_still_fits_is_a_304_and_free() {
    let world = World::new().await;
    let number = world.opened(&[]);
    let path = format!("/repos/{REPO}/issues/{number}");
    let first = world.get(&path).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\"") || tag.starts_with('"'), "{tag}");
    let again = world.conditional(&path, &tag).await;
    assert_eq!((again.status, &again.body), (304, &Value::Null));
    assert_eq!(
        again.header("x-ratelimit-used"),
        first.header("x-ratelimit-used")
    );
    world
        .sim
        .comment("ada", REPO, number, "News")
        .expect("a comment");
    let changed = world.conditional(&path, &tag).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), tag);
    world.said_as_github_says_it();
}

#[tokio::test]
async fn every_answer_says_how_much_is_left_and_when_it_is_back() {
    let world = World::new().await;
    world.sim.limit(Limits {
        core: 3,
        ..Limits::default()
    });
    let number = |answer: &Answer, name: &str| -> i64 {
        let text = answer.header(&format!("x-ratelimit-{name}"));
        text.parse().unwrap_or_else(|_| panic!("{name}: {text}"))
    };
    let path = format!("/repos/{REPO}");
    let first = world.get(&path).await;
    assert_eq!(first.header("x-ratelimit-resource"), "core");
    assert_eq!(number(&first, "limit"), 3);
    assert_eq!(number(&first, "used") + number(&first, "remaining"), 3);
    let mut last = first;
    while last.status == 200 {
        last = world.get(&path).await;
    }
    assert_eq!((last.status, number(&last, "remaining")), (403, 0));
    let message = last.body["message"].as_str().unwrap_or_default();
    assert!(message.starts_with("API rate limit exceeded"), "{message}");
    assert!(
        last.header("retry-after").is_empty(),
        "the hour's limit is told by its reset"
    );
    world.clock.advance(SignedDuration::from_mins(61));
    // The token's hour is over too.
    assert_eq!(world.get(&path).await.status, 401);
    world.said_as_github_says_it();
}

#[tokio::test]
async fn too_much_content_in_a_minute_is_a_403_that_says_when_to_come_back() {
    let world = World::new().await;
    world.sim.limit(Limits {
        content_per_minute: 2,
        ..Limits::default()
    });
    let number = world.opened(&[]);
    let comments = format!("/issues/{number}/comments");
    for _ in 0..2 {
        assert_eq!(
            world.post(&comments, &json!({"body": "x"})).await.status,
            201
        );
    }
    let refused = world.post(&comments, &json!({"body": "x"})).await;
    assert_eq!(refused.status, 403);
    let message = refused.body["message"].as_str().unwrap_or_default();
    assert!(message.contains("secondary rate limit"), "{message}");
    let wait: i64 = refused.header("retry-after").parse().expect("seconds");
    world.clock.advance(SignedDuration::from_secs(wait));
    assert_eq!(
        world.post(&comments, &json!({"body": "x"})).await.status,
        201
    );
    world.said_as_github_says_it();
}

#[tokio::test]
async fn graphql_says_no_inside_a_200() {
    let world = World::new().await;
    let query = "query($n: Int!) { repository(owner: \"acme\", name: \"widgets\") { issue(number: $n) { id } } }";
    let missing = world.graphql(query, &json!({"n": 99})).await;
    assert_eq!(missing.status, 200);
    assert_eq!(missing.body["data"]["repository"]["issue"], Value::Null);
    assert_eq!(missing.body["errors"][0]["type"], "NOT_FOUND");
    assert_eq!(
        missing.body["errors"][0]["path"],
        json!(["repository", "issue"])
    );

    let wrong = world.graphql("{ viewer { lgoin } }", &json!({})).await;
    assert_eq!(wrong.status, 200);
    assert!(
        wrong.body.get("data").is_none_or(Value::is_null),
        "{}",
        wrong.body
    );
    assert!(
        wrong.body["errors"][0]["message"]
            .as_str()
            .is_some_and(|m| m.contains("lgoin"))
    );

    world
        .sim
        .fault(Fault::once(When::any(), FaultKind::GraphQlRateLimited));
    let limited = world.graphql(query, &json!({"n": 1})).await;
    assert_eq!(
        (limited.status, &limited.body["errors"][0]["type"]),
        (200, &json!("RATE_LIMITED"))
    );

    // A refusal in one alias leaves the others done.
    let number = world.opened(&[]);
    let id = world.sim.issue(REPO, number).expect("an issue").node_id;
    let two = "mutation($a: UpdateIssueInput!, $b: UpdateIssueInput!) {
        one: updateIssue(input: $a) { issue { title } } two: updateIssue(input: $b) { issue { title } } }";
    let variables =
        json!({"a": {"id": "I_kwDOnobody", "title": "x"}, "b": {"id": id, "title": "Done"}});
    let half = world.graphql(two, &variables).await;
    assert_eq!(half.body["data"]["one"], Value::Null);
    assert_eq!(half.body["data"]["two"]["issue"]["title"], "Done");
    assert_eq!(half.body["errors"][0]["path"], json!(["one"]));
    assert_eq!(half.body["errors"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn connections_need_a_first_or_last_between_one_and_a_hundred() {
    let world = World::new().await;
    let ask = async |arguments: &str| {
        let query = format!(
            "{{ repository(owner: \"acme\", name: \"widgets\") {{ labels{arguments} {{ totalCount }} }} }}"
        );
        let answer = world.graphql(&query, &json!({})).await;
        assert_eq!(answer.status, 200);
        let kind = answer.body["errors"][0]["type"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (
            kind,
            answer.body["data"]["repository"]["labels"]["totalCount"].clone(),
        )
    };
    assert_eq!(ask("(first: 100)").await, (String::new(), json!(2)));
    assert_eq!(ask("(last: 1)").await, (String::new(), json!(2)));
    assert_eq!(
        ask("").await,
        ("MISSING_PAGINATION_BOUNDARIES".to_owned(), Value::Null)
    );
    assert_eq!(
        ask("(first: 101)").await,
        ("EXCESSIVE_PAGINATION".to_owned(), Value::Null)
    );
    world.said_as_github_says_it();
}

#[tokio::test]
async fn node_ids_say_nothing_and_are_known_only_where_they_were_given_out() {
    let world = World::new().await;
    let (one, two) = (world.opened(&[]), world.opened(&[]));
    let node = |number| world.sim.issue(REPO, number).expect("an issue");
    let (first, second) = (node(one), node(two));
    assert_ne!(first.node_id, second.node_id);
    for issue in [&first, &second] {
        assert!(issue.node_id.starts_with("I_kwDO"), "{}", issue.node_id);
        assert!(!issue.node_id.contains(&issue.id.to_string()));
    }
    let query = "query($id: ID!) { node(id: $id) { __typename ... on Issue { number } } }";
    let found = world.graphql(query, &json!({"id": first.node_id})).await;
    assert_eq!(
        found.body["data"]["node"],
        json!({"__typename": "Issue", "number": one})
    );
    let mut other = first.node_id.clone();
    other.push('A');
    let missing = world.graphql(query, &json!({"id": other})).await;
    assert_eq!(missing.body["data"]["node"], Value::Null);
    assert_eq!(missing.body["errors"][0]["type"], "NOT_FOUND");
    world.said_as_github_says_it();
}
