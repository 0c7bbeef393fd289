//! One HTTP request to the broker: one attempt, and the ways in which it can end.
//!
//! Nothing here knows of orders. What an answer, or its absence, proves is decided in `adapter.rs`. With another HTTP client the same
//! three things must be switched off (redirects, retries, the reuse of connections that may be dead) and the same three must be told
//! apart (not sent, no answer in time, no whole answer).

use evenkeel_ports::Clock;
use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// No answer of this broker is larger.
const LARGEST_BODY: usize = 4 << 20;

/// A credential: it prints as stars.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What a broker said, in one short line without the secret, should it have repeated it.
    pub(crate) fn redact(&self, said: &str) -> String {
        let said = if self.0.is_empty() { said.to_owned() } else { said.replace(&self.0, "***") };
        said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Of the header `Retry-After`, in seconds.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

/// Why there is no whole answer. Only the first proves anything.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// Not one byte of the request left.
    #[error("nothing was sent: {0}")]
    NotSent(String),
    /// It may have arrived.
    #[error("no answer in time")]
    Timeout,
    /// It may have arrived.
    #[error("the connection broke: {0}")]
    Disconnected(String),
}

/// The way to the broker.
pub(crate) struct Wire {
    /// Host and port.
    pub(crate) address: String,
    pub(crate) token: Secret,
    pub(crate) timeout: Duration,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Wire {
    /// Sends one request, once, and waits for its whole answer as long as the timeout says.
    pub(crate) async fn send(&self, method: Method, path: &str, body: String) -> Result<Answer, NoAnswer> {
        let deadline = self.clock.now().plus(self.timeout);
        let attempt = pin!(self.attempt(method, path, body));
        match select(attempt, self.clock.sleep_until(deadline)).await {
            Either::Left((ended, _)) => ended,
            Either::Right(((), _)) => Err(NoAnswer::Timeout),
        }
    }

    async fn attempt(&self, method: Method, path: &str, body: String) -> Result<Answer, NoAnswer> {
        let request = self.request(method, path, body).map_err(|error| NoAnswer::NotSent(error.to_string()))?;
        let stream = TcpStream::connect(&self.address).await.map_err(|error| NoAnswer::NotSent(error.to_string()))?;
        let broke = |error: hyper::Error| NoAnswer::Disconnected(error.to_string());
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broke)?;
        // From here on something may have left. How the connection ends, the answer tells.
        tokio::spawn(async move { drop(connection.await) });
        let answer = sender.send_request(request).await.map_err(broke)?;
        let (status, headers) = (answer.status(), answer.headers());
        let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let retry_after = seconds.map(Duration::from_secs);
        let body = Limited::new(answer.into_body(), LARGEST_BODY).collect().await;
        let body = body.map_err(|error| NoAnswer::Disconnected(error.to_string()))?.to_bytes();
        Ok(Answer { status, retry_after, body })
    }

    fn request(&self, method: Method, path: &str, body: String) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let mut token = HeaderValue::from_str(&format!("Bearer {}", self.token.0))?;
        token.set_sensitive(true);
        let request = Request::builder().method(method).uri(path).header(HOST, &self.address);
        let request = request.header(AUTHORIZATION, token).header(CONTENT_TYPE, "application/json");
        request.body(Full::new(Bytes::from(body)))
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("address", &self.address).field("token", &self.token).finish_non_exhaustive()
    }
}
