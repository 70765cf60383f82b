//! Says what is wrong with the configuration, and what works but breaks some client.
//!
//! Errors are what keeps the configuration from being used; warnings name the clients that a
//! setting breaks. Every domain is resolved, and the signing certificate is tried.

use super::{COULD_NOT_RUN, FOUND, print};
use crate::account::{Auth, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Protocol, Security, Server};
use crate::address::Domain;
use crate::cli;
use crate::config::{Config, ConfigError, Unavailable, find::Source};
use crate::log;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;

/// One finding.
#[derive(Debug, Serialize)]
struct Finding {
    level: Level,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    message: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Error,
    Warning,
}

/// Checks and reports.
pub fn run(arguments: &cli::Check, source: &Source) -> ExitCode {
    let path = source.path();
    let (findings, summary) = match source.load() {
        Ok(config) => {
            let findings = find(&config, path.as_ref());
            (findings, summary(&config, path.as_ref()))
        }
        Err(errors) => {
            (errors.into_iter().map(|error| told(Level::Error, error)).collect(), String::new())
        }
    };
    let is_bad = |finding: &Finding| finding.level == Level::Error || arguments.strict;
    let verdict = match findings.iter().any(is_bad) {
        true => ExitCode::from(FOUND),
        false => ExitCode::SUCCESS,
    };
    let text = if arguments.quiet {
        String::new()
    } else if arguments.json {
        match serde_json::to_string_pretty(&findings) {
            Ok(json) => json + "\n",
            Err(error) => {
                log::error(&error);
                return ExitCode::from(COULD_NOT_RUN);
            }
        }
    } else {
        findings.iter().map(line).collect::<String>() + &summary
    };
    match print(text) {
        ExitCode::SUCCESS => verdict,
        failed => failed,
    }
}

fn told(level: Level, ConfigError { file, line, message }: ConfigError) -> Finding {
    Finding { level, file: Some(file), line, domain: None, message }
}

/// `error: FILE:LINE: message`
fn line(finding: &Finding) -> String {
    let mut text = match finding.level {
        Level::Error => "error: ".to_owned(),
        Level::Warning => "warning: ".to_owned(),
    };
    if let Some(file) = &finding.file {
        text += &format!("{}:", file.display());
        if let Some(line) = finding.line {
            text += &format!("{line}:");
        }
        text.push(' ');
    }
    if let Some(domain) = &finding.domain {
        text += &format!("{domain}: ");
    }
    log::visible(&(text + &finding.message)) + "\n"
}

fn summary(config: &Config, path: Option<&PathBuf>) -> String {
    let origin = match path {
        Some(path) => path.display().to_string(),
        None => "no configuration file: built-in defaults".to_owned(),
    };
    let domains = match (config.domains().len(), config.answers_any()) {
        (0, _) => "any domain is answered".to_owned(),
        (1, false) => "1 domain".to_owned(),
        (count, false) => format!("{count} domains"),
        (count, true) => format!("{count} named, and any other domain is answered"),
    };
    format!("{origin}: fine, {domains}\n")
}

fn find(config: &Config, path: Option<&PathBuf>) -> Vec<Finding> {
    let mut findings: Vec<_> =
        config.warnings.iter().cloned().map(|warning| told(Level::Warning, warning)).collect();
    let finding = |level, domain: Option<&Domain>, message| Finding {
        level,
        file: path.cloned(),
        line: None,
        domain: domain.map(Domain::to_string),
        message,
    };
    if let Some(error) = config.signing_identity().and_then(|identity| identity.check().err()) {
        let message = format!("profiles go out unsigned: {error}");
        findings.push(finding(Level::Error, None, message));
    }
    let mut told = Vec::new();
    for domain in config.domains() {
        let account = match config.find(&domain) {
            Ok(Some(found)) => found.account(domain.clone(), None, None),
            Ok(None) | Err(Unavailable) => {
                let message = "its settings cannot be read".to_owned();
                findings.push(finding(Level::Error, Some(&domain), message));
                continue;
            }
        };
        let Some(account) = account else {
            let message = "a host name gets too long for this domain".to_owned();
            findings.push(finding(Level::Error, Some(&domain), message));
            continue;
        };
        let mut messages: Vec<_> = account.servers.iter().flat_map(lint).collect();
        if !account.servers.iter().any(|server| server.protocol == Protocol::Imap) {
            let message = "without imap, Geary and Thunderbird for Android find nothing";
            messages.push(message.to_owned());
        }
        for message in messages {
            // Said once, at the first domain, of settings that many share.
            if !told.contains(&message) {
                findings.push(finding(Level::Warning, Some(&domain), message.clone()));
                told.push(message);
            }
        }
    }
    findings
}

/// What works, but not for everybody.
fn lint(server: &Server) -> Vec<String> {
    let Server { protocol, port, security, .. } = server;
    let mut messages = Vec::new();
    let usual_for_tls = match protocol {
        Protocol::Imap => (993, 143),
        Protocol::Pop3 => (995, 110),
        Protocol::Smtp => (465, 587),
    };
    match security {
        Security::Plain => messages.push(format!(
            "{protocol}: without TLS, Thunderbird for Android refuses the whole configuration, \
             and passwords cross the network in the clear"
        )),
        Security::StartTls if port.get() == usual_for_tls.0 => messages.push(format!(
            "{protocol}: port {port} is for TLS from the first byte; no client will connect with \
             security = \"starttls\""
        )),
        Security::Tls if port.get() == usual_for_tls.1 => messages.push(format!(
            "{protocol}: port {port} is for STARTTLS; Thunderbird and FairEmail will try that \
             whatever security = \"tls\" says"
        )),
        Security::Tls | Security::StartTls => {}
    }
    if server.auth == Auth::Ntlm {
        messages.push(format!(
            "{protocol}: Thunderbird for Android refuses the whole configuration for auth = \"ntlm\""
        ));
    }
    let login = server.login.template();
    if login != EMAIL_ADDRESS && login.contains('%') {
        messages.push(match login == EMAIL_LOCAL_PART {
            true => {
                format!("{protocol}: aerc logs in with the whole address, whatever username says")
            }
            false => format!(
                "{protocol}: FairEmail, Mailspring and aerc do not understand a username made of \
                 several parts; %EMAILADDRESS% works everywhere"
            ),
        });
    }
    messages
}
