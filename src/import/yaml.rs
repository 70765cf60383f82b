//! YAML and JSON as a tree in which each value has its line.
//!
//! JSON is read as the YAML that it nearly is. An alias is a copy of its value; the pairs of a merge key
//! (`<<`) are those of the map that has it, unless it has them itself. Tags are ignored. The number of
//! values, their depth and the size of all copies are bounded: an alias beyond that is a remark, and a
//! value that is not known.
//!
//! Rules: YAML 1.2.2; the merge key of YAML 1.1; RFC 8259 §7 for pairs of `\u`.

use saphyr_parser::{Event, Parser, ScalarStyle};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// Most values of a text, with the keys.
const MAX_VALUES: usize = 400_000;
/// Most values inside of each other.
const MAX_DEPTH: usize = 40;
/// Most bytes of all copies of values that have an anchor.
const MAX_COPIED: usize = 8 << 20;
/// How many bytes a value counts beside its text.
const VALUE_BYTES: usize = 64;
/// The key whose value is merged into the map.
const MERGE: &str = "<<";
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
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The line on which it begins, from 1 on.
    pub line: usize,
    /// The value.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
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
    /// What is not complete, with its anchor, which is 0 for none.
    open: Vec<(Open, usize)>,
    /// The values with an anchor.
    anchored: HashMap<usize, Anchored>,
    values: usize,
    copied: usize,
}

/// A value with an anchor.
struct Anchored {
    node: Node,
    bytes: usize,
    depth: usize,
}

/// A list or a map that is not complete.
enum Open {
    List(usize, Vec<Node>),
    /// The key that has no value yet is behind the pairs.
    Map(usize, Vec<(Key, Node)>, Option<Key>),
}

