use crate::policy::load;

use super::*;

const POLICY: &str = "\
version: 1
organization: acme
roles: { lead: { teams: [leads], users: [ada] } }
boards: { work: { project: 7 } }
";
const PINS: &str = "\
# Kept as it is.
boards:
  work:
    fields:
      Status: [Todo, Doing, Done]
      Size: number
      Sprint:
        iterations: [Sprint 1, Sprint 2]
";

fn sources(pins: &str) -> Vec<Source> {
    vec![
        Source::new("rules/a.yaml", POLICY),
        Source::new("rules/b.lock.yaml", pins),
    ]
}

fn options(names: &[&str]) -> FieldKind {
    FieldKind::Options(names.iter().map(|n| (*n).to_owned()).collect())
}

fn sprints(names: &[&str]) -> FieldKind {
    FieldKind::Iteration(names.iter().map(|n| (*n).to_owned()).collect())
}

fn fields(of: &[(&str, FieldKind)]) -> Fields {
    let of = of.iter().cloned();
    of.map(|(name, kind)| (name.to_owned(), kind)).collect()
}

/// As it is pinned in `PINS`.
fn board() -> Fields {
    fields(&[
        ("Status", options(&["Todo", "Doing", "Done"])),
        ("Size", FieldKind::Number),
        ("Sprint", sprints(&["Sprint 1", "Sprint 2"])),
    ])
}

fn shown(board: Fields) -> Shown {
    Shown {
        boards: [("work".to_owned(), board)].into(),
        teams: ["leads".to_owned()].into(),
        users: ["ada".to_owned()].into(),
        ..Shown::default()
    }
}

fn with(name: &str, kind: FieldKind) -> Shown {
    let mut board = board();
    board.insert(name.to_owned(), kind);
    shown(board)
}

/// Code, line and words of each difference.
fn differences(sources: &[Source], shown: &Shown) -> Vec<String> {
    let found = drift(sources, shown).into_iter();
    let line = |d: Diagnostic| format!("{} {}:{} {}", d.code, d.file, d.line, d.message);
    found.map(line).collect()
}

#[test]
fn what_to_ask_is_known_also_of_a_policy_with_errors() {
    let mut files = sources(PINS);
    files.push(Source::new("rules/c.yaml", "facts: { odd: no.such.fact }"));
    assert!(load(&files).is_err());
    let named = named(&files).expect("named");
    assert_eq!(named.organization, "acme");
    assert_eq!(named.boards, [("work".to_owned(), 7)].into());
    assert_eq!(named.teams, ["leads".to_owned()].into());
    assert_eq!(named.users, ["ada".to_owned()].into());
    assert_eq!(super::named(&[Source::new("a.yaml", "a: [")]), None);
}

#[test]
fn what_is_as_pinned_has_not_drifted_in_whatever_order_the_fields_are() {
    let mut reversed = board();
    reversed.reverse();
    for board in [board(), reversed] {
        let shown = shown(board);
        assert_eq!(differences(&sources(PINS), &shown), Vec::<String>::new());
        assert_eq!(update(&sources(PINS), &shown, "fresh"), []);
    }
}

