//! Any text: nothing panics, and what must not matter does not.

use proptest::prelude::*;

use crate::command::{
    Found, MOST_CHARACTERS, MOST_COMMANDS, Vocabulary, find, newly_said, read, table,
};

const BOT: Option<&str> = Some("northstar");

/// Pieces that Markdown, HTML and e-mail are made of, and commands among them.
const PIECES: &[&str] = &[
    "\n",
    "\n\n",
    " ",
    "    ",
    "\t",
    "text",
    "/kind bug",
    "/undo",
    "\n/goal -x #12",
    "\n/kpi s 6 2026",
    "@northstar why",
    "```",
    "~~~\n",
    "`",
    "``",
    "> ",
    ">",
    "- ",
    "1. ",
    "# ",
    "---",
    "===",
    "-- ",
    "<details>",
    "</details>",
    "\n<div>\n",
    "</div>",
    "<!--",
    "-->",
    "<",
    ">",
    "</",
    "<b ",
    "\"",
    "'",
    "[",
    "](x)",
    "[x]:",
    "![",
    "|",
    "\n--- | ---\n",
    "*",
    "**",
    "_",
    "~~",
    "$$",
    "$",
    "\\",
    "&#47;",
    "[^1]:",
    "On 1 Jo wrote:",
    "From: x",
    "Sent: y",
    "-----Original Message-----",
    "“",
    "”",
    "«",
    "é",
    "\u{1F600}",
    "\0",
    "\u{feff}",
    "\u{2028}",
    "o/r#7",
    "#12",
    "until",
    "2026-12-24",
    "2w",
    "“so",
    "İ",
    "ẞ",
];

fn comment() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..60).prop_map(|pieces| pieces.concat())
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![comment(), any::<String>()]
}

fn without_lines(found: Vec<Found>) -> Vec<(String, String)> {
    found.into_iter().map(|f| (f.name, f.rest)).collect()
}

/// With small words, so that random texts meet them.
fn vocabulary() -> Vocabulary {
    let mut vocabulary = Vocabulary::without_policy();
    for attribute in vocabulary.attributes.values_mut().skip(1) {
        attribute.values = crate::command::Attribute::of(&["x", "bug", "İ", "in progress"]).values;
    }
    vocabulary.limits = vec!["x".to_owned()];
    vocabulary
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_found_stands_there(text in any_text()) {
        let unix = text.replace("\r\n", "\n").replace('\r', "\n");
        let lines: Vec<&str> = unix.split('\n').collect();
        let found = find(&text, BOT);
        prop_assert!(found.len() <= MOST_COMMANDS);
        let mut last = 0;
        for found in found {
            prop_assert!(found.line > last, "each line has at most one, in order");
            last = found.line;
            let line = lines[found.line - 1];
            let said = line.trim_start_matches(' ');
            prop_assert!(line.len() - said.len() <= 3);
            let slash = format!("/{}", found.name);
            let starts = said.to_ascii_lowercase().starts_with(&slash);
            prop_assert!(starts || said.starts_with("@northstar"), "{line:?}");
            prop_assert!(!found.rest.contains('\n'));
            prop_assert!(line.contains(found.rest.split_whitespace().next().unwrap_or("")));
        }
    }

    #[test]
    fn reading_never_fails(name in 0..table::TABLE.len() + 6, rest in any_text()) {
        let vocabulary = vocabulary();
        let name = table::TABLE.iter().map(|e| e.name).chain(vocabulary.attributes.keys().map(String::as_str)).nth(name).unwrap();
        let found = Found { name: name.to_owned(), rest, line: 1 };
        prop_assert!(read(&found, &vocabulary).is_some());
        prop_assert!(read(&found, &Vocabulary::without_policy()).is_some());
    }

    #[test]
    fn unknown_names_never_fail(name in "[a-z]{1,9}", rest in any_text()) {
        let _ = read(&Found { name, rest, line: 1 }, &vocabulary());
    }

    #[test]
    fn nothing_in_code(text in any_text()) {
        let fence = "`".repeat(text.matches('`').count() + 3);
        prop_assert_eq!(find(&format!("{fence}\n{text}\n{fence}"), BOT), []);
        let indented = text.replace('\r', "\n").replace('\n', "\n    ");
        prop_assert_eq!(find(&format!("    {indented}"), BOT), []);
    }

    #[test]
    fn nothing_in_quotes_and_details(text in any_text()) {
        let quoted = text.replace('\r', "\n").replace('\n', "\n> ");
        prop_assert_eq!(find(&format!("> {quoted}"), BOT), []);
        prop_assert_eq!(find(&format!("<details>\n\n{}", text.replace("</", "")), BOT), []);
    }

    #[test]
    fn line_ends_do_not_matter(text in any_text()) {
        let unix = text.replace('\r', "\n");
        prop_assert_eq!(find(&unix, BOT), find(&unix.replace('\n', "\r\n"), BOT));
        prop_assert_eq!(find(&unix, BOT), find(&unix.replace('\n', "\r"), BOT));
    }

    #[test]
    fn a_paragraph_before_moves_only_the_lines(text in any_text()) {
        // A definition above may change a link below; there are none in it.
        prop_assert_eq!(without_lines(find(&text, BOT)), without_lines(find(&format!("hello\n\n{text}"), BOT)));
    }

    #[test]
    fn an_unchanged_text_says_nothing_new(before in comment(), after in comment()) {
        prop_assert_eq!(newly_said(&before, &before, BOT), []);
        prop_assert_eq!(newly_said("", &after, BOT), find(&after, BOT));
        let all = find(&after, BOT);
        for new in newly_said(&before, &after, BOT) {
            prop_assert!(all.contains(&new));
        }
    }
}

/// Texts as long as GitHub lets them be, of one piece over and over. A walk that looked back over
/// all of it for each piece would not end here.
#[test]
fn long_texts_are_read_in_one_go() {
    for piece in PIECES {
        for around in ["", "\n"] {
            let one = format!("{piece}{around}");
            let text = one.repeat(MOST_CHARACTERS / one.chars().count());
            let _ = find(&text, BOT);
        }
    }
    let closed = "<b>\n</b>\n/x\n".repeat(MOST_CHARACTERS / 12);
    let prose = "On 1 Jo wrote:\n> a\n\n".repeat(MOST_CHARACTERS / 20);
    for text in [closed, prose] {
        let _ = find(&text, BOT);
        let _ = newly_said(&text, &text, BOT);
    }
    for rest in ["x ", "#1 ", "“a ", "\"a\" ", "and ", "-x ", "x, "] {
        for name in ["goal", "triage", "duplicate", "override", "help"] {
            let rest = rest.repeat(MOST_CHARACTERS / rest.chars().count());
            let name = name.to_owned();
            let _ = read(
                &Found {
                    name,
                    rest,
                    line: 1,
                },
                &vocabulary(),
            );
        }
    }
}
