//! Variables that a script also sets under another name: by a reference, or from within a function.
//!
//! What they hold cannot be told by following assignments to their names, so that it is not known. Rules:
//! the PHP manual, "References Explained" and "Variable scope".

use super::token::{Kind, Token};
use std::collections::BTreeSet;

/// The names of variables that have a reference: `$a = &$b`, `f(&$a)`, `use (&$a)`, `foreach ($a as &$b)`.
/// Also of those that `unset` removes.
pub fn names(tokens: &[Token]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let name = |at: usize| match tokens.get(at).map(|token| &token.kind) {
        Some(Kind::Variable(name)) => Some(name.clone()),
        _ => None,
    };
    for (at, token) in tokens.iter().enumerate() {
        if token.is_word("unset") {
            let list = tokens.get(at + 1..token_end(tokens, at + 1)).unwrap_or_default();
            // An entry of an array may be removed: `unset($a['b'])`.
            let is_whole = list.len() == 2;
            names.extend(name(at + 2).filter(|_| is_whole));
        }
        let Some(before) = at.checked_sub(1).map(|at| &tokens[at]).filter(|_| token.is("&")) else {
            continue;
        };
        let is_reference = ["=", "(", ",", "=>", "["].iter().any(|sign| before.is(sign))
            || before.is_word("as")
            || before.is_word("array")
            || before.is_word("string");
        if is_reference && before.is("=") {
            names.extend(at.checked_sub(2).and_then(name));
        }
        if is_reference {
            names.extend(name(at + 1));
        }
    }
    names
}

/// The closing bracket of an opening one.
fn token_end(tokens: &[Token], at: usize) -> usize {
    tokens.get(at).filter(|token| token.is("(")).map_or(at, |token| token.close)
}
