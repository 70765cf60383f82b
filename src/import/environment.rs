//! Variables of the environment of a responder, from wherever they are written: `KEY=VALUE` lines,
//! docker-compose files, Kubernetes manifests, `docker inspect`.
//!
//! Of several services the one with the most variables of a known responder is taken; services that
//! are responders, too, each with its domain, are read as further inputs. `${NAME:-default}` is the
//! default; a variable without one is named.

use super::entries::{Entries, Entry};
use super::env_file;
use super::responders::{Family, Input, family};
use super::yaml::{Documents, Node, Value};
use crate::draft::{Draft, HIDDEN, NoteKind, Place, is_secret, merge};

/// Most places with variables in a file.
const MAX_GROUPS: usize = 1000;

/// Variables that belong together.
#[derive(Debug, Default)]
struct Group {
    /// The service, as it is called in the file.
    name: String,
    /// The name of the container image.
    image: String,
    line: usize,
    entries: Vec<Entry>,
    /// Values that are not in the file.
    elsewhere: Vec<(usize, String)>,
}

impl Group {
    fn family(&self, is_one_of_several: bool) -> Option<(&'static Family, usize)> {
        let input = Input { image: &self.image, is_one_of_several };
        family(self.entries.iter().map(|entry| &*entry.key), &input)
    }

    fn add(&mut self, key: &str, value: &str, line: usize) {
        let key = key.trim().to_owned();
        match expanded(value) {
            Ok(value) => self.entries.push(Entry { key, value, line }),
            Err(name) => {
                let text =
                    format!("{key}: the value of {name} is not in this file; import its file, too");
                self.elsewhere.push((line, text));
            }
        }
    }
}

/// True if lines `KEY=VALUE` are settings of a known responder.
pub fn are_lines(text: &str) -> bool {
    let (entries, others) = env_file::read(text);
    let group = Group { entries, ..Group::default() };
    others.len() <= group.entries.len() && group.family(false).is_some()
}

/// True if a tree has variables of a known responder.
pub fn is_tree(documents: &Documents) -> bool {
    let groups = groups(documents);
    // Of more services, the variables of one that is not looked at may be those of a responder.
    groups.len() > MAX_GROUPS || groups.iter().any(|group| group.family(false).is_some())
}

/// Lines `KEY=VALUE`.
pub fn read_lines(source: &str, text: &str) -> Result<Draft, String> {
    let max = env_file::MAX_LINES;
    if text.lines().nth(max).is_some() {
        return Err(format!("more than {max} lines"));
    }
    let (entries, others) = env_file::read(text);
    let mut group = Group { line: 1, ..Group::default() };
    for entry in entries {
        match in_python(&entry.value) {
            Some(default) => group.entries.push(Entry { value: default, ..entry }),
            None => group.add(&entry.key, &entry.value, entry.line),
        }
    }
    let Some((family, _)) = group.family(false) else {
        return Err("no variables of a known responder".to_owned());
    };
    let mut draft = read_group(source, group, family, false);
    if let Some(first) = others.first() {
        let more = if others.len() > 1 {
            format!(", and {} more", others.len() - 1)
        } else {
            String::new()
        };
        draft.not_carried(Place::line(source, *first), format!("not a line NAME=VALUE{more}"));
    }
    Ok(draft)
}

/// Variables in a tree.
pub fn read_tree(source: &str, documents: &Documents) -> Result<Draft, String> {
    let mut known: Vec<Group> = Vec::new();
    let groups = groups(documents);
    if groups.len() > MAX_GROUPS {
        return Err(format!("more than {MAX_GROUPS} services with variables"));
    }
    for group in groups {
        let Some((family, _)) = group.family(false) else { continue };
        // A part of the same responder's variables: those of a ConfigMap beside those of a container.
        let is_same = |other: &&mut Group| {
            other.family(false).is_some_and(|(known, _)| known.name == family.name)
                && !other.entries.iter().any(|entry| {
                    family.knows(&entry.key) && group.entries.iter().any(|its| its.key == entry.key)
                })
        };
        match known.iter_mut().find(is_same) {
            Some(other) => {
                other.entries.extend(group.entries);
                other.elsewhere.extend(group.elsewhere);
            }
            None => known.push(group),
        }
    }
    let is_one_of_several = known.len() > 1;
    let mut drafts = Vec::new();
    for group in known {
        if let Some((family, _)) = group.family(is_one_of_several) {
            drafts.push(read_group(source, group, family, is_one_of_several));
        }
    }
    if drafts.is_empty() {
        return Err("no variables of a known responder".to_owned());
    }
    let mut draft = merge(drafts);
    for (line, text) in &documents.remarks {
        draft.not_carried(Place::line(source, *line), &**text);
    }
    Ok(draft)
}

