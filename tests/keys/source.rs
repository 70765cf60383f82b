//! The source of the three documents: the comments of the structs in `src/config/file.rs`,
//! `src/config/login.rs`, `src/config/page.rs` and `src/config/whole_file.rs`. A key's comment has this form:
//!
//! ```text
//! /// The first paragraph is in all documents.
//! ///
//! /// All others are in the manual only.
//! ///
//! /// - Range: 1 to 65535
//! /// - Default: `993`
//! /// - Example: `port = 993`
//! /// - [smtp] If your server answers on port 465, set `"tls"`.
//! ```
//!
//! Code is in backticks, the name of a section of the manual between asterisks, and `mailsetup(1)`
//! is a manual page. `{range}` stands for the range, `{words}` for the words that a key can have,
//! each with the comment of its variant. An example of several lines is a fenced block.
//!
//! A row of the list at the end applies to all tables that have the key, or to the tables that it
//! begins with; those come first. A row without a name is text that is in all documents. The names:
//!
//! - `Default`: the value without the key. Code at its beginning is a value, and a test compares it
//!   with the program. `Example`: the line in the example.
//! - `Value`: the kind of a text, one of [`VALUES`]. `Range`: the first and the last number.
//!   `Only`: the only accepted value.
//! - `Tables`: where the key, or the word, is allowed, if that is not everywhere.
//! - `Required`: the other keys of the table need this one. `Needs`: this one needs another.
//!   `Without`: it excludes another. `Alone`: it excludes all others, also for a word in a list.
//! - `Items`: the largest number of items in a list.

use crate::common::source;
use std::collections::BTreeMap;
use std::fs;
use syn::{Attribute, Expr, Fields, GenericArgument, Item, Lit, Meta, PathArguments, Type};

