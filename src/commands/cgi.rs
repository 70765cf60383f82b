//! Answers the one request a web server started this process for.

use crate::config::find::Source;
use crate::gateway::cgi;
use crate::log;
use crate::request::Limits;
use crate::responder::respond;
use crate::response::{Answer, Response, Status};
use std::process::ExitCode;

/// Serves the request. The exit status is 0 whenever there was an answer.
pub fn run() -> ExitCode {
    let served = match Source::new(None).load() {
        Ok(config) => cgi::run(|request| respond(request, &config), &config.limits),
        Err(errors) => {
            for error in errors {
                log::error(&error);
            }
            // What is wrong is for the server's log, not for strangers.
            let line = "the configuration is broken; see the web server's error log";
            let answer = Answer::Ready(Response::text(Status::InternalServerError, line));
            cgi::run(|_| answer, &Limits::default())
        }
    };
    // A web server that went away takes no answer.
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
