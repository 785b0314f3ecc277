//! The look at a board: take in what happened to its rows, decide its gates and caps, and hand
//! each verdict to the lane of the item it is about.
//!
//! Nothing is written to GitHub here. A verdict is kept in the store until the item's own lane has
//! carried it out, with the installation's writer, like everything else it writes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::json;

use crate::ids::ItemId;
use crate::policy::Policy;
use crate::receive::payload::{FieldChange, ItemEvent, Side};
use crate::store::{
    Alias, BoardChanges, BoardItem, BoardRecord, BoardState, Delivery, Finish, ItemChanges,
    LaneKey, Lease, NewAudit, Stood,
};
use crate::triage::board::{
    self, Back, Board, BoardDecision, Content, End, Judged, Limit, Place, Row, Verdict, judge,
};
use crate::triage::decision::Mode;
use crate::triage::snapshot::FieldValue;

use super::board_said::{About, ToSay};
use super::pinned::is_pinned;
use super::{Organization, WorkError, Worker, places};

/// A board's lane while it is looked at.
struct Look<'a> {
    organization: &'a Organization,
    lease: &'a Lease,
    /// The policy's board id.
    board: &'a str,
    record: BoardRecord,
    changes: BoardChanges,
    finish: Finish,
    /// Something was told of which the board is to be asked.
    unsure: bool,
    /// For the digest's issue.
    to_say: Vec<ToSay>,
    now: Timestamp,
}

impl Worker {
    /// Handles a board's lane that is due.
    pub(super) async fn look_at_board(
        &self,
        organization: &Organization,
        lease: &Lease,
        project: &str,
    ) -> Result<(), WorkError> {
        let pending = self.store.pending(lease, usize::MAX).await?;
        let mut finish = Finish {
            done: pending.iter().map(|d| d.seq).collect(),
            ..Finish::default()
        };
        if pending.iter().any(|d| d.event == "projects_v2") {
            // Fields or options may have been changed.
            organization.vocabulary.forget();
        }
        let policy = &organization.policy;
        let board = organization
            .vocabulary
            .board_of_project(policy, project)
            .await?;
        let Some(board) = board else {
            return Ok(self.store.finish(lease, finish).await?);
        };
        if Limit::of(policy, &board).next().is_none() {
            let named = policy.boards.get(&board);
            return match named.filter(|named| is_pinned(policy, named)) {
                Some(named) => {
                    let (board, so_far) = ((named, project), (pending.as_slice(), finish));
                    self.look_at_pins(organization, lease, board, so_far).await
                }
                None => Ok(self.store.finish(lease, finish).await?),
            };
        }
        let read = self
            .read_board(organization, lease, &board, project)
            .await?;
        finish.wake_lanes.extend(read.wake);
        finish.audit.extend(read.audit);
        let mut look = Look {
            organization,
            lease,
            board: &board,
            record: self.store.board(lease.installation, project).await?,
            changes: BoardChanges {
                project: project.to_owned(),
                stale: read.stale,
                ..BoardChanges::default()
            },
            finish,
            unsure: false,
            to_say: Vec::new(),
            now: self.clock.now(),
        };
        look.take_state(read.state);
        for (item, place) in read.rows {
            look.set_place(item, place);
        }
        for delivery in &pending {
            self.take_in_row(&mut look, delivery).await?;
        }
        if look.still_waits() {
            return self.wait_for_items(look).await;
        }
        let rows: Vec<Row> = look.record.items.iter().map(row_of).collect();
        let columns = columns(organization, &board).await?;
        let decision = judge(&Board {
            policy,
            id: &board,
            now: look.now,
            columns: &columns,
            rows: &rows,
            since: &look.record.state.since,
        });
        look.verdicts(&rows, &decision);
        look.name_next(&rows, &decision);
        let about = About {
            board: &board,
            rows: &rows,
            decision: &decision,
        };
        self.say_on_digest(organization, lease, &about, &look.to_say)
            .await?;
        let Look {
            record,
            mut changes,
            mut finish,
            unsure,
            now,
            ..
        } = look;
        let state = BoardState {
            since: decision.since,
            caps: decision.caps,
            ..record.state
        };
        let again = now.checked_add(self.config.read_boards_every).ok();
        let again = if unsure { Some(now) } else { again };
        finish.wake_at = [decision.look_again_at, again].into_iter().flatten().min();
        changes.state = Some(state);
        finish.board = Some(changes);
        self.store.finish(lease, finish).await?;
        Ok(())
    }

