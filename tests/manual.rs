//! The manual pages and shell completions: generated from the same definition as `--help`, and
//! committed, so that the installation does not build anything. `UPDATE_GOLDEN=1` rewrites them.

use crate::common::{command, source};
use clap::{Arg, ArgAction, Command, CommandFactory};
use clap_complete::Shell;
use mailsetup::cli::Cli;
use mailsetup::finding::{CODES, Level};
use mailsetup::lint::LINTS;
use std::fs;

/// Compares a committed file with its generated content, or writes it; `targets` are those of
/// `make` that do so.
pub fn committed(path: &str, content: &[u8], targets: &str) {
    let file = source(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(file.parent().expect("a directory")).expect("directory");
        fs::write(&file, content).expect(path);
    }
    let found = fs::read(&file).unwrap_or_default();
    assert!(found == content, "{path} is not what the code says; run `make {targets}` and read it");
}

#[test]
fn completions_are_up_to_date() {
    for (shell, path) in [
        (Shell::Bash, "contrib/completions/mailsetup.bash"),
        (Shell::Fish, "contrib/completions/mailsetup.fish"),
        (Shell::Zsh, "contrib/completions/_mailsetup"),
    ] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "mailsetup", &mut script);
        committed(path, &script, "completions");
    }
}

/// mailsetup(1): the command line from the code, the rest from `man/mailsetup.1.in`.
#[test]
fn the_manual_page_is_up_to_date() {
    let mut command = Cli::command();
    command.build();
    let man =
        clap_mangen::Man::new(command.clone()).manual("mailsetup").date("").source("mailsetup");
    let mut page = Vec::new();
    man.render_title(&mut page).expect("memory");
    man.render_name_section(&mut page).expect("memory");
    page.extend_from_slice(synopsis(&command).as_bytes());
    man.render_description_section(&mut page).expect("memory");
    man.render_options_section(&mut page).expect("memory");
    page.extend_from_slice(b".SH COMMANDS\n");
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help")
    {
        let about = subcommand.get_about().expect("every command says what it does");
        page.extend_from_slice(
            format!(".SS \"mailsetup {}\"\n{about}.\n", subcommand.get_name()).as_bytes(),
        );
        let mut options = Vec::new();
        let subcommand = subcommand
            .clone()
            .mut_arg("config", |config| config.hide(true))
            .disable_help_flag(true);
        clap_mangen::Man::new(subcommand).render_options_section(&mut options).expect("memory");
        let options = String::from_utf8(options).expect("UTF-8");
        page.extend(
            options
                .lines()
                .filter(|line| *line != ".SH OPTIONS")
                .flat_map(|line| format!("{line}\n").into_bytes()),
        );
    }
    let rest = fs::read_to_string(source("man/mailsetup.1.in")).expect("man/mailsetup.1.in");
    assert_eq!(rest.matches("@FINDINGS@\n").count(), 1);
    page.extend_from_slice(rest.replace("@FINDINGS@\n", &findings()).as_bytes());
    committed("man/mailsetup.1", &page, "man");
}

/// The synopsis of each command, with the names of its options and arguments.
fn synopsis(command: &Command) -> String {
    let name = "\\fBmailsetup\\fR";
    let config = command.get_arguments().filter(|it| it.get_id() == "config").map(usage);
    let config: String = config.collect();
    let mut text = ".SH SYNOPSIS\n".to_owned();
    for subcommand in command.get_subcommands().filter(|it| it.get_name() != "help") {
        let own = |it: &&Arg| !["help", "config"].contains(&it.get_id().as_str());
        let mut own: Vec<_> = subcommand.get_arguments().filter(own).collect();
        own.sort_by_key(|argument| !argument.is_positional());
        let own: String = own.into_iter().map(usage).collect();
        // The only one that refuses it.
        let config = if subcommand.get_name() == "probe" { "" } else { &config };
        text += &format!("{name}{config} \\fB{}\\fR{own}\n.br\n", subcommand.get_name());
    }
    text + &format!("{name} \\fB\\-\\-version\\fR | \\fB\\-\\-help\\fR\n")
}

