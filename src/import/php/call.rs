//! Calls of functions: those of the script itself, and those of PHP that take texts apart or put them
//! together.
//!
//! Rules: the PHP manual, "Function Reference". Of the address only what the known scripts do with it is
//! followed: it is split at its `@`, in one of the ways to write that. Everything else is not known.

use super::pattern::{is_host_pattern, matches, part_by_pattern};
use super::state::{Argument, Cursor, Done, Follower, Function};
use super::token::{Kind, Piece, Token};
use super::value::{AT, BEHIND_AT, EMAIL_DOMAIN, Value, is_same, of_parameter, parameters};
use crate::account::{EMAIL_ADDRESS, EMAIL_LOCAL_PART};
use crate::draft::NoteKind;
use crate::import::marked::MARK_START;
use crate::order;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Functions that read a file.
const READS: [&str; 6] = [
    "file_get_contents",
    "file",
    "readfile",
    "parse_ini_file",
    "simplexml_load_file",
    "yaml_parse_file",
];
/// Parameters of functions for the address of the request.
const ADDRESSES: [&str; 4] = ["email", "emailaddress", "email_address", "mailaddress"];
/// Methods of requests in frameworks that have the value of a parameter.
const OF_REQUESTS: [&str; 7] =
    ["get", "query", "input", "post", "getparam", "getqueryparam", "getpost"];
/// The domain with the `@` before it.
const AT_DOMAIN: &str = "@%EMAILDOMAIN%";

impl<'t> Follower<'t> {
    /// The value of a call of a function by its name in small letters.
    pub fn called(&mut self, name: &str, arguments: Vec<Argument>, call: &[Token]) -> Done<Value> {
        self.spend(1)?;
        if self.is_followed(name) {
            return self.followed(name, arguments);
        }
        let line = call.first().map_or(1, |token| token.line);
        self.reads_file(name, &arguments, call);
        if let Some(value) = self.of_php(name, &arguments, line)? {
            return Ok(value);
        }
        for argument in &arguments {
            self.keep(&argument.value)?;
        }
        Ok(self.not_known(call))
    }

    /// Notes a file that the script reads, which is not read here.
    fn reads_file(&mut self, name: &str, arguments: &[Argument], call: &[Token]) {
        let is_body = |it: &Argument| it.value.known().is_some_and(|it| it.starts_with("php://"));
        if !READS.contains(&name) || arguments.first().is_none_or(is_body) {
            return;
        }
        match name {
            // Its text is named where it is printed.
            "file_get_contents" | "file" | "readfile" => {
                let line = call.first().map_or(1, |token| token.line);
                let text = self.quoted(call);
                self.unread.get_or_insert((line, text));
            }
            _ => self.not_read(call),
        }
    }

    /// Notes a file that is not read.
    pub fn not_read(&mut self, call: &[Token]) {
        let line = call.first().map_or(1, |token| token.line);
        let text = self.quoted(call);
        self.note(NoteKind::NotCarried, line, format!("`{text}`: that file is not read"));
        self.unread.get_or_insert((line, text));
    }

    /// True for a function of the script. One that calls itself is not followed further; methods of
    /// different classes may have the same name.
    fn is_followed(&self, name: &str) -> bool {
        self.functions.get(name).is_some_and(|function| !function.is_running)
    }

    /// Follows a function of the script.
    fn followed(&mut self, name: &str, arguments: Vec<Argument>) -> Done<Value> {
        let Some(function) = self.functions.get_mut(name) else { return Ok(Value::Null) };
        (function.is_called, function.is_running) = (true, true);
        let Function { parameters, mut body, .. } = *function;
        let value = self.deeper(|it| {
            let scope = it.parameters(parameters, arguments)?;
            it.scopes.push(scope);
            let returned = std::mem::replace(&mut it.returned, Value::Null);
            let result = it.block(&mut body);
            it.scopes.pop();
            let value = std::mem::replace(&mut it.returned, returned);
            result.map(|_| value)
        })?;
        if let Some(function) = self.functions.get_mut(name) {
            function.is_running = false;
        }
        Ok(value)
    }

