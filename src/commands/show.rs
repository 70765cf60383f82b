//! Prints the response that a mail client would get to its request.
//!
//! The request goes through the same function as one from a web server. A document is printed byte
//! for byte, unless standard output is a terminal. Records for the DNS are those of `mailsetup
//! dns`.

use super::dns;
use super::loading::load;
use super::output::{COULD_NOT_RUN, FOUND, not_ours, print_document};
use crate::address::{Domain, EmailAddress};
use crate::cli::{Client, Show};
use crate::clients::{Ask, Form, Host, Schema, Scheme, Sent, What};
use crate::config::Config;
use crate::config::find::Source;
use crate::discovery::autodiscover::pox;
use crate::gateway::inquiry_at_once;
use crate::log;
use crate::login::lookups::Lookups;
use crate::request::{Method, Request};
use crate::responder::respond_now;
use crate::response::{Response, Status};
use crate::xml;
use std::io::Write;
use std::process::ExitCode;
use std::rc::Rc;

const AUTOCONFIG: Ask = https(Host::Autoconfig, What::Autoconfig(Sent::Encoded));
const AUTODISCOVER: Ask = https(Host::Autodiscover, What::Pox(Schema::Outlook));
const JSON: Ask = https(Host::Autodiscover, What::Json(Form::Path, "AutodiscoverV1"));
const PROFILE: Ask = https(Host::Autoconfig, What::Profile(Sent::Encoded));
const PACC: Ask = https(Host::Pacc, What::Pacc);
const PAGE: Ask = https(Host::Autoconfig, What::Page);
/// The documents for mail clients, in the order of the output.
const DOCUMENTS: [Ask; 5] = [AUTOCONFIG, AUTODISCOVER, JSON, PROFILE, PACC];

const fn https(host: Host, what: What) -> Ask {
    Ask::new(Scheme::Https, host, what)
}

/// Prints one document, or all of them with a line above each.
pub fn run(arguments: &Show, source: &Source) -> ExitCode {
    let address = match EmailAddress::parse(arguments.address.as_bytes()) {
        Ok(address) => address,
        Err(error) => {
            log::error(&format!("{} is not an e-mail address: {error}", arguments.address));
            return ExitCode::from(COULD_NOT_RUN);
        }
    };
    let config = match load(source) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    if arguments.sign {
        if arguments.client != Client::Apple {
            log::error(&"--sign needs --client apple; only profiles are signed");
            return ExitCode::from(COULD_NOT_RUN);
        }
        let fault = match config.signing_identity() {
            Some(identity) => identity.check().err().map(|error| error.to_string()),
            None => Some("apple.signing_certificate and apple.signing_key are not set".to_owned()),
        };
        let domain = address.domain();
        let fault = fault.or_else(|| {
            let is_named = config.is_named(domain) && !address.is_quoted();
            let message = "only profiles of configured domains are signed, and not those of addresses in quotes";
            (!is_named).then(|| format!("{address}: {message}"))
        });
        if let Some(fault) = fault {
            log::error(&format!("the profile cannot be signed: {fault}"));
            return ExitCode::from(FOUND);
        }
    }
    let local_file = match &arguments.local_xml {
        Some(_) if arguments.client != Client::Outlook => {
            log::error(&"--local-xml needs --client outlook");
            return ExitCode::from(COULD_NOT_RUN);
        }
        Some(host) => match local_file(host.as_deref(), address.domain()) {
            Some(file) => Some(file),
            None => return ExitCode::from(COULD_NOT_RUN),
        },
        None => None,
    };
    if let Ok(None) = config.find_now(address.domain()) {
        log::error(&not_ours(address.domain()));
        return ExitCode::from(FOUND);
    }
    let domain = address.domain();
    let has_pacc = offers_pacc(domain, &config);
    let ask = match arguments.client {
        Client::All => return print_document(&all(&address, &config, has_pacc)),
        Client::Dns => return dns::print_records(domain, &config),
        Client::Pacc if !has_pacc => {
            log::error(&format!("PACC is not enabled for {}", domain.for_people()));
            return ExitCode::from(FOUND);
        }
        Client::Thunderbird => AUTOCONFIG,
        Client::Outlook => AUTODISCOVER,
        Client::Json => JSON,
        Client::Apple => PROFILE,
        Client::Pacc => PACC,
        Client::Page => PAGE,
    };
    let response = respond_to(&ask, &address, &config, &Rc::default());
    let is_signed = std::str::from_utf8(&response.body).is_err();
    match is_document(&response) {
        // The reason is already on standard error.
        true if arguments.sign && !is_signed => ExitCode::from(FOUND),
        true => print_document(&local_file.unwrap_or(response).body),
        false if ask == PACC => {
            let domain = domain.for_people();
            log::error(&format!(
                "no PACC document is published for {domain}; see `mailsetup check`"
            ));
            ExitCode::from(FOUND)
        }
        false => refuse(&response),
    }
}

