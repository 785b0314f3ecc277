//! Patterns: compiled once, with a size limit; those over the same fact are matched together.
//!
//! Every pattern whose text is a fact joins that fact's pool in the [`Schema`]. When the first of
//! them is asked for an item, all are matched in one pass by a `RegexSet`, and the answers are kept
//! until the fact changes. With a thousand rules that look at one title, this is the difference
//! between one walk over the text and a thousand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder, SetMatches};

use super::schema::{Schema, Slot};

/// The most a compiled pattern may take, in bytes (about a fortieth of the crate's default).
const SIZE_LIMIT: usize = 256 * 1024;
/// The most a compiled pool may take, in bytes. Beyond it, patterns are matched one by one.
const SET_SIZE_LIMIT: usize = 16 * 1024 * 1024;
/// Fewer patterns than these are quicker one by one: a set has no literal prefilter worth its name.
const SET_FROM: usize = 4;

/// Compiles one pattern; the error is what the `regex` crate says.
pub(super) fn build(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build()
}

/// What is wrong with a pattern, and what to do.
pub(super) fn explain(error: &regex::Error) -> (String, Option<String>) {
    match error {
        regex::Error::CompiledTooBig(_) => (
            "this pattern is too large once compiled".to_owned(),
            Some(
                "repeat less often, or look for less: `\\w{1,1000}` is a thousand parts".to_owned(),
            ),
        ),
        other => {
            let text = other.to_string();
            // The crate draws the pattern over several lines; what is wrong stands in the last.
            let last = text.lines().last().unwrap_or_default();
            let what = last.trim_start_matches("error: ").to_owned();
            let help = what
                .contains("look-around")
                .then(|| "patterns run in linear time, so they cannot look around".to_owned());
            (format!("this pattern is malformed: {what}"), help)
        }
    }
}

/// The patterns over one fact, as far as compiled by now.
#[derive(Debug, Default)]
struct Pool {
    patterns: Vec<String>,
    /// What facts made from now on share; made when first needed, dropped when a pattern joins.
    set: Option<SharedSet>,
}

/// Compiled when the first item asks. `None` inside: too large together.
type SharedSet = Arc<Lazy>;

#[derive(Debug)]
struct Lazy {
    patterns: Vec<String>,
    set: OnceLock<Option<RegexSet>>,
}

impl Lazy {
    fn get(&self) -> Option<&RegexSet> {
        let set = self.set.get_or_init(|| {
            RegexSetBuilder::new(&self.patterns)
                .size_limit(SET_SIZE_LIMIT)
                .build()
                .ok()
        });
        set.as_ref()
    }
}

/// All pools of a schema.
#[derive(Debug, Default)]
pub(super) struct PatternPool {
    pools: Mutex<BTreeMap<Slot, Pool>>,
}

impl PatternPool {
    /// Adds a pattern that compiles and says which of the pool's it is.
    pub fn join(&self, slot: Slot, pattern: &str) -> u32 {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let pool = pools.entry(slot).or_default();
        let known = pool.patterns.iter().position(|p| p == pattern);
        let index = known.unwrap_or_else(|| {
            pool.patterns.push(pattern.to_owned());
            pool.set = None;
            pool.patterns.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }
}

/// The answers of the pools for one set of facts.
#[derive(Clone, Debug, Default)]
pub(super) struct MatchedPatterns {
    pools: Vec<Matched>,
}

#[derive(Clone, Debug)]
struct Matched {
    slot: Slot,
    set: SharedSet,
    matches: OnceLock<Option<SetMatches>>,
}

impl MatchedPatterns {
    pub fn new(schema: &Schema) -> Self {
        let mut pools = schema
            .patterns
            .pools
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let worth_it = pools
            .iter_mut()
            .filter(|(_, pool)| pool.patterns.len() >= SET_FROM);
        let pools = worth_it
            .map(|(slot, pool)| {
                let patterns = &pool.patterns;
                let set = pool.set.get_or_insert_with(|| {
                    Arc::new(Lazy {
                        patterns: patterns.clone(),
                        set: OnceLock::new(),
                    })
                });
                Matched {
                    slot: *slot,
                    set: Arc::clone(set),
                    matches: OnceLock::new(),
                }
            })
            .collect();
        Self { pools }
    }

    /// Does the pool's pattern match the fact's text? `None` where the pool cannot tell.
    pub fn matches(&self, slot: Slot, pattern: u32, text: &str) -> Option<bool> {
        let pool = self.pools.iter().find(|p| p.slot == slot)?;
        let pattern = pattern as usize;
        if pattern >= pool.set.patterns.len() {
            return None; // compiled after these facts were made
        }
        let matches = pool
            .matches
            .get_or_init(|| pool.set.get().map(|set| set.matches(text)));
        matches.as_ref().map(|m| m.matched(pattern))
    }

    /// The fact changes: what was found in it no longer counts.
    pub fn forget(&mut self, slot: Slot) {
        for pool in &mut self.pools {
            if pool.slot == slot {
                pool.matches = OnceLock::new();
            }
        }
    }
}
