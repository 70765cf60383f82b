//! Finds settings that work, but not for all clients. Takes an account and returns findings, each
//! at the setting that causes it.
//!
//! To add a kind, write an entry in [`LINTS`] and a row in `tests/findings.rs`. The clients that it
//! breaks follow from their behaviour, by the table in `clients`.

mod breaks;

pub use self::breaks::Breaks;
use self::breaks::{choices, of_redirect, who};
use crate::account::{
    Account, Auth, EMAIL_ADDRESS, EMAIL_LOCAL_PART, MailServer, Protocol, Redirect, Security,
    ServiceKind,
};
use crate::discovery::pacc::{self, Why};
use crate::finding::{Finding, Place};
use crate::page::contrast::on_light;
use crate::ports;
use crate::url::HTTPS_PORT;

/// One kind of finding; all are warnings.
pub struct Lint {
    /// The code, in kebab case; it does not change between versions.
    pub code: &'static str,
    /// One line for the manual.
    pub about: &'static str,
    /// The clients that it breaks.
    pub breaks: Breaks,
    /// The remedy.
    pub remedy: &'static str,
    find: Find,
}

/// The function that finds the cause.
enum Find {
    /// For a server or an alternative; keys are those of the server, and the message follows its
    /// name.
    Way(fn(&MailServer) -> Option<Cause>),
    /// The same, for properties that alternatives share with the server.
    Server(fn(&MailServer) -> Option<Cause>),
    /// For an account.
    Account(fn(&Account) -> Vec<Cause>),
}

/// The message, and the keys that cause it: the first one that is set is the place.
struct Cause {
    keys: Vec<String>,
    message: String,
}

fn cause(keys: &[&str], message: impl Into<String>) -> Cause {
    Cause { keys: keys.iter().map(|key| (*key).to_owned()).collect(), message: message.into() }
}

