//! Statements of a script, followed without running it.
//!
//! Where a condition is not known, all its branches are looked at; the last one counts, which is what
//! happens if no condition holds, and what the others would change is noted. Loops over known arrays
//! are unrolled. Rules: the PHP manual, "Control Structures".

use super::body::body;
use super::state::{Cursor, Done, Flow, Follower, ends};
use super::token::{Kind, Piece};
use super::value::{Value, is_same};
use crate::draft::{NoteKind, is_secret};
use crate::import::marked::{MARK_END, MARK_START};
use std::collections::BTreeMap;

/// A branch of a condition.
struct Branch<'t> {
    /// The condition as it is written, with its value; none for `else`.
    condition: Option<(String, Value)>,
    line: usize,
    body: Cursor<'t>,
}

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
                            self.assign(name, &[], value)?;
                        }
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

    /// Follows the branch that holds, or all that may.
    fn branches(&mut self, branches: Vec<Branch<'t>>) -> Done<Flow> {
        let mut open = Vec::new();
        let mut last = None;
        for branch in branches {
            match branch.condition.as_ref().map(|(_, value)| value.truth()) {
                Some(Some(false)) => {}
                Some(None) => open.push(branch),
                None | Some(Some(true)) => {
                    last = Some(branch);
                    break;
                }
            }
        }
        if open.is_empty() {
            return match last {
                Some(mut branch) => self.block(&mut branch.body),
                None => Ok(Flow::Next),
            };
        }
        let before = self.scope().clone();
        let printed = std::mem::take(&mut self.printed);
        let mut results = Vec::new();
        let count = open.len();
        for mut branch in open.into_iter().chain(last) {
            self.spend(before.len())?;
            *self.scope() = before.clone();
            self.block(&mut branch.body)?;
            let scope = std::mem::take(self.scope());
            results.push((branch, scope, std::mem::take(&mut self.printed)));
        }
        // Without an `else` that holds, the variables are what they were.
        let mut general = match results.len() > count {
            true => results.last().map(|(_, scope, _)| scope.clone()).unwrap_or_default(),
            false => before.clone(),
        };
        for (branch, scope, _) in &results[..count] {
            let text = branch.condition.as_ref().map_or("", |(text, _)| text);
            self.changed(text, branch.line, scope, &mut general);
        }
        *self.scope() = general;
        self.printed = printed;
        self.print_branches(results.into_iter().map(|(branch, _, text)| (branch, text)).collect())?;
        Ok(Flow::Next)
    }

    /// Notes what a branch changes; what is only known there is taken from there.
    fn changed(
        &mut self,
        condition: &str,
        line: usize,
        scope: &BTreeMap<String, Value>,
        general: &mut BTreeMap<String, Value>,
    ) {
        for (name, value) in scope {
            match general.get(name) {
                None => drop(general.insert(name.clone(), value.clone())),
                Some(known) if is_same(known, value) => {}
                Some(_) => {
                    let shown = match (value, value.known()) {
                        (Value::Unknown(it), _) => format!(" = {}", it.text),
                        (_, Some(text)) if !text.contains('\n') && !is_secret(name, &text) => {
                            format!(" = \"{text}\"")
                        }
                        _ => String::new(),
                    };
                    let text = format!("only if `{condition}`: ${name}{shown}");
                    self.note(NoteKind::NotCarried, line, text);
                }
            }
        }
    }

    /// Prints what branches print: each if it is a part of a document, a mark if it is a part of a value.
    fn print_branches(&mut self, results: Vec<(Branch, Vec<Piece>)>) -> Done<()> {
        let text = |pieces: &[Piece]| pieces.iter().map(|it| &*it.text).collect::<String>();
        let texts: Vec<_> = results.iter().map(|(_, pieces)| text(pieces)).collect();
        let some = texts.iter().filter(|text| !text.trim().is_empty()).count();
        if some == 0 {
            return Ok(());
        }
        let is_whole =
            |text: &String| crate::import::part::DOCUMENTS.iter().any(|it| text.contains(it.0));
        let is_markup = |text: &String| text.contains('<');
        let Some((first, _)) = results.first() else { return Ok(()) };
        let condition = first.condition.as_ref().map_or("", |(text, _)| text);
        if !texts.iter().any(is_markup) {
            let line = first.line;
            // A value in a document: what it is depends on the condition.
            let escaped =
                condition.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            let text = format!("{MARK_START}if ({escaped}){MARK_END}");
            self.printed.push(Piece { text, line });
            return Ok(());
        }
        if !texts.iter().any(is_whole) {
            let text = format!("`if ({condition})` is taken as true");
            self.note(NoteKind::Warning, first.line, text);
        }
        for (_, pieces) in results {
            self.printed.extend(pieces);
        }
        Ok(())
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
                (Some(subject), Some(value)) if !subject.contains("%EMAIL") => {
                    Value::Flag(subject == value)
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
