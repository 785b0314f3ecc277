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
//! [`policy`] (the language), [`triage`] (the decision), [`command`] (the grammar), [`insight`].
//!
//! The **shell** (feature `service`) is everything else. Data flows down; arrows never go up.

#![forbid(unsafe_code)]
#![warn(missing_docs, clippy::pedantic)]
#![allow(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::module_name_repetitions,
    clippy::must_use_candidate
)]

pub mod command;
pub mod ids;
pub mod policy;
pub mod triage;

#[cfg(feature = "service")]
pub mod cli;
#[cfg(feature = "service")]
pub mod clock;
#[cfg(feature = "service")]
pub mod dashboard;
#[cfg(feature = "service")]
pub mod github;
#[cfg(feature = "service")]
pub mod policy_folder;
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
