//! The two syntaxes that `doveconf` prints: blocks (`doveconf -n`) and one line for each value
//! (`doveconf -S`, which Dovecot 2.4 does not have).
//!
//! Both may stand in one text, the blocks first. A line that is neither is counted and left out. What
//! is too large or too deep is refused; the time is linear in the size of the text.
//!
//! The blocks are read as they stand: `groups` puts the settings of groups in their places.

use std::collections::HashMap;
use std::fmt;

/// Largest size of a text. Real ones have less than 300 kB.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Most blocks inside each other. Dovecot has 5.
const MAX_DEPTH: usize = 32;
/// Most settings and blocks of one text.
pub const MAX_ENTRIES: usize = 100_000;
/// How a comment of `doveconf -a` begins, after its first setting.
const OF_ALL: &str = "NOTE: Send doveconf -n output instead";
/// Most comments at the beginning that are kept: the version and the host name are among them.
const MAX_COMMENTS: usize = 20;

/// Why a text is not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refused {
    /// It is larger than [`MAX_BYTES`].
    TooLarge,
    /// It has more blocks inside each other than Dovecot writes.
    TooDeep {
        /// The line, from 1 on.
        line: usize,
    },
    /// It has more settings than any configuration of Dovecot.
    TooMany {
        /// The line, from 1 on.
        line: usize,
    },
    /// Its first lines do not name a version of Dovecot.
    NotDoveconf,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Refused::TooLarge => {
                write!(f, "larger than {} MiB", MAX_BYTES / 1024 / 1024)
            }
            Refused::TooDeep { line } => {
                write!(f, "line {line}: more than {MAX_DEPTH} blocks inside each other")
            }
            Refused::TooMany { line } => {
                write!(f, "line {line}: more than {MAX_ENTRIES} settings")
            }
            Refused::NotDoveconf => f.write_str(
                "not the output of doveconf -n: line 1 must be its version, such as \"# 2.3.19\"",
            ),
        }
    }
}

impl std::error::Error for Refused {}

//------------ Tree -----------------------------------------------------------

/// What `doveconf -n` prints.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tree<'a> {
    /// The comments at the beginning, without `#`, and their lines.
    pub comments: Vec<(usize, &'a str)>,
    /// All settings and blocks that are not inside another block.
    pub root: Block<'a>,
    /// The lines that could not be read: the first one, and their number.
    pub unread: Option<(usize, usize)>,
    /// Lines of `doveconf -S` in the same text: the first one, and where it begins.
    pub flat: Option<(usize, &'a str)>,
    /// True if it is the output of `doveconf -a`, which has settings that were not set, too.
    pub is_all: bool,
}

/// A block: `service imap-login { … }`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Block<'a> {
    /// `service`.
    pub kind: &'a str,
    /// `imap-login`; may be empty.
    pub name: String,
    /// The line at which it begins.
    pub line: usize,
    /// The settings in it.
    pub settings: Vec<Setting<'a>>,
    /// The blocks in it.
    pub blocks: Vec<Block<'a>>,
}

/// A setting: `port = 993`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Setting<'a> {
    /// `port`.
    pub name: &'a str,
    /// `993`, without quotes.
    pub value: String,
    /// Its line.
    pub line: usize,
}

impl<'a> Block<'a> {
    /// The setting of this name; the last one is in force.
    pub fn setting(&self, name: &str) -> Option<&Setting<'a>> {
        self.settings.iter().rev().find(|it| it.name == name)
    }

    /// The blocks of a kind.
    pub fn of<'b>(&'b self, kind: &'b str) -> impl DoubleEndedIterator<Item = &'b Block<'a>> {
        self.blocks.iter().filter(move |it| it.kind == kind)
    }

    /// Removes the settings without a value.
    pub fn remove_empty(&mut self) {
        self.settings.retain(|it| !it.value.is_empty());
        for block in &mut self.blocks {
            block.remove_empty();
        }
    }

    /// True if nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.settings.is_empty() && self.blocks.is_empty()
    }
}

