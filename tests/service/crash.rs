//! The real program, killed under load, again and again.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use northstar::ids::InstallationId;
use northstar::sim::example::{self, BOARD, ORGANIZATION, REPOSITORY};
use northstar::sim::{Limits, Sim, SimConfig};
use northstar::store::Store;
use northstar::store::sqlite::SqliteStore;
use sqlx::{Connection, SqliteConnection};

use crate::weather::REQUEST;
use crate::world::{SECRET, as_github_has_it};

/// One comment and one row each: within the 80 pieces of content a minute that the program allows
/// itself.
const REQUESTS: u64 = 32;
const KILLS: u64 = 5;
/// The program waits fifteen seconds before it asks what became of an uncertain write.
const PATIENCE: Duration = Duration::from_secs(120);

/// The running program; killed when dropped.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill(); // may have ended by itself
        let _ = self.child.wait();
    }
}

impl Program {
    async fn start(github: &str, address: SocketAddr, directory: &Path) -> Self {
        let mut program = Self::spawn(github, address, directory);
        program.listens().await;
        program
    }

    fn spawn(github: &str, address: SocketAddr, directory: &Path) -> Self {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(directory.join("log"))
            .expect("a log");
        let store = store_url(directory);
        let child = Command::new(env!("CARGO_BIN_EXE_northstar"))
            .arg("serve")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("NORTHSTAR__SERVER__LISTEN", address.to_string())
            .env("NORTHSTAR__WEBHOOK__SECRETS", SECRET)
            .env("NORTHSTAR__GITHUB__API_URL", github)
            .env(
                "NORTHSTAR__GITHUB__APP_ID",
                SimConfig::default().app_id.to_string(),
            )
            .env(
                "NORTHSTAR__GITHUB__PRIVATE_KEY_FILE",
                directory.join("key.pem"),
            )
            .env("NORTHSTAR__STORE__URL", store)
            .env("NORTHSTAR__ORGANIZATION", format!("{ORGANIZATION}=rules"))
            .env("NORTHSTAR__POLICY__MODE", "enforce")
            .env("NORTHSTAR__LIMITS__WRITE_GAP_MS", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        Self { child, address }
    }

    /// Does it listen to the signal by which init systems ask? (Bit 15 of what it catches.)
    fn hears_the_signal(&self) -> bool {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).expect("a process");
        let caught = status.lines().find_map(|l| l.strip_prefix("SigCgt:"));
        let caught = u64::from_str_radix(caught.expect("signals").trim(), 16);
        caught.expect("a mask") & (1 << 14) != 0
    }

    async fn listens(&mut self) {
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(self.address).await.is_err() {
            let ended = self.child.try_wait().expect("a process");
            assert!(ended.is_none(), "the program ended: {ended:?}");
            assert!(begun.elapsed() < PATIENCE, "the program does not listen");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// As the power goes.
    fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("reaped");
    }

    /// As init systems do.
    async fn stop(self) {
        self.ask();
        self.ends().await;
    }

    fn ask(&self) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .expect("kill");
        assert!(asked.success());
    }

