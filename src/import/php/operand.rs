//! Words of an expression, and what stands behind a value: calls, classes, keys and properties.
//!
//! Rules: the PHP manual, "Classes and Objects". The objects of all classes are taken for one. A file that
//! is included is not read, and named.

use super::state::{Cursor, Done, Follower, Target};
use super::token::Kind;
use super::value::{Value, entry};
use crate::account::EMAIL_ADDRESS;

impl<'t> Follower<'t> {
    /// A word and what belongs to it.
    pub fn word(&mut self, word: &str, c: &mut Cursor<'t>, start: usize) -> Done<Value> {
        let line = c.tokens[start].line;
        let lower = word.to_ascii_lowercase();
        if word.as_bytes()[0].is_ascii_digit() {
            return self.behind(Value::text(word.replace('_', ""), line), c, start);
        }
        if c.is("\\") {
            c.at += 1;
            return self.operand(c);
        }
        match lower.as_str() {
            "true" => return Ok(Value::Flag(true)),
            "false" => return Ok(Value::Flag(false)),
            "null" => return Ok(Value::Null),
            "php_eol" => return Ok(Value::text("\n", line)),
            "new" => return self.new_object(c, start),
            "array" if c.is("(") => {
                let mut inner = c.bracket();
                let value = self.array(&mut inner)?;
                return self.behind(value, c, start);
            }
            "list" if c.is("(") => {
                let inner = c.bracket();
                return self.unpacked(inner, c);
            }
            "isset" | "empty" if c.is("(") => {
                let arguments = self.arguments(c)?;
                let truth = match lower.as_str() {
                    "empty" => arguments.first().and_then(|it| it.value.truth()).map(|it| !it),
                    _ => arguments.iter().map(|it| is_set(&it.value)).reduce(both).flatten(),
                };
                return Ok(match truth {
                    Some(truth) => Value::Flag(truth),
                    None => self.not_known(c.since(start)),
                });
            }
            "exit" | "die" => {
                if c.is("(") {
                    for argument in self.arguments(c)? {
                        self.print(&argument.value, line)?;
                    }
                }
                return Ok(Value::Null);
            }
            "print" => {
                let value = self.operators(c, 4)?;
                self.print(&value, line)?;
                return Ok(Value::Flag(true));
            }
            "include" | "include_once" | "require" | "require_once" => {
                let _ = self.operators(c, 4)?;
                self.not_read(c.since(start));
                return Ok(self.not_known(c.since(start)));
            }
            "function" | "fn" | "match" | "static" => return Ok(self.skipped(c, start)),
            "clone" | "throw" | "yield" | "await" => return self.operators(c, 4),
            _ => {}
        }
        if c.take("::") {
            return self.of_class(c, start);
        }
        if c.is("(") {
            let arguments = self.arguments(c)?;
            let value = self.called(&lower, arguments, c.since(start))?;
            return self.behind(value, c, start);
        }
        let value = self.constants.get(word).cloned();
        Ok(value.unwrap_or_else(|| self.not_known(c.since(start))))
    }

    /// A closure or a `match`, which is not followed.
    fn skipped(&self, c: &mut Cursor<'t>, start: usize) -> Value {
        while let Some(token) = c.peek() {
            if token.is("{") {
                c.bracket();
                break;
            }
            if token.is(";") || token.is(",") || token.is(")") {
                break;
            }
            match token.is("(") || token.is("[") {
                true => drop(c.bracket()),
                false => c.at += 1,
            }
        }
        self.not_known(c.since(start))
    }

