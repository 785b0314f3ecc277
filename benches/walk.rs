//! The walk, measured: from a delivery to the first write, requests per triaged item, and what the
//! process costs. Prints; asserts nothing. Run by `make bench`.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use northstar::clock::SystemClock;
use northstar::github::Pacing;
use northstar::service::{Options, Running};
use northstar::settings::{LogFormat, OrganizationSettings, Settings};
use northstar::sim::example::{self, ORGANIZATION, REPOSITORY};
use northstar::sim::{Sim, SimConfig, SimServer};
use northstar::store::AuditQuery;
use northstar::triage::decision::Mode;
use northstar::worker::{PolicySource, WorkerConfig};
use northstar::{policy, policy_folder};

/// Requests opened one at a time, each triaged before the next.
const REQUESTS: usize = 60;

const BODY: &str = "### Ticket request type\n\nFeature Request\n\n### Ticket impact\n\nMedium\n\n\
                    ### Description\n\nOur researchers write papers.";

fn main() {
    // `cargo bench -- --list` and the like ask for names.
    if std::env::args().any(|a| a == "--list") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        walk().await;
        process().await;
    });
}

struct Stage {
    sim: Sim,
    github: SimServer,
    directory: tempfile::TempDir,
}

impl Stage {
    async fn new() -> Self {
        let sim = Sim::new(SimConfig::default()).expect("a simulated GitHub");
        example::furnish(&sim).expect("the example organisation");
        let github = sim
            .serve(SocketAddr::from(([127, 0, 0, 1], 0)))
            .await
            .expect("the simulated GitHub listens");
        // On the disk of the target folder, not in a memory file system.
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        Self {
            sim,
            github,
            directory,
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            webhook_secrets: vec![SimConfig::default().webhook_secret.into()],
            api_url: self.github.url.clone(),
            app_id: SimConfig::default().app_id,
            private_key: self.sim.private_key_pem().into(),
            store_url: format!("sqlite:{}", self.directory.path().join("n.db").display()),
            organizations: vec![OrganizationSettings {
                login: ORGANIZATION.to_owned(),
                policy: northstar::policy_place::PolicyPlace::default(),
            }],
            mode: Mode::Enforce,
            blast_radius: usize::MAX,
            strict_limits: false,
            write_gap: Duration::ZERO,
            log_format: LogFormat::Text,
        }
    }
}

