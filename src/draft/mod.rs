//! A configuration that a command writes for an admin: each value with the place where it was seen.
//!
//! Commands that read the settings of other programs collect them in a [`Draft`] (`model`). `place` says where
//! something was seen and what is noted about it, `merge` makes one draft of several, `write` writes the
//! configuration, `fit` takes out what a configuration cannot have, `apart` keeps the settings of one domain
//! from another, `secret` hides passwords. Nothing is dropped in silence: what is left out becomes a [`Note`].
//! Texts from outside are quoted where they are written.

mod apart;
mod comment;
mod fit;
mod merge;
mod model;
mod place;
mod secret;
mod write;

pub use fit::{Misfit, fit};
pub use merge::merge;
pub use model::{Draft, Server, Settings, Value};
pub use place::{Note, NoteKind, Noted, Origin, Place};
pub use secret::{HIDDEN, is_secret, is_secret_name, value_without_secrets, without_secrets};
pub use write::write;
