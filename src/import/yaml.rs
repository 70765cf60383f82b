//! YAML and JSON as a tree in which each value has its line.
//!
//! JSON is read as the YAML that it nearly is. Nothing is expanded: an alias, and with it a merge key, is
//! a remark and a value that is not known. Tags are ignored. The number of values, their depth and the
//! size of the text are bounded.
//!
//! Rules: YAML 1.2.2; RFC 8259 §7 for pairs of `\u`.

use saphyr_parser::{Event, Parser, ScalarStyle};
use std::borrow::Cow;

/// Most values of a text, with the keys.
const MAX_VALUES: usize = 400_000;
/// Most values inside of each other.
const MAX_DEPTH: usize = 40;
/// Most remarks about a text.
const MAX_REMARKS: usize = 20;

/// A text as trees.
#[derive(Debug, Default)]
pub struct Documents {
    /// The documents of the text; those of JSON are one.
    pub roots: Vec<Node>,
    /// What was left out, with its line.
    pub remarks: Vec<(usize, String)>,
}

/// A value with its line.
#[derive(Debug, PartialEq)]
pub struct Node {
    /// The line on which it begins, from 1 on.
    pub line: usize,
    /// The value.
    pub value: Value,
}

/// A value.
#[derive(Debug, PartialEq)]
pub enum Value {
    /// Nothing, or what is not known: `null`, an alias.
    Null,
    /// A text, a number, yes or no.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// Keys with their values in their order; a key may be there twice.
    Map(Vec<(Key, Node)>),
}

/// A key with its line.
#[derive(Debug, PartialEq)]
pub struct Key {
    /// The line on which it stands, from 1 on.
    pub line: usize,
    /// The key.
    pub text: String,
}

impl Node {
    /// The value of a key; of two with the same name, the last.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let pairs = self.map()?;
        pairs.iter().rev().find(|(known, _)| known.text == key).map(|(_, node)| node)
    }

    /// The pairs of a map.
    pub fn map(&self) -> Option<&[(Key, Node)]> {
        match &self.value {
            Value::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// The values of a list.
    pub fn list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(nodes) => Some(nodes),
            _ => None,
        }
    }

    /// A text, a number, yes or no, as it is written.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The value in a few words, for a message.
    pub fn shown(&self) -> Cow<'_, str> {
        match &self.value {
            Value::Null => Cow::Borrowed(""),
            Value::Scalar(text) => Cow::Borrowed(text),
            Value::List(nodes) => Cow::Owned(format!("(a list of {})", nodes.len())),
            Value::Map(pairs) => Cow::Owned(format!("(a table of {})", pairs.len())),
        }
    }
}

/// Reads a text. The error is a message with the line.
pub fn read(text: &str) -> Result<Documents, String> {
    let text = match text.trim_start().starts_with(['{', '[']) {
        true => joined_surrogates(text),
        false => Cow::Borrowed(text),
    };
    let mut builder = Builder::default();
    for event in Parser::new_from_str(&text) {
        match event {
            Ok((event, span)) => builder.add(event, span.start.line())?,
            Err(error) => return Err(format!("line {}: {}", error.marker().line(), error.info())),
        }
    }
    Ok(builder.documents)
}

/// Builds the trees from events, without recursion.
#[derive(Default)]
struct Builder {
    documents: Documents,
    open: Vec<Open>,
    values: usize,
}

/// A list or a map that is not complete.
enum Open {
    List(usize, Vec<Node>),
    /// The key that has no value yet is behind the pairs.
    Map(usize, Vec<(Key, Node)>, Option<Key>),
}

impl Builder {
    fn add(&mut self, event: Event, line: usize) -> Result<(), String> {
        let value = match event {
            Event::Scalar(text, style, ..) => match (style, &*text) {
                (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Value::Null,
                _ => Value::Scalar(text.into_owned()),
            },
            Event::Alias(_) => {
                self.remark(line, "an alias (*NAME) is not followed");
                Value::Null
            }
            Event::SequenceStart(..) => return self.open(Open::List(line, Vec::new()), line),
            Event::MappingStart(..) => return self.open(Open::Map(line, Vec::new(), None), line),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(complete) = self.open.pop() else { return Ok(()) };
                let (line, value) = match complete {
                    Open::List(line, nodes) => (line, Value::List(nodes)),
                    Open::Map(line, pairs, _) => (line, Value::Map(pairs)),
                };
                self.put(Node { line, value });
                return Ok(());
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => return Ok(()),
        };
        self.count(line)?;
        self.put(Node { line, value });
        Ok(())
    }

    fn open(&mut self, open: Open, line: usize) -> Result<(), String> {
        self.count(line)?;
        if self.open.len() == MAX_DEPTH {
            return Err(format!("line {line}: more than {MAX_DEPTH} values inside of each other"));
        }
        self.open.push(open);
        Ok(())
    }

    fn count(&mut self, line: usize) -> Result<(), String> {
        self.values += 1;
        match self.values > MAX_VALUES {
            true => Err(format!("line {line}: more than {MAX_VALUES} values")),
            false => Ok(()),
        }
    }

    fn put(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.documents.roots.push(node),
            Some(Open::List(_, nodes)) => nodes.push(node),
            Some(Open::Map(_, pairs, key)) => match key.take() {
                Some(key) => pairs.push((key, node)),
                // A list or a table as a key has no meaning in the files that are read here.
                None => *key = Some(Key { line: node.line, text: node.shown().into_owned() }),
            },
        }
    }

