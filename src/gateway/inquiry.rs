//! Asks servers on this machine over Unix sockets, without blocking other requests.
//!
//! Connections are kept for the next question. One deadline covers a question from waiting for a
//! connection to the last byte of the reply; a connection is closed if it has no complete reply by
//! then, or anything else than a reply. If several requests have the same question, it is asked once.
//! Nothing here depends on what is asked.

use crate::step::{Dialogue, Failure, Inquiry, Progress};
use rustix::net::RecvFlags;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// The most connections to one server.
const AT_ONCE: usize = 8;
/// How long a connection may be idle. Servers of Postfix close it after ten seconds.
const IDLE: Duration = Duration::from_secs(8);
/// How long to wait if the backlog of a server is full; doubled up to the second value.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(16)];
/// How much is read at once, in bytes.
const READ_SIZE: usize = 1024;

/// The servers that were asked, and the questions that are being asked.
#[derive(Debug, Default)]
pub struct Inquirer {
    servers: RefCell<HashMap<Arc<Path>, Rc<Server>>>,
    asked: RefCell<HashMap<Box<[u8]>, Rc<Notify>>>,
}

impl Inquirer {
    /// Asks, and passes the result to the dialogue; or waits until another request has asked the
    /// same.
    pub async fn ask(&self, inquiry: Inquiry) {
        let Inquiry { socket, timeout, mut dialogue } = inquiry;
        let asked = self.asked.borrow().get(dialogue.key()).cloned();
        if let Some(asked) = asked {
            return asked.notified().await;
        }
        let asking = Asking::new(self, dialogue.key().into());
        let begun = Instant::now();
        let server = self.server(&socket);
        let result = server.ask(&mut *dialogue, begun, timeout).await;
        dialogue.end(result, begun.elapsed());
        // Now the requests that wait find the result.
        drop(asking);
    }

    fn server(&self, socket: &Arc<Path>) -> Rc<Server> {
        if let Some(server) = self.servers.borrow().get(socket) {
            return server.clone();
        }
        let mut servers = self.servers.borrow_mut();
        // Those of an earlier configuration.
        servers.retain(|_, server| Rc::strong_count(server) > 1);
        servers
            .entry(socket.clone())
            .or_insert_with(|| Rc::new(Server::new(socket.clone())))
            .clone()
    }
}

/// A question that is being asked. Requests with the same question go on when this value is dropped,
/// also if the request that asks is given up.
struct Asking<'a> {
    inquirer: &'a Inquirer,
    key: Box<[u8]>,
}

impl<'a> Asking<'a> {
    fn new(inquirer: &'a Inquirer, key: Box<[u8]>) -> Asking<'a> {
        inquirer.asked.borrow_mut().insert(key.clone(), Rc::default());
        Asking { inquirer, key }
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(asked) = self.inquirer.asked.borrow_mut().remove(&self.key) {
            asked.notify_waiters();
        }
    }
}

//------------ Server ---------------------------------------------------------

/// A server, and its connections.
#[derive(Debug)]
struct Server {
    socket: Arc<Path>,
    slots: Semaphore,
    /// Idle connections, and since when; the longest idle one first.
    idle: RefCell<Vec<(Connection, Instant)>>,
    /// True if a task closes connections that are idle for too long.
    is_watched: Cell<bool>,
}

impl Server {
    fn new(socket: Arc<Path>) -> Server {
        Server {
            socket,
            slots: Semaphore::new(AT_ONCE),
            idle: RefCell::default(),
            is_watched: Cell::new(false),
        }
    }

    async fn ask(
        self: &Rc<Server>,
        dialogue: &mut dyn Dialogue,
        begun: Instant,
        timeout: Duration,
    ) -> Result<(), Failure> {
        let deadline = begun + timeout;
        let slot = timeout_at(deadline, self.slots.acquire()).await.map_err(|_| Failure::Busy)?;
        let waited = begun.elapsed();
        let result = timeout_at(deadline, self.converse(dialogue)).await;
        drop(slot);
        // The questions before it took most of the time.
        let late = if waited > timeout / 2 { Failure::Busy } else { Failure::TimedOut };
        result.unwrap_or(Err(late))
    }

