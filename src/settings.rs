//! Settings: a file, then the environment. Secrets are read here and never printed.
//!
//! *In:* `northstar.toml` and variables `NORTHSTAR__SECTION__KEY`. *Out:* [`Settings`].
//!
//! A key that does not exist is an error that names the nearest one that does: a misspelt setting
//! that is silently ignored is a setting that is believed to be on.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Config, Environment, File, FileFormat, Map, Value, ValueKind};
use secrecy::SecretString;
use serde::Deserialize;

use crate::policy_place::{PlaceError, PolicyPlace};
use crate::triage::decision::Mode;

/// Where settings are looked for when no file is named.
pub const DEFAULT_FILE: &str = "northstar.toml";

/// Every key there is, with what stands for a list of tables written as `[]`.
const KEYS: &[&str] = &[
    "server.listen",
    "webhook.secrets",
    "webhook.secrets_file",
    "github.api_url",
    "github.app_id",
    "github.private_key_file",
    "store.url",
    "organization[].login",
    "organization[].policy",
    "policy.mode",
    "policy.blast_radius",
    "limits.strict",
    "limits.write_gap_ms",
    "log.format",
];

/// What the service needs to know, checked.
#[derive(Debug)]
pub struct Settings {
    /// Address of webhook, pages, health and metrics.
    pub listen: SocketAddr,
    /// Any of them may have signed a delivery. At least one.
    pub webhook_secrets: Vec<SecretString>,
    /// Base address of GitHub's REST API, without a slash at its end.
    pub api_url: String,
    pub app_id: u64,
    /// The App's private key, PEM.
    pub private_key: SecretString,
    pub store_url: String,
    /// The organisations served. At least one.
    pub organizations: Vec<OrganizationSettings>,
    pub mode: Mode,
    /// More items than this that rules would change of their own accord within ten minutes wait
    /// for `/apply`.
    pub blast_radius: usize,
    /// Label and field edits count as content, too.
    pub strict_limits: bool,
    /// Least time between two writes.
    pub write_gap: Duration,
    pub log_format: LogFormat,
}

/// One organisation that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationSettings {
    pub login: String,
    /// Where its policy lies.
    pub policy: PolicyPlace,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// What is wrong with the settings, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{0}")]
    Read(#[from] config::ConfigError),
    #[error("unknown setting `{key}`{}", suggestion(.nearest.as_deref()))]
    UnknownKey {
        key: String,
        nearest: Option<String>,
    },
    #[error("setting `{key}` is missing: {help}")]
    Missing {
        key: &'static str,
        help: &'static str,
    },
    #[error("setting `{key}`: {problem}")]
    Invalid { key: &'static str, problem: String },
    #[error("cannot read {what} from {}: {source}", .path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    match nearest {
        Some(key) => format!(", did you mean `{key}`?"),
        None => format!("; there are: {}", KEYS.join(", ").replace("[]", "")),
    }
}

#[derive(Deserialize)]
#[serde(default)]
struct Raw {
    server: RawServer,
    webhook: RawWebhook,
    github: RawGitHub,
    store: RawStore,
    organization: RawOrganizations,
    policy: RawPolicy,
    limits: RawLimits,
    log: RawLog,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            server: RawServer::default(),
            webhook: RawWebhook::default(),
            github: RawGitHub::default(),
            store: RawStore::default(),
            organization: RawOrganizations::Tables(Vec::new()),
            policy: RawPolicy::default(),
            limits: RawLimits::default(),
            log: RawLog::default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(default)]
struct RawServer {
    listen: String,
}

