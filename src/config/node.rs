//! TOML values for serde: a table is read over that of the base, and reading does not fail.
//!
//! A value of the wrong type is reported at its place and read as a default, so that all errors in
//! a file are reported at once. Code that is not generic is compiled once instead of for each
//! struct.

use super::file;
use super::reader::{
    Kind, LIKE, Position, Reader, Scope, Value, integer, nearest, quoted, wrong_type,
};
use super::values;
use serde::de::value::{Error, StrDeserializer, UsizeDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use toml::de::{DeTable, DeValue};

//------------ Any ------------------------------------------------------------

/// A value that is read into a struct.
#[derive(Clone, Copy)]
enum Any<'v> {
    /// A value in this file, and the table of the base that it is read over.
    Written(&'v Value<'v>, Option<&'v toml::Table>),
    /// A value of the base; or none, if only the kind of value is asked for. Not a variant of its
    /// own, which would not fit into two words: each value of a file passes here.
    Inherited(Option<&'v toml::Value>),
}

impl<'v> Any<'v> {
    fn as_str(self) -> Option<&'v str> {
        match self {
            Any::Written(value, _) => value.get_ref().as_str(),
            Any::Inherited(value) => value?.as_str(),
        }
    }

    fn as_bool(self) -> Option<bool> {
        match self {
            Any::Written(value, _) => value.get_ref().as_bool(),
            Any::Inherited(value) => value?.as_bool(),
        }
    }

    fn as_integer(self) -> Option<i64> {
        match self {
            Any::Written(value, _) => value.get_ref().as_integer().and_then(integer),
            Any::Inherited(value) => value?.as_integer(),
        }
    }

    fn items(self) -> Option<Vec<Any<'v>>> {
        match self {
            Any::Written(value, _) => {
                let items = value.get_ref().as_array()?.iter();
                Some(items.map(|item| Any::Written(item, None)).collect())
            }
            Any::Inherited(None) => Some(vec![self]),
            Any::Inherited(Some(value)) => {
                let items = value.as_array()?.iter();
                Some(items.map(|item| Any::Inherited(Some(item))).collect())
            }
        }
    }

    fn entries(self) -> Option<Vec<(&'v str, Any<'v>)>> {
        match self {
            Any::Written(value, _) => {
                let entries = value.get_ref().as_table()?.iter();
                let entries = entries.map(|(key, it)| (&**key.get_ref(), Any::Written(it, None)));
                Some(entries.collect())
            }
            Any::Inherited(value) => {
                let entries = value?.as_table()?.iter();
                let any = |value| Any::Inherited(Some(value));
                Some(entries.map(|(key, value)| (key.as_str(), any(value))).collect())
            }
        }
    }

    /// The value of a key that is written in the table itself.
    fn own(self, name: &str) -> Option<Any<'v>> {
        let Any::Written(value, base) = self else { return None };
        let own = value.get_ref().as_table()?.get(name)?;
        let over = base.and_then(|base| base.get(name)?.as_table());
        Some(Any::Written(own, over))
    }

    /// The value of a key in the table of the base.
    fn inherited(self, name: &str) -> Option<Any<'v>> {
        match self {
            Any::Written(_, base) => Some(Any::Inherited(Some(base?.get(name)?))),
            Any::Inherited(Some(value)) => Some(Any::Inherited(Some(value.get(name)?))),
            Any::Inherited(None) => Some(self),
        }
    }

    fn is_empty_table(self) -> bool {
        match self {
            Any::Written(value, _) => value.get_ref().as_table().is_some_and(DeTable::is_empty),
            Any::Inherited(value) => {
                value.and_then(|it| it.as_table()).is_some_and(toml::Table::is_empty)
            }
        }
    }
}

impl<'v> Reader<'v, '_> {
    /// Reads a table over another.
    pub(super) fn read<T: Default + Deserialize<'v>>(
        &mut self,
        value: &'v Value<'v>,
        base: Option<&'v toml::Table>,
    ) -> T {
        // Reading does not fail: a refused value is reported and replaced.
        let value = Any::Written(value, base);
        T::deserialize(Node { reader: self, value }).unwrap_or_default()
    }

    /// Reads nothing, and notes which keys the struct has.
    pub(super) fn ask<T: Default + Deserialize<'v>>(mut self) -> Vec<(Vec<&'v str>, Kind)> {
        T::deserialize(Node { reader: &mut self, value: Any::Inherited(None) }).unwrap_or_default();
        self.asked
    }
}

//------------ Node -----------------------------------------------------------

/// The memory of a value in addition to its text, in bytes: while it is read and as a setting.
const COPIED_VALUE: usize = 160;

/// A value and its reader.
struct Node<'n, 'v, 'f> {
    reader: &'n mut Reader<'v, 'f>,
    value: Any<'v>,
}

