//! Where commands are found and where they are not: one case for every line of the grammar.

use crate::command::{MOST_CHARACTERS, MOST_COMMANDS, find, newly_said};

/// `name rest@line` of every command found by a bot called `northstar`.
fn found(text: &str) -> Vec<String> {
    find(text, Some("northstar"))
        .into_iter()
        .map(|found| format!("{} {}@{}", found.name, found.rest, found.line))
        .collect()
}

// One table of cases.
#[allow(clippy::too_many_lines)]
#[test]
fn in_ordinary_text() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("alone", "/kind bug", &["kind bug@1"]),
        ("without words", "/undo", &["undo @1"]),
        ("one space", " /kind bug", &["kind bug@1"]),
        ("three spaces", "   /kind bug", &["kind bug@1"]),
        ("a tab after the name", "/kind\tbug", &["kind bug@1"]),
        ("many blanks", "/kind \t  bug  ", &["kind bug@1"]),
        ("a blank and the end", "/undo ", &["undo @1"]),
        ("any capitals", "/KiNd Bug", &["kind Bug@1"]),
        (
            "below a paragraph's first line",
            "hello\n/kind bug\nbye",
            &["kind bug@2"],
        ),
        (
            "three spaces below a line",
            "hello\n   /kind bug",
            &["kind bug@2"],
        ),
        ("after an empty line", "hello\n\n/kind bug", &["kind bug@3"]),
        (
            "several on several lines",
            "/kind bug\n/impact high\n\ntext\n/undo",
            &["kind bug@1", "impact high@2", "undo @5"],
        ),
        (
            "CRLF",
            "hello\r\n/kind bug\r\n\r\n/undo\r\n",
            &["kind bug@2", "undo @4"],
        ),
        (
            "CR alone",
            "hello\r/kind bug\r/undo",
            &["kind bug@2", "undo @3"],
        ),
        ("does not swallow the next line", "/kind\nbug", &["kind @1"]),
        (
            "does not swallow the next line, CRLF",
            "/kind \r\nbug",
            &["kind @1"],
        ),
        (
            "a hard break by blanks",
            "/kind bug  \n/undo",
            &["kind bug@1", "undo @2"],
        ),
        (
            "a hard break by backslash",
            "/kind bug\\\n/undo",
            &["kind bug@1", "undo @2"],
        ),
        (
            "a backslash at the text's end",
            "/park C:\\",
            &["park C:\\@1"],
        ),
        (
            "Markdown in the reason",
            "/park it is *too* `odd` [here](x)",
            &["park it is *too* `odd` [here](x)@1"],
        ),
        (
            "HTML in the reason is not text",
            "/kind bug <!-- really --> now",
            &["kind bug  now@1"],
        ),
        ("HTML parts words", "/kind bug<br>now", &["kind bug now@1"]),
        (
            "a comment at the end",
            "/kind bug <!-- x\n/undo\n-->",
            &["kind bug@1"],
        ),
        (
            "after a quote and an empty line",
            "> hello\n\n/kind bug",
            &["kind bug@3"],
        ),
        (
            "after a list and an empty line",
            "- hello\n\n/kind bug",
            &["kind bug@3"],
        ),
        ("after code", "```\n/undo\n```\n/kind bug", &["kind bug@4"]),
        ("under a heading", "# Title\n/kind bug", &["kind bug@2"]),
        (
            "after HTML and an empty line",
            "<br>\n\n/kind bug",
            &["kind bug@3"],
        ),
        (
            "after details",
            "<details>\n\n/undo\n\n</details>\n\n/kind bug",
            &["kind bug@7"],
        ),
        (
            "prose about HTML hides nothing",
            "The <div> and <name> break\n/kind bug",
            &["kind bug@2"],
        ),
        (
            "prose about details in code",
            "use `<details>` here\n\n/kind bug",
            &["kind bug@3"],
        ),
        (
            "a tag in a comment is none",
            "<!-- <details> -->\n\n/kind bug",
            &["kind bug@3"],
        ),
        (
            "in emphasised text",
            "*so\n/kind bug\nsaid*",
            &["kind bug@2"],
        ),
        ("dollars", "between 5$\n/kind bug\nand 6$", &["kind bug@2"]),
        ("mentioned", "@northstar kind bug", &["kind bug@1"]),
        (
            "mentioned with a slash",
            "@NorthStar[bot]: /kind bug",
            &["kind bug@1"],
        ),
        ("mentioned with a comma", "@northstar, undo", &["undo @1"]),
        (
            "an unknown word is the reader's business",
            "/tmp is full",
            &["tmp is full@1"],
        ),
    ];
    for (what, text, want) in cases {
        assert_eq!(found(text), *want, "{what}: {text:?}");
    }
}

