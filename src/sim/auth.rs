//! Who is asking: the App with its JWT, an installation with its token, or nobody.

use std::collections::BTreeMap;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::ids::base64;
use super::refusal::Refusal;
use super::state::State;

/// The App's key pair, made when the simulation starts.
pub(super) struct AppKey {
    pub private_pem: String,
    public: DecodingKey,
}

impl AppKey {
    pub fn generate() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let pair = KeyPair::generate(KeySize::Rsa2048)?;
        let der = pair.as_der()?;
        let text = base64(der.as_ref());
        let mut private_pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        for start in (0..text.len()).step_by(64) {
            private_pem.push_str(&text[start..text.len().min(start + 64)]);
            private_pem.push('\n');
        }
        private_pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(Self {
            private_pem,
            public: DecodingKey::from_rsa_der(pair.public_key().as_ref()),
        })
    }
}

/// A token given to an installation.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub installation: u64,
    pub permissions: BTreeMap<String, String>,
    pub expires_at: Timestamp,
}

/// Who asked.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    Nobody,
    App,
    Installation {
        id: u64,
        permissions: BTreeMap<String, String>,
    },
}

impl Caller {
    pub fn installation(&self) -> Option<u64> {
        match self {
            Self::Installation { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// Whether the caller holds `name` at `level` (`read` or `write`; admin is more than both).
    pub fn may(&self, name: &str, level: &str) -> bool {
        let Self::Installation { permissions, .. } = self else {
            return false;
        };
        match permissions.get(name).map(String::as_str) {
            Some("write" | "admin") => true,
            Some("read") => level == "read",
            _ => false,
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    iat: i64,
    exp: i64,
    iss: serde_json::Value,
}

/// GitHub's longest life of an App's JWT, in seconds, and the drift it allows for clocks.
const JWT_LIFE: i64 = 600;
const DRIFT: i64 = 60;

/// Reads the `Authorization` header as GitHub does: 401 for what it does not know.
pub(super) fn authenticate(
    state: &State,
    key: &AppKey,
    header: Option<&str>,
) -> Result<Caller, Refusal> {
    let Some(header) = header else {
        return Ok(Caller::Nobody);
    };
    let secret = header
        .split_once(' ')
        .filter(|(scheme, _)| {
            scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token")
        })
        .map_or("", |(_, secret)| secret.trim());
    if secret.split('.').count() == 3 {
        return app(state, key, secret);
    }
    let token = state
        .tokens
        .get(secret)
        .filter(|token| token.expires_at > state.now())
        .filter(|token| state.installations.contains_key(&token.installation))
        .ok_or_else(|| Refusal::new(401, "Bad credentials"))?;
    Ok(Caller::Installation {
        id: token.installation,
        permissions: token.permissions.clone(),
    })
}

fn app(state: &State, key: &AppKey, jwt: &str) -> Result<Caller, Refusal> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false; // checked below, against our clocks
    validation.required_spec_claims.clear();
    let claims = jsonwebtoken::decode::<Claims>(jwt, &key.public, &validation)
        .map_err(|_| Refusal::new(401, "A JSON web token could not be decoded"))?
        .claims;
    let issuer = claims
        .iss
        .as_u64()
        .or_else(|| claims.iss.as_str().and_then(|text| text.parse().ok()));
    if issuer != Some(state.app_id) {
        return Err(Refusal::new(
            401,
            "'Issuer' claim ('iss') must be an Integer",
        ));
    }
    // The libraries that sign these read the machine's clock, whatever clock the test runs on, so
    // a token is good if it is good by either.
    let good_at = |now: Timestamp| {
        let now = now.as_second();
        claims.exp > now && claims.exp <= now + JWT_LIFE + DRIFT && claims.iat <= now + DRIFT
    };
    if !good_at(state.now()) && !good_at(Timestamp::now()) {
        return Err(Refusal::new(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time \
             at which the assertion expires",
        ));
    }
    if claims.exp - claims.iat > JWT_LIFE + 2 * DRIFT {
        return Err(Refusal::new(
            401,
            "'Expiration time' claim ('exp') is too far in the future",
        ));
    }
    Ok(Caller::App)
}

/// A new token for the installation, good for an hour. `wanted` narrows its permissions; asking
/// for more than the installation has is refused.
pub(super) fn issue_token(
    state: &mut State,
    installation: u64,
    wanted: Option<&BTreeMap<String, String>>,
) -> Result<(String, Token), Refusal> {
    let granted = &state
        .installations
        .get(&installation)
        .ok_or_else(Refusal::not_found)?
        .permissions;
    let mut permissions = granted.clone();
    if let Some(wanted) = wanted {
        for (name, level) in wanted {
            let covered = granted
                .get(name)
                .is_some_and(|has| has == level || has == "write" && level == "read");
            if !covered {
                return Err(Refusal::new(
                    422,
                    "The permissions requested are not granted to this installation.",
                ));
            }
        }
        permissions.clone_from(wanted);
        permissions.insert("metadata".to_owned(), "read".to_owned());
    }
    let token = Token {
        installation,
        permissions,
        expires_at: state.now() + SignedDuration::from_hours(1),
    };
    let text = state.ids.token();
    state.tokens.insert(text.clone(), token.clone());
    Ok((text, token))
}
