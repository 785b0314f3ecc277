//! What is found in comments, what is read from it, and that nothing breaks either.

mod places;
mod random;
mod said;
