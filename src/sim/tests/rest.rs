//! REST, webhooks and what guards them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::bench::{BOARD, Bench, REPO, jwt};
use crate::sim::webhooks::signature;

#[tokio::test]
async fn only_the_app_gets_tokens_and_only_with_its_own_key() {
    let bench = Bench::new().await;
    let path = format!("/app/installations/{}/access_tokens", bench.installation);
    let other = Bench::new().await;
    for (why, token) in [
        ("another app", jwt(&bench.sim, &json!(1), 500)),
        ("another key", jwt(&other.sim, &json!(4711), 500)),
        ("too long", jwt(&bench.sim, &json!(4711), 1500)),
        ("expired", jwt(&bench.sim, &json!(4711), -100)),
        ("a token of an installation", bench.token.clone()),
    ] {
        let reply = bench.send("POST", &path, &json!({}), &token, &[]).await;
        assert_eq!(reply.status, 401, "{why}: {reply:?}");
    }
    // GitHub takes the issuer as text, too.
    let app = jwt(&bench.sim, &json!("4711"), 500);
    let reply = bench.send("GET", "/app", &Value::Null, &app, &[]).await;
    assert_eq!((reply.status, &reply.json["id"]), (200, &json!(4711)));
    let wanted = json!({"permissions": {"contents": "write"}});
    let reply = bench.send("POST", &path, &wanted, &app, &[]).await;
    assert_eq!(reply.status, 422, "more than was granted");
}

#[tokio::test]
async fn a_token_is_good_for_an_hour() {
    let bench = Bench::new().await;
    let path = format!("/repos/{REPO}");
    assert_eq!(bench.get(&path).await.status, 200);
    bench.clock.advance(SignedDuration::from_mins(59));
    assert_eq!(bench.get(&path).await.status, 200);
    bench.clock.advance(SignedDuration::from_mins(2));
    let reply = bench.get(&path).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.json["message"], "Bad credentials");
}

#[tokio::test]
async fn a_new_issue_is_announced_signed_and_in_whole_seconds() {
    let bench = Bench::new().await;
    let number = bench
        .sim
        .open_issue(
            "maria",
            REPO,
            "Please add RStudio",
            "We teach R.",
            &["bug", "new one"],
        )
        .expect("opens");
    let hooks = bench.hooks().await;
    let names: Vec<String> = hooks.iter().map(super::bench::Hook::name).collect();
    assert_eq!(
        names,
        [
            "label.created",
            "issues.opened",
            "issues.labeled",
            "issues.labeled"
        ]
    );
    let opened = &hooks[1];
    assert_eq!(
        opened.headers["x-hub-signature-256"],
        signature("simulated secret", &opened.body)
    );
    assert_eq!(opened.json["issue"]["created_at"], "2026-11-20T10:00:00Z");
    assert_eq!(opened.json["issue"]["number"], number);
    assert_eq!(opened.json["sender"]["login"], "maria");
    assert_eq!(opened.json["installation"]["id"], bench.installation.0);
    assert_eq!(opened.json["issue"]["author_association"], "NONE");
    let sent = bench.sim.deliveries();
    assert_eq!(sent.last().and_then(|d| d.status), Some(202));

    // A private member is a contributor to everybody else.
    bench
        .sim
        .comment("jim", REPO, number, "Me too")
        .expect("comments");
    let hooks = bench.hooks().await;
    assert_eq!(
        hooks[0].json["comment"]["author_association"],
        "CONTRIBUTOR"
    );
}

