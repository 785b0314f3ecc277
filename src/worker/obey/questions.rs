//! Questions: answered from the item's decision, once it is there.

use std::fmt::Write;

use crate::digest;
use crate::ids::{InstallationId, UserId};
use crate::insight::similar::{Alike, similar};
use crate::policy::Policy;
use crate::policy::template::{code, harmless};
use crate::store::{MirrorIssue, OpenIssue, Store, StoreError};
use crate::triage::answer::Question;
use crate::triage::explain::{About, Ask, Audience, explain as tell};
use crate::triage::score::score;

use super::super::Organization;
use super::super::draft::Draft;
use super::super::look::Decided;

/// GitHub's limit for a comment, less room for the marker.
const LONGEST_REPLY: usize = 64_000;

/// Of so many open issues titles are compared: the newest.
const MOST_COMPARED: usize = 5_000;
/// So many are told.
const MOST_SIMILAR: usize = 5;

/// What questions need to know besides the item itself.
#[derive(Default)]
pub(in crate::worker) struct Elsewhere {
    open: Vec<OpenIssue>,
}

impl Elsewhere {
    /// Reads what is needed for the questions that are asked, if any.
    pub async fn read(
        store: &dyn Store,
        installation: InstallationId,
        draft: &Draft,
    ) -> Result<Self, StoreError> {
        let mut answers = draft.record.answers.values();
        let open = if answers.any(|a| a.questions.contains(&Question::Similar)) {
            store.open_issues(installation, MOST_COMPARED).await?
        } else {
            Vec::new()
        };
        Ok(Self { open })
    }

    /// The requests that everybody who may see this one may see, itself left out. What others are
    /// called weighs the words, too, so nothing is heard through that either.
    fn known_to_readers_of(&self, here: &MirrorIssue, bot: UserId) -> Vec<&OpenIssue> {
        let same_place = |other: &OpenIssue| other.repository_id == here.repository_id;
        let itself = |other: &OpenIssue| same_place(other) && other.number == here.issue.number;
        let shown = |other: &OpenIssue| !other.private || here.issue.private && same_place(other);
        let open = self.open.iter();
        open.filter(|other| shown(other) && !itself(other) && other.author != bot)
            .collect()
    }

    fn similar(&self, policy: &Policy, here: &MirrorIssue, bot: UserId) -> String {
        let mut others = self.known_to_readers_of(here, bot);
        others.retain(|other| !digest::is_posted_at(policy, &other.repository, other.number));
        let titles: Vec<&str> = others.iter().map(|other| other.title.as_str()).collect();
        let alike = similar(&here.issue.title, &titles, MOST_SIMILAR);
        if alike.is_empty() {
            return "I know of no open issue whose title has enough in common with this one."
                .to_owned();
        }
        let mut text =
            "These may ask for the same. Their titles share words that few others have:\n"
                .to_owned();
        for Alike { index, words, .. } in &alike {
            let other = others[*index];
            let name = if other.repository_id == here.repository_id {
                format!("#{}", other.number)
            } else {
                format!("{}#{}", other.repository, other.number)
            };
            let words: Vec<String> = words.iter().map(|word| code(word)).collect();
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\n- {name} {} ({})",
                harmless(&other.title),
                words.join(", ")
            );
        }
        text.push_str("\n\n`/duplicate` and the number says that one of them is the same.");
        text
    }
}

/// Works out what `/why`, `/score` and `/similar` asked for, now that the item was decided. Returns whether
/// something was asked.
pub(in crate::worker) fn explain(
    organization: &Organization,
    elsewhere: &Elsewhere,
    draft: &mut Draft,
    decided: &Decided,
) -> bool {
    let policy: &Policy = &organization.policy;
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
                Question::Similar => {
                    let here = draft.record.issue.as_ref();
                    here.map_or_else(String::new, |here| {
                        elsewhere.similar(policy, here, organization.bot)
                    })
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
