//! The digest as a comment on GitHub: short enough, readable on a phone, and nothing quoted in it
//! does anything.

use std::fmt::Write as _;

use crate::policy::render::counted;
use crate::policy::template::code;
use crate::policy::template::harmless_within;

use super::digest::{CapLine, Count, Digest, Intake, KpiLine, Line, Ranked, Ref, Said};

/// GitHub takes 65,536 characters; some room is left for the marker of the comment.
pub const LONGEST: usize = 65_000;
/// Titles and reasons are cut here.
const TITLE: usize = 80;
const REASON: usize = 200;
/// More charts than this nobody looks at.
const CHARTS: usize = 4;

/// How much of each part is told. What matters least is cut first.
#[derive(Clone, Copy)]
struct Room {
    charts: bool,
    undecided: usize,
    intake: usize,
    ranking: usize,
    limits: usize,
    looking_back: usize,
}

const STEPS: &[Room] = &[
    Room {
        charts: true,
        undecided: 25,
        intake: 10,
        ranking: 10,
        limits: 25,
        looking_back: 25,
    },
    Room {
        charts: false,
        undecided: 25,
        intake: 10,
        ranking: 10,
        limits: 25,
        looking_back: 10,
    },
    Room {
        charts: false,
        undecided: 20,
        intake: 5,
        ranking: 5,
        limits: 10,
        looking_back: 3,
    },
    Room {
        charts: false,
        undecided: 10,
        intake: 3,
        ranking: 3,
        limits: 3,
        looking_back: 0,
    },
    Room {
        charts: false,
        undecided: 3,
        intake: 0,
        ranking: 0,
        limits: 1,
        looking_back: 0,
    },
];