/// The table, in the order of the codes.
pub static LINTS: &[Lint] = &[
    Lint {
        code: "alternatives",
        about: "Some clients take the last server instead of the first.",
        breaks: Breaks::Those(breaks::TAKES_LAST_TO_SEND),
        remedy: "leave alternatives out",
        find: Find::Account(|account| {
            let has =
                |protocol| account.alternatives.iter().any(|server| server.protocol == protocol);
            let cause = |protocol| {
                let does = match protocol {
                    Protocol::Smtp => breaks::TAKES_LAST_TO_SEND,
                    _ => breaks::TAKES_LAST,
                };
                let take = who(does, "takes", "take");
                cause(
                    &[&format!("{protocol}.alternatives")],
                    format!("{protocol}.alternatives: {take} the last server instead of the first"),
                )
            };
            [Protocol::Imap, Protocol::Pop3, Protocol::Smtp]
                .into_iter()
                .filter(|p| has(*p))
                .map(cause)
                .collect()
        }),
    },
    Lint {
        code: "auth-list",
        about: "Several methods of signing in: clients choose in different ways.",
        breaks: Breaks::Those(breaks::CHOOSES_METHOD),
        remedy: "write only the methods that work in all of them",
        find: Find::Server(|server| {
            let methods: Vec<_> = server.auth.iter().collect();
            (methods.len() > 1).then(|| cause(&["auth"], choices(&methods)))
        }),
    },
    Lint {
        code: "auth-ntlm",
        about: "NTLM: a client refuses the whole configuration.",
        breaks: Breaks::Those(breaks::REFUSES_METHODS),
        remedy: "use auth = \"password\"",
        find: Find::Server(|server| {
            let is_alone = server.auth.iter().eq([Auth::Ntlm]);
            (is_alone && is_read_on_android(server)).then(|| {
                let refuse = who(breaks::REFUSES_METHODS, "refuses", "refuse");
                cause(&["auth"], format!("with auth = \"ntlm\" {refuse} the whole configuration"))
            })
        }),
    },
    Lint {
        code: "jmap",
        about: "A JMAP server: a client refuses the whole document.",
        breaks: Breaks::Those(breaks::REFUSES_TYPES),
        remedy: "leave jmap.url out if your users need that client",
        find: Find::Account(|account| {
            let jmap = account.service(ServiceKind::Jmap);
            let refuse = who(breaks::REFUSES_TYPES, "refuses", "refuse");
            let message = || format!("jmap: {refuse} the whole autoconfig document for it");
            jmap.iter().map(|_| cause(&["jmap.url"], message())).collect()
        }),
    },
    Lint {
        code: "name-value",
        about: "A provider's name that a client reads as a number or as true or false.",
        breaks: Breaks::Those(breaks::READS_VALUES),
        remedy: "add a word to the name",
        find: Find::Account(|account| {
            let provider = &account.provider;
            // The name is also the short name if none is set.
            [
                ("name", &provider.name, &["provider.name"][..]),
                ("short_name", &provider.short_name, &["provider.short_name", "provider.name"]),
            ]
            .into_iter()
            .filter(|(_, name, _)| looks_like_a_value(name))
            .map(|(key, name, keys)| {
                cause(
                    keys,
                    format!(
                        "provider.{key}: {} {name} as a number or as true or false",
                        who(breaks::READS_VALUES, "reads", "read")
                    ),
                )
            })
            .collect()
        }),
    },
    Lint {
        code: "no-imap",
        about: "No IMAP server: some clients find nothing.",
        breaks: Breaks::Those(breaks::NEEDS_IMAP),
        remedy: "offer IMAP",
        find: Find::Account(|account| {
            let has_imap = account.servers.iter().any(|server| server.protocol == Protocol::Imap);
            let message =
                || format!("without imap, {} no server", who(breaks::NEEDS_IMAP, "finds", "find"));
            let cause = (!has_imap).then(|| cause(&["imap.enabled"], message()));
            cause.into_iter().collect()
        }),
    },
    Lint {
        code: "oauth2-alone",
        about: "No server takes a password: many clients cannot sign in.",
        breaks: Breaks::Those(breaks::NEEDS_PASSWORD),
        remedy: "use auth = [\"oauth2\", \"password\"] if a password works, too",
        find: Find::Account(|account| {
            let servers = [account.incoming(), account.outgoing()].into_iter().flatten();
            let keys: Vec<_> = servers
                .filter(|server| server.auth.without_token().is_none())
                .map(|server| format!("{}.auth", server.protocol))
                .collect();
            let message = || {
                format!(
                    "auth = \"oauth2\" alone: {} nothing unless they know the server by name; Apple \
                     profiles and Autodiscover are not available",
                    who(breaks::OAUTH2_BY_HOST, "finds", "find")
                )
            };
            let cause = (!keys.is_empty()).then(|| Cause { keys, message: message() });
            cause.into_iter().collect()
        }),
    },
    Lint {
        code: "oauth2-missing",
        about: "auth has \"oauth2\" without an [oauth2] table.",
        breaks: Breaks::Those(breaks::OAUTH2_BY_DOCUMENT),
        remedy: "add [oauth2], unless the servers are those of a large provider",
        find: Find::Account(|account| {
            let message = || {
                format!(
                    "auth has \"oauth2\" without an [oauth2] table: it is used only by clients that \
                     know the server by name, as {} those of Google and Microsoft",
                    who(breaks::OAUTH2_BY_HOST, "knows", "know")
                )
            };
            let server = account.servers.iter().find(|it| it.auth.contains(Auth::OAuth2));
            let cause = server
                .filter(|_| account.oauth2.is_none())
                .map(|server| cause(&[&format!("{}.auth", server.protocol)], message()));
            cause.into_iter().collect()
        }),
    },
    Lint {
        code: "oauth2-unused",
        about: "[oauth2] without a server that has \"oauth2\" in auth: no client uses it.",
        breaks: Breaks::All,
        remedy: "use auth = [\"oauth2\", \"password\"]",
        find: Find::Account(|account| {
            let is_used = account.servers.iter().any(|it| it.auth.contains(Auth::OAuth2));
            let is_unused = account.oauth2.is_some() && !is_used;
            let message = "oauth2: no client uses it as long as no server has \"oauth2\" in auth";
            is_unused.then(|| cause(&["oauth2.issuer"], message)).into_iter().collect()
        }),
    },
    Lint {
        code: "pacc-empty",
        about: "No PACC document is published, because too little is left of it.",
        breaks: Breaks::None,
        remedy: "PACC needs imap or pop3, and smtp; or jmap",
        find: Find::Account(|account| left_out(account, |why| why == Why::NotEnough)),
    },
    Lint {
        code: "pacc-login",
        about: "A server that PACC cannot describe, because of its login.",
        breaks: Breaks::None,
        remedy: "use username = \"%EMAILADDRESS%\" and auth = \"password\"",
        find: Find::Account(|account| {
            left_out(account, |why| matches!(why, Why::Login | Why::NoLogin | Why::NoPassword))
        }),
    },
    Lint {
        code: "pacc-path",
        about: "A calendar, address book or file service that PACC cannot describe, because its URL \
                has no path.",
        breaks: Breaks::None,
        remedy: "add the path of the service to the URL, as in \"https://dav.example.org/dav/\"",
        find: Find::Account(|account| left_out(account, |why| why == Why::NoPath)),
    },
    Lint {
        code: "pacc-port",
        about: "A server that PACC cannot describe, because of its port or security.",
        breaks: Breaks::None,
        remedy: "offer it on that port",
        find: Find::Account(|account| left_out(account, |why| matches!(why, Why::Port(_)))),
    },
    Lint {
        code: "page-color",
        about: "A colour in which text cannot be read.",
        breaks: Breaks::None,
        remedy: "use a darker colour",
        find: Find::Account(|account| {
            let color = account.page.color.filter(|color| on_light(*color) != *color);
            let message = |color| {
                format!(
                    "page.color: text in {color} cannot be read on a light page; {} is shown there",
                    on_light(color)
                )
            };
            color.into_iter().map(|color| cause(&["page.color"], message(color))).collect()
        }),
    },
    Lint {
        code: "port-starttls",
        about: "TLS from the first byte on a port for STARTTLS.",
        breaks: Breaks::Those(breaks::PORT_DECIDES),
        remedy: "set the port for TLS, or security = \"starttls\"",
        find: Find::Way(|server| {
            let is_wrong =
                server.security == Security::Tls && is_port_of(server, Security::StartTls);
            is_wrong.then(|| {
                cause(
                    &["security", "port"],
                    format!(
                        "port {} is for STARTTLS; after Autodiscover, {} STARTTLS there, in spite of \
                         security = \"tls\"",
                        server.port,
                        who(breaks::PORT_DECIDES, "uses", "use")
                    ),
                )
            })
        }),
    },
    Lint {
        code: "port-tls",
        about: "STARTTLS on a port for TLS from the first byte.",
        breaks: Breaks::All,
        remedy: "set the port for STARTTLS, or security = \"tls\"",
        find: Find::Way(|server| {
            let is_wrong =
                server.security == Security::StartTls && is_port_of(server, Security::Tls);
            is_wrong.then(|| {
                cause(
                    &["security", "port"],
                    format!(
                        "port {} is for TLS from the first byte; no client connects with \
                         security = \"starttls\"",
                        server.port
                    ),
                )
            })
        }),
    },
    Lint {
        code: "redirect-not-followed",
        about: "A redirect of Autodiscover that some clients do not follow.",
        breaks: Breaks::Those(breaks::NO_REDIRECT_TO_ADDRESS),
        remedy: "configure the servers for this domain, too",
        find: Find::Account(|account| {
            let is_moved = matches!(account.moved, Some(Redirect::Address(_)));
            let key = "autodiscover.redirect_address";
            let message = || format!("{key}: {}", of_redirect(breaks::IGNORES_ADDRESS));
            let cause = is_moved.then(|| cause(&[key], message()));
            cause.into_iter().collect()
        }),
    },
    Lint {
        code: "redirect-url-not-followed",
        about: "A redirect of Autodiscover that some clients do not follow.",
        breaks: Breaks::Those(breaks::NO_REDIRECT_TO_URL),
        remedy: "configure the servers for this domain, too",
        find: Find::Account(|account| {
            let is_moved = matches!(account.moved, Some(Redirect::Url(_)));
            let key = "autodiscover.redirect_url";
            let message = || format!("{key}: {}", of_redirect(breaks::IGNORES_URL));
            let cause = is_moved.then(|| cause(&[key], message()));
            cause.into_iter().collect()
        }),
    },
    Lint {
        code: "security-none",
        about: "Mail without TLS: a client refuses the whole configuration.",
        breaks: Breaks::Those(breaks::REFUSES_PLAIN),
        remedy: "use security = \"tls\"",
        find: Find::Way(|server| {
            (server.security == Security::Plain && is_read_on_android(server)).then(|| {
                let refuse = who(breaks::REFUSES_PLAIN, "refuses", "refuse");
                cause(
                    &["security"],
                    format!(
                        "without TLS, {refuse} the whole configuration, and passwords can be read \
                         on the network"
                    ),
                )
            })
        }),
    },
    Lint {
        code: "security-none-other",
        about: "POP3 or ManageSieve without TLS.",
        breaks: Breaks::None,
        remedy: "use TLS",
        find: Find::Way(|server| {
            (server.security == Security::Plain && !is_read_on_android(server))
                .then(|| cause(&["security"], "without TLS, passwords can be read on the network"))
        }),
    },
    Lint {
        code: "service-username",
        about: "A service with another login than the mail server.",
        breaks: Breaks::Those(breaks::LAST_USERNAME),
        remedy: "use the same login for both",
        find: Find::Account(|account| {
            let Some(incoming) = account.incoming() else { return Vec::new() };
            let services = account.services.iter().filter(|service| {
                service.kind != ServiceKind::ActiveSync
                    && service.login.template() != incoming.login.template()
            });
            let cause = |kind| {
                cause(
                    &[
                        &format!("{kind}.username"),
                        &format!("{}.username", incoming.protocol),
                        &format!("{kind}.url"),
                    ],
                    format!(
                        "{kind}.username: {} the last username for the mail server's",
                        who(breaks::LAST_USERNAME, "takes", "take")
                    ),
                )
            };
            services.map(|service| cause(service.kind)).collect()
        }),
    },
    Lint {
        code: "smtp-without-login",
        about: "Sending without a login: a client refuses the whole configuration.",
        breaks: Breaks::Those(breaks::REFUSES_NO_LOGIN),
        remedy: "use auth = \"password\"",
        find: Find::Server(|server| {
            server.auth.contains(Auth::None).then(|| {
                let refuse = who(breaks::REFUSES_METHODS, "refuses", "refuse");
                let treat = who(breaks::NEEDS_LOGIN, "treats", "treat");
                cause(
                    &["auth"],
                    format!(
                        "with auth = \"none\" {refuse} the whole configuration, and {treat} it as \
                         incomplete"
                    ),
                )
            })
        }),
    },
    Lint {
        code: "username-composed",
        about: "A login that is made of several parts.",
        breaks: Breaks::Those(breaks::NO_COMPOSED),
        remedy: "use %EMAILADDRESS%, which works in all clients",
        find: Find::Server(|server| {
            let login = server.login.template();
            let is_composed =
                login != EMAIL_LOCAL_PART && login != EMAIL_ADDRESS && !is_fixed(login);
            is_composed.then(|| {
                let not = who(breaks::NO_COMPOSED, "does not understand", "do not understand");
                cause(&["username"], format!("{not} a username made of several parts"))
            })
        }),
    },
    Lint {
        code: "username-fixed",
        about: "A login that is the same for every mailbox.",
        breaks: Breaks::Those(breaks::NO_FIXED),
        remedy: "use %EMAILADDRESS%, which works in all clients",
        find: Find::Server(|server| {
            is_fixed(server.login.template()).then(|| {
                let log_in = who(breaks::NO_FIXED, "logs in", "log in");
                cause(
                    &["username"],
                    format!("{log_in} with the address, not with a fixed username"),
                )
            })
        }),
    },
    Lint {
        code: "username-local-part",
        about: "A login that is the part before the @.",
        breaks: Breaks::Those(breaks::NO_LOCAL_PART),
        remedy: "use %EMAILADDRESS%, which works in all clients",
        find: Find::Server(|server| {
            (server.login.template() == EMAIL_LOCAL_PART).then(|| {
                let address = who(breaks::ALWAYS_ADDRESS, "logs in", "log in");
                let literally = who(breaks::ONLY_ADDRESS, "does not fill in", "do not fill in");
                let message = format!(
                    "{address} with the whole address; {literally} this placeholder and cannot log in"
                );
                cause(&["username"], message)
            })
        }),
    },
    Lint {
        code: "username-value",
        about: "A login that a client reads as a number or as true or false.",
        breaks: Breaks::Those(breaks::READS_VALUES),
        remedy: "use %EMAILADDRESS%, which works in all clients",
        find: Find::Server(|server| {
            let login = server.login.template();
            looks_like_a_value(login).then(|| {
                let message = format!(
                    "{} the username {login} as a number or as true or false",
                    who(breaks::READS_VALUES, "reads", "read")
                );
                cause(&["username"], message)
            })
        }),
    },
];