    /// Ends a look at a board that is not decided yet: what was learned is kept.
    async fn wait_for_items(&self, look: Look<'_>) -> Result<(), WorkError> {
        let decision = BoardDecision::default();
        let about = About {
            board: look.board,
            rows: &[],
            decision: &decision,
        };
        self.say_on_digest(look.organization, look.lease, &about, &look.to_say)
            .await?;
        let Look {
            lease,
            record,
            mut changes,
            mut finish,
            ..
        } = look;
        finish.wake_at = record.state.awaits_until;
        changes.state = Some(record.state);
        finish.board = Some(changes);
        Ok(self.store.finish(lease, finish).await?)
    }

    /// Has every board with gates or caps looked at; from then on their lanes have timers of their own.
    pub(super) async fn wake_boards(&self, organization: &Organization) -> Result<(), WorkError> {
        let ids = organization.board_ids().await?;
        let policy = &organization.policy;
        let limited = places::limited(policy, &ids).map(|(project, _)| project);
        let limited: BTreeSet<&str> = limited.collect();
        for (project, board) in &ids {
            let named = policy.boards.get(board);
            let pinned = named.is_some_and(|board| is_pinned(policy, board));
            if !pinned && !limited.contains(project.as_str()) {
                continue;
            }
            let lane = LaneKey::Board(project.clone());
            let (installation, now) = (organization.installation, self.clock.now());
            self.store.wake(installation, &lane, now).await?;
        }
        Ok(())
    }

    /// A draft's or pull request's row: it has no lane of its own.
    async fn take_in_row(&self, look: &mut Look<'_>, delivery: &Delivery) -> Result<(), WorkError> {
        if delivery.event != "projects_v2_item" {
            return Ok(());
        }
        let Some(event) = ItemEvent::read(&delivery.payload) else {
            return Ok(());
        };
        let content = match event.content_type.as_str() {
            "PullRequest" => Content::PullRequest,
            "DraftIssue" => Content::Draft,
            _ => return Ok(()), // nothing that takes a place that anybody could tell
        };
        let aliases = [Alias::Node(event.node_id.clone())];
        let item = self
            .store
            .ensure_item(look.lease.installation, &aliases)
            .await?;
        let known = look.record.items.iter().find(|i| i.item == item);
        let mut place = known.map_or_else(Place::default, |i| i.record.place.clone());
        place.content = content;
        place.on_board = event.action != "deleted";
        place.archived = event.archived;
        if known.is_none() {
            place.open = true;
            place.private = true; // until it is read
        }
        if let Some(change) = &event.change
            && !take_column(
                look.organization,
                look.board,
                &mut place,
                change,
                (event.updated_at, delivery.received_at),
            )
        {
            // Which of two words is the later one, only the board itself can tell.
            look.record.state.swept_at = None;
            look.record.state.seen = None;
            look.unsure = true;
        }
        let on_board = place.on_board;
        look.set_place(item, on_board.then_some(place));
        Ok(())
    }
}

/// The board's columns in order: as pinned, else as GitHub has them.
async fn columns(organization: &Organization, board: &str) -> Result<Vec<String>, WorkError> {
    let policy = &organization.policy;
    let Some(named) = policy.boards.get(board) else {
        return Ok(Vec::new());
    };
    if !named.columns().is_empty() {
        return Ok(named.columns().to_vec());
    }
    let project = organization.vocabulary.board(policy, board).await?;
    let fields = project.iter().flat_map(|project| &project.fields);
    let mut column = fields.filter(|f| f.name.eq_ignore_ascii_case(&named.column_field));
    let options = column.next().into_iter().flat_map(|field| &field.options);
    Ok(options.map(|(_, name)| name.clone()).collect())
}

fn row_of(item: &BoardItem) -> Row {
    Row {
        item: item.item,
        place: item.record.place.clone(),
        standing: item.record.standing.clone(),
    }
}

/// `at`: when GitHub says it was, and when it was received. Returns whether it could be told.
fn take_column(
    organization: &Organization,
    board: &str,
    place: &mut Place,
    change: &FieldChange,
    (at, received_at): (Option<Timestamp>, Timestamp),
) -> bool {
    let field = organization
        .policy
        .boards
        .get(board)
        .map(|b| &b.column_field);
    if !field.is_some_and(|field| field.eq_ignore_ascii_case(&change.field_name)) {
        return true;
    }
    let text = |side: &Side| match side {
        Side::NotSaid => None,
        Side::Empty => Some(String::new()),
        Side::Value(value) => Some(FieldValue::text(value)),
    };
    let newer = at.zip(place.told_at).is_none_or(|(at, known)| at > known);
    let Some(to) = text(&change.to).filter(|to| *to != place.column) else {
        place.told_at = place.told_at.max(at);
        return true;
    };
    if newer {
        place.column = to;
        place.came_from = text(&change.from).filter(|from| !from.is_empty());
        place.entered_at = Some(received_at);
        place.told_at = place.told_at.max(at);
    }
    newer
}

