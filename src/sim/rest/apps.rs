//! The App's own routes, and what an installation asks about itself.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::Path;
use serde_json::{Value, json};

use super::{Answer, Call, Reply};
use crate::sim::auth::{Caller, issue_token};
use crate::sim::limits::{Budget, Resource};
use crate::sim::refusal::Refusal;
use crate::sim::state::time;
use crate::sim::webhooks::Delivery;

pub(super) async fn app(Extension(call): Extension<Call>) -> Answer {
    call.app()?;
    Ok(Reply::ok(call.with(|state| {
        let mut app = state.app_json();
        if let Value::Object(map) = &mut app {
            map.insert(
                "installations_count".to_owned(),
                state.installations.len().into(),
            );
        }
        app
    })))
}

pub(super) async fn installations(Extension(call): Extension<Call>) -> Answer {
    call.app()?;
    Ok(call.with(|state| {
        let all = state
            .installations
            .values()
            .map(|installation| state.installation_json(installation))
            .collect();
        call.page(state, all)
    }))
}

pub(super) async fn installation(Path(id): Path<u64>, Extension(call): Extension<Call>) -> Answer {
    call.app()?;
    call.with(|state| {
        let found = state
            .installations
            .get(&id)
            .ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(state.installation_json(found)))
    })
}

pub(super) async fn org_installation(
    Path(org): Path<String>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.app()?;
    call.with(|state| {
        let found = state
            .org_by_login(&org)
            .and_then(|org| state.installation_of(org))
            .ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(state.installation_json(found)))
    })
}

pub(super) async fn repository_installation(
    Path((owner, name)): Path<(String, String)>,
    Extension(call): Extension<Call>,
) -> Answer {
    call.app()?;
    call.with(|state| {
        let found = state
            .repository_by_name(&owner, &name)
            .and_then(|repo| {
                let installation = state.installation_of(repo.owner)?;
                state
                    .covers(installation.id, repo.id)
                    .then_some(installation)
            })
            .ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(state.installation_json(found)))
    })
}

/// Where the App's webhooks go.
pub(super) async fn hook_config(Extension(call): Extension<Call>) -> Answer {
    call.app()?;
    Ok(Reply::ok(call.with(|state| {
        json!({
            "content_type": "json",
            "insecure_ssl": "0",
            "secret": "********",
            "url": state.hooks.url.clone().unwrap_or_default(),
        })
    })))
}

pub(super) async fn access_token(Path(id): Path<u64>, Extension(call): Extension<Call>) -> Answer {
    call.app()?;
    let wanted: Option<BTreeMap<String, String>> = call
        .body
        .get("permissions")
        .and_then(|wanted| serde_json::from_value(wanted.clone()).ok());
    call.with(|state| {
        let (text, token) = issue_token(state, id, wanted.as_ref())?;
        let selected = state
            .installations
            .get(&id)
            .is_some_and(|installation| installation.repositories.is_some());
        Ok(Reply::with(
            201,
            json!({
                "token": text,
                "expires_at": time(token.expires_at),
                "permissions": token.permissions,
                "repository_selection": if selected { "selected" } else { "all" },
            }),
        ))
    })
}

fn delivery_json(delivery: &Delivery) -> Value {
    let (code, status) = match delivery.status {
        Some(code @ 200..=299) => (code, "OK"),
        Some(502) => (502, "failed to connect to host"),
        Some(504) => (504, "timed out"),
        Some(code) => (code, "Invalid HTTP Response"),
        None => (0, "pending"),
    };
    json!({
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": time(delivery.at),
        "redelivery": delivery.redelivery,
        "duration": 0.05,
        "status": status,
        "status_code": code,
        "event": delivery.event,
        "action": delivery.action,
        "installation_id": delivery.installation,
        "repository_id": delivery.repository,
        "throttled_at": null,
    })
}

