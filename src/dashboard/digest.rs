//! The latest digests, as a page.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd, html};

use crate::store::DigestRecord;

use super::{Pages, escape, whole};

/// The HTML that digests hold. Anything else is shown as the text it is.
const OURS: [&str; 5] = ["<details>", "</details>", "<summary>", "</summary>", "<br>"];

pub(super) async fn latest(State(pages): State<Pages>) -> Response {
    match pages.store.newest_digests().await {
        Ok(digests) => Html(page(&digests)).into_response(),
        Err(error) => {
            tracing::error!(%error, "the store cannot be read");
            let says = "the store cannot be read\n";
            (StatusCode::SERVICE_UNAVAILABLE, says).into_response()
        }
    }
}

fn page(digests: &[DigestRecord]) -> String {
    let mut parts: Vec<String> = digests.iter().map(part).collect();
    if parts.is_empty() {
        parts.push(
            "<h1>Weekly summary</h1><p>None was made yet. <code>northstar digest --dry-run</code> \
             prints one.</p>"
                .to_owned(),
        );
    }
    let body = format!("{}<p><a href=/>Northstar</a></p>", parts.join("<hr>"));
    whole("Weekly summary", &body)
}

fn part(digest: &DigestRecord) -> String {
    let title = escape(&digest.organization);
    let week = escape(&digest.week);
    if digest.private {
        return format!(
            "<h1>{title}</h1><p>The summary for {week} stands in a private place, and is read \
             there.</p>"
        );
    }
    let made_at = digest.made_at.strftime("%-d %b %Y %H:%M UTC");
    format!(
        "<h1>{title}</h1><p class=when>Made on {made_at}.</p>{}",
        drawn(&digest.markdown)
    )
}

/// Markdown as HTML. Links go where the digest made them go; no HTML but our own gets through.
/// Diagrams are GitHub's to draw; what they show stands beside them in words.
fn drawn(markdown: &str) -> String {
    let mut in_diagram = false;
    let events =
        Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(|event| match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language)))
                if &*language == "mermaid" =>
            {
                in_diagram = true;
                None
            }
            Event::End(TagEnd::CodeBlock) if in_diagram => {
                in_diagram = false;
                None
            }
            _ if in_diagram => None,
            Event::Html(text) | Event::InlineHtml(text) if !is_ours(&text) => {
                Some(Event::Text(text))
            }
            event => Some(event),
        });
    let mut out = String::new();
    html::push_html(&mut out, events);
    out
}

fn is_ours(text: &str) -> bool {
    let rest = OURS
        .iter()
        .fold(text.to_owned(), |rest, tag| rest.replace(tag, ""));
    !rest.contains(['<', '&'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(markdown: &str, private: bool) -> DigestRecord {
        let at = "2026-11-23T09:00:00Z".parse().unwrap();
        DigestRecord {
            digest: "weekly".to_owned(),
            organization: "o<b>".to_owned(),
            slot_at: at,
            week: "2026-W47".to_owned(),
            made_at: at,
            private,
            markdown: markdown.to_owned(),
            issue: None,
            ranking: Vec::new(),
        }
    }

    #[test]
    fn it_draws_tables_and_lets_no_foreign_html_through() {
        let text = "| a | b |\n|---|---|\n| x<br>y | <img src=x onerror=alert(1)> |\n\n\
                    <details><summary>More</summary>\n\ntext\n\n</details>\n\n<script>bad()</script>\n";
        let page = page(&[record(text, false)]);
        for part in [
            "<td>x<br>y</td>",
            "<details><summary>More</summary>",
            "o&lt;b&gt;",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        for part in ["<img", "<script", "<b>"] {
            assert!(!page.contains(part), "{part}\n{page}");
        }
        assert!(page.contains("Made on 23 Nov 2026 09:00 UTC."));
    }

    #[test]
    fn it_leaves_the_text_of_diagrams_out() {
        let text = "before\n\n```mermaid\npie title Came in\n```\n\n```\nkept\n```\n\nafter\n";
        let page = page(&[record(text, false)]);
        for part in ["before", "<code>kept", "after"] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert!(!page.contains("pie title"), "{page}");
    }

    #[test]
    fn what_stands_in_a_private_place_is_not_shown() {
        let page = page(&[record("the secret plan", true)]);
        assert!(!page.contains("secret"), "{page}");
        assert!(page.contains("2026-W47"));
    }
}
