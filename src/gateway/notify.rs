//! Informs the service manager when this program is ready, reloads and stops: sd_notify(3).
//!
//! One datagram for each change, to the socket that `NOTIFY_SOCKET` names: a path, or an abstract
//! name after an `@`. Without the variable nothing is sent. Refuses other kinds of address
//! (`vsock:`), which are for virtual machines. The service continues if the manager does not read.

use crate::log;
use rustix::time::{ClockId, clock_gettime};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// How long to wait until the manager has room for a datagram.
const PATIENCE: Duration = Duration::from_secs(1);

/// The service manager, if any.
#[derive(Debug)]
pub struct Manager(Option<(UnixDatagram, SocketAddr)>);

impl Manager {
    /// The manager that `NOTIFY_SOCKET` names.
    pub fn from_environment() -> Manager {
        let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return Manager(None) };
        let manager = open(&name);
        if let Err(error) = &manager {
            log::warning(&format!("NOTIFY_SOCKET cannot be used: {error}"));
        }
        Manager(manager.ok())
    }

    /// Requests are answered from now on.
    pub fn ready(&self) {
        self.tell("READY=1\nSTATUS=Answering requests");
    }

    /// The configuration is being read; `ready` follows.
    pub fn reloading(&self) {
        // systemd recognises by the time whether this is the response to its signal
        // (`notify-reload`).
        let now = clock_gettime(ClockId::Monotonic);
        let microseconds = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
        self.tell(&format!(
            "RELOADING=1\nMONOTONIC_USEC={microseconds}\nSTATUS=Reloading the configuration"
        ));
    }

    /// No more connections are accepted; this many are open.
    pub fn stopping(&self, connections: usize) {
        self.tell(&format!("STOPPING=1\nSTATUS=Draining {connections} connections"));
    }

    fn tell(&self, message: &str) {
        let Some((socket, address)) = &self.0 else { return };
        if let Err(error) = socket.send_to_addr(message.as_bytes(), address) {
            log::warning(&format!("cannot notify the service manager: {error}"));
        }
    }
}

fn open(name: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => {
            <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name)?
        }
        [b'/', ..] => SocketAddr::from_pathname(name)?,
        _ => {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "it is neither a path nor an abstract name",
            ));
        }
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok((socket, address))
}
