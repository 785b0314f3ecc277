//! Who last set each attribute of an item, and who may set it next.
//!
//! The ledger is a list of entries, appended once and never changed; ownership is what folding
//! them gives, in the order in which they were made. Writers rank: ambient < rule < person <
//! command < override.

pub mod told;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use crate::ids::{RepositoryId, UserId};
use crate::policy::Policy;

use super::attribute::AttributeValue;
use told::Told;

/// How much weight a write carries. The order is the order of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// There at installation or opening, automation, other bots, people without the permission.
    Ambient,
    /// A rule of the policy.
    Rule,
    /// A change by hand, by somebody whom `commands:` lets set this attribute.
    Person,
    /// A slash command.
    Command,
    /// An `/override`, until released.
    Override,
}

/// What an entry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// The attribute now has `value` (for a many-valued one: all of it).
    Set,
    /// A rule's `hold` wrote it: withdrawn when no rule asks for it any more. Of a many-valued
    /// attribute `value` is only what rules hold, not what was there besides.
    Hold,
    /// Handed back to the rules (`/release`, or an override that ended).
    Release,
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Attribute id of the policy.
    pub attribute: String,
    pub act: Act,
    pub rank: Rank,
    pub value: AttributeValue,
    /// Of a change by hand: when GitHub says it was made, in whole seconds ([`told::in_order`]).
    pub at: Timestamp,
    /// Who did it; `None` for rules.
    pub by: Option<UserId>,
    /// Rule id, command text, or what was done by hand (`label`, `field BOARD`, `milestone`).
    pub cause: String,
    /// The reason given, or the rule's `because`.
    pub reason: String,
    /// The private repository in which it was said, where it was: [`Self::reason_for`].
    #[serde(
        default,
        deserialize_with = "told_in",
        skip_serializing_if = "Option::is_none"
    )]
    pub told_in: Option<RepositoryId>,
    /// When it ends by itself; `None`: it stays. Only overrides and snoozes have an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Of a command: when GitHub says it was said, in whole seconds ([`told::in_order`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_at: Option<Timestamp>,
}

impl LedgerEntry {
    /// The reason, as far as it is for whoever reads along there: in a private repository, or
    /// (`None`) in public. What was said in private is for those who read it, whatever item it
    /// was said of.
    #[must_use]
    pub fn reason_for(&self, readers_of: Option<RepositoryId>) -> &str {
        if self.is_told_to(readers_of) {
            &self.reason
        } else {
            ""
        }
    }

    /// Whoever reads along there was there when it was said: they know who said it, too.
    #[must_use]
    pub fn is_told_to(&self, readers_of: Option<RepositoryId>) -> bool {
        self.told_in.is_none() || self.told_in == readers_of
    }
}

/// A repository of which nobody is a reader: GitHub counts from 1.
const SOMEWHERE: RepositoryId = RepositoryId(0);

/// Reads the private repository in which something was said. Names were kept once, and names change:
/// what is not a number was said somewhere, and is told nowhere.
pub fn told_in<'de, D: Deserializer<'de>>(from: D) -> Result<Option<RepositoryId>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Kept {
        Id(RepositoryId),
        Name(IgnoredAny),
    }
    let kept = Option::<Kept>::deserialize(from)?;
    Ok(kept.map(|kept| match kept {
        Kept::Id(id) => id,
        Kept::Name(_) => SOMEWHERE,
    }))
}

/// The name under which the ledger keeps the milestone, which is no attribute of the policy.
pub const MILESTONE: &str = "milestone";

/// The cause of a change that GitHub shows and nobody has told whose it was.
pub const SEEN: &str = "seen";

/// The name under which the ledger keeps whom the item is assigned to: all logins. That is for
/// people to say; no rule writes it.
pub const ASSIGNEES: &str = "assignees";

/// The name under which the ledger keeps whether people want the item on a board (policy board
/// id): a value while somebody put it there, none when somebody took it off.
#[must_use]
pub fn on_board(board: &str) -> String {
    format!("board {board}")
}

