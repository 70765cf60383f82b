//! mailsetup tells every mail client how to set up an account.
#![deny(unsafe_code)]
pub mod account;
pub mod address;
pub mod cli;
pub mod commands;
pub mod config;
pub mod directory;
pub mod discovery;
pub mod gateway;
pub mod log;
pub mod question;
pub mod request;
pub mod resolve;
pub mod responder;
pub mod response;
pub mod route;
pub mod sign;
pub mod xml;
