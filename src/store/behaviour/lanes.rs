//! The inbox and the lanes, one promise at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::store::{Accepted, Finish, LaneKey, Lease, Store, StoreError, WritePriority};

use super::{ELSEWHERE, HERE, LEASE, at, claim, delivery, issue, must_claim, put, seqs, waiting};

pub(crate) async fn a_guid_is_stored_once_for_each_installation(store: &dyn Store) {
    let twice = delivery("g-1", issue(1), 0);
    assert_eq!(store.accept(twice.clone()).await.unwrap(), Accepted::Stored);
    assert_eq!(
        store.accept(twice.clone()).await.unwrap(),
        Accepted::Duplicate
    );
    let mut other = twice.clone();
    other.installation = ELSEWHERE;
    assert_eq!(store.accept(other).await.unwrap(), Accepted::Stored);
    assert_eq!(store.counts().await.unwrap().pending, 2);

    // Done, the payload is gone and the GUID is still known.
    let lease = must_claim(store, 1).await;
    let done = seqs(store, &lease).await;
    let finish = Finish {
        done,
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    assert_eq!(store.accept(twice).await.unwrap(), Accepted::Duplicate);
    assert_eq!(store.counts().await.unwrap().pending, 1);
}

pub(crate) async fn what_was_accepted_was_seen(store: &dyn Store) {
    put(store, "done", issue(1), 0).await;
    let lease = must_claim(store, 1).await;
    let finish = Finish {
        done: seqs(store, &lease).await,
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    put(store, "waiting", issue(1), 2).await;
    put(store, "dead", issue(2), 2).await;
    let lease = must_claim(store, 3).await;
    let head = seqs(store, &lease).await;
    let finish = Finish {
        dead: head.into_iter().map(|seq| (seq, "no".to_owned())).collect(),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    let asked = ["done", "waiting", "dead", "never"].map(str::to_owned);
    let seen = store.seen(HERE, &asked).await.unwrap();
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["dead", "done", "waiting"]
    );
    assert!(store.seen(ELSEWHERE, &asked).await.unwrap().is_empty());
    assert!(store.seen(HERE, &[]).await.unwrap().is_empty());
}

/// Many at once, some of them twice, through the group commit.
pub(crate) async fn what_is_acknowledged_at_once_is_there_once(store: Arc<dyn Store>) {
    const DISTINCT: usize = 300;
    let tasks: Vec<_> = (0..DISTINCT * 2)
        .map(|i| {
            let store = Arc::clone(&store);
            let n = i % DISTINCT;
            let one = delivery(&format!("g-{n}"), issue(n as u64 % 17), 0);
            tokio::spawn(async move { store.accept(one).await.unwrap() })
        })
        .collect();
    let mut stored = 0;
    for task in tasks {
        stored += usize::from(task.await.unwrap() == Accepted::Stored);
    }
    assert_eq!(stored, DISTINCT);
    let mut seen = BTreeSet::new();
    while let Some(lease) = claim(&*store, 1).await {
        let pending = store.pending(&lease, 1_000).await.unwrap();
        for one in &pending {
            assert!(seen.insert(one.guid.clone()), "{} is there twice", one.guid);
            assert_eq!(
                one.payload.as_ref(),
                format!("{{\"guid\":\"{}\"}}", one.guid).as_bytes()
            );
        }
        let done = pending.iter().map(|one| one.seq).collect();
        let finish = Finish {
            done,
            ..Finish::default()
        };
        store.finish(&lease, finish).await.unwrap();
    }
    assert_eq!(seen.len(), DISTINCT);
}

pub(crate) async fn a_lane_keeps_its_order_and_has_one_holder(store: &dyn Store) {
    put(store, "first", issue(1), 0).await;
    put(store, "second", issue(1), 1).await;
    put(store, "other", issue(2), 2).await;
    let one = must_claim(store, 5).await;
    assert_eq!(one.lane, issue(1), "it has been due longest");
    assert_eq!(waiting(store, &one).await, ["first", "second"]);
    let two = must_claim(store, 5).await;
    assert_eq!(two.lane, issue(2));
    assert!(claim(store, 5).await.is_none(), "both are held");

    // What arrives under a lease waits, and makes the lane due when the lease ends.
    put(store, "third", issue(1), 6).await;
    assert!(claim(store, 7).await.is_none());
    let done = seqs(store, &one).await[..2].to_vec();
    let finish = Finish {
        done,
        ..Finish::default()
    };
    store.finish(&one, finish).await.unwrap();
    let again = must_claim(store, 8).await;
    assert_eq!(waiting(store, &again).await, ["third"]);
    assert!(again.fence > one.fence);
}

pub(crate) async fn a_lost_lease_writes_nothing(store: &dyn Store) {
    put(store, "g", issue(1), 0).await;
    let old = must_claim(store, 0).await;
    assert!(claim(store, 59).await.is_none());
    let new = must_claim(store, 60).await;
    assert_eq!(new.failures, 1, "a holder that vanished is a failure");
    assert_eq!(new.strikes, 1, "which no outage explains");
    assert_eq!(store.pending(&new, 9).await.unwrap()[0].attempts, 1);

    let finish = Finish {
        done: seqs(store, &old).await,
        wake_lanes: vec![issue(9)],
        ..Finish::default()
    };
    let lost = |r: Result<(), StoreError>| matches!(r, Err(StoreError::LostLane { .. }));
    assert!(lost(store.finish(&old, finish.clone()).await));
    assert!(lost(store.renew(&old, at(500)).await));
    assert!(lost(store.forward(&old, &issue(3)).await));
    assert!(matches!(
        store.journal(&old, &[]).await,
        Err(StoreError::LostLane { .. })
    ));
    assert_eq!(waiting(store, &new).await, ["g"]);
    assert!(claim(store, 61).await.is_none(), "no other lane was woken");

    store.finish(&new, finish.clone()).await.unwrap();
    assert!(lost(store.finish(&new, finish).await), "ended is ended");
}

pub(crate) async fn a_dead_predecessors_leases_are_given_up(store: &dyn Store) {
    put(store, "g", issue(1), 0).await;
    let old = must_claim(store, 0).await;
    assert_eq!(store.abandon("somebody else").await.unwrap(), 0);
    assert!(claim(store, 1).await.is_none(), "the lease is still held");
    assert_eq!(store.abandon(&old.holder).await.unwrap(), 1);
    let new = must_claim(store, 1).await;
    assert!(new.fence > old.fence);
    assert_eq!(waiting(store, &new).await, ["g"]);
    let late = store.finish(&old, Finish::default()).await;
    assert!(matches!(late, Err(StoreError::LostLane { .. })));
}

pub(crate) async fn a_renewed_lease_holds_longer(store: &dyn Store) {
    put(store, "g", issue(1), 0).await;
    let lease = must_claim(store, 0).await;
    store.renew(&lease, at(100)).await.unwrap();
    assert!(claim(store, 99).await.is_none());
    assert_eq!(store.next_due(at(1)).await.unwrap(), Some(at(100)));
    assert!(claim(store, 100).await.is_some());
}

pub(crate) async fn a_failing_head_blocks_its_lane_until_it_is_dead(store: &dyn Store) {
    put(store, "bad", issue(1), 0).await;
    put(store, "good", issue(1), 1).await;
    let lease = must_claim(store, 2).await;
    let finish = Finish {
        retry_at: Some(at(30)),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    assert!(claim(store, 29).await.is_none());
    put(store, "later", issue(1), 3).await;
    assert!(claim(store, 29).await.is_none(), "news do not end a pause");
    assert_eq!(store.next_due(at(3)).await.unwrap(), Some(at(30)));

    let lease = must_claim(store, 30).await;
    assert_eq!((lease.failures, lease.strikes), (1, 0), "an outage");
    let pending = store.pending(&lease, 9).await.unwrap();
    let tries: Vec<_> = pending.iter().map(|d| d.attempts).collect();
    assert_eq!(tries, [1, 0, 0], "only the head was tried");
    let finish = Finish {
        done: vec![pending[1].seq],
        dead: vec![(pending[0].seq, "no such field".to_owned())],
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    assert_eq!(store.counts().await.unwrap().dead, 1);
    let letters = store.dead_letters(Some(HERE), 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].guid, "bad");
    assert_eq!(letters[0].error, "no such field");
    assert_eq!(letters[0].attempts, 2);
    assert!(
        store
            .dead_letters(Some(ELSEWHERE), 10)
            .await
            .unwrap()
            .is_empty()
    );

    // Revived, it stands before what came later, and its payload is still there.
    assert!(!store.revive("unheard of", at(31)).await.unwrap());
    assert!(store.revive("bad", at(31)).await.unwrap());
    assert!(!store.revive("bad", at(31)).await.unwrap());
    let lease = must_claim(store, 31).await;
    assert_eq!(lease.failures, 0);
    assert_eq!(waiting(store, &lease).await, ["bad", "later"]);
}

pub(crate) async fn a_failed_look_that_only_a_timer_asked_for_is_repeated(store: &dyn Store) {
    store.wake(HERE, &issue(1), at(10)).await.unwrap();
    let lease = must_claim(store, 10).await;
    let finish = Finish {
        retry_at: Some(at(20)),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    assert!(claim(store, 19).await.is_none());
    let lease = must_claim(store, 20).await;
    store.finish(&lease, Finish::default()).await.unwrap();
    assert!(claim(store, 1_000).await.is_none(), "it went well");
}

pub(crate) async fn the_earliest_timer_wins_and_rings_once(store: &dyn Store) {
    store.wake(HERE, &issue(1), at(100)).await.unwrap();
    store.wake(HERE, &issue(1), at(50)).await.unwrap();
    store.wake(HERE, &issue(1), at(70)).await.unwrap();
    assert!(claim(store, 49).await.is_none());
    let lease = must_claim(store, 50).await;
    // Woken by somebody else during the look: one more look.
    store.wake(HERE, &issue(1), at(51)).await.unwrap();
    store.finish(&lease, Finish::default()).await.unwrap();
    let lease = must_claim(store, 51).await;
    let finish = Finish {
        wake_at: Some(at(80)),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    assert_eq!(store.next_due(at(52)).await.unwrap(), Some(at(80)));
    // A delivery in between does not lose the timer.
    put(store, "g", issue(1), 60).await;
    let lease = must_claim(store, 60).await;
    let finish = Finish {
        done: seqs(store, &lease).await,
        wake_at: Some(at(90)),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    assert!(claim(store, 79).await.is_none());
    let lease = must_claim(store, 80).await;
    store.finish(&lease, Finish::default()).await.unwrap();
    assert_eq!(store.next_due(at(81)).await.unwrap(), None);
}

pub(crate) async fn finishing_wakes_other_lanes(store: &dyn Store) {
    put(store, "g", issue(1), 0).await;
    let lease = must_claim(store, 5).await;
    let board = LaneKey::Board("PVT_1".to_owned());
    let finish = Finish {
        done: seqs(store, &lease).await,
        wake_lanes: vec![board.clone()],
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    assert_eq!(must_claim(store, 5).await.lane, board);
    assert!(claim(store, 5).await.is_none());
}

pub(crate) async fn forwarded_deliveries_keep_their_order(store: &dyn Store) {
    let node = LaneKey::Node("PVTI_x".to_owned());
    put(store, "1 node", node.clone(), 0).await;
    put(store, "2 issue", issue(1), 1).await;
    put(store, "3 node", node.clone(), 2).await;
    let lease = must_claim(store, 3).await;
    assert_eq!(lease.lane, node);
    store.forward(&lease, &issue(1)).await.unwrap();
    let lease = must_claim(store, 3).await;
    assert_eq!(lease.lane, issue(1));
    assert_eq!(
        waiting(store, &lease).await,
        ["1 node", "2 issue", "3 node"]
    );
    assert!(claim(store, 3).await.is_none(), "the node's lane is empty");
}

pub(crate) async fn what_a_lane_leaves_goes_on_in_another(store: &dyn Store) {
    put(store, "1 old", issue(1), 0).await;
    put(store, "2 new", issue(2), 1).await;
    put(store, "3 old", issue(1), 2).await;
    let lease = must_claim(store, 3).await;
    let finish = Finish {
        wants_write: Some(Some(WritePriority::Command)),
        wake_at: Some(at(500)),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    let lease = must_claim(store, 3).await;
    assert_eq!(lease.lane, issue(1));
    let head = seqs(store, &lease).await;
    put(store, "4 old", issue(1), 4).await;
    let finish = Finish {
        done: head.into_iter().take(1).collect(),
        goes_on_in: Some(issue(2)),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();

    // No delivery twice, none lost, and nothing is left where they were.
    let lease = must_claim(store, 5).await;
    assert_eq!(lease.lane, issue(2));
    assert_eq!(waiting(store, &lease).await, ["2 new", "3 old", "4 old"]);
    let (priority, since) = lease.wants_write.expect("its place in the queue");
    assert_eq!((priority, since), (WritePriority::Command, at(3)));
    let finish = Finish {
        done: seqs(store, &lease).await,
        wants_write: Some(None),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    assert!(
        claim(store, 1_000).await.is_none(),
        "no timer is left behind"
    );
    assert!(store.writers_wanted().await.unwrap().is_empty());

    // With nothing waiting, the other lane is looked at all the same.
    store.wake(HERE, &issue(1), at(1_000)).await.unwrap();
    let lease = must_claim(store, 1_000).await;
    let finish = Finish {
        goes_on_in: Some(issue(2)),
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    assert_eq!(must_claim(store, 1_000).await.lane, issue(2));
}

/// More than any database keeps side by side, with gaps where deliveries are done.
pub(crate) async fn a_long_backlog_keeps_every_lanes_order(store: &dyn Store) {
    let guid = |n: i64| format!("{n:05}");
    // Few at once: more of them are not asked in their order.
    let put_all = async |numbers: std::ops::Range<i64>| {
        for few in (numbers.start..numbers.end).step_by(24) {
            let puts = (few..numbers.end.min(few + 24)).map(|n| {
                let number = u64::try_from(n % 3).unwrap();
                store.accept(delivery(&guid(n), issue(number), n))
            });
            for accepted in futures_util::future::join_all(puts).await {
                assert_eq!(accepted.unwrap(), Accepted::Stored);
            }
        }
    };
    let all_of = async |lease: &Lease| {
        let pending = store.pending(lease, 10_000).await.unwrap();
        let guids: Vec<_> = pending.into_iter().map(|d| d.guid).collect();
        guids
    };

    put_all(0..3_000).await;
    // Two lanes end what they have but one's last delivery: most of what lies between is done.
    for _ in 0..2 {
        let lease = must_claim(store, 3_000).await;
        let mut done = seqs(store, &lease).await;
        assert_eq!(done.len(), 1_000);
        if lease.lane == issue(1) {
            done.pop();
        }
        let finish = Finish {
            done,
            ..Finish::default()
        };
        store.finish(&lease, finish).await.unwrap();
    }
    put_all(3_000..6_000).await;
    let mut leases = Vec::new();
    for _ in 0..3 {
        leases.push(must_claim(store, 9_000).await);
    }
    leases.sort_by_key(|lease| lease.lane.clone());
    let [zero, one, two] = <[Lease; 3]>::try_from(leases).unwrap();
    let all = |from: i64| -> Vec<_> { (from..6_000).step_by(3).map(guid).collect() };
    assert!(all_of(&zero).await == all(3_000));
    assert!(all_of(&one).await == all(2_998));
    assert!(all_of(&two).await == all(2));

    store.forward(&one, &issue(7)).await.unwrap();
    let lease = must_claim(store, 2_998).await;
    assert_eq!(lease.lane, issue(7), "due from its oldest delivery on");
    assert!(all_of(&lease).await == all(2_998));
}

pub(crate) async fn the_writers_queue_goes_by_priority_then_age(store: &dyn Store) {
    let queue = [
        (1, WritePriority::Rest),
        (2, WritePriority::Rest),
        (3, WritePriority::Command),
    ];
    for (number, priority) in queue {
        let seconds = i64::try_from(number).unwrap();
        put(store, &format!("g{number}"), issue(number), seconds).await;
        let lease = must_claim(store, seconds).await;
        let finish = Finish {
            done: seqs(store, &lease).await,
            wants_write: Some(Some(priority)),
            ..Finish::default()
        };
        store.finish(&lease, finish).await.unwrap();
    }
    assert!(claim(store, 9).await.is_none(), "nothing new to look at");
    assert_eq!(store.writers_wanted().await.unwrap(), [HERE]);
    assert_eq!(store.counts().await.unwrap().wants_write, 3);

    let write = async |seconds| {
        store
            .claim_write(HERE, "w", at(seconds), LEASE)
            .await
            .unwrap()
    };
    let command = write(10).await.unwrap();
    assert_eq!(command.lane, issue(3));
    assert_eq!(command.wants_write, Some((WritePriority::Command, at(3))));
    let oldest = write(10).await.unwrap();
    assert_eq!(oldest.lane, issue(1), "the command's lane is leased");
    // It could not write: it stays in the queue, as old as it was, but not before its pause.
    let paused = Finish {
        retry_at: Some(at(40)),
        ..Finish::default()
    };
    store.finish(&oldest, paused).await.unwrap();
    let next = write(11).await.unwrap();
    assert_eq!(next.lane, issue(2));
    for lease in [command, next] {
        let written = Finish {
            wants_write: Some(None),
            ..Finish::default()
        };
        store.finish(&lease, written).await.unwrap();
    }
    assert!(write(39).await.is_none());
    let again = write(40).await.unwrap();
    assert_eq!(again.wants_write, Some((WritePriority::Rest, at(1))));
    assert!(
        store
            .claim_write(ELSEWHERE, "w", at(41), LEASE)
            .await
            .unwrap()
            .is_none()
    );
}

pub(crate) async fn old_deliveries_are_forgotten_only_when_done(store: &dyn Store) {
    put(store, "done", issue(1), 0).await;
    let lease = must_claim(store, 1).await;
    let finish = Finish {
        done: seqs(store, &lease).await,
        ..Finish::default()
    };
    store.finish(&lease, finish).await.unwrap();
    put(store, "waiting", issue(1), 1).await;
    assert_eq!(store.prune(at(0)).await.unwrap(), 0);
    assert_eq!(store.prune(at(100)).await.unwrap(), 1);
    assert_eq!(store.counts().await.unwrap().pending, 1);
    let back = store.accept(delivery("done", issue(1), 101)).await.unwrap();
    assert_eq!(back, Accepted::Stored);
}

pub(crate) async fn closed_means_closed(store: &dyn Store) {
    store.writable().await.unwrap();
    store.close().await;
    let refused = store.accept(delivery("g", issue(1), 0)).await;
    assert!(matches!(refused, Err(StoreError::Closed)));
    store.close().await;
}
