//! Reads the documents that a domain publishes, as each client reads them.
//!
//! A reader gets the rules of a client. It returns what that client finds, and what is odd about the
//! document as far as it matters to that client.

pub mod autoconfig;
pub mod autodiscover;
pub mod pacc;
pub mod plist;
pub mod profile;
pub mod srv;

use crate::net::http::Response;
use flate2::read::GzDecoder;
use mailsetup::account::{Protocol, Security};
use mailsetup::address::{EmailAddress, is_host_name};
use mailsetup::clients::{Client, Login, Rule};
use mailsetup::visible::{is_visible, visible};
use mailsetup::xml::tree::{Tree, tree};
use std::io::Read;
use std::net::IpAddr;

/// The placeholders of autoconfig.
const ADDRESS: &str = "%EMAILADDRESS%";
const LOCAL_PART: &str = "%EMAILLOCALPART%";
const DOMAIN: &str = "%EMAILDOMAIN%";

/// A server in a document, in the words that all protocols share.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Setting {
    /// The protocol.
    pub protocol: Protocol,
    /// The host, with its placeholders replaced as the client does.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// The authentication methods in the words of autoconfig, in the order in which the client tries
    /// them: `password-cleartext`, `OAuth2`; empty if the client chooses by what the server offers.
    pub methods: Vec<String>,
    /// The login, as the client fills it in; empty if the client asks or tries the address.
    pub login: String,
}

/// Something in a document that keeps a client from using it, or from using it well.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Oddity {
    /// The code of the finding.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The piece of the document.
    pub piece: String,
    /// The remedy.
    pub remedy: &'static str,
}

/// What a client finds in a document.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Found {
    /// The servers that it can use, in the order of the document.
    pub settings: Vec<Setting>,
    /// What kept it from using others, or from using these well.
    pub oddities: Vec<Oddity>,
}

/// For whom a document is read.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// The client.
    pub client: &'a Client,
    /// The address that is set up.
    pub address: &'a EmailAddress,
}

/// The body of a response.
#[derive(Clone, Debug)]
pub struct Body {
    /// The bytes, without a content coding.
    pub bytes: Vec<u8>,
    /// The media type as it is; `None` if there is no `Content-Type`.
    pub media_type: Option<String>,
    /// The content coding, if there is one.
    pub coding: Option<String>,
    /// True if it is longer than what was read.
    pub is_cut: bool,
}

impl Body {
    /// Decodes gzip, up to the length that is read of a body.
    pub fn of(response: &Response) -> Body {
        const LIMIT: u64 = crate::net::http::MAX_BODY as u64;
        let coding = response.field("content-encoding").map(str::to_ascii_lowercase);
        let coding = coding.filter(|coding| coding != "identity");
        let mut bytes = response.body.clone();
        let mut is_cut = response.is_cut;
        if coding.as_deref().is_some_and(|coding| coding.contains("gzip")) {
            let mut decoded = Vec::new();
            let mut decoder = GzDecoder::new(&bytes[..]).take(LIMIT + 1);
            // What cannot be decoded is empty, and no document.
            decoder.read_to_end(&mut decoded).ok();
            is_cut |= decoded.len() as u64 > LIMIT;
            decoded.truncate(crate::net::http::MAX_BODY);
            bytes = decoded;
        }
        let media_type = response.field("content-type").map(str::to_owned);
        Body { bytes, media_type, coding, is_cut }
    }

    /// The document, in XML.
    fn tree(&self) -> Result<Tree, Oddity> {
        tree(&self.bytes).map_err(|err| match self.is_web_page() {
            true => odd("doc-web-page", "a web page is sent in place of a document", self.begin())
                .mend("Send 404 for paths that do not exist."),
            false => odd("doc-broken", err.to_string(), self.begin()),
        })
    }

    /// True if it looks like a web page.
    pub fn is_web_page(&self) -> bool {
        let begin = &self.bytes[..self.bytes.len().min(512)];
        let begin = String::from_utf8_lossy(begin).to_ascii_lowercase();
        begin.contains("<html") || begin.contains("<!doctype html")
    }

