//! The toy broker's counter: its bank behind HTTP on a loopback port, and everything that goes wrong between the two.

use crate::bank::{Bank, No};
use evenkeel_conformance::broker::Fault;
use evenkeel_domain::values::Timestamp;
use evenkeel_memory::ManualClock;
use evenkeel_ports::Clock;
use evenkeel_toy_broker::TIMEOUT;
use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;

pub(crate) const ACCOUNT: &str = "conformance";
pub(crate) const TOKEN: &str = "toy-token-7f3a";

/// What goes wrong with the next request to submit an order.
#[derive(Clone)]
pub(crate) enum Trouble {
    LoseRequest,
    LoseAnswer,
    Slow,
    /// This status and body come back, whether or not the request was handled.
    Answer {
        status: u16,
        body: Cow<'static, str>,
        handled: bool,
    },
    /// It is handled, and half of the answer comes back.
    Truncate,
}

/// The broker and its counter. Clones are the same.
#[derive(Clone)]
pub(crate) struct Server {
    clock: ManualClock,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) bank: Bank,
    pub(crate) troubles: Vec<Trouble>,
    /// So many questions are answered, and then so many are not.
    pub(crate) spared: u32,
    pub(crate) unanswered: u32,
    /// This status and body come back for every question.
    pub(crate) instead: Option<(u16, &'static str)>,
    pub(crate) limited_until: Option<Timestamp>,
    /// Until when callers wait for an answer that never comes.
    in_vain: Vec<Timestamp>,
    /// Requests to submit that arrived here, lost ones included.
    pub(crate) requests: u64,
    /// What every answer has besides, or instead of, what is documented.
    pub(crate) dressed: Option<fn(&mut Json)>,
}

type Body = BoxBody<Bytes, io::Error>;
type Answered = Result<Response<Body>, io::Error>;