/// The findings in an account; `place` finds the first key that is set.
pub fn lint(account: &Account, mut place: impl FnMut(&[String]) -> Option<Place>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lint in LINTS {
        let causes = match lint.find {
            Find::Way(find) => {
                let mut causes: Vec<_> =
                    account.servers.iter().filter_map(of_server(find)).collect();
                causes.extend(of_alternatives(account, find));
                causes
            }
            Find::Server(find) => account.servers.iter().filter_map(of_server(find)).collect(),
            Find::Account(find) => find(account),
        };
        findings.extend(causes.into_iter().map(|cause| Finding {
            clients: lint.breaks.labels(),
            remedy: Some(lint.remedy.to_owned()),
            ..Finding::warning(lint.code, place(&cause.keys), cause.message)
        }));
    }
    findings
}

/// Prepends the server to keys and message.
fn of_server(find: fn(&MailServer) -> Option<Cause>) -> impl Fn(&MailServer) -> Option<Cause> {
    move |server| {
        let Cause { keys, message } = find(server)?;
        let protocol = server.protocol;
        Some(Cause {
            keys: keys.iter().map(|key| format!("{protocol}.{key}")).collect(),
            message: format!("{protocol}: {message}"),
        })
    }
}

/// The same for alternatives. The keys that an alternative does not set are those of the server.
fn of_alternatives(account: &Account, find: fn(&MailServer) -> Option<Cause>) -> Vec<Cause> {
    let mut causes = Vec::new();
    for server in &account.alternatives {
        let MailServer { protocol, index, .. } = server;
        if let Some(Cause { keys, message }) = find(server) {
            let way = format!("{protocol}.alternatives[{index}]");
            let own = keys.iter().map(|key| format!("{way}.{key}"));
            let inherited = [format!("{protocol}.security"), way.clone()];
            causes.push(Cause {
                keys: own.chain(inherited).collect(),
                message: format!("{way}: {message}"),
            });
        }
    }
    causes
}

