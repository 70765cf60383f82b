//! FastCGI 1.0, the responder role: `records` reads and writes records, `connection` is the state
//! machine of the protocol, `conversation` its deadlines, and this module connects a stream with a
//! responder.
//!
//! A request on a kept connection costs one wait, one read and one write. An idle connection has no
//! buffer; while a request is received or its response is sent, a deadline runs.

pub mod connection;
pub mod conversation;
pub mod records;

use super::Handler;
use super::document_response::write_answer;
use super::exchange::{body_too_large, finish};
use super::listener::Stream;
use super::stop::{Silent, Stop};
use super::variables::{self, Variables};
use crate::limits::Limits;
use crate::request::{Method, Request, Sender};
use crate::response::{Response, Status};
use bytes::Bytes;
use connection::{Arrived, Connection};
use conversation::Conversation;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::io::ReadBuf;
use tokio::time::{Instant, timeout_at};

/// How much is read at once, in bytes.
const READ_SIZE: usize = 16 * 1024;

thread_local! {
    /// The buffer for reading; shared by all connections, since no code awaits while it is used.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_SIZE]);
    /// An empty buffer for a connection that sends; it is returned afterwards.
    static OUTPUT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Serves one connection until either side closes it, or until `stop` finds it idle.
pub async fn serve(
    mut stream: Stream,
    connection: Connection,
    service: &dyn Handler,
    limits: &Limits,
    stop: Stop,
    silent: Option<Silent>,
) -> io::Result<()> {
    let mut conversation = Conversation::new(connection, silent, limits.timeout, Instant::now());
    let mut stopped = pin!(stop.wait(true));
    loop {
        let deadline = conversation.deadline(Instant::now);
        let arrived = if conversation.has_rest() {
            conversation.receive_rest()
        } else {
            if conversation.is_over() && !stream.has_input() {
                return Ok(());
            }
            let can_stop = conversation.can_stop();
            let arrived = read(&mut stream, &mut conversation, deadline);
            if can_stop {
                tokio::select! {
                    biased;
                    arrived = arrived => arrived?,
                    () = &mut stopped => {
                        conversation.stop(stop.is_for_all(), Instant::now(), stream.has_input());
                        continue;
                    }
                }
            } else {
                arrived.await?
            }
        };
        if conversation.has_spoken(stop.is_for_all()) {
            stopped.set(stop.wait(false));
        }
        let connection = &mut conversation.connection;
        if connection.take_refused() {
            // The most similar status in HTTP, for the log; it is not sent.
            let response = Response::text(Status::ServiceUnavailable, "");
            let response = Response { body: Bytes::new(), ..response };
            service.answered(Method::Other, Sender::default(), &response.into(), Duration::ZERO);
        }
        if let Some(arrived) = arrived {
            let start = std::time::Instant::now();
            let ticket = arrived.ticket;
            let mut variables = Variables::default();
            let reply = match read_request(&arrived, &mut variables) {
                Ok(request) => finish(service, &request).await,
                Err(response) => response.into(),
            };
            let method = variables.method();
            service.answered(method, variables.sender(), &reply, start.elapsed());
            if connection.output().is_empty() {
                *connection.output() = OUTPUT.take();
            }
            let is_head = method == Method::Head;
            connection.answer(ticket, |out| write_answer(out, &reply.response, is_head));
        }
        if !connection.output().is_empty() {
            let mut output = std::mem::take(connection.output());
            send(&stream, &output, limits.timeout).await?;
            reset(&mut output);
            OUTPUT.set(output);
        }
        if connection.is_closing() {
            return Ok(());
        }
    }
}

/// Empties a buffer; memory beyond the usual size is freed.
fn reset(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(READ_SIZE);
}

/// Waits for bytes and passes them to the connection.
async fn read(
    stream: &mut Stream,
    conversation: &mut Conversation,
    deadline: Option<Instant>,
) -> io::Result<Option<Arrived>> {
    let read = poll_fn(|context| {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(stream.poll_read(context, &mut buffer))?;
            Poll::Ready(match buffer.filled() {
                [] => Err(io::ErrorKind::UnexpectedEof.into()),
                bytes => Ok(conversation.receive(bytes)),
            })
        })
    });
    match deadline {
        Some(deadline) => before(deadline, read).await,
        None => read.await,
    }
}

/// Writes all bytes; the timeout begins when the other side does not take them at once.
async fn send(stream: &Stream, mut bytes: &[u8], patience: Duration) -> io::Result<()> {
    let mut deadline = None;
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(len) => bytes = &bytes[len..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience);
                before(deadline, stream.writable()).await?;
            }
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

/// The request that has arrived, or the response to an invalid one; `variables` is set to those of
/// the request.
// Called in one place: the request is not moved then.
#[inline(always)]
fn read_request<'a>(
    arrived: &'a Arrived,
    variables: &mut Variables<'a>,
) -> Result<Request<'a>, Response> {
    let Some(parameters) = &arrived.parameters else {
        let line = "the request parameters are too large";
        return Err(Response::text(Status::HeaderFieldsTooLarge, line));
    };
    let mut pairs = records::pairs(parameters);
    for (name, value) in pairs.by_ref() {
        variables.set(name, value);
    }
    if pairs.is_cut_off() {
        *variables = Variables::default();
        return Err(variables::broken_parameters());
    }
    match &arrived.body {
        Some(body) => variables::request(variables, &body[..]),
        None => Err(body_too_large()),
    }
}
