//! The writer of all markup, and the only XML reader.
//!
//! Writing: elements are opened and closed here and text is escaped here, so that text cannot break
//! a document. Text is on the line of its element and has no more references than necessary (seen:
//! Thunderbird and aerc keep white space inside a value, Delta Chat loses text around references).
//!
//! Reading: small documents from clients. Errors that real clients make are accepted (an unescaped
//! `&`, any prefix, no declaration, or one that names another encoding than that of the bytes).
//! Document types and entities are refused, and nothing is expanded. Rules: XML 1.0 (fifth
//! edition).

use quick_xml::escape::{escape, partial_escape};
use quick_xml::events::{BytesDecl, BytesEnd, BytesRef, BytesStart, BytesText, Event};
use quick_xml::name::LocalName;
use quick_xml::reader::Reader;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt;

pub mod tree;

/// White space by XML 1.0 §2.3. Other white space of Unicode belongs to the text.
const WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

//------------ Writer ---------------------------------------------------------

/// Writes one document, two blanks of indentation a level.
pub struct Writer(quick_xml::Writer<Vec<u8>>);

impl Writer {
    /// Starts a document with the XML declaration.
    pub fn new() -> Writer {
        let mut writer =
            Writer(quick_xml::Writer::new_with_indent(Vec::with_capacity(2048), b' ', 2));
        writer.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        writer
    }

    /// Starts a page in HTML. [`Writer::empty`] is for its void elements only, such as `meta`.
    pub fn html() -> Writer {
        let mut writer =
            Writer(quick_xml::Writer::new_with_indent(Vec::with_capacity(16 * 1024), b' ', 1));
        writer.event(Event::DocType(BytesText::from_escaped("html")));
        writer
    }

    /// Starts a fragment for another document, without a declaration.
    pub fn fragment() -> Writer {
        Writer(quick_xml::Writer::new(Vec::with_capacity(2048)))
    }

    /// Writes an element with attributes and the content that `content` writes.
    pub fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Writer),
    ) {
        self.event(Event::Start(start(name, attributes)));
        content(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// Writes an element that contains only text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.text_in(name, &[], text);
    }

    /// Writes an element that has attributes and contains only text.
    pub fn text_in(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.event(Event::Start(start(name, attributes)));
        self.event(Event::Text(BytesText::from_escaped(escaped(text))));
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// Writes a style sheet into a page in HTML, where its text is not escaped.
    pub fn style(&mut self, css: &str) {
        self.event(Event::Start(BytesStart::new("style")));
        // Nothing in a style sheet ends the element: CSS reads the escaped sign alike.
        let css = css.replace('<', "\\3c ");
        self.event(Event::Text(BytesText::from_escaped(css)));
        self.event(Event::End(BytesEnd::new("style")));
    }

    /// Writes an empty element.
    pub fn empty(&mut self, name: &str) {
        self.empty_with(name, &[]);
    }

    /// Writes an empty element with attributes.
    pub fn empty_with(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.event(Event::Empty(start(name, attributes)));
    }

    /// The bytes of the document, with a final line end.
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = self.0.into_inner();
        bytes.push(b'\n');
        bytes
    }

    fn event(&mut self, event: Event) {
        // Writing to memory does not fail.
        self.0.write_event(event).ok();
    }
}

impl Default for Writer {
    fn default() -> Writer {
        Writer::new()
    }
}

fn start<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
    let mut start = BytesStart::new(name);
    for (key, value) in attributes {
        match is_plain(value) {
            true => start.push_attribute((key.as_bytes(), value.as_bytes())),
            // The constructor from strings escapes the value.
            false => start.push_attribute((*key, legal(value).as_ref())),
        }
    }
    start
}

/// True for printable ASCII without characters that are escaped. The check consists of comparisons
/// only, which a processor does for many bytes at once: the path of a QR code is long.
fn is_plain(text: &str) -> bool {
    let is_plain = |b: u8| {
        matches!(b, b' '..=b'~')
            & (b != b'"')
            & (b != b'&')
            & (b != b'\'')
            & (b != b'<')
            & (b != b'>')
    };
    text.bytes().fold(true, |so_far, b| so_far & is_plain(b))
}

/// Writes a property list (Apple's XML dialect) with a final line end.
pub fn property_list(value: &impl Serialize) -> Result<Vec<u8>, plist::Error> {
    let mut bytes = Vec::with_capacity(4096);
    plist::to_writer_xml(&mut bytes, value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The text, escaped for an element of a property list.
pub fn escaped_in_property_list(text: &str) -> Cow<'_, str> {
    escape(text)
}

/// The text, escaped for an element.
pub fn escaped(text: &str) -> Cow<'_, str> {
    partial_escape(legal(text))
}

/// Replaces characters that XML 1.0 documents may not contain (§2.2).
fn legal(text: &str) -> Cow<'_, str> {
    let is_legal = |c| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    let is_printable_ascii = |text: &str| text.bytes().all(|b| matches!(b, b' '..=b'~'));
    match is_printable_ascii(text) || text.chars().all(is_legal) {
        true => Cow::Borrowed(text),
        false => text.chars().map(|c| if is_legal(c) { c } else { '\u{fffd}' }).collect(),
    }
}

