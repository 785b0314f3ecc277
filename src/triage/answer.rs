//! What the bot says to whoever said a command: a reaction, and a reply where there is something
//! to say.

use serde::{Deserialize, Serialize};

use crate::ids::CommentId;

/// The answer to one comment, or to the text of the issue itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// `None`: the commands stood in the issue's own text.
    pub comment: Option<CommentId>,
    pub sign: Sign,
    /// The sign stands on GitHub.
    pub shown: bool,
    /// Markdown; empty where the sign says it all. Edited in place when the commands are corrected.
    pub body: String,
    /// Why it is said, where that is not because a command was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub because: String,
    /// What was asked and has yet to be worked out, once the item is decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
}

/// What is answered from a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// `/why`, of a rule, attribute or principle, or (`None`) of the whole decision.
    Why(Option<String>),
    /// `/score`.
    Score,
    /// `/similar`.
    Similar,
}

/// A reaction. The order is that of weight: of several commands in a comment the gravest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// A question, answered by a reply: 👀.
    Seen,
    /// Done: 👍.
    Done,
    /// Something was not understood or not allowed, and the reply says what: 😕.
    Refused,
}

/// The key of the reply to a comment (or to the issue's own text), among the bot's comments.
#[must_use]
pub fn key_of(comment: Option<CommentId>) -> String {
    comment.map_or_else(|| "reply".to_owned(), |id| format!("reply-{id}"))
}
