//! The document response of CGI/1.1 (RFC 3875, §6.2.1), which FastCGI uses, too: a header that
//! includes the status, and the body.

use crate::response::{Response, Status};

const LOCATION: &str = "Location";

/// Writes a document response (§6.2.1); the response to a HEAD ends after the header (§4.3.3).
pub fn write_answer(bytes: &mut Vec<u8>, response: &Response, is_head: bool) {
    bytes.reserve(512 + response.body.len());
    // seen: HAProxy 2.6 makes a 302 of any status before Location.
    let is_redirect = response.status == Status::MovedPermanently;
    if is_redirect {
        bytes.extend_from_slice(b"Location: ");
        bytes.extend_from_slice(response.header(LOCATION).unwrap_or_default().as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"Status: ");
    bytes.extend_from_slice(response.status.line().as_bytes());
    for (name, value) in &response.headers {
        if is_redirect && *name == LOCATION {
            continue;
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
    }
    // The length for a 304 would be that of the body that is not sent (RFC 9110 §8.6).
    if response.status != Status::NotModified {
        bytes.extend_from_slice(b"\r\nContent-Length: ");
        bytes.extend_from_slice(itoa::Buffer::new().format(response.body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n\r\n");
    if !is_head {
        bytes.extend_from_slice(&response.body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_a_redirect_stands_behind_its_location() {
        let response = Response::text(Status::MovedPermanently, "a").with("Location", "https://b/");
        let mut bytes = Vec::new();
        write_answer(&mut bytes, &response, false);
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<_> = text.split("\r\n").collect();
        assert_eq!(lines[..2], ["Location: https://b/", "Status: 301 Moved Permanently"]);
        assert!(lines[2].starts_with("Content-Type: ") && lines.len() == 6, "{text}");
    }

    #[test]
    fn an_answer_to_head_has_the_header_of_get() {
        let response = Response::text(Status::NotFound, "nothing here");
        let (mut get, mut head) = (Vec::new(), Vec::new());
        write_answer(&mut get, &response, false);
        write_answer(&mut head, &response, true);
        assert!(get.starts_with(b"Status: 404 Not Found\r\nContent-Type: text/plain"));
        assert!(get.ends_with(b"\r\nContent-Length: 13\r\n\r\nnothing here\n"));
        assert_eq!(get.strip_suffix(b"nothing here\n"), Some(&head[..]));
    }
}
