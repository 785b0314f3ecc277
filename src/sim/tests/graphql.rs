//! GraphQL: what the bot sends, what GitHub refuses, and boards.

use serde_json::{Value, json};

use super::bench::{BOARD, Bench, REPO, Reply};
use crate::sim::graphql::Prepared;

const ITEM: &str = include_str!("../../github/graphql/item.graphql");
const ITEM_BY_NODE: &str = include_str!("../../github/graphql/item_by_node.graphql");
const ITEM_FIELDS: &str = concat!(
    include_str!("../../github/graphql/item_fields.graphql"),
    include_str!("../../github/graphql/issue_fields.graphql"),
);
const LABELS: &str = include_str!("../../github/graphql/labels.graphql");
const PROJECT: &str = include_str!("../../github/graphql/project.graphql");

impl Bench {
    async fn ask(&self, query: &str, variables: Value) -> Reply {
        let reply = self
            .post("/graphql", json!({"query": query, "variables": variables}))
            .await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply
    }

    async fn data(&self, query: &str, variables: Value) -> Value {
        let reply = self.ask(query, variables).await;
        assert!(reply.json["errors"].is_null(), "{:#}", reply.json);
        reply.json["data"].clone()
    }

    fn open(&self) -> u64 {
        self.sim
            .open_issue("maria", REPO, "Please add RStudio", "We teach R.", &["bug"])
            .expect("opens")
    }

    async fn item(&self, number: u64) -> Value {
        let query = format!("{ITEM}\n{ITEM_FIELDS}");
        let variables = json!({"owner": "2i2c-org", "name": "initiatives", "number": number});
        self.data(&query, variables).await["repository"]["issue"].clone()
    }

    async fn board(&self) -> Value {
        let variables = json!({"org": "2i2c-org", "number": 57});
        self.data(PROJECT, variables).await["organization"]["projectV2"].clone()
    }
}

fn field<'v>(board: &'v Value, name: &str) -> &'v Value {
    let fields = board["fields"]["nodes"].as_array().expect("fields");
    fields
        .iter()
        .find(|f| f["name"] == name)
        .expect("the field")
}

#[tokio::test]
async fn the_bots_own_documents_are_answered() {
    let bench = Bench::new().await;
    let n = bench.open();
    let item = bench.item(n).await;
    assert_eq!(item["title"], "Please add RStudio");
    assert_eq!(item["author"]["__typename"], "User");
    assert!(item["author"]["databaseId"].is_u64());
    assert_eq!(item["labels"]["nodes"][0]["name"], "bug");
    assert_eq!(item["repository"]["nameWithOwner"], REPO);
    assert_eq!(item["projectItems"]["nodes"], json!([]));
    assert!(item["fullDatabaseId"].is_string(), "a BigInt is text");

    let query = format!("{ITEM_BY_NODE}\n{ITEM_FIELDS}");
    let again = bench.data(&query, json!({"id": item["id"]})).await;
    assert_eq!(again["node"]["number"], n);
    assert_eq!(again["rateLimit"]["cost"], 1);
    let labels = bench
        .data(LABELS, json!({"owner": "2i2c-org", "name": "initiatives"}))
        .await;
    assert_eq!(
        labels["repository"]["labels"]["nodes"][1]["name"],
        "kind/feature"
    );
    let board = bench.board().await;
    assert_eq!(board["number"], 57);
    assert_eq!(field(&board, "Status")["options"][1]["name"], "In flight");
    let iterations = &field(&board, "Iteration")["configuration"];
    assert_eq!(iterations["completedIterations"][0]["title"], "I1");
    assert_eq!(iterations["iterations"][0]["title"], "I2");
    let last = bench.sim.requests().pop().expect("a request");
    assert_eq!(last.operation.as_deref(), Some("Project"));
    assert!(!last.is_write);
}

