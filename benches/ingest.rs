//! How many signed deliveries a second the door makes durable, and what each costs.
//!
//! The service runs as a child process (this program once more) on loopback, with its database on
//! the real disk; the load comes from this process. Every delivery has its own GUID and its own
//! body of about 12 kB, signed. Two runs: as fast as it goes, and at a steady rate. At the end the
//! rows in the inbox are counted: as many as were acknowledged, or the numbers mean nothing.
//!
//! | variable | default | |
//! |---|---|---|
//! | `NORTHSTAR_BENCH_DIR` | under the target directory | where the database lives |
//! | `NORTHSTAR_BENCH_SECONDS` | 10 | length of each run |
//! | `NORTHSTAR_BENCH_CONNECTIONS` | 192 | connections of the first run |
//! | `NORTHSTAR_BENCH_RATE` | 5000 | deliveries a second in the second run |
//! | `NORTHSTAR_BENCH_GUIDS` | `timed` | as GitHub documents them, or `spread` over the whole index |

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, IoSlice, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use northstar::clock::SystemClock;
use northstar::receive::{ReceiveState, Served};
use northstar::service;
use northstar::store::Store;
use northstar::store::sqlite::SqliteStore;
use sha2::Sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The program's own.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const SECRET: &str = "a secret for measuring";

/// Set in the child: where its database lives.
const SERVE: &str = "NORTHSTAR_BENCH_SERVE";

/// Ticks of `/proc/PID/stat` in a second; 100 on every Linux that is not built oddly.
const TICKS: f64 = 100.0;

fn main() -> Outcome<()> {
    if let Some(directory) = std::env::var_os(SERVE) {
        return tokio::runtime::Runtime::new()?.block_on(serve(Path::new(&directory)));
    }
    let place = std::env::var_os("NORTHSTAR_BENCH_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    let directory = place.join(format!("ingest-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let measured = measure(&directory);
    std::fs::remove_dir_all(&directory)?;
    measured
}

/// The child: the receiver as the service has it, until standard input ends.
async fn serve(directory: &Path) -> Outcome<()> {
    let path = directory.join("northstar.db");
    let store = Arc::new(SqliteStore::open(&path.to_string_lossy()).await?);
    let state = ReceiveState {
        store: store.clone(),
        secrets: vec![SECRET.into()],
        served: Served::new(["example-org"]),
        clock: Arc::new(SystemClock),
        wake: Arc::new(Notify::new()),
    };
    let router = service::app(state, vec!["example-org".to_owned()]);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    let ended = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        // An error ends the wait as well as the end of input does.
        let _ = std::io::stdin().read_line(&mut line);
    });
    tokio::select! {
        served = axum::serve(listener, router).into_future() => served?,
        _ = ended => {}
    }
    println!("{}", store.counts().await?.pending);
    store.close().await;
    Ok(())
}

fn measure(directory: &Path) -> Outcome<()> {
    let seconds = Duration::from_secs(setting("NORTHSTAR_BENCH_SECONDS", 10)?);
    let connections = setting("NORTHSTAR_BENCH_CONNECTIONS", 192)?;
    let rate = setting("NORTHSTAR_BENCH_RATE", 5_000)?;
    describe(directory)?;

    let server = Server::start(directory)?;
    let templates = Arc::new(templates());
    let payload = templates.iter().map(|t| t.body.len()).sum::<usize>() / templates.len();
    println!("bodies          {payload} bytes on average, each signed and each different");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut load = Load {
        port: server.port,
        templates,
        sent: Arc::new(AtomicU64::new(0)),
        guids: match std::env::var("NORTHSTAR_BENCH_GUIDS").as_deref() {
            Ok("spread") => Guids::Spread,
            _ => Guids::Timed,
        },
    };

    let warm = runtime.block_on(load.run(16, Duration::from_secs(1), None))?;
    let mut acknowledged = warm.latencies.len();

    let before = server.cpu()?;
    let fast = runtime.block_on(load.run(connections, seconds, None))?;
    let cpu = server.cpu()? - before;
    acknowledged += fast.latencies.len();
    println!("\nas fast as it goes, {connections} connections");
    fast.report(cpu);

    let before = server.cpu()?;
    let steady = runtime.block_on(load.run(connections, seconds, Some(rate)))?;
    let cpu = server.cpu()? - before;
    acknowledged += steady.latencies.len();
    println!("\nat {rate}/s");
    steady.report(cpu);

    println!("\nresident        {}", server.resident()?);
    let stored = server.stop()?;
    println!("acknowledged    {acknowledged}\nin the inbox    {stored}");
    if stored != acknowledged as u64 {
        return Err("what was acknowledged is not what is stored".into());
    }
    Ok(())
}

