//! Takes a PHP script apart: the text outside of `<?php … ?>`, and the words, variables, strings and
//! signs inside.
//!
//! Rules: the PHP manual, "Basic syntax" and "Strings" (heredoc, nowdoc, variables in strings). A script
//! that is cut off is read to its end. Refuses more than [`MAX_TOKENS`], and strings that are nested too
//! deeply. Takes linear time.

/// Most tokens of a script.
const MAX_TOKENS: usize = 100_000;
/// Longest name of a heredoc, and longest key in a string.
const MAX_LABEL: usize = 100;
/// Deepest nesting of code in strings.
const MAX_NESTED: usize = 8;

/// The signs of more than one character, the longer ones first.
const SIGNS: [&str; 36] = [
    "<=>", "**=", "...", "===", "!==", "<<=", ">>=", "??=", "?->", "=>", "->", "::", ".=", "??",
    "==", "!=", "<>", "<=", ">=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=",
    "^=", "**", "<<", ">>", "#[", "\\",
];

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its line, from 1 on.
    pub line: usize,
    /// Where it stands in the script, in bytes.
    pub range: (usize, usize),
    /// For an opening bracket, the index of the closing one among its tokens; else the number of tokens.
    pub close: usize,
}

/// The kinds of tokens.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Text outside of the code.
    Html(Vec<Piece>),
    /// `$name`, without the dollar sign.
    Variable(String),
    /// A name, a word of the language or a number, as it is written.
    Word(String),
    /// A string.
    Text(Vec<Piece>),
    /// A string with variables in it.
    Template(Vec<Part>),
    /// `<?=`
    Echo,
    /// Another sign.
    Sign(&'static str),
}

/// A part of a string with variables in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text.
    Text(Vec<Piece>),
    /// An expression.
    Code(Vec<Token>),
}

/// A piece of text that is in one line of the script.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// The line.
    pub line: usize,
}

impl Token {
    /// True for a sign.
    pub fn is(&self, sign: &str) -> bool {
        matches!(&self.kind, Kind::Sign(known) if *known == sign)
    }

    /// The word in small letters; none for other tokens.
    pub fn word(&self) -> Option<String> {
        match &self.kind {
            Kind::Word(word) => Some(word.to_ascii_lowercase()),
            _ => None,
        }
    }

    /// True for a word, in any letter case.
    pub fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(known) if known.eq_ignore_ascii_case(word))
    }
}

/// The tokens of a script; the error is a message.
pub fn tokens(script: &str) -> Result<Vec<Token>, &'static str> {
    let mut lexer = Lexer { script, at: 0, end: script.len(), line: 1, count: 0 };
    let mut tokens = Vec::new();
    while lexer.at < lexer.end {
        lexer.html(&mut tokens)?;
        lexer.code(&mut tokens, None, 0)?;
    }
    Ok(closed(tokens))
}

/// Fills in where brackets are closed.
fn closed(mut tokens: Vec<Token>) -> Vec<Token> {
    let mut open = Vec::new();
    for at in 0..tokens.len() {
        tokens[at].close = tokens.len();
        let Kind::Sign(sign) = tokens[at].kind else { continue };
        match sign {
            "(" | "[" | "{" | "#[" => open.push(at),
            ")" | "]" | "}" => {
                if let Some(before) = open.pop() {
                    tokens[before].close = at;
                }
            }
            _ => {}
        }
    }
    tokens
}