/// The kinds of text, each with a pattern that matches all values the program accepts.
pub const VALUES: [(&str, &str); 12] = [
    // One line; white space around it is removed.
    ("text", r"^\s*\S([^\n\r]*\S)?\s*$"),
    (
        "URL",
        r"^https://{ascii}(\.{ascii})*\.?(:0*[1-9][0-9]{0,4})?([/?#]([!#$&-;=?-\[\]_a-z~]|%[0-9A-Fa-f]{2}|%EMAILDOMAIN%)*)?$",
    ),
    ("path", r"."),
    ("socket and name", r"^unix:[\s\S]+:[!-9;-~]{1,100}$"),
    ("path of a URL", r"^/[A-Za-z0-9/._~-]*$"),
    ("host name", r"^{label}(\.{label})*\.?$"),
    ("domain", r"^{name}([.\u3002\uff0e\uff61]{name})+\.?$"),
    ("address", r"^.+@{label}(\.{label})*\.?$"),
    ("login", r"^\S+$"),
    ("reverse DNS name", r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"),
    ("#rrggbb", r"^#[0-9A-Fa-f]{6}$"),
    ("telephone number", r"^[+(]?[0-9][0-9 ()/.-]{1,39}$"),
];

/// Parts of the patterns: a label of a host name in ASCII, the same with international letters, and
/// the latter without the `%` of placeholders.
const PARTS: [(&str, &str); 3] = [
    ("{ascii}", "[%0-9A-Za-z]([%0-9A-Za-z-]*[%0-9A-Za-z])?"),
    ("{label}", r"[^\s!-$&-/:-@\[-`{-~]([^\s!-$&-,./:-@\[-`{-~]*[^\s!-$&-/:-@\[-`{-~])?"),
    ("{name}", r"[^\s!-/:-@\[-`{-~]([^\s!-,./:-@\[-`{-~]*[^\s!-/:-@\[-`{-~])?"),
];

/// The names of the rows; a row without one is text.
const ROWS: [&str; 11] = [
    "Default", "Example", "Value", "Range", "Only", "Tables", "Required", "Needs", "Without",
    "Alone", "Items",
];

//------------ Doc ------------------------------------------------------------

/// The contents of a comment.
#[derive(Clone, Debug, Default)]
pub struct Doc {
    /// The paragraphs, the first of which is in all documents.
    pub paragraphs: Vec<String>,
    /// An example of several lines.
    pub block: Option<String>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    /// Empty if it applies to all.
    tables: Vec<String>,
    /// Empty if the row is text.
    name: String,
    text: String,
}

impl Doc {
    fn read(attributes: &[Attribute]) -> Doc {
        let mut doc = Doc::default();
        let mut lines = attributes.iter().filter_map(comment).peekable();
        while let Some(line) = lines.next() {
            let line = line.trim();
            if line == "```toml" {
                let block = lines.by_ref().map(|line| line.trim().to_owned());
                let block: Vec<_> = block.take_while(|line| line != "```").collect();
                doc.block = Some(block.join("\n"));
            } else if !line.is_empty() {
                let mut text = line.to_owned();
                let is_more = |next: &String| {
                    let next = next.trim();
                    !next.is_empty() && !next.starts_with("- ") && !next.starts_with("```")
                };
                while let Some(next) = lines.next_if(is_more) {
                    text = format!("{text} {}", next.trim());
                }
                match text.strip_prefix("- ") {
                    Some(row) => doc.rows.push(Row::read(row)),
                    None => doc.paragraphs.push(text),
                }
            }
        }
        doc
    }

    /// The text of a row, in one table.
    pub fn row(&self, table: &str, name: &str) -> Option<&str> {
        let rows = || self.rows.iter().filter(|row| row.name == name);
        let own = rows().find(|row| row.tables.iter().any(|known| known == table));
        let row = own.or_else(|| rows().find(|row| row.tables.is_empty()))?;
        Some(&row.text)
    }

    /// The text of a row that is for this table and not for all.
    pub fn own_row(&self, table: &str, name: &str) -> Option<&str> {
        let is_own = |row: &&Row| row.name == name && row.tables.iter().any(|it| it == table);
        self.rows.iter().find(is_own).map(|row| row.text.as_str())
    }

    fn is_in(&self, table: &str) -> bool {
        self.rows
            .iter()
            .find(|row| row.name == "Tables")
            .is_none_or(|row| row.tables.iter().any(|it| it == table))
    }
}

impl Row {
    fn read(text: &str) -> Row {
        let (tables, text) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((tables, text)) => (tables, text.trim()),
            None => ("", text),
        };
        let (name, value) = text.split_once(": ").unwrap_or((text, ""));
        let (name, value) = match ROWS.contains(&name) {
            true => (name, value),
            false => ("", text),
        };
        let (tables, value) = match name {
            "Tables" => (value.trim_matches(['[', ']']), ""),
            _ => (tables, value),
        };
        let value = match name {
            "Example" | "Needs" | "Without" => value.trim_matches('`'),
            _ => value,
        };
        let tables = tables.split(", ").filter(|table| !table.is_empty());
        assert!(!(name.is_empty() && tables.clone().next().is_none()), "- {text}: no such row");
        Row {
            tables: tables.map(str::to_owned).collect(),
            name: name.to_owned(),
            text: value.to_owned(),
        }
    }
}

fn comment(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(literal) = &pair.value else { return None };
    match &literal.lit {
        Lit::Str(text) if pair.path.is_ident("doc") => Some(text.value()),
        _ => None,
    }
}

//------------ Keys -----------------------------------------------------------

/// The type of a key's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    Flag,
    Number,
    Text,
    TextByLanguage,
    /// One of the words of an enum.
    Word(String),
    WordOrWords(String),
    Texts,
    /// A table of a struct.
    Table(String),
    /// A list of tables.
    Tables(String),
}

/// A key, or a table, of a struct.
#[derive(Clone, Debug)]
pub struct Key {
    pub name: String,
    pub doc: Doc,
    pub shape: Shape,
}

/// A word, as a variant of an enum.
#[derive(Clone, Debug)]
pub struct Word {
    pub name: String,
    pub doc: Doc,
}

