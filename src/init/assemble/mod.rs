//! Makes a configuration of what the mail servers of a machine tell.
//!
//! One server of each protocol is offered: some clients take the last one of several. What other
//! machines cannot reach is not offered. Each value has the place where it was seen, or the reason for
//! which it is assumed. No I/O: certificates and lists are read by the command.

mod domains;
mod host;
mod machine;
mod servers;

pub use machine::{List, Machine};

use crate::draft::{Draft, NoteKind, Noted};

/// The configuration.
pub fn assemble(machine: &Machine) -> Draft {
    let mut draft = Draft::default();
    heading(machine, &mut draft);
    draft.notes.extend(machine.notes.iter().cloned());
    for facts in &machine.facts {
        draft.notes.extend(facts.notes.iter().cloned());
        if let Some(folders) = &facts.instances {
            let text = format!(
                "Postfix has more instances, and each its own services: {}; postconf -c DIRECTORY \
                 prints those of one, for --postconf and --master",
                folders.value
            );
            draft.note(NoteKind::Warning, folders.origin.place().cloned(), text);
        }
    }
    let named = domains::add(machine, &mut draft);
    servers::add(machine, &mut draft);
    host::add(machine, &named, &mut draft);
    if let Some(name) = provider(&draft) {
        let reason = "the domain of the host name; mail clients show this name to their users";
        draft.top.set("provider.name", Noted::assumed(name, reason));
    }
    draft
}

/// Which servers were read.
fn heading(machine: &Machine, draft: &mut Draft) {
    let servers = machine.facts.iter().filter_map(|facts| facts.server.as_ref());
    let servers: Vec<_> = servers.map(|server| server.value.as_str()).collect();
    let origin = match machine.is_elsewhere {
        true => "as their outputs show them. Nothing of this machine was read.",
        false => "as they are set up on this machine.",
    };
    draft.heading = vec![
        format!("Written by mailsetup init from {}, {origin}", and(&servers)),
        "Above each value is where it was seen. What is assumed is marked: check it.".to_owned(),
    ];
    // The default is not written.
    if let Some(login) = servers::of_readers(machine).filter(|it| it.value == servers::ADDRESS) {
        draft.heading.push(format!("The login is the address. {}", login.origin));
    }
}

/// The name of the provider: the domain of the host.
fn provider(draft: &Draft) -> Option<String> {
    let hosts = draft.top.servers.iter().filter_map(|server| server.host.as_ref());
    let host = &hosts.into_iter().next()?.value;
    let (_, domain) = host.split_once('.')?;
    (domain.contains('.') && !domain.contains('%')).then(|| domain.to_owned())
}

/// `Dovecot and Postfix`
fn and(words: &[&str]) -> String {
    match words {
        [] => "no mail server".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests;
