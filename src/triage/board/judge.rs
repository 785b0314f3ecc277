//! The judgement: standing work stays, entries are taken in one after the other, oldest first.
//!
//! Which is older is told by GitHub's clock, and within one of its seconds by the item's id: in
//! whatever order webhooks came, the same rows are judged alike.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::policy::model::{Cap, Over};

use super::super::decision::Mode;
use super::{
    Board, BoardDecision, CapState, Content, End, Judged, Limit, OrderKey, Place, Standing, at_most,
};

/// Decides a board. The order of the rows does not matter, and deciding twice changes nothing.
#[must_use]
pub fn judge(board: &Board<'_>) -> BoardDecision {
    let mut judge = Judge::new(board);
    let entries = judge.standing();
    for entry in &entries {
        judge.enter(entry);
    }
    judge.end()
}

struct Judge<'a> {
    board: &'a Board<'a>,
    limits: Vec<(Limit<'a>, usize)>,
    /// By a column as rows write it: the limits that hold it.
    by_column: HashMap<&'a str, Vec<usize>>,
    /// How many count, for each limit.
    counts: Vec<usize>,
    /// Where each row will be: index into limits, for those it stands in.
    inside: Vec<Vec<usize>>,
    turned_away: Vec<BTreeSet<String>>,
    judged: Vec<Judged>,
    /// Rows that go back, and where to.
    going: HashMap<usize, String>,
}

/// A row in, or on its way into, a column whose limits have not let it in.
struct Entry {
    row: usize,
    limits: Vec<usize>,
    at: Timestamp,
    asks: bool,
}

impl<'a> Judge<'a> {
    fn new(board: &'a Board<'a>) -> Self {
        let limits: Vec<_> = Limit::of(board.policy, board.id)
            .map(|limit| match limit {
                Limit::Cap(cap) => (limit, at_most(board.policy, cap, board.now)),
                Limit::Gate(_) => (limit, usize::MAX),
            })
            .collect();
        let mut by_column: HashMap<&str, Vec<usize>> = HashMap::new();
        for row in board.rows {
            let asked = row.place.asks.iter().map(|ask| ask.column.as_str());
            let from = row.place.came_from.iter().map(String::as_str);
            for column in asked.chain(from).chain([row.place.column.as_str()]) {
                by_column.entry(column).or_insert_with(|| {
                    let held = |(i, (limit, _)): (usize, &(Limit<'_>, usize))| {
                        limit.holds(column).then_some(i)
                    };
                    limits.iter().enumerate().filter_map(held).collect()
                });
            }
        }
        Self {
            board,
            counts: vec![0; limits.len()],
            limits,
            by_column,
            inside: vec![Vec::new(); board.rows.len()],
            turned_away: vec![BTreeSet::new(); board.rows.len()],
            judged: Vec::new(),
            going: HashMap::new(),
        }
    }

    fn limits_of(&self, column: &str) -> &[usize] {
        self.by_column.get(column).map_or(&[], Vec::as_slice)
    }

    fn place(&self, row: usize) -> &'a Place {
        &self.board.rows[row].place
    }

    fn is_exempt(&self, row: usize, limit: usize) -> bool {
        let (place, (limit, _)) = (self.place(row), self.limits[limit]);
        place.exempt.contains(limit.id()) || is_another_value(place, limit)
    }

    fn has_pass(&self, row: usize, limit: usize) -> bool {
        let pass = self.place(row).passes.get(self.limits[limit].0.id());
        pass.is_some_and(|p| p.until.is_none_or(|until| self.board.now < until))
    }

    fn let_in(&mut self, row: usize, limit: usize) {
        self.inside[row].push(limit);
        if !self.is_exempt(row, limit) {
            self.counts[limit] += 1;
        }
    }

    /// Notes who stands by right; the others are the entries, oldest first.
    fn standing(&mut self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (index, row) in self.board.rows.iter().enumerate() {
            let place = &row.place;
            if let Some(standing) = &row.standing {
                self.turned_away[index].clone_from(&standing.turned_away);
            }
            if place.archived || !place.open {
                continue;
            }
            let asks = place.asks.as_ref();
            for (column, asks) in [
                (place.on_board.then_some(place.column.as_str()), None),
                (asks.map(|ask| ask.column.as_str()), asks),
            ] {
                let mut lacking = Vec::new();
                for limit in self.limits_of(column.unwrap_or_default()).to_vec() {
                    if self.inside[index].contains(&limit) {
                        continue;
                    }
                    if self.stands_by_right(index, limit) {
                        self.let_in(index, limit);
                    } else {
                        lacking.push(limit);
                    }
                }
                if !lacking.is_empty() {
                    // Where nobody knows when it came, it came last.
                    let came_at = place.told_at.or(place.entered_at);
                    let at = asks.map(|ask| ask.since).or(came_at);
                    entries.push(Entry {
                        row: index,
                        limits: lacking,
                        at: at.unwrap_or(Timestamp::MAX),
                        asks: asks.is_some(),
                    });
                }
            }
        }
        entries.sort_by_key(|e| (e.at, self.board.rows[e.row].item));
        entries
    }

