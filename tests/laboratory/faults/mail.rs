//! Faults of the mail servers. Most servers with a fault run all the time, at an address of their
//! own: the DNS leads there.

use super::{FAULT, Fault};
use crate::net::{
    CLOSED, EXPIRED, IN_THE_CLEAR, MAIL, OPEN, OTHER_NAME, SILENT, SILENT_6, WITHOUT_AUTH,
    WITHOUT_TLS,
};
use crate::shapes::STARTTLS;
use crate::world::Scene;

const IMAP: &str = "imap.example.org";
const SMTP: &str = "smtp.example.org";
const MOST: &[&str] = &["thunderbird", "delta-chat", "evolution"];

pub const FAULTS: &[Fault] = &[
    Fault {
        name: "imap-closed",
        about: "no server is at the IMAP port",
        plant: |_, scene| scene.zone.set(IMAP, "A", CLOSED),
        code: "mail-refused",
        subject: "imap.example.org:993",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "smtp-closed",
        about: "no server is at the port for sending",
        plant: |_, scene| scene.zone.set(SMTP, "A", CLOSED),
        code: "mail-refused",
        subject: "smtp.example.org:465",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "imap-silent",
        about: "no host answers at the address of the IMAP server",
        plant: |_, scene| scene.zone.set(IMAP, "A", SILENT),
        code: "mail-timeout",
        subject: "imap.example.org:993",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "imap-dead-ipv6",
        about: "no host answers at the IPv6 address of the IMAP server",
        plant: |_, scene| {
            scene.zone.set(IMAP, "A", MAIL);
            scene.zone.add(IMAP, "AAAA", SILENT_6);
        },
        code: "mail-dead-address",
        subject: "imap.example.org:993",
        clients: &["thunderbird"],
        ..FAULT
    },
    Fault {
        name: "one-address-closed",
        about: "one of two addresses of the IMAP server refuses connections",
        plant: |_, scene| {
            scene.zone.set(IMAP, "A", MAIL);
            scene.zone.add(IMAP, "A", CLOSED);
        },
        code: "mail-dead-address",
        subject: "imap.example.org:993",
        ..FAULT
    },
    Fault {
        name: "smtp-not-tls",
        about: "the server on port 465 begins without TLS",
        plant: |_, scene| scene.zone.set(SMTP, "A", WITHOUT_TLS),
        code: "tls-none",
        subject: "smtp.example.org:465",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "imap-no-starttls",
        about: "the IMAP server does not offer STARTTLS",
        base: STARTTLS,
        plant: |_, scene| scene.zone.set(IMAP, "A", WITHOUT_TLS),
        code: "starttls-missing",
        subject: "imap.example.org:143",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "smtp-no-starttls",
        about: "the server for sending does not offer STARTTLS",
        base: STARTTLS,
        plant: |_, scene| scene.zone.set(SMTP, "A", WITHOUT_TLS),
        code: "starttls-missing",
        subject: "smtp.example.org:587",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "imap-tls-expired",
        about: "the certificate of the IMAP server has expired",
        plant: |_, scene| scene.zone.set(IMAP, "A", EXPIRED),
        code: "tls-expired",
        subject: "imap.example.org:993",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "imap-tls-name",
        about: "the certificate of the IMAP server is for another name",
        plant: |_, scene| scene.zone.set(IMAP, "A", OTHER_NAME),
        code: "tls-name",
        subject: "imap.example.org:993",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "smtp-tls-expired",
        about: "the certificate of the server for sending, after STARTTLS, has expired",
        base: STARTTLS,
        plant: |_, scene| scene.zone.set(SMTP, "A", EXPIRED),
        code: "tls-expired",
        subject: "smtp.example.org:587",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "smtp-tls-name",
        about: "the certificate of the server for sending, after STARTTLS, is for another name",
        base: STARTTLS,
        plant: |_, scene| scene.zone.set(SMTP, "A", OTHER_NAME),
        code: "tls-name",
        subject: "smtp.example.org:587",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "imap-no-login",
        about: "the IMAP server says LOGINDISABLED, also inside TLS",
        plant: |_, scene| scene.zone.set(IMAP, "A", "192.0.2.32"),
        code: "login-disabled",
        subject: "imap.example.org:993",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "imap-other-mechanism",
        about: "the IMAP server offers GSSAPI alone",
        plant: |_, scene| scene.zone.set(IMAP, "A", "192.0.2.33"),
        code: "auth-missing",
        subject: "imap.example.org:993",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "cram-md5-not-offered",
        about: "the documents name CRAM-MD5, and no server offers it",
        base: CRAM_MD5,
        code: "auth-missing",
        subject: "imap.example.org:993",
        clients: &["thunderbird", "evolution"],
        ..FAULT
    },
    Fault {
        name: "smtp-no-auth",
        about: "the server for sending offers no login",
        plant: |_, scene| scene.zone.set(SMTP, "A", WITHOUT_AUTH),
        code: "auth-none",
        subject: "smtp.example.org:465",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "smtp-open",
        about: "the server for sending takes mail from everybody without a login",
        plant: |_, scene| scene.zone.set(SMTP, "A", OPEN),
        code: "submission-open",
        subject: "smtp.example.org:465",
        ..FAULT
    },
    Fault {
        name: "imap-in-the-clear",
        about: "the IMAP server offers a login before STARTTLS",
        base: STARTTLS,
        plant: |_, scene| scene.zone.set(IMAP, "A", IN_THE_CLEAR),
        code: "auth-before-tls",
        subject: "imap.example.org:143",
        ..FAULT
    },
    Fault {
        name: "smtp-in-the-clear",
        about: "the server for sending offers a login before STARTTLS",
        base: STARTTLS,
        plant: |_, scene| scene.zone.set(SMTP, "A", IN_THE_CLEAR),
        code: "auth-before-tls",
        subject: "smtp.example.org:587",
        ..FAULT
    },
    Fault {
        name: "imap-injection",
        about: "bytes come between the IMAP server's response to STARTTLS and TLS",
        base: STARTTLS,
        plant: |_, scene| scene.zone.set(IMAP, "A", "192.0.2.30"),
        code: "starttls-injection",
        subject: "imap.example.org:143",
        ..FAULT
    },
    Fault {
        name: "smtp-injection",
        about: "bytes come between the response to STARTTLS and TLS, of the server for sending",
        base: STARTTLS,
        plant: |_, scene| scene.zone.set(SMTP, "A", "192.0.2.30"),
        code: "starttls-injection",
        subject: "smtp.example.org:587",
        ..FAULT
    },
    Fault {
        name: "imap-greeting",
        about: "the IMAP server greets with an error",
        plant: |_, scene| scene.zone.set(IMAP, "A", "192.0.2.31"),
        code: "mail-unfit",
        subject: "imap.example.org:993",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "smtp-greeting",
        about: "the server for sending greets with an error",
        plant: |_, scene| scene.zone.set(SMTP, "A", "192.0.2.31"),
        code: "mail-unfit",
        subject: "smtp.example.org:465",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "imap-other-protocol",
        about: "another protocol is spoken at the IMAP port",
        plant: |_, scene| scene.zone.set(IMAP, "A", "192.0.2.34"),
        code: "mail-unfit",
        subject: "imap.example.org:993",
        clients: MOST,
        ..FAULT
    },
    Fault {
        name: "sieve-closed",
        about: "no server is at the ManageSieve port that SRV names",
        plant: |_, scene: &mut Scene| {
            scene.zone.set("sieve.example.org", "A", CLOSED);
            scene.zone.set("_sieve._tcp.example.org", "SRV", "0 0 4190 sieve.example.org.");
        },
        code: "mail-refused",
        subject: "sieve.example.org:4190",
        ..FAULT
    },
];

const CRAM_MD5: &str = r#"pacc.enabled = true
provider.name = "Example Mail"
imap.host = "imap.example.org"
imap.auth = "cram-md5"
pop3.host = "pop.example.org"
smtp.host = "smtp.example.org"
smtp.port = 465
managesieve.enabled = true
managesieve.host = "mail.example.org"
apple.signing_certificate = "SIGNER"
apple.signing_key = "/etc/ssl/private/laboratory.key"
[domain."example.org"]
"#;
