//! A small GitHub in memory, for the demo and the tests.
