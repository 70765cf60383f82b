//! Domains in a text file, one a line: the first word counts.
//!
//! Reads plain lists, the sources of Postfix maps (`example.org  OK`), passwd-files
//! (`ann@example.org:…`: the part behind the `@`) and `/etc/localdomains`. A `#` starts a comment.

use crate::address::Domain;
use crate::files;
use rustc_hash::FxHashSet;
use std::io;
use std::path::Path;

/// What a list holds.
#[derive(Debug, Default)]
pub struct List {
    /// The domains.
    pub domains: FxHashSet<Domain>,
    /// Line numbers and words that are no domain.
    pub not_domains: Vec<(usize, String)>,
}

/// Reads the list at `path`.
pub fn read(path: &Path) -> io::Result<List> {
    // What is not UTF-8 is no domain, and mostly a comment.
    Ok(parse(&String::from_utf8_lossy(&files::read(path)?)))
}

fn parse(text: &str) -> List {
    let mut list = List::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        // A line that begins with white space continues the one before (postmap(1)).
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let Some(word) = line.split([' ', '\t', ':']).next().filter(|word| !word.is_empty()) else {
            continue;
        };
        let name = word.rsplit('@').next().unwrap_or(word);
        match Domain::parse(name) {
            Ok(domain) => {
                list.domains.insert(domain);
            }
            Err(_) => list.not_domains.push((index + 1, word.to_owned())),
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_mail_servers_have_them() {
        let list = parse(
            "# domains\nexample.org\nexample.net OK\n  continued\nann@example.com:{PLAIN}x:1:1::/home::\n\
             @virtual.example x\n\nb\u{fc}cher.example # ours\nnot a domain\n",
        );
        let mut domains: Vec<_> = list.domains.iter().map(Domain::as_str).collect();
        domains.sort();
        assert_eq!(
            domains,
            [
                "example.com",
                "example.net",
                "example.org",
                "virtual.example",
                "xn--bcher-kva.example"
            ]
        );
        assert_eq!(list.not_domains, [(9, "not".to_owned())]);
    }
}
