//! A FastCGI client: the web server's side of the FastCGI specification 1.0, in the styles of
//! different web servers.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;

use super::cgi;
use super::http::{Request, Response, SOCKET_BUFFER, TIMEOUT, invalid};

// Record types, FastCGI 1.0 §8.
pub const BEGIN_REQUEST: u8 = 1;
pub const ABORT_REQUEST: u8 = 2;
pub const END_REQUEST: u8 = 3;
pub const PARAMS: u8 = 4;
pub const STDIN: u8 = 5;
pub const STDOUT: u8 = 6;
pub const STDERR: u8 = 7;
pub const GET_VALUES: u8 = 9;
pub const GET_VALUES_RESULT: u8 = 10;
pub const UNKNOWN_TYPE: u8 = 11;

/// The largest content of a record.
const RECORD_MAX: usize = 65535;

//------------ Style ---------------------------------------------------------

/// The choices that the specification leaves to the web server.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// The connection stays open for the next request.
    pub keep: bool,
    /// The largest content of one record; 1 splits every name-value pair.
    pub record: usize,
    /// Fill each record to a multiple of 8.
    pub pad: bool,
    pub id: u16,
}

impl Style {
    /// nginx, Apache, lighttpd and Caddy are alike: id 1, large records, padding.
    pub const USUAL: Self = Self { keep: false, record: RECORD_MAX, pad: true, id: 1 };

    /// Everything that is allowed but unusual.
    pub const ODD: Self = Self { keep: true, record: 7, pad: false, id: 513 };
}

//------------ Client --------------------------------------------------------

/// One connection to a FastCGI program.
pub struct Client {
    reader: Counted,
    writer: Box<dyn Write + Send>,
}

/// Counts the bytes read, which distinguishes a close before a response from one within it.
struct Counted {
    stream: Box<dyn Read + Send>,
    count: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.stream.read(buffer)?;
        self.count += len as u64;
        Ok(len)
    }
}

/// A record as received.
#[derive(Debug)]
pub struct Record {
    pub kind: u8,
    pub id: u16,
    pub content: Vec<u8>,
}

impl Client {
    pub fn unix(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        let reader = Counted { stream: Box::new(stream.try_clone()?), count: 0 };
        Ok(Self { reader, writer: Box::new(stream) })
    }

    pub fn tcp(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        let reader = Counted { stream: Box::new(stream.try_clone()?), count: 0 };
        Ok(Self { reader, writer: Box::new(stream) })
    }

    /// Sends a request and waits for its end.
    pub fn send(&mut self, request: &Request, style: Style) -> io::Result<Response> {
        let bytes = request_records(request, style);
        let Self { reader, writer } = self;
        let output = if bytes.len() <= SOCKET_BUFFER {
            writer.write_all(&bytes)?;
            read_output(reader, style.id)?
        } else {
            thread::scope(|scope| {
                // The program may answer before it has read a long body, or close instead of reading.
                scope.spawn(|| writer.write_all(&bytes));
                read_output(reader, style.id)
            })?
        };
        if !style.keep {
            let mut byte = [0];
            if self.reader.read(&mut byte).is_ok_and(|count| count > 0) {
                return Err(invalid("a record after the end of the request".to_owned()));
            }
        }
        cgi::parse(&output, request.method == "HEAD")
    }

    /// How many bytes were received so far.
    pub fn received(&self) -> u64 {
        self.reader.count
    }

    /// Sends bytes unchanged.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    /// The next record, or an error at the end of the connection.
    pub fn read(&mut self) -> io::Result<Record> {
        read_record(&mut self.reader)
    }
}

/// A record with its header, padded if requested.
pub fn record(kind: u8, id: u16, content: &[u8], pad: bool) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a record holds 65535 bytes");
    let padding = if pad { (8 - content.len() % 8) % 8 } else { 0 };
    let mut bytes = vec![1, kind];
    bytes.extend_from_slice(&id.to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&[padding as u8, 0]);
    bytes.extend_from_slice(content);
    // Padding must be ignored, so it is not zero here.
    bytes.resize(bytes.len() + padding, 0xaa);
    bytes
}

/// Name-value pairs, FastCGI 1.0 §3.4.
pub fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in pairs {
        for length in [name.len(), value.len()] {
            match u8::try_from(length) {
                Ok(short) if short < 128 => bytes.push(short),
                _ => bytes.extend_from_slice(&(length as u32 | 0x8000_0000).to_be_bytes()),
            }
        }
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(value);
    }
    bytes
}

