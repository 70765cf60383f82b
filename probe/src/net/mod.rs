//! What the program asks of the network. Nothing here judges.

pub mod dns;
pub mod http;
pub mod mail;
pub mod tls;