fn setting(name: &str, default: u64) -> Outcome<u64> {
    match std::env::var(name) {
        Ok(value) => Ok(value.parse().map_err(|e| format!("{name}: {e}"))?),
        Err(_) => Ok(default),
    }
}

/// What the numbers depend on.
fn describe(directory: &Path) -> Outcome<()> {
    let path = directory.canonicalize()?;
    let mounts = std::fs::read_to_string("/proc/mounts")?;
    let mount = mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (device, point, kind) = (words.next()?, words.next()?, words.next()?);
            path.starts_with(point)
                .then(|| (point.len(), format!("{kind} ({device} on {point})")))
        })
        .max();
    let mount = mount.map_or_else(|| "unknown".to_owned(), |(_, text)| text);
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let cores = std::thread::available_parallelism()?;
    println!("file system     {mount}");
    println!("fsync of 4 kB   {:.0} µs (median of 200)", fsync(&path)?);
    println!("cores           {cores}, shared with the load generator");
    println!("load before     {}", load.trim());
    if cfg!(debug_assertions) {
        println!("profile         NOT optimised: these numbers say nothing");
    }
    Ok(())
}

/// Microseconds until an append of a page is on the disk.
fn fsync(directory: &Path) -> Outcome<f64> {
    let path = directory.join("fsync");
    let mut file = std::fs::File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    std::fs::remove_file(path)?;
    times.sort_unstable();
    Ok(times[times.len() / 2].as_secs_f64() * 1e6)
}

/// The child process.
struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<std::process::ChildStdout>,
    port: u16,
}

impl Server {
    fn start(directory: &Path) -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .env(SERVE, directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("the child has no output")?;
        let mut server = Self {
            child,
            input,
            output: BufReader::new(output),
            port: 0,
        };
        server.port = server.line()?.parse()?;
        Ok(server)
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// Processor time of all its threads so far, in seconds.
    fn cpu(&self) -> Outcome<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in brackets may hold blanks; after it, the 12th and 13th words are the times.
        let (_, rest) = stat.rsplit_once(") ").ok_or("an odd /proc/PID/stat")?;
        let mut words = rest.split(' ').skip(11);
        let mut ticks = || -> Outcome<f64> { Ok(words.next().ok_or("too short")?.parse()?) };
        Ok((ticks()? + ticks()?) / TICKS)
    }