//------------ Document -------------------------------------------------------

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 32;

/// The needed parts of a small document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// The namespace of the root element; empty if it has none.
    pub namespace: String,
    /// Name and text of every element without children, in the order of their end tags. Names come
    /// without their prefix, texts without white space around them.
    pub leaves: Vec<(String, String)>,
}

/// Reads a document in UTF-8 or UTF-16.
///
/// Fails if the document is not well-formed (except for a stray `&`), has a document type, or is
/// nested more than 32 levels deep.
pub fn read(document: &[u8]) -> Result<Document, XmlError> {
    let text = decode(document).ok_or(XmlError::NotText)?;
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(&text));
    // seen: Thunderbird and Mustang paste the address into the request unescaped.
    reader.config_mut().allow_dangling_amp = true;

    // Requests have two leaves.
    let mut found = Vec::with_capacity(4);
    let mut depth = 0;
    let mut content = None;
    let mut namespace = None;
    loop {
        match reader.read_event().map_err(|_| XmlError::Malformed)? {
            Event::Start(_) if depth == MAX_DEPTH => return Err(XmlError::TooDeep),
            Event::Start(start) => {
                depth += 1;
                namespace.get_or_insert_with(|| own_namespace(&start));
                content = Some(String::new());
            }
            Event::End(end) => {
                depth -= 1;
                if let Some(text) = content.take() {
                    found.push((
                        local_name(end.local_name()),
                        text.trim_matches(WHITE_SPACE).to_owned(),
                    ));
                }
            }
            Event::Empty(start) => {
                namespace.get_or_insert_with(|| own_namespace(&start));
                content = None;
                found.push((local_name(start.local_name()), String::new()));
            }
            Event::Text(text) => {
                append(&mut content, &text.decode().map_err(|_| XmlError::NotText)?)
            }
            Event::CData(text) => {
                append(&mut content, &text.decode().map_err(|_| XmlError::NotText)?)
            }
            Event::GeneralRef(reference) => append(&mut content, &resolve(&reference)?),
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if depth == 0 => {
                let namespace = namespace.ok_or(XmlError::Malformed)?;
                return Ok(Document { namespace, leaves: found });
            }
            Event::Eof => return Err(XmlError::Malformed),
        }
    }
}

/// The text, decoded by its bytes alone. The declaration is unreliable, since clients declare one
/// encoding and send another. Appendix F of XML 1.0 describes the detection.
fn decode(document: &[u8]) -> Option<Cow<'_, str>> {
    let to_unit: fn([u8; 2]) -> u16 = match document {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        // No byte order mark: the first character is ASCII.
        [1..=0x7f, 0, ..] => u16::from_le_bytes,
        [0, 1..=0x7f, ..] => u16::from_be_bytes,
        _ => return std::str::from_utf8(document).ok().map(Cow::Borrowed),
    };
    if document.len() % 2 == 1 {
        return None;
    }
    let units = document.chunks_exact(2).map(|pair| to_unit([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<String, _>>().ok().map(Cow::Owned)
}

/// The namespace of an element that declares it itself; empty if it does not.
fn own_namespace(start: &BytesStart) -> String {
    let name = start.name();
    let prefix = name.prefix();
    let declares = |key: &[u8]| match (key.strip_prefix(b"xmlns"), &prefix) {
        (Some(rest), Some(prefix)) => rest.strip_prefix(b":") == Some(prefix.as_ref()),
        (Some(rest), None) => rest.is_empty(),
        (None, _) => false,
    };
    let mut attributes = start.attributes();
    let mut attributes = attributes.with_checks(false).flatten();
    let value = attributes.find(|attribute| declares(attribute.key.as_ref()));
    value.map_or_else(String::new, |value| text_of(&value.value))
}

fn local_name(name: LocalName) -> String {
    text_of(name.as_ref())
}

/// A part of the text, which is UTF-8 as a whole.
fn text_of(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).unwrap_or_default().to_owned()
}

fn append(content: &mut Option<String>, text: &str) {
    if let Some(content) = content {
        content.push_str(text);
    }
}

/// The text of a reference: a character, one of XML's five entities, or itself.
fn resolve(reference: &BytesRef) -> Result<String, XmlError> {
    if let Some(c) = reference.resolve_char_ref().map_err(|_| XmlError::Malformed)? {
        return Ok(c.to_string());
    }
    let name = reference.decode().map_err(|_| XmlError::NotText)?;
    Ok(match quick_xml::escape::resolve_predefined_entity(&name) {
        Some(text) => text.to_owned(),
        // Without a document type there are no further entities: the `&` was not escaped.
        None => format!("&{name};"),
    })
}

/// Why a document was not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum XmlError {
    /// Neither UTF-8 nor UTF-16.
    NotText,
    /// Not well-formed.
    Malformed,
    /// It has a document type, which could declare entities.
    DocumentType,
    /// It has an entity that is not one of XML's five.
    Entity,
    /// Nested too deeply.
    TooDeep,
    /// More elements than are read.
    TooLong,
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            XmlError::NotText => "the document is neither UTF-8 nor UTF-16",
            XmlError::Malformed => "the document is not well-formed",
            XmlError::DocumentType => "a document type is not allowed",
            XmlError::Entity => {
                "an entity (&NAME;) that only a document type could declare; write its text in its \
                 place, or &amp; for the character &"
            }
            XmlError::TooDeep => "the document is nested more than 32 levels deep",
            XmlError::TooLong => "the document has more than 4096 elements",
        })
    }
}