impl<'v, 'f> Node<'_, 'v, 'f> {
    /// Refuses the value for its type.
    fn wrong(&mut self, expected: &str) {
        self.refuse("wrong-type", |at, value| match (at.path.as_slice(), at.domain) {
            ([], Some(name)) => wrong_type(&["domain", name.get_ref()], expected, value),
            (path, _) => wrong_type(path, expected, value),
        });
    }

    /// Refuses the value. Errors in the base were reported at their own places.
    fn refuse(&mut self, code: &'static str, message: impl FnOnce(&Position, &DeValue) -> String) {
        self.reader.is_faulty = true;
        if let Any::Written(value, _) = self.value {
            let Reader { at, faults, .. } = &mut *self.reader;
            faults.refuse(code, value.span(), || message(at, value.get_ref()));
        }
    }

    /// The value is of another type than this, or there is none.
    #[cold]
    fn lacks(&mut self, kind: Kind, expected: &str) {
        match self.value {
            Any::Inherited(None) => self.reader.asked.push((self.reader.at.path.clone(), kind)),
            Any::Written(..) | Any::Inherited(Some(_)) => self.wrong(expected),
        }
    }

    // The following is not generic, so that it is compiled once instead of for each struct.

    fn bool(&mut self) -> bool {
        let value = self.value.as_bool();
        if value.is_none() {
            self.lacks(Kind::Flag, "true or false");
        }
        value.unwrap_or(true)
    }

    fn integer(&mut self) -> i64 {
        let number = self.value.as_integer();
        if matches!(self.value, Any::Inherited(None)) {
            self.lacks(Kind::Number, "");
        } else if number.is_none() {
            self.refuse("wrong-type", |at, value| match value {
                DeValue::Integer(digits) => format!("{}: {digits} is too large", at.key(None)),
                _ => wrong_type(&at.path, "a whole number", value),
            });
        }
        number.unwrap_or(1)
    }

    fn text(&mut self) -> &'v str {
        let Some(text) = self.value.as_str() else {
            self.lacks(Kind::Text, "text in quotes");
            return "";
        };
        self.count_copy(COPIED_VALUE + text.len());
        if text.contains('%') {
            let known = file::placeholders(&self.reader.at.path);
            if let Err(message) = values::check_placeholders(text, known) {
                self.refuse("placeholder", |at, _| format!("{}: {message}", at.key(None)));
            }
        }
        text
    }

    /// One of the given words.
    fn word(&mut self, words: &'static [&'static str]) -> &'static str {
        let text = self.value.as_str();
        let word = text.and_then(|text| words.iter().find(|word| **word == text));
        match (text, word) {
            (None, _) => self.lacks(Kind::Text, "text in quotes"),
            (Some(_), Some(_)) => {}
            (Some(text), None) => self.refuse("unknown-value", |at, _| {
                let key = at.key(None);
                match nearest(text, words, LIKE) {
                    Some(near) => format!("{key}: unknown value `{text}`; did you mean `{near}`?"),
                    None => {
                        format!("{key}: unknown value `{text}`; expected one of {}", quoted(words))
                    }
                }
            }),
        }
        word.or(words.first()).copied().unwrap_or_default()
    }

    fn items(&mut self) -> std::vec::IntoIter<Any<'v>> {
        let items = self.value.items();
        self.count_copy(items.as_ref().map_or(0, Vec::len) * COPIED_VALUE);
        if items.is_none() || matches!(self.value, Any::Inherited(None)) {
            self.lacks(Kind::List, "a list in [ ]");
        }
        items.unwrap_or_default().into_iter()
    }

    fn entries(&mut self) -> std::vec::IntoIter<(&'v str, Any<'v>)> {
        let entries = self.value.entries();
        self.count_copy(entries.as_ref().map_or(0, Vec::len) * 2 * COPIED_VALUE);
        if entries.is_none() {
            self.lacks(Kind::Map, "a table");
        }
        entries.unwrap_or_default().into_iter()
    }

    /// Refuses a value that is not a table, and unknown keys in a table.
    fn check_table(&mut self, fields: &'static [&'static str]) {
        self.count_copy(COPIED_VALUE);
        let Any::Written(value, _) = self.value else {
            if matches!(self.value, Any::Inherited(None)) {
                self.lacks(Kind::Table, "");
            }
            return;
        };
        let is_whole_file =
            self.reader.at.scope == Scope::WholeFile && self.reader.at.path.is_empty();
        match value.get_ref().as_table() {
            Some(_) if is_whole_file => {}
            Some(table) => self.reader.check_keys(table, fields),
            None => self.wrong("a table"),
        }
    }

    /// Counts the memory of a copied value, if it is the base's.
    fn count_copy(&mut self, bytes: usize) {
        if matches!(self.value, Any::Inherited(_)) {
            self.reader.copied += bytes;
        }
    }

    /// Another value, read by the same reader.
    fn with<'n>(&'n mut self, value: Any<'v>) -> Node<'n, 'v, 'f> {
        Node { reader: &mut *self.reader, value }
    }
}

