//! The long text about a code: `check --explain CODE`.
//!
//! The texts are in `explanations.txt`, one for each code of `finding` and `lint`: what is wrong, what
//! clients do, and what is not affected. Lines that begin with four blanks are a configuration
//! without the finding, or commands if they begin with `$`. Refuses codes that are not known.

use super::output::{COULD_NOT_RUN, print};
use crate::config::reader;
use crate::finding::{CODES, Level};
use crate::lint::LINTS;
use crate::log;
use crate::visible::visible;
use std::process::ExitCode;

const TEXTS: &str = include_str!("explanations.txt");
/// The least likeness of a code that is meant.
const LIKE: f64 = 0.7;

/// Every code with its explanation, in the order of the codes.
pub fn texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let texts = TEXTS.trim_start_matches("# ").split("\n# ");
    texts.filter_map(|text| text.split_once('\n')).map(|(code, text)| (code, text.trim_end()))
}

/// Prints the explanation of a code.
pub fn run(code: &str) -> ExitCode {
    match about(code) {
        Some(text) => print(text),
        None => {
            let known: Vec<_> = texts().map(|(code, _)| code).collect();
            let nearest = reader::nearest(code, &known, LIKE);
            let nearest = nearest.map_or_else(String::new, |it| format!(" (did you mean `{it}`?)"));
            let probe = "the codes of probe are explained by `mailsetup probe --explain CODE`";
            log::error(&format!("there is no code `{}`{nearest}; {probe}", visible(code)));
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

/// The level, the line of the manual, the clients, and the explanation.
fn about(code: &str) -> Option<String> {
    let (_, text) = texts().find(|(known, _)| *known == code)?;
    let lint = LINTS.iter().find(|lint| lint.code == code);
    let (level, about) = match (lint, CODES.iter().find(|(known, ..)| *known == code)) {
        (Some(lint), _) => (Level::Warning, lint.about),
        (None, Some((_, level, about))) => (*level, *about),
        (None, None) => return None,
    };
    let clients = lint.map(|lint| lint.breaks.labels()).unwrap_or_default();
    let clients: String = clients.iter().map(|client| format!("  {client}\n")).collect();
    let breaks = match &*clients {
        "" => String::new(),
        clients => format!("Clients that it breaks:\n{clients}\n"),
    };
    Some(format!("{}{about} [{code}]\n\n{breaks}{text}\n", level.label()))
}
