//! The service and a simulated GitHub, in one process.
//!
//! A story ends with [`World::end`], which fails if anything is left unexplained: a delivery that
//! was not handled, a write whose end is not known, a webhook that was refused.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use northstar::clock::{SharedClock, SystemClock};
use northstar::github::Pacing;
use northstar::ids::{InstallationId, RepoName};
use northstar::policy::{self, Policy};
use northstar::policy_folder;
use northstar::policy_place::PolicyPlace;
use northstar::service::{Options, Running};
use northstar::settings::{LogFormat, OrganizationSettings, Settings};
use northstar::sim::example::{self, BOARD, ORGANIZATION, REPOSITORY};
use northstar::sim::{CardView, IssueView, Sim, SimConfig, SimServer};
use northstar::triage::decision::Mode;
use northstar::worker::{PolicySource, WorkerConfig};

pub const SECRET: &str = "It's a Secret to Everybody";

/// How a world differs from the usual one.
pub struct Setup {
    pub clock: SharedClock,
    pub mode: Mode,
    pub pacing: Pacing,
    pub worker: WorkerConfig,
    /// YAML of a policy other than the one that ships.
    pub policy: Option<String>,
    /// What it pins, in a lock file.
    pub pins: Option<String>,
    /// The folder of the repository that the policy is read from, rather than any of these.
    pub policy_on_github: Option<&'static str>,
    /// What people did before the bot was there.
    pub before: Box<dyn Fn(&Sim) + Send + Sync>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            mode: Mode::Enforce,
            pacing: unhurried_by_nothing(),
            worker: WorkerConfig {
                first_pause: jiff::SignedDuration::from_millis(20),
                settle_after: jiff::SignedDuration::from_millis(50),
                // Stories that count requests begin with a quiet GitHub.
                read_history: false,
                ..WorkerConfig::default()
            },
            policy: None,
            pins: None,
            policy_on_github: None,
            before: Box::new(|_| {}),
        }
    }
}

/// GitHub's pace is for GitHub; what it is paced by has tests of its own.
pub fn unhurried_by_nothing() -> Pacing {
    Pacing {
        min_gap: Duration::ZERO,
        content_per_minute: u32::MAX,
        content_per_hour: u32::MAX,
        strict: false,
    }
}

