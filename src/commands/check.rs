//! Checks the configuration: prints errors, and settings that work but break a client.
//!
//! Errors prevent the use of the configuration or of a part of it; warnings name the clients that a
//! setting breaks. Every domain is resolved, the signing certificate is tested, and `placement` looks
//! at where the files lie. Prints one line for each finding, in the order of the files and lines; a
//! setting that several domains share is reported once.

use super::loading::CHECKS;
use super::output::{FOUND, print, print_json};
use super::{explain, placement, redirect, sources};
use crate::address::Domain;
use crate::cli;
use crate::clients::{self, Client};
use crate::config::find::{Source, usual_file};
use crate::config::lookup::Origin;
use crate::config::overlay::{Sets, Variable};
use crate::config::places::Places;
use crate::config::settings::Found;
use crate::config::{Config, check::Loading};
use crate::directory::name::Name;
use crate::files::{self, Kind};
use crate::finding::{self, Finding, Level, Place};
use crate::limits::Limits;
use crate::lint::lint;
use crate::log;
use crate::visible::visible;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// The least limits that take the requests of all clients (seen: Autodiscover of Thunderbird and
/// Outlook has up to 500 bytes; the parameters of nginx have 1 to 2 KiB).
const LEAST_BODY: usize = 1024;
const LEAST_PARAMETERS: usize = 4096;
/// How many findings in the files of domains are printed: with errors, and of each other kind.
const MOST_IN_FILES: usize = 200;
/// The labels of hosts that clients ask for the settings of a domain.
const HOSTS: [&str; 3] = ["autoconfig.", "autodiscover.", "ua-auto-config."];

/// Checks and reports.
pub fn run(arguments: &cli::Check, source: &Source) -> ExitCode {
    if let Some(code) = &arguments.explain {
        return explain::run(code);
    }
    log::leave_out_what_requests_find();
    let whole = source.place();
    let (findings, domains) = match source.load(Loading::command(&CHECKS)) {
        Ok(config) => (find(&config, whole.as_ref()), Some(domains(&config))),
        Err(mut errors) => {
            errors.extend(placement::findings(source.path().as_deref(), None));
            (errors, None)
        }
    };
    let is_bad = |finding: &Finding| match finding.level {
        Level::Error => true,
        Level::Warning => arguments.strict,
        Level::Note => false,
    };
    let verdict = match findings.iter().any(is_bad) {
        true => ExitCode::from(FOUND),
        false => ExitCode::SUCCESS,
    };
    let printed = if arguments.quiet {
        ExitCode::SUCCESS
    } else if arguments.json {
        print_json(&findings)
    } else {
        let mut text: String = findings.iter().map(line).collect();
        let has_variables = !source.environment().overlay.0.is_empty();
        text += &summary(whole.as_ref(), has_variables, &findings, domains.as_deref());
        print(text)
    };
    if printed == ExitCode::SUCCESS { verdict } else { printed }
}

/// What is found in a text that becomes the file at `path`, and is named `shown`: a line for each finding,
/// and the summary.
pub(super) fn of_text(path: &Path, shown: &Path, config: &Config) -> String {
    let mut findings = find(config, Some(&Place::file(path)));
    let places = findings.iter_mut().filter_map(|finding| finding.place.as_mut());
    for place in places.filter(|place| *place.file == *path) {
        place.file = shown.into();
    }
    let lines: String = findings.iter().map(line).collect();
    let summary = summary(Some(&Place::file(shown)), false, &findings, Some(&domains(config)));
    format!("{lines}mailsetup check of {summary}")
}

/// `error: FILE:LINE:COLUMN: message [code]`
fn line(finding: &Finding) -> String {
    visible(&format!("{}{finding}", finding.level.label())) + "\n"
}

