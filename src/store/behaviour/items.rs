//! Items, mirror, ledger, journal, audit.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{CommentId, ItemId, RepoName, RepositoryId, UserId};
use crate::store::{
    ActKey, Alias, AuditQuery, EffectEnd, Finish, Happened, Happening, ItemChanges, Lease,
    MirrorIssue, NewAudit, NewEffect, OpenIssue, Settled, Store, StoreError,
};
use crate::triage::answer::{Answer, Question, Sign};
use crate::triage::attribute::AttributeValue;
use crate::triage::ledger::{Act, LedgerEntry, Rank};
use crate::triage::snapshot::{BoardRow, FieldValue, Issue, PostedComment};

use super::{ELSEWHERE, HERE, at, claim, issue, must_claim, put};

pub(super) fn mirror(title: &str) -> MirrorIssue {
    MirrorIssue {
        repository_id: RepositoryId(42),
        node_id: "I_kw1".to_owned(),
        author: UserId(3),
        author_login: "ada".to_owned(),
        author_is_bot: false,
        issue: Issue {
            repository: RepoName::parse("org/repo").unwrap(),
            number: 1,
            title: title.to_owned(),
            body: String::new(),
            labels: vec!["Bug".to_owned()],
            milestone: String::new(),
            open: true,
            state_reason: String::new(),
            issue_type: String::new(),
            created_at: at(0),
            updated_at: at(1),
            closed_at: None,
            comments: 2,
            reactions: 0,
            private: true,
            parent: String::new(),
            sub_issues: 0,
            assignees: vec![],
        },
        stale: false,
        written_over: None,
        boards_read_at: Some(at(2)),
    }
}

fn entry(value: &str) -> LedgerEntry {
    LedgerEntry {
        attribute: "kind".to_owned(),
        act: Act::Set,
        rank: Rank::Command,
        value: AttributeValue::One(value.to_owned()),
        at: at(3),
        by: Some(UserId(3)),
        cause: "/kind".to_owned(),
        reason: String::new(),
        told_in: None,
        until: None,
        said_at: None,
    }
}

fn audit(kind: &str, item: Option<ItemId>, seconds: i64) -> NewAudit {
    NewAudit {
        installation: HERE,
        at: at(seconds),
        item,
        kind: kind.to_owned(),
        actor: Some(UserId(3)),
        delivery: Some("g".to_owned()),
        detail: serde_json::json!({ "kind": kind }),
    }
}

/// An item with a lane that is leased.
async fn leased(store: &dyn Store) -> (ItemId, Lease) {
    let names = [Alias::Number(RepositoryId(42), 1)];
    let item = store.ensure_item(HERE, &names).await.unwrap();
    put(store, "g", issue(1), 0).await;
    (item, must_claim(store, 0).await)
}

pub(crate) async fn an_item_has_many_names_and_keeps_them(store: &dyn Store) {
    let number = Alias::Number(RepositoryId(42), 1);
    let old = Alias::Node("MDU6SXNzdWUx".to_owned());
    let new = Alias::Node("I_kw1:with:colons".to_owned());
    let id = Alias::DatabaseId(99);
    let names = [number.clone(), old.clone()];
    let item = store.ensure_item(HERE, &names).await.unwrap();
    let names = [new.clone(), number.clone(), id.clone()];
    assert_eq!(store.ensure_item(HERE, &names).await.unwrap(), item);
    for alias in [&number, &old, &new, &id] {
        let found = store.item_by_alias(HERE, alias).await.unwrap();
        assert_eq!(found, Some(item));
        let found = store.item_by_alias(ELSEWHERE, alias).await.unwrap();
        assert_eq!(found, None, "another installation's names are its own");
    }
    let second = store
        .ensure_item(HERE, &[Alias::DatabaseId(5)])
        .await
        .unwrap();
    assert_ne!(second, item);
    let names = [Alias::DatabaseId(5), id.clone()];
    assert_eq!(store.ensure_item(HERE, &names).await.unwrap(), second);
    assert_eq!(store.item_by_alias(HERE, &id).await.unwrap(), Some(item));
    let record = store.item(HERE, item).await.unwrap().unwrap();
    assert_eq!(record.aliases, BTreeSet::from([number, old, new, id]));
    assert!(store.items(HERE).await.unwrap().is_empty(), "none was seen");
    assert_eq!(store.item(ELSEWHERE, item).await.unwrap(), None);
}