impl std::error::Error for XmlError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_cannot_break_the_document() {
        let mut xml = Writer::new();
        xml.element("a", &[("b", "<\"'&\u{1}>")], |xml| {
            xml.text("c", "</c><d>'&amp;\u{0}");
            xml.empty("e");
        });
        assert_eq!(
            String::from_utf8(xml.finish()).unwrap(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <a b=\"&lt;&quot;&apos;&amp;\u{fffd}&gt;\">\n  \
             <c>&lt;/c&gt;&lt;d&gt;'&amp;amp;\u{fffd}</c>\n  <e/>\n</a>\n"
        );
    }

    #[test]
    fn a_style_sheet_cannot_end_its_element() {
        let mut html = Writer::html();
        html.style("a > b { content: \"</style>&\" }");
        html.empty_with("meta", &[("charset", "utf-8")]);
        assert_eq!(
            String::from_utf8(html.finish()).unwrap(),
            "<!DOCTYPE html>\n<style>a > b { content: \"\\3c /style>&\" }</style>\n\
             <meta charset=\"utf-8\"/>\n"
        );
    }

    #[test]
    fn reads_what_clients_send() {
        let read = |text: &str| super::read(text.as_bytes()).unwrap().leaves;
        let leaf = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(
            read("<a><b> x </b><c/><d>y</d></a>"),
            [leaf("b", "x"), leaf("c", ""), leaf("d", "y")]
        );
        assert_eq!(
            read("\u{feff}<?xml version='1.0'?><n:a xmlns:n='u'><n:b>x</n:b></n:a>"),
            [leaf("b", "x")]
        );
        assert_eq!(read("<a>x&amp;y&#64;&#x41;</a>"), [leaf("a", "x&y@A")]);
        assert_eq!(read("<a>x&y@z</a>"), [leaf("a", "x&y@z")]);
        assert_eq!(read("<a>x&y;z</a>"), [leaf("a", "x&y;z")]);
        assert_eq!(read("<a><![CDATA[x<y]]></a>"), [leaf("a", "x<y")]);
        assert_eq!(read("<a>x<!-- c -->y</a>"), [leaf("a", "xy")]);
    }

    #[test]
    fn the_bytes_tell_the_encoding_whatever_is_declared() {
        let texts = [
            "<a>Zoë 🦀</a>",
            "<?xml version=\"1.0\" encoding=\"utf-16\"?><a>Zoë 🦀</a>",
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<a>Zoë 🦀</a>",
            "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a>Zoë 🦀</a>",
            "<?xml version=\"1.0\" encoding=\"no such thing\"?><a>Zoë 🦀</a>",
        ];
        for text in texts.iter().flat_map(|text| [(*text).to_owned(), format!("\u{feff}{text}")]) {
            let le = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let be = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for bytes in [text.clone().into_bytes(), le, be] {
                let leaves = read(&bytes).map(|document| document.leaves);
                assert_eq!(leaves, Ok(vec![("a".to_owned(), "Zoë 🦀".to_owned())]), "{text}");
            }
        }
        for broken in [&b"<\0a\0/\0>"[..], b"<\0a\0>\0\0\xd8<\0/\0a\0>\0", b"\xff\xfe", b"\0\0"] {
            assert!(read(broken).is_err(), "{}", broken.escape_ascii());
        }
        // A document type is found in any encoding.
        let hidden: Vec<_> = "<!DOCTYPE a><a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&hidden), Err(XmlError::DocumentType));
    }

    #[test]
    fn the_namespace_is_the_one_of_the_root() {
        for (text, namespace) in [
            ("<a/>", ""),
            ("<a xmlns='u'><b xmlns='v'/></a>", "u"),
            ("<n:a xmlns='u' xmlns:n='v'></n:a>", "v"),
            ("<n:a xmlns='u'/>", ""),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap().namespace, namespace, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_small_document() {
        for (text, error) in [
            ("", XmlError::Malformed),
            ("text", XmlError::Malformed),
            ("<a><b></a>", XmlError::Malformed),
            ("<a>", XmlError::Malformed),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", XmlError::DocumentType),
        ] {
            assert_eq!(read(text.as_bytes()), Err(error), "{text}");
        }
        assert_eq!(read(b"<a>\xff</a>"), Err(XmlError::NotText));
        let deep = format!("{}{}", "<a>".repeat(33), "</a>".repeat(33));
        assert_eq!(read(deep.as_bytes()), Err(XmlError::TooDeep));
    }
}
