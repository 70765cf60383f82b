//! Answers the single request for which a web server started this process.

use super::loading::CHECKS;
use crate::access_log;
use crate::config::check::Loading;
use crate::config::find::Source;
use crate::config::{Config, Log};
use crate::files::Stamp;
use crate::gateway::{cgi, inquiry_at_once};
use crate::limits::Limits;
use crate::log;
use crate::request::{Request, Sender};
use crate::responder::{respond_now, unavailable};
use crate::response::{Response, Status};
use crate::step::Reply;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

/// Serves the request. The exit status is 0 if a response was sent.
pub fn run() -> ExitCode {
    let start = Instant::now();
    let environment: cgi::Environment = std::env::vars_os().collect();
    let (files, config) = Source::new(None, &environment).load_watching(Loading::cgi(&CHECKS));
    let is_young = |(path, stamp): &(PathBuf, Option<Stamp>)| may_be_changing(path, *stamp);
    let says_nothing = |config: &Config, (path, stamp): &(PathBuf, Option<Stamp>)| {
        stamp.is_none() || config.is_emptied(path)
    };
    let mut log = Log::default();
    let mut limits = Limits::default();
    let respond: Box<dyn FnOnce(&Request) -> Reply> = match config {
        Ok(config) if files.iter().any(|file| is_young(file) && says_nothing(&config, file)) => {
            Box::new(|_| unavailable().into())
        }
        Ok(mut config) => {
            config.is_settled = !files.iter().any(is_young);
            (log, limits) = (config.log, config.limits);
            // Never freed: the process ends.
            let config = ManuallyDrop::new(config);
            Box::new(move |request| respond_settled(request, &config))
        }
        Err(errors) => {
            log::findings(&errors);
            // The errors are for the server's log, not for clients.
            let line = "the configuration has errors; see the error log of the web server";
            let response = match files.iter().any(is_young) {
                true => unavailable(),
                false => Response::text(Status::InternalServerError, line),
            };
            Box::new(|_| response.into())
        }
    };
    let note = |method, sender: Sender, reply: &Reply| {
        if log.requests == Some(true) {
            access_log::write(method, sender, reply, start.elapsed(), log.fields);
            log::flush();
        }
    };
    match cgi::run(&environment, respond, note, &limits) {
        Ok(()) => ExitCode::SUCCESS,
        // The web server has closed the connection.
        Err(_) => ExitCode::FAILURE,
    }
}

/// The reply to a request; "unavailable" instead of a profile that is unsigned because a
/// certificate is being replaced, and if a list could not be searched as it was.
fn respond_settled(request: &Request, config: &Config) -> Reply {
    let reply = respond_now(request, config, &Rc::default(), inquiry_at_once::ask);
    if let Some(failure) = config.search_failure() {
        log::findings(&[failure]);
        return unavailable().into();
    }
    // The domain may have been moved to a part that was read before.
    let is_missed = reply.response.status == Status::NotFound && config.has_changed_list();
    if is_missed || config.has_changed_map() {
        return unavailable().into();
    }
    let is_swapped = || {
        let mut files = config.signing_identity().into_iter().flat_map(|it| it.files());
        files.any(|path| Stamp::of(path).is_ok_and(|stamp| may_be_changing(path, stamp)))
    };
    // A repeated request will get a signed profile.
    if reply.record.signed == Some(false) && is_swapped() { unavailable().into() } else { reply }
}

/// True if a file may be changing: it was changed recently, or it is missing and its folder, or the
/// nearest existing one, was changed recently, so that the file may be about to appear.
fn may_be_changing(path: &Path, stamp: Option<Stamp>) -> bool {
    let folder = |path: &'_ Path| match path.as_os_str().is_empty() {
        true => Stamp::of(Path::new(".")).ok().flatten(),
        false => Stamp::of(path).ok().flatten(),
    };
    stamp
        .or_else(|| path.ancestors().skip(1).find_map(folder))
        .is_some_and(|stamp| stamp.may_be_changing())
}