#[tokio::test]
async fn an_unknown_node_is_null_and_says_so() {
    let bench = Bench::new().await;
    let query = format!("{ITEM_BY_NODE}\n{ITEM_FIELDS}");
    let reply = bench.ask(&query, json!({"id": "I_kwDOnothing"})).await;
    assert!(reply.json["data"]["node"].is_null());
    let error = &reply.json["errors"][0];
    assert_eq!(error["type"], "NOT_FOUND");
    assert_eq!(error["path"], json!(["node"]));
    assert!(error["locations"][0]["line"].is_u64());
}

const WRITE: &str = "mutation Write($i0: AddLabelsToLabelableInput!, $i1: AddProjectV2ItemByIdInput!, $i2: AddCommentInput!) {
  m0: addLabelsToLabelable(input: $i0) { labelable { ... on Issue { updatedAt labels(first: 100) { nodes { id name } } } } }
  m1: addProjectV2ItemById(input: $i1) { item { id } }
  m2: addComment(input: $i2) { commentEdge { node { databaseId fullDatabaseId body } } }
}";

#[tokio::test]
async fn several_mutations_run_in_order_and_fail_one_by_one() {
    let bench = Bench::new().await;
    let n = bench.open();
    bench.hooks().await;
    let issue = bench.item(n).await["id"].clone();
    let board = bench.board().await["id"].clone();
    let labels = bench
        .data(LABELS, json!({"owner": "2i2c-org", "name": "initiatives"}))
        .await;
    let feature = labels["repository"]["labels"]["nodes"][1]["id"].clone();
    let variables = json!({
        "i0": {"labelableId": issue, "labelIds": [feature]},
        "i1": {"projectId": "PVT_wrong", "contentId": issue},
        "i2": {"subjectId": issue, "body": "Thank you"},
    });
    let reply = bench.ask(WRITE, variables).await;
    let data = &reply.json["data"];
    assert_eq!(
        data["m0"]["labelable"]["labels"]["nodes"][1]["name"],
        "kind/feature"
    );
    assert!(data["m1"].is_null());
    assert_eq!(data["m2"]["commentEdge"]["node"]["body"], "Thank you");
    assert_eq!(reply.json["errors"].as_array().map(Vec::len), Some(1));
    assert_eq!(reply.json["errors"][0]["path"], json!(["m1"]));
    assert_eq!(reply.json["errors"][0]["type"], "NOT_FOUND");
    assert_eq!(
        bench.hook_names().await,
        ["issues.labeled", "issue_comment.created"]
    );

    // Right this time; and asked again, the row is the same one.
    let variables = json!({
        "i0": {"labelableId": issue, "labelIds": [feature]},
        "i1": {"projectId": board, "contentId": issue},
        "i2": {"subjectId": issue, "body": "Again"},
    });
    let first = bench.data(WRITE, variables.clone()).await;
    let second = bench.data(WRITE, variables).await;
    assert_eq!(first["m1"]["item"]["id"], second["m1"]["item"]["id"]);
    assert_eq!(
        bench.hook_names().await,
        [
            "projects_v2_item.created",
            "issue_comment.created",
            "issue_comment.created"
        ]
    );
    let write = bench.sim.writes().pop().expect("a write");
    assert_eq!(
        write.fields,
        ["addLabelsToLabelable", "addProjectV2ItemById", "addComment"]
    );
    assert!(write.content);
}

const SET: &str = "mutation Set($i0: UpdateProjectV2ItemFieldValueInput!) {
  m0: updateProjectV2ItemFieldValue(input: $i0) { projectV2Item { id updatedAt } }
}";

