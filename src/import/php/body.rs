//! Finds out where the body of a control structure ends, without following it.
//!
//! Rules: the PHP manual, "Control Structures" and "Alternative syntax".

use super::state::Cursor;
use super::token::{Kind, Token};

/// The body of a control structure: a block, a single statement, or, behind a colon, all up to one of the
/// words, which is not passed.
pub fn body<'t>(c: &mut Cursor<'t>, words: &[&str]) -> Cursor<'t> {
    if c.is("{") {
        return c.bracket();
    }
    let start = c.at + 1;
    if c.take(":") {
        let mut open = 0;
        while let Some(token) = c.peek() {
            if open == 0 && words.iter().any(|word| token.is_word(word)) {
                break;
            }
            match token.is("(") || token.is("[") || token.is("{") {
                true => drop(c.bracket()),
                false => {
                    // Only those with a colon have an end of their own.
                    if is_structure(token) && has_colon(c) {
                        open += 1;
                    } else if token.word().is_some_and(|word| word.starts_with("end")) {
                        open = usize::max(open, 1) - 1;
                    }
                    c.at += 1;
                }
            }
        }
        return Cursor::new(c.tokens, start, c.at);
    }
    let start = c.at;
    c.at = statement_end(c);
    Cursor::new(c.tokens, start, c.at)
}

fn is_structure(token: &Token) -> bool {
    ["if", "foreach", "for", "while", "switch"].iter().any(|word| token.is_word(word))
}

/// True if the structure at the cursor is written with a colon.
fn has_colon(c: &Cursor) -> bool {
    let Some(open) = c.ahead(1).filter(|token| token.is("(")) else { return false };
    c.tokens.get(open.close + 1).is_some_and(|token| token.is(":"))
}

/// Where the statement at the cursor ends.
fn statement_end(c: &Cursor) -> usize {
    let mut c = *c;
    let mut is_if = false;
    loop {
        let Some(token) = c.peek() else { return c.end };
        if is_structure(token) && c.ahead(1).is_some_and(|token| token.is("(")) {
            is_if |= token.is_word("if");
            c.at += 1;
            c.bracket();
            continue;
        }
        if token.is_word("else") || token.is_word("do") || token.is_word("try") {
            c.at += 1;
            continue;
        }
        while let Some(token) = c.peek() {
            if matches!(token.kind, Kind::Html(_)) {
                c.at += 1;
                break;
            }
            if token.is(";") {
                c.at += 1;
                break;
            }
            match token.is("(") || token.is("[") || token.is("{") {
                true => {
                    let is_block = token.is("{");
                    c.bracket();
                    if is_block {
                        break;
                    }
                }
                false => c.at += 1,
            }
        }
        if is_if && (c.is_word("else") || c.is_word("elseif")) {
            if c.is_word("elseif") {
                c.at += 1;
                c.bracket();
            }
            continue;
        }
        return c.at;
    }
}
