//! Findings about mail servers.

use crate::finding::{Code, Stage, Weight};

/// The kinds, sorted by code.
pub const CODES: &[Code] = &[
    Code {
        id: "auth-before-tls",
        stage: Stage::Mail,
        weight: Weight::Risk,
        about: "A password is accepted before TLS.",
        explain: "A client that is set up wrongly sends the password unprotected, and works, so that \
                  nobody notices.",
    },
    Code {
        id: "auth-missing",
        stage: Stage::Mail,
        weight: Weight::Fault,
        about: "The announced method is not offered.",
        explain: "The settings name a method that the server does not have, such as CRAM-MD5 or OAuth2.",
    },
    Code {
        id: "auth-none",
        stage: Stage::Mail,
        weight: Weight::Fault,
        about: "No login is offered.",
        explain: "Thunderbird and Delta Chat set up such an account as if it worked; the failure comes \
                  with the first message.",
    },
    Code {
        id: "login-disabled",
        stage: Stage::Mail,
        weight: Weight::Fault,
        about: "Login is disabled, also after TLS.",
        explain: "The server says LOGINDISABLED on the protected connection.",
    },
    Code {
        id: "login-not-tried",
        stage: Stage::Mail,
        weight: Weight::Note,
        about: "A server that was not sent the password.",
        explain: "With `--login`, the password goes to servers with a name in the mail domain, and to those \
                  that a document names that came from the domain over https. An attacker on the way \
                  can change DNS records and documents over http, and name another server. Nothing is sent \
                  without TLS.",
    },
    Code {
        id: "login-refused",
        stage: Stage::Mail,
        weight: Weight::Fault,
        about: "The login was refused.",
        explain: "Asked with `--login`. Either the password is wrong, or the login has another form than \
                  the settings say.",
    },
    Code {
        id: "mail-dead-address",
        stage: Stage::Mail,
        weight: Weight::Risk,
        about: "An address of a mail server that is dead.",
        explain: "Clients try it first and wait; Thunderbird was seen to wait 133 seconds for a dead IPv6 \
                  address.",
    },
    Code {
        id: "mail-no-address",
        stage: Stage::Mail,
        weight: Weight::Fault,
        about: "A mail server without an address.",
        explain: "The documents name a host that has no address.",
    },
    Code {
        id: "mail-own-address",
        stage: Stage::Mail,
        weight: Weight::Fault,
        about: "A mail server with an address of the computer itself.",
        explain: "An address such as 127.0.0.1 leads each client to its own computer. It was entered for \
                  programs on the server. It is not connected to; `--resolve` allows it.",
    },
    Code {
        id: "mail-refused",
        stage: Stage::Mail,
        weight: Weight::Fault,
        about: "A mail server that cannot be connected to.",
        explain: "Nothing listens on the port, or a firewall refuses. Or the settings name the wrong port.",
    },
    Code {
        id: "mail-timeout",
        stage: Stage::Mail,
        weight: Weight::Fault,
        about: "A mail server that does not answer.",
        explain: "There was no connection or no greeting in time. A server that expects TLS does not greet \
                  a client that expects text.",
    },
    Code {
        id: "mail-unfit",
        stage: Stage::Mail,
        weight: Weight::Fault,
        about: "A mail server that greets with an error, or is another one.",
        explain: "What the server said is in the evidence.",
    },
    Code {
        id: "starttls-injection",
        stage: Stage::Mail,
        weight: Weight::Risk,
        about: "Text between the response to STARTTLS and the handshake.",
        explain: "An attacker on the way can inject commands or responses there (CVE-2011-0411 and its \
                  successors). Update the server.",
    },
    Code {
        id: "starttls-missing",
        stage: Stage::Mail,
        weight: Weight::Fault,
        about: "STARTTLS is announced and not offered.",
        explain: "Clients refuse to go on without TLS, or send the password unprotected. Configure a \
                  certificate, or announce the port for TLS from the first byte.",
    },
    Code {
        id: "submission-open",
        stage: Stage::Mail,
        weight: Weight::Risk,
        about: "Mail is accepted without a login.",
        explain: "The server takes messages to other domains from anybody. It will be used to send spam.",
    },
];
