//! Listening sockets: those that are created here, and those that were passed to the process.
//!
//! The only file with `unsafe`: it takes descriptors by their number. Host names are not resolved,
//! so that a static build needs no system libraries; groups are read from `/etc/group` for the same
//! reason.

#![allow(unsafe_code, reason = "descriptors are taken by their number")]

use rustix::fs::{
    AtFlags, CWD, FlockOperation, Gid, Mode, OFlags, RenameFlags, chownat, fchmod, flock, fstat,
    lstat, open, renameat, renameat_with,
};
use rustix::io::{Errno, fcntl_getfd};
use rustix::net::{AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, sockopt};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, ReadBuf};

/// The first descriptor of socket activation (sd_listen_fds(3)).
const LISTEN_FDS_START: RawFd = 3;
/// Most descriptors that are taken from socket activation.
const MAX_LISTEN_FDS: u32 = 64;
/// How many connections may wait to be accepted; the system may allow fewer. With std's 128, TCP
/// clients of a larger burst would wait for seconds until their system tries again.
const BACKLOG: i32 = 4096;
/// The send buffer of a TCP connection, in bytes: a few documents. By default, the system would use
/// megabytes for each client that does not read.
const SEND_BUFFER: usize = 64 * 1024;
/// Longest path of a socket in bytes (unix(7)): many clients end it with a NUL.
pub const LONGEST_PATH: usize = 107;
/// How long another process may hold the lock on a socket's folder, and the pause between two
/// attempts.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_PAUSE: Duration = Duration::from_millis(5);
/// Default permissions of a socket.
pub const DEFAULT_MODE: u32 = 0o660;

//------------ Address --------------------------------------------------------

/// Where to listen: `unix:PATH[,mode=0660][,group=NAME]` or `ADDRESS:PORT`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// A socket in the file system.
    Unix {
        /// Its path.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// Its group, by name or number; without one, the group of the process.
        group: Option<String>,
    },
    /// An IP address and a port.
    Tcp(SocketAddr),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        let Some(rest) = text.strip_prefix("unix:") else {
            let example = "expected unix:PATH, for example unix:/run/mailsetup.sock, or ADDRESS:PORT, \
                           for example 127.0.0.1:9000 or [::1]:9000";
            return text.parse().map(Address::Tcp).map_err(|_| example.to_owned());
        };
        let mut parts = rest.split(',');
        let path = PathBuf::from(parts.next().unwrap_or_default());
        if !path.is_absolute() {
            return Err("the path of a socket must begin with /".to_owned());
        }
        let (mut mode, mut group) = (DEFAULT_MODE, None);
        for part in parts {
            match part.split_once('=') {
                Some(("mode", digits)) => {
                    mode = u32::from_str_radix(digits, 8)
                        .ok()
                        .filter(|mode| *mode <= 0o777)
                        .ok_or_else(|| {
                            format!(
                                "mode={digits} is not a valid octal mode; expected for example 0660"
                            )
                        })?;
                }
                Some(("group", name)) if !name.is_empty() => group = Some(name.to_owned()),
                _ => {
                    return Err(format!(
                        "`{part}` is not a known option of a socket; expected mode=… or group=…"
                    ));
                }
            }
        }
        Ok(Address::Unix { path, mode, group })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Address::Unix { path, .. } => write!(f, "unix:{}", path.display()),
            Address::Tcp(address) => write!(f, "{address}"),
        }
    }
}

//------------ Listener -------------------------------------------------------

/// A listening socket.
#[derive(Debug)]
pub enum Listener {
    /// In the file system.
    Unix(std::os::unix::net::UnixListener),
    /// TCP.
    Tcp(std::net::TcpListener),
}

/// A socket that was created in the file system; removed when this value is dropped, unless it was
/// replaced.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Keeps the inode, whose number could be reused otherwise (seen: ext4 does so at once).
    handle: OwnedFd,
}