impl<'a> Tree<'a> {
    /// Reads what `doveconf -n` printed, up to the first line of `doveconf -S`, if there is one.
    pub fn parse(text: &'a str) -> Result<Tree<'a>, Refused> {
        if text.len() > MAX_BYTES {
            return Err(Refused::TooLarge);
        }
        let mut tree = Tree::default();
        // The blocks that are not closed yet; the first one is the text itself.
        let mut open = vec![Block::default()];
        let (mut entries, mut offset) = (0, 0);
        for (number, whole) in text.split_inclusive('\n').enumerate() {
            let (number, begin) = (number + 1, offset);
            offset += whole.len();
            let line = whole.trim();
            let depth = open.len();
            let Some(last) = open.last_mut() else { break };
            if line.is_empty() {
                continue;
            }
            if let Some(comment) = line.strip_prefix('#') {
                if depth == 1 && last.is_empty() && tree.comments.len() < MAX_COMMENTS {
                    tree.comments.push((number, comment.trim()));
                }
                tree.is_all |= comment.trim().starts_with(OF_ALL);
                continue;
            }
            if line == "}" && depth > 1 {
                close(&mut open);
                continue;
            }
            match Line::parse(line) {
                Line::Flat if depth == 1 => {
                    tree.flat = Some((number, &text[begin..]));
                    break;
                }
                Line::Flat | Line::Other => {
                    let (first, count) = tree.unread.unwrap_or((number, 0));
                    tree.unread = Some((first, count + 1));
                    continue;
                }
                Line::Setting(name, value) => {
                    last.settings.push(Setting { name, value, line: number });
                }
                Line::Block(kind, name) => {
                    if depth > MAX_DEPTH {
                        return Err(Refused::TooDeep { line: number });
                    }
                    open.push(Block { kind, name, line: number, ..Block::default() });
                }
            }
            entries += 1;
            if entries > MAX_ENTRIES {
                return Err(Refused::TooMany { line: number });
            }
        }
        // A text that was cut off: what was read of its last blocks counts.
        while open.len() > 1 {
            close(&mut open);
        }
        tree.root = open.pop().unwrap_or_default();
        Ok(tree)
    }
}

/// Moves the last open block into the one around it.
fn close(open: &mut Vec<Block>) {
    if let Some(mut block) = open.pop() {
        // Some builds of 2.2 and 2.3 print the name of a block in it, and none or another one in front.
        if ["service", "inet_listener"].contains(&block.kind) {
            if let Some(name) = block.setting("name").map(|name| name.value.clone()) {
                block.name = name;
                block.settings.retain(|it| it.name != "name");
            }
        }
        if let Some(around) = open.last_mut() {
            around.blocks.push(block);
        }
    }
}

/// A line with text.
enum Line<'a> {
    Setting(&'a str, String),
    Block(&'a str, String),
    /// `name=value`, as `doveconf -S` prints it.
    Flat,
    Other,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Line<'a> {
        let end = line.find([' ', '\t', '=', '{']).unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        if name.is_empty() {
            return Line::Other;
        }
        if rest.starts_with('=') {
            return Line::Flat;
        }
        let rest = rest.trim_start();
        if let Some(value) = rest.strip_prefix('=') {
            return Line::Setting(name, unquoted(value.trim()));
        }
        match rest.strip_suffix('{') {
            Some(rest) => Line::Block(name, unquoted(rest.trim_end())),
            None => Line::Other,
        }
    }
}

/// The text without the quotes that doveconf writes around some values.
fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let Some(inner) = inner else { return text.to_owned() };
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    plain
}

//------------ Flat -----------------------------------------------------------

/// What `doveconf -S` prints: every value, also those that were not set.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Flat<'a> {
    values: HashMap<&'a str, (usize, &'a str)>,
    last_line: usize,
}

