//! Statements of a script, followed without running it.
//!
//! Loops over known arrays are unrolled; others are followed once, and that is noted. Rules: the PHP
//! manual, "Control Structures".

use super::body::body;
use super::branch::Branch;
use super::state::{Cursor, Done, Flow, Follower, ends};
use super::token::Kind;
use super::value::Value;
use crate::draft::NoteKind;

impl<'t> Follower<'t> {
    /// Follows statements up to the end.
    pub fn block(&mut self, c: &mut Cursor<'t>) -> Done<Flow> {
        self.deeper(|it| {
            while c.peek().is_some() {
                let before = c.at;
                let flow = it.statement(c)?;
                if flow != Flow::Next {
                    return Ok(flow);
                }
                // Whatever it is, it is passed.
                c.at = c.at.max(before + 1);
            }
            Ok(Flow::Next)
        })
    }

    fn statement(&mut self, c: &mut Cursor<'t>) -> Done<Flow> {
        self.spend(1)?;
        let Some(token) = c.peek() else { return Ok(Flow::Next) };
        let line = token.line;
        match &token.kind {
            Kind::Html(pieces) => {
                c.at += 1;
                self.spend_bytes(pieces.iter().map(|piece| piece.text.len() + 16).sum())?;
                self.printed.extend(pieces.iter().cloned());
                return Ok(Flow::Next);
            }
            Kind::Echo => {
                c.at += 1;
                return self.echo(c, line);
            }
            Kind::Sign(";") => {
                c.at += 1;
                return Ok(Flow::Next);
            }
            Kind::Sign("{") => {
                let mut inner = c.bracket();
                return self.block(&mut inner);
            }
            Kind::Sign("#[") => {
                c.bracket();
                return Ok(Flow::Next);
            }
            _ => {}
        }
        let Some(word) = token.word() else { return self.plain(c) };
        let is_call = c.ahead(1).is_some_and(|token| token.is("("));
        match word.as_str() {
            "echo" => {
                c.at += 1;
                self.echo(c, line)
            }
            "if" => self.conditional(c),
            "switch" if is_call => self.switch(c),
            "foreach" if is_call => self.foreach(c),
            "while" if is_call => self.while_loop(c),
            "for" | "do" | "try" | "catch" | "finally" | "else" | "elseif" => self.once(c, &word),
            "function" => {
                self.function(c);
                Ok(Flow::Next)
            }
            "class" | "trait" | "interface" | "enum" => self.class(c),
            "abstract" | "final" | "readonly" | "public" | "private" | "protected" | "var" => {
                c.at += 1;
                Ok(Flow::Next)
            }
            "const" => self.constant(c),
            "return" => {
                c.at += 1;
                if c.peek().is_some_and(|token| !ends(token)) {
                    let value = self.expression(c)?;
                    self.keep(&value)?;
                    self.returned = value;
                }
                Ok(Flow::Return)
            }
            "exit" | "die" => {
                self.expression(c)?;
                // What follows a script's end is not reached; of a function, it may be.
                Ok(Flow::Return)
            }
            "break" | "continue" => {
                c.at += 1;
                self.pass_rest(c);
                Ok(if word == "break" { Flow::Break } else { Flow::Continue })
            }
            "global" => {
                c.at += 1;
                while c.peek().is_some_and(|token| !ends(token)) {
                    if let Some(Kind::Variable(name)) = c.peek().map(|token| &token.kind) {
                        let value = self.scopes.first().and_then(|scope| scope.get(name));
                        if let Some(value) = value.cloned() {
                            self.globals.remove(name);
                            self.assign(name, &[], value)?;
                        }
                        self.globals.insert(name.clone());
                    }
                    c.at += 1;
                }
                Ok(Flow::Next)
            }
            "namespace" | "use" | "declare" | "goto" | "unset" => {
                c.at += 1;
                self.pass_rest(c);
                Ok(Flow::Next)
            }
            _ => self.plain(c),
        }
    }

