//! The page for mailbox owners at `/`: users enter the address and get the steps for each device.
//!
//! It has one template in HTML, `template.html`, which an admin may replace; the values (`content`)
//! are escaped in either. No script is needed, nothing is loaded from other servers, and the policy
//! (Content Security Policy Level 3) forbids everything else. The page does not ask for a password
//! and does not reveal which mailboxes exist: every address of a domain gets the same response.

mod content;
pub mod contrast;
mod csp;
mod languages;
mod logo;
mod qr;
mod theme;
mod thunderbird;

pub use content::check_template;
pub use logo::data_uri;
pub use theme::TemplateError;

use crate::account::{self, Account, Page};
use crate::address::{Domain, EmailAddress, is_around};
use crate::form::Form;
use crate::language::Languages;
use crate::log;
use crate::question::{DecidedBy, Document, Question, Written};
use crate::request::{Request, decode};
use crate::response::{Response, Status};
use content::{Codes, Content, MARKERS, Mailbox, PARAMETER, Stage, fill};
use std::borrow::Cow;
use theme::Theme;

/// The style sheet of the page in its own colour, for other pages of this project.
pub fn style() -> Result<String, TemplateError> {
    Ok(Theme::of(None, None)?.style.to_string())
}

/// The page of the domain of the address, else of the domain of the Host.
struct ThePage<'a> {
    typed: Typed,
    /// The `Accept-Language` of the request.
    languages: &'a [u8],
    /// The requested host, if it is a domain name, and not an IP address or `localhost`.
    host: Option<&'a Domain>,
}

impl Document for ThePage<'_> {
    fn name(&self) -> &'static str {
        "page"
    }

    fn decided_by(&self) -> DecidedBy {
        DecidedBy::AddressElseHost
    }

    fn names_login(&self) -> bool {
        true
    }

    /// The language, the host in the link to the profile, and whether there is a code for Android.
    fn variant(&self) -> Option<String> {
        let tag = languages::tag(&Languages::parse(self.languages));
        let host = self.host.map_or("", Domain::as_str);
        let code = if self.is_taken() { "+" } else { "-" };
        Some([tag, code, host].concat())
    }

    fn write(&self, account: &Account) -> Written {
        match &self.typed {
            Typed::Address(address) if *address.domain() == account.domain => {
                self.settings(account, address)
            }
            _ => Written::ForRequest(self.form(account)),
        }
    }

    /// The response if no domain is configured: it shows no provider.
    fn not_found(&self) -> Response {
        let mut content = Content::new(None, self.languages);
        match &self.typed {
            Typed::Address(address) => content.miss(address),
            // Without a domain name, the program is being tried out.
            Typed::Nothing if self.host.is_none() => {}
            Typed::NoAddress(typed) if self.host.is_none() => content.refuse(typed),
            Typed::Nothing | Typed::NoAddress(_) => return nothing_here(),
        }
        respond(content, &Page::default())
    }
}

/// Reads the question. If the input is not an address, the page shows an error.
pub fn read<'r>(request: &'r Request) -> Result<Question<'r>, Response> {
    let typed = Typed::read(request);
    let address = match &typed {
        Typed::Address(address) => Some(address.clone()),
        Typed::Nothing | Typed::NoAddress(_) => None,
    };
    let (languages, host) = (request.wishes.languages, request.host.as_ref());
    let document = ThePage { typed, languages, host };
    Ok(Question::new(document, address, request.host.clone()))
}

/// The input of the form.
#[derive(Debug)]
enum Typed {
    Nothing,
    Address(EmailAddress),
    NoAddress(String),
}

impl Typed {
    fn read(request: &Request) -> Typed {
        let value = form_value(request.encoded_parameter(PARAMETER).unwrap_or_default());
        if value.is_empty() {
            return Typed::Nothing;
        }
        EmailAddress::parse(value.as_bytes())
            .map_or_else(|_| Typed::NoAddress(value), Typed::Address)
    }
}

