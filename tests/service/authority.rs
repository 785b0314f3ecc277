//! Who may say a command: other bots, people whose roles cannot be found out, and what a community's
//! word counts for.

use jiff::SignedDuration;
use northstar::sim::example::REPOSITORY;
use northstar::sim::{Fault, FaultKind, When};

use crate::commands::{has, say, signs};
use crate::weather::by_hand;
use crate::world::{Setup, World};

const A_BOT: &str = r#"
version: 1
organization: 2i2c-org
roles:
  product_lead: { teams: [product-leads] }
  helper: { users: ["helper[bot]"] }
  member: { organization: true }
communities:
  - { id: openscapes, name: Openscapes }
  - { id: jupyterhub, name: JupyterHub }
attributes:
  kind: { values: [feature, bug], label: "kind/{value}" }
  triage: { values: { accepted: { verb: accept } }, label: "triage/{value}" }
  cofunded: { values: communities, many: true, label: "co-funded:{value}", internal: true }
commands:
  { kind: helper, triage: product_lead, community: member, cofunded: product_lead, undo: product_lead }
score:
  breadth: { points: demand.communities }
  money: { points: 'size(cofunded) > 0 ? 5 : 0', internal: true }
principles: []
"#;

async fn world() -> (World, u64) {
    let world = World::with(Setup {
        policy: Some(A_BOT.to_owned()),
        ..Setup::default()
    })
    .await;
    for bot in ["helper[bot]", "other[bot]"] {
        world.sim.bot(bot);
    }
    let n = world.open("ada", "Please add RStudio", "");
    world.settled().await;
    (world, n)
}

#[tokio::test]
async fn another_bot_is_heard_only_where_the_policy_gives_it_a_role() {
    let (world, n) = world().await;
    // Whom the policy does not know is not even answered: bots answering bots never end.
    let other = say(&world, "other[bot]", n, "/kind bug\n/help").await;
    assert_eq!(signs(&world, n, other), [""; 0]);
    assert!(world.labels(n).is_empty() && world.answers(n).is_empty());
    for kind in ["command", "refusal"] {
        assert!(world.audit(n, kind).await.is_empty(), "{kind}");
    }
    // Whom it knows may say what its role may, and no more.
    let helper = say(&world, "helper[bot]", n, "/kind bug\n/triage accept").await;
    assert_eq!(signs(&world, n, helper), ["confused"]);
    assert_eq!(world.labels(n), ["kind/bug"]);
    let told = world.answers(n).pop().expect("an answer");
    assert!(told.contains("`product_lead`"), "{told}");
    let said = world.audit(n, "command").await;
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].actor, Some(world.sim.user("helper[bot]")));
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_found_out_is_no_permission() {
    // GitHub fails, refuses, or says that there is no such team.
    for (status, who, signs_at_last) in [
        (502, "ada", "confused"),
        (502, "lea", "+1"),
        (403, "ada", "confused"),
        (403, "lea", "+1"),
        (404, "lea", "confused"),
    ] {
        let story = format!("{who} while GitHub says {status}");
        let (clock, setup) = by_hand();
        let world = World::with(setup).await;
        let n = world.open("ada", "Please add RStudio", "");
        world.weathered(&clock).await;
        clock.advance(SignedDuration::from_mins(11)); // what is known of teams is too old
        world.sim.fault(Fault {
            when: When::rest("GET", "/teams/product-leads/members"),
            times: 2,
            kind: FaultKind::Status(status, Vec::new()),
        });
        let said = world.sim.comment(who, REPOSITORY, n, "/triage accept");
        let said = said.expect("a comment");
        let failed = |world: &World| {
            let mut asked = world.sim.requests().into_iter();
            asked.any(|r| r.path.ends_with("/product-leads/members") && r.status == Some(status))
        };
        while !failed(&world) {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        assert!(!has(&world, n, "triage/accepted"), "{story}");
        world.weathered(&clock).await;
        assert_eq!(signs(&world, n, said), [signs_at_last], "{story}");
        let done = has(&world, n, "triage/accepted");
        assert_eq!(done, signs_at_last == "+1", "{story}");
        let lines = world.audit(n, "command").await.len() + world.audit(n, "refusal").await.len();
        assert_eq!(lines, 1, "{story}");
        world.sim.clear_faults();
        world.end().await;
    }
}

#[tokio::test]
async fn communities_and_their_money_count_as_they_are_said() {
    let (world, n) = world().await;
    let score = async || {
        let before = world.answers(n).len();
        say(&world, "ada", n, "/score").await;
        let answers = world.answers(n);
        assert_eq!(answers.len(), before + 1, "{answers:?}");
        answers.last().expect("a score").clone()
    };
    say(
        &world,
        "sam",
        n,
        "/community add openscapes\n/community add jupyterhub",
    )
    .await;
    let told = score().await;
    assert!(told.contains("| breadth | 1 | 2 | 2 |"), "{told}");
    say(
        &world,
        "sam",
        n,
        "/community remove jupyterhub they have another",
    )
    .await;
    let told = score().await;
    assert!(told.contains("| breadth | 1 | 1 | 1 |"), "{told}");
    say(&world, "lea", n, "/undo").await;
    let told = score().await;
    assert!(told.contains("| breadth | 1 | 2 | 2 |"), "{told}");

    // Who pays is for those who may say so, and is not told in public.
    let no = say(&world, "sam", n, "/cofund openscapes").await;
    assert_eq!(signs(&world, n, no), ["confused"]);
    let yes = say(&world, "lea", n, "/cofund openscapes they signed").await;
    assert_eq!(signs(&world, n, yes), ["+1"]);
    let last = world.ledger(n, "cofunded").await.pop().expect("an entry");
    assert_eq!(
        (last.value.to_string(), last.reason.as_str()),
        ("openscapes".to_owned(), "they signed")
    );
    let told = score().await;
    assert!(!told.contains("money"), "{told}");
    assert!(world.labels(n).is_empty(), "it is internal");
    world.end().await;
}
