//! `mailsetup import --domains`: domains from the output of a database client, as a list, or as files
//! for `domains.directory`.
//!
//! A list is written beside its place and moved there, and only if it changes. It is not replaced if it
//! would lose more than half of its domains, or if this command did not write it: then the exit
//! status is 1. Files of single domains are created, and never changed or removed.

use super::input;
use super::loading::load;
use super::output::{Failed, print};
use super::replaced;
use crate::address::Domain;
use crate::cli;
use crate::config::find::Source;
use crate::directory::layout::Layout;
use crate::directory::list::List;
use crate::files::{self, Kind};
use crate::import::domains::{self, Domains, EXPECTED, MAX_BYTES, Noted};
use crate::log;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::process::ExitCode;

/// The first line of a list that this command writes.
const MARK: &str = "# Written by `mailsetup import --domains`, which replaces this file.\n";
/// The first line of the file of a domain.
const DOMAIN_MARK: &str =
    "# Written by `mailsetup import --domains`, which does not change this file.\n";
/// How many domains a message names.
const MAX_NAMED: usize = 20;

type Done = Result<(), Failed>;

/// What was read.
struct Input {
    name: String,
    domains: Domains,
    is_pipe: bool,
}

/// Reads the domains of `file`, and prints or writes them.
pub(super) fn run(file: &Path, arguments: &cli::Import, source: &Source) -> ExitCode {
    let input = match read(file) {
        Ok(input) => input,
        Err(error) => return error.exit(),
    };
    tell(&input);
    let force = arguments.output.force;
    let arguments = &arguments.domains;
    let done = match (&arguments.list, &arguments.directory) {
        (Some(list), _) => match force {
            true => write_list(list, &input, None),
            false => write_list(list, &input, Some(arguments.at_least)),
        },
        (None, Some(folder)) => match layout(folder, source) {
            Ok(layout) => write_files(&layout, &input, force),
            Err(status) => return status,
        },
        (None, None) => {
            if let Some(message) = input.without_end() {
                log::warning(&message);
            }
            return print(lines(&input.domains));
        }
    };
    done.map_or_else(Failed::exit, |()| ExitCode::SUCCESS)
}

/// The error that nothing is written, because of the input or the list.
fn refused(message: String) -> Failed {
    Failed::found(message)
}

/// The error that something could not be done with a file.
fn unable(path: &Path, error: &io::Error) -> Failed {
    Failed::could_not_run(format!("{}: {}", path.display(), files::reason(error)))
}

//------------ Input ----------------------------------------------------------

fn read(file: &Path) -> Result<Input, Failed> {
    let name = input::name(file);
    let is_pipe = input::is_pipe(file);
    let bytes = input::read(file, MAX_BYTES)?;
    if bytes.is_empty() {
        return Err(input::empty(file));
    }
    let domains = domains::read(&bytes).map_err(|error| {
        let line = error.line().map_or(String::new(), |line| format!(":{line}"));
        refused(format!("{name}{line}: {error}; nothing is written"))
    })?;
    if domains.names.is_empty() {
        let first = domains.left_out.first.first();
        let first = first.map_or(String::new(), |(line, word)| format!(" (line {line}: `{word}`)"));
        return Err(refused(format!(
            "{name}: it names no domain{first}; expected on each line: {EXPECTED}; nothing is written"
        )));
    }
    Ok(Input { name, domains, is_pipe })
}

impl Input {
    /// What is to be said if the last line has no end.
    fn without_end(&self) -> Option<String> {
        let word = self.domains.unfinished.as_ref()?;
        let name = &self.name;
        Some(format!("{name}: the last line, `{word}`, has no line end: it may be cut"))
    }

