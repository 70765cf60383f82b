//! A form: a document with gaps for the parts that differ between the domains or the mailboxes that
//! it is for.
//!
//! It is written once with a marker in each gap, and split there; for each domain or mailbox the
//! pieces are joined. The text for a gap is markup: the caller escapes it. A domain needs no
//! escaping in any document.

use crate::account::Subject;
use crate::address::Domain;
use crate::response::Response;
use bytes::Bytes;
use memchr::{memchr, memmem};
use std::borrow::Cow;
use std::fmt;

/// The texts for the gaps of a form, in the order of the form's markers; `None` if the form needs a
/// mailbox and there is none.
pub type Fill = Box<dyn Fn(&Subject) -> Option<Vec<String>>>;

/// The text for a gap that only depends on the domain.
pub type OfDomain = fn(&Domain) -> Cow<'_, str>;

/// A response whose body has gaps, and maybe some of its header fields.
pub struct Form {
    /// The response without its body.
    head: Response,
    /// The header fields with gaps for the domain: the index of each, its pieces, and the text
    /// between them.
    fields: Vec<(usize, Vec<String>, OfDomain)>,
    /// The body without its gaps.
    text: Bytes,
    /// The gaps, each with its place in the text.
    gaps: Vec<(usize, Gap)>,
    fill: Fill,
}

#[derive(Clone, Copy, Debug)]
enum Gap {
    OfDomain(OfDomain),
    /// For the marker of this number.
    Text(usize),
}

impl Form {
    /// A response without gaps.
    pub fn whole(mut response: Response) -> Form {
        let text = std::mem::take(&mut response.body);
        let fill = Box::new(|_: &Subject| Some(Vec::new()));
        Form { head: response, fields: Vec::new(), text, gaps: Vec::new(), fill }
    }

    /// Splits a response at its markers, each of which begins with a `%`; `fill` returns the texts
    /// that replace them.
    ///
    /// Markers are found from left to right, so that text beside a marker cannot form another one.
    pub fn new(response: Response, markers: &[&str], fill: Fill) -> Form {
        let whole = Form::whole(response);
        let body = &whole.text;
        let mut split = Split::of(body);
        let mut at = 0;
        while let Some(found) = memchr(b'%', &body[at..]) {
            at += found;
            let is_here = |marker: &&str| body[at..].starts_with(marker.as_bytes());
            match markers.iter().position(is_here) {
                Some(number) => {
                    let end = at + markers[number].len();
                    split.gap(at, end, Gap::Text(number));
                    at = end;
                }
                None => at += 1,
            }
        }
        let (text, gaps) = split.finish();
        Form { text, gaps, fill, ..whole }
    }

    /// Makes a gap for the text of a domain wherever `name` stands. A name must be no part of itself
    /// in another place, as `abab.ab` is, so that its places cannot overlap.
    pub fn with_gaps_for_domain(mut self, name: &str, text: OfDomain) -> Form {
        let finder = memmem::Finder::new(name);
        let mut split = Split::of(&self.text);
        let mark = |split: &mut Split, begin: usize, end: usize| {
            for found in finder.find_iter(&self.text[begin..end]) {
                split.gap(begin + found, begin + found + name.len(), Gap::OfDomain(text));
            }
        };
        let mut begin = 0;
        for &(end, gap) in &self.gaps {
            mark(&mut split, begin, end);
            split.gap(end, end, gap);
            begin = end;
        }
        mark(&mut split, begin, self.text.len());
        (self.text, self.gaps) = split.finish();
        let values = self.head.headers.iter().map(|(_, value)| value).enumerate();
        let values = values.filter(|(_, value)| finder.find(value.as_bytes()).is_some());
        let pieces = |value: &str| value.split(name).map(str::to_owned).collect();
        let fields: Vec<_> = values.map(|(index, value)| (index, pieces(value), text)).collect();
        self.fields.extend(fields);
        self
    }

    /// The response for a domain or a mailbox; `None` if it needs a mailbox and there is none.
    pub fn fill_in(&self, subject: &Subject) -> Option<Response> {
        let texts = (self.fill)(subject)?;
        let mut response = self.head.with_body(match self.gaps.is_empty() {
            true => self.text.clone(),
            false => self.body(subject.domain, &texts),
        });
        for (index, pieces, text) in &self.fields {
            if let Some((_, value)) = response.headers.get_mut(*index) {
                *value = pieces.join(&*text(subject.domain)).into();
            }
        }
        Some(response)
    }

