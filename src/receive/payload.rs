//! What stored payloads say, for the worker.
