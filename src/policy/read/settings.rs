//! Templates, score, commands, digest: what stands around the principles.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::ids::RepoName;
use crate::policy::diagnostic::{Source, suggest};
use crate::policy::expr::witness::looks_through;
use crate::policy::expr::{Expect, Schema, Slot, Type};
use crate::policy::model::{Attribute, Digest, Driver, Role, SHORTHANDS, Shorthand, Unauthorised};
use crate::policy::template::{Part, RawPart, Template, split};
use crate::policy::yaml::{Kind, Node};
use crate::triage::ledger::{ASSIGNEES, MILESTONE};

use super::vocabulary::{Entries, identifier};
use super::{Reader, kpis};

/// Commands that are not attributes. An attribute may not hide one.
pub const COMMANDS: &[&str] = &[
    "apply",
    "cofund",
    "community",
    "critical",
    "duplicate",
    "help",
    "kpi",
    "override",
    "park",
    "promote",
    "release",
    "score",
    "similar",
    "snooze",
    "undo",
    "why",
];

/// Templates of `templates:` and of the `*.md` files among the sources (the key is the file's
/// name without `.md`).
pub fn templates(
    r: &mut Reader<'_>,
    entries: &Entries<'_>,
    sources: &[Source],
    attributes: &IndexMap<String, Attribute>,
    schema: &Schema,
) -> IndexMap<String, Template> {
    let internal = internal(attributes);
    let mut out: IndexMap<String, Template> = IndexMap::new();
    for (key, node) in entries {
        let id = key.text().unwrap_or_default().to_owned();
        let Some(text) = r.text(node, "a template") else {
            continue;
        };
        let parts = resolve(r, text, schema, &internal, &mut |r, span, message, help| {
            let span = node.locate(r.source(node.file), span);
            r.error_at("bad-placeholder", node.file, span, message, help);
        });
        out.insert(id.clone(), Template { key: id, parts });
    }
    for (file, source) in sources.iter().enumerate() {
        let Some(stem) = source.path.strip_suffix(".md") else {
            continue;
        };
        let id = stem.rsplit('/').next().unwrap_or(stem).to_owned();
        if let Some(first) = entries.iter().find(|(k, _)| k.text() == Some(&id)) {
            let place = r.place(first.0);
            r.error_at(
                "duplicate-id",
                file,
                0..0,
                format!("the template `{id}` is already at {place}"),
                None,
            );
            continue;
        }
        if out.contains_key(&id) {
            r.error_at(
                "duplicate-id",
                file,
                0..0,
                format!("two files hold the template `{id}`"),
                None,
            );
            continue;
        }
        let parts = resolve(
            r,
            &source.text,
            schema,
            &internal,
            &mut |r, span, message, help| {
                r.error_at("bad-placeholder", file, span, message, help);
            },
        );
        out.insert(id.clone(), Template { key: id, parts });
    }
    out
}

/// The parts of a text with facts in it that stands in a field of a board.
pub(super) fn inserted(
    r: &mut Reader<'_>,
    node: &Node,
    text: &str,
    names: &super::principles::Names<'_>,
) -> Vec<Part> {
    let internal = internal(names.attributes);
    resolve(
        r,
        text,
        names.schema,
        &internal,
        &mut |r, span, message, help| {
            let span = node.locate(r.source(node.file), span);
            r.error_at("bad-placeholder", node.file, span, message, help);
        },
    )
}

fn internal(attributes: &IndexMap<String, Attribute>) -> BTreeSet<Slot> {
    let internal = attributes.values().filter(|a| a.internal);
    internal.flat_map(|a| [a.slot, a.current]).collect()
}

type Complain<'c> =
    &'c mut dyn FnMut(&mut Reader<'_>, std::ops::Range<usize>, String, Option<String>);

