//! Prints the DNS records by which mail clients find this program and the mail servers.
//!
//! `records` makes them; a file for each format writes those of one zone after the other, so that
//! beside the list of domains only one zone is in memory. The order is that of the zones' names, and
//! in a zone that of the domains. A domain without usable settings is reported, and the others are
//! printed.

mod folder;
mod json;
mod nsupdate;
mod octodns;
mod powerdns;
mod records;
mod terraform;
mod zone;

use super::loading::load;
use super::output::{COULD_NOT_RUN, FOUND, ended};
use crate::address::{Domain, HostName};
use crate::cli::{self, DnsFormat};
use crate::config::Config;
use crate::config::find::Source;
use crate::log;
use crate::order;
use crate::zone::TTL;
use records::{Published, Wanted, Zone};
use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Reads the command line, and prints the records.
pub fn run(arguments: &cli::Dns, source: &Source) -> ExitCode {
    let refuse = |message: &str| {
        log::error(&message);
        ExitCode::from(COULD_NOT_RUN)
    };
    let output = match Output::read(arguments) {
        Ok(output) => output,
        Err(message) => return refuse(&message),
    };
    let domains: Result<Vec<_>, _> = arguments.domains.iter().map(|text| domain(text)).collect();
    let mut domains = match domains {
        Ok(domains) => domains,
        Err(message) => return refuse(&message),
    };
    let config = match load(source) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    if arguments.all {
        domains = config.domains();
        if domains.is_empty() {
            log::error(&"--all: the configuration names no domain");
            return ExitCode::from(FOUND);
        }
    }
    output.sort(&mut domains);
    match output.refusal(&domains) {
        Some(message) => refuse(&message),
        None => output.write(&domains, &config),
    }
}

/// Prints the records of a domain for a zone file, or the reason why it has none.
pub fn print_records(domain: &Domain, config: &Config) -> ExitCode {
    let wanted = Wanted { web_host: None, autodiscover: None, ttl: TTL };
    let output =
        Output { wanted, zones: Vec::new(), soa: false, form: form(DnsFormat::Zone), folder: None };
    output.write(std::slice::from_ref(domain), config)
}

/// Reads the name of a domain.
fn domain(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|_| {
        let domain = text.rsplit('@').next().filter(|it| Domain::parse(it).is_ok());
        let hint = domain.map(|domain| format!("; did you mean {domain}?")).unwrap_or_default();
        format!("{text} is not a domain name{hint}")
    })
}

//------------ Form -----------------------------------------------------------

/// A format: how zones are written one after the other.
struct Form {
    format: DnsFormat,
    /// What is before the first zone and after the last.
    around: (&'static str, &'static str),
    /// What is between two zones, if there can be several in one output.
    between: Option<&'static str>,
    write: fn(&Zone) -> String,
    /// The end of the name of a zone's file, if there can be files.
    extension: Option<&'static str>,
}

fn form(format: DnsFormat) -> Form {
    let zones = |write, between, extension| Form {
        format,
        around: ("", ""),
        between,
        write,
        extension: Some(extension),
    };
    match format {
        DnsFormat::Zone => zones(zone::write, Some("\n"), "zone"),
        DnsFormat::Nsupdate => zones(nsupdate::write, Some("\n"), "nsupdate"),
        DnsFormat::Octodns => zones(octodns::write, None, "yaml"),
        // Nothing in JSON can say that a file was written by this command.
        DnsFormat::Powerdns => {
            let (around, between) = (("", ""), Some(""));
            Form { format, around, between, write: powerdns::write, extension: None }
        }
        DnsFormat::Terraform => {
            let around = ("{\n  \"resource\": [\n", "\n  ]\n}\n");
            let (between, write) = (Some(",\n"), terraform::write);
            Form { format, around, between, write, extension: None }
        }
        DnsFormat::Json => {
            let (around, between) = (("[\n", "\n]\n"), Some(",\n"));
            Form { format, around, between, write: json::write, extension: None }
        }
    }
}

//------------ Output ---------------------------------------------------------

/// What is printed, and where to.
struct Output {
    wanted: Wanted,
    /// The zones that were named; other domains are zones of their own.
    zones: Vec<Domain>,
    soa: bool,
    form: Form,
    folder: Option<PathBuf>,
}

impl Output {
    /// Reads the command line; the error is a message.
    fn read(arguments: &cli::Dns) -> Result<Output, String> {
        let web_host = |text: &str| {
            HostName::parse(text).ok_or_else(|| {
                format!(
                    "--web-host: {text} is not a host name; expected for example www.example.org or \
                     192.0.2.1"
                )
            })
        };
        // The target of an SRV record is a name, not an address; `Domain` accepts only names.
        let autodiscover = |text: &str| {
            Domain::parse(text).map_err(|_| {
                let message = "is not a host name with a domain, and an SRV record cannot lead to \
                               an address; expected for example autodiscover.example.org";
                format!("--autodiscover-srv: {text} {message}")
            })
        };
        let zone = |text: &String| domain(text).map_err(|message| format!("--zone: {message}"));
        let wanted = Wanted {
            web_host: arguments.web_host.as_deref().map(web_host).transpose()?,
            autodiscover: arguments.autodiscover_srv.as_deref().map(autodiscover).transpose()?,
            ttl: arguments.ttl.unwrap_or(TTL),
        };
        let form = form(if arguments.json { DnsFormat::Json } else { arguments.format });
        if arguments.soa && form.format != DnsFormat::Zone {
            return Err("--soa needs --format zone".to_owned());
        }
        if arguments.directory.is_some() && form.extension.is_none() {
            return Err("--directory: this format is for standard output".to_owned());
        }
        let zones = arguments.zones.iter().map(zone).collect::<Result<_, _>>()?;
        let folder = arguments.directory.clone();
        if let Some(folder) = folder.as_deref().filter(|folder| !folder.is_dir()) {
            let folder = folder.display();
            return Err(format!("--directory: {folder} is not a folder; create it first"));
        }
        Ok(Output { wanted, zones, soa: arguments.soa, form, folder })
    }