    /// The variables of a function when it begins.
    fn parameters(
        &mut self,
        mut c: Cursor<'t>,
        arguments: Vec<Argument>,
    ) -> Done<BTreeMap<String, Value>> {
        let mut scope = BTreeMap::new();
        let mut arguments = arguments.into_iter();
        while let Some(token) = c.peek() {
            self.spend(1)?;
            c.at += 1;
            let Kind::Variable(name) = &token.kind else { continue };
            let default = match c.take("=") {
                true => Some(self.expression(&mut c)?),
                false => None,
            };
            let argument = arguments.next();
            let is_reference = c.at >= 2 && c.tokens[c.at - 2].is("&");
            if let Some(name) = argument.as_ref().and_then(|it| it.name.clone()) {
                if is_reference {
                    let unknown = Value::unknown(format!("${name}"), token.line);
                    self.scope().insert(name, unknown);
                }
            }
            let value = argument.map(|argument| argument.value).or(default);
            let unknown = || {
                of_parameter(name).unwrap_or_else(|| Value::unknown(format!("${name}"), token.line))
            };
            // What is passed as the address is the address, wherever the script has it from.
            let is_named = ADDRESSES.iter().any(|known| name.eq_ignore_ascii_case(known));
            let is_address = |value: &Value| is_named && matches!(value, Value::Unknown(_));
            let value = value.filter(|value| !is_address(value));
            scope.insert(name.clone(), value.unwrap_or_else(unknown));
        }
        Ok(scope)
    }

    /// Follows the functions that were not called.
    pub fn follow_others(&mut self) -> Done<()> {
        // Those that others call are followed from there, where their arguments are known.
        let tokens = self.functions.values().next().map_or(&[][..], |it| it.body.tokens);
        let calls = tokens.windows(3).filter(|it| it[2].is("(") && !it[0].is_word("function"));
        let calls: BTreeSet<_> = calls.filter_map(|it| it[1].word()).collect();
        let mut names: Vec<_> = self.functions.keys().cloned().collect();
        order::sort_by_key(&mut names, |name: &String| {
            (name != "__construct", calls.contains(name))
        });
        for name in names {
            if self.functions.get(&name).is_some_and(|function| !function.is_called) {
                let printed = std::mem::take(&mut self.printed);
                let value = self.followed(&name, Vec::new())?;
                self.keep(&value)?;
                let text = std::mem::replace(&mut self.printed, printed);
                self.texts.push(text);
            }
        }
        Ok(())
    }