impl Server {
    /// Opens the counter.
    pub(crate) async fn open(clock: ManualClock) -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { clock, state: Arc::default() };
        let counter = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let counter = counter.clone();
                let service = service_fn(move |request| counter.clone().serve(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        (server, address)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn serve(self, request: Request<Incoming>) -> Answered {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let said = head.headers.get(AUTHORIZATION).map_or("", |value| value.to_str().unwrap_or_default());
        if said != format!("Bearer {TOKEN}") {
            // Not nice, and seen: the credential comes back in the message.
            return whole(401, &json!({ "code": "unauthorized", "message": format!("{said} is not valid") }));
        }
        let path: Vec<&str> = head.uri.path().trim_matches('/').split('/').collect();
        match (&head.method, path.as_slice()) {
            (_, ["accounts", account, ..]) if *account != ACCOUNT => no(404, &("no_such_account", String::new())),
            (&Method::POST, [_, _, "orders"]) => self.submit(&body).await,
            (&Method::DELETE, [_, _, "orders", id]) => self.cancel(id),
            (&Method::GET, [_, _, rest @ ..]) => self.question(rest, head.uri.query().unwrap_or_default()),
            _ => no(404, &("no_such_path", head.uri.to_string())),
        }
    }

    async fn submit(self, body: &Bytes) -> Answered {
        let trouble = {
            let mut state = self.state();
            state.requests += 1;
            (!state.troubles.is_empty()).then(|| state.troubles.remove(0))
        };
        let now = self.clock.now();
        if let Some(until) = self.state().limited_until.filter(|until| *until > now) {
            return limited(until.since(now));
        }
        let order: Json = serde_json::from_slice(body).unwrap();
        match trouble {
            None => self.handle(&order),
            Some(Trouble::LoseAnswer) => self.handle(&order).and(Err(gone())),
            Some(Trouble::Answer { status, body, handled }) => {
                if handled {
                    drop(self.handle(&order));
                }
                Ok(Response::builder().status(status).body(full(body.into_owned())).unwrap())
            }
            Some(Trouble::Truncate) => {
                let answer = self.handle(&order)?.into_body().collect().await?.to_bytes();
                let half = Ok(Frame::data(answer.slice(..answer.len() / 2)));
                let body = StreamBody::new(stream::iter([half]).chain(stream::once(async { Err(gone()) })));
                let answer = Response::builder().status(201).header(CONTENT_LENGTH, answer.len());
                Ok(answer.body(BodyExt::boxed(body)).unwrap())
            }
            Some(lost @ (Trouble::LoseRequest | Trouble::Slow)) => {
                if matches!(lost, Trouble::Slow) {
                    let (late, at) = (self.clone(), self.clock.now().plus(TIMEOUT * 2));
                    tokio::spawn(async move {
                        late.clock.sleep_until(at).await;
                        drop(late.handle(&order));
                    });
                }
                self.state().in_vain.push(now.plus(TIMEOUT));
                std::future::pending().await
            }
        }
    }

    fn handle(&self, order: &Json) -> Answered {
        let now = self.clock.now();
        let taken = self.state().bank.submit(now, order);
        match taken {
            Ok(order) => self.answer(201, order),
            Err(refused) => no(if refused.0 == "duplicate_id" { 409 } else { 422 }, &refused),
        }
    }

    fn cancel(&self, id: &str) -> Answered {
        if let Some(wait) = self.state().bank.limits_cancel(id) {
            return limited(wait);
        }
        let canceled = self.state().bank.cancel(self.clock.now(), id);
        match canceled {
            None => no(404, &("no_such_order", id.to_owned())),
            Some((_, true)) => Err(gone()),
            Some((Ok(()), _)) => whole(202, &json!({})),
            Some((Err(order), _)) => whole(409, &json!({ "code": "already_ended", "order": order })),
        }
    }

    fn question(&self, path: &[&str], query: &str) -> Answered {
        let (mut state, now) = (self.state(), self.clock.now());
        if state.unanswered > 0 {
            if state.spared == 0 {
                state.unanswered -= 1;
                return Err(gone());
            }
            state.spared -= 1;
        }
        if let Some((status, body)) = state.instead {
            return Ok(Response::builder().status(status).body(full(body.to_owned())).unwrap());
        }
        let after = || query.strip_prefix("after=").and_then(|after| after.parse().ok()).unwrap_or_default();
        let bank = &mut state.bank;
        let answer = match path {
            [] => bank.account(now),
            ["positions"] => bank.positions(now),
            ["orders"] => bank.open_orders(now, after()),
            ["fills"] => bank.fills(now, after()),
            ["orders", id] => match bank.order(now, id) {
                Some(order) => order,
                None => return no(404, &("no_such_order", (*id).to_owned())),
            },
            _ => return no(404, &("no_such_path", path.join("/"))),
        };
        drop(state);
        self.answer(200, answer)
    }

    fn answer(&self, status: u16, mut message: Json) -> Answered {
        if let Some(dress) = self.state().dressed {
            dress(&mut message);
        }
        whole(status, &message)
    }
}

fn full(text: String) -> Body {
    BodyExt::boxed(http_body_util::Full::new(Bytes::from(text)).map_err(|never| match never {}))
}

fn whole(status: u16, message: &Json) -> Answered {
    Ok(Response::builder().status(status).body(full(message.to_string())).unwrap())
}

fn no(status: u16, (code, message): &No) -> Answered {
    let opens_at = (*code == "market_closed").then_some(message);
    whole(status, &json!({ "code": code, "message": message, "opens_at": opens_at }))
}

fn limited(wait: Duration) -> Answered {
    let answer = Response::builder().status(429).header(RETRY_AFTER, wait.as_secs().to_string());
    Ok(answer.body(full("{}".to_owned())).unwrap())
}

/// The connection is closed without an answer, or in the middle of one.
fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the line is dead")
}

impl State {
    /// How many calls are under way that will not be answered.
    pub(crate) fn in_vain(&self, now: Timestamp) -> usize {
        self.in_vain.iter().filter(|until| **until > now).count()
    }

    /// What the rig was asked to let go wrong; true if that is in this broker's power.
    pub(crate) fn force(&mut self, now: Timestamp, fault: Fault) -> bool {
        match fault {
            Fault::LoseRequest => self.troubles.push(Trouble::LoseRequest),
            Fault::LoseAnswer => self.troubles.push(Trouble::LoseAnswer),
            Fault::UnmappedAnswer => {
                self.troubles.push(Trouble::Answer {
                    status: 299,
                    body: r#"{"said":"perhaps"}"#.into(),
                    handled: true,
                });
            }
            Fault::UnmappedRefusal { words } => self.troubles.push(Trouble::Answer {
                status: 422,
                body: json!({ "code": "lunar", "message": words }).to_string().into(),
                handled: false,
            }),
            Fault::Slow => self.troubles.push(Trouble::Slow),
            Fault::RateLimit { retry_after } => self.limited_until = Some(now.plus(retry_after)),
            Fault::NeverFill
            | Fault::InParts(_)
            | Fault::InTwo { .. }
            | Fault::PartialThenWork
            | Fault::PartialThenCancel
            | Fault::Expire
            | Fault::PartialThenExpire
            | Fault::RejectAfterAck
            | Fault::FillAfterCancel
            | Fault::LoseCancelAnswer
            | Fault::RateLimitCancel { .. }
            | Fault::SlowCancel { .. }
            | Fault::UnmappedStatus => self.bank.fates.push(fault),
            _ => return false,
        }
        true
    }
}

/// How long the market stays closed.
pub(crate) const NIGHT: Duration = Duration::from_secs(3_600);
