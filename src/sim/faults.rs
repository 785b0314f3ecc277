//! Things that go wrong on request: in answers, in connections, in webhooks.

use std::time::Duration;

use jiff::SignedDuration;

/// Which requests a fault waits for; all given parts must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// The method, in capitals.
    pub method: Option<String>,
    /// A part of the path.
    pub path: Option<String>,
    /// A GraphQL operation by its name or by one of its root fields.
    pub operation: Option<String>,
}

impl When {
    /// Any request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests with this method whose path contains `path`.
    pub fn rest(method: &str, path: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            path: Some(path.to_owned()),
            operation: None,
        }
    }

    /// GraphQL requests with this operation name or root field.
    pub fn graphql(operation: &str) -> Self {
        Self {
            operation: Some(operation.to_owned()),
            ..Self::default()
        }
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Answered with this status and these headers; nothing happens.
    Status(u16, Vec<(String, String)>),
    /// The effect happens, but the answer has this status (GitHub's 502 after its ten seconds).
    StatusAfter(u16),
    /// Everything happens, this much later (real time); a write counts as going on meanwhile.
    Delay(Duration),
    /// The connection is closed before anything happens.
    DropBefore,
    /// It happens, then the connection is closed without an answer.
    DropAfter,
    /// 200 with `errors[].type` `RATE_LIMITED`; nothing happens.
    GraphQlRateLimited,
    /// One alias of a GraphQL document is refused, by its place from 0; the rest is done.
    Alias(usize),
    /// 403 of the secondary limit with `retry-after` in seconds (without: GitHub's bare one).
    SecondaryLimit(Option<u64>),
}

/// A fault for the next `times` requests that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub when: When,
    pub times: u32,
    pub kind: FaultKind,
}

impl Fault {
    /// For the next matching request only.
    pub fn once(when: When, kind: FaultKind) -> Self {
        Self {
            when,
            times: 1,
            kind,
        }
    }
}

/// What happens to a webhook on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookFaultKind {
    /// Sent twice, with the same GUID.
    Duplicate,
    /// Kept back until [`super::Sim::release_webhooks`].
    Hold,
    /// Sent when the simulation's clock has moved on by this much.
    Late(SignedDuration),
    /// Never sent; the App's delivery log shows it as failed.
    Lose,
}

/// A fault for the next `times` webhooks of this event (of any, without one).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookFault {
    /// `issues`, `projects_v2_item` …
    pub event: Option<String>,
    pub times: u32,
    pub kind: WebhookFaultKind,
}

/// The faults that wait for their request.
#[derive(Debug, Default)]
pub(super) struct Faults {
    requests: Vec<Fault>,
    webhooks: Vec<WebhookFault>,
}

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        self.requests.push(fault);
    }

    pub fn add_webhook(&mut self, fault: WebhookFault) {
        self.webhooks.push(fault);
    }

    pub fn waiting(&self) -> usize {
        self.requests.len() + self.webhooks.len()
    }

    pub fn clear(&mut self) {
        self.requests.clear();
        self.webhooks.clear();
    }

    /// The first fault waiting for this request; it is used up.
    pub fn take(&mut self, method: &str, path: &str, operations: &[String]) -> Option<FaultKind> {
        let at = self.requests.iter().position(|fault| {
            let when = &fault.when;
            when.method.as_ref().is_none_or(|m| m == method)
                && when.path.as_ref().is_none_or(|p| path.contains(p))
                && when
                    .operation
                    .as_ref()
                    .is_none_or(|o| operations.contains(o))
        })?;
        let fault = self.requests.get_mut(at)?;
        let kind = fault.kind.clone();
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            self.requests.remove(at);
        }
        Some(kind)
    }

    pub fn take_webhook(&mut self, event: &str) -> Option<WebhookFaultKind> {
        let at = self
            .webhooks
            .iter()
            .position(|fault| fault.event.as_ref().is_none_or(|e| e == event))?;
        let fault = self.webhooks.get_mut(at)?;
        let kind = fault.kind;
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            self.webhooks.remove(at);
        }
        Some(kind)
    }
}