/// The summary: the file, and the number of errors and warnings.
fn summary(
    whole: Option<&Place>,
    has_variables: bool,
    findings: &[Finding],
    domains: Option<&str>,
) -> String {
    let origin = match whole {
        Some(whole) => whole.to_string(),
        None if has_variables => "environment variables (no configuration file)".to_owned(),
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
    let verdict =
        if counts.is_empty() { "no errors, no warnings".to_owned() } else { counts.join(", ") };
    let domains = domains.unwrap_or("this configuration cannot be used");
    visible(&format!("{origin}: {verdict}; {domains}")) + "\n"
}

/// The number of domains that are answered, as text.
fn domains(config: &Config) -> String {
    let counted = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        count => Some(format!("{count} {word}s")),
    };
    let count = config.domains().len();
    let patterns = counted(config.count_of_patterns(), "pattern");
    let names = counted(count, "domain").into_iter().chain(patterns.clone());
    let names: Vec<_> = names.collect();
    match (names.is_empty(), config.answers_any()) {
        (true, true) => "any domain is answered".to_owned(),
        (true, false) => "no domain is answered".to_owned(),
        (false, false) => names.join(" and "),
        (false, true) if patterns.is_none() => {
            format!("{count} named, and any other domain is answered")
        }
        (false, true) => format!("{} named, and any other is answered", names.join(" and ")),
    }
}

/// All findings, sorted by place.
fn find(config: &Config, whole: Option<&Place>) -> Vec<Finding> {
    let variables = config.overlay().lines(config.text().len());
    let of_file = || Places::at(whole.cloned().unwrap_or(Place::file("")), config.text());
    let places = OnceCell::new();
    let base = || places.get_or_init(|| of_file().over(&variables));
    let in_base = |keys: &[&str]| {
        let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        base().first(None, &keys).or_else(|| whole.cloned())
    };
    let mut findings = config.warnings.clone();
    if !variables.variables.is_empty() {
        let of_file = of_file();
        findings.extend(config.overlay().0.iter().map(|variable| note(variable, whole, &of_file)));
    }
    if let Some(identity) = config.signing_identity() {
        // Only Apple devices read signatures.
        let clients = clients::labels(|client| client.asks_for_profiles());
        findings.extend(
            identity.findings().into_iter().map(|it| Finding { clients: clients.clone(), ..it }),
        );
        if config.answers_any() {
            let place = in_base(&["domains.answer", "apple.signing_certificate"]);
            let message = "any domain is answered, but profiles are signed only for domains that are \
                           named in the configuration";
            let mut finding = Finding::warning("signing-any-domain", place, message);
            finding.remedy =
                Some("name your domains, for example in domains.list_files".to_owned());
            findings.push(finding);
        }
    }
    if config.domains().is_empty() && config.count_of_patterns() == 0 && !config.answers_any() {
        let place = in_base(&["domains.list_files", "domains.directory"]);
        let message = "the lists and the folder of domains are empty: no request is answered";
        findings.push(Finding::warning("no-domain", place, message));
    }
    let asks = config.status.as_ref().is_some_and(|paths| paths.ask_path.is_some());
    if asks && config.exact_domains().next().is_none() {
        let message = "no name gets a certificate, because no table, list or file names a domain";
        let place = in_base(&["domains.ask_path"]);
        let mut finding = Finding::warning("ask-path-no-domain", place, message);
        finding.remedy = Some("name your domains, for example in domains.list_files".to_owned());
        findings.push(finding);
    }
    findings.extend(small_limits(config, in_base));
    findings.extend(config.domains().into_iter().filter_map(|domain| {
        let parent = domain.without_prefix(&HOSTS).filter(|parent| config.is_named(parent))?;
        let place = base().name(&Name::Domain(domain.clone())).or_else(|| whole.cloned());
        Some(host_as_domain(domain, &parent, place))
    }));
    for name in config.names_with_two() {
        let place = base().name(&name).or_else(|| whole.cloned());
        let (what, domain) = match name {
            Name::Domain(ref domain) => ("domain", Some(domain.clone())),
            Name::Below(_) | Name::All => ("pattern", None),
        };
        let message =
            format!("the file {name}.toml is not used, because the {what} also has a table");
        let mut finding = Finding::warning("domain-file", place, message);
        finding.remedy = Some("remove one of them".to_owned());
        finding.domain = domain;
        findings.push(finding);
    }
    findings.extend(misplaced(config.misplaced_files()));
    let (broken, of_files) = broken_files(config);
    findings.extend(of_domains(config, whole, &broken, base));
    findings.extend(of_files);
    let file = whole.filter(|place| !place.is_variable).map(|place| &*place.file);
    findings.extend(placement::findings(file, Some(config)));
    finding::sort(&mut findings, &config.files);
    findings
}

