//! Reads a whole document as a tree, with all that one reader forgives and another does not: byte
//! order mark, encoding, prefixes, attributes, CDATA, references.
//!
//! For documents of other servers, which are judged by what each client makes of them. Rules: XML 1.0
//! (fifth edition). Refuses what is not well-formed, what is nested too deeply and what has too many
//! elements. Entities are not expanded: one that is not predefined makes the document unreadable.

use super::{MAX_DEPTH, XmlError, own_namespace, text_of};
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::borrow::Cow;

/// Most elements of a document.
const MAX_ELEMENTS: usize = 4096;

/// A document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tree {
    /// The root element.
    pub root: Element,
    /// True if it begins with a byte order mark.
    pub has_mark: bool,
    /// True if white space precedes the declaration, where no declaration may stand (XML 1.0 §2.8).
    pub is_late: bool,
    /// The declared encoding, in lower case; empty if none is declared.
    pub encoding: String,
    /// False if its bytes are not UTF-8.
    pub is_utf8: bool,
    /// True if it has a document type.
    pub has_document_type: bool,
}

/// An element.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Element {
    /// The name without its prefix.
    pub name: String,
    /// The prefix; empty if there is none.
    pub prefix: String,
    /// The namespace that the element itself declares for its name; empty if it does not.
    pub namespace: String,
    /// The attributes, with their values.
    pub attributes: Vec<(String, String)>,
    /// The elements in it.
    pub children: Vec<Element>,
    /// The text in it, in pieces.
    pub pieces: Vec<Piece>,
    /// The line of its start tag, from 1 on.
    pub line: usize,
}

/// A piece of text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// A reference, as the character that it stands for.
    Reference(String),
    /// A CDATA section.
    CData(String),
}

impl Element {
    /// The text, with all its pieces.
    pub fn text(&self) -> String {
        self.pieces.iter().map(Piece::as_str).collect()
    }

    /// The elements of a name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element of a name.
    pub fn first(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// An attribute by its name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes.find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Calls `f` for the element and all elements in it.
    pub fn each<'a>(&'a self, f: &mut impl FnMut(&'a Element)) {
        f(self);
        for child in &self.children {
            child.each(f);
        }
    }
}

impl Piece {
    /// The characters.
    pub fn as_str(&self) -> &str {
        match self {
            Piece::Text(text) | Piece::Reference(text) | Piece::CData(text) => text,
        }
    }
}

/// Reads a document in UTF-8, UTF-16 or ISO-8859-1.
pub fn tree(document: &[u8]) -> Result<Tree, XmlError> {
    let (text, is_utf8) = decode(document)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut tree = tree_of(text, &mut LineCount::new(text)).map_err(|(error, _)| error)?;
    tree.has_mark = text.len() < document.len() && is_utf8;
    tree.is_utf8 = is_utf8;
    Ok(tree)
}

/// Says in which line a part of a document is.
pub trait Lines {
    /// The line of an offset into the text, from 1 on. Offsets do not decrease from call to call.
    fn line(&mut self, offset: usize) -> usize;
}

/// The lines of a text itself.
pub struct LineCount<'a> {
    rest: &'a [u8],
    offset: usize,
    line: usize,
}

impl<'a> LineCount<'a> {
    /// Counts from the beginning of a text.
    pub fn new(text: &'a str) -> LineCount<'a> {
        LineCount { rest: text.as_bytes(), offset: 0, line: 1 }
    }
}

impl Lines for LineCount<'_> {
    fn line(&mut self, offset: usize) -> usize {
        let len = offset.saturating_sub(self.offset).min(self.rest.len());
        let (passed, rest) = self.rest.split_at(len);
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        (self.rest, self.offset) = (rest, self.offset + len);
        self.line
    }
}

/// Reads a document that is text already; an error comes with its line.
pub fn tree_of(text: &str, lines: &mut dyn Lines) -> Result<Tree, (XmlError, usize)> {
    let mut reader = Reader::from_str(text);
    let mut line = 1;
    let read = read(text, &mut reader, &mut |offset| {
        line = lines.line(offset);
        line
    });
    read.map_err(|error| (error, line))
}

fn read(
    text: &str,
    reader: &mut Reader<&[u8]>,
    line_of: &mut dyn FnMut(usize) -> usize,
) -> Result<Tree, XmlError> {
    let mut tree = Tree {
        root: Element::default(),
        has_mark: false,
        is_late: text.starts_with([' ', '\t', '\r', '\n']),
        encoding: String::new(),
        is_utf8: true,
        has_document_type: false,
    };
    let (mut open, mut root, mut count) = (Vec::<Element>::new(), None, 0);
    loop {
        let line = line_of(usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX));
        match reader.read_event().map_err(|_| XmlError::Malformed)? {
            Event::Start(start) => {
                count += 1;
                if open.len() == MAX_DEPTH {
                    return Err(XmlError::TooDeep);
                }
                if count > MAX_ELEMENTS {
                    return Err(XmlError::TooLong);
                }
                open.push(element(&start, line)?);
            }
            Event::Empty(start) => {
                count += 1;
                if count > MAX_ELEMENTS {
                    return Err(XmlError::TooLong);
                }
                close(element(&start, line)?, &mut open, &mut root)?;
            }
            Event::End(_) => {
                let ended = open.pop().ok_or(XmlError::Malformed)?;
                close(ended, &mut open, &mut root)?;
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|_| XmlError::NotText)?;
                piece(Piece::Text(text.into_owned()), &mut open)?;
            }
            Event::CData(text) => {
                let text = text.decode().map_err(|_| XmlError::NotText)?;
                piece(Piece::CData(text.into_owned()), &mut open)?;
            }
            Event::GeneralRef(reference) => {
                let text = super::resolve(&reference)?;
                if text.len() > 1 && text.starts_with('&') {
                    return Err(XmlError::Entity);
                }
                piece(Piece::Reference(text), &mut open)?;
            }
            Event::DocType(_) => tree.has_document_type = true,
            Event::Decl(declaration) => {
                if let Some(Ok(encoding)) = declaration.encoding() {
                    tree.encoding = text_of(&encoding).to_ascii_lowercase();
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if open.is_empty() => {
                tree.root = root.ok_or(XmlError::Malformed)?;
                return Ok(tree);
            }
            Event::Eof => return Err(XmlError::Malformed),
        }
    }
}

