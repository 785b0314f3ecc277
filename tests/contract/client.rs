//! Everything our own client asks, and what the simulation answers it, against GitHub's descriptions.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use northstar::github::{FieldInput, GitHub, GitHubConfig, Mutation, MutationOk, Pacing, Reaction};
use northstar::ids::RepoName;
use northstar::sim::Logged;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::published::rest::Rest;
use crate::published::{check_deliveries, check_log};
use crate::world::{APP, BOARD, ORG, REPO, World};

/// Does everything the client can, and returns what was asked.
async fn everything_is_asked(world: &World) -> Vec<Logged> {
    let github = GitHub::new(
        GitHubConfig {
            api_url: world.url().to_owned(),
            app_id: APP,
            private_key_pem: SecretString::from(world.sim.private_key_pem().to_owned()),
            pacing: Pacing {
                min_gap: Duration::ZERO,
                ..Pacing::default()
            },
            timeout: Duration::from_secs(10),
        },
        Arc::new(world.clock.clone()),
    )
    .expect("a client");
    let repo = RepoName::parse(REPO).expect("a name");
    let sim = &world.sim;
    let one = sim
        .open_issue("outsider", REPO, "A widget", "It breaks.", &["bug"])
        .expect("opened");
    sim.set_milestone("ada", REPO, one, Some("1.0"))
        .expect("a milestone");
    sim.set_type("ada", REPO, one, Some("Bug")).expect("a type");
    let two = sim
        .open_issue("ada", REPO, "A part", "", &[])
        .expect("opened");
    sim.add_sub_issue("ada", (REPO, one), (REPO, two))
        .expect("a sub-issue");
    sim.add_draft("ada", BOARD, "An idea").expect("a draft");

    github.app().await.expect("the App");
    github.installations().await.expect("installations");
    let page = github.hook_deliveries(None).await.expect("the log");
    github
        .redeliver(page.deliveries[0].id)
        .await
        .expect("sent again");

    let here = github.installation(world.installation);
    here.repositories().await.expect("repositories");
    here.org_members(ORG).await.expect("members");
    here.team_members(ORG, "product-leads")
        .await
        .expect("members");
    here.user("ada").await.expect("a user");
    assert_eq!(here.user("nobody-at-all").await.expect("no user"), None);
    here.create_label(&repo, "kind/bug", "b60205", "does not work")
        .await
        .expect("a label");
    here.create_label(&repo, "kind/bug", "b60205", "does not work")
        .await
        .expect("that label");
    let comment = here.comment(&repo, one, "Hello").await.expect("a comment");
    here.edit_comment(&repo, comment, "Hello again")
        .await
        .expect("edited");
    here.react_to_comment(&repo, comment, Reaction::Eyes)
        .await
        .expect("a reaction");
    here.react_to_issue(&repo, one, Reaction::PlusOne)
        .await
        .expect("a reaction");
    here.comments(
        &repo,
        one,
        Some("2026-01-01T00:00:00Z".parse().expect("a time")),
    )
    .await
    .expect("comments");

    let item = here
        .item(&repo, one)
        .await
        .expect("an answer")
        .expect("an issue");
    assert_eq!(here.item(&repo, 999).await.expect("an answer"), None);
    let node = sim.issue(REPO, one).expect("an issue").node_id;
    assert_eq!(
        here.item_by_node(&node).await.expect("an answer"),
        Some(item)
    );
    here.item_by_node("I_kwDOnobody").await.expect("an answer");
    sim.repository(ORG, "parts", false, &[])
        .expect("a repository");
    let gone = sim.open_issue("ada", REPO, "A part", "", &[]);
    let gone = gone.expect("opened");
    let there = sim.transfer("ada", REPO, gone, "acme/parts");
    let there = sim.issue("acme/parts", there.expect("transferred"));
    assert_eq!(
        here.leads_to(&repo, gone).await.expect("an answer"),
        there.map(|issue| issue.node_id)
    );
    assert_eq!(here.leads_to(&repo, 999).await.expect("an answer"), None);
    let labels = here.labels(&repo).await.expect("labels");
    let board = here
        .project(ORG, BOARD.1)
        .await
        .expect("an answer")
        .expect("a board");
    assert_eq!(here.project(ORG, 999).await.expect("an answer"), None);

    let label_ids = vec![labels["kind/feature"].clone()];
    let done = here
        .mutate(vec![
            Mutation::AddLabels {
                labelable: node.clone(),
                label_ids: label_ids.clone(),
            },
            Mutation::RemoveLabels {
                labelable: node.clone(),
                label_ids,
            },
            Mutation::AddToBoard {
                project: board.id.clone(),
                content: node.clone(),
            },
            Mutation::ClearMilestone {
                issue: node.clone(),
            },
        ])
        .await
        .expect("done");
    let row = match &done[2] {
        Ok(MutationOk::BoardItem { id }) => id.clone(),
        other => panic!("{other:?}"),
    };
    let field = |name: &str| {
        let found = board.fields.iter().find(|field| field.name == name);
        found.expect("a field").clone()
    };
    let set = |name: &str, value: FieldInput| Mutation::SetField {
        project: board.id.clone(),
        item: row.clone(),
        field: field(name).id,
        value,
    };
    let (project, item) = (board.id.clone(), row.clone());
    let status = &field("Status").options[0];
    let sprint = &field("Sprint").iterations[0];
    here.mutate(vec![
        set("Status", FieldInput::Option(status.0.clone())),
        set("Note", FieldInput::Text("short".to_owned())),
        set("Estimate", FieldInput::Number(2.5)),
        set("Due", FieldInput::Date(jiff::civil::date(2026, 12, 24))),
        set("Sprint", FieldInput::Iteration(sprint.id.clone())),
    ])
    .await
    .expect("done");
    here.item(&repo, one)
        .await
        .expect("an answer")
        .expect("an issue");
    here.project_items(&board.id, None).await.expect("rows");
    here.mutate(vec![
        Mutation::ClearField {
            project: project.clone(),
            item: item.clone(),
            field: field("Note").id,
        },
        Mutation::Archive {
            project: project.clone(),
            item: item.clone(),
        },
        Mutation::Unarchive { project, item },
        // And one that is refused, beside those that are done.
        Mutation::ClearMilestone {
            issue: "I_kwDOnobody".to_owned(),
        },
    ])
    .await
    .expect("done, or refused one by one");
    sim.requests()
}

