//! FastCGI: any bytes from a web server, in any pieces.
//!
//! Two bytes say where to split, the lowest bit of a third whether the connection is one too many;
//! the others are what the web server sends. Checks: whether the input is passed whole, in two
//! parts or byte by byte, the same requests arrive, the same bytes are sent, and the connection is
//! in the same state; the requests and their ends are those of `Model`, an implementation of the
//! specification for whole records; the output consists of whole records of the kinds that an
//! application may send, and is at most twice as long as the input; name-value pairs never reach
//! beyond their bytes.

use mailsetup::gateway::fastcgi::connection::{Arrived, Connection};
use mailsetup::gateway::fastcgi::records::{self, EndStatus, HEADER_LEN, Header, kind};
use mailsetup::limits::Limits;

/// Small enough to be exceeded.
const MAX_PARAMETERS: usize = 64;
const MAX_BODY: usize = 16;

pub fn run(data: &[u8]) {
    let Some((&[split1, split0, choice], bytes)) = data.split_first_chunk() else { return };
    let limits =
        Limits { parameters_bytes: MAX_PARAMETERS, body_bytes: MAX_BODY, ..Limits::default() };
    let connection = || match choice & 1 {
        0 => Connection::new(&limits),
        _ => Connection::overloaded(&limits),
    };
    let whole = Conversation::over(connection(), [bytes]);
    whole.check(bytes.len());
    let model = Model::of(bytes, choice & 1 == 1);
    assert_eq!(
        (&whole.arrived(), &whole.ends(), whole.is_closing),
        (&model.arrived, &model.ends, model.is_closing)
    );
    let split = usize::from(u16::from_be_bytes([split1, split0])) % (bytes.len() + 1);
    let (before, behind) = bytes.split_at(split);
    assert_eq!(whole, Conversation::over(connection(), [before, behind]), "split at {split}");
    assert_eq!(whole, Conversation::over(connection(), bytes.chunks(1)), "byte by byte");
}

/// The visible state of a connection.
#[derive(Debug, Eq, PartialEq)]
struct Conversation {
    arrived: Vec<Arrived>,
    output: Vec<u8>,
    is_closing: bool,
    is_idle: bool,
}

impl Conversation {
    /// Passes bytes in parts, and answers the requests.
    fn over<'a>(
        mut connection: Connection,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Conversation {
        let mut arrived = Vec::new();
        for mut piece in pieces {
            while let Some(request) = connection.receive(&mut piece) {
                connection.answer(request.ticket, |out| out.extend_from_slice(b"ok"));
                arrived.push(request);
            }
            assert!(piece.is_empty() || connection.is_closing(), "bytes are left");
        }
        Conversation {
            arrived,
            output: std::mem::take(connection.output()),
            is_closing: connection.is_closing(),
            is_idle: connection.is_idle(),
        }
    }

    /// Parameters and body of each request.
    fn arrived(&self) -> Vec<Parts> {
        let parts = self.arrived.iter();
        parts.map(|request| (request.parameters.clone(), request.body.clone())).collect()
    }

    /// Id and status of each ended request.
    fn ends(&self) -> Vec<(u16, u8)> {
        let ends =
            whole_records(&self.output).filter(|(header, _)| header.kind == kind::END_REQUEST);
        ends.map(|(header, content)| (header.id, content[4])).collect()
    }

    fn check(&self, input_len: usize) {
        assert!(self.output.len() <= 2 * input_len, "more goes out than came in");
        let mut records_len = 0;
        for (header, content) in whole_records(&self.output) {
            records_len += HEADER_LEN + content.len() + usize::from(header.padding_len);
            match header.kind {
                kind::STDOUT => assert!(header.id != 0),
                kind::END_REQUEST => assert!(header.id != 0 && content.len() == 8),
                kind::GET_VALUES_RESULT => {
                    let mut pairs = records::pairs(content);
                    pairs.by_ref().for_each(drop);
                    assert!(!pairs.is_cut_off());
                }
                kind => {
                    assert_eq!((kind, header.id, content.len()), (kind::UNKNOWN_TYPE, 0, 8));
                }
            }
        }
        assert_eq!(records_len, self.output.len(), "a record is cut off");
        for request in &self.arrived {
            let parameters = request.parameters.as_deref().unwrap_or_default();
            let pairs = records::pairs(parameters);
            let len: usize = pairs.map(|(name, value)| 2 + name.len() + value.len()).sum();
            assert!(len <= parameters.len(), "pairs reach behind their bytes");
        }
    }
}

