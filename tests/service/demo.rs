//! The story that newcomers see first.

use std::process::Command;

#[test]
fn the_demo_ends_as_it_must_and_the_readme_shows_it() {
    let ended = Command::new(env!("CARGO_BIN_EXE_northstar"))
        .args(["demo", "--once"])
        .output()
        .expect("the program runs");
    let told = String::from_utf8(ended.stdout).expect("text");
    assert!(ended.status.success(), "{told}");
    assert!(told.trim_end().ends_with("everything is as it should be"));

    let readme = include_str!("../../README.md");
    let (_, shown) = readme
        .split_once("```text\nA quiet request")
        .expect("a story");
    let (shown, _) = shown.split_once("\n```").expect("its end");
    let mut told = told.lines().map(str::trim_end);
    for line in shown.lines().skip(1) {
        let is_shown = line.is_empty() || line == "  …" || told.any(|told| told == line);
        assert!(is_shown, "the demo does not say, or not here: {line}");
    }
}
