//! The command line: what can be typed, and the options that are made of it.
//!
//! Help texts are the first lines of the manual page; a test holds them together. Refuses what cannot be
//! meant: an unknown client, an address without a domain, two forms of output at once.

use crate::codes;
use crate::net::mail::Secret;
use clap::error::ErrorKind;
use clap::{ArgGroup, CommandFactory, Parser, value_parser};
use mailsetup::address::{AddressError, Domain, EmailAddress, HostName};
use mailsetup::clients::{self, slug};
use mailsetup::visible::{visible, visible_lines};
use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// The port of DNS servers.
const DNS_PORT: u16 = 53;

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "mailsetup-probe", version, disable_version_flag = true)]
#[command(about = "Says for a mail domain which mail clients find their settings, and why not")]
#[command(
    long_about = "Says for a mail domain which mail clients find their settings, and why the\n\
                        others do not.\n\n\
                        It looks up and requests what each client does, in its order, and goes on\n\
                        to the mail servers. It never logs in without --login."
)]
#[command(group = ArgGroup::new("output").args(["json", "quiet", "as_config", "missing_dns"]))]
struct Cli {
    /// The address of a mailbox, or a mail domain
    ///
    /// With a domain, an address in it is made up. The mailbox need not
    /// exist.
    #[arg(value_name = "ADDRESS|DOMAIN", required_unless_present_any = ["explain", "version"])]
    #[arg(verbatim_doc_comment)]
    target: Option<String>,

    /// Look at this client only
    ///
    /// Can be given several times. Names are as in the output of --json,
    /// for example thunderbird or outlook-2016; an unknown name lists them.
    #[arg(long = "client", value_name = "NAME", verbatim_doc_comment)]
    clients: Vec<String>,

    /// Use this address for a host, without DNS
    ///
    /// Can be given several times, also for one host.
    #[arg(long, value_name = "NAME:ADDR", value_parser = resolve, verbatim_doc_comment)]
    resolve: Vec<(String, IpAddr)>,

    /// Ask this DNS server
    ///
    /// An IP address; an IPv6 address with a port is in brackets. Can be
    /// given several times: the next one is asked if one does not answer.
    /// Default: those of /etc/resolv.conf.
    #[arg(long, value_name = "SERVER[:PORT]", value_parser = dns_server, verbatim_doc_comment)]
    dns: Vec<SocketAddr>,

    /// Trust the certificates of this file, too (PEM)
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Connect over IPv4 only
    #[arg(long, conflicts_with = "ipv6")]
    ipv4: bool,

    /// Connect over IPv6 only
    #[arg(long)]
    ipv6: bool,

    /// End after this time, all together
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    #[arg(value_parser = value_parser!(u64).range(1..=300))]
    timeout: u64,

    /// Ask for the password on the terminal, and log in to each server
    ///
    /// The password is sent only over TLS with a valid certificate, to
    /// servers in the domain or named by it over https. It is not stored.
    /// Needs an address.
    #[arg(long, verbatim_doc_comment)]
    login: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Write the report as an HTML page to this file, too
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Print nothing; use the exit status only
    #[arg(short, long)]
    quiet: bool,

    /// Print a configuration of mailsetup with the settings that are published today
    #[arg(long)]
    as_config: bool,

    /// Print the DNS records that are missing, as lines of a zone file
    #[arg(long)]
    missing_dns: bool,

    /// Print what a finding means, and end
    #[arg(long, value_name = "CODE", exclusive = true)]
    explain: Option<String>,

    /// Print the version
    #[arg(short = 'V', long)]
    version: bool,
}

/// The definition of the command line, for the manual page and the completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Wanted {
    /// To look at a domain; true if a password is to be asked for.
    Probe(Box<Options>, bool),
    /// To print the text for a code.
    Explain(String),
    /// To print a text: help or version.
    Print(String),
}

