//! Northstar triages product work on GitHub by an organisation's own principles.
//!
//! # The map
//!
//! ```text
//!              receive            store (inbox)      worker
//! GitHub ──▶ verify, name ──▶ durable, deduped ──▶ one item at a time
//!                                                     │
//!         ┌───────────────────────────────────────────┘
//!         ▼
//!      observe ──▶ decide ──▶ plan ──▶ apply ──▶ record
//!      snapshot    triage     triage   github    store
//! ```
//!
//! The **pure core** knows no I/O and no clock, and builds without default features:
//!
//! * [`policy`]: the language; text in, a checked policy or every diagnostic out.
//! * [`triage`]: the decision; a policy and a snapshot in, the desired state with reasons and the
//!   smallest change out. Webhook, clock, command line, demo and the policy's own examples all
//!   decide by this one function.
//! * [`command`]: the grammar of slash commands.
//! * [`insight`]: what the history of items says; a history in, the figures that people watch out.
//!
//! The **shell** (feature `service`) is everything else. Data flows down this list; arrows never
//! go up:
//!
//! * [`cli`]: one file per subcommand. [`settings`]: file, then environment.
//!   [`policy_place`] and [`policy_folder`]: where a policy lies, and its files, bounded. [`service`]: every room put together.
//! * [`receive`]: the webhook door.
//! * [`worker`]: the loop, with a looker and a writer.
//! * [`digest`]: what figures and digests are made of, gathered from the store.
//! * [`github`]: everything that talks to GitHub. [`store`]: everything that is remembered.
//! * [`dashboard`]: health, metrics, pages.
//! * [`sim`]: a small GitHub in memory, for the demo and the tests.
//! * [`clock`] and [`ids`] belong to everybody.

#![forbid(unsafe_code)]
#![warn(clippy::pedantic)]
#![allow(
    clippy::missing_errors_doc, // the error types say what can go wrong
    clippy::module_name_repetitions,
    clippy::must_use_candidate
)]

pub mod command;
pub mod ids;
pub mod insight;
pub mod policy;
pub mod triage;

#[cfg(feature = "service")]
pub mod cli;
#[cfg(feature = "service")]
pub mod clock;
#[cfg(feature = "service")]
pub mod dashboard;
#[cfg(feature = "service")]
pub mod digest;
#[cfg(feature = "service")]
pub mod github;
#[cfg(feature = "service")]
pub mod policy_folder;
#[cfg(feature = "service")]
pub mod policy_place;
#[cfg(feature = "service")]
pub mod receive;
#[cfg(feature = "service")]
pub mod service;
#[cfg(feature = "service")]
pub mod settings;
#[cfg(feature = "service")]
pub mod sim;
#[cfg(feature = "service")]
pub mod store;
#[cfg(feature = "service")]
pub mod worker;
