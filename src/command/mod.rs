//! Slash commands: grammar, authority, effect.
