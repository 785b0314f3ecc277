//! The score, its breakdown, and what of it the public sees.

use crate::triage::explain::Audience;
use crate::triage::score::{Score, score, short};

use super::*;

const DRIVERS: &str = r#"
facts: { paying: secret == "x", sure: paying && size(goal) > 0 }
score:
  fit: { weight: 3, points: 'size(goal) > 0 ? 2 : 0' }
  kind: { weight: -1.5, points: 'kind == "bug" ? 3 : 1' }
  paid: { weight: 4, points: '1', internal: true }
  told: { weight: 8, points: 'sure ? 1 : 0' }
  none: { weight: 5, points: 'unaligned ? 1 : 0' }
"#;

fn scored(title: &str) -> Score {
    let rules = "  - { id: g, hold: { goal: goals.signalled }, because: b }\n  - { id: k, set: { kind: bug, secret: x }, because: b }\n";
    let policy = with(rules, DRIVERS);
    let item = item(title);
    let decision = decide(&policy, &item);
    score(&policy, &item, &decision)
}

#[test]
fn it_adds_up_what_the_decision_makes_of_the_item() {
    let score = scored("a paper");
    let parts: Vec<_> = score.drivers.iter().map(|d| (&*d.id, d.part)).collect();
    let expected = [
        ("fit", 6.0),
        ("kind", -4.5),
        ("paid", 4.0),
        ("told", 8.0),
        ("none", 0.0),
    ];
    assert_eq!(parts, expected);
    assert!((score.total - 13.5).abs() < 1e-9);
    assert_eq!(
        score.line(Audience::Internal),
        "13.5 (fit 6, kind -4.5, paid 4, told 8)"
    );
    assert_eq!(
        scored("another").line(Audience::Internal),
        "4.5 (kind -4.5, paid 4, none 5)"
    );
}

#[test]
fn the_public_sees_nothing_internal_and_cannot_work_it_out() {
    let score = scored("a paper");
    for shown in [
        score.line(Audience::Public),
        score.text(Audience::Public),
        score.markdown(Audience::Public),
    ] {
        assert!(
            !shown.contains("paid") && !shown.contains("told"),
            "{shown}"
        );
        assert!(!shown.contains("13.5") && shown.contains("1.5"), "{shown}");
    }
    assert!(
        score
            .markdown(Audience::Internal)
            .contains("| told | 8 | 1 | 8 |")
    );
    assert_eq!(
        score.text(Audience::Public),
        "score 1.5\n  fit: 3 × 2 = 6\n  kind: -1.5 × 3 = -4.5\n  none: 5 × 0 = 0\n"
    );
}

#[test]
fn numbers_are_short() {
    let all = [0.1 + 0.2, -0.0, 2.0, -1.005].map(short);
    assert_eq!(all, ["0.3", "0", "2", "-1"]);
}
