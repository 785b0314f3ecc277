//! Large organisations, measured: the weekly summary over 20,000 issues and a year, a cap decision
//! over 5,000 rows, and what the service takes with 50,000 issues in its store. Prints; asserts
//! nothing. Run by `make bench`.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use northstar::digest;
use northstar::ids::{InstallationId, ItemId, RepoName, RepositoryId, UserId};
use northstar::insight::digest::Place as Where;
use northstar::policy::{self, Policy};
use northstar::policy_folder;
use northstar::sim::example::{self, ORGANIZATION};
use northstar::sim::{Sim, SimConfig};
use northstar::store::sqlite::SqliteStore;
use northstar::store::{
    ActKey, Alias, Finish, Found, Happened, Happening, ItemChanges, LaneKey, MirrorIssue, Store,
};
use northstar::triage::attribute::AttributeValue;
use northstar::triage::board::{Board, Place, Row, judge};
use northstar::triage::ledger::{Act, LedgerEntry, Rank};
use northstar::triage::snapshot::Issue;

/// As in the service.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const ISSUES: u64 = 20_000;
const MANY_ISSUES: u64 = 50_000;
const ROWS: u64 = 5_000;
const RUNS: usize = 5;
const BATCH: u64 = 1_000;
const REPOSITORY: RepositoryId = RepositoryId(42);

fn main() {
    // `cargo bench -- --list` and the like ask for names.
    if std::env::args().any(|a| a == "--list") {
        return;
    }
    let policy = shipped();
    caps(&policy);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let url = format!("sqlite:{}", directory.path().join("n.db").display());
        let sim = Sim::new(SimConfig::default()).expect("a simulated GitHub");
        let installation = example::furnish(&sim).expect("the example organisation");
        let store = SqliteStore::open(&url).await.expect("a store");
        fill(&store, installation, 0..ISSUES).await;
        weekly(&store, installation, &policy).await;
        fill(&store, installation, ISSUES..MANY_ISSUES).await;
        store.close().await;
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let github = sim.serve(address).await.expect("a simulated GitHub");
        resident(&github.url, &sim, &url, directory.path()).await;
    });
}

fn shipped() -> Policy {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
    let sources = policy_folder::read(folder.as_ref()).expect("the shipped policy");
    policy::load(&sources).expect("the shipped policy is sound")
}

fn now() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().expect("a time")
}

/// The instant at which an issue was opened: spread over a year.
fn opened(n: u64) -> Timestamp {
    let hours = i64::try_from(n % 8_700).expect("small");
    now() - SignedDuration::from_hours(8_750 - hours)
}

fn issue(n: u64) -> MirrorIssue {
    let open = n.is_multiple_of(4);
    let kinds = ["feature", "task", "support", "docs"];
    let goals = ["research", "reliability", "platform-automation"];
    let at = opened(n);
    let pick = |from: &[&str]| from[usize::try_from(n).expect("small") % from.len()].to_owned();
    MirrorIssue {
        repository_id: REPOSITORY,
        node_id: format!("I_{n}"),
        author: UserId(1_000 + n % 300),
        author_login: format!("user-{}", n % 300),
        author_is_bot: false,
        issue: Issue {
            repository: RepoName {
                owner: ORGANIZATION.to_owned(),
                name: "infrastructure".to_owned(),
            },
            number: n + 1,
            title: format!("Request {n}: something that somebody needs for their course"),
            body: "Our researchers write papers and want reproducible datasets. ".repeat(12),
            labels: vec![
                format!("kind/{}", pick(&kinds)),
                format!("goal/{}", pick(&goals)),
                if open {
                    "triage/needs-triage"
                } else {
                    "triage/accepted"
                }
                .to_owned(),
            ],
            milestone: String::new(),
            open,
            state_reason: if open { "" } else { "completed" }.to_owned(),
            issue_type: String::new(),
            created_at: at,
            updated_at: at + SignedDuration::from_hours(60),
            closed_at: (!open).then(|| at + SignedDuration::from_hours(60)),
            comments: 3,
            reactions: 1,
            private: n.is_multiple_of(50),
            parent: String::new(),
            sub_issues: 0,
            assignees: Vec::new(),
        },
        stale: false,
        written_over: None,
        boards_read_at: Some(at),
    }
}

