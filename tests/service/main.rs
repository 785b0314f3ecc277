//! Whole-system stories: signed deliveries through the real router, against the simulated GitHub.

mod budget;
mod crash;
mod faults;
mod lost;
mod outage;
mod payloads;
mod replicas;
mod stopping;
mod walk;
mod weather;
mod world;