/// The name under which the ledger keeps who moved the item into which column of a board (policy
/// board id). That nobody owns: the board's field itself says where it stands.
#[must_use]
pub fn column(board: &str) -> String {
    format!("column {board}")
}

/// The name under which the ledger keeps a board's field (policy board id; the name as the policy
/// has it) that rules set and no attribute shows.
#[must_use]
pub fn field(board: &str, field: &str) -> String {
    format!("field {board}.{field}")
}

/// The name under which the ledger keeps whether the item's row on a board (policy board id) was
/// archived: a value when somebody or a rule archived it, none when somebody brought it back.
#[must_use]
pub fn archived(board: &str) -> String {
    format!("archived {board}")
}

/// The name under which the ledger keeps what was said about a cap or gate (its id): an
/// [`Act::Set`] of rank [`Rank::Override`] lets the item past it, an [`Act::Release`] no longer.
#[must_use]
pub fn limit(id: &str) -> String {
    format!("limit {id}")
}

/// The name under which the ledger keeps what `/community` said of a community (its id): a value
/// if it asks for this too, none if it does not.
#[must_use]
pub fn community(id: &str) -> String {
    format!("community {id}")
}

/// The name under which the ledger keeps until when the item is to be out of the way: an
/// [`Act::Set`] with its end, ended early by an [`Act::Release`].
pub const SNOOZED: &str = "snoozed";

/// Until when the item is out of the way; `None` where it is not, or not any more.
#[must_use]
pub fn snoozed(entries: &[LedgerEntry], now: Timestamp) -> Option<Timestamp> {
    let last = told::last(entries, SNOOZED)?;
    last.until
        .filter(|until| last.act == Act::Set && now < *until)
}

/// The name under which the ledger keeps when the author was reminded of a question: its value is
/// what [`reminder`] gives.
pub const REMINDED: &str = "reminded";

/// Which question somebody was reminded of: that of this attribute, put then. Also the key of the
/// comment.
#[must_use]
pub fn reminder(attribute: &str, asked_at: Timestamp) -> String {
    format!("{REMINDED}-{attribute}-{}", asked_at.as_microsecond())
}

/// The name under which the ledger keeps which roles have confirmed that an item cannot wait: each
/// value is all of them.
pub const CONFIRMED: &str = "confirmed critical";

/// The cause of entries that end a question which nobody answered.
pub const UNANSWERED: &str = "no answer";

/// The name under which the ledger keeps which request this one repeats: the entry of a command
/// asks that it be closed, and one of rank [`Rank::Rule`] after it says that it was. Values are
/// [`Original`]s.
pub const DUPLICATE: &str = "duplicate";

/// The request that another repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// `owner/repo#n`.
    pub name: String,
    /// GitHub's node id of the issue.
    pub node_id: String,
}

impl Original {
    #[must_use]
    pub fn to_value(&self) -> AttributeValue {
        AttributeValue::One(format!("{} {}", self.name, self.node_id))
    }

    fn of_value(value: &AttributeValue) -> Option<Self> {
        let AttributeValue::One(value) = value else {
            return None;
        };
        let (name, node_id) = value.split_once(' ')?;
        Some(Self {
            name: name.to_owned(),
            node_id: node_id.to_owned(),
        })
    }
}

/// What somebody called a duplicate and nobody has closed since: the entry, and what it repeats.
/// Once it is closed, whoever reopens it means it.
#[must_use]
pub fn to_close(entries: &[LedgerEntry]) -> Option<(&LedgerEntry, Original)> {
    let last = told::last(entries, DUPLICATE)?;
    let asked = last.act == Act::Set && last.rank >= Rank::Command;
    asked.then(|| Some((last, Original::of_value(&last.value)?)))?
}

/// How the ledger calls a figure that somebody states: its value is the figure and, after a space,
/// the period it is about.
#[must_use]
pub fn kpi(id: &str) -> String {
    format!("{KPI}{id}")
}

/// What [`kpi`] puts before the id.
pub const KPI: &str = "kpi ";

