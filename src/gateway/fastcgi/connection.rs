//! One FastCGI connection as a state machine: bytes in, requests and bytes out.
//!
//! It does no I/O and uses no clock, so that every order and every split of records can be tested.
//! Takes one request at a time, as every known web server sends them; refuses roles other than
//! responder and a second request during a running one, and closes the connection after bytes that
//! are not FastCGI. Parameters and body are kept up to their limits and counted beyond; nothing
//! else is kept. The memory of all connections has a budget: over it, the request ends as
//! `Overloaded`. Rules: FastCGI Specification 1.0.

use super::records::{self, EndStatus, HEADER_LEN, Header, MANAGEMENT, kind};
use crate::gateway::budget::{Budget, Share};
use crate::limits::Limits;

/// The only role that is served (§6.2).
const RESPONDER: u16 = 1;
/// The flag in a BEGIN_REQUEST that requests to keep the connection (§5.1).
const KEEP_CONNECTION: u8 = 1;
/// Longest content of a BEGIN_REQUEST or management record that is kept.
const MAX_CONTROL: usize = 512;

//------------ Connection -----------------------------------------------------

/// The state of a connection.
#[derive(Debug)]
pub struct Connection {
    limits: Limits,
    /// True if every request is refused as one too many.
    overloaded: bool,
    /// The bytes of an incomplete header, and their number.
    head: ([u8; HEADER_LEN], usize),
    /// The record whose header was read and whose end was not received yet.
    record: Option<Record>,
    /// The content of a BEGIN_REQUEST or management record, as far as received.
    control: Vec<u8>,
    request: Option<Incoming>,
    /// Covers the memory of the request until it is answered.
    share: Share,
    output: Vec<u8>,
    closing: bool,
    /// True if a request was refused as one too many and this was not reported yet.
    has_refused: bool,
}

/// A record, and how much of it is still to be received.
#[derive(Debug)]
struct Record {
    header: Header,
    content_left: usize,
    padding_left: usize,
}

/// A request that is being received.
#[derive(Debug)]
struct Incoming {
    id: u16,
    keep: bool,
    parameters: Capped,
    parameters_ended: bool,
    body: Capped,
}

/// Bytes up to a limit.
#[derive(Debug)]
struct Capped {
    bytes: Vec<u8>,
    max: usize,
    exceeded: bool,
}

/// A complete request.
#[derive(Debug, Eq, PartialEq)]
pub struct Arrived {
    /// To be returned with the response.
    pub ticket: Ticket,
    /// Its parameters, as name-value pairs; `None` if they were over the limit.
    pub parameters: Option<Vec<u8>>,
    /// Its body; `None` if it was over the limit.
    pub body: Option<Vec<u8>>,
}

/// Identifies the request of a response, and says what happens to the connection afterwards.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ticket {
    id: u16,
    keep: bool,
}

impl Connection {
    /// A new connection.
    pub fn new(limits: &Limits) -> Connection {
        Connection {
            limits: *limits,
            overloaded: false,
            head: ([0; HEADER_LEN], 0),
            record: None,
            control: Vec::new(),
            request: None,
            share: Budget::new(limits.buffered_bytes).share(),
            output: Vec::new(),
            closing: false,
            has_refused: false,
        }
    }

    /// The same connection, with its memory taken from a budget that it shares with others.
    pub fn sharing(self, budget: &Budget) -> Connection {
        Connection { share: budget.share(), ..self }
    }

    /// A connection over the limit of connections: every request ends as `Overloaded`.
    pub fn overloaded(limits: &Limits) -> Connection {
        Connection { overloaded: true, ..Connection::new(limits) }
    }

    /// Takes bytes until a request is complete or there are no more; `input` is advanced.
    ///
    /// Bytes after a request stay in `input`, to be passed again once the request is answered.
    pub fn receive(&mut self, input: &mut &[u8]) -> Option<Arrived> {
        while !self.closing && !input.is_empty() {
            let mut record = match self.record.take() {
                Some(record) => record,
                None => self.begin_record(input)?,
            };
            let content = take(input, &mut record.content_left);
            if !content.is_empty() {
                self.content(record.header, content);
            }
            // Padding follows the whole content.
            if record.content_left == 0 {
                take(input, &mut record.padding_left);
            }
            if record.content_left > 0 || record.padding_left > 0 {
                self.record = Some(record);
            } else if let Some(arrived) = self.end_record(record.header) {
                return Some(arrived);
            }
        }
        None
    }

