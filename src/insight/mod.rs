//! Text classifier and similar requests (pure).
