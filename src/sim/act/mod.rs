//! Everything that can happen on the simulated GitHub. People, REST and GraphQL all act through
//! here, so each change is checked, timed and announced in one way.

mod boards;
mod comments;
mod files;
mod issues;
mod labels;
mod repositories;
mod transfer;

pub(super) use issues::{Edit, NewIssue, NewMilestone};
pub(super) use labels::LabelEdit;

use super::refusal::Refusal;

/// GitHub's eight reactions.
pub(super) const REACTIONS: [&str; 8] = [
    "+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes",
];

/// Longest body of an issue or comment, in characters.
pub(super) const BODY: usize = 65_536;
/// Longest title, in characters.
const TITLE: usize = 256;
/// Longest name of a label, in characters.
const LABEL_NAME: usize = 50;
/// Longest description of a label, in characters.
const LABEL_DESCRIPTION: usize = 100;
/// Most labels on an issue.
const LABELS: usize = 100;
/// Most items of a board.
const ITEMS: usize = 50_000;

fn check_length(resource: &str, field: &str, text: &str, most: usize) -> Result<(), Refusal> {
    if text.chars().count() > most {
        return Err(Refusal::invalid_because(
            resource,
            field,
            &format!("{field} is too long (maximum is {most} characters)"),
        ));
    }
    Ok(())
}

fn check_title(title: &str) -> Result<(), Refusal> {
    if title.trim().is_empty() {
        return Err(Refusal::invalid("Issue", "title", "missing_field"));
    }
    check_length("Issue", "title", title, TITLE)
}
