//! The marker by which one of our own comments is known again.

/// The invisible line that says which comment this is. Trusted only on our own comments.
#[must_use]
pub(super) fn marker(key: &str) -> String {
    format!("<!-- northstar:{key} -->")
}

/// The key in a comment's marker, if it has one.
#[must_use]
pub(super) fn key_of(body: &str) -> Option<&str> {
    let (_, rest) = body.rsplit_once("<!-- northstar:")?;
    rest.split_once(" -->").map(|(key, _)| key)
}

/// A comment's text as it was before the marker was added.
#[must_use]
pub(super) fn without_marker(body: &str) -> &str {
    body.rsplit_once("<!-- northstar:")
        .map_or(body, |(text, _)| text.trim_end())
}
