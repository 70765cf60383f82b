//! The settings of a Dovecot: those that `doveconf -n` shows, then those of `doveconf -S`, then the
//! defaults of its version.

use super::groups::{self, Missing};
use super::output::{Input, Output};
use super::tree::{Block, Flat, Refused, Setting, Tree};
use crate::draft::{Origin, Place};
use std::path::Path;

/// The most characters of a value in a text for people.
const MAX_SHOWN: usize = 160;
/// The most groups that are named as missing.
const MAX_MISSING: usize = 100;

/// The settings of a Dovecot.
#[derive(Debug)]
pub struct Config<'a> {
    /// The blocks.
    pub tree: Tree<'a>,
    /// Every value, if that is known.
    pub flat: Option<Flat<'a>>,
    /// `2.3.19.1`.
    pub version: &'a str,
    /// True for the syntax and the defaults of 2.4.
    pub is_new: bool,
    /// The groups of settings that are used, and are not in the output.
    pub missing_groups: Vec<Missing>,
    blocks_source: &'a str,
    flat_source: &'a str,
}

/// A value with its origin.
#[derive(Clone, Debug)]
pub struct Found {
    /// The value.
    pub value: String,
    /// Where it was seen, or that it is a default.
    pub origin: Origin,
}

impl Found {
    /// True for `yes`, as Dovecot reads it.
    pub fn is_yes(&self) -> bool {
        is_yes(&self.value)
    }
}

/// True for `yes`, as Dovecot reads it.
pub fn is_yes(value: &str) -> bool {
    ["yes", "y", "true", "1"].iter().any(|yes| value.eq_ignore_ascii_case(yes))
}

/// The words of a list: `a b`, `a, b`.
pub fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split([' ', ',', '\t']).filter(|word| !word.is_empty())
}

/// True if the value has a part that only a running Dovecot knows: `%{env:NAME}`, `$SET:name`.
pub fn is_variable(value: &str) -> bool {
    value.contains("%{") || value.contains('$')
}

/// A text of limited length, for people.
pub fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl<'a> Config<'a> {
    /// Reads the texts.
    pub fn parse(output: &Output<'a>) -> Result<Config<'a>, Refused> {
        let Input { source, text } = output.explicit;
        let mut tree = Tree::parse(text)?;
        let (flat, flat_source) = match (output.all, tree.flat) {
            (Some(all), _) => (Some(Flat::parse(all.text, 1)?), all.source),
            (None, Some((line, text))) => (Some(Flat::parse(text, line)?), source),
            (None, None) => (None, source),
        };
        // Dovecot 2.1 has no -S: an output without services says nothing.
        let flat = flat.filter(Flat::has_services);
        let version = tree.comments.iter().find_map(|(_, comment)| version(comment));
        let (version, is_new) = version.ok_or(Refused::NotDoveconf)?;
        // There, an empty value means the default: auth_mechanisms, listen.
        if is_new && tree.is_all {
            tree.root.remove_empty();
        }
        let mut missing_groups = groups::apply(&mut tree.root)?;
        missing_groups.truncate(MAX_MISSING);
        let blocks_source = source;
        Ok(Config { tree, flat, version, is_new, missing_groups, blocks_source, flat_source })
    }

    /// The folder of dovecot.conf, which the first comment names.
    pub fn folder(&self) -> Option<&'a Path> {
        let (_, comment) = self.tree.comments.first()?;
        let (_, file) = comment.split_once(": ")?;
        Path::new(file.trim()).parent().filter(|folder| folder.is_absolute())
    }

    /// A line of `doveconf -n`.
    pub fn place(&self, line: usize) -> Place {
        Place::line(self.blocks_source, line)
    }

    /// The whole `doveconf -n`.
    pub fn whole(&self) -> Place {
        Place::whole(self.blocks_source)
    }

    /// A setting of `doveconf -n` with its place.
    pub fn seen(&self, setting: &Setting) -> Found {
        let Setting { name, value, line } = setting;
        let origin = Origin::seen(self.place(*line), shown(&format!("{name} = {value}")));
        Found { value: value.clone(), origin }
    }

    /// A value of `doveconf -S` with its place.
    pub fn flat(&self, name: &str) -> Option<Found> {
        let (line, value) = self.flat.as_ref()?.get(name)?;
        let place = Place::line(self.flat_source, line);
        let origin = Origin::seen(place, shown(&format!("{name}={value}")));
        Some(Found { value: value.to_owned(), origin })
    }

    /// The value of a setting for a protocol, else for all.
    pub fn setting(&self, name: &str, protocol: Option<&str>) -> Option<Found> {
        let of_protocol = protocol.and_then(|protocol| {
            let blocks = self.tree.root.of("protocol");
            let mut blocks = blocks.rev().filter(|block| is_for(&block.name, protocol));
            blocks.find_map(|block| in_block(block, name))
        });
        let here = of_protocol.or_else(|| in_block(&self.tree.root, name));
        here.map(|setting| self.seen(setting)).or_else(|| self.flat(name))
    }

    /// The value of a setting, or its default.
    pub fn setting_or(&self, name: &str, protocol: Option<&str>, default: &str) -> Found {
        self.setting(name, protocol).unwrap_or_else(|| Found {
            value: default.to_owned(),
            origin: Origin::Assumed(format!(
                "{name} = {default} is the default of Dovecot {}",
                self.series()
            )),
        })
    }

    /// A list that may also be a block of `word = yes`: `protocols`, `auth_mechanisms`.
    pub fn list(&self, name: &str) -> Option<Found> {
        let Some(block) = self.tree.root.of(name).last() else { return self.setting(name, None) };
        let on: Vec<_> =
            block.settings.iter().filter(|it| is_yes(&it.value)).map(|it| it.name).collect();
        let lines: String = on.iter().map(|word| format!("{word} = yes ")).collect();
        let text = shown(&format!("{name} {{ {lines}}}"));
        Some(Found { value: on.join(" "), origin: Origin::seen(self.place(block.line), text) })
    }

    /// The protocols that are on.
    pub fn protocols(&self) -> Found {
        self.list("protocols").unwrap_or_else(|| {
            let default = if self.is_new { "" } else { "imap pop3 lmtp" };
            self.setting_or("protocols", None, default)
        })
    }

    /// `2.3` or `2.4`: whose defaults are in force.
    pub fn series(&self) -> &'static str {
        if self.is_new { "2.4" } else { "2.3" }
    }
}

