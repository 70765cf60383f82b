//! Prints what a mail client would get, by asking the way it would ask.
//!
//! The request goes through the same function as one from a web server. A document is printed byte
//! for byte, unless it goes to a terminal.

use super::{COULD_NOT_RUN, FOUND, load, not_ours, print_document};
use crate::address::EmailAddress;
use crate::cli::{Client, Show};
use crate::config::Config;
use crate::config::find::Source;
use crate::log;
use crate::paths;
use crate::request::{Method, Request};
use crate::responder::respond_now;
use crate::response::{Response, Status};
use crate::xml;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::io::Write;
use std::process::ExitCode;

/// Prints the answer to one client, or to all of them with a line above each.
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
    if let Ok(None) = config.find_now(address.domain()) {
        log::error(&not_ours(address.domain()));
        return ExitCode::from(FOUND);
    }
    if arguments.client != Client::All {
        let (_, response) = ask(arguments.client, &address, &config);
        let is_signed = std::str::from_utf8(&response.body).is_err();
        return match is_document(&response) {
            // Why not is on standard error already.
            true if arguments.sign && !is_signed => ExitCode::from(FOUND),
            true => print_document(&response.body),
            false => refuse(&response),
        };
    }
    let mut text = Vec::new();
    for client in [Client::Thunderbird, Client::Outlook, Client::Apple] {
        let (line, response) = ask(client, &address, &config);
        if !is_document(&response) {
            // A client that gets none does not hide what the others get.
            let (code, message) = (response.status.code(), message(&response));
            write!(text, "### {line}\n### {code} {message}\n\n").ok();
            continue;
        }
        let media_type = response.header("Content-Type").unwrap_or_default();
        // Writing to memory does not fail.
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
    print_document(&text)
}

/// A line that shows the request of a client, and the answer to it.
fn ask(client: Client, address: &EmailAddress, config: &Config) -> (String, Response) {
    let domain = address.domain();
    let encoded = utf8_percent_encode(&address.to_string(), NON_ALPHANUMERIC).to_string();
    let (method, word, host, target, body) = match client {
        Client::Thunderbird | Client::All => {
            let target = format!("{}?emailaddress={encoded}", paths::AUTOCONFIG.text);
            (Method::Get, "GET", format!("autoconfig.{domain}"), target, Vec::new())
        }
        Client::Outlook => {
            let target = paths::AUTODISCOVER.text.to_owned();
            (Method::Post, "POST", format!("autodiscover.{domain}"), target, outlook_body(address))
        }
        Client::Apple => {
            let target = format!("{}?emailaddress={encoded}", paths::MOBILECONFIG.text);
            (Method::Get, "GET", format!("autoconfig.{domain}"), target, Vec::new())
        }
    };
    let line = format!("{word} https://{host}{target}");
    let request = Request::new(method, target.as_bytes(), Some(host.as_bytes()), body);
    (line, respond_now(&request, config).response)
}

/// What Outlook sends ([MS-OXDSCLI] 2.2.3).
fn outlook_body(address: &EmailAddress) -> Vec<u8> {
    const REQUEST: &str =
        "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006";
    const RESPONSE: &str =
        "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
    let mut document = xml::Writer::new();
    document.element("Autodiscover", &[("xmlns", REQUEST)], |xml| {
        xml.element("Request", &[], |xml| {
            xml.text("EMailAddress", &address.to_string());
            xml.text("AcceptableResponseSchema", RESPONSE);
        });
    });
    document.finish()
}

/// False for refusals, also for Autodiscover's, which come with status 200.
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