    /// Its first characters, on one line.
    pub fn begin(&self) -> String {
        shortened(&String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(300)]))
    }
}

/// An oddity without a remedy.
fn odd(code: &'static str, message: impl Into<String>, piece: String) -> Oddity {
    Oddity { code, message: message.into(), piece, remedy: "" }
}

impl Oddity {
    fn mend(self, remedy: &'static str) -> Oddity {
        Oddity { remedy, ..self }
    }
}

impl Reader<'_> {
    /// True if the client has a rule.
    pub fn has(&self, rule: Rule) -> bool {
        self.client.has(rule)
    }

    /// A login, filled in as the client does.
    fn login(&self, template: &str) -> String {
        let address = self.address.to_string();
        let local_part = self.address.local_part();
        let rule = self.client.rules.iter().find_map(|rule| match rule {
            Rule::Login(login) => Some(*login),
            _ => None,
        });
        match rule {
            Some(Login::Address) => address,
            Some(Login::LocalPartOrAddress) if template == LOCAL_PART => local_part.to_owned(),
            Some(Login::LocalPartOrAddress) => address,
            Some(Login::AddressAlone) if template == ADDRESS => address,
            Some(Login::AddressAlone) => template.to_owned(),
            Some(Login::Alone) => match template {
                ADDRESS => address,
                LOCAL_PART => local_part.to_owned(),
                other => other.to_owned(),
            },
            Some(Login::Filled) | None => self.filled(template),
        }
    }

    /// A text with its placeholders replaced.
    fn filled(&self, text: &str) -> String {
        let domain = match self.has(Rule::DropsDomainPlaceholder) {
            true => "",
            false => self.address.domain().as_str(),
        };
        text.replace(ADDRESS, &self.address.to_string())
            .replace(LOCAL_PART, self.address.local_part())
            .replace(DOMAIN, domain)
    }
}

impl Found {
    /// What the client would fill in: one server for reading, and one for sending.
    pub fn choice(&self, client: &Client, by_autodiscover: bool) -> Vec<Setting> {
        let is_last = |protocol: Protocol| {
            client.has(Rule::LastServer)
                || (by_autodiscover && client.has(Rule::LastProtocol))
                || (protocol == Protocol::Smtp && client.has(Rule::LastOutgoing))
        };
        let of = |protocol: Protocol| {
            let mut of = self.settings.iter().filter(|setting| setting.protocol == protocol);
            if is_last(protocol) { of.next_back() } else { of.next() }
        };
        let first = self.settings.iter().find(|setting| setting.protocol.is_incoming());
        let incoming = match client.has(Rule::FirstServer) && !client.has(Rule::NeedsImap) {
            true => first,
            false => of(Protocol::Imap).or_else(|| of(Protocol::Pop3)),
        };
        incoming.into_iter().chain(of(Protocol::Smtp)).cloned().collect()
    }
}

/// A host that a client can connect to: a host name or an IP address, in lower case, without a final
/// dot; `None` for any other text.
fn host(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let name = text.strip_suffix('.').unwrap_or(&text);
    (is_host_name(name) || name.parse::<IpAddr>().is_ok()).then(|| name.to_owned())
}

/// The name of a provider, on one line; `None` if it has characters that are invisible or that begin a
/// placeholder.
fn provider_name(text: &str) -> Option<String> {
    /// draft-ietf-mailmaint-autoconfig-06 and draft-ietf-mailmaint-pacc-02.
    const MAX: usize = 60;
    let words: Vec<_> = text.split_whitespace().collect();
    let name: String = words.join(" ").chars().take(MAX).collect();
    let name = name.trim_end().to_owned();
    let is_fit = |c: char| is_visible(c) && c != '%';
    (!name.is_empty() && name.chars().all(is_fit)).then_some(name)
}

/// On one line, not longer than what can be read at once.
pub fn shortened(text: &str) -> String {
    const MAX: usize = 160;
    let line: Vec<_> = text.split_whitespace().collect();
    let line = visible(&line.join(" "));
    match line.char_indices().nth(MAX) {
        Some((at, _)) => format!("{}[...]", &line[..at]),
        None => line,
    }
}
