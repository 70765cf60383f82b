//! The common parts of the pages of one theme, made once: the style in the provider's colour, the
//! policy that allows it, and the built-in template.
//!
//! Parsing a template and computing its hashes is half of the work of a page. A custom template is
//! nevertheless parsed for every page, since a parsed one borrows from its text.
//!
//! A custom template is not trusted: `survey` checks it before it is parsed, and it runs with a
//! limited amount of work. Refuses invalid templates, templates that are too large or too deeply
//! nested, and everything that could make a value grow without being counted.

use super::contrast::Accent;
use super::csp;
use crate::account::Color;
use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{
    Environment, UndefinedBehavior, default_auto_escape_callback, filters, tests as checks,
};
use minijinja::{Error, ErrorKind};
pub use minijinja::{HtmlEscape, Value};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

const TEMPLATE: &str = include_str!("template.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// How many themes are cached; when the cache is full, it is emptied.
const MAX_KEPT: usize = 16;

/// How many templates that failed in use are recorded.
const MAX_FAILED: usize = 1024;
/// Largest template, in bytes; the built-in one has about 8 KiB. Pictures are not part of a
/// template.
const MAX_TEMPLATE: usize = 64 * 1024;
/// How many names, numbers and signs a tag may have; the longest in the built-in template has 24.
const MAX_TOKENS: usize = 128;
/// How deep brackets may be nested; built-in template: 1.
const MAX_BRACKETS: usize = 8;
/// How deep blocks may be nested; built-in template: 3.
const MAX_BLOCKS: usize = 32;
/// How deep loops and calls of macros may be nested, as counted by minijinja: a loop counts 1, a
/// call about 5. Each call uses the stack of the thread, which may have 2 MiB.
const MAX_RECURSION: usize = 50;
/// How much work a template may do for one page, as counted by minijinja: a step is 1, and so are
/// 64 bytes of text that is created or written.
///
/// The built-in template needs 3,910 with all optional parts and the largest logo, 2,200 of it for
/// the logo and the style. The limit corresponds to at most 512 KB of text.
const FUEL: u64 = 8_000;
/// The filters that are available: their results are counted, and do not multiply their input.
const FILTERS: &str = "safe escape e lower upper title capitalize trim replace length count join default d \
    first last string";
/// The tests that are available: the others read a whole text without counting it.
const TESTS: &str = "defined undefined none true false boolean odd even divisibleby number integer float \
    string sequence iterable mapping";
/// The words that no index or call can follow: a bracket after them opens a list.
const KEYWORDS: &str = "in and or not if else elif for set with do recursive";
/// The name of the template: because of its extension, values are escaped.
const TEMPLATE_NAME: &str = "template.html";

thread_local! {
    static KEPT: RefCell<Vec<Rc<Theme>>> = const { RefCell::new(Vec::new()) };
    /// Hashes of the templates that failed in use.
    static FAILED: RefCell<BTreeSet<u64>> = const { RefCell::new(BTreeSet::new()) };
    /// The built-in templates, parsed.
    static OURS: Result<Environment<'static>, Error> = ours();
}

fn ours() -> Result<Environment<'static>, Error> {
    let mut environment = strict();
    environment.add_template("style.css", STYLE)?;
    environment.add_template(TEMPLATE_NAME, TEMPLATE)?;
    Ok(environment)
}

/// The environment of a custom template, with a limited amount of work.
fn limited<'a>() -> Environment<'a> {
    let mut environment = strict();
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(MAX_RECURSION);
    environment
}

/// Without functions, and with the filters and tests that `survey` allows: the others are not in
/// the program.
fn strict<'a>() -> Environment<'a> {
    let mut environment = Environment::empty();
    environment.set_auto_escape_callback(default_auto_escape_callback);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("safe", filters::safe);
    environment.add_filter("escape", filters::escape);
    environment.add_filter("e", filters::escape);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("title", filters::title);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("replace", filters::replace);
    environment.add_filter("length", filters::length);
    environment.add_filter("count", filters::length);
    environment.add_filter("join", filters::join);
    environment.add_filter("default", filters::default);
    environment.add_filter("d", filters::default);
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_filter("string", filters::string);
    environment.add_test("defined", checks::is_defined);
    environment.add_test("undefined", checks::is_undefined);
    environment.add_test("none", checks::is_none);
    environment.add_test("true", checks::is_true);
    environment.add_test("false", checks::is_false);
    environment.add_test("boolean", checks::is_boolean);
    environment.add_test("odd", checks::is_odd);
    environment.add_test("even", checks::is_even);
    environment.add_test("divisibleby", checks::is_divisibleby);
    environment.add_test("number", checks::is_number);
    environment.add_test("integer", checks::is_integer);
    environment.add_test("float", checks::is_float);
    environment.add_test("string", checks::is_string);
    environment.add_test("sequence", checks::is_sequence);
    environment.add_test("iterable", checks::is_iterable);
    environment.add_test("mapping", checks::is_mapping);
    environment
}

