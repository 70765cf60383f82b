//! A value with its place in the text, and a value that may be a list: types for `file`.
//!
//! serde does not support places, so both types have a name that `node` recognises.

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

/// The name by which `node` recognises a [`Spanned`].
pub const SPANNED: &str = "mailsetup::Spanned";

/// A value, and its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    value: T,
    span: Option<Range<usize>>,
}

impl<T> Spanned<T> {
    /// A value at its place.
    pub fn new(value: T, span: Range<usize>) -> Spanned<T> {
        Spanned { value, span: Some(span) }
    }

    /// The value.
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The place, in bytes of the text. `None` for an inherited value and for a refused one: errors
    /// in these were reported before.
    pub fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }

    /// True if the value is inherited from the base.
    pub fn is_inherited(&self) -> bool {
        self.span.is_none()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Spanned<T>, D::Error> {
        struct Parts<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Parts<T> {
            type Value = Spanned<T>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a value and its place")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Spanned<T>, A::Error> {
                let value = parts.next_element()?.ok_or_else(|| A::Error::custom("no value"))?;
                let start = parts.next_element()?;
                let end = parts.next_element()?;
                Ok(Spanned { value, span: start.zip(end).map(|(start, end)| start..end) })
            }
        }

        deserializer.deserialize_tuple_struct(SPANNED, 3, Parts(PhantomData))
    }
}

/// The name by which `node` recognises a [`OneOrMore`].
pub const ONE_OR_MORE: &str = "OneOrMore";

/// A value, or a list of values.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct OneOrMore<T>(pub Vec<T>);
