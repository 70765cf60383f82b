//! The QR code that Thunderbird for Android and K-9 Mail import: "Export for Mobile".
//!
//! The text is JSON, format version 1 (thunderbird-android,
//! `feature/migration/qrcode/qr-code-format.md`): one account with its server to read mail from and
//! the one to send it through. It contains no password; the app asks for it. Refuses servers that
//! accept tokens only, and addresses that the app might not accept: those with a quoted or a UTF-8
//! local part.

use crate::account::{
    Account, Auth, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Login, MailServer, Mailbox, OWN_LOGIN,
    OwnLogin, Protocol, Security,
};
use crate::address::{EmailAddress, MAX_DOMAIN, MAX_LOCAL_PART};
use serde::Serialize;

/// A server, in the order of its fields: protocol, host name, port, security, authentication. The
/// login follows, which depends on the mailbox.
type ServerFields = (u8, String, u16, u8, u8);

/// The most bytes in a code (ISO/IEC 18004 table 7, version 40 with level M).
const LONGEST: usize = 2331;
/// The longest address, in bytes.
const MAX_ADDRESS: usize = MAX_LOCAL_PART + 1 + MAX_DOMAIN;

/// The common data of all mailboxes of a domain.
#[derive(Clone, Debug)]
pub struct Accounts {
    incoming: (ServerFields, Login),
    outgoing: (ServerFields, Login),
}

impl Accounts {
    /// The servers of an account; `None` if they cannot be described, or do not accept passwords.
    pub fn of(account: &Account) -> Option<Accounts> {
        let server = |server: &MailServer| Some((describe(server)?, server.login.clone()));
        let incoming = server(account.incoming()?)?;
        let accounts = Accounts { incoming, outgoing: server(account.outgoing()?)? };
        (accounts.longest() <= LONGEST).then_some(accounts)
    }

    /// At least as many bytes as the text can have for any mailbox.
    fn longest(&self) -> usize {
        const FRAME: usize = 100;
        // In JSON some characters have two bytes.
        let of = |(server, login): &(ServerFields, Login)| {
            let login = login.template();
            let count = |placeholder| login.matches(placeholder).count();
            let addresses = count(EMAIL_ADDRESS) + count(EMAIL_LOCAL_PART);
            let own = 2 * count(OWN_LOGIN) * OwnLogin::MAX;
            server.1.len() + 2 * login.len() + addresses * MAX_ADDRESS + own
        };
        FRAME + MAX_ADDRESS + of(&self.incoming) + of(&self.outgoing)
    }

    /// The text of the code for one mailbox; `None` for an address that the app might not accept.
    pub fn text(&self, mailbox: &Mailbox) -> Option<String> {
        let address = mailbox.address;
        if !is_taken(address) {
            return None;
        }
        let (incoming, incoming_login) = &self.incoming;
        let (outgoing, outgoing_login) = &self.outgoing;
        // The name of the user is not known: the app accepts an empty one.
        let identity = (address.to_string(), "");
        let incoming = WithLogin(incoming, incoming_login.of(mailbox));
        let outgoing = WithLogin(outgoing, outgoing_login.of(mailbox));
        const FORMAT_VERSION: u8 = 1;
        // The first of one code.
        const SEQUENCE: (u8, u8) = (1, 1);
        serde_json::to_string(&(FORMAT_VERSION, SEQUENCE, incoming, [(outgoing, identity)])).ok()
    }
}

/// True for an address that the app accepts: ASCII, and a local part without quotes.
pub fn is_taken(address: &EmailAddress) -> bool {
    address.local_part().is_ascii() && !address.is_quoted()
}

fn describe(server: &MailServer) -> Option<ServerFields> {
    let protocol = match server.protocol {
        Protocol::Imap | Protocol::Smtp => 0,
        Protocol::Pop3 => 1,
        Protocol::ManageSieve => return None,
    };
    let security = match server.security {
        Security::Plain => 0,
        Security::StartTls => 2,
        Security::Tls => 3,
    };
    let authentication = match server.auth.without_token()? {
        Auth::None => 0,
        Auth::Password => 1,
        Auth::CramMd5 => 2,
        Auth::Ntlm => 4,
        Auth::OAuth2 => return None,
    };
    Some((protocol, server.host.to_string(), server.port.get(), security, authentication))
}

/// A server with the login of a mailbox, as one array.
struct WithLogin<'a>(&'a ServerFields, String);

impl Serialize for WithLogin<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let WithLogin((protocol, host, port, security, authentication), login) = self;
        (protocol, host, port, security, authentication, login).serialize(serializer)
    }
}
