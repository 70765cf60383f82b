//! Reads PHP scripts that answered mail clients: the autoconfig documents, the responses to Autodiscover
//! and the profiles that they print.
//!
//! Nothing is run. The script is followed statement by statement, as far as texts are put together from
//! texts that stand in it; the address of the request and its parts become placeholders. What depends on
//! anything else is marked in the document, and named with its line. Refuses scripts in which no document
//! is found, and those that would take too long. Rules: the PHP manual, "Language Reference".

mod body;
mod branch;
mod call;
mod definition;
mod expression;
mod node;
mod operand;
mod pattern;
mod shared;
mod state;
mod statement;
mod token;
mod value;

use super::embedded::{READERS, Reader};
use super::marked::shown;
use super::part::{DOCUMENTS, Part, decoded, in_order, len};
use crate::draft::{Draft, NoteKind, Place, merge};
use state::{Cursor, Follower};
use std::collections::BTreeSet;
use token::Piece;

/// Most documents of a script.
const MAX_DOCUMENTS: usize = 20;

/// True for a script in PHP with a word of a document in it.
pub fn recognises(bytes: &[u8]) -> bool {
    let Ok(text) = decoded(bytes) else { return false };
    let has_word = DOCUMENTS.iter().any(|(start, _)| text.contains(&start[1..]));
    has_word && is_script(&text)
}

/// A script of another language may write one in PHP: it is not one.
fn is_script(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    if first.starts_with("#!") && !first.contains("php") {
        return false;
    }
    let has_short_tag = || {
        let mut tags = text.match_indices("<?").map(|(at, _)| text.as_bytes().get(at + 2));
        tags.any(|next| next.is_none_or(u8::is_ascii_whitespace))
    };
    text.contains("<?php") || text.contains("<?=") || text.contains("<?PHP") || has_short_tag()
}

/// The draft of a script; the error is a message without the name of the file.
pub fn read(source: &str, bytes: &[u8]) -> Result<Draft, String> {
    let text = decoded(bytes)?;
    let tokens = token::tokens(&text)?;
    let mut follower = Follower::new(&text, &tokens);
    let mut cursor = Cursor::new(&tokens, 0, tokens.len());
    follower.functions(cursor)?;
    follower.block(&mut cursor)?;
    follower.follow_others()?;
    let mut texts = vec![std::mem::take(&mut follower.printed)];
    texts.append(&mut follower.texts);
    let mut documents: Vec<Document> = Vec::new();
    for text in &texts {
        for document in cut(text) {
            if !documents.iter().any(|known| known.text == document.text) {
                documents.push(document);
            }
        }
    }
    if let Some(first) = documents.get(MAX_DOCUMENTS) {
        let text = format!("documents of the script behind the first {MAX_DOCUMENTS}");
        follower.note(NoteKind::NotCarried, first.line(), text);
    }
    documents.truncate(MAX_DOCUMENTS);
    let mut drafts = Vec::new();
    let mut failed = None;
    for document in documents {
        let part = Part { source, text: &document.text, lines: &mut document.lines() };
        match (document.read)(part) {
            Ok(draft) => drafts.push(draft),
            Err(why) => drop(failed.get_or_insert((document.line(), shown(&why)))),
        }
    }
    if drafts.is_empty() {
        return Err(match failed {
            Some((line, why)) => format!("the document of line {line}: {why}"),
            None => nothing(&follower),
        });
    }
    let mut draft = merge(drafts);
    for (kind, line, text) in follower.notes {
        draft.note(kind, Some(Place::line(source, line)), shown(&text));
    }
    // A part of the script that is followed more than once says the same each time.
    let mut known = BTreeSet::new();
    draft.notes.retain(|note| known.insert(note.to_string()));
    in_order(&mut draft.notes);
    Ok(draft)
}

/// Says that a script has no document; a file that it reads may have it.
fn nothing(follower: &Follower) -> String {
    let why = "no autoconfig document, response to Autodiscover or profile was found in the script";
    match &follower.unread {
        Some((line, text)) => format!(
            "{why}; it reads another file (`{}`, line {line}): import a document that it printed",
            shown(text)
        ),
        None => format!("{why}; import one that it printed"),
    }
}

/// A document that a script prints.
struct Document {
    read: Reader,
    text: String,
    /// Where each line of the script begins in it.
    starts: Vec<(usize, usize)>,
}

impl Document {
    fn line(&self) -> usize {
        self.starts.first().map_or(1, |(_, line)| *line)
    }

    fn lines(&self) -> Starts<'_> {
        Starts { starts: &self.starts, line: self.line() }
    }
}

/// The lines of the script for the parts of a document.
struct Starts<'a> {
    starts: &'a [(usize, usize)],
    line: usize,
}

impl crate::xml::tree::Lines for Starts<'_> {
    fn line(&mut self, offset: usize) -> usize {
        while let Some(((start, line), rest)) = self.starts.split_first() {
            if *start > offset {
                break;
            }
            (self.line, self.starts) = (*line, rest);
        }
        self.line
    }
}

/// Cuts the documents out of what is printed.
fn cut(pieces: &[Piece]) -> Vec<Document> {
    let text: String = pieces.iter().map(|piece| &*piece.text).collect();
    let mut starts = Vec::new();
    let mut at = 0;
    for piece in pieces.iter().filter(|piece| !piece.text.is_empty()) {
        starts.push((at, piece.line));
        at += piece.text.len();
    }
    let mut documents = Vec::new();
    let mut kinds: Vec<_> = DOCUMENTS.into_iter().zip(READERS).collect();
    let mut from = 0;
    while documents.len() <= MAX_DOCUMENTS {
        let begin = |((start, _), _): &(_, _)| text[from..].find(*start).unwrap_or(usize::MAX);
        let Some(at) = (0..kinds.len()).min_by_key(|at| begin(&kinds[*at])) else { break };
        let ((start, end), read): ((&str, &str), Reader) = kinds[at];
        let found = text[from..].find(start).map(|at| from + at);
        let len = found.and_then(|start| len(&text[start..], end));
        let (Some(start), Some(len)) = (found, len) else {
            // There are no more of this kind.
            kinds.remove(at);
            continue;
        };
        let end = start + len;
        let first = starts.partition_point(|(at, _)| *at <= start).saturating_sub(1);
        let inside = starts[first..].iter().take_while(|(at, _)| *at < end);
        let inside = inside.map(|(at, line)| (at.saturating_sub(start), *line)).collect();
        documents.push(Document { read, text: text[start..end].to_owned(), starts: inside });
        from = end;
    }
    documents
}
