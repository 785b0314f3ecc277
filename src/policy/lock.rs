//! What lives on GitHub and is pinned in the lock files: has it drifted, and how are they written
//! anew?
//!
//! *In:* the files of a policy, whether it has errors or not, and what GitHub has. *Out:* the
//! differences as findings, or the text of lock files that pin what there is. Whoever calls asks
//! GitHub: here is no I/O.

mod compare;
mod goals;
mod write;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::diagnostic::{Diagnostic, Source};
use super::load::{self, Merged};
use super::model::{Board, FieldKind, PinnedGoal, Role};
use super::read::{Reader, vocabulary};
use super::yaml::{Kind, Node};

/// Every code that a difference to GitHub may carry and what it means.
pub const CODES: &[(&str, &str)] = &[
    (
        "drift",
        "a board, or what stands on it, is no longer as it is pinned",
    ),
    (
        "no-board",
        "a board is not there, or the App may not see it",
    ),
    ("no-team", "a role's team is not there"),
    ("no-user", "nobody has the login that a role names"),
];

/// The fields of a board and what they hold, in the order of the board.
pub type Fields = IndexMap<String, FieldKind>;

/// What a policy names on GitHub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    pub organization: String,
    /// The project's number by the board's name in the policy.
    pub boards: BTreeMap<String, u64>,
    /// Boards whose items are the goals, by their names in the policy.
    pub goals: BTreeSet<String>,
    /// Slugs of the teams of all roles.
    pub teams: BTreeSet<String>,
    /// Logins of the users of all roles.
    pub users: BTreeSet<String>,
}

/// What of it GitHub has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// By the board's name in the policy, without those that are not there or not visible.
    pub boards: BTreeMap<String, Fields>,
    /// The goals on the boards that hold them, in the boards' order; `None` where they could not
    /// all be read.
    pub goals: Option<Vec<Objective>>,
    pub teams: BTreeSet<String>,
    pub users: BTreeSet<String>,
}

/// A goal as it stands on a board.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objective {
    /// Node id of its row.
    pub item: String,
    pub title: String,
    /// `owner/repo#n`; empty for a draft.
    pub issue: String,
    /// Everybody may see it. Of a draft that is not known.
    pub public: bool,
}

/// The goals that the lock files pin.
pub(super) fn pinned_goals(merged: &Merged<'_>) -> Vec<PinnedGoal> {
    let pinned = merged.pinned_goals.iter();
    pinned.map(|(_, node)| goals::read(node)).collect()
}

/// How a board that is pinned differs from what GitHub shows of it, in words for everybody: no title
/// of what not everybody may see. `goals`: where its items are the goals.
#[must_use]
pub fn drift_of(
    board: &Board,
    pinned_goals: &[PinnedGoal],
    now: &Fields,
    goals: Option<&[Objective]>,
) -> Vec<String> {
    let mut out: Vec<String> = if board.fields.is_empty() {
        Vec::new()
    } else {
        let fields = compare::of_board(&board.id, &board.fields, now);
        fields.into_iter().map(|(_, message)| message).collect()
    };
    let goals = goals.map(|goals| goals::differences(pinned_goals, goals, |goal| goal.public));
    out.extend(goals.into_iter().flatten().map(|(_, message)| message));
    out
}

/// What to ask GitHub about. `None`: the files are no YAML, or no policy that says whose it is.
#[must_use]
pub fn named(sources: &[Source]) -> Option<Named> {
    let (teams, users) = (|r: &Role| r.teams.clone(), |r: &Role| r.users.clone());
    read(sources, |_, policy| Named {
        organization: policy.organization.clone(),
        boards: (policy.boards.values())
            .map(|board| (board.id.clone(), board.project))
            .collect(),
        goals: (policy.boards.values())
            .filter(|board| board.goals)
            .map(|board| board.id.clone())
            .collect(),
        teams: policy.roles.values().flat_map(teams).collect(),
        users: policy.roles.values().flat_map(users).collect(),
    })
}

/// How GitHub differs from the policy and its lock files, one finding for each difference.
#[must_use]
pub fn drift(sources: &[Source], shown: &Shown) -> Vec<Diagnostic> {
    let found = read(sources, |r, policy| {
        compare::boards(r, policy, shown);
        goals::compare(r, policy, shown);
        compare::people(r, policy, shown);
        std::mem::take(&mut r.findings)
    });
    found.unwrap_or_default()
}

/// The lock files that are to be written so that everything shown is pinned, whole; none where
/// nothing drifted. What is not shown stays pinned as it was. A board that no file pins goes into
/// the first lock file, or into `fresh` where there is none.
#[must_use]
pub fn update(sources: &[Source], shown: &Shown, fresh: &str) -> Vec<Source> {
    read(sources, |_, policy| write::files(policy, shown, fresh)).unwrap_or_default()
}

/// The parts of a policy that are about GitHub, with their places.
struct Outline<'p, 'n> {
    sources: &'p [Source],
    organization: String,
    merged: &'p Merged<'n>,
    roles: IndexMap<String, Role>,
    boards: IndexMap<String, Board>,
}

impl<'n> Outline<'_, 'n> {
    /// The key of a board in the lock files.
    fn pinned(&self, board: &str) -> Option<(&'n Node, &'n Node)> {
        let mut pinned = self.merged.pinned.iter();
        pinned.find(|(k, _)| k.text() == Some(board)).copied()
    }
}

/// Reads what can be read, whatever else is wrong: `check` says that.
fn read<T>(
    sources: &[Source],
    then: impl FnOnce(&mut Reader<'_>, &Outline<'_, '_>) -> T,
) -> Option<T> {
    let mut reader = Reader::new(sources);
    let r = &mut reader;
    let roots = load::parse_all(r);
    if !r.findings.is_empty() {
        return None;
    }
    let merged = load::merge(r, &roots);
    let outline = Outline {
        sources,
        organization: merged.single("organization")?.text()?.to_owned(),
        roles: vocabulary::roles(r, merged.named("roles")),
        boards: vocabulary::boards(r, merged.named("boards"), &merged.pinned),
        merged: &merged,
    };
    r.findings.clear();
    Some(then(r, &outline))
}

/// The value of a key of a map.
fn at<'n>(node: &'n Node, key: &str) -> Option<&'n (Node, Node)> {
    match &node.kind {
        Kind::Map(entries) => entries.iter().find(|(k, _)| k.text() == Some(key)),
        _ => None,
    }
}
