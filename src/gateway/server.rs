//! Accepts connections and serves them, all on one thread.
//!
//! Errors of accepting are survived: out of descriptors, it waits and tries again. Over the number
//! of connections, FastCGI is told so and HTTP waits. SIGTERM and SIGINT finish what runs, SIGHUP
//! calls back. A panic in one request is logged by Rust and ends that connection only.

use super::fastcgi::{self, connection::Connection};
use super::listener::{Acceptor, Listener, Stream};
use super::{Responder, http};
use crate::log;
use crate::request::Limits;
use crate::response::{Answer, Response, Status};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

/// How long what runs may take to finish after a signal to stop.
const FINISH: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Descriptors that are no connections: listeners, signals, files being read.
const RESERVED: usize = 32;
/// How many connections over the limit are told so at the same time; the next ones wait.
const REFUSED_AT_ONCE: usize = 64;

/// What is spoken on a listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Speaks {
    /// FastCGI.
    FastCgi,
    /// HTTP/1.1.
    Http,
}

/// Serves until a signal to stop. `hangup` is called on SIGHUP.
pub fn run(
    listeners: Vec<(Listener, Speaks)>,
    respond: Rc<Responder>,
    limits: Limits,
    hangup: impl Fn() + 'static,
) -> io::Result<()> {
    // Where descriptors run out before connections do, the next ones wait and none is refused.
    let (limits, refused_at_once) = match descriptors() {
        few if few < limits.connections + REFUSED_AT_ONCE => {
            (Limits { connections: few, ..limits }, 0)
        }
        _ => (limits, REFUSED_AT_ONCE),
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangups = signal(SignalKind::hangup())?;
        let (stop, stopped) = watch::channel(false);
        let shared = Rc::new(Shared {
            respond,
            limits,
            slots: Arc::new(Semaphore::new(limits.connections)),
            refusals: Arc::new(Semaphore::new(refused_at_once)),
            stop: Stop(stopped),
        });
        for (listener, speaks) in listeners {
            let acceptor = Acceptor::new(listener, speaks == Speaks::FastCgi)?;
            tokio::task::spawn_local(accept(acceptor, speaks, shared.clone()));
        }
        tokio::task::spawn_local(async move {
            while hangups.recv().await.is_some() {
                hangup();
            }
        });
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
        let all = limits.connections as u32;
        if timeout(FINISH, shared.slots.acquire_many(all)).await.is_err() {
            log::warning(&"stopped with requests still running");
        }
        Ok(())
    })
}

/// How many connections the process may have, after asking for as many as it may ask for.
fn descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).ok();
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(descriptors).unwrap_or(usize::MAX).saturating_sub(RESERVED).max(1)
}

/// What all connections share.
struct Shared {
    respond: Rc<Responder>,
    limits: Limits,
    slots: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    stop: Stop,
}

async fn accept(acceptor: Acceptor, speaks: Speaks, shared: Rc<Shared>) {
    let mut failing = false;
    loop {
        let accepted = tokio::select! {
            accepted = acceptor.accept() => accepted,
            () = shared.stop.clone().wait() => return,
        };
        let stream = match accepted {
            Ok(Some(stream)) => stream,
            Ok(None) => continue,
            // The client was gone before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => {
                if !failing {
                    log::error(&format!("no connection can be accepted: {error}; trying again"));
                }
                failing = true;
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        failing = false;
        // Over the limit, FastCGI is told so, a few at a time; HTTP, and the rest, wait.
        let slots = shared.slots.clone().acquire_owned();
        let refusals = shared.refusals.clone().acquire_owned();
        let (slot, refusal) = tokio::select! {
            biased;
            slot = slots => (slot.ok(), None),
            refusal = refusals, if speaks == Speaks::FastCgi => (None, refusal.ok()),
        };
        let shared = shared.clone();
        tokio::task::spawn_local(async move {
            converse(stream, speaks, &shared, slot.is_none()).await;
            drop((slot, refusal));
        });
    }
}

async fn converse(stream: Stream, speaks: Speaks, shared: &Shared, overloaded: bool) {
    let Shared { respond, limits, stop, .. } = shared;
    match (speaks, stream) {
        (Speaks::Http, Stream::Tcp(stream)) => {
            http::serve(stream, &**respond, limits, stop.clone()).await
        }
        (_, stream) => {
            let connection = match overloaded {
                true => Connection::overloaded(limits),
                false => Connection::new(limits),
            };
            // A connection that breaks off is the web server's affair, and in its log.
            fastcgi::serve(stream, connection, &**respond, limits, stop.clone()).await.ok();
        }
    }
}

/// Waits for an answer that takes long where it holds up nobody.
pub async fn finish(answer: Answer) -> Response {
    match answer {
        Answer::Ready(response) => response,
        Answer::Slow(work) => tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
            Response::text(Status::InternalServerError, "the answer could not be made")
        }),
    }
}

/// Tells when to stop.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Waits until it is time to stop.
    pub async fn wait(mut self) {
        // The sender lives as long as the runtime.
        self.0.wait_for(|stop| *stop).await.ok();
    }
}