/// A setting of a block; 2.4 prints some in a block of the first word of their names: `ssl_server {
/// cert_file = … }`.
pub fn in_block<'b, 'a>(block: &'b Block<'a>, name: &str) -> Option<&'b Setting<'a>> {
    let inner = || {
        let rest = name.strip_prefix("ssl_server_")?;
        block.of("ssl_server").rev().find_map(|inner| inner.setting(rest))
    };
    block.setting(name).or_else(inner)
}

/// True if a `protocol NAME { … }` is for this protocol: `imap`, `!lmtp`.
fn is_for(name: &str, protocol: &str) -> bool {
    match name.strip_prefix('!') {
        Some(other) => other.trim() != protocol,
        None => words(name).any(|word| word == protocol),
    }
}

/// The version in the first comment, and whether its syntax is that of 2.4: `2.3.19.1 (9b53102964): …`.
pub(super) fn version(comment: &str) -> Option<(&str, bool)> {
    let version = comment.split([' ', '(', ':']).next()?;
    let mut parts = version.split(['.', '-', '_']).map(str::parse::<u32>);
    let (major, minor) = (parts.next()?.ok()?, parts.next()?.ok()?);
    (version.len() < 40).then_some((version, (major, minor) >= (2, 4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_known() {
        assert_eq!(version("2.3.19.1 (9b53102964): /etc/x"), Some(("2.3.19.1", false)));
        assert_eq!(version("2.2.36 (1f10bfa63): /etc/x"), Some(("2.2.36", false)));
        assert_eq!(version("2.4.1-4 (7d8c0e5759): /etc/x"), Some(("2.4.1-4", true)));
        assert_eq!(version("3.0.1: /etc/x"), Some(("3.0.1", true)));
        for other in
            ["", "Pigeonhole version 0.5.19", "OS: Linux 6.1.0", "4 default setting changes"]
        {
            assert_eq!(version(other), None, "{other}");
        }
    }

    #[test]
    fn a_block_is_for_one_protocol_or_all_others() {
        for (name, is_for_imap) in [
            ("imap", true),
            ("!imap", false),
            ("lmtp", false),
            ("!lmtp", true),
            ("pop3 imap", true),
        ] {
            assert_eq!(is_for(name, "imap"), is_for_imap, "{name}");
        }
    }
}
