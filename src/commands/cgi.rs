//! Answers the one request a web server started this process for.

use super::CHECKS;
use crate::config::check::Loading;
use crate::config::find::Source;
use crate::config::{Config, Log};
use crate::files::Stamp;
use crate::gateway::cgi;
use crate::log;
use crate::request::{Limits, Request};
use crate::responder::{respond_now, unavailable};
use crate::response::{Response, Status};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Serves the request. The exit status is 0 whenever there was an answer.
pub fn run() -> ExitCode {
    let start = Instant::now();
    let (files, config) = Source::new(None).load_watching(Loading::cgi(&CHECKS));
    let is_young = |(path, stamp): &(PathBuf, Option<Stamp>)| may_be_changing(path, *stamp);
    let says_nothing = |config: &Config, (path, stamp): &(PathBuf, Option<Stamp>)| {
        stamp.is_none() || config.is_emptied(path)
    };
    let (served, log) = match config {
        Ok(config) if files.iter().any(|file| says_nothing(&config, file) && is_young(file)) => {
            (cgi::run(|_| unavailable(), &Limits::default()), Log::default())
        }
        Ok(config) => {
            // Never taken apart: the process ends.
            let mut config = ManuallyDrop::new(config);
            config.is_settled = !files.iter().any(is_young);
            let respond = |request: &Request<'_>| {
                let response = respond_now(request, &config);
                // A certificate that is being replaced: the profile is signed in a moment.
                let is_unsigned =
                    response.about.as_ref().is_some_and(|it| it.signed == Some(false));
                let is_swapped = || {
                    let mut files = config.signing_identity().into_iter().flat_map(|it| it.files());
                    files
                        .any(|path| Stamp::of(path).is_ok_and(|stamp| may_be_changing(path, stamp)))
                };
                if is_unsigned && is_swapped() { unavailable() } else { response }
            };
            (cgi::run(respond, &config.limits), config.log)
        }
        Err(errors) => {
            log::findings(&errors);
            // What is wrong is for the server's log, not for strangers.
            let line = "the configuration has errors; see the error log of the web server";
            let response = match files.iter().any(is_young) {
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

/// True if a file may be in the middle of a change: it was changed lately, or it is gone and may be
/// on its way to its place, since its folder, or the nearest one that is there, was changed lately.
fn may_be_changing(path: &Path, stamp: Option<Stamp>) -> bool {
    let folder = |path: &'_ Path| match path.as_os_str().is_empty() {
        true => Stamp::of(Path::new(".")).ok().flatten(),
        false => Stamp::of(path).ok().flatten(),
    };
    stamp
        .or_else(|| path.ancestors().skip(1).find_map(folder))
        .is_some_and(|stamp| stamp.may_be_changing())
}
