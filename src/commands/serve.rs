//! Answers requests over FastCGI and HTTP until a signal ends it.

use super::{COULD_NOT_RUN, complain};
use crate::cli;
use crate::config::find::Source;
use crate::config::reload::Reloading;
use crate::gateway::listener::{self, Address, Listener};
use crate::gateway::server::{self, Speaks};
use crate::log;
use crate::responder::respond;
use std::cell::RefCell;
use std::process::ExitCode;
use std::rc::Rc;

/// Serves on the sockets the command line names, or on those the process was given.
pub fn run(arguments: cli::Serve, source: Source) -> ExitCode {
    if arguments.listen.is_empty() && arguments.http.is_empty() {
        return match listener::inherited() {
            Ok(listeners) if !listeners.is_empty() => inherited(listeners, source),
            Ok(_) => fail(
                "no socket to serve on: give --listen unix:/run/mailsetup.sock, or \
                 --http 127.0.0.1:8025 for a first look",
            ),
            Err(error) => {
                fail(&format!("the sockets this process was given cannot be used: {error}"))
            }
        };
    }
    // First the configuration: with a broken one, no socket is touched.
    let reloading = match Reloading::start(source) {
        Ok(reloading) => reloading,
        Err(errors) => return complain(&errors),
    };
    let http = arguments.http.into_iter().map(|address| (Address::Tcp(address), Speaks::Http));
    let addresses =
        arguments.listen.into_iter().map(|address| (address, Speaks::FastCgi)).chain(http);
    let mut listeners = Vec::new();
    let mut made = Vec::new();
    for (address, speaks) in addresses {
        match listener::bind(&address) {
            Ok((listener, file)) => {
                listeners.push((listener, speaks));
                made.extend(file);
            }
            Err(error) => return fail(&format!("cannot listen on {address}: {error}")),
        }
        let scheme = if speaks == Speaks::Http { "http://" } else { "FastCGI on " };
        log::notice(&format!("listening: {scheme}{address}"));
    }
    // `made` removes its sockets when it goes, also on the way out above.
    serve(listeners, reloading)
}

/// Serves FastCGI on sockets the process was given.
pub fn inherited(listeners: Vec<Listener>, source: Source) -> ExitCode {
    match Reloading::start(source) {
        Ok(reloading) => {
            let listeners =
                listeners.into_iter().map(|listener| (listener, Speaks::FastCgi)).collect();
            serve(listeners, reloading)
        }
        Err(errors) => complain(&errors),
    }
}

fn serve(listeners: Vec<(Listener, Speaks)>, mut reloading: Reloading) -> ExitCode {
    let limits = reloading.current().limits;
    let reloading = Rc::new(RefCell::new(reloading));
    let reload = {
        let reloading = reloading.clone();
        move || reloading.borrow_mut().reload()
    };
    let responder = Rc::new(move |request: &_| {
        let config = reloading.borrow_mut().current();
        respond(request, &config)
    });
    match server::run(listeners, responder, limits, reload) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("cannot serve: {error}")),
    }
}

/// Says why nothing is served.
pub(super) fn fail(message: &str) -> ExitCode {
    log::error(&message);
    ExitCode::from(COULD_NOT_RUN)
}
