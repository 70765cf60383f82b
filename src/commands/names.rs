//! Lists the host names that certificates need, in the forms that ACME clients read.
//!
//! The domains are those that the configuration names exactly, or those of the command line. They
//! are printed one after the other: a list of a million domains is not collected. With
//! `--missing-from`, only names that no valid certificate covers; a wildcard covers one label
//! (RFC 6125 §6.4.3). Certificates are not verified: only their names and dates count.

use super::loading::load;
use super::output::{COULD_NOT_RUN, FOUND, not_ours, print_each};
use crate::address::Domain;
use crate::cli::{self, NamesFormat};
use crate::config::{Config, find::Source};
use crate::files::{self, Kind};
use crate::log;
use crate::sign::{Coverage, SignError};
use crate::web_names;
use rustc_hash::FxHashSet;
use serde::{Serialize, Serializer};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How many folders below the one of the command line are read.
const MAX_DEPTH: usize = 4;
/// How many certificates that do not count are reported; the others are counted.
const MAX_REPORTED: usize = 20;

/// Reads the command line, and prints the names.
pub fn run(arguments: &cli::Names, source: &Source) -> ExitCode {
    let mut domains = BTreeSet::new();
    for text in &arguments.domains {
        let Ok(domain) = Domain::parse(text) else {
            log::error(&format!("{text} is not a domain name"));
            return ExitCode::from(COULD_NOT_RUN);
        };
        domains.insert(domain);
    }
    let covered = match arguments.missing_from.is_empty() {
        true => Ok(None),
        false => Covered::read(&arguments.missing_from).map(Some),
    };
    let covered = match covered {
        Ok(covered) => covered,
        Err(message) => {
            log::error(&message);
            return ExitCode::from(COULD_NOT_RUN);
        }
    };
    let config = match load(source) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    if let Some(unknown) = domains.iter().find(|it| matches!(config.find_now(it), Ok(None))) {
        log::error(&not_ours(unknown));
        return ExitCode::from(FOUND);
    }
    let names = Names { config: &config, covered, seen: Cell::default() };
    let printed = match domains.is_empty() {
        true => names.print(config.exact_domains(), arguments),
        false => names.print(domains.into_iter(), arguments),
    };
    let seen = names.seen.get();
    match printed {
        Err(exit) => exit,
        Ok(()) if !seen.a_domain => {
            log::error(
                &"the configuration names no domain by a table, a list or a file; name the domains \
                  on the command line",
            );
            ExitCode::from(COULD_NOT_RUN)
        }
        Ok(()) if seen.a_fault || (names.covered.is_some() && seen.a_name) => ExitCode::from(FOUND),
        Ok(()) => ExitCode::SUCCESS,
    }
}

//------------ Names ----------------------------------------------------------

/// Which names are printed, and what was seen while they were.
struct Names<'a> {
    config: &'a Config,
    /// The names that certificates have; `None` if all names are wanted.
    covered: Option<Covered>,
    seen: Cell<Seen>,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    a_domain: bool,
    /// A name that was printed.
    a_name: bool,
    /// A domain whose settings cannot be used.
    a_fault: bool,
}

/// A domain, and those of its names that are wanted.
#[derive(Serialize)]
struct Wanted {
    domain: String,
    names: Vec<String>,
}

impl Names<'_> {
    /// The wanted names of a domain; `None` if all of them are in certificates.
    fn wanted(&self, domain: &Domain) -> Option<Wanted> {
        let mut seen = Seen { a_domain: true, ..self.seen.get() };
        let has_pacc = match self.config.find_now(domain) {
            Ok(found) => found.is_some_and(|found| web_names::has_pacc(domain, &found)),
            Err(_) => {
                let domain = domain.for_people();
                log::error(&format!(
                    "the settings of {domain} cannot be used; see `mailsetup check`"
                ));
                seen.a_fault = true;
                false
            }
        };
        let is_wanted = |name: &String| !self.covered.as_ref().is_some_and(|it| it.has(name));
        let names: Vec<_> = web_names::of(domain, has_pacc).filter(is_wanted).collect();
        seen.a_name |= !names.is_empty();
        self.seen.set(seen);
        (!names.is_empty()).then(|| Wanted { domain: domain.to_string(), names })
    }

    fn print(
        &self,
        domains: impl Iterator<Item = Domain>,
        arguments: &cli::Names,
    ) -> Result<(), ExitCode> {
        let wanted = domains.filter_map(|domain| self.wanted(&domain));
        print_each(|output| {
            if arguments.json {
                let array = Array(Cell::new(Some(wanted)));
                serde_json::to_writer_pretty(&mut *output, &array)?;
                return writeln!(output);
            }
            match arguments.format {
                NamesFormat::Lines => wanted
                    .flat_map(|wanted| wanted.names)
                    .try_for_each(|name| writeln!(output, "{name}")),
                format => write_certificates(output, wanted, format, arguments.max_names as usize),
            }
        })
    }
}

/// The items of an iterator as a JSON array; they are not collected.
struct Array<I>(Cell<Option<I>>);

impl<I: Iterator<Item = Wanted>> Serialize for Array<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.take().into_iter().flatten())
    }
}

