//! Says what is wrong with the configuration, and what works but breaks some client.
//!
//! Errors are what keeps the configuration from being used; warnings name the clients that a
//! setting breaks. Every domain is resolved, and the signing certificate is tried.

use super::{COULD_NOT_RUN, FOUND, print};
use crate::account::{
    Account, Auth, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Moved, Protocol, Security, Server, ServiceKind,
};
use crate::address::{Domain, EmailAddress};
use crate::cli;
use crate::config::{Config, check::Loading, defaults, find::Source};
use crate::discovery::{autodiscover::new_address, pacc};
use crate::finding::{Finding, Level, Place};
use crate::log;
use crate::page::accent::on_light;
use std::path::PathBuf;
use std::process::ExitCode;

/// How many redirects Autodiscover clients follow (seen: EWS's documentation names ten).
const MAX_REDIRECTS: usize = 10;

/// Checks and reports.
pub fn run(arguments: &cli::Check, source: &Source) -> ExitCode {
    let path = source.path();
    let (findings, summary) = match source.load(Loading::COMMAND) {
        Ok(config) => {
            let findings = find(&config, path.as_ref());
            let summary = summary(&config, path.as_ref(), &findings);
            (findings, summary)
        }
        Err(errors) => (errors, String::new()),
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

/// `error: FILE:LINE:COLUMN: message`
fn line(finding: &Finding) -> String {
    let label = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    log::visible(&format!("{label}: {finding}")) + "\n"
}

/// What was read, and how good it is.
fn summary(config: &Config, path: Option<&PathBuf>, findings: &[Finding]) -> String {
    let origin = match path {
        Some(path) => path.display().to_string(),
        None => "built-in defaults (no configuration file)".to_owned(),
    };
    let count = |level, word: &str| match findings
        .iter()
        .filter(|finding| finding.level == level)
        .count()
    {
        0 => None,
        1 => Some(format!("1 {word}")),
        count => Some(format!("{count} {word}s")),
    };
    let counts = [count(Level::Error, "error"), count(Level::Warning, "warning")];
    let counts: Vec<_> = counts.into_iter().flatten().collect();
    let verdict = if counts.is_empty() { "fine".to_owned() } else { counts.join(", ") };
    let domains = match (config.domains().len(), config.answers_any()) {
        (0, true) => "any domain is answered".to_owned(),
        (0, false) => "no domain is answered".to_owned(),
        (1, false) => "1 domain".to_owned(),
        (count, false) => format!("{count} domains"),
        (count, true) => format!("{count} named, and any other domain is answered"),
    };
    format!("{origin}: {verdict}; {domains}\n")
}

fn find(config: &Config, path: Option<&PathBuf>) -> Vec<Finding> {
    let mut findings = config.warnings.clone();
    let finding = |level, domain: Option<&Domain>, message| Finding {
        level,
        domain: domain.cloned(),
        ..Finding::error("lint", path.map(Place::file), message)
    };
    if let Some(identity) = config.signing_identity() {
        findings.extend(identity.findings());
    }
    if config.domains().is_empty() && !config.answers_any() {
        let message =
            "the lists and the folder of domains are empty: nobody is answered".to_owned();
        findings.push(finding(Level::Warning, None, message));
    }
    let broken = config.directory_errors();
    let is_broken = |domain: &Domain| {
        let name = format!("{domain}.toml");
        broken.iter().filter_map(|error| error.place.as_ref()).any(|at| at.file.ends_with(&name))
    };

    // Where any domain is answered, one stands for them all.
    let any = config.answers_any().then(|| Domain::parse("any.example").ok()).flatten();
    let mut said = Vec::new();
    for domain in config.domains().iter().chain(&any).filter(|domain| !is_broken(domain)) {
        let account = match config.find_now(domain) {
            Ok(Some(found)) => found.account(domain, None, None),
            // An alias of a domain whose file is broken, which is told by its own name.
            Ok(None) | Err(_) => continue,
        };
        let named = Some(domain).filter(|domain| Some(*domain) != any.as_ref());
        let Some(account) = account else {
            let message = "a host name gets too long for this domain".to_owned();
            findings.push(finding(Level::Error, named, message));
            continue;
        };
        if let Some(message) = redirect_circle(domain, &account, config) {
            let finding = finding(Level::Error, named, message);
            findings.push(Finding { code: "redirect-circle", ..finding });
        }
        for message in lint(&account) {
            // Said once, at the first domain, of settings that many share.
            if !said.contains(&message) {
                findings.push(finding(Level::Warning, named, message.clone()));
                said.push(message);
            }
        }
    }
    findings.extend(broken);
    findings
}

/// Follows the redirects of Autodiscover from domain to domain, as clients do.
fn redirect_circle(domain: &Domain, account: &Account, config: &Config) -> Option<String> {
    let Some(Moved::Address(_)) = &account.moved else { return None };
    let mut address = EmailAddress::parse(format!("user@{domain}").as_bytes()).ok()?;
    let mut chain = address.to_string();
    for _ in 0..MAX_REDIRECTS {
        let found = config.find_now(address.domain()).ok()??;
        let domain = address.domain().clone();
        let account = found.account(&domain, None, Some(address))?;
        address = new_address(&account)?;
        chain += &format!(" -> {address}");
    }
    Some(format!(
        "autodiscover.redirect_address: clients give up after {MAX_REDIRECTS} redirects: {chain}"
    ))
}

/// What works, but not for everybody.
fn lint(account: &Account) -> Vec<String> {
    let mut messages: Vec<_> =
        account.servers.iter().chain(&account.alternatives).flat_map(lint_server).collect();
    for server in &account.alternatives {
        messages.push(format!(
            "{}.alternatives: Evolution takes the last server, and aerc the last for sending",
            server.protocol
        ));
    }
    if !account.servers.iter().any(|server| server.protocol == Protocol::Imap) {
        messages.push("without imap, Geary and Thunderbird for Android find nothing".to_owned());
    }
    if account.pacc {
        messages
            .extend(pacc::left_out(account).into_iter().map(|message| format!("pacc: {message}")));
    }
    if account.service(ServiceKind::Jmap).is_some() {
        messages.push("jmap: Pimalaya 0.7 refuses the whole autoconfig document for it".to_owned());
    }
    let read_by = account.incoming().map(|server| server.login.template());
    for service in account.services.iter().filter(|service| service.kind != ServiceKind::ActiveSync)
    {
        if Some(service.login.template()) != read_by {
            let message = "FairEmail takes the last username for the mail server's";
            messages.push(format!("{}.username: {message}", service.kind));
        }
    }
    for (key, name) in
        [("name", &account.provider.name), ("short_name", &account.provider.short_name)]
    {
        if looks_like_a_value(name) {
            messages.push(format!(
                "provider.{key}: Thunderbird takes {name} for a number or a truth value"
            ));
        }
    }
    if let Some(color) = account.page.color {
        let shade = on_light(color);
        if shade != color {
            messages.push(format!(
                "page.color: text in {color} cannot be read on a light page; {shade} is shown there"
            ));
        }
    }
    match &account.moved {
        Some(Moved::Address(_)) => messages.push(
            "autodiscover.redirect_address: Delta Chat, EmailEngine and FairEmail do not follow it"
                .to_owned(),
        ),
        Some(Moved::Url(_)) => messages.push(
            "autodiscover.redirect_url: Thunderbird does not follow it, and Delta Chat, which sends \
             no address, is not sent there"
                .to_owned(),
        ),
        None => {}
    }
    messages
}

fn lint_server(server: &Server) -> Vec<String> {
    let Server { protocol, port, security, auth, .. } = server;
    let mut messages = Vec::new();
    let port_of = |security| defaults::port(*protocol, security);
    match security {
        Security::Plain => messages.push(format!(
            "{protocol}: without TLS, Thunderbird for Android refuses the whole configuration, \
             and passwords cross the network in the clear"
        )),
        // One port for both tells nothing.
        _ if port_of(Security::Tls) == port_of(Security::StartTls) => {}
        Security::StartTls if port.get() == port_of(Security::Tls) => messages.push(format!(
            "{protocol}: port {port} is for TLS from the first byte; no client will connect with \
             security = \"starttls\""
        )),
        Security::Tls if port.get() == port_of(Security::StartTls) => messages.push(format!(
            "{protocol}: port {port} is for STARTTLS; Thunderbird and FairEmail will try that \
             whatever security = \"tls\" says"
        )),
        Security::Tls | Security::StartTls => {}
    }
    match auth {
        Auth::Ntlm => messages.push(format!(
            "{protocol}: Thunderbird for Android refuses the whole configuration for auth = \"ntlm\""
        )),
        Auth::None => messages.push(format!(
            "{protocol}: for auth = \"none\" Thunderbird for Android refuses the whole configuration, \
             and Thunderbird takes it for incomplete"
        )),
        Auth::Password | Auth::CramMd5 => {}
    }
    let login = server.login.template();
    if login == EMAIL_LOCAL_PART {
        messages.push(format!(
            "{protocol}: aerc logs in with the whole address, whatever username says"
        ));
    } else if !login.contains(EMAIL_ADDRESS) && !login.contains(EMAIL_LOCAL_PART) {
        messages.push(format!(
            "{protocol}: Mailspring logs in with the address, not with a fixed username"
        ));
    } else if login != EMAIL_ADDRESS {
        messages.push(format!(
            "{protocol}: FairEmail, Mailspring and aerc do not understand a username made of \
             several parts; %EMAILADDRESS% works everywhere"
        ));
    }
    if looks_like_a_value(login) {
        messages.push(format!(
            "{protocol}: Thunderbird takes the username {login} for a number or a truth value"
        ));
    }
    messages
}

/// True for text that is a number or a truth value (seen: Thunderbird turns `0123` into 123).
fn looks_like_a_value(text: &str) -> bool {
    text.parse::<f64>().is_ok() || ["true", "false"].contains(&text)
}
