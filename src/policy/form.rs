//! The answers of an issue form, read from the Markdown that GitHub makes of it.

use std::collections::BTreeMap;

/// What GitHub writes for a question that was left open.
const NO_RESPONSE: &str = "_No response_";

/// The answers by heading. GitHub renders each question as `### Heading`, a blank line and the
/// answer; an empty answer is left out. Text before the first heading is nobody's answer, headings
/// inside fenced code are answers' text, and of a heading that stands twice the first counts.
#[must_use]
pub fn answers(body: &str) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> = BTreeMap::new();
    let mut heading: Option<&str> = None;
    let mut answer = String::new();
    let mut fence: Option<&str> = None;
    for line in body.lines() {
        let trimmed = line.trim_end();
        let mark = trimmed.trim_start();
        match fence {
            Some(open) if mark.starts_with(open) => fence = None,
            Some(_) => {}
            None if mark.starts_with("```") => fence = Some("```"),
            None if mark.starts_with("~~~") => fence = Some("~~~"),
            None => {
                if let Some(next) = trimmed.strip_prefix("### ") {
                    keep(&mut out, heading, &answer);
                    heading = Some(next.trim());
                    answer.clear();
                    continue;
                }
            }
        }
        answer.push_str(trimmed);
        answer.push('\n');
    }
    keep(&mut out, heading, &answer);
    out
}

fn keep(out: &mut BTreeMap<String, String>, heading: Option<&str>, answer: &str) {
    let answer = answer.trim();
    if let Some(heading) = heading
        && !heading.is_empty()
        && !answer.is_empty()
        && answer != NO_RESPONSE
    {
        out.entry(heading.to_owned())
            .or_insert_with(|| answer.to_owned());
    }
}

/// The Markdown that GitHub would make of these answers (for the policy's examples).
#[must_use]
pub fn render<'a>(answers: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    answers
        .into_iter()
        .map(|(heading, answer)| format!("### {heading}\n\n{answer}"))
        .collect::<Vec<_>>()
        .join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_answers_and_leaves_out_the_empty_ones() {
        let body = "Hello\r\n### Ticket impact\r\n\r\nHigh\r\n\r\n### Start date\r\n\r\n_No response_\r\n\r\n### Context\r\n\r\n```\n### not a heading\n```\nmore\n### Ticket impact\n\nLow";
        let form = answers(body);
        assert_eq!(form.get("Ticket impact").map(String::as_str), Some("High"));
        assert_eq!(form.get("Start date"), None);
        assert_eq!(
            form.get("Context").map(String::as_str),
            Some("```\n### not a heading\n```\nmore")
        );
        assert!(answers("").is_empty());
    }

    #[test]
    fn reads_what_it_renders() {
        let body = render([("Hub", "staging"), ("Ticket impact", "Low")]);
        let form = answers(&body);
        assert_eq!(form.len(), 2);
        assert_eq!(form["Hub"], "staging");
    }
}
