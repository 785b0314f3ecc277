//! GitHub for commands: what of the things that a policy names is there, for `check --online`.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};

use crate::clock::SystemClock;
use crate::github::{GitHub, GitHubConfig, GitHubError, Installation, Pacing};
use crate::policy::Source;
use crate::policy::lock::{self, Named, Shown};
use crate::settings::Settings;
use crate::worker::pinned::{fields, goals};

use super::{Failure, unreachable, usage};

/// For one request and its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The lock file of a policy that has none.
const FRESH: &str = "boards.lock.yaml";

/// GitHub, as the App of the settings sees it. Must be called inside a runtime.
pub(super) fn github(settings: &Settings) -> Result<GitHub, Failure> {
    let config = GitHubConfig {
        api_url: settings.api_url.clone(),
        app_id: settings.app_id,
        private_key_pem: settings.private_key.clone(),
        pacing: Pacing::default(),
        timeout: TIMEOUT,
    };
    GitHub::new(config, Arc::new(SystemClock)).map_err(usage)
}

/// The App's client for an organisation.
async fn installation(
    settings: &Settings,
    organization: &str,
) -> Result<Arc<Installation>, Failure> {
    let github = github(settings)?;
    let all = github.installations().await;
    let all = all.context("cannot ask GitHub where the App is installed");
    let found = all
        .map_err(unreachable)?
        .into_iter()
        .find(|i| i.account_login.eq_ignore_ascii_case(organization));
    match found {
        Some(found) if found.suspended => Err(usage(anyhow!(
            "the App's installation on {organization} is suspended"
        ))),
        Some(found) => Ok(github.installation(found.id)),
        None => Err(usage(anyhow!(
            "the App (github.app_id = {}) is not installed on {organization}, whose policy this is",
            settings.app_id
        ))),
    }
}

/// Asks GitHub for everything that the policy names. What is not there is left out; what cannot be
/// asked is an error, not missing.
pub(super) async fn look(settings: &Settings, named: &Named) -> Result<Shown, Failure> {
    let organization = &named.organization;
    let github = installation(settings, organization).await?;
    let mut shown = Shown::default();
    for (id, number) in &named.boards {
        let project = github.project(organization, *number).await;
        let project = project.with_context(|| format!("cannot read the board `{id}`"));
        if let Some(project) = project.map_err(unreachable)? {
            if named.goals.contains(id) {
                let found = goals(&github, &project.id).await;
                let found = found.with_context(|| format!("cannot read the goals on `{id}`"));
                shown
                    .goals
                    .get_or_insert_default()
                    .append(&mut found.map_err(unreachable)?);
            }
            shown.boards.insert(id.clone(), fields(project.fields));
        }
    }
    if !named.goals.iter().all(|id| shown.boards.contains_key(id)) {
        // Which of the pinned ones stood on what is not shown cannot be told.
        shown.goals = None;
    }
    shown.teams = teams(&github, named).await.map_err(unreachable)?;
    for login in &named.users {
        let user = github.user(login).await;
        let user = user.with_context(|| format!("cannot look for the user `{login}`"));
        if user.map_err(unreachable)?.is_some() {
            shown.users.insert(login.clone());
        }
    }
    Ok(shown)
}

async fn teams(github: &Installation, named: &Named) -> anyhow::Result<BTreeSet<String>> {
    let mut out = BTreeSet::new();
    for team in &named.teams {
        match github.team_members(&named.organization, team).await {
            Ok(_) => {
                out.insert(team.clone());
            }
            Err(GitHubError::NotFound) => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read the team `{team}`"));
            }
        }
    }
    Ok(out)
}

/// Writes the lock files of a policy anew where they drifted; the paths that were written.
pub(super) fn update(
    policy: &Path,
    sources: &[Source],
    shown: &Shown,
) -> Result<Vec<String>, Failure> {
    let fresh = policy.join(FRESH).to_string_lossy().into_owned();
    let mut written = Vec::new();
    for file in lock::update(sources, shown, &fresh) {
        if file.path == fresh && !policy.is_dir() {
            return Err(usage(anyhow!(
                "{} is one file; a lock file needs a folder to stand in beside it",
                policy.display()
            )));
        }
        std::fs::write(&file.path, &file.text)
            .with_context(|| format!("cannot write {}", file.path))
            .map_err(usage)?;
        written.push(file.path);
    }
    Ok(written)
}
