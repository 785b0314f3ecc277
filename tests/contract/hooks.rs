//! Every webhook of the simulation against GitHub's description of it.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::HeaderMap;
use northstar::sim::Sim;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::published::webhooks::{EXCEPTIONS, Webhooks, exception};
use crate::world::{BOARD, ORG, REPO, seeded};

/// A webhook as it arrived.
#[derive(Clone, Debug)]
struct Arrived {
    event: String,
    headers: HeaderMap,
    payload: Value,
}

impl Arrived {
    fn name(&self) -> String {
        let action = self.payload["action"].as_str().unwrap_or_default();
        format!("{}.{action}", self.event)
    }
}

type Shelf = Arc<Mutex<Vec<Arrived>>>;

async fn arrive(State(shelf): State<Shelf>, headers: HeaderMap, body: Bytes) {
    let event = headers
        .get("x-github-event")
        .and_then(|value| value.to_str().ok());
    shelf.lock().expect("the shelf").push(Arrived {
        event: event.unwrap_or_default().to_owned(),
        payload: serde_json::from_slice(&body).expect("JSON"),
        headers,
    });
}

/// Does everything people can do there.
fn everything_happens(sim: &Sim) {
    let out = "outsider";
    let all = || -> Result<(), northstar::sim::SimError> {
        sim.ping();
        sim.push("ada", REPO, &[("a/b.txt", Some("text")), ("c", None)])?;
        sim.install_app(ORG)?;
        let one = sim.open_issue(out, REPO, "A widget", "It breaks.", &["bug", "new on use"])?;
        let two = sim.open_issue("ada", REPO, "A part", "", &[])?;
        // What the App does itself is told too.
        let own = sim.open_issue("northstar[bot]", REPO, "A summary", "", &[])?;
        sim.comment("northstar[bot]", REPO, own, "Hello")?;
        sim.edit_issue(
            out,
            REPO,
            one,
            Some("A better widget"),
            Some("It breaks often."),
        )?;
        sim.add_label("ada", REPO, one, "kind/feature")?;
        sim.remove_label("ada", REPO, one, "bug")?;
        sim.set_milestone("ada", REPO, one, Some("1.0"))?;
        sim.set_milestone("ada", REPO, one, None)?;
        sim.set_type("ada", REPO, one, Some("Bug"))?;
        sim.set_type("ada", REPO, one, None)?;
        sim.set_type("ada", REPO, one, Some("Feature"))?;
        sim.add_sub_issue("ada", (REPO, one), (REPO, two))?;
        let comment = sim.comment(out, REPO, one, "Please")?;
        sim.react("ada", comment, "+1")?;
        sim.react_to_issue("ada", REPO, one, "eyes")?;
        sim.edit_comment(out, comment, "Please!")?;
        sim.delete_comment("ada", comment)?;
        sim.close("ada", REPO, one, true)?;
        sim.reopen("ada", REPO, one)?;
        sim.close("ada", REPO, one, false)?;
        sim.create_label("ada", REPO, "support")?;
        sim.delete_label("ada", REPO, "support")?;
        sim.add_to_project("ada", BOARD, REPO, one)?;
        sim.add_to_project("ada", BOARD, REPO, two)?;
        sim.add_draft("ada", BOARD, "An idea")?;
        sim.add_draft("ada", BOARD, "A thought")?;
        sim.convert_draft("ada", BOARD, "A thought", REPO)?;
        for (field, values) in [
            ("Status", ["Todo", "Done"]),
            ("Note", ["short", "longer"]),
            ("Estimate", ["3", "5"]),
            ("Due", ["2026-12-01", "2026-12-24"]),
            ("Sprint", ["Sprint 1", "Sprint 2"]),
        ] {
            for value in [values[0], values[1], ""] {
                sim.set_field("ada", BOARD, (REPO, one), field, value)?;
            }
        }
        sim.to_top("ada", BOARD, (REPO, two))?;
        sim.archive("ada", BOARD, (REPO, one), true)?;
        sim.archive("ada", BOARD, (REPO, one), false)?;
        sim.delete_item("ada", BOARD, (REPO, one))?;
        sim.team_member("ada", (ORG, "product-leads"), "grace", true)?;
        sim.team_member("ada", (ORG, "product-leads"), "grace", false)?;
        sim.delete_issue("ada", REPO, two)?;
        sim.comment(out, REPO, one, "Where does it go?")?;
        sim.transfer("ada", REPO, one, "acme/hidden")?;
        sim.repository(ORG, "parts", false, &["bug"])?;
        let three = sim.open_issue("ada", "acme/parts", "A part", "It breaks.", &["bug"])?;
        sim.transfer("ada", "acme/parts", three, REPO)?;
        Ok(())
    };
    all().expect("everything may happen");
}

