//! The fuzz targets on a stable compiler: every file of the corpus, and inputs mutated from it.
//!
//! `NORTHSTAR_FUZZ_SECONDS=600` goes on for that long with each target and says how many it tried.

#[path = "../../fuzz/targets.rs"]
mod targets;

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// No input may keep a reader busy for so long. That is no timing but a hang: the slowest takes
/// some milliseconds.
const HANG: Duration = Duration::from_secs(30);

/// What texts of all three kinds are made of.
const TOKENS: &[&str] = &[
    "\n",
    "\n\n",
    "  ",
    "\t",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "'",
    "\"",
    "|\n",
    ">-\n",
    "&a ",
    "*a",
    "!",
    "#",
    "\n#### b.yaml\n",
    "\n#### b.lock.yaml\n",
    "\n#### t.md\n",
    "---\n",
    "...",
    "~",
    "null",
    "true",
    "none",
    "0",
    "-1",
    "9223372036854775807",
    "1e309",
    "0.5",
    "%",
    "\\",
    "\u{0}",
    "\u{feff}",
    "\u{2028}",
    "é",
    "𝒳",
    "\r",
    "\r\n",
    "version: 1",
    "\nattributes:\n",
    "\nfacts:\n",
    "\nprinciples:\n",
    "  rules:\n",
    "    when: ",
    "set: ",
    "hold: ",
    "choose: ",
    "because: b",
    "statement: s",
    "values: goals",
    "many: true",
    "label: ",
    "{value}",
    "overrides: ",
    "internal: true",
    "examples:",
    "given: {",
    "expect: {",
    "templates:",
    "{author.login}",
    "caps:",
    "at_most: ",
    "kind",
    "goal",
    "size",
    "current.kind",
    "issue.title",
    "issue.age",
    "now",
    "form[\"a\"]",
    "board.column",
    " == ",
    " != ",
    " < ",
    " && ",
    " || ",
    "!",
    "(",
    ")",
    " ? ",
    " : ",
    " in ",
    " + ",
    " - ",
    " * ",
    " / ",
    " % ",
    "has(",
    ".or(",
    ".matches(\"",
    "(?i)",
    "a{1000}",
    "(a*)*",
    "\\b",
    "[^",
    ".exists(x, ",
    ".all(x, x",
    ".filter(x, ",
    ".map(x, ",
    "size(",
    "days(",
    "duration(\"1h\")",
    "timestamp(\"2026-01-31T09:00:00Z\")",
    "min(",
    "\"bug\"",
    "/kind bug",
    "\n/undo",
    "@northstar why",
    "```",
    "~~~",
    "`",
    "> ",
    "<details>",
    "</details>",
    "<!--",
    "-->",
    "<div>",
    "# ",
    "1. ",
    "| a |",
    "| - |",
    "    ",
    "[x](y)",
    "On Monday, x wrote:",
    "-- \n",
];

/// One change of an input: what, where (in 65536ths of it), how far, and with which token.
type Mutation = (u8, u16, u8, usize);

fn mutation() -> impl Strategy<Value = Mutation> {
    (0..6u8, any::<u16>(), any::<u8>(), 0..TOKENS.len())
}

fn mutated(seeds: &[Vec<u8>], seed: usize, mutations: &[Mutation]) -> Vec<u8> {
    let mut out = seeds[seed % seeds.len()].clone();
    for &(what, place, far, token) in mutations {
        let at = usize::from(place) * out.len() / 65536;
        let end = (at + usize::from(far)).min(out.len());
        match what {
            0 if !out.is_empty() => out[at] ^= far | 1,
            1 => drop(out.drain(at..end)),
            2 => {
                let copy = out[at..end].to_vec();
                out.splice(at..at, copy);
            }
            3 => {
                let other = &seeds[token % seeds.len()];
                let from = usize::from(place) * other.len() / 65536;
                let piece = &other[from..(from + usize::from(far)).min(other.len())];
                out.splice(at..at, piece.iter().copied());
            }
            _ => {
                out.splice(at..at, TOKENS[token].bytes());
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned().into_bytes()
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("a corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|p| std::fs::read(p).expect("a file"))
        .collect()
}

/// Tries the corpus, then mutations of it.
fn fuzz(target: &str, cases: u32, run: fn(&[u8]) -> bool) {
    let seeds = corpus(target);
    assert!(seeds.len() >= 5, "{target} has few seeds");
    for seed in &seeds {
        run(seed);
    }
    let strategy = (0..seeds.len(), proptest::collection::vec(mutation(), 0..8));
    let good = Cell::new(0u64);
    let slowest = Cell::new(Duration::ZERO);
    let batch = |mut runner: TestRunner| {
        runner.run(&strategy, |(seed, mutations)| {
            let input = mutated(&seeds, seed, &mutations);
            let started = Instant::now();
            good.set(good.get() + u64::from(run(&input)));
            slowest.set(slowest.get().max(started.elapsed()));
            prop_assert!(
                started.elapsed() < HANG,
                "{}",
                String::from_utf8_lossy(&input)
            );
            Ok(())
        })
    };
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let seconds = std::env::var("NORTHSTAR_FUZZ_SECONDS").ok();
    let until = seconds
        .and_then(|s| s.parse().ok())
        .map(|s| Instant::now() + Duration::from_secs(s));
    let mut tried = 0u64;
    loop {
        // The same inputs each time, unless it is asked to go on.
        let runner = if until.is_some() {
            TestRunner::new(config.clone())
        } else {
            let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            TestRunner::new_with_rng(config.clone(), rng)
        };
        if let Err(e) = batch(runner) {
            panic!("{target}: {e}");
        }
        tried += u64::from(cases);
        if until.is_none_or(|until| Instant::now() >= until) {
            break;
        }
    }
    let good = good.get();
    println!(
        "{target}: {} of the corpus and {tried} mutated inputs, {good} of them good; the slowest {:?}",
        seeds.len(),
        slowest.get()
    );
    // What is refused at once would test little.
    assert!(good * 20 > tried, "only {good} of {tried} are good");
}

#[test]
fn policies() {
    fuzz("policy", 150, targets::policy);
}

#[test]
fn expressions() {
    fuzz("expression", 1000, targets::expression);
}

#[test]
fn comments() {
    fuzz("comment", 1000, targets::comment);
}
