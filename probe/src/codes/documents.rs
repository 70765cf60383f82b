//! Findings about documents.

use crate::finding::{Code, Stage, Weight};

/// The kinds, sorted by code.
pub const CODES: &[Code] = &[
    Code {
        id: "database-differs",
        stage: Stage::Document,
        weight: Weight::Risk,
        about: "Mozilla's database says otherwise.",
        explain: "KMail and others ask Mozilla's database first. Send a correction to \
                  github.com/thunderbird/autoconfig.",
    },
    Code {
        id: "doc-attribute",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A server with further attributes.",
        explain: "Evolution rejects a document whose servers have other attributes than `type`.",
    },
    Code {
        id: "doc-broken",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A document that is not well-formed.",
        explain: "A script has written text into the XML without escaping it, or a warning of PHP is in \
                  front of it.",
    },
    Code {
        id: "doc-cdata",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A value in a CDATA section.",
        explain: "Evolution and Delta Chat lose it.",
    },
    Code {
        id: "doc-compressed",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A document that is compressed without a request for it.",
        explain: "Clients that do not send Accept-Encoding cannot decode it. Compress only if the request \
                  allows it.",
    },
    Code {
        id: "doc-encoding",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A document that is not in UTF-8.",
        explain: "Evolution, Pimalaya and aerc read UTF-8 only.",
    },
    Code {
        id: "doc-host",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A host that is not a host name.",
        explain: "The value is empty, or has characters that no host name has.",
    },
    Code {
        id: "doc-imap-late",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A document whose first server is not IMAP.",
        explain: "Geary looks at the first incoming server only.",
    },
    Code {
        id: "doc-late",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "White space before the XML declaration.",
        explain: "Strict parsers, such as that of Thunderbird, reject it. In a PHP script, an empty line \
                  before `<?php` is enough.",
    },
    Code {
        id: "doc-mark",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A document with a byte order mark.",
        explain: "Evolution rejects it. Save the file as UTF-8 without BOM.",
    },
    Code {
        id: "doc-media-type",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A document with a media type that a client does not accept.",
        explain: "Thunderbird accepts `text/xml` and `application/xml`, in lower case, and nothing else. \
                  PACC is `application/json`.",
    },
    Code {
        id: "doc-method",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "An authentication method that a client does not know.",
        explain: "Thunderbird skips a server without a method that it can use, Thunderbird for \
                  Android and Pimalaya refuse the whole document. The words of the format are \
                  password-cleartext, password-encrypted, OAuth2, NTLM and GSSAPI.",
    },
    Code {
        id: "doc-no-domain",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A document that names no domain.",
        explain: "Thunderbird needs at least one domain element.",
    },
    Code {
        id: "doc-no-id",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "emailProvider without id.",
        explain: "Thunderbird, Thunderbird for Android and Pimalaya need the id; it is the mail domain.",
    },
    Code {
        id: "doc-no-imap",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A document without IMAP.",
        explain: "The client uses IMAP only.",
    },
    Code {
        id: "doc-no-incoming",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A document without a server to read mail from.",
        explain: "No incoming server can be used by the client.",
    },
    Code {
        id: "doc-no-smtp",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A document without a server to send mail.",
        explain: "No outgoing server can be used by the client.",
    },
    Code {
        id: "doc-no-version",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "clientConfig without version.",
        explain: "Pimalaya rejects it. Write `version=\"1.1\"`.",
    },
    Code {
        id: "doc-other",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A document of another kind.",
        explain: "It is XML, but not what was asked for.",
    },
    Code {
        id: "doc-other-domain",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A document for another domain.",
        explain: "Sailfish OS and Mustang want to see the domain that they asked for.",
    },
    Code {
        id: "doc-placeholder",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A placeholder that a client does not replace.",
        explain: "Evolution replaces %EMAILDOMAIN% by nothing, aerc and EmailEngine not at all. Write the \
                  host name itself.",
    },
    Code {
        id: "doc-plain",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A server without TLS.",
        explain: "Thunderbird for Android rejects the whole document; others send the password without \
                  protection.",
    },
    Code {
        id: "doc-port",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A server without a port.",
        explain: "Clients do not guess it.",
    },
    Code {
        id: "doc-prefix",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "Elements with a namespace prefix.",
        explain: "Most clients compare whole names, and do not find `m:hostname`.",
    },
    Code {
        id: "doc-reference",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A character reference in a value.",
        explain: "Delta Chat loses the text before it. Host names and logins need none.",
    },
    Code {
        id: "doc-security",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A socketType that is missing or not known.",
        explain: "The words are `SSL`, `STARTTLS` and `plain`, in exactly these letters.",
    },
    Code {
        id: "doc-too-long",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A document that is too long.",
        explain: "It has more than 64 KiB. A document of settings has less than 4.",
    },
    Code {
        id: "doc-type",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A server of a type that a client does not know.",
        explain: "Pimalaya rejects the whole document because of it; other clients skip the server.",
    },
    Code {
        id: "doc-username",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A login that a client cannot use.",
        explain: "It is missing, or a number, which Thunderbird changes: 0123 becomes 123. An empty \
                  element becomes the login `true`. Write %EMAILADDRESS%.",
    },
    Code {
        id: "doc-web-page",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A web page in place of a document.",
        explain: "The web server answers every path with status 200 and a page. Thunderbird takes the \
                  first such response and does not look at the next place. Answer paths that do not exist \
                  with 404.",
    },
    Code {
        id: "doc-white-space",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "White space around a value.",
        explain: "Thunderbird and aerc do not know `SSL` with a line break around it; Evolution keeps \
                  blanks in host names. Write each value on the line of its element.",
    },
    Code {
        id: "docs-differ",
        stage: Stage::Document,
        weight: Weight::Risk,
        about: "Documents that name different servers.",
        explain: "Which settings a user gets depends on the client. One of the documents is out of date.",
    },
    Code {
        id: "pacc-broken",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A PACC document that cannot be read.",
        explain: "It is not JSON, or a required member is missing.",
    },
    Code {
        id: "plain-chosen",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A client would send the password without TLS.",
        explain: "The settings name a server without TLS. Thunderbird warns its user.",
    },
    Code {
        id: "pox-empty",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "Autodiscover with an empty SSL or Encryption.",
        explain: "Thunderbird drops the server, Outlook cannot log in.",
    },
    Code {
        id: "pox-encryption",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "Autodiscover whose Encryption does not fit the port.",
        explain: "`SSL` is TLS from the first byte, `TLS` is STARTTLS. Outlook follows it even against the \
                  port.",
    },
    Code {
        id: "pox-get-error",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "Autodiscover answers a GET with an error and status 200.",
        explain: "Delta Chat and others ask by GET, and end their search there. Answer a GET with the \
                  settings of the domain, or with 404.",
    },
    Code {
        id: "pox-login",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "Autodiscover without LoginName.",
        explain: "Outlook then logs in with the part before the @.",
    },
    Code {
        id: "pox-redirect",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "A redirect of Autodiscover that is not followed.",
        explain: "Thunderbird does not follow RedirectUrl; Delta Chat, FairEmail and EmailEngine do not \
                  follow RedirectAddr. Answer with the settings.",
    },
    Code {
        id: "pox-spa",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "Autodiscover without SPA off.",
        explain: "SPA is on unless the document says otherwise: Outlook tries NTLM and fails.",
    },
    Code {
        id: "pox-ssl-off",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "Autodiscover with SSL off.",
        explain: "`<SSL>off</SSL>` means no TLS to Thunderbird and Delta Chat, also if Encryption is TLS: \
                  they send the password unprotected. STARTTLS is SSL on with Encryption TLS.",
    },
    Code {
        id: "pox-type",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "Autodiscover with a Type that is not in capitals.",
        explain: "Thunderbird knows IMAP, POP3 and SMTP only.",
    },
    Code {
        id: "profile-broken",
        stage: Stage::Document,
        weight: Weight::Fault,
        about: "An Apple profile that cannot be installed.",
        explain: "It is not a property list with a mail account, or its signature is invalid.",
    },
    Code {
        id: "profile-signature",
        stage: Stage::Document,
        weight: Weight::Risk,
        about: "An Apple profile whose signature is not trusted.",
        explain: "The device shows it as not verified. The signing certificate has expired, is of an \
                  unknown authority, or its chain is not complete.",
    },
    Code {
        id: "profile-unsigned",
        stage: Stage::Document,
        weight: Weight::Note,
        about: "An Apple profile without a signature.",
        explain: "It can be installed; the device shows it as not signed. mailsetup signs with a \
                  certificate of its own: `[apple] signing_certificate` and `signing_key`.",
    },
    Code {
        id: "srv-differs",
        stage: Stage::Document,
        weight: Weight::Risk,
        about: "SRV records that name other servers than the documents.",
        explain: "Clients that read SRV records get other settings than those that read a document. One of \
                  them is out of date.",
    },
];
