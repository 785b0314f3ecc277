//! Gates and caps: what may enter a board's columns, and how many.

use crate::policy::expr::{Expect, compile};
use crate::policy::model::{Board, Cap, Gate, Only, OrderBy, Over};
use crate::policy::yaml::Node;

use super::principles::Names;
use super::{Fields, Reader};

const OVER: &[(&str, Over)] = &[("return", Over::Return), ("warn", Over::Warn)];

/// Board and columns of a gate or cap.
fn columns(
    r: &mut Reader<'_>,
    f: &Fields<'_>,
    key: &str,
    names: &Names<'_>,
) -> (String, Vec<String>) {
    let Some(board) = f.get("board").and_then(|n| {
        r.known(
            n,
            "unknown-board",
            "board",
            names.boards.keys().map(String::as_str),
        )
    }) else {
        if f.get("board").is_none() {
            r.error("missing-key", f.node, "this needs `board`");
        }
        return (String::new(), Vec::new());
    };
    if f.get(key).is_none() {
        r.error("missing-key", f.node, format!("this needs `{key}`"));
    }
    let pinned = names
        .boards
        .get(&board)
        .map(Board::columns)
        .unwrap_or_default();
    let columns = if pinned.is_empty() {
        r.strings(f.get(key), "a column")
    } else {
        let nodes = f.get(key).map(|n| r.texts(n, "a column"));
        let nodes = nodes.unwrap_or_default().into_iter();
        nodes.filter_map(|n| column(r, n, pinned)).collect()
    };
    (board, columns)
}

/// A pinned column; other capitals are a doubt, not an error.
pub(super) fn column(r: &mut Reader<'_>, node: &Node, pinned: &[String]) -> Option<String> {
    let written = node.text().unwrap_or_default();
    let exact = pinned.iter().any(|c| c == written);
    let same = |c: &&String| c.eq_ignore_ascii_case(written);
    if let Some(there) = pinned.iter().find(same).filter(|_| !exact) {
        let message = format!("the board writes `{there}`, not `{written}`");
        r.warn("capitals", node, message, None);
        return Some(there.clone());
    }
    let names = pinned.iter().map(String::as_str);
    r.known(node, "unknown-column", "column", names)
}

pub(super) fn gate(
    r: &mut Reader<'_>,
    node: &Node,
    principle: &str,
    names: &Names<'_>,
) -> Option<Gate> {
    let f = r.fields(
        node,
        "a gate",
        &["id", "board", "into", "requires", "else", "because"],
    )?;
    let id = r.required(&f, "id", "a gate");
    let (board, into) = columns(r, &f, "into", names);
    let because = r.required(&f, "because", "a gate");
    let otherwise = f
        .get("else")
        .and_then(|n| r.word(n, "`else`", OVER))
        .unwrap_or(Over::Return);
    let Some(requires) = f.get("requires") else {
        r.error("missing-key", node, "a gate needs `requires`");
        return None;
    };
    Some(Gate {
        id,
        principle: principle.to_owned(),
        board,
        into,
        requires: r.expression(requires, names.schema, Expect::Bool)?,
        otherwise,
        because,
    })
}

const CAP_KEYS: &[&str] = &[
    "id", "board", "columns", "at_most", "per", "exempt", "over", "by_hand", "next_by", "pull",
    "because",
];

/// A cap; with `per` one for each value of the attribute. Empty: it could not be read.
pub(super) fn caps(
    r: &mut Reader<'_>,
    node: &Node,
    principle: &str,
    names: &Names<'_>,
) -> Vec<Cap> {
    let Some(f) = r.fields(node, "a cap", CAP_KEYS) else {
        return Vec::new();
    };
    let id = r.required(&f, "id", "a cap");
    let (board, columns) = columns(r, &f, "columns", names);
    let because = r.required(&f, "because", "a cap");
    let exempt = f
        .get("exempt")
        .and_then(|n| r.expression(n, names.schema, Expect::Bool));
    let over = f
        .get("over")
        .and_then(|n| r.word(n, "`over`", OVER))
        .unwrap_or(Over::Return);
    let by_hand = r.all_known(
        f.get("by_hand"),
        "unknown-role",
        "role",
        names.roles.keys().map(String::as_str),
    );
    let mut next_by = Vec::new();
    for item in f
        .get("next_by")
        .and_then(|n| r.list(n, "`next_by`"))
        .unwrap_or_default()
    {
        if let Some(order) = order_by(r, item, names) {
            next_by.push(order);
        }
    }
    let pull = r.flag(f.get("pull"), "`pull`");
    let Some(at_most) = f.get("at_most") else {
        r.error("missing-key", node, "a cap needs `at_most`");
        return Vec::new();
    };
    let Some(at_most) = r.expression(at_most, names.schema, Expect::Number) else {
        return Vec::new();
    };
    let per = f.get("per");
    // The value is in the cap's id, which comments name.
    let shown = names.attributes.values().filter(|a| !a.internal);
    let shown = shown.map(|a| a.id.as_str());
    let each = per.and_then(|n| r.known(n, "unknown-attribute", "public attribute", shown));
    let of_all = Cap {
        id,
        only: None,
        principle: principle.to_owned(),
        board,
        columns,
        at_most,
        exempt,
        over,
        by_hand,
        next_by,
        pull,
        because,
    };
    match (per, each.and_then(|name| names.attributes.get(&name))) {
        (None, _) => vec![of_all],
        (Some(_), None) => Vec::new(),
        (Some(_), Some(attribute)) => attribute
            .values
            .iter()
            .map(|value| Cap {
                id: format!("{}-{}", of_all.id, value.id),
                only: Some(Only {
                    of: of_all.id.clone(),
                    attribute: attribute.id.clone(),
                    value: value.id.clone(),
                }),
                ..of_all.clone()
            })
            .collect(),
    }
}

/// `score desc`, `issue.created_at asc`.
fn order_by(r: &mut Reader<'_>, node: &Node, names: &Names<'_>) -> Option<OrderBy> {
    let text = r.text(node, "an order")?;
    let (by, descending) = match text.rsplit_once(' ') {
        Some((by, "desc")) => (by.trim(), true),
        Some((by, "asc")) => (by.trim(), false),
        _ => (text, false),
    };
    if by == "score" {
        return Some(OrderBy {
            by: None,
            descending,
        });
    }
    match compile(by, names.schema, Expect::Any) {
        Ok(program) => Some(OrderBy {
            by: Some(program),
            descending,
        }),
        Err(problems) => {
            for problem in problems {
                r.problem(node, problem);
            }
            None
        }
    }
}