/// All of the configuration.
pub struct Source {
    /// The keys of each struct.
    pub structs: BTreeMap<String, Vec<Key>>,
    /// The description of a domain.
    pub domain: Doc,
    enums: BTreeMap<String, Vec<Word>>,
}

impl Source {
    /// Reads the sources.
    pub fn read() -> Source {
        let mut items = Vec::new();
        for file in ["file", "login", "page", "whole_file"] {
            let file = format!("src/config/{file}.rs");
            let text = fs::read_to_string(source(&file)).expect(&file);
            items.extend(syn::parse_file(&text).expect("Rust").items);
        }
        let mut enums = BTreeMap::new();
        for item in &items {
            if let Item::Enum(item) = item {
                enums.insert(item.ident.to_string(), words(item));
            }
        }
        let mut structs = BTreeMap::new();
        let mut domain = Doc::default();
        for item in &items {
            let Item::Struct(item) = item else { continue };
            let Fields::Named(fields) = &item.fields else { panic!("{} has no keys", item.ident) };
            let keys = fields.named.iter().map(|field| {
                let name = field.ident.as_ref().expect("a name").to_string();
                let doc = Doc::read(&field.attrs);
                assert!(!doc.paragraphs.is_empty(), "{}.{name} has no comment", item.ident);
                Key { shape: shape(&field.ty, &enums), name, doc }
            });
            structs.insert(item.ident.to_string(), keys.collect());
            if item.ident == "Tables" {
                domain = Doc::read(&item.attrs);
            }
        }
        Source { structs, domain, enums }
    }

    /// The tables at the top, in the order of the structs.
    pub fn tables(&self) -> impl Iterator<Item = &Key> {
        let both = self.structs["Tables"].iter().chain(&self.structs["File"]);
        both.filter(|key| matches!(key.shape, Shape::Table(_)))
    }

    /// A table at the top.
    pub fn table(&self, name: &str) -> &Key {
        self.tables().find(|table| table.name == name).unwrap_or_else(|| panic!("no table {name}"))
    }

    /// The keys of a table.
    pub fn keys(&self, table: &Key) -> Vec<&Key> {
        let (Shape::Table(name) | Shape::Tables(name)) = &table.shape else {
            panic!("{} is not a table", table.name)
        };
        self.structs[name].iter().filter(|key| key.doc.is_in(&table.name)).collect()
    }

    /// The table whose keys this one has, if it has none of its own.
    pub fn first(&self, table: &Key) -> Option<&Key> {
        let first = self.tables().find(|other| other.shape == table.shape)?;
        (first.name != table.name).then_some(first)
    }

    /// The words of a key in a table.
    pub fn words(&self, key: &Key, table: &str) -> Vec<&Word> {
        let (Shape::Word(name) | Shape::WordOrWords(name)) = &key.shape else { return Vec::new() };
        self.enums[name].iter().filter(|word| word.doc.is_in(table)).collect()
    }

    /// A text with its range and words filled in.
    pub fn fill(&self, text: &str, key: &Key, table: &str) -> String {
        // Words for some tables only are in the rows of these.
        let common = self.words(key, "");
        let words: Vec<_> = common
            .iter()
            .map(|word| match word.doc.paragraphs.first() {
                Some(about) => format!("`\"{}\"` ({about})", word.name),
                None => format!("`\"{}\"`", word.name),
            })
            .collect();
        let words = match words.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        };
        let range = key.doc.row(table, "Range").unwrap_or_default();
        assert!(!text.contains("{range}") || !range.is_empty(), "{} has no range", key.name);
        text.replace("{words}", &words).replace("{range}", range)
    }

    /// The text of a key that is in all documents: its first paragraph, and its text for this
    /// table.
    pub fn text(&self, key: &Key, table: &str) -> String {
        let own = key.doc.own_row(table, "").map(|own| format!(" {own}")).unwrap_or_default();
        self.fill(&key.doc.paragraphs[0], key, table) + &own
    }
}

/// The value at the beginning of a default, as it is written.
pub fn literal(default: &str) -> Option<&str> {
    let code = default.strip_prefix('`')?.split('`').next()?;
    toml::from_str::<toml::Table>(&format!("x = {code}")).is_ok().then_some(code)
}