fn said(n: u64, hours: i64, attribute: &str, value: &str, rank: Rank) -> (ActKey, LedgerEntry) {
    let entry = LedgerEntry {
        attribute: attribute.to_owned(),
        act: Act::Set,
        rank,
        value: AttributeValue::One(value.to_owned()),
        at: opened(n) + SignedDuration::from_hours(hours),
        by: (rank > Rank::Rule).then_some(UserId(7)),
        cause: "bench".to_owned(),
        reason: "it fits".to_owned(),
        told_in: None,
        until: None,
        said_at: None,
    };
    (ActKey(format!("{n}:{attribute}:{hours}")), entry)
}

fn found(n: u64) -> Found {
    let issue = issue(n);
    let at = |hours: i64| opened(n) + SignedDuration::from_hours(hours);
    let moved = |hours: i64, from: &str, to: &str| {
        let what = Happened::Field {
            board: "delivery".to_owned(),
            field: "Status".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            entered_at: Some(at(hours)),
        };
        (
            at(hours),
            Happening {
                at: at(hours),
                what,
            },
        )
    };
    let mut history = vec![(
        at(0),
        Happening {
            at: at(0),
            what: Happened::Opened,
        },
    )];
    history.push(moved(4, "", "Up Next"));
    history.push(moved(10, "Up Next", "In Progress"));
    if !issue.issue.open {
        history.push(moved(50, "In Progress", "Done"));
        let reason = "completed".to_owned();
        let what = Happened::Closed { reason };
        history.push((at(60), Happening { at: at(60), what }));
    }
    let number = Alias::Number(REPOSITORY, n + 1);
    Found {
        aliases: vec![number, Alias::Node(format!("I_{n}"))],
        changes: ItemChanges {
            issue: Some(issue),
            ledger: vec![
                said(n, 1, "kind", "feature", Rank::Rule),
                said(n, 1, "triage", "needs-triage", Rank::Rule),
                said(n, 30, "triage", "accepted", Rank::Command),
            ],
            history,
            places: BTreeMap::from([("PVT_bench".to_owned(), Some((None, place(n))))]),
            ..ItemChanges::default()
        },
    }
}

async fn fill(store: &SqliteStore, installation: InstallationId, range: std::ops::Range<u64>) {
    let started = Instant::now();
    let lane = LaneKey::Board("bench".to_owned());
    let count = range.end - range.start;
    for first in range.step_by(usize::try_from(BATCH).expect("small")) {
        let at = Timestamp::now();
        store.wake(installation, &lane, at).await.expect("woken");
        let lease = store.claim("bench", at, SignedDuration::from_mins(5));
        let lease = lease.await.expect("a store").expect("a lease");
        let batch = (first..first + BATCH).map(found).collect();
        store.learn(&lease, batch).await.expect("learned");
        let finish = Finish::default();
        store.finish(&lease, finish).await.expect("finished");
    }
    println!("{count} issues put in the store: {:?}", started.elapsed());
}

