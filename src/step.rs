//! The next step for a request.
//!
//! Slow work does not block the thread that serves requests: it is returned as data and done
//! elsewhere. The gateways of a service do it in other threads, and wait for servers without a
//! thread; CGI and the command line do it at once.

use crate::record::Record;
use crate::response::Response;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The next step of a request.
pub enum Step {
    /// The reply is ready.
    Done(Reply),
    /// Compute the reply: a signature.
    Compute(Box<dyn Compute>),
    /// Look something up, then repeat the request.
    LookUp(Box<dyn LookUp>),
    /// Ask a server on this machine, then repeat the request.
    Ask(Inquiry),
}

impl Step {
    /// How many steps a request may need: the domains of the address and of the Host each have a file,
    /// and eight aliases may lead to other files; then a login is asked for, and the reply is made.
    pub const MAX_STEPS: usize = 2 * (1 + 8) + 1 + 1;
}

/// A response and its record.
#[derive(Debug)]
pub struct Reply {
    /// The response to send.
    pub response: Response,
    /// Its record, for the log.
    pub record: Record,
}

impl From<Response> for Reply {
    fn from(response: Response) -> Reply {
        Reply { response, record: Record::default() }
    }
}

/// The computation of a reply; it may take milliseconds.
pub trait Compute: Send {
    /// Computes the reply.
    fn compute(self: Box<Self>) -> Reply;
}

/// A look-up; it may take a while. Its result is kept for later requests.
pub trait LookUp: Send {
    /// Looks it up.
    fn look_up(self: Box<Self>);
}

//------------ Inquiry --------------------------------------------------------

/// A question to a server on a Unix socket.
pub struct Inquiry {
    /// The socket.
    pub socket: Arc<Path>,
    /// How long it may take: waiting for a connection, connecting, sending and receiving.
    pub timeout: Duration,
    /// What is sent and received.
    pub dialogue: Box<dyn Dialogue>,
}

/// A request to a server and its reply, as bytes. It has no socket. Its result is kept for later
/// requests, so that the request that needs it can be repeated.
pub trait Dialogue {
    /// The same bytes for all inquiries that get the same answer.
    fn key(&self) -> &[u8];

    /// The bytes to send as the request `count` of a connection, counted from 0.
    fn request(&self, count: u32) -> Vec<u8>;

    /// Reads all bytes that were received since that request.
    fn read(&mut self, count: u32, received: &[u8]) -> Progress;

    /// Takes the end: the reply was read, or why not. It is called once.
    fn end(self: Box<Self>, result: Result<(), Failure>, took: Duration);
}

/// How far a reply was received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// More bytes are needed.
    More,
    /// The reply is complete; it has this length.
    Done(usize),
    /// The bytes are not a reply; what is wrong with them.
    Broken(&'static str),
}

/// Why there is no reply.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Failure {
    /// All connections were in use for most of the time.
    Busy,
    /// No complete reply was received in time.
    TimedOut,
    /// What was received is not a reply.
    Broken(&'static str),
    /// The server closed the connection.
    Closed,
    /// The system reports an error.
    System(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Failure::Busy => "all connections are in use",
            Failure::TimedOut => "no reply before the timeout",
            Failure::Broken(what) => what,
            Failure::Closed => "the server closed the connection without a reply",
            Failure::System(error) => error,
        })
    }
}