impl<'v> Deserializer<'v> for Node<'_, 'v, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_bool<V: Visitor<'v>>(mut self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.bool())
    }

    fn deserialize_i64<V: Visitor<'v>>(mut self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_i64(self.integer())
    }

    fn deserialize_str<V: Visitor<'v>>(mut self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.text())
    }

    fn deserialize_string<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_enum<V: Visitor<'v>>(
        mut self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(StrDeserializer::new(self.word(words)))
    }

    fn deserialize_seq<V: Visitor<'v>>(mut self, visitor: V) -> Result<V::Value, Error> {
        let items = self.items();
        visitor.visit_seq(Items { node: self, items })
    }

    fn deserialize_map<V: Visitor<'v>>(mut self, visitor: V) -> Result<V::Value, Error> {
        let entries = self.entries();
        visitor.visit_map(Entries { node: self, entries, value: None })
    }

    fn deserialize_struct<V: Visitor<'v>>(
        mut self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.check_table(fields);
        visitor.visit_map(Fields { node: self, fields: fields.iter(), field: None })
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name == file::ONE_OR_MORE && self.value.items().is_none() {
            true => visitor.visit_newtype_struct(Single(self)),
            false => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'v>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            file::SPANNED => visitor.visit_seq(Parts { node: self, is_fine: true, step: 0 }),
            _ => self.deserialize_seq(visitor),
        }
    }

    forward_to_deserialize_any! {
        <V: Visitor<'v>>
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        identifier ignored_any
    }
}

/// The fields of a struct: those of the table, then those of the base.
struct Fields<'n, 'v, 'f> {
    node: Node<'n, 'v, 'f>,
    fields: std::slice::Iter<'static, &'static str>,
    field: Option<(&'static str, Any<'v>)>,
}

impl<'v> Fields<'_, 'v, '_> {
    /// The name of the next field with a value.
    fn next(&mut self) -> Option<&'static str> {
        let is_root = self.node.reader.at.path.is_empty();
        for name in self.fields.by_ref() {
            let own = self.node.value.own(name);
            // A domain without the table, or with an empty one, shares the base's.
            let own = own.filter(|own| !(is_root && own.is_empty_table()));
            let own = own.filter(|_| self.node.reader.at.is_allowed(name));
            let has_others = || !is_root || matches!(self.node.value, Any::Inherited(None));
            let inherited = || has_others().then(|| self.node.value.inherited(name)).flatten();
            let Some(value) = own.or_else(inherited) else { continue };
            self.field = Some((name, value));
            return Some(name);
        }
        None
    }
}

impl<'v> MapAccess<'v> for Fields<'_, 'v, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'v>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some(name) = self.next() else { return Ok(None) };
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'v>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((name, value)) = self.field.take() else {
            return Err(serde::de::Error::custom("a value without a key"));
        };
        self.node.reader.at.path.push(name);
        let value = seed.deserialize(self.node.with(value));
        self.node.reader.at.path.pop();
        value
    }
}

/// The entries of a map.
struct Entries<'n, 'v, 'f> {
    node: Node<'n, 'v, 'f>,
    entries: std::vec::IntoIter<(&'v str, Any<'v>)>,
    value: Option<(&'v str, Any<'v>)>,
}

impl<'v> MapAccess<'v> for Entries<'_, 'v, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'v>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.value = self.entries.next();
        let Some((key, _)) = self.value else { return Ok(None) };
        seed.deserialize(StrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'v>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((key, value)) = self.value.take() else {
            return Err(serde::de::Error::custom("a value without a key"));
        };
        self.node.reader.at.path.push(key);
        let value = seed.deserialize(self.node.with(value));
        self.node.reader.at.path.pop();
        value
    }
}

/// The items of a list.
struct Items<'n, 'v, 'f> {
    node: Node<'n, 'v, 'f>,
    items: std::vec::IntoIter<Any<'v>>,
}

impl<'v> SeqAccess<'v> for Items<'_, 'v, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'v>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some(item) = self.items.next() else { return Ok(None) };
        seed.deserialize(self.node.with(item)).map(Some)
    }
}

/// A single value in place of a list.
struct Single<'n, 'v, 'f>(Node<'n, 'v, 'f>);

impl<'v> Deserializer<'v> for Single<'_, 'v, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Error> {
        let items = vec![self.0.value].into_iter();
        visitor.visit_seq(Items { node: self.0, items })
    }

    forward_to_deserialize_any! {
        <V: Visitor<'v>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// The parts of a [`Spanned`]: the value, and its begin and end if errors are to be reported there.
struct Parts<'n, 'v, 'f> {
    node: Node<'n, 'v, 'f>,
    is_fine: bool,
    step: usize,
}

impl<'v> SeqAccess<'v> for Parts<'_, 'v, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'v>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let value = self.node.value;
        self.step += 1;
        if self.step == 1 {
            let earlier = std::mem::take(&mut self.node.reader.is_faulty);
            let part = seed.deserialize(self.node.with(value)).map(Some);
            self.is_fine = !self.node.reader.is_faulty;
            self.node.reader.is_faulty |= earlier;
            return part;
        }
        let place = match value {
            Any::Written(value, _) if self.is_fine => value.span(),
            _ => return Ok(None),
        };
        let place = if self.step == 2 { place.start } else { place.end };
        seed.deserialize(UsizeDeserializer::new(place)).map(Some)
    }
}