fn resolve(
    r: &mut Reader<'_>,
    text: &str,
    schema: &Schema,
    internal: &BTreeSet<Slot>,
    complain: Complain<'_>,
) -> Vec<Part> {
    let mut parts = Vec::new();
    for part in split(text) {
        match part {
            RawPart::Text(text) => parts.push(Part::Text(text)),
            RawPart::Fact(path, span) => match schema.slot(&path) {
                Some(slot) if matches!(schema.type_of(slot), Type::Map(_)) => complain(
                    r,
                    span,
                    format!("`{path}` is a table, not something that can stand in a text"),
                    None,
                ),
                Some(slot) if !looks_through([slot], schema).is_disjoint(internal) => complain(
                    r,
                    span,
                    if internal.contains(&slot) {
                        format!("`{path}` is internal, and this may be public")
                    } else {
                        format!("`{path}` tells what is internal, and this may be public")
                    },
                    None,
                ),
                Some(slot) => parts.push(Part::Fact(slot)),
                None => {
                    let known: Vec<&str> = schema.slots().map(|s| schema.path(s)).collect();
                    let help = suggest(&path, known).or_else(|| {
                        Some("write `{{` for a brace that is meant as such".to_owned())
                    });
                    complain(r, span, format!("there is no fact `{path}`"), help);
                }
            },
        }
    }
    parts
}

pub fn score(
    r: &mut Reader<'_>,
    entries: &Entries<'_>,
    schema: &Schema,
) -> IndexMap<String, Driver> {
    let mut out = IndexMap::new();
    for (key, node) in entries {
        let id = identifier(r, key);
        let Some(f) = r.fields(
            node,
            "a driver of the score",
            &["weight", "points", "internal"],
        ) else {
            continue;
        };
        let weight = f
            .get("weight")
            .and_then(|n| r.number(n, "`weight`"))
            .unwrap_or(1.0);
        let internal = r.flag(f.get("internal"), "`internal`");
        let Some(points) = f.get("points") else {
            r.error(
                "missing-key",
                key,
                format!("the driver `{id}` needs `points`"),
            );
            continue;
        };
        if let Some(points) = r.expression(points, schema, Expect::Number) {
            out.insert(
                id.clone(),
                Driver {
                    id,
                    weight,
                    points,
                    internal,
                },
            );
        }
    }
    out
}

/// What people change by hand and no command sets; `commands:` says whose change has weight.
const BY_HAND: [&str; 2] = [MILESTONE, ASSIGNEES];

pub fn commands(
    r: &mut Reader<'_>,
    entries: &Entries<'_>,
    attributes: &IndexMap<String, Attribute>,
    roles: &IndexMap<String, Role>,
) -> IndexMap<String, Vec<String>> {
    let mut out = IndexMap::new();
    let known: BTreeSet<&str> = attributes
        .keys()
        .map(String::as_str)
        .chain(COMMANDS.iter().copied())
        .chain(BY_HAND)
        .collect();
    for (key, node) in entries {
        let Some(name) = r.known(key, "unknown-command", "command", known.iter().copied()) else {
            continue;
        };
        let allowed = r.all_known(
            Some(node),
            "unknown-role",
            "role",
            roles.keys().map(String::as_str),
        );
        out.insert(name, allowed);
    }
    out
}

/// What `/promote` and `/park` set.
pub fn shorthands(
    r: &mut Reader<'_>,
    entries: &Entries<'_>,
    attributes: &IndexMap<String, Attribute>,
) -> IndexMap<String, Shorthand> {
    let mut out = IndexMap::new();
    for (key, node) in entries {
        let Some(name) = r.known(key, "unknown-command", "shorthand", SHORTHANDS) else {
            continue;
        };
        let mut sets = Shorthand::new();
        for (attribute, values) in r.map(node, "a shorthand").unwrap_or_default() {
            let known = attributes.keys().map(String::as_str);
            let id = r.known(attribute, "unknown-attribute", "attribute", known);
            let Some(attribute) = id.and_then(|id| attributes.get(&id)) else {
                continue;
            };
            let is_none = values.text() == Some("none");
            let several = matches!(&values.kind, Kind::List(list) if list.len() > 1);
            if several && !attribute.many {
                let message = format!("`{}` has one value at a time", attribute.id);
                r.error("wrong-shape", values, message);
            }
            let ids = || attribute.values.iter().map(|v| v.id.as_str());
            let values = if is_none {
                Vec::new()
            } else {
                r.all_known(Some(values), "unknown-value", "value", ids())
            };
            sets.insert(attribute.id.clone(), values);
        }
        if sets.is_empty() {
            r.error("missing-key", key, format!("`{name}` sets nothing"));
        }
        out.insert(name, sets);
    }
    out
}

