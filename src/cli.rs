//! The command line: what can be typed, and nothing of what it does.
//!
//! Never used for a CGI request. Help texts are the first lines of the manual page; a test holds
//! them together.

use crate::gateway::listener::Address;
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "mailsetup", version, disable_version_flag = true, arg_required_else_help = false)]
#[command(about = "Provides mail clients with the settings of an account")]
#[command(long_about = "Provides mail clients with the settings of an account.\n\n\
                        A web server starts it as a CGI program, or with a FastCGI socket. From a\n\
                        shell, use one of these commands.")]
pub struct Cli {
    /// The configuration file
    ///
    /// Default: $MAILSETUP_CONFIG, else the text in $MAILSETUP_TOML, else
    /// mailsetup.toml in the folder of the program, else
    /// /etc/mailsetup/config.toml. If there is no such file, the built-in
    /// defaults are used. Environment variables such as
    /// $MAILSETUP_IMAP_HOST set single keys.
    #[arg(long, value_name = "FILE", global = true, verbatim_doc_comment)]
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
    /// Write a configuration from the mail servers of this machine
    Init(Init),
    /// Write a configuration from what answered mail clients before
    Import(Import),
    /// Answer requests over FastCGI or HTTP
    Serve(Serve),
    /// Print the response that a mail client gets
    Show(Show),
    /// Print the DNS records to publish for domains
    Dns(Dns),
    /// List the host names that certificates need
    Names(Names),
    /// Check the configuration, also for settings that break mail clients
    Check(Check),
    /// Print the file for a web server, with your paths and domains
    Hook(Hook),
    /// Ask a service on this machine whether it answers, for health checks
    Health(Health),
    /// Ask the servers of a domain as mail clients do (starts mailsetup-probe)
    #[command(disable_help_flag = true)]
    Probe(Probe),
}

/// `mailsetup init`
#[derive(Args, Debug)]
pub struct Init {
    /// The output of doveconf -n, or doveconf -S, of another machine
    ///
    /// Can be given twice. A file that is named -, here and below, is
    /// standard input. With one of these options, nothing of this
    /// machine is read.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub doveconf: Vec<PathBuf>,

    /// The output of postconf, postconf -n or postconf -x
    #[arg(long, value_name = "FILE")]
    pub postconf: Vec<PathBuf>,

    /// The output of postconf -M or postconf -P, or the file master.cf
    #[arg(long, value_name = "FILE")]
    pub master: Vec<PathBuf>,

    /// The output of exim -bP; the manual has its arguments
    #[arg(long, value_name = "FILE")]
    pub exim: Vec<PathBuf>,

    /// The file smtpd.conf of OpenSMTPD, and those that it includes
    #[arg(long, value_name = "FILE")]
    pub smtpd: Vec<PathBuf>,

    /// The files /proc/net/tcp and /proc/net/tcp6 of that machine
    ///
    /// With them, it is noted if no program listens on a port, or
    /// another one.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub listening: Vec<PathBuf>,

    /// Where it is written.
    #[command(flatten)]
    pub output: Output,
}

/// `mailsetup import`
#[derive(Args, Debug)]
pub struct Import {
    /// Documents, scripts and configurations of what answered before
    ///
    /// The kind of a file is recognised by its content; - is standard
    /// input. The kinds are:
    ///   autoconfig document (config-v1.1.xml)
    ///   Autodiscover response (POX)
    ///   Apple configuration profile (.mobileconfig), signed or not
    ///   PHP script that prints these
    ///   environment file (NAME=VALUE) of a responder
    ///   container environment (compose, Kubernetes, docker inspect)
    ///   automx.conf of automx 1 or 3
    ///   automx2 seed (JSON)
    ///   automx2 database (rows as JSON), see mailsetup(1)
    ///   config.yaml of solarssk/mail-autodiscover
    ///   config.yml of go-autoconfig
    ///   config.php of isp-mailConfig
    #[arg(value_name = "FILE", required_unless_present = "domains", verbatim_doc_comment)]
    #[arg(conflicts_with_all = ["domains", "list", "directory", "at_least"])]
    pub files: Vec<PathBuf>,

    /// Domains instead of a configuration.
    #[command(flatten)]
    pub domains: ImportDomains,

    /// Where it is written.
    #[command(flatten)]
    pub output: Output,
}