#[tokio::test]
async fn fields_of_every_kind_are_set_and_told() {
    let bench = Bench::new().await;
    let n = bench.open();
    bench
        .sim
        .add_to_project("jim", BOARD, REPO, n)
        .expect("adds");
    bench.hooks().await;
    let board = bench.board().await;
    let item = bench.item(n).await["projectItems"]["nodes"][0]["id"].clone();
    let status = field(&board, "Status");
    let iteration = field(&board, "Iteration");
    for (name, value, shown, to) in [
        (
            "Status",
            json!({"singleSelectOptionId": status["options"][1]["id"]}),
            "In flight",
            json!("In flight"),
        ),
        ("Estimate", json!({"number": 3}), "3", json!(3)),
        ("Note", json!({"text": "soon"}), "soon", json!("soon")),
        (
            "End date",
            json!({"date": "2026-12-01"}),
            "2026-12-01",
            json!("2026-12-01T00:00:00+00:00"),
        ),
        (
            "Iteration",
            json!({"iterationId": iteration["configuration"]["iterations"][0]["id"]}),
            "I2",
            json!("I2"),
        ),
    ] {
        let id = &field(&board, name)["id"];
        let input =
            json!({"projectId": board["id"], "itemId": item, "fieldId": id, "value": value});
        bench.data(SET, json!({"i0": input})).await;
        let card = bench.sim.card("2i2c-org", 57, REPO, n).expect("a card");
        assert_eq!(card.fields[name], shown);
        let hooks = bench.hooks().await;
        let change = &hooks[0].json["changes"]["field_value"];
        assert_eq!(&change["field_node_id"], id);
        assert_eq!(change["project_number"], 57);
        assert!(change["from"].is_null());
        let name_or_title = change["to"].get("name").or(change["to"].get("title"));
        assert_eq!(name_or_title.unwrap_or(&change["to"]), &to, "{name}");
        assert_eq!(hooks[0].json["projects_v2_item"]["node_id"], item);
        // The same again is no change.
        let input =
            json!({"projectId": board["id"], "itemId": item, "fieldId": id, "value": value});
        bench.data(SET, json!({"i0": input})).await;
        assert!(bench.hooks().await.is_empty());
    }
    // By hand, with from and to.
    bench
        .sim
        .move_card("jim", BOARD, (REPO, n), "Done")
        .expect("moves");
    let hooks = bench.hooks().await;
    let change = &hooks[0].json["changes"]["field_value"];
    assert_eq!(change["from"]["name"], "In flight");
    assert_eq!(change["to"]["name"], "Done");
    assert_eq!(hooks[0].json["sender"]["login"], "jim");
    let seen = bench.item(n).await;
    let values = seen["projectItems"]["nodes"][0]["fieldValues"]["nodes"]
        .as_array()
        .expect("values");
    let done = values.iter().find(|v| v["field"]["name"] == "Status");
    assert_eq!(done.expect("a status")["name"], "Done");
}

#[tokio::test]
async fn a_value_must_fit_its_field() {
    let bench = Bench::new().await;
    let n = bench.open();
    bench
        .sim
        .add_to_project("jim", BOARD, REPO, n)
        .expect("adds");
    let board = bench.board().await;
    let item = bench.item(n).await["projectItems"]["nodes"][0]["id"].clone();
    for (name, value) in [
        ("Status", json!({"singleSelectOptionId": "ffffffff"})),
        ("Status", json!({"text": "Done"})),
        ("Estimate", json!({})),
        ("Title", json!({"text": "new"})),
    ] {
        let id = &field(&board, name)["id"];
        let input =
            json!({"projectId": board["id"], "itemId": item, "fieldId": id, "value": value});
        let reply = bench.ask(SET, json!({"i0": input})).await;
        assert!(reply.json["data"]["m0"].is_null(), "{name} {value}");
        assert_eq!(reply.json["errors"][0]["type"], "UNPROCESSABLE");
    }
}