impl<'a> Flat<'a> {
    /// Reads it; `first` is the number of its first line.
    pub fn parse(text: &'a str, first: usize) -> Result<Flat<'a>, Refused> {
        if text.len() > MAX_BYTES {
            return Err(Refused::TooLarge);
        }
        let (mut values, mut last_line) = (HashMap::new(), first);
        for (number, line) in text.lines().enumerate() {
            let number = first + number;
            let Some((name, value)) = line.split_once('=') else { continue };
            values.insert(name, (number, value.trim()));
            last_line = number;
            if values.len() > MAX_ENTRIES {
                return Err(Refused::TooMany { line: number });
            }
        }
        Ok(Flat { values, last_line })
    }

    /// True if it has services, as each output of `doveconf -S` does.
    pub fn has_services(&self) -> bool {
        self.values.keys().any(|name| name.starts_with("service/"))
    }

    /// The value of a name such as `service/imap-login/inet_listener/imaps/port`, with its line.
    pub fn get(&self, name: &str) -> Option<(usize, &'a str)> {
        self.values.get(name).copied()
    }

    /// The line of its last value.
    pub fn last_line(&self) -> usize {
        self.last_line
    }
}

/// A name as it is a part of the names of `doveconf -S`.
pub fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '=' => escaped.push_str("\\e"),
            '/' => escaped.push_str("\\s"),
            ' ' => escaped.push_str("\\_"),
            ',' => escaped.push_str("\\+"),
            '\\' => escaped.push_str("\\\\"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The name that [`escaped`] makes this of.
pub fn unescaped(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next() {
                Some('e') => '=',
                Some('s') => '/',
                Some('_') => ' ',
                Some('+') => ',',
                Some(other) => other,
                None => '\\',
            },
            c => c,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_lines() {
        let text = "# 2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf\n\
            a = b = c\n\
            listen = \n\
            protocols = \" imap \\\"x\\\\\"\n\
            service imap-login {\n  inet_listener \"odd name/x=1\" {\n    port = 1993\n  }\n}\n\
            passdb {\n  args = {\n}\n\
            local_name a.example *.b.example {\n}\n\
            ???\n}\n";
        let tree = Tree::parse(text).unwrap();
        assert_eq!(tree.comments, [(1, "2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf")]);
        let value = |name: &str| {
            let found = tree.root.setting(name).unwrap();
            (found.line, found.value.as_str())
        };
        assert_eq!(value("a"), (2, "b = c"));
        assert_eq!(value("listen"), (3, ""));
        assert_eq!(value("protocols"), (4, " imap \"x\\"));
        let listener = &tree.root.of("service").next().unwrap().blocks[0];
        assert_eq!((listener.name.as_str(), listener.line), ("odd name/x=1", 6));
        assert_eq!(listener.setting("port").unwrap().value, "1993");
        let passdb = tree.root.of("passdb").next().unwrap();
        assert_eq!(passdb.setting("args").unwrap().value, "{");
        assert_eq!(tree.root.of("local_name").next().unwrap().name, "a.example *.b.example");
        assert_eq!(tree.unread, Some((15, 2)));
    }

    #[test]
    fn the_name_of_a_block_may_stand_in_it() {
        let text = "# 2.2.27 (c0f36b0): /etc/dovecot/dovecot.conf\n\
            service imap {\n  name = imap-login\n}\n\
            service {\n  inet_listener {\n    port = 0\n    name = pop3\n  }\n  name = pop3-login\n}\n\
            passdb {\n  name = first\n}\n";
        let tree = Tree::parse(text).unwrap();
        let services: Vec<_> = tree.root.of("service").collect();
        assert_eq!(services[0].name, "imap-login");
        assert!(services[0].is_empty());
        assert_eq!((services[1].name.as_str(), services[1].line), ("pop3-login", 5));
        let listener = services[1].of("inet_listener").next().unwrap();
        assert_eq!(listener.name, "pop3");
        assert_eq!(listener.setting("port").unwrap().value, "0");
        assert_eq!(tree.root.of("passdb").next().unwrap().name, "");
    }

    #[test]
    fn both_outputs_may_stand_in_one_text() {
        let text = "# 2.3\nssl = yes\nlogin_greeting=Dovecot ready.\nservice/x\\sy/port=0\n";
        let (line, flat) = Tree::parse(text).unwrap().flat.unwrap();
        let flat = Flat::parse(flat, line).unwrap();
        assert_eq!(flat.get("login_greeting"), Some((3, "Dovecot ready.")));
        assert_eq!(flat.get("service/x\\sy/port"), Some((4, "0")));
        let name = "odd name/x=1,\\";
        assert_eq!(escaped(name), "odd\\_name\\sx\\e1\\+\\\\");
        assert_eq!(unescaped(&escaped(name)), name);
        assert_eq!(unescaped("\\"), "\\");
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let refused = |text: &str| Tree::parse(text).unwrap_err();
        let deep = "a {\n".repeat(32);
        assert!(Tree::parse(&deep).is_ok());
        assert_eq!(refused(&"a {\n".repeat(33)), Refused::TooDeep { line: 33 });
        assert_eq!(refused(&"a {\n".repeat(1_000_000)), Refused::TooDeep { line: 33 });
        assert_eq!(refused(&"a = b\n".repeat(200_000)), Refused::TooMany { line: 100_001 });
        assert_eq!(refused(&" ".repeat(MAX_BYTES + 1)), Refused::TooLarge);
        assert_eq!(Flat::parse(&" ".repeat(MAX_BYTES + 1), 1), Err(Refused::TooLarge));
        let lines: String = (0..=MAX_ENTRIES).map(|line| format!("{line}=\n")).collect();
        assert_eq!(Flat::parse(&lines, 1), Err(Refused::TooMany { line: 100_001 }));
        let braces = "{".repeat(MAX_BYTES);
        assert_eq!(Tree::parse(&braces).unwrap().unread, Some((1, 1)));
    }
}
