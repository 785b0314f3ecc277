//! KPIs: what the organisation watches, with its targets.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::civil::Date;

use crate::policy::kpi::{
    Bound, Deciding, Filter, Iterations, Kpi, Measure, Statistic, Target, Unit,
};
use crate::policy::model::{Attribute, Board};
use crate::policy::yaml::Node;

use super::limits::column;
use super::vocabulary::{Entries, field_ref};
use super::{Fields, Reader};

/// What KPIs are read against.
#[derive(Clone, Copy)]
struct Names<'a> {
    attributes: &'a IndexMap<String, Attribute>,
    boards: &'a IndexMap<String, Board>,
}

/// Over how many weeks a KPI looks back where it does not say.
const WEEKS: u32 = 12;
/// More weeks than this are no window: it is two years.
const MOST_WEEKS: u32 = 104;

const KEYS: &[&str] = &[
    "id",
    "title",
    "measure",
    "statistic",
    "unit",
    "weeks",
    "where",
    "targets",
    "board",
    "from",
    "into",
    "columns",
    "points",
    "iterations",
    "attribute",
    "values",
    "of",
    "against",
];

/// Keys that every measure has.
const COMMON: &[&str] = &["id", "title", "measure", "unit", "targets"];

/// Each measure, and the keys that are its own.
const MEASURES: &[(&str, &[&str])] = &[
    (
        "cycle_time",
        &["statistic", "weeks", "where", "board", "from", "into"],
    ),
    (
        "first_triage",
        &["statistic", "weeks", "where", "attribute", "values"],
    ),
    ("resolution", &["statistic", "weeks", "where"]),
    (
        "velocity",
        &[
            "statistic",
            "weeks",
            "where",
            "board",
            "columns",
            "points",
            "iterations",
        ],
    ),
    ("share", &["weeks", "where", "of", "against"]),
    ("intake", &["statistic", "weeks", "where"]),
    (
        "decisions",
        &["statistic", "weeks", "where", "attribute", "values"],
    ),
    ("overrides", &["statistic", "weeks", "where"]),
    (
        "undecided_age",
        &["statistic", "where", "attribute", "values"],
    ),
    ("unaligned", &["where", "attribute"]),
    ("stated", &[]),
];

pub fn kpis(
    r: &mut Reader<'_>,
    entries: &Entries<'_>,
    attributes: &IndexMap<String, Attribute>,
    boards: &IndexMap<String, Board>,
) -> IndexMap<String, Kpi> {
    let names = Names { attributes, boards };
    let mut out = IndexMap::new();
    for (key, node) in entries {
        if let Some(kpi) = kpi(r, key, node, names) {
            out.insert(kpi.id.clone(), kpi);
        }
    }
    out
}

fn kpi(r: &mut Reader<'_>, key: &Node, node: &Node, names: Names<'_>) -> Option<Kpi> {
    let id = r.text(key, "a KPI's id")?.to_owned();
    let f = r.fields(node, "a KPI", KEYS)?;
    let Some(measured) = f.get("measure") else {
        r.error(
            "missing-key",
            key,
            format!("the KPI `{id}` needs `measure`"),
        );
        return None;
    };
    let words: Vec<(&str, usize)> = MEASURES
        .iter()
        .enumerate()
        .map(|(n, (name, _))| (*name, n))
        .collect();
    let (name, own) = MEASURES[r.word(measured, "`measure`", &words)?];
    for (key, _) in f.entries {
        let text = key.text().unwrap_or_default();
        if KEYS.contains(&text) && !COMMON.contains(&text) && !own.contains(&text) {
            let message = format!("the measure `{name}` has no use for `{text}`");
            let help = (!own.is_empty()).then(|| format!("it has: {}", own.join(", ")));
            r.error_help("kpi-key", key, message, help);
        }
    }
    let title = f
        .get("title")
        .map_or_else(|| id.clone(), |n| r.string(Some(n), "`title`"));
    let statistic = f.get("statistic").and_then(|n| {
        let words = [
            ("mean", Statistic::Mean),
            ("p50", Statistic::P50),
            ("p90", Statistic::P90),
            ("max", Statistic::Max),
        ];
        r.word(n, "`statistic`", &words)
    });
    let weeks = f
        .get("weeks")
        .map_or(Some(WEEKS), |n| weeks(r, n, "`weeks`"));
    let unit = unit(r, name, f.get("unit"));
    let filter = filter(r, f.get("where"), names);
    let targets = targets(r, f.get("targets"));
    let measure = measure(r, name, &f, names);
    Some(Kpi {
        id,
        title,
        measure: measure?,
        statistic: statistic.unwrap_or_default(),
        unit: unit?,
        weeks: weeks?,
        filter,
        targets,
    })
}