impl SocketFile {
    fn is_in_place(&self) -> rustix::io::Result<bool> {
        let (there, ours) = (lstat(&self.path)?, fstat(&self.handle)?);
        Ok((there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Without the lock, another socket could be put in place after the check. A socket that is
        // left does no harm: the next process replaces it.
        let Some(_lock) = lock_folder(&self.path) else { return };
        if self.is_in_place().unwrap_or(false) {
            // An error cannot be reported any more.
            std::fs::remove_file(&self.path).ok();
        }
    }
}

/// Creates a listening socket. A socket at the path that no process uses any more is replaced; one
/// on which a process listens, and any other file, is not.
pub fn bind(address: &Address) -> io::Result<(Listener, Option<SocketFile>)> {
    match address {
        Address::Tcp(address) => {
            let listener = std::net::TcpListener::bind(address)?;
            rustix::net::listen(&listener, BACKLOG)?;
            Ok((Listener::Tcp(listener), None))
        }
        Address::Unix { path, mode, group } => {
            let gid = group.as_deref().map(group_id).transpose()?;
            if path.as_os_str().len() > LONGEST_PATH {
                let message = format!("the path of a socket can have at most {LONGEST_PATH} bytes");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            // Of processes that start at the same time, each finds the socket of the previous one.
            // On a file system without locks, this is not certain.
            let _lock = lock_folder(path);
            let is_left = is_left_behind(path)?;
            let make = |at: &Path| make_socket(at, path, *mode, gid, is_left);
            let made = names_beside(path).iter().find_map(|name| make(name).ok());
            let (socket, handle) = match made {
                Some(made) => made,
                // Some folders allow a socket under its own name only.
                None => make(path)?,
            };
            let file = SocketFile { path: path.clone(), handle };
            Ok((Listener::Unix(socket.into()), Some(file)))
        }
    }
}

/// Temporary names in the folder of a socket, under which it is created before it is moved to its
/// place: the first is recognisable in the output of ss(8); the second is short.
fn names_beside(path: &Path) -> [PathBuf; 2] {
    let id = std::process::id();
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{id}"));
    [name.into(), path.with_file_name(format!(".{id}"))]
}

/// Creates a socket at one path, sets group and mode, listens, and moves it to the other: it is not
/// visible there before. `is_left` says that there is one to replace.
fn make_socket(
    at: &Path,
    path: &Path,
    mode: u32,
    gid: Option<u32>,
    is_left: bool,
) -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    // Linux creates the file with the mode of the socket (according to unix(7), only the umask
    // counts).
    fchmod(&socket, Mode::from_raw_mode(mode))?;
    let address = SocketAddrUnix::new(at)?;
    if at == path && is_left {
        std::fs::remove_file(path)?;
    }
    let umask = rustix::process::umask(Mode::empty());
    let bound = rustix::net::bind(&socket, &address);
    rustix::process::umask(umask);
    bound?;
    let handle = open(at, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let settle = || -> rustix::io::Result<()> {
        if let Some(gid) = gid {
            let gid = Some(Gid::from_raw(gid));
            chownat(&handle, "", None, gid, AtFlags::EMPTY_PATH)?;
        }
        rustix::net::listen(&socket, BACKLOG)?;
        match (at == path, is_left) {
            (true, _) => Ok(()),
            (false, true) => renameat(CWD, at, CWD, path),
            (false, false) => renameat_with(CWD, at, CWD, path, RenameFlags::NOREPLACE),
        }
    };
    match settle() {
        Ok(()) => Ok((socket, handle)),
        Err(error) => {
            std::fs::remove_file(at).ok();
            Err(error.into())
        }
    }
}

/// Locks the sockets of a folder against other processes of this program while the value exists.
/// `None` if the lock cannot be taken, or not soon.
fn lock_folder(path: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open(path.parent()?, flags, Mode::empty()).ok()?;
    let begun = Instant::now();
    loop {
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Some(folder),
            // Every user who may read the folder may hold the lock without end.
            Err(Errno::WOULDBLOCK) if begun.elapsed() < LOCK_PATIENCE => {
                std::thread::sleep(LOCK_PAUSE);
            }
            Err(_) => return None,
        }
    }
}

/// True if there is a socket on which no process listens; an error for any other file.
fn is_left_behind(path: &Path) -> io::Result<bool> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
        Ok(meta) if !meta.file_type().is_socket() => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "a file that is not a socket has this name",
            ));
        }
        Ok(_) => {}
    }
    // Without waiting, in case the process that listens there is too busy to accept.
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    match rustix::net::connect(&socket, &SocketAddrUnix::new(path)?) {
        Err(Errno::CONNREFUSED) => Ok(true),
        Ok(()) | Err(Errno::AGAIN) => {
            Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens on this socket"))
        }
        Err(error) => Err(error.into()),
    }
}