/// The text, and whether its bytes are UTF-8. Without another sign, what is not UTF-8 is ISO-8859-1.
pub fn decode(document: &[u8]) -> Result<(Cow<'_, str>, bool), XmlError> {
    if let Some(text) = super::decode(document) {
        return Ok((text, std::str::from_utf8(document).is_ok()));
    }
    match document.contains(&0) {
        true => Err(XmlError::NotText),
        false => Ok((document.iter().map(|b| char::from(*b)).collect(), false)),
    }
}

fn element(start: &BytesStart, line: usize) -> Result<Element, XmlError> {
    let name = start.name();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| XmlError::Malformed)?;
        let key = text_of(attribute.key.as_ref());
        if key != "xmlns" && !key.starts_with("xmlns:") {
            let value = text_of(&attribute.value);
            let value = unescape(&value).map_or_else(|_| value.clone(), |text| text.into_owned());
            attributes.push((key, value));
        }
    }
    Ok(Element {
        name: text_of(name.local_name().as_ref()),
        prefix: name.prefix().map_or_else(String::new, |prefix| text_of(prefix.as_ref())),
        namespace: own_namespace(start),
        attributes,
        line,
        ..Element::default()
    })
}

fn close(
    element: Element,
    open: &mut [Element],
    root: &mut Option<Element>,
) -> Result<(), XmlError> {
    match (open.last_mut(), &root) {
        (Some(parent), _) => parent.children.push(element),
        (None, None) => *root = Some(element),
        // A second root.
        (None, Some(_)) => return Err(XmlError::Malformed),
    }
    Ok(())
}

/// Outside of the root, only white space is allowed.
fn piece(piece: Piece, open: &mut [Element]) -> Result<(), XmlError> {
    match open.last_mut() {
        Some(element) => element.pieces.push(piece),
        None if piece.as_str().trim_matches(super::WHITE_SPACE).is_empty() => {}
        None => return Err(XmlError::Malformed),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_what_readers_differ_in() {
        let read = tree(
            b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?><!DOCTYPE a>\n\
              <n:a xmlns:n='u' b='c'><d>x&amp;<![CDATA[y]]></d><d/></n:a>\n",
        )
        .unwrap();
        assert!(read.has_mark && read.has_document_type && read.is_utf8 && !read.is_late);
        assert_eq!(read.encoding, "utf-8");
        let root = &read.root;
        assert_eq!((&*root.name, &*root.prefix, &*root.namespace), ("a", "n", "u"));
        assert_eq!(root.attribute("b"), Some("c"));
        let first = root.first("d").unwrap();
        assert_eq!(first.text(), "x&y");
        assert_eq!(
            first.pieces,
            [
                Piece::Text("x".to_owned()),
                Piece::Reference("&".to_owned()),
                Piece::CData("y".to_owned())
            ]
        );
        assert_eq!(root.all("d").count(), 2);
    }

    #[test]
    fn elements_have_lines() {
        let text = "<?xml version='1.0'?>\n<!-- \n -->\n<a\n b='c&amp;d'>\n\n<e/><f>\n</f>\n</a>";
        let root = tree(text.as_bytes()).unwrap().root;
        let lines: Vec<_> = root.children.iter().map(|child| child.line).collect();
        assert_eq!((root.line, &*lines, root.attribute("b")), (4, &[7, 7][..], Some("c&d")));
        let text = "<a>\n<b>\n</c>\n</a>";
        let error = tree_of(text, &mut LineCount::new(text)).unwrap_err();
        assert_eq!(error, (XmlError::Malformed, 3));
    }

    #[test]
    fn other_encodings_are_read_and_named() {
        let read = tree(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>Zo\xeb</a>").unwrap();
        assert_eq!(
            (&*read.root.text(), read.is_utf8, &*read.encoding),
            ("Zoë", false, "iso-8859-1")
        );
        assert!(tree(b"\n<?xml version='1.0'?><a/>").unwrap().is_late);
    }

    #[test]
    fn what_is_not_a_document_is_refused() {
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        let wide = format!("<a>{}</a>", "<b/>".repeat(5000));
        for text in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>text",
            "text<a/>",
            "<a>&b;</a>",
            "<a>&</a>",
            "<a b='c' b='d'/>",
        ] {
            assert!(tree(text.as_bytes()).is_err(), "{text:.40}");
        }
        assert_eq!(tree(deep.as_bytes()), Err(XmlError::TooDeep));
        assert_eq!(tree(wide.as_bytes()), Err(XmlError::TooLong));
        // The messages name the limits.
        assert!(XmlError::TooDeep.to_string().contains(&MAX_DEPTH.to_string()));
        assert!(XmlError::TooLong.to_string().contains(&MAX_ELEMENTS.to_string()));
    }
}