    fn body(&self, domain: &Domain, texts: &[String]) -> Bytes {
        let text = |number| texts.get(number).map_or("", String::as_str);
        let len = |&(_, gap): &(usize, Gap)| match gap {
            // Nearly always the text is the domain.
            Gap::OfDomain(_) => domain.as_str().len(),
            Gap::Text(number) => text(number).len(),
        };
        let len: usize = self.gaps.iter().map(len).sum();
        let mut body = Vec::with_capacity(self.text.len() + len);
        let mut begin = 0;
        for &(end, gap) in &self.gaps {
            body.extend_from_slice(&self.text[begin..end]);
            match gap {
                Gap::OfDomain(text) => body.extend_from_slice(text(domain).as_bytes()),
                Gap::Text(number) => body.extend_from_slice(text(number).as_bytes()),
            }
            begin = end;
        }
        body.extend_from_slice(&self.text[begin..]);
        body.into()
    }

    /// How many bytes of memory it takes, about.
    pub fn size(&self) -> usize {
        let pieces = |(_, pieces, _): &(usize, Vec<String>, OfDomain)| -> usize {
            pieces.iter().map(|piece| size_of::<String>() + piece.len()).sum()
        };
        self.text.len()
            + self.head.size()
            + self.gaps.capacity() * size_of::<(usize, Gap)>()
            + self.fields.iter().map(pieces).sum::<usize>()
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Form").field("text", &self.text).field("gaps", &self.gaps).finish()
    }
}

//------------ Split ----------------------------------------------------------

/// A text that is being split.
struct Split<'a> {
    from: &'a [u8],
    /// Where the rest begins.
    begin: usize,
    text: Vec<u8>,
    gaps: Vec<(usize, Gap)>,
}

impl<'a> Split<'a> {
    fn of(from: &'a [u8]) -> Split<'a> {
        Split { from, begin: 0, text: Vec::with_capacity(from.len()), gaps: Vec::new() }
    }

    /// Puts a gap in the place of a part of the text, which may be empty.
    fn gap(&mut self, begin: usize, end: usize, gap: Gap) {
        self.text.extend_from_slice(&self.from[self.begin..begin]);
        self.gaps.push((self.text.len(), gap));
        self.begin = end;
    }

    fn finish(mut self) -> (Bytes, Vec<(usize, Gap)>) {
        self.text.extend_from_slice(&self.from[self.begin..]);
        self.gaps.shrink_to_fit();
        (self.text.into(), self.gaps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Mailbox;
    use crate::address::EmailAddress;

    const NAME: OfDomain = |domain| domain.as_str().into();

    fn form(body: &str) -> Form {
        let fill = |subject: &Subject| {
            let address = subject.mailbox?.address;
            Some(vec![address.to_string(), address.local_part().to_owned()])
        };
        let response = Response::document("text/plain", body.to_owned());
        Form::new(response, &["%A%", "%LOCAL%"], Box::new(fill))
    }

    fn filled_in(form: &Form, address: &str) -> Response {
        let address = EmailAddress::parse(address.as_bytes()).unwrap();
        let mailbox = Some(Mailbox { address: &address, login: None });
        form.fill_in(&Subject { domain: address.domain(), mailbox }).unwrap()
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
            assert_eq!(filled_in(&form(body), "ann@example.org").body, filled, "{body}");
        }
        // A mailbox with the name of a marker.
        let response = filled_in(&form("%LOCAL%, %A%"), "%A%@example.org");
        assert_eq!(response.body, "%A%, %A%@example.org");
    }

    #[test]
    fn gaps_for_the_domain_stand_beside_the_others() {
        for (body, filled) in [
            ("q.x", "example.net"),
            ("q.xq.x", "example.netexample.net"),
            ("%A%q.x%LOCAL%", "ann@example.netexample.netann"),
            ("q.%A%xq.x", "q.ann@example.netxexample.net"),
            ("a %LOCAL%", "a ann"),
        ] {
            let form = form(body).with_gaps_for_domain("q.x", NAME);
            assert_eq!(filled_in(&form, "ann@example.net").body, filled, "{body}");
        }
        let response =
            Response::text(crate::response::Status::Ok, "q.x%C%").with("A", "<q.x, q.x>");
        let form = Form::whole(response).with_gaps_for_domain("q.x", NAME);
        let form = form.with_gaps_for_domain("%C%", |_| "c".into());
        let domain = &Domain::parse("example.net").unwrap();
        let response = form.fill_in(&Subject { domain, mailbox: None }).unwrap();
        assert_eq!(response.header("A"), Some("<example.net, example.net>"));
        assert_eq!(response.body, "example.netc\n");
        assert!(form.size() > 0);
    }
}