#[test]
fn each_difference_is_one_line_at_its_place() {
    let at = "drift rules/b.lock.yaml";
    let status = |names: &[&str]| with("Status", options(names));
    let without = |name: &str| {
        let mut board = board();
        board.shift_remove(name);
        board
    };
    let renamed = |from: &str, to: &str, kind: FieldKind| {
        let mut board = without(from);
        board.insert(to.to_owned(), kind);
        shown(board)
    };
    for (shown, expected) in [
        (
            status(&["Todo", "Doing now", "Done"]),
            vec![
                "5 `Status` of the board `work`: the option `Doing` seems to be called `Doing now` now",
            ],
        ),
        (
            status(&["Todo", "Done"]),
            vec!["5 `Status` of the board `work`: the option `Doing` is gone"],
        ),
        (
            status(&["Todo", "Doing", "Review", "Done"]),
            vec!["5 `Status` of the board `work`: the option `Review` is new"],
        ),
        (
            status(&["Todo", "Done", "Doing"]),
            vec![
                "5 `Status` of the board `work`: the options are in another order now: Todo, Done, Doing",
            ],
        ),
        (
            // Not one name for another: it came in another place.
            status(&["Later", "Todo", "Done"]),
            vec![
                "5 `Status` of the board `work`: the option `Doing` is gone",
                "5 `Status` of the board `work`: the option `Later` is new",
            ],
        ),
        (
            with("Size", FieldKind::Text),
            vec!["6 `Size` of the board `work`: it is a text now, not a number"],
        ),
        (
            with("Sprint", sprints(&["Sprint 1", "Sprint 2", "Sprint 3"])),
            vec!["7 `Sprint` of the board `work`: the iteration `Sprint 3` is new"],
        ),
        (
            with("Notes", FieldKind::Text),
            vec!["3 the board `work` has a new field `Notes`"],
        ),
        (
            super::tests::shown(without("Size")),
            vec!["6 the board `work` has no field `Size` any more"],
        ),
        (
            renamed("Size", "size", FieldKind::Number),
            vec![
                "6 the board `work` has no field `Size` any more; it seems to be called `size` now",
            ],
        ),
        (
            renamed("Status", "Column", options(&["Todo", "Doing", "Finished"])),
            vec![
                "5 the board `work` has no field `Status` any more; it seems to be called `Column` now",
            ],
        ),
        (
            // Two numbers are not one number with two names.
            renamed("Size", "Weight", FieldKind::Number),
            vec![
                "6 the board `work` has no field `Size` any more",
                "3 the board `work` has a new field `Weight`",
            ],
        ),
    ] {
        let expected: Vec<String> = expected.iter().map(|e| format!("{at}:{e}")).collect();
        assert_eq!(differences(&sources(PINS), &shown), expected);
        // What was written is as the board is, keeps its head, and is a lock file.
        let written = update(&sources(PINS), &shown, "fresh");
        assert_eq!(written.len(), 1);
        assert!(written[0].text.starts_with("# Kept as it is.\nboards:\n"));
        let after = sources(&written[0].text);
        assert_eq!(differences(&after, &shown), Vec::<String>::new());
        assert_eq!(update(&after, &shown, "fresh"), []);
    }
}

#[test]
fn what_is_not_there_is_said_and_stays_pinned() {
    assert_eq!(
        differences(&sources(PINS), &Shown::default()),
        [
            "no-board rules/a.yaml:4 the board `work`, project 7 of acme, is not there or not \
             visible to the App",
            "no-team rules/a.yaml:3 the team `leads` of the role `lead` is not there or not \
             visible to the App: nobody is in it",
            "no-user rules/a.yaml:3 nobody has the login `ada`, which the role `lead` names",
        ]
    );
    assert_eq!(update(&sources(PINS), &Shown::default(), "fresh"), []);
}

#[test]
fn a_board_that_is_not_pinned_goes_into_the_lock_file_there_is_or_a_new_one() {
    let policy = Source::new("rules/a.yaml", POLICY);
    let goals = "goals:\n  - id: research\n    title: \"Research: more\"\n  - id: teaching\n";
    let other = Source::new("rules/b.lock.yaml", goals);
    let shown = shown(board());
    let pins = PINS.trim_start_matches("# Kept as it is.\n");
    assert_eq!(
        differences(std::slice::from_ref(&policy), &shown),
        ["drift rules/a.yaml:4 the board `work` is not pinned"]
    );
    let both = [policy.clone(), other];
    let written = update(&both, &shown, "rules/new.lock.yaml");
    let expected = format!("{pins}{goals}");
    assert_eq!(written, [Source::new("rules/b.lock.yaml", expected)]);
    let written = update(&[policy], &shown, "rules/new.lock.yaml");
    assert_eq!(written.len(), 1);
    assert_eq!(written[0].path, "rules/new.lock.yaml");
    assert!(written[0].text.ends_with(pins), "{}", written[0].text);
    assert!(written[0].text.starts_with("# What lives on GitHub"));
}

#[test]
fn a_board_that_the_policy_no_longer_names_goes() {
    let more = format!("{PINS}  play:\n    fields: {{ Status: [Todo] }}\n");
    let written = update(&sources(&more), &shown(board()), "fresh");
    assert_eq!(written, [Source::new("rules/b.lock.yaml", PINS)]);
}

#[test]
fn the_shipped_lock_file_is_written_as_it_stands() {
    let files = crate::policy::tests::folder("rules");
    let lock = files
        .iter()
        .find(|f| load::is_lock(f))
        .expect("a lock file");
    let policy = load(&files).unwrap_or_else(|found| panic!("{found}"));
    let mut now = policy.boards["delivery"].fields.clone();
    now.insert("Notes".to_owned(), FieldKind::Text);
    let shown = Shown {
        boards: [("delivery".to_owned(), now)].into(),
        ..Shown::default()
    };
    let written = update(&files, &shown, "fresh");
    assert_eq!(written.len(), 1);
    assert_eq!(written[0].text, format!("{}      Notes: text\n", lock.text));
}

