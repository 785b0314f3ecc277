//! `X-Hub-Signature-256`: is the body what somebody who knows a secret sent?

use std::sync::Arc;

use ::hmac::{Hmac, KeyInit, Mac};
use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The webhook secrets that are valid now, ready to be used. Several, so that they can be rotated.
///
/// Checking the signature is the dearest thing the door does, and AWS-LC (which TLS brings along)
/// does it in half the time where the processor has no instructions for SHA.
#[derive(Clone)]
pub struct Keys(Arc<[Key]>);

impl Keys {
    /// Empty secrets are left out: everybody knows them.
    #[must_use]
    pub fn new(secrets: &[SecretString]) -> Self {
        let keys = secrets
            .iter()
            .map(|secret| secret.expose_secret().as_bytes())
            .filter(|secret| !secret.is_empty())
            .map(|secret| Key::new(HMAC_SHA256, secret));
        Self(keys.collect())
    }

    /// Does this header sign these bytes, by any of the secrets? In constant time for each.
    #[must_use]
    pub fn verify(&self, header: &[u8], body: &[u8]) -> bool {
        let Some(signature) = parse(header) else {
            return false;
        };
        let signed = |key: &Key| hmac::verify(key, body, &signature).is_ok();
        self.0.iter().any(signed)
    }
}

/// Never shows what it holds.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

/// The header that the door takes: for tests and the simulated GitHub. By another
/// implementation than the one that verifies, so that neither can be wrong unnoticed.
#[must_use]
pub fn sign(secret: &SecretString, body: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut header = String::from("sha256=");
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) {
        mac.update(body);
        for byte in mac.finalize().into_bytes() {
            let _ = write!(header, "{byte:02x}");
        }
    }
    header
}

/// `sha256=` and 64 hexadecimal digits.
fn parse(header: &[u8]) -> Option<[u8; 32]> {
    let digits = header.strip_prefix(b"sha256=")?;
    if digits.len() != 64 {
        return None;
    }
    let mut signature = [0; 32];
    for (byte, pair) in signature.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(signature)
}

fn digit(hex: u8) -> Option<u8> {
    char::from(hex)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From GitHub's documentation, "Validating webhook deliveries".
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str =
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn keys(secrets: &[&str]) -> Keys {
        let secrets: Vec<_> = secrets.iter().map(|s| SecretString::from(*s)).collect();
        Keys::new(&secrets)
    }

    #[test]
    fn githubs_own_example_is_good() {
        assert!(keys(&[SECRET]).verify(SIGNATURE.as_bytes(), BODY));
        assert_eq!(sign(&SecretString::from(SECRET), BODY), SIGNATURE);
    }

    #[test]
    fn any_of_several_secrets_will_do() {
        assert!(keys(&["old", SECRET]).verify(SIGNATURE.as_bytes(), BODY));
        assert!(keys(&[SECRET, "new"]).verify(SIGNATURE.as_bytes(), BODY));
        assert!(!keys(&["old", "new"]).verify(SIGNATURE.as_bytes(), BODY));
    }

    #[test]
    fn nothing_is_signed_by_no_secret_or_an_empty_one() {
        let empty = sign(&SecretString::from(""), BODY);
        assert!(!keys(&[]).verify(SIGNATURE.as_bytes(), BODY));
        assert!(!keys(&[""]).verify(empty.as_bytes(), BODY));
    }

    #[test]
    fn anything_else_is_bad() {
        let keys = keys(&[SECRET]);
        assert!(!keys.verify(SIGNATURE.as_bytes(), b"Hello, World?"));
        let short = &SIGNATURE[..SIGNATURE.len() - 2];
        let long = format!("{SIGNATURE}00");
        let other = SIGNATURE.replace("sha256=", "sha1=");
        let not_hex = SIGNATURE.replace('7', "g");
        for header in [
            "",
            "sha256=",
            short,
            &long,
            &other,
            &not_hex,
            &SIGNATURE[7..],
        ] {
            assert!(!keys.verify(header.as_bytes(), BODY), "{header}");
        }
        assert!(!keys.verify(b"sha256=\xff\xfe", BODY));
    }

    #[test]
    fn keys_do_not_show_themselves() {
        assert_eq!(format!("{:?}", keys(&[SECRET])), "Keys(1)");
    }
}