    /// Answers a request with the response that `write` appends, in the form of a CGI program.
    pub fn answer(&mut self, ticket: Ticket, write: impl FnOnce(&mut Vec<u8>)) {
        records::write_stream(&mut self.output, kind::STDOUT, ticket.id, write);
        self.end_request(ticket.id, EndStatus::RequestComplete, ticket.keep);
    }

    /// The bytes to be sent; the caller sends and removes them.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// True once the connection is to be closed, after the output was sent.
    pub fn is_closing(&self) -> bool {
        self.closing
    }

    /// True if a request ended as `Overloaded`; reported once.
    pub fn take_refused(&mut self) -> bool {
        std::mem::take(&mut self.has_refused)
    }

    /// True between requests: the web server may then wait without limit, and it closes the
    /// connection.
    pub fn is_idle(&self) -> bool {
        self.request.is_none() && self.record.is_none() && self.head.1 == 0
    }

    /// True if the connection was one too many; it may not stay idle.
    pub fn is_overloaded(&self) -> bool {
        self.overloaded
    }

    /// Reads a header; `None` if it is incomplete, or if it closes the connection.
    fn begin_record(&mut self, input: &mut &[u8]) -> Option<Record> {
        let (bytes, len) = &mut self.head;
        let header = match input.split_first_chunk() {
            // Nearly always.
            Some((whole, rest)) if *len == 0 => {
                *input = rest;
                Header::read(whole)
            }
            _ => {
                let piece = take(input, &mut (HEADER_LEN - *len));
                bytes[*len..*len + piece.len()].copy_from_slice(piece);
                *len += piece.len();
                if *len < HEADER_LEN {
                    return None;
                }
                *len = 0;
                Header::read(bytes)
            }
        };
        self.closing = header.is_none();
        self.control.clear();
        let header = header?;
        let (content_left, padding_left) = (header.content_len.into(), header.padding_len.into());
        Some(Record { header, content_left, padding_left })
    }

    /// Takes a part of a record's content.
    fn content(&mut self, header: Header, content: &[u8]) {
        if header.id == MANAGEMENT || header.kind == kind::BEGIN_REQUEST {
            let room = MAX_CONTROL - self.control.len();
            self.control.extend_from_slice(&content[..content.len().min(room)]);
            return;
        }
        let Some(request) = self.request.as_mut().filter(|request| request.id == header.id) else {
            // For a request that is not running: ignored (§3.3).
            return;
        };
        match header.kind {
            kind::PARAMS if !request.parameters_ended => request.parameters.push(content),
            kind::STDIN => request.body.push(content),
            _ => {}
        }
        let held = request.parameters.bytes.capacity() + request.body.bytes.capacity();
        if !self.share.cover(held) {
            let id = request.id;
            self.request = None;
            self.end_request(id, EndStatus::Overloaded, false);
        }
    }

    /// Acts on a record that is complete.
    fn end_record(&mut self, header: Header) -> Option<Arrived> {
        if header.id == MANAGEMENT {
            self.management(header.kind);
            return None;
        }
        if header.kind == kind::BEGIN_REQUEST {
            self.begin_request(header.id);
            return None;
        }
        let request = self.request.as_mut().filter(|request| request.id == header.id)?;
        match header.kind {
            kind::PARAMS if header.content_len == 0 => request.parameters_ended = true,
            kind::STDIN if header.content_len == 0 && request.parameters_ended => {
                return self.request.take().map(Incoming::arrive);
            }
            // The body cannot end before the parameters.
            kind::STDIN if header.content_len == 0 => self.closing = true,
            kind::ABORT_REQUEST => {
                let (id, keep) = (request.id, request.keep);
                self.request = None;
                self.end_request(id, EndStatus::RequestComplete, keep);
            }
            _ => {}
        }
        None
    }

