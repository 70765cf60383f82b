//! Searches a text for lines that may name something, without reading each line.
//!
//! For a process that answers one request, reading all lines takes far longer than the request. A
//! line of ASCII has its name as it is, in any letter case, so the names that are looked for are
//! found as bytes. A line with other bytes may have the name in other letters; each is examined.

use super::text::{Pieces, Text, lines};
use crate::files::Kind;
use memchr::memmem::Finder;
use memchr::{memchr, memrchr};
use std::io;

/// The size of the parts of a piece in which bytes that are not ASCII are looked for.
const PART: usize = 1024;

/// Calls `examine` at least for every line that has one of `needles`, which are in lower case, and
/// for every line that is not ASCII. It gets the offset of the line in the text behind a byte order
/// mark, and the text from the beginning of the line to the end of its piece. The order is
/// arbitrary.
pub fn search(
    text: &dyn Text,
    kind: Kind,
    needles: &[&[u8]],
    mut examine: impl FnMut(u64, &[u8]),
) -> io::Result<()> {
    let finders: Vec<_> = needles.iter().map(|needle| Finder::new(*needle)).collect();
    let mut lower = Vec::new();
    let mut offset = 0;
    let mut pieces = Pieces::new(text, kind);
    while let Some(piece) = pieces.next()? {
        let mut examine = |at: usize| examine(offset + at as u64, &piece[at..]);
        if !piece.is_ascii() {
            lines_beyond_ascii(piece, &mut examine);
        }
        lower.clear();
        lower.extend(piece.iter().map(u8::to_ascii_lowercase));
        for finder in &finders {
            let mut from = 0;
            while let Some(at) = finder.find(&lower[from..]) {
                let start = memrchr(b'\n', &lower[..from + at]).map_or(0, |end| end + 1);
                examine(start);
                match memchr(b'\n', &lower[from + at..]) {
                    Some(end) => from += at + end + 1,
                    None => break,
                }
            }
        }
        offset += piece.len() as u64;
    }
    Ok(())
}

/// Calls `examine` for every line that has a byte that is not ASCII.
fn lines_beyond_ascii(piece: &[u8], examine: &mut impl FnMut(usize)) {
    let mut from = 0;
    while from < piece.len() {
        let part = &piece[from..piece.len().min(from + PART)];
        // Most parts are ASCII even where some are not.
        let Some(at) = part.iter().position(|byte| !byte.is_ascii()).filter(|_| !part.is_ascii())
        else {
            from += part.len();
            continue;
        };
        let start = memrchr(b'\n', &piece[..from + at]).map_or(0, |end| end + 1);
        examine(start);
        from += at + lines(&piece[from + at..]).next().map_or(0, <[u8]>::len) + 1;
    }
}