/// Fills in a built-in template.
fn fill_in_ours(name: &str, content: impl serde::Serialize) -> Result<String, Error> {
    OURS.with(|ours| {
        let environment =
            ours.as_ref().map_err(|error| Error::new(error.kind(), error.to_string()))?;
        environment.get_template(name)?.render(Serde(content))
    })
}

/// True at the first failure of a template that passed its test: each is logged once, and at most
/// `MAX_FAILED` of them, since clients choose how often a page is requested.
pub fn is_first_failure(template: Option<&str>) -> bool {
    let mut hasher = DefaultHasher::new();
    template.hash(&mut hasher);
    FAILED.with_borrow_mut(|failed| failed.len() < MAX_FAILED && failed.insert(hasher.finish()))
}

/// The script of every page.
pub fn script() -> Value {
    Value::from_safe_string(SCRIPT.to_owned())
}

/// A template with its style and policy.
#[derive(Debug)]
pub struct Theme {
    /// A custom template; `None` for the built-in one.
    template: Option<String>,
    color: Option<Color>,
    /// The style sheet.
    pub style: Value,
    /// The policy for the browser.
    pub policy: String,
}

impl Theme {
    /// The theme of a template, or of the built-in one, in a colour; from the cache if possible.
    pub fn of(template: Option<&str>, color: Option<Color>) -> Result<Rc<Theme>, TemplateError> {
        let is_it =
            |theme: &&Rc<Theme>| theme.template.as_deref() == template && theme.color == color;
        if let Some(theme) = KEPT.with_borrow(|kept| kept.iter().find(is_it).cloned()) {
            return Ok(theme);
        }
        let theme = Rc::new(Theme::new(template, color)?);
        KEPT.with_borrow_mut(|kept| {
            if kept.len() >= MAX_KEPT {
                kept.clear();
            }
            kept.push(theme.clone());
        });
        Ok(theme)
    }

    /// The same, without the cache.
    pub fn new(template: Option<&str>, color: Option<Color>) -> Result<Theme, TemplateError> {
        template.map_or(Ok(()), survey)?;
        let accent = BTreeMap::from([("accent", Accent::new(color))]);
        let style = fill_in_ours("style.css", accent)?;
        let policy = csp::policy(template.unwrap_or(TEMPLATE), &style, SCRIPT);
        let style = Value::from_safe_string(style);
        Ok(Theme { template: template.map(str::to_owned), color, style, policy })
    }

    /// The page with `content`, which already contains the style and the script of this theme.
    pub fn page(&self, content: &impl serde::Serialize) -> Result<String, TemplateError> {
        let page = match &self.template {
            Some(template) => limited()
                .template_from_named_str(TEMPLATE_NAME, template)
                .and_then(|template| template.render(Serde(content))),
            None => fill_in_ours(TEMPLATE_NAME, content),
        };
        Ok(page? + "\n")
    }
}

//------------ TemplateError --------------------------------------------------

/// An error in a template.
#[derive(Debug)]
pub struct TemplateError {
    /// The line, counted from one, if it has one.
    pub line: Option<usize>,
    /// The message.
    pub message: String,
}

impl TemplateError {
    fn at(line: usize, message: impl Into<String>) -> TemplateError {
        TemplateError { line: Some(line), message: message.into() }
    }
}

