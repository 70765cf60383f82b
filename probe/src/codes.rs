//! Every kind of finding: where it stands on the way, how much it weighs, and its text for people.

mod documents;
mod mail;
mod names;
mod web;

use crate::finding::{Code, Stage, Weight};

/// All kinds.
pub fn all() -> impl Iterator<Item = &'static Code> {
    [names::CODES, web::CODES, documents::CODES, mail::CODES].into_iter().flatten()
}

/// A kind by its code.
pub fn code(id: &str) -> Option<&'static Code> {
    all().find(|code| code.id == id)
}

/// How much a kind weighs; one that is not known is a fault.
pub fn weight(id: &str) -> Weight {
    code(id).map_or(Weight::Fault, |code| code.weight)
}

/// Where a kind stands on the way.
pub fn stage(id: &str) -> Stage {
    code(id).map_or(Stage::Document, |code| code.stage)
}
