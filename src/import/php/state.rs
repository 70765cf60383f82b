//! What is known while a script is followed: variables, constants, functions, the text that it prints.
//! All work is counted, so that no script takes long.

use super::shared;
use super::token::{Kind, Piece, Token};
use super::value::{Entries, Value};
use crate::draft::{NoteKind, is_secret_name};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Most steps, and bytes of text that are put together.
const MAX_STEPS: usize = 200_000;
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Deepest nesting of expressions, blocks and calls.
const MAX_DEPTH: usize = 100;
/// Most keys behind a variable.
const MAX_KEYS: usize = 16;
/// Most variables of one function.
const MAX_VARIABLES: usize = 1000;
/// Most notes about one script.
const MAX_NOTES: usize = 40;
/// Longest expression in a message, in characters.
const MAX_QUOTED: usize = 60;

/// The result of a part; the error is a message.
pub type Done<T> = Result<T, &'static str>;

/// Where the script goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flow {
    /// Behind the statement.
    Next,
    /// Behind the loop.
    Break,
    /// In the next round of the loop.
    Continue,
    /// At the end of the function or of the script.
    Return,
}

/// A place in tokens.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'t> {
    /// The tokens.
    pub tokens: &'t [Token],
    /// The next one.
    pub at: usize,
    /// Behind the last one.
    pub end: usize,
}

impl<'t> Cursor<'t> {
    /// A part of tokens.
    pub fn new(tokens: &'t [Token], at: usize, end: usize) -> Cursor<'t> {
        Cursor { tokens, at, end: end.min(tokens.len()) }
    }

    /// The next token.
    pub fn peek(&self) -> Option<&'t Token> {
        self.ahead(0)
    }

    /// A later token.
    pub fn ahead(&self, count: usize) -> Option<&'t Token> {
        let at = self.at + count;
        if at < self.end { self.tokens.get(at) } else { None }
    }

    /// True if the next token is this sign.
    pub fn is(&self, sign: &str) -> bool {
        self.peek().is_some_and(|token| token.is(sign))
    }

    /// True if the next token is this word.
    pub fn is_word(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is_word(word))
    }

    /// Passes a sign, if it is the next token.
    pub fn take(&mut self, sign: &str) -> bool {
        let is_it = self.is(sign);
        self.at += usize::from(is_it);
        is_it
    }

    /// Passes a word, if it is the next token.
    pub fn take_word(&mut self, word: &str) -> bool {
        let is_it = self.is_word(word);
        self.at += usize::from(is_it);
        is_it
    }

    /// Passes an opening bracket and all up to the closing one: what is between.
    pub fn bracket(&mut self) -> Cursor<'t> {
        let close = self.peek().map_or(self.end, |token| token.close).min(self.end);
        let inner = Cursor::new(self.tokens, (self.at + 1).min(close), close);
        self.at = (close + 1).min(self.end);
        inner
    }

    /// The tokens from `start` to the next one.
    pub fn since(&self, start: usize) -> &'t [Token] {
        let end = self.at.min(self.tokens.len());
        &self.tokens[start.min(end)..end]
    }

    /// The next token and those behind it.
    pub fn rest(&self) -> &'t [Token] {
        &self.tokens[self.at.min(self.end)..self.end]
    }

    /// The line of the next token.
    pub fn line(&self) -> usize {
        let token = self.peek().or_else(|| self.tokens.get(self.at.saturating_sub(1)));
        token.map_or(1, |token| token.line)
    }
}

/// A function of the script.
#[derive(Clone, Copy, Debug)]
pub struct Function<'t> {
    /// Its parameters, with the default values.
    pub parameters: Cursor<'t>,
    /// Its body.
    pub body: Cursor<'t>,
    /// True once it was called.
    pub is_called: bool,
    /// True while it is followed.
    pub is_running: bool,
}

/// An argument of a call.
pub struct Argument {
    /// Its value.
    pub value: Value,
    /// The variable, if it is one: a function may set it.
    pub name: Option<String>,
}

/// What may be assigned to.
pub struct Target {
    /// The variable.
    pub name: String,
    /// The keys; none for the next one, or one that is not known.
    pub keys: Vec<Option<String>>,
}

/// The text that is printed, and how much of it there is.
pub type Printed = Vec<Piece>;

/// An element of a document that the script builds.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Its name; empty for text.
    pub name: String,
    /// Its attributes.
    pub attributes: Vec<(String, Value)>,
    /// What is in it.
    pub children: Vec<Value>,
    /// Of an XMLWriter: itself, and the elements in it that are open.
    pub open: Vec<usize>,
    /// The line where it is made.
    pub line: usize,
}

