//! Webhooks: every change becomes one, whoever made it; signed, in order, and kept in the App's
//! delivery log.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::Inner;
use super::faults::WebhookFaultKind;
use super::ids::Node;
use super::state::State;

/// How long GitHub waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One webhook as it was, or will be, sent.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its number in the App's delivery log.
    pub id: u64,
    /// `X-GitHub-Delivery`; a redelivery keeps it.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    pub action: Option<String>,
    /// The exact bytes.
    pub payload: Bytes,
    pub installation: Option<u64>,
    pub repository: Option<u64>,
    /// When GitHub made it.
    pub at: Timestamp,
    /// What the receiver answered; `None` while it was not sent.
    pub status: Option<u16>,
    pub redelivery: bool,
    /// Times it was sent under this log entry (a duplicate is two).
    pub sent: u32,
}

impl Delivery {
    /// The payload, read.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).unwrap_or(Value::Null)
    }
}

/// Where an event happened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Repository(u64),
    Organization(u64),
}

pub(super) struct Hooks {
    pub url: Option<String>,
    pub secret: String,
    pub hook_id: u64,
    pub log: Vec<Delivery>,
    /// Places in the log, to be sent in this order.
    pub queue: VecDeque<usize>,
    pub held: Vec<usize>,
    pub late: Vec<(Timestamp, usize)>,
    /// One is on its way.
    pub sending: bool,
}

impl Hooks {
    pub fn new(secret: String, hook_id: u64) -> Self {
        Self {
            url: None,
            secret,
            hook_id,
            log: Vec::new(),
            queue: VecDeque::new(),
            held: Vec::new(),
            late: Vec::new(),
            sending: false,
        }
    }

    /// Webhooks that are to be sent now and were not yet answered.
    pub fn outstanding(&self) -> usize {
        self.queue.len() + usize::from(self.sending)
    }
}

/// `X-Hub-Signature-256`.
pub(super) fn signature(secret: &str, body: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("sha256=");
    // A key of any length is good for HMAC, so there is no error to meet here.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        mac.update(body);
        for byte in mac.finalize().into_bytes() {
            let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        }
    }
    text
}

impl State {
    /// Queues the webhook of a change. `fields` are the event's own; what every event carries is
    /// added. An empty action is none. Organisations without the App hear nothing, and the App hears only the events it is
    /// subscribed to.
    pub fn emit(&mut self, event: &str, action: &str, place: Place, sender: u64, fields: Value) {
        let (org, repository) = match place {
            Place::Organization(org) => (org, None),
            Place::Repository(id) => match self.repositories.get(&id) {
                Some(repo) => (repo.owner, Some(id)),
                None => return,
            },
        };
        let Some(installation) = self.installation_of(org) else {
            return;
        };
        let chosen = installation
            .repositories
            .as_ref()
            .is_none_or(|some| repository.is_none_or(|id| some.contains(&id)));
        let subscribed = event == "installation" || installation.events.iter().any(|e| e == event);
        if !chosen || !subscribed {
            return;
        }
        let installation = installation.id;
        let mut payload = Map::new();
        let action = Some(action).filter(|action| !action.is_empty());
        if let Some(action) = action {
            payload.insert("action".to_owned(), action.into());
        }
        if let Value::Object(fields) = fields {
            payload.extend(fields);
        }
        if let Some(repo) = repository.and_then(|id| self.repositories.get(&id)) {
            payload.insert("repository".to_owned(), self.repository_json(repo));
        }
        payload.insert("organization".to_owned(), self.org_json(org));
        payload.insert("sender".to_owned(), self.user_json(sender));
        if !payload.contains_key("installation") {
            let node_id = self.node(Node::Installation(installation));
            payload.insert(
                "installation".to_owned(),
                json!({"id": installation, "node_id": node_id}),
            );
        }
        self.enqueue(
            event,
            action,
            &Value::Object(payload),
            Some(installation),
            repository,
        );
    }

    /// Puts a payload into the log and on its way, past the faults that wait for it.
    pub fn enqueue(
        &mut self,
        event: &str,
        action: Option<&str>,
        payload: &Value,
        installation: Option<u64>,
        repository: Option<u64>,
    ) {
        let id = self.ids.number();
        let delivery = Delivery {
            id,
            guid: self.ids.guid(),
            event: event.to_owned(),
            action: action.map(str::to_owned),
            payload: payload.to_string().into(),
            installation,
            repository,
            at: self.now(),
            status: None,
            redelivery: false,
            sent: 0,
        };
        self.dispatch(delivery);
    }

