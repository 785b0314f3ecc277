//! Health, metrics and the pages for people.
//!
//! *In:* the store's counts and digests, the organisations served. *Out:* HTTP.
//! *May call:* `store`. There is no login yet, so it shows no item but those of digests that stand in
//! a public place already.

mod digest;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::store::{Counts, Store};

/// What the pages show.
#[derive(Clone)]
pub struct Pages {
    pub store: Arc<dyn Store>,
    pub metrics: PrometheusHandle,
    /// Logins of the organisations whose policy is loaded.
    pub organizations: Arc<[String]>,
}

/// `/`, `/digest`, `/livez`, `/readyz`, `/metrics`.
pub fn router(pages: Pages) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/digest", get(digest::latest))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(pages)
}

/// Ready means: what is acknowledged will be kept, and there is a policy to decide by.
async fn ready(State(pages): State<Pages>) -> Response {
    let store = pages.store.writable().await;
    let status = if store.is_ok() && !pages.organizations.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    if let Err(error) = &store {
        tracing::error!(%error, "the store cannot be written");
    }
    let body = serde_json::json!({
        "store": if store.is_ok() { "writable" } else { "cannot be written" },
        "policies": pages.organizations.len(),
    });
    (status, Json(body)).into_response()
}

async fn metrics(State(pages): State<Pages>) -> Response {
    if let Ok(counts) = pages.store.counts().await {
        gauge("northstar_deliveries_pending", counts.pending);
        gauge("northstar_deliveries_dead", counts.dead);
        gauge("northstar_items_waiting_for_writer", counts.wants_write);
        gauge("northstar_effects_unsettled", counts.unsettled);
    }
    pages.metrics.run_upkeep();
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        pages.metrics.render(),
    )
        .into_response()
}

fn gauge(name: &'static str, value: u64) {
    // Counts stay far below 2^52, where a double is exact.
    #[allow(clippy::cast_precision_loss)]
    metrics::gauge!(name).set(value as f64);
}

async fn index(State(pages): State<Pages>) -> Response {
    match pages.store.counts().await {
        Ok(counts) => Html(page(&pages.organizations, counts)).into_response(),
        Err(error) => {
            tracing::error!(%error, "the store cannot be read");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the store cannot be read\n",
            )
                .into_response()
        }
    }
}

fn page(organizations: &[String], counts: Counts) -> String {
    let served: Vec<_> = organizations.iter().map(|login| escape(login)).collect();
    let served = served.join("<li>");
    let health = if counts.dead == 0 {
        "<p class=ok>Everything that was acknowledged is handled or in line.</p>".to_owned()
    } else {
        format!(
            "<p class=bad>{} deliveries were given up. <code>northstar inbox</code> lists them.</p>",
            counts.dead
        )
    };
    let body = format!(
        "<h1>Northstar</h1>{health}<dl><dt>Deliveries in line<dd>{}<dt>Given up<dd>{}\
         <dt>Items waiting for the writer<dd>{}<dt>Writes whose end is unknown<dd>{}</dl>\
         <h2>Organisations</h2><ul><li>{served}</ul>\
         <p><a href=/digest>weekly summary</a> · <a href=/readyz>ready?</a> · \
         <a href=/metrics>metrics</a></p>",
        counts.pending, counts.dead, counts.wants_write, counts.unsettled
    );
    whole("Northstar", &body)
}

/// A page around a body. Nothing is fetched from elsewhere.
fn whole(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{}</title>\
         <meta name=viewport content='width=device-width'>\
         <style>:root{{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}}\
         body{{max-width:46rem;margin:3rem auto;padding:0 1rem}}h1,h2,h3{{font-weight:600}}\
         dl{{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.5rem}}dd{{margin:0;\
         font-variant-numeric:tabular-nums}}.ok{{border-left:4px solid #2da44e;padding-left:1rem}}\
         .bad{{border-left:4px solid #cf222e;padding-left:1rem}}\
         table{{border-collapse:collapse;display:block;overflow-x:auto}}\
         th,td{{border-bottom:1px solid #8886;padding:.35rem .8rem .35rem 0;text-align:left;\
         vertical-align:top}}pre{{overflow-x:auto;font-size:.8rem;background:#8881;padding:1rem}}\
         a{{color:light-dark(#0969da,#58a6ff)}}hr{{border:0;border-top:1px solid #8886;margin:3rem 0}}\
         .when{{opacity:.7}}</style>{body}</html>",
        escape(title)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_escapes_what_it_shows_and_counts_what_was_given_up() {
        let counts = Counts {
            dead: 3,
            ..Counts::default()
        };
        let page = page(&["<script>".to_owned()], counts);
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
        assert!(page.contains("3 deliveries were given up"));
    }
}
