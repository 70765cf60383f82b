//! CGI/1.1 (RFC 3875): meta-variables in, a header and a body out.
//!
//! The command line is ignored: web servers put a query without `=` there (§4.4). The body is
//! always read to its end, since some servers abort the request otherwise.

use super::document_response::write_answer;
use super::exchange::body_too_large;
use super::variables::{Variables, request};
use crate::limits::Limits;
use crate::request::{Method, Request, Sender};
use crate::response::{Response, Status};
use crate::step::Reply;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;

/// True if a web server started this process for one request (§4.1.4).
pub fn is_cgi() -> bool {
    std::env::var_os("GATEWAY_INTERFACE").is_some()
}

/// The environment of this process, which has the request.
pub type Environment = Vec<(OsString, OsString)>;

/// Serves the request this process was started for. `note` is called with the reply after it was
/// sent.
pub fn run(
    environment: &Environment,
    respond: impl FnOnce(&Request) -> Reply,
    note: impl FnOnce(Method, Sender, &Reply),
    limits: &Limits,
) -> io::Result<()> {
    let variables: Variables =
        environment.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let method = variables.method();
    let request =
        read_body(&variables, limits.body_bytes).and_then(|body| request(&variables, body));
    let reply = match request {
        Ok(request) => respond(&request),
        Err(response) => response.into(),
    };
    let mut bytes = Vec::new();
    write_answer(&mut bytes, &reply.response, method == Method::Head);
    let mut stdout = io::stdout().lock();
    stdout.write_all(&bytes)?;
    stdout.flush()?;
    note(method, variables.sender(), &reply);
    Ok(())
}

/// Reads the body from standard input; a body over `max_bytes` is read to its end, too.
fn read_body(variables: &Variables, max_bytes: usize) -> Result<Vec<u8>, Response> {
    let length = match variables.content_length {
        Some(digits) => std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.trim().parse().ok())
            .ok_or_else(|| Response::text(Status::BadRequest, "CONTENT_LENGTH is not a number"))?,
        // seen: Apache's mod_cgid decodes a chunked body and sends no length; it ends with the input.
        None if variables.transfer_encoding.is_some() => u64::MAX,
        None => 0,
    };
    let broken = |_| Response::text(Status::BadRequest, "the request body is incomplete");
    let mut input = io::stdin().lock().take(length);
    let mut body = Vec::new();
    (&mut input).take(max_bytes as u64 + 1).read_to_end(&mut body).map_err(broken)?;
    if body.len() > max_bytes {
        io::copy(&mut input, &mut io::sink()).map_err(broken)?;
        return Err(body_too_large());
    }
    Ok(body)
}