    /// A statement that is an expression.
    fn plain(&mut self, c: &mut Cursor<'t>) -> Done<Flow> {
        self.expression(c)?;
        self.pass_rest(c);
        Ok(Flow::Next)
    }

    /// Passes what is left of a statement.
    pub fn pass_rest(&mut self, c: &mut Cursor<'t>) {
        while let Some(token) = c.peek() {
            if ends(token) {
                c.take(";");
                return;
            }
            match token.is("{") {
                true => {
                    c.bracket();
                    return;
                }
                false if token.is("(") || token.is("[") => drop(c.bracket()),
                false => c.at += 1,
            }
        }
    }

    fn echo(&mut self, c: &mut Cursor<'t>, line: usize) -> Done<Flow> {
        loop {
            let at = c.line().max(line);
            let value = self.expression(c)?;
            self.print(&value, at)?;
            if !c.take(",") {
                break;
            }
        }
        self.pass_rest(c);
        Ok(Flow::Next)
    }

    /// `if` with all that belongs to it.
    fn conditional(&mut self, c: &mut Cursor<'t>) -> Done<Flow> {
        let mut branches = Vec::new();
        let mut is_else = false;
        loop {
            let line = c.line();
            c.at += 1;
            let condition = if is_else && !c.is("(") {
                None
            } else {
                let start = c.at + 1;
                let mut inner = c.bracket();
                let value = self.expression(&mut inner)?;
                Some((self.quoted(&c.tokens[start.min(inner.end)..inner.end]), value))
            };
            let body = body(c, &["else", "elseif", "endif"]);
            branches.push(Branch { condition, line, body });
            if c.is_word("else") && c.ahead(1).is_some_and(|token| token.is_word("if")) {
                c.at += 1;
            } else if c.is_word("endif") {
                c.at += 1;
                c.take(";");
                break;
            } else if !c.is_word("else") && !c.is_word("elseif") {
                break;
            }
            is_else = c.is_word("else");
            self.spend(1)?;
        }
        self.branches(branches)
    }

    /// `switch`: the case that holds, or all of them like branches.
    fn switch(&mut self, c: &mut Cursor<'t>) -> Done<Flow> {
        c.at += 1;
        let start = c.at + 1;
        let mut inner = c.bracket();
        let subject = self.expression(&mut inner)?;
        let shown = self.quoted(&c.tokens[start.min(inner.end)..inner.end]);
        let mut body = body(c, &["endswitch"]);
        if c.take_word("endswitch") {
            c.take(";");
        }
        let mut branches: Vec<Branch> = Vec::new();
        let mut default = None;
        while let Some(token) = body.peek() {
            self.spend(1)?;
            let (line, is_default) = (token.line, token.is_word("default"));
            if !is_default && !token.is_word("case") {
                body.at += 1;
                continue;
            }
            body.at += 1;
            let start = body.at;
            let value = if is_default { Value::Null } else { self.expression(&mut body)? };
            let case = self.quoted(body.since(start));
            if !body.take(":") {
                body.take(";");
            }
            let start = body.at;
            while let Some(token) = body.peek() {
                if token.is_word("case") || token.is_word("default") {
                    break;
                }
                match token.is("{") || token.is("(") || token.is("[") {
                    true => drop(body.bracket()),
                    false => body.at += 1,
                }
            }
            let part = Cursor::new(body.tokens, start, body.at);
            if is_default {
                default = Some(Branch { condition: None, line, body: part });
                continue;
            }
            let holds = match (subject.known(), value.known()) {
                (Some(text), Some(value))
                    if !text.contains("%EMAIL") && !self.is_open(&subject) =>
                {
                    Value::Flag(text == value)
                }
                _ => Value::unknown("", line),
            };
            let condition = Some((format!("{shown} == {case}"), holds));
            branches.push(Branch { condition, line, body: part });
        }
        // A case without statements is that of the next one.
        for at in (1..branches.len()).rev() {
            if branches[at - 1].body.peek().is_none() {
                branches[at - 1].body = branches[at].body;
            }
        }
        branches.extend(default);
        match self.branches(branches)? {
            Flow::Break => Ok(Flow::Next),
            flow => Ok(flow),
        }
    }