impl Digest {
    /// The digest in Markdown, at most 65,000 characters (GitHub takes 65,536).
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for room in STEPS {
            out = self.told_in(*room);
            if out.chars().count() <= LONGEST {
                return out;
            }
        }
        // A policy with thousands of KPIs or caps.
        let end = out
            .char_indices()
            .nth(LONGEST - 100)
            .map_or(out.len(), |(n, _)| n);
        let end = out[..end].rfind('\n').unwrap_or(0);
        out.truncate(end);
        out.push_str("\n\n…and more than fits here.\n");
        out
    }

    fn told_in(&self, room: Room) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "## Triage summary, {}\n", self.week);
        let _ = writeln!(
            out,
            "{} to {} (UTC).",
            self.from.strftime("%-d %b %Y %H:%M"),
            self.to.strftime("%-d %b %Y %H:%M")
        );
        if self.missed > 0 {
            let weeks = if self.missed == 1 {
                "the week before went"
            } else {
                "the weeks before went"
            };
            let _ = writeln!(
                out,
                "\n> {} untold: Northstar was away. Missed: {}. What still waits for a decision is below, whenever it came.",
                capital(weeks),
                self.missed
            );
        }
        self.undecided(&mut out, room.undecided);
        ranking(&mut out, &self.ranking, room.ranking);
        intake(&mut out, &self.intake, room);
        limits(&mut out, &self.caps, &self.overrides, room.limits);
        kpis(&mut out, &self.kpis, room.charts);
        self.looking_back(&mut out, room.looking_back);
        out
    }

    fn undecided(&self, out: &mut String, most: usize) {
        out.push_str("\n### 1. Needs a decision\n\n");
        if self.undecided.is_empty() {
            out.push_str("Nothing waits for a decision.\n");
            return;
        }
        let n = self.undecided.len();
        let _ = writeln!(
            out,
            "{} for a decision, oldest first.\n",
            link(
                &if n == 1 {
                    "1 item waits".to_owned()
                } else {
                    format!("{n} items wait")
                },
                &self.undecided_search
            )
        );
        lines(out, &self.undecided, most);
        rest(out, n, most, &self.undecided_search);
    }

    fn looking_back(&self, out: &mut String, most: usize) {
        out.push_str("\n### 5. Decided, and done by rules\n\n");
        if self.decisions.is_empty() {
            out.push_str("Nobody decided anything.\n");
        }
        said(out, &self.decisions, most);
        if self.unauthorised > 0 {
            let _ = writeln!(
                out,
                "\n{} by people whom the policy does not let make them.",
                counted(self.unauthorised, "hand change")
            );
        }
        let total: usize = self.wrote.iter().map(|(_, n)| n).sum();
        if total == 0 {
            out.push_str("\nRules changed nothing.\n");
            return;
        }
        let each = self.wrote.iter().take(most.max(3));
        let each: Vec<String> = each
            .map(|(rule, n)| format!("{} {n}", code(rule)))
            .collect();
        let more = self.wrote.len().saturating_sub(each.len());
        let more = if more > 0 {
            format!(", and {}", counted(more, "other rule"))
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "\nRules made {}: {}{more}.",
            counted(total, "change"),
            each.join(", ")
        );
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

fn link(text: &str, address: &str) -> String {
    if address.is_empty() {
        text.to_owned()
    } else {
        format!("[{text}]({address})")
    }
}

/// The item with its address. By way of GitHub's redirecting host, so that the digest does not
/// leave a trace on every issue it names.
fn item(item: &Ref) -> String {
    match item {
        Ref::Private => "a private item".to_owned(),
        Ref::Shown { name, title } => {
            let (repository, number) = name.rsplit_once('#').unwrap_or((name, ""));
            let title = harmless_within(title, TITLE);
            let title = if title.trim().is_empty() {
                "untitled".to_owned()
            } else {
                title
            };
            format!("[{title}](https://redirect.github.com/{repository}/issues/{number})")
        }
    }
}

fn items(of: &[Ref], most: usize) -> String {
    let told: Vec<String> = of.iter().take(most).map(item).collect();
    let more = of.len().saturating_sub(most);
    let mut out = told.join(", ");
    if more > 0 {
        let _ = write!(
            out,
            "{}{more} more",
            if out.is_empty() { "" } else { ", and " }
        );
    }
    out
}

fn rest(out: &mut String, n: usize, most: usize, address: &str) {
    if n > most {
        let _ = writeln!(
            out,
            "\n{}",
            link(&format!("and {} more", n - most), address)
        );
    }
}

fn score(line: &Line) -> String {
    line.score
        .as_deref()
        .map_or_else(|| "–".to_owned(), |s| harmless_within(s, REASON))
}

/// Three columns fit on a phone.
fn lines(out: &mut String, of: &[Line], most: usize) {
    if most == 0 {
        return;
    }
    out.push_str("| item | days | score |\n|---|--:|---|\n");
    for line in of.iter().take(most) {
        let asked = if line.communities > 1 {
            format!(" · {} communities", line.communities)
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "| {}{asked} | {} | {} |",
            item(&line.item),
            line.days,
            score(line)
        );
    }
}

fn ranking(out: &mut String, of: &[Ranked], most: usize) {
    if of.is_empty() || most == 0 {
        return;
    }
    out.push_str("\n**What could be next** (by score, then by how many communities ask, then the older first)\n\n");
    out.push_str("| | item | score |\n|--:|---|---|\n");
    for ranked in of.iter().take(most) {
        let moved = match ranked.before {
            None => "new".to_owned(),
            Some(before) if before > ranked.position => format!("▲{}", before - ranked.position),
            Some(before) if before < ranked.position => format!("▼{}", ranked.position - before),
            Some(_) => "=".to_owned(),
        };
        let _ = writeln!(
            out,
            "| {} {moved} | {} | {} |",
            ranked.position,
            item(&ranked.line.item),
            score(&ranked.line)
        );
    }
    rest(out, of.len(), most, "");
}

fn intake(out: &mut String, of: &Intake, room: Room) {
    out.push_str("\n### 2. What came in\n\n");
    if of.total == 0 {
        out.push_str("Nothing came in.\n");
        return;
    }
    let from = if of.communities > 0 {
        format!(", from {}", counted(of.communities, "community"))
    } else {
        String::new()
    };
    let _ = writeln!(
        out,
        "{}{from}.\n",
        link(&counted(of.total, "item"), &of.search)
    );
    counts(out, "Kind", &of.by_kind, "not said");
    counts(out, "Goal", &of.by_goal, "no goal");
    if room.charts && of.by_kind.len() > 1 {
        out.push_str("\n```mermaid\npie title Came in, by kind\n");
        for count in &of.by_kind {
            let name = if count.value.is_empty() {
                "not said"
            } else {
                &count.value
            };
            let _ = writeln!(out, "  \"{}\" : {}", plain(name), count.n);
        }
        out.push_str("```\n");
    }
    if !of.requests.is_empty() && room.intake > 0 {
        out.push_str("\nAsked for by most communities first:\n\n");
        lines(out, &of.requests, room.intake);
        rest(out, of.requests.len(), room.intake, &of.search);
    }
    if !of.co_funded.is_empty() {
        let _ = writeln!(
            out,
            "\nCo-funding is offered for: {}.",
            items(&of.co_funded, room.intake.max(1))
        );
    }
}

fn counts(out: &mut String, what: &str, of: &[Count], nothing: &str) {
    if of.is_empty() {
        return;
    }
    let each = of.iter().take(15).map(|c| {
        let name = if c.value.is_empty() {
            nothing.to_owned()
        } else {
            harmless_within(&c.value, TITLE)
        };
        format!("{name} {}", link(&c.n.to_string(), &c.search))
    });
    let _ = writeln!(out, "- {what}: {}", each.collect::<Vec<_>>().join(", "));
}

fn limits(out: &mut String, caps: &[CapLine], overrides: &[Said], most: usize) {
    out.push_str("\n### 3. In flight\n\n");
    if caps.is_empty() {
        out.push_str("No cap is set.\n");
    }
    for cap in caps {
        let over = if cap.inside.len() > cap.at_most {
            " **over the cap**"
        } else {
            ""
        };
        let _ = write!(
            out,
            "- {}: {} of {}{over}",
            code(&cap.id),
            cap.inside.len(),
            cap.at_most
        );
        if cap.exempt > 0 {
            let _ = write!(out, ", {} exempt", cap.exempt);
        }
        if !cap.inside.is_empty() {
            let _ = write!(out, " — {}", items(&cap.inside, most));
        }
        if let Some(next) = &cap.next {
            let _ = write!(out, "; next: {}", item(next));
        }
        out.push('\n');
    }
    if !overrides.is_empty() {
        out.push_str("\nOverrides:\n\n");
        said(out, overrides, most);
    }
}

/// What people said of items, one a line.
fn said(out: &mut String, of: &[Said], most: usize) {
    for said in of.iter().take(most) {
        let _ = write!(out, "- {}: {}", item(&said.item), code(&said.what));
        if !said.by.is_empty() {
            let _ = write!(out, " by {}", harmless_within(&said.by, TITLE));
        }
        if let Some(until) = said.until {
            let _ = write!(out, " until {}", until.strftime("%-d %b %Y"));
        }
        if !said.reason.trim().is_empty() {
            let _ = write!(out, ": {}", harmless_within(&said.reason, REASON));
        }
        out.push('\n');
    }
    rest(out, of.len(), most, "");
}

fn kpis(out: &mut String, of: &[KpiLine], charts: bool) {
    out.push_str("\n### 4. How we are doing\n\n");
    if of.is_empty() {
        out.push_str("The policy declares no KPIs.\n");
        return;
    }
    out.push_str("| figure | now | target |\n|---|--:|---|\n");
    for kpi in of {
        let trend = sparkline(&kpi.trend);
        let trend = if trend.is_empty() {
            trend
        } else {
            format!("<br>{trend}")
        };
        let _ = writeln!(
            out,
            "| {}{trend} | {}{} | {} |",
            harmless_within(&kpi.title, TITLE),
            figure(kpi),
            known(kpi),
            target(kpi)
        );
    }
    if !charts {
        return;
    }
    let drawn: Vec<&KpiLine> = of
        .iter()
        .filter(|k| k.target.is_some() && k.trend.iter().flatten().count() > 1)
        .take(CHARTS)
        .collect();
    if drawn.is_empty() {
        return;
    }
    out.push_str("\n<details><summary>The last twelve weeks</summary>\n");
    for kpi in drawn {
        chart(out, kpi);
    }
    out.push_str("\n</details>\n");
}

fn figure(kpi: &KpiLine) -> String {
    let Some(value) = kpi.figure.value else {
        return "–".to_owned();
    };
    let unit = if kpi.unit == "%" {
        " %".to_owned()
    } else if kpi.unit.is_empty() {
        String::new()
    } else {
        format!(" {}", harmless_within(&kpi.unit, TITLE))
    };
    link(&format!("{}{unit}", short(value)), &kpi.search)
}

/// How well the figure is known.
fn known(kpi: &KpiLine) -> String {
    let mut notes = Vec::new();
    if let Some(stated) = &kpi.stated {
        let period = harmless_within(&stated.period, TITLE);
        let by = match stated.by.as_str() {
            "" => String::new(),
            by => format!(" by {}", harmless_within(by, TITLE)),
        };
        let on = stated.at.strftime("%-d %b %Y");
        notes.push(format!("{period}, said{by} on {on}"));
    } else if kpi.measured() {
        if kpi.figure.small {
            notes.push(format!("small: n = {}", kpi.figure.n));
        }
        if kpi.figure.unknown > 0 {
            notes.push(format!("{} unknown", kpi.figure.unknown));
        }
        if kpi.figure.coverage < 0.995 {
            notes.push(format!(
                "{} % covered",
                short((kpi.figure.coverage * 100.0).floor())
            ));
        }
    }
    if notes.is_empty() {
        String::new()
    } else {
        format!("<br>*{}*", notes.join(", "))
    }
}

fn target(kpi: &KpiLine) -> String {
    let Some(target) = &kpi.target else {
        return String::new();
    };
    let sign = match target.met {
        Some(true) => "✅ ",
        Some(false) => "❌ ",
        None => "",
    };
    let bound = if target.at_most { "≤" } else { "≥" };
    format!(
        "{sign}{bound} {} by {}",
        short(target.bound),
        target.by.strftime("%b %Y")
    )
}

/// One sign a week, a dot where nothing is known.
fn sparkline(trend: &[Option<f64>]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let top = trend.iter().flatten().copied().fold(0.0, f64::max);
    if trend.iter().flatten().count() < 2 {
        return String::new();
    }
    let bar = |value: f64| {
        let level = if top > 0.0 {
            (value / top * 7.0).round()
        } else {
            0.0
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 7
        BARS[(level.max(0.0) as usize).min(7)]
    };
    trend.iter().map(|value| value.map_or('·', bar)).collect()
}

fn chart(out: &mut String, kpi: &KpiLine) {
    let n = kpi.trend.len();
    let known: Vec<(usize, f64)> = kpi
        .trend
        .iter()
        .enumerate()
        .filter_map(|(week, v)| Some((n - 1 - week, (*v)?)))
        .collect();
    let weeks: Vec<String> = known
        .iter()
        .map(|(ago, _)| {
            if *ago == 0 {
                "now".to_owned()
            } else {
                format!("-{ago}w")
            }
        })
        .collect();
    let values: Vec<String> = known.iter().map(|(_, v)| short(*v)).collect();
    let unit = if kpi.unit == "%" {
        "percent"
    } else {
        &kpi.unit
    };
    let _ = writeln!(
        out,
        "\n```mermaid\nxychart-beta\n  title \"{}\"\n  x-axis [{}]\n  y-axis \"{}\"\n  line [{}]",
        plain(&kpi.title),
        weeks
            .iter()
            .map(|w| format!("\"{w}\""))
            .collect::<Vec<_>>()
            .join(", "),
        plain(unit),
        values.join(", ")
    );
    if let Some(target) = &kpi.target {
        let line = vec![short(target.bound); known.len()];
        let _ = writeln!(out, "  line [{}]", line.join(", "));
    }
    out.push_str("```\n");
}

/// Only what no diagram understands as its own language.
fn plain(text: &str) -> String {
    let kept: String = text
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | ',' | '-' | '.'))
        .take(TITLE)
        .collect();
    if kept.trim().is_empty() {
        "unnamed".to_owned()
    } else {
        kept
    }
}

/// At most one decimal.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").map_or(text.as_str(), |t| t);
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

impl KpiLine {
    /// Rather than stated.
    fn measured(&self) -> bool {
        !self.trend.is_empty()
    }
}