impl Look<'_> {
    fn policy(&self) -> &Policy {
        &self.organization.policy
    }

    /// What was read of the board itself; what is new of that is to be said.
    fn take_state(&mut self, read: BoardState) {
        let known = &self.record.state;
        if self.policy().mode == Mode::Enforce {
            let missing = (known.missing != read.missing).then(|| read.missing.clone());
            let drift = (known.drift != read.drift).then(|| read.drift.clone());
            self.to_say.extend(missing.map(ToSay::Columns));
            self.to_say.extend(drift.map(ToSay::Drift));
        }
        self.record.state = read;
    }

    /// Is there an item of which the board was read and whose lane has not said so yet?
    fn still_waits(&mut self) -> bool {
        let items = self.record.items.iter();
        let places: BTreeMap<ItemId, &Place> = items.map(|i| (i.item, &i.record.place)).collect();
        let state = &mut self.record.state;
        state
            .awaits
            .retain(|item, stood| Stood::of(places.get(item).copied()) == *stood);
        if state.awaits_until.is_none_or(|until| until <= self.now) {
            state.awaits.clear();
        }
        if state.awaits.is_empty() {
            state.awaits_until = None;
        }
        !state.awaits.is_empty()
    }

    /// Writes or forgets the place of a row that has no lane of its own.
    fn set_place(&mut self, item: ItemId, place: Option<Place>) {
        let project = self.changes.project.clone();
        self.record
            .items
            .retain(|i| i.item != item || place.is_some());
        if let Some(place) = &place {
            let known = self.record.items.iter_mut().find(|i| i.item == item);
            if let Some(known) = known {
                known.record.place = place.clone();
            } else {
                let mut new = BoardItem {
                    item,
                    lane: None,
                    record: crate::store::PlaceRecord::default(),
                };
                new.record.place = place.clone();
                self.record.items.push(new);
            }
        }
        let change = ItemChanges {
            places: BTreeMap::from([(project, place.map(|place| (None, place)))]),
            ..ItemChanges::default()
        };
        self.changes.items.push((item, change));
    }

    /// What changed of the standings, and the verdicts that are new.
    fn verdicts(&mut self, rows: &[Row], decision: &BoardDecision) {
        for (row, standing) in rows.iter().zip(&decision.standing) {
            if row.standing.as_ref() != Some(standing) {
                let change = (row.item, standing.clone());
                self.changes.standings.push(change);
            }
        }
        let mut judged: BTreeMap<usize, &Judged> = BTreeMap::new();
        for entry in &decision.entries {
            self.note_over(entry);
            // What sends it back counts more than what warns.
            let first = judged.entry(entry.row).or_insert(entry);
            if matches!(entry.end, End::Returned { .. }) {
                *first = entry;
            }
        }
        for index in 0..rows.len() {
            match judged.get(&index) {
                Some(entry) => self.judged(rows, decision, entry),
                None => self.let_in(&rows[index], &decision.standing[index], index),
            }
        }
    }

    /// What is over a cap and cannot be put back has no comments of its own.
    fn note_over(&mut self, entry: &Judged) {
        let policy = self.policy();
        let cap = policy.caps.get(&entry.limit);
        let enforced = cap.is_some_and(|cap| Limit::Cap(cap).mode(policy) == Mode::Enforce);
        if enforced && entry.end == End::Reported {
            let (row, limit) = (entry.row, entry.limit.clone());
            self.to_say.push(ToSay::Over { row, limit });
        }
    }

    fn judged(&mut self, rows: &[Row], decision: &BoardDecision, judged: &Judged) {
        let row = &rows[judged.row];
        let Some(limit) = Limit::named(self.policy(), &judged.limit) else {
            return;
        };
        let place = &row.place;
        let (back, say, by_hand, what) = match &judged.end {
            End::Refused => return,
            End::Returned { to } => {
                let back = Back {
                    from: place.column.clone(),
                    to: to.clone(),
                };
                let policy = self.policy();
                let text = board::returned(policy, rows, decision, place, row.item, (limit, to));
                let say = Some((board::comment_key(self.board), text));
                (Some(back), say, None, "returned")
            }
            End::Warned => {
                let text = board::warned(self.policy(), rows, decision, place, limit);
                let say = Some((board::comment_key(self.board), text));
                (None, say, None, "warned")
            }
            End::ByHand => {
                let text = board::asks_for_reason(self.policy(), decision, place, limit.id());
                let say = Some((format!("override-{}", limit.id()), text));
                let cap = Some(limit.id().to_owned());
                (None, say, cap, "by_hand")
            }
            End::Reported => (None, None, None, "reported"),
        };
        let known = self.record.items[judged.row].record.verdict.as_ref();
        let same = known.is_some_and(|v| {
            v.limit == judged.limit && v.back == back && v.by_hand == by_hand && back.is_some()
        });
        if same {
            return; // on its way
        }
        self.note(
            Some(row.item),
            what,
            json!({
                "limit": judged.limit,
                "item": place.name,
                "column": place.column,
                "to": back.as_ref().map(|b| &b.to),
                "moved_by": place.mover.as_ref().map(|m| m.user),
            }),
        );
        if back.is_some() || say.is_some() {
            self.tell(row.item, &judged.limit, back, say, by_hand);
        }
    }

    /// Not an entry, or not any more.
    fn let_in(&mut self, row: &Row, standing: &board::Standing, index: usize) {
        let known = &self.record.items[index];
        let in_time = known.record.verdict.as_ref().is_some_and(|verdict| {
            verdict.back.as_ref().is_some_and(|back| {
                back.from.eq_ignore_ascii_case(&row.place.column)
                    && standing.inside.contains(&verdict.limit)
            })
        });
        if in_time {
            // A place became free before it was put back.
            self.changes.verdicts.push((row.item, None));
        }
        let before = row.standing.as_ref().map(|s| &s.inside);
        let asked = row.place.asks.is_some() || !known_turned_away(row).is_empty();
        if asked
            && before != Some(&standing.inside)
            && let Some(lane) = &known.lane
        {
            self.finish.wake_lanes.push(lane.clone());
        }
    }

    /// Where a place has become free, who is next: said on the digest's issue, or moved.
    fn name_next(&mut self, rows: &[Row], decision: &BoardDecision) {
        let policy = &self.organization.policy;
        for state in &decision.caps {
            let Some(cap) = policy.caps.get(&state.cap) else {
                continue;
            };
            let before = self.record.state.caps.iter().find(|c| c.cap == state.cap);
            // A place is freed by somebody leaving; one that was always free is not news.
            let was_full = before.is_some_and(|b| b.in_flight.len() >= b.at_most);
            let named = self.record.state.named.get(&state.cap).copied();
            let Some(next) = state.next() else {
                self.record.state.named.remove(&state.cap);
                continue;
            };
            if named == Some(next) || named.is_none() && !was_full {
                continue;
            }
            self.record.state.named.insert(state.cap.clone(), next);
            let place = rows.iter().find(|r| r.item == next).map(|r| &r.place);
            let Some(place) = place else { continue };
            self.note(
                Some(next),
                "next",
                json!({ "limit": state.cap, "item": place.name, "pull": cap.pull }),
            );
            if Limit::Cap(cap).mode(policy) != Mode::Enforce {
                continue;
            }
            if cap.pull {
                let to = cap.columns.first().cloned().unwrap_or_default();
                let back = Back {
                    from: place.column.clone(),
                    to,
                };
                self.tell(next, &state.cap, Some(back), None, None);
            } else {
                self.to_say.push(ToSay::Next(state.cap.clone()));
            }
        }
    }

    /// Leaves a verdict for the item's lane.
    fn tell(
        &mut self,
        item: ItemId,
        limit: &str,
        back: Option<Back>,
        say: Option<(String, String)>,
        by_hand: Option<String>,
    ) {
        let verdict = Verdict {
            id: format!("{}:{}", self.lease.fence, self.changes.verdicts.len()),
            board: self.board.to_owned(),
            back,
            say,
            by_hand,
            limit: limit.to_owned(),
        };
        self.changes.verdicts.push((item, Some(verdict)));
        let known = self.record.items.iter().find(|i| i.item == item);
        let lane = known.and_then(|i| i.lane.clone());
        self.finish.wake_lanes.extend(lane);
    }

    fn note(&mut self, item: Option<ItemId>, what: &str, mut detail: serde_json::Value) {
        detail["board"] = json!(self.board);
        detail["what"] = json!(what);
        let line = NewAudit::noticed(self.lease, self.now, item, "board", detail);
        self.finish.audit.push(line);
    }
}

fn known_turned_away(row: &Row) -> BTreeSet<String> {
    let standing = row.standing.as_ref();
    standing.map(|s| s.turned_away.clone()).unwrap_or_default()
}