#[tokio::test]
async fn what_the_bot_does_is_announced_as_the_bots() {
    let bench = Bench::new().await;
    let n = bench
        .sim
        .open_issue("maria", REPO, "A", "", &[])
        .expect("opens");
    bench.hooks().await;
    let labels = format!("/repos/{REPO}/issues/{n}/labels");
    let reply = bench
        .post(&labels, json!({"labels": ["BUG", "kind/feature"]}))
        .await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json[0]["name"], "bug", "names ignore case");
    let hooks = bench.hooks().await;
    assert_eq!(hooks.len(), 2);
    assert_eq!(hooks[0].json["sender"]["login"], "northstar[bot]");
    assert_eq!(hooks[0].json["sender"]["type"], "Bot");
    assert_eq!(hooks[1].json["label"]["name"], "kind/feature");
    // Saying it again changes nothing and is not announced.
    bench.post(&labels, json!({"labels": ["bug"]})).await;
    assert!(bench.hooks().await.is_empty());
    let reply = bench
        .send(
            "DELETE",
            &format!("{labels}/kind%2Ffeature"),
            &Value::Null,
            &bench.token,
            &[],
        )
        .await;
    assert_eq!(
        (reply.status, reply.json.as_array().map(Vec::len)),
        (200, Some(1))
    );
    assert_eq!(bench.hook_names().await, ["issues.unlabeled"]);
    let view = bench.sim.issue(REPO, n).expect("is there");
    assert_eq!(view.labels, ["bug"]);
}

#[tokio::test]
async fn comments_are_made_edited_and_taken_back() {
    let bench = Bench::new().await;
    let n = bench
        .sim
        .open_issue("maria", REPO, "A", "", &[])
        .expect("opens");
    bench.hooks().await;
    let path = format!("/repos/{REPO}/issues/{n}/comments");
    let reply = bench.post(&path, json!({"body": "hello"})).await;
    assert_eq!(reply.status, 201);
    let one = format!("/repos/{REPO}/issues/comments/{}", reply.json["id"]);
    let reply = bench
        .send(
            "PATCH",
            &one,
            &json!({"body": "hello again"}),
            &bench.token,
            &[],
        )
        .await;
    assert_eq!(reply.json["body"], "hello again");
    // octocrab's update_comment posts; GitHub has only PATCH.
    assert_eq!(bench.post(&one, json!({"body": "x"})).await.status, 404);
    let react = format!("{one}/reactions");
    assert_eq!(
        bench.post(&react, json!({"content": "eyes"})).await.status,
        201
    );
    assert_eq!(
        bench.post(&react, json!({"content": "eyes"})).await.status,
        200
    );
    assert_eq!(
        bench.post(&react, json!({"content": "wink"})).await.status,
        422
    );
    let hooks = bench.hooks().await;
    assert_eq!(hooks.len(), 2, "reactions make no webhooks");
    assert_eq!(hooks[1].json["changes"]["body"]["from"], "hello");
    bench
        .send("DELETE", &one, &Value::Null, &bench.token, &[])
        .await;
    assert_eq!(bench.get(&one).await.status, 404);
    assert_eq!(bench.hook_names().await, ["issue_comment.deleted"]);
}

#[tokio::test]
async fn bodies_labels_and_fields_have_their_limits() {
    let bench = Bench::new().await;
    let issues = format!("/repos/{REPO}/issues");
    let reply = bench.post(&issues, json!({"title": ""})).await;
    assert_eq!(reply.status, 422);
    assert_eq!(
        reply.json["errors"][0],
        json!({"resource": "Issue", "field": "title", "code": "missing_field"})
    );
    assert!(reply.json["documentation_url"].is_string());
    let long = "x".repeat(65_537);
    let reply = bench
        .post(&issues, json!({"title": "A", "body": long}))
        .await;
    assert_eq!(reply.status, 422);
    let n = bench
        .sim
        .open_issue("maria", REPO, "A", "", &[])
        .expect("opens");
    let labels = format!("{issues}/{n}/labels");
    let reply = bench
        .post(&labels, json!({"labels": ["y".repeat(51)]}))
        .await;
    assert_eq!(reply.status, 422);
    let many: Vec<String> = (0..100).map(|n| format!("l{n}")).collect();
    assert_eq!(
        bench.post(&labels, json!({"labels": many})).await.status,
        200
    );
    assert_eq!(
        bench.post(&labels, json!({"labels": ["bug"]})).await.status,
        422
    );
    let reply = bench
        .post(
            &format!("/repos/{REPO}/labels"),
            json!({"name": "Bug", "color": "ff0000"}),
        )
        .await;
    assert_eq!(reply.json["errors"][0]["code"], "already_exists");
}

