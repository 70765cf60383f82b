//! Runs the program as CGI, with the environment that a web server sets, and checks its output by
//! the grammar of RFC 3875 §6.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use super::http::{Request, Response, invalid};

/// Starts `program` for one request and returns its response; standard error must be empty.
/// `settings` are environment variables in addition to those of CGI.
pub fn send(
    program: &Path,
    request: &Request,
    settings: &[(&str, &OsStr)],
) -> io::Result<Response> {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, value) in variables(request) {
        command.env(OsString::from_vec(name), OsString::from_vec(value));
    }
    command.envs(settings.iter().copied()).args(arguments(request));
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let body = request.body.clone().unwrap_or_default();
    // The program need not read everything: a broken pipe is not an error.
    let writer = thread::spawn(move || stdin.write_all(&body));
    let output = child.wait_with_output()?;
    let _ = writer.join();
    if !output.status.success() || !output.stderr.is_empty() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(invalid(format!("{}, stderr: {stderr}", output.status)));
    }
    parse(&output.stdout, request.method == "HEAD")
}

/// The meta-variables of a request, RFC 3875 §4.1, as Apache would set them.
pub fn variables(request: &Request) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (path, query) = request.path_and_query();
    let mut variables: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut set = |name: &str, value: &[u8]| variables.push((name.into(), value.to_vec()));
    set("GATEWAY_INTERFACE", b"CGI/1.1");
    set("SERVER_SOFTWARE", b"test");
    set("SERVER_PROTOCOL", request.version.as_bytes());
    set("SERVER_NAME", b"localhost");
    set("SERVER_PORT", b"80");
    set("REMOTE_ADDR", b"127.0.0.1");
    set("REQUEST_SCHEME", b"http");
    set("REQUEST_METHOD", request.method.as_bytes());
    set("REQUEST_URI", &request.target);
    set("QUERY_STRING", query);
    // If the program is an alias of the path: the whole path, decoded.
    set("SCRIPT_NAME", &decode(path));
    if let Some(body) = &request.body {
        // Apache's mod_cgid passes a chunked body without its length.
        if request.chunked {
            set("HTTP_TRANSFER_ENCODING", b"chunked");
        } else {
            set("CONTENT_LENGTH", body.len().to_string().as_bytes());
        }
    }
    for (name, value) in &request.headers {
        let name = name.to_ascii_uppercase().replace('-', "_");
        match name.as_str() {
            "CONTENT_TYPE" => set(&name, value),
            _ => set(&format!("HTTP_{name}"), value),
        }
    }
    for (name, value) in &request.variables {
        set(name, value);
    }
    variables
}

/// The words of a query without `=`, which Apache passes as arguments: RFC 3875 §4.4.
fn arguments(request: &Request) -> Vec<OsString> {
    let (_, query) = request.path_and_query();
    if query.is_empty() || query.contains(&b'=') || request.method == "POST" {
        return Vec::new();
    }
    query.split(|&byte| byte == b'+').map(|word| OsString::from_vec(decode(word))).collect()
}

fn decode(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let escaped = tail
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        decoded.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    decoded
}

/// Reads a CGI response and fails for everything that some web server cannot handle.
pub fn parse(output: &[u8], head: bool) -> io::Result<Response> {
    let complain = |what: &str| {
        let start = String::from_utf8_lossy(&output[..output.len().min(300)]);
        Err(invalid(format!("{what} in CGI output {start:?}")))
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut rest = output;
    loop {
        let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
            return complain("no blank line");
        };
        let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
        rest = &rest[end + 1..];
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = std::str::from_utf8(line).ok().and_then(|l| l.split_once(':'))
        else {
            return complain("not a header line");
        };
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return complain("bad header name");
        }
        let value = value.trim();
        if value.chars().any(char::is_control) {
            return complain("control character");
        }
        if headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            return complain("repeated header");
        }
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut response = Response { status: 200, headers, body: rest.to_vec() };
    // These belong to the web server: RFC 3875 §6.3.4.
    for name in ["Connection", "Transfer-Encoding", "Keep-Alive"] {
        if response.header(name).is_some() {
            return complain(name);
        }
    }
    if let Some(status) = response.header("Status") {
        let code = status.get(..3).and_then(|code| code.parse().ok());
        if !status.get(3..).is_none_or(|rest| rest.is_empty() || rest.starts_with(' ')) {
            return complain("bad Status");
        }
        match code {
            Some(code) => response.status = code,
            None => return complain("bad Status"),
        }
    } else if response.header("Location").is_some() {
        // mod_proxy_fcgi passes this as 200.
        return complain("Location without Status");
    }
    if !response.body.is_empty() && response.header("Content-Type").is_none() {
        return complain("no Content-Type");
    }
    if head {
        if !response.body.is_empty() {
            return complain("body for HEAD");
        }
    } else if let Some(length) = response.header("Content-Length") {
        if length != response.body.len().to_string() {
            return complain("wrong Content-Length");
        }
    }
    response.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("Status"));
    Ok(response)
}
