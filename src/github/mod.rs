//! Everything that talks to GitHub: authentication, transport, budget, issues, boards.
//!
//! *In:* what to read or write, in GitHub's names and node ids.
//! *Out:* what GitHub said, as plain data.
//! *May call:* `ids`, `clock`, `triage::snapshot` (the shapes it fills). Nothing else.
//!
//! ```text
//! GitHub (the App) ──▶ Installation ──▶ Channel: wait for the budget, take a turn, ask once
//!                                          │
//!                                          ▼
//!                              octocrab: JWT, installation token
//!                                          │
//!                                          ▼
//!                     transport: address, headers, budget kept, body bounded ──▶ hyper
//! ```
//!
//! Reads are repeated after faults of the moment; writes never. Nobody waits here for longer than
//! half a minute: a longer wait is [`GitHubError::RateLimited`] with the time to come back.

mod app;
mod budget;
mod channel;
mod error;
mod files;
mod graphql;
mod history;
mod installation;
mod item;
mod mutation;
mod pace;
mod project;
#[cfg(test)]
mod tests;
mod transport;
mod write;

pub use app::{AppInfo, DeliveriesPage, GitHub, GitHubConfig, HookDelivery, InstallationInfo};
pub use budget::{Allowance, BudgetView};
pub use error::{GitHubError, GraphQlError};
pub use files::{NoText, RepositoryFile};
pub use graphql::documents;
pub use history::{HistoryPage, Told, ToldWhat};
pub use installation::{Comment, Installation, RepositoryInfo};
pub use item::{IssueRead, ItemRead};
pub use mutation::{FieldInput, Mutation, MutationOk};
pub use pace::Pacing;
pub use project::{Content, Field, ItemsPage, Iteration, Project, ProjectItem};
pub use write::Reaction;
