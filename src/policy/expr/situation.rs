//! Several things that have to be true at once, and proofs that they, or two such, cannot be.

use super::disjoint::{Clause, Shaper, all_of, contradict};
use super::program::Program;
use super::schema::Schema;

/// One thing that a situation asks for.
#[derive(Clone, Debug)]
pub enum Part<'p> {
    /// The condition comes to this.
    Holds(&'p Program, bool),
    /// The text is one of the words (or, with `false`, none of them).
    Says(&'p Program, Vec<&'p str>, bool),
}

/// The alternatives in which all parts are true; none if that is proved impossible.
#[derive(Debug)]
pub struct Situation {
    clauses: Vec<Clause>,
}

impl Situation {
    /// The programs must be compiled with the schema.
    #[must_use]
    pub fn new(parts: &[Part<'_>], schema: &Schema) -> Self {
        let mut clauses: Vec<Clause> = vec![Vec::new()];
        for part in parts {
            let shaper = Shaper::new(schema);
            let more = match part {
                Part::Holds(program, wanted) => shaper.condition(program, *wanted),
                Part::Says(program, words, wanted) => {
                    let root = program.code.root;
                    shaper.words(&program.code, root, words.iter().copied(), *wanted)
                }
            };
            // Too many alternatives: the part is left out, so that less is said and less proved.
            if let Some(both) = all_of([clauses.clone(), more].into_iter()) {
                clauses = both;
            }
        }
        Self { clauses }
    }

    /// Can it never be? True only if that is proved.
    #[must_use]
    pub fn is_impossible(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Can the two never be together? True only if that is proved.
    #[must_use]
    pub fn excludes(&self, other: &Self) -> bool {
        let apart = |x: &Clause| other.clauses.iter().all(|y| contradict(x, y));
        self.clauses.iter().all(apart)
    }
}