/// Limits that refuse requests of mail clients.
fn small_limits(config: &Config, place: impl Fn(&[&str]) -> Option<Place>) -> Vec<Finding> {
    let Limits { body_bytes, parameters_bytes, .. } = config.limits;
    let limits = [
        ("limits.body_bytes", body_bytes, LEAST_BODY, "a request of Autodiscover"),
        (
            "limits.parameters_bytes",
            parameters_bytes,
            LEAST_PARAMETERS,
            "the parameters of a request from a web server",
        ),
    ];
    let small = limits.into_iter().filter(|(_, limit, least, _)| limit < least);
    let finding = |(key, _, least, what): (&str, _, usize, &str)| {
        let message = format!("{key}: {what} can have {least} bytes; larger ones are refused");
        let mut finding = Finding::warning("limit-small", place(&[key]), message);
        finding.remedy = Some("remove the key; the default is enough".to_owned());
        finding
    };
    small.map(finding).collect()
}

/// The names of the files of domains that have errors, and the findings in them; of very many, the
/// first ones.
fn broken_files(config: &Config) -> (HashSet<String>, Vec<Finding>) {
    let (mut names, mut findings, mut more) = (HashSet::new(), Vec::new(), 0);
    for (file, of_file) in config.broken_files() {
        names.extend(file.file_name().and_then(|name| name.to_str()).map(str::to_owned));
        match findings.len() < MOST_IN_FILES {
            true => findings.extend(of_file),
            false => more += 1,
        }
    }
    if more > 0 {
        let message = format!("{more} more files of domains have errors");
        let place = config.directory().map(Place::file);
        findings.push(Finding::error("more-findings", place, message));
    }
    (names, findings)
}

/// Files that lie where they are not looked for: the first of them, and their number.
fn misplaced(files: Vec<(PathBuf, PathBuf)>) -> Option<Finding> {
    let more = files.len().saturating_sub(1);
    let (file, place) = files.into_iter().next()?;
    let more = match more {
        0 => String::new(),
        1 => "; 1 more file is in a wrong place, too".to_owned(),
        more => format!("; {more} more files are in a wrong place, too"),
    };
    let place = finding::name(&place);
    let message =
        format!("this file is not used: by domains.directory_letters, its place is {place}");
    let mut finding =
        Finding::warning("domain-file-place", Some(Place::file(file)), message + &more);
    finding.remedy = Some("move it there, or correct the key".to_owned());
    Some(finding)
}

/// A host of `parent` for mail clients, which is configured as a domain.
fn host_as_domain(domain: Domain, parent: &Domain, place: Option<Place>) -> Finding {
    let message = format!(
        "clients ask this host for the settings of {}; {} the settings of another domain, without an \
         address in the request",
        parent.for_people(),
        clients::sentence(&clients::those(Client::asks_without_address), "gets", "get")
    );
    let mut finding = Finding::warning("domain-host", place, message);
    finding.remedy = Some("take the host out of the domains".to_owned());
    finding.clients = clients::labels(Client::asks_without_address);
    finding.domain = Some(domain);
    finding
}