/// The override that lets an item past a cap or gate now; `None` where there is none, or it was
/// released, or has ended.
#[must_use]
pub fn lets_past<'e>(
    entries: &'e [LedgerEntry],
    limit_id: &str,
    now: Timestamp,
) -> Option<&'e LedgerEntry> {
    let name = limit(limit_id);
    let last = told::last(entries, &name)?;
    let stands = last.act == Act::Set && last.until.is_none_or(|until| now < until);
    stands.then_some(last)
}

/// Who owns an attribute, and what rules have done to it since a human last had.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ownership {
    /// The owner's entry; `None` while nobody has set it, and after a release.
    pub owner: Option<LedgerEntry>,
    /// Somebody of a lower rank changed it after its owner had.
    pub disturbed: bool,
    /// Every value, whoever gave it, oldest first. Within one of GitHub's seconds nobody knows the
    /// order: of several, the latest that GitHub still shows is the last.
    pub said: Vec<Given>,
    /// What was set by hand in other places before the owner's change by hand.
    pub outdated: Vec<AttributeValue>,
    /// What rules wrote over the owner's change by hand before it was told.
    pub overwritten: Vec<AttributeValue>,
    /// What stands only because a rule holds it, and the rule that first did: whether it may be
    /// taken away again is by that rule's mode, whatever others have written since.
    pub held: BTreeMap<String, String>,
    /// Of a many-valued attribute, what rules wrote and somebody without the permission took off.
    pub taken_off: BTreeSet<String>,
    /// What rules wrote since the last act of a human with the permission, oldest first.
    pub written: Vec<AttributeValue>,
}

/// A value that was given to an attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    pub value: AttributeValue,
    pub there: Where,
    pub at: Timestamp,
}

/// Where GitHub shows what somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    Label,
    /// The policy's board id; empty where it was not noted.
    Field(String),
    /// It was not done in one of the places: a command, a rule.
    Anywhere,
}

impl Ownership {
    /// The value of the last entry, whoever made it.
    #[must_use]
    pub fn latest(&self) -> Option<&AttributeValue> {
        self.said.last().map(|given| &given.value)
    }

    /// The owner's rank.
    #[must_use]
    pub fn rank(&self) -> Option<Rank> {
        self.owner.as_ref().map(|entry| entry.rank)
    }
}

/// Folds the entries about one attribute, in the order in which they were made.
///
/// A person and a command take an attribute from each other (the later counts), and both from a
/// rule; only `/release` or another override ends an override.
#[must_use]
pub fn fold(entries: &[LedgerEntry], attribute: &str) -> Ownership {
    let mut own = Ownership::default();
    let told = told::in_order(entries, attribute);
    for (index, Told { entry, .. }) in told.iter().enumerate() {
        if entry.act == Act::Release {
            own = Ownership {
                said: own.said,
                ..Ownership::default()
            };
            continue;
        }
        own.said.push(Given {
            value: entry.value.clone(),
            there: match told::place(entry) {
                Some(told::Place::Label) => Where::Label,
                Some(told::Place::Field(board)) => Where::Field(board.to_owned()),
                None => Where::Anywhere,
            },
            at: entry.at,
        });
        let rank = own.rank();
        if entry.rank == Rank::Ambient && matches!(entry.value, AttributeValue::Many(_)) {
            let written = own.written.iter().flat_map(AttributeValue::iter);
            own.taken_off = written
                .filter(|v| !entry.value.contains(v))
                .map(str::to_owned)
                .collect();
        }
        match entry.rank {
            Rank::Ambient if rank > Some(Rank::Ambient) => {
                own.disturbed = true;
                continue;
            }
            Rank::Person | Rank::Command if rank == Some(Rank::Override) => {
                own.disturbed = true;
                continue;
            }
            Rank::Ambient => {}
            Rank::Rule => {
                own.written.push(entry.value.clone());
                own.taken_off.retain(|v| !entry.value.contains(v));
                match (entry.act, &entry.value) {
                    (Act::Hold, value) => {
                        let mut before = std::mem::take(&mut own.held);
                        let by = |v: &str| before.remove(v).unwrap_or_else(|| entry.cause.clone());
                        let held = value.iter();
                        own.held = held.map(str::to_owned).zip(value.iter().map(by)).collect();
                        if let AttributeValue::One(v) = value
                            && v.is_empty()
                        {
                            // Withdrawn: nobody owns it now.
                            own.owner = None;
                            own.disturbed = false;
                            continue;
                        }
                    }
                    (_, AttributeValue::One(_)) => own.held.clear(),
                    (_, AttributeValue::Many(_)) => {}
                }
            }
            Rank::Person | Rank::Command | Rank::Override => {
                own.held.clear();
                own.written.clear();
                own.taken_off.clear();
            }
        }
        own.disturbed = false;
        own.outdated = told::outdated_by(entry, &told[..index]);
        own.overwritten = told::overwritten_by(entry, &told[..index]);
        own.owner = Some((*entry).clone());
    }
    own
}

