//! Questions: answered from the item's decision, once it is there.

use crate::policy::Policy;
use crate::triage::answer::Question;
use crate::triage::explain::{About, Ask, Audience, explain as tell};
use crate::triage::score::score;

use super::super::draft::Draft;
use super::super::look::Decided;

/// GitHub's limit for a comment, less room for the marker.
const LONGEST_REPLY: usize = 64_000;

/// Works out what `/why` and `/score` asked for, now that the item was decided. Returns whether
/// something was asked.
pub(in crate::worker) fn explain(policy: &Policy, draft: &mut Draft, decided: &Decided) -> bool {
    let asked = draft.record.answers.iter();
    let asked: Vec<_> = asked
        .filter(|(_, answer)| !answer.questions.is_empty())
        .map(|(key, answer)| (key.clone(), answer.clone()))
        .collect();
    if asked.is_empty() {
        return false;
    }
    let audience = if decided.snapshot.issue.private {
        Audience::Internal
    } else {
        Audience::Public
    };
    for (key, mut answer) in asked {
        for question in std::mem::take(&mut answer.questions) {
            let told = match question {
                Question::Why(rule) => {
                    let about = rule.as_deref().and_then(|rule| About::named(policy, rule));
                    let about = about.unwrap_or(About::Decision);
                    tell(policy, &decided.snapshot, Ask { about, audience }).markdown()
                }
                Question::Score => {
                    score(policy, &decided.snapshot, &decided.decision).markdown(audience)
                }
            };
            if !answer.body.is_empty() {
                answer.body.push_str("\n\n");
            }
            answer.body.push_str(&told);
        }
        answer.body = cut(answer.body);
        draft.set_answer(&key, answer);
    }
    true
}

pub(super) fn cut(mut body: String) -> String {
    if body.len() > LONGEST_REPLY {
        let end = body.floor_char_boundary(LONGEST_REPLY);
        body.truncate(end);
        body.push_str("\n\n… and more, which `northstar why` shows.");
    }
    body
}
