//! Whole-system stories: signed deliveries through the real router, against the simulated GitHub.

mod ask;
mod boards;
mod command_line;
mod comments;
mod dead_letters;
mod door;
mod humans;
mod late;
mod modes;
mod organization;
mod pages;
mod pass;
mod private;
mod quarrel;
mod stop;
mod texts;
mod walk;
mod world;
