//! A kept FastCGI connection without nginx, light enough for measurements.

use crate::common::fcgi::{END_REQUEST, STDOUT, Style, read_record, request_records};
use crate::common::http::{Request, TIMEOUT};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// One descriptor, since there may be ten thousand connections.
pub struct Connection(UnixStream);

impl Connection {
    pub fn open(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("connection");
        stream.set_read_timeout(Some(TIMEOUT)).expect("timeout");
        Self(stream)
    }

    /// Sends the output of `records` and waits for the whole response, which has the form of CGI.
    pub fn ask(&mut self, records: &[u8]) -> Vec<u8> {
        self.0.write_all(records).expect("connection");
        let mut answer = Vec::new();
        loop {
            let record = read_record(&mut self.0).expect("a record");
            match record.kind {
                STDOUT => answer.extend(record.content),
                END_REQUEST => return answer,
                kind => panic!("record type {kind}"),
            }
        }
    }
}

/// A request as FastCGI records.
pub fn records(request: &Request) -> Vec<u8> {
    request_records(request, Style { keep: true, ..Style::USUAL })
}
