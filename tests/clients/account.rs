//! The settings of an account that a client must find.

/// A mail server as a client must set it up, in the terms of autoconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountServer {
    /// imap, pop3 or smtp
    pub kind: String,
    pub host: String,
    pub port: u16,
    /// SSL or STARTTLS
    pub security: String,
    pub authentication: String,
    pub username: String,
}

/// The servers in the document that `mailsetup show --client thunderbird` prints for the address, with
/// placeholders replaced.
pub fn servers(document: &str, address: &str) -> Vec<AccountServer> {
    let elements = document.split("Server type=\"").skip(1);
    let servers = elements.map(|element| {
        let value = |name: &str| {
            let (_, rest) = element.split_once(&format!("<{name}>")).expect("an element");
            rest.split('<').next().expect("text").to_owned()
        };
        let local_part = address.split('@').next().expect("a local part");
        AccountServer {
            kind: element.split('"').next().expect("a type").to_owned(),
            host: value("hostname"),
            port: value("port").parse().expect("a port"),
            security: value("socketType"),
            authentication: value("authentication"),
            username: value("username")
                .replace("%EMAILADDRESS%", address)
                .replace("%EMAILLOCALPART%", local_part),
        }
    });
    servers.collect()
}