async fn settled(sim: &Sim, service: &Running) {
    loop {
        sim.settled().await;
        let before = sim.deliveries().len();
        let counts = service.store.counts().await.expect("counts");
        if counts.pending == 0 && counts.wants_write == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if sim.deliveries().len() == before {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn walk() {
    let stage = Stage::new().await;
    let sim = &stage.sim;
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rules");
    let sources = policy_folder::read(&folder).expect("the shipped policy");
    let policy = policy::load(&sources).expect("a sound policy");
    let service = Running::start(
        &stage.settings(),
        vec![PolicySource::here(
            ORGANIZATION,
            Arc::new(policy.with_mode(Mode::Enforce)),
            "bench".to_owned(),
        )],
        Options {
            clock: Arc::new(SystemClock),
            pacing: Pacing {
                min_gap: Duration::ZERO,
                content_per_minute: u32::MAX,
                content_per_hour: u32::MAX,
                strict: false,
            },
            worker: WorkerConfig::default(),
        },
    )
    .await
    .expect("the service starts");
    sim.limit(northstar::sim::Limits {
        secondary: false,
        ..northstar::sim::Limits::default()
    });
    sim.send_webhooks_to(&format!("http://{}/github/webhook", service.address));

    let (mut latencies, mut last) = (Vec::new(), (0, 0));
    for n in 0..REQUESTS {
        sim.forget_requests();
        let seen = sim.deliveries().len();
        let title = format!("Please add dataset viewer {n}");
        sim.open_issue("ada", REPOSITORY, &title, BODY, &[])
            .expect("an issue");
        settled(sim, &service).await;
        let sent = sim.deliveries()[seen].at;
        let writes = sim.writes();
        if let Some(first) = writes.first() {
            latencies.push(first.at.duration_since(sent));
        }
        last = (writes.len(), sim.requests().len() - writes.len());
    }
    // The first one also reads the vocabulary.
    let mut warm = latencies.split_off(1);
    warm.sort();
    println!("delivery to first write, idle ({REQUESTS} requests one at a time):");
    println!(
        "  first {:?}, then p50 {:?}, p99 {:?}",
        latencies[0],
        warm[warm.len() / 2],
        warm[warm.len() * 99 / 100]
    );
    println!(
        "one new feature request, triaged (3 labels, comment, board, 2 fields): {} writes, {} reads",
        last.0, last.1
    );
    commands(sim, &service).await;
    sim.forget_requests();
    let ids: Vec<u64> = sim.deliveries().iter().map(|d| d.id).collect();
    let again = ids.into_iter().filter(|id| sim.redeliver(*id)).count();
    settled(sim, &service).await;
    println!(
        "{again} redeliveries: {} writes, {} reads",
        sim.writes().len(),
        sim.requests().len() - sim.writes().len()
    );
    service.stop().await;
    stage.github.shutdown().await;
}

/// From the delivery of a command to its line in the ledger, and to its first write.
async fn commands(sim: &Sim, service: &Running) {
    let recorded = || async {
        let query = AuditQuery {
            kind: Some("command".to_owned()),
            limit: 1,
            ..AuditQuery::default()
        };
        let lines = service.store.audit(&query).await.expect("the store");
        lines.first().map(|line| line.id)
    };
    let (mut noted, mut written) = (Vec::new(), Vec::new());
    for n in 1..=u64::try_from(REQUESTS).unwrap_or(0) {
        sim.forget_requests();
        let (seen, before) = (sim.deliveries().len(), recorded().await);
        let began = Instant::now();
        sim.comment("lea", REPOSITORY, n, "/triage accept it fits")
            .expect("a comment");
        while recorded().await == before {
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        noted.push(began.elapsed());
        settled(sim, service).await;
        let sent = sim.deliveries()[seen].at;
        if let Some(first) = sim.writes().first() {
            written.push(first.at.duration_since(sent));
        }
    }
    noted.sort();
    written.sort();
    println!("a command, idle ({REQUESTS} one at a time):");
    let at = |share: usize| REQUESTS * share / 100;
    println!(
        "  to its line in the ledger p50 {:?}, p99 {:?}; to its first write p50 {:?}, p99 {:?}",
        noted[at(50)],
        noted[at(99)],
        written[at(50)],
        written[at(99)]
    );
}

/// The real binary: start, memory, size.
async fn process() {
    let stage = Stage::new().await;
    let binary = env!("CARGO_BIN_EXE_northstar");
    let key = stage.directory.path().join("key.pem");
    std::fs::write(&key, stage.sim.private_key_pem()).expect("a key file");
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a free port")
        .port();
    let started = Instant::now();
    let mut child = Command::new(binary)
        .arg("serve")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("NORTHSTAR__SERVER__LISTEN", format!("127.0.0.1:{port}"))
        .env("NORTHSTAR__WEBHOOK__SECRETS", "bench")
        .env("NORTHSTAR__GITHUB__API_URL", &stage.github.url)
        .env("NORTHSTAR__GITHUB__APP_ID", "4711")
        .env("NORTHSTAR__GITHUB__PRIVATE_KEY_FILE", &key)
        .env("NORTHSTAR__STORE__URL", stage.settings().store_url)
        .env("NORTHSTAR__ORGANIZATION", ORGANIZATION)
        .stderr(Stdio::null())
        .spawn()
        .expect("the service starts");
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        if started.elapsed() > Duration::from_secs(20) {
            println!("the service did not start");
            return stop(&mut child);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("start to listening: {:?}", started.elapsed());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let resident = status.ok().and_then(|s| {
        s.lines()
            .find_map(|l| l.strip_prefix("VmRSS:"))
            .map(|l| l.trim().to_owned())
    });
    println!("resident when idle: {}", resident.as_deref().unwrap_or("?"));
    let size = std::fs::metadata(binary).map_or(0, |m| m.len());
    println!("binary: {} kB", size / 1024);
    stop(&mut child);
}

fn stop(child: &mut Child) {
    // A bench that cannot end its child has nothing better to do about it.
    let _ = child.kill();
    let _ = child.wait();
}
