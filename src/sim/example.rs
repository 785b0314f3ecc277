//! A small organisation like the one the shipped policy is written for: where the demo's story is
//! set, and most tests.

use jiff::civil::date;

use crate::ids::InstallationId;

use super::{FieldSpec, ProjectSpec, Sim, SimError};

/// Its name.
pub const ORGANIZATION: &str = "2i2c-org";
/// The repository where requests come in.
pub const REPOSITORY: &str = "2i2c-org/infrastructure";
/// Not everybody may see this one.
pub const PRIVATE_REPOSITORY: &str = "2i2c-org/leads";
/// The number of the board where delivery is planned.
pub const BOARD: u64 = 57;

/// The board's columns, in order.
pub const COLUMNS: [&str; 7] = [
    "Upcoming P&S Initiatives",
    "P&S Initiatives in flight",
    "Refined",
    "Up Next",
    "In Progress",
    "In Review/Blocked",
    "Done",
];

/// Fills an empty simulation with the organisation, and installs the App there.
pub fn furnish(sim: &Sim) -> Result<InstallationId, SimError> {
    organization(sim)?;
    sim.install_app(ORGANIZATION)
}

/// The organisation before it heard of the bot: people and teams, repositories, the board.
pub fn organization(sim: &Sim) -> Result<(), SimError> {
    sim.org(ORGANIZATION, 32_515_754);
    // `lea` leads the product, `dev` delivers, `eng` engineers; the others are communities' people.
    sim.add_to_org(ORGANIZATION, &["lea", "pam", "dev", "eng", "sam"])?;
    for (team, members) in [
        ("product-leads", ["lea"].as_slice()),
        ("product-managers", &["pam"]),
        ("delivery-managers", &["dev"]),
        ("engineering-managers", &["eng"]),
        ("support", &["sam"]),
    ] {
        sim.team(ORGANIZATION, team, members)?;
    }
    for login in ["ada", "grace", "alan", "loud-larry"] {
        sim.user(login);
    }
    sim.repository(ORGANIZATION, "infrastructure", false, &LABELS)?;
    sim.repository(ORGANIZATION, "leads", true, &LABELS)?;
    sim.milestone(REPOSITORY, "2026 Q4")?;
    sim.project(ORGANIZATION, board())?;
    Ok(())
}

fn board() -> ProjectSpec {
    let select = FieldSpec::single_select;
    ProjectSpec {
        number: BOARD,
        title: "Delivery".to_owned(),
        fields: vec![
            select("Status", &COLUMNS),
            select(
                "type",
                &[
                    "Feature",
                    "Bug",
                    "Support",
                    "Event",
                    "New hub",
                    "Initiative",
                    "Docs",
                    "Task",
                    "Incident",
                ],
            ),
            select("impact", &["Low", "Medium", "High", "Critical"]),
            select("Unplanned", &["Unplanned", "Emergency"]),
            FieldSpec::Number("Estimate".to_owned()),
            FieldSpec::Date("End date".to_owned()),
            FieldSpec::Text("Notes".to_owned()),
            FieldSpec::Iteration(
                "Iteration".to_owned(),
                vec![
                    ("Iteration 54".to_owned(), date(2026, 11, 11), 14),
                    ("Iteration 55".to_owned(), date(2026, 11, 25), 14),
                ],
            ),
        ],
    }
}

/// Labels that the organisation's repositories have.
const LABELS: [&str; 25] = [
    "kind/feature",
    "kind/bug",
    "kind/support",
    "kind/event",
    "kind/new-hub",
    "kind/initiative",
    "kind/docs",
    "kind/task",
    "kind/incident",
    "goal/platform-automation",
    "goal/scalable-engagement",
    "goal/reliability",
    "goal/co-funding-growth",
    "goal/upstream",
    "goal/research",
    "goal/education",
    "goal/open-source",
    "goal/organization",
    "triage/needs-triage",
    "triage/needs-info",
    "triage/accepted",
    "triage/deferred",
    "triage/declined",
    "support",
    "needs-confirmation",
];
