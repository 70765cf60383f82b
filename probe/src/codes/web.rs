//! Findings about web servers: connections, TLS, HTTP.

use crate::finding::{Code, Stage, Weight};

/// The kinds, sorted by code.
pub const CODES: &[Code] = &[
    Code {
        id: "address-required",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "Requests without an address are refused.",
        explain: "Thunderbird for Android, KMail, Geary and others send no address, to keep it private. \
                  The domain is in the Host: answer with placeholders.",
    },
    Code {
        id: "agent-refused",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "Requests of some clients are refused by their User-Agent.",
        explain: "A rule of the web server refuses requests without User-Agent, or with one that it does \
                  not know. Delta Chat sends none; Thunderbird for Android sends okhttp. Exempt these \
                  paths.",
    },
    Code {
        id: "catch-all",
        stage: Stage::Http,
        weight: Weight::Note,
        about: "A web server that answers every path with status 200.",
        explain: "The documents are found, and so is every other path. Clients that look at a further \
                  place first get a page in place of a document there. Answer paths that do not exist \
                  with 404.",
    },
    Code {
        id: "connection-refused",
        stage: Stage::Connection,
        weight: Weight::Fault,
        about: "A web server that cannot be connected to.",
        explain: "The name has an address, but nothing listens there, or a firewall refuses. Clients go on \
                  to their next way, if they have one.",
    },
    Code {
        id: "connection-timeout",
        stage: Stage::Connection,
        weight: Weight::Fault,
        about: "A web server that does not answer.",
        explain: "There was no connection in time. A client waits for it in every set-up, Thunderbird up \
                  to 5 seconds. Correct the address, or let the firewall refuse in place of dropping.",
    },
    Code {
        id: "http-401",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "A login is required.",
        explain: "The settings hold nothing secret, and a client has no login before it has them. \
                  Thunderbird asks its user for a password if it finds nothing else. Exempt these paths \
                  from the login.",
    },
    Code {
        id: "http-403",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "Access is refused.",
        explain: "Often a rule against bots, or one for folders that begin with a dot: /.well-known/ must \
                  be allowed.",
    },
    Code {
        id: "http-5xx",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "An error of the server.",
        explain: "The web server, or the program behind it, fails. Its error log has the reason.",
    },
    Code {
        id: "http-broken",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "A response that is not HTTP, or not complete.",
        explain: "Look into the error log of the web server, and at what is between it and the Internet.",
    },
    Code {
        id: "http-only",
        stage: Stage::Http,
        weight: Weight::Risk,
        about: "The settings come over http only.",
        explain: "Anybody on the way can change them. Thunderbird for Android asks its user to confirm \
                  them. Answer over https, too.",
    },
    Code {
        id: "http-redirect",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "A redirect without a target.",
        explain: "The response has a status for redirects, but no Location that can be followed.",
    },
    Code {
        id: "http-status",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "A status that clients do not expect.",
        explain: "Clients accept 2xx only.",
    },
    Code {
        id: "http-timeout",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "A response that does not come in time.",
        explain: "The connection was made, but the response did not come, or not to its end. Clients wait \
                  3 to 15 seconds for it; Thunderbird waits for Autodiscover in every set-up.",
    },
    Code {
        id: "mobilesync-refused",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "A request for ActiveSync gets an HTTP error.",
        explain: "New Outlook asks for the schema of ActiveSync, and goes on only if it gets an answer: \
                  status 200 with the error 601 says that there is none.",
    },
    Code {
        id: "no-route",
        stage: Stage::Connection,
        weight: Weight::Risk,
        about: "An address that this computer cannot reach.",
        explain: "The computer on which the program runs has no route to the address, often because it has \
                  no IPv6. It says nothing about the server. Run the program in another network, or with \
                  --ipv4 or --ipv6.",
    },
    Code {
        id: "not-asked",
        stage: Stage::Connection,
        weight: Weight::Risk,
        about: "Something was not asked.",
        explain: "The time or the number of requests was used up, often by a server that does not end \
                  its response. Ask again with a longer `--timeout`, or for one client with `--client`.",
    },
    Code {
        id: "pacc-tls",
        stage: Stage::Tls,
        weight: Weight::Note,
        about: "No TLS 1.3 for PACC.",
        explain: "The draft takes TLS 1.3 as its baseline.",
    },
    Code {
        id: "path-case",
        stage: Stage::Http,
        weight: Weight::Risk,
        about: "Autodiscover is answered in lower case only.",
        explain: "Outlook also asks /Autodiscover/Autodiscover.xml, after an SRV record for example. Match \
                  the path without regard to letter case.",
    },
    Code {
        id: "post-refused",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "Autodiscover is answered to a GET, and not to a POST.",
        explain: "Nearly all clients of Autodiscover send a POST, which a file of a web server does not \
                  answer. Pass the path on to a program.",
    },
    Code {
        id: "profile-type",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "An Apple profile with another media type.",
        explain: "iPhone and iPad install a profile only as `application/x-apple-aspen-config`.",
    },
    Code {
        id: "redirect",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "A redirect that some clients do not follow.",
        explain: "Pimalaya refuses redirects. Answer the path with the document itself.",
    },
    Code {
        id: "redirect-loop",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "Redirects without end.",
        explain: "The redirects lead in a circle, or are too many. Often http is redirected to https by \
                  one server and https to http by another.",
    },
    Code {
        id: "redirect-path",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "A redirect to the home page.",
        explain: "Often http is redirected to https without the path, and the client gets the home page \
                  in place of the document.",
    },
    Code {
        id: "redirect-post",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "A redirect that turns a POST into a GET.",
        explain: "With the statuses 301, 302 and 303, clients repeat the request as a GET, without the \
                  address in it. Answer the POST itself.",
    },
    Code {
        id: "redirect-scheme",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "A redirect between http and https that some clients do not follow.",
        explain: "FairEmail follows redirects only within http or within https. Answer over both.",
    },
    Code {
        id: "slow",
        stage: Stage::Http,
        weight: Weight::Fault,
        about: "A response that takes longer than a client waits.",
        explain: "Mustang waits 3 seconds, Thunderbird and EmailEngine 5, Nextcloud Mail 7. The rest of \
                  the time is that of the network.",
    },
    Code {
        id: "tls-expired",
        stage: Stage::Tls,
        weight: Weight::Fault,
        about: "A certificate that has expired.",
        explain: "Clients refuse it. If it was renewed already, the server still has the old one in \
                  memory: reload it. Let the renewal reload the server by itself.",
    },
    Code {
        id: "tls-incomplete",
        stage: Stage::Tls,
        weight: Weight::Fault,
        about: "A certificate of the chain is missing.",
        explain: "The server sends its certificate without that of the authority in between. Web browsers \
                  often know it from elsewhere; mail clients do not. Configure the file with the whole \
                  chain (fullchain.pem).",
    },
    Code {
        id: "tls-name",
        stage: Stage::Tls,
        weight: Weight::Fault,
        about: "A certificate for other names.",
        explain: "The certificate that the server sends for this name does not contain it. Frequent \
                  causes: the name was left out when the certificate was made; the server has no \
                  certificate for this name and sends that of its default site. A wildcard covers one \
                  label only: *.example.org does not cover autoconfig.mail.example.org.",
    },
    Code {
        id: "tls-none",
        stage: Stage::Tls,
        weight: Weight::Fault,
        about: "No TLS where TLS is expected.",
        explain: "The server sends something else. On a mail server, the port is often one for STARTTLS, \
                  or its settings say TLS where STARTTLS is meant.",
    },
    Code {
        id: "tls-not-yet",
        stage: Stage::Tls,
        weight: Weight::Fault,
        about: "A certificate that is not valid yet.",
        explain: "Its first day is in the future. Look at the clock of the machine that made it.",
    },
    Code {
        id: "tls-old",
        stage: Stage::Tls,
        weight: Weight::Fault,
        about: "TLS 1.0 or 1.1 only.",
        explain: "Current clients need TLS 1.2 or 1.3 (RFC 8996).",
    },
    Code {
        id: "tls-refused",
        stage: Stage::Tls,
        weight: Weight::Fault,
        about: "A TLS handshake that the server ends.",
        explain: "The server closes the connection or sends an alert. Some servers do that for names that \
                  they have no certificate for.",
    },
    Code {
        id: "tls-self-signed",
        stage: Stage::Tls,
        weight: Weight::Fault,
        about: "A self-signed certificate.",
        explain: "No client trusts it without a question to its user. Use a certificate of a public \
                  authority, such as Let's Encrypt.",
    },
    Code {
        id: "tls-unfit",
        stage: Stage::Tls,
        weight: Weight::Fault,
        about: "A certificate that may not be used for this.",
        explain: "It is not meant for servers, or its key or signature is too weak.",
    },
    Code {
        id: "tls-unknown",
        stage: Stage::Tls,
        weight: Weight::Fault,
        about: "An authority that is not trusted.",
        explain: "The certificate was issued by an authority that the system does not know. For an \
                  authority of your own, `--ca FILE` tells probe; clients must have it, too.",
    },
    Code {
        id: "web-dead-address",
        stage: Stage::Connection,
        weight: Weight::Risk,
        about: "An address of a web server that is dead.",
        explain: "The name has several addresses, and one of them does not answer; often it is IPv6. \
                  Clients try it first and wait. Let the web server listen there, or remove the record.",
    },
    Code {
        id: "web-none",
        stage: Stage::Connection,
        weight: Weight::Choice,
        about: "No web server at a name where one is optional.",
        explain: "Clients also ask the domain itself, or http. It is one of several ways; its absence \
                  matters only to clients without another one.",
    },
];
