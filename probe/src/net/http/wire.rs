//! One request on one connection.

use super::exchange::{MAX_BODY, MAX_HEADER, Outcome, Response};
use super::url::Url;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, USER_AGENT,
};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use mailsetup::visible::visible;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

/// Most fields of the header of a response.
const MAX_FIELDS: usize = 500;
/// Most octets of a connection that are read: a header and a body in chunks of one octet, with room.
const MAX_RESPONSE: u64 = 1024 * 1024;

/// What is sent in one hop.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) method: &'static str,
    pub(super) url: &'a Url,
    pub(super) agent: &'static str,
    pub(super) media_type: &'static str,
    pub(super) body: &'a str,
}

/// Sends the request and reads the response, then closes the connection. The caller limits the time.
pub(super) async fn ask<T>(stream: T, message: Message<'_>) -> Outcome
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    // Interim responses (1xx) have no end of their own, and are read without a pause.
    let (input, output) = tokio::io::split(stream);
    let stream = TokioIo::new(tokio::io::join(input.take(MAX_RESPONSE), output));
    let request = match request(message) {
        Ok(request) => request,
        Err(error) => return Outcome::Broken(format!("the request cannot be sent: {error}")),
    };
    let handshake = http1::Builder::new()
        .max_buf_size(MAX_HEADER)
        .max_headers(MAX_FIELDS)
        .title_case_headers(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .handshake(stream)
        .await;
    let (mut sender, connection) = match handshake {
        Ok(both) => both,
        Err(error) => return Outcome::Broken(reason(&error)),
    };
    let mut connection = pin!(connection);
    let mut exchange = pin!(async {
        let response = match sender.send_request(request).await {
            Ok(response) => response,
            Err(error) => return Outcome::Broken(reason(&error)),
        };
        let (head, body) = response.into_parts();
        match read(body).await {
            Ok((body, is_cut)) => Outcome::Response(Response {
                status: head.status.as_u16(),
                fields: fields(&head.headers),
                body,
                is_cut,
            }),
            Err(error) => Outcome::Broken(reason(&error)),
        }
    });
    // The connection moves on only while it is polled, beside the exchange that uses it.
    let mut is_closed = false;
    poll_fn(|context| {
        if !is_closed {
            // Its errors are those of the exchange.
            is_closed = connection.as_mut().poll(context).is_ready();
        }
        exchange.as_mut().poll(context)
    })
    .await
}

fn request(message: Message<'_>) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let Message { method, url, agent, media_type, body } = message;
    let is_post = method == "POST";
    let mut request = Request::builder()
        .method(if is_post { Method::POST } else { Method::GET })
        .uri(url.target())
        .header(HOST, url.authority());
    if !agent.is_empty() {
        request = request.header(USER_AGENT, agent);
    }
    request = request.header(ACCEPT, "*/*");
    let mut content = Bytes::new();
    if is_post {
        if !media_type.is_empty() {
            request = request.header(CONTENT_TYPE, media_type);
        }
        request = request.header(CONTENT_LENGTH, body.len());
        content = Bytes::copy_from_slice(body.as_bytes());
    }
    request.header(CONNECTION, HeaderValue::from_static("close")).body(Full::new(content))
}

/// The body, and whether there is more.
async fn read(mut body: Incoming) -> Result<(Vec<u8>, bool), hyper::Error> {
    let mut octets = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        let room = MAX_BODY - octets.len();
        octets.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Ok((octets, true));
        }
    }
    Ok((octets, false))
}

fn fields(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn reason(error: &hyper::Error) -> String {
    if error.is_parse_too_large() {
        let size = MAX_HEADER / 1024;
        return format!("the header has more than {size} KiB, or more than {MAX_FIELDS} fields");
    }
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let is_end = source.is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof);
    if error.is_incomplete_message() || is_end {
        return "the connection was closed before the response was complete".to_owned();
    }
    let mut text = match error.is_parse() {
        true => format!("the response is not HTTP: {error}"),
        false => error.to_string(),
    };
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    visible(&text)
}
