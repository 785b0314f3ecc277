//! Whole-system stories: signed deliveries through the real router, against the simulated GitHub.

#[allow(dead_code)] // the contract suite uses all of it
#[path = "../contract/published/mod.rs"]
mod published;

mod any_order;
mod ask;
mod authority;
mod before;
mod boards;
mod both;
mod budget;
mod command_line;
mod commands;
mod comments;
mod crash;
mod dead_letters;
mod demo;
mod digest;
mod door;
mod drift;
mod faults;
mod fields;
mod humans;
mod late;
mod limits;
mod lost;
mod modes;
mod more_commands;
mod needs_info;
mod on_github;
mod online;
mod organization;
mod outage;
mod pages;
mod pass;
mod payloads;
mod private;
mod quarrel;
mod queue;
mod race;
mod radius;
mod replicas;
mod shorthands;
mod similar;
mod size;
mod stages;
mod stop;
mod stopping;
mod texts;
mod transfer;
mod walk;
mod weather;
mod why;
mod world;