/// The complete records in `bytes`, up to an invalid one.
fn whole_records(mut bytes: &[u8]) -> impl Iterator<Item = (Header, &[u8])> {
    std::iter::from_fn(move || {
        let (header, rest) = bytes.split_first_chunk::<HEADER_LEN>()?;
        let header = Header::read(header)?;
        let (content, rest) = rest.split_at_checked(usize::from(header.content_len))?;
        (_, bytes) = rest.split_at_checked(usize::from(header.padding_len))?;
        Some((header, content))
    })
}

//------------ Model ----------------------------------------------------------

/// Parameters and body of a request; each is `None` if it was over its limit.
type Parts = (Option<Vec<u8>>, Option<Vec<u8>>);

/// A second, simple implementation of a connection: all bytes at once, without optimisation.
#[derive(Default)]
struct Model {
    arrived: Vec<Parts>,
    ends: Vec<(u16, u8)>,
    is_closing: bool,
    running: Option<Running>,
}

#[derive(Default)]
struct Running {
    id: u16,
    keep: bool,
    parameters: Vec<u8>,
    parameters_ended: bool,
    body: Vec<u8>,
}

impl Model {
    fn of(bytes: &[u8], overloaded: bool) -> Model {
        let mut model = Model::default();
        let mut len = 0;
        for (header, content) in whole_records(bytes) {
            len += HEADER_LEN + content.len() + usize::from(header.padding_len);
            if header.kind == kind::BEGIN_REQUEST && header.id != 0 {
                model.begin(header.id, content, overloaded);
            } else if model.running.as_ref().is_some_and(|running| running.id == header.id) {
                model.go_on(header.kind, content);
            }
            if model.is_closing {
                return model;
            }
        }
        // After the last whole record, a header of another version closes the connection.
        let next = bytes[len..].first_chunk();
        model.is_closing = next.is_some_and(|header| Header::read(header).is_none());
        model
    }

    fn begin(&mut self, id: u16, content: &[u8], overloaded: bool) {
        let Some(&[role1, role0, flags]) = content.first_chunk() else {
            self.is_closing = true;
            return;
        };
        let keep = flags & 1 == 1;
        match &self.running {
            Some(running) if running.id == id => self.is_closing = true,
            Some(_) => self.ends.push((id, EndStatus::CannotMultiplex as u8)),
            None if overloaded => self.end(id, EndStatus::Overloaded, false),
            None if [role1, role0] != [0, 1] => self.end(id, EndStatus::UnknownRole, keep),
            None => self.running = Some(Running { id, keep, ..Running::default() }),
        }
    }

    fn go_on(&mut self, record_kind: u8, content: &[u8]) {
        let Some(mut running) = self.running.take() else { return };
        match (record_kind, content) {
            (kind::PARAMS, []) => running.parameters_ended = true,
            (kind::PARAMS, _) if !running.parameters_ended => running.parameters.extend(content),
            (kind::STDIN, []) if running.parameters_ended => {
                let capped = |bytes: Vec<u8>, max| (bytes.len() <= max).then_some(bytes);
                let parameters = capped(running.parameters, MAX_PARAMETERS);
                self.arrived.push((parameters, capped(running.body, MAX_BODY)));
                return self.end(running.id, EndStatus::RequestComplete, running.keep);
            }
            (kind::STDIN, []) => self.is_closing = true,
            (kind::STDIN, _) => running.body.extend(content),
            (kind::ABORT_REQUEST, _) => {
                return self.end(running.id, EndStatus::RequestComplete, running.keep);
            }
            _ => {}
        }
        self.running = Some(running);
    }

    fn end(&mut self, id: u16, status: EndStatus, keep: bool) {
        self.ends.push((id, status as u8));
        self.is_closing |= !keep;
    }
}
