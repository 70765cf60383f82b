//! What the pages of one look have in common, made once: the style in the provider's colour, the
//! policy that lets it in, and our template.
//!
//! Taking a template apart and making its hashes is half of a page's work. An admin's template is
//! taken apart for every page all the same, since a parsed one borrows from its text.

use super::accent::Accent;
use super::{Content, policy};
use crate::account::Color;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
pub use minijinja::{Error, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

const TEMPLATE: &str = include_str!("template.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// How many looks are kept; the next makes room for itself by sending all others away.
const MAX_KEPT: usize = 16;

thread_local! {
    static KEPT: RefCell<Vec<Rc<Look>>> = const { RefCell::new(Vec::new()) };
    /// Our own templates, taken apart.
    static OURS: Result<Environment<'static>, Error> = ours();
}

fn ours() -> Result<Environment<'static>, Error> {
    let mut environment = strict();
    environment.add_template("style.css", STYLE)?;
    environment.add_template("template.html", TEMPLATE)?;
    Ok(environment)
}

fn strict<'a>() -> Environment<'a> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
}

/// Fills in one of our templates.
fn fill_in_ours(name: &str, content: impl serde::Serialize) -> Result<String, Error> {
    OURS.with(|ours| {
        let environment =
            ours.as_ref().map_err(|error| Error::new(error.kind(), error.to_string()))?;
        environment.get_template(name)?.render(Serde(content))
    })
}

/// A template with its style and policy.
#[derive(Debug)]
pub struct Look {
    /// An admin's template; ours if there is none.
    template: Option<String>,
    color: Option<Color>,
    style: Value,
    /// What the browser lets in.
    pub policy: String,
}

impl Look {
    /// The look of a template, ours if there is none, in a colour.
    pub fn of(template: Option<&str>, color: Option<Color>) -> Result<Rc<Look>, Error> {
        let is_it = |look: &&Rc<Look>| look.template.as_deref() == template && look.color == color;
        if let Some(look) = KEPT.with_borrow(|kept| kept.iter().find(is_it).cloned()) {
            return Ok(look);
        }
        let look = Rc::new(Look::new(template, color)?);
        KEPT.with_borrow_mut(|kept| {
            if kept.len() >= MAX_KEPT {
                kept.clear();
            }
            kept.push(look.clone());
        });
        Ok(look)
    }

    /// The same, made anew.
    pub fn new(template: Option<&str>, color: Option<Color>) -> Result<Look, Error> {
        let accent = BTreeMap::from([("accent", Accent::new(color))]);
        let style = fill_in_ours("style.css", accent)?;
        let policy = policy::policy(template.unwrap_or(TEMPLATE), &style, SCRIPT);
        let style = Value::from_safe_string(style);
        Ok(Look { template: template.map(str::to_owned), color, style, policy })
    }

    /// The page.
    pub fn page(&self, content: &mut Content) -> Result<String, Error> {
        content.style = self.style.clone();
        content.script = Value::from_safe_string(SCRIPT.to_owned());
        let page = match &self.template {
            Some(template) => {
                strict().template_from_named_str("template.html", template)?.render(Serde(content))
            }
            None => fill_in_ours("template.html", content),
        };
        page.map(|page| page + "\n")
    }
}