/// What to look at, how, and what to print.
#[derive(Debug)]
pub struct Options {
    /// What was asked for.
    pub target: Target,
    /// The names of the clients to play, as in their table; empty for all.
    pub clients: Vec<&'static str>,
    /// Addresses of hosts that are not looked up in DNS; the names are in lower case.
    pub resolve: Vec<(String, IpAddr)>,
    /// The DNS servers; empty for those of the system.
    pub dns: Vec<SocketAddr>,
    /// A file with certificates that are trusted, beside those of the system.
    pub ca: Option<PathBuf>,
    /// The only version of IP to use; `None` for both.
    pub family: Option<Family>,
    /// The time for everything together.
    pub timeout: Duration,
    /// The password for `--login`.
    pub password: Option<Secret>,
    /// What is printed.
    pub output: Output,
    /// The file for the HTML page.
    pub html: Option<PathBuf>,
}

/// What was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// A mailbox.
    Address(EmailAddress),
    /// A domain only.
    Domain(Domain),
}

impl Target {
    /// The mail domain.
    pub fn domain(&self) -> &Domain {
        match self {
            Target::Address(address) => address.domain(),
            Target::Domain(domain) => domain,
        }
    }
}

/// As people read it, with characters that a terminal would interpret escaped.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&visible(&match self {
            Target::Address(address) => address.for_people(),
            Target::Domain(domain) => domain.for_people().into_owned(),
        }))
    }
}

/// A version of IP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// True if an address is of this version.
    pub fn has(self, address: IpAddr) -> bool {
        address.is_ipv4() == (self == Family::V4)
    }
}

/// What is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Output {
    /// The report as text.
    Text,
    /// The report as JSON.
    Json,
    /// Nothing.
    Nothing,
    /// A configuration.
    Config,
    /// The DNS records that are missing.
    MissingDns,
}

/// Reads the arguments, the first of which is the name of the program. The error is a message for
/// standard error.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Wanted, String> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let text = error.render().to_string();
            return match error.kind() {
                ErrorKind::DisplayHelp => Ok(Wanted::Print(text)),
                _ => Err(escaped(text.strip_prefix("error: ").unwrap_or(&text), &arguments)),
            };
        }
    };
    if cli.version {
        return Ok(Wanted::Print(format!("mailsetup-probe {}\n", env!("CARGO_PKG_VERSION"))));
    }
    if let Some(code) = cli.explain {
        return Ok(Wanted::Explain(code));
    }
    let is_login = cli.login;
    let options = cli.options()?;
    Ok(Wanted::Probe(Box::new(options), is_login))
}

impl Cli {
    fn options(self) -> Result<Options, String> {
        let target = target(&self.target.unwrap_or_default())?;
        if self.login && matches!(target, Target::Domain(_)) {
            return Err("--login needs an address, not a domain".to_owned());
        }
        let clients: Result<_, _> = self.clients.iter().map(|name| client(name)).collect();
        let output = match (self.json, self.quiet, self.as_config, self.missing_dns) {
            (true, ..) => Output::Json,
            (_, true, ..) => Output::Nothing,
            (_, _, true, _) => Output::Config,
            (_, _, _, true) => Output::MissingDns,
            _ => Output::Text,
        };
        Ok(Options {
            target,
            clients: clients?,
            resolve: self.resolve,
            dns: self.dns,
            ca: self.ca,
            family: match (self.ipv4, self.ipv6) {
                (true, _) => Some(Family::V4),
                (_, true) => Some(Family::V6),
                _ => None,
            },
            timeout: Duration::from_secs(self.timeout),
            password: None,
            output,
            html: self.html,
        })
    }
}

/// The error of clap. It quotes arguments unchanged, line breaks included.
fn escaped(text: &str, arguments: &[OsString]) -> String {
    let mut text = text.to_owned();
    for argument in arguments.iter().skip(1) {
        let argument = argument.to_string_lossy();
        let value = argument.split_once('=').map_or("", |(_, value)| value);
        for quoted in [&*argument, value] {
            let shown = visible(quoted);
            if shown != quoted {
                text = text.replace(quoted, &shown);
            }
        }
    }
    visible_lines(&text)
}

fn target(text: &str) -> Result<Target, String> {
    let wrong = |error: AddressError| format!("`{}`: {error}", visible(text));
    match text.contains('@') {
        true => EmailAddress::parse(text.as_bytes()).map(Target::Address).map_err(wrong),
        false => Domain::parse(text).map(Target::Domain).map_err(|_| {
            format!("`{}` is neither an address nor a domain name of two labels", visible(text))
        }),
    }
}

