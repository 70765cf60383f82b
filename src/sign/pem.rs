//! The blocks of a PEM file (RFC 7468), found by their first and last lines. Text around them is
//! ignored, as are carriage returns, blanks and a byte order mark.

/// The part between `-----BEGIN …-----` and `-----END …-----`.
pub struct Block {
    pub label: String,
    /// The base64 text, without blanks.
    body: String,
    /// True if a passphrase is needed.
    pub is_encrypted: bool,
}

impl Block {
    pub fn is_certificate(&self) -> bool {
        ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"].contains(&&*self.label)
    }

    pub fn is_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }

    /// The block alone, under this label, in lines of the usual length: OpenSSL refuses long
    /// ones.
    pub fn text(&self, label: &str) -> Vec<u8> {
        let mut text = format!("-----BEGIN {label}-----\n").into_bytes();
        for line in self.body.as_bytes().chunks(64) {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        text.extend_from_slice(format!("-----END {label}-----\n").as_bytes());
        text
    }
}

/// The blocks of a file; fails if it ends within a block.
pub fn blocks(file: &[u8]) -> Result<Vec<Block>, &'static str> {
    const START: &[u8] = b"-----BEGIN ";
    const CUT: &str = "a PEM block in the file is truncated: its END line is missing";
    const DAMAGED: &str = "a PEM block in the file is damaged: it is not base64";
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let lines = file.split(|&b| b == b'\n' || b == b'\r').flat_map(|line| {
        // `cat a b`, if the last line of the first file has no line end.
        let start = line.windows(START.len()).position(|part| part == START).unwrap_or(0);
        let (before, line) = line.split_at(start);
        [before.trim_ascii(), line.trim_ascii()]
    });
    for line in lines {
        match (&mut open, label(line, START)) {
            (None, Some(label)) => {
                let is_encrypted = label.starts_with("ENCRYPTED");
                open = Some(Block { label: label.to_owned(), body: String::new(), is_encrypted });
            }
            (None, None) => {}
            (Some(_), Some(_)) => return Err(CUT),
            (Some(block), None) => match label(line, b"-----END ") {
                Some(label) if label == block.label => blocks.extend(open.take()),
                Some(_) => return Err(CUT),
                // RFC 1421 §4.6: fields before the base64 text.
                None if line.contains(&b':') => {
                    block.is_encrypted |= line.ends_with(b"ENCRYPTED");
                }
                None if line.iter().any(|b| !is_base64(*b)) => return Err(DAMAGED),
                None => block.body.extend(
                    line.iter().filter(|b| !b.is_ascii_whitespace()).map(|&b| char::from(b)),
                ),
            },
        }
    }
    match open {
        Some(_) => Err(CUT),
        None => Ok(blocks),
    }
}

fn is_base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"+/= \t".contains(&b)
}

fn label<'a>(line: &'a [u8], start: &[u8]) -> Option<&'a str> {
    let label = line.strip_prefix(start)?.strip_suffix(b"-----")?;
    std::str::from_utf8(label).ok()
}
