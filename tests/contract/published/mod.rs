//! What GitHub publishes about itself, as validators.
//!
//! *In:* the files that `tests/setup.sh` fetches; requests, answers, webhooks, documents.
//! *Out:* for each, the list of what is wrong with it, each with its path.
//!
//! Another test binary takes this module by
//! `#[allow(dead_code)] #[path = "../contract/published/mod.rs"] mod published;` (it is complete in
//! itself) and ends its stories with [`check_log`] and [`check_deliveries`].

pub mod fetched;
pub mod graphql;
pub mod rest;
pub mod schema;
pub mod webhooks;

use northstar::sim::{Delivery, Logged};

use graphql::GraphQl;
use rest::Rest;
use webhooks::Webhooks;

/// Everything wrong with recorded requests and their answers, one line each; empty is good.
///
/// GraphQL is looked up in GitHub's GraphQL schema, all else in its REST description. What a fault
/// asked for is no answer of GitHub's design, so answers of 5xx are passed over.
pub fn check_log(log: &[Logged]) -> Vec<String> {
    let mut wrong = Vec::new();
    for logged in log {
        let (method, path) = (logged.method.as_str(), logged.path.as_str());
        let mut found = Vec::new();
        let answer = logged.status.filter(|status| *status < 500);
        if path == "/graphql" {
            found.extend(GraphQl::get().check_request(&logged.body));
            if answer == Some(200) && found.is_empty() && !logged.response.is_null() {
                found.extend(GraphQl::get().check_response(&logged.body, &logged.response));
            }
        } else {
            found.extend(Rest::get().check_request(method, path, &logged.query, &logged.body));
            if let Some(status) = answer
                && found.is_empty()
                && !logged.response.is_null()
            {
                found.extend(Rest::get().check_response(method, path, status, &logged.response));
            }
        }
        let asked = format!("{method} {path}");
        wrong.extend(found.into_iter().map(|what| format!("{asked}: {what}")));
    }
    wrong
}

/// Everything wrong with the webhooks that were sent, one line each; empty is good.
pub fn check_deliveries(deliveries: &[Delivery]) -> Vec<String> {
    let check = |delivery: &Delivery| {
        let (event, payload) = (&delivery.event, delivery.json());
        let action = delivery.action.as_deref().unwrap_or_default();
        let found = Webhooks::get().check(event, &payload);
        let lines = found
            .iter()
            .map(|problem| format!("{event}.{action} {problem}"));
        lines.collect::<Vec<String>>()
    };
    deliveries.iter().flat_map(check).collect()
}