/// What a variable sets, and the place of the setting that it is used instead of.
fn note(variable: &Variable, whole: Option<&Place>, of_file: &Places) -> Finding {
    let message = match &variable.sets {
        Sets::Key(path, _) => {
            let key = path.join(".");
            match of_file.first(None, std::slice::from_ref(&key)) {
                Some(place) => format!("sets {key}, instead of {place}"),
                None => format!("sets {key}"),
            }
        }
        Sets::Domains(names) if names.len() == 1 => "names 1 domain".to_owned(),
        Sets::Domains(names) => format!("names {} domains", names.len()),
        Sets::Text => match (whole.filter(|place| !place.is_variable), usual_file()) {
            (Some(place), _) => format!("is not used, because the configuration is {place}"),
            (None, Some(file)) => {
                format!("is the configuration, instead of {}", finding::name(&file))
            }
            (None, None) => "is the configuration".to_owned(),
        },
        // A configuration with errors is not used.
        Sets::Nothing(_, message) => message.clone(),
    };
    Finding::note("variable", Some(Place::variable(variable.name.clone())), message)
}

/// The findings in the settings of each domain whose file is not among the `broken` ones.
fn of_domains<'a>(
    config: &Config,
    whole: Option<&Place>,
    broken: &HashSet<String>,
    base: impl Fn() -> &'a Places<'a>,
) -> Vec<Finding> {
    let is_broken = |name: &Name| !broken.is_empty() && broken.contains(&format!("{name}.toml"));
    let mut shared = Shared::default();
    // Domains share sources.
    let mut of_sources = HashMap::new();
    let names_none = config.domains().is_empty() && config.count_of_patterns() == 0;
    // Places in the base, by keys: thousands of domains may share a finding.
    let in_base = RefCell::new(HashMap::<Vec<String>, Option<Place>>::new());
    let first_in_base = |keys: &[String]| {
        if let Some(place) = in_base.borrow().get(keys) {
            return place.clone();
        }
        let place = base().first(None, keys);
        in_base.borrow_mut().insert(keys.to_vec(), place.clone());
        place
    };
    for Subject { domain, found, is_named, pattern } in subjects(config, is_broken) {
        let (domain, named) = (&domain, Some(&domain).filter(|_| is_named));
        // The first key in the domain's own table or file, else the first in the base. The search
        // is only done for a finding.
        let (origin, text, places) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        let first = |keys: &[String]| {
            let find_origin = || match &pattern {
                Some(name) if found.alias_of().is_none() => config.origin_of_pattern(name),
                _ => config.origin(domain, &found),
            };
            let own = match origin.get_or_init(find_origin) {
                Origin::Base => None,
                Origin::Table(table) => base().first(Some(table), keys),
                Origin::File(path) => {
                    let read = || files::read_text(path, Kind::DomainFile).unwrap_or_default();
                    let text = text.get_or_init(read);
                    places.get_or_init(|| Places::of(path, text)).first(None, keys)
                }
            };
            own.or_else(|| first_in_base(keys))
        };
        // A place in the domain's own file is in no other file.
        let is_in_file = |finding: &Finding| match origin.get() {
            Some(Origin::File(path)) => {
                finding.place.as_ref().is_some_and(|place| *place.file == **path)
            }
            _ => false,
        };
        let mut add = |finding: Finding| {
            let is_in_file = is_in_file(&finding);
            shared.add(finding, named, is_in_file);
        };
        let Some(account) = found.account(domain, None, None) else {
            let keys: Vec<_> = found.too_long(domain).into_iter().collect();
            let name = || pattern.clone().unwrap_or_else(|| Name::Domain(domain.clone()));
            let place = first(&keys).or_else(|| base().name(&name())).or_else(|| whole.cloned());
            let message = "a host name is too long or invalid once the domain is filled in";
            add(Finding::error("host-too-long", place, message));
            continue;
        };
        for finding in redirect::findings(domain, &account, config) {
            let keys = ["autodiscover.redirect_address".to_owned()];
            let place = first(&keys).or_else(|| whole.cloned());
            add(Finding { place, ..finding });
        }
        if let Some(source) = found.login() {
            // Others are not looked up.
            let is_looked_up = is_named || matches!(pattern, Some(Name::Below(_)));
            let of_source = match is_looked_up {
                true => &**of_sources
                    .entry(Arc::as_ptr(source))
                    .or_insert_with(|| sources::findings(source)),
                false if names_none => &[sources::unused(source)],
                false => &[],
            };
            for finding in of_source {
                let place = first(&[sources::key(source).to_owned()]).or_else(|| whole.cloned());
                add(Finding { place, ..finding.clone() });
            }
        }
        for (key, length, max) in found.shortened(domain) {
            let place = first(&[key.to_owned()]).or_else(|| whole.cloned());
            let message = format!("{key}: {length} characters; it is cut after {max}");
            let mut finding = Finding::warning("name-long", place, message);
            finding.remedy = Some("use a shorter name".to_owned());
            add(finding);
        }
        for finding in lint(&account, |keys| first(keys).or_else(|| whole.cloned())) {
            add(finding);
        }
    }
    shared.findings(config.directory())
}