// One table of cases.
#[allow(clippy::too_many_lines)]
#[test]
fn nowhere_else() {
    let cases = [
        ("a word that begins so", "/kind.ness is good"),
        ("a path", "/usr/bin"),
        ("a path below text", "look at\n/usr/bin/env bash"),
        ("a path with a blank", "/usr/bin is full"),
        ("a name and a colon", "/kind: bug"),
        ("a name and a no-break space", "/kind\u{a0}bug"),
        ("a letter that is not ASCII", "/kindé bug"),
        ("a digit first", "/2 of us"),
        ("no name", "/ kind bug"),
        ("two slashes", "//kind bug"),
        ("in the middle of a line", "please /kind bug"),
        ("escaped", "\\/kind bug"),
        ("an entity", "&#47;kind bug"),
        ("four spaces are code", "    /kind bug"),
        ("a tab is code", "\t/kind bug"),
        ("four spaces below text", "hello\n    /kind bug"),
        ("a tab below text", "hello\n\t/kind bug"),
        ("fenced", "```\n/kind bug\n```"),
        ("fenced by tildes", "~~~ text\n/kind bug\n~~~"),
        ("fenced and not closed", "```\n\n/kind bug"),
        (
            "a shorter fence does not close",
            "````\n```\n/kind bug\n````",
        ),
        ("inline code", "`/kind bug`"),
        ("inline code over lines", "see `a\n/kind bug\nb` there"),
        ("display mathematics", "so $$\n/kind bug\n$$ it is"),
        ("quoted", "> /kind bug"),
        ("quoted without a blank", ">/kind bug"),
        ("quoted twice", "> > /kind bug"),
        ("a quote goes on", "> hello\n/kind bug"),
        ("quoted in an alert", "> [!NOTE]\n> /kind bug"),
        (
            "e-mail's quote",
            "On Mon, 16 Nov 2026 Jo <jo@x.org> wrote:\n> /kind bug",
        ),
        ("an HTML block", "<div>\n/kind bug\n</div>"),
        ("Markdown in an HTML block", "<div>\n\n/kind bug\n\n</div>"),
        ("an HTML block goes on", "</details>\n/kind bug"),
        ("an HTML comment", "<!--\n/kind bug\n-->"),
        (
            "an HTML comment with an empty line",
            "<!--\n\n/kind bug\n\n-->",
        ),
        ("a comment that is never closed", "<!-- hello\n\n/kind bug"),
        (
            "a comment from within an element",
            "<div> <!--\n\n/kind bug",
        ),
        ("a comment inside a line", "so <!-- \n/kind bug\n --> it is"),
        ("an element inside a line", "so <b>\n/kind bug\n</b> it is"),
        (
            "an attribute over lines",
            "<a title=\"\n/kind bug\n\">x</a>",
        ),
        ("preformatted", "<pre>\n/kind bug\n</pre>"),
        (
            "details",
            "<details><summary>log</summary>\n\n/kind bug\n\n</details>",
        ),
        (
            "details with capitals and attributes",
            "<DETAILS open\n  class=\">\">\n\n/kind bug\n\n</Details>",
        ),
        (
            "details' end in an attribute over lines",
            "<details\n  title=\"</details>\">\n\n/kind bug\n\n</details>",
        ),
        (
            "details' end in an attribute",
            "<details title=\"> </details>\">\n\n/kind bug\n\n</details>",
        ),
        (
            "details after an attribute",
            "<div title=\"x\"><details>\n\n/kind bug",
        ),
        (
            "details in details",
            "<details>\n\n<details>\n\n</details>\n\n/kind bug\n\n</details>",
        ),
        ("details that are never closed", "<details>\n\n/kind bug"),
        ("details that begin in a line", "so <details>\n\n/kind bug"),
        ("a heading", "# /kind bug"),
        ("a heading by underline", "/kind bug\n==="),
        ("a smaller heading by underline", "/kind bug\n---"),
        ("a list", "- /kind bug"),
        ("a numbered list", "1. /kind bug"),
        ("a task", "- [ ] /kind bug"),
        ("a list goes on", "- hello\n/kind bug"),
        ("a paragraph of a list", "- hello\n\n  /kind bug"),
        ("a table's head", "/kind bug | x\n--- | ---\n1 | 2"),
        ("a table's row", "a | b\n--- | ---\n/kind bug | x"),
        ("a table goes on", "a | b\n--- | ---\n1 | 2\n/kind bug"),
        ("a link", "[/kind bug](x)"),
        ("a link over lines", "[so\n/kind bug\nit is](x)"),
        ("an image over lines", "![so\n/kind bug\nit is](x)"),
        ("a link's target", "[x]:\n/kind\n\n[x]"),
        ("a footnote", "[^1]: so\n/kind bug\n\ntext[^1]"),
        ("deleted", "~~so\n/kind bug\nit is~~"),
        ("another bot", "@southstar kind bug"),
        ("a longer login", "@northstars kind bug"),
        ("a login with a dash", "@northstar-x kind bug"),
        ("mentioned later", "dear @northstar kind bug"),
        ("mentioned alone", "@northstar\nkind bug"),
        ("mentioned in code", "`@northstar kind bug`"),
    ];
    for (what, text) in cases {
        assert_eq!(found(text), Vec::<String>::new(), "{what}: {text:?}");
    }
}

#[test]
fn kindness_is_not_kind() {
    assert_eq!(found("/kindness is good"), ["kindness is good@1"]);
}