impl Default for RawServer {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawWebhook {
    secrets: Option<OneOrMany>,
    secrets_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(default)]
struct RawGitHub {
    api_url: String,
    app_id: Option<u64>,
    private_key_file: Option<PathBuf>,
}

impl Default for RawGitHub {
    fn default() -> Self {
        Self {
            api_url: "https://api.github.com".to_owned(),
            app_id: None,
            private_key_file: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(default)]
struct RawStore {
    url: String,
}

impl Default for RawStore {
    fn default() -> Self {
        Self {
            url: "sqlite:northstar.db".to_owned(),
        }
    }
}

#[derive(Deserialize)]
#[serde(default)]
struct RawPolicy {
    mode: Mode,
    blast_radius: usize,
}

impl Default for RawPolicy {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            blast_radius: 25,
        }
    }
}

#[derive(Deserialize)]
#[serde(default)]
struct RawLimits {
    strict: bool,
    write_gap_ms: u64,
}

impl Default for RawLimits {
    fn default() -> Self {
        Self {
            strict: false,
            // GitHub: "make requests for mutative requests serially … wait at least one second".
            write_gap_ms: 1000,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawLog {
    format: LogFormat,
}

/// The environment has no lists: there a list is written with commas.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<String>),
    One(String),
}

/// `[[organization]]` tables, or in the environment `login=folder,login=folder`.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawOrganizations {
    Tables(Vec<RawOrganization>),
    Text(String),
}

#[derive(Deserialize)]
struct RawOrganization {
    login: String,
    #[serde(default)]
    policy: String,
}

impl Settings {
    /// Reads the file (`None`: [`DEFAULT_FILE`] if it is there) and then the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, SettingsError> {
        let environment = std::env::vars().collect();
        let config = match file {
            Some(path) => read(File::from(path).format(FileFormat::Toml), environment)?,
            None => read(
                File::from(Path::new(DEFAULT_FILE))
                    .format(FileFormat::Toml)
                    .required(false),
                environment,
            )?,
        };
        Self::from_config(config)
    }

    fn from_config(config: Config) -> Result<Self, SettingsError> {
        refuse_unknown_keys(&config)?;
        let raw: Raw = config.try_deserialize()?;
        let listen = raw
            .server
            .listen
            .parse()
            .map_err(|_| SettingsError::Invalid {
                key: "server.listen",
                problem: format!(
                    "`{}` is not an address with a port, such as 127.0.0.1:8080",
                    raw.server.listen
                ),
            })?;
        let app_id = raw.github.app_id.ok_or(SettingsError::Missing {
            key: "github.app_id",
            help: "it is the number on the App's page at GitHub",
        })?;
        let key_file = raw.github.private_key_file.ok_or(SettingsError::Missing {
            key: "github.private_key_file",
            help: "make a private key on the App's page at GitHub and name its file",
        })?;
        Ok(Self {
            listen,
            webhook_secrets: webhook_secrets(raw.webhook)?,
            api_url: api_url(&raw.github.api_url)?,
            app_id,
            private_key: read_secret("the App's private key", &key_file)?.into(),
            store_url: raw.store.url,
            organizations: organizations(raw.organization)?,
            mode: raw.policy.mode,
            blast_radius: raw.policy.blast_radius,
            strict_limits: raw.limits.strict,
            write_gap: Duration::from_millis(raw.limits.write_gap_ms),
            log_format: raw.log.format,
        })
    }
}

fn read<F>(
    file: File<F, FileFormat>,
    environment: Map<String, String>,
) -> Result<Config, SettingsError>
where
    F: config::FileSource<FileFormat> + Send + Sync + 'static,
{
    Ok(Config::builder()
        .add_source(file)
        .add_source(
            Environment::with_prefix("NORTHSTAR")
                .prefix_separator("__")
                .separator("__")
                .ignore_empty(true)
                .source(Some(environment)),
        )
        .build()?)
}

/// Walks what was given and compares every key with [`KEYS`].
fn refuse_unknown_keys(config: &Config) -> Result<(), SettingsError> {
    let mut given = BTreeSet::new();
    if let ValueKind::Table(table) = &config.cache.kind {
        collect_keys("", table, &mut given);
    }
    for key in given {
        let known = KEYS
            .iter()
            .any(|k| *k == key || k.strip_suffix("[].login") == Some(key.as_str()));
        if !known {
            let nearest = KEYS
                .iter()
                .map(|k| (strsim::jaro_winkler(k, &key), *k))
                .filter(|(score, _)| *score > 0.8)
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, k)| k.replace("[]", ""));
            return Err(SettingsError::UnknownKey {
                key: key.replace("[]", ""),
                nearest,
            });
        }
    }
    Ok(())
}

