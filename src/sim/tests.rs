//! The simulation from the outside: over HTTP, as the bot meets it.

mod bench;
mod faults;
mod graphql;
mod rest;
