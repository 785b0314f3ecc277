//! Our requests, and the GitHub we test against, held against what GitHub publishes about itself.
//!
//! Everything else is tested against [`northstar::sim`]; here it is shown not to lie.
//!
//! * `published`: the validators, tested in `validators`;
//! * `documents`: every GraphQL document;
//! * `subset`: the simulation's own schema;
//! * `client`: every request of our client, with its answer;
//! * `routes`: every REST route of the simulation, asked over HTTP;
//! * `hooks`: every webhook of the simulation;
//! * `derived`: payloads made from the schemas, for events without a recorded example;
//! * `manners`: limits, pages, refusals; `deliveries`: late, twice, in another order.

mod client;
mod deliveries;
mod derived;
mod documents;
mod hooks;
mod manners;
mod published;
mod routes;
mod subset;
mod validators;
mod world;
