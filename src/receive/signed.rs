//! The extractor: a handler that asks for a [`SignedDelivery`] never meets an unsigned one.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::count;
use super::signature::Keys;

/// GitHub sends no more than 25 MB.
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap>
pub const LARGEST_BODY: usize = 25 * 1024 * 1024;

/// Longest delivery id and event name taken; GitHub's are 36 and under 40.
const LONGEST_NAME: usize = 100;

/// A delivery whose body was signed with one of our secrets. Nothing of it was parsed yet.
#[derive(Clone, Debug)]
pub struct SignedDelivery {
    /// `X-GitHub-Delivery`.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    pub body: Bytes,
}

/// Why a request is not a delivery. What was sent is not repeated in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    TooLarge,
    /// The connection broke before the body's end.
    Incomplete,
    BadSignature,
    /// `X-GitHub-Event` or `X-GitHub-Delivery` is missing or odd.
    BadHeaders,
    NotJson,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, outcome, text) = match self {
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "the body is over 25 MB",
            ),
            Self::Incomplete => (
                StatusCode::BAD_REQUEST,
                "incomplete",
                "the body is incomplete",
            ),
            Self::BadSignature => (
                StatusCode::UNAUTHORIZED,
                "bad_signature",
                "X-Hub-Signature-256 is missing or wrong",
            ),
            Self::BadHeaders => (
                StatusCode::BAD_REQUEST,
                "bad_headers",
                "X-GitHub-Event or X-GitHub-Delivery is missing or malformed",
            ),
            Self::NotJson => (
                StatusCode::BAD_REQUEST,
                "not_json",
                "the body is not a JSON object",
            ),
        };
        count(outcome);
        tracing::debug!(outcome, "refused");
        (status, text).into_response()
    }
}

impl<S> FromRequest<Arc<S>> for SignedDelivery
where
    S: AsRef<Keys> + Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &Arc<S>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let headers = parts.headers;
        if announced_length(&headers).is_some_and(|length| length > LARGEST_BODY as u64) {
            return Err(Refusal::TooLarge);
        }
        // Whatever the headers announce, no more than this is read.
        let body = match Limited::new(body, LARGEST_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(Refusal::TooLarge),
            Err(_) => return Err(Refusal::Incomplete),
        };
        let signature = headers.get("x-hub-signature-256");
        let keys: &Keys = state.as_ref().as_ref();
        if !signature.is_some_and(|header| keys.verify(header.as_bytes(), &body)) {
            return Err(Refusal::BadSignature);
        }
        Ok(Self {
            guid: name(&headers, "x-github-delivery")?,
            event: name(&headers, "x-github-event")?,
            body,
        })
    }
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// A header that holds letters, digits, `-` and `_` only.
fn name(headers: &HeaderMap, header: &str) -> Result<String, Refusal> {
    let value = headers.get(header).ok_or(Refusal::BadHeaders)?;
    let value = value.to_str().map_err(|_| Refusal::BadHeaders)?;
    let sound = !value.is_empty()
        && value.len() <= LONGEST_NAME
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    sound.then(|| value.to_owned()).ok_or(Refusal::BadHeaders)
}
