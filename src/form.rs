//! A form: a document of a domain with gaps for the parts that differ between its mailboxes.
//!
//! It is written once with a marker in each gap, and split there; for each mailbox the pieces are
//! joined. The text for a gap is markup: the caller escapes it.

use crate::account::Mailbox;
use crate::response::Response;
use bytes::Bytes;
use memchr::memchr;
use std::fmt;

/// The texts for the gaps of a form, for one mailbox, in the order of the form's markers.
pub type Fill = Box<dyn Fn(&Mailbox) -> Vec<String>>;

/// A response whose body has gaps.
pub struct Form {
    /// The response without its body.
    head: Response,
    /// Texts, each with the number of the marker that follows it.
    pieces: Vec<(String, usize)>,
    end: String,
    fill: Fill,
}

impl Form {
    /// Splits a response whose body is UTF-8 at its markers, each of which begins with a `%`;
    /// `fill` returns the texts that replace them.
    ///
    /// Markers are found from left to right, so that text beside a marker cannot form another one.
    pub fn new(response: Response, markers: &[&str], fill: Fill) -> Form {
        let body = String::from_utf8_lossy(&response.body);
        let mut pieces = Vec::new();
        let mut begin = 0;
        let mut at = 0;
        while let Some(found) = memchr(b'%', &body.as_bytes()[at..]) {
            at += found;
            let is_here = |marker: &&str| body[at..].starts_with(*marker);
            match markers.iter().position(is_here) {
                Some(number) => {
                    pieces.push((body[begin..at].to_owned(), number));
                    at += markers[number].len();
                    begin = at;
                }
                None => at += 1,
            }
        }
        let end = body[begin..].to_owned();
        Form { head: response.with_body(Bytes::new()), pieces, end, fill }
    }

    /// The response for one mailbox.
    pub fn fill_in(&self, mailbox: &Mailbox) -> Response {
        let texts = (self.fill)(mailbox);
        let text = |number: &usize| texts.get(*number).map_or("", String::as_str);
        let gaps: usize = self.pieces.iter().map(|(_, number)| text(number).len()).sum();
        let mut body = String::with_capacity(self.text_len() + gaps);
        for (piece, number) in &self.pieces {
            body += piece;
            body += text(number);
        }
        body += &self.end;
        self.head.with_body(Bytes::from(body))
    }

    /// How many bytes of memory it takes: its texts, and the list of them.
    pub fn size(&self) -> usize {
        self.text_len() + self.pieces.capacity() * size_of::<(String, usize)>()
    }

    fn text_len(&self) -> usize {
        self.pieces.iter().map(|(piece, _)| piece.len()).sum::<usize>() + self.end.len()
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Form").field("pieces", &self.pieces).field("end", &self.end).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::EmailAddress;

    fn filled_in(body: &str, address: &str) -> String {
        let fill = |mailbox: &Mailbox| {
            vec![mailbox.address.to_string(), mailbox.address.local_part().to_owned()]
        };
        let response = Response::document("text/plain", body.to_owned());
        let form = Form::new(response, &["%A%", "%LOCAL%"], Box::new(fill));
        let address = EmailAddress::parse(address.as_bytes()).unwrap();
        let mailbox = Mailbox { address: &address, login: None };
        String::from_utf8(form.fill_in(&mailbox).body.into()).unwrap()
    }

    #[test]
    fn gaps_are_filled_in_once_and_from_left_to_right() {
        for (body, filled) in [
            ("", ""),
            ("none", "none"),
            ("%A%", "ann@example.org"),
            ("<%LOCAL%><%A%>.", "<ann><ann@example.org>."),
            ("100%%LOCAL%%", "100%ann%"),
            ("%LOCAL%A%%a%%LOCAL", "annA%%a%%LOCAL"),
        ] {
            assert_eq!(filled_in(body, "ann@example.org"), filled, "{body}");
        }
        // A mailbox with the name of a marker.
        assert_eq!(filled_in("%LOCAL%, %A%", "%A%@example.org"), "%A%, %A%@example.org");
    }
}