fn measure(r: &mut Reader<'_>, name: &str, f: &Fields<'_>, names: Names<'_>) -> Option<Measure> {
    Some(match name {
        "cycle_time" => {
            let board = board(r, f, names);
            let from = columns(r, f, "from", board);
            Measure::CycleTime {
                into: if f.get("into").is_some() {
                    columns(r, f, "into", board)
                } else {
                    Vec::new()
                },
                board: board?.id.clone(),
                from,
            }
        }
        "first_triage" => Measure::FirstTriage(deciding(r, f, names)?),
        "decisions" => Measure::Decisions(deciding(r, f, names)?),
        "undecided_age" => Measure::UndecidedAge(deciding(r, f, names)?),
        "resolution" => Measure::Resolution,
        "intake" => Measure::Intake,
        "overrides" => Measure::Overrides,
        "velocity" => {
            let board = board(r, f, names);
            let columns = columns(r, f, "columns", board);
            let points = needed(r, f, "points").and_then(|n| field_ref(r, n, names.boards));
            let iterations = needed(r, f, "iterations").and_then(|n| iterations(r, n));
            let points = points?;
            Measure::Velocity {
                board: board?.id.clone(),
                columns,
                points: format!("{}.{}", points.board, points.field),
                iterations: iterations?,
            }
        }
        "share" => {
            let of = needed(r, f, "of");
            let against = needed(r, f, "against");
            Measure::Share {
                of: filter(r, of, names),
                against: filter(r, against, names),
            }
        }
        "unaligned" => Measure::Unaligned {
            attribute: attribute(r, f, names)?.id.clone(),
        },
        _ => Measure::Stated,
    })
}

fn needed<'n>(r: &mut Reader<'_>, f: &Fields<'n>, key: &str) -> Option<&'n Node> {
    let found = f.get(key);
    if found.is_none() {
        r.error("missing-key", f.node, format!("this measure needs `{key}`"));
    }
    found
}

fn board<'a>(r: &mut Reader<'_>, f: &Fields<'_>, names: Names<'a>) -> Option<&'a Board> {
    let node = needed(r, f, "board")?;
    let known = names.boards.keys().map(String::as_str);
    let id = r.known(node, "unknown-board", "board", known)?;
    names.boards.get(&id)
}

fn columns(r: &mut Reader<'_>, f: &Fields<'_>, key: &str, board: Option<&Board>) -> Vec<String> {
    let Some(node) = needed(r, f, key) else {
        return Vec::new();
    };
    let pinned = board.map(Board::columns).unwrap_or_default();
    if pinned.is_empty() {
        return r.strings(Some(node), "a column");
    }
    let nodes = r.texts(node, "a column").into_iter();
    nodes.filter_map(|n| column(r, n, pinned)).collect()
}

fn attribute<'a>(r: &mut Reader<'_>, f: &Fields<'_>, names: Names<'a>) -> Option<&'a Attribute> {
    let node = needed(r, f, "attribute")?;
    let known = names.attributes.keys().map(String::as_str);
    let id = r.known(node, "unknown-attribute", "attribute", known)?;
    names.attributes.get(&id)
}

fn deciding(r: &mut Reader<'_>, f: &Fields<'_>, names: Names<'_>) -> Option<Deciding> {
    let attribute = attribute(r, f, names);
    let values = needed(r, f, "values");
    let attribute = attribute?;
    Some(Deciding {
        attribute: attribute.id.clone(),
        values: values_of(r, values?, attribute, &[]),
    })
}

fn values_of(r: &mut Reader<'_>, node: &Node, of: &Attribute, also: &[&str]) -> Vec<String> {
    let known = of.values.iter().map(|v| v.id.as_str());
    let known: Vec<&str> = known.chain(also.iter().copied()).collect();
    let what = format!("value of `{}`", of.id);
    r.all_known(Some(node), "unknown-value", &what, known)
}

fn filter(r: &mut Reader<'_>, node: Option<&Node>, names: Names<'_>) -> Filter {
    filter_by(r, node, names.attributes)
}

