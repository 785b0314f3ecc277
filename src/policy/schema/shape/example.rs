//! Examples: tests of the policy.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::{Texts, Word, Words};

/// A test of the policy: an item is given, what becomes of it is expected.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Example {
    /// What it shows, as a sentence.
    pub name: String,
    /// What the item is like. What is not given is ordinary, and empty.
    pub given: Option<Given>,
    /// What becomes of it. What is not named may be anything.
    pub expect: Expect,
}

/// What an example's item is like. Besides these, any attribute: `kind: bug` was set by somebody who
/// may, `current.kind: bug` was simply there.
#[derive(JsonSchema)]
pub struct Given {
    /// The instant of the look, such as `2026-01-15T12:00:00Z`.
    pub now: Option<String>,
    #[schemars(rename = "issue.title")]
    pub title: Option<Word>,
    /// Markdown.
    #[schemars(rename = "issue.body")]
    pub body: Option<Word>,
    #[schemars(rename = "issue.labels")]
    pub labels: Option<Words>,
    /// The title of its milestone.
    #[schemars(rename = "issue.milestone")]
    pub milestone: Option<Word>,
    #[schemars(rename = "issue.open")]
    pub open: Option<bool>,
    /// `completed`, `not_planned` or `duplicate`.
    #[schemars(rename = "issue.state_reason")]
    pub state_reason: Option<String>,
    #[schemars(rename = "issue.type")]
    pub issue_type: Option<Word>,
    #[schemars(rename = "issue.created_at")]
    pub created_at: Option<String>,
    #[schemars(rename = "issue.updated_at")]
    pub updated_at: Option<String>,
    #[schemars(rename = "issue.closed_at")]
    pub closed_at: Option<String>,
    /// How many comments it has.
    #[schemars(rename = "issue.comments")]
    pub comments: Option<u64>,
    /// How many reactions it has.
    #[schemars(rename = "issue.reactions")]
    pub reactions: Option<u64>,
    /// `owner/name`.
    #[schemars(rename = "issue.repository")]
    pub repository: Option<String>,
    #[schemars(rename = "issue.private")]
    pub private: Option<bool>,
    /// `owner/repo#n`.
    #[schemars(rename = "issue.parent")]
    pub parent: Option<String>,
    #[schemars(rename = "issue.sub_issues")]
    pub sub_issues: Option<u64>,
    #[schemars(rename = "issue.assignees")]
    pub assignees: Option<Texts>,
    #[schemars(rename = "author.login")]
    pub login: Option<String>,
    #[schemars(rename = "author.bot")]
    pub bot: Option<bool>,
    #[schemars(rename = "author.roles")]
    pub roles: Option<Texts>,
    /// The answers of the issue form, by heading.
    pub form: Option<BTreeMap<String, Word>>,
    pub communities: Option<Words>,
    #[schemars(rename = "demand.requests")]
    pub requests: Option<u64>,
    #[schemars(rename = "demand.communities")]
    pub demanding: Option<u64>,
    #[schemars(rename = "guess.kind")]
    pub kind: Option<Word>,
    #[schemars(rename = "guess.kind_confidence")]
    pub confidence: Option<f64>,
    /// Roles that confirmed it.
    pub confirmed_by: Option<Texts>,
    /// Put out of the way by `/snooze`.
    pub snoozed: Option<bool>,
    #[schemars(rename = "board.column")]
    pub column: Option<Word>,
    /// Fields of the board, by name.
    #[schemars(rename = "board.fields")]
    pub fields: Option<BTreeMap<String, Word>>,
    #[schemars(flatten)]
    pub attributes: BTreeMap<String, Option<Words>>,
}

/// What an example expects. Besides these, any attribute.
#[derive(JsonSchema)]
pub struct Expect {
    /// Rules that fired, among others.
    pub fired: Option<Texts>,
    /// Rules that did not fire.
    pub not_fired: Option<Texts>,
    /// Labels that are on afterwards.
    pub labels: Option<Words>,
    /// Labels that are not on afterwards.
    pub no_labels: Option<Words>,
    /// Keys of the comments that stand afterwards; exactly these.
    pub comments: Option<Texts>,
    /// Boards that it is on afterwards; exactly these.
    pub on_board: Option<Texts>,
    /// Fields afterwards, as `board.Field`.
    pub fields: Option<BTreeMap<String, Word>>,
    /// Attributes of which a rule did not get what it wanted.
    pub held: Option<Texts>,
    /// The milestone afterwards, or `none`.
    pub milestone: Option<Word>,
    #[schemars(flatten)]
    pub attributes: BTreeMap<String, Option<Words>>,
}
