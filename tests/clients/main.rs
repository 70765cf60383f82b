//! Real mail clients against a real mail host: given an address and a password, do they find what
//! `mailsetup show` says, and can they log in with it?
//!
//! `make test-clients` installs them and runs this; docs/clients.md tells what each one asks.

#[path = "../common/mod.rs"]
mod common;

mod delta_chat;
mod pimalaya;
mod thunderbird;
mod world;