    /// Refuses a last line without an end if it comes from a pipe, and names a domain that is not there
    /// yet: the command that writes may have ended early. In a file, people leave it out.
    fn check_end(&self, is_there: impl Fn(&str) -> bool) -> Done {
        let is_known = self.domains.unfinished.as_deref().is_some_and(is_there);
        match self.without_end().filter(|_| !is_known) {
            Some(message) if self.is_pipe => Err(refused(format!(
                "{message}; nothing is written; with --force it is taken as it is"
            ))),
            Some(message) => {
                log::warning(&message);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Names what was not used of the input.
fn tell(Input { name, domains, .. }: &Input) {
    each(
        name,
        &domains.left_out,
        &|word| format!("`{word}` is not a domain, and is left out"),
        "lines that name no domain are left out",
    );
    each(name, &domains.not_used, &str::to_owned, "lines of which a part is not used");
    if domains.addresses > 0 {
        let count = domains.addresses;
        log::notice(&format!(
            "{name}: lines with an e-mail address, which count for its domain: {count}"
        ));
    }
}

/// Names the first lines, and the number of the others.
fn each(name: &str, noted: &Noted, what: &dyn Fn(&str) -> String, more: &str) {
    for (line, text) in &noted.first {
        log::warning(&format!("{name}:{line}: {}", what(text)));
    }
    let others = noted.count - noted.first.len();
    if others > 0 {
        log::warning(&format!("{name}: {others} more {more}"));
    }
}

/// The domains, one a line.
fn lines(domains: &Domains) -> String {
    domains.names.keys().flat_map(|name| [name.as_str(), "\n"]).collect()
}

//------------ A list ---------------------------------------------------------

/// Writes the list, unless it is the same. Without `at_least`, any list is replaced, and kept.
fn write_list(path: &Path, input: &Input, at_least: Option<u8>) -> Done {
    let domains = &input.domains;
    let target = replaced::place(path).map_err(Failed::could_not_run)?;
    let old = match files::read(&target, Kind::List) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        old => old.map_err(|error| unable(path, &error))?,
    };
    let content = [MARK, &lines(domains)].concat();
    if content.len() as u64 > Kind::List.max_bytes() {
        return Err(refused(format!("{}: {}", path.display(), files::too_large(Kind::List))));
    }
    let is_same = old == content.as_bytes();
    let is_own = old.is_empty() || old.starts_with(MARK.as_bytes());
    let old = List::parse(old);
    if let Some(percent) = at_least {
        if !is_own {
            return Err(refused(format!(
                "{}: this file was not written by `mailsetup import --domains`, and is not replaced; \
                 --force replaces it",
                path.display()
            )));
        }
        guard(path, &old, domains, percent)?;
        input.check_end(|word| old.domains().any(|domain| domain.as_str() == word))?;
    }
    let mut kept_as = String::new();
    if !is_same {
        if at_least.is_none() && target.exists() {
            let file = replaced::keep(&target).map_err(|error| unable(path, &error))?;
            kept_as = format!("; the old list: {}", file.display());
        }
        replace(&target, content.as_bytes()).map_err(|error| unable(path, &error))?;
    }
    let count = domains.names.len();
    let kept = old.domains().filter(|domain| domains.names.contains_key(domain)).count();
    log::notice(&match is_same {
        true => format!("{}: unchanged, {}", path.display(), counted(count)),
        false => format!(
            "{}: written, {}, {} new, {} removed{kept_as}",
            path.display(),
            counted(count),
            count - kept,
            old.len() - kept
        ),
    });
    Ok(())
}

/// `1 domain`, `2 domains`
fn counted(count: usize) -> String {
    format!("{count} domain{}", if count == 1 { "" } else { "s" })
}

/// Refuses a list that lost more of its domains than allowed, or that is cut.
fn guard(path: &Path, old: &List, domains: &Domains, percent: u8) -> Done {
    let count = old.domains().count();
    let kept = old.domains().filter(|domain| domains.names.contains_key(domain)).count();
    if kept * 100 < count * usize::from(percent) {
        return Err(refused(format!(
            "{}: only {kept} of its {count} domains are in the input, fewer than {percent} %; it is \
             unchanged; --force replaces it",
            path.display()
        )));
    }
    let Some(beginning) = &domains.unfinished else { return Ok(()) };
    let is_cut = |domain: &Domain| {
        domain.as_str().starts_with(&**beginning)
            && domain.as_str() != beginning
            && !domains.names.contains_key(domain)
    };
    let is_listed = old.domains().any(|domain| domain.as_str() == beginning);
    match old.domains().find(is_cut).filter(|_| !is_listed) {
        Some(domain) => Err(refused(format!(
            "{}: the last line of the input, `{beginning}`, has no end, and the list has {domain}: the \
             input is cut; the list is unchanged; --force replaces it",
            path.display()
        ))),
        None => Ok(()),
    }
}

/// Replaces a file in one step; the new one has the owner and the mode of the old one.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        replaced::create_folder(folder)?;
    }
    let new = replaced::new_name(path)?;
    let mut file = create(&new)?;
    let written = fill(&mut file, path, content).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        fs::remove_file(&new).ok();
    }
    written
}

