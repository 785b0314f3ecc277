//! Reading a board whole: at first, and now and then for what no webhook told.
//!
//! Looking whether there is anything to read is one request; reading is one for every hundred
//! rows. Items that nobody knew come in as they stand on the board, without being triaged: they
//! count, and somebody's next act on them has them looked at. Where the mirror is behind, the items'
//! lanes read again, and the board is decided once all of them have: what happened while nobody
//! listened is judged together, in its order.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::github::{Content as Holds, IssueRead, Project, ProjectItem};
use crate::ids::ItemId;
use crate::store::{
    Alias, BoardItem, BoardState, Found, ItemChanges, ItemRecord, LaneKey, Lease, NewAudit, Stood,
};
use crate::triage::board::{Content, Limit, Place};
use crate::triage::projection::field_of;

use super::happened;
use super::mirror::{aliases, mirrored};
use super::pinned::is_pinned;
use super::{Organization, WorkError, Worker};

/// A read that would drop more than one row in so many is distrusted.
const FIFTH: usize = 5;
/// Rows that may go without that, on however small a board.
const FEW: usize = 5;

/// How long a board waits for the lanes of items of which the mirror is behind.
const WAITS: SignedDuration = SignedDuration::from_mins(2);

/// What reading a board came to.
#[derive(Default)]
pub(super) struct BoardRead {
    pub state: BoardState,
    /// Items of which the mirror is behind.
    pub stale: Vec<ItemId>,
    pub wake: Vec<LaneKey>,
    /// Places of rows that have no lane of their own.
    pub rows: Vec<(ItemId, Option<Place>)>,
    pub audit: Vec<NewAudit>,
}

impl BoardRead {
    /// The board shows the item otherwise than the mirror has it: its lane reads again.
    fn behind(&mut self, item: ItemId, known: Option<&BoardItem>, lane: Option<LaneKey>) {
        self.stale.push(item);
        if let Some(lane) = lane {
            let stood = Stood::of(known.map(|known| &known.record.place));
            self.state.awaits.insert(item, stood);
            self.wake.push(lane);
        }
    }
}

impl Worker {
    /// Reads the board, if it was never read or it is time to look again and it has changed.
    pub(super) async fn read_board(
        &self,
        organization: &Organization,
        lease: &Lease,
        board: &str,
        project: &str,
    ) -> Result<BoardRead, WorkError> {
        let record = self.store.board(lease.installation, project).await?;
        let mut read = BoardRead {
            state: record.state,
            ..BoardRead::default()
        };
        let now = self.clock.now();
        if read.state.swept_at.is_some_and(|at| self.is_fresh(at, now)) {
            return Ok(read);
        }
        let number = organization.policy.boards.get(board).map(|b| b.project);
        let shown = organization
            .github
            .project(&organization.login, number.unwrap_or_default())
            .await?;
        let Some(shown) = shown else {
            return Ok(read);
        };
        read.state.swept_at = Some(now);
        self.missing_columns(organization, lease, board, &shown, &mut read);
        let named = organization.policy.boards.get(board);
        if let Some(named) = named.filter(|named| is_pinned(&organization.policy, named)) {
            read.state.drift = self.drift(organization, named, shown.clone()).await?;
        }
        let seen = shown.updated_at.map(|at| (at, shown.rows));
        if seen.is_some() && read.state.seen == seen && read.state.read_at.is_some() {
            return Ok(read);
        }
        let column = organization.policy.boards.get(board);
        let column = column.map_or("", |b| b.column_field.as_str());
        let mut there: BTreeSet<ItemId> = BTreeSet::new();
        let mut after = None;
        loop {
            let page = organization
                .github
                .project_items(project, after.as_deref())
                .await?;
            let rows = self
                .take_page(
                    organization,
                    lease,
                    (project, column),
                    page.rows,
                    &record.items,
                )
                .await?;
            there.extend(rows.iter().map(|(item, _)| *item));
            for (item, what) in rows {
                match what {
                    Row::Same => {}
                    Row::Behind(lane) => {
                        let known = record.items.iter().find(|known| known.item == item);
                        read.behind(item, known, lane);
                    }
                    Row::Place(place) => read.rows.push((item, Some(*place))),
                }
            }
            if there.len() >= 500 || page.next.is_some() {
                tracing::info!(
                    board,
                    rows = there.len(),
                    of = page.total,
                    "reading the board"
                );
            }
            if page.next.is_none() || page.next == after {
                break;
            }
            after = page.next;
            let until = self.clock.now().saturating_add(self.config.lease);
            self.store.renew(lease, until.unwrap_or(now)).await?;
        }
        gone(lease, board, now, &record.items, &there, &mut read);
        let until = now.checked_add(WAITS).ok();
        read.state.awaits_until = until.filter(|_| !read.state.awaits.is_empty());
        read.state.seen = seen;
        if read.state.read_at.is_none() && self.config.read_history {
            // It waited for this.
            read.wake.push(LaneKey::History);
        }
        read.state.read_at = Some(now);
        Ok(read)
    }