    /// `foreach`: each entry of a known array; else its body once.
    fn foreach(&mut self, c: &mut Cursor<'t>) -> Done<Flow> {
        let line = c.line();
        c.at += 1;
        let start = c.at + 1;
        let mut head = c.bracket();
        let subject = self.expression(&mut head)?;
        let shown = self.quoted(&c.tokens[start.min(head.at)..head.at]);
        head.take_word("as");
        let body = body(c, &["endforeach"]);
        if c.take_word("endforeach") {
            c.take(";");
        }
        let pairs = match &subject {
            Value::Array(entries) => entries.list().to_vec(),
            _ => {
                let text = format!("the loop over `{shown}` is followed once");
                self.note(NoteKind::Warning, line, text);
                let of = |part: &str| Value::unknown(format!("{part} of {shown}"), line);
                vec![("a key".to_owned(), of("an entry"))]
            }
        };
        self.rounds(pairs, head, body, line)
    }

    /// `while (list($key, $value) = each($array))` is a loop over the array; any other is followed once.
    fn while_loop(&mut self, c: &mut Cursor<'t>) -> Done<Flow> {
        let line = c.line();
        c.at += 1;
        let mut head = c.bracket();
        let body = body(c, &["endwhile"]);
        if c.take_word("endwhile") {
            c.take(";");
        }
        let is_each = head.is_word("list") && head.rest().iter().any(|token| token.is_word("each"));
        if is_each {
            head.at += 1;
            let names = head.bracket();
            head.take("=");
            head.take_word("each");
            let mut of = head.bracket();
            if let Value::Array(entries) = self.expression(&mut of)? {
                return self.rounds(entries.list().to_vec(), names, body, line);
            }
        }
        let mut once = body;
        self.expression(&mut head)?;
        self.block(&mut once)?;
        Ok(Flow::Next)
    }

    /// A round for each pair of key and value; `names` has the variables.
    fn rounds(
        &mut self,
        pairs: Vec<(String, Value)>,
        names: Cursor<'t>,
        body: Cursor<'t>,
        line: usize,
    ) -> Done<Flow> {
        for (key, value) in pairs {
            self.spend(1)?;
            let mut names = names;
            names.take("&");
            let first = match names.peek().map(|token| &token.kind) {
                Some(Kind::Variable(name)) => Some(name.clone()),
                _ => None,
            };
            let has_key = names.ahead(1).is_some_and(|it| it.is("=>") || it.is(","));
            if let (Some(name), true) = (&first, has_key) {
                self.assign(name, &[], Value::text(key, line))?;
                names.at += 2;
                names.take("&");
            }
            match names.peek().map(|token| &token.kind) {
                Some(Kind::Variable(name)) => self.assign(name, &[], value)?,
                Some(Kind::Sign("[")) => self.unpack(&mut names.bracket(), &value)?,
                Some(Kind::Word(_)) => {
                    names.at += 1;
                    self.unpack(&mut names.bracket(), &value)?;
                }
                _ => {}
            }
            let mut round = body;
            match self.block(&mut round)? {
                Flow::Break => break,
                Flow::Return => return Ok(Flow::Return),
                Flow::Next | Flow::Continue => {}
            }
        }
        Ok(Flow::Next)
    }

    /// A block that is followed once: a loop, or a part of `try`.
    fn once(&mut self, c: &mut Cursor<'t>, word: &str) -> Done<Flow> {
        c.at += 1;
        if c.is("(") {
            c.bracket();
        }
        let mut body = body(c, &["endfor"]);
        if c.take_word("endfor") {
            c.take(";");
        }
        match word {
            "try" | "finally" => self.block(&mut body),
            // What an error or a second round would do is not known.
            "catch" => Ok(Flow::Next),
            _ => self.block(&mut body).map(|_| Flow::Next),
        }
    }
}
