//! Plain HTTP/1.1, for a first look without a web server and for proxies that speak no FastCGI.
//!
//! hyper does the protocol. No TLS, no compression, no trust in any `X-Forwarded-…` field.

use super::Responder;
use super::cgi::body_too_large;
use super::server::{Stop, finish};
use crate::request::{Limits, Method, Request};
use crate::response::{Response, Status};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::pin;
use tokio::net::TcpStream;
use tokio::time::timeout;

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
        .serve_connection(TokioIo::new(stream), service);
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
    let method = Method::parse(request.method().as_str().as_bytes());
    let target = request.uri().to_string();
    let host = request.headers().get(HOST).map(|value| value.as_bytes().to_owned());
    let response =
        match timeout(limits.timeout, read_body(request.into_body(), limits.body_bytes)).await {
            Ok(Ok(body)) => {
                let request = Request::new(method, target.as_bytes(), host.as_deref(), body);
                finish(respond(&request)).await
            }
            Ok(Err(response)) => response,
            Err(_) => Response::text(Status::RequestTimeout, "the body took too long"),
        };
    let mut answer = hyper::Response::builder().status(response.status.code());
    for (name, value) in &response.headers {
        answer = answer.header(*name, value.as_ref());
    }
    answer.body(Full::from(response.body)).unwrap_or_default()
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
