//! The outputs of another machine or a container, from files.
//!
//! Nothing of this machine is read: files that the outputs name are those of that machine.

use super::run::MAX_BYTES;
use crate::cli;
use crate::commands::input;
use crate::commands::output::Failed;
use crate::init::assemble::Machine;
use crate::init::dovecot::{self, Input, Output};
use crate::init::listening::Listening;
use crate::init::{exim, opensmtpd, postfix, recognised};
use std::path::{Path, PathBuf};

/// A text, and how places name it.
#[derive(Clone)]
struct Text {
    name: String,
    text: String,
}

impl Text {
    fn of_dovecot(&self) -> Input<'_> {
        Input { source: &self.name, text: &self.text }
    }

    fn of_postfix(&self) -> postfix::Output<'_> {
        postfix::Output { source: &self.name, text: &self.text }
    }
}

/// True if files were given.
pub(super) fn is_used(arguments: &cli::Init) -> bool {
    all(arguments).any(|files| !files.is_empty())
}

fn all(arguments: &cli::Init) -> impl Iterator<Item = &[PathBuf]> {
    let cli::Init { doveconf, postconf, master, exim, smtpd, listening, .. } = arguments;
    [doveconf, postconf, master, exim, smtpd, listening].into_iter().map(Vec::as_slice)
}

/// Reads the files.
pub(super) fn read(arguments: &cli::Init) -> Result<Machine, Failed> {
    input::once(all(arguments).flatten())?;
    let mut machine = Machine { is_elsewhere: true, ..Machine::default() };
    let doveconf = texts(&arguments.doveconf)?;
    // Those for master.cf may be: nothing is set there.
    if let Some(Text { name, .. }) = doveconf.iter().find(|it| it.text.trim().is_empty()) {
        let message = format!("{name}: it is empty: run doveconf again, and look for its error");
        return Err(Failed::found(message));
    }
    if let Some(output) = doveconf_output(&doveconf)? {
        let facts = dovecot::read(&output)
            .map_err(|why| Failed::found(format!("{}: {why}", output.explicit.source)))?;
        machine.facts.push(facts);
    }
    let postconf = [texts(&arguments.postconf)?, texts(&arguments.master)?].concat();
    if let Some(other) = postconf.iter().find(|it| dovecot::is_output(&it.text)) {
        return Err(Failed::found(format!(
            "{}:1: this is an output of doveconf: use --doveconf",
            other.name
        )));
    }
    if let Some(first) = postconf.first() {
        let outputs: Vec<_> = postconf.iter().map(Text::of_postfix).collect();
        if let Some(other) = postconf.iter().find(|it| !postfix::is_output(&it.text)) {
            let message = format!("{}: it is not the output of postconf", other.name);
            return Err(Failed::found(message));
        }
        if let Some(why) = postfix::two_instances(&outputs) {
            return Err(Failed::found(why));
        }
        let facts = postfix::read(&outputs);
        if facts.server.is_none() {
            return Err(Failed::found(format!("{}: it is not the output of postconf", first.name)));
        }
        machine.facts.push(facts);
    }
    for Text { name, text } in texts(&arguments.exim)? {
        let options = exim::OPTIONS.join(" ");
        let facts = exim::read(&text, &name);
        machine.facts.push(facts.ok_or_else(|| {
            Failed::found(format!("{name}: it is not the output of `exim -bP {options}`"))
        })?);
    }
    let smtpd = texts(&arguments.smtpd)?;
    if let Some(first) = smtpd.first() {
        if !smtpd.iter().any(|file| opensmtpd::is_configuration(&file.text)) {
            return Err(Failed::found(format!(
                "{}: it is not smtpd.conf of OpenSMTPD",
                first.name
            )));
        }
        let files = smtpd.iter().map(|it| opensmtpd::File { name: &it.name, text: &it.text });
        machine.facts.push(opensmtpd::read(&files.collect::<Vec<_>>()));
    }
    let listening = texts(&arguments.listening)?;
    if let Some(first) = listening.first() {
        let text: String = listening.iter().map(|file| file.text.as_str()).collect();
        machine.listening = Some(Listening::parse(&text).ok_or_else(|| {
            Failed::found(format!("{}: it is not /proc/net/tcp or /proc/net/tcp6", first.name))
        })?);
    }
    let outputs: Vec<_> = doveconf.iter().chain(&postconf).map(|it| it.text.as_str()).collect();
    machine.notes = recognised::notes(&|_| false, &outputs);
    Ok(machine)
}

/// Which of the outputs of doveconf is which.
fn doveconf_output(texts: &[Text]) -> Result<Option<Output<'_>>, Failed> {
    let is_flat = |it: &&Text| {
        let has = |mark: &str| it.text.lines().any(|line| line.contains(mark));
        it.text.lines().any(|line| line.starts_with("service/")) && !has(" {")
    };
    let (flat, explicit): (Vec<_>, Vec<_>) = texts.iter().partition(is_flat);
    match (&explicit[..], &flat[..]) {
        ([], []) => Ok(None),
        ([explicit], flat) if flat.len() < 2 => {
            let all = flat.first().map(|it| it.of_dovecot());
            Ok(Some(Output { explicit: explicit.of_dovecot(), all, messages: "" }))
        }
        ([], [flat]) => Ok(Some(Output { explicit: flat.of_dovecot(), all: None, messages: "" })),
        _ => Err(Failed::found(
            "--doveconf takes the output of doveconf -n, and that of doveconf -S",
        )),
    }
}

fn texts(files: &[PathBuf]) -> Result<Vec<Text>, Failed> {
    files.iter().map(|file| text(file)).collect()
}

fn text(file: &Path) -> Result<Text, Failed> {
    let bytes = input::read(file, MAX_BYTES)?;
    let name = input::name(file);
    if bytes.contains(&0) {
        return Err(Failed::found(format!("{name}: it is not text")));
    }
    let text = String::from_utf8_lossy(&bytes);
    let text = without_colours(text.trim_start_matches('\u{feff}'));
    Ok(Text { name, text: without_indent(&text) })
}

/// The text without the sequences that colour it in a terminal (ECMA-48, CSI).
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(part.len());
        out.push_str(part.get(end + 1..).unwrap_or_default());
    }
    out
}

/// The text without the blanks that all of its lines begin with: a quotation in a ticket or a page has
/// them, and in files of Postfix they continue the line before.
fn without_indent(text: &str) -> String {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let indent = &first[..first.len() - first.trim_start().len()];
    if indent.is_empty() {
        return text.to_owned();
    }
    let lines = text.split_inclusive('\n');
    lines.map(|line| line.strip_prefix(indent).unwrap_or(line)).collect()
}