/// All the records of a request.
pub fn request_records(request: &Request, style: Style) -> Vec<u8> {
    let variables = cgi::variables(request);
    let params = pairs(variables.iter().map(|(name, value)| (&name[..], &value[..])));
    let begin = [0, 1, u8::from(style.keep), 0, 0, 0, 0, 0];
    let mut bytes = record(BEGIN_REQUEST, style.id, &begin, style.pad);
    // Only the parameters are split into tiny records; a long body would need too many.
    for part in params.chunks(style.record) {
        bytes.extend(record(PARAMS, style.id, part, style.pad));
    }
    bytes.extend(record(PARAMS, style.id, b"", style.pad));
    for part in request.body.as_deref().unwrap_or_default().chunks(style.record.max(1000)) {
        bytes.extend(record(STDIN, style.id, part, style.pad));
    }
    bytes.extend(record(STDIN, style.id, b"", style.pad));
    bytes
}

/// The output of the program for request `id`, up to its end.
fn read_output(reader: &mut impl Read, id: u16) -> io::Result<Vec<u8>> {
    let mut output = Vec::new();
    let mut ended = false;
    loop {
        let record = read_record(reader)?;
        if record.id != id {
            return Err(invalid(format!("request id {} instead of {id}", record.id)));
        }
        match record.kind {
            STDOUT if ended => return Err(invalid("output after its end".to_owned())),
            STDOUT if record.content.is_empty() => ended = true,
            STDOUT => output.extend(record.content),
            STDERR => {
                let text = String::from_utf8_lossy(&record.content).into_owned();
                if !text.is_empty() {
                    return Err(invalid(format!("on standard error: {text}")));
                }
            }
            END_REQUEST => {
                if !ended {
                    return Err(invalid("no end of output before END_REQUEST".to_owned()));
                }
                if record.content.len() != 8 || record.content[4] != 0 {
                    return Err(invalid(format!("END_REQUEST {:?}", record.content)));
                }
                return Ok(output);
            }
            kind => return Err(invalid(format!("record type {kind}"))),
        }
    }
}

/// Answers one request with 404; returns each value of HTTP_HOST that was sent, in order.
pub fn answer_404(mut stream: UnixStream) -> Vec<String> {
    let mut params = Vec::new();
    loop {
        let record = read_record(&mut stream).expect("a record of a request");
        match (record.kind, record.content.is_empty()) {
            (PARAMS, _) => params.extend(record.content),
            (STDIN, true) => break,
            _ => {}
        }
    }
    let mut bytes = record(STDOUT, 1, b"Status: 404 Not Found\r\n\r\n", false);
    bytes.extend(record(STDOUT, 1, b"", false));
    bytes.extend(record(END_REQUEST, 1, &[0; 8], false));
    stream.write_all(&bytes).expect("an answer");
    let pairs = read_pairs(&params).into_iter();
    pairs.filter(|(name, _)| name == "HTTP_HOST").map(|(_, value)| value).collect()
}

/// The reverse of `pairs`.
fn read_pairs(mut bytes: &[u8]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    while !bytes.is_empty() {
        let (name, value) = (read_length(&mut bytes), read_length(&mut bytes));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        pairs.push((text(&bytes[..name]), text(&bytes[name..name + value])));
        bytes = &bytes[name + value..];
    }
    pairs
}

fn read_length(bytes: &mut &[u8]) -> usize {
    let (length, rest) = match **bytes {
        [short, ref rest @ ..] if short < 128 => (usize::from(short), rest),
        [a, b, c, d, ref rest @ ..] => (u32::from_be_bytes([a & 0x7f, b, c, d]) as usize, rest),
        _ => panic!("a length that breaks off"),
    };
    *bytes = rest;
    length
}

/// The next record, or an error at the end of the connection.
pub fn read_record(reader: &mut impl Read) -> io::Result<Record> {
    let mut header = [0; 8];
    reader.read_exact(&mut header)?;
    let [version, kind, id_high, id_low, length_high, length_low, padding, _] = header;
    if version != 1 {
        return Err(invalid(format!("FastCGI version {version}")));
    }
    let length = usize::from(u16::from_be_bytes([length_high, length_low]));
    let mut content = vec![0; length + usize::from(padding)];
    reader.read_exact(&mut content)?;
    content.truncate(length);
    Ok(Record { kind, id: u16::from_be_bytes([id_high, id_low]), content })
}
