//! HTTP caching and CORS: which responses may be cached, and which may be read by web pages.
//!
//! A response that depends on an address must not be cached: the address is in its URL or its body.
//! Other responses may be cached for a few minutes and are revalidated by their tag. Public
//! responses may be read by web pages of any origin, since no response depends on the user. Rules:
//! RFC 9110 §8.8 and §13, RFC 9111 §5.2, the Fetch standard (`Access-Control-Allow-Origin`).

use crate::request::{Method, Request};
use crate::response::{Response, Status};
use bytes::Bytes;
use std::cell::OnceCell;

/// How long a response without an address may be cached, in seconds: corrected mistakes should not
/// persist.
const MAX_AGE: &str = "public, max-age=300";
/// The media types that scripts of other web pages may read.
const PUBLIC_TYPES: [&str; 2] = ["text/xml", "application/json"];

/// The tag of a body: the same bytes have the same tag, on every machine. It is computed on first
/// use.
#[derive(Debug, Default)]
pub struct Tag(OnceCell<String>);

impl Tag {
    fn of(&self, body: &[u8]) -> &str {
        self.0.get_or_init(|| format!("\"{:016x}\"", hash(body)))
    }
}

/// A hash of 64 bits. A client compares only versions of the same document by it, and these are
/// made by the admin: it does not have to resist attacks, and costs little for a document that is
/// filled in for each request.
fn hash(body: &[u8]) -> u64 {
    // The first digits of π in hexadecimal, without any meaning.
    const SEED: [u64; 2] = [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344];
    let mix = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let mut hash = SEED[0] ^ body.len() as u64;
    let mut add = |block: [u8; 16]| {
        let both = u128::from_le_bytes(block);
        hash = mix(hash ^ both as u64, SEED[1] ^ (both >> 64) as u64);
    };
    let blocks = body.chunks_exact(16);
    let rest = blocks.remainder();
    let mut last = [0; 16];
    last[..rest.len()].copy_from_slice(rest);
    blocks.for_each(|block| add(block.try_into().unwrap_or_default()));
    add(last);
    mix(hash, SEED[1])
}

/// Adds the header fields, and omits the body if the client has it.
///
/// `is_personal` says that the response depends on an address; `tag` is that of the body, if the
/// same question always results in the same bytes.
pub fn apply(response: &mut Response, request: &Request, is_personal: bool, tag: Option<&Tag>) {
    let media_type = response.header("Content-Type").unwrap_or_default();
    if PUBLIC_TYPES.iter().any(|public| media_type.starts_with(public)) {
        response.add("Access-Control-Allow-Origin", "*");
    }
    let may_be_kept =
        response.status == Status::Ok && !is_personal && request.method != Method::Post;
    match response.headers.iter_mut().find(|(name, _)| *name == "Cache-Control") {
        None => response.add("Cache-Control", if may_be_kept { MAX_AGE } else { "no-store" }),
        // The document's own field applies to the usual case.
        Some((_, value)) if !may_be_kept && !value.contains("no-store") => {
            *value = "no-store, no-transform".into();
        }
        Some(_) => {}
    }
    let Some(tag) = tag.filter(|_| may_be_kept) else { return };
    let tag = tag.of(&response.body).to_owned();
    if is_known(request.wishes.known_tags, tag.as_bytes()) {
        response.status = Status::NotModified;
        response.body = Bytes::new();
        response.headers.retain(|(name, _)| *name != "Content-Type");
    }
    response.add("ETag", tag);
}

/// True if `tag` is in the list of an `If-None-Match`; weak tags count (RFC 9110 §13.1.2).
fn is_known(list: &[u8], tag: &[u8]) -> bool {
    let mut known = list.split(|&b| b == b',').map(<[u8]>::trim_ascii);
    known.any(|known| known == b"*" || known.strip_prefix(b"W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(known_tags: &str, is_personal: bool) -> Response {
        let mut request = Request::new(Method::Get, b"/", None, Vec::new());
        request.wishes.known_tags = known_tags.as_bytes();
        let mut response = Response::document("text/xml", "x");
        apply(&mut response, &request, is_personal, Some(&Tag::default()));
        response
    }

    #[test]
    fn a_known_tag_saves_the_body() {
        let first = answer("", false);
        let tag = first.header("ETag").unwrap().to_owned();
        assert_eq!((first.status, first.header("Cache-Control")), (Status::Ok, Some(MAX_AGE)));
        for known in [tag.clone(), format!("\"a\", W/{tag}"), "*".to_owned()] {
            let second = answer(&known, false);
            assert_eq!((second.status, second.body.len()), (Status::NotModified, 0), "{known}");
            assert_eq!(second.header("ETag"), Some(tag.as_str()));
        }
        assert_eq!(answer("\"other\"", false).status, Status::Ok);
    }

    #[test]
    fn a_tag_is_that_of_the_bytes() {
        let tag = |body: &[u8]| Tag::default().of(body).to_owned();
        assert_eq!(tag(b""), "\"ae1e11a76570d873\"", "it is the same on every machine");
        let long = vec![b'a'; 1000];
        let mut tags: Vec<_> = (0..1000).map(|len| tag(&long[..len])).collect();
        for at in 0..1000 {
            let mut other = long.clone();
            other[at] ^= 1;
            tags.push(tag(&other));
            other[at] = 0;
            tags.push(tag(&other));
        }
        let count = tags.len();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!((tags.len(), tag(&long)), (count, tag(&long.clone())));
    }

    #[test]
    fn what_depends_on_an_address_is_kept_by_nobody() {
        let answer = answer("*", true);
        assert_eq!((answer.status, answer.header("ETag")), (Status::Ok, None));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        let request = Request::new(Method::Get, b"/", None, Vec::new());
        for (is_personal, control) in
            [(false, "public, no-transform"), (true, "no-store, no-transform")]
        {
            let mut own = Response::document("application/json", "x")
                .with("Cache-Control", "public, no-transform");
            apply(&mut own, &request, is_personal, Some(&Tag::default()));
            assert_eq!(own.header("Cache-Control"), Some(control));
        }
    }
}
