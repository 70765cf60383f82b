//! All documents that stand in a file of another kind: a script of a shell, a configuration of a web
//! server. One that cannot be read is named if another one can.

use super::marked::shown;
use super::part::{DOCUMENTS, Part, decoded, inside, is_whole, len};
use super::{autoconfig, pox, profile};
use crate::draft::{Draft, Place, merge};

/// Reads a document.
pub(super) type Reader = fn(Part) -> Result<Draft, String>;

/// The readers, in the order of [`DOCUMENTS`].
pub(super) const READERS: [Reader; 3] = [autoconfig::of_part, pox::of_part, profile::of_part];

/// Most documents of a file.
const MAX_DOCUMENTS: usize = 20;

/// The draft of a file with documents in it; none if the file is a document. The error is a message
/// without the name of the file.
pub(super) fn read(source: &str, bytes: &[u8]) -> Option<Result<Draft, String>> {
    let text = decoded(bytes).ok()?;
    let (begin, _) = next(&text, 0)?;
    (!is_whole(&text[..begin])).then(|| of_text(source, &text))
}

fn of_text(source: &str, text: &str) -> Result<Draft, String> {
    let (mut drafts, mut failed) = (Vec::new(), Vec::new());
    let (mut from, mut first, mut counted) = (0, 0, 0);
    while let Some((begin, kind)) = next(text, from) {
        first += text[counted..begin].matches('\n').count();
        counted = begin;
        if drafts.len() + failed.len() == MAX_DOCUMENTS {
            let why = format!("it is behind the first {MAX_DOCUMENTS}, as all that follow");
            failed.push((first, why));
            break;
        }
        let len = len(&text[begin..], DOCUMENTS[kind].1).unwrap_or(text.len() - begin);
        from = begin + len;
        match inside(source, text, begin..from, first, READERS[kind]) {
            Ok(draft) => drafts.push(draft),
            Err(why) => failed.push((first, why)),
        }
    }
    if let (true, Some((_, why))) = (drafts.is_empty(), failed.first()) {
        return Err(why.clone());
    }
    let mut draft = merge(drafts);
    for (first, why) in failed {
        let text = format!("a document is left out: {}", shown(&why));
        draft.not_carried(Place::line(source, first + 1), text);
    }
    Ok(draft)
}

/// Where the next document begins, and its kind.
fn next(text: &str, from: usize) -> Option<(usize, usize)> {
    let begins = DOCUMENTS.iter().enumerate().filter_map(|(kind, (start, _))| {
        let at = text[from..].find(start)?;
        Some((from + at, kind))
    });
    begins.min()
}