/// `mailsetup import --domains`
#[derive(Args, Debug)]
pub struct ImportDomains {
    /// Read domains: lines, CSV, the output of mysql, psql or sqlite3
    ///
    /// A file, or - for standard input. The domains are printed, sorted,
    /// one a line; no configuration is written. A second column may be
    /// the domain that the first one is an alias of. E-mail addresses
    /// count for their domain.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub domains: Option<PathBuf>,

    /// Write the domains into this list, for domains.list_files
    ///
    /// The file is replaced at once, and only if the domains change. A
    /// file that this command did not write is not replaced, except with
    /// --force, which keeps it as FILE.bak, or FILE.bak.1 and so on.
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    #[arg(requires = "domains", conflicts_with_all = ["directory", "stdout"])]
    pub list: Option<PathBuf>,

    /// Write a file for each new domain, for domains.directory
    ///
    /// An alias gets alias_of. Files that exist are not changed, and none
    /// is removed; those without a domain are named.
    #[arg(long, value_name = "FOLDER", verbatim_doc_comment)]
    #[arg(requires = "domains", conflicts_with = "stdout")]
    pub directory: Option<PathBuf>,

    /// How many of the domains in the list must still be there
    ///
    /// If there are fewer, or none at all, the list is not replaced, and
    /// the exit status is 1. --force replaces it.
    #[arg(long, value_name = "PERCENT", default_value = "50", requires = "list")]
    #[arg(value_parser = value_parser!(u8).range(0..=100), verbatim_doc_comment)]
    pub at_least: u8,
}

/// Where a configuration is written that a command has made.
#[derive(Args, Debug)]
pub struct Output {
    /// Print the configuration instead of writing the file
    ///
    /// The file is that of --config, else of $MAILSETUP_CONFIG, else
    /// /etc/mailsetup/config.toml.
    #[arg(long, verbatim_doc_comment)]
    pub stdout: bool,

    /// Overwrite the file if it exists, and keep the old one as FILE.bak
    ///
    /// If that file exists, as FILE.bak.1 and so on: no old file is lost.
    #[arg(long, verbatim_doc_comment)]
    pub force: bool,
}

/// `mailsetup serve`
#[derive(Args, Debug, Default)]
pub struct Serve {
    /// FastCGI socket: unix:PATH[,mode=MODE][,group=NAME] or ADDRESS:PORT
    ///
    /// Can be given several times. Without --listen and --http, the
    /// socket on descriptor 0 is used, or those of socket activation.
    #[arg(long, value_name = "WHERE", verbatim_doc_comment)]
    pub listen: Vec<Address>,

    /// HTTP socket: ADDRESS:PORT
    ///
    /// For trying the program without a web server, and for proxies
    /// without FastCGI. Can be given several times.
    #[arg(long, value_name = "ADDRESS:PORT", verbatim_doc_comment)]
    pub http: Vec<SocketAddr>,
}

/// `mailsetup show`
#[derive(Args, Debug)]
pub struct Show {
    /// The mailbox to set up
    pub address: String,

    /// The client, or the kind of document
    #[arg(long, value_enum, default_value_t = Client::All)]
    pub client: Client,

    /// Exit with status 1 if the profile cannot be signed
    ///
    /// For --client apple. Without this option, a profile is signed if a
    /// certificate is configured. If it cannot be signed, it is printed
    /// unsigned, and the reason is on standard error.
    #[arg(long, verbatim_doc_comment)]
    pub sign: bool,

    /// Print the file for Outlook's registry value PreferLocalXML
    ///
    /// For --client outlook. The file serves all mailboxes of the domain:
    /// it has no settings, but sends Outlook to this service, over https.
    /// HOST is a name of the web server that its certificate contains.
    /// Default: autodiscover. and the domain.
    #[arg(long, value_name = "HOST", num_args = 0..=1, require_equals = true)]
    #[arg(verbatim_doc_comment)]
    pub local_xml: Option<Option<String>>,
}

/// The clients whose response can be printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Client {
    /// Thunderbird and all others that read autoconfig
    Thunderbird,
    /// Outlook and all others that read Autodiscover
    Outlook,
    /// iPhone, iPad and Mac
    Apple,
    /// Clients that read PACC
    Pacc,
    /// Clients that ask for Autodiscover in JSON
    Json,
    /// The page for the mailbox, in HTML
    Page,
    /// The DNS records of the domain, as dns prints them
    Dns,
    /// All documents for mail clients; PACC if it is enabled
    All,
}

