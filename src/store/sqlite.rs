//! SQLite, embedded: one writer with group commit, readers beside it.