fn collect_keys(prefix: &str, table: &Map<String, Value>, into: &mut BTreeSet<String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match &value.kind {
            ValueKind::Table(inner) => collect_keys(&key, inner, into),
            ValueKind::Array(values) => {
                let mut leaf = true;
                for value in values {
                    if let ValueKind::Table(inner) = &value.kind {
                        leaf = false;
                        collect_keys(&format!("{key}[]"), inner, into);
                    }
                }
                if leaf {
                    into.insert(key);
                }
            }
            _ => {
                into.insert(key);
            }
        }
    }
}

fn api_url(text: &str) -> Result<String, SettingsError> {
    let url = text.trim_end_matches('/');
    let ok = url
        .parse::<http::Uri>()
        .is_ok_and(|u| matches!(u.scheme_str(), Some("http" | "https")) && u.host().is_some());
    if ok {
        Ok(url.to_owned())
    } else {
        Err(SettingsError::Invalid {
            key: "github.api_url",
            problem: format!("`{text}` is not an http or https address"),
        })
    }
}

fn read_secret(what: &'static str, path: &Path) -> Result<String, SettingsError> {
    std::fs::read_to_string(path).map_err(|source| SettingsError::File {
        what,
        path: path.to_owned(),
        source,
    })
}

fn webhook_secrets(raw: RawWebhook) -> Result<Vec<SecretString>, SettingsError> {
    let mut secrets: Vec<String> = match raw.secrets {
        Some(OneOrMany::Many(many)) => many,
        Some(OneOrMany::One(text)) => text.split(',').map(str::to_owned).collect(),
        None => Vec::new(),
    };
    if let Some(path) = raw.secrets_file {
        secrets.extend(
            read_secret("webhook secrets", &path)?
                .lines()
                .map(str::to_owned),
        );
    }
    let secrets: Vec<_> = secrets
        .iter()
        .map(|s| s.trim())
        .filter(|s| !s.is_empty())
        .map(SecretString::from)
        .collect();
    if secrets.is_empty() {
        return Err(SettingsError::Missing {
            key: "webhook.secrets",
            help: "it is the secret on the App's page at GitHub; without one anybody could write here",
        });
    }
    Ok(secrets)
}

