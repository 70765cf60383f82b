//! What a script defines: functions, classes and constants.
//!
//! Rules: the PHP manual, "Functions" and "Classes and Objects". Methods are functions, and constants of
//! classes are constants: names of different classes are not told apart.

use super::state::{Cursor, Done, Flow, Follower, Function, ends};
use super::token::{Kind, Token};

impl<'t> Follower<'t> {
    /// Keeps a function; it is followed where it is called.
    pub fn function(&mut self, c: &mut Cursor<'t>) {
        c.at += 1;
        c.take("&");
        let name = c.peek().and_then(Token::word).unwrap_or_default();
        c.at += usize::from(!name.is_empty());
        let parameters = if c.is("(") { c.bracket() } else { Cursor::new(c.tokens, c.at, c.at) };
        while c.peek().is_some_and(|token| !token.is("{") && !token.is(";")) {
            c.at += 1;
        }
        if c.is("{") {
            let body = c.bracket();
            let it = Function { parameters, body, is_called: false, is_running: false };
            // It is known from before, unless another one has its name.
            let is_known = self.functions.get(&name).is_some_and(|it| it.body.at == body.at);
            if !is_known {
                self.functions.insert(name, it);
            }
        }
    }

    /// Keeps the functions of a script, which may be called before they are defined. Those of classes are
    /// among them.
    pub fn functions(&mut self, mut c: Cursor<'t>) -> Done<()> {
        while let Some(token) = c.peek() {
            let at = c.at;
            let is_named = c.ahead(1).is_some_and(|token| token.word().is_some() || token.is("&"));
            if token.is_word("function") && is_named {
                self.spend(1)?;
                self.function(&mut c);
            }
            // Functions may be in others.
            c.at = at + 1;
        }
        Ok(())
    }

    /// A class: its constants, its properties with their values, its methods.
    pub fn class(&mut self, c: &mut Cursor<'t>) -> Done<Flow> {
        while c.peek().is_some_and(|token| !token.is("{") && !token.is(";")) {
            c.at += 1;
        }
        let mut body = c.bracket();
        while let Some(token) = body.peek() {
            self.spend(1)?;
            let before = body.at;
            if token.is_word("function") {
                self.function(&mut body);
            } else if token.is_word("const") {
                self.constant(&mut body)?;
            } else if let Kind::Variable(name) = &token.kind {
                body.at += 1;
                if body.take("=") {
                    let value = self.expression(&mut body)?;
                    self.assign("this", &[Some(name.clone())], value)?;
                }
                self.pass_rest(&mut body);
            }
            body.at = body.at.max(before + 1);
        }
        Ok(Flow::Next)
    }

    /// `const NAME = value;`
    pub fn constant(&mut self, c: &mut Cursor<'t>) -> Done<Flow> {
        c.at += 1;
        while let Some(token) = c.peek() {
            if ends(token) {
                break;
            }
            self.spend(1)?;
            let is_named = c.ahead(1).is_some_and(|token| token.is("="));
            match &token.kind {
                Kind::Word(name) if is_named => {
                    c.at += 2;
                    let value = self.expression(c)?;
                    self.constants.insert(name.clone(), value.unless_secret(name));
                }
                _ => c.at += 1,
            }
        }
        self.pass_rest(c);
        Ok(Flow::Next)
    }
}