/// What was said in the message that is replied to, and under signatures, is not said again.
#[test]
fn below_what_e_mail_clients_add() {
    let below = [
        "On Mon, Nov 16, 2026 at 10:00 AM Jo Doe <jo@example.org> wrote:",
        "On Mon, Nov 16, 2026 at 10:00 AM Jo Doe\n<a.long.address@example.org>\nwrote:",
        "Am 16.11.2026 um 10:00 schrieb Jo Doe:",
        "Le lun. 16 nov. 2026 à 10:00, Jo Doe a écrit :",
        "El lun, 16 nov 2026, Jo Doe escribió:",
        "Il 16 nov 2026, Jo Doe ha scritto:",
        "Op 16 nov. 2026 schreef Jo Doe:",
        "-----Original Message-----",
        "---------- Forwarded message ---------",
        "From: Jo Doe\nSent: Monday\nTo: Bo",
        "*From:* Jo Doe\n*Date:* Monday\n*To:* Bo",
        "-- ",
    ];
    for added in below {
        let text = format!("/undo\n\n{added}\n/kind bug\n\n/impact high");
        assert_eq!(found(&text), ["undo @1"], "{added}");
        let text = format!("/undo\n\n{added}\n\n/kind bug");
        assert_eq!(found(&text), ["undo @1"], "{added} and an empty line");
        // The same words in code are nobody's mail.
        let text = format!("```\n{added}\n```\n\n/kind bug");
        assert_eq!(found(&text).len(), 1, "{added} in code");
    }
    // Directly under the reply Markdown sees a heading; people see a signature.
    assert_eq!(found("/undo\n-- \nJo\n\n/kind bug"), ["undo @1"]);
    assert_eq!(found("/undo\r\n-- \r\nJo\r\n"), ["undo @1"]);

    // Mail that is folded away is not what is replied to.
    let text = "<details>\n\nOn 16 Nov 2026 Jo wrote:\n\nso\n\n</details>\n\n/kind bug";
    assert_eq!(found(text), ["kind bug@9"]);

    // A marked quote ends where its marks end, and people answer below it.
    let text = "On Mon, Nov 16, 2026 Jo wrote:\n\n> /undo\n\n/kind bug";
    assert_eq!(found(text), ["kind bug@5"]);
    // People write such lines themselves.
    for prose in [
        "On the call Jo wrote:",
        "On 16 November Jo wrote a letter",
        "On 16 November we agreed on this:",
        "Jo wrote on 16 November:",
        "From: where we stand\nto: where we go",
        "--",
    ] {
        let text = format!("{prose}\n\n/kind bug");
        assert_eq!(found(&text).len(), 1, "{prose}");
    }
}

#[test]
fn mentions_need_the_bots_name() {
    assert_eq!(find("@northstar kind bug", None), []);
    assert_eq!(find("@ kind bug", Some("")), []);
    assert_eq!(find("@northstar kind bug", Some("NorthStar[bot]")).len(), 1);
}

#[test]
fn only_so_much_is_read() {
    let many = "/undo\n".repeat(MOST_COMMANDS + 10);
    assert_eq!(find(&many, None).len(), MOST_COMMANDS);
    let late = format!("{}\n/undo", "ä".repeat(MOST_CHARACTERS));
    assert_eq!(find(&late, None), []);
    let in_time = format!("{}\n/undo", "ä".repeat(MOST_CHARACTERS - 6));
    assert_eq!(find(&in_time, None).len(), 1);
}

#[test]
fn an_edit_says_only_what_is_new() {
    let new = |before: &str, after: &str| -> Vec<String> {
        newly_said(before, after, Some("northstar"))
            .into_iter()
            .map(|found| format!("{} {}@{}", found.name, found.rest, found.line))
            .collect()
    };
    assert_eq!(new("/kind bug", "/kind bug"), [""; 0]);
    assert_eq!(new("", "/kind bug"), ["kind bug@1"]);
    assert_eq!(new("/kind bug", ""), [""; 0]);
    assert_eq!(new("/kind bug", "so:\r\n\r\n/Kind   BUG"), [""; 0]);
    assert_eq!(new("/kind bug", "@northstar kind bug"), [""; 0]);
    assert_eq!(new("/park \"so\"", "/park “so”"), [""; 0]);
    assert_eq!(new("/kidn bug", "/kind bug"), ["kind bug@1"]);
    assert_eq!(new("/kind bug", "/kind task"), ["kind task@1"]);
    assert_eq!(new("`/kind bug`", "/kind bug"), ["kind bug@1"]);
    assert_eq!(new("/kind bug", "/kind bug\n/undo"), ["undo @2"]);
    assert_eq!(new("/undo\n/kind bug", "/kind bug\n/undo"), [""; 0]);
    assert_eq!(new("/undo", "/undo\n/undo\n/undo"), ["undo @2", "undo @3"]);
    assert_eq!(new("", &"/undo\n".repeat(60)).len(), MOST_COMMANDS);
    // The limit counts what is new, not what was there.
    let many = "/undo\n".repeat(MOST_COMMANDS + 10);
    assert_eq!(new(&many, &format!("{many}/promote")), ["promote @61"]);
}
