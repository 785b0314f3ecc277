//! Deliveries, from the door to the grave.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::ids::InstallationId;
use crate::store::{StoreError, packed};

use super::lane::LaneKey;

/// A verified webhook call, as `receive` hands it over.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub installation: InstallationId,
    /// `X-GitHub-Delivery`.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    pub action: String,
    pub lane: LaneKey,
    /// The raw body, [`packed`].
    pub payload: Bytes,
    pub received_at: Timestamp,
}

impl NewDelivery {
    /// One that no webhook brought: word from one lane to another. Its name makes it the same for
    /// ever, so that it is handed over once whatever breaks.
    ///
    /// # Errors
    /// When it cannot be written as a payload.
    pub fn of_our_own(
        installation: InstallationId,
        (event, guid): (&str, String),
        lane: LaneKey,
        says: &impl Serialize,
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        let unwritable = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Database {
            doing: "writing a delivery of our own",
            source,
        };
        let json = serde_json::to_vec(says).map_err(|error| unwritable(error.into()))?;
        let payload = packed::pack(&json).map_err(|error| unwritable(error.into()))?;
        Ok(Self {
            installation,
            guid,
            event: event.to_owned(),
            action: String::new(),
            lane,
            payload,
            received_at: at,
        })
    }
}

/// What became of a delivery at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    Stored,
    Duplicate,
}

/// A delivery taken from the inbox.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Place in the inbox; grows with arrival.
    pub seq: i64,
    pub guid: String,
    pub event: String,
    pub action: String,
    /// The raw body, decompressed.
    pub payload: Bytes,
    pub received_at: Timestamp,
    /// How often it was tried before.
    pub attempts: u32,
}

/// A delivery that was given up after too many tries. It is kept until it is run again.
#[derive(Clone, Debug, Serialize)]
pub struct DeadLetter {
    pub installation: InstallationId,
    pub guid: String,
    pub event: String,
    pub action: String,
    pub lane: String,
    pub received_at: Timestamp,
    pub attempts: u32,
    pub error: String,
}
