//! The kinds of files that can be imported. A file is recognised by its content, not by its name.

use super::encoding::{Decoded, decode};
use super::yaml::{self, Documents, Node};
use super::{
    autoconfig, embedded, environment, go_autoconfig, ini, isp_mail_config, php, pox, profile,
    seed, solarssk,
};
use crate::draft::{Draft, NoteKind, Place, without_secrets};
use std::borrow::Cow;

/// A kind of file.
pub struct Kind {
    /// What it is called in messages.
    pub name: &'static str,
    recognises: fn(&Input) -> bool,
    /// True for a document in XML, which may stand in another text.
    is_document: bool,
    read: fn(&str, &Input) -> Result<Draft, String>,
}

/// A file with all that is needed to recognise it.
pub struct Input<'a> {
    /// The text in UTF-8; a signed or binary profile itself.
    bytes: &'a [u8],
    /// The text without a byte order mark; empty if there is none.
    text: &'a str,
    /// The text as YAML or JSON; the error is a message with the line.
    documents: Result<Documents, String>,
}

/// The kinds in the order in which they are tried.
const KINDS: [Kind; 12] = [
    Kind {
        name: "config.php of isp-mailConfig",
        recognises: |input| isp_mail_config::is_it(input.text),
        is_document: false,
        read: |source, input| Ok(isp_mail_config::read(source, input.text)),
    },
    Kind {
        name: "PHP script",
        recognises: |input| php::recognises(input.bytes),
        is_document: false,
        read: |source, input| php::read(source, input.bytes),
    },
    Kind {
        name: "autoconfig document (config-v1.1.xml)",
        recognises: |input| autoconfig::recognises(input.bytes),
        is_document: true,
        read: |source, input| autoconfig::read(source, input.bytes),
    },
    Kind {
        name: "Autodiscover response (POX)",
        recognises: |input| pox::recognises(input.bytes),
        is_document: true,
        read: |source, input| pox::read(source, input.bytes),
    },
    Kind {
        name: "Apple configuration profile (.mobileconfig)",
        recognises: |input| profile::recognises(input.bytes),
        is_document: true,
        read: |source, input| profile::read(source, input.bytes),
    },
    Kind {
        name: "automx.conf of automx 1 or 3",
        recognises: |input| ini::is_it(input.text),
        is_document: false,
        read: |source, input| ini::read(source, input.text),
    },
    Kind {
        name: "automx2 seed (JSON)",
        recognises: |input| input.roots().iter().any(seed::is_seed),
        is_document: false,
        read: |source, input| input.of_root(source, seed::is_seed, seed::read_seed),
    },
    Kind {
        name: "automx2 database (rows as JSON)",
        recognises: |input| input.roots().iter().any(seed::are_rows),
        is_document: false,
        read: |source, input| input.of_root(source, seed::are_rows, seed::read_rows),
    },
    Kind {
        name: "config.yaml of solarssk/mail-autodiscover",
        recognises: |input| input.roots().iter().any(solarssk::is_it),
        is_document: false,
        read: |source, input| input.of_root(source, solarssk::is_it, solarssk::read),
    },
    Kind {
        name: "config.yml of go-autoconfig",
        recognises: |input| input.roots().iter().any(go_autoconfig::is_it),
        is_document: false,
        read: |source, input| {
            let read = |source: &str, root: &Node| Ok(go_autoconfig::read(source, root));
            input.of_root(source, go_autoconfig::is_it, read)
        },
    },
    Kind {
        name: "container environment (compose, Kubernetes, docker inspect)",
        recognises: |input| input.documents.as_ref().is_ok_and(environment::is_tree),
        is_document: false,
        read: |source, input| match &input.documents {
            Ok(documents) => environment::read_tree(source, documents),
            Err(error) => Err(error.clone()),
        },
    },
    Kind {
        name: "environment file (NAME=VALUE)",
        recognises: |input| environment::are_lines(input.text),
        is_document: false,
        read: |source, input| environment::read_lines(source, input.text),
    },
];

impl Input<'_> {
    fn roots(&self) -> &[Node] {
        self.documents.as_ref().map_or(&[], |documents| &documents.roots)
    }

    /// Reads the first document of a kind. All others are named, with the remarks about the file.
    fn of_root(
        &self,
        source: &str,
        is_it: fn(&Node) -> bool,
        read: impl Fn(&str, &Node) -> Result<Draft, String>,
    ) -> Result<Draft, String> {
        let documents = self.documents.as_ref().map_err(String::clone)?;
        let first = documents.roots.iter().position(is_it);
        let first = first.ok_or("the file has no such document")?;
        let mut draft = read(source, &documents.roots[first])?;
        for (line, text) in &documents.remarks {
            draft.not_carried(Place::line(source, *line), &**text);
        }
        let is_empty = |root: &Node| root.value == yaml::Value::Null;
        let others: Vec<_> = documents
            .roots
            .iter()
            .enumerate()
            .filter(|(at, root)| *at != first && !is_empty(root))
            .collect();
        if let Some((_, root)) = others.first() {
            let text = format!(
                "{} of the file: import it as a file of its own",
                if others.len() == 1 {
                    "another document".to_owned()
                } else {
                    format!("{} other documents", others.len())
                }
            );
            draft.not_carried(Place::line(source, root.line), text);
        }
        Ok(draft)
    }
}

/// Reads a file of any kind. The error is a message without the name of the file.
pub fn read(source: &str, bytes: &[u8]) -> Result<(&'static str, Draft), String> {
    let is_binary = profile::is_binary(bytes);
    let decoded = match is_binary {
        true => Decoded { text: Cow::Borrowed(""), is_guessed: false },
        false => decode(bytes)?,
    };
    let text = &*decoded.text;
    if !is_binary && text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    let bytes = if text.is_empty() { bytes } else { text.as_bytes() };
    let is_markup = text.trim_start().starts_with('<');
    let documents = match is_markup {
        true => Ok(Documents::default()),
        false => yaml::read(text),
    };
    let input = Input { bytes, text, documents };
    if let Some(kind) = KINDS.iter().find(|kind| (kind.recognises)(&input)) {
        let embedded = kind.is_document.then(|| embedded::read(source, input.bytes)).flatten();
        let read = embedded.unwrap_or_else(|| (kind.read)(source, &input));
        let mut draft = read.map_err(|why| without_secrets(&why).into_owned())?;
        if decoded.is_guessed {
            let text = "the file is not in UTF-8 and was read as ISO-8859-1; if letters are wrong, \
                        convert it first: `iconv -f ENCODING -t UTF-8 FILE >NEW`";
            draft.note(NoteKind::Warning, Some(Place::whole(source)), text);
        }
        return Ok((kind.name, draft));
    }
    let is_dump = ["INSERT INTO provider", "INSERT INTO server"].iter().all(|it| text.contains(it));
    if ini::is_of_automx2(text) || is_dump {
        return Err(
            "automx2 has its servers in a database: import the rows of it, see mailsetup(1)"
                .to_owned(),
        );
    }
    let why = match &input.documents {
        Err(error) if is_json(text) => format!(" (as JSON: {error})"),
        _ => String::new(),
    };
    Err(format!("unknown kind of file{why}; see `mailsetup import --help`"))
}

/// True for a text that begins as JSON does. A section of an INI file has a word behind the bracket.
fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    let of_array = |rest: &str| rest.trim_start().starts_with(['{', '[', '"', ']']);
    text.starts_with('{') || text.strip_prefix('[').is_some_and(of_array)
}
