//! Where the file of a domain or a pattern lies in a folder of domains: in the folder itself, or in
//! a sub-folder with the first letters of the domain.
//!
//! Deeper folders are not looked at. A file in another place than this is not used.

use super::name::Name;
use crate::order;
use std::path::{Path, PathBuf};

/// The extension of the files.
const TOML: &str = ".toml";

/// The most letters of a sub-folder.
pub const MAX_LETTERS: usize = 4;

/// A folder of domains.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Layout {
    /// The folder.
    pub folder: PathBuf,
    /// How many letters the names of its sub-folders have; none for a folder without them.
    pub letters: usize,
}

impl Layout {
    /// The path of a file with this name, which is a domain or a pattern, whether it exists or not.
    pub fn path(&self, stem: &str) -> PathBuf {
        // A domain consists of letters, digits, hyphens and dots and does not begin with one of the
        // last two: it cannot lead out of the folder.
        let letters = self.sub_folder(stem);
        let length = self.folder.as_os_str().len() + letters.len() + stem.len() + TOML.len() + 2;
        let mut path = PathBuf::with_capacity(length);
        path.push(&self.folder);
        if !letters.is_empty() {
            path.push(letters);
        }
        path.push(stem);
        path.as_mut_os_string().push(TOML);
        path
    }

    /// The name of the sub-folder for a file, empty for the folder itself: the first letters of the
    /// domain, or its first label if that is shorter. For a pattern, of the domain behind `*.`.
    pub fn sub_folder<'a>(&self, stem: &'a str) -> &'a str {
        let domain = stem.strip_prefix("*.").unwrap_or(stem);
        let label = domain.split('.').next().unwrap_or(domain);
        // Domains are ASCII; other names have no place.
        label.get(..self.letters).unwrap_or(label)
    }

    /// A sub-folder, or the folder itself for an empty name.
    pub fn folder(&self, sub_folder: &str) -> PathBuf {
        match sub_folder {
            "" => self.folder.clone(),
            letters => self.folder.join(letters),
        }
    }

    /// Every file at the depth where the files lie, whether its name is a domain or not, sorted.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = match self.letters {
            0 => files_in(&self.folder).collect(),
            _ => folders_in(&self.folder).flat_map(|folder| files_in(&folder)).collect(),
        };
        files.sort_unstable();
        files
    }

    /// The name of a file that is in its place.
    pub fn name_of(&self, path: &Path) -> Option<Name> {
        let stem = path.file_stem()?.to_str()?;
        let name = Name::parse(stem).ok().filter(|name| *name != Name::All);
        name.filter(|name| name.to_string() == stem && self.path(stem) == path)
    }

    /// The domains and patterns that have a file in its place.
    pub fn names(&self) -> Vec<Name> {
        self.files().iter().filter_map(|path| self.name_of(path)).collect()
    }

    /// The files of domains and patterns that are in another place, each with its own place: in the
    /// folder itself if there are sub-folders, and the other way round, or in another sub-folder.
    pub fn misplaced(&self) -> Vec<(PathBuf, PathBuf)> {
        let in_folders = folders_in(&self.folder).flat_map(|folder| files_in(&folder));
        let files = files_in(&self.folder).chain(in_folders);
        let mut misplaced: Vec<_> = files
            .filter_map(|path| {
                let stem = path.file_stem()?.to_str()?;
                let name = Name::parse(stem).ok().filter(|name| *name != Name::All)?;
                let place = self.path(&name.to_string());
                (place.parent() != path.parent()).then_some((path, place))
            })
            .collect();
        order::sort_by(&mut misplaced, Ord::cmp);
        misplaced
    }

    /// True if the folder has no file in its place: in the folder itself, or in a sub-folder.
    pub fn is_empty(&self) -> bool {
        match self.letters {
            0 => is_empty(&self.folder),
            _ => folders_in(&self.folder).all(|folder| is_empty(&folder)),
        }
    }
}

/// True if a folder has no TOML file.
pub fn is_empty(folder: &Path) -> bool {
    files_in(folder).next().is_none()
}

fn files_in(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_toml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    entries.map(|entry| entry.path()).filter(is_toml)
}

fn folders_in(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_file =
        |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|file_type| file_type.is_file());
    // A link may lead to a folder.
    entries.filter(move |entry| !is_file(entry)).map(|entry| entry.path()).filter(|it| it.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_lies_by_the_first_letters_of_its_domain() {
        for (letters, stem, path) in [
            (0, "example.org", "d/example.org.toml"),
            (0, "*.example.org", "d/*.example.org.toml"),
            (1, "example.org", "d/e/example.org.toml"),
            (2, "example.org", "d/ex/example.org.toml"),
            (2, "*.example.org", "d/ex/*.example.org.toml"),
            (2, "ab.example", "d/ab/ab.example.toml"),
            (2, "a.example", "d/a/a.example.toml"),
            (4, "abc.example", "d/abc/abc.example.toml"),
            (4, "a-b-c.example", "d/a-b-/a-b-c.example.toml"),
            (4, "xn--bcher-kva.example", "d/xn--/xn--bcher-kva.example.toml"),
        ] {
            let layout = Layout { folder: "d".into(), letters };
            assert_eq!(layout.path(stem), Path::new(path), "{letters}");
            let name = layout.name_of(Path::new(path)).map(|name| name.to_string());
            assert_eq!(name.as_deref(), Some(stem));
        }
        let layout = Layout { folder: "d".into(), letters: 2 };
        for path in [
            "d/example.org.toml",
            "d/ex/EXAMPLE.org.toml",
            "d/xe/example.org.toml",
            "d/*/*.toml",
            "d/or/org.toml",
            "e/ex/example.org.toml",
        ] {
            assert_eq!(layout.name_of(Path::new(path)), None, "{path}");
        }
    }
}