/// Newest first, `per_page` of them; `cursor` is the id of the last one seen.
pub(super) async fn deliveries(Extension(call): Extension<Call>) -> Answer {
    call.app()?;
    let per_page = call
        .query
        .get("per_page")
        .and_then(|text| text.parse::<usize>().ok())
        .unwrap_or(30)
        .clamp(1, 100);
    let cursor: Option<u64> = call.query.get("cursor").and_then(|text| text.parse().ok());
    let failed = call.query.get("status").is_some_and(|s| s == "failure");
    Ok(call.with(|state| {
        let shown: Vec<&Delivery> = state
            .hooks
            .log
            .iter()
            .rev()
            .filter(|delivery| cursor.is_none_or(|cursor| delivery.id < cursor))
            .filter(|delivery| !failed || !delivery.status.is_some_and(|s| (200..300).contains(&s)))
            .take(per_page + 1)
            .collect();
        let more = shown.len() > per_page;
        let page: Vec<Value> = shown
            .iter()
            .take(per_page)
            .map(|d| delivery_json(d))
            .collect();
        let mut reply = Reply::ok(Value::Array(page));
        if let Some(last) = shown.get(per_page - 1).filter(|_| more) {
            reply.link = Some(format!(
                "<{}{}?per_page={per_page}&cursor={}>; rel=\"next\"",
                state.api_url, call.path, last.id
            ));
        }
        reply
    }))
}

pub(super) async fn delivery(Path(id): Path<u64>, Extension(call): Extension<Call>) -> Answer {
    call.app()?;
    call.with(|state| {
        let found = state
            .hooks
            .log
            .iter()
            .find(|delivery| delivery.id == id)
            .ok_or_else(Refusal::not_found)?;
        let mut shown = delivery_json(found);
        if let Value::Object(map) = &mut shown {
            map.insert(
                "url".to_owned(),
                state.hooks.url.clone().unwrap_or_default().into(),
            );
            map.insert(
                "request".to_owned(),
                json!({"headers": {"X-GitHub-Event": found.event, "X-GitHub-Delivery": found.guid}, "payload": found.json()}),
            );
            map.insert("response".to_owned(), json!({"headers": {}, "payload": ""}));
        }
        Ok(Reply::ok(shown))
    })
}

pub(super) async fn attempt(Path(id): Path<u64>, Extension(call): Extension<Call>) -> Answer {
    call.app()?;
    if call.with(|state| state.redeliver(id)) {
        Ok(Reply::with(202, json!({})))
    } else {
        Err(Refusal::not_found())
    }
}

pub(super) async fn repositories(Extension(call): Extension<Call>) -> Answer {
    let Caller::Installation { id, .. } = &call.caller else {
        return Err(Refusal::new(401, "Requires authentication"));
    };
    Ok(call.with(|state| {
        let all: Vec<Value> = state
            .repositories
            .values()
            .filter(|repo| state.covers(*id, repo.id))
            .map(|repo| state.repository_json(repo))
            .collect();
        let total = all.len();
        let selected = state
            .installations
            .get(id)
            .is_some_and(|installation| installation.repositories.is_some());
        let (page, mut reply) = call.page_of(state, all);
        reply.body = json!({
            "total_count": total,
            "repository_selection": if selected { "selected" } else { "all" },
            "repositories": page,
        });
        reply
    }))
}

pub(super) async fn rate_limit(Extension(call): Extension<Call>) -> Answer {
    let who = call.caller.installation().unwrap_or(0);
    Ok(Reply::ok(call.with(|state| {
        let (limits, now) = (state.limits.clone(), state.now());
        let core = budget_json(state.budgets.budget(who, Resource::Core, &limits, now));
        let graphql = budget_json(state.budgets.budget(who, Resource::GraphQl, &limits, now));
        let search =
            json!({"limit": 30, "used": 0, "remaining": 30, "reset": now.as_second() + 60});
        json!({"resources": {"core": core, "search": search, "graphql": graphql}, "rate": core})
    })))
}

fn budget_json(budget: Budget) -> Value {
    json!({
        "limit": budget.limit,
        "used": budget.used,
        "remaining": budget.remaining(),
        "reset": budget.reset.as_second(),
    })
}