    /// The value of a function of PHP; none if it is not known.
    fn of_php(&mut self, name: &str, arguments: &[Argument], line: usize) -> Done<Option<Value>> {
        let value = |at: usize| arguments.get(at).map(|argument| &argument.value);
        let Some(first) = value(0) else { return Ok(None) };
        let is_at = |at: usize| value(at).is_some_and(|value| value.is("@"));
        let known = |at: usize| value(at).and_then(Value::known);
        let text = |text: &str| Some(Value::text(text, line));
        Ok(match name {
            "define" => {
                if let (Some(name), Some(value)) = (first.known(), value(1)) {
                    let value = value.clone().unless_secret(&name);
                    self.constants.insert(name, value);
                }
                Some(Value::Flag(true))
            }
            "constant" => known(0).and_then(|name| self.constants.get(&name).cloned()),
            "printf" => {
                let value = self.formatted(arguments, line)?;
                self.print(&value, line)?;
                Some(Value::Null)
            }
            "sprintf" => Some(self.formatted(arguments, line)?),
            "print_r" if arguments.len() == 1 => {
                self.print(first, line)?;
                Some(Value::Flag(true))
            }
            "header" => Some(Value::Null),
            "strtolower" | "mb_strtolower" => Some(in_case(first, str::to_lowercase)),
            "strtoupper" | "mb_strtoupper" => Some(in_case(first, str::to_uppercase)),
            "trim" | "urldecode" | "rawurldecode" | "strip_tags" | "stripslashes"
            | "addslashes" | "filter_var" | "utf8_encode" | "utf8_decode" | "strval" | "intval"
            | "ltrim" | "rtrim" | "nl2br" | "idn_to_ascii" => match first {
                _ if first.is(AT_DOMAIN) && known(1).as_deref() == Some("@") => text(EMAIL_DOMAIN),
                Value::Text(_) | Value::Null => Some(first.clone()),
                _ => None,
            },
            "htmlspecialchars" | "htmlentities" | "xml_escape" => match first.known() {
                Some(plain) => text(&crate::xml::escaped(&plain)),
                None => Some(first.clone()),
            },
            "filter_input" => known(1).and_then(|name| of_parameter(&name)),
            "explode" | "split" | "preg_split" | "mb_split" => {
                let subject = value(1);
                let separator = known(0).unwrap_or_default();
                let separator = separator.trim_matches('/').trim_start_matches('\\');
                match subject {
                    Some(subject) if subject.is(EMAIL_ADDRESS) && separator == "@" => {
                        Some(parts_of_address(line))
                    }
                    Some(subject) if subject.is_host() && known(2).as_deref() == Some("2") => {
                        let first = Value::unknown("the first label of the host", line);
                        Some(Value::list([first, Value::text(EMAIL_DOMAIN, line)]))
                    }
                    Some(subject) if !separator.is_empty() => split(separator, subject, line),
                    _ => None,
                }
            }
            "implode" | "join" => {
                let glue = value(0).map(|it| it.pieces(line)).unwrap_or_default();
                let Some(Value::Array(entries)) = value(1) else { return Ok(None) };
                let mut all = Vec::new();
                for (at, (_, entry)) in entries.list().iter().enumerate() {
                    let glue = glue.iter().filter(|_| at > 0).cloned();
                    all.extend(glue);
                    all.extend(entry.pieces(line).iter().cloned());
                }
                self.spend_bytes(all.iter().map(|piece| piece.text.len() + 16).sum())?;
                Some(Value::Text(Rc::new(all)))
            }
            "strpos" | "stripos" | "strrpos" | "mb_strpos" if is_at(1) => {
                first.is(EMAIL_ADDRESS).then(|| Value::text(AT, line))
            }
            "strstr" | "stristr" | "strrchr" | "mb_strstr" if is_at(1) => {
                let is_before = value(2).is_some_and(|flag| flag.truth() == Some(true));
                let part = if is_before { EMAIL_LOCAL_PART } else { AT_DOMAIN };
                first.is(EMAIL_ADDRESS).then(|| Value::text(part, line))
            }
            "substr" | "mb_substr" => {
                let is = |at: usize, text: &str| value(at).is_some_and(|value| value.is(text));
                if first.is(EMAIL_ADDRESS) && is(1, BEHIND_AT) || first.is(AT_DOMAIN) && is(1, "1")
                {
                    text(EMAIL_DOMAIN)
                } else if first.is(EMAIL_ADDRESS) && is(1, "0") && is(2, AT) {
                    text(EMAIL_LOCAL_PART)
                } else if first.is(EMAIL_ADDRESS) && is(1, AT) {
                    text(AT_DOMAIN)
                } else if first.is_host() && known(1).is_some_and(|from| is_prefix_len(&from)) {
                    text(EMAIL_DOMAIN)
                } else {
                    None
                }
            }
            "str_replace" | "str_ireplace" => self.replaced(arguments, line)?,
            "strtr" => match (value(1), value(2)) {
                (Some(Value::Array(pairs)), None) => {
                    let pairs = pairs.list().iter();
                    let pairs: Vec<_> =
                        pairs.map(|(key, value)| (key.clone(), value.pieces(line))).collect();
                    Some(self.replaced_in(first, &pairs, line)?)
                }
                _ => None,
            },
            "preg_replace" | "ereg_replace" => {
                let pattern = known(0).unwrap_or_default();
                let subject = value(2);
                let with = known(1).unwrap_or_default();
                match subject {
                    Some(subject) if subject.is(EMAIL_ADDRESS) => {
                        part_by_pattern(&pattern, &with).and_then(text)
                    }
                    Some(subject) if subject.is_host() && is_host_pattern(&pattern) => {
                        text(EMAIL_DOMAIN)
                    }
                    _ => None,
                }
            }
            "preg_match" | "ereg" | "preg_match_all" => {
                let pattern = known(0).unwrap_or_default();
                let matches = value(1).and_then(|subject| matches(&pattern, subject, line));
                let is_found = matches.is_some();
                if let Some(name) = arguments.get(2).and_then(|argument| argument.name.clone()) {
                    let unknown = || Value::unknown(format!("a match of {pattern}"), line);
                    self.assign(&name, &[], matches.unwrap_or_else(unknown))?;
                }
                is_found.then(|| Value::text("1", line))
            }
            "parse_str" => {
                if let Some(name) = arguments.get(1).and_then(|argument| argument.name.clone()) {
                    self.assign(&name, &[], parameters())?;
                }
                Some(Value::Null)
            }
            "is_bool" | "is_int" | "is_integer" | "is_numeric" | "is_string" | "is_array"
            | "is_null" => is_of_type(name, first).map(Value::Flag),
            "str_contains" if is_at(1) => first.is(EMAIL_ADDRESS).then_some(Value::Flag(true)),
            "in_array" => match value(1) {
                Some(Value::Array(entries)) => {
                    let has = entries.list().iter().any(|(_, it)| is_same(it, first));
                    let is_known = |value: &Value| value.known().is_some();
                    let are_known = entries.list().iter().all(|(_, it)| is_known(it));
                    let is_open = first.is_of_request() || !is_known(first) || !are_known;
                    (has || !is_open).then_some(Value::Flag(has))
                }
                _ => None,
            },
            "array_key_exists" | "key_exists" => {
                let has = value(1).zip(known(0)).and_then(|(of, key)| of.entry(&key).cloned());
                has.map(|_| Value::Flag(true))
            }
            "array_pop" | "end" => last(first),
            "array_shift" | "current" | "reset" => match first {
                Value::Array(entries) => entries.list().first().map(|(_, value)| value.clone()),
                _ => None,
            },
            "array_merge" => {
                let mut all = super::value::Entries::default();
                for argument in arguments {
                    let Value::Array(entries) = &argument.value else { return Ok(None) };
                    for (key, value) in entries.list() {
                        let is_number = key.bytes().all(|b| b.is_ascii_digit());
                        let key = (!is_number).then(|| key.clone());
                        if !all.set(key, value.clone()) {
                            return Err("the script has an array that is too long");
                        }
                    }
                    self.spend(entries.list().len())?;
                }
                Some(Value::Array(Rc::new(all)))
            }
            _ => None,
        })
    }