/// The range of a key.
pub fn range(key: &Key) -> Option<(i64, i64)> {
    let (first, last) = key.doc.row("", "Range")?.split_once(" to ").expect("two numbers");
    Some((first.parse().expect("a number"), last.parse().expect("a number")))
}

/// The kind of a text, and its pattern.
pub fn value(key: &Key) -> (&'static str, String) {
    let name = key.doc.row("", "Value").unwrap_or("text");
    let known = VALUES.iter().find(|(known, _)| *known == name);
    let (name, _) = known.unwrap_or_else(|| panic!("no value {name}"));
    (name, pattern(name))
}

/// The pattern of a kind of text.
pub fn pattern(name: &str) -> String {
    let (_, pattern) = VALUES.iter().find(|(known, _)| *known == name).expect(name);
    PARTS.iter().fold((*pattern).to_owned(), |text, (part, meaning)| text.replace(part, meaning))
}

/// The words of a text; code and the name of a section are one word each.
pub fn pieces(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut inside = None;
    for c in text.chars() {
        let word = words.last_mut().expect("a word");
        let is_mark = c == '`' || (c == '*' && (word.is_empty() || inside == Some('*')));
        match inside {
            Some(mark) if mark == c => inside = None,
            None if is_mark => inside = Some(c),
            _ => {}
        }
        match c {
            ' ' if inside.is_none() => words.push(String::new()),
            c => word.push(c),
        }
    }
    words
}

fn shape(kind: &Type, enums: &BTreeMap<String, Vec<Word>>) -> Shape {
    let Type::Path(path) = kind else { panic!("a type of another kind") };
    let last = path.path.segments.last().expect("a name");
    let inner = || {
        let PathArguments::AngleBracketed(arguments) = &last.arguments else {
            panic!("{} of what?", last.ident)
        };
        match arguments.args.first() {
            Some(GenericArgument::Type(inner)) => shape(inner, enums),
            _ => panic!("{} of what?", last.ident),
        }
    };
    match last.ident.to_string().as_str() {
        "Option" | "Spanned" | "Rare" => inner(),
        "bool" => Shape::Flag,
        "i64" => Shape::Number,
        "String" => Shape::Text,
        "BTreeMap" => Shape::TextByLanguage,
        "OneOrMore" => match inner() {
            Shape::Word(name) => Shape::WordOrWords(name),
            other => panic!("one or more of {other:?}"),
        },
        "Vec" => match inner() {
            Shape::Text => Shape::Texts,
            Shape::Table(name) => Shape::Tables(name),
            other => panic!("a list of {other:?}"),
        },
        name if enums.contains_key(name) => Shape::Word(name.to_owned()),
        name => Shape::Table(name.to_owned()),
    }
}

/// The words of an enum, as serde spells them.
fn words(item: &syn::ItemEnum) -> Vec<Word> {
    let rule = renamed(&item.attrs, "rename_all").expect("rename_all");
    let word = |variant: &syn::Variant| {
        let name = variant.ident.to_string();
        let name = match (renamed(&variant.attrs, "rename"), rule.as_str()) {
            (Some(name), _) => name,
            (None, "lowercase") => name.to_lowercase(),
            (None, "kebab-case") if name[1..] == name[1..].to_lowercase() => name.to_lowercase(),
            (None, _) => panic!("{name}: name it by rename"),
        };
        Word { name, doc: Doc::read(&variant.attrs) }
    };
    item.variants.iter().map(word).collect()
}

/// `#[serde(which = "…")]`
fn renamed(attributes: &[Attribute], which: &str) -> Option<String> {
    let mut found = None;
    for attribute in attributes.iter().filter(|it| it.path().is_ident("serde")) {
        let read = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident(which) {
                found = Some(meta.value()?.parse::<syn::LitStr>()?.value());
            }
            Ok(())
        });
        read.expect("an attribute of serde");
    }
    found
}
