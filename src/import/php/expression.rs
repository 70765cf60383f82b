//! Expressions of a script: what their value is, as far as it is known.
//!
//! Rules: the PHP manual, "Operator Precedence". Both sides of a choice are looked at; the value is
//! known if the condition is, or if both sides are the same.

use super::state::{Argument, Cursor, Done, Follower, Target};
use super::token::{Kind, Part, Token};
use super::value::{AT, BEHIND_AT, Entries, Value, entry, is_same, of_parameter, parameters};
use std::rc::Rc;

/// The variables with the parameters of the request.
const REQUEST: [&str; 3] = ["_GET", "_POST", "_REQUEST"];

/// How strongly operators bind; none for other tokens.
fn level(token: &Token) -> Option<(u8, &str)> {
    let Kind::Sign(sign) = &token.kind else {
        let word = match &token.kind {
            Kind::Word(word) => word.as_str(),
            _ => return None,
        };
        let words = [("or", 1), ("xor", 2), ("and", 3), ("instanceof", 16)];
        let mut found = words.into_iter().filter(|(known, _)| word.eq_ignore_ascii_case(known));
        return found.next().map(|(known, level)| (level, known));
    };
    let level = match *sign {
        "?" => 5,
        "??" => 6,
        "||" => 7,
        "&&" => 8,
        "|" | "^" | "&" => 9,
        "==" | "!=" | "===" | "!==" | "<>" | "<=>" => 10,
        "<" | "<=" | ">" | ">=" => 11,
        "." | "<<" | ">>" => 12,
        "+" | "-" => 13,
        "*" | "/" | "%" => 14,
        "**" => 17,
        _ => return None,
    };
    Some((level, sign))
}

impl<'t> Follower<'t> {
    /// The value of the expression at the cursor.
    pub fn expression(&mut self, c: &mut Cursor<'t>) -> Done<Value> {
        self.operators(c, 0)
    }

    pub fn operators(&mut self, c: &mut Cursor<'t>, least: u8) -> Done<Value> {
        self.deeper(|it| {
            let start = c.at;
            let mut left = it.operand(c)?;
            while let Some(token) = c.peek() {
                let Some((level, sign)) = level(token).filter(|(level, _)| *level >= least) else {
                    break;
                };
                it.spend(1)?;
                c.at += 1;
                left = match sign {
                    "?" => it.choice(left, c, start)?,
                    "." => {
                        let right = it.operators(c, level + 1)?;
                        it.joined(&left, &right, token.line)?
                    }
                    _ => {
                        let right = it.operators(c, level + 1)?;
                        it.calculated(sign, &left, &right, c.since(start))
                    }
                };
            }
            Ok(left)
        })
    }

    /// `condition ? yes : no` and `value ?: other`, behind the `?`.
    fn choice(&mut self, condition: Value, c: &mut Cursor<'t>, start: usize) -> Done<Value> {
        let yes = match c.is(":") {
            true => condition.clone(),
            false => self.expression(c)?,
        };
        c.take(":");
        let no = self.operators(c, 6)?;
        Ok(match condition.truth() {
            Some(true) => yes,
            Some(false) => no,
            None if is_same(&yes, &no) => yes,
            None => self.not_known(c.since(start)),
        })
    }

    fn calculated(&self, sign: &str, left: &Value, right: &Value, tokens: &[Token]) -> Value {
        let is_open = self.is_open(left) || self.is_open(right);
        let truth = match sign {
            "==" | "===" | "!=" | "<>" | "!==" if is_open => None,
            "??" => match left {
                Value::Null => return right.clone(),
                Value::Unknown(_) => None,
                _ => return left.clone(),
            },
            "&&" | "and" => match (left.truth(), right.truth()) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            "||" | "or" => match (left.truth(), right.truth()) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            "==" => equal(left, right, false),
            "===" => equal(left, right, true),
            "!=" | "<>" => equal(left, right, false).map(|it| !it),
            "!==" => equal(left, right, true).map(|it| !it),
            "+" if left.is(AT) && right.is("1") => return Value::text(BEHIND_AT, 0),
            // Conditions like `strpos(…) > 0`.
            ">" | ">=" if left.is(AT) => Some(true),
            _ => None,
        };
        truth.map_or_else(|| self.not_known(tokens), Value::Flag)
    }