    fn dispatch(&mut self, delivery: Delivery) {
        let now = self.now();
        let fault = self.faults.take_webhook(&delivery.event);
        let hooks = &mut self.hooks;
        let at = hooks.log.len();
        hooks.log.push(delivery);
        match fault {
            Some(WebhookFaultKind::Lose) => {
                if let Some(lost) = hooks.log.get_mut(at) {
                    lost.status = Some(502);
                }
            }
            Some(WebhookFaultKind::Hold) => hooks.held.push(at),
            Some(WebhookFaultKind::Late(by)) => hooks.late.push((now + by, at)),
            // Without an address there is no webhook to send; it stays in the log.
            _ if hooks.url.is_none() => {}
            Some(WebhookFaultKind::Duplicate) => hooks.queue.extend([at, at]),
            None => hooks.queue.push_back(at),
        }
    }

    /// Sends a logged delivery once more, under the same GUID.
    pub fn redeliver(&mut self, id: u64) -> bool {
        let Some(old) = self.hooks.log.iter().find(|delivery| delivery.id == id) else {
            return false;
        };
        let again = Delivery {
            id: 0,
            at: self.now(),
            status: None,
            redelivery: true,
            sent: 0,
            ..old.clone()
        };
        let id = self.ids.number();
        self.dispatch(Delivery { id, ..again });
        true
    }

    /// Moves the late ones whose time has come into the queue; when the next is due.
    fn due(&mut self) -> Option<Timestamp> {
        let now = self.now();
        let hooks = &mut self.hooks;
        let mut waiting = Vec::new();
        for (at, place) in std::mem::take(&mut hooks.late) {
            if at <= now {
                hooks.queue.push_back(place);
            } else {
                waiting.push((at, place));
            }
        }
        hooks.late = waiting;
        hooks.late.iter().map(|(at, _)| *at).min()
    }
}

/// Everything needed to send one webhook, taken out of the state.
struct Parcel {
    place: usize,
    request: http::Request<Full<Bytes>>,
}

fn next_parcel(state: &mut State) -> Option<Parcel> {
    let url = state.hooks.url.clone()?;
    while let Some(place) = state.hooks.queue.pop_front() {
        let Some(delivery) = state.hooks.log.get(place) else {
            continue;
        };
        let request = http::Request::post(&url)
            .header("accept", "*/*")
            .header("content-type", "application/json")
            .header("user-agent", "GitHub-Hookshot/5c1a2ab")
            .header("x-github-event", &delivery.event)
            .header("x-github-delivery", &delivery.guid)
            .header("x-github-hook-id", state.hooks.hook_id)
            .header("x-github-hook-installation-target-id", state.app_id)
            .header("x-github-hook-installation-target-type", "integration")
            .header(
                "x-hub-signature-256",
                signature(&state.hooks.secret, &delivery.payload),
            )
            .body(Full::new(delivery.payload.clone()));
        match request {
            Ok(request) => {
                state.hooks.sending = true;
                return Some(Parcel { place, request });
            }
            Err(error) => tracing::warn!(%error, url, "sim: not an address for webhooks"),
        }
    }
    None
}

/// Sends what is queued, one after the other, until the simulation is gone.
pub(super) async fn dispatcher(inner: Weak<Inner>) {
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build_http();
    loop {
        let Some(sim) = inner.upgrade() else { return };
        let (parcel, due) = sim.with(|state| {
            let due = state.due();
            (next_parcel(state), due)
        });
        let wake = Arc::clone(&sim.wake);
        let clock = Arc::clone(&sim.clock);
        let gone = sim.gone.clone();
        drop(sim);
        let Some(parcel) = parcel else {
            let due = async {
                match due {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wake.notified() => {}
                () = due => {}
                () = gone.cancelled() => return,
            }
            continue;
        };
        let sent = tokio::time::timeout(TIMEOUT, async {
            let response = client.request(parcel.request).await.ok()?;
            let status = response.status().as_u16();
            // Read to the end, or the connection is of no further use.
            let _ = response.into_body().collect().await;
            Some(status)
        });
        let status = sent.await.map_or(504, |status| status.unwrap_or(502));
        let Some(sim) = inner.upgrade() else { return };
        sim.with(|state| {
            state.hooks.sending = false;
            if let Some(delivery) = state.hooks.log.get_mut(parcel.place) {
                delivery.status = Some(status);
                delivery.sent += 1;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_githubs() {
        // The vector of GitHub's documentation, "Validating webhook deliveries".
        assert_eq!(
            signature("It's a Secret to Everybody", b"Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }
}
