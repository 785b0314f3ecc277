//! The validators themselves: what is wrong is seen, and said with its path.

use serde_json::{Value, json};

use crate::published::fetched;
use crate::published::rest::Rest;
use crate::published::schema::{Problem, Schemas};

#[test]
#[should_panic(expected = "run tests/setup.sh")]
fn a_file_that_was_not_fetched_is_a_failure() {
    fetched::text("never-fetched.json");
}

fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let description = json!({"components": {"schemas": {
        "name": {"type": "string", "nullable": true},
        "kind": {"type": "string", "nullable": true, "enum": ["a"]},
        "person": {
            "type": "object",
            "properties": {"name": {"$ref": "#/components/schemas/name"}, "nullable": {"type": "integer"}},
            "required": ["name"],
        },
    }}});
    let found = Schemas::of(&description).check("test", schema, value);
    found.iter().map(Problem::to_string).collect()
}

#[test]
fn nullable_is_the_type_null() {
    let name = json!({"$ref": "#/components/schemas/name"});
    let kind = json!({"$ref": "#/components/schemas/kind"});
    let either = json!({"nullable": true, "allOf": [{"$ref": "#/components/schemas/person"}]});
    for schema in [&name, &kind, &either] {
        assert_eq!(problems(schema, &Value::Null), [""; 0]);
    }
    assert_eq!(
        problems(&name, &json!(1)),
        ["/: 1 is not of types \"null\", \"string\""]
    );
    assert_eq!(
        problems(&kind, &json!("b")),
        ["/: \"b\" is not one of \"a\" or null"]
    );
}

#[test]
fn a_property_called_nullable_is_a_property() {
    let person = json!({"$ref": "#/components/schemas/person"});
    assert_eq!(
        problems(&person, &json!({"name": null, "nullable": 1})),
        [""; 0]
    );
    let wrong = problems(&person, &json!({"name": null, "nullable": "x"}));
    assert_eq!(wrong, ["/nullable: \"x\" is not of type \"integer\""]);
}

#[test]
fn missing_and_undescribed_keys_are_named_with_their_path() {
    let people = json!({"type": "array", "items": {"oneOf": [
        {"type": "string"}, {"$ref": "#/components/schemas/person"},
    ]}});
    assert_eq!(problems(&people, &json!(["x", {"name": "y"}])), [""; 0]);
    assert_eq!(
        problems(&people, &json!([{"name": "y", "nmae": "z"}])),
        ["/0/nmae: is not described by GitHub"]
    );
    let person = json!({"$ref": "#/components/schemas/person"});
    assert_eq!(
        problems(&person, &json!({})),
        ["/: \"name\" is a required property"]
    );
}

#[test]
fn what_says_nothing_of_its_keys_is_open() {
    let open = json!({"type": "object"});
    let typed = json!({"type": "object", "additionalProperties": {"type": "integer"}});
    assert_eq!(problems(&open, &json!({"any": 1})), [""; 0]);
    assert_eq!(problems(&typed, &json!({"any": 1})), [""; 0]);
    assert_eq!(
        problems(&typed, &json!({"any": "x"})),
        ["/any: \"x\" is not of type \"integer\""]
    );
}

fn asked(method: &str, path: &str, query: &str, body: &Value) -> Vec<String> {
    Rest::get().check_request(method, path, query, body)
}

#[test]
fn what_github_does_not_have_is_refused() {
    let null = Value::Null;
    let said = asked("GET", "/repos/acme/widgets/tickets", "", &null);
    assert_eq!(said, ["GitHub has no such path"]);
    // What octocrab's `update_comment` sends.
    let said = asked(
        "POST",
        "/repos/acme/widgets/issues/comments/7",
        "",
        &json!({"body": "x"}),
    );
    assert_eq!(said.len(), 1);
    assert!(
        said[0].starts_with("GitHub has no POST here, only "),
        "{said:?}"
    );
    let comment = "/repos/acme/widgets/issues/comments/7";
    assert_eq!(asked("PATCH", comment, "", &json!({"body": "x"})), [""; 0]);
    assert_eq!(
        asked("PATCH", comment, "", &json!({})),
        ["body /: \"body\" is a required property"]
    );
    assert_eq!(asked("PATCH", comment, "", &null), ["body /: is missing"]);
}

#[test]
fn parameters_of_path_and_query_are_checked() {
    let null = Value::Null;
    let issues = "/repos/acme/widgets/issues";
    let good = "state=all&per_page=100&since=2026-11-20T10%3A00%3A00Z&labels=a,b%20c";
    assert_eq!(asked("GET", issues, good, &null), [""; 0]);
    assert_eq!(
        asked(
            "GET",
            issues,
            "state=ajar&per_page=many&sotr=updated",
            &null
        ),
        [
            "query parameter state: \"ajar\" is not one of \"open\", \"closed\" or \"all\"",
            "query parameter per_page: \"many\" is not of type \"integer\"",
            "query parameter sotr: is not described by GitHub",
        ]
    );
    assert_eq!(
        asked("GET", &format!("{issues}/seven"), "", &null),
        ["path parameter issue_number: \"seven\" is not of type \"integer\""]
    );
}

#[test]
fn the_more_telling_template_wins_and_files_have_slashes() {
    let rest = Rest::get();
    assert_eq!(
        rest.template("GET", "/repos/acme/widgets/issues/comments")
            .as_deref(),
        Some("/repos/{owner}/{repo}/issues/comments")
    );
    assert_eq!(
        rest.template("GET", "/repos/acme/widgets/contents/rules/a.yaml")
            .as_deref(),
        Some("/repos/{owner}/{repo}/contents/{path}")
    );
    assert_eq!(rest.template("GET", "/repos/acme/widgets/labels/a/b"), None);
}

#[test]
fn answers_are_checked_by_their_status() {
    let rest = Rest::get();
    let check = |status, body: &Value| {
        rest.check_response(
            "DELETE",
            "/repos/acme/widgets/issues/7/labels/bug",
            status,
            body,
        )
    };
    assert_eq!(check(200, &json!([])), [""; 0]);
    assert_eq!(
        check(404, &json!({"message": "Not Found", "status": "404"})),
        [""; 0]
    );
    assert_eq!(
        check(202, &Value::Null),
        ["answer 202: is not described by GitHub"]
    );
    let said = check(200, &json!([{"name": 1}]));
    assert!(
        said.iter()
            .any(|what| what.starts_with("answer 200 /0/name: ")),
        "{said:?}"
    );
}