    fn resident(&self) -> Outcome<String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        Ok(line.unwrap_or("unknown").trim().to_owned())
    }

    /// Ends it; how many deliveries it says are in its inbox.
    fn stop(mut self) -> Outcome<u64> {
        drop(self.input.take());
        let stored = self.line()?.parse()?;
        self.child.wait()?;
        Ok(stored)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All of a body but its last, distinguishing bytes, and the signature's state after them.
struct Template {
    body: String,
    mac: Hmac<Sha256>,
}

/// Different issues in GitHub's shape, so that compressing them is honest work.
fn templates() -> Vec<Template> {
    const WORDS: [&str; 24] = [
        "hub",
        "user",
        "profile",
        "image",
        "storage",
        "login",
        "please",
        "upgrade",
        "workshop",
        "community",
        "memory",
        "kernel",
        "notebook",
        "deploy",
        "cluster",
        "quota",
        "error",
        "request",
        "students",
        "dataset",
        "billing",
        "region",
        "network",
        "support",
    ];
    let key = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes());
    let key = key.expect("a key of any length is good");
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    (1..=64_u64)
        .map(|number| {
            let mut text = String::new();
            while text.len() < 3_000 {
                let word = WORDS[usize::try_from(next() % 24).unwrap_or(0)];
                let _ = write!(text, "{word} ");
            }
            let user = |login: &str, id: u64| {
                let api = format!("https://api.github.com/users/{login}");
                format!(
                    r#"{{"login":"{login}","id":{id},"node_id":"U_{id:x}","type":"User",
                    "avatar_url":"https://avatars.githubusercontent.com/u/{id}?v=4","url":"{api}",
                    "followers_url":"{api}/followers","gists_url":"{api}/gists{{/gist_id}}",
                    "starred_url":"{api}/starred{{/owner}}{{/repo}}","repos_url":"{api}/repos",
                    "events_url":"{api}/events{{/privacy}}","site_admin":false}}"#
                )
            };
            let repo = "https://api.github.com/repos/example-org/hubs";
            let mut urls = String::new();
            for part in [
                "archive",
                "assignees",
                "blobs",
                "branches",
                "collaborators",
                "comments",
                "commits",
                "compare",
                "contents",
                "contributors",
                "deployments",
                "downloads",
                "events",
                "forks",
                "git/commits",
                "git/refs",
                "git/tags",
                "hooks",
                "issues/comments",
                "issues/events",
                "keys",
                "labels",
                "languages",
                "merges",
                "milestones",
                "notifications",
                "pulls",
                "releases",
                "stargazers",
                "statuses",
                "subscribers",
                "subscription",
                "tags",
                "teams",
                "git/trees",
            ] {
                let name = part.replace('/', "_");
                let _ = write!(urls, r#""{name}_url":"{repo}/{part}{{/id}}","#);
            }
            let mut labels = String::new();
            for label in [
                "support",
                "kind/feature",
                "goal/reliability",
                "triage/needs-triage",
            ] {
                let id = next();
                let _ = write!(
                    labels,
                    r#"{{"id":{id},"node_id":"LA_{id:x}","url":"{repo}/labels/{label}",
                    "name":"{label}","color":"ededed","default":false,"description":null}},"#
                );
            }
            let author = user("ada-lovelace", next());
            let owner = user("example-org", 17);
            let labels = labels.trim_end_matches(',');
            let body = format!(
                r#"{{"action":"opened","issue":{{"url":"{repo}/issues/{number}","id":{},
                "node_id":"I_{number}","number":{number},"title":"{}","user":{author},
                "labels":[{labels}],"state":"open","locked":false,"assignee":{author},
                "assignees":[{author}],"milestone":null,"comments":0,
                "created_at":"2026-11-20T10:00:00Z","updated_at":"2026-11-20T10:00:00Z",
                "closed_at":null,"author_association":"MEMBER","reactions":{{"total_count":0}},
                "body":"{text}"}},"repository":{{"id":42,"node_id":"R_1","name":"hubs",
                "full_name":"example-org/hubs","private":false,"owner":{owner},{urls}
                "created_at":"2020-01-01T00:00:00Z","default_branch":"main"}},
                "organization":{owner},"sender":{author},"installation":{{"id":7}},"delivery":""#,
                next(),
                &text[..60],
            );
            let mut mac = key.clone();
            mac.update(body.as_bytes());
            Template { body, mac }
        })
        .collect()
}

/// What is sent, and to whom.
struct Load {
    port: u16,
    templates: Arc<Vec<Template>>,
    /// Deliveries sent so far, in all runs: makes each its own.
    sent: Arc<AtomicU64>,
    guids: Guids,
}

/// What a run measured.
struct Run {
    took: Duration,
    /// In microseconds, sorted.
    latencies: Vec<u64>,
}

impl Load {
    /// Sends over so many connections for so long; with a rate, each at its own instant, and
    /// late answers count from that instant (so that a stall is not hidden by sending less; the
    /// timer's own millisecond counts too).
    async fn run(&mut self, connections: u64, length: Duration, rate: Option<u64>) -> Outcome<Run> {
        let start = Instant::now();
        let places = Arc::new(AtomicU64::new(0));
        let tasks: Vec<_> = (0..connections)
            .map(|_| {
                let connection = Connection {
                    port: self.port,
                    templates: Arc::clone(&self.templates),
                    sent: Arc::clone(&self.sent),
                    guids: self.guids,
                };
                let places = Arc::clone(&places);
                tokio::spawn(connection.send(start, length, rate.map(|rate| (rate, places))))
            })
            .collect();
        let mut latencies = Vec::new();
        for task in tasks {
            latencies.extend(task.await??);
        }
        latencies.sort_unstable();
        Ok(Run {
            took: start.elapsed(),
            latencies,
        })
    }
}

impl Run {
    fn report(&self, cpu: f64) {
        let count = self.latencies.len();
        let at = |share: f64| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            #[allow(clippy::cast_precision_loss)]
            let index = (count as f64 * share) as usize;
            let micros = self.latencies.get(index.min(count.saturating_sub(1)));
            Duration::from_micros(micros.copied().unwrap_or(0))
        };
        #[allow(clippy::cast_precision_loss)]
        let count = count as f64;
        println!("requests/s      {:.0}", count / self.took.as_secs_f64());
        println!("server CPU      {:.1} µs a request", cpu * 1e6 / count);
        println!("p50 {:?}, p99 {:?}, worst {:?}", at(0.5), at(0.99), at(1.0));
    }
}