    fn stands_by_right(&self, index: usize, limit: usize) -> bool {
        let row = &self.board.rows[index];
        let id = self.limits[limit].0.id();
        let let_in = row.standing.as_ref().is_some_and(|s| s.inside.contains(id));
        // There before the limit was, as far as anybody knew then or finds out now.
        let came_at = row.place.entered_at;
        let before = || match self.board.since.get(id) {
            None => true,
            Some(since) => {
                row.standing.is_none() && came_at.is_some_and(|at| at < as_exact_as(at, *since))
            }
        };
        let_in || before()
    }

    /// Would the limit have one more, this one?
    fn allows(&self, row: usize, limit: usize) -> bool {
        if self.has_pass(row, limit) {
            return true;
        }
        match self.limits[limit] {
            (Limit::Gate(gate), _) => self.place(row).meets.contains(&gate.id),
            (Limit::Cap(_), at_most) => self.is_exempt(row, limit) || self.counts[limit] < at_most,
        }
    }

    fn enter(&mut self, entry: &Entry) {
        let Entry { row, limits, .. } = entry;
        let row = *row;
        let against: Vec<usize> = limits
            .iter()
            .copied()
            .filter(|limit| !self.allows(row, *limit))
            .collect();
        let firm = against.iter().copied().find(|limit| {
            let (limit, _) = self.limits[*limit];
            limit.over() == Over::Return
                && limit.mode(self.board.policy) == Mode::Enforce
                && !self.is_by_hand(row, limit)
        });
        let movable = entry.asks || self.place(row).content == Content::Issue;
        if let Some(limit) = firm.filter(|_| movable) {
            let end = if entry.asks {
                End::Refused
            } else {
                End::Returned {
                    to: self.send_back(row),
                }
            };
            for limit in &against {
                self.turn_away(row, *limit);
            }
            self.note(row, limit, end);
            return;
        }
        for limit in &entry.limits {
            self.let_in(row, *limit);
            let id = self.limits[*limit].0.id();
            self.turned_away[row].remove(id);
        }
        for limit in against {
            let (what, _) = self.limits[limit];
            let end = if !movable || what.mode(self.board.policy) != Mode::Enforce {
                End::Reported
            } else if self.is_by_hand(row, what) {
                End::ByHand
            } else {
                // What is said about it stays as long as it stays.
                self.turn_away(row, limit);
                End::Warned
            };
            self.note(row, limit, end);
        }
    }

    fn note(&mut self, row: usize, limit: usize, end: End) {
        self.judged.push(Judged {
            row,
            limit: self.limits[limit].0.id().to_owned(),
            end,
        });
    }

    fn turn_away(&mut self, row: usize, limit: usize) {
        let id = self.limits[limit].0.id();
        self.turned_away[row].insert(id.to_owned());
    }

    fn is_by_hand(&self, row: usize, limit: Limit<'_>) -> bool {
        let (Limit::Cap(cap), Some(mover)) = (limit, &self.place(row).mover) else {
            return false;
        };
        cap.by_hand.iter().any(|role| mover.roles.contains(role))
    }

    /// The column it goes back to: where it came from, unless it has no place there any more.
    fn send_back(&mut self, row: usize) -> String {
        let place = self.place(row);
        let column = place.column.as_str();
        let back = place.came_from.as_deref();
        let back = back.filter(|from| !from.eq_ignore_ascii_case(column));
        let fits = back.filter(|from| {
            let mut limits = self.limits_of(from).iter();
            limits.all(|l| {
                self.stands_by_right(row, *l) && self.has_room(row, *l)
                    || !self.limits_of(column).contains(l) && self.allows(row, *l)
            })
        });
        // What let it into the column that it leaves does so no longer.
        for limit in std::mem::take(&mut self.inside[row]) {
            if !self.is_exempt(row, limit) {
                self.counts[limit] -= 1;
            }
        }
        let to = fits.unwrap_or_default();
        for limit in self.limits_of(to).to_vec() {
            self.let_in(row, limit);
        }
        self.going.insert(row, to.to_owned());
        to.to_owned()
    }

    /// Whoever stood there by right has their place back, if nobody was let in since.
    fn has_room(&self, row: usize, limit: usize) -> bool {
        let already = self.inside[row].contains(&limit);
        already || self.is_exempt(row, limit) || self.counts[limit] < self.limits[limit].1
    }

    fn end(mut self) -> BoardDecision {
        let mut since = self.board.since.clone();
        since.retain(|id, _| self.limits.iter().any(|(limit, _)| limit.id() == id));
        for (limit, _) in &self.limits {
            since.entry(limit.id().to_owned()).or_insert(self.board.now);
        }
        let caps = self.caps();
        let ends = self.board.rows.iter().flat_map(|row| {
            let passes = row.place.passes.values().filter_map(|pass| pass.until);
            passes.chain(row.place.snoozed_until)
        });
        let look_again_at = ends.filter(|until| *until > self.board.now).min();
        let standing = self.inside.iter().zip(&mut self.turned_away);
        let standing = standing.map(|(inside, turned_away)| Standing {
            inside: inside
                .iter()
                .map(|limit| self.limits[*limit].0.id().to_owned())
                .collect(),
            turned_away: std::mem::take(turned_away),
        });
        BoardDecision {
            standing: standing.collect(),
            entries: self.judged,
            caps,
            since,
            look_again_at,
        }
    }