/// The number of a group, from `/etc/group` (group(5)).
fn group_id(name: &str) -> io::Result<u32> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let groups = std::fs::read_to_string("/etc/group")?;
    let number = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    });
    number.ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, format!("group {name} does not exist"))
    })
}

//------------ inherited sockets ----------------------------------------------

/// The listening sockets this process was started with: descriptor 0 if it is one (spawn-fcgi,
/// mod_fcgid, lighttpd), otherwise those of socket activation.
///
/// A connected socket on descriptor 0 does not count: Apache's mod_cgid passes one to CGI programs.
pub fn inherited() -> io::Result<Vec<Listener>> {
    let stdin = io::stdin();
    if is_listening(&stdin) {
        return Ok(vec![adopt(stdin.as_fd().try_clone_to_owned()?)?]);
    }
    let number = |name| std::env::var(name).ok()?.parse::<u32>().ok();
    if number("LISTEN_PID") != Some(std::process::id()) {
        return Ok(Vec::new());
    }
    let count = number("LISTEN_FDS").unwrap_or(0).min(MAX_LISTEN_FDS);
    let mut listeners = Vec::new();
    for number in (LISTEN_FDS_START..).take(count as usize) {
        // SAFETY: the call only checks whether the descriptor is open, and fails if it is not.
        let is_open = fcntl_getfd(unsafe { BorrowedFd::borrow_raw(number) }).is_ok();
        if !is_open {
            break;
        }
        // SAFETY: it is open, and the process that set LISTEN_PID to this process passes it on
        // (sd_listen_fds(3)). No other code takes descriptors by number, and this runs once, before
        // any other file is opened.
        let fd = unsafe { OwnedFd::from_raw_fd(number) };
        if is_listening(&fd) {
            listeners.push(adopt(fd)?);
        }
    }
    Ok(listeners)
}

fn is_listening(fd: impl AsFd) -> bool {
    sockopt::socket_acceptconn(fd).unwrap_or(false)
}

fn adopt(fd: OwnedFd) -> io::Result<Listener> {
    Ok(match sockopt::socket_domain(&fd)? {
        AddressFamily::UNIX => Listener::Unix(fd.into()),
        _ => Listener::Tcp(fd.into()),
    })
}

//------------ Acceptor and Stream --------------------------------------------

/// A listening socket inside the runtime.
pub enum Acceptor {
    /// In the file system.
    Unix(tokio::net::UnixListener),
    /// TCP, and the peers that may connect if restricted.
    Tcp(tokio::net::TcpListener, Option<Vec<IpAddr>>),
}