/// The client with this name, or with its slug.
fn client(given: &str) -> Result<&'static str, String> {
    let wanted = slug(given);
    let found = clients::all().find(|client| slug(client.name) == wanted);
    found.map(|client| client.name).ok_or_else(|| {
        let names: Vec<_> = clients::all().map(|client| slug(client.name)).collect();
        format!("--client: {} is not known; known are:\n  {}", visible(given), names.join("\n  "))
    })
}

/// Reads `NAME:ADDR`; an IPv6 address may be in brackets.
fn resolve(text: &str) -> Result<(String, IpAddr), String> {
    let expected = || "expected for example mail.example.org:192.0.2.1".to_owned();
    let (name, address) = text.split_once(':').ok_or_else(expected)?;
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = bare.unwrap_or(address).parse().map_err(|_| expected())?;
    let name = HostName::parse(name).filter(|name| !name.is_address()).ok_or_else(expected)?;
    Ok((name.as_str().to_owned(), address))
}

/// Reads `ADDR`, `ADDR:PORT` or `[ADDR]:PORT`.
fn dns_server(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let alone = bare.parse().map(|address: IpAddr| SocketAddr::new(address, DNS_PORT));
    alone.or_else(|_| text.parse()).map_err(|_| {
        "expected an IP address, for example 192.0.2.53 or [2001:db8::53]:5353".to_owned()
    })
}