#[test]
fn whatever_people_call_things_is_read_as_it_was_written() {
    let odd = [
        "true",
        "No",
        "null",
        "~",
        "",
        " ",
        "12",
        "1e3",
        ".5",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#1",
        "[x]",
        "{y}",
        "a, b",
        "it's",
        "say \"hi\"",
        "C:\\x",
        "@me",
        "`x`",
        "*x",
        "&x",
        "!x",
        "%x",
        "?",
        "| x",
        "> x",
        "é",
        "日本",
        "🚀 Now",
        "a\tb",
        "a\u{2028}b",
        "a\nb",
        "inf",
        "NaN",
        "2026-11-20",
        "trailing ",
        "P&S Initiatives in flight",
        "In Review/Blocked",
        "a/b-c_d (e)",
    ];
    let mut board = fields(&[("Status", options(&odd))]);
    board.extend(odd.iter().map(|name| ((*name).to_owned(), FieldKind::Date)));
    board.insert("Sprint".to_owned(), sprints(&odd));
    let shown = shown(board);
    let written = update(&sources(PINS), &shown, "fresh");
    let after = sources(&written[0].text);
    assert_eq!(
        differences(&after, &shown),
        Vec::<String>::new(),
        "{}",
        written[0].text
    );
    assert_eq!(update(&after, &shown, "fresh"), []);
}

const GOALS: &str = "\
version: 1
organization: acme
boards: { plans: { project: 9, goals: true } }
goals:
  - { id: research, title: Research that others can repeat }
  - { id: old, signals: { any_words: [old] } }
";

fn objective(item: &str, title: &str, issue: &str) -> Objective {
    Objective {
        item: item.to_owned(),
        title: title.to_owned(),
        issue: issue.to_owned(),
        public: false,
    }
}

fn goals_shown(goals: &[Objective]) -> Shown {
    Shown {
        boards: [("plans".to_owned(), Fields::new())].into(),
        goals: Some(goals.to_vec()),
        ..Shown::default()
    }
}

#[test]
fn goals_on_a_board_are_pinned_under_names_that_stay() {
    let policy = Source::new("rules/a.yaml", GOALS);
    let named = named(std::slice::from_ref(&policy)).expect("named");
    assert_eq!(named.goals, ["plans".to_owned()].into());
    let mut goals = vec![
        objective("R1", "Research that others can repeat", "acme/plans#3"),
        objective("R2", "Less toil, more of what the whole network needs", ""),
        objective("R3", "!?", ""),
        objective("R4", "??", ""),
    ];
    let written = update(
        std::slice::from_ref(&policy),
        &goals_shown(&goals),
        "rules/b.lock.yaml",
    );
    let pins = written[0].text.split_once("goals:\n").expect("goals").1;
    let all = "  - id: research
    title: Research that others can repeat
    item: R1
    issue: \"acme/plans#3\"
  - id: less-toil-more-of-what-the
    title: \"Less toil, more of what the whole network needs\"
    item: R2
  - id: goal
    title: \"!?\"
    item: R3
  - id: goal-2
    title: \"??\"
    item: R4
";
    assert_eq!(pins, all);
    let files = [policy, written[0].clone()];
    let now = goals_shown(&goals);
    assert_eq!(differences(&files, &now), Vec::<String>::new());
    assert_eq!(update(&files, &now, "fresh"), []);

    // Another title, an issue where a draft was, one gone, one new: each is said, names stay.
    goals[0].title = "Research that lasts".to_owned();
    goals[1].issue = "acme/plans#4".to_owned();
    goals[3] = objective("R5", "Growth", "");
    let now = goals_shown(&goals);
    let told = differences(&files, &now);
    let told: Vec<&str> = told
        .iter()
        .filter_map(|t| t.split_once(' ')?.1.split_once(' '))
        .map(|(_, words)| words)
        .collect();
    assert_eq!(
        told,
        [
            "the goal `research` is called `Research that lasts` now",
            "the goal `less-toil-more-of-what-the` is not pinned to its item",
            "the goal `goal-2` is not on its board any more",
            "there is a new goal, `Growth`",
        ]
    );
    let written = update(&files, &now, "fresh");
    let text = &written[0].text;
    assert!(
        text.contains("id: research\n    title: Research that lasts\n"),
        "{text}"
    );
    assert!(
        text.contains("id: growth\n") && !text.contains("goal-2"),
        "{text}"
    );

    // A board that cannot be read says nothing about goals.
    assert_eq!(update(&files, &Shown::default(), "fresh"), []);
}

#[test]
fn goals_that_are_pinned_by_hand_are_nobodys_to_change_unless_a_board_holds_them() {
    let pins = format!("{PINS}goals:\n  - id: research\n");
    let mut now = shown(board());
    now.goals = Some(vec![objective("R", "Growth", "")]);
    assert_eq!(differences(&sources(&pins), &now), Vec::<String>::new());
    assert_eq!(update(&sources(&pins), &now, "fresh"), []);
}