    async fn ends(mut self) {
        let begun = Instant::now();
        loop {
            if let Some(ended) = self.child.try_wait().expect("a process") {
                assert!(ended.success(), "the program ended with {ended}");
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "the program does not stop");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn store_url(directory: &Path) -> String {
    format!("sqlite:{}", directory.join("n.db").display())
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address")
}

/// A pause of up to so many milliseconds, different each time (a splitmix step).
fn random_pause(state: &mut u64, most: u64) -> Duration {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Duration::from_millis((mixed ^ (mixed >> 31)) % most)
}

fn answers(sim: &Sim, n: u64) -> usize {
    let issue = sim.issue(REPOSITORY, n).expect("the issue");
    let ours = issue
        .comments
        .iter()
        .filter(|c| c.author == "northstar[bot]");
    ours.count()
}

fn is_triaged(sim: &Sim, n: u64) -> bool {
    let issue = sim.issue(REPOSITORY, n).expect("the issue");
    let has = |label: &str| issue.labels.iter().any(|l| l == label);
    let card = sim.card(ORGANIZATION, BOARD, REPOSITORY, n);
    has("kind/feature")
        && has("triage/needs-triage")
        && (has("goal/research") || has("goal/education"))
        && card.is_some_and(|card| {
            card.fields.get("type").map(String::as_str) == Some("Feature")
                && card.fields.get("impact").map(String::as_str) == Some("Medium")
        })
        && answers(sim, n) > 0
}

/// Everything that was acknowledged, by GUID.
fn acknowledged(sim: &Sim, installation: InstallationId) -> Vec<String> {
    let deliveries = sim.deliveries().into_iter();
    let ours =
        deliveries.filter(|d| d.status == Some(202) && d.installation == Some(installation.0));
    ours.map(|d| d.guid).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_it_goes_on_where_it_was() {
    let sim = Sim::new(SimConfig {
        webhook_secret: SECRET.to_owned(),
        limits: Limits {
            // Each start of the program counts anew.
            secondary: false,
            ..Limits::default()
        },
        ..SimConfig::default()
    })
    .expect("a simulated GitHub");
    let installation = example::furnish(&sim).expect("the example organisation");
    let github = sim
        .serve("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("it listens");
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("key.pem"), sim.private_key_pem()).expect("a key");
    let address = free_address();
    sim.send_webhooks_to(&format!("http://{address}/github/webhook"));
    let mut random = u64::from(std::process::id());
    println!("random pauses begin with {random}");

    let mut program = Program::start(&github.url, address, directory.path()).await;
    let load = tokio::spawn({
        let sim = sim.clone();
        async move {
            let mut opened = Vec::new();
            for i in 0..REQUESTS {
                let title = format!("Please add tool {i}");
                let n = sim
                    .open_issue("ada", REPOSITORY, &title, REQUEST, &[])
                    .expect("an issue");
                opened.push(n);
                tokio::time::sleep(Duration::from_millis(60)).await;
                if i % 4 == 3 {
                    sim.add_label("lea", REPOSITORY, n, "goal/education")
                        .expect("a label");
                }
            }
            opened
        }
    });
    for _ in 0..KILLS {
        tokio::time::sleep(random_pause(&mut random, 700)).await;
        program.kill();
        tokio::time::sleep(random_pause(&mut random, 100)).await;
        program = Program::start(&github.url, address, directory.path()).await;
    }
    let opened = load.await.expect("the load");

    let begun = Instant::now();
    let log = || std::fs::read_to_string(directory.path().join("log")).unwrap_or_default();
    while let Some(n) = opened.iter().find(|n| !is_triaged(&sim, **n)) {
        assert!(
            begun.elapsed() < PATIENCE,
            "never triaged: {:#?}\n{}",
            sim.issue(REPOSITORY, *n),
            log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // What was written last comes back as webhooks, and the journal closes.
    let store_url = store_url(directory.path());
    loop {
        sim.settled().await;
        let store = SqliteStore::open(&store_url)
            .await
            .expect("opens beside it");
        let counts = store.counts().await.expect("counts");
        store.close().await;
        if counts.pending + counts.wants_write + counts.unsettled == 0 {
            break;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "never settled: {counts:?}\n{}",
            log()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    program.stop().await;

    let store = SqliteStore::open(&store_url).await.expect("opens");
    let acknowledged = acknowledged(&sim, installation);
    assert!(acknowledged.len() >= opened.len());
    let seen = store
        .seen(installation, &acknowledged)
        .await
        .expect("reads");
    let lost: Vec<_> = acknowledged.iter().filter(|g| !seen.contains(*g)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let counts = store.counts().await.expect("counts");
    assert_eq!(
        (counts.pending, counts.dead, counts.unsettled),
        (0, 0, 0),
        "{}",
        log()
    );
    store.close().await;

    for (i, n) in opened.iter().enumerate() {
        assert!(is_triaged(&sim, *n), "{:#?}", sim.issue(REPOSITORY, *n));
        assert_eq!(answers(&sim, *n), 1, "one comment on #{n}\n{}", log());
        let labels = sim.issue(REPOSITORY, *n).expect("the issue").labels;
        if i % 4 == 3 {
            assert!(labels.iter().any(|l| l == "goal/education"), "{labels:?}");
        } else {
            assert!(labels.iter().any(|l| l == "goal/research"), "{labels:?}");
        }
    }
    as_github_has_it(&sim);
}

/// Its store is not to be had, and the first process of a container is ended by no signal that it
/// does not listen to.
#[tokio::test]
async fn who_is_asked_to_stop_while_it_starts_stops() {
    let directory = tempfile::tempdir().expect("a directory");
    let sim = Sim::new(SimConfig::default()).expect("a simulated GitHub");
    std::fs::write(directory.path().join("key.pem"), sim.private_key_pem()).expect("a key");
    let url = format!("{}?mode=rwc", store_url(directory.path()));
    let mut other = SqliteConnection::connect(&url).await.expect("a database");
    let locked = sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await;
    locked.expect("locked");

    let program = Program::spawn("http://127.0.0.1:9", free_address(), directory.path());
    let begun = Instant::now();
    while !program.hears_the_signal() {
        assert!(begun.elapsed() < PATIENCE, "it hears no signal");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    program.ask();
    other.close().await.expect("unlocked");
    program.ends().await;
}
