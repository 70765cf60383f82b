//! The text of a list or a map, read in pieces of whole lines.
//!
//! A piece has a fixed size, so the whole text is never in memory. A byte order mark at the
//! beginning is left out. Of a line that is longer than a piece, the beginning is returned and the
//! rest is left out. Refuses a text that is larger than its kind may be.

use crate::files::{self, Kind};
use memchr::{memchr, memrchr};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The size of a piece: small enough for the cache of a processor.
const SIZE: usize = 128 * 1024;
const BOM: &[u8] = "\u{feff}".as_bytes();

/// What a text is read from.
pub trait Text: Send + Sync {
    /// Reads bytes that begin at `offset`, and returns their number; 0 is the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl Text for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }
}

impl Text for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(self.len()).min(self.len());
        let count = buffer.len().min(self.len() - start);
        buffer[..count].copy_from_slice(&self[start..start + count]);
        Ok(count)
    }
}

/// The pieces of a text.
pub struct Pieces<'a> {
    text: &'a dyn Text,
    kind: Kind,
    /// Where the next bytes are read.
    offset: u64,
    buffer: Vec<u8>,
    /// How much of the buffer is filled, and how much of that was returned.
    filled: usize,
    returned: usize,
    is_at_end: bool,
    /// True before the first piece.
    is_new: bool,
    /// True within a line that is longer than a piece.
    is_within: bool,
}

impl<'a> Pieces<'a> {
    /// The pieces of `text`.
    pub fn new(text: &'a dyn Text, kind: Kind) -> Pieces<'a> {
        Pieces {
            text,
            kind,
            offset: 0,
            buffer: vec![0; SIZE],
            filled: 0,
            returned: 0,
            is_at_end: false,
            is_new: true,
            is_within: false,
        }
    }

    /// The next lines. Every line has its line end, except for the last of a text and for the
    /// beginning of a line that is too long. A line that continues another is in the same piece.
    pub fn next(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            self.buffer.copy_within(self.returned..self.filled, 0);
            self.filled -= self.returned;
            self.returned = 0;
            self.fill()?;
            let rest = &self.buffer[..self.filled];
            if rest.is_empty() {
                return Ok(None);
            }
            if std::mem::take(&mut self.is_new) && rest.starts_with(BOM) {
                self.returned = BOM.len();
            } else if self.is_within {
                let end = memchr(b'\n', rest);
                self.is_within = end.is_none();
                self.returned = end.map_or(self.filled, |end| end + 1);
            } else {
                let end = if self.is_at_end { Some(self.filled) } else { end_of_lines(rest) };
                self.is_within = end.is_none();
                self.returned = end.unwrap_or(self.filled);
                return Ok(Some(&self.buffer[..self.returned]));
            }
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        while !self.is_at_end && self.filled < self.buffer.len() {
            match self.text.read_at(&mut self.buffer[self.filled..], self.offset) {
                Ok(0) => self.is_at_end = true,
                Ok(count) => {
                    self.filled += count;
                    self.offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.offset > self.kind.max_bytes() {
                return Err(files::too_large(self.kind));
            }
        }
        Ok(())
    }
}

/// The end of the last line after which no line follows that may continue it (postmap(1)): after
/// comments and empty lines, there may be one, too. Else the end of the last line; `None` within
/// the first line.
fn end_of_lines(bytes: &[u8]) -> Option<usize> {
    let mut end = bytes.len();
    while let Some(at) = memrchr(b'\n', &bytes[..end]) {
        if bytes.get(at + 1).is_some_and(|byte| !b" \t\r\n#".contains(byte)) {
            return Some(at + 1);
        }
        end = at;
    }
    memrchr(b'\n', bytes).map(|at| at + 1)
}

/// The lines of a piece, without their line ends.
pub fn lines(piece: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = piece;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line)
    })
}

/// True if the last line of a piece has no line end.
pub fn is_unfinished(piece: &[u8]) -> bool {
    !piece.ends_with(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &[u8], kind: Kind) -> io::Result<Vec<Vec<u8>>> {
        let text = text.to_vec();
        let (mut pieces, mut found) = (Pieces::new(&text, kind), Vec::new());
        while let Some(piece) = pieces.next()? {
            found.push(piece.to_vec());
        }
        Ok(found)
    }

    #[test]
    fn pieces_end_with_a_line_that_no_other_continues() {
        let line = |length: usize| [&vec![b'x'; length - 1][..], b"\n"].concat();
        for (text, lengths) in [
            (vec![], vec![]),
            (b"a".to_vec(), vec![1]),
            ([BOM, b"a\nb"].concat(), vec![3]),
            (line(SIZE), vec![SIZE]),
            ([line(SIZE - 1), b"ab".to_vec()].concat(), vec![SIZE - 1, 2]),
            ([line(SIZE), b"ab".to_vec()].concat(), vec![SIZE, 2]),
            // A line that is too long.
            ([line(SIZE + 1), b"ab".to_vec()].concat(), vec![SIZE, 2]),
            ([line(3 * SIZE), b"ab".to_vec()].concat(), vec![SIZE, 2]),
            (line(3 * SIZE)[..3 * SIZE - 1].to_vec(), vec![SIZE]),
            // Lines that continue others, and comments between them.
            ([line(10), line(SIZE - 11), b" b\nc\n".to_vec()].concat(), vec![10, SIZE - 6]),
            ([line(10), line(SIZE - 12), b"#\n b\nc\n".to_vec()].concat(), vec![10, SIZE - 5]),
            ([line(SIZE - 1), b" b\nc\n".to_vec()].concat(), vec![SIZE - 1, 5]),
        ] {
            let pieces = pieces(&text, Kind::List).unwrap();
            let found: Vec<_> = pieces.iter().map(Vec::len).collect();
            assert_eq!(found, lengths, "{}", text.len());
        }
    }

    #[test]
    fn a_text_of_unknown_length_has_a_limit() {
        let max = Kind::DomainFile.max_bytes() as usize;
        assert!(pieces(&vec![b'x'; max], Kind::DomainFile).is_ok());
        let error = pieces(&vec![b'x'; max + 1], Kind::DomainFile).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 64 KiB");
    }
}