/// Writes a line for each certificate, with the names of whole domains.
fn write_certificates(
    output: &mut dyn Write,
    wanted: impl Iterator<Item = Wanted>,
    format: NamesFormat,
    most: usize,
) -> io::Result<()> {
    let mut names: Vec<String> = Vec::new();
    let mut is_first = true;
    let mut write = |names: &[String]| {
        if std::mem::take(&mut is_first) && format != NamesFormat::Dehydrated {
            writeln!(output, "# The arguments of this script are options of each command.")?;
        }
        match format {
            NamesFormat::Certbot => writeln!(
                output,
                "certbot certonly \"$@\" -n --keep-until-expiring --expand -d {}",
                names.join(",")
            ),
            NamesFormat::AcmeSh => {
                writeln!(output, "acme.sh --issue \"$@\" -d {}", names.join(" -d "))
            }
            NamesFormat::Lego => writeln!(output, "lego run \"$@\" -d {}", names.join(" -d ")),
            NamesFormat::Lego4 => writeln!(output, "lego \"$@\" -d {} run", names.join(" -d ")),
            NamesFormat::Dehydrated | NamesFormat::Lines => {
                writeln!(output, "{}", names.join(" "))
            }
        }
    };
    for mut more in wanted {
        if !names.is_empty() && names.len() + more.names.len() > most {
            write(&names)?;
            names.clear();
        }
        names.append(&mut more.names);
    }
    if names.is_empty() { Ok(()) } else { write(&names) }
}

//------------ Covered --------------------------------------------------------

/// The names of certificates that are valid now, in lower case.
#[derive(Default)]
struct Covered {
    names: FxHashSet<Box<str>>,
    /// The names of certificates that do not count, and the reasons.
    left_out: Vec<(Vec<String>, String)>,
}

impl Covered {
    /// Reads all files, or says which one cannot be read.
    fn read(paths: &[PathBuf]) -> Result<Covered, String> {
        if let Err(SignError::NotBuilt) = Coverage::from_pem(b"") {
            return Err(
                "--missing-from: this build cannot read certificates: it was built without \
                        the feature `sign`"
                    .to_owned(),
            );
        }
        let mut covered = Covered::default();
        for path in paths {
            match path.is_dir() {
                true => covered.read_folder(path, MAX_DEPTH)?,
                false if covered.read_file(path)? => {}
                false => {
                    let path = path.display();
                    return Err(format!("{path}: the file does not contain a PEM certificate"));
                }
            }
        }
        covered.report();
        Ok(covered)
    }

    /// Reports the certificates that do not count, unless others have the same names.
    fn report(&self) {
        let is_missing = |names: &Vec<String>| names.iter().any(|name| !self.has(name));
        let mut messages =
            self.left_out.iter().filter(|(names, _)| is_missing(names)).map(|(_, message)| message);
        for message in messages.by_ref().take(MAX_REPORTED) {
            log::warning(message);
        }
        let more = messages.count();
        if more > 0 {
            log::warning(&format!("{more} more certificates do not count"));
        }
    }

    /// Reads the certificates in a folder and in those below it. Links to folders are not followed,
    /// since they may lead back. A file that cannot be read is reported, and the others count: it may
    /// belong to one of very many domains.
    fn read_folder(&mut self, folder: &Path, depth: usize) -> Result<(), String> {
        let unreadable = |error| unreadable(folder, &error);
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            if entry.file_type().map_err(unreadable)?.is_dir() {
                if depth > 0 {
                    self.read_folder(&path, depth - 1)?;
                }
            } else if may_have_certificates(&path) {
                match self.read_file(&path) {
                    Ok(true) => {}
                    Ok(false) => {
                        let path = path.display();
                        log::warning(&format!(
                            "{path}: the file does not contain a PEM certificate"
                        ));
                    }
                    Err(message) => log::warning(&message),
                }
            }
        }
        Ok(())
    }

    /// Reads the certificates of a file; false if it has none.
    fn read_file(&mut self, path: &Path) -> Result<bool, String> {
        let shown = path.display();
        let bytes =
            files::read(path, Kind::Certificate).map_err(|error| unreadable(path, &error))?;
        let certificates =
            Coverage::from_pem(&bytes).map_err(|error| format!("{shown}: {error}"))?;
        let is_any = !certificates.is_empty();
        for certificate in certificates {
            self.add(certificate, path);
        }
        Ok(is_any)
    }

    fn add(&mut self, certificate: Coverage, path: &Path) {
        let names = certificate.names.iter().map(|name| name.to_ascii_lowercase());
        // Other names can cover none of ours.
        let names = names.filter(|name| web_names::may_cover(name));
        let Some(fault) = certificate.fault else {
            return self.names.extend(names.map(String::into_boxed_str));
        };
        let (path, subject) = (path.display(), certificate.subject);
        let message = format!("{path}: the certificate `{subject}` does not count: it {fault}");
        self.left_out.push((names.collect(), message));
    }

    fn has(&self, name: &str) -> bool {
        let parent = name.split_once('.').map_or("", |(_, parent)| parent);
        self.names.contains(name) || self.names.contains(&*format!("*.{parent}"))
    }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("--missing-from: {} cannot be read: {}", path.display(), files::reason(error))
}

/// True for the usual names of files with certificates, and not of those with keys.
fn may_have_certificates(path: &Path) -> bool {
    let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    ["pem", "crt", "cer"].contains(&end) && !stem.starts_with("privkey") && !stem.ends_with("key")
}