/// `mailsetup dns`
#[derive(Args, Debug)]
pub struct Dns {
    /// The mail domains
    #[arg(value_name = "DOMAIN", required_unless_present = "all", conflicts_with = "all")]
    pub domains: Vec<String>,

    /// All domains that the configuration names
    ///
    /// Those of tables, lists and files, sorted; not those that only a
    /// pattern names. If one has none because of an error, the others
    /// are printed, and the exit status is 1.
    #[arg(long, verbatim_doc_comment)]
    pub all: bool,

    /// The form of the output
    #[arg(long, value_enum, default_value_t = DnsFormat::Zone)]
    pub format: DnsFormat,

    /// Host name of the web server, the target of the CNAME records
    ///
    /// Default: the IMAP host of the domain.
    #[arg(long, value_name = "HOST")]
    pub web_host: Option<String>,

    /// Add an _autodiscover._tcp record with this target, on port 443
    ///
    /// Off by default. If HOST is in another domain, Outlook asks its
    /// user whether to trust it, and Thunderbird asks if no Autodiscover
    /// address of the domain itself answers.
    #[arg(long, value_name = "HOST", verbatim_doc_comment)]
    pub autodiscover_srv: Option<String>,

    /// The time to live of the records
    ///
    /// Default: 3600.
    #[arg(long, value_name = "SECONDS")]
    #[arg(value_parser = value_parser!(u32).range(0..=2_147_483_647))]
    pub ttl: Option<u32>,

    /// The zone of the domains that are below it
    ///
    /// Can be given several times; the longest one that fits is taken.
    /// Without it, each domain is a zone of its own.
    #[arg(long = "zone", value_name = "ZONE", verbatim_doc_comment)]
    pub zones: Vec<String>,

    /// Write a file for each zone into this folder
    ///
    /// For the formats zone, nsupdate and octodns. A file is replaced at
    /// once, and only if it changes. Files that this command did not
    /// write are not replaced.
    #[arg(long, value_name = "FOLDER", verbatim_doc_comment)]
    pub directory: Option<PathBuf>,

    /// Add an SOA and an NS record, so that the output is a complete zone
    ///
    /// For several zones, --directory is needed.
    #[arg(long, conflicts_with = "json")]
    pub soa: bool,

    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// `mailsetup names`
#[derive(Args, Debug)]
pub struct Names {
    /// The mail domains
    ///
    /// Default: those that the configuration names by tables, lists and
    /// files; not those that are answered by a pattern or by answer = "any".
    #[arg(value_name = "DOMAIN", verbatim_doc_comment)]
    pub domains: Vec<String>,

    /// Only names that no certificate in this file or folder contains
    ///
    /// The file is PEM, and may contain several certificates. In a folder
    /// and in the folders below it, the files *.pem, *.crt and *.cer are
    /// read, but no keys. Can be given several times. Expired certificates
    /// do not count. Exit status 1 if a name is missing.
    #[arg(long, value_name = "PATH", verbatim_doc_comment)]
    pub missing_from: Vec<PathBuf>,

    /// The form of the output
    #[arg(long, value_enum, default_value_t = NamesFormat::Lines, conflicts_with = "json")]
    pub format: NamesFormat,

    /// The most names in a certificate, for forms other than lines
    ///
    /// The names of a domain stay together: with 1, there is a certificate
    /// for each domain. Let's Encrypt allows 100, and 25 with its profiles
    /// tlsserver and shortlived.
    #[arg(long, value_name = "NUMBER", default_value = "100", conflicts_with = "json")]
    #[arg(value_parser = value_parser!(u32).range(1..))]
    #[arg(verbatim_doc_comment)]
    pub max_names: u32,

    /// Print JSON: an array of domains with their names
    #[arg(long)]
    pub json: bool,
}

/// The forms in which names are listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum NamesFormat {
    /// One name per line
    Lines,
    /// A shell script with a command for each certificate
    Certbot,
    /// The same for acme.sh
    #[value(name = "acme.sh")]
    AcmeSh,
    /// The same for lego, from version 5 on
    Lego,
    /// The same for lego up to version 4
    #[value(name = "lego-4")]
    Lego4,
    /// Lines for the file domains.txt of dehydrated
    Dehydrated,
}

