//! Recorded REST requests and answers against npm `@octokit/openapi`.

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::fetched;
use super::schema::{Problem, Schemas};

/// GitHub's description of its REST API.
pub struct Rest {
    paths: Value,
    schemas: Schemas,
}

/// Answers that any route may give and the description lists for some only, with the reason.
/// Their bodies are checked against `basic-error`.
const ANYWHERE: &[(u16, &str)] = &[
    (
        400,
        "a body that is no JSON: \"Troubleshooting the REST API\", client errors",
    ),
    (401, "bad credentials: \"Authenticating to the REST API\""),
    (
        403,
        "forbidden, or a rate limit: \"Rate limits for the REST API\"",
    ),
    (
        404,
        "not there, or not for this token: \"Troubleshooting the REST API\"",
    ),
    (
        422,
        "a value that is no good: \"Troubleshooting the REST API\", validation failed",
    ),
    (429, "a rate limit: \"Rate limits for the REST API\""),
];

/// Where the description does not say what GitHub does.
pub struct Exception {
    /// Method and template, or `*` for all.
    pub route: &'static str,
    /// A part of what is said of an answer.
    pub part: &'static str,
    pub reason: &'static str,
}

/// All of them.
pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        route: "GET /app/installations",
        part: "/client_id: is not described",
        reason: "described for a single installation only; GitHub sends it in the list too",
    },
    Exception {
        route: "GET /app/installations",
        part: "/account: {",
        reason: "the list asks an account to be a user and an enterprise at once (`allOf`); the \
                 single installation's description says `anyOf`",
    },
    Exception {
        route: "GET /app/installations",
        part: "/account/user_view_type: is not described",
        reason: "the list has its own, older description of an account",
    },
    Exception {
        route: "*",
        part: "answer 422 /status: is not described",
        reason: "GitHub's errors carry their status; only `basic-error` says so, \
                 `validation-error` does not",
    },
];

/// One route of the description, for one request.
struct Found<'d> {
    template: &'d str,
    operation: &'d Value,
    /// The values of the template's parameters, decoded.
    values: Vec<(&'d str, String)>,
}

