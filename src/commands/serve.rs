//! Answers requests over FastCGI and HTTP until a signal ends it.

use super::loading::CHECKS;
use super::output::{COULD_NOT_RUN, complain};
use crate::cli;
use crate::config::environment;
use crate::config::find::Source;
use crate::config::reload::Reloading;
use crate::files;
use crate::gateway::listener::{self, Address, Listener};
use crate::gateway::server::{Server, Speaks};
use crate::log;
use crate::service::Service;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;

/// Serves on the sockets of the command line, or on those that were passed to the process.
pub fn run(arguments: cli::Serve, source: Source) -> ExitCode {
    if arguments.listen.is_empty() && arguments.http.is_empty() {
        return match listener::inherited() {
            Ok(listeners) if !listeners.is_empty() => inherited(listeners, source),
            Ok(_) => fail(
                "no socket to listen on; use --listen unix:/run/mailsetup.sock, or --http 127.0.0.1:8025 to try it",
            ),
            Err(error) => cannot_inherit(&error),
        };
    }
    // The configuration comes first: if it has errors, no socket is created.
    let (server, reloading) = match begin(source) {
        Ok(begun) => begun,
        Err(code) => return code,
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
            Err(error) => {
                return fail(&format!("cannot listen on {address}: {}", files::reason(&error)));
            }
        }
        let scheme = if speaks == Speaks::Http { "http://" } else { "FastCGI on " };
        log::notice(&format!("listening: {scheme}{address}"));
    }
    // `made` removes its sockets when it is dropped, also at the return above.
    serve(server, listeners, reloading)
}

/// Serves FastCGI on sockets that were passed to the process.
pub fn inherited(listeners: Vec<Listener>, source: Source) -> ExitCode {
    match begin(source) {
        Ok((server, reloading)) => {
            let listeners =
                listeners.into_iter().map(|listener| (listener, Speaks::FastCgi)).collect();
            serve(server, listeners, reloading)
        }
        Err(code) => code,
    }
}

/// The part of the start that needs no socket: signals, and the configuration.
fn begin(source: Source) -> Result<(Server, Reloading), ExitCode> {
    let server = Server::new().map_err(cannot_serve)?;
    let variables = environment::names(&source.environment().overlay);
    let reloading = Reloading::start(source, &CHECKS).map_err(|errors| complain(&errors))?;
    if !variables.is_empty() {
        log::notice(&format!("settings from environment variables: {variables}"));
    }
    Ok((server, reloading))
}

fn serve(server: Server, listeners: Vec<(Listener, Speaks)>, reloading: Reloading) -> ExitCode {
    if let Err(error) = log::write_in_background() {
        return cannot_serve(error);
    }
    let service = Rc::new(Service::new(reloading));
    let limits = service.limits();
    let reload = {
        let service = service.clone();
        move |done: Box<dyn FnOnce() + Send>| service.reload(done)
    };
    match server.run(listeners, service, limits, reload) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cannot_serve(error),
    }
}

fn cannot_serve(error: io::Error) -> ExitCode {
    fail(&format!("cannot serve: {}", files::reason(&error)))
}

/// Logs why the sockets of the process that started this one cannot be used.
pub(super) fn cannot_inherit(error: &io::Error) -> ExitCode {
    fail(&format!("the inherited sockets cannot be used: {}", files::reason(error)))
}

/// Logs why the service cannot start.
pub(super) fn fail(message: &str) -> ExitCode {
    log::error(&message);
    ExitCode::from(COULD_NOT_RUN)
}
