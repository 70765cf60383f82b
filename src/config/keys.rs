//! The keys at the top of the configuration, each with the kind of its value, as the structs of
//! `file` have them.
//!
//! The structs are read without a value, and what they ask for is noted: there is no second list.

use super::faults::Faults;
use super::file::{DOMAIN_ONLY, File, Tables};
use super::reader::{Kind, Reader, Scope};

/// A key, or a table.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its path: `imap`, `host`.
    pub path: Vec<&'static str>,
    /// The kind of its value.
    pub kind: Kind,
}

/// All keys and tables that can be set for all domains.
pub fn all() -> Vec<Key> {
    let mut faults = Faults::default();
    let mut asked = Reader::new("", Scope::Top, &mut faults).ask::<Tables>();
    asked.extend(Reader::new("", Scope::WholeFile, &mut faults).ask::<File>());
    let mut keys: Vec<Key> = Vec::new();
    // Both structs are at the top, which has no name.
    let is_known = |path: &[&str]| !path.is_empty() && !DOMAIN_ONLY.contains(&path);
    for (path, kind) in asked.into_iter().filter(|(path, _)| is_known(path)) {
        match keys.last_mut() {
            // What a list has in it is a part of its value.
            Some(Key { path: list, kind: Kind::Tables }) if path.starts_with(list) => {}
            Some(list) if list.path == path && list.kind == Kind::List => {
                if kind == Kind::Table {
                    list.kind = Kind::Tables;
                }
            }
            _ => keys.push(Key { path, kind }),
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_kinds_of_the_structs() {
        let keys = all();
        let kinds = |name: &str| -> Vec<Kind> {
            let is_it = |key: &&Key| key.path.join(".") == name;
            keys.iter().filter(is_it).map(|key| key.kind).collect()
        };
        for (name, kind) in [
            ("imap", Kind::Table),
            ("imap.enabled", Kind::Flag),
            ("imap.port", Kind::Number),
            ("imap.host", Kind::Text),
            ("imap.security", Kind::Text),
            ("imap.auth", Kind::List),
            ("imap.alternatives", Kind::Tables),
            ("domains.list_files", Kind::List),
            ("apple.description", Kind::Map),
            ("provider.documentation", Kind::Tables),
            ("limits.timeout_s", Kind::Number),
        ] {
            assert_eq!(kinds(name), [kind], "{name}");
        }
        for name in ["alias_of", "autodiscover.redirect_url", "imap.alternatives.port", ""] {
            assert_eq!(kinds(name), [], "{name}");
        }
    }
}
