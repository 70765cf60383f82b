//! The password for `--login`: asked for on the terminal, and kept in memory only.
//!
//! It is not printed while it is typed, nor by `Debug`, and its bytes are overwritten when it is
//! dropped. Echo is switched on again also if the program is ended by a signal.

use crate::net::mail::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::hint::black_box;
use std::io::{self, IsTerminal, Write};
use tokio::signal::unix::{SignalKind, signal};

/// Longest password, in octets. A terminal passes on no line of more than 4095.
const MAX_PASSWORD: usize = 1024;

/// Overwrites bytes; the compiler may not leave it out.
fn overwrite(bytes: &mut [u8]) {
    bytes.fill(0);
    black_box(bytes);
}

/// Asks for a password on the terminal. Fails with one line for the user.
pub fn ask(prompt: &str) -> Result<Secret, String> {
    if !io::stdin().is_terminal() {
        return Err(
            "--login asks for the password on a terminal, and standard input is not one".to_owned()
        );
    }
    let failed = |error: io::Error| format!("the password cannot be read: {error}");
    // Standard error may be closed.
    let mut stderr = io::stderr();
    write!(stderr, "{prompt}").and_then(|()| stderr.flush()).ok();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed)?;
    let password = runtime.block_on(read());
    // The thread that reads may still wait for a line.
    runtime.shutdown_background();
    writeln!(stderr).ok();
    match password.map_err(failed)? {
        Some(password) if !password.octets().is_empty() => Ok(password),
        _ => Err("no password was entered".to_owned()),
    }
}

/// Reads a line without echo; `None` if a signal came instead.
async fn read() -> io::Result<Option<Secret>> {
    let mut ends = [
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
        signal(SignalKind::quit())?,
    ];
    let [interrupt, terminate, hangup, quit] = &mut ends;
    // With a handler, Ctrl-Z does not leave a stopped program and a terminal without echo.
    let _stop = signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?;
    let _silence = Silence::new()?;
    let line = tokio::task::spawn_blocking(line);
    tokio::select! {
        line = line => line.map_err(io::Error::other)?.map(Some),
        _ = interrupt.recv() => Ok(None),
        _ = terminate.recv() => Ok(None),
        _ = hangup.recv() => Ok(None),
        _ = quit.recv() => Ok(None),
    }
}

/// One line from standard input, without its line end.
fn line() -> io::Result<Secret> {
    let mut buffer = [0; MAX_PASSWORD];
    let read = loop {
        match rustix::io::read(rustix::stdio::stdin(), &mut buffer) {
            Err(rustix::io::Errno::INTR) => {}
            read => break read,
        }
    };
    let password = read.map_err(io::Error::from).and_then(|len| match buffer[..len].split_last() {
        Some((b'\n', password)) => Ok(Secret::new(password.to_vec())),
        _ if len == MAX_PASSWORD => Err(io::Error::other("it is too long")),
        _ => Ok(Secret::new(buffer[..len].to_vec())),
    });
    overwrite(&mut buffer);
    password
}

/// Keeps the terminal from printing what is typed, as long as it is there.
struct Silence {
    before: Termios,
}

impl Silence {
    fn new() -> io::Result<Silence> {
        let before = tcgetattr(rustix::stdio::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
        // What was typed before the prompt is no part of the password.
        tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Silence { before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, &self.before).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_printed() {
        let password = Secret::new(b"secret".to_vec());
        assert_eq!(format!("{password:?}"), "Secret");
        assert_eq!(password.octets(), b"secret");
    }

    #[test]
    fn its_bytes_are_overwritten() {
        let mut bytes = *b"secret";
        overwrite(&mut bytes);
        assert_eq!(bytes, [0; 6]);
    }
}