    /// A value with all that stands directly before and behind it.
    pub fn operand(&mut self, c: &mut Cursor<'t>) -> Done<Value> {
        let start = c.at;
        let Some(token) = c.peek() else { return Ok(Value::Null) };
        let line = token.line;
        match &token.kind {
            Kind::Html(_) | Kind::Echo => Ok(Value::Null),
            Kind::Variable(name) => {
                c.at += 1;
                self.variable_and_more(name, c, start)
            }
            Kind::Text(pieces) => {
                c.at += 1;
                self.spend_bytes(pieces.iter().map(|piece| piece.text.len() + 16).sum())?;
                self.behind(Value::Text(Rc::new(pieces.clone())), c, start)
            }
            Kind::Template(parts) => {
                c.at += 1;
                let text = self.template(parts, line)?;
                self.behind(text, c, start)
            }
            Kind::Word(word) => {
                c.at += 1;
                self.word(word, c, start)
            }
            Kind::Sign("!") => {
                c.at += 1;
                let value = self.operators(c, 15)?;
                let unknown = |it: &Self| it.not_known(c.since(start));
                Ok(value.truth().map_or_else(|| unknown(self), |truth| Value::Flag(!truth)))
            }
            Kind::Sign("@" | "&" | "\\" | "..." | "+" | "++" | "--") => {
                c.at += 1;
                self.operators(c, 15)
            }
            Kind::Sign("-") => {
                c.at += 1;
                let value = self.operators(c, 15)?;
                self.joined(&Value::text("-", line), &value, line)
            }
            Kind::Sign("(") => {
                let mut inner = c.bracket();
                if is_cast(&inner) {
                    return self.operators(c, 15);
                }
                let value = self.expression(&mut inner)?;
                self.behind(value, c, start)
            }
            Kind::Sign("[") => {
                let mut inner = c.bracket();
                if c.is("=") {
                    return self.unpacked(inner, c);
                }
                let value = self.array(&mut inner)?;
                self.behind(value, c, start)
            }
            Kind::Sign(_) => {
                c.at += 1;
                Ok(self.not_known(c.since(start)))
            }
        }
    }

    fn template(&mut self, parts: &'t [Part], line: usize) -> Done<Value> {
        let mut all = Vec::new();
        for part in parts {
            let pieces = match part {
                Part::Text(pieces) => Rc::new(pieces.clone()),
                Part::Code(tokens) => {
                    let mut inner = Cursor::new(tokens, 0, tokens.len());
                    let line = inner.line().max(line);
                    self.expression(&mut inner)?.pieces(line)
                }
            };
            self.spend_bytes(pieces.iter().map(|piece| piece.text.len() + 16).sum())?;
            all.extend(pieces.iter().cloned());
        }
        Ok(Value::Text(Rc::new(all)))
    }