/// Items with one of these values, by attribute.
pub(super) fn filter_by(
    r: &mut Reader<'_>,
    node: Option<&Node>,
    attributes: &IndexMap<String, Attribute>,
) -> Filter {
    let mut out = BTreeMap::new();
    let entries = node.and_then(|n| r.map(n, "a filter")).unwrap_or_default();
    for (key, value) in entries {
        let known = attributes.keys().map(String::as_str);
        let id = r.known(key, "unknown-attribute", "attribute", known);
        if let Some(attribute) = id.and_then(|id| attributes.get(&id)) {
            let values = values_of(r, value, attribute, &["*", ""]);
            out.insert(attribute.id.clone(), values);
        }
    }
    Filter(out)
}

fn unit(r: &mut Reader<'_>, measure: &str, node: Option<&Node>) -> Option<Unit> {
    let said = node.and_then(|n| r.text(n, "`unit`").map(|text| (n, text)));
    let fixed = match measure {
        "velocity" => "points",
        "share" | "unaligned" => "percent",
        "intake" => "items",
        "decisions" => "decisions",
        "overrides" => "overrides",
        "stated" => said.map_or("", |(_, text)| text),
        _ => {
            return match said {
                None | Some((_, "days")) => Some(Unit::Days),
                Some((_, "working days")) => Some(Unit::WorkingDays),
                Some((node, text)) => {
                    let message = format!("`{measure}` is a time, and `{text}` is not its unit");
                    let help = "write `days` or `working days`".to_owned();
                    r.error_help("kpi-unit", node, message, Some(help));
                    None
                }
            };
        }
    };
    if let Some((node, text)) = said
        && text != fixed
    {
        let message = format!("`{measure}` is in {fixed}, not in `{text}`");
        r.error("kpi-unit", node, message);
        return None;
    }
    Some(if fixed == "percent" {
        Unit::Percent
    } else {
        Unit::Other(fixed.to_owned())
    })
}

fn weeks(r: &mut Reader<'_>, node: &Node, what: &str) -> Option<u32> {
    let weeks = r.number(node, what)?;
    if (1..=MOST_WEEKS).contains(&weeks) {
        return Some(weeks);
    }
    let message = format!("{what} is a number from 1 to {MOST_WEEKS}");
    r.error("wrong-shape", node, message);
    None
}

fn iterations(r: &mut Reader<'_>, node: &Node) -> Option<Iterations> {
    let f = r.fields(node, "`iterations`", &["first", "weeks"])?;
    let first = needed(r, &f, "first").and_then(|n| date(r, n));
    let weeks = needed(r, &f, "weeks").and_then(|n| weeks(r, n, "`weeks`"));
    Some(Iterations {
        first: first?,
        weeks: weeks?,
    })
}

fn date(r: &mut Reader<'_>, node: &Node) -> Option<Date> {
    let text = r.text(node, "a day")?;
    let date = text.parse().ok();
    if date.is_none() {
        let message = format!("`{text}` is not a day: write it as `2026-12-24`");
        r.error("bad-date", node, message);
    }
    date
}

fn targets(r: &mut Reader<'_>, node: Option<&Node>) -> Vec<Target> {
    let nodes = node
        .and_then(|n| r.list(n, "`targets`"))
        .unwrap_or_default();
    let mut out: Vec<Target> = nodes.iter().filter_map(|n| target(r, n)).collect();
    out.sort_by_key(|t| t.by);
    out
}

fn target(r: &mut Reader<'_>, node: &Node) -> Option<Target> {
    let f = r.fields(node, "a target", &["by", "at_most", "at_least"])?;
    let by = needed(r, &f, "by").and_then(|n| date(r, n));
    let bound = match (f.get("at_most"), f.get("at_least")) {
        (Some(n), None) => r.number(n, "`at_most`").map(Bound::AtMost),
        (None, Some(n)) => r.number(n, "`at_least`").map(Bound::AtLeast),
        (None, None) => {
            r.error(
                "missing-key",
                node,
                "a target needs `at_most` or `at_least`",
            );
            None
        }
        (Some(_), Some(_)) => {
            r.error(
                "kpi-key",
                node,
                "a target is `at_most` or `at_least`, not both",
            );
            None
        }
    };
    Some(Target {
        by: by?,
        bound: bound?,
    })
}
