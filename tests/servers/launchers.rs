//! Programs that start the responder without a web server: spawn-fcgi and systemd; with the
//! restrictions of the shipped unit, so that a system call that the unit forbids ends it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use crate::common::namespace::PROGRAM;
use crate::common::{Process, Sandbox, command, confined, confined_by, program};

/// spawn-fcgi in the foreground, with the listening socket as standard input.
pub fn spawn_fcgi(sandbox: &Sandbox, config: &Path, socket: &Path) -> Process {
    let mut command = command("spawn-fcgi");
    command.env("MAILSETUP_CONFIG", config);
    command.args([OsStr::new("-n"), OsStr::new("-s"), socket.as_os_str(), OsStr::new("--")]);
    launch(sandbox, command.args(confined(&program())), socket)
}

/// Socket activation as by a unit: the listening socket is descriptor 3.
pub fn socket_activate(sandbox: &Sandbox, config: &Path, socket: &Path) -> Process {
    launch(sandbox, activate(config, socket).args(confined(&program())), socket)
}

/// Socket activation as by a unit with `StandardInput=socket`, with which standard output is the
/// socket, too.
pub fn socket_activate_inetd(sandbox: &Sandbox, config: &Path, socket: &Path) -> Process {
    let mut command = activate(config, socket);
    launch(sandbox, command.arg("--inetd").args(confined(&program())), socket)
}

/// The program with `serve --http` at this address, as by the unit for HTTP.
pub fn confined_http(sandbox: &Sandbox, config: &Path, address: &str) -> Process {
    let mut command = command("env");
    command.arg(format!("MAILSETUP_CONFIG={}", config.display()));
    let unit = "contrib/systemd/mailsetup-http.service";
    command.args(confined_by(unit, Path::new(PROGRAM))).args(["serve", "--http", address]);
    Process::start(sandbox, &mut command)
}

fn activate(config: &Path, socket: &Path) -> Command {
    let mut command = command("systemd-socket-activate");
    command.arg("-l").arg(socket);
    command.arg("-E").arg(format!("MAILSETUP_CONFIG={}", config.display()));
    command
}

fn launch(sandbox: &Sandbox, command: &mut Command, socket: &Path) -> Process {
    Process::start(sandbox, command)
        .wait_until(|| std::os::unix::net::UnixStream::connect(socket).is_ok())
}