/// All that is known.
pub struct Follower<'t> {
    /// The text of the script.
    pub script: &'t str,
    /// Variables: those of the script, and those of the functions that are running.
    pub scopes: Vec<BTreeMap<String, Value>>,
    /// The properties of all objects of classes in the script.
    pub object: Value,
    /// Constants, also those of classes.
    pub constants: BTreeMap<String, Value>,
    /// Functions, also those of classes, by their names in small letters.
    pub functions: BTreeMap<String, Function<'t>>,
    /// What the running function returns.
    pub returned: Value,
    /// What is printed.
    pub printed: Printed,
    /// Other texts with documents in them: returned, or passed to functions.
    pub texts: Vec<Printed>,
    /// Elements of documents.
    pub nodes: Vec<Node>,
    /// The first file that the script reads, with the line.
    pub unread: Option<(usize, String)>,
    /// Texts that variables have only if a condition holds, or does not.
    pub open: Vec<Rc<Vec<Piece>>>,
    /// Variables that are also set under another name.
    shared: BTreeSet<String>,
    /// Variables of the script that functions have.
    pub globals: BTreeSet<String>,
    /// What is to be said, by line.
    pub notes: Vec<(NoteKind, usize, String)>,
    steps: usize,
    bytes: usize,
    depth: usize,
}