/// The forms in which records are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum DnsFormat {
    /// Lines of a zone file
    Zone,
    /// JSON: an array of records
    Json,
    /// A script for nsupdate of BIND and knsupdate of Knot
    Nsupdate,
    /// YAML of octoDNS; for several zones, --directory is needed
    Octodns,
    /// JSON for the API of PowerDNS, one line for each zone
    Powerdns,
    /// JSON of Terraform and OpenTofu, provider hashicorp/dns
    Terraform,
}

/// `mailsetup check`
#[derive(Args, Debug)]
pub struct Check {
    /// Count warnings as errors
    #[arg(long)]
    pub strict: bool,

    /// Print nothing; use the exit status only
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,

    /// Print JSON: an array of all findings
    #[arg(long)]
    pub json: bool,

    /// Explain a code, and check nothing
    ///
    /// The code is the word in brackets at the end of a finding. The text
    /// says what is wrong, which clients do what, and how to correct it.
    #[arg(long, value_name = "CODE", verbatim_doc_comment)]
    #[arg(conflicts_with_all = ["strict", "quiet", "json"])]
    pub explain: Option<String>,
}

/// `mailsetup hook`
#[derive(Args, Debug)]
pub struct Hook {
    /// The file to print; its first lines say where it goes
    #[arg(value_enum)]
    pub file: FrontEnd,

    /// The socket to connect to: unix:PATH or ADDRESS:PORT
    ///
    /// Default: unix:/run/mailsetup.sock, for HTTP 127.0.0.1:8025; for
    /// nginx-fcgiwrap that of fcgiwrap, unix:/run/fcgiwrap.socket.
    #[arg(long, value_name = "WHERE", verbatim_doc_comment)]
    pub socket: Option<Address>,

    /// The domains, with commas between them, or * for any domain
    ///
    /// Default for files with host names of their own: the domains that
    /// the configuration names. If it names none or answers any domain,
    /// the file has the form for any domain, or example.org.
    #[arg(long, value_name = "DOMAINS", value_delimiter = ',', verbatim_doc_comment)]
    pub domains: Vec<String>,

    /// The certificate for the host names, with its chain
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,

    /// The key of the certificate
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,

    /// The path of this program
    ///
    /// Default: the path of the running program.
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,

    /// The folder of CGI programs, which has mailsetup.cgi
    ///
    /// Default: /usr/lib/cgi-bin.
    #[arg(long, value_name = "FOLDER")]
    pub cgi_bin: Option<PathBuf>,

    /// The user to whom the socket belongs
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,

    /// The group of the socket, that of the web server
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
}

/// The files that can be printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum FrontEnd {
    /// nginx, for a site that exists
    Nginx,
    /// nginx, dedicated host names
    NginxVhost,
    /// nginx, host names with a certificate each
    NginxMany,
    /// nginx with fcgiwrap: CGI, for a site that exists
    NginxFcgiwrap,
    /// Apache with mod_proxy_fcgi, for all sites
    Apache,
    /// Apache, dedicated host names
    ApacheVhost,
    /// Apache with mod_fcgid, which starts the program
    ApacheFcgid,
    /// Apache, CGI
    ApacheCgi,
    /// Apache, .htaccess on shared hosting
    Htaccess,
    /// lighttpd, FastCGI
    Lighttpd,
    /// lighttpd, CGI
    LighttpdCgi,
    /// Caddy, for a site that exists
    Caddy,
    /// Caddy, dedicated host names
    CaddyVhost,
    /// Caddy, many domains, certificates on demand
    CaddyOnDemand,
    /// HAProxy, FastCGI
    Haproxy,
    /// HAProxy, HTTP
    HaproxyHttp,
    /// h2o, dedicated host names
    H2o,
    /// The socket unit of systemd
    #[value(alias = "systemd")]
    SystemdSocket,
    /// The service unit of systemd, for the socket
    SystemdService,
    /// A service unit of systemd that answers over HTTP
    SystemdHttp,
}

/// `mailsetup health`
#[derive(Args, Debug)]
pub struct Health {
    /// The address of the service, as in serve --http
    #[arg(value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8025")]
    pub address: SocketAddr,
}

/// `mailsetup probe`
#[derive(Args, Debug)]
pub struct Probe {
    /// An address or a domain, and the options of mailsetup-probe(1)
    ///
    /// The program is looked for in the folder of mailsetup, then in
    /// $PATH, and gets all arguments: `mailsetup probe --help` prints
    /// its help. It reads no configuration, so --config is refused.
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    #[arg(verbatim_doc_comment)]
    pub arguments: Vec<String>,
}