/// The digest of the shipped policy, from the rows to the comment.
async fn weekly(store: &SqliteStore, installation: InstallationId, policy: &Policy) {
    let schedule = digest::schedule(&policy.digests[0]).expect("a schedule");
    let slot = schedule.newest(now());
    let place = Where {
        repository: RepoName {
            owner: ORGANIZATION.to_owned(),
            name: "product".to_owned(),
        },
        repository_id: None,
        private: false,
    };
    for _ in 0..RUNS {
        let started = Instant::now();
        let past = store.past(installation).await.expect("the past");
        let read = started.elapsed();
        let made = digest::of_slot(
            policy,
            &policy.digests[0],
            (&schedule, &slot),
            &place,
            &past,
            &[],
        );
        let figured = started.elapsed();
        let gathering = Instant::now();
        drop(digest::gather(
            policy,
            &policy.digests[0],
            &past,
            &slot,
            &place,
        ));
        let gathered = gathering.elapsed();
        let text = made.markdown();
        println!(
            "digest over {} issues, {} events: {:?} in all (rows {read:?}, figures {:?}, of it \
             gathering {gathered:?}, text {:?}); {} characters",
            past.issues.len(),
            past.history.len() + past.ledger.values().map(Vec::len).sum::<usize>(),
            started.elapsed(),
            figured.checked_sub(read).unwrap_or_default(),
            started.elapsed().checked_sub(figured).unwrap_or_default(),
            text.chars().count()
        );
    }
}

fn place(n: u64) -> Place {
    let columns = [
        "Up Next",
        "In Progress",
        "P&S Initiatives in flight",
        "Done",
    ];
    let at = usize::try_from(n).expect("small");
    Place {
        name: format!("{ORGANIZATION}/infrastructure#{}", n + 1),
        title: format!("Request {n}"),
        on_board: true,
        open: n.is_multiple_of(4),
        column: columns[at / 4 % columns.len()].to_owned(),
        came_from: Some("Up Next".to_owned()),
        entered_at: Some(opened(n)),
        ..Place::default()
    }
}

/// All gates and caps of a board, with every row an entry.
fn caps(policy: &Policy) {
    let rows: Vec<Row> = (0..ROWS)
        .map(|n| Row {
            item: ItemId(n),
            place: place(n),
            standing: None,
        })
        .collect();
    let columns: Vec<String> = policy.boards["delivery"].columns().to_vec();
    let since = BTreeMap::from([
        ("initiatives-in-flight".to_owned(), Timestamp::UNIX_EPOCH),
        (
            "only-accepted-work-starts".to_owned(),
            Timestamp::UNIX_EPOCH,
        ),
    ]);
    let board = Board {
        policy,
        id: "delivery",
        now: now(),
        columns: &columns,
        rows: &rows,
        since: &since,
    };
    for _ in 0..RUNS {
        let started = Instant::now();
        let decision = judge(&board);
        println!(
            "gates and caps over {ROWS} rows: {:?}, {} not let in",
            started.elapsed(),
            decision.entries.len()
        );
    }
}

/// What the service takes on a store of that size.
async fn resident(github: &str, sim: &Sim, store: &str, directory: &std::path::Path) {
    let key = directory.join("key.pem");
    std::fs::write(&key, sim.private_key_pem()).expect("a key file");
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a free port")
        .port();
    let mut child: Child = Command::new(env!("CARGO_BIN_EXE_northstar"))
        .arg("serve")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("NORTHSTAR__SERVER__LISTEN", format!("127.0.0.1:{port}"))
        .env("NORTHSTAR__WEBHOOK__SECRETS", "bench")
        .env("NORTHSTAR__GITHUB__API_URL", github)
        .env("NORTHSTAR__GITHUB__APP_ID", "4711")
        .env("NORTHSTAR__GITHUB__PRIVATE_KEY_FILE", &key)
        .env("NORTHSTAR__STORE__URL", store)
        .env("NORTHSTAR__ORGANIZATION", ORGANIZATION)
        .stderr(Stdio::null())
        .spawn()
        .expect("the service starts");
    let memory = |name: &str| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let line = status.ok().and_then(|s| {
            let mut lines = s.lines();
            lines.find_map(|l| l.strip_prefix(name).map(|l| l.trim().to_owned()))
        });
        line.unwrap_or_else(|| "?".to_owned())
    };
    tokio::time::sleep(Duration::from_secs(8)).await;
    println!(
        "{MANY_ISSUES} issues in the store: resident {}, at most {} (a look at the digest included)",
        memory("VmRSS:"),
        memory("VmHWM:")
    );
    // A bench that cannot end its child has nothing better to do about it.
    let _ = child.kill();
    let _ = child.wait();
}
