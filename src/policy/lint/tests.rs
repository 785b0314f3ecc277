//! The lint against what decisions really do.

use crate::policy::tests::loaded;
use crate::policy::{Diagnostic, Source, load};
use crate::triage::decide;

/// Conditions over few things, so that some exclude one another, some coincide and some do both.
const CONDITIONS: &[&str] = &[
    "issue.open",
    "!issue.open",
    "author.bot",
    "!author.bot && issue.open",
    "issue.comments > 3",
    "issue.comments <= 3",
    "issue.comments == 4 || author.bot",
    "issue.title.contains(\"paper\")",
    "!issue.title.contains(\"paper\")",
    "issue.title == \"paper\"",
    "issue.title.matches(\"(?i)^(paper|poster)s?\\\\b\")",
    "impact == \"high\"",
    "impact in [\"\", \"low\"]",
    "has(impact) && !loud",
    "loud",
    "!loud && issue.open",
    "form[\"Type\"] == \"Broken\"",
    "form[\"Type\"] in [\"Wish\", \"\"]",
    "size(issue.labels) == 0",
    "\"x\" in issue.labels && author.is(\"member\")",
    "!author.is(\"member\")",
    "issue.number % 7 == 3",
];
const VALUES: [&str; 3] = ["bug", "feature", "task"];

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (n as u64)).unwrap()
    }

    fn condition(&mut self) -> String {
        let one = CONDITIONS[self.below(CONDITIONS.len())];
        match self.below(3) {
            0 => one.to_owned(),
            1 => format!("{one} && ({})", CONDITIONS[self.below(CONDITIONS.len())]),
            _ => format!("!({one}) && {}", CONDITIONS[self.below(CONDITIONS.len())]),
        }
    }

    fn rule(&mut self, id: &str) -> String {
        let (a, b) = (VALUES[self.below(3)], VALUES[self.below(3)]);
        let (x, y) = (self.condition(), self.condition());
        match self.below(4) {
            0 => format!(
                "    - id: {id}\n      when: '{x}'\n      choose: {{ kind: [{{ when: '{y}', value: {a} }}, {{ else: {b} }}] }}\n      because: b\n"
            ),
            1 => format!(
                "    - id: {id}\n      when: '{x}'\n      choose: {{ kind: {{ by: 'form[\"Type\"]', table: {{ Broken: {a}, Wish: {b} }} }} }}\n      because: b\n"
            ),
            _ => format!("    - {{ id: {id}, when: '{x}', set: {{ kind: {a} }}, because: b }}\n"),
        }
    }
}

const HEAD: &str = r#"version: 1
roles: { member: { organization: true } }
attributes:
  impact: { values: [low, high], label: "impact/{value}" }
  kind: { values: [bug, feature, task], label: "kind/{value}" }
facts:
  loud: issue.comments > 3 && impact != "low"
principles:
- id: p
  statement: s
  rules:
"#;

fn policy(rules: &str) -> Vec<Source> {
    vec![Source::new("p.yaml", format!("{HEAD}{rules}"))]
}

fn findings(sources: &[Source]) -> Vec<Diagnostic> {
    match load(sources) {
        Ok(policy) => policy.warnings,
        Err(found) => found.0,
    }
}

/// Items that differ in what the conditions look at.
fn items(count: usize, dice: &mut Dice) -> String {
    use std::fmt::Write as _;
    let mut out = String::from("examples:\n");
    for i in 0..count {
        let title = ["paper", "Papers please", "poster", "else"][dice.below(4)];
        let form = ["", "form: { Type: Broken }, ", "form: { Type: Wish }, "][dice.below(3)];
        let impact = ["", "current.impact: low, ", "current.impact: high, "][dice.below(3)];
        let labels = ["", "issue.labels: [x], ", "issue.labels: [y], "][dice.below(3)];
        let roles = ["", "author.roles: [member], "][dice.below(2)];
        let (open, bot) = (dice.below(2) == 0, dice.below(2) == 0);
        let (comments, _) = (dice.below(6), i);
        let _ = writeln!(
            out,
            "- {{ name: n, given: {{ issue.title: {title}, {form}{labels}{impact}{roles}issue.open: {open}, author.bot: {bot}, issue.comments: {comments} }}, expect: {{}} }}"
        );
    }
    out
}

