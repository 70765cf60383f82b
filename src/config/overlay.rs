//! Settings of environment variables over the tables at the top of the configuration.
//!
//! The values are written as lines of TOML, as if they stood behind the text of the file: their places
//! are offsets beyond its end, so that errors in both are found and reported in the same way.
//! `environment` makes the lines; every value was checked there to be one value of TOML.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A variable that is set.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name.
    pub name: Arc<Path>,
    /// What it sets.
    pub sets: Sets,
}

/// What a variable sets.
#[derive(Clone, Debug)]
pub enum Sets {
    /// A key, by its path, with a value in TOML.
    Key(Vec<&'static str>, String),
    /// Names of domains.
    Domains(Vec<String>),
    /// The text of the whole configuration.
    Text,
    /// Nothing, since it has an error: its code, and the message.
    Nothing(&'static str, String),
}

/// The variables that are set, sorted by name.
#[derive(Clone, Debug, Default)]
pub struct Overlay(pub Vec<Variable>);

impl Overlay {
    /// The lines behind a text of this length.
    pub fn lines(&self, length: usize) -> Lines {
        if self.0.is_empty() {
            return Lines::default();
        }
        // The parser gives offsets in its own text: blanks stand for that of the file.
        let mut text = " ".repeat(length + 1);
        let mut variables = Vec::new();
        for variable in &self.0 {
            variables.push((text.len(), variable.clone()));
            match &variable.sets {
                Sets::Key(_, value) => {
                    text += &format!("{} = {value}\n", variable.name.display());
                }
                Sets::Domains(_) | Sets::Text | Sets::Nothing(..) => text.push('\n'),
            }
        }
        Lines { text, variables }
    }
}

/// The variables, as lines of TOML behind the text of a file.
#[derive(Debug, Default)]
pub struct Lines {
    /// The lines, with blanks in place of the file.
    pub text: String,
    /// The variables, each with the beginning of its line.
    pub variables: Vec<(usize, Variable)>,
}

impl Lines {
    /// Writes the values over those in a table.
    pub fn lay_over<'t>(&'t self, table: &mut DeTable<'t>) {
        let mut values = match self.variables.is_empty() {
            true => return,
            false => DeTable::parse(&self.text).map(Spanned::into_inner).unwrap_or_default(),
        };
        for (_, variable) in &self.variables {
            let Sets::Key(path, _) = &variable.sets else { continue };
            let value = variable.name.to_str().and_then(|name| values.remove(name));
            if let Some(value) = value {
                put(table, path, value);
            }
        }
    }

    /// The name of the variable at a place; none before the first line.
    pub fn name_at(&self, at: usize) -> Option<Arc<Path>> {
        let count = self.variables.partition_point(|(start, _)| *start <= at);
        let (_, variable) = self.variables.get(count.checked_sub(1)?)?;
        Some(variable.name.clone())
    }
}

/// Sets a key in a table or below it. A value that is not a table is refused elsewhere, and kept.
fn put<'t>(table: &mut DeTable<'t>, path: &[&'static str], value: Spanned<DeValue<'t>>) {
    let Some((first, rest)) = path.split_first() else { return };
    let key = || Spanned::new(value.span(), Cow::Borrowed(*first));
    if rest.is_empty() {
        table.insert(key(), value);
        return;
    }
    if !table.contains_key(*first) {
        table.insert(key(), Spanned::new(value.span(), DeValue::Table(DeTable::new())));
    }
    if let Some(DeValue::Table(inner)) = table.get_mut(*first).map(Spanned::get_mut) {
        put(inner, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_behind_the_file() {
        let file = "imap.port = 143\npop3 = 5\n";
        let key = |name: &str, path: &[&'static str], value: &str| Variable {
            name: Path::new(name).into(),
            sets: Sets::Key(path.to_vec(), value.to_owned()),
        };
        let overlay = Overlay(vec![
            key("A", &["imap", "port"], "993"),
            key("B", &["pop3", "port"], "995"),
            key("C", &["smtp", "host"], "'x'"),
        ]);
        let lines = overlay.lines(file.len());
        let mut table = DeTable::parse(file).unwrap().into_inner();
        lines.lay_over(&mut table);
        let name_of = |table: &DeTable, path: [&str; 2]| {
            let value = table.get(path[0])?.get_ref().as_table()?.get(path[1])?;
            lines.name_at(value.span().start)
        };
        assert_eq!(name_of(&table, ["imap", "port"]).as_deref(), Some(Path::new("A")));
        assert_eq!(name_of(&table, ["smtp", "host"]).as_deref(), Some(Path::new("C")));
        // The error about it is reported at its own place.
        assert!(!table["pop3"].get_ref().is_table());
        assert_eq!(lines.name_at(file.len()), None);
        assert_eq!(Overlay::default().lines(7).name_at(9), None);
    }
}