    fn begin_request(&mut self, id: u16) {
        let [role1, role0, flags, ..] = self.control[..] else {
            self.closing = true;
            return;
        };
        let keep = flags & KEEP_CONNECTION != 0;
        match &self.request {
            // Ending the new request would end the running one, which has the same id.
            Some(running) if running.id == id => self.closing = true,
            Some(_) => records::write_end(&mut self.output, id, EndStatus::CannotMultiplex),
            None if self.overloaded => self.end_request(id, EndStatus::Overloaded, false),
            None if u16::from_be_bytes([role1, role0]) != RESPONDER => {
                self.end_request(id, EndStatus::UnknownRole, keep);
            }
            None => {
                self.request = Some(Incoming {
                    id,
                    keep,
                    parameters: Capped::new(self.limits.parameters_bytes),
                    parameters_ended: false,
                    body: Capped::new(self.limits.body_bytes),
                });
            }
        }
    }

    fn end_request(&mut self, id: u16, status: EndStatus, keep: bool) {
        records::write_end(&mut self.output, id, status);
        self.has_refused |= status == EndStatus::Overloaded;
        self.share.clear();
        // Without KEEP_CONN the application closes the connection (§3.5).
        self.closing |= !keep;
    }

    /// Answers a management record (§4).
    fn management(&mut self, record_kind: u8) {
        if record_kind != kind::GET_VALUES {
            let content = [record_kind, 0, 0, 0, 0, 0, 0, 0];
            records::write(&mut self.output, kind::UNKNOWN_TYPE, MANAGEMENT, &content);
            return;
        }
        let mut values = Vec::new();
        let connections = self.limits.connections.to_string();
        for (name, _) in records::pairs(&self.control) {
            let value: &[u8] = match name {
                b"FCGI_MAX_CONNS" | b"FCGI_MAX_REQS" => connections.as_bytes(),
                b"FCGI_MPXS_CONNS" => b"0",
                _ => continue,
            };
            records::write_pair(&mut values, name, value);
        }
        records::write(&mut self.output, kind::GET_VALUES_RESULT, MANAGEMENT, &values);
    }
}

/// Takes up to `wanted` bytes of `input`, and reduces `wanted` by that number.
fn take<'a>(input: &mut &'a [u8], wanted: &mut usize) -> &'a [u8] {
    let (taken, rest) = input.split_at((*wanted).min(input.len()));
    *wanted -= taken.len();
    *input = rest;
    taken
}

impl Incoming {
    fn arrive(self) -> Arrived {
        Arrived {
            ticket: Ticket { id: self.id, keep: self.keep },
            parameters: self.parameters.take(),
            body: self.body.take(),
        }
    }
}