/// An argument with the name of its value, and a blank before it.
fn usage(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let names = argument.get_value_names().filter(|_| takes_value);
    let value = match names.map(|names| names[0].as_str()) {
        Some(name) if argument.is_require_equals_set() => format!("[=\\fI{name}\\fR]"),
        Some(name) => format!(" \\fI{name}\\fR"),
        None => String::new(),
    };
    let text = match argument.get_long() {
        Some(long) => format!(" [\\fB--{long}\\fR{value}]"),
        None if !argument.is_required_set() => format!(" [{}]", value.trim_start()),
        None => value,
    };
    let more = if matches!(argument.get_action(), ArgAction::Append) { "..." } else { "" };
    text.replace('-', "\\-") + more
}

/// The codes of all findings, with one line each.
fn findings() -> String {
    let roff = |text: &str| text.replace('\\', "\\e").replace('-', "\\-");
    let entry = |code: &str, about: &str| format!(".TP\n.B {}\n{}\n", roff(code), roff(about));
    let of_level = |wanted| {
        let codes = CODES.iter().filter(move |(_, level, _)| *level == wanted);
        codes.map(|(code, _, about)| entry(code, about))
    };
    let mut text = ".PP\nErrors:\n".to_owned();
    text.extend(of_level(Level::Error));
    text += ".PP\nNotes, which do not count:\n";
    text.extend(of_level(Level::Note));
    text += ".PP\nWarnings about lists, the certificate that signs, and the places of files:\n";
    text.extend(of_level(Level::Warning));
    text += ".PP\nWarnings about settings that do not work for every client:\n";
    text.extend(LINTS.iter().map(|lint| {
        let about = match &lint.breaks.labels()[..] {
            [] => lint.about.to_owned(),
            clients => format!("{} ({})", lint.about, clients.join(", ")),
        };
        entry(lint.code, &about)
    }));
    text
}

/// Every code that the program can print is in one of the two tables from which the manual is
/// generated; no code has two meanings.
#[test]
fn every_code_is_in_the_manual_once() {
    let mut known: Vec<_> = CODES.iter().map(|(code, ..)| *code).collect();
    assert!(known.is_sorted(), "CODES is not in the order of the codes");
    let lints: Vec<_> = LINTS.iter().map(|lint| lint.code).collect();
    assert!(lints.is_sorted(), "LINTS is not in the order of the codes");
    known.extend(&lints);
    for code in &known {
        assert_eq!(known.iter().filter(|other| *other == code).count(), 1, "{code} is there twice");
        let is_kebab =
            code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        assert!(is_kebab, "{code}");
    }
    // The first argument of a function that makes a finding.
    let call = r#"(mistake|error|warning|note|refused|refuse|parsed|parsed_text)\(\s*"([a-z0-9]+(?:-[a-z0-9]+)*)"\s*,"#;
    let call = regex_lite::Regex::new(call).expect("a pattern");
    // The signer makes no findings itself: it returns codes. Its faults are warnings.
    let of_signer = r#"(fault\(\s*|code: )?"(signing(?:-[a-z]+)+)""#;
    let of_signer = regex_lite::Regex::new(of_signer).expect("a pattern");
    let (mut used, mut errors) = (Vec::new(), Vec::new());
    let mut folders = vec![source("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src") {
            let path = entry.expect("directory entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("source");
                let code = text.split("#[cfg(test)]\nmod tests").next().expect("code").to_owned();
                let is_of_signer = path.parent().is_some_and(|folder| folder.ends_with("sign"));
                let pattern = if is_of_signer { &of_signer } else { &call };
                for found in pattern.captures_iter(&code) {
                    let is_warning = match found.get(1).map(|word| word.as_str()) {
                        Some(word) => ["warning", "note"].contains(&word) || is_of_signer,
                        None => false,
                    };
                    used.push(found[2].to_owned());
                    errors.extend((!is_warning).then(|| found[2].to_owned()));
                }
            }
        }
    }
    for code in &used {
        assert!(known.contains(&code.as_str()), "{code} is not in CODES");
    }
    for (code, level, _) in CODES {
        assert!(used.iter().any(|used| used == code), "{code} is in CODES, but not used");
        let is_error = errors.iter().any(|error| error == code);
        assert_eq!(*level == Level::Error, is_error, "{code} is listed as {level:?}");
    }
}

#[test]
fn the_manual_pages_are_well_formed() {
    for (page, macros) in [("man/mailsetup.1", "-man"), ("man/mailsetup.toml.5", "-mdoc")] {
        let mut groff = command("groff");
        let output = groff.args([macros, "-Tutf8", "-ww", "-z"]).arg(source(page)).output();
        let output = output.expect("groff, of the package groff");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && complaints.is_empty(), "{page}: {complaints}");
    }
}
