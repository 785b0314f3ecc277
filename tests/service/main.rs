//! Whole-system stories: signed deliveries through the real router, against the simulated GitHub.

mod walk;
mod world;
