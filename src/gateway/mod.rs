//! How requests come in and answers go out: CGI, FastCGI and HTTP.
//!
//! Takes a function from [`Request`] to [`Answer`] and knows nothing of mail. `cgi` serves the one
//! request a process was started for; `server` accepts connections on `listener`s and speaks
//! `fastcgi` or `http` on them.

pub mod cgi;
pub mod fastcgi;
pub mod http;
pub mod listener;
pub mod server;

use crate::request::Request;
use crate::response::Answer;

/// What answers requests; called on one thread, never by two requests at once.
pub type Responder = dyn Fn(&Request) -> Answer;
