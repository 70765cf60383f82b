//! Documents that a script builds from elements, by DOMDocument, SimpleXMLElement or XMLWriter: they are
//! written out as text.
//!
//! Rules: the PHP manual, "DOMDocument", "SimpleXMLElement" and "XMLWriter". An element that is put into more than
//! one place is written in each, up to the limits of all text.

use super::state::{Argument, Done, Follower, Node};
use super::token::Piece;
use super::value::Value;
use std::rc::Rc;

impl Follower<'_> {
    /// A new element; a document has no name.
    pub fn new_node(&mut self, name: String, line: usize) -> Value {
        self.nodes.push(Node { name, line, ..Node::default() });
        Value::Node(self.nodes.len() - 1)
    }

    /// The element that a text consists of: `<?xml …?><clientConfig version="1.1"/>`.
    pub fn node_of(&mut self, text: &str, line: usize) -> Option<Value> {
        let (start, _) = text
            .match_indices('<')
            .rfind(|(at, _)| text.as_bytes().get(at + 1).is_some_and(u8::is_ascii_alphabetic))?;
        let name: String = text[start + 1..].chars().take_while(|c| c.is_alphanumeric()).collect();
        Some(self.new_node(name, line))
    }

    /// Sets a property of an element: its text, or the value of an attribute.
    pub fn set_property(&mut self, node: usize, name: &str, value: Value) -> Done<()> {
        self.spend(1)?;
        if ["value", "nodeValue", "textContent"].contains(&name) {
            if let Some(node) = self.nodes.get_mut(node) {
                node.children = vec![value];
            }
        }
        Ok(())
    }

    /// The value of a method of an element; none if it is another value or method.
    pub fn of_node(
        &mut self,
        of: &Value,
        name: &str,
        arguments: &[Argument],
        line: usize,
    ) -> Done<Option<Value>> {
        let Value::Node(id) = of else { return Ok(None) };
        let argument = |at: usize| arguments.get(at).map(|argument| argument.value.clone());
        let text = |at: usize| argument(at).and_then(|value| value.known()).unwrap_or_default();
        if !self.nodes[*id].open.is_empty() {
            return self.of_writer(*id, name, arguments, line);
        }
        Ok(match name {
            "createelement" | "createelementns" | "addchild" => {
                let at = usize::from(name == "createelementns");
                let node = self.new_node(text(at), line);
                if let (Some(value), Value::Node(id)) = (argument(at + 1), &node) {
                    self.nodes[*id].children.push(value);
                }
                if name == "addchild" {
                    self.nodes[*id].children.push(node.clone());
                }
                Some(node)
            }
            "createattribute" => Some(self.new_node(format!("@{}", text(0)), line)),
            "createtextnode" | "createcdatasection" => argument(0),
            "appendchild" | "append" => {
                let child = argument(0).unwrap_or(Value::Null);
                self.nodes[*id].children.push(child.clone());
                Some(child)
            }
            "setattribute" | "addattribute" => {
                let value = argument(1).unwrap_or(Value::Null);
                self.nodes[*id].attributes.push((text(0), value));
                Some(Value::Null)
            }
            "savexml" | "asxml" | "save" => {
                let mut pieces = Vec::new();
                self.written(&Value::Node(*id), line, &mut pieces)?;
                Some(Value::Text(Rc::new(pieces)))
            }
            _ => None,
        })
    }

    /// A new XMLWriter.
    pub fn new_writer(&mut self, line: usize) -> Value {
        let writer = self.new_node(String::new(), line);
        if let Value::Node(id) = writer {
            self.nodes[id].open.push(id);
        }
        writer
    }

    /// The value of a method of an XMLWriter; none if it is another one.
    fn of_writer(
        &mut self,
        writer: usize,
        name: &str,
        arguments: &[Argument],
        line: usize,
    ) -> Done<Option<Value>> {
        // A prefix stands before the name.
        let (plain, at) = name.strip_suffix("ns").map_or((name, 0), |plain| (plain, 1));
        let argument = |at: usize| arguments.get(at).map(|argument| argument.value.clone());
        let text = argument(at).and_then(|value| value.known()).unwrap_or_default();
        let current = self.nodes[writer].open.last().copied().unwrap_or(writer);
        let child = |it: &mut Self, name: String, value: Option<Value>| {
            let node = it.new_node(name, line);
            if let Value::Node(id) = node {
                it.nodes[id].children.extend(value);
                it.nodes[current].children.push(Value::Node(id));
                return id;
            }
            current
        };
        match plain {
            "startelement" | "startattribute" => {
                let sign = if plain == "startattribute" { "@" } else { "" };
                let id = child(self, format!("{sign}{text}"), None);
                self.nodes[writer].open.push(id);
            }
            "writeelement" => drop(child(self, text, argument(2 * at + 1))),
            "writeattribute" => drop(child(self, format!("@{text}"), argument(2 * at + 1))),
            "text" | "writecdata" | "writeraw" => self.nodes[current].children.extend(argument(0)),
            "endelement" | "fullendelement" | "endattribute" => {
                let open = &mut self.nodes[writer].open;
                open.truncate(usize::max(open.len(), 2) - 1);
            }
            "openuri" => self.nodes[writer].attributes.push((text, Value::Null)),
            "outputmemory" | "flush" | "enddocument" => {
                let mut pieces = Vec::new();
                self.written(&Value::Node(writer), line, &mut pieces)?;
                let written = Value::Text(Rc::new(pieces));
                if plain == "outputmemory" {
                    return Ok(Some(written));
                }
                // What is written to the client.
                if !self.nodes[writer].attributes.is_empty() {
                    self.keep_written(&written)?;
                }
            }
            _ => {}
        }
        Ok(Some(Value::Flag(true)))
    }

    /// Writes a value as a part of a document.
    fn written(&mut self, value: &Value, line: usize, pieces: &mut Vec<Piece>) -> Done<()> {
        let Value::Node(id) = value else {
            let text = value.pieces(line);
            self.spend_bytes(text.iter().map(|piece| piece.text.len() + 16).sum())?;
            let escaped = |piece: &Piece| match crate::import::marked::is_marked(&piece.text) {
                true => piece.text.clone(),
                false => crate::xml::escaped(&piece.text).into_owned(),
            };
            pieces.extend(text.iter().map(|it| Piece { text: escaped(it), line: it.line }));
            return Ok(());
        };
        self.deeper(|it| {
            let Some(node) = it.nodes.get(*id).cloned() else { return Ok(()) };
            let put = |pieces: &mut Vec<Piece>, text: String| {
                pieces.push(Piece { text, line: node.line });
            };
            let is_attribute =
                |child: &Value| matches!(child, Value::Node(id) if it.nodes[*id].name.starts_with('@'));
            let (own, children): (Vec<_>, Vec<_>) =
                node.children.iter().cloned().partition(is_attribute);
            if !node.name.is_empty() {
                put(pieces, format!("<{}", node.name));
                let mut attributes = node.attributes.clone();
                for attribute in own {
                    let Value::Node(id) = attribute else { continue };
                    let attribute = &it.nodes[id];
                    let value = attribute.children.first().cloned().unwrap_or(Value::Null);
                    attributes.push((attribute.name[1..].to_owned(), value));
                }
                for (name, value) in attributes {
                    put(pieces, format!(" {name}=\""));
                    it.written(&value, node.line, pieces)?;
                    put(pieces, "\"".to_owned());
                }
                put(pieces, ">".to_owned());
            }
            for child in children {
                it.written(&child, node.line, pieces)?;
            }
            if !node.name.is_empty() {
                put(pieces, format!("</{}>", node.name));
            }
            it.spend_bytes(node.name.len() * 2 + 64)
        })
    }
}