/// The rank of a change by hand: a person's where `commands:` lets one of the roles set this
/// attribute, else ambient.
#[must_use]
pub fn hand_change(policy: &Policy, attribute: &str, roles: &BTreeSet<String>) -> Rank {
    if policy.may(attribute, roles) {
        Rank::Person
    } else {
        Rank::Ambient
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(act: Act, rank: Rank, value: &str) -> LedgerEntry {
        LedgerEntry {
            attribute: "priority".into(),
            act,
            rank,
            value: AttributeValue::One(value.into()),
            at: Timestamp::UNIX_EPOCH,
            by: None,
            cause: "test".into(),
            reason: String::new(),
            told_in: None,
            until: None,
            said_at: None,
        }
    }

    fn owner(entries: &[LedgerEntry]) -> (Option<Rank>, Option<String>, bool) {
        let own = fold(entries, "priority");
        let value = own.owner.as_ref().map(|e| e.value.to_string());
        (own.rank(), value, own.disturbed)
    }

    #[test]
    fn humans_take_from_rules_and_from_each_other() {
        let mut ledger = vec![entry(Act::Set, Rank::Rule, "p3")];
        assert_eq!(owner(&ledger), (Some(Rank::Rule), Some("p3".into()), false));
        ledger.push(entry(Act::Set, Rank::Command, "p1"));
        assert_eq!(
            owner(&ledger),
            (Some(Rank::Command), Some("p1".into()), false)
        );
        ledger.push(entry(Act::Set, Rank::Person, "p2"));
        assert_eq!(
            owner(&ledger),
            (Some(Rank::Person), Some("p2".into()), false)
        );
        ledger.push(entry(Act::Set, Rank::Ambient, "p0"));
        assert_eq!(
            owner(&ledger),
            (Some(Rank::Person), Some("p2".into()), true)
        );
        ledger.push(entry(Act::Release, Rank::Command, ""));
        assert_eq!(owner(&ledger), (None, None, false));
    }

    #[test]
    fn a_reason_said_in_private_is_for_those_who_read_there() {
        let (leads, contracts) = (Some(RepositoryId(7)), Some(RepositoryId(8)));
        let mut it = entry(Act::Set, Rank::Command, "p1");
        it.reason = "they do not pay".into();
        assert_eq!(it.reason_for(None), "they do not pay");
        assert_eq!(it.reason_for(leads), "they do not pay");
        let open = serde_json::to_value(&it).unwrap();
        assert!(open.get("told_in").is_none(), "as it was kept before");
        it.told_in = leads;
        let it: LedgerEntry = serde_json::from_value(serde_json::to_value(&it).unwrap()).unwrap();
        assert_eq!(it.reason_for(leads), "they do not pay");
        assert_eq!(it.reason_for(None), "");
        assert_eq!(it.reason_for(contracts), "");
    }

    #[test]
    fn a_reason_of_which_only_a_name_was_kept_is_for_nobody() {
        let it = entry(Act::Set, Rank::Command, "p1");
        let mut kept = serde_json::to_value(&it).unwrap();
        kept["told_in"] = serde_json::json!({ "owner": "o", "name": "leads" });
        kept["reason"] = "they do not pay".into();
        let it: LedgerEntry = serde_json::from_value(kept).unwrap();
        for readers_of in [None, Some(RepositoryId(7))] {
            assert_eq!(it.reason_for(readers_of), "");
        }
    }

    #[test]
    fn an_override_stays_until_released() {
        let mut ledger = vec![
            entry(Act::Set, Rank::Override, "p0"),
            entry(Act::Set, Rank::Command, "p3"),
        ];
        assert_eq!(
            owner(&ledger),
            (Some(Rank::Override), Some("p0".into()), true)
        );
        ledger.push(entry(Act::Release, Rank::Override, ""));
        ledger.push(entry(Act::Set, Rank::Command, "p3"));
        assert_eq!(
            owner(&ledger),
            (Some(Rank::Command), Some("p3".into()), false)
        );
    }

    #[test]
    fn an_override_of_a_limit_ends_by_itself_or_by_release() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut one = entry(Act::Set, Rank::Override, "stays");
        one.attribute = limit("in-flight");
        one.until = Some(at(10));
        let mut ledger = vec![one.clone()];
        assert!(lets_past(&ledger, "in-flight", at(9)).is_some());
        assert!(lets_past(&ledger, "in-flight", at(10)).is_none());
        assert!(lets_past(&ledger, "flight", at(9)).is_none());
        one.until = None;
        ledger.push(one.clone());
        assert!(lets_past(&ledger, "in-flight", at(10)).is_some());
        one.act = Act::Release;
        ledger.push(one);
        assert!(lets_past(&ledger, "in-flight", at(10)).is_none());
    }

    #[test]
    fn a_snooze_ends_by_itself_or_by_release() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut one = entry(Act::Set, Rank::Command, "out of the way");
        one.attribute = SNOOZED.into();
        one.until = Some(at(10));
        let mut ledger = vec![one.clone()];
        assert_eq!(snoozed(&ledger, at(9)), Some(at(10)));
        assert_eq!(snoozed(&ledger, at(10)), None);
        // The last word counts, also where it ends earlier.
        one.until = Some(at(5));
        ledger.push(one.clone());
        assert_eq!(snoozed(&ledger, at(7)), None);
        assert_eq!(snoozed(&ledger, at(4)), Some(at(5)));
        one.act = Act::Release;
        ledger.push(one);
        assert_eq!(snoozed(&ledger, at(4)), None);
    }

    #[test]
    fn a_duplicate_is_closed_once_for_each_time_it_is_said() {
        let original = Original {
            name: "o/r#12".into(),
            node_id: "I_12".into(),
        };
        let said = |act, rank| LedgerEntry {
            attribute: DUPLICATE.into(),
            ..entry(act, rank, &original.to_value().to_string())
        };
        let found = |ledger: &[LedgerEntry]| to_close(ledger).map(|(_, original)| original);
        let mut ledger = vec![said(Act::Set, Rank::Command)];
        assert_eq!(found(&ledger), Some(original.clone()));
        ledger.push(said(Act::Set, Rank::Rule));
        assert_eq!(found(&ledger), None, "it is done");
        ledger.push(said(Act::Set, Rank::Command));
        assert_eq!(
            found(&ledger),
            Some(original.clone()),
            "somebody said it again"
        );
        ledger.push(said(Act::Release, Rank::Command));
        assert_eq!(found(&ledger), None, "and took it back");
    }

    #[test]
    fn a_withdrawn_hold_leaves_no_owner() {
        let ledger = [
            entry(Act::Hold, Rank::Rule, "p1"),
            entry(Act::Hold, Rank::Rule, ""),
        ];
        let own = fold(&ledger, "priority");
        assert_eq!(own.owner, None);
        assert!(own.held.is_empty());
        assert_eq!(own.written.len(), 2);
    }
}