/// Tries to refute "these two never contradict each other" by deciding many items.
#[test]
fn what_passes_the_lint_never_contradicts_itself() {
    let mut dice = Dice(7);
    let examples = items(150, &mut dice);
    let (mut proved, mut conflicts, mut doubts) = (0, 0, 0);
    let pairs = 250;
    for _ in 0..pairs {
        let rules = format!("{}{}", dice.rule("a"), dice.rule("b"));
        let found = findings(&policy(&rules));
        let has = |code| found.iter().any(|d| d.code == code);
        if has("conflict") {
            conflicts += 1;
        } else if has("possible-conflict") {
            doubts += 1;
        } else {
            proved += 1;
            let policy = loaded(&policy(&format!("{rules}{examples}")));
            for example in &policy.examples {
                let decision = decide(&policy, &example.given);
                assert!(!decision.needs_human, "{rules}\n{:#?}", example.given);
            }
        }
    }
    println!(
        "{pairs} pairs: {proved} proved apart, {conflicts} with an example, {doubts} doubtful"
    );
    // Each answer must be common, or the test shows nothing; doubts must be rare.
    assert!(proved > pairs / 8 && conflicts > pairs / 3 && doubts < pairs / 5);
}

fn says(rules: &str, code: &str, words: &[&str]) {
    let found = findings(&policy(rules));
    let finding = found.iter().find(|d| d.code == code);
    let finding = finding.unwrap_or_else(|| panic!("no {code}: {found:#?}"));
    for word in words {
        assert!(
            finding.message.contains(word),
            "{word}: {}",
            finding.message
        );
    }
}

fn silent(rules: &str) {
    let found = findings(&policy(&format!(
        "{rules}    - {{ id: user, when: loud, label: l, because: b }}\n"
    )));
    assert!(found.is_empty(), "{rules}\n{found:#?}");
}

#[test]
fn a_contradiction_is_shown_with_an_item() {
    says(
        "    - { id: a, when: loud, set: { kind: bug }, because: b }\n    - { id: b, when: 'issue.title.matches(\"^new +hub\")', set: { kind: task }, because: b }\n",
        "conflict",
        &[
            "`a` and `b`",
            "`issue.comments` is 4",
            "\"new hub\"",
            "bug and task",
        ],
    );
    says(
        "    - { id: a, choose: { kind: { by: 'form[\"Type\"]', table: { Broken: bug }, else: task } }, because: b }\n    - { id: b, when: author.bot, set: { kind: bug }, because: b }\n",
        "conflict",
        &["`author.bot` is true", "task and bug"],
    );
}

#[test]
fn what_cannot_clash_or_is_ordered_is_no_contradiction() {
    for rules in [
        // Apart, through a fact.
        "    - { id: a, when: loud, set: { kind: bug }, because: b }\n    - { id: b, when: 'impact == \"low\"', set: { kind: task }, because: b }\n",
        // The same value.
        "    - { id: a, set: { kind: bug }, because: b }\n    - { id: b, when: issue.open, set: { kind: bug }, because: b }\n",
        // Said who goes first.
        "    - { id: a, set: { kind: bug }, because: b }\n    - { id: b, when: issue.open, set: { kind: task }, overrides: [a], because: b }\n",
        // What is enforced goes first.
        "    - { id: a, set: { kind: bug }, because: b }\n    - { id: b, when: issue.open, set: { kind: task }, enforce: true, because: b }\n",
        // Apart, but only row by row.
        "    - { id: a, choose: { kind: [{ when: author.bot, value: bug }] }, because: b }\n    - { id: b, when: '!author.bot', set: { kind: task }, because: b }\n",
        // The keys of the table are other texts.
        "    - { id: a, choose: { kind: { by: 'form[\"Type\"]', table: { Broken: bug } } }, because: b }\n    - { id: b, when: 'form[\"Type\"] == \"Wish\"', set: { kind: task }, because: b }\n",
    ] {
        silent(rules);
    }
}

#[test]
fn what_depends_on_what_is_followed_to_its_end() {
    let rules = "    - { id: a, when: loud, set: { kind: bug }, because: b }\n";
    let principle =
        "- { id: q, statement: s, never: { decide: [kind], from: [issue.comments] } }\n";
    says(
        &format!("{rules}{principle}"),
        "never-broken",
        &["kind ← rule a ← fact loud ← issue.comments"],
    );
    let family = principle.replace("issue.comments", "issue");
    says(
        &format!("{rules}{family}"),
        "never-broken",
        &["issue.comments"],
    );
    let only = "- { id: q, statement: s, only: { decide: [kind], from: [impact] } }\n";
    says(
        &format!("{rules}{only}"),
        "only-broken",
        &["issue.comments"],
    );
    let allowed = only.replace("[impact]", "[impact, issue.comments]");
    assert!(findings(&policy(&format!("{rules}{allowed}"))).is_empty());
}