impl From<Error> for TemplateError {
    fn from(error: Error) -> TemplateError {
        let message = match (error.kind(), error.detail()) {
            (ErrorKind::OutOfFuel, _) => "it needs more work than is allowed for a page".to_owned(),
            (kind, Some(detail)) => format!("{kind}: {detail}"),
            (kind, None) => kind.to_string(),
        };
        TemplateError { line: error.line(), message }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

//------------ survey ---------------------------------------------------------

/// Checks a template before it is parsed.
///
/// minijinja limits the output of a template, the number of its steps, and the nesting of
/// parentheses. It recurses without a limit into long chains (`1+1+…`, `- - …`, `elif`), and does
/// not count lists that are made of lists: adding and repeating them is free, printing or comparing
/// the result is not. So the length of a tag limits chains, and lists contain constants only. The
/// rest of the language is enough to fill in a page.
fn survey(template: &str) -> Result<(), TemplateError> {
    if template.len() > MAX_TEMPLATE {
        let message = format!("it is larger than {} KiB", MAX_TEMPLATE / 1024);
        return Err(TemplateError { line: None, message });
    }
    let text = template.trim_start_matches('\u{feff}').trim_start();
    if !["<", "{%", "{#"].iter().any(|start| text.starts_with(start)) || !text.contains('<') {
        let message = "it is not an HTML template: it has to begin with `<`, `{%` or `{#`";
        return Err(TemplateError::at(1, message));
    }
    let mut survey = Survey::default();
    for token in tokenize(template, false, SyntaxConfig::default()) {
        let (token, span) = token?;
        let line = usize::from(span.start_line);
        survey.take(&token).map_err(|message| TemplateError::at(line, message))?;
    }
    match survey.is_filled_in {
        true => Ok(()),
        false => Err(TemplateError::at(1, "it is not a template: `{{ … }}` is missing")),
    }
}

/// The state of a check of a template.
#[derive(Default)]
struct Survey {
    is_filled_in: bool,
    /// Open blocks; each `elif` counts as one more, since it is nested in the previous one.
    blocks: Vec<usize>,
    tag: Tag,
}

/// The state of a check of a tag.
#[derive(Default)]
struct Tag {
    tokens: usize,
    keyword: String,
    has_assignment: bool,
    brackets: Vec<Bracket>,
    last: Last,
}

/// An open bracket.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Bracket {
    /// For grouping only.
    Group,
    /// Around the arguments of a call or around an index.
    Arguments,
    /// Around the items of a list or map.
    Items,
}

/// The element before a token.
#[derive(Clone, Copy, Default, Eq, PartialEq)]
enum Last {
    /// An element that a call or an index may follow.
    Value,
    /// A number or a text.
    Constant,
    /// A number or a text after such a plus.
    Added,
    /// The sign before the name of an attribute.
    Dot,
    /// The word before a test.
    Is,
    /// The sign before a filter.
    Pipe,
    /// A plus, not after a constant.
    Plus,
    #[default]
    Other,
}

fn is_one_of(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

const PLUS: &str =
    "`+` needs a number or a text alone before or behind it; texts are joined by `~`";

impl Survey {
    fn take(&mut self, token: &Token) -> Result<(), &'static str> {
        self.is_filled_in |= matches!(token, Token::VariableStart);
        match token {
            Token::TemplateData(_) | Token::VariableEnd => {}
            Token::VariableStart | Token::BlockStart => self.tag = Tag::default(),
            Token::BlockEnd => self.end_tag()?,
            _ => self.tag.take(token)?,
        }
        Ok(())
    }

    /// Counts the open blocks.
    fn end_tag(&mut self) -> Result<(), &'static str> {
        match self.tag.keyword.as_str() {
            "elif" => {
                if let Some(innermost) = self.blocks.last_mut() {
                    *innermost += 1;
                }
            }
            "set" if self.tag.has_assignment => {}
            "for" | "if" | "with" | "set" | "autoescape" | "filter" | "macro" | "call" => {
                self.blocks.push(1);
            }
            keyword if keyword.starts_with("end") => {
                self.blocks.pop();
            }
            _ => {}
        }
        match self.blocks.iter().sum::<usize>() > MAX_BLOCKS {
            true => Err("blocks are nested more than 32 deep; each `elif` counts as one"),
            false => Ok(()),
        }
    }
}

