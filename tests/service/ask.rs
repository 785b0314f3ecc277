//! What stories ask of the service and its store, and say to its door.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use northstar::ids::ItemId;
use northstar::receive::sign;
use northstar::sim::Logged;
use northstar::sim::example::REPOSITORY;
use northstar::store::{Alias, AuditEntry, AuditQuery, ItemRecord};
use northstar::triage::ledger::{self, LedgerEntry, Ownership};
use serde_json::Value;

use crate::world::{SECRET, World};

/// What the door, or a page, answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }
}

impl World {
    /// Somebody takes one label off and puts another on, as GitHub's page does.
    pub fn relabel(&self, who: &str, number: u64, from: &str, to: &str) {
        let off = self.sim.remove_label(who, REPOSITORY, number, from);
        off.expect("a label");
        let on = self.sim.add_label(who, REPOSITORY, number, to);
        on.expect("a label");
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request).await.expect("an answer");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.expect("a body");
        Answer {
            status,
            text: String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        let url = format!("http://{}{path}", self.service().address);
        self.send(Request::get(url).body(Full::default()).expect("a request"))
            .await
    }

    /// Posts a body to the door with these headers beside event and GUID.
    pub async fn post(
        &self,
        event: &str,
        guid: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let url = format!("http://{}/github/webhook", self.service().address);
        let mut request = Request::post(url)
            .header("content-type", "application/json")
            .header("x-github-event", event)
            .header("x-github-delivery", guid);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::from(body)).expect("a request"))
            .await
    }

    /// Posts a payload as GitHub would.
    pub async fn deliver(&self, event: &str, guid: &str, payload: &Value) -> Answer {
        let body = payload.to_string().into_bytes();
        let signature = sign(&SECRET.into(), &body);
        let headers = [("x-hub-signature-256", signature.as_str())];
        self.post(event, guid, &headers, body).await
    }

    /// The payload of the latest webhook of this kind, sent or not.
    pub fn payload(&self, event: &str, action: &str) -> Value {
        let deliveries = self.sim.deliveries();
        let latest = deliveries
            .iter()
            .rev()
            .find(|d| d.event == event && d.action.as_deref() == Some(action));
        latest
            .unwrap_or_else(|| panic!("no {event}.{action} was made"))
            .json()
    }

    pub async fn item(&self, number: u64) -> ItemId {
        let alias = Alias::Node(self.issue(number).node_id);
        let store = &self.service().store;
        let item = store.item_by_alias(self.installation, &alias).await;
        item.expect("the store").expect("the item is known")
    }

    /// What the store remembers of an issue.
    pub async fn record(&self, number: u64) -> ItemRecord {
        let item = self.item(number).await;
        let record = self.service().store.item(self.installation, item).await;
        record.expect("the store").expect("a record")
    }

    /// The ledger's entries about one attribute of an issue, oldest first.
    pub async fn ledger(&self, number: u64, attribute: &str) -> Vec<LedgerEntry> {
        let mut entries = self.record(number).await.ledger;
        entries.retain(|entry| entry.attribute == attribute);
        entries
    }

    /// Who owns an attribute of an issue.
    pub async fn ownership(&self, number: u64, attribute: &str) -> Ownership {
        ledger::fold(&self.record(number).await.ledger, attribute)
    }

    /// The audit trail of an issue, oldest first: lines of one kind.
    pub async fn audit(&self, number: u64, kind: &str) -> Vec<AuditEntry> {
        let query = AuditQuery {
            installation: Some(self.installation),
            item: Some(self.item(number).await),
            kind: Some(kind.to_owned()),
            ..AuditQuery::default()
        };
        let mut lines = self.service().store.audit(&query).await.expect("the trail");
        lines.reverse();
        lines
    }

    /// What the last decision about an issue held back: attribute and why.
    pub async fn held(&self, number: u64) -> Vec<(String, String)> {
        let decisions = self.audit(number, "decision").await;
        let last = decisions.last().expect("a decision");
        let held = last.detail["held"].as_array().expect("a list");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        held.iter()
            .map(|h| (text(&h["attribute"]), text(&h["why"])))
            .collect()
    }

    /// Requests that read something (asking for a token is neither read nor write).
    pub fn reads(&self) -> Vec<Logged> {
        let mut requests = self.sim.requests();
        requests.retain(|r| !r.is_write && !r.path.ends_with("/access_tokens"));
        requests
    }

    /// A first issue, so that names and people have been read, and nothing of it is counted.
    pub async fn warmed_up(&self) {
        self.open("grace", "Please add a tool", "");
        self.settled().await;
        self.sim.forget_requests();
    }
}
