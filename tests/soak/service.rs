//! The service of a scenario: its files, its socket, its process, and its memory.

use crate::common::{Process, Sandbox, command, program};
use crate::load::Endpoint;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A folder with a configuration, a listening socket that is passed to the service, and the socket
/// of the service manager.
pub struct Place {
    pub sandbox: Sandbox,
    listener: UnixListener,
    manager: UnixDatagram,
}

impl Place {
    pub fn new(config: &str) -> Place {
        let sandbox = Sandbox::new();
        let socket = sandbox.path("socket");
        Place::at(sandbox, socket, config)
    }

    pub fn at(sandbox: Sandbox, socket: PathBuf, config: &str) -> Place {
        let listener = UnixListener::bind(socket).expect("bind");
        let manager = UnixDatagram::bind(sandbox.path("notify")).expect("bind");
        manager.set_read_timeout(Some(Duration::from_secs(30))).expect("timeout");
        let place = Place { sandbox, listener, manager };
        place.configure(config);
        place
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint::FastCgi(self.sandbox.path("socket"))
    }

    /// Replaces the configuration atomically.
    pub fn configure(&self, config: &str) {
        let next = self.sandbox.write("c.toml.next", config);
        fs::rename(next, self.sandbox.path("c.toml")).expect("rename");
    }

    /// A service on the socket, after it has reported that it is ready.
    pub fn start(&self) -> Process {
        self.start_by(command(program()))
    }

    /// The same with another command.
    pub fn start_by(&self, mut command: Command) -> Process {
        command.env("MAILSETUP_CONFIG", self.sandbox.path("c.toml"));
        command.env("NOTIFY_SOCKET", self.sandbox.path("notify"));
        command.stdin(OwnedFd::from(self.listener.try_clone().expect("dup")));
        let process = Process::start(&self.sandbox, &mut command);
        self.wait_for("READY=1", &process);
        process
    }

    /// Waits until the service manager has received the word.
    fn wait_for(&self, word: &str, process: &Process) {
        let mut datagram = [0; 256];
        loop {
            let len = self.manager.recv(&mut datagram).unwrap_or_else(|error| {
                panic!("no {word}: {error}\n{}", process.output());
            });
            if datagram[..len].starts_with(word.as_bytes()) {
                return;
            }
        }
    }

    /// Starts a reload, and waits for its end.
    pub fn reload(&self, process: &Process) {
        signal(process, Signal::SIGHUP);
        self.wait_for("READY=1", process);
    }

    /// Stops a service and waits for its end, which must be successful.
    pub fn stop(&self, mut process: Process) {
        signal(&process, Signal::SIGTERM);
        assert_eq!(process.wait(), Some(0), "{}", process.output());
        let output = process.output();
        assert!(!output.contains("panicked"), "{output}");
    }
}

pub fn signal(process: &Process, signal: Signal) {
    kill(Pid::from_raw(process.id() as i32), signal).expect("kill");
}

/// A number of /proc/PID/status, in KiB: `VmRSS`, `VmHWM`.
pub fn memory(process: &Process, key: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next()).expect(key);
    number.parse().expect("a number")
}
