//! Plain HTTP/1.1, for tests without a web server and for proxies that do not support FastCGI.
//!
//! hyper implements the protocol. No TLS, no compression; `X-Forwarded-…` fields are ignored.

use super::Handler;
use super::budget::{Budget, Share};
use super::exchange::{body_too_large, finish};
use super::stop::{GRACE, SILENCE, Silent, Stop};
use crate::limits::Limits;
use crate::request::{Method, Request, Sender, Wishes};
use crate::response::{Response, Status};
use crate::step::Reply;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{ACCEPT_LANGUAGE, HOST, HeaderName, IF_NONE_MATCH, USER_AGENT};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::borrow::Cow;
use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::{Sleep, sleep, timeout, timeout_at};

/// Largest head of a request, in bytes: hyper's buffer for each connection.
const HEAD_BYTES: usize = 16 * 1024;
/// How much of a body over the limit is read before the connection is closed, in bytes: a client
/// that is still sending does not read a response.
const DRAINED_BYTES: usize = 16 * 1024 * 1024;

/// Long enough for the runtime to poll its sockets.
const TURN: Duration = Duration::from_millis(1);

/// Serves one connection until either side closes it, or until `stop` and its request is answered.
pub async fn serve(
    stream: TcpStream,
    service: &dyn Handler,
    limits: &Limits,
    budget: &Budget,
    stop: Stop,
    mut silent: Option<Silent>,
) {
    let phase = Cell::new(Phase::New);
    let begun = tokio::time::Instant::now();
    let peer = stream.peer_addr().map(|peer| peer.ip().to_string()).unwrap_or_default();
    let service_fn = service_fn(async |request| {
        if phase.replace(Phase::Running) != Phase::Coming {
            // The request was sent before the last response was read. Each pipelined request gets
            // one turn, like those of other connections.
            yield_now().await;
        }
        let answer = answer(request, &peer, service, limits, budget).await;
        phase.set(Phase::Answered);
        Ok::<_, Infallible>(answer)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // A client may shut down its sending side and wait for the response.
        .half_close(true)
        .header_read_timeout(limits.timeout)
        .max_buf_size(limits.parameters_bytes.clamp(8192, HEAD_BYTES))
        .serve_connection(TokioIo::new(Impatient::new(stream, &phase, limits.timeout)), service_fn);
    let mut connection = pin!(connection);
    let ended = |result| note_refusal(result, phase.get(), &peer, service);
    let mut stopped = pin!(stop.wait(true));
    let until_stopped = poll_fn(|context| {
        if let Poll::Ready(result) = connection.as_mut().poll(context) {
            return Poll::Ready(Some(result));
        }
        if phase.get() != Phase::New && silent.take().is_some() {
            stopped.set(stop.wait(false));
        }
        stopped.as_mut().poll(context).map(|()| None)
    });
    if let Some(result) = until_stopped.await {
        return ended(result);
    }
    if phase.get() == Phase::New && !stop.is_for_all() {
        // One turn of the runtime, which may not have noticed received bytes yet.
        let end = (begun + SILENCE).max(tokio::time::Instant::now() + TURN);
        match timeout_at(end, &mut connection).await {
            Ok(result) => return ended(result),
            Err(_) if phase.get() == Phase::New => return,
            Err(_) => {}
        }
    }
    if matches!(phase.get(), Phase::New | Phase::Coming) {
        // The connection is new, or a request is incomplete: the rest may arrive soon.
        match timeout(GRACE, &mut connection).await {
            Ok(result) => return ended(result),
            Err(_) if matches!(phase.get(), Phase::New | Phase::Coming) => return,
            Err(_) => {}
        }
    }
    connection.as_mut().graceful_shutdown();
    ended(connection.await);
}

/// Reports to the service a request that hyper refused, or whose head was not received in time. A
/// connection that the client closed is not reported.
fn note_refusal(result: hyper::Result<()>, phase: Phase, peer: &str, service: &dyn Handler) {
    let Err(error) = result else { return };
    let status = if error.is_parse_too_large() {
        Status::HeaderFieldsTooLarge
    } else if error.is_parse() {
        Status::BadRequest
    } else if error.is_timeout() && phase == Phase::Coming {
        Status::RequestTimeout
    } else {
        return;
    };
    // hyper's responses have no body.
    let response = Response { body: Bytes::new(), ..Response::text(status, "") };
    let sender = Sender { address: peer.as_bytes(), ..Sender::default() };
    service.answered(Method::Other, sender, &response.into(), Duration::ZERO);
}

/// The state of the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// Nothing was received so far.
    New,
    /// The head of a request was received in part.
    Coming,
    /// A request is being answered.
    Running,
    /// The response is being sent.
    Answered,
    /// The response was sent, and nothing was received since.
    Idle,
}

async fn answer(
    request: hyper::Request<Incoming>,
    peer: &str,
    service: &dyn Handler,
    limits: &Limits,
    budget: &Budget,
) -> hyper::Response<Full<Bytes>> {
    let mut start = Instant::now();
    let method = Method::parse(request.method().as_str().as_bytes());
    let (head, body) = request.into_parts();
    let user_agent = head.headers.get(USER_AGENT).map(|value| value.as_bytes());
    let user_agent = user_agent.unwrap_or_default();
    let reply = respond_to(&head, body, method, service, limits, budget, &mut start).await;
    let sender = Sender { address: peer.as_bytes(), user_agent };
    service.answered(method, sender, &reply, start.elapsed());
    let response = reply.response;
    let mut answer = hyper::Response::builder().status(response.status.code());
    for (name, value) in &response.headers {
        answer = answer.header(*name, value.as_ref());
    }
    answer.body(Full::from(response.body)).unwrap_or_else(|_| {
        let mut answer = hyper::Response::default();
        *answer.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        answer
    })
}

/// The reply; `start` is set to the time at which the request was complete.
async fn respond_to(
    head: &Parts,
    body: Incoming,
    method: Method,
    service: &dyn Handler,
    limits: &Limits,
    budget: &Budget,
    start: &mut Instant,
) -> Reply {
    let hosts = head.headers.get_all(HOST).iter().count();
    // RFC 9112 §3.2
    if hosts > 1 || (hosts == 0 && head.version == hyper::Version::HTTP_11) {
        let line = "a request must have exactly one Host field";
        return Response::text(Status::BadRequest, line).into();
    }
    let target = head.uri.to_string();
    let field = |name| head.headers.get(name).map(|value| value.as_bytes());
    let (languages, known_tags) = (list(head, ACCEPT_LANGUAGE), list(head, IF_NONE_MATCH));
    let mut share = budget.share();
    let body = read_body(body, limits.body_bytes, &mut share);
    let body = timeout(limits.timeout, body).await;
    // The time that a client takes to send is not counted.
    *start = Instant::now();
    match body {
        Ok(Ok(body)) => {
            let mut request = Request::new(method, target.as_bytes(), field(HOST), body);
            request.wishes = Wishes { languages: &languages, known_tags: &known_tags };
            finish(service, &request).await
        }
        Ok(Err(response)) => response.into(),
        Err(_) => {
            let line = "the request body was not received in time";
            Response::text(Status::RequestTimeout, line).into()
        }
    }
}

/// The values of a field that is a list: several lines are one list (RFC 9110 §5.3).
fn list(head: &Parts, name: HeaderName) -> Cow<'_, [u8]> {
    let mut values = head.headers.get_all(name).iter().map(|value| value.as_bytes());
    let first = values.next().unwrap_or_default();
    values.fold(Cow::Borrowed(first), |list, value| [&list, &b", "[..], value].concat().into())
}