/// The text of `--explain`, or the error with the nearest code.
pub fn explain(given: &str) -> Result<String, String> {
    if let Some(code) = codes::code(given) {
        return Ok(format!("{}: {}\n\n{}\n", code.id, code.about, code.explain.trim_end()));
    }
    let near = codes::all().map(|code| (strsim::jaro_winkler(given, code.id), code.id));
    let near = near.max_by(|(one, _), (other, _)| one.total_cmp(other));
    let hint = near.map(|(_, id)| format!("; did you mean {id}?")).unwrap_or_default();
    Err(format!("--explain: {} is not the code of a finding{hint}", visible(given)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Wanted, String> {
        parse(["mailsetup-probe"].iter().chain(arguments).map(OsString::from))
    }

    fn options(arguments: &[&str]) -> Options {
        match parsed(arguments).unwrap() {
            Wanted::Probe(options, _) => *options,
            other => panic!("{other:?}"),
        }
    }

    fn error(arguments: &[&str]) -> String {
        parsed(arguments).unwrap_err()
    }

    #[test]
    fn the_definition_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn an_address_or_a_domain_is_needed() {
        let domain = Domain::parse("example.org").unwrap();
        assert_eq!(options(&["Example.ORG"]).target, Target::Domain(domain.clone()));
        let address = options(&["Ann@Example.org"]).target;
        assert_eq!(*address.domain(), domain);
        assert!(matches!(address, Target::Address(_)));
        for wrong in ["", "@", "ann@", "a b", "ann@@example.org", "-"] {
            assert!(!error(&[wrong]).is_empty());
        }
        assert!(error(&[]).contains("ADDRESS|DOMAIN"), "{}", error(&[]));
        let message = error(&["\u{1b}[31m"]);
        assert!(message.starts_with("`<U+001B>[31m` is neither an address"), "{message}");
        let message = error(&["a.example", "--dns=\u{1b}[31m"]);
        assert!(message.contains("<U+001B>") && !message.contains('\u{1b}'), "{message}");
    }

    #[test]
    fn clients_are_named_as_in_json() {
        assert_eq!(
            options(&["a.example", "--client", "thunderbird", "--client=Thunderbird-for-Android"])
                .clients,
            ["Thunderbird", "Thunderbird for Android"]
        );
        let message = error(&["a.example", "--client", "pine"]);
        for part in ["pine is not known", "\n  thunderbird\n", "\n  apple-mail\n"] {
            assert!(message.contains(part), "{message}");
        }
        let mut slugs: Vec<_> = clients::all().map(|client| slug(client.name)).collect();
        assert!(
            slugs.iter().all(|slug| slug.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        );
        slugs.sort();
        assert!(slugs.windows(2).all(|pair| pair[0] != pair[1]), "a slug is there twice");
    }

    #[test]
    fn addresses_for_hosts_and_dns_servers() {
        let options = options(&[
            "a.example",
            "--resolve=Mail.example.org:192.0.2.1",
            "--resolve",
            "mail.example.org:[2001:db8::1]",
            "--resolve=x.example.org:2001:db8::2",
            "--dns=192.0.2.53",
            "--dns=127.0.0.1:5353",
            "--dns=2001:db8::53",
            "--dns=[2001:db8::53]:5353",
            "--dns=[::1]",
        ]);
        let name = |name: &str, address: &str| (name.to_owned(), address.parse().unwrap());
        assert_eq!(
            options.resolve,
            [
                name("mail.example.org", "192.0.2.1"),
                name("mail.example.org", "2001:db8::1"),
                name("x.example.org", "2001:db8::2"),
            ]
        );
        let dns: Vec<_> = options.dns.iter().map(ToString::to_string).collect();
        assert_eq!(
            dns,
            [
                "192.0.2.53:53",
                "127.0.0.1:5353",
                "[2001:db8::53]:53",
                "[2001:db8::53]:5353",
                "[::1]:53"
            ]
        );
        for wrong in
            ["--resolve=a.example", "--resolve=a.example:x", "--resolve=:192.0.2.1", "--dns=x"]
        {
            assert!(error(&["a.example", wrong]).contains("expected"), "{wrong}");
        }
    }

    #[test]
    fn one_form_of_output() {
        for (option, output) in [
            ("--json", Output::Json),
            ("-q", Output::Nothing),
            ("--as-config", Output::Config),
            ("--missing-dns", Output::MissingDns),
            ("--ipv4", Output::Text),
        ] {
            assert_eq!(options(&["a.example", option]).output, output);
        }
        for two in [
            ["--json", "-q"],
            ["--json", "--as-config"],
            ["--missing-dns", "--as-config"],
            ["--missing-dns", "--quiet"],
            ["--ipv4", "--ipv6"],
        ] {
            assert!(
                error(&["a.example", two[0], two[1]]).contains("cannot be used with"),
                "{two:?}"
            );
        }
        let both = options(&["a.example", "--json", "--html", "x.html"]);
        assert_eq!((both.output, both.html), (Output::Json, Some("x.html".into())));
    }

    #[test]
    fn numbers_and_families() {
        assert_eq!(options(&["a.example"]).timeout, Duration::from_secs(30));
        assert_eq!(options(&["a.example", "--timeout", "300"]).timeout, Duration::from_secs(300));
        for wrong in ["0", "301", "-1", "x", ""] {
            error(&["a.example", "--timeout", wrong]);
        }
        assert_eq!(options(&["a.example"]).family, None);
        let family = options(&["a.example", "--ipv6"]).family.unwrap();
        assert!(family.has("::1".parse().unwrap()) && !family.has("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_login_needs_an_address() {
        assert!(error(&["a.example", "--login"]).contains("needs an address"));
        assert!(matches!(parsed(&["ann@a.example", "--login"]), Ok(Wanted::Probe(_, true))));
    }

    #[test]
    fn help_version_and_explanations_need_no_address() {
        assert!(
            matches!(parsed(&["--help"]), Ok(Wanted::Print(text)) if text.contains("--as-config"))
        );
        assert!(
            matches!(parsed(&["-V"]), Ok(Wanted::Print(text)) if text.starts_with("mailsetup-probe 0"))
        );
        assert!(matches!(parsed(&["--explain", "x"]), Ok(Wanted::Explain(code)) if code == "x"));
        error(&["a.example", "--explain", "x"]);
    }

    #[test]
    fn an_unknown_code_names_the_nearest() {
        for code in codes::all() {
            let text = explain(code.id).unwrap();
            assert!(text.starts_with(&format!("{}: {}\n\n", code.id, code.about)), "{text}");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{text}");
        }
        let code = codes::all().next().unwrap().id;
        let cut = &code[..code.len() - 1];
        assert!(explain(cut).unwrap_err().ends_with(&format!("did you mean {code}?")));
        assert!(!explain("\u{1b}").unwrap_err().contains('\u{1b}'));
    }
}
