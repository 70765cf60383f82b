//! Asks a service on this machine for one response over HTTP, for health checks: an image for
//! containers has no other program that could.
//!
//! Any response but an error of the service (status 500 to 599) is good: which paths and domains
//! are answered depends on the configuration, which is not read here.

use super::output::FOUND;
use crate::cli;
use crate::log;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

/// The time limit for each step.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Exits with 0 if the service answers.
pub fn run(arguments: &cli::Health) -> ExitCode {
    match status(arguments.address) {
        Ok(status) if !status.starts_with('5') => ExitCode::SUCCESS,
        Ok(status) => complain(arguments.address, &format!("the status is {status}")),
        // The error of the system for a time limit is "Resource temporarily unavailable".
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            complain(arguments.address, "the time limit was reached")
        }
        Err(error) => complain(arguments.address, &error.to_string()),
    }
}

fn complain(address: SocketAddr, reason: &str) -> ExitCode {
    log::error(&format!("no good response from http://{address}: {reason}"));
    ExitCode::from(FOUND)
}

/// The status of a response, in digits.
fn status(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut line = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut line)?;
    let status = line.strip_prefix(b"HTTP/1.1 ").filter(|it| it.iter().all(u8::is_ascii_digit));
    let status = status.ok_or_else(|| io::Error::other("the response is not HTTP"))?;
    Ok(String::from_utf8_lossy(status).into_owned())
}
