//! Values that wait for the author: when they are reminded, and when it ends.

use indexmap::IndexMap;
use jiff::SignedDuration;

use crate::policy::model::{Attribute, Waits};
use crate::policy::template::Template;
use crate::policy::yaml::{Kind, Node};

use super::Reader;
use super::vocabulary::Entries;

/// Reads it of every value. After the templates, for it names some.
pub fn waits(
    r: &mut Reader<'_>,
    entries: &Entries<'_>,
    attributes: &mut IndexMap<String, Attribute>,
    templates: &IndexMap<String, Template>,
) {
    for (key, node) in entries {
        let Some(attribute) = attributes.get_mut(key.text().unwrap_or_default()) else {
            continue;
        };
        let Some(Kind::Map(values)) = entry(node, "values").map(|values| &values.kind) else {
            continue;
        };
        let ids: Vec<String> = attribute.values.iter().map(|v| v.id.clone()).collect();
        for (name, said) in values {
            let id = name.text().unwrap_or_default();
            let others = || ids.iter().map(String::as_str).filter(|other| *other != id);
            let remind = pair(r, said, ["remind_after", "remind_with"], |r, node| {
                let known = templates.keys().map(String::as_str);
                r.known(node, "unknown-template", "template", known)
            });
            let end = pair(r, said, ["ends_after", "ends_as"], |r, node| {
                r.known(node, "unknown-value", "other value", others())
            });
            if remind.is_none() && end.is_none() {
                continue;
            }
            if attribute.many {
                let message = format!("of many values of `{}` none ends by itself", attribute.id);
                r.error("wrong-shape", name, message);
                continue;
            }
            if let (Some((remind, _)), Some((end, _))) = (&remind, &end)
                && remind >= end
            {
                r.error("bad-time", name, "it ends before anybody is reminded");
            }
            if let Some(value) = attribute.values.iter_mut().find(|v| v.id == id) {
                value.waits = Some(Waits { remind, end });
            }
        }
    }
}

/// A time and what happens then: one is nothing without the other.
fn pair(
    r: &mut Reader<'_>,
    node: &Node,
    [after, then]: [&'static str; 2],
    read: impl FnOnce(&mut Reader<'_>, &Node) -> Option<String>,
) -> Option<(SignedDuration, String)> {
    match (entry(node, after), entry(node, then)) {
        (None, None) => None,
        (Some(time), Some(what)) => {
            let time = duration(r, time);
            time.zip(read(r, what))
        }
        (Some(there), None) | (None, Some(there)) => {
            let message = format!("`{after}` and `{then}` go together");
            r.error("missing-key", there, message);
            None
        }
    }
}

fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Kind::Map(entries) = &node.kind else {
        return None;
    };
    let found = entries.iter().find(|(k, _)| k.text() == Some(key));
    found
        .map(|(_, value)| value)
        .filter(|value| !value.is_null())
}

/// Reads `12h`, `14d` or `2w`.
fn duration(r: &mut Reader<'_>, node: &Node) -> Option<SignedDuration> {
    let text = node.text().unwrap_or_default();
    let unit = text.chars().last();
    let hours = match unit {
        Some('h') => 1,
        Some('d') => 24,
        Some('w') => 24 * 7,
        _ => 0,
    };
    let number = text.get(..text.len().saturating_sub(1));
    let number = number.and_then(|n| n.parse::<i64>().ok());
    let time = number.filter(|n| hours > 0 && (1..1_000).contains(n));
    if time.is_none() {
        let message = format!("`{text}` is no time such as `12h`, `14d` or `2w`");
        r.error("bad-time", node, message);
    }
    time.map(|n| SignedDuration::from_hours(n * hours))
}
