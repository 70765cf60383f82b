//! Lines over a connection.
//!
//! Refuses a line of more than 8 KiB, and more than 64 KiB altogether.

use super::server::Outcome;
use mailsetup::visible::visible;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest line with its end, in octets.
const MAX_LINE: usize = 8 * 1024;
/// Most octets that are read on a connection.
const MAX_ALL: usize = 64 * 1024;
/// How much is read at a time, at least, in octets.
const PIECE: usize = 2048;
/// Longest text of a server that is shown, in characters.
const MAX_SHOWN: usize = 200;

/// A connection that is read line by line.
#[derive(Debug)]
pub(super) struct Talk<S> {
    stream: S,
    /// What was received and not read yet.
    buffer: Vec<u8>,
    /// How much was received.
    received: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    pub(super) fn new(stream: S) -> Talk<S> {
        Talk { stream, buffer: Vec::new(), received: 0 }
    }

    /// Waits until something has come.
    pub(super) async fn wait(&mut self) -> Result<(), Outcome> {
        match self.buffer.is_empty() {
            true => self.receive().await,
            false => Ok(()),
        }
    }

    async fn receive(&mut self) -> Result<(), Outcome> {
        self.buffer.reserve(PIECE);
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) => Err(Outcome::Unfit("the server closed the connection".into())),
            Ok(length) => {
                self.received += length;
                if self.received > MAX_ALL {
                    return Err(Outcome::Unfit("the server sent more than 64 KiB".into()));
                }
                Ok(())
            }
            Err(error) => Err(broken(&error)),
        }
    }

    /// The next line without its end; octets that are not UTF-8 are replaced.
    pub(super) async fn line(&mut self) -> Result<String, Outcome> {
        let mut searched = 0;
        loop {
            let end = self.buffer[searched..].iter().position(|&octet| octet == b'\n');
            let end = end.map(|end| searched + end);
            if end.unwrap_or(self.buffer.len()) >= MAX_LINE {
                return Err(Outcome::Unfit("a line is longer than 8 KiB".into()));
            }
            if let Some(end) = end {
                let line: Vec<_> = self.buffer.drain(..=end).collect();
                let line = &line[..end];
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                return Ok(String::from_utf8_lossy(line).into_owned());
            }
            searched = self.buffer.len();
            self.receive().await?;
        }
    }

    /// The next octets, of a literal.
    pub(super) async fn octets(&mut self, length: usize) -> Result<String, Outcome> {
        if length > MAX_LINE {
            return Err(Outcome::Unfit("a string is longer than 8 KiB".into()));
        }
        while self.buffer.len() < length {
            self.receive().await?;
        }
        let octets: Vec<_> = self.buffer.drain(..length).collect();
        Ok(String::from_utf8_lossy(&octets).into_owned())
    }

    pub(super) async fn send(&mut self, octets: &[u8]) -> Result<(), Outcome> {
        let result = self.stream.write_all(octets).await;
        let result = match result {
            Ok(()) => self.stream.flush().await,
            error => error,
        };
        result.map_err(|error| broken(&error))
    }

    /// The connection, and what was received and not read.
    pub(super) fn into_parts(self) -> (S, Vec<u8>) {
        (self.stream, self.buffer)
    }
}

fn broken(error: &std::io::Error) -> Outcome {
    Outcome::Unfit(format!("the connection ended: {}", visible(&error.to_string())))
}

/// A text of a server as it may be shown: visible, and not long.
pub(super) fn shown(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", visible(&text[..end])),
        None => visible(text),
    }
}