#[tokio::test]
async fn rows_are_archived_restored_and_deleted() {
    let bench = Bench::new().await;
    let n = bench.open();
    let m = bench.open();
    for number in [n, m] {
        bench
            .sim
            .add_to_project("jim", BOARD, REPO, number)
            .expect("adds");
    }
    bench.hooks().await;
    let board = bench.board().await["id"].clone();
    let item = bench.item(n).await["projectItems"]["nodes"][0]["id"].clone();
    let query = "mutation($a: ArchiveProjectV2ItemInput!, $u: UnarchiveProjectV2ItemInput!, $d: DeleteProjectV2ItemInput!, $go: Boolean!) {
        archiveProjectV2Item(input: $a) { item { isArchived } }
        unarchiveProjectV2Item(input: $u) @include(if: $go) { item { isArchived } }
        deleteProjectV2Item(input: $d) @skip(if: $go) { deletedItemId }
    }";
    let input = json!({"projectId": board, "itemId": item});
    let variables = |go: bool| json!({"a": input, "u": input, "d": input, "go": go});
    let data = bench.data(query, variables(true)).await;
    // Each is answered with what stood there right after it.
    assert_eq!(data["archiveProjectV2Item"]["item"]["isArchived"], true);
    assert_eq!(data["unarchiveProjectV2Item"]["item"]["isArchived"], false);
    assert!(data.get("deleteProjectV2Item").is_none());
    let data = bench.data(query, variables(false)).await;
    assert_eq!(data["deleteProjectV2Item"]["deletedItemId"], item);
    assert_eq!(
        bench.hook_names().await,
        [
            "projects_v2_item.archived",
            "projects_v2_item.restored",
            "projects_v2_item.archived",
            "projects_v2_item.deleted"
        ]
    );
    assert!(bench.sim.card("2i2c-org", 57, REPO, n).is_none());
    bench.sim.to_top("jim", BOARD, (REPO, m)).expect("moves");
    assert_eq!(bench.hook_names().await, ["projects_v2_item.reordered"]);
}