    /// `sprintf`: the specifications `%s`, `%d`, `%u` and those with a number of an argument.
    fn formatted(&mut self, arguments: &[Argument], line: usize) -> Done<Value> {
        let Some(format) = arguments.first() else { return Ok(Value::Null) };
        let (mut all, mut next) = (Vec::new(), 1);
        for piece in format.value.pieces(line).iter() {
            let mut parts = piece.text.split('%');
            let mut text = parts.next().unwrap_or_default().to_owned();
            let mut is_percent = false;
            for part in parts {
                if std::mem::take(&mut is_percent) {
                    text += part;
                    continue;
                }
                if part.is_empty() {
                    // `%%`
                    text.push('%');
                    is_percent = true;
                    continue;
                }
                let digits = part.bytes().take_while(u8::is_ascii_digit).count();
                let number = part[..digits].parse::<usize>().ok();
                let rest = &part[digits..];
                let (at, rest) = match rest.strip_prefix('$') {
                    Some(rest) => (number.unwrap_or(0), rest),
                    None => {
                        next += 1;
                        (next - 1, rest)
                    }
                };
                let Some(rest) = rest.strip_prefix(['s', 'd', 'u']) else {
                    text.push('%');
                    text += part;
                    next -= usize::from(at == next - 1 && next > 1);
                    continue;
                };
                all.push(Piece { text: std::mem::take(&mut text), line: piece.line });
                let value = arguments.get(at).map(|argument| argument.value.pieces(piece.line));
                let filled = value.unwrap_or_default();
                self.spend_bytes(filled.iter().map(|piece| piece.text.len() + 16).sum())?;
                all.extend(filled.iter().cloned());
                text += rest;
            }
            all.push(Piece { text, line: piece.line });
        }
        self.spend_bytes(all.iter().map(|piece| piece.text.len() + 16).sum())?;
        Ok(Value::Text(Rc::new(all)))
    }