fn read_group(source: &str, group: Group, family: &Family, is_one_of_several: bool) -> Draft {
    let input = Input { image: &group.image, is_one_of_several };
    let mut draft = family.read(Entries::new(source, group.entries), &input);
    let name = if group.name.is_empty() { String::new() } else { format!(" ({})", group.name) };
    let text = format!("the variables are those of {}{name}", family.name);
    draft.notes.insert(
        0,
        crate::draft::Note {
            kind: NoteKind::Hint,
            place: Some(Place::line(source, group.line)),
            text,
        },
    );
    for (line, text) in group.elsewhere {
        draft.not_carried(Place::line(source, line), text);
    }
    draft
}

//------------ Trees ----------------------------------------------------------

/// All places of the documents where variables are set.
fn groups(documents: &Documents) -> Vec<Group> {
    let mut groups = Vec::new();
    for root in &documents.roots {
        find(root, "", &mut groups);
    }
    groups
}

fn find(node: &Node, name: &str, groups: &mut Vec<Group>) {
    let image = node.get("image").or_else(|| node.get("Image")).and_then(Node::text);
    let named = node.get("name").or_else(|| node.get("Name")).and_then(Node::text);
    for nodes in node.list().iter().copied().flatten() {
        find(nodes, name, groups);
    }
    for (key, value) in node.map().unwrap_or_default() {
        let is_config_map = || node.get("kind").and_then(Node::text) == Some("ConfigMap");
        let is_here = match &*key.text {
            "environment" | "env" | "Env" => true,
            "data" => is_config_map(),
            _ => false,
        };
        if is_here && groups.len() <= MAX_GROUPS {
            let mut group = Group { line: key.line, ..Group::default() };
            group.name = named.unwrap_or(name).to_owned();
            group.image = image.unwrap_or_default().to_owned();
            variables(value, &mut group);
            groups.push(group);
        } else {
            find(value, named.unwrap_or(&key.text), groups);
        }
    }
}

/// The variables as a table, as a list of `KEY=VALUE`, or as a list of names and values.
fn variables(node: &Node, group: &mut Group) {
    for (key, value) in node.map().unwrap_or_default() {
        match &value.value {
            Value::Scalar(text) => group.add(&key.text, text, key.line),
            Value::Null if key.text != "<<" => group.add(&key.text, "", key.line),
            _ => group.elsewhere.push((key.line, format!("{}: not a value", key.text))),
        }
    }
    for item in node.list().unwrap_or_default() {
        let name = item.get("name").and_then(Node::text);
        match (item.text(), name) {
            (Some(text), _) => match text.split_once('=') {
                Some((key, value)) => group.add(key, value, item.line),
                None => {
                    let text = format!("{text}: its value is not in this file");
                    group.elsewhere.push((item.line, text));
                }
            },
            (None, Some(name)) => match item.get("value").and_then(Node::text) {
                Some(value) => group.add(name, value, item.line),
                None if item.get("valueFrom").is_some() => {
                    let text = format!("{name}: its value is in a ConfigMap or a Secret");
                    group.elsewhere.push((item.line, text));
                }
                None => group.add(name, "", item.line),
            },
            (None, None) => {}
        }
    }
}

//------------ Values ---------------------------------------------------------

/// A value with the defaults of its variables; the error is the name of a variable without one.
fn expanded(value: &str) -> Result<String, String> {
    let name_end = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        end.unwrap_or(text.len())
    };
    let mut text = String::new();
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('$') {
            text.push('$');
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix('{') {
            // Without a closing brace there is no other variable either.
            let Some((inside, behind)) = behind.split_once('}') else {
                return Ok(text + "$" + rest);
            };
            let (name, default) = inside.split_at(name_end(inside));
            let default = default.strip_prefix(":-").or_else(|| default.strip_prefix('-'));
            let default = default.ok_or(name)?;
            text.push_str(if is_secret(name, default) { HIDDEN } else { default });
            rest = behind;
        } else if rest.starts_with(|c: char| c.is_ascii_uppercase()) {
            return Err(rest[..name_end(rest)].to_owned());
        } else {
            text.push('$');
        }
    }
    Ok(text + rest)
}

/// The default in `os.getenv("NAME", "default")` and `os.environ.get('NAME', 993)`.
fn in_python(value: &str) -> Option<String> {
    let arguments =
        value.strip_prefix("os.getenv(").or_else(|| value.strip_prefix("os.environ.get("))?;
    let (_, default) = arguments.split_once(',')?;
    Some(default.trim().trim_end_matches(')').trim_matches(['\'', '"']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_their_defaults() {
        for (value, expected) in [
            ("a", Ok("a")),
            ("${A:-b}.c", Ok("b.c")),
            ("${A-b}", Ok("b")),
            ("$$A", Ok("$A")),
            ("5 $", Ok("5 $")),
            ("${A}", Err("A")),
            ("$A.b", Err("A")),
            ("${A:?missing}", Err("A")),
            ("a${A", Ok("a${A")),
            ("a${DB_PASSWORD:-b}", Ok("a***")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(expanded(value), expected, "{value}");
        }
        assert_eq!(in_python("os.getenv('A', 'b')").as_deref(), Some("b"));
        assert_eq!(in_python("os.environ.get(\"A\", 993)").as_deref(), Some("993"));
        assert_eq!(in_python("'b'"), None);
    }
}