/// The address in a value of the form, without the blanks around it; bytes that are not UTF-8 are
/// replaced.
///
/// Browsers send a blank as `+` and a plus as `%2B` (URL Standard, urlencoded serializing); phones
/// add blanks. But in a link that was written by hand, `ann+tag@example.org` contains a plus. So a
/// `+` is a plus where an address cannot contain a blank: within an unquoted local part. At either
/// end, next to the `@` and after it, it is a blank.
fn form_value(encoded: &[u8]) -> String {
    let pieces: Vec<_> =
        encoded.split(|&b| b == b'+').map(|piece| decode(piece).into_owned()).collect();
    let pieces: Vec<_> = pieces.iter().map(|piece| String::from_utf8_lossy(piece)).collect();
    let first = |piece: &Cow<'_, str>| piece.trim_start_matches(is_around).chars().next();
    let is_quoted = pieces.iter().find_map(first) == Some('"');
    let is_blank = |text: &str| text.chars().all(is_around);
    let mut value = String::with_capacity(encoded.len());
    for (at, piece) in pieces.iter().enumerate() {
        if at > 0 {
            let rest = &pieces[at..];
            let is_plus = !is_quoted
                && !is_blank(&value)
                && !value.contains('@')
                && !rest[0].starts_with('@')
                && !rest.iter().all(|piece| is_blank(piece));
            value.push(if is_plus { '+' } else { ' ' });
        }
        value.push_str(piece);
    }
    value.trim_matches(is_around).to_owned()
}

impl ThePage<'_> {
    /// The page without settings: there is no input, the input is not an address, or its domain is not
    /// configured.
    fn form(&self, account: &Account) -> Response {
        if !account.page.enabled {
            return nothing_here();
        }
        let mut content = Content::new(Some(account), self.languages);
        match &self.typed {
            Typed::Nothing => {}
            Typed::NoAddress(typed) => content.refuse(typed),
            // Only the domain of the Host is configured.
            Typed::Address(address) => content.miss(address),
        }
        respond(content, &account.page)
    }

    /// The page with the settings of a mailbox.
    fn settings(&self, account: &Account, address: &EmailAddress) -> Written {
        if !account.page.enabled {
            return Written::ForRequest(nothing_here());
        }
        let mut content = Content::new(Some(account), self.languages);
        let codes = Codes::of(account, content.language);
        let titles = account.provider.documentation.iter().map(|page| page.title.len());
        // Only a page for a Host of the same domain is cached: the host in its link then depends on
        // nothing else, and a client cannot fill the cache with other Hosts.
        if account.page.template.is_some()
            || titles.max() > Some(1)
            || account.host_domain.as_ref() != Some(&account.domain)
        {
            let mailbox = account::Mailbox { address, login: account.login.as_ref() };
            content.settle(account, &Mailbox::of(mailbox, &codes));
            return Written::ForRequest(respond(content, &account.page));
        }
        content.settle(account, &Mailbox::open(&codes, self.is_taken()));
        let response = respond(content, &account.page);
        if response.status != Status::Ok {
            return Written::ForRequest(response);
        }
        let fill = move |subject: &account::Subject| Some(fill(&subject.mailbox?, &codes));
        Written::ForMailbox(Form::new(response, &MARKERS, Box::new(fill)))
    }

    /// True for an address that Thunderbird for Android accepts.
    fn is_taken(&self) -> bool {
        matches!(&self.typed, Typed::Address(address) if thunderbird::is_taken(address))
    }
}

fn nothing_here() -> Response {
    Response::text(Status::NotFound, "nothing here")
}

fn respond(mut content: Content, page: &Page) -> Response {
    let template = page.template.as_deref();
    let theme = Theme::of(template, page.color);
    let (html, theme) = match theme.and_then(|theme| Ok((content.page(&theme)?, theme))) {
        Ok(page) => page,
        Err(error) => {
            if theme::is_first_failure(template) {
                let name = content.provider.map_or("", |provider| provider.name);
                log::error(&format!(
                    "the page of \"{name}\" cannot be written: page.template: {error}"
                ));
            }
            return Response::text(Status::InternalServerError, "cannot write the page");
        }
    };
    let response = Response {
        status: match content.stage {
            Stage::Form | Stage::Settings => Status::Ok,
            Stage::Invalid => Status::BadRequest,
            Stage::Unknown => Status::NotFound,
        },
        ..Response::document("text/html; charset=utf-8", html.into_bytes())
    };
    response
        .with("Content-Security-Policy", theme.policy.clone())
        .with("Referrer-Policy", "no-referrer")
        .with("X-Content-Type-Options", "nosniff")
        .with("Vary", "Accept-Language")
}