/// A domain whose settings are checked.
struct Subject {
    domain: Domain,
    found: Found,
    /// False if the domain stands for others.
    is_named: bool,
    /// The pattern that it stands for.
    pattern: Option<Name>,
}

/// Every domain that is named, and one for each pattern. If any domain is answered, one stands for all.
fn subjects(config: &Config, is_broken: impl Fn(&Name) -> bool) -> impl Iterator<Item = Subject> {
    let any = config.answers_any().then(|| Name::All.example()).flatten();
    let domains = config.domains().into_iter().map(|domain| (domain, true));
    let domains = domains.chain(any.map(|domain| (domain, false)));
    let domains = domains.map(|(domain, is_named)| (Name::Domain(domain), is_named));
    let patterns = config.patterns().into_iter().map(|pattern| (pattern, false));
    domains.chain(patterns).filter(move |(name, _)| !is_broken(name)).filter_map(
        |(name, is_named)| {
            let domain = name.example()?;
            // An alias of a domain whose file has errors is reported for that file.
            let (found, pattern) = match name {
                Name::Domain(_) => (config.find_now(&domain).ok()??, None),
                Name::Below(_) | Name::All => (config.find_pattern(&name)?, Some(name)),
            };
            Some(Subject { domain, found, is_named, pattern })
        },
    )
}

/// Findings, each once for all domains with the same place.
#[derive(Default)]
struct Shared {
    findings: Vec<Finding>,
    /// By code and place, or by message if the place is only a file.
    known: HashMap<(&'static str, Option<Place>, Option<String>), usize>,
    /// How many findings of each code are in the files of domains.
    in_files: BTreeMap<&'static str, (Level, usize)>,
}

impl Shared {
    /// Adds a finding for a domain. `is_in_file` is true if its place is in the file of a domain: of
    /// very many such findings, the first ones are kept.
    fn add(&mut self, finding: Finding, domain: Option<&Domain>, is_in_file: bool) {
        let is_exact = finding.place.as_ref().is_some_and(|place| place.position.is_some());
        let message = (!is_exact).then(|| finding.message.clone());
        let next = self.findings.len();
        let key = (finding.code, finding.place.clone(), message);
        if is_in_file && !self.known.contains_key(&key) {
            let (_, count) = self.in_files.entry(finding.code).or_insert((finding.level, 0));
            *count += 1;
            if *count > MOST_IN_FILES {
                return;
            }
        }
        let at = *self.known.entry(key).or_insert(next);
        if at == next {
            self.findings.push(Finding { domain: domain.cloned(), ..finding });
            return;
        }
        let known = &mut self.findings[at];
        if let Some(domain) = domain {
            // A domain may have it twice: for a server and for its alternative.
            if known.others.last().or(known.domain.as_ref()) != Some(domain) {
                known.others.push(domain.clone());
            }
        }
    }

    /// All findings, with the number of those in files of the folder that were left out.
    fn findings(self, folder: Option<&Path>) -> Vec<Finding> {
        let mut findings = self.findings;
        for (code, (level, count)) in self.in_files {
            let more = count.saturating_sub(MOST_IN_FILES);
            if more > 0 {
                let message = format!("{more} more findings of this kind in files of domains");
                let place = folder.map(Place::file);
                findings.push(Finding { level, ..Finding::warning(code, place, message) });
            }
        }
        findings
    }
}