/// All documents, with a line above each that shows the request for it.
fn all(address: &EmailAddress, config: &Config, has_pacc: bool) -> Vec<u8> {
    let mut text = Vec::new();
    // A server is asked once.
    let lookups = Rc::default();
    for ask in DOCUMENTS.iter().filter(|ask| has_pacc || **ask != PACC) {
        let response = respond_to(ask, address, config, &lookups);
        let (host, target) = (ask.host(address.domain().as_str()), ask.target(address));
        let line = format!("{} {}://{host}{target}", ask.method(), ask.scheme());
        // Writing to memory does not fail.
        if !is_document(&response) {
            // A missing document does not hide the others.
            let (code, message) = (response.status.code(), message(&response));
            write!(text, "### {line}\n### {code} {message}\n\n").ok();
            continue;
        }
        let media_type = response.header("Content-Type").unwrap_or_default();
        write!(text, "### {line}\n### {} {media_type}\n", response.status.code()).ok();
        match std::str::from_utf8(&response.body) {
            Ok(_) => text.extend_from_slice(&response.body),
            Err(_) => {
                let len = response.body.len();
                writeln!(text, "(signed, {len} bytes; see --client apple)").ok();
            }
        }
        text.push(b'\n');
    }
    text
}

/// The file for PreferLocalXML; `None` after a message if the host is not a name.
fn local_file(host: Option<&str>, domain: &Domain) -> Option<Response> {
    let own = AUTODISCOVER.host(domain.as_str());
    let host = host.unwrap_or(&own);
    let file = Domain::parse(host).ok().map(|host| pox::local_file(&host));
    if file.is_none() {
        let message = "is not a host name with a domain; expected for example mail.example.org";
        log::error(&format!("--local-xml: {host} {message}"));
    }
    file
}

/// True if PACC is enabled for a domain.
fn offers_pacc(domain: &Domain, config: &Config) -> bool {
    let found = config.find_now(domain).ok().flatten();
    found.and_then(|found| found.account(domain, None, None)).is_some_and(|account| account.pacc)
}

/// The response to a request for an address.
fn respond_to(
    ask: &Ask,
    address: &EmailAddress,
    config: &Config,
    lookups: &Rc<Lookups>,
) -> Response {
    let (method, body) = match ask.body(address) {
        Some(body) => (Method::Post, body),
        None => (Method::Get, Vec::new()),
    };
    let (host, target) = (ask.host(address.domain().as_str()), ask.target(address));
    let request = Request::new(method, target.as_bytes(), Some(host.as_bytes()), body);
    respond_now(&request, config, lookups, inquiry_at_once::ask).response
}

/// False for errors, also for those of Autodiscover, which have status 200.
fn is_document(response: &Response) -> bool {
    response.status == Status::Ok && error_message(&response.body).is_none()
}

/// The message of an Autodiscover error document.
fn error_message(body: &[u8]) -> Option<String> {
    let elements = xml::read(body).ok()?.leaves;
    let is_error = elements.iter().any(|(name, _)| name == "ErrorCode");
    is_error
        .then(|| elements.into_iter().find(|(name, _)| name == "Message"))?
        .map(|(_, text)| text)
}

fn refuse(response: &Response) -> ExitCode {
    log::error(&format!("{}: {}", response.status.code(), message(response)));
    ExitCode::from(FOUND)
}

/// Why there is no document.
fn message(response: &Response) -> String {
    let message = error_message(&response.body);
    message.unwrap_or_else(|| String::from_utf8_lossy(&response.body).trim().to_owned())
}
