//! Which organisations are served, and by which installation.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::ids::InstallationId;

/// The organisations of the settings. Logins are compared without regard to case, as GitHub does.
/// Clones share what they learn.
#[derive(Clone, Debug, Default)]
pub struct Served {
    by_login: Arc<RwLock<HashMap<String, Option<InstallationId>>>>,
}

impl Served {
    #[must_use]
    pub fn new<I>(logins: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let by_login = logins
            .into_iter()
            .map(|login| (login.as_ref().to_ascii_lowercase(), None))
            .collect();
        Self {
            by_login: Arc::new(RwLock::new(by_login)),
        }
    }

    #[must_use]
    pub fn is_served(&self, login: &str) -> bool {
        self.read(|map| map.contains_key(&login.to_ascii_lowercase()))
    }

    /// The installation on a served organisation, once it is known.
    #[must_use]
    pub fn installation(&self, login: &str) -> Option<InstallationId> {
        self.read(|map| map.get(&login.to_ascii_lowercase()).copied().flatten())
    }

    /// Is this the installation on some served organisation?
    #[must_use]
    pub fn knows(&self, installation: InstallationId) -> bool {
        self.read(|map| map.values().any(|known| *known == Some(installation)))
    }

    /// The login (in small letters) of the organisation an installation is on.
    #[must_use]
    pub fn login(&self, installation: InstallationId) -> Option<String> {
        self.read(|map| {
            map.iter()
                .find(|(_, known)| **known == Some(installation))
                .map(|(login, _)| login.clone())
        })
    }

    /// Remembers the installation on an organisation; nothing if that is not served.
    pub fn learn(&self, login: &str, installation: InstallationId) {
        if self.installation(login) == Some(installation) {
            return; // as nearly always: no need to stop the readers
        }
        let mut map = self
            .by_login
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = map.get_mut(&login.to_ascii_lowercase()) {
            *known = Some(installation);
        }
    }

    fn read<T>(&self, look: impl FnOnce(&HashMap<String, Option<InstallationId>>) -> T) -> T {
        look(&self.by_login.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_the_same_in_any_case() {
        let served = Served::new(["Example-Org"]);
        assert!(served.is_served("example-org"));
        assert!(served.is_served("EXAMPLE-ORG"));
        assert!(!served.is_served("example"));
    }

    #[test]
    fn an_installation_is_learnt_for_served_organisations_only() {
        let served = Served::new(["org"]);
        let shared = served.clone();
        shared.learn("Org", InstallationId(5));
        shared.learn("stranger", InstallationId(6));
        assert_eq!(served.installation("org"), Some(InstallationId(5)));
        assert!(served.knows(InstallationId(5)));
        assert_eq!(served.login(InstallationId(5)).as_deref(), Some("org"));
        assert!(!served.is_served("stranger"));
        assert!(!served.knows(InstallationId(6)));
        served.learn("org", InstallationId(7)); // installed anew
        assert_eq!(shared.installation("ORG"), Some(InstallationId(7)));
        assert!(!served.knows(InstallationId(5)));
    }
}