async fn read_body(
    mut incoming: Incoming,
    max_bytes: usize,
    share: &mut Share,
) -> Result<Vec<u8>, Response> {
    let mut body = Vec::new();
    let mut len = 0;
    while let Some(frame) = incoming.frame().await {
        let frame = frame
            .map_err(|_| Response::text(Status::BadRequest, "the request body is incomplete"))?;
        let Ok(data) = frame.into_data() else { continue };
        len += data.len();
        if len > max_bytes + DRAINED_BYTES {
            break;
        }
        if len <= max_bytes {
            body.extend_from_slice(&data);
            if !share.cover(body.capacity()) {
                let line = "too many large requests at the same time";
                return Err(Response::text(Status::ServiceUnavailable, line));
            }
        }
    }
    match len <= max_bytes {
        true => Ok(body),
        false => Err(body_too_large()),
    }
}

//------------ Impatient ------------------------------------------------------

/// A stream whose writes fail if the other side does not take a response in time, and which updates
/// the phase.
struct Impatient<'a> {
    stream: TcpStream,
    phase: &'a Cell<Phase>,
    timeout: Duration,
    /// Runs from the first write that had to wait until all is written.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Impatient<'_> {
    fn new(stream: TcpStream, phase: &Cell<Phase>, timeout: Duration) -> Impatient<'_> {
        Impatient { stream, phase, timeout, deadline: None }
    }
}

impl AsyncWrite for Impatient<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_pending() {
            let timeout = self.timeout;
            let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(timeout)));
            if deadline.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        // hyper flushes after it has written all it has.
        self.deadline = None;
        if self.phase.get() == Phase::Answered {
            self.phase.set(Phase::Idle);
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncRead for Impatient<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context,
        buffer: &mut ReadBuf,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let is_waited_for = matches!(self.phase.get(), Phase::New | Phase::Idle);
        if buffer.filled().len() > before && is_waited_for {
            self.phase.set(Phase::Coming);
        }
        read
    }
}
