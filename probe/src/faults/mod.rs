//! What is wrong with what was observed, for every client: names, web servers, documents, mail
//! servers.
//!
//! Whom it hurts, and how much it weighs, is for `judge`.

pub mod apple;
pub mod documents;
pub mod mail;
pub mod names;
pub mod pacc;
pub mod web;
