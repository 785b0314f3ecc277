//! The webhook door: signature, delivery headers, lenient events, into the inbox.
//!
//! *In:* `POST /github/webhook` from GitHub.
//! *Out:* deliveries in the store's inbox, each in its lane; a ring for the worker; 202 once the
//! delivery is durable. Later, for the worker: [`payload`], what stored payloads say.
//! *May call:* `store`, `clock`, `ids`, `triage::snapshot` (the types a payload fills).
//!
//! | answer | when |
//! |---|---|
//! | 202 | stored, seen before, or nothing that is handled here (`{"status": …}` says which) |
//! | 400 | headers missing or odd, body not a JSON object (but rightly signed) |
//! | 401 | signature missing, malformed, SHA-1 only or wrong; nothing was parsed or stored |
//! | 413 | body over 25 MB |
//! | 503 | the store could not take it; GitHub's log has it, and it can be asked for again |

#[cfg(test)]
mod any_json;
mod lenient;
mod naming;
pub mod payload;
mod served;
mod signature;
mod signed;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use secrecy::SecretString;
use tokio::sync::Notify;

use crate::clock::SharedClock;
use crate::ids::InstallationId;
use crate::store::{Accepted, LaneKey, NewDelivery, Store, packed};

use naming::Naming;
use signature::Keys;

pub use served::Served;
pub use signature::sign;
pub use signed::{LARGEST_BODY, Refusal, SignedDelivery};

/// Bodies above this are compressed off the runtime's threads (half a millisecond and more).
const LARGE: usize = 512 * 1024;

/// What the door needs.
pub struct ReceiveState {
    pub store: Arc<dyn Store>,
    /// Any of them may have signed a delivery.
    pub secrets: Vec<SecretString>,
    pub served: Served,
    pub clock: SharedClock,
    /// Rung after each delivery that was stored, so that the worker looks.
    pub wake: Arc<Notify>,
}

/// [`ReceiveState`] with the secrets made into keys.
struct Door {
    store: Arc<dyn Store>,
    keys: Keys,
    served: Served,
    clock: SharedClock,
    wake: Arc<Notify>,
}

impl AsRef<Keys> for Door {
    fn as_ref(&self) -> &Keys {
        &self.keys
    }
}

/// `POST /github/webhook`.
pub fn router(state: ReceiveState) -> Router {
    let door = Door {
        store: state.store,
        keys: Keys::new(&state.secrets),
        served: state.served,
        clock: state.clock,
        wake: state.wake,
    };
    Router::new()
        .route("/github/webhook", post(receive))
        .with_state(Arc::new(door))
}

/// What became of a delivery that was rightly signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Stored,
    Duplicate,
    /// Another event, a pull request, or nothing that says what it is about.
    Ignored,
    /// An organisation that the settings do not list, or whose installation is not known.
    NotServed,
    /// The store did not take it.
    Failed,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::NotServed => "not_served",
            Self::Failed => "failed",
        }
    }
}

impl IntoResponse for Outcome {
    fn into_response(self) -> Response {
        let (status, body) = match self {
            Self::Stored => (StatusCode::ACCEPTED, r#"{"status":"stored"}"#),
            Self::Duplicate => (StatusCode::ACCEPTED, r#"{"status":"duplicate"}"#),
            // Whether an organisation is served is nobody's business but the operator's.
            Self::Ignored | Self::NotServed => (StatusCode::ACCEPTED, r#"{"status":"ignored"}"#),
            Self::Failed => (
                StatusCode::SERVICE_UNAVAILABLE,
                r#"{"error":"not stored; send it again"}"#,
            ),
        };
        (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

/// Counts one delivery, by what became of it.
fn count(outcome: &'static str) {
    metrics::counter!("northstar_deliveries_total", "outcome" => outcome).increment(1);
}

async fn receive(State(door): State<Arc<Door>>, signed: SignedDelivery) -> Response {
    match door.take_in(&signed).await {
        Ok(outcome) => {
            count(outcome.name());
            tracing::debug!(
                guid = signed.guid,
                event = signed.event,
                outcome = outcome.name(),
                "delivery"
            );
            outcome.into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

impl Door {
    async fn take_in(&self, signed: &SignedDelivery) -> Result<Outcome, Refusal> {
        let named = match self.name(signed)? {
            Ok(named) => named,
            Err(outcome) => return Ok(outcome),
        };
        let Some(payload) = pack(&signed.body).await else {
            return Ok(Outcome::Failed);
        };
        let delivery = NewDelivery {
            installation: named.installation,
            guid: signed.guid.clone(),
            event: signed.event.clone(),
            action: named.action,
            lane: named.lane,
            payload,
            received_at: self.clock.now(),
        };
        match self.store.accept(delivery).await {
            Ok(Accepted::Stored) => {
                self.wake.notify_one();
                Ok(Outcome::Stored)
            }
            Ok(Accepted::Duplicate) => Ok(Outcome::Duplicate),
            Err(error) => {
                tracing::error!(guid = signed.guid, %error, "a delivery could not be stored");
                Ok(Outcome::Failed)
            }
        }
    }

    /// Whose delivery it is and which lane it goes to; or why it goes nowhere.
    fn name(&self, signed: &SignedDelivery) -> Result<Result<Named, Outcome>, Refusal> {
        let naming = Naming::read(&signed.body).map_err(|_| Refusal::NotJson)?;
        let Some(lane) = naming.lane(&signed.event) else {
            return Ok(Err(Outcome::Ignored));
        };
        let installation = match (naming.login(), naming.installation()) {
            (Some(login), Some(installation)) if self.served.is_served(login) => {
                self.served.learn(login, installation);
                Some(installation)
            }
            (Some(login), None) => self.served.installation(login),
            (None, Some(installation)) if self.served.knows(installation) => Some(installation),
            _ => None,
        };
        let Some(installation) = installation else {
            return Ok(Err(Outcome::NotServed));
        };
        Ok(Ok(Named {
            installation,
            action: naming.action().to_owned(),
            lane,
        }))
    }
}

struct Named {
    installation: InstallationId,
    action: String,
    lane: LaneKey,
}

async fn pack(body: &Bytes) -> Option<Bytes> {
    let packed = if body.len() > LARGE {
        let body = body.clone();
        let task = tokio::task::spawn_blocking(move || packed::pack(&body));
        task.await.unwrap_or_else(|e| Err(std::io::Error::other(e)))
    } else {
        packed::pack(body)
    };
    packed
        .inspect_err(|error| tracing::error!(%error, "a payload could not be compressed"))
        .ok()
}
