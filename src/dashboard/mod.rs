//! Pages for people, metrics, health.
