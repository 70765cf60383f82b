//! Accepts connections and serves them, all on one thread.
//!
//! An error of accept does not end the service: if descriptors run out, it waits and tries again.
//! Over the limit of connections, connections that have sent nothing are closed. Without such ones, a
//! FastCGI request gets `OVERLOADED`, and an HTTP connection waits, for which idle connections are
//! closed. After SIGTERM and SIGINT, running requests are finished
//! until a deadline or a second signal. SIGHUP starts a reload. The service manager is informed of
//! both. A panic in one request is logged by Rust and ends that connection only.

use super::budget::Budget;
use super::fastcgi::{self, connection::Connection};
use super::listener::{Accepted, Acceptor, Listener, Stream};
use super::notify::Manager;
use super::stop::{Silent, Stop};
use super::{Handler, http};
use crate::limits::Limits;
use crate::log;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;
use std::num::NonZero;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::sleep;

/// How long to wait when no connection can be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long to wait for connections that were told to make room; then twice as many are told.
const ROOM_PAUSE: Duration = Duration::from_millis(20);
/// How long a FastCGI connection over the limit waits until silent connections are closed, before
/// its request gets `OVERLOADED`.
const ROOM_PATIENCE: Duration = Duration::from_millis(500);
/// The shortest time between two lines about peers that may not connect.
const REFUSED_PAUSE: Duration = Duration::from_secs(10);
/// Descriptors reserved for other purposes than listeners and connections: signals, files being read,
/// connections to a server that is asked.
const RESERVED: usize = 32;
/// How many connections over the limit get `OVERLOADED` at the same time; the next ones wait.
const REFUSED_AT_ONCE: usize = 64;

/// The protocol of a listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Speaks {
    /// FastCGI.
    FastCgi,
    /// HTTP/1.1.
    Http,
}

/// A server that handles signals before it has sockets: if a signal to stop follows the creation of
/// a socket at once, the socket is still removed.
pub struct Server {
    runtime: LocalRuntime,
    terminate: Signal,
    interrupt: Signal,
    hangups: Signal,
}

impl Server {
    /// Catches SIGTERM, SIGINT and SIGHUP, which are handled in `run`.
    pub fn new() -> io::Result<Server> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            // The slow work is computation: more threads than processors would only use memory.
            .max_blocking_threads(std::thread::available_parallelism().map_or(1, NonZero::get))
            .build_local(LocalOptions::default())?;
        let context = runtime.enter();
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        let hangups = signal(SignalKind::hangup())?;
        drop(context);
        Ok(Server { runtime, terminate, interrupt, hangups })
    }

    /// Serves until a signal to stop. `hangup` is called on SIGHUP, with a function to call once
    /// the reload is done.
    pub fn run(
        self,
        listeners: Vec<(Listener, Speaks)>,
        service: Rc<dyn Handler>,
        limits: Limits,
        hangup: impl Fn(Box<dyn FnOnce() + Send>) + 'static,
    ) -> io::Result<()> {
        // If descriptors run out before the limit of connections, further connections wait and none
        // is refused.
        let (limits, refused_at_once) = match descriptors().saturating_sub(listeners.len()).max(1) {
            few if few < limits.connections + REFUSED_AT_ONCE => {
                (Limits { connections: few.min(limits.connections), ..limits }, 0)
            }
            _ => (limits, REFUSED_AT_ONCE),
        };
        let Server { runtime, mut terminate, mut interrupt, mut hangups } = self;
        runtime.block_on(async {
            let shared = Rc::new(Shared {
                service,
                limits,
                budget: Budget::new(limits.buffered_bytes),
                slots: Arc::new(Semaphore::new(limits.connections)),
                refusals: Arc::new(Semaphore::new(refused_at_once)),
                served: Stop::default(),
                others: Stop::default(),
            });
            for (listener, speaks) in listeners {
                let acceptor = Acceptor::new(listener, speaks == Speaks::FastCgi)?;
                tokio::task::spawn_local(accept(acceptor, speaks, shared.clone()));
            }
            let manager = Rc::new(Manager::from_environment());
            manager.ready();
            let notified = manager.clone();
            let reloads = tokio::task::spawn_local(async move {
                while hangups.recv().await.is_some() {
                    notified.reloading();
                    let (done, is_done) = oneshot::channel();
                    hangup(Box::new(|| done.send(()).unwrap_or_default()));
                    is_done.await.ok();
                    notified.ready();
                }
            });
            // In a separate task, since this one is woken with every other.
            let signalled = tokio::task::spawn_local(async move {
                let signal = tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                };
                (signal, terminate, interrupt)
            });
            let (signal, mut terminate, mut interrupt) = signalled.await?;
            reloads.abort();
            shared.others.tell_all();
            shared.served.tell_all();
            let (open, begun) = (shared.open(), Instant::now());
            manager.stopping(open);
            let all = limits.connections as u32;
            let why = tokio::select! {
                biased;
                _ = shared.slots.acquire_many(all) => "",
                () = sleep(limits.stop_timeout) => ", at the deadline",
                _ = terminate.recv() => ", at a second signal",
                _ = interrupt.recv() => ", at a second signal",
            };
            let seconds = begun.elapsed().as_secs_f32();
            let left = if why.is_empty() { 0 } else { shared.open() };
            let line = format!(
                "stopped by {signal} within {seconds:.1} s: {open} connections, {left} cut off{why}"
            );
            match left {
                0 => log::notice(&line),
                _ => log::warning(&line),
            }
            Ok(())
        })
    }
}

