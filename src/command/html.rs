//! What raw HTML encloses: `<details>`, comments, and every other element that is opened and closed.

use std::collections::HashMap;
use std::ops::Range;

/// The parts of the text that stand inside HTML, in order and apart from each other.
///
/// `pieces` are the raw HTML of the text in its order. An element counts if it is closed again;
/// `<details>` and a comment that are never closed hide all that follows, as browsers have it. So
/// prose about a `<div>` or a `<name>` hides nothing.
pub(super) fn hidden(text: &str, pieces: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut open: HashMap<String, Vec<usize>> = HashMap::new();
    let mut comment: Option<usize> = None;
    let mut hidden = Vec::new();
    for piece in joined(pieces) {
        let mut at = piece.start;
        while at < piece.end {
            let rest = &text[at..piece.end];
            if let Some(start) = comment {
                let Some(end) = rest.find("-->") else { break };
                at += end + 3;
                hidden.push(start..at);
                comment = None;
                continue;
            }
            let Some(tag) = rest.find('<') else { break };
            at += tag;
            let rest = &text[at..piece.end];
            if rest.starts_with("<!--") {
                comment = Some(at);
                at += 2; // `<!-->` is a whole comment
                continue;
            }
            let closing = rest.starts_with("</");
            let named = &rest[if closing { 2 } else { 1 }..];
            let name_end = named
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
                .unwrap_or(named.len());
            let name = named[..name_end].to_ascii_lowercase();
            let end = at + rest.len() - named.len() + tag_end(named, name_end);
            if name.is_empty() {
                at += 1;
                continue;
            }
            if !closing {
                open.entry(name).or_default().push(at);
            } else if let Some(start) = open.get_mut(&name).and_then(Vec::pop) {
                hidden.push(start..end);
            }
            at = end;
        }
    }
    let unclosed = open.remove("details").into_iter().flatten().min();
    hidden.extend(
        unclosed
            .into_iter()
            .chain(comment)
            .min()
            .map(|start| start..text.len()),
    );
    merged(hidden)
}

/// Is this offset in one of the ranges that [`hidden`] gave?
pub(super) fn contains(hidden: &[Range<usize>], at: usize) -> bool {
    let next = hidden.partition_point(|range| range.start <= at);
    next.checked_sub(1)
        .and_then(|i| hidden.get(i))
        .is_some_and(|range| range.contains(&at))
}

/// Where a tag ends: after its `>`, which may stand in quotes before.
fn tag_end(tag: &str, from: usize) -> usize {
    let mut quote = None;
    for (at, c) in tag.char_indices().skip_while(|(at, _)| *at < from) {
        match (quote, c) {
            (None, '>') => return at + 1,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    tag.len()
}

/// Pieces that follow one another without a gap are one: a tag may have several lines.
fn joined(pieces: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match all.last_mut() {
            Some(last) if last.end == piece.start => last.end = piece.end,
            _ => all.push(piece.clone()),
        }
    }
    all
}

fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut all: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match all.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => all.push(range),
        }
    }
    all
}
