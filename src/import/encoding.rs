//! The text of a file: UTF-8 or UTF-16, with or without a byte order mark, else ISO-8859-1.
//!
//! Refuses other encodings that a document declares, and bytes that are not text, with the command that
//! converts them. Rules: XML 1.0 (fifth edition), appendix F.

use crate::xml::tree;
use std::borrow::Cow;

/// Longest XML declaration that is looked at, in characters.
const MAX_DECLARATION: usize = 200;
/// Names of encodings that are read like ISO-8859-1, as far as they are the same.
const LATIN: [&str; 6] = ["iso-8859-1", "iso8859-1", "latin1", "l1", "windows-1252", "us-ascii"];

/// A text.
pub struct Decoded<'a> {
    /// The text, without a byte order mark.
    pub text: Cow<'a, str>,
    /// True if it was not known to be ISO-8859-1, and was read as that.
    pub is_guessed: bool,
}

/// The text of a file; the error is a message without the name of the file.
pub fn decode(bytes: &[u8]) -> Result<Decoded<'_>, String> {
    let other = |encoding: &str| {
        format!("`iconv -f {encoding} -t UTF-8 FILE >NEW` converts a file; import the new one")
    };
    let not_text = || format!("it is not text in UTF-8 or UTF-16; {}", other("ENCODING"));
    let (text, is_utf8) = tree::decode(bytes).map_err(|_| not_text())?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => Cow::Owned(rest.to_owned()),
        None => text,
    };
    // A text in UTF-16 has zeros.
    if is_utf8 || bytes.contains(&0) {
        return match text.contains('\0') {
            true => Err(not_text()),
            false => Ok(Decoded { text, is_guessed: false }),
        };
    }
    // Control characters in ISO-8859-1, letters in other encodings.
    let is_latin = !bytes.iter().any(|byte| matches!(byte, 0x80..=0x9f));
    match declared(&text) {
        Some(name) if name != "utf-8" => {
            let is_known = is_latin && LATIN.contains(&name.as_str());
            match is_known {
                true => Ok(Decoded { text, is_guessed: false }),
                false => Err(format!("its encoding is {name}; {}", other(&name))),
            }
        }
        _ if is_latin => Ok(Decoded { text, is_guessed: true }),
        _ => Err(not_text()),
    }
}

/// The encoding that an XML declaration names, in small letters.
fn declared(text: &str) -> Option<String> {
    let end = text.char_indices().nth(MAX_DECLARATION).map_or(text.len(), |(at, _)| at);
    let declaration = text[..end].trim_start().strip_prefix("<?xml")?.split("?>").next()?;
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let name = rest.split(['"', '\'']).nth(1)?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_decoded_or_named() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let named =
            |encoding: &str| format!("<?xml version='1.0' encoding='{encoding}'?><a>Zo\u{eb}</a>");
        let latin = |text: &str| text.chars().map(|c| c as u8).collect::<Vec<_>>();
        let read = |bytes: &[u8]| {
            decode(bytes).map(|it| (it.text.ends_with("Zo\u{eb}</a>"), it.is_guessed))
        };
        assert_eq!(read(named("utf-8").as_bytes()), Ok((true, false)));
        assert_eq!(read(&utf16(&named("utf-16"))), Ok((true, false)));
        assert_eq!(read(&utf16(&format!("\u{feff}{}", named("utf-8")))), Ok((true, false)));
        assert_eq!(read(&latin(&named("ISO-8859-1"))), Ok((true, false)));
        assert_eq!(read(&latin(&named("utf-8"))), Ok((true, true)));
        assert_eq!(read(&latin("<a>Zo\u{eb}</a>")), Ok((true, true)));
        let refused = |bytes: &[u8]| decode(bytes).err().unwrap();
        assert_eq!(
            refused(&latin(&named("windows-1251"))),
            "its encoding is windows-1251; `iconv -f windows-1251 -t UTF-8 FILE >NEW` converts a \
             file; import the new one"
        );
        let not_text = "it is not text in UTF-8 or UTF-16; `iconv -f ENCODING -t UTF-8 FILE >NEW` \
                        converts a file; import the new one";
        for bytes in [&b"\x93a\x94"[..], b"a\0b\0c", b"\xff\xfe\0\0a\0\0\0", b"\x7fELF\0\0\xff"] {
            assert_eq!(refused(bytes), not_text);
        }
        // What is put into a command is a name.
        assert_eq!(refused(b"<?xml encoding='a;b'?>\x93"), not_text);
    }
}
