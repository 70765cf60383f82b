//! Branches of a script whose conditions are not known.
//!
//! All of them are looked at. The last one counts, which is what happens if no condition holds, and what
//! the others would change is noted. What a branch prints, or adds to a text or a list, is taken, with a
//! warning. Rules: the PHP manual, "Control Structures".

use super::state::{Cursor, Done, Flow, Follower};
use super::token::Piece;
use super::value::{Value, is_same, is_shared};
use crate::draft::{NoteKind, is_secret};
use crate::import::marked::{MARK_END, MARK_START};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Most texts that are known to depend on conditions.
const MAX_OPEN: usize = 200;

/// A branch of a condition.
pub struct Branch<'t> {
    /// The condition as it is written, with its value; none for `else`.
    pub condition: Option<(String, Value)>,
    /// Its line.
    pub line: usize,
    /// Its statements.
    pub body: Cursor<'t>,
}

/// A branch that was followed: its variables, and what it printed.
type Result<'t> = (Branch<'t>, BTreeMap<String, Value>, Vec<Piece>);

impl<'t> Follower<'t> {
    /// Follows the branch that holds, or all that may.
    pub fn branches(&mut self, branches: Vec<Branch<'t>>) -> Done<Flow> {
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
        self.extended(&before, &mut results, &mut general)?;
        for (branch, scope, _) in &results[..count] {
            let text = branch.condition.as_ref().map_or("", |(text, _)| text);
            self.changed(text, branch.line, scope, &mut general)?;
        }
        *self.scope() = general;
        self.printed = printed;
        let texts = results.iter().map(|(branch, _, text)| (branch, &text[..])).collect();
        let pieces = self.of_branches(texts);
        self.spend_bytes(pieces.iter().map(|piece| piece.text.len() + 16).sum())?;
        self.printed.extend(pieces);
        Ok(Flow::Next)
    }