    /// The zone of a domain.
    fn zone_of<'a>(&'a self, domain: &'a Domain) -> &'a Domain {
        let fitting = self.zones.iter().filter(|zone| domain.is_in(zone));
        fitting.max_by_key(|zone| zone.as_str().len()).unwrap_or(domain)
    }

    /// Puts domains in the order in which they are written.
    fn sort(&self, domains: &mut Vec<Domain>) {
        order::sort_by(domains, |one, other| {
            self.zone_of(one).cmp(self.zone_of(other)).then_with(|| one.cmp(other))
        });
        domains.dedup();
    }

    /// Why these domains cannot be written, if they cannot.
    fn refusal(&self, domains: &[Domain]) -> Option<String> {
        let is_used = |zone: &&Domain| domains.iter().any(|domain| self.zone_of(domain) == *zone);
        if let Some(zone) = self.zones.iter().find(|zone| !is_used(zone)) {
            return Some(format!("--zone: no domain is in {}", zone.for_people()));
        }
        let is_one =
            domains.first().map(|it| self.zone_of(it)) == domains.last().map(|it| self.zone_of(it));
        let what = match self.form.between {
            _ if is_one || self.folder.is_some() => return None,
            Some(_) if self.soa => "--soa",
            Some(_) => return None,
            None => "--format",
        };
        Some(format!("{what}: there are several zones; give --directory FOLDER"))
    }

    /// Writes the records of domains, which are in order.
    fn write(&self, domains: &[Domain], config: &Config) -> ExitCode {
        let (mut stdout, mut has_errors) = (Stdout::new(&self.form), false);
        let mut complain = |message: &str| {
            log::error(&message);
            has_errors = true;
        };
        for domains in domains.chunk_by(|one, other| self.zone_of(one) == self.zone_of(other)) {
            let Some(first) = domains.first() else { continue };
            let (published, errors) = self.records(domains, config);
            errors.iter().for_each(|message| complain(message));
            let name = self.zone_of(first).clone();
            if published.is_empty() {
                continue;
            }
            if self.folder.is_some() && !errors.is_empty() {
                // Without some of its records, the file would say that they are to be removed.
                complain(&format!("{}: the file of this zone is not written", name.for_people()));
                continue;
            }
            let soa = self.soa.then_some(self.wanted.ttl);
            let zone = Zone { name, domains: published, soa };
            match &self.folder {
                Some(folder) => {
                    self.write_file(folder, &zone).unwrap_or_else(|message| complain(&message));
                }
                None => {
                    if let Err(error) = stdout.put(&(self.form.write)(&zone)) {
                        return ended(Err(error));
                    }
                }
            }
        }
        match stdout.end() {
            Ok(()) if has_errors => ExitCode::from(FOUND),
            written => ended(written),
        }
    }

    /// The records of the domains of a zone, and the reasons why some have none.
    fn records(&self, domains: &[Domain], config: &Config) -> (Vec<Published>, Vec<String>) {
        let (mut published, mut errors) = (Vec::new(), Vec::new());
        for domain in domains {
            match records::of(domain, config, &self.wanted) {
                Ok(records) => published.push(records),
                Err(message) => errors.push(message),
            }
        }
        (published, errors)
    }

    fn write_file(&self, folder: &Path, zone: &Zone) -> Result<(), String> {
        let extension = self.form.extension.unwrap_or_default();
        folder::write(folder, &format!("{}.{extension}", zone.name), &(self.form.write)(zone))
    }
}

/// Standard output, with what a format has around zones.
struct Stdout<'a> {
    form: &'a Form,
    out: BufWriter<StdoutLock<'static>>,
    is_begun: bool,
}

impl Stdout<'_> {
    fn new(form: &Form) -> Stdout<'_> {
        Stdout { form, out: BufWriter::new(io::stdout().lock()), is_begun: false }
    }

    /// Writes a zone.
    fn put(&mut self, zone: &str) -> io::Result<()> {
        let between = self.form.between.unwrap_or_default();
        let before = if self.is_begun { between } else { self.form.around.0 };
        self.is_begun = true;
        self.out.write_all(before.as_bytes())?;
        self.out.write_all(zone.as_bytes())
    }

    /// Writes what is after the last zone; nothing if there was none.
    fn end(&mut self) -> io::Result<()> {
        if self.is_begun {
            self.out.write_all(self.form.around.1.as_bytes())?;
        }
        self.out.flush()
    }
}