impl Capped {
    fn new(max: usize) -> Capped {
        Capped { bytes: Vec::new(), max, exceeded: false }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.exceeded |= self.bytes.len() + bytes.len() > self.max;
        if self.exceeded {
            self.bytes = Vec::new();
        } else if self.bytes.is_empty() {
            // Nearly always there is only one part.
            self.bytes = bytes.to_vec();
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn take(self) -> Option<Vec<u8>> {
        (!self.exceeded).then_some(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        parameters_bytes: 100,
        body_bytes: 10,
        connections: 4096,
        timeout: std::time::Duration::from_secs(1),
        buffered_bytes: 0,
        stop_timeout: std::time::Duration::from_secs(1),
    };

    fn record(kind: u8, id: u16, content: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        records::write(&mut bytes, kind, id, content);
        bytes
    }

    fn begin(id: u16, role: u8, flags: u8) -> Vec<u8> {
        record(kind::BEGIN_REQUEST, id, &[0, role, flags, 0, 0, 0, 0, 0])
    }

    fn get(id: u16, flags: u8) -> Vec<u8> {
        [
            begin(id, 1, flags),
            record(kind::PARAMS, id, b"\x01\x01a"),
            record(kind::PARAMS, id, b"b"),
            record(kind::PARAMS, id, b""),
            record(kind::STDIN, id, b"body"),
            record(kind::STDIN, id, b""),
        ]
        .concat()
    }

    fn end(id: u8, status: u8) -> Vec<u8> {
        vec![1, 3, 0, id, 0, 8, 0, 0, 0, 0, 0, 0, status, 0, 0, 0]
    }

    /// Passes `pieces` one after the other, answers requests with `ok`; returns the requests and
    /// all output.
    fn converse(connection: &mut Connection, pieces: &[&[u8]]) -> (Vec<Arrived>, Vec<u8>) {
        let mut arrivals = Vec::new();
        for mut piece in pieces.iter().copied() {
            while let Some(arrived) = connection.receive(&mut piece) {
                connection.answer(arrived.ticket, |out| out.extend_from_slice(b"ok"));
                arrivals.push(arrived);
            }
        }
        (arrivals, std::mem::take(connection.output()))
    }

    fn one(bytes: &[u8]) -> (Vec<Arrived>, Vec<u8>, bool) {
        in_pieces(&[bytes])
    }

    fn in_pieces(pieces: &[&[u8]]) -> (Vec<Arrived>, Vec<u8>, bool) {
        let mut connection = Connection::new(&LIMITS);
        let (arrivals, output) = converse(&mut connection, pieces);
        (arrivals, output, connection.is_closing())
    }

    #[test]
    fn the_same_bytes_in_any_pieces_are_the_same_requests() {
        let ask = record(kind::GET_VALUES, 0, b"\x0f\x00FCGI_MPXS_CONNS");
        let bytes = [get(1, 1), ask.clone(), get(7, 1)].concat();
        let (arrivals, _, closing) = one(&bytes);
        assert_eq!(arrivals.len(), 2);
        assert_eq!(arrivals[0].parameters.as_deref(), Some(&b"\x01\x01ab"[..]));
        assert_eq!(arrivals[0].body.as_deref(), Some(&b"body"[..]));
        assert!(!closing);

        let abort = record(kind::ABORT_REQUEST, 1, b"");
        for bytes in [
            bytes,
            // Not kept, followed by more bytes; aborted; refused; over the limits; not FastCGI.
            [get(1, 0), get(2, 1)].concat(),
            [begin(1, 1, 1), begin(2, 1, 1), abort, get(3, 1)].concat(),
            [begin(1, 2, 1), record(99, 0, b"x"), begin(2, 3, 0), ask].concat(),
            [begin(1, 1, 1), record(kind::PARAMS, 1, &[b'x'; 101]), get(1, 1)[32..].to_vec()]
                .concat(),
            [get(1, 1), b"GET / HTTP/1.1\r\n".to_vec()].concat(),
        ] {
            let whole = one(&bytes);
            for at in 0..bytes.len() {
                assert_eq!(in_pieces(&[&bytes[..at], &bytes[at..]]), whole, "split at {at}");
            }
            let single: Vec<_> = bytes.chunks(1).collect();
            assert_eq!(in_pieces(&single), whole, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn an_answer_is_a_stream_and_its_end() {
        let (_, output, closing) = one(&get(1, 0));
        let stdout = [record(kind::STDOUT, 1, b"ok"), record(kind::STDOUT, 1, b"")].concat();
        assert_eq!(output, [stdout, end(1, 0)].concat());
        assert!(closing, "without KEEP_CONN we close");
    }

    #[test]
    fn requests_that_are_refused() {
        assert_eq!(one(&begin(1, 2, 1)), (vec![], end(1, 3), false), "authorizer");
        assert_eq!(one(&begin(1, 2, 0)), (vec![], end(1, 3), true), "authorizer, not kept");
        assert_eq!(one(&[begin(1, 1, 1), begin(2, 1, 1)].concat()).1, end(2, 1), "multiplexed");
        let abort = record(kind::ABORT_REQUEST, 1, b"");
        assert_eq!(one(&[begin(1, 1, 1), abort.clone()].concat()), (vec![], end(1, 0), false));
        assert_eq!(one(&[begin(1, 1, 0), abort].concat()), (vec![], end(1, 0), true));

        let mut connection = Connection::overloaded(&LIMITS);
        let (arrivals, output) = converse(&mut connection, &[&get(1, 1)]);
        assert_eq!((arrivals, output, connection.is_closing()), (vec![], end(1, 2), true));
    }

    #[test]
    fn a_running_request_survives_a_multiplexed_one() {
        let mut bytes = get(1, 1);
        let second = get(2, 1);
        bytes.splice(16..16, second.iter().copied());
        let (arrivals, output, _) = one(&bytes);
        assert_eq!(arrivals.iter().map(|arrived| arrived.ticket.id).collect::<Vec<_>>(), [1]);
        assert!(output.starts_with(&end(2, 1)));
    }

    #[test]
    fn over_the_caps_nothing_is_kept() {
        let big = |kind| record(kind, 1, &[b'x'; 101]);
        let end_of = |kind| record(kind, 1, b"");
        let bytes = [
            begin(1, 1, 1),
            big(kind::PARAMS),
            end_of(kind::PARAMS),
            big(kind::STDIN),
            end_of(kind::STDIN),
        ];
        let (arrivals, ..) = one(&bytes.concat());
        assert_eq!((&arrivals[0].parameters, &arrivals[0].body), (&None, &None));
    }

    #[test]
    fn over_the_budget_a_large_request_is_refused() {
        let limits = Limits { body_bytes: 100_000, buffered_bytes: 60_000, ..LIMITS };
        let budget = Budget::new(limits.buffered_bytes);
        let connection = || Connection::new(&limits).sharing(&budget);
        let half =
            [begin(1, 1, 1), record(kind::PARAMS, 1, b""), record(kind::STDIN, 1, &[0; 40_000])];
        let (mut first, mut second) = (connection(), connection());
        assert_eq!(converse(&mut first, &[&half.concat()]), (vec![], vec![]));
        assert_eq!(converse(&mut second, &[&half.concat()]), (vec![], end(1, 2)));
        assert!(second.is_closing() && !first.is_closing());
        let (arrivals, _) = converse(&mut connection(), &[&get(1, 1)]);
        assert_eq!(arrivals.len(), 1, "a small one is taken");
        let (arrivals, _) = converse(&mut first, &[&record(kind::STDIN, 1, b"")]);
        first.answer(arrivals[0].ticket, |_| {});
        let (_, output) = converse(&mut connection(), &[&half.concat()]);
        assert_eq!(output, b"", "what was answered is given back");
    }

    #[test]
    fn management_is_answered_and_never_a_request() {
        let ask =
            record(kind::GET_VALUES, 0, b"\x0e\x00FCGI_MAX_CONNS\x01\x00x\x0f\x00FCGI_MPXS_CONNS");
        let told = record(
            kind::GET_VALUES_RESULT,
            0,
            b"\x0e\x04FCGI_MAX_CONNS4096\x0f\x01FCGI_MPXS_CONNS0",
        );
        assert_eq!(one(&ask), (vec![], told, false));
        let unknown = record(kind::UNKNOWN_TYPE, 0, &[99, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(one(&record(99, 0, &[0; 70])), (vec![], unknown, false));
    }

    #[test]
    fn of_a_long_management_record_only_the_beginning_is_kept() {
        let mut connection = Connection::new(&LIMITS);
        converse(&mut connection, &[&record(kind::GET_VALUES, 0, &[0; 60_000])]);
        assert!(connection.control.capacity() <= 2 * MAX_CONTROL);
    }

    #[test]
    fn bytes_that_are_no_fastcgi_close_the_connection() {
        for bytes in [
            b"GET / HTTP/1.1\r\n".to_vec(),
            record(kind::BEGIN_REQUEST, 1, &[0]),
            [begin(1, 1, 1), begin(1, 1, 1)].concat(),
            [begin(1, 1, 1), record(kind::STDIN, 1, b"")].concat(),
        ] {
            let (arrivals, output, closing) = one(&bytes);
            assert!(
                arrivals.is_empty() && output.is_empty() && closing,
                "{}",
                bytes.escape_ascii()
            );
        }
    }

    #[test]
    fn records_out_of_place_are_ignored() {
        let mut bytes = Vec::new();
        for kind in [0, 3, 6, 7, 8, 12, 255] {
            bytes.extend(record(kind, 9, b"x"));
        }
        bytes.extend([record(kind::STDIN, 5, b"x"), record(kind::PARAMS, 5, b"")].concat());
        assert_eq!(one(&bytes), (vec![], vec![], false));
    }
}
