//! Plain HTTP/1.1, for a first look without a web server and for proxies that speak no FastCGI.
//!
//! hyper does the protocol. No TLS, no compression, no trust in any `X-Forwarded-…` field.

use super::Responder;
use super::cgi::body_too_large;
use super::server::{Stop, finish};
use crate::request::{Limits, Method, Request, Wishes};
use crate::response::{Response, Status};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{ACCEPT_LANGUAGE, HOST, IF_NONE_MATCH};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};

/// How much of a body over the cap is read before the connection is dropped, in bytes: a client
/// that is still sending does not see an answer.
const DRAINED_BYTES: usize = 16 * 1024 * 1024;

/// Serves one connection until either side closes it, or until `stop` and its request is answered.
pub async fn serve(stream: TcpStream, respond: &Responder, limits: &Limits, stop: Stop) {
    let service =
        service_fn(async |request| Ok::<_, Infallible>(answer(request, respond, limits).await));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.timeout)
        .max_buf_size(limits.parameters_bytes.max(8192))
        .serve_connection(TokioIo::new(Impatient::new(stream, limits.timeout)), service);
    let mut connection = pin!(connection);
    // A connection that breaks off is its client's affair.
    tokio::select! {
        _ = &mut connection => {}
        () = stop.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await.ok();
        }
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    respond: &Responder,
    limits: &Limits,
) -> hyper::Response<Full<Bytes>> {
    let response = respond_to(request, respond, limits).await;
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

async fn respond_to(
    request: hyper::Request<Incoming>,
    respond: &Responder,
    limits: &Limits,
) -> Response {
    let hosts = request.headers().get_all(HOST).iter().count();
    // RFC 9112 §3.2
    if hosts > 1 || (hosts == 0 && request.version() == hyper::Version::HTTP_11) {
        return Response::text(Status::BadRequest, "a request has one Host field");
    }
    let method = Method::parse(request.method().as_str().as_bytes());
    let target = request.uri().to_string();
    let wish = |name| request.headers().get(name).map(|value| value.as_bytes().to_owned());
    let wishes = Wishes {
        languages: wish(ACCEPT_LANGUAGE).unwrap_or_default(),
        known_tags: wish(IF_NONE_MATCH).unwrap_or_default(),
    };
    let host = request.headers().get(HOST).map(|value| value.as_bytes().to_owned());
    match timeout(limits.timeout, read_body(request.into_body(), limits.body_bytes)).await {
        Ok(Ok(body)) => {
            let mut request = Request::new(method, target.as_bytes(), host.as_deref(), body);
            request.wishes = wishes;
            finish(respond(&request)).await
        }
        Ok(Err(response)) => response,
        Err(_) => Response::text(Status::RequestTimeout, "the body took too long"),
    }
}

async fn read_body(mut incoming: Incoming, max_bytes: usize) -> Result<Vec<u8>, Response> {
    let mut body = Vec::new();
    let mut len = 0;
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_| Response::text(Status::BadRequest, "the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        len += data.len();
        if len > max_bytes + DRAINED_BYTES {
            break;
        }
        if len <= max_bytes {
            body.extend_from_slice(&data);
        }
    }
    match len <= max_bytes {
        true => Ok(body),
        false => Err(body_too_large()),
    }
}

//------------ Impatient ------------------------------------------------------

/// A stream whose writes fail once the other side has not taken an answer in time.
struct Impatient {
    stream: TcpStream,
    timeout: Duration,
    /// Runs from the first write that had to wait until everything is written.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Impatient {
    fn new(stream: TcpStream, timeout: Duration) -> Impatient {
        Impatient { stream, timeout, deadline: None }
    }
}

impl AsyncWrite for Impatient {
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
        // hyper flushes once it has written all it had.
        self.deadline = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncRead for Impatient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context,
        buffer: &mut ReadBuf,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}
