//! The values of a script as far as they are known without running it: text with placeholders for what
//! the request brings, and with marks where something is not known.

use super::token::Piece;
use crate::account::{EMAIL_ADDRESS, EMAIL_LOCAL_PART};
use crate::draft::{is_secret, is_secret_name};
use crate::import::marked::{MARK_END, MARK_START};
use std::rc::Rc;

/// The domain of the address, as in autoconfig documents.
pub const EMAIL_DOMAIN: &str = "%EMAILDOMAIN%";
/// Where the `@` of the address is, and the place behind it.
pub const AT: &str = "%POSITIONOFAT%";
/// The place behind the `@`.
pub const BEHIND_AT: &str = "%POSITIONBEHINDAT%";
/// Most entries of an array.
pub const MAX_ENTRIES: usize = 1000;
/// Names of parameters, as scripts write them.
const PARAMETERS: [&str; 11] = [
    "emailaddress",
    "EmailAddress",
    "emailAddress",
    "email_address",
    "email",
    "Email",
    "mail",
    "address",
    "domain",
    "localpart",
    "e",
];
/// Deepest nesting of arrays.
const MAX_NESTED: usize = 16;

/// A value. Copies are cheap.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Flag(bool),
    /// A text or a number; with marks in it if a part is not known.
    Text(Rc<Vec<Piece>>),
    /// An array, or an object with its properties.
    Array(Rc<Entries>),
    /// An element of a document that is being built, by its number.
    Node(usize),
    /// Not known.
    Unknown(Rc<Unknown>),
}

/// The entries of an array.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entries {
    list: Vec<(String, Value)>,
    /// How deep arrays are nested in it.
    depth: usize,
}

impl Entries {
    /// The keys with their values.
    pub fn list(&self) -> &[(String, Value)] {
        &self.list
    }

    /// The value of a key.
    pub fn entry(&self, key: &str) -> Option<&Value> {
        self.list.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// The value of a key, which has none from now on.
    pub fn taken(&mut self, key: &str) -> Value {
        let known = self.list.iter_mut().find(|(known, _)| known == key);
        known.map_or(Value::Null, |(_, value)| std::mem::replace(value, Value::Null))
    }

    /// Sets an entry; no key means the next one. False if the array gets too long or too deep.
    pub fn set(&mut self, key: Option<String>, value: Value) -> bool {
        let depth = match &value {
            Value::Array(inner) => inner.depth + 1,
            _ => 0,
        };
        self.depth = self.depth.max(depth);
        let key = key.unwrap_or_else(|| self.next_key());
        let value = value.unless_secret(&key);
        match self.list.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => self.list.push((key, value)),
        }
        self.depth <= MAX_NESTED && self.list.len() <= MAX_ENTRIES
    }

    /// The next key of an array without one.
    fn next_key(&self) -> String {
        let numbers = self.list.iter().filter_map(|(key, _)| key.parse::<u32>().ok());
        numbers.max().map_or(0, |key| key.saturating_add(1)).to_string()
    }
}

/// Something that is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown {
    /// What stands in the script.
    pub text: String,
    /// Its line.
    pub line: usize,
}

impl Value {
    /// A text in one line.
    pub fn text(text: impl Into<String>, line: usize) -> Value {
        Value::Text(Rc::new(vec![Piece { text: text.into(), line }]))
    }

    /// What is not known.
    pub fn unknown(text: impl Into<String>, line: usize) -> Value {
        Value::Unknown(Rc::new(Unknown { text: text.into(), line }))
    }

    /// The value; what stands under the name of a secret is not known to documents and messages.
    /// Authentication methods are.
    pub fn unless_secret(self, name: &str) -> Value {
        let Value::Text(pieces) = &self else { return self };
        let is_loop = name == "key";
        match self.known() {
            Some(text) if !is_loop && is_secret_name(name) && is_secret("auth", &text) => {
                Value::unknown(name, pieces.first().map_or(1, |piece| piece.line))
            }
            _ => self,
        }
    }

    /// The line on which it begins, if it has one.
    pub fn line(&self) -> usize {
        match self {
            Value::Text(pieces) => pieces.first().map_or(1, |piece| piece.line),
            Value::Unknown(unknown) => unknown.line,
            _ => 1,
        }
    }

    /// The number of its pieces or entries.
    pub fn len(&self) -> usize {
        match self {
            Value::Text(pieces) => pieces.len(),
            Value::Array(entries) => entries.list.len(),
            _ => 1,
        }
    }

    /// The text, if all of it is known.
    pub fn known(&self) -> Option<String> {
        match self {
            Value::Null | Value::Flag(false) => Some(String::new()),
            Value::Flag(true) => Some("1".to_owned()),
            Value::Text(pieces) => {
                let text: String = pieces.iter().map(|piece| &*piece.text).collect();
                (!text.contains(MARK_START)).then_some(text)
            }
            Value::Array(_) | Value::Node(_) | Value::Unknown(_) => None,
        }
    }

