//! What every store must do, whatever the database: tests as functions over `&dyn Store`.

mod boards;
mod items;
mod lanes;
pub(crate) mod model;

pub(crate) use boards::*;
pub(crate) use items::*;
pub(crate) use lanes::*;

use jiff::{SignedDuration, Timestamp};

use crate::ids::{InstallationId, RepositoryId};

use super::{LaneKey, Lease, NewDelivery, Store};

pub(crate) const HERE: InstallationId = InstallationId(7);
pub(crate) const ELSEWHERE: InstallationId = InstallationId(8);
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// The instant `seconds` after the tests' beginning of time.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).expect("a time in range")
}

pub(crate) fn issue(number: u64) -> LaneKey {
    LaneKey::Issue {
        repository: RepositoryId(42),
        number,
    }
}

pub(crate) fn delivery(guid: &str, lane: LaneKey, seconds: i64) -> NewDelivery {
    let body = format!("{{\"guid\":\"{guid}\"}}");
    NewDelivery {
        installation: HERE,
        guid: guid.to_owned(),
        event: "issues".to_owned(),
        action: "opened".to_owned(),
        lane,
        payload: super::packed::pack(body.as_bytes()).expect("packs"),
        received_at: at(seconds),
    }
}

async fn put(store: &dyn Store, guid: &str, lane: LaneKey, seconds: i64) {
    let accepted = store.accept(delivery(guid, lane, seconds)).await;
    assert_eq!(accepted.expect("accepts"), super::Accepted::Stored);
}

async fn claim(store: &dyn Store, seconds: i64) -> Option<Lease> {
    store
        .claim("a", at(seconds), LEASE)
        .await
        .expect("claiming works")
}

async fn must_claim(store: &dyn Store, seconds: i64) -> Lease {
    claim(store, seconds).await.expect("a lane is due")
}

async fn waiting(store: &dyn Store, lease: &Lease) -> Vec<String> {
    let pending = store.pending(lease, 1_000).await.expect("reads");
    pending.into_iter().map(|d| d.guid).collect()
}

async fn seqs(store: &dyn Store, lease: &Lease) -> Vec<i64> {
    let pending = store.pending(lease, 1_000).await.expect("reads");
    pending.into_iter().map(|d| d.seq).collect()
}