pub struct World {
    pub sim: Sim,
    pub installation: InstallationId,
    pub github: SimServer,
    service: Option<Running>,
    pub setup: Setup,
    directory: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let sim = Sim::new(SimConfig {
            clock: setup.clock.clone(),
            webhook_secret: SECRET.to_owned(),
            ..SimConfig::default()
        })
        .expect("a simulated GitHub");
        example::organization(&sim).expect("the example organisation");
        (setup.before)(&sim);
        let installation = sim.install_app(ORGANIZATION).expect("installed");
        let github = sim
            .serve("127.0.0.1:0".parse().expect("an address"))
            .await
            .expect("the simulated GitHub listens");
        let mut world = Self {
            sim,
            installation,
            github,
            service: None,
            setup,
            directory: tempfile::tempdir().expect("a directory"),
        };
        world.start().await;
        world
    }

    /// Starts the service on the store that is there, and has the webhooks sent to it.
    pub async fn start(&mut self) {
        let settings = self.settings();
        let running = Running::start(
            &settings,
            vec![self.policy()],
            Options {
                clock: self.setup.clock.clone(),
                pacing: self.setup.pacing,
                worker: self.setup.worker.clone(),
            },
        )
        .await
        .expect("the service starts");
        self.sim
            .send_webhooks_to(&format!("http://{}/github/webhook", running.address));
        self.service = Some(running);
    }

    pub async fn stop(&mut self) {
        if let Some(service) = self.service.take() {
            service.stop().await;
        }
    }

    pub fn service(&self) -> &Running {
        self.service.as_ref().expect("the service runs")
    }

    pub fn store_url(&self) -> String {
        format!("sqlite:{}", self.directory.path().join("n.db").display())
    }

    fn settings(&self) -> Settings {
        Settings {
            listen: "127.0.0.1:0".parse().expect("an address"),
            webhook_secrets: vec!["an old secret".into(), SECRET.into()],
            api_url: self.github.url.clone(),
            app_id: SimConfig::default().app_id,
            private_key: self.sim.private_key_pem().into(),
            store_url: self.store_url(),
            organizations: vec![OrganizationSettings {
                login: ORGANIZATION.to_owned(),
                policy: PolicyPlace::default(),
            }],
            mode: self.setup.mode,
            blast_radius: 25,
            strict_limits: false,
            write_gap: Duration::ZERO,
            log_format: LogFormat::Text,
        }
    }

    pub fn policy(&self) -> PolicySource {
        if let Some(folder) = self.setup.policy_on_github {
            let repository = RepoName::parse(REPOSITORY).expect("a name");
            let mode = self.setup.mode;
            return PolicySource::on_github(ORGANIZATION, repository, folder.to_owned(), mode);
        }
        let (policy, fingerprint) = self.rules();
        PolicySource::here(ORGANIZATION, policy, fingerprint)
    }

    /// The policy that the service decides by, and its fingerprint.
    pub fn rules(&self) -> (Arc<Policy>, String) {
        let folder = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rules");
        let pins = self.setup.pins.iter();
        let pins = pins.map(|text| policy::Source::new("test.lock.yaml", text));
        let sources = match &self.setup.policy {
            Some(text) => std::iter::once(policy::Source::new("test.yaml", text))
                .chain(pins)
                .collect(),
            None => policy_folder::read(&folder).expect("the shipped policy"),
        };
        let policy = policy::load(&sources)
            .unwrap_or_else(|found| panic!("{}", policy::render::text(&found.0, &sources, false)));
        let policy = Arc::new(policy.with_mode(self.setup.mode));
        (
            policy,
            policy_folder::fingerprint(&sources, self.setup.mode),
        )
    }

    /// Waits until nothing is on its way: no webhook, no delivery, no item for the writer.
    pub async fn settled(&self) {
        let settled = async {
            while !self.is_quiet().await {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(30), settled)
            .await
            .is_err()
        {
            let counts = self.service().store.counts().await.expect("counts");
            panic!(
                "never settled: {counts:?}\n{:#?}",
                self.sim.requests().last()
            );
        }
    }

    /// Is nothing on its way?
    pub async fn is_quiet(&self) -> bool {
        self.sim.settled().await;
        let nothing_waits = async || {
            let counts = self.service().store.counts().await.expect("counts");
            counts.is_quiet(self.setup.clock.now())
        };
        if !nothing_waits().await {
            return false;
        }
        // What was just written may have made webhooks.
        let before = self.sim.activity();
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.sim.settled().await;
        self.sim.activity() == before && nothing_waits().await
    }

    /// Ends the story: everything that happened is explained.
    pub async fn end(mut self) {
        self.settled().await;
        let counts = self.service().store.counts().await.expect("counts");
        assert_eq!(counts.dead, 0, "a delivery was given up");
        assert_eq!(counts.unsettled, 0, "a write whose end is not known");
        let deliveries = self.sim.deliveries();
        let taken: BTreeSet<&str> = deliveries
            .iter()
            .filter(|d| d.status == Some(202))
            .map(|d| d.guid.as_str())
            .collect();
        for delivery in &deliveries {
            let status = delivery.status;
            assert!(
                status.is_none() || taken.contains(delivery.guid.as_str()),
                "{} {:?} was answered {status:?}",
                delivery.event,
                delivery.action
            );
        }
        as_github_has_it(&self.sim);
        self.stop().await;
    }

    /// Ends a story that told the door things that are not so on GitHub.
    pub async fn stop_anyhow(mut self) {
        self.settled().await;
        as_github_has_it(&self.sim);
        self.stop().await;
    }

    /// Opens an issue in the example repository.
    pub fn open(&self, by: &str, title: &str, body: &str) -> u64 {
        self.sim
            .open_issue(by, REPOSITORY, title, body, &[])
            .expect("an issue")
    }

    pub fn issue(&self, number: u64) -> IssueView {
        self.sim.issue(REPOSITORY, number).expect("the issue")
    }

    pub fn labels(&self, number: u64) -> Vec<String> {
        let mut labels = self.issue(number).labels;
        labels.sort();
        labels
    }

    pub fn card(&self, number: u64) -> Option<CardView> {
        self.sim.card(ORGANIZATION, BOARD, REPOSITORY, number)
    }

    /// Comments of the bot.
    pub fn answers(&self, number: u64) -> Vec<String> {
        self.issue(number)
            .comments
            .into_iter()
            .filter(|c| c.author == "northstar[bot]")
            .map(|c| c.body)
            .collect()
    }
}

/// Every request that the simulated GitHub got, every answer and every webhook it sent, held
/// against what GitHub publishes.
pub fn as_github_has_it(sim: &Sim) {
    let mut wrong = crate::published::check_log(&sim.requests());
    wrong.extend(crate::published::check_deliveries(&sim.deliveries()));
    assert!(
        wrong.is_empty(),
        "not as GitHub has it:\n{}",
        wrong.join("\n")
    );
}