    /// `str_replace` with texts or arrays.
    fn replaced(&mut self, arguments: &[Argument], line: usize) -> Done<Option<Value>> {
        let [search, with, subject, ..] = arguments else { return Ok(None) };
        let list = |value: &Value| match value {
            Value::Array(entries) => entries.list().iter().map(|(_, it)| it.clone()).collect(),
            other => vec![other.clone()],
        };
        let searches: Vec<Value> = list(&search.value);
        if subject.value.is_host() {
            let known = searches.iter().filter_map(Value::known);
            let is_prefix = known.into_iter().all(|text| is_host_pattern(&text));
            return Ok((is_prefix && with.value.is("")).then(|| Value::text(EMAIL_DOMAIN, line)));
        }
        if subject.value.is(AT_DOMAIN) && search.value.is("@") {
            return Ok(Some(Value::text(EMAIL_DOMAIN, line)));
        }
        let withs: Vec<Value> = list(&with.value);
        let is_one = !matches!(with.value, Value::Array(_));
        let mut pairs = Vec::new();
        for (at, search) in searches.iter().enumerate() {
            let Some(search) = search.known() else { return Ok(None) };
            let with = if is_one { withs.first() } else { withs.get(at) };
            pairs.push((search, with.map(|it| it.pieces(line)).unwrap_or_default()));
        }
        match subject.value {
            Value::Text(_) => Ok(Some(self.replaced_in(&subject.value, &pairs, line)?)),
            _ => Ok(None),
        }
    }

    /// Replaces texts in the pieces of another.
    fn replaced_in(
        &mut self,
        subject: &Value,
        pairs: &[(String, Rc<Vec<Piece>>)],
        line: usize,
    ) -> Done<Value> {
        let mut pieces = subject.pieces(line).as_ref().clone();
        for (search, with) in pairs.iter().filter(|(search, _)| !search.is_empty()) {
            self.spend_bytes(pieces.iter().map(|piece| piece.text.len() + 16).sum())?;
            let mut replaced = Vec::with_capacity(pieces.len());
            for piece in pieces {
                if !piece.text.contains(search.as_str()) {
                    replaced.push(piece);
                    continue;
                }
                for (at, part) in piece.text.split(search.as_str()).enumerate() {
                    if at > 0 {
                        self.spend_bytes(with.iter().map(|it| it.text.len() + 16).sum())?;
                        replaced.extend(with.iter().cloned());
                    }
                    replaced.push(Piece { text: part.to_owned(), line: piece.line });
                }
            }
            pieces = replaced;
        }
        Ok(Value::Text(Rc::new(pieces)))
    }