#[tokio::test]
async fn what_our_client_asks_and_is_answered_is_githubs() {
    let world = World::new().await;
    let log = everything_is_asked(&world).await;
    let mut wrong = check_log(&log);
    wrong.extend(check_deliveries(&world.sim.deliveries()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // Nothing that is sent was left out here: the routes and the mutations.
    let routes: BTreeSet<String> = log
        .iter()
        .filter(|logged| logged.path != "/graphql")
        .filter_map(|logged| {
            let template = Rest::get().template(&logged.method, &logged.path)?;
            Some(format!("{} {template}", logged.method))
        })
        .collect();
    let expected = [
        "GET /app",
        "GET /app/hook/deliveries",
        "GET /app/installations",
        "GET /installation/repositories",
        "GET /orgs/{org}/members",
        "GET /orgs/{org}/teams/{team_slug}/members",
        "GET /repos/{owner}/{repo}/issues/{issue_number}",
        "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
        "GET /repos/{owner}/{repo}/labels/{name}",
        "GET /users/{username}",
        "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
        "POST /app/hook/deliveries/{delivery_id}/attempts",
        "POST /app/installations/{installation_id}/access_tokens",
        "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
        "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
        "POST /repos/{owner}/{repo}/issues/{issue_number}/reactions",
        "POST /repos/{owner}/{repo}/labels",
    ];
    assert_eq!(routes, expected.map(str::to_owned).into_iter().collect());
    let fields: BTreeSet<&str> = log
        .iter()
        .flat_map(|l| l.fields.iter().map(String::as_str))
        .collect();
    for field in [
        "addLabelsToLabelable",
        "addProjectV2ItemById",
        "archiveProjectV2Item",
        "clearProjectV2ItemFieldValue",
        "node",
        "organization",
        "removeLabelsFromLabelable",
        "repository",
        "unarchiveProjectV2Item",
        "updateIssue",
        "updateProjectV2ItemFieldValue",
    ] {
        assert!(fields.contains(field), "{field} was not asked: {fields:?}");
    }
}

#[tokio::test]
async fn a_wrong_key_in_any_body_is_refused_and_named() {
    let world = World::new().await;
    let log = everything_is_asked(&world).await;
    let mut bodies = 0;
    for logged in log.iter().filter(|logged| logged.body.is_object()) {
        if logged.path == "/graphql" {
            continue;
        }
        bodies += 1;
        let mut broken = logged.body.clone();
        broken["wrong_key"] = json!("x");
        let said = Rest::get().check_request(&logged.method, &logged.path, &logged.query, &broken);
        let expected = match &said[..] {
            [one] => {
                one == "body /wrong_key: is not described by GitHub"
                    || one == "body /: GitHub takes no JSON here"
            }
            _ => false,
        };
        assert!(expected, "{} {}: {said:?}", logged.method, logged.path);
        for key in logged
            .body
            .as_object()
            .into_iter()
            .flat_map(|body| body.keys())
        {
            let mut broken = logged.body.clone();
            broken[key] = json!({"of": "another type"});
            let said =
                Rest::get().check_request(&logged.method, &logged.path, &logged.query, &broken);
            let named = said
                .iter()
                .any(|what| what.starts_with(&format!("body /{key}")));
            assert!(named, "{} {}: {key}: {said:?}", logged.method, logged.path);
        }
    }
    assert!(bodies >= 6, "only {bodies} bodies");
}

#[tokio::test]
async fn wrong_variables_and_answers_of_graphql_are_refused_and_named() {
    let world = World::new().await;
    let log = everything_is_asked(&world).await;
    let find = |part: &str| {
        let found = log.iter().find(|logged| {
            logged.path == "/graphql"
                && logged.body["query"]
                    .as_str()
                    .is_some_and(|q| q.contains(part))
        });
        found.expect("asked").clone()
    };
    let checked = |body: Value, response: Value| {
        let mut logged = find("query Item(");
        (logged.body, logged.response) = (body, response);
        check_log(&[logged]).join("\n")
    };
    let good = find("query Item(");
    assert_eq!(checked(good.body.clone(), good.response.clone()), "");

    let mut body = good.body.clone();
    body["variables"]["nmuber"] = json!(1);
    assert!(
        checked(body, good.response.clone()).contains("body /variables/nmuber: is not declared")
    );
    let mut body = good.body.clone();
    body["variables"]["number"] = json!("one");
    assert!(checked(body, good.response.clone()).contains("body /variables: "));
    let mut body = good.body.clone();
    body["query"] = json!(
        good.body["query"]
            .as_str()
            .expect("a query")
            .replace("title", "tilte")
    );
    assert!(checked(body, good.response.clone()).contains("`tilte`"));

    let issue = "/data/repository/issue";
    for (field, value, said) in [
        ("/title", json!(1), "1 is no String"),
        ("/title", Value::Null, "is null, but String! never is"),
        ("/state", json!("AJAR"), "\"AJAR\" is none of IssueState"),
        (
            "/author/__typename",
            json!("Label"),
            "GitHub has no Label where Actor is",
        ),
        ("/labels/nodes", json!({}), "is no list"),
        ("/createdAt", json!("yesterday"), "is no DateTime"),
    ] {
        let mut response = good.response.clone();
        *response
            .pointer_mut(&format!("{issue}{field}"))
            .expect(field) = value;
        let found = checked(good.body.clone(), response);
        assert!(
            found.contains(said) && found.contains(issue),
            "{field}: {found}"
        );
    }
    let mut response = good.response.clone();
    let shown = response
        .pointer_mut(issue)
        .and_then(Value::as_object_mut)
        .expect("an issue");
    shown.remove("body");
    shown.insert("extra".to_owned(), json!(1));
    let found = checked(good.body, response);
    assert!(
        found.contains(&format!("{issue}/body: was asked for and is missing")),
        "{found}"
    );
    assert!(
        found.contains(&format!("{issue}/extra: was not asked for")),
        "{found}"
    );
}