#[tokio::test]
async fn a_token_sees_and_does_only_what_it_may() {
    let bench = Bench::new().await;
    bench.sim.org("elsewhere", 77);
    bench
        .sim
        .repository("elsewhere", "closed", true, &[])
        .expect("a repository");
    bench
        .sim
        .repository("elsewhere", "open", false, &[])
        .expect("a repository");
    assert_eq!(bench.get("/repos/elsewhere/closed").await.status, 404);
    assert_eq!(bench.get("/repos/elsewhere/open/issues").await.status, 200);
    let reply = bench
        .post("/repos/elsewhere/open/issues", json!({"title": "A"}))
        .await;
    assert_eq!(reply.status, 403);
    assert_eq!(
        reply.json["message"],
        "Resource not accessible by integration"
    );
    assert_eq!(bench.get("/repos/2i2c-org/secret/issues").await.status, 200);
    assert_eq!(bench.get("/orgs/elsewhere/members").await.status, 404);
    // A token narrowed to reading issues writes none.
    let path = format!("/app/installations/{}/access_tokens", bench.installation);
    let wanted = json!({"permissions": {"issues": "read"}});
    let app = jwt(&bench.sim, &json!(4711), 500);
    let narrow = bench.send("POST", &path, &wanted, &app, &[]).await.json["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let issues = format!("/repos/{REPO}/issues");
    let reply = bench
        .send("POST", &issues, &json!({"title": "A"}), &narrow, &[])
        .await;
    assert_eq!(reply.status, 403);
    let reply = bench
        .send("GET", "/orgs/2i2c-org/members", &Value::Null, &narrow, &[])
        .await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn lists_come_in_pages_with_links() {
    let bench = Bench::new().await;
    for n in 0..105 {
        bench
            .sim
            .open_issue("maria", REPO, &format!("Issue {n}"), "", &[])
            .expect("opens");
    }
    let reply = bench.get(&format!("/repos/{REPO}/issues")).await;
    assert_eq!(reply.json.as_array().map(Vec::len), Some(30));
    let reply = bench
        .get(&format!("/repos/{REPO}/issues?per_page=500&state=all"))
        .await;
    assert_eq!(reply.json.as_array().map(Vec::len), Some(100));
    let link = reply.header("link").to_owned();
    assert!(
        link.contains("page=2>; rel=\"next\"") && link.contains("rel=\"last\""),
        "{link}"
    );
    let next = link.split(['<', '>']).nth(1).expect("an address");
    let path = next.strip_prefix(&bench.server.url).expect("ours");
    let reply = bench.get(path).await;
    assert_eq!(reply.json.as_array().map(Vec::len), Some(5));
    assert!(!reply.header("link").contains("rel=\"next\""));
    assert!(reply.header("link").contains("rel=\"prev\""));
}

#[tokio::test]
async fn what_did_not_change_costs_nothing() {
    let bench = Bench::new().await;
    let path = format!("/repos/{REPO}/labels");
    let first = bench.get(&path).await;
    let left: u64 = first
        .header("x-ratelimit-remaining")
        .parse()
        .expect("a number");
    assert!(!first.header("x-github-request-id").is_empty());
    let tag = first.header("etag").to_owned();
    let again = bench
        .send(
            "GET",
            &path,
            &Value::Null,
            &bench.token,
            &[("if-none-match", &tag)],
        )
        .await;
    assert_eq!(again.status, 304);
    assert_eq!(again.header("x-ratelimit-remaining"), left.to_string());
    bench
        .sim
        .create_label("jim", REPO, "new")
        .expect("makes it");
    let changed = bench
        .send(
            "GET",
            &path,
            &Value::Null,
            &bench.token,
            &[("if-none-match", &tag)],
        )
        .await;
    assert_eq!(changed.status, 200);
}

#[tokio::test]
async fn people_and_teams_are_found() {
    let bench = Bench::new().await;
    let members = bench.get("/orgs/2i2c-org/members").await;
    assert_eq!(members.json[0]["login"], "jim");
    let team = bench
        .get("/orgs/2i2c-org/teams/product-leads/members")
        .await;
    assert_eq!(team.json[0]["login"], "jim");
    let ok = bench.get("/orgs/2i2c-org/memberships/jim").await;
    assert_eq!((ok.status, &ok.json["role"]), (200, &json!("member")));
    assert_eq!(
        bench.get("/orgs/2i2c-org/memberships/maria").await.status,
        404
    );
    assert_eq!(bench.get("/users/maria").await.json["login"], "maria");
    let repos = bench.get("/installation/repositories").await;
    assert_eq!(repos.json["total_count"], 2);
    let team = ("2i2c-org", "product-leads");
    bench
        .sim
        .team_member("jim", team, "maria", true)
        .expect("joins");
    bench
        .sim
        .org_member("jim", "2i2c-org", "maria", false)
        .expect("leaves");
    assert_eq!(
        bench.hook_names().await,
        ["membership.added", "organization.member_removed"]
    );
    let team = bench
        .get("/orgs/2i2c-org/teams/product-leads/members")
        .await;
    assert_eq!(team.json.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_was_deleted_is_gone_and_what_never_was_is_not_there() {
    let bench = Bench::new().await;
    let n = bench
        .sim
        .open_issue("maria", REPO, "A", "", &[])
        .expect("opens");
    bench.sim.delete_issue("jim", REPO, n).expect("deletes");
    let path = format!("/repos/{REPO}/issues");
    assert_eq!(bench.get(&format!("{path}/{n}")).await.status, 410);
    assert_eq!(bench.get(&format!("{path}/{}", n + 1)).await.status, 404);
}

#[tokio::test]
async fn what_was_transferred_has_new_names_and_the_old_ones_lead_nowhere_but_the_issues_own() {
    let bench = Bench::new().await;
    let (sim, to) = (&bench.sim, "2i2c-org/elsewhere");
    sim.repository("2i2c-org", "elsewhere", false, &["KIND/feature"])
        .expect("a repository");
    let n = sim
        .open_issue("jim", REPO, "A", "b", &["kind/feature", "odd"])
        .expect("an issue");
    let comment = sim.comment("jim", REPO, n, "c").expect("a comment");
    sim.add_to_project("jim", BOARD, REPO, n).expect("a row");
    let old = sim.issue(REPO, n).expect("the issue");
    bench.hooks().await;
    let there = sim.transfer("jim", REPO, n, to).expect("a transfer");
    assert_eq!(
        bench.hook_names().await,
        ["issues.transferred", "issues.opened"]
    );
    let new = sim.issue(to, there).expect("the issue");
    assert!(new.id != old.id && new.node_id != old.node_id);
    assert_eq!(new.labels, ["KIND/feature"], "the other one is not there");
    assert_eq!(new.comments.len(), 1);
    assert!(new.comments[0].id != comment);
    assert_eq!(new.comments[0].created_at, old.comments[0].created_at);
    assert!(
        sim.card(BOARD.0, BOARD.1, to, there).is_some(),
        "the row stays"
    );

    let moved = bench.get(&format!("/repos/{REPO}/issues/{n}")).await;
    assert_eq!(moved.status, 301);
    assert!(
        moved
            .header("location")
            .ends_with(&format!("/repos/{to}/issues/{there}"))
    );
    let comments = bench
        .get(&format!("/repos/{REPO}/issues/{n}/comments"))
        .await;
    assert_eq!(comments.status, 404);
    let gone = bench
        .get(&format!("/repos/{to}/issues/comments/{comment}"))
        .await;
    assert_eq!(gone.status, 404);
    let ask = json!({
        "query": "query($id: ID!) { node(id: $id) { id } }",
        "variables": { "id": old.node_id },
    });
    let read = bench.post("/graphql", ask).await;
    assert_eq!(read.json["errors"][0]["type"], "NOT_FOUND");
    // On from there, the first address still leads to it.
    let back = sim.transfer("jim", to, there, REPO).expect("a transfer");
    assert_ne!(back, n, "no number is given out twice");
    let moved = bench.get(&format!("/repos/{REPO}/issues/{n}")).await;
    assert!(
        moved
            .header("location")
            .ends_with(&format!("/repos/{REPO}/issues/{back}"))
    );
}
