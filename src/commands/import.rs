//! Writes a configuration from documents and configurations of programs that answered before.

use super::next_steps::Made;
use super::output::Failed;
use super::{draft_file, import_domains, input};
use crate::cli;
use crate::config::find::{SYSTEM, Source};
use crate::draft::{self, Draft, Note, NoteKind, Place};
use crate::import;
use std::path::Path;
use std::process::ExitCode;

/// Most bytes of a file.
const MAX_BYTES: u64 = 4 << 20;

/// The comment if no file names a domain.
const ANY_DOMAIN: &str = "No file names a domain, so any domain is answered. To answer only yours, \
                          name each of them like this, or in a list:";

/// Reads the files, and writes the configuration; or reads domains.
pub fn run(arguments: &cli::Import, source: &Source) -> ExitCode {
    if let Some(file) = &arguments.domains.domains {
        return import_domains::run(file, arguments, source);
    }
    if let Err(failed) = input::once(arguments.files.iter()) {
        return failed.exit();
    }
    let (mut drafts, mut heading) = (Vec::new(), Vec::new());
    for file in &arguments.files {
        let name = input::name(file);
        let read = input::read(file, MAX_BYTES).and_then(|bytes| {
            if bytes.is_empty() {
                return Err(input::empty(file));
            }
            import::read(&name, &bytes).map_err(|error| Failed::found(format!("{name}: {error}")))
        });
        match read {
            Ok((kind, mut draft)) => {
                let line = format!("Imported from {name}: {kind}.");
                if !heading.contains(&line) {
                    heading.push(line);
                }
                let place = Place::whole(&*name);
                let note =
                    Note { kind: NoteKind::Hint, place: Some(place), text: carried(kind, &draft) };
                draft.notes.insert(0, note);
                drafts.push(draft);
            }
            Err(failed) => return failed.exit(),
        }
    }
    let mut draft = draft::merge(drafts);
    draft.heading = heading;
    draft.without_domains = Some(ANY_DOMAIN);
    let target = source.named().unwrap_or(Path::new(SYSTEM));
    draft_file::write(Made::Import, draft, target, &arguments.output)
}

/// What was read from a file, in short.
fn carried(kind: &str, draft: &Draft) -> String {
    let servers = draft.top.servers.iter().map(ToString::to_string);
    let mut parts: Vec<_> =
        servers.chain(draft.top.values.iter().map(|(key, _)| (*key).to_owned())).collect();
    match &draft.domains[..] {
        [] => {}
        [(name, _)] => parts.push(format!("the domain {}", name.value)),
        many => parts.push(format!("{} domains", many.len())),
    }
    let parts = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
    format!("read as {kind}: {parts}")
}