    /// A variable with its keys, and what is assigned to it.
    fn variable_and_more(&mut self, name: &str, c: &mut Cursor<'t>, start: usize) -> Done<Value> {
        let mut target = Target { name: name.to_owned(), keys: Vec::new() };
        let mut value = self.variable(name);
        if name == "GLOBALS" && c.is("[") {
            // Those of the script itself, as if they were its own.
            let mut inner = c.bracket();
            let key = self.expression(&mut inner)?.known().unwrap_or_default();
            value = self.scopes.first().and_then(|scope| scope.get(&key)).cloned();
            target.name = key;
        }
        loop {
            if c.is("[") {
                let mut inner = c.bracket();
                let key = match inner.peek() {
                    Some(_) => Some(self.expression(&mut inner)?.known()),
                    None => None,
                };
                let text = key.clone().flatten();
                let inner_value = match (&text, &value) {
                    (Some(key), None) => request_value(&target, key),
                    (Some(key), Some(value)) => entry(value, key),
                    (None, _) => None,
                };
                value = Some(inner_value.unwrap_or_else(|| self.not_known(c.since(start))));
                target.keys.push(text);
                continue;
            }
            let is_property = c.is("->") || c.is("?->");
            let is_call = c.ahead(2).is_some_and(|token| token.is("("));
            let property = match c.ahead(1).map(|token| &token.kind) {
                Some(Kind::Word(word)) if is_property && !is_call => word,
                _ => break,
            };
            c.at += 2;
            let of = value.take().unwrap_or(Value::Null);
            let found = self.property(&of, property);
            value = Some(found.unwrap_or_else(|| self.not_known(c.since(start))));
            target.keys.push(Some(property.clone()));
        }
        if let Some(assigned) = self.assignment(&target, c, start)? {
            return Ok(assigned);
        }
        let is_request = REQUEST.contains(&name) && target.keys.is_empty();
        let value = value.or_else(|| is_request.then(parameters));
        let value = value.unwrap_or_else(|| self.not_known(c.since(start)));
        self.behind(value, c, start)
    }

    /// What is assigned to a target, if an assignment is at the cursor.
    pub fn assignment(
        &mut self,
        target: &Target,
        c: &mut Cursor<'t>,
        start: usize,
    ) -> Done<Option<Value>> {
        let Some(Kind::Sign(sign)) = c.peek().map(|token| &token.kind) else { return Ok(None) };
        let (sign, line) = (*sign, c.line());
        if !sign.ends_with('=') || matches!(sign, "==" | "===" | "!=" | "!==" | "<=" | ">=") {
            return Ok(None);
        }
        c.at += 1;
        let right_start = c.at;
        let right = self.operators(c, 4)?;
        let before = |it: &Self| {
            let mut value = it.variable(&target.name)?;
            for key in &target.keys {
                value = entry(&value, key.as_deref()?)?;
            }
            Some(value)
        };
        let value = match sign {
            "=" => self.named_by(target, right, c.since(right_start)),
            ".=" => {
                let before = before(self).unwrap_or(Value::Null);
                self.joined(&before, &right, line)?
            }
            "??=" => match before(self) {
                Some(Value::Null) | None => right,
                Some(before) => before,
            },
            _ => self.not_known(c.since(start)),
        };
        self.put(target, value.clone())?;
        Ok(Some(value))
    }

    /// A value that is not known is named by the assignment, which says most.
    fn named_by(&self, target: &Target, value: Value, tokens: &[Token]) -> Value {
        match &value {
            Value::Unknown(it) if !value.is_host() && target.keys.is_empty() => {
                let is_here = tokens.first().is_some_and(|token| token.line == it.line);
                if is_here { self.not_known(tokens) } else { value }
            }
            _ => value,
        }
    }

    fn put(&mut self, target: &Target, value: Value) -> Done<()> {
        if let [Some(key)] = &target.keys[..] {
            if let Some(Value::Node(node)) = self.variable(&target.name) {
                return self.set_property(node, key, value);
            }
        }
        self.assign(&target.name, &target.keys, value)
    }

    /// `list($a, $b) = …` or `[$a, $b] = …`, at the `=`.
    pub fn unpacked(&mut self, mut names: Cursor<'t>, c: &mut Cursor<'t>) -> Done<Value> {
        c.take("=");
        let value = self.operators(c, 4)?;
        self.unpack(&mut names, &value)?;
        Ok(value)
    }