pub(crate) async fn what_changed_is_written_and_the_rest_stays(store: &dyn Store) {
    let (item, lease) = leased(store).await;
    let row = BoardRow {
        node_id: "PVTI_1".to_owned(),
        fields: BTreeMap::from([("Status".to_owned(), FieldValue::Option("Up".to_owned()))]),
        entered_at: Some(at(1)),
        ..BoardRow::default()
    };
    let comment = PostedComment {
        id: CommentId(5),
        fingerprint: "f".to_owned(),
        deleted: false,
        collapsed: false,
    };
    let answer = Answer {
        comment: Some(CommentId(6)),
        sign: Sign::Seen,
        shown: false,
        body: "so".to_owned(),
        because: String::new(),
        questions: vec![Question::Why(None), Question::Score],
    };
    let key = ActKey("g/kind".to_owned());
    let first = ItemChanges {
        aliases: vec![Alias::DatabaseId(1)],
        issue: Some(mirror("one")),
        boards: BTreeMap::from([("PVT_1".to_owned(), Some(row.clone()))]),
        ledger: vec![(key.clone(), entry("bug")), (key.clone(), entry("task"))],
        comments: BTreeMap::from([("received".to_owned(), comment.clone())]),
        answers: BTreeMap::from([("reply-6".to_owned(), answer.clone())]),
        held_labels: Some(BTreeSet::from(["help".to_owned()])),
        confirmed_by: Some(BTreeSet::from(["member".to_owned()])),
        ..ItemChanges::default()
    };
    let finish = Finish {
        item: Some((item, first)),
        wake_at: Some(at(1)),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    let read = store.item(HERE, item).await.unwrap().unwrap();
    assert_eq!(read.issue, Some(mirror("one")));
    assert_eq!(read.boards, BTreeMap::from([("PVT_1".to_owned(), row)]));
    assert_eq!(read.ledger, [entry("bug")], "an act happens once");
    assert_eq!(read.comments["received"], comment);
    assert_eq!(read.answers["reply-6"], answer);
    let shown = Answer {
        shown: true,
        ..answer
    };
    assert_eq!(store.items(HERE).await.unwrap(), [item]);

    let lease = must_claim(store, 1).await;
    let second = ItemChanges {
        issue: Some(mirror("two")),
        boards: BTreeMap::from([("PVT_1".to_owned(), None)]),
        ledger: vec![
            (key, entry("docs")),
            (ActKey("h".to_owned()), entry("docs")),
        ],
        answers: BTreeMap::from([("reply-6".to_owned(), shown.clone())]),
        held_labels: Some(BTreeSet::new()),
        ..ItemChanges::default()
    };
    let finish = Finish {
        item: Some((item, second)),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    let read = store.item(HERE, item).await.unwrap().unwrap();
    assert_eq!(read.issue.map(|i| i.issue.title).as_deref(), Some("two"));
    assert!(read.boards.is_empty());
    assert_eq!(read.ledger, [entry("bug"), entry("docs")]);
    assert_eq!(read.comments["received"], comment);
    assert_eq!(read.answers["reply-6"], shown);
    assert!(read.held_labels.is_empty());
    assert_eq!(read.confirmed_by, BTreeSet::from(["member".to_owned()]));
}

/// Of an issue in its new place.
fn new_names() -> [Alias; 2] {
    [
        Alias::Number(RepositoryId(42), 2),
        Alias::Node("I_new".to_owned()),
    ]
}

/// An item that somebody works on as if it were new, and the one that it turns out to be.
async fn met_twice(store: &dyn Store) -> (ItemId, Lease, ItemId, Lease) {
    let (one, lease) = leased(store).await;
    let other = store.ensure_item(HERE, &new_names()).await.unwrap();
    put(store, "h", issue(2), 0).await;
    let theirs = must_claim(store, 0).await;
    let mut there = mirror("there");
    there.issue.number = 2;
    let by_rule = LedgerEntry {
        rank: Rank::Rule,
        by: None,
        ..entry("feature")
    };
    let key = |key: &str| ActKey(key.to_owned());
    let changes = ItemChanges {
        issue: Some(there),
        ledger: vec![(key("h/rule"), by_rule), (key("h/hand"), entry("task"))],
        boards: BTreeMap::from([("PVT_1".to_owned(), Some(BoardRow::default()))]),
        comments: BTreeMap::from([("received".to_owned(), comment(9))]),
        ..ItemChanges::default()
    };
    let finish = Finish {
        item: Some((other, changes)),
        wake_at: Some(at(0)),
        audit: vec![audit("act", Some(other), 1)],
        ..Finish::default()
    };
    store.finish(&theirs, finish).await.unwrap();
    let theirs = must_claim(store, 1).await;
    assert_eq!(theirs.lane, issue(2));
    (one, lease, other, theirs)
}

fn comment(id: u64) -> PostedComment {
    PostedComment {
        id: CommentId(id),
        fingerprint: "f".to_owned(),
        deleted: false,
        collapsed: false,
    }
}

pub(crate) async fn an_item_that_turns_out_to_be_another_is_taken_in(store: &dyn Store) {
    let (one, lease, other, theirs) = met_twice(store).await;
    let effect = NewEffect {
        item: other,
        kind: "comment".to_owned(),
        target: "received".to_owned(),
        detail: serde_json::json!({}),
        at: at(1),
    };
    store.journal(&theirs, &[effect]).await.unwrap();
    let changes = ItemChanges {
        aliases: new_names().to_vec(),
        is_one: true,
        issue: Some(mirror("here")),
        ledger: vec![(ActKey("g/hand".to_owned()), entry("bug"))],
        comments: BTreeMap::from([("received".to_owned(), comment(5))]),
        ..ItemChanges::default()
    };
    let finish = Finish {
        item: Some((one, changes)),
        goes_on_in: Some(issue(2)),
        audit: vec![audit("act", Some(one), 2)],
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();

    let old_name = Alias::Number(RepositoryId(42), 1);
    for alias in new_names().into_iter().chain([old_name]) {
        assert_eq!(store.item_by_alias(HERE, &alias).await.unwrap(), Some(one));
    }
    assert_eq!(store.items(HERE).await.unwrap(), [one]);
    let record = store.item(HERE, one).await.unwrap().unwrap();
    let known = record.issue.as_ref().expect("a copy");
    assert_eq!((known.issue.title.as_str(), known.stale), ("there", true));
    assert_eq!(record.lane(), Some(issue(2)));
    let said: Vec<_> = record.ledger.iter().map(|e| e.value.clone()).collect();
    let value = |v: &str| AttributeValue::One(v.to_owned());
    assert_eq!(said, [value("bug"), value("task")], "no rule's word");
    assert_eq!(record.comments["received"], comment(5), "its own stays");
    assert!(record.boards.contains_key("PVT_1"));
    let open = store.unsettled(HERE, one).await.unwrap();
    assert_eq!(open.len(), 1, "what was sent is found out");
    assert!(store.unsettled(HERE, other).await.unwrap().is_empty());
    let query = AuditQuery {
        installation: Some(HERE),
        item: Some(one),
        ..AuditQuery::default()
    };
    assert_eq!(store.audit(&query).await.unwrap().len(), 2);
    let past = store.past(HERE).await.unwrap();
    assert!(!past.ledger.contains_key(&other));

    // Whoever worked on the other has lost it.
    let late = store.finish(&theirs, Finish::default()).await;
    assert!(matches!(late, Err(StoreError::LostLane { .. })));
    assert_eq!(must_claim(store, 2).await.lane, issue(2));
}

pub(crate) async fn names_of_another_item_stay_there_without_githubs_word(store: &dyn Store) {
    let (one, lease, other, theirs) = met_twice(store).await;
    let [_, name] = new_names();
    let changes = ItemChanges {
        aliases: vec![name.clone()],
        ..ItemChanges::default()
    };
    let finish = Finish {
        item: Some((one, changes)),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    let found = store.item_by_alias(HERE, &name).await.unwrap();
    assert_eq!(found, Some(other));
    store.finish(&theirs, Finish::default()).await.unwrap();
}

pub(crate) async fn open_issues_are_listed_the_newest_first(store: &dyn Store) {
    for (number, title, open) in [
        (1, "one", true),
        (2, "two", false),
        (3, "three \"3\"", true),
    ] {
        let names = [Alias::Number(RepositoryId(42), number)];
        let item = store.ensure_item(HERE, &names).await.unwrap();
        put(store, title, issue(number), 0).await;
        let lease = must_claim(store, 0).await;
        let mut mirror = mirror(title);
        (mirror.issue.number, mirror.issue.open) = (number, open);
        let pending = store.pending(&lease, 1).await.unwrap();
        let finish = Finish {
            done: pending.iter().map(|d| d.seq).collect(),
            item: Some((
                item,
                ItemChanges {
                    issue: Some(mirror),
                    ..ItemChanges::default()
                },
            )),
            ..Finish::default()
        };
        store.finish(&lease, finish).await.unwrap();
    }
    let listed = store.open_issues(HERE, 10).await.unwrap();
    let is = OpenIssue {
        repository_id: RepositoryId(42),
        repository: RepoName::parse("org/repo").unwrap(),
        number: 3,
        title: "three \"3\"".to_owned(),
        private: true,
        author: UserId(3),
    };
    assert_eq!(listed[0], is);
    let numbers: Vec<u64> = listed.iter().map(|issue| issue.number).collect();
    assert_eq!(numbers, [3, 1]);
    assert_eq!(store.open_issues(HERE, 1).await.unwrap(), [is]);
    assert!(store.open_issues(ELSEWHERE, 10).await.unwrap().is_empty());
}

pub(crate) async fn finishing_is_all_or_nothing(store: &dyn Store) {
    let (_, lease) = leased(store).await;
    let pending = store.pending(&lease, 9).await.unwrap();
    let changes = ItemChanges {
        ledger: vec![(ActKey("g".to_owned()), entry("bug"))],
        ..ItemChanges::default()
    };
    let finish = Finish {
        done: vec![pending[0].seq],
        item: Some((ItemId(4_711), changes)), // no such item
        audit: vec![audit("act", None, 1)],
        ..Finish::default()
    };
    // Beside others in the same commit, which go through.
    let (failed, fine) = tokio::join!(store.finish(&lease, finish), store.writable());
    assert!(matches!(failed, Err(StoreError::Database { .. })));
    fine.unwrap();
    assert_eq!(store.pending(&lease, 9).await.unwrap().len(), 1);
    assert!(
        store
            .audit(&AuditQuery::default())
            .await
            .unwrap()
            .is_empty()
    );
    assert!(claim(store, 5).await.is_none(), "the lease is still held");
}

pub(crate) async fn effects_are_unsettled_until_they_are_settled(store: &dyn Store) {
    let (item, lease) = leased(store).await;
    let effect = |target: &str| NewEffect {
        item,
        kind: "add_label".to_owned(),
        target: target.to_owned(),
        detail: serde_json::json!({ "because": target }),
        at: at(1),
    };
    let effects = [effect("a"), effect("b"), effect("c")];
    let ids = store.journal(&lease, &effects).await.unwrap();
    let open = store.unsettled(HERE, item).await.unwrap();
    assert_eq!(open.iter().map(|e| e.id).collect::<Vec<_>>(), ids);
    assert_eq!(open[1].detail, serde_json::json!({ "because": "b" }));
    assert_eq!(store.counts().await.unwrap().unsettled, 3);
    let ends = [
        EffectEnd::Confirmed {
            github_id: "77".to_owned(),
        },
        EffectEnd::Refused {
            error: "422".to_owned(),
        },
    ];
    let settled: Vec<_> = ids
        .iter()
        .zip(ends)
        .map(|(effect, end)| Settled {
            effect: *effect,
            end,
            at: at(2),
        })
        .collect();
    let finish = Finish {
        settled,
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    let open = store.unsettled(HERE, item).await.unwrap();
    assert_eq!(open.iter().map(|e| e.id).collect::<Vec<_>>(), ids[2..]);
    assert!(store.unsettled(ELSEWHERE, item).await.unwrap().is_empty());
}

pub(crate) async fn the_audit_trail_is_read_newest_first(store: &dyn Store) {
    let item = ItemId(9);
    let lines = vec![
        audit("start", None, 0),
        audit("decision", Some(item), 1),
        audit("write", Some(item), 2),
    ];
    store.append_audit(lines).await.unwrap();
    let kinds = async |query: AuditQuery| -> Vec<String> {
        let lines = store.audit(&query).await.unwrap();
        lines.into_iter().map(|line| line.kind).collect()
    };
    let all = AuditQuery::default();
    assert_eq!(kinds(all.clone()).await, ["write", "decision", "start"]);
    let mine = AuditQuery {
        item: Some(item),
        limit: 1,
        ..all.clone()
    };
    assert_eq!(kinds(mine).await, ["write"]);
    let late = AuditQuery {
        since: Some(at(1)),
        kind: Some("decision".to_owned()),
        ..all.clone()
    };
    assert_eq!(kinds(late).await, ["decision"]);
    let elsewhere = AuditQuery {
        installation: Some(ELSEWHERE),
        ..all
    };
    assert!(kinds(elsewhere).await.is_empty());
}

pub(crate) async fn history_is_kept_in_the_order_in_which_it_happened(store: &dyn Store) {
    let (item, lease) = leased(store).await;
    let happening = |seconds: i64, what: Happened| Happening {
        at: at(seconds),
        what,
    };
    let closed = Happened::Closed {
        reason: "completed".to_owned(),
    };
    let moved = Happened::Field {
        board: "delivery".to_owned(),
        field: "Status".to_owned(),
        from: String::new(),
        to: "Doing".to_owned(),
        entered_at: Some(at(3)),
    };
    // The opening is learned last: GitHub was asked only then.
    let history = vec![
        (at(1_009), happening(995, closed.clone())),
        (at(1_008), happening(995, moved.clone())),
        (at(1_009), happening(1, Happened::Opened)),
    ];
    let changes = ItemChanges {
        issue: Some(mirror("one")),
        ledger: vec![(ActKey("g".to_owned()), entry("bug"))],
        history,
        ..ItemChanges::default()
    };
    let finish = Finish {
        item: Some((item, changes)),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    let past = store.past(HERE).await.unwrap();
    let kept: Vec<_> = past.history.iter().map(|(_, h)| h.what.clone()).collect();
    assert_eq!(kept, [Happened::Opened, closed, moved]);
    assert_eq!(past.history[0], (item, happening(1, Happened::Opened)));
    assert_eq!(
        past.since,
        Some(at(995)),
        "what is heard of at once is heard of since then"
    );
    assert_eq!(past.issues, [(item, mirror("one"))]);
    assert_eq!(past.ledger, BTreeMap::from([(item, vec![entry("bug")])]));
    let other = store.past(ELSEWHERE).await.unwrap();
    assert!(other.history.is_empty() && other.issues.is_empty() && other.since.is_none());
}
