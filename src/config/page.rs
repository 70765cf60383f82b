//! `[page]` as it is written; a part of [`super::file`], which has the rules for comments.

use super::spanned::Spanned;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `[page]`
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Page {
    /// If false, the path gets 404.
    ///
    /// - Default: `true`
    /// - Example: `enabled = true`
    pub enabled: Option<bool>,
    /// A template in place of the built-in one, which is src/page/template.html in the source and
    /// says what can be filled in. HTML, up to 64 KiB.
    ///
    /// See *PAGE TEMPLATES*.
    ///
    /// - Value: path
    /// - Default: none
    /// - Example: `template = "page.html"`
    pub template: Option<Spanned<String>>,
    /// The provider's logo: SVG, PNG or JPEG, up to 64 KiB, wider than high. It should be seen on
    /// white and on black.
    ///
    /// It is shown 48 pixels high at most, on light and dark pages.
    ///
    /// - Value: path
    /// - Default: none, the name is shown
    /// - Example: `logo = "logo.svg"`
    pub logo: Option<Spanned<String>>,
    /// The colour of buttons and links, `"#rrggbb"`. If text in it cannot be read, a darker shade is
    /// shown on light pages, and a lighter one on dark pages.
    ///
    /// - Value: #rrggbb
    /// - Default: a blue
    /// - Example: `color = "#1f5fbf"`
    pub color: Option<Spanned<String>>,
    /// A text of yours at the top of the page, by language, up to 500 characters each. Users get it
    /// in the language of the page, else in English, else in the first.
    ///
    /// It is plain text, in which lines may be broken. The languages of the page are listed in
    /// docs/translating.md of the source.
    ///
    /// - Default: none
    /// - Example: `note = { en = "The password is in our letter.", de = "Das Passwort steht im Brief." }`
    pub note: Option<Spanned<BTreeMap<String, String>>>,
    /// The e-mail address at the bottom of the page, for users who need help. `provider.support` is
    /// a link there, too.
    ///
    /// - Value: address
    /// - Default: none
    /// - Example: `email = "help@example.org"`
    pub email: Option<Spanned<String>>,
    /// The telephone number there, as it is shown: digits, blanks and `+ ( ) / . -`.
    ///
    /// Phones dial its digits, without a `(0)` behind the code of a country.
    ///
    /// - Value: telephone number
    /// - Default: none
    /// - Example: `phone = "+49 30 123456"`
    pub phone: Option<Spanned<String>>,
}