/// One connection that is kept open; no client library, so that the load costs little.
struct Connection {
    port: u16,
    templates: Arc<Vec<Template>>,
    sent: Arc<AtomicU64>,
    guids: Guids,
}

impl Connection {
    async fn send(
        self,
        start: Instant,
        length: Duration,
        paced: Option<(u64, Arc<AtomicU64>)>,
    ) -> Outcome<Vec<u64>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.set_nodelay(true)?;
        let mut latencies = Vec::new();
        let mut answer = Vec::new();
        loop {
            let due = match &paced {
                None => Instant::now(),
                Some((rate, places)) => {
                    let place = places.fetch_add(1, Ordering::Relaxed);
                    let due = start + Duration::from_micros(place * 1_000_000 / rate);
                    tokio::time::sleep_until(due.into()).await;
                    due
                }
            };
            if due.duration_since(start) >= length {
                return Ok(latencies);
            }
            self.write(&mut stream).await?;
            read_answer(&mut stream, &mut answer).await?;
            latencies.push(u64::try_from(due.elapsed().as_micros())?);
        }
    }

    /// Sends the next delivery.
    async fn write(&self, stream: &mut TcpStream) -> Outcome<()> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let guid = match self.guids {
            Guids::Timed => timed(number),
            Guids::Spread => spread(number),
        };
        let which = usize::try_from(number).unwrap_or(0) % self.templates.len();
        let template = &self.templates[which];
        let tail = format!("{guid}\"}}");
        let mut mac = template.mac.clone();
        mac.update(tail.as_bytes());
        let mut signature = String::with_capacity(64);
        for byte in mac.finalize().into_bytes() {
            let _ = write!(signature, "{byte:02x}");
        }
        let head = format!(
            "POST /github/webhook HTTP/1.1\r\nHost: localhost\r\nUser-Agent: GitHub-Hookshot/0\r\n\
             Accept: */*\r\nContent-Type: application/json\r\nX-GitHub-Event: issues\r\n\
             X-GitHub-Delivery: {guid}\r\nX-GitHub-Hook-ID: 1\r\n\
             X-GitHub-Hook-Installation-Target-ID: 1\r\n\
             X-GitHub-Hook-Installation-Target-Type: integration\r\n\
             X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\r\n",
            template.body.len() + tail.len()
        );
        let mut parts = [&head, &template.body, &tail].map(|part| IoSlice::new(part.as_bytes()));
        let mut rest = &mut parts[..];
        while !rest.is_empty() {
            let sent = stream.write_vectored(rest).await?;
            if sent == 0 {
                return Err("the connection was closed".into());
            }
            IoSlice::advance_slices(&mut rest, sent);
        }
        Ok(())
    }
}

/// How the GUIDs of deliveries are made. An index holds those of one moment side by side, or not.
#[derive(Clone, Copy)]
enum Guids {
    Timed,
    Spread,
}

/// A UUID of version 1, which those in GitHub's documentation are (72d3162e-cc78-11e3-…): made of
/// the time, the fastest part of it first.
fn timed(number: u64) -> String {
    /// From the beginning of the Gregorian calendar to 1970, in ticks of 100 ns (RFC 9562, 5.1).
    const TO_1970: u128 = 0x01b2_1dd2_1381_4000;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let ticks = now.map_or(0, |since| since.as_nanos() / 100) + TO_1970;
    format!(
        "{:08x}-{:04x}-1{:03x}-8000-{number:012x}",
        ticks & 0xffff_ffff,
        (ticks >> 32) & 0xffff,
        (ticks >> 48) & 0xfff
    )
}

/// Nowhere near the one before.
fn spread(number: u64) -> String {
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!(
        "{:08x}-{:04x}-41f0-8000-{number:012x}",
        spread >> 32,
        (spread >> 16) & 0xffff
    )
}

/// Reads one answer to its end; anything but "stored" ends the measurement.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Outcome<()> {
    const OK: &[u8] = b"HTTP/1.1 202";
    answer.clear();
    loop {
        let ended = stream.read_buf(answer).await? == 0;
        if answer.ends_with(br#"{"status":"stored"}"#) && answer.starts_with(OK) {
            return Ok(());
        }
        let other = answer.len() >= OK.len() && !answer.starts_with(OK);
        if ended || other || answer.ends_with(b"}") {
            return Err(format!("refused: {}", String::from_utf8_lossy(answer)).into());
        }
    }
}