pub fn unauthorised(r: &mut Reader<'_>, node: &Node) -> Option<Unauthorised> {
    let words = [
        ("keep", Unauthorised::Keep),
        ("revert", Unauthorised::Revert),
    ];
    r.word(node, "`unauthorised`", &words)
}

/// One digest or a list of them.
pub fn digests(
    r: &mut Reader<'_>,
    node: &Node,
    attributes: &IndexMap<String, Attribute>,
) -> Vec<Digest> {
    let nodes = match &node.kind {
        Kind::List(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut out: Vec<Digest> = Vec::new();
    for node in nodes {
        let Some(digest) = digest(r, node, attributes) else {
            continue;
        };
        if out.iter().any(|other| other.id == digest.id) {
            let message = format!("there is another digest `{}`", digest.id);
            r.error("duplicate-id", node, message);
        } else {
            out.push(digest);
        }
    }
    out
}

fn digest(
    r: &mut Reader<'_>,
    node: &Node,
    attributes: &IndexMap<String, Attribute>,
) -> Option<Digest> {
    let keys = ["id", "every", "timezone", "post_to", "new_issue", "where"];
    let f = r.fields(node, "`digest`", &keys)?;
    let digest = Digest {
        id: r.required(&f, "id", "the digest"),
        every: r.required(&f, "every", "the digest"),
        timezone: f
            .get("timezone")
            .map_or_else(|| "UTC".to_owned(), |n| r.string(Some(n), "`timezone`")),
        post_to: f.get("post_to").and_then(|n| {
            let issue = issue(&r.string(Some(n), "`post_to`"));
            if issue.is_none() {
                let message = "`post_to` is an issue, such as `owner/repo#1`";
                r.error("bad-issue", n, message);
            }
            issue
        }),
        new_issue: f.get("new_issue").and_then(|n| {
            let repository = RepoName::parse(&r.string(Some(n), "`new_issue`"));
            if repository.is_none() {
                let message = "`new_issue` is a repository, such as `owner/repo`";
                r.error("bad-repository", n, message);
            }
            repository
        }),
        filter: kpis::filter_by(r, f.get("where"), attributes),
    };
    if f.get("post_to").is_none() && f.get("new_issue").is_none() {
        let message = "the digest needs `post_to` (an issue) or `new_issue` (a repository)";
        r.error("missing-key", node, message);
    }
    if let Some(n) = f.get("timezone")
        && jiff::tz::TimeZone::get(&digest.timezone).is_err()
    {
        r.error(
            "unknown-timezone",
            n,
            format!("there is no time zone `{}`", digest.timezone),
        );
    }
    if let Some(n) = f.get("every")
        && !is_weekly(&digest.every)
    {
        r.error(
            "bad-time",
            n,
            "`every` is a day and a time, such as `monday 09:00`",
        );
    }
    Some(digest)
}

fn is_weekly(text: &str) -> bool {
    const DAYS: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    text.split_once(' ')
        .is_some_and(|(day, time)| DAYS.contains(&day) && time.parse::<jiff::civil::Time>().is_ok())
}

fn issue(text: &str) -> Option<(RepoName, u64)> {
    let (repository, number) = text.split_once('#')?;
    Some((RepoName::parse(repository)?, number.parse().ok()?))
}
