//! A client that writes an HTTP/1.1 request exactly as given and reads the response.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

/// The longest time of a response.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// The bytes that a socket takes while the other end does not read.
pub const SOCKET_BUFFER: usize = 64 * 1024;

//------------ Request -------------------------------------------------------

/// A request, independent of the protocol that carries it.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// The text between the method and `HTTP/1.1`, in any bytes.
    pub target: Vec<u8>,
    pub version: &'static str,
    /// The header fields in their order, including `Host`; framing is added when written.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Option<Vec<u8>>,
    /// Send the body in chunks, without its length.
    pub chunked: bool,
    /// CGI variables that a web server sets differently from `cgi::variables`.
    pub variables: Vec<(&'static str, Vec<u8>)>,
}

impl Request {
    pub fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        Self {
            method: method.to_owned(),
            target: target.as_ref().to_vec(),
            version: "HTTP/1.1",
            headers: vec![("Host".to_owned(), b"autoconfig.example.org".to_vec())],
            body: None,
            chunked: false,
            variables: Vec::new(),
        }
    }

    pub fn get(target: impl AsRef<[u8]>) -> Self {
        Self::new("GET", target)
    }

    pub fn post(target: impl AsRef<[u8]>, body: impl AsRef<[u8]>) -> Self {
        Self::new("POST", target)
            .host("autodiscover.example.org")
            .header("Content-Type", "text/xml; charset=utf-8")
            .body(body)
    }

    pub fn host(mut self, host: impl AsRef<[u8]>) -> Self {
        self.headers.retain(|(name, _)| name != "Host");
        self.headers.insert(0, ("Host".to_owned(), host.as_ref().to_vec()));
        self
    }

    /// HTTP/1.0 without a `Host`.
    pub fn http_1_0(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "Host");
        self.version = "HTTP/1.0";
        self
    }

    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Some(body.as_ref().to_vec());
        self
    }

    pub fn variable(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.variables.push((name, value.as_ref().to_vec()));
        self
    }

    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// The target split at its first `?`.
    pub fn path_and_query(&self) -> (&[u8], &[u8]) {
        match self.target.iter().position(|&byte| byte == b'?') {
            Some(at) => (&self.target[..at], &self.target[at + 1..]),
            None => (&self.target, b""),
        }
    }

    /// The request on the wire.
    fn to_bytes(&self, last: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(self.method.as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(&self.target);
        bytes.extend_from_slice(format!(" {}\r\n", self.version).as_bytes());
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        if last {
            bytes.extend_from_slice(b"Connection: close\r\n");
        }
        match &self.body {
            Some(body) if self.chunked => {
                bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in body.chunks(100) {
                    bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    bytes.extend_from_slice(chunk);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
            Some(body) => {
                bytes.extend_from_slice(
                    format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(),
                );
                bytes.extend_from_slice(body);
            }
            None => bytes.extend_from_slice(b"\r\n"),
        }
        bytes
    }
}

//------------ Response ------------------------------------------------------

/// A response, independent of the protocol.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    /// Names in their original letter case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header field; panics if it occurs twice, which no field of this program may.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} came twice: {:?}", self.headers);
        value
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

//------------ Client --------------------------------------------------------

/// Sends one request on a new connection.
pub fn send(address: SocketAddr, request: &Request) -> io::Result<Response> {
    let mut responses = send_all(address, std::slice::from_ref(request))?;
    Ok(responses.remove(0))
}

/// Sends requests one after the other on one connection.
pub fn send_all(address: SocketAddr, requests: &[Request]) -> io::Result<Vec<Response>> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let mut responses = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        let bytes = request.to_bytes(index + 1 == requests.len());
        let head = request.method == "HEAD";
        let response = if bytes.len() <= SOCKET_BUFFER {
            writer.write_all(&bytes)?;
            read_response(&mut reader, head)?
        } else {
            // The server may respond before it has read everything, and then stop reading.
            thread::scope(|scope| {
                scope.spawn(|| writer.write_all(&bytes));
                let response = read_response(&mut reader, head);
                let _ = reader.get_ref().shutdown(Shutdown::Both);
                response
            })?
        };
        responses.push(response);
    }
    Ok(responses)
}

fn read_response(reader: &mut impl BufRead, head: bool) -> io::Result<Response> {
    loop {
        let status_line = read_line(reader)?;
        let status = status_line
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.get(2..5))
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| invalid(format!("status line {status_line:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = read_line(reader)?;
            if line.is_empty() {
                break;
            }
            let (name, value) =
                line.split_once(':').ok_or_else(|| invalid(format!("header {line:?}")))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        // 100 Continue comes before the response.
        if status >= 200 {
            let mut response = Response { status, headers, body: Vec::new() };
            if !head && status != 204 && status != 304 {
                response.body = read_body(reader, &response)?;
            }
            return Ok(response);
        }
    }
}

fn read_body(reader: &mut impl BufRead, response: &Response) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if response.header("Transfer-Encoding").is_some() {
        loop {
            let line = read_line(reader)?;
            let size = line.split(';').next().unwrap_or_default();
            let size = u64::from_str_radix(size.trim(), 16)
                .map_err(|_| invalid(format!("chunk size {line:?}")))?;
            reader.by_ref().take(size).read_to_end(&mut body)?;
            read_line(reader)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
    if let Some(length) = response.header("Content-Length") {
        let length: u64 = length.parse().map_err(|_| invalid(format!("length {length:?}")))?;
        reader.by_ref().take(length).read_to_end(&mut body)?;
        if body.len() as u64 != length {
            return Err(invalid(format!("{} bytes of {length}", body.len())));
        }
    } else {
        reader.read_to_end(&mut body)?;
    }
    Ok(body)
}

/// A line without its end.
fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "connection closed"));
    }
    while line.last().is_some_and(|&byte| byte == b'\n' || byte == b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// The error for an invalid response.
pub fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
