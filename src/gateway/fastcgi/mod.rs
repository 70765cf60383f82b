//! FastCGI 1.0, the responder role: `records` are bytes, `connection` is the conversation, and
//! here a stream and a responder are brought together.
//!
//! A kept request costs one wait, one read and one write. While a connection is idle it holds no
//! buffer; while a request comes in or its answer goes out, a deadline runs.

pub mod connection;
pub mod records;

use super::listener::Stream;
use super::server::{Stop, finish};
use super::{Responder, cgi};
use crate::request::Limits;
use crate::response::{Response, Status};
use connection::{Arrived, Connection};
use std::borrow::Cow;
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Poll, ready};
use tokio::io::ReadBuf;
use tokio::time::{Instant, timeout_at};

/// How much is read at once, in bytes.
const READ_SIZE: usize = 16 * 1024;

thread_local! {
    /// Where bytes are read to; shared by all connections, since nothing waits while it is used.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_SIZE]);
}

/// Serves one connection until either side closes it, or until `stop` finds it idle.
pub async fn serve(
    mut stream: Stream,
    mut connection: Connection,
    respond: &Responder,
    limits: &Limits,
    stop: Stop,
) -> io::Result<()> {
    let mut stopped = pin!(stop.wait());
    // What came behind a request and waits for its answer; hardly ever anything.
    let mut rest = Vec::new();
    let mut deadline = None;
    // Who connects has something to say: the first byte may not take for ever, the next may.
    let mut is_new = true;
    loop {
        deadline = match connection.is_idle() && !connection.is_overloaded() && !is_new {
            true => None,
            false => deadline.or_else(|| Some(Instant::now() + limits.timeout)),
        };
        let arrived = if rest.is_empty() {
            let is_idle = connection.is_idle();
            let arrived = read(&mut stream, &mut connection, &mut rest, deadline);
            match is_idle {
                true => tokio::select! {
                    biased;
                    arrived = arrived => arrived?,
                    () = &mut stopped => return Ok(()),
                },
                false => arrived.await?,
            }
        } else {
            let bytes = std::mem::take(&mut rest);
            receive(&mut connection, &bytes, &mut rest)
        };
        is_new = false;
        if let Some(arrived) = arrived {
            let ticket = arrived.ticket;
            let stdout = answer(arrived, respond).await;
            connection.answer(ticket, &stdout);
        }
        if !connection.output().is_empty() {
            let output = std::mem::take(connection.output());
            before(Instant::now() + limits.timeout, send(&stream, &output)).await?;
        }
        if connection.is_closing() {
            return Ok(());
        }
    }
}

/// Waits for bytes and gives them to the connection; what it leaves goes to `rest`.
async fn read(
    stream: &mut Stream,
    connection: &mut Connection,
    rest: &mut Vec<u8>,
    deadline: Option<Instant>,
) -> io::Result<Option<Arrived>> {
    let read = poll_fn(|context| {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(stream.poll_read(context, &mut buffer))?;
            Poll::Ready(match buffer.filled() {
                [] => Err(io::ErrorKind::UnexpectedEof.into()),
                bytes => Ok(receive(connection, bytes, rest)),
            })
        })
    });
    match deadline {
        Some(deadline) => before(deadline, read).await,
        None => read.await,
    }
}

fn receive(connection: &mut Connection, mut bytes: &[u8], rest: &mut Vec<u8>) -> Option<Arrived> {
    let arrived = connection.receive(&mut bytes);
    rest.extend_from_slice(bytes);
    arrived
}

async fn send(stream: &Stream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(len) => bytes = &bytes[len..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn before<T>(
    deadline: Instant,
    future: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout_at(deadline, future).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// What goes to the web server's standard output for a request.
async fn answer(arrived: Arrived, respond: &Responder) -> Vec<u8> {
    let parameters = match &arrived.parameters {
        Some(parameters) => parameters,
        None => {
            let line = "the request's parameters are too large";
            return cgi::answer(&Response::text(Status::HeaderFieldsTooLarge, line), false);
        }
    };
    if records::pairs(parameters)
        .any(|pair| pair.is_none_or(|(name, value)| has_nul(name) || has_nul(value)))
    {
        let line = "the request's parameters are broken";
        return cgi::answer(&Response::text(Status::BadRequest, line), false);
    }
    let variable = |wanted: &str| {
        // The last of several counts.
        let found =
            records::pairs(parameters).flatten().filter(|(name, _)| *name == wanted.as_bytes());
        found.last().map(|(_, value)| Cow::Borrowed(value))
    };
    let is_head = cgi::is_head(variable);
    let Some(body) = arrived.body else {
        return cgi::answer(&cgi::body_too_large(), is_head);
    };
    let response = match cgi::request(variable, body) {
        Ok(request) => finish(respond(&request)).await,
        Err(response) => response,
    };
    cgi::answer(&response, is_head)
}

/// Neither names nor values hold a NUL (FastCGI Specification 1.0, §6.1).
fn has_nul(bytes: &[u8]) -> bool {
    bytes.contains(&0)
}