impl Builder {
    fn add(&mut self, event: Event, line: usize) -> Result<(), String> {
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => match (style, &*text) {
                (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => (Value::Null, anchor),
                _ => (Value::Scalar(text.into_owned()), anchor),
            },
            Event::Alias(anchor) => {
                let copy = self.copy(anchor);
                if copy.is_none() {
                    self.remark(
                        line,
                        "an alias (*NAME) is not followed: it is not known, or too large",
                    );
                }
                self.count(line)?;
                self.put(copy.unwrap_or(Node { line, value: Value::Null }));
                return Ok(());
            }
            Event::SequenceStart(anchor, _) => {
                return self.open(Open::List(line, Vec::new()), anchor, line);
            }
            Event::MappingStart(anchor, _) => {
                return self.open(Open::Map(line, Vec::new(), None), anchor, line);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some((complete, anchor)) = self.open.pop() else { return Ok(()) };
                let (line, value) = match complete {
                    Open::List(line, nodes) => (line, Value::List(nodes)),
                    Open::Map(line, pairs, _) => (line, Value::Map(merged(pairs))),
                };
                self.put_anchored(Node { line, value }, anchor);
                return Ok(());
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => return Ok(()),
        };
        self.count(line)?;
        self.put_anchored(Node { line, value }, anchor);
        Ok(())
    }

    fn open(&mut self, open: Open, anchor: usize, line: usize) -> Result<(), String> {
        self.count(line)?;
        if self.open.len() == MAX_DEPTH {
            return Err(format!("line {line}: more than {MAX_DEPTH} values inside of each other"));
        }
        self.open.push((open, anchor));
        Ok(())
    }

    fn count(&mut self, line: usize) -> Result<(), String> {
        self.values += 1;
        match self.values > MAX_VALUES {
            true => Err(format!("line {line}: more than {MAX_VALUES} values")),
            false => Ok(()),
        }
    }

    /// Adds a value, which is kept for the aliases of its anchor.
    fn put_anchored(&mut self, node: Node, anchor: usize) {
        if anchor != 0 && self.copied <= MAX_COPIED {
            let (bytes, depth) = (bytes(&node), depth(&node));
            self.copied = self.copied.saturating_add(bytes);
            self.anchored.insert(anchor, Anchored { node: node.clone(), bytes, depth });
        }
        self.put(node);
    }

    /// The value of an anchor, if it may be copied once more.
    fn copy(&mut self, anchor: usize) -> Option<Node> {
        let Anchored { node, bytes, depth } = self.anchored.get(&anchor)?;
        let copied = self.copied.saturating_add(*bytes);
        if copied > MAX_COPIED || self.open.len() + depth > MAX_DEPTH {
            return None;
        }
        self.copied = copied;
        Some(node.clone())
    }

    fn put(&mut self, node: Node) {
        match self.open.last_mut().map(|(open, _)| open) {
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

/// The pairs of a map, with those of its merge keys, of which the first counts. Its own pairs count more.
fn merged(pairs: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
    let is_merge = |(key, node): &(Key, Node)| {
        let are_maps = node.list().is_some_and(|nodes| nodes.iter().all(|it| it.map().is_some()));
        key.text == MERGE && (node.map().is_some() || are_maps)
    };
    if !pairs.iter().any(is_merge) {
        return pairs;
    }
    let (merges, own): (Vec<_>, Vec<_>) = pairs.into_iter().partition(is_merge);
    let mut known: HashSet<String> = own.iter().map(|(key, _)| key.text.clone()).collect();
    let mut all = Vec::new();
    for (_, node) in merges {
        let maps = match node.value {
            Value::List(nodes) => nodes,
            value => vec![Node { line: node.line, value }],
        };
        for map in maps {
            let Value::Map(pairs) = map.value else { continue };
            all.extend(pairs.into_iter().filter(|(key, _)| known.insert(key.text.clone())));
        }
    }
    all.extend(own);
    all
}

/// How many values are inside of each other; a text has none.
fn depth(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Scalar(_) => 0,
        Value::List(nodes) => 1 + nodes.iter().map(depth).max().unwrap_or(0),
        Value::Map(pairs) => 1 + pairs.iter().map(|(_, node)| depth(node)).max().unwrap_or(0),
    }
}

/// How much memory a value takes, nearly.
fn bytes(node: &Node) -> usize {
    VALUE_BYTES
        + match &node.value {
            Value::Null => 0,
            Value::Scalar(text) => text.len(),
            Value::List(nodes) => nodes.iter().map(bytes).sum(),
            Value::Map(pairs) => {
                pairs.iter().map(|(key, node)| VALUE_BYTES + key.text.len() + bytes(node)).sum()
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
    fn aliases_are_copies_of_their_values() {
        let documents = read("a: &x {b: c}\nd: *x\n---\nb: &x [f]\nd: [*x, *x]\n").unwrap();
        assert_eq!((documents.roots.len(), documents.remarks.len()), (2, 0));
        let d = documents.roots[0].get("d").unwrap();
        assert_eq!((d.line, d.get("b").unwrap().text()), (1, Some("c")));
        let d = documents.roots[1].get("d").unwrap().list().unwrap();
        assert_eq!(d[1].list().unwrap()[0].text(), Some("f"));
    }

    #[test]
    fn merge_keys_are_pairs_of_the_map() {
        let text = "a: &x {b: 1, c: 2}\ny: &y {b: 3, e: 4}\nd:\n  c: 5\n  <<: [*x, *y]\n\
                    f:\n  <<: *y\n  b: 6\ng: {<<: 7}\n";
        let node = one(text);
        let values = |map: &str, keys: &str| {
            let map = node.get(map).unwrap();
            let values = keys.split(' ').map(|key| map.get(key).unwrap().text().unwrap());
            values.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(values("d", "b c e"), "1 5 4");
        assert_eq!(values("f", "b e"), "6 4");
        assert_eq!(values("g", "<<"), "7");
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
        // Ten lists, each with ten times the one before.
        let lists: String = (1..10)
            .map(|at| format!("a{at}: &a{at} [{}]\n", format!("*a{},", at - 1).repeat(10)))
            .collect();
        let aliases = read(&format!("a0: &a0 [b]\n{lists}")).unwrap();
        assert_eq!(aliases.remarks.len(), MAX_REMARKS);
        assert!(aliases.roots.iter().map(bytes).sum::<usize>() <= 2 * MAX_COPIED);
        let large = format!("a: &a {}\nc: [{}]", "b".repeat(1 << 20), "*a,".repeat(100_000));
        assert_eq!(read(&large).unwrap().remarks.len(), MAX_REMARKS);
        let nested = format!(
            "a: &a {}x{}\nb: {}*a{}",
            "[".repeat(30),
            "]".repeat(30),
            "[".repeat(30),
            "]".repeat(30)
        );
        assert_eq!(read(&nested).unwrap().remarks.len(), 1);
        assert!(read("a: [\0]").is_err());
        assert!(read(&"[".repeat(1_000_000)).is_err());
    }
}