struct Lexer<'a> {
    script: &'a str,
    /// The next byte.
    at: usize,
    /// Where the part that is read ends.
    end: usize,
    line: usize,
    /// The tokens so far, also those in strings.
    count: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.script.get(self.at..self.end).unwrap_or_default()
    }

    fn byte(&self, ahead: usize) -> u8 {
        let at = self.at + ahead;
        if at < self.end { self.script.as_bytes()[at] } else { 0 }
    }

    /// Goes on, and counts lines.
    fn pass(&mut self, len: usize) {
        let end = (self.at + len).min(self.end);
        let passed = &self.script.as_bytes()[self.at..end];
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.at = end;
    }

    fn push(
        &mut self,
        tokens: &mut Vec<Token>,
        kind: Kind,
        line: usize,
        start: usize,
    ) -> Result<(), &'static str> {
        self.count += 1;
        if self.count > MAX_TOKENS {
            return Err("the script is too long");
        }
        tokens.push(Token { kind, line, range: (start, self.at), close: 0 });
        Ok(())
    }

    /// Text up to the next `<?`, which is passed. An XML declaration is text.
    fn html(&mut self, tokens: &mut Vec<Token>) -> Result<(), &'static str> {
        let (start, line) = (self.at, self.line);
        let rest = self.rest();
        let mut from = 0;
        let found = loop {
            let Some(at) = rest[from..].find("<?").map(|at| from + at) else { break None };
            let after = rest.as_bytes()[at + 2..].get(..4).unwrap_or(&rest.as_bytes()[at + 2..]);
            if after.starts_with(b"=") {
                break Some((at, 3, true));
            } else if after.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"php")) {
                break Some((at, 5, false));
            } else if after.first().is_none_or(u8::is_ascii_whitespace) {
                break Some((at, 2, false));
            }
            from = at + 2;
        };
        let (len, sign, is_echo) = found.unwrap_or((rest.len(), 0, false));
        if len > 0 {
            self.pass(len);
            self.push(tokens, Kind::Html(pieces(&rest[..len], line)), line, start)?;
        }
        let (start, line) = (self.at, self.line);
        self.pass(sign);
        match is_echo {
            true => self.push(tokens, Kind::Echo, line, start),
            false => Ok(()),
        }
    }

    /// Code up to `?>`, or up to the bracket that `until` names.
    fn code(
        &mut self,
        tokens: &mut Vec<Token>,
        until: Option<u8>,
        depth: usize,
    ) -> Result<(), &'static str> {
        let mut open = 0;
        while self.at < self.end {
            let (start, line, byte) = (self.at, self.line, self.byte(0));
            let kind = match byte {
                b'{' if until.is_some() => {
                    open += 1;
                    self.sign()
                }
                b'}' if until == Some(b'}') && open == 0 => {
                    self.pass(1);
                    return Ok(());
                }
                b'}' if until.is_some() => {
                    open -= 1;
                    self.sign()
                }
                _ if byte.is_ascii_whitespace() => {
                    self.pass(1);
                    continue;
                }
                b'?' if self.byte(1) == b'>' => {
                    self.pass(2);
                    let line_end = if self.byte(0) == b'\r' { 2 } else { 1 };
                    if self.byte(line_end - 1) == b'\n' {
                        self.pass(line_end);
                    }
                    return self.push(tokens, Kind::Sign(";"), line, start);
                }
                b'#' if self.byte(1) != b'[' => {
                    self.comment();
                    continue;
                }
                b'/' if self.byte(1) == b'/' => {
                    self.comment();
                    continue;
                }
                b'/' if self.byte(1) == b'*' => {
                    let len = self.rest().find("*/").map_or(self.end - self.at, |len| len + 2);
                    self.pass(len.max(2));
                    continue;
                }
                b'$' if is_name(self.byte(1)) && !self.byte(1).is_ascii_digit() => {
                    self.pass(1);
                    Kind::Variable(self.name())
                }
                b'\'' => self.single(),
                b'"' => {
                    self.pass(1);
                    self.template(Some(b'"'), 0, depth)?
                }
                b'`' => {
                    self.pass(1);
                    let len = self.rest().find('`').map_or(self.end - self.at, |len| len + 1);
                    self.pass(len);
                    Kind::Word("shell_exec".to_owned())
                }
                // The beginning of another script, which was put behind this one.
                b'<' if until.is_none() && self.rest().starts_with("<?php") => {
                    self.pass(5);
                    Kind::Sign(";")
                }
                b'<' if self.rest().starts_with("<<<") => match self.heredoc(depth)? {
                    Some(kind) => kind,
                    None => self.sign(),
                },
                _ if is_name(byte) => Kind::Word(self.name()),
                _ => self.sign(),
            };
            self.push(tokens, kind, line, start)?;
        }
        Ok(())
    }

    /// A comment to the end of its line, or of the code.
    fn comment(&mut self) {
        let bytes = self.rest().as_bytes();
        let ends = |at: &usize| bytes[*at] == b'\n' || bytes[*at..].starts_with(b"?>");
        self.pass((0..bytes.len()).find(ends).unwrap_or(bytes.len()));
    }

    fn name(&mut self) -> String {
        let rest = self.rest();
        let is_number = rest.as_bytes().first().is_some_and(u8::is_ascii_digit);
        let of_name = |byte: u8| is_name(byte) || is_number && byte == b'.';
        let len = rest.bytes().position(|byte| !of_name(byte)).unwrap_or(rest.len());
        self.pass(len);
        rest[..len].to_owned()
    }

    fn sign(&mut self) -> Kind {
        let rest = self.rest();
        if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            self.pass(sign.len());
            return Kind::Sign(sign);
        }
        let first = rest.chars().next().unwrap_or(' ');
        self.pass(first.len_utf8());
        const SINGLE: [&str; 25] = [
            "(", ")", "[", "]", "{", "}", ";", ",", ".", "=", "?", ":", "!", "<", ">", "+", "-",
            "*", "/", "%", "&", "|", "@", "$", "~",
        ];
        let found = SINGLE.into_iter().find(|sign| sign.starts_with(first));
        Kind::Sign(found.unwrap_or("^"))
    }

    /// A string in single quotes.
    fn single(&mut self) -> Kind {
        let line = self.line;
        self.pass(1);
        let mut text = String::new();
        while self.at < self.end {
            match self.byte(0) {
                b'\'' => {
                    self.pass(1);
                    break;
                }
                b'\\' if matches!(self.byte(1), b'\'' | b'\\') => {
                    text.push(char::from(self.byte(1)));
                    self.pass(2);
                }
                b'\\' => {
                    text.push('\\');
                    self.pass(1);
                }
                _ => self.plain(&mut text, b"'\\"),
            }
        }
        Kind::Text(pieces(&text, line))
    }

    /// Text up to one of these bytes.
    fn plain(&mut self, text: &mut String, stops: &[u8]) {
        let rest = self.rest();
        let len = rest.bytes().position(|byte| stops.contains(&byte)).unwrap_or(rest.len());
        text.push_str(&rest[..len]);
        self.pass(len);
    }

    /// A heredoc or nowdoc; none if it is a shift. Its end is the first line that begins with its name.
    fn heredoc(&mut self, depth: usize) -> Result<Option<Kind>, &'static str> {
        let rest = self.rest();
        let head = first_bytes(&rest[3..], MAX_LABEL);
        let Some(head) = head.find('\n').map(|len| &head[..len]) else { return Ok(None) };
        let name = head.trim();
        let is_nowdoc = name.starts_with('\'');
        let name = name.trim_matches(['\'', '"']);
        if name.is_empty() || !name.bytes().all(is_name) || name.as_bytes()[0].is_ascii_digit() {
            return Ok(None);
        }
        self.pass(3 + head.len() + 1);
        let body = self.rest();
        let (mut len, mut indent, mut end) = (body.len(), 0, body.len());
        let mut from = 0;
        for line in body.split_inclusive('\n') {
            let trimmed = line.trim_start_matches([' ', '\t']);
            let after = trimmed.strip_prefix(name);
            if after.is_some_and(|after| !after.bytes().next().is_some_and(is_name)) {
                indent = line.len() - trimmed.len();
                // The last line end is not part of the text.
                len = from;
                end = from + indent + name.len();
                break;
            }
            from += line.len();
        }
        let text_end = body[..len].strip_suffix('\n').map_or(len, str::len);
        let text_end = body[..text_end].strip_suffix('\r').map_or(text_end, str::len);
        let (start, outer) = (self.at, self.end);
        let kind = match is_nowdoc {
            true => Kind::Text(unindented(pieces(&body[..text_end], self.line), indent)),
            false => {
                self.end = self.at + text_end;
                let kind = self.template(None, indent, depth);
                self.end = outer;
                kind?
            }
        };
        // The part between is counted only once.
        self.pass((start + end).saturating_sub(self.at));
        Ok(Some(kind))
    }

    /// A string with variables, up to its quote or to the end of the part; `indent` blanks are left out
    /// at the beginning of lines.
    fn template(
        &mut self,
        quote: Option<u8>,
        indent: usize,
        depth: usize,
    ) -> Result<Kind, &'static str> {
        let mut parts = Vec::new();
        let mut text = Vec::new();
        while self.at < self.end {
            let (byte, line) = (self.byte(0), self.line);
            if Some(byte) == quote {
                self.pass(1);
                break;
            }
            let code = match byte {
                b'\\' => {
                    let mut escaped = String::new();
                    self.escape(&mut escaped, quote);
                    text.push(Piece { text: escaped, line });
                    continue;
                }
                b'$' if is_name(self.byte(1)) && !self.byte(1).is_ascii_digit() => self.simple()?,
                b'$' if self.byte(1) == b'{' => {
                    let start = self.at;
                    self.pass(2);
                    let name = self.name();
                    let len = first_bytes(self.rest(), MAX_LABEL).find('}');
                    self.pass(len.map_or(0, |len| len + 1));
                    let mut tokens = Vec::new();
                    self.push(&mut tokens, Kind::Variable(name), line, start)?;
                    tokens
                }
                b'{' if self.byte(1) == b'$' => {
                    if depth == MAX_NESTED {
                        return Err("strings are nested too deeply");
                    }
                    self.pass(1);
                    let mut tokens = Vec::new();
                    self.code(&mut tokens, Some(b'}'), depth + 1)?;
                    tokens
                }
                _ => {
                    let mut plain = String::new();
                    self.pass_one(&mut plain);
                    self.plain(&mut plain, b"\\${\"");
                    text.extend(pieces(&plain, line));
                    continue;
                }
            };
            parts.push(Part::Text(std::mem::take(&mut text)));
            parts.push(Part::Code(closed(code)));
        }
        if parts.is_empty() {
            return Ok(Kind::Text(unindented(text, indent)));
        }
        parts.push(Part::Text(text));
        if indent > 0 {
            let mut at_start = true;
            for part in &mut parts {
                match part {
                    Part::Text(text) => {
                        unindent(text, indent, at_start);
                        at_start = text.last().is_some_and(|it| it.text.ends_with('\n'));
                    }
                    Part::Code(_) => at_start = false,
                }
            }
        }
        Ok(Kind::Template(parts))
    }

    /// One character, whatever it is.
    fn pass_one(&mut self, text: &mut String) {
        if let Some(first) = self.rest().chars().next() {
            text.push(first);
            self.pass(first.len_utf8());
        }
    }

    fn escape(&mut self, text: &mut String, quote: Option<u8>) {
        let next = self.byte(1);
        let c = match next {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'\\' | b'$' => char::from(next),
            b'"' if quote == Some(b'"') => '"',
            _ => {
                text.push('\\');
                self.pass(1);
                return;
            }
        };
        text.push(c);
        self.pass(2);
    }

    /// `$name`, `$name[key]` or `$name->property` in a string.
    fn simple(&mut self) -> Result<Vec<Token>, &'static str> {
        let mut tokens = Vec::new();
        let (start, line) = (self.at, self.line);
        self.pass(1);
        let name = self.name();
        self.push(&mut tokens, Kind::Variable(name), line, start)?;
        let start = self.at;
        let rest = self.rest();
        let key = first_bytes(rest, MAX_LABEL).strip_prefix('[');
        let key = key.and_then(|rest| rest.split_once(']')).map(|(key, _)| key);
        let is_key = |key: &&str| !key.contains(['\n', '"', '<']);
        if let Some(key) = key.filter(is_key) {
            self.pass(key.len() + 2);
            self.push(&mut tokens, Kind::Sign("["), line, start)?;
            let text = key.trim_matches('\'');
            let kind = match text.strip_prefix('$') {
                Some(name) => Kind::Variable(name.to_owned()),
                None => Kind::Text(pieces(text, line)),
            };
            self.push(&mut tokens, kind, line, start)?;
            self.push(&mut tokens, Kind::Sign("]"), line, start)?;
        } else if rest.starts_with("->") && is_name(self.byte(2)) {
            self.pass(2);
            self.push(&mut tokens, Kind::Sign("->"), line, start)?;
            let name = self.name();
            self.push(&mut tokens, Kind::Word(name), line, start)?;
        }
        Ok(tokens)
    }
}

/// The beginning of a text: at most `len` bytes.
fn first_bytes(text: &str, len: usize) -> &str {
    let end = (0..=len.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

/// Letters, digits, underscores and all that is not ASCII.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// A text that begins in this line, a piece for each line.
pub fn pieces(text: &str, line: usize) -> Vec<Piece> {
    let lines = text.split_inclusive('\n').enumerate();
    lines.map(|(at, text)| Piece { text: text.to_owned(), line: line + at }).collect()
}

fn unindented(mut text: Vec<Piece>, indent: usize) -> Vec<Piece> {
    unindent(&mut text, indent, true);
    text
}

/// Leaves out blanks at the beginning of lines.
fn unindent(text: &mut [Piece], indent: usize, mut at_start: bool) {
    for piece in text {
        let blanks = piece.text.bytes().take(indent).take_while(|b| matches!(b, b' ' | b'\t'));
        let blanks = if at_start { blanks.count() } else { 0 };
        at_start = piece.text.ends_with('\n');
        piece.text.drain(..blanks);
    }
}