async fn captured() -> Vec<Arrived> {
    let shelf = Shelf::default();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new()
        .route("/", post(arrive))
        .with_state(Arc::clone(&shelf));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let (sim, _, _) = seeded();
    sim.send_webhooks_to(&format!("http://{address}/"));
    everything_happens(&sim);
    sim.settled().await;
    let arrived = shelf.lock().expect("the shelf").clone();
    assert_eq!(
        arrived.len(),
        sim.deliveries().iter().filter(|d| d.sent > 0).count()
    );
    arrived
}

#[tokio::test]
async fn every_webhook_is_as_github_describes_it() {
    let arrived = captured().await;
    let mut said = BTreeSet::new();
    let mut excepted = BTreeSet::new();
    for webhook in &arrived {
        for problem in Webhooks::get().check_strictly(&webhook.event, &webhook.payload) {
            excepted.extend(exception(&webhook.event, &problem).map(|known| known.path));
        }
        for problem in Webhooks::get().check(&webhook.event, &webhook.payload) {
            said.insert(format!("{}: {problem}", webhook.name()));
        }
        let action = webhook.payload["action"].as_str();
        let wanted = Webhooks::get().headers(&webhook.event, action);
        assert!(!wanted.is_empty(), "{}", webhook.name());
        for name in wanted {
            if !webhook.headers.contains_key(name) {
                said.insert(format!("{}: header {name} is missing", webhook.name()));
            }
        }
    }
    let said: Vec<String> = said.into_iter().collect();
    assert!(said.is_empty(), "{}", said.join("\n"));
    for known in EXCEPTIONS {
        let needed = excepted.contains(known.path);
        assert!(
            needed,
            "the exception is no longer needed: {} ({})",
            known.path, known.reason
        );
    }
    // None was left out: whatever the simulation has a name for was sent.
    let names: BTreeSet<String> = arrived.iter().map(Arrived::name).collect();
    for name in [
        "ping.",
        "installation.created",
        "issues.opened",
        "issues.edited",
        "issues.labeled",
        "issues.unlabeled",
        "issues.milestoned",
        "issues.demilestoned",
        "issues.typed",
        "issues.untyped",
        "issues.closed",
        "issues.reopened",
        "issues.deleted",
        "issues.transferred",
        "issue_comment.created",
        "issue_comment.edited",
        "issue_comment.deleted",
        "sub_issues.sub_issue_added",
        "label.created",
        "label.deleted",
        "membership.added",
        "membership.removed",
        "projects_v2_item.created",
        "projects_v2_item.edited",
        "projects_v2_item.reordered",
        "projects_v2_item.archived",
        "projects_v2_item.restored",
        "projects_v2_item.deleted",
    ] {
        assert!(names.contains(name), "{name} was not sent: {names:?}");
    }
}

#[tokio::test]
async fn a_required_field_dropped_from_any_webhook_is_seen_with_its_path() {
    let arrived = captured().await;
    let mut checked = BTreeSet::new();
    let mut dropped = 0;
    for webhook in &arrived {
        if !checked.insert(webhook.name()) {
            continue;
        }
        let action = webhook.payload["action"].as_str().unwrap_or_default();
        let described = Webhooks::get();
        let top = match described.schema(&webhook.event, action) {
            Some(schema) => described.schemas().resolve(schema)["required"].clone(),
            None => continue,
        };
        for key in top
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            let mut broken = webhook.payload.clone();
            broken.as_object_mut().expect("an object").remove(key);
            // Without its action it is another webhook, and named as such.
            let said = Webhooks::get().check(&webhook.event, &broken);
            assert!(!said.is_empty(), "{}: nobody misses {key}", webhook.name());
            let named = said
                .iter()
                .any(|problem| problem.what.contains(&format!("\"{key}\"")));
            assert!(
                named || key == "action",
                "{}: {key}: {said:?}",
                webhook.name()
            );
            dropped += 1;
        }
    }
    assert!(dropped > 50, "only {dropped} fields were dropped");
    // One level down, with the path.
    let issue = arrived
        .iter()
        .find(|webhook| webhook.name() == "issues.labeled");
    let mut broken = issue.expect("a label").payload.clone();
    broken["issue"]["user"]
        .as_object_mut()
        .expect("a user")
        .remove("login");
    let said = Webhooks::get().check("issues", &broken);
    assert!(
        said.iter()
            .any(|p| p.path == "/issue/user" && p.what.contains("\"login\"")),
        "{said:?}"
    );
    broken["issue"]["usr"] = Value::Null;
    let said = Webhooks::get().check("issues", &broken);
    assert!(
        said.iter().any(|problem| problem.path == "/issue/usr"),
        "{said:?}"
    );
}