    /// Asks on a kept connection or on a new one. The future owns the connection: if it is dropped,
    /// the connection is closed.
    async fn converse(self: &Rc<Server>, dialogue: &mut dyn Dialogue) -> Result<(), Failure> {
        if let Some(mut kept) = self.kept() {
            match kept.ask(dialogue).await {
                // The server was restarted, or closed the connection at this moment.
                Err(Failure::Closed) => self.idle.borrow_mut().clear(),
                result => {
                    self.keep(kept);
                    return result;
                }
            }
        }
        let stream = connect(&self.socket)
            .await
            .map_err(|error| Failure::System(format!("cannot connect: {error}")))?;
        let mut new = Connection { stream, count: 0, is_clean: false };
        let result = new.ask(dialogue).await;
        self.keep(new);
        result
    }

    /// The connection that was used last.
    fn kept(&self) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        while let Some((connection, _)) = idle.pop() {
            if connection.is_silent() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection, if its last reply was complete and nothing followed it.
    fn keep(self: &Rc<Server>, connection: Connection) {
        if !connection.is_clean {
            return;
        }
        self.idle.borrow_mut().push((connection, Instant::now()));
        if !self.is_watched.replace(true) {
            tokio::task::spawn_local(self.clone().close_idle());
        }
    }

    async fn close_idle(self: Rc<Server>) {
        loop {
            let oldest = self.idle.borrow().first().map(|(_, since)| *since);
            let Some(since) = oldest else { break };
            sleep_until(since + IDLE).await;
            self.idle.borrow_mut().retain(|(_, since)| since.elapsed() < IDLE);
        }
        self.is_watched.set(false);
    }
}

/// Connects; if the backlog of the server is full, tries again.
async fn connect(socket: &Path) -> io::Result<UnixStream> {
    let [mut pause, longest] = PAUSES;
    loop {
        match UnixStream::connect(socket).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(pause).await,
            result => return result,
        }
        pause = (2 * pause).min(longest);
    }
}

//------------ Connection -----------------------------------------------------

/// A connection to a server.
#[derive(Debug)]
struct Connection {
    stream: UnixStream,
    /// How many requests were sent on it.
    count: u32,
    /// True if the last reply was complete, and nothing followed it.
    is_clean: bool,
}

impl Connection {
    /// True if nothing was received since the last reply, and the server has not closed it. A reply
    /// without a question would be taken for that of the next one.
    fn is_silent(&self) -> bool {
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let received = rustix::net::recv(&self.stream, &mut [0u8; 1], flags);
        received.is_err_and(|error| error == rustix::io::Errno::AGAIN)
    }

    /// Sends a request, and receives its reply. [`Failure::Closed`] if nothing was received.
    async fn ask(&mut self, dialogue: &mut dyn Dialogue) -> Result<(), Failure> {
        let count = self.count;
        self.count = count.saturating_add(1);
        self.is_clean = false;
        self.send(&dialogue.request(count)).await?;
        let mut received = Vec::new();
        loop {
            self.receive(&mut received).await?;
            match dialogue.read(count, &received) {
                Progress::More => {}
                Progress::Broken(what) => return Err(Failure::Broken(what)),
                Progress::Done(length) => {
                    self.is_clean = length == received.len();
                    return Ok(());
                }
            }
        }
    }

    async fn send(&self, mut bytes: &[u8]) -> Result<(), Failure> {
        while !bytes.is_empty() {
            match self.stream.try_write(bytes) {
                Ok(length) => bytes = &bytes[length..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.stream.writable().await.map_err(|_| Failure::Closed)?;
                }
                Err(_) => return Err(Failure::Closed),
            }
        }
        Ok(())
    }

    /// Waits for bytes.
    async fn receive(&self, received: &mut Vec<u8>) -> Result<(), Failure> {
        let before = received.len();
        received.resize(before + READ_SIZE, 0);
        loop {
            match self.stream.try_read(&mut received[before..]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.stream.readable().await.map_err(|_| Failure::Closed)?;
                }
                Ok(length) if length > 0 => {
                    received.truncate(before + length);
                    return Ok(());
                }
                Ok(_) | Err(_) if before == 0 => return Err(Failure::Closed),
                Ok(_) | Err(_) => return Err(Failure::Broken("the reply is incomplete")),
            }
        }
    }
}