    fn remark(&mut self, line: usize, text: &str) {
        if self.documents.remarks.len() < MAX_REMARKS {
            self.documents.remarks.push((line, text.to_owned()));
        }
    }
}

/// JSON writes a character outside of the first plane as two `\u`; in YAML each of them would have to
/// be a character.
fn joined_surrogates(text: &str) -> Cow<'_, str> {
    let mut joined = String::new();
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        let escape = at + found;
        let units = [escape, escape + 6].into_iter().filter_map(|at| escaped_unit(text, at));
        let c = char::decode_utf16(units).next().and_then(Result::ok);
        if let Some(c) = c.filter(|c| u32::from(*c) > 0xffff) {
            joined.push_str(&text[done..escape]);
            joined.push(c);
            done = escape + 12;
            at = done;
        } else {
            // The escape, and what it escapes, which may be a backslash.
            at = escape + 1 + text[escape + 1..].chars().next().map_or(0, char::len_utf8);
        }
    }
    match done {
        0 => Cow::Borrowed(text),
        _ => Cow::Owned(joined + &text[done..]),
    }
}

/// The number of the escape `\uXXXX` at a place, if there is one.
fn escaped_unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Node {
        read(text).expect(text).roots.pop().expect("a document")
    }

    #[test]
    fn values_have_their_lines() {
        let node = one("a:\n  - b: 1\n    c: \"x: y\" # z\n  - d\n");
        let list = node.get("a").unwrap();
        let first = &list.list().unwrap()[0];
        assert_eq!((first.line, first.get("c").unwrap().line), (2, 3));
        assert_eq!(first.get("c").unwrap().text(), Some("x: y"));
        assert_eq!(list.list().unwrap()[1].text(), Some("d"));
    }

    #[test]
    fn json_is_read() {
        let node =
            one("[\n\t{\"a\\/b\": \"\\ud83d\\ude00 \\\\ud83d\\\\ude00 \\u00e9\",\n\t\"c\": null}]");
        let map = &node.list().unwrap()[0];
        assert_eq!(map.get("a/b").unwrap().text(), Some("😀 \\ud83d\\ude00 é"));
        assert_eq!(map.get("c").unwrap(), &Node { line: 3, value: Value::Null });
        for alone in ["[\"\\ud83d\"]", "[\"\\ude00\\ud83d\"]"] {
            assert!(read(alone).is_err(), "{alone}");
        }
    }

    #[test]
    fn null_is_not_a_text_unless_it_is_quoted() {
        let node = one("a: null\nb: ~\nc:\nd: 'null'\ne: ''\n");
        for key in ["a", "b", "c"] {
            assert_eq!(node.get(key).unwrap().text(), None, "{key}");
        }
        assert_eq!(node.get("d").unwrap().text(), Some("null"));
        assert_eq!(node.get("e").unwrap().text(), Some(""));
    }

    #[test]
    fn aliases_are_not_expanded() {
        let documents = read("a: &x {b: c}\nd:\n  <<: *x\n  e: f\n---\ng: h\n").unwrap();
        assert_eq!(documents.roots.len(), 2);
        assert_eq!(documents.remarks.len(), 1);
        assert_eq!(documents.remarks[0].0, 3);
        assert_eq!(documents.roots[0].get("d").unwrap().get("b"), None);
        assert_eq!(documents.roots[0].get("d").unwrap().get("e").unwrap().text(), Some("f"));
    }

    #[test]
    fn of_two_keys_the_last_counts() {
        assert_eq!(one("a: 1\na: 2\n").get("a").unwrap().text(), Some("2"));
    }

    #[test]
    fn a_text_that_is_too_large_is_refused_in_linear_time() {
        let nested = "- ".repeat(2_000_000);
        let message = read(&nested).expect_err("too deep");
        assert_eq!(message, "line 1: more than 40 values inside of each other");
        let many = "- a\n".repeat(MAX_VALUES);
        assert!(read(&many).expect_err("too many").ends_with("more than 400000 values"));
        let aliases = format!("a: &a [b]\nc: [{}]", "*a,".repeat(1000));
        assert_eq!(read(&aliases).unwrap().remarks.len(), MAX_REMARKS);
        assert!(read("a: [\0]").is_err());
        assert!(read(&"[".repeat(1_000_000)).is_err());
    }
}