    fn caps(&self) -> Vec<CapState> {
        let caps = self.limits.iter().enumerate();
        caps.filter_map(|(index, (limit, at_most))| match limit {
            Limit::Cap(cap) => Some(self.cap(index, cap, *at_most)),
            Limit::Gate(_) => None,
        })
        .collect()
    }

    fn cap(&self, limit: usize, cap: &Cap, at_most: usize) -> CapState {
        let rows = self.board.rows;
        let mut state = CapState {
            cap: cap.id.clone(),
            at_most,
            ..CapState::default()
        };
        let mut there: Vec<usize> = (0..rows.len())
            .filter(|row| self.inside[*row].contains(&limit))
            .collect();
        there.sort_by_key(|row| (rows[*row].place.entered_at, rows[*row].item));
        for row in there {
            let item = rows[row].item;
            if self.is_exempt(row, limit) {
                if !is_another_value(&rows[row].place, Limit::Cap(cap)) {
                    state.exempt.push(item);
                }
                continue;
            }
            state.in_flight.push(item);
            if self.has_pass(row, limit) {
                state.overrides.push(item);
            }
        }
        let mut queue: Vec<(&[OrderKey], usize)> = (0..rows.len())
            .filter(|row| self.is_candidate(*row, limit, cap))
            .map(|row| {
                let keys = rows[row].place.order.get(&cap.id);
                (keys.map_or(&[][..], Vec::as_slice), row)
            })
            .collect();
        queue.sort_by(|(a, x), (b, y)| {
            in_order(cap, a, b).then_with(|| rows[*x].item.cmp(&rows[*y].item))
        });
        state.queue = queue.into_iter().map(|(_, row)| rows[row].item).collect();
        state
    }

    /// Could it be the next? Issues that wait in front of the column, or that it turned away, and
    /// that no gate before it would refuse.
    fn is_candidate(&self, row: usize, limit: usize, cap: &Cap) -> bool {
        let place = self.place(row);
        if place.content != Content::Issue
            || !place.on_board
            || !place.open
            || place.archived
            || self.inside[row].contains(&limit)
            || self.is_exempt(row, limit)
            || place
                .snoozed_until
                .is_some_and(|until| self.board.now < until)
        {
            return false;
        }
        let column = self.going.get(&row).unwrap_or(&place.column);
        let waits = self.turned_away[row].contains(&cap.id) || self.is_before(column, cap);
        let mut gates = self.limits.iter().enumerate();
        waits
            && gates.all(|(index, (gate, _))| match gate {
                Limit::Gate(gate) => {
                    !gate.into.iter().any(|c| Limit::Cap(cap).holds(c))
                        || place.meets.contains(&gate.id)
                        || self.has_pass(row, index)
                }
                Limit::Cap(_) => true,
            })
    }

    /// Does the column come before those of the cap? Where the board's columns are not known, every
    /// other column does.
    fn is_before(&self, column: &str, cap: &Cap) -> bool {
        let columns = self.board.columns;
        let at = |name: &str| columns.iter().position(|c| c.eq_ignore_ascii_case(name));
        if columns.is_empty() {
            return !column.is_empty();
        }
        let first = cap.columns.iter().filter_map(|c| at(c)).min();
        at(column).is_some_and(|at| Some(at) < first)
    }
}

/// GitHub's times have whole seconds: what came within the second in which something began is not
/// known to have come before.
fn as_exact_as(at: Timestamp, since: Timestamp) -> Timestamp {
    if at.subsec_nanosecond() == 0 {
        Timestamp::from_second(since.as_second()).unwrap_or(since)
    } else {
        since
    }
}

/// Who goes first, by the cap's `next_by`.
fn in_order(cap: &Cap, a: &[OrderKey], b: &[OrderKey]) -> Ordering {
    for (order, (a, b)) in cap.next_by.iter().zip(a.iter().zip(b)) {
        let by = match (a, b) {
            (OrderKey::Number(a), OrderKey::Number(b)) => a.total_cmp(b),
            (OrderKey::Text(a), OrderKey::Text(b)) => a.cmp(b),
            (OrderKey::Absent, OrderKey::Absent) => Ordering::Equal,
            (OrderKey::Absent, _) => return Ordering::Greater,
            (_, OrderKey::Absent) => return Ordering::Less,
            // Of one expression all values are of one kind.
            _ => Ordering::Equal,
        };
        let by = if order.descending { by.reverse() } else { by };
        if by != Ordering::Equal {
            return by;
        }
    }
    Ordering::Equal
}

/// Is it a cap for one value of an attribute, and the item has another, or none?
fn is_another_value(place: &Place, limit: Limit<'_>) -> bool {
    match limit {
        Limit::Cap(cap) => cap.only.is_some() && !place.counts_in.contains(&cap.id),
        Limit::Gate(_) => false,
    }
}