fn organizations(raw: RawOrganizations) -> Result<Vec<OrganizationSettings>, SettingsError> {
    let raw: Vec<_> = match raw {
        RawOrganizations::Tables(tables) => {
            tables.into_iter().map(|t| (t.login, t.policy)).collect()
        }
        RawOrganizations::Text(text) => text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(login, policy)| (login.trim().to_owned(), policy.trim().to_owned()))
            .collect(),
    };
    let mut list = Vec::new();
    for (login, policy) in raw {
        let policy = match policy.as_str() {
            "" => PolicyPlace::default(),
            place => place
                .parse()
                .map_err(|error: PlaceError| SettingsError::Invalid {
                    key: "organization.policy",
                    problem: error.to_string(),
                })?,
        };
        list.push(OrganizationSettings { login, policy });
    }
    let mut seen = BTreeSet::new();
    for organization in &list {
        if organization.login.is_empty() {
            return Err(SettingsError::Missing {
                key: "organization.login",
                help: "the organisation's name at GitHub",
            });
        }
        if !seen.insert(organization.login.to_lowercase()) {
            return Err(SettingsError::Invalid {
                key: "organization",
                problem: format!("`{}` is there twice", organization.login),
            });
        }
    }
    if list.is_empty() {
        return Err(SettingsError::Missing {
            key: "organization",
            help: "add `[[organization]]` with `login = \"…\"`: only listed organisations are served",
        });
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str, environment: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let environment = environment
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Settings::from_config(read(File::from_str(toml, FileFormat::Toml), environment)?)
    }

    fn key_file() -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "the private key").unwrap();
        file
    }

    fn good(key: &Path) -> String {
        format!(
            "[webhook]\nsecrets = ['one', 'two']\n[github]\napp_id = 7\nprivate_key_file = '{}'\n\
             [[organization]]\nlogin = 'example-org'\n",
            key.display()
        )
    }

    #[test]
    fn defaults_are_those_of_the_readme() {
        let key = key_file();
        let settings = load(&good(key.path()), &[]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.api_url, "https://api.github.com");
        assert_eq!(settings.store_url, "sqlite:northstar.db");
        assert_eq!(settings.mode, Mode::Observe);
        assert!(!settings.strict_limits);
        assert_eq!(settings.write_gap, Duration::from_secs(1));
        assert_eq!(settings.organizations[0].policy, PolicyPlace::default());
        assert_eq!(settings.webhook_secrets.len(), 2);
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let key = key_file();
        let settings = load(
            &good(key.path()),
            &[
                ("NORTHSTAR__SERVER__LISTEN", "0.0.0.0:9000"),
                ("NORTHSTAR__WEBHOOK__SECRETS", "a,b,c"),
                ("NORTHSTAR__POLICY__MODE", "enforce"),
                ("NORTHSTAR__ORGANIZATION", "first=policies/first, second"),
                ("NORTHSTAR__GITHUB__APP_ID", "42"),
            ],
        )
        .unwrap();
        assert_eq!(settings.listen.to_string(), "0.0.0.0:9000");
        assert_eq!(settings.webhook_secrets.len(), 3);
        assert_eq!(settings.mode, Mode::Enforce);
        assert_eq!(settings.app_id, 42);
        assert_eq!(settings.organizations.len(), 2);
        let first = PolicyPlace::Folder("policies/first".into());
        assert_eq!(settings.organizations[0].policy, first);
    }

    #[test]
    fn what_is_deployed_are_settings() {
        let (key, secret) = (key_file(), key_file());
        let path = |file: &tempfile::NamedTempFile| file.path().display().to_string();
        let toml = include_str!("../deploy/northstar.toml");
        // As the systemd unit has them; they may stand in the file as well.
        let environment = [
            ("NORTHSTAR__WEBHOOK__SECRETS_FILE", &*path(&secret)),
            ("NORTHSTAR__GITHUB__PRIVATE_KEY_FILE", &*path(&key)),
        ];
        let settings = load(toml, &environment).unwrap();
        let place = settings.organizations[0].policy.to_string();
        assert_eq!(place, "github:your-org/policy//rules");
        assert_eq!(settings.mode, Mode::Observe);

        let wrong = toml.replace("github:your-org/policy//rules", "github:rules");
        let error = load(&wrong, &environment).unwrap_err().to_string();
        assert!(error.contains("github:owner/repository//path"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest() {
        let key = key_file();
        for (extra, says) in [
            ("[server]\nlissten = '1'\n", "did you mean `server.listen`?"),
            ("[store]\nurll = 'x'\n", "did you mean `store.url`?"),
            ("[quite]\nelse = 1\n", "there are: server.listen"),
        ] {
            let error = load(&(good(key.path()) + extra), &[]).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
        let error = load(&good(key.path()), &[("NORTHSTAR__POLICY__MOOD", "x")]).unwrap_err();
        assert!(error.to_string().contains("`policy.mode`"), "{error}");
        let with_typo = good(key.path()) + "polcy = 'x'\n";
        let error = load(&with_typo, &[]).unwrap_err();
        assert!(
            error.to_string().contains("`organization.policy`"),
            "{error}"
        );
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        let key = key_file();
        for (without, says) in [
            ("secrets = ['one', 'two']", "`webhook.secrets` is missing"),
            ("app_id = 7", "`github.app_id` is missing"),
            (
                "[[organization]]\nlogin = 'example-org'",
                "`organization` is missing",
            ),
        ] {
            let error = load(&good(key.path()).replace(without, ""), &[]).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn secrets_are_never_printed() {
        let key = key_file();
        let printed = format!("{:?}", load(&good(key.path()), &[]).unwrap());
        assert!(
            !printed.contains("one") && !printed.contains("the private key"),
            "{printed}"
        );
    }

    #[test]
    fn two_entries_for_one_organisation_are_refused() {
        let key = key_file();
        let twice = good(key.path()) + "[[organization]]\nlogin = 'Example-Org'\n";
        assert!(load(&twice, &[]).unwrap_err().to_string().contains("twice"));
    }
}