#[tokio::test]
async fn pages_follow_cursors() {
    let bench = Bench::new().await;
    for n in 0..7 {
        bench
            .sim
            .create_label("jim", REPO, &format!("l{n}"))
            .expect("makes it");
    }
    let query = "query($after: String) { repository(owner: \"2i2c-org\", name: \"initiatives\") {
        labels(first: 4, after: $after) { totalCount nodes { name } pageInfo { hasNextPage endCursor } } } }";
    let mut names = Vec::new();
    let mut after = Value::Null;
    for pages in 1.. {
        assert!(pages < 4, "it must end");
        let data = bench.data(query, json!({"after": after})).await;
        let labels = &data["repository"]["labels"];
        assert_eq!(labels["totalCount"], 9);
        let nodes = labels["nodes"].as_array().expect("nodes");
        names.extend(nodes.iter().map(|label| label["name"].clone()));
        after = labels["pageInfo"]["endCursor"].clone();
        if labels["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(names.len(), 9);
    let reply = bench.ask(query, json!({"after": "garbage"})).await;
    assert_eq!(reply.json["errors"][0]["type"], "UNPROCESSABLE");
}

#[tokio::test]
async fn a_private_repository_is_not_found_by_strangers() {
    let bench = Bench::new().await;
    bench.sim.org("elsewhere", 77);
    bench
        .sim
        .repository("elsewhere", "closed", true, &[])
        .expect("a repository");
    bench.sim.user("eve");
    let n = bench
        .sim
        .open_issue("eve", "elsewhere/closed", "secret", "", &[])
        .expect("opens");
    let node = bench
        .sim
        .issue("elsewhere/closed", n)
        .expect("is there")
        .node_id;
    let query = "query($id: ID!) { node(id: $id) { id } repository(owner: \"elsewhere\", name: \"closed\") { name } }";
    let reply = bench.ask(query, json!({"id": node})).await;
    assert_eq!(
        reply.json["data"],
        json!({"node": null, "repository": null})
    );
    assert_eq!(reply.json["errors"][1]["type"], "NOT_FOUND");
}

#[test]
fn documents_that_github_would_refuse_are_refused() {
    for (query, variables, code) in [
        ("{ viewer { logn } }", json!({}), "undefinedField"),
        ("{ viewer }", json!({}), "selectionMismatch"),
        ("{ viewer { login { x } } }", json!({}), "selectionMismatch"),
        ("{ node { id } }", json!({}), "missingRequiredArguments"),
        (
            "{ node(id: \"x\", ix: 1) { id } }",
            json!({}),
            "argumentNotAccepted",
        ),
        (
            "{ node(id: [1]) { id } }",
            json!({}),
            "argumentLiteralsIncompatible",
        ),
        ("{ node(id: $id) { id } }", json!({}), "variableNotDefined"),
        (
            "query($id: String) { node(id: $id) { id } }",
            json!({"id": "x"}),
            "variableMismatch",
        ),
        (
            "query($id: ID) { viewer { id } }",
            json!({}),
            "variableNotUsed",
        ),
        (
            "query($id: Idea) { node(id: $id) { id } }",
            json!({}),
            "variableRequiresValidType",
        ),
        (
            "{ viewer { ... on Issue { id } } }",
            json!({}),
            "cannotSpreadFragment",
        ),
        (
            "{ viewer { ... on Person { id } } }",
            json!({}),
            "undefinedType",
        ),
        ("{ viewer { ...F } }", json!({}), "useAndDefineFragment"),
        (
            "{ viewer { id } } fragment F on User { id }",
            json!({}),
            "useAndDefineFragment",
        ),
        (
            "{ viewer { ...F } } fragment F on User { ...F }",
            json!({}),
            "infiniteLoop",
        ),
        ("{ viewer @live { id } }", json!({}), "undefinedDirective"),
        (
            "subscription { x }",
            json!({}),
            "missingSubscriptionConfiguration",
        ),
    ] {
        let prepared = Prepared::read(&json!({"query": query, "variables": variables}));
        let codes: Vec<&str> = prepared
            .errors
            .iter()
            .filter_map(|error| error["extensions"]["code"].as_str())
            .collect();
        assert!(codes.contains(&code), "{query}: {:?}", prepared.errors);
    }
    let wrong = json!({"query": "query($id: ID!) { node(id: $id) { id } }", "variables": {}});
    let message = Prepared::read(&wrong).errors[0]["message"].to_string();
    assert!(message.contains("was provided invalid value"), "{message}");
}

#[test]
fn connections_have_bounds_and_cost_points() {
    let labels = |args: &str| {
        let query = format!(
            "{{ repository(owner: \"o\", name: \"n\") {{ issues(first: 100) {{ nodes {{ labels{args} {{ nodes {{ name }} }} }} }} }} }}"
        );
        Prepared::read(&json!({"query": query}))
    };
    for (args, kind) in [
        ("", "MISSING_PAGINATION_BOUNDARIES"),
        ("(first: 101)", "EXCESSIVE_PAGINATION"),
        ("(first: 0)", "INVALID_PAGINATION"),
    ] {
        assert_eq!(labels(args).errors[0]["type"], kind, "{args}");
    }
    // 1 request for the issues and 100 for their labels.
    assert_eq!(labels("(first: 10)").cost, 1);
    assert_eq!(labels("(first: 10)").nodes, 1100);
    let deep = "{ organization(login: \"o\") { projectsV2(first: 100) { nodes { items(first: 100) { nodes { fieldValues(first: 51) { nodes { __typename } } } } } } } }";
    let deep = Prepared::read(&json!({"query": deep}));
    assert_eq!(deep.errors[0]["type"], "MAX_NODE_LIMIT_EXCEEDED");
    assert_eq!(deep.cost, 101);
}

#[tokio::test]
async fn a_duplicate_is_told_to_those_who_ask_for_it() {
    let bench = Bench::new().await;
    let n = bench.open();
    let id = bench.sim.issue(REPO, n).expect("is there").node_id;
    let query = "mutation($input: CloseIssueInput!) { closeIssue(input: $input) {
        issue { state old: stateReason new: stateReason(enableDuplicate: true) } } }";
    let input = json!({"issueId": id, "stateReason": "DUPLICATE"});
    let data = bench.data(query, json!({"input": input})).await;
    assert_eq!(
        data["closeIssue"]["issue"],
        json!({"state": "CLOSED", "old": "NOT_PLANNED", "new": "DUPLICATE"})
    );
    let query = "mutation($id: ID!) {
        updateIssue(input: {id: $id, milestoneId: null, state: OPEN}) { issue { state milestone { title } } } }";
    let data = bench.data(query, json!({"id": id})).await;
    assert_eq!(data["updateIssue"]["issue"]["state"], "OPEN");
}
