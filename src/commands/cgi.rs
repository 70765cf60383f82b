//! Answers the one request a web server started this process for.

use crate::config::Log;
use crate::config::find::Source;
use crate::gateway::cgi;
use crate::kept::Kept;
use crate::log;
use crate::request::{Limits, Request};
use crate::responder::respond;
use crate::response::{Answer, Response, Status};
use std::mem::ManuallyDrop;
use std::process::ExitCode;
use std::time::Instant;

/// Serves the request. The exit status is 0 whenever there was an answer.
pub fn run() -> ExitCode {
    let start = Instant::now();
    let (served, log) = match Source::new(None).load() {
        Ok(config) => {
            // Never taken apart: the process ends.
            let config = ManuallyDrop::new(config);
            let respond = |request: &Request<'_>| respond(request, &config, &Kept::default());
            (cgi::run(respond, &config.limits), config.log)
        }
        Err(errors) => {
            for error in errors {
                log::error(&error);
            }
            // What is wrong is for the server's log, not for strangers.
            let line = "the configuration is broken; see the web server's error log";
            let answer = Answer::Ready(Response::text(Status::InternalServerError, line));
            (cgi::run(|_| answer, &Limits::default()), Log::default())
        }
    };
    // A web server that went away takes no answer.
    let Ok((method, response)) = served else { return ExitCode::FAILURE };
    if log.requests == Some(true) {
        log::request(method, &response, start.elapsed(), log.addresses);
        log::flush();
    }
    ExitCode::SUCCESS
}