impl<'t> Follower<'t> {
    /// Knows nothing yet.
    pub fn new(script: &'t str, tokens: &[Token]) -> Follower<'t> {
        Follower {
            script,
            shared: shared::names(tokens),
            globals: BTreeSet::new(),
            scopes: vec![BTreeMap::new()],
            object: Value::list([]),
            constants: BTreeMap::new(),
            functions: BTreeMap::new(),
            returned: Value::Null,
            printed: Vec::new(),
            texts: Vec::new(),
            nodes: Vec::new(),
            unread: None,
            open: Vec::new(),
            notes: Vec::new(),
            steps: 0,
            bytes: 0,
            depth: 0,
        }
    }

    /// Counts steps.
    pub fn spend(&mut self, steps: usize) -> Done<()> {
        self.steps += steps;
        if self.steps > MAX_STEPS { Err("following the script takes too long") } else { Ok(()) }
    }

    /// Counts bytes.
    pub fn spend_bytes(&mut self, bytes: usize) -> Done<()> {
        self.bytes += bytes;
        if self.bytes > MAX_BYTES { Err("the script makes too much text") } else { Ok(()) }
    }

    /// Goes one level deeper.
    pub fn deeper<T>(&mut self, run: impl FnOnce(&mut Self) -> Done<T>) -> Done<T> {
        self.spend(1)?;
        if self.depth == MAX_DEPTH {
            return Err("the script is nested too deeply");
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    /// True for a text that a variable has only if a condition holds, or does not.
    pub fn is_open(&self, value: &Value) -> bool {
        let Value::Text(pieces) = value else { return false };
        self.open.iter().any(|open| Rc::ptr_eq(open, pieces))
    }

    /// Adds a note, each only once.
    pub fn note(&mut self, kind: NoteKind, line: usize, text: impl Into<String>) {
        let text = text.into();
        let is_known = self.notes.iter().any(|(_, at, known)| *at == line && *known == text);
        if is_known {
            return;
        }
        match self.notes.len() {
            ..MAX_NOTES => self.notes.push((kind, line, text)),
            MAX_NOTES => {
                let text = format!("more than {MAX_NOTES} parts of the script, from here on");
                self.notes.push((NoteKind::NotCarried, line, text));
            }
            _ => {}
        }
    }

    /// The script between two tokens, in one line and not too long.
    pub fn quoted(&self, tokens: &[Token]) -> String {
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
            return String::new();
        };
        let text = self.script.get(first.range.0..last.range.1).unwrap_or_default();
        let hidden;
        let text = match speak_of_secrets(tokens) {
            true => {
                hidden = self.without_strings(tokens);
                &*hidden
            }
            false => text,
        };
        let mut words = String::new();
        for word in text.split_whitespace() {
            let blank = if words.is_empty() { "" } else { " " };
            words += blank;
            words += word;
            if words.len() > 4 * MAX_QUOTED {
                break;
            }
        }
        match words.char_indices().nth(MAX_QUOTED) {
            Some((end, _)) => format!("{} …", words[..end].trim_end()),
            None => words,
        }
    }

    /// The script between two tokens, without the strings that are not the keys of arrays.
    fn without_strings(&self, tokens: &[Token]) -> String {
        let mut shown = String::new();
        let mut end = tokens.first().map_or(0, |token| token.range.0);
        for (at, token) in tokens.iter().enumerate() {
            let is_key = at.checked_sub(1).is_some_and(|before| tokens[before].is("["))
                && tokens.get(at + 1).is_some_and(|next| next.is("]"));
            shown += self.script.get(end..token.range.0).unwrap_or_default();
            shown += match &token.kind {
                Kind::Text(_) | Kind::Template(_) if !is_key => "'***'",
                _ => self.script.get(token.range.0..token.range.1).unwrap_or_default(),
            };
            end = token.range.1;
        }
        shown
    }

    /// A value that is not known, by what stands in the script.
    pub fn not_known(&self, tokens: &[Token]) -> Value {
        let line = tokens.first().map_or(1, |token| token.line);
        Value::unknown(self.quoted(tokens), line)
    }

    /// Two texts, one behind the other.
    pub fn joined(&mut self, one: &Value, other: &Value, line: usize) -> Done<Value> {
        let mut pieces = one.pieces(line).as_ref().clone();
        pieces.extend(other.pieces(line).iter().cloned());
        self.spend_bytes(pieces.iter().map(|piece| piece.text.len() + 16).sum())?;
        Ok(Value::Text(Rc::new(pieces)))
    }

    /// Prints a value.
    pub fn print(&mut self, value: &Value, line: usize) -> Done<()> {
        let pieces = value.pieces(line);
        self.spend_bytes(pieces.iter().map(|piece| piece.text.len() + 16).sum())?;
        self.printed.extend(pieces.iter().cloned());
        Ok(())
    }

    /// Keeps a document that was put together from elements.
    pub fn keep_written(&mut self, value: &Value) -> Done<()> {
        let Value::Text(pieces) = value else { return Ok(()) };
        self.spend_bytes(pieces.iter().map(|piece| piece.text.len() + 16).sum())?;
        self.texts.push(pieces.as_ref().clone());
        Ok(())
    }

    /// Keeps a text that is not printed here, if it has a document in it.
    pub fn keep(&mut self, value: &Value) -> Done<()> {
        let Value::Text(pieces) = value else { return Ok(()) };
        if pieces
            .iter()
            .any(|piece| crate::import::part::DOCUMENTS.iter().any(|it| piece.text.contains(it.0)))
        {
            self.keep_written(value)?;
        }
        Ok(())
    }

    /// The variables of the running function.
    pub fn scope(&mut self) -> &mut BTreeMap<String, Value> {
        if self.scopes.is_empty() {
            self.scopes.push(BTreeMap::new());
        }
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    /// The value of a variable.
    pub fn variable(&self, name: &str) -> Option<Value> {
        match name {
            "this" => Some(self.object.clone()),
            _ => self.scopes.last()?.get(name).cloned(),
        }
    }

    /// Sets a variable, or an entry of it: no key means the next one.
    pub fn assign(&mut self, name: &str, keys: &[Option<String>], value: Value) -> Done<()> {
        if keys.len() > MAX_KEYS {
            return Err("the script has arrays that are nested too deeply");
        }
        let value = if keys.is_empty() { value.unless_secret(name) } else { value };
        let value = match self.shared.contains(name) {
            true => Value::unknown(format!("${name}"), value.line()),
            false => value,
        };
        if self.scopes.len() > 1 && self.globals.contains(name) {
            let unknown = Value::unknown(format!("${name}"), value.line());
            self.scopes[0].insert(name.to_owned(), unknown);
        }
        if name == "this" {
            let mut object = std::mem::replace(&mut self.object, Value::Null);
            let copied = set(&mut object, keys, value);
            self.object = object;
            return self.spend(1 + copied?);
        }
        let scope = self.scope();
        if scope.len() >= MAX_VARIABLES && !scope.contains_key(name) {
            return Err("the script has too many variables");
        }
        let copied = set(scope.entry(name.to_owned()).or_insert(Value::Null), keys, value)?;
        self.spend(1 + copied)
    }
}

/// Parts of the names of functions that get passwords.
const WITH_PASSWORDS: [&str; 13] = [
    "connect",
    "mysqli",
    "pdo",
    "bind",
    "login",
    "imap_open",
    "hash",
    "crypt",
    "auth",
    "exec",
    "system",
    "passthru",
    "popen",
];

/// True if a script has the name of a secret, or of a function that gets one.
fn speak_of_secrets(tokens: &[Token]) -> bool {
    tokens.iter().any(|token| match &token.kind {
        Kind::Variable(name) => name != "key" && is_secret_name(name),
        Kind::Word(name) => {
            let name = name.to_ascii_lowercase();
            is_secret_name(&name) || WITH_PASSWORDS.iter().any(|part| name.contains(part))
        }
        Kind::Text(pieces) => pieces.iter().any(|piece| {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            piece.text.chars().all(is_name) && is_secret_name(&piece.text)
        }),
        _ => false,
    })
}

/// Sets an entry of a value; returns how many entries were copied for it.
fn set(into: &mut Value, keys: &[Option<String>], value: Value) -> Done<usize> {
    let Some((key, rest)) = keys.split_first() else {
        *into = value;
        return Ok(0);
    };
    if !matches!(into, Value::Array(_)) {
        *into = Value::list([]);
    }
    let Value::Array(shared) = into else { return Ok(0) };
    let mut copied = if Rc::strong_count(shared) > 1 { shared.list().len() } else { 0 };
    let entries: &mut Entries = Rc::make_mut(shared);
    let mut value = value;
    if !rest.is_empty() {
        let mut inner = match key {
            Some(key) => entries.taken(key),
            None => Value::Null,
        };
        copied += set(&mut inner, rest, value)?;
        value = inner;
    }
    match entries.set(key.clone(), value) {
        true => Ok(copied),
        false => Err("the script has an array that is too long"),
    }
}

/// True for a token that ends a statement.
pub fn ends(token: &Token) -> bool {
    token.is(";") || matches!(token.kind, Kind::Html(_) | Kind::Echo)
}