    /// Assigns the entries of a value to the variables of a list.
    pub fn unpack(&mut self, names: &mut Cursor<'t>, value: &Value) -> Done<()> {
        let mut next = 0;
        while names.peek().is_some() {
            self.spend(1)?;
            let mut key = None;
            if names.ahead(1).is_some_and(|token| token.is("=>")) {
                key = self.operand(names)?.known();
                names.take("=>");
            }
            let key = key.unwrap_or_else(|| next.to_string());
            if let Some(Kind::Variable(name)) = names.peek().map(|token| &token.kind) {
                let unknown = |it: &Self| it.not_known(names.rest().get(..1).unwrap_or_default());
                let entry = entry(value, &key).unwrap_or_else(|| unknown(self));
                names.at += 1;
                self.assign(name, &[], entry)?;
            }
            while names.peek().is_some_and(|token| !token.is(",")) {
                names.at += 1;
            }
            names.at += 1;
            next += 1;
        }
        Ok(())
    }

    /// The entries of `[…]` or `array(…)`.
    pub fn array(&mut self, c: &mut Cursor<'t>) -> Done<Value> {
        let mut entries = Entries::default();
        while c.peek().is_some() {
            let before = c.at;
            let mut value = self.expression(c)?;
            let mut key = None;
            if c.take("=>") {
                key = Some(value.known().unwrap_or_default());
                value = self.expression(c)?;
            }
            if !entries.set(key, value) {
                return Err("the script has an array that is too long");
            }
            if !c.take(",") && c.at == before {
                c.at += 1;
            }
        }
        Ok(Value::Array(Rc::new(entries)))
    }

    /// The arguments of a call, from its bracket on.
    pub fn arguments(&mut self, c: &mut Cursor<'t>) -> Done<Vec<Argument>> {
        let mut inner = c.bracket();
        let mut arguments = Vec::new();
        while let Some(first) = inner.peek() {
            let before = inner.at;
            if matches!(first.kind, Kind::Word(_)) && inner.ahead(1).is_some_and(|it| it.is(":")) {
                inner.at += 2;
            }
            let start = inner.at;
            let value = self.expression(&mut inner)?;
            let name = match inner.tokens.get(start).map(|token| &token.kind) {
                Some(Kind::Variable(name)) if inner.at == start + 1 => Some(name.clone()),
                _ => None,
            };
            arguments.push(Argument { value, name });
            if !inner.take(",") && inner.at == before {
                inner.at += 1;
            }
        }
        Ok(arguments)
    }
}

/// A parameter of the request: `$_GET['emailaddress']`.
fn request_value(target: &Target, key: &str) -> Option<Value> {
    if !REQUEST.contains(&target.name.as_str()) || !target.keys.is_empty() {
        return None;
    }
    of_parameter(key)
}

/// True for the type of a cast.
fn is_cast(inner: &Cursor) -> bool {
    let types =
        ["int", "integer", "string", "bool", "boolean", "float", "double", "array", "object"];
    inner.end == inner.at + 1 && types.iter().any(|word| inner.is_word(word))
}

/// Whether two values are equal, if known. The address of a request may be any, but it is not empty.
fn equal(left: &Value, right: &Value, is_strict: bool) -> Option<bool> {
    let of_flag = |flag: bool, other: &Value| match other {
        Value::Unknown(_) => None,
        Value::Flag(other) => Some(flag == *other),
        _ if is_strict => Some(false),
        other => other.truth().map(|truth| truth == flag),
    };
    match (left, right) {
        (Value::Flag(flag), other) | (other, Value::Flag(flag)) => of_flag(*flag, other),
        (Value::Null, other) | (other, Value::Null) => match other {
            Value::Unknown(_) => None,
            Value::Null => Some(true),
            _ if is_strict => Some(false),
            other => other.truth().map(|truth| !truth),
        },
        _ => {
            let (left, right) = (left.known()?, right.known()?);
            let is_open = |text: &str| text.contains("%EMAIL");
            match left == right {
                true => Some(true),
                false if left.is_empty() || right.is_empty() => Some(false),
                false if is_open(&left) || is_open(&right) => None,
                false => Some(false),
            }
        }
    }
}
