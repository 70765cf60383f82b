//! The command line: what can be typed, and nothing of what it does.
//!
//! Never used for a CGI request. Help texts are the first lines of the manual page; a test holds
//! them together.

use crate::gateway::listener::Address;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Tells every mail client how to set up an account.
///
/// Started by a web server, it answers as a CGI program or on the FastCGI socket it was given.
/// Typed, it takes one of these commands.
#[derive(Debug, Parser)]
#[command(name = "mailsetup", version, disable_version_flag = true, arg_required_else_help = false)]
pub struct Cli {
    /// Read this file instead of the usual ones
    ///
    /// Else: $MAILSETUP_CONFIG, mailsetup.toml beside the program, /etc/mailsetup/config.toml,
    /// and without any of them built-in defaults.
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// Print the version and the version of OpenSSL
    #[arg(short = 'V', long)]
    pub version: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer requests over FastCGI or HTTP
    Serve(Serve),
    /// Print what a mail client would get
    Show(Show),
    /// Print the DNS records to publish for a domain
    Dns(Dns),
    /// Check the configuration: what is wrong, where, and which clients a setting breaks
    Check(Check),
}

/// `mailsetup serve`
#[derive(Args, Debug, Default)]
pub struct Serve {
    /// Speak FastCGI here: unix:PATH[,mode=0660][,group=NAME] or ADDRESS:PORT
    ///
    /// Can be given several times. Without --listen and --http the socket on descriptor 0, or
    /// those of socket activation, are used.
    #[arg(long, value_name = "WHERE")]
    pub listen: Vec<Address>,

    /// Speak HTTP here: ADDRESS:PORT
    ///
    /// For a first look without a web server, and for proxies that speak no FastCGI. Can be given
    /// several times.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub http: Vec<SocketAddr>,
}

/// `mailsetup show`
#[derive(Args, Debug)]
pub struct Show {
    /// The mailbox to set up
    pub address: String,

    /// The client to answer
    #[arg(long, value_enum, default_value_t = Client::All)]
    pub client: Client,

    /// Exit with 1 rather than print a profile that is not signed
    ///
    /// For --client apple. Without it a profile is signed where a certificate is configured, and
    /// printed unsigned, with the reason on standard error, where that cannot be done.
    #[arg(long)]
    pub sign: bool,
}

/// The clients that can be played.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Client {
    /// Thunderbird and all others that read autoconfig
    Thunderbird,
    /// Outlook and all others that read Autodiscover
    Outlook,
    /// iPhone, iPad and Mac
    Apple,
    /// Each of them
    All,
}

/// `mailsetup dns`
#[derive(Args, Debug)]
pub struct Dns {
    /// The mail domain
    pub domain: String,

    /// Host name of the web server; autoconfig and autodiscover will be CNAMEs of it
    ///
    /// Default: the host that mail is read from.
    #[arg(long, value_name = "HOST")]
    pub web_host: Option<String>,

    /// Add an SOA and an NS record, so that the output is a zone that stands alone
    #[arg(long, conflicts_with = "json")]
    pub soa: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `mailsetup check`
#[derive(Args, Debug)]
pub struct Check {
    /// Count warnings as errors: exit with 1 for them too
    #[arg(long)]
    pub strict: bool,

    /// Print nothing; the exit status says it all
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,

    /// Print JSON: an array of all findings
    #[arg(long)]
    pub json: bool,
}
