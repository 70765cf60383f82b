//! Answers the one request a web server started this process for.

use super::CHECKS;
use crate::config::Log;
use crate::config::check::Loading;
use crate::config::find::Source;
use crate::files::{SETTLE_TIME, Stamp};
use crate::gateway::cgi;
use crate::log;
use crate::request::{Limits, Request};
use crate::responder::{respond_now, unavailable};
use crate::response::{Response, Status};
use std::mem::ManuallyDrop;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// Serves the request. The exit status is 0 whenever there was an answer.
pub fn run() -> ExitCode {
    let start = Instant::now();
    let (files, config) = Source::new(None).load_watching(Loading::cgi(&CHECKS));
    // One that is broken, or empty, may be in the middle of a change: it is better in a moment.
    let is_changing = |stamp: &Stamp| stamp.age().is_none_or(|age| age < 2 * SETTLE_TIME);
    // A file that is gone may be on its way to its place; its folder has changed then.
    let is_new = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let stamp = Stamp::of(folder.unwrap_or(Path::new(".")));
        stamp.ok().flatten().as_ref().is_some_and(is_changing)
    };
    let is_young = || {
        files.iter().any(|(path, stamp)| stamp.as_ref().map_or_else(|| is_new(path), is_changing))
    };
    let is_empty = |stamp: &Stamp| stamp.is_empty() && is_changing(stamp);
    let (served, log) = match config {
        Ok(_) if files.iter().any(|(_, stamp)| stamp.as_ref().is_some_and(is_empty)) => {
            (cgi::run(|_| unavailable(), &Limits::default()), Log::default())
        }
        Ok(config) => {
            // Never taken apart: the process ends.
            let config = ManuallyDrop::new(config);
            let respond = |request: &Request<'_>| {
                let response = respond_now(request, &config);
                // A certificate that is being replaced: the profile is signed in a moment.
                let is_unsigned =
                    response.about.as_ref().is_some_and(|it| it.signed == Some(false));
                let is_swapped = || {
                    let identity = config.signing_identity();
                    identity.is_some_and(|identity| {
                        identity.files().into_iter().any(|path| match Stamp::of(path) {
                            Ok(Some(stamp)) => is_changing(&stamp),
                            Ok(None) => is_new(path),
                            Err(_) => false,
                        })
                    })
                };
                if is_unsigned && is_swapped() { unavailable() } else { response }
            };
            (cgi::run(respond, &config.limits), config.log)
        }
        Err(errors) => {
            log::findings(&errors);
            // What is wrong is for the server's log, not for strangers.
            let line = "the configuration is broken; see the web server's error log";
            let response = match is_young() {
                true => unavailable(),
                false => Response::text(Status::InternalServerError, line),
            };
            (cgi::run(|_| response, &Limits::default()), Log::default())
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