    /// Texts and lists to which branches add something get all of it, as if it were printed.
    fn extended(
        &mut self,
        before: &BTreeMap<String, Value>,
        results: &mut [Result<'t>],
        general: &mut BTreeMap<String, Value>,
    ) -> Done<()> {
        for (name, old) in before {
            let is_kept =
                |scope: &BTreeMap<_, _>| scope.get(name).is_some_and(|it| is_shared(old, it));
            if results.iter().all(|(_, scope, _)| is_kept(scope)) {
                continue;
            }
            let mut parts = Vec::new();
            for (branch, scope, _) in results.iter() {
                self.spend(old.len())?;
                parts.extend(scope.get(name).and_then(|it| added(old, it)).map(|it| (branch, it)));
            }
            if parts.len() < results.len() || parts.iter().all(|(_, part)| part.is_empty()) {
                continue;
            }
            let all = match old {
                Value::Array(entries) => {
                    let mut all = entries.as_ref().clone();
                    for (branch, part) in parts.iter().filter(|(_, part)| !part.is_empty()) {
                        self.spend(part.len() + all.list().len())?;
                        let is_set = part.iter().all(|it| all.set(None, it.clone()));
                        if !is_set {
                            return Err("the script has an array that is too long");
                        }
                        self.taken_as_true(branch);
                    }
                    Value::Array(Rc::new(all))
                }
                _ => {
                    let pieces: Vec<_> = parts.iter().map(|(_, part)| texts_of(part)).collect();
                    if !pieces.iter().flatten().any(|piece| piece.text.contains('<')) {
                        continue;
                    }
                    let branches = parts.iter().map(|(branch, _)| *branch);
                    let texts = branches.zip(pieces.iter().map(|it| &it[..])).collect();
                    let mut all = old.pieces(1).as_ref().clone();
                    all.extend(self.of_branches(texts));
                    self.spend_bytes(all.iter().map(|piece| piece.text.len() + 16).sum())?;
                    Value::Text(Rc::new(all))
                }
            };
            for (_, scope, _) in results.iter_mut() {
                scope.insert(name.clone(), all.clone());
            }
            general.insert(name.clone(), all);
        }
        Ok(())
    }

    /// Notes what a branch changes; what is only known there is taken from there.
    fn changed(
        &mut self,
        condition: &str,
        line: usize,
        scope: &BTreeMap<String, Value>,
        general: &mut BTreeMap<String, Value>,
    ) -> Done<()> {
        for (name, value) in scope {
            let mut known = match general.remove(name) {
                Some(known) => known,
                None => value.clone(),
            };
            self.differs(condition, line, &format!("${name}"), value, &mut known)?;
            general.insert(name.clone(), known);
        }
        Ok(())
    }

    /// Notes how a value differs if a condition holds. What is compared with it later is not known.
    fn differs(
        &mut self,
        condition: &str,
        line: usize,
        name: &str,
        value: &Value,
        known: &mut Value,
    ) -> Done<()> {
        if is_shared(known, value) || is_same(known, value) {
            return Ok(());
        }
        self.spend(value.len())?;
        match (&*known, value) {
            // Elements are put into the document in any case.
            (_, Value::Node(_)) => *known = value.clone(),
            // As if it had no value before.
            (Value::Null, _) => *known = value.clone(),
            (Value::Flag(_), Value::Flag(_)) => *known = Value::unknown(condition, line),
            (Value::Array(old), Value::Array(new)) => {
                let mut entries = old.as_ref().clone();
                for (at, (key, value)) in new.list().iter().enumerate() {
                    let same = old.list().get(at).filter(|(known, _)| known == key);
                    let before = same.map(|(_, it)| it).or_else(|| old.entry(key));
                    if before.is_some_and(|it| is_shared(it, value)) {
                        continue;
                    }
                    let mut entry = before.unwrap_or(value).clone();
                    let name = format!("{name}['{key}']");
                    self.differs(condition, line, &name, value, &mut entry)?;
                    self.spend(old.list().len())?;
                    if !entries.set(Some(key.clone()), entry) {
                        return Err("the script has an array that is too long");
                    }
                }
                *known = Value::Array(Rc::new(entries));
            }
            (other, _) => {
                let count = self.texts.len();
                self.keep(value)?;
                if self.texts.len() > count {
                    // It is a document, which is read.
                    return Ok(());
                }
                let shown = match (value, value.known()) {
                    (Value::Flag(flag), _) => format!(" = {flag}"),
                    (Value::Unknown(it), _) => format!(" = {}", it.text),
                    (_, Some(text)) if !text.contains('\n') && !is_secret(name, &text) => {
                        format!(" = \"{text}\"")
                    }
                    _ => String::new(),
                };
                if self.open.len() < MAX_OPEN {
                    self.open.extend(text_of(other));
                    self.open.extend(text_of(value));
                }
                let text = format!("only if `{condition}`: {name}{shown}");
                self.note(NoteKind::NotCarried, line, text);
            }
        }
        Ok(())
    }

    fn taken_as_true(&mut self, branch: &Branch) {
        let condition = branch.condition.as_ref().map_or("else", |(text, _)| text);
        let text = format!("`if ({condition})` is taken as true");
        self.note(NoteKind::Warning, branch.line, text);
    }

    /// What branches print: each if it is a part of a document, a mark if it is a part of a value.
    fn of_branches(&mut self, results: Vec<(&Branch, &[Piece])>) -> Vec<Piece> {
        let text = |pieces: &[Piece]| pieces.iter().map(|it| &*it.text).collect::<String>();
        let texts: Vec<_> = results.iter().map(|(_, pieces)| text(pieces)).collect();
        let some = texts.iter().filter(|text| !text.trim().is_empty()).count();
        let Some((first, _)) = results.first().filter(|_| some > 0) else { return Vec::new() };
        let is_whole =
            |text: &String| crate::import::part::DOCUMENTS.iter().any(|it| text.contains(it.0));
        let is_markup = |text: &String| text.contains('<');
        if !texts.iter().any(is_markup) {
            let line = first.line;
            let condition = first.condition.as_ref().map_or("", |(text, _)| text);
            // A value in a document: what it is depends on the condition.
            let escaped =
                condition.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            let text = format!("{MARK_START}if ({escaped}){MARK_END}");
            return vec![Piece { text, line }];
        }
        if !texts.iter().any(is_whole) {
            self.taken_as_true(first);
        }
        results.into_iter().flat_map(|(_, pieces)| pieces.iter().cloned()).collect()
    }
}

/// What a branch adds to a text or to a list; none if it changes it in another way.
fn added(old: &Value, new: &Value) -> Option<Vec<Value>> {
    match (old, new) {
        (Value::Array(old), Value::Array(new)) => {
            let (head, rest) = new.list().split_at_checked(old.list().len())?;
            let is_number = |key: &str| key.bytes().all(|byte| byte.is_ascii_digit());
            let are_same = head
                .iter()
                .zip(old.list())
                .all(|(new, old)| new.0 == old.0 && is_same(&new.1, &old.1));
            let are_next = rest.iter().all(|(key, _)| is_number(key));
            (are_same && are_next).then(|| rest.iter().map(|(_, value)| value.clone()).collect())
        }
        (Value::Null | Value::Text(_), Value::Null | Value::Text(_)) => {
            let (old, new) = (old.pieces(1), new.pieces(1));
            let old = if old.iter().all(|it| it.text.is_empty()) { &[] } else { &old[..] };
            let rest = new.strip_prefix(old)?;
            let has_text = rest.iter().any(|piece| !piece.text.is_empty());
            let rest = Value::Text(Rc::new(rest.to_vec()));
            Some(if has_text { vec![rest] } else { Vec::new() })
        }
        _ => None,
    }
}

fn texts_of(values: &[Value]) -> Vec<Piece> {
    values.iter().flat_map(|value| value.pieces(1).as_ref().clone()).collect()
}

fn text_of(value: &Value) -> Option<Rc<Vec<Piece>>> {
    match value {
        Value::Text(pieces) => Some(pieces.clone()),
        _ => None,
    }
}