    /// The value of a method.
    pub fn method(
        &mut self,
        of: &Value,
        name: &str,
        arguments: Vec<Argument>,
        call: &[Token],
    ) -> Done<Value> {
        let lower = name.to_ascii_lowercase();
        let line = call.first().map_or(1, |token| token.line);
        if !matches!(of, Value::Node(_)) && self.is_followed(&lower) {
            return self.followed(&lower, arguments);
        }
        if of.is_of_request() {
            return Ok(of.clone());
        }
        if let Some(value) = self.of_node(of, &lower, &arguments, line)? {
            return Ok(value);
        }
        for argument in &arguments {
            let text = argument.value.known().unwrap_or_default();
            if text.contains("EMailAddress") && !text.contains("<clientConfig") && text.len() < 200
            {
                return Ok(Value::text(EMAIL_ADDRESS, line));
            }
            self.keep(&argument.value)?;
        }
        let first = arguments.first().and_then(|argument| argument.value.known());
        if let (Some(key), true) = (first, OF_REQUESTS.contains(&lower.as_str())) {
            if let Some(value) = of_request(&lower, &key) {
                return Ok(value);
            }
        }
        Ok(self.not_known(call))
    }
}

/// A parameter by a method of a framework's request. `get('email')` may be that of anything.
fn of_request(method: &str, key: &str) -> Option<Value> {
    let letters = |c: &char| c.is_ascii_alphanumeric();
    let plain: String = key.chars().filter(letters).collect::<String>().to_ascii_lowercase();
    let is_clear = plain == "emailaddress" || method != "get";
    of_parameter(key).filter(|_| is_clear)
}

/// A text in capital or small letters. The address of a request stays what it is.
fn in_case(value: &Value, convert: fn(&str) -> String) -> Value {
    let Value::Text(pieces) = value else { return value.clone() };
    if pieces.iter().any(|piece| piece.text.contains(['%', MARK_START])) {
        return value.clone();
    }
    let convert = |piece: &Piece| Piece { text: convert(&piece.text), line: piece.line };
    Value::Text(Rc::new(pieces.iter().map(convert).collect()))
}

/// Whether a value has the type that a function asks for. Numbers are texts of digits.
fn is_of_type(name: &str, value: &Value) -> Option<bool> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let is_number = match value {
        Value::Text(_) => value.known().is_some_and(|text| is_digits(&text)),
        _ => false,
    };
    match name {
        // What is not known may be an array, or nothing; else it is a text most often.
        "is_null" | "is_array" if matches!(value, Value::Unknown(_)) => None,
        "is_bool" => Some(matches!(value, Value::Flag(_))),
        "is_null" => Some(matches!(value, Value::Null)),
        "is_array" => Some(matches!(value, Value::Array(_))),
        // A number may be written in quotes.
        "is_string" if is_number => None,
        "is_string" => Some(matches!(value, Value::Text(_) | Value::Unknown(_))),
        _ => Some(is_number),
    }
}

fn parts_of_address(line: usize) -> Value {
    Value::list([Value::text(EMAIL_LOCAL_PART, line), Value::text(EMAIL_DOMAIN, line)])
}

fn split(separator: &str, subject: &Value, line: usize) -> Option<Value> {
    let text = subject.known().filter(|text| !text.contains('%'))?;
    let parts = text.split(separator).take(super::value::MAX_ENTRIES);
    Some(Value::list(parts.map(|part| Value::text(part, line))))
}

fn last(value: &Value) -> Option<Value> {
    match value {
        Value::Array(entries) => entries.list().last().map(|(_, value)| value.clone()),
        _ => None,
    }
}

/// The length of one of the prefixes of host names, with its dot.
fn is_prefix_len(text: &str) -> bool {
    let prefixes = ["autoconfig.", "autodiscover."];
    prefixes.iter().any(|prefix| text.parse() == Ok(prefix.len()))
}
