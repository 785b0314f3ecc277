//! What is said on an item about its board's caps and gates. Markdown; whatever is quoted is
//! harmless, and private items are named only to those who see them anyway.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::ids::ItemId;
use crate::policy::model::Policy;
use crate::policy::template::{harmless, harmless_within};

use super::super::explain::Audience;
use super::{BoardDecision, CapState, Content, Limit, Place, Row};

/// A statement or reason is cut here; both are a sentence in any policy people read.
const SENTENCE: usize = 600;
/// So many items in flight are named; more are counted.
const NAMED: usize = 12;

/// Why the card went back, what is in flight, where it queues, and who may let it past.
#[must_use]
pub fn returned(
    policy: &Policy,
    rows: &[Row],
    decision: &BoardDecision,
    place: &Place,
    item: ItemId,
    (limit, to): (Limit<'_>, &str),
) -> String {
    let mut out = match to {
        "" => format!("**Out of {} again.**", column(&place.column)),
        to => format!("**Back to {}.**", column(to)),
    };
    reasons(policy, rows, decision, place, limit, &mut out);
    queue(decision, place, item, limit, &mut out);
    ways(policy, limit, &mut out);
    out
}

/// It stays, though it should not be there: the same, without the way back.
#[must_use]
pub fn warned(
    policy: &Policy,
    rows: &[Row],
    decision: &BoardDecision,
    place: &Place,
    limit: Limit<'_>,
) -> String {
    let mut out = format!("**This should not be in {} yet.**", column(&place.column));
    reasons(policy, rows, decision, place, limit, &mut out);
    ways(policy, limit, &mut out);
    out
}

/// Somebody whose hand is an override moved it over a full cap: why?
#[must_use]
pub fn asks_for_reason(
    policy: &Policy,
    decision: &BoardDecision,
    place: &Place,
    cap: &str,
) -> String {
    let state = decision.caps.iter().find(|c| c.cap == cap);
    let (now, at_most) = state.map_or((0, 0), |s| (s.in_flight.len(), s.at_most));
    let because = policy.caps.get(cap).map_or("", |c| c.because.as_str());
    format!(
        "**This stays in {}, over its limit of {at_most} ({now} now).** It was moved by somebody \
         who may decide that, so it counts as an override: {}.\n\nFor the record, please say why: \
         `/override {cap}` and the reason. I ask only once.",
        column(&place.column),
        harmless_within(because, SENTENCE)
    )
}

/// A place is free: who is next, for the digest's issue.
#[must_use]
pub fn next_in_line(policy: &Policy, rows: &[Row], state: &CapState, viewer: &Place) -> String {
    let cap = policy.caps.get(&state.cap).map(Limit::Cap);
    let mut out = format!(
        "**A place is free in {}**: {} of {}.\n\nNext in line:\n",
        cap.map(counted).unwrap_or_default(),
        state.in_flight.len(),
        state.at_most
    );
    let audience = audience(viewer);
    for (n, item) in state.queue.iter().take(3).enumerate() {
        let place = rows.iter().find(|r| r.item == *item).map(|r| &r.place);
        let Some(place) = place else { continue };
        let (name, hidden) = named(place, viewer);
        let score = if hidden {
            String::new()
        } else {
            format!(", score {}", harmless(&place.score.line(audience)))
        };
        let _ = write!(out, "\n{}. {name}{score}", n + 1);
    }
    out
}

/// Something that cannot be put back (a draft, a pull request) is where a cap or gate would not
/// have it, for the digest's issue.
#[must_use]
pub fn stands_over(
    policy: &Policy,
    rows: &[Row],
    decision: &BoardDecision,
    (place, limit): (&Place, Limit<'_>),
    viewer: &Place,
) -> String {
    let mut out = format!(
        "**In {}, and should not be there yet: {}.** Only issues are put back, so it stays, takes \
         a place, and is said here.",
        column(&place.column),
        named(place, viewer).0
    );
    reasons(policy, rows, decision, viewer, limit, &mut out);
    out
}

/// Columns that gates and caps of a board (policy board id) name and the board does not have.
#[must_use]
pub fn missing_columns(board: &str, missing: &BTreeSet<String>) -> String {
    if missing.is_empty() {
        return format!("**The board `{board}` has all the columns that the policy names.**");
    }
    let columns: Vec<String> = missing.iter().map(|name| column(name)).collect();
    format!(
        "**The board `{board}` has no column {}.** Gates or caps of the policy are about it and \
         limit nothing there until the board or the policy is mended: `northstar check --online` \
         says what it may be called now.",
        columns.join(", ")
    )
}

/// How a board (policy board id) differs from what is pinned of it, one line each.
#[must_use]
pub fn drifted(board: &str, drift: &[String]) -> String {
    if drift.is_empty() {
        return format!("**The board `{board}` is as it is pinned again.**");
    }
    let mut out = format!(
        "**The board `{board}` is no longer as it is pinned.** The policy goes by what is pinned:\n"
    );
    for line in drift.iter().take(NAMED) {
        let _ = write!(out, "\n- {}", harmless_within(line, SENTENCE));
    }
    let more = drift.len().saturating_sub(NAMED);
    if more > 0 {
        let _ = write!(out, "\n- and {more} more");
    }
    out.push_str(
        "\n\n`northstar check --online --update` pins what is there now; then the check shows where \
         the policy uses what is gone.",
    );
    out
}

fn audience(viewer: &Place) -> Audience {
    if viewer.private {
        Audience::Internal
    } else {
        Audience::Public
    }
}

fn column(name: &str) -> String {
    format!("_{}_", harmless(name))
}

fn repository(name: &str) -> &str {
    name.rsplit_once('#')
        .map_or("", |(repository, _)| repository)
}

/// The item as the readers of another may see it, and whether that is nothing.
fn named(place: &Place, viewer: &Place) -> (String, bool) {
    let theirs = !viewer.name.is_empty() && repository(&place.name) == repository(&viewer.name);
    if place.private && !theirs {
        let what = match place.content {
            Content::Draft => "a draft",
            Content::Issue | Content::PullRequest => "a private item",
        };
        return (what.to_owned(), true);
    }
    let title = harmless(&place.title);
    // In code, a name is no reference: other items' timelines stay quiet.
    let name = match place.name.as_str() {
        "" => "a draft".to_owned(),
        name => format!("`{name}`"),
    };
    (format!("{name} {title}"), false)
}

fn reasons(
    policy: &Policy,
    rows: &[Row],
    decision: &BoardDecision,
    place: &Place,
    limit: Limit<'_>,
    out: &mut String,
) {
    let principle = policy.principles.get(limit.principle());
    let statement = principle.map_or("", |p| p.statement.as_str());
    let _ = write!(
        out,
        "\n\n> {}\n\n{}: {}.",
        harmless_within(statement, SENTENCE),
        limit.id(),
        harmless_within(limit.because().trim_end_matches('.'), SENTENCE)
    );
    let Some(state) = cap_of(decision, limit) else {
        return;
    };
    let _ = write!(
        out,
        "\n\n{} of {} in {} now:\n",
        state.in_flight.len(),
        state.at_most,
        counted(limit)
    );
    for item in state.in_flight.iter().take(NAMED) {
        let there = rows.iter().find(|r| r.item == *item);
        if let Some(there) = there {
            let _ = write!(out, "\n- {}", named(&there.place, place).0);
        }
    }
    let more = state.in_flight.len().saturating_sub(NAMED);
    if more > 0 {
        let _ = write!(out, "\n- and {more} more");
    }
}

/// What a limit counts: its columns and, of one for a value of an attribute, the value.
fn counted(limit: Limit<'_>) -> String {
    let columns: Vec<String> = limit.columns().iter().map(|c| column(c)).collect();
    let mut out = columns.join(", ");
    if let Limit::Cap(cap) = limit
        && let Some(only) = &cap.only
    {
        let _ = write!(out, " ({} {})", only.attribute, only.value);
    }
    out
}

fn cap_of<'d>(decision: &'d BoardDecision, limit: Limit<'_>) -> Option<&'d CapState> {
    match limit {
        Limit::Cap(cap) => decision.caps.iter().find(|c| c.cap == cap.id),
        Limit::Gate(_) => None,
    }
}

fn queue(
    decision: &BoardDecision,
    place: &Place,
    item: ItemId,
    limit: Limit<'_>,
    out: &mut String,
) {
    let Some(state) = cap_of(decision, limit) else {
        return;
    };
    let Some(at) = state.queue.iter().position(|i| *i == item) else {
        return;
    };
    let _ = write!(
        out,
        "\n\nThis is number {} of {} in the queue, with a score of {}.",
        at + 1,
        state.queue.len(),
        place.score.line(audience(place))
    );
}

fn ways(policy: &Policy, limit: Limit<'_>, out: &mut String) {
    let roles = policy.commands.get("override");
    let who = roles.map(|roles| roles.iter().map(|r| role(r)).collect::<Vec<_>>());
    if let Some(who) = who.filter(|who| !who.is_empty()) {
        let _ = write!(
            out,
            "\n\nIf it cannot wait, {} can let it past: `/override {}` and the reason.",
            who.join(" or "),
            limit.id()
        );
    }
}

/// `product_lead` as people say it.
fn role(id: &str) -> String {
    format!("a {}", id.replace(['_', '-'], " "))
}