impl Tag {
    fn take(&mut self, token: &Token) -> Result<(), &'static str> {
        self.tokens += 1;
        if self.tokens > MAX_TOKENS {
            return Err("this tag has more than 128 parts");
        }
        if self.tokens == 1 {
            if let Token::Ident(word) = token {
                self.keyword = (*word).to_owned();
            }
        }
        // The name after the keyword is that of a filter.
        let is_filter = self.last == Last::Pipe || self.keyword == "filter" && self.tokens == 2;
        let in_items = self.brackets.contains(&Bracket::Items);
        let is_constant = matches!(
            token,
            Token::Str(_) | Token::String(_) | Token::Int(_) | Token::Int128(_) | Token::Float(_)
        );
        if self.last == Last::Plus && !is_constant {
            return Err(
                "`+` needs a number or a text before or behind it; texts are joined by `~`",
            );
        }
        self.last = match token {
            Token::Ident(name) if is_filter => match is_one_of(FILTERS, name) {
                true => Last::Value,
                false => {
                    return Err(
                        "this filter is not available; mailsetup.toml(5) lists those that are",
                    );
                }
            },
            // The name or the number of an attribute, even if it is a keyword.
            Token::Ident(_) | Token::Int(_) if self.last == Last::Dot && !in_items => Last::Value,
            Token::Ident("not") if self.last == Last::Is => Last::Is,
            Token::Ident(name) if self.last == Last::Is => match is_one_of(TESTS, name) {
                true => Last::Value,
                false => {
                    return Err(
                        "this test is not available; mailsetup.toml(5) lists those that are",
                    );
                }
            },
            Token::Ident("is") => Last::Is,
            Token::Ident("true" | "false" | "none" | "True" | "False" | "None") => Last::Constant,
            Token::Ident(_) if in_items => return Err("a list or map may hold constants only"),
            Token::Ident(name) if is_one_of(KEYWORDS, name) => Last::Other,
            Token::Ident(_) => Last::Value,
            _ if is_constant && self.last == Last::Plus => Last::Added,
            _ if is_constant => Last::Constant,
            // The result for the constant could be a list.
            Token::Pipe | Token::BracketOpen | Token::Dot if self.last == Last::Added => {
                return Err(PLUS);
            }
            Token::Pipe => Last::Pipe,
            Token::Dot => Last::Dot,
            Token::Plus if matches!(self.last, Last::Constant | Last::Added) => Last::Other,
            Token::Plus => Last::Plus,
            Token::Colon if self.brackets.last() != Some(&Bracket::Items) => {
                return Err("slices (`[1:2]`) are not available");
            }
            Token::Mul | Token::Pow | Token::Div | Token::FloorDiv | Token::Mod => {
                return Err("`*`, `/` and `%` are not available");
            }
            Token::Assign => {
                self.has_assignment |= self.brackets.is_empty();
                Last::Other
            }
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                let is_behind_value = self.last == Last::Value;
                self.brackets.push(match token {
                    Token::ParenOpen | Token::BracketOpen if is_behind_value => Bracket::Arguments,
                    Token::ParenOpen => Bracket::Group,
                    _ if in_items => return Err("a list or map may hold constants only"),
                    _ => Bracket::Items,
                });
                if self.brackets.len() > MAX_BRACKETS {
                    return Err("brackets are nested more than 8 deep");
                }
                Last::Other
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                self.brackets.pop();
                Last::Value
            }
            Token::Comma => {
                let makes_tuple = match self.brackets.last() {
                    Some(bracket) => *bracket == Bracket::Group,
                    None => self.keyword == "set" && self.has_assignment,
                };
                if makes_tuple {
                    return Err("a list is written in brackets: [\"a\", \"b\"]");
                }
                Last::Other
            }
            _ => Last::Other,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The built-in page uses a small part of the permitted work.
    #[test]
    fn our_template_takes_a_small_part_of_the_work() {
        let logo = format!("data:image/png;base64,{}", "A".repeat(88 * 1024));
        let mut most = 0;
        for mut content in super::super::content::samples() {
            content.logo = content.logo.map(|_| logo.as_str());
            let theme = Theme::new(None, None).unwrap();
            content.style = theme.style.clone();
            content.script = script();
            let environment = limited();
            let template = environment.template_from_named_str(TEMPLATE_NAME, TEMPLATE).unwrap();
            let page = template.render_captured(Serde(&content)).unwrap();
            let (consumed, _) = page.state().fuel_levels().unwrap();
            most = most.max(consumed);
        }
        assert!(most < FUEL / 2, "{most}");
    }

    /// Everything that `survey` allows is available.
    #[test]
    fn filters_and_tests_are_there() {
        let environment = limited();
        for name in FILTERS.split_whitespace() {
            let text = format!(
                "{{{{ 'a'|{name}{} }}}}",
                if name == "replace" { "('a', 'b')" } else { "" }
            );
            environment.render_str(&text, ()).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for name in TESTS.split_whitespace() {
            let text =
                format!("{{{{ 1 is {name}{} }}}}", if name == "divisibleby" { "(2)" } else { "" });
            environment.render_str(&text, ()).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