/// The settings that PACC omits for some of the reasons.
fn left_out(account: &Account, is_reason: impl Fn(Why) -> bool) -> Vec<Cause> {
    if !account.pacc {
        return Vec::new();
    }
    let left_out = pacc::left_out(account).into_iter().filter(|left_out| is_reason(left_out.why));
    let causes = left_out.map(|pacc::LeftOut { what, why }| {
        let (keys, message) = match why {
            Why::Port(HTTPS_PORT) => (&["url"][..], format!("it is not on port {HTTPS_PORT}")),
            Why::Port(port) => (
                &["security", "port"][..],
                format!("it is not on port {port} with TLS from the first byte"),
            ),
            Why::Login => (&["username"][..], "its login is not the whole address".to_owned()),
            Why::NoLogin => (&["auth"][..], "it takes no login".to_owned()),
            Why::NoPassword => (&["auth"][..], "it takes no password".to_owned()),
            Why::NoPath => (&["url"][..], "its URL has no path".to_owned()),
            Why::NotEnough => {
                return cause(&["pacc.enabled"], "pacc: no document is published");
            }
        };
        let keys = keys.iter().map(|key| format!("{what}.{key}"));
        Cause {
            // If a default is the reason, the place is that of PACC itself.
            keys: keys.chain(["pacc.enabled".to_owned()]).collect(),
            message: format!("pacc: {what} is left out: {message}"),
        }
    });
    causes.collect()
}

/// True for the servers that Thunderbird for Android reads: it skips POP3 and all other protocols.
fn is_read_on_android(server: &MailServer) -> bool {
    matches!(server.protocol, Protocol::Imap | Protocol::Smtp)
}

/// True if a server is on the registered port of this security alone.
fn is_port_of(server: &MailServer, security: Security) -> bool {
    ports::security_of(server.protocol, server.port) == Some(security)
}

/// True for a login that contains no part of the address.
fn is_fixed(login: &str) -> bool {
    !login.contains(EMAIL_ADDRESS) && !login.contains(EMAIL_LOCAL_PART)
}

/// True for text that is a number or a truth value (seen: Thunderbird turns `0123` into 123).
fn looks_like_a_value(text: &str) -> bool {
    text.parse::<f64>().is_ok() || ["true", "false"].contains(&text)
}
