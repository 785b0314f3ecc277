//! What a delivery to an item's lane says, read.

use jiff::Timestamp;

use crate::command::{self, Found};
use crate::ids::{RepoName, UserId};
use crate::policy::Policy;
use crate::receive::payload::{CommentEvent, IssueEvent, ItemEvent, Sender, SubIssueEvent};
use crate::store::{Delivery, MirrorIssue};
use crate::triage::projection;

use super::obey::{Place, Told};
use super::posted::Posted;

/// An event about one item.
pub(super) enum Event {
    Issue(Box<IssueEvent>),
    Comment(Box<CommentEvent>),
    Item(Box<ItemEvent>),
    SubIssue(Box<SubIssueEvent>),
    /// Not GitHub's: a command that was said elsewhere and names this item.
    Told(Box<Told>),
    /// Not GitHub's: something to be posted here.
    Posted(Box<Posted>),
}

impl Event {
    /// `None`: the payload does not say what it is about.
    pub fn read(delivery: &Delivery) -> Option<Self> {
        let payload = &delivery.payload;
        Some(match delivery.event.as_str() {
            "issues" => Self::Issue(Box::new(IssueEvent::read(payload)?)),
            "issue_comment" => Self::Comment(Box::new(CommentEvent::read(payload)?)),
            "projects_v2_item" => Self::Item(Box::new(ItemEvent::read(payload)?)),
            "sub_issues" => Self::SubIssue(Box::new(SubIssueEvent::read(payload)?)),
            Told::EVENT => Self::Told(Box::new(Told::read(payload)?)),
            Posted::EVENT => Self::Posted(Box::new(Posted::read(payload)?)),
            _ => return None,
        })
    }

    /// The repository of the item for which a word of our own is meant.
    pub fn addressee(&self) -> Option<&RepoName> {
        match self {
            Self::Told(told) => Some(&told.to.repository),
            Self::Posted(posted) => Some(&posted.to.repository),
            _ => None,
        }
    }

    pub fn sender(&self) -> Option<&Sender> {
        match self {
            Self::Issue(e) => e.sender.as_ref(),
            Self::Comment(e) => e.sender.as_ref(),
            Self::Item(e) => e.sender.as_ref(),
            Self::SubIssue(e) => e.sender.as_ref(),
            Self::Told(e) => Some(&e.sender),
            Self::Posted(_) => None,
        }
    }

    /// The command lines that it brings, and where they were said.
    pub fn commands(&self, bot: UserId, bot_name: &str) -> (Place, Vec<Found>) {
        let name = Some(bot_name);
        if self.actor(bot).is_none() {
            return (Place::Issue, Vec::new()); // nobody's, or our own
        }
        match self {
            Self::Issue(e) if e.action == "opened" && e.arrival.is_none() => {
                (Place::Issue, command::find(&e.issue.issue.body, name))
            }
            Self::Comment(e) => {
                let found = match (e.action.as_str(), &e.body_before) {
                    ("created", _) => command::find(&e.body, name),
                    // Only what the earlier text did not have.
                    ("edited", Some(before)) => command::newly_said(before, &e.body, name),
                    _ => Vec::new(),
                };
                (Place::Comment(e.comment), found)
            }
            Self::Told(e) => {
                let lines = [&e.found].into_iter().chain(&e.also);
                (Place::Elsewhere, lines.cloned().collect())
            }
            _ => (Place::Issue, Vec::new()),
        }
    }

    /// When what it says was said, by GitHub.
    pub fn said_when(&self) -> Option<Timestamp> {
        match self {
            Self::Issue(e) => Some(e.issue.issue.created_at),
            Self::Comment(e) => Some(e.updated_at),
            Self::Told(e) => e.said_at,
            _ => None,
        }
    }

    /// The issue as the event carries it.
    pub fn issue(&self) -> Option<&MirrorIssue> {
        match self {
            Self::Issue(e) => Some(&e.issue),
            Self::Comment(e) => Some(&e.issue),
            _ => None,
        }
    }

    /// The item on which the command lines that it brings were said or, of words of our own, for
    /// which they are meant.
    pub fn said_at(&self) -> Option<(&RepoName, u64)> {
        match self {
            Self::Told(told) => Some((&told.to.repository, told.to.number)),
            _ => self.issue().map(|m| (&m.issue.repository, m.issue.number)),
        }
    }

    /// The repository and the label that somebody else took off, if it shows an attribute.
    pub fn taken_off(&self, bot: UserId, policy: &Policy) -> Option<(&RepoName, &str)> {
        let Self::Issue(event) = self else {
            return None;
        };
        let label = event
            .label
            .as_deref()
            .filter(|_| event.action == "unlabeled")?;
        projection::attribute_of_label(policy, label)?;
        self.actor(bot)?;
        Some((&event.issue.issue.repository, label))
    }

    /// Whoever did it, unless that was ourselves.
    pub fn actor(&self, bot: UserId) -> Option<UserId> {
        self.sender().map(|s| s.id).filter(|id| *id != bot)
    }
}