    /// Columns that gates and caps name and the board does not have: said, once.
    fn missing_columns(
        &self,
        organization: &Organization,
        lease: &Lease,
        board: &str,
        shown: &Project,
        read: &mut BoardRead,
    ) {
        let policy = &organization.policy;
        let field = policy.boards.get(board).map(|b| b.column_field.as_str());
        let field = shown
            .fields
            .iter()
            .find(|f| field.is_some_and(|field| field.eq_ignore_ascii_case(&f.name)));
        let has = |column: &str| {
            let mut options = field.into_iter().flat_map(|f| &f.options);
            options.any(|(_, name)| name.eq_ignore_ascii_case(column))
        };
        let named = Limit::of(policy, board).flat_map(Limit::columns);
        let missing: BTreeSet<String> = named.filter(|c| !has(c)).cloned().collect();
        if missing != read.state.missing {
            for column in missing.difference(&read.state.missing) {
                tracing::warn!(
                    board,
                    column,
                    "the policy names a column that the board does not have"
                );
            }
            let what = json!({ "what": "missing_columns", "board": board, "columns": missing });
            let line = NewAudit::noticed(lease, self.clock.now(), None, "board", what);
            read.audit.push(line);
            read.state.missing = missing;
        }
    }

    async fn take_page(
        &self,
        organization: &Organization,
        lease: &Lease,
        (project, column): (&str, &str),
        rows: Vec<ProjectItem>,
        known: &[BoardItem],
    ) -> Result<Vec<(ItemId, Row)>, WorkError> {
        let mut out = Vec::new();
        let mut found = Vec::new();
        for mut row in rows {
            let shown = field_of(&row.row, column).map(|(name, value)| (name, value.text()));
            let (name, text) = shown.map_or((None, String::new()), |(n, t)| (Some(n), t));
            row.row.entered_at = name.and_then(|name| row.field_set_at.get(name).copied());
            let alias = Alias::Node(match &row.content {
                Holds::Issue { id, .. } => id.clone(),
                // Rows without a lane go by their own id, which every event about them tells.
                _ => row.row.node_id.clone(),
            });
            let item = self.store.item_by_alias(lease.installation, &alias).await?;
            let place = item.and_then(|item| known.iter().find(|k| k.item == item));
            let same = place.is_some_and(|k| {
                let place = &k.record.place;
                place.column == text && place.on_board && place.archived == row.row.archived
            });
            match (item, row.content) {
                (Some(item), Holds::Issue { .. }) if same => out.push((item, Row::Same)),
                (item, Holds::Issue { read, .. }) => {
                    let record = match item {
                        Some(item) => self.store.item(lease.installation, item).await?,
                        None => None,
                    };
                    let known = record.as_ref().filter(|r| r.issue.is_some());
                    if let (Some(item), Some(known)) = (item, known) {
                        out.push((item, Row::Behind(known.lane())));
                    } else if let Some(read) = read {
                        let new = self.new_item(organization, project, *read, row.row).await?;
                        found.push((alias, new));
                    }
                }
                (item, content) => {
                    let item = if let Some(item) = item {
                        item
                    } else {
                        let aliases = [alias];
                        self.store.ensure_item(lease.installation, &aliases).await?
                    };
                    let mut now = place_of(content);
                    now.column = text;
                    now.archived = row.row.archived;
                    now.entered_at = row.row.entered_at;
                    now.told_at = row.row.entered_at;
                    if let Some(known) = place.filter(|_| same) {
                        now.came_from.clone_from(&known.record.place.came_from);
                        now.entered_at = known.record.place.entered_at;
                    } else if let Some(known) = place {
                        now.came_from = Some(known.record.place.column.clone());
                    }
                    out.push((item, Row::Place(Box::new(now))));
                }
            }
        }
        let (aliases, new): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let taken = self.store.learn(lease, new).await?;
        for alias in aliases {
            if let Some(item) = self.store.item_by_alias(lease.installation, &alias).await? {
                let known = self.store.item(lease.installation, item).await?;
                let what = if taken.contains(&item) {
                    Row::Same
                } else {
                    Row::Behind(known.as_ref().and_then(ItemRecord::lane))
                };
                out.push((item, what));
            }
        }
        Ok(out)
    }