    /// What stands behind `Name::`.
    fn of_class(&mut self, c: &mut Cursor<'t>, start: usize) -> Done<Value> {
        let Some(token) = c.peek() else { return Ok(Value::Null) };
        match &token.kind {
            Kind::Variable(name) => {
                c.at += 1;
                let target = Target { name: "this".to_owned(), keys: vec![Some(name.clone())] };
                if let Some(value) = self.assignment(&target, c, start)? {
                    return Ok(value);
                }
                let value = self.object.entry(name).cloned();
                let value = value.unwrap_or_else(|| self.not_known(c.since(start)));
                self.behind(value, c, start)
            }
            Kind::Word(name) if c.ahead(1).is_some_and(|token| token.is("(")) => {
                c.at += 1;
                let arguments = self.arguments(c)?;
                let name = name.to_ascii_lowercase();
                let value = self.called(&name, arguments, c.since(start))?;
                self.behind(value, c, start)
            }
            Kind::Word(name) => {
                c.at += 1;
                let value = self.constants.get(name).cloned();
                let value = value.unwrap_or_else(|| self.not_known(c.since(start)));
                self.behind(value, c, start)
            }
            _ => Ok(self.not_known(c.since(start))),
        }
    }

    fn new_object(&mut self, c: &mut Cursor<'t>, start: usize) -> Done<Value> {
        let mut class = String::new();
        while let Some(token) = c.peek() {
            match &token.kind {
                Kind::Word(word) => class = word.to_ascii_lowercase(),
                Kind::Variable(_) | Kind::Sign("\\") => {}
                _ => break,
            }
            c.at += 1;
        }
        let line = c.tokens[start].line;
        let mut first = None;
        if c.is("(") {
            for argument in self.arguments(c)? {
                self.keep(&argument.value)?;
                first.get_or_insert(argument.value);
            }
        }
        if c.is("{") {
            c.bracket();
        }
        let text = first.and_then(|value| value.known()).unwrap_or_default();
        let node = match class.as_str() {
            "domdocument" => Some(self.new_node(String::new(), line)),
            "simplexmlelement" => self.node_of(&text, line),
            "xmlwriter" => Some(self.new_writer(line)),
            _ => None,
        };
        Ok(node.unwrap_or_else(|| self.not_known(c.since(start))))
    }

    /// What stands behind a value: keys, properties, calls.
    pub fn behind(&mut self, mut value: Value, c: &mut Cursor<'t>, start: usize) -> Done<Value> {
        loop {
            self.spend(1)?;
            let unknown = |it: &Self, c: &Cursor<'t>| it.not_known(c.since(start));
            let Some(token) = c.peek() else { return Ok(value) };
            if token.is("[") {
                let mut inner = c.bracket();
                let key = self.expression(&mut inner)?.known();
                let found = key.and_then(|key| entry(&value, &key));
                value = found.unwrap_or_else(|| unknown(self, c));
            } else if token.is("->") || token.is("?->") {
                c.at += 1;
                let name = match c.peek().map(|token| &token.kind) {
                    Some(Kind::Word(word)) => word.as_str(),
                    _ => "",
                };
                if c.peek().is_some_and(|token| token.is("{")) {
                    c.bracket();
                } else {
                    c.at += 1;
                }
                if c.is("(") {
                    let arguments = self.arguments(c)?;
                    value = self.method(&value, name, arguments, c.since(start))?;
                } else {
                    let found = self.property(&value, name);
                    value = found.unwrap_or_else(|| unknown(self, c));
                }
            } else if token.is("(") {
                for argument in self.arguments(c)? {
                    self.keep(&argument.value)?;
                }
                value = unknown(self, c);
            } else if token.is("++") || token.is("--") {
                c.at += 1;
                value = unknown(self, c);
            } else {
                return Ok(value);
            }
        }
    }

    /// A property of a value; none if it is not known.
    pub fn property(&self, of: &Value, name: &str) -> Option<Value> {
        if name.eq_ignore_ascii_case("EMailAddress") {
            return Some(Value::text(EMAIL_ADDRESS, 0));
        }
        match of {
            _ if of.is_of_request() => Some(of.clone()),
            Value::Array(_) => entry(of, name),
            Value::Node(_) => Some(of.clone()),
            _ => None,
        }
    }
}

fn is_set(value: &Value) -> Option<bool> {
    match value {
        Value::Null => Some(false),
        Value::Unknown(_) => None,
        _ => Some(true),
    }
}

fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}
