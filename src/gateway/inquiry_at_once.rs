//! Asks a server on this machine over a Unix socket, and waits for the reply: for CGI and the
//! command line, with the same deadline as `inquiry`.

use crate::step::{Failure, Inquiry, Progress};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use rustix::net::{recv, send, socket_with};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait if the backlog of a server is full.
const PAUSE: Duration = Duration::from_millis(5);
/// How much is read at once, in bytes.
const READ_SIZE: usize = 1024;

/// Asks, and passes the result to the dialogue.
pub fn ask(inquiry: Inquiry) {
    let Inquiry { socket, timeout, mut dialogue } = inquiry;
    let begun = Instant::now();
    let deadline = begun + timeout;
    let converse = || -> Result<(), Failure> {
        let connection = connect(&socket, deadline)?;
        send_all(&connection, &dialogue.request(0), deadline)?;
        let mut received = Vec::new();
        loop {
            receive(&connection, &mut received, deadline)?;
            match dialogue.read(0, &received) {
                Progress::More => {}
                Progress::Done(_) => return Ok(()),
                Progress::Broken(what) => return Err(Failure::Broken(what)),
            }
        }
    };
    let result = { converse }();
    dialogue.end(result, begun.elapsed());
}

/// Connects without blocking: a blocking connect waits for as long as the backlog is full.
fn connect(path: &Path, deadline: Instant) -> Result<OwnedFd, Failure> {
    let failed =
        |error: Errno| Failure::System(format!("cannot connect: {}", std::io::Error::from(error)));
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket =
        socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(failed)?;
    let address = SocketAddrUnix::new(path).map_err(failed)?;
    loop {
        match rustix::net::connect(&socket, &address) {
            Ok(()) => return Ok(socket),
            Err(Errno::AGAIN) => std::thread::sleep(left(deadline)?.min(PAUSE)),
            Err(Errno::INTR) => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

fn send_all(socket: &OwnedFd, mut bytes: &[u8], deadline: Instant) -> Result<(), Failure> {
    while !bytes.is_empty() {
        wait(socket, PollFlags::OUT, deadline)?;
        match send(socket, bytes, SendFlags::NOSIGNAL) {
            Ok(length) => bytes = &bytes[length..],
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => return Err(Failure::Closed),
        }
    }
    Ok(())
}

fn receive(socket: &OwnedFd, received: &mut Vec<u8>, deadline: Instant) -> Result<(), Failure> {
    let before = received.len();
    received.resize(before + READ_SIZE, 0);
    loop {
        wait(socket, PollFlags::IN, deadline)?;
        match recv(socket, &mut received[before..], RecvFlags::empty()) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Ok((_, length)) if length > 0 => {
                received.truncate(before + length);
                return Ok(());
            }
            Ok(_) | Err(_) if before == 0 => return Err(Failure::Closed),
            Ok(_) | Err(_) => return Err(Failure::Broken("the reply is incomplete")),
        }
    }
}

/// Waits until the socket is ready.
fn wait(socket: &OwnedFd, ready: PollFlags, deadline: Instant) -> Result<(), Failure> {
    loop {
        let left = left(deadline)?;
        let timeout =
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(socket, ready)], Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(Failure::System(std::io::Error::from(error).to_string())),
        }
    }
}

/// The time until the deadline.
fn left(deadline: Instant) -> Result<Duration, Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Failure::TimedOut) } else { Ok(left) }
}