    /// An item that nobody knew, as the board shows it.
    async fn new_item(
        &self,
        organization: &Organization,
        project: &str,
        read: IssueRead,
        row: crate::triage::snapshot::BoardRow,
    ) -> Result<Found, WorkError> {
        let aliases = aliases(&read).into();
        let lane = LaneKey::Issue {
            repository: read.repository_id,
            number: read.issue.number,
        };
        // Rows on other boards are read when it is looked at.
        let issue = mirrored(read);
        let record = ItemRecord {
            issue: Some(issue.clone()),
            boards: BTreeMap::from([(project.to_owned(), row.clone())]),
            ..ItemRecord::default()
        };
        let decided = self.decide(organization, &record, &issue).await?;
        let place = decided.boards.places.get(project).cloned().flatten();
        // What its rules would want is not asked before somebody looks at it.
        let place = place.map(|place| {
            (
                Some(lane),
                Place {
                    asks: None,
                    ..place
                },
            )
        });
        let now = self.clock.now();
        let ids = organization.board_ids().await?;
        let moved = ids.get(project);
        let moved = moved.map(|board| happened::to_row(board, None, Some(&row), now));
        let history = happened::to_issue(None, &issue)
            .into_iter()
            .chain(moved.into_iter().flatten())
            .map(|happening| (now, happening))
            .collect();
        let changes = ItemChanges {
            issue: Some(issue),
            boards: BTreeMap::from([(project.to_owned(), Some(row))]),
            places: BTreeMap::from([(project.to_owned(), place)]),
            history,
            ..ItemChanges::default()
        };
        Ok(Found { aliases, changes })
    }
}

/// What a row that was read is to the mirror.
enum Row {
    Same,
    /// The mirror has another: the item's lane reads it again.
    Behind(Option<LaneKey>),
    /// A row without a lane.
    Place(Box<Place>),
}

fn place_of(content: Holds) -> Place {
    let mut place = Place {
        on_board: true,
        open: true,
        private: true,
        ..Place::default()
    };
    match content {
        Holds::PullRequest {
            name,
            title,
            private,
            open,
            ..
        } => {
            place.content = Content::PullRequest;
            (place.name, place.title) = (name, title);
            (place.private, place.open) = (private, open);
        }
        Holds::Draft { title, .. } => {
            place.content = Content::Draft;
            place.title = title;
        }
        // Something the App may not see still takes a place.
        Holds::Issue { .. } | Holds::Redacted => place.content = Content::Draft,
    }
    place
}

/// Rows that the mirror has and the board has not.
fn gone(
    lease: &Lease,
    board: &str,
    now: Timestamp,
    known: &[BoardItem],
    there: &BTreeSet<ItemId>,
    read: &mut BoardRead,
) {
    let on_board = known
        .iter()
        .filter(|k| k.record.place.on_board && !k.record.place.archived);
    let missing: Vec<&BoardItem> = on_board
        .clone()
        .filter(|k| !there.contains(&k.item))
        .collect();
    if missing.len() > FEW && missing.len() * FIFTH > on_board.count() {
        tracing::error!(
            board,
            missing = missing.len(),
            "the board shows far fewer rows than it had; not believed"
        );
        let what = json!({ "what": "distrusted", "board": board, "missing": missing.len() });
        let line = NewAudit::noticed(lease, now, None, "board", what);
        read.audit.push(line);
        return;
    }
    for item in missing {
        if item.lane.is_some() {
            read.behind(item.item, Some(item), item.lane.clone());
        } else {
            read.rows.push((item.item, None));
        }
    }
}