/// How many listeners and connections the process may have, after raising the soft limit to the
/// hard limit.
fn descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).ok();
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(descriptors).unwrap_or(usize::MAX).saturating_sub(RESERVED)
}

/// The data that all connections share.
struct Shared {
    service: Rc<dyn Handler>,
    limits: Limits,
    budget: Budget,
    slots: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    /// For connections that have a slot; they may be told to stop to make room.
    served: Stop,
    /// For listeners and refused connections.
    others: Stop,
}

impl Shared {
    /// How many connections are being served.
    fn open(&self) -> usize {
        self.limits.connections - self.slots.available_permits()
    }
}

async fn accept(acceptor: Acceptor, speaks: Speaks, shared: Rc<Shared>) {
    let mut failing = false;
    let mut last_reported: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            biased;
            // Connections that wait at an inherited socket are accepted by the next process.
            () = shared.others.wait(false) => return,
            accepted = acceptor.accept() => accepted,
        };
        let stream = match accepted {
            Ok(Accepted::Stream(stream)) => stream,
            Ok(Accepted::Refused(peer)) => {
                drop(shared.service.metrics().connection(true));
                if last_reported.is_none_or(|at| at.elapsed() >= REFUSED_PAUSE) {
                    last_reported = Some(Instant::now());
                    log::warning(&format!(
                        "a connection from {peer} was refused: it is not in FCGI_WEB_SERVER_ADDRS"
                    ));
                }
                continue;
            }
            // The client closed the connection before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => {
                if !failing {
                    log::error_on_request(&format!(
                        "cannot accept connections: {error}; trying again"
                    ));
                }
                failing = true;
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        failing = false;
        // Over the limit, a few FastCGI requests at a time get `OVERLOADED`, unless silent
        // connections can be closed; the others, and HTTP, wait until a connection has ended.
        let mut slots = pin!(shared.slots.clone().acquire_owned());
        let mut refusals = pin!(shared.refusals.clone().acquire_owned());
        let mut patience = None;
        let mut count = 1;
        let (slot, refusal) = loop {
            let mut can_refuse = false;
            if shared.slots.available_permits() == 0 {
                let is_late = *patience.get_or_insert_with(|| Instant::now() + ROOM_PATIENCE)
                    <= Instant::now();
                let may_refuse =
                    speaks == Speaks::FastCgi && shared.refusals.available_permits() > 0;
                can_refuse = may_refuse && (is_late || !shared.served.has_silent());
                if !can_refuse {
                    // Those that were told may be busy with a request: more are told later.
                    shared.served.make_room(count, may_refuse);
                    count = if count < shared.limits.connections { 2 * count } else { 1 };
                }
            }
            tokio::select! {
                biased;
                slot = &mut slots => break (slot.ok(), None),
                refusal = &mut refusals, if can_refuse => break (None, refusal.ok()),
                () = sleep(ROOM_PAUSE) => {}
            }
        };
        if patience.is_some() {
            shared.served.room_is_made();
        }
        let shared = shared.clone();
        // Counted from now on, since its task begins later.
        let silent = slot.as_ref().map(|_| shared.served.silent());
        tokio::task::spawn_local(async move {
            converse(stream, speaks, &shared, silent).await;
            drop((slot, refusal));
        });
    }
}

/// Serves a connection; one without a slot, and therefore without `silent`, is over the limit.
async fn converse(stream: Stream, speaks: Speaks, shared: &Shared, silent: Option<Silent>) {
    let overloaded = silent.is_none();
    let Shared { service, limits, budget, served, others, .. } = shared;
    let _count = service.metrics().connection(overloaded);
    match (speaks, stream) {
        (Speaks::Http, Stream::Tcp(stream)) => {
            http::serve(stream, &**service, limits, budget, served.clone(), silent).await
        }
        (_, stream) => {
            let (connection, stop) = match overloaded {
                true => (Connection::overloaded(limits), others.clone()),
                false => (Connection::new(limits).sharing(budget), served.clone()),
            };
            // A broken connection is logged by the web server.
            fastcgi::serve(stream, connection, &**service, limits, stop, silent).await.ok();
        }
    }
}