fn fill(file: &mut File, old: &Path, content: &[u8]) -> io::Result<()> {
    if let Ok(old) = old.metadata() {
        let new = file.metadata()?;
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            let owner = format!("it belongs to user {} and group {}", old.uid(), old.gid());
            fchown(&*file, Some(old.uid()), Some(old.gid())).map_err(|error| {
                io::Error::new(error.kind(), format!("{owner}, and only root can keep that"))
            })?;
        }
        file.set_permissions(old.permissions())?;
    }
    file.write_all(content)?;
    // After a crash, the name must not lead to an empty file.
    file.sync_all()
}

/// Creates a file that the service may read, whatever the umask is.
fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)?;
    file.set_permissions(Permissions::from_mode(0o644))?;
    Ok(file)
}

//------------ Files of single domains ----------------------------------------

/// Where the files of a folder lie: as the configuration says, if it names this folder.
fn layout(folder: &Path, source: &Source) -> Result<Layout, ExitCode> {
    let config = load(source)?;
    let same = |named: &&Layout| match (named.folder.canonicalize(), folder.canonicalize()) {
        (Ok(named), Ok(folder)) => named == folder,
        _ => false,
    };
    Ok(match config.layout().filter(same) {
        Some(named) => Layout { folder: folder.to_owned(), letters: named.letters },
        None => {
            log::notice(&format!(
                "{}: the configuration does not name this folder",
                folder.display()
            ));
            Layout { folder: folder.to_owned(), letters: 0 }
        }
    })
}

/// Creates the files that are not there.
fn write_files(layout: &Layout, input: &Input, force: bool) -> Done {
    let domains = &input.domains;
    let folder = &layout.folder;
    if !folder.is_dir() {
        return Err(Failed::could_not_run(format!("{}: it is not a folder", folder.display())));
    }
    if !force {
        let is_domain = |word: &str| domains.names.keys().any(|it| it.as_str() == word);
        input.check_end(|word| is_domain(word) && layout.path(word).exists())?;
    }
    let (mut written, mut unusable) = (0, Vec::new());
    for (domain, target) in &domains.names {
        let path = match replaced::place(&layout.path(domain.as_str())) {
            Ok(path) if path.exists() => continue,
            Ok(path) => path,
            Err(why) => {
                unusable.push(why);
                continue;
            }
        };
        match write_file(&path, target.as_ref()) {
            Ok(()) => written += 1,
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unable(&path, &error)),
        }
    }
    let known: BTreeSet<_> = domains.names.keys().map(Domain::to_string).collect();
    let others: Vec<_> =
        layout.names().iter().map(ToString::to_string).filter(|it| !known.contains(it)).collect();
    if !others.is_empty() {
        let named =
            others.iter().take(MAX_NAMED).map(|name| &**name).collect::<Vec<_>>().join(", ");
        let more = others.len().saturating_sub(MAX_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        log::warning(&format!(
            "{}: files of domains that are not in the input stay: {named}{more}",
            folder.display()
        ));
    }
    log::notice(&format!(
        "{}: files written: {written}; there already: {}",
        folder.display(),
        domains.names.len() - written - unusable.len()
    ));
    for why in unusable.iter().take(MAX_NAMED) {
        log::warning(why);
    }
    match unusable.len() {
        0 => Ok(()),
        count => Err(Failed::could_not_run(format!(
            "{}: {} without settings, because {} place is taken",
            folder.display(),
            counted(count),
            if count == 1 { "its" } else { "their" }
        ))),
    }
}

fn write_file(path: &Path, target: Option<&Domain>) -> io::Result<()> {
    let settings = match target {
        Some(target) => format!("alias_of = \"{target}\"\n"),
        // A file with comments alone might be one that is being written.
        None => "[imap]\n".to_owned(),
    };
    let mut file = match create(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The sub-folder of a letter that is new.
            let folder = path.parent().ok_or(error)?;
            fs::create_dir(folder)?;
            fs::set_permissions(folder, Permissions::from_mode(0o755))?;
            create(path)?
        }
        file => file?,
    };
    let written = file.write_all([DOMAIN_MARK, &settings].concat().as_bytes());
    if written.is_err() {
        fs::remove_file(path).ok();
    }
    written
}