impl Rest {
    /// The description, read once.
    pub fn get() -> &'static Self {
        static REST: OnceLock<Rest> = OnceLock::new();
        REST.get_or_init(|| {
            let mut description = fetched::json("rest.json");
            Self {
                schemas: Schemas::of(&description),
                paths: description["paths"].take(),
            }
        })
    }

    /// Everything wrong with a request: unknown route or method, parameters, query, body.
    pub fn check_request(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: &Value,
    ) -> Vec<String> {
        let found = match self.find(method, path) {
            Ok(found) => found,
            Err(problem) => return vec![problem],
        };
        let key = format!("{method} {}", found.template);
        let mut wrong = Vec::new();
        let asked = pairs(query);
        for parameter in self.parameters(&found) {
            let (Some(name), Some(place)) = (parameter["name"].as_str(), parameter["in"].as_str())
            else {
                continue;
            };
            let given = match place {
                "path" => found
                    .values
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, v)| v),
                "query" => asked
                    .iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, v)| v),
                _ => continue,
            };
            match given {
                Some(text) => {
                    let key = format!("{key} {name}");
                    let schema = &parameter["schema"];
                    let value = self.read(schema, text);
                    let found = self.schemas.check(&key, schema, &value);
                    wrong.extend(
                        found
                            .iter()
                            .map(|p| format!("{place} parameter {name}: {}", p.what)),
                    );
                }
                None if parameter["required"] == true => {
                    wrong.push(format!("{place} parameter {name}: is missing"));
                }
                None => {}
            }
        }
        for (name, _) in &asked {
            let known = self
                .parameters(&found)
                .any(|parameter| parameter["in"] == "query" && parameter["name"] == name.as_str());
            if !known {
                wrong.push(format!(
                    "query parameter {name}: is not described by GitHub"
                ));
            }
        }
        wrong.extend(
            self.check_body(&key, &found, body)
                .iter()
                .map(|p| format!("body {p}")),
        );
        wrong
    }

    fn check_body(&self, key: &str, found: &Found<'_>, body: &Value) -> Vec<Problem> {
        let described = self.schemas.resolve(&found.operation["requestBody"]);
        let problem = |what: &str| {
            vec![Problem {
                path: String::new(),
                what: what.to_owned(),
            }]
        };
        match described.pointer("/content/application~1json/schema") {
            // An empty object says nothing, and GitHub reads nothing.
            None if body.is_null() || *body == json!({}) => Vec::new(),
            None => problem("GitHub takes no JSON here"),
            Some(_) if body.is_null() => {
                if described["required"] == true {
                    problem("is missing")
                } else {
                    Vec::new()
                }
            }
            Some(schema) => self.schemas.check(&format!("{key} body"), schema, body),
        }
    }

    /// Everything wrong with an answer, the exceptions apart; a body is null where there is none.
    pub fn check_response(
        &self,
        method: &str,
        path: &str,
        status: u16,
        body: &Value,
    ) -> Vec<String> {
        let mut wrong = self.check_strictly(method, path, status, body);
        wrong.retain(|what| self.exception(method, path, what).is_none());
        wrong
    }

    /// The exception that speaks of this problem.
    pub fn exception(&self, method: &str, path: &str, what: &str) -> Option<&'static Exception> {
        let route = format!("{method} {}", self.template(method, path)?);
        EXCEPTIONS
            .iter()
            .filter(|known| known.route == route || known.route == "*")
            .find(|known| what.contains(known.part))
    }

    /// As [`Rest::check_response`], the exceptions included.
    pub fn check_strictly(
        &self,
        method: &str,
        path: &str,
        status: u16,
        body: &Value,
    ) -> Vec<String> {
        let found = match self.find(method, path) {
            Ok(found) => found,
            Err(problem) => return vec![problem],
        };
        let basic = json!({"$ref": "#/components/schemas/basic-error"});
        let key = format!("{method} {} {status}", found.template);
        let described = found.operation["responses"].get(status.to_string());
        let schema = match described.map(|described| self.schemas.resolve(described)) {
            Some(described) => described.pointer("/content/application~1json/schema"),
            None if ANYWHERE.iter().any(|(known, _)| *known == status) => Some(&basic),
            None => return vec![format!("answer {status}: is not described by GitHub")],
        };
        let problems = match schema {
            Some(schema) => self.schemas.check(&key, schema, body),
            None if body.is_null() => Vec::new(),
            None => vec![Problem {
                path: String::new(),
                what: "GitHub answers without a body".to_owned(),
            }],
        };
        problems
            .iter()
            .map(|problem| format!("answer {status} {problem}"))
            .collect()
    }

    /// The template of a route.
    pub fn template(&self, method: &str, path: &str) -> Option<String> {
        Some(self.find(method, path).ok()?.template.to_owned())
    }

    fn parameters<'d>(&'d self, found: &Found<'d>) -> impl Iterator<Item = &'d Value> {
        let list = found.operation["parameters"].as_array();
        list.into_iter()
            .flatten()
            .map(|parameter| self.schemas.resolve(parameter))
    }

    fn find(&self, method: &str, path: &str) -> Result<Found<'_>, String> {
        let wanted = method.to_lowercase();
        let mut best: Option<(Vec<bool>, Found<'_>)> = None;
        let mut other_methods = Vec::new();
        for (template, operations) in self.paths.as_object().into_iter().flatten() {
            let Some(values) = matches(template, path, |name| self.holds_slashes(operations, name))
            else {
                continue;
            };
            let Some(operation) = operations.get(&wanted) else {
                other_methods.extend(operations.as_object().into_iter().flat_map(|o| o.keys()));
                continue;
            };
            // Of two that match, the one with the earlier fixed part: `/issues/comments` is not
            // an issue's number.
            let fixed: Vec<bool> = template
                .split('/')
                .map(|part| !part.starts_with('{'))
                .collect();
            if best.as_ref().is_none_or(|(known, _)| *known < fixed) {
                best = Some((
                    fixed,
                    Found {
                        template,
                        operation,
                        values,
                    },
                ));
            }
        }
        match best {
            Some((_, found)) => Ok(found),
            None if other_methods.is_empty() => Err("GitHub has no such path".to_owned()),
            None => Err(format!(
                "GitHub has no {method} here, only {other_methods:?}"
            )),
        }
    }

    fn holds_slashes(&self, operations: &Value, name: &str) -> bool {
        let all = operations.as_object().into_iter().flat_map(|o| o.values());
        all.filter_map(|operation| operation["parameters"].as_array())
            .flatten()
            .map(|parameter| self.schemas.resolve(parameter))
            .any(|parameter| parameter["name"] == name && parameter["x-multi-segment"] == true)
    }

    /// A parameter's text as the JSON its schema speaks of.
    fn read(&self, schema: &Value, text: &str) -> Value {
        let schema = self.schemas.resolve(schema);
        let kinds: Vec<&Value> = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().collect(),
            Value::Null => ["oneOf", "anyOf"]
                .iter()
                .filter_map(|key| schema[*key].as_array())
                .flatten()
                .map(|part| &self.schemas.resolve(part)["type"])
                .collect(),
            kind => vec![kind],
        };
        let has = |kind: &str| kinds.iter().any(|known| *known == kind);
        let number = text
            .parse::<i64>()
            .ok()
            .filter(|_| has("integer") || has("number"));
        let truth = text.parse::<bool>().ok().filter(|_| has("boolean"));
        match (number, truth) {
            (Some(number), _) => number.into(),
            (_, Some(truth)) => truth.into(),
            _ if has("array") => text
                .split(',')
                .map(|part| Value::from(part.to_owned()))
                .collect(),
            _ => text.into(),
        }
    }
}

/// The values of a template's parameters, if the path is one of it.
fn matches<'t>(
    template: &'t str,
    path: &str,
    holds_slashes: impl Fn(&str) -> bool,
) -> Option<Vec<(&'t str, String)>> {
    let mut values = Vec::new();
    let mut given = path.split('/');
    let mut wanted = template.split('/').peekable();
    while let Some(part) = wanted.next() {
        let here = given.next()?;
        match part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
        {
            Some(name) if wanted.peek().is_none() && holds_slashes(name) => {
                let rest: Vec<&str> = std::iter::once(here).chain(given.by_ref()).collect();
                values.push((name, decoded(&rest.join("/"))));
            }
            Some(name) if !here.is_empty() => values.push((name, decoded(here))),
            Some(_) => return None,
            None if part == here => {}
            None => return None,
        }
    }
    given.next().is_none().then_some(values)
}

fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(&value.replace('+', " ")))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let code: Option<String> =
            (byte == b'%').then(|| rest.clone().take(2).map(char::from).collect());
        match code.and_then(|code| u8::from_str_radix(&code, 16).ok()) {
            Some(coded) => {
                bytes.push(coded);
                rest.nth(1);
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