impl Acceptor {
    /// Registers a listener with the runtime; for FastCGI, the peers may be restricted.
    pub fn new(listener: Listener, is_fastcgi: bool) -> io::Result<Acceptor> {
        Ok(match listener {
            Listener::Unix(listener) => {
                // An inherited socket may be blocking.
                listener.set_nonblocking(true)?;
                Acceptor::Unix(tokio::net::UnixListener::from_std(listener)?)
            }
            Listener::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                // Its connections inherit this.
                sockopt::set_socket_send_buffer_size(&listener, SEND_BUFFER).ok();
                let allowed = allowed_peers().filter(|_| is_fastcgi);
                Acceptor::Tcp(tokio::net::TcpListener::from_std(listener)?, allowed)
            }
        })
    }

    /// Waits for a connection.
    pub async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Acceptor::Unix(listener) => {
                Ok(Accepted::Stream(Stream::Unix(listener.accept().await?.0)))
            }
            Acceptor::Tcp(listener, allowed) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true).ok();
                // The machine of a web server may fail without closing its connections.
                sockopt::set_socket_keepalive(&stream, true).ok();
                let peer = peer.ip().to_canonical();
                Ok(match allowed.as_ref().is_none_or(|allowed| allowed.contains(&peer)) {
                    true => Accepted::Stream(Stream::Tcp(stream)),
                    false => Accepted::Refused(peer),
                })
            }
        }
    }
}

/// The peers in `FCGI_WEB_SERVER_ADDRS` (FastCGI Specification 1.0, §3.2), if it is set.
///
/// Sockets in the file system are not restricted by it, although strictly no peer there would be
/// allowed: their permissions control who may connect.
fn allowed_peers() -> Option<Vec<IpAddr>> {
    let list = std::env::var("FCGI_WEB_SERVER_ADDRS").ok()?;
    Some(list.split(',').filter_map(|address| address.trim().parse().ok()).collect())
}

/// The result of accepting a connection.
pub enum Accepted {
    /// The connection.
    Stream(Stream),
    /// This peer may not connect; its connection is closed.
    Refused(IpAddr),
}

/// A connection.
pub enum Stream {
    /// Over a socket in the file system.
    Unix(tokio::net::UnixStream),
    /// Over TCP.
    Tcp(tokio::net::TcpStream),
}

impl Stream {
    /// Waits until the socket may be writable.
    pub async fn writable(&self) -> io::Result<()> {
        match self {
            Stream::Unix(stream) => stream.writable().await,
            Stream::Tcp(stream) => stream.writable().await,
        }
    }

    /// Reads available bytes, or wakes the task once there are some.
    ///
    /// A read that did not fill the buffer is taken as the last one, which saves a system call.
    pub fn poll_read(
        &mut self,
        context: &mut Context,
        buffer: &mut ReadBuf,
    ) -> Poll<io::Result<()>> {
        match self {
            Stream::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }

    /// True if there are received bytes that were not read yet; asks the system, since the runtime
    /// is notified later.
    pub fn has_input(&self) -> bool {
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let peeked = match self {
            Stream::Unix(stream) => rustix::net::recv(stream, &mut [0u8; 1], flags),
            Stream::Tcp(stream) => rustix::net::recv(stream, &mut [0u8; 1], flags),
        };
        peeked.is_ok_and(|(len, _)| len > 0)
    }

    /// Writes as many bytes as fit; `WouldBlock` if none do.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.try_write(bytes),
            Stream::Tcp(stream) => stream.try_write(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_to_listen_on() {
        let unix = |mode, group: Option<&str>| {
            Ok(Address::Unix { path: "/run/x.sock".into(), mode, group: group.map(str::to_owned) })
        };
        assert_eq!("unix:/run/x.sock".parse(), unix(0o660, None));
        assert_eq!(
            "unix:/run/x.sock,mode=0600,group=www-data".parse(),
            unix(0o600, Some("www-data"))
        );
        assert_eq!("[::1]:9000".parse::<Address>().unwrap().to_string(), "[::1]:9000");
        for text in [
            "unix:x",
            "unix:/x,mode=9",
            "unix:/x,mode=7777",
            "unix:/x,owner=a",
            "localhost:9000",
            "127.0.0.1",
            "127.0.0.1:99999",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
