//! What rules change of their own accord: a little at once, more only when somebody lets it.

use std::sync::Arc;

use jiff::SignedDuration;
use northstar::clock::ManualClock;
use northstar::sim::example::REPOSITORY;
use northstar::store::HeldPlan;
use northstar::worker::WorkerConfig;

use crate::world::{Setup, World};

const FIRST: &str = r#"
version: 1
organization: 2i2c-org
roles:
  product_lead: { teams: [product-leads] }
attributes:
  kind: { values: [feature, bug], label: "kind/{value}" }
  goal: { values: [research, education], many: true, label: "goal/{value}" }
commands: { kind: product_lead, apply: product_lead }
digest: { id: weekly, every: monday 09:00, timezone: Europe/London, post_to: 2i2c-org/infrastructure#1 }
principles:
  - id: all
    statement: All is looked at.
    rules:
      - id: kind
        set: { kind: feature }
        because: it says so
"#;

const MORE: &str = r"
      - id: goal
        set: { goal: [research] }
        because: it serves research
";

/// Eight requests were triaged, and then the policy changed; the digest's issue is the first.
async fn changed(setup: Setup) -> World {
    let mut world = World::with(Setup {
        policy: Some(FIRST.to_owned()),
        worker: WorkerConfig {
            blast_radius: 3,
            ..setup.worker
        },
        ..setup
    })
    .await;
    assert_eq!(world.open("lea", "Week by week", ""), 1);
    for n in 2..=9 {
        assert_eq!(world.open("ada", "Please add RStudio", ""), n);
    }
    world.settled().await;
    // Whatever somebody's act leads to is written.
    for n in 2..=9 {
        assert_eq!(world.labels(n), ["kind/feature"], "{n}");
    }
    world.stop().await;
    world.setup.policy = Some(format!("{FIRST}{MORE}"));
    world.start().await;
    world
}

impl World {
    async fn plans(&self) -> Vec<HeldPlan> {
        let long_ago = jiff::Timestamp::MIN;
        let store = &self.service().store;
        let plans = store.plans(self.installation, long_ago).await;
        plans.expect("the store")
    }

    async fn told(&self) -> HeldPlan {
        loop {
            self.settled().await;
            if let Some(plan) = self.plans().await.pop()
                && !self.answers(1).is_empty()
            {
                return plan;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    fn with_goal(&self) -> Vec<u64> {
        let has = |n: &u64| self.labels(*n).contains(&"goal/research".to_owned());
        (2..=9).filter(has).collect()
    }

    fn says(&self, who: &str, n: u64, text: &str) {
        self.sim
            .comment(who, REPOSITORY, n, text)
            .expect("a comment");
    }
}

#[tokio::test]
async fn what_a_new_policy_would_change_at_once_waits_for_the_lead() {
    let mut world = changed(Setup::default()).await;
    let plan = world.told().await;
    assert_eq!(world.with_goal().len(), 3, "{plan:?}");
    assert_eq!(plan.items.len(), 5);
    let comment = &world.answers(1)[0];
    assert!(
        comment.contains(&format!("`/apply {}`", plan.id)),
        "{comment}"
    );
    assert!(comment.contains("5 more items"), "{comment}");
    assert!(comment.contains("`label + goal/research`"), "{comment}");

    // Nobody but the lead lets it go, and a name that is not one is none.
    world.says("ada", 1, &format!("/apply {}", plan.id));
    world.says("lea", 1, "/apply zzzzzz");
    world.settled().await;
    assert_eq!(world.with_goal().len(), 3);
    let refused = world.answers(1)[1..].join("\n");
    assert!(refused.contains("product_lead"), "{refused}");
    assert!(refused.contains("no plan of that name waits"), "{refused}");

    // What somebody does goes on.
    let waits = (2..=9).find(|n| !world.with_goal().contains(n));
    let waits = waits.expect("five wait");
    world
        .sim
        .edit_issue(
            "ada",
            REPOSITORY,
            waits,
            Some("Please add RStudio now"),
            None,
        )
        .expect("an edit");
    world.settled().await;
    assert!(world.with_goal().contains(&waits));
    assert_eq!(world.with_goal().len(), 4);

    // A restart changes nothing.
    world.stop().await;
    world.start().await;
    world.settled().await;
    assert_eq!(world.with_goal().len(), 4);

    world.says("lea", 1, &format!("/apply {}", plan.id.to_uppercase()));
    world.settled().await;
    assert_eq!(world.with_goal(), [2, 3, 4, 5, 6, 7, 8, 9]);
    let comment = &world.answers(1)[0];
    assert!(comment.contains("was let go on"), "{comment}");
    let trail = world.audit(1, "command").await;
    assert_eq!(trail.len(), 1, "{trail:#?}");
    world.end().await;
}

/// What was shown is what is let go: a policy that wants something else in the meantime has to
/// ask for that.
#[tokio::test]
async fn only_what_was_shown_and_still_holds_is_written() {
    let mut world = changed(Setup::default()).await;
    let plan = world.told().await;
    world.stop().await;
    let other = FIRST.replace("set: { kind: feature }", "set: { kind: bug }");
    let goals = MORE.replace("[research]", "[research, education]");
    world.setup.policy = Some(format!("{other}{goals}"));
    world.start().await;
    world.settled().await;
    world.says("lea", 1, &format!("/apply {}", plan.id));
    world.settled().await;
    assert_eq!(world.with_goal(), [2, 3, 4, 5, 6, 7, 8, 9]);
    let changed = |n: &u64| world.labels(*n).contains(&"kind/bug".to_owned());
    let changed = (2..=9).filter(changed).count();
    assert!(changed <= 3, "{changed} were changed by what nobody let go");
    world.settled().await;
    assert_eq!(world.plans().await.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_plan_ends_after_seven_days() {
    let clock = ManualClock::new("2026-11-18T12:00:00Z".parse().expect("a time"));
    let world = changed(Setup {
        clock: Arc::new(clock.clone()),
        ..Setup::default()
    })
    .await;
    let rests = async || {
        let soon = std::time::Duration::from_millis(500);
        while tokio::time::timeout(soon, world.settled()).await.is_err() {
            clock.advance(SignedDuration::from_secs(20));
        }
    };
    while world.answers(1).is_empty() {
        rests().await;
        clock.advance(SignedDuration::from_secs(10));
    }
    let plan = world.told().await;
    clock.advance(SignedDuration::from_hours(7 * 24));
    rests().await;
    world.says("lea", 2, &format!("/apply {}", plan.id));
    rests().await;
    assert_eq!(world.with_goal().len(), 3);
    let answers = world.answers(2);
    assert!(answers[0].contains("no plan of that name"), "{answers:?}");
    world.end().await;
}