    /// True for exactly this text.
    pub fn is(&self, text: &str) -> bool {
        match self {
            Value::Text(pieces) => {
                let mut rest = text;
                let mut all = pieces.iter();
                all.all(|piece| match rest.strip_prefix(&*piece.text) {
                    Some(after) => {
                        rest = after;
                        true
                    }
                    None => false,
                }) && rest.is_empty()
            }
            _ => false,
        }
    }

    /// True for something of the request: the address or a part of it.
    pub fn is_of_request(&self) -> bool {
        [EMAIL_ADDRESS, EMAIL_LOCAL_PART, EMAIL_DOMAIN].iter().any(|text| self.is(text))
    }

    /// True if the script compares or prints an environment variable of the web server.
    pub fn is_host(&self) -> bool {
        let names = ["HTTP_HOST", "SERVER_NAME"];
        matches!(self, Value::Unknown(it) if names.iter().any(|name| it.text.contains(name)))
    }

    /// True or false in a condition, if known. A request has its address.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Value::Null => Some(false),
            Value::Flag(flag) => Some(*flag),
            Value::Text(_) => match self.known() {
                Some(text) => Some(!text.is_empty() && text != "0"),
                None => Some(true),
            },
            Value::Array(entries) => Some(!entries.list.is_empty()),
            Value::Node(_) => Some(true),
            Value::Unknown(_) => None,
        }
    }

    /// An array of these values.
    pub fn list(values: impl IntoIterator<Item = Value>) -> Value {
        let mut entries = Entries::default();
        for value in values {
            entries.set(None, value);
        }
        Value::Array(Rc::new(entries))
    }

    /// The value of a key of an array.
    pub fn entry(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Array(entries) => entries.entry(key),
            _ => None,
        }
    }

    /// The pieces of the text; what is not known is marked.
    pub fn pieces(&self, line: usize) -> Rc<Vec<Piece>> {
        match self {
            Value::Text(pieces) => pieces.clone(),
            Value::Null | Value::Flag(false) => Rc::new(Vec::new()),
            Value::Flag(true) => Rc::new(vec![Piece { text: "1".to_owned(), line }]),
            Value::Array(_) | Value::Node(_) => {
                Rc::new(vec![Piece { text: marked("an array", line, line), line }])
            }
            Value::Unknown(it) => {
                Rc::new(vec![Piece { text: marked(&it.text, it.line, line), line }])
            }
        }
    }
}

/// An entry of a value; none if it is not known. An address of a parsed request has it at any key.
pub fn entry(value: &Value, key: &str) -> Option<Value> {
    match value {
        Value::Array(entries) => entries.entry(key).cloned(),
        _ if value.is_of_request() => Some(value.clone()),
        // The parameter of a request for autoconfig, whatever has it.
        Value::Unknown(_) if key.eq_ignore_ascii_case("emailaddress") => of_parameter(key),
        _ => None,
    }
}

/// What a parameter of a request stands for, by its name.
pub fn of_parameter(key: &str) -> Option<Value> {
    let key: String = key.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let text = match key.to_ascii_lowercase().as_str() {
        "emailaddress" | "email" | "mail" | "address" | "mailaddress" | "e" => EMAIL_ADDRESS,
        "domain" | "maildomain" | "emaildomain" => EMAIL_DOMAIN,
        "localpart" | "local" => EMAIL_LOCAL_PART,
        _ => return None,
    };
    Some(Value::text(text, 0))
}

/// The parameters of a request, as an array.
pub fn parameters() -> Value {
    let mut all = Entries::default();
    for key in PARAMETERS {
        if let Some(value) = of_parameter(key) {
            all.set(Some(key.to_owned()), value);
        }
    }
    Value::Array(Rc::new(all))
}

/// True for copies of one value, which need not be compared.
pub fn is_shared(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => Rc::ptr_eq(one, other),
        (Value::Array(one), Value::Array(other)) => Rc::ptr_eq(one, other),
        (Value::Unknown(one), Value::Unknown(other)) => Rc::ptr_eq(one, other),
        _ => false,
    }
}

/// True for the same value, wherever its parts stand.
pub fn is_same(one: &Value, other: &Value) -> bool {
    match (one.known(), other.known()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// A mark in a document, in which it must not look like markup.
fn marked(text: &str, line: usize, at: usize) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let text = text.replace('"', "&quot;");
    match line == at {
        true => format!("{MARK_START}{text}{MARK_END}"),
        false => format!("{MARK_START}{text} (line {line}){MARK_END}"),
    }
}
