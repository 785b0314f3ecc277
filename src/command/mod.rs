//! Slash commands: what people say to the bot in comments.
//!
//! *In:* the Markdown of a comment or of a new issue, and the policy's words as plain data
//! ([`Vocabulary`]). *Out:* the command lines found ([`Found`]), and what they mean ([`Reading`]).
//! *May call:* `ids`, and `policy` for its words. Pure: no I/O, no clock; who may say what and what it does is the shell's.
//!
//! Two steps, so that "is this a command line?" needs no policy: [`find`] knows Markdown and no
//! words, [`read`] knows words and no Markdown. [`table`] is the one table that reading, help and
//! documentation are made from.

mod act;
mod choices;
mod email;
mod find;
mod help;
mod html;
mod read;
pub mod table;
#[cfg(test)]
mod tests;
mod vocabulary;
mod words;

pub use act::{Act, End, Problem, Reading, Said, ValueChange};
pub use find::{Found, find, newly_said};
pub use help::{help, help_about};
pub use read::read;
pub use vocabulary::{Attribute, Value, Vocabulary};
pub use words::{ItemRef, Span};

/// A comment's commands beyond this many are left alone: nobody says more by hand.
pub const MOST_COMMANDS: usize = 50;

/// GitHub's limit for the body of an issue or comment, in characters. What is beyond is not read.
pub const MOST_CHARACTERS: usize = 65_536;
