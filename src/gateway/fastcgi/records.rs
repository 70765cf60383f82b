//! FastCGI records: their layout in bytes (FastCGI Specification 1.0, §3.3 and §8).
//!
//! Only the layout: `connection` has the meaning and the order of records.

/// Size of a record's header, in bytes.
pub const HEADER_LEN: usize = 8;
/// Largest content of one record, rounded down to a multiple of eight.
const MAX_CONTENT: usize = 65_528;
/// The id of management records.
pub const MANAGEMENT: u16 = 0;

/// Record types.
pub mod kind {
    /// Begins a request (§5.1).
    pub const BEGIN_REQUEST: u8 = 1;
    /// Requests to abort a request (§5.4).
    pub const ABORT_REQUEST: u8 = 2;
    /// Ends a request (§5.5).
    pub const END_REQUEST: u8 = 3;
    /// A part of the parameters (§5.2).
    pub const PARAMS: u8 = 4;
    /// A part of the body (§5.3).
    pub const STDIN: u8 = 5;
    /// A part of the response (§5.3).
    pub const STDOUT: u8 = 6;
    /// Requests the limits (§4.1).
    pub const GET_VALUES: u8 = 9;
    /// The response to that.
    pub const GET_VALUES_RESULT: u8 = 10;
    /// The response to a management record of an unknown type (§4.2).
    pub const UNKNOWN_TYPE: u8 = 11;
}

/// How a request ended (§5.5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum EndStatus {
    /// It was answered, or aborted on request.
    RequestComplete = 0,
    /// It arrived while another was running on the same connection.
    CannotMultiplex = 1,
    /// There are too many connections.
    Overloaded = 2,
    /// It was not for a responder.
    UnknownRole = 3,
}

/// A record's header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// The record type.
    pub kind: u8,
    /// The request it belongs to; 0 for management.
    pub id: u16,
    /// Bytes of content that follow.
    pub content_len: u16,
    /// Bytes to skip after the content.
    pub padding_len: u8,
}

impl Header {
    /// Reads a header; `None` for any version except 1.
    pub fn read(bytes: &[u8; HEADER_LEN]) -> Option<Header> {
        let [1, kind, id1, id0, len1, len0, padding_len, _] = *bytes else { return None };
        Some(Header {
            kind,
            id: u16::from_be_bytes([id1, id0]),
            content_len: u16::from_be_bytes([len1, len0]),
            padding_len,
        })
    }
}

/// Writes one record, padded to a multiple of eight bytes. `content` is no longer than 65,535.
pub fn write(out: &mut Vec<u8>, kind: u8, id: u16, content: &[u8]) {
    let (header, padding) = header(kind, id, content.len());
    out.extend_from_slice(&header);
    out.extend_from_slice(content);
    out.extend_from_slice(&[0; HEADER_LEN][..padding]);
}

/// The header of a record with content of this length, and the size of the padding after that.
fn header(kind: u8, id: u16, content_len: usize) -> ([u8; HEADER_LEN], usize) {
    debug_assert!(content_len <= usize::from(u16::MAX));
    let padding = content_len.wrapping_neg() % HEADER_LEN;
    let [id1, id0] = id.to_be_bytes();
    let [len1, len0] = (content_len as u16).to_be_bytes();
    ([1, kind, id1, id0, len1, len0, padding as u8, 0], padding)
}

/// Writes a whole stream with its end; its content is what `append` appends.
pub fn write_stream(out: &mut Vec<u8>, kind: u8, id: u16, append: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_LEN]);
    append(out);
    match out.len() - start - HEADER_LEN {
        0 => out.truncate(start),
        // Nearly every response: the content is not moved.
        len @ 1..=MAX_CONTENT => {
            let (header, padding) = header(kind, id, len);
            out[start..start + HEADER_LEN].copy_from_slice(&header);
            out.extend_from_slice(&[0; HEADER_LEN][..padding]);
        }
        _ => {
            let content = out.split_off(start + HEADER_LEN);
            out.truncate(start);
            for chunk in content.chunks(MAX_CONTENT) {
                write(out, kind, id, chunk);
            }
        }
    }
    out.extend_from_slice(&header(kind, id, 0).0);
}

/// Writes the end of a request.
pub fn write_end(out: &mut Vec<u8>, id: u16, status: EndStatus) {
    out.extend_from_slice(&header(kind::END_REQUEST, id, 8).0);
    out.extend_from_slice(&[0, 0, 0, 0, status as u8, 0, 0, 0]);
}

//------------ pairs ----------------------------------------------------------

/// Reads name-value pairs (§3.4), up to the end or to an incomplete one.
pub fn pairs(bytes: &[u8]) -> Pairs<'_> {
    Pairs { rest: bytes }
}

/// Name-value pairs.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    rest: &'a [u8],
}

impl Pairs<'_> {
    /// After the last pair: true if one was incomplete.
    pub fn is_cut_off(&self) -> bool {
        !self.rest.is_empty()
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = self.rest;
        // Nearly all are short.
        let (name_len, value_len) = match bytes {
            [name_len @ ..0x80, value_len @ ..0x80, rest @ ..] => {
                bytes = rest;
                (usize::from(*name_len), usize::from(*value_len))
            }
            _ => (read_len(&mut bytes)?, read_len(&mut bytes)?),
        };
        let (name, rest) = bytes.split_at_checked(name_len)?;
        let (value, rest) = rest.split_at_checked(value_len)?;
        self.rest = rest;
        Some((name, value))
    }
}

/// One byte below 128, otherwise four with the top bit set.
fn read_len(bytes: &mut &[u8]) -> Option<usize> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        *bytes = rest;
        return Some(usize::from(first));
    }
    let (four, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some((u32::from_be_bytes(*four) & 0x7fff_ffff) as usize)
}

/// Writes a pair whose name and value are shorter than 128 bytes.
pub fn write_pair(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    debug_assert!(name.len() < 0x80 && value.len() < 0x80);
    out.extend_from_slice(&[name.len() as u8, value.len() as u8]);
    out.extend_from_slice(name);
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_padded_to_eight() {
        let mut out = Vec::new();
        write(&mut out, kind::STDOUT, 0x0102, b"abc");
        assert_eq!(out, b"\x01\x06\x01\x02\x00\x03\x05\x00abc\0\0\0\0\0");
        out.clear();
        write_stream(&mut out, kind::STDOUT, 1, |out| out.extend_from_slice(&[b'x'; 70_000]));
        assert_eq!(out.len(), 8 + 65_528 + 8 + 4_472 + 8);
    }

    #[test]
    fn pairs_of_both_lengths_and_broken_ones() {
        let long = [b'v'; 200];
        let mut bytes = b"\x01\x02abc\x00\x00\x01\x80\x00\x00\xc8n".to_vec();
        bytes.extend_from_slice(&long);
        let mut read = pairs(&bytes);
        let all: Vec<_> = read.by_ref().collect();
        assert!(!read.is_cut_off());
        assert_eq!(all, [(&b"a"[..], &b"bc"[..]), (b"", b""), (b"n", &long)]);
        for cut in [&b"\x01"[..], b"\x01\x02ab", b"\xff\xff\xff\xff\xff\xff\xff\xff", b"\x80\0\0"] {
            let mut pairs = pairs(cut);
            assert_eq!(pairs.next(), None, "{}", cut.escape_ascii());
            assert!(pairs.is_cut_off(), "{}", cut.escape_ascii());
        }
    }
}
